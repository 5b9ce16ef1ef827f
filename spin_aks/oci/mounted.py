"""spin.toml as it stands in a rootfs image: what any shim can load with direct mounts.

The shim mounts folders as they are, refuses everything else (spin, crates/loader/src/local.rs, `resolve_direct_mount`)
and fetches remote wasm each time a pod starts. So each component gets one file of wasm and one folder, both made
beforehand. What is only there to build (`build`, `tool`, `targets`) or has been applied by now (`profile`) is left out:
Spin ignores it when it runs, and an older one refuses a manifest for a key that it does not know.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from spin_aks.oci.toml import dumps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spin_aks.oci.toml import TOML
    from spin_aks.spin.model import Application, Component

_GONE = ("files", "exclude_files", "build", "tool", "targets", "profile")


@dataclass(frozen=True, slots=True)
class Home:
    """Where a component lives in the image, from its root: its wasm, and its folder or nothing if it sees no files."""

    wasm: str
    files: str = ""


def manifest(app: Application, homes: Mapping[str, Home]) -> str:
    """The manifest of `app` in the version it is written in; `homes` by component id. Comments are not kept."""
    document = cast("dict[str, TOML]", tomllib.loads(app.lines.text.removeprefix("\ufeff")))
    details = document.get("application")
    if isinstance(details, dict):
        for key in ("tool", "targets"):
            details.pop(key, None)
    for component in app.components:
        _settle(_at(document, component), component, homes[component.id])
    return dumps(document)


def _at(document: dict[str, TOML], component: Component) -> dict[str, TOML]:
    found: object = document
    for step in component.place:
        found = cast("dict[str | int, object]", found)[step]
    return cast("dict[str, TOML]", found)


def _settle(written: dict[str, TOML], component: Component, home: Home) -> None:
    for key in _GONE:
        written.pop(key, None)
    written["source"] = home.wasm
    if home.files:
        written["files"] = [{"source": home.files, "destination": "/"}]
    if component.environment:
        written["environment"] = {**component.environment}
