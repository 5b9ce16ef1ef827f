from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import certifi
import pytest

from spin_aks import files
from spin_aks.errors import ManifestError, RefusedError, SpinAksError
from spin_aks.oci import rootfs
from spin_aks.oci.bundle import Bundle, discard
from spin_aks.oci.image import Blob, Image
from spin_aks.spin.manifest import read

MODULE = b"\0asm\x01\x00\x00\x00"
MANIFEST = """spin_manifest_version = 2
application = { name = "shop" }

[[trigger.http]]
route = "/..."
component = "web"

[[trigger.http]]
route = "/api"
component = "api"

[component.web]
source = "web.wasm"
files = ["dir", "pages/*.html", { source = "one.txt", destination = "/legal/one.txt" }]
exclude_files = ["**/*.tmp"]

[component.api]
source = "api.wasm"
"""


@pytest.fixture(autouse=True)
def in_the_applications_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(path: str, content: bytes) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(content)


def shop() -> None:
    write("spin.toml", MANIFEST.encode())
    write("web.wasm", MODULE + b"\x00\x04\x03web")
    write("api.wasm", MODULE)
    write("dir/a.txt", b"a")
    write("dir/.dot/b.txt", b"b")
    write("dir/c.tmp", b"c")
    write("pages/p.html", b"p")
    write("one.txt", b"1")


def stage(*, ca_bundle: bool = False, folder: str = "T/bundle") -> Bundle:
    app = read(Path("spin.toml"))
    wasm = {component.id: Path(component.source.path) for component in app.components}  # type: ignore[union-attr]
    return rootfs.stage(app, wasm, Path(folder), record=Path("T/bundle.json"), ca_bundle=ca_bundle)


def staged(folder: str = "T/bundle") -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file()
    }


def unpacked(image: Image) -> dict[str, tarfile.TarInfo]:
    found: dict[str, tarfile.TarInfo] = {}
    for layer in image.layers:
        with tarfile.open(fileobj=io.BytesIO(content(layer))) as opened:
            found |= {member.name: member for member in opened}
    return found


def content(blob: Blob) -> bytes:
    return b"".join(blob.chunks())


def test_the_bundle_holds_what_each_component_would_see_mounted() -> None:
    shop()

    stage()

    bundle = staged()
    manifest = tomllib.loads(bundle.pop("spin.toml").decode())
    assert {
        "components/api/component.wasm": MODULE,
        "components/web/component.wasm": MODULE + b"\x00\x04\x03web",
        "components/web/files/dir/a.txt": b"a",
        "components/web/files/dir/.dot/b.txt": b"b",
        "components/web/files/pages/p.html": b"p",
        "components/web/files/legal/one.txt": b"1",
    } == bundle
    assert {
        "web": {
            "source": "components/web/component.wasm",
            "files": [{"source": "components/web/files", "destination": "/"}],
        },
        "api": {"source": "components/api/component.wasm"},
    } == manifest["component"]


def test_its_record_names_every_file_and_reads_back_as_the_same() -> None:
    shop()

    bundle = stage(ca_bundle=True)

    document = files.read_json(Path("T/bundle.json"))
    assert document is not None
    assert bundle == Bundle.from_json(document)
    assert {path: (files.sha256(Path("T/bundle", path)), len(held)) for path, held in staged().items()} == {
        file.path: (file.digest, file.size_bytes) for file in bundle.files
    }
    assert {
        "web": Path("T/bundle/components/web/component.wasm"),
        "api": Path("T/bundle/components/api/component.wasm"),
    } == bundle.wasm()


@pytest.mark.parametrize(
    "document", ["{}", '{"form": "rootfs", "folder": "x", "files": [{"path": "x"}], "folders": []}']
)
def test_what_is_no_record_is_refused(document: str) -> None:
    with pytest.raises(SpinAksError) as caught:
        Bundle.from_json(json.loads(document))

    assert "run `spin-aks run bundle`" == caught.value.problems[0].hint


def test_certificate_authorities_come_along_when_they_are_asked_for() -> None:
    shop()

    stage(ca_bundle=True)

    assert Path(certifi.where()).read_bytes() == Path("T/bundle/etc/ssl/certs/ca-certificates.crt").read_bytes()


def test_staging_again_touches_nothing_that_is_the_same() -> None:
    shop()
    stage(ca_bundle=True)
    before = {path: path.stat().st_mtime_ns for path in Path("T/bundle").rglob("*")}

    stage(ca_bundle=True)

    assert before == {path: path.stat().st_mtime_ns for path in Path("T/bundle").rglob("*")}


