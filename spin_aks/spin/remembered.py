"""What a manifest was read as, kept for the next run: reading a thousand components takes longer than all the rest.

It is kept in the user's cache folder and not with the application, whose repository may be anybody's: what a manifest
says is run. One file an application: a digest, and on the next line JSON. The digest covers that line, the manifest's
text, and the modules that read it; what does not fit it is as good as not there.
"""

from __future__ import annotations

import hashlib
import json
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spin_aks import __version__, files
from spin_aks.errors import SpinAksError
from spin_aks.spin import assembly
from spin_aks.spin.normalised import Normalised

if TYPE_CHECKING:
    from spin_aks.spin.model import Application


def read(path: Path, *, keep: bool) -> Application:
    """The application as `manifest.read` gives it, from memory where it is there; with `keep` it is remembered."""
    known = _recalled(path)
    if known is not None:
        return known
    from spin_aks.spin import manifest

    application = manifest.read(path)
    if keep:
        _keep(application)
    return application


def _recalled(path: Path) -> Application | None:
    try:
        text = path.read_bytes().decode().removeprefix("\ufeff")
        digest, _, body = _place(path).read_bytes().decode().partition("\n")
    except (OSError, UnicodeDecodeError, SpinAksError):
        return None
    if digest != _digest(text, body):
        return None
    known: dict[str, Any] = json.loads(body)  # ours: the digest fits
    components = {name: tuple(place) for name, place in known["components"]}
    triggers = {(kind, index): tuple(place) for kind, index, place in known["triggers"]}
    return assembly.application(
        Normalised(known["manifest"], components, triggers), path, known["manifest_version"], text
    )


def _keep(application: Application) -> None:
    if any(variable.secret and variable.default is not None for variable in application.variables):
        return  # a secret's default stands where its author put it, and nowhere else
    counts: dict[str, int] = {}
    triggers = []
    for trigger in application.triggers:
        counts[trigger.type] = counts.get(trigger.type, -1) + 1
        triggers.append((trigger.type, counts[trigger.type], trigger.place))
    known = {
        "manifest_version": application.manifest_version,
        "manifest": application.normalised,
        "components": [(component.id, component.place) for component in application.components],
        "triggers": triggers,
    }
    body = json.dumps(known, separators=(",", ":"))
    try:
        files.write(_place(application.path), f"{_digest(application.text, body)}\n{body}", mode=0o600)
    except SpinAksError:
        return  # it is read anew the next time


def _place(path: Path) -> Path:
    name = hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:32]
    return files.cache_folder() / "manifests" / f"{name}.json"


def _digest(text: str, body: str) -> str:
    return hashlib.sha256(f"{_readers()}\n{len(text)}\n{text}{body}".encode()).hexdigest()


@cache
def _readers() -> str:
    """What tells the modules beside this one from those of another version or another checkout."""
    with os.scandir(Path(__file__).parent) as entries:
        found = sorted((entry.name, entry.stat()) for entry in entries if entry.name.endswith(".py"))
    return " ".join([__version__, *(f"{name}:{status.st_size}:{status.st_mtime_ns}" for name, status in found)])
