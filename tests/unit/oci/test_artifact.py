from __future__ import annotations

import json
from pathlib import Path

import pytest

from spin_aks.errors import ManifestError, RefusedError, SpinAksError
from spin_aks.oci.artifact import build, bundle
from spin_aks.oci.bundle import Bundle
from spin_aks.oci.image import Blob, FilePart, Image
from spin_aks.spin.composition import composed
from spin_aks.spin.manifest import parse

MODULE = b"\0asm\x01\x00\x00\x00"
COMPONENT = b"\0asm\x0d\x00\x01\x00"
HEAD = """spin_manifest_version = 2
application = { name = "shop" }
trigger.http = [{ route = "/...", component = "a" }]
"""


@pytest.fixture(autouse=True)
def in_the_applications_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.wasm").write_bytes(MODULE)
    Path("b.wasm").write_bytes(COMPONENT)
    Path("big").write_bytes(b"x" * 129)
    Path("small").write_bytes(b"x" * 128)


def made(components: str) -> Image:
    app = parse(HEAD + components, Path("spin.toml"))
    return build(app, {component.id: Path(f"{component.id}.wasm") for component in app.components})


def list_of(components: str) -> Bundle:
    app = parse(HEAD + components, Path("spin.toml"))
    return bundle(app, {component.id: Path(f"{component.id}.wasm") for component in app.components})


def locked(image: Image) -> dict[str, object]:
    document = json.loads(b"".join(image.layers[-1].chunks()))
    assert isinstance(document, dict)
    return document


def kinds(image: Image) -> list[str]:
    return [layer.media_type.rpartition(".")[2] for layer in image.layers]


def test_wasm_and_files_are_referred_to_and_not_held_in_memory() -> None:
    image = made('[component.a]\nsource = "a.wasm"\nfiles = ["big"]\n')

    assert [(FilePart(Path("a.wasm"), 8),), (FilePart(Path("big"), 129),)] == [
        layer.parts for layer in image.layers[:2]
    ]


def test_a_file_of_128_bytes_travels_inside_and_one_of_129_has_a_layer() -> None:
    image = made('[component.a]\nsource = "a.wasm"\nfiles = ["big", "small"]\n')

    assert ["v1+wasm", "v1+data", "v1+config"] == kinds(image)
    big, small = locked(image)["components"][0]["files"]  # type: ignore[index]
    assert [["digest", "path"], ["inline", "digest", "path"]] == [list(big), list(small)]


def test_what_two_components_share_is_one_layer() -> None:
    Path("b.wasm").write_bytes(MODULE)

    image = made(
        '[component.a]\nsource = "a.wasm"\nfiles = ["big"]\n[component.b]\nsource = "b.wasm"\nfiles = ["big"]\n'
    )

    assert ["v1+wasm", "v1+data", "v1+config"] == kinds(image)


def test_one_changed_component_changes_its_layer_and_the_locked_application() -> None:
    two = '[component.a]\nsource = "a.wasm"\n[component.b]\nsource = "b.wasm"\n'
    before = made(two).layers
    Path("b.wasm").write_bytes(COMPONENT + b"\x00\x04\x03new")

    after = made(two).layers

    assert [True, False, False] == [one.digest == other.digest for one, other in zip(before, after, strict=True)]


@pytest.mark.parametrize(
    ("files", "expected"),
    [(498, ["v1+wasm", *(["v1+data"] * 498), "v1+config"]), (499, ["v1+wasm", "tar+gzip", "v1+config"])],
)
def test_above_499_layers_a_components_files_become_one_archive(files: int, expected: list[str]) -> None:
    Path("f").mkdir()
    for number in range(files):
        Path(f"f/{number}").write_bytes(b"%0200d" % number)

    assert expected == kinds(made('[component.a]\nsource = "a.wasm"\nfiles = ["f"]\n'))


def test_a_build_of_several_commands_is_written_as_a_list() -> None:
    image = made('[component.a]\nsource = "a.wasm"\nbuild = { command = ["one"], workdir = "w" }\n')

    assert {"build": {"command": ["one"], "workdir": "w"}} == locked(image)["components"][0]["metadata"]  # type: ignore[index]


