"""Applications made for measuring: any number of components, each with a workdir and a `watch` of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

HEADER = """\
spin_manifest_version = 2

[application]
name = "{name}"
version = "1.0.0"
"""

COMPONENT = """
[[trigger.http]]
route = "/{id}"
component = "{id}"
executor = {{ type = "wagi" }}

[component.{id}]
source = "{id}/{id}.wasm"

[component.{id}.build]
command = "cp module.bin {id}.wasm"
workdir = "{id}"
watch = ["module.bin"]
"""

# Says its own number; `%` stands for what makes each one different.
MODULE = """\
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "Content-Type: text/plain\\n\\n%")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.const {size}))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
"""


def application(folder: Path, components: int, *, name: str) -> Path:
    """`folder` with an application of that many components. Their builds copy a module that is compiled here, so that
    what is measured is the tool and not a compiler.
    """
    names = component_names(components)
    folder.mkdir(parents=True)
    manifest = HEADER.format(name=name) + "".join(COMPONENT.format(id=one) for one in names)
    (folder / "spin.toml").write_text(manifest)
    for one in names:
        (folder / one).mkdir()
        edit(folder, one, f"I am {one}")
    return folder


def edit(folder: Path, component: str, says: str) -> None:
    """Changes the source of one component: it answers `says` from now on."""
    from wasmtime import wat2wasm

    text = MODULE.format(size=len("Content-Type: text/plain\n\n") + len(says)).replace("%", says)
    (folder / component / "module.bin").write_bytes(wat2wasm(text))


def component_names(components: int) -> list[str]:
    return [f"part-{_letters(number)}" for number in range(components)]


def large_asset(folder: Path, size_bytes: int) -> Path:
    """`folder` with an application of one component and one asset of that size."""
    application(folder, 1, name="large")
    manifest = folder / "spin.toml"
    manifest.write_text(manifest.read_text().replace('.wasm"\n', '.wasm"\nfiles = ["large.bin"]\n', 1))
    block = bytes(range(256)) * 4096
    with (folder / "large.bin").open("wb") as asset:
        for number in range(size_bytes // len(block)):
            asset.write(number.to_bytes(8) + block[8:])
    return folder


def _letters(number: int) -> str:
    """A word for a number, since a component's words begin with a letter: 0 is `aaa`, 27 `abb`, in base 26."""
    letters = ""
    for _ in range(3):
        number, digit = divmod(number, 26)
        letters = chr(ord("a") + digit) + letters
    return letters