def test_staging_again_removes_what_does_not_belong() -> None:
    shop()
    stage(ca_bundle=True)
    expected = Path("T/bundle/pages-are-gone")
    write(f"{expected}/x", b"left over")
    write("T/bundle/.1234.tmp", b"torn")
    Path("T/bundle/link").symlink_to("/")
    Path("T/bundle/components/web/files/legal/one.txt").unlink()
    Path("T/bundle/components/web/files/legal/one.txt").mkdir()
    Path("pages/p.html").unlink()

    bundle = stage()

    assert {file.path for file in bundle.files} == set(staged())
    assert {*bundle.folders} == {
        path.relative_to("T/bundle").as_posix() for path in Path("T/bundle").rglob("*") if path.is_dir()
    }
    assert [False, False] == [Path("T/bundle/link").is_symlink(), Path("T/bundle/etc").exists()]


def test_a_component_whose_globs_find_nothing_still_has_its_folder() -> None:
    shop()
    write(
        "spin.toml",
        MANIFEST.replace('"dir", "pages/*.html", ', '"*.none"').split('{ source = "one')[0].encode()
        + b']\n[component.api]\nsource = "api.wasm"\n',
    )

    bundle = stage()

    assert Path("T/bundle/components/web/files").is_dir()
    assert unpacked(rootfs.build(bundle))["components/web/files"].isdir()


def test_modes_are_readable_by_any_user_whatever_the_umask_and_the_sources_are() -> None:
    shop()
    Path("one.txt").chmod(0o600)
    Path("api.wasm").chmod(0o755)
    before = os.umask(0o077)
    try:
        bundle = stage()
    finally:
        os.umask(before)

    assert {(True, 0o755), (False, 0o644)} == {
        (path.is_dir(), path.stat().st_mode & 0o777) for path in [Path("T/bundle"), *Path("T/bundle").rglob("*")]
    }
    assert {(True, 0o755), (False, 0o644)} == {(m.isdir(), m.mode) for m in unpacked(rootfs.build(bundle)).values()}


class KilledError(BaseException):
    pass


def test_a_run_that_is_killed_half_way_leaves_no_record(monkeypatch: pytest.MonkeyPatch) -> None:
    shop()
    stage()
    write("one.txt", b"changed")

    def killed(source: Path, target: Path, *, mode: int) -> str:
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(files, "copy", killed)
        with pytest.raises(KilledError):
            stage()

    assert not Path("T/bundle.json").exists()
    assert [True, b"changed"] == [bool(stage().files), Path("T/bundle/components/web/files/legal/one.txt").read_bytes()]


HALF_WAY = """
import sys, time
from pathlib import Path
from spin_aks import files
from spin_aks.oci import rootfs
from spin_aks.spin.manifest import read

def copy_and_wait(source, target, *, mode):
    copied(source, target, mode=mode)
    print("half", flush=True)
    time.sleep(60)

copied, files.copy = files.copy, copy_and_wait
wasm = {"web": Path("web.wasm"), "api": Path("api.wasm")}
rootfs.stage(read(Path("spin.toml")), wasm, Path("T/bundle"), record=Path("T/bundle.json"), ca_bundle=False)
"""


