"""Component dependencies (Spin >= 3.0): which of them Spin refuses.

Source: `ComponentDependencies::validate` in crates/manifest/src/schema/v2.rs.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from spin_aks.spin.versions import Version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from spin_aks.json_types import JSON


def wrong_dependencies(dependencies: Mapping[str, JSON]) -> Iterator[tuple[str, str]]:
    """The name of each dependency that Spin's loader refuses, and why."""
    for name, source in dependencies.items():
        if ":" not in name and _needs_package(source):
            yield name, f"`{name}` is a plain name, so it has to say which `package` it comes from"
        if ":" in name and "/" not in name and isinstance(source, dict) and "export" in source and "url" not in source:
            yield name, f"`{name}` is a whole package, which no single `export` can satisfy"
    for one, other in combinations([name for name in dependencies if ":" in name], 2):
        if _conflict(one, other):
            yield other, f"`{other}` and `{one}` are for the same package and can't be told apart"


def _needs_package(source: JSON) -> bool:
    return not isinstance(source, dict) or ("version" in source and "package" not in source)


def _conflict(one: str, other: str) -> bool:
    package, interface, version = _parts(one)
    other_package, other_interface, other_version = _parts(other)
    if package != other_package:
        return False
    if version and other_version and _compatible(version) != _compatible(other_version):
        return False
    return not (interface and other_interface and interface != other_interface)


def _parts(name: str) -> tuple[str, str, str]:
    before, _, version = name.partition("@")
    package, _, interface = before.partition("/")
    return package, interface, version


def _compatible(version: str) -> tuple[int, int, int, str]:
    """What all versions have in common that may replace one another, by semver.org."""
    parsed = Version.parse(version)
    if parsed.pre or (not parsed.major and not parsed.minor):
        return parsed.major, parsed.minor, parsed.patch, parsed.pre
    return parsed.major, 0 if parsed.major else parsed.minor, 0, ""
