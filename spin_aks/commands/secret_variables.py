"""Which values are those of variables that spin.toml calls secret: somebody may have given one all the same."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from spin_aks.errors import ManifestError
from spin_aks.settings import loaded

if TYPE_CHECKING:
    from pathlib import Path

    from spin_aks.settings.loaded import Loaded

BEFORE = "variables."
NOT_SHOWN = "***"


def keys(found: Loaded) -> frozenset[str]:
    """The keys of values that are given and must not be shown. Where spin.toml is there and can't be read, nobody knows
    which those are: it is each of them.
    """
    given = frozenset(key for key in found.given() if key.startswith(BEFORE))
    manifest = loaded.manifest_of(found)
    if not given or not manifest.is_file():
        return frozenset()
    secret = _secret(manifest)
    return given if secret is None else given & {f"{BEFORE}{name}" for name in secret}


def _secret(path: Path) -> frozenset[str] | None:
    """The names of the manifest's secret variables; None if it can't be read."""
    from spin_aks.spin import manifest

    try:
        return frozenset(variable.name for variable in manifest.read(path).variables if variable.secret)
    except ManifestError:
        return _declared(path)


def _declared(path: Path) -> frozenset[str] | None:
    """The same of a manifest that has something else wrong with it."""
    try:
        document = tomllib.loads(path.read_bytes().decode().removeprefix("\ufeff"))
    except (OSError, ValueError):
        return None
    variables = document.get("variables", {})
    if not isinstance(variables, dict):
        return None
    return frozenset(name for name, entry in variables.items() if not isinstance(entry, dict) or entry.get("secret"))
