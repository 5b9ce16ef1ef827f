"""What goes into an image, file by file: what `T/bundle.json` says and the stage `image` works from."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spin_aks.errors import SpinAksError
from spin_aks.files import refused_as_error

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spin_aks.json_types import JSONObject

WASM = "wasm"
ASSET = "asset"
DEPENDENCY = "dependency"
MANIFEST = "manifest"
AUTHORITIES = "authorities"
_HINT = "run `spin-aks run bundle`"


@dataclass(frozen=True, slots=True)
class BundledFile:
    """`path` is where the file lies, from the bundle's `folder`.

    `role` is `wasm`, `asset`, `dependency`, `manifest` or `authorities`; `component` is the id of the one that sees
    it, empty for what belongs to all; `seen_as` is an asset's path in that component. The digest is `sha256:` and 64
    hexadecimal digits, the mode that in the image.
    """

    path: str
    role: str
    digest: str
    size_bytes: int
    component: str = ""
    seen_as: str = ""
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class Bundle:
    """`folder` is where each `path` begins: the staged one (form `rootfs`), or the application's own (`artifact`).

    `folders` are those that a rootfs bundle has, the empty ones among them.
    """

    form: str
    folder: Path
    files: tuple[BundledFile, ...]
    folders: tuple[str, ...] = ()

    def wasm(self) -> dict[str, Path]:
        """The wasm file of each component by its id."""
        return {file.component: self.folder / file.path for file in self.files if file.role == WASM}

    def to_json(self) -> JSONObject:
        """The same for the same files, whatever the order and time they were found in."""
        return {
            "form": self.form,
            "folder": self.folder.as_posix(),
            "files": [_file_to_json(file) for file in self.files],
            "folders": list(self.folders),
        }

    @classmethod
    def from_json(cls, document: JSONObject) -> Bundle:
        """What `to_json` wrote; raises SpinAksError if it is anything else."""
        match document:
            case {"form": str(form), "folder": str(folder), "files": list(files), "folders": list(folders)}:
                return cls(form, Path(folder), tuple(_files_from_json(files)), tuple(str(name) for name in folders))
        raise SpinAksError("this is no description of a bundle", hint=_HINT)


def discard(folder: Path, record: Path) -> None:
    """Removes a staged bundle, its `record` (T/bundle.json) first, so that no half of it is taken for the whole."""
    with refused_as_error(record):
        record.unlink(missing_ok=True)
    with refused_as_error(folder):
        if folder.is_symlink() or folder.is_file():
            folder.unlink()
        elif folder.exists():
            shutil.rmtree(folder)


def _file_to_json(file: BundledFile) -> JSONObject:
    return {
        "path": file.path,
        "role": file.role,
        "component": file.component,
        "seen_as": file.seen_as,
        "digest": file.digest,
        "size_bytes": file.size_bytes,
        "mode": f"{file.mode:04o}",
    }


def _files_from_json(entries: Iterable[object]) -> Iterable[BundledFile]:
    for entry in entries:
        match entry:
            case {
                "path": str(path),
                "role": str(role),
                "component": str(component),
                "seen_as": str(seen_as),
                "digest": str(digest),
                "size_bytes": int(size_bytes),
                "mode": str(mode),
            } if set(mode) <= set("01234567"):
                yield BundledFile(path, role, digest, size_bytes, component, seen_as, int(mode, 8))
            case _:
                raise SpinAksError("this is no description of a file in a bundle", hint=_HINT)
