"""Files that people keep: never replaced without a word."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from spin_aks import kept
from spin_aks.consent import Consent
from spin_aks.errors import UsageError

FILE = Path("Dockerfile")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def scaffold(text: str, consent: Consent = Consent()) -> str:  # noqa: B008 - a frozen value
    kept.settle(kept.inspect({FILE: text}), consent)
    return FILE.read_text()


def test_our_own_file_follows_the_generator() -> None:
    scaffold("one")

    assert "two" == scaffold("two")


def test_an_edited_file_is_kept_and_said_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    scaffold("one")
    FILE.write_text("mine")

    assert "mine" == scaffold("two", Consent())
    said = capsys.readouterr().err
    assert "kept    Dockerfile: it was edited since spin-aks wrote it; `--override` writes ours\n" in said


def test_a_foreign_file_is_kept_until_override() -> None:
    FILE.write_text("theirs")

    assert kept.is_theirs(FILE, lambda: "ours")
    assert not kept.is_theirs(FILE, lambda: "theirs")
    assert ["theirs", "ours"] == [scaffold("ours"), scaffold("ours", Consent(override=True))]
    assert not kept.is_theirs(FILE, lambda: "next")


def test_a_file_that_is_what_we_would_write_becomes_ours() -> None:
    FILE.write_text("same")
    scaffold("same")

    assert "next" == scaffold("next")


def test_a_missing_file_at_the_top_is_written_again() -> None:
    scaffold("one")
    FILE.unlink()

    assert "one" == scaffold("one")


def test_one_that_was_deleted_from_a_folder_of_ours_stays_deleted() -> None:
    wanted = {Path("manifests/a.yaml"): "a", Path("manifests/b.yaml"): "b"}
    kept.settle(kept.inspect(wanted), Consent())
    Path("manifests/b.yaml").unlink()

    kept.settle(kept.inspect(wanted), Consent())
    assert not Path("manifests/b.yaml").exists()

    kept.settle(kept.inspect(wanted), Consent(override=True))
    assert "b" == Path("manifests/b.yaml").read_text()


def test_a_file_we_want_no_more_goes_unless_it_was_edited() -> None:
    both = {Path("manifests/a.yaml"): "a", Path("manifests/b.yaml"): "b", Path("manifests/c.yaml"): "c"}
    kept.settle(kept.inspect(both), Consent())
    Path("manifests/c.yaml").write_text("edited")

    only = {Path("manifests/a.yaml"): "a"}
    kept.settle(kept.inspect(only, also=kept.written_below(Path("manifests"))), Consent())

    assert ["a.yaml", "c.yaml"] == sorted(path.name for path in Path("manifests").iterdir())


def test_the_lock_says_what_it_is_for_and_holds_digests_only() -> None:
    scaffold("one")

    lock = json.loads(kept.LOCK.read_text())
    assert "commit this file" in lock["comment"]
    assert {"Dockerfile": "sha256:7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"} == lock["files"]


@pytest.mark.parametrize("content", ["", "<<<<<<< HEAD\n", "[]", '{"files": 1}', "\xff"])
def test_a_lock_that_is_none_is_an_error_and_not_an_empty_one(content: str) -> None:
    scaffold("one")
    kept.LOCK.write_text(content, encoding="latin-1")

    with pytest.raises(UsageError, match="this is not what spin-aks wrote: a merge that is not settled, perhaps"):
        scaffold("two")
    assert "one" == FILE.read_text()


def killed_before_it_is_noted(monkeypatch: pytest.MonkeyPatch, wanted: dict[Path, str], *also: Path) -> None:
    def killed(_digests: dict[str, str]) -> None:
        raise KeyboardInterrupt

    found = kept.inspect(wanted, also=also)
    with monkeypatch.context() as patch:
        patch.setattr(kept, "_remember", killed)
        with pytest.raises(KeyboardInterrupt):
            kept.settle(found, Consent())


def test_what_a_killed_run_wrote_is_known_for_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("one", "two"):
        killed_before_it_is_noted(monkeypatch, {FILE: text})
        assert text == FILE.read_text()

    assert "three" == scaffold("three")
    assert not kept.UNFINISHED.exists()


def test_what_is_edited_after_a_killed_run_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    scaffold("one")
    killed_before_it_is_noted(monkeypatch, {FILE: "two"})
    FILE.write_text("mine")

    assert "mine" == scaffold("three")


def test_what_a_killed_run_removed_comes_back_when_it_is_wanted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Path("manifests/service.yaml")
    kept.settle(kept.inspect({service: "one"}), Consent())
    killed_before_it_is_noted(monkeypatch, {}, service)
    assert not service.exists()

    kept.settle(kept.inspect({service: "two"}), Consent())

    assert "two" == service.read_text()
