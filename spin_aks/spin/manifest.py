"""Reading spin.toml, of manifest version 1 and 2, as strictly as the Spin of a given version does."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from spin_aks.errors import ManifestError, Problem
from spin_aks.spin import assembly, lines, schema_v1, schema_v2, toml
from spin_aks.spin.normalise import from_v1, from_v2
from spin_aks.spin.shapes import Reading
from spin_aks.spin.versions import NEWEST_SPIN, Version

if TYPE_CHECKING:
    from pathlib import Path

    from spin_aks.json_types import JSONObject
    from spin_aks.spin.model import Application
    from spin_aks.spin.normalised import Normalised
    from spin_aks.spin.shapes import Fault

MAX_BYTES = 8 * 1024 * 1024
_VERSION_KEYS = ("spin_manifest_version", "spin_version")


def read(path: Path, *, spin: Version = NEWEST_SPIN) -> Application:
    """The application of the manifest at `path` (a folder means its spin.toml), as that Spin reads it.

    Raises ManifestError with every problem found, each with `PATH:LINE`.
    """
    path = path / "spin.toml" if path.is_dir() else path
    return parse(_text(path), path, spin=spin)


def parse(text: str, path: Path, *, spin: Version = NEWEST_SPIN) -> Application:
    """The application that `text` describes; `path` is only what messages and `Application.path` call it."""
    reading, text = Reading(spin), text.removeprefix("\ufeff")
    judged = _judge(toml.document(text, path), reading)
    found = lines.of(text)
    placed = sorted((found.line(fault.place), number, fault) for number, fault in enumerate(reading.faults))
    if judged is None or placed:
        raise ManifestError.of(Problem(fault.what, f"{path}:{line}", fault.hint) for line, _, fault in placed)
    return assembly.application(judged[1], path, judged[0], text)


def faults(text: str, path: Path, *, spin: Version) -> tuple[Fault, ...]:
    """What that Spin finds wrong, by its place; raises ManifestError only for what is not TOML."""
    reading = Reading(spin)
    _judge(toml.document(text.removeprefix("\ufeff"), path), reading)
    return tuple(reading.faults)


def _judge(document: JSONObject, reading: Reading) -> tuple[int, Normalised] | None:
    """The manifest version and what is normalised; None once a step has found faults that the next can't go on from."""
    version = _manifest_version(document, reading)
    if reading.faults:
        return None
    schema = schema_v1.manifest if version == 1 else schema_v2.MANIFEST
    found = schema(document, (), reading)
    if reading.faults:
        return None
    return version, (from_v1 if version == 1 else from_v2)(cast("JSONObject", found), reading)


def _text(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():
            raise ManifestError("not a file", where=str(path), hint="name a spin.toml, or the folder it is in")
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ManifestError(f"has {size / 1e6:.0f} MB: that is no manifest of Spin's", where=str(path))
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise ManifestError(
            "there is no such file", where=str(path), hint="name a spin.toml, or the folder it is in, with `-f`"
        ) from error
    except OSError as error:
        raise ManifestError(f"can't be read: {error.strerror or error}", where=str(path)) from error
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ManifestError(
            "is not UTF-8", where=f"{path}:{line}", hint="save it as UTF-8; TOML knows no other encoding"
        ) from error


def _manifest_version(document: JSONObject, reading: Reading) -> int:
    """1 or 2; notes a fault if it is neither, or not one that this Spin reads."""
    keys = [key for key in _VERSION_KEYS if key in document]
    if len(keys) != 1:
        what = (
            "`spin_manifest_version` and `spin_version` are the same key"
            if keys
            else f"`{_VERSION_KEYS[0]}` is missing"
        )
        hint = "remove one of them" if keys else "`spin_manifest_version = 2` says that it is a manifest of version 2"
        reading.fault((keys[1],) if keys else (), what, hint)
        return 2
    value = document[keys[0]]
    if value == "1":
        return 1
    if value == 2 and isinstance(value, int):
        if reading.spin < Version(2):
            hint = f"Spin 2.0 brought it; this is judged as Spin {reading.spin}"
            reading.fault((keys[0],), "manifest version 2 is unknown", hint)
        return 2
    shown = f'"{value}"' if isinstance(value, str) else str(value).lower()
    reading.fault((keys[0],), f"invalid manifest version {shown}", 'it is the string "1" or the integer 2')
    return 2
