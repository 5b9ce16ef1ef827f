"""Reading a manifest from memory: it never differs from reading the file."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spin_aks.errors import ManifestError, SpinAksError
from spin_aks.spin import manifest, remembered

if TYPE_CHECKING:
    from spin_aks.spin.model import Application

TEXT = """\
spin_manifest_version = 2

[application]
name = "shop"
authors = ["Ä <a@example.com>"]
trigger.redis.address = "redis://{{ host }}"

[variables]
host = { default = "é\\u0000" }
key = { required = true, secret = true }

[[trigger.http]]
route = "/..."
component = "b"

[[trigger.redis]]
channel = "c"
component = { source = "c.wasm", files = ["x", { source = "y", destination = "/y" }] }

[[trigger.http]]
route = { private = true }
component = "a"

[component.b]
source = { url = "https://example.com/b.wasm", digest = "sha256:00" }
allowed_http_hosts = ["example.com"]
tool.x = { pi = 3.5, big = 9007199254740993 }

[component.a]
source = "a.wasm"
build = { command = ["one", "two"], workdir = "w", watch = ["*"] }
profile.debug = { source = "debug.wasm" }
"""
VERSION_1 = """\
spin_manifest_version = "1"
name = "old"
version = "1.0.0"
trigger = { type = "http", base = "/" }

[[component]]
id = "one"
source = "one.wasm"
[component.trigger]
route = "/one"

[[component]]
id = "two"
source = "two.wasm"
[component.trigger]
route = "/two"
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an application is the current one; the cache stands beside it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "app").mkdir()
    monkeypatch.chdir(tmp_path / "app")
    return tmp_path / "cache"


def kept(cache: Path) -> list[Path]:
    return [path for path in cache.rglob("*") if path.is_file()]


def everything(application: Application) -> tuple[object, ...]:
    """All that an application says, what its own comparison leaves out among it."""
    parts = (*application.variables, *application.triggers, *application.components)
    return (
        *(getattr(application, field.name) for field in dataclasses.fields(application)),
        *((part.place, type(part.place), application.where(part.place)) for part in parts),
        list(application.normalised),
        [list(part) for part in application.normalised.values() if isinstance(part, dict)],
    )


def remembering(path: Path, monkeypatch: pytest.MonkeyPatch) -> Application:
    """From memory alone: reading the file is out of order meanwhile."""
    with monkeypatch.context() as patch:
        patch.setattr(manifest, "read", None)
        return remembered.read(path, keep=False)


@pytest.mark.parametrize("text", [TEXT, VERSION_1, "\ufeff" + TEXT, TEXT.replace("\n", "\r\n")])
def test_what_is_remembered_is_what_was_read(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path("spin.toml")
    path.write_bytes(text.encode())

    first = remembered.read(path, keep=True)
    again = remembering(path, monkeypatch)

    assert everything(manifest.read(path)) == everything(first) == everything(again)


def test_nothing_is_kept_unless_asked_and_what_is_kept_is_for_its_owner_only(cache: Path) -> None:
    path = Path("spin.toml")
    path.write_text(TEXT)

    remembered.read(path, keep=False)
    assert [] == kept(cache)

    remembered.read(path, keep=True)
    assert [0o600] == [found.stat().st_mode & 0o777 for found in kept(cache)]


def test_one_file_is_kept_for_an_application_however_often_it_changes(cache: Path) -> None:
    path = Path("spin.toml")
    for name in ("one", "two", "three"):
        path.write_text(TEXT.replace("shop", name))
        assert name == remembered.read(path, keep=True).name

    assert 1 == len(kept(cache))


def test_another_version_of_the_readers_reads_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path("spin.toml")
    path.write_text(TEXT)
    remembered.read(path, keep=True)

    monkeypatch.setattr(remembered, "_readers", lambda: "other")
    with pytest.raises(TypeError):
        remembering(path, monkeypatch)
    assert "shop" == remembered.read(path, keep=False).name


def test_what_is_wrong_is_said_each_time_and_never_kept(cache: Path) -> None:
    path = Path("spin.toml")
    for content in (b"nonsense", b"\xff", TEXT.replace("b.wasm", "").replace("digest", "dogest").encode()):
        path.write_bytes(content)
        for _ in range(2):
            with pytest.raises(ManifestError):
                remembered.read(path, keep=True)
    path.unlink()
    with pytest.raises(ManifestError, match="there is no such file"):
        remembered.read(path, keep=True)
    assert [] == kept(cache)


def test_a_cache_that_cant_be_written_or_read_is_no_loss(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path("spin.toml")
    path.write_text(TEXT)
    cache.write_text("a file where the folder would be")
    assert "shop" == remembered.read(path, keep=True).name

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(SpinAksError, match="there is no home folder"):
        remembered.files.cache_folder()
    assert "shop" == remembered.read(path, keep=True).name


def no_home() -> Path:
    raise RuntimeError("Could not determine home directory.")


@given(position=st.integers(min_value=0), byte=st.integers(0, 255), length=st.integers(0, 3))
def test_a_damaged_or_foreign_file_is_as_good_as_none(position: int, byte: int, length: int) -> None:
    """A byte put in, in the place of as many as `length` others."""
    path = Path("spin.toml")
    path.write_text(TEXT)
    expected = remembered.read(path, keep=True)
    found = remembered._place(path)
    whole = found.read_bytes()
    at = position % (len(whole) + 1)

    found.write_bytes(whole[:at] + bytes([byte]) + whole[at + length :])

    assert everything(expected) == everything(remembered.read(path, keep=False))


NAMES = st.sampled_from(["a", "b", "shop", "c.wasm", "d.wasm", "/...", "/x", "true", "1"])


@given(edits=st.lists(st.tuples(st.integers(0, len(TEXT)), st.integers(0, 12), NAMES, st.booleans()), max_size=6))
def test_after_any_edits_it_says_what_reading_says(edits: list[tuple[int, int, str, bool]]) -> None:
    path, text = Path("spin.toml"), TEXT
    for at, length, new, back in edits:
        text = TEXT if back else text[:at] + new + text[at + length :]
        path.write_text(text)
        assert outcome(lambda: manifest.read(path)) == outcome(lambda: remembered.read(path, keep=True))


def outcome(read: object) -> object:
    assert callable(read)
    try:
        return everything(read())
    except ManifestError as error:
        return error.problems


def test_a_manifest_with_a_secrets_default_is_not_remembered() -> None:
    path = Path("spin.toml")
    path.write_text(TEXT.replace("key = { required = true", 'key = { default = "canary"'))

    remembered.read(path, keep=True)

    assert not remembered._place(path).exists()
