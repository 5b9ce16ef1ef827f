from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from spin_aks.errors import SpinAksError
from spin_aks.oci.wasm import Kind, check, kind
from spin_aks.spin.manifest import parse

if TYPE_CHECKING:
    from pathlib import Path

MODULE = b"\0asm\x01\x00\x00\x00"
COMPONENT = b"\0asm\x0d\x00\x01\x00"
SECTION = b"\x00\x85\x00\x04name"  # custom, five bytes, the length written in two


@pytest.mark.parametrize(
    ("content", "expected"),
    [(MODULE, Kind.MODULE), (COMPONENT, Kind.COMPONENT), (MODULE + SECTION + SECTION, Kind.MODULE)],
)
def test_a_module_is_told_from_a_component(tmp_path: Path, content: bytes, expected: Kind) -> None:
    (tmp_path / "x.wasm").write_bytes(content)

    assert expected == kind(tmp_path / "x.wasm")


def test_what_a_compiler_writes_is_known(tmp_path: Path) -> None:
    import wasmtime

    (tmp_path / "module.wasm").write_bytes(wasmtime.wat2wasm('(module (memory 1) (data (i32.const 0) "hello"))'))
    (tmp_path / "component.wasm").write_bytes(wasmtime.wat2wasm("(component (core module))"))

    assert [Kind.MODULE, Kind.COMPONENT] == [kind(tmp_path / "module.wasm"), kind(tmp_path / "component.wasm")]


@pytest.mark.parametrize(
    ("content", "what", "hint"),
    [
        (b"", "is empty", "build it again: `spin-aks build`"),
        (
            b"\x7fELF\x02",
            "is not a WebAssembly file: it begins with b'\\x7fELF'",
            "it is a program for this machine: build it for a `wasm32` target",
        ),
        (
            b"(module)",
            "is not a WebAssembly file: it begins with b'(mod'",
            "it is WebAssembly text: `wasm-tools parse` makes the binary of it",
        ),
        (
            b"<html>",
            "is not a WebAssembly file: it begins with b'<htm'",
            "check `source` in spin.toml against what the build command writes",
        ),
        (
            b"\0asm\x02\x00\x00\x00",
            "is WebAssembly of a version that no Spin knows (02 00 00 00)",
            "build it for `wasm32-wasip1` or as a component",
        ),
        (
            b"\0asm",
            "is WebAssembly of a version that no Spin knows (none)",
            "build it for `wasm32-wasip1` or as a component",
        ),
        (
            MODULE + SECTION[:-1],
            "is only the beginning of a WebAssembly file (15 bytes)",
            "build it again: `spin-aks build`",
        ),
        (MODULE + b"\x00", "is only the beginning of a WebAssembly file (9 bytes)", "build it again: `spin-aks build`"),
        (
            MODULE + b"\x00\xff\xff\xff\xff\xff\xff",
            "is only the beginning of a WebAssembly file (15 bytes)",
            "build it again: `spin-aks build`",
        ),
    ],
)
def test_what_no_pod_could_start_with_is_refused(tmp_path: Path, content: bytes, what: str, hint: str) -> None:
    path = tmp_path / "x.wasm"
    path.write_bytes(content)

    with pytest.raises(SpinAksError) as caught:
        kind(path)

    assert (f"`{path}` {what}", hint) == (str(caught.value), caught.value.problems[0].hint)


def test_every_component_without_wasm_is_named_at_its_line(tmp_path: Path) -> None:
    app = parse(
        'spin_manifest_version = 2\napplication = { name = "x" }\ntrigger.http = []\n'
        '[component.a]\nsource = "a.wasm"\n[component.b]\nsource = "b.wasm"\n[component.c]\nsource = "c.wasm"\n',
        tmp_path / "spin.toml",
    )
    (tmp_path / "b.wasm").write_bytes(MODULE)

    with pytest.raises(SpinAksError) as caught:
        check(app, {name: tmp_path / f"{name}.wasm" for name in "ab"})

    assert [
        f"{tmp_path}/spin.toml:5: component `a`: `{tmp_path}/a.wasm` does not exist",
        f"{tmp_path}/spin.toml:9: component `c` has no wasm",
    ] == [str(problem) for problem in caught.value.problems]
