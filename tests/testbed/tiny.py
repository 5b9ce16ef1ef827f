"""The smallest application that can be built, pushed and deployed: one module of eight bytes, "compiled" by `cp`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

WASM = b"\0asm\x01\0\0\0"
MANIFEST = """\
spin_manifest_version = 2

[application]
name = "tiny"

[[trigger.http]]
route = "/..."
component = "a"
executor = { type = "wagi" }

[component.a]
source = "a/a.wasm"

[component.a.build]
command = "cp a.src a.wasm"
workdir = "a"
"""


def tiny_in(folder: Path) -> Path:
    """Makes the application in `folder`: spin.toml and the one source."""
    (folder / "a").mkdir(parents=True)
    (folder / "a/a.src").write_bytes(WASM)
    (folder / "spin.toml").write_text(MANIFEST)
    return folder


def build_command(root: Path, line: str) -> None:
    """Makes `line` the component's build command."""
    quoted = line.replace("\\", "\\\\").replace('"', '\\"')
    path = root / "spin.toml"
    path.write_text(path.read_text().replace('command = "cp a.src a.wasm"', f'command = "{quoted}"'))


def add_to_component(root: Path, *lines: str) -> None:
    """Adds lines to `[component.a]`."""
    path = root / "spin.toml"
    path.write_text(path.read_text().replace('source = "a/a.wasm"\n', "\n".join(['source = "a/a.wasm"', *lines, ""])))


def add_variables(root: Path, *lines: str) -> None:
    """Adds `[variables]`."""
    path = root / "spin.toml"
    path.write_text(path.read_text() + "\n[variables]\n" + "".join(f"{line}\n" for line in lines))