def test_a_process_that_is_killed_half_way_leaves_no_record_and_the_next_makes_the_whole() -> None:
    shop()
    whole = stage()
    write("web.wasm", MODULE + b"\x00\x04\x03new")

    with subprocess.Popen([sys.executable, "-c", HALF_WAY], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert b"half\n" == child.stdout.readline()
        child.kill()

    assert [-9, False] == [child.returncode, Path("T/bundle.json").exists()]
    write("web.wasm", MODULE + b"\x00\x04\x03web")
    assert [whole, whole] == [stage(), Bundle.from_json(json.loads(Path("T/bundle.json").read_bytes()))]


def test_what_is_wrong_is_said_before_anything_is_touched() -> None:
    shop()
    stage()
    Path("one.txt").unlink()
    before = staged()

    with pytest.raises(ManifestError) as caught:
        stage()

    assert ["spin.toml:14: component `web`: the file or folder `one.txt` does not exist"] == [
        str(problem) for problem in caught.value.problems
    ]
    assert [True, before] == [Path("T/bundle.json").exists(), staged()]


def test_wasm_that_is_none_is_refused() -> None:
    shop()
    write("api.wasm", b"")

    with pytest.raises(SpinAksError) as caught:
        stage()

    assert "spin.toml:18: component `api`: `api.wasm` is empty" == str(caught.value)


def test_dependencies_are_refused_for_the_spin_cli_to_compose() -> None:
    shop()
    write("spin.toml", MANIFEST.encode() + b'[component.api.dependencies]\n"a:b/c" = { path = "dep.wasm" }\n')

    with pytest.raises(RefusedError) as caught:
        stage()

    assert (
        "spin.toml:19: component `api` has `dependencies`, and only the Spin CLI can compose them into one wasm"
        == str(caught.value)
    )


def test_the_image_holds_the_bundle_and_its_folders_and_nothing_else() -> None:
    shop()

    bundle = stage(ca_bundle=True)

    found = unpacked(rootfs.build(bundle))
    assert sorted([*bundle.folders, *(file.path for file in bundle.files)]) == sorted(found)
    assert {(0, 0, 0)} == {(member.uid, member.gid, member.mtime) for member in found.values()}


def test_the_images_documents_are_what_containerd_and_docker_read() -> None:
    shop()

    image = rootfs.build(stage(), architecture="arm64")

    manifest, config = json.loads(image.manifest), json.loads(content(image.config))
    assert {
        "architecture": "arm64",
        "os": "linux",
        "config": {"Entrypoint": ["/"], "WorkingDir": "/"},
        "rootfs": {"type": "layers", "diff_ids": [files_digest(layer) for layer in image.layers]},
    } == config
    assert [2, "application/vnd.oci.image.manifest.v1+json", image.config.descriptor] == [
        manifest["schemaVersion"],
        manifest["mediaType"],
        manifest["config"],
    ]
    assert [layer.descriptor for layer in image.layers] == manifest["layers"]
    assert {"application/vnd.oci.image.layer.v1.tar"} == {layer.media_type for layer in image.layers}


def files_digest(blob: Blob) -> str:
    return Blob.of("x", [content(blob)]).digest


def test_one_changed_component_changes_its_own_layer_alone() -> None:
    shop()
    before = [layer.digest for layer in rootfs.build(stage()).layers]
    write("web.wasm", MODULE + b"\x00\x04\x03new")

    after = [layer.digest for layer in rootfs.build(stage()).layers]

    assert [3, True, False, False] == [len(after), *(one != other for one, other in zip(before, after, strict=True))]


def test_the_same_application_has_the_same_digest_whenever_and_wherever_it_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop()
    first = rootfs.build(stage())
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("one.txt", "dir", "pages", "web.wasm", "api.wasm", "spin.toml"):
        copy = shutil.copytree if Path(name).is_dir() else shutil.copyfile
        copy(name, elsewhere / name)  # type: ignore[operator]
    monkeypatch.chdir(elsewhere)
    for path in elsewhere.rglob("*"):
        os.utime(path, (1, 1))

    second = rootfs.build(stage(folder="somewhere/else"))

    assert first.digest == second.digest
    assert "sha256:3c20a4163f45d67a54b3759b4f3fba0160f3d30f62724daaf288d9348e316208" == first.digest


@pytest.mark.parametrize("change", ["edit", "grow", "remove"])
def test_a_bundle_that_somebody_changed_is_refused(change: str) -> None:
    shop()
    bundle = stage()
    path = Path("T/bundle/components/web/files/dir/a.txt")
    if change == "remove":
        path.unlink()
    else:
        path.write_bytes(b"b" if change == "edit" else b"aa")

    with pytest.raises(SpinAksError) as caught:
        rootfs.build(bundle)

    expected = {
        "remove": f"can't read `{path}` of the bundle: No such file or directory",
    }.get(change, f"`{path}` is not what was put into the bundle")
    assert expected == str(caught.value)


def test_a_full_disk_is_said_and_leaves_no_torn_file(monkeypatch: pytest.MonkeyPatch) -> None:
    shop()
    write("web.wasm", MODULE + b"\x00\x80\x80\x40" + bytes(1 << 20))
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, limits[1]))
    try:
        with pytest.raises(SpinAksError) as caught:
            stage()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert "can't write `T/bundle/components/web/component.wasm`: File too large" == str(caught.value)
    assert [False, []] == [Path("T/bundle.json").exists(), list(Path("T").rglob("*.tmp"))]


def test_a_bundle_is_discarded_record_first() -> None:
    shop()
    stage()

    discard(Path("T/bundle"), Path("T/bundle.json"))
    discard(Path("T/bundle"), Path("T/bundle.json"))

    assert [] == list(Path("T").iterdir())