def test_dependencies_are_refused_at_their_line_for_the_spin_cli_to_compose() -> None:
    manifest = '[component.a]\nsource = "a.wasm"\n[component.a.dependencies]\n"x:y/z" = "1.0"\n'

    with pytest.raises(RefusedError) as caught:
        made(manifest)

    problem = caught.value.problems[0]
    assert (
        "spin.toml:6",
        "component `a` has `dependencies`, and only the Spin CLI can compose them into one wasm",
        "install the Spin CLI (https://spinframework.dev/install), which composes it at push, "
        "or compose it in the component's build command (`wac plug`)",
    ) == (problem.where, problem.what, problem.hint)


def test_dependencies_of_a_trigger_are_refused_as_well() -> None:
    app = parse(
        'spin_manifest_version = 2\napplication = { name = "x" }\n[[trigger.http]]\nroute = "/"\ncomponent = "a"\n'
        'dependencies = { middleware = [{ path = "b.wasm" }] }\n[component.a]\nsource = "a.wasm"\n',
        Path("spin.toml"),
    )

    assert [
        "spin.toml:6: trigger `a-http-trigger` has `dependencies`, "
        "and only the Spin CLI can compose them into its component"
    ] == [str(problem) for problem in composed(app)]


def test_everything_that_is_missing_is_named_at_once() -> None:
    Path("b.wasm").unlink()

    with pytest.raises(SpinAksError) as no_wasm:
        made('[component.a]\nsource = "a.wasm"\n[component.b]\nsource = "b.wasm"\n')
    with pytest.raises(ManifestError) as no_files:
        made('[component.a]\nsource = "a.wasm"\nfiles = ["gone", "lost"]\n')

    assert ["spin.toml:7: component `b`: `b.wasm` does not exist"] == [str(one) for one in no_wasm.value.problems]
    assert [
        "spin.toml:6: component `a`: `gone` does not exist and is no glob",
        "spin.toml:6: component `a`: `lost` does not exist and is no glob",
    ] == [str(one) for one in no_files.value.problems]


def test_the_list_names_every_file_and_the_locked_application() -> None:
    manifest = '[component.a]\nsource = "a.wasm"\nfiles = [{ source = "big", destination = "/x" }]\n'
    image = made(manifest)

    found = list_of(manifest)

    assert [("a.wasm", "wasm", "a", ""), ("big", "asset", "a", "x"), ("spin.json", "manifest", "", "")] == [
        (file.path, file.role, file.component, file.seen_as) for file in found.files
    ]
    assert [layer.digest for layer in image.layers] == [file.digest for file in found.files]
    assert found == Bundle.from_json(found.to_json())
    assert {"a": Path("a.wasm")} == found.wasm()


def test_the_list_changes_with_the_manifest_alone() -> None:
    plain = list_of('[component.a]\nsource = "a.wasm"\n')
    changed = list_of('[component.a]\nsource = "a.wasm"\nenvironment = { A = "1" }\n')

    assert [True, False] == [one == other for one, other in zip(plain.files, changed.files, strict=True)]


def test_the_list_has_what_the_spin_cli_will_compose() -> None:
    def dependency(version: str) -> Bundle:
        return list_of(
            '[component.a]\nsource = "a.wasm"\n[component.a.dependencies]\n"x:y/z" = { path = "b.wasm" }\n'
            f'"p:q/r" = "{version}"\n'
        )

    assert ["a.wasm", "b.wasm", "spin.json"] == [file.path for file in dependency("1.0").files]
    assert dependency("1.0") != dependency("1.1")


def test_the_descriptor_of_an_archive_is_that_of_its_bytes() -> None:
    Path("f").mkdir()
    for number in range(499):
        Path(f"f/{number}").write_bytes(b"%0200d" % number)

    archive = made('[component.a]\nsource = "a.wasm"\nfiles = ["f"]\n').layers[1]

    content = b"".join(archive.chunks())
    assert (Blob.of("x", [content]).digest, len(content)) == (archive.digest, archive.size_bytes)
