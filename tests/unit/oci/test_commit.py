"""Tags of commits, by the real git in repositories of a test's own."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest
from testbed.daemon import needs

from spin_aks.errors import UsageError
from spin_aks.oci import commit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ODD = ["a b", "a:b", ":(top)a", "*", "[a]", 'a"b', "a'b", "a\\b", "a\nb", "é", "-a", "!a", "#a", " a ", "a?"]


def git(folder: Path, *arguments: str) -> str:
    """As nobody's configuration has it: who commits is given here."""
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "protocol.file.allow=always")
    done = subprocess.run(
        [needs("git", "git"), *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No repository around, and nothing of the real user's."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("LC_ALL", "C")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit, in which the process stands."""
    root = tmp_path / "repository"
    (root / "app").mkdir(parents=True)
    for name in ("spin.toml", "aks-spin.toml", "app/source"):
        (root / name).write_text(f"{name}\n")
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "first")
    monkeypatch.chdir(root)
    return root


def head(folder: Path) -> str:
    return git(folder, "rev-parse", "HEAD")[:12]


def edit(path: Path) -> None:
    path.write_text(f"{path.read_text() if path.exists() else ''}edited\n")


def test_a_commit_is_its_first_twelve_digits(repository: Path) -> None:
    found = commit.tag()

    assert head(repository) == found
    assert re.fullmatch(r"[0-9a-f]{12}", found)


def test_another_commit_is_another_tag(repository: Path) -> None:
    first = commit.tag()
    git(repository, "commit", "-q", "--allow-empty", "-m", "second")

    assert head(repository) == commit.tag() != first


def unstaged(root: Path) -> None:
    edit(root / "app/source")


def staged(root: Path) -> None:
    edit(root / "app/source")
    git(root, "add", ".")


def staged_anew(root: Path) -> None:
    edit(root / "new")
    git(root, "add", ".")


def deleted(root: Path) -> None:
    (root / "app/source").unlink()


def renamed(root: Path) -> None:
    git(root, "mv", "app/source", "app/moved")


def executable(root: Path) -> None:
    (root / "app/source").chmod(0o755)


@pytest.mark.parametrize("change", [unstaged, staged, staged_anew, deleted, renamed, executable])
@pytest.mark.parametrize("folder", [".", "app"])
def test_what_differs_from_the_commit_is_dirty_wherever_one_stands(
    repository: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None], folder: str
) -> None:
    if change is deleted and folder == "app":
        (repository / "app/stays").touch()
    monkeypatch.chdir(repository / folder)
    change(repository)

    assert f"{head(repository)}-dirty" == commit.tag()


def test_what_git_does_not_know_of_makes_nothing_dirty(repository: Path) -> None:
    edit(repository / "untracked")
    edit(repository / "app/untracked")

    assert head(repository) == commit.tag()


def test_a_touched_file_is_not_dirty(repository: Path) -> None:
    os.utime(repository / "app/source", (1, 1))

    assert head(repository) == commit.tag()


@pytest.mark.parametrize("settings", [("status.branch", "true"), ("status.showUntrackedFiles", "all")])
def test_the_user_s_own_settings_change_nothing(repository: Path, settings: tuple[str, str]) -> None:
    git(repository, "config", *settings)
    git(repository, "config", "color.ui", "always")
    edit(repository / "untracked")

    assert head(repository) == commit.tag()


@pytest.mark.parametrize(("folder", "path"), [(".", "aks-spin.toml"), ("app", "../aks-spin.toml")])
def test_what_is_left_out_may_differ_and_nothing_else(
    repository: Path, monkeypatch: pytest.MonkeyPatch, folder: str, path: str
) -> None:
    monkeypatch.chdir(repository / folder)
    edit(repository / "aks-spin.toml")
    left_out = commit.tag([path])
    absolute = commit.tag([str(repository / "aks-spin.toml")])
    edit(repository / "spin.toml")

    assert [head(repository)] * 2 == [left_out, absolute]
    assert f"{head(repository)}-dirty" == commit.tag([path])


def test_what_is_left_out_may_be_gone_or_new(repository: Path) -> None:
    (repository / "aks-spin.toml").unlink()
    edit(repository / "new.toml")
    git(repository, "add", "new.toml")

    assert head(repository) == commit.tag(["aks-spin.toml", "new.toml", "nowhere.toml", "nowhere/at/all"])


@pytest.mark.parametrize("where", ["../aks-spin.toml", "../../../../../../../../../aks-spin.toml", "/aks-spin.toml"])
def test_what_is_left_out_may_lie_outside_of_the_repository(repository: Path, where: str) -> None:
    assert head(repository) == commit.tag([where])


@pytest.mark.parametrize("path", [".", "..", "", "/"])
def test_the_whole_repository_is_never_left_out(repository: Path, path: str) -> None:
    edit(repository / "spin.toml")

    assert f"{head(repository)}-dirty" == commit.tag([path])


@pytest.mark.parametrize("name", ODD)
def test_names_mean_themselves(repository: Path, name: str) -> None:
    (repository / name).write_text("1")
    (repository / "a").write_text("1")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "odd")
    edit(repository / name)
    left_out = commit.tag([name])
    edit(repository / "a")

    assert head(repository) == left_out
    assert f"{head(repository)}-dirty" == commit.tag([name])


def test_a_folder_that_is_reached_by_a_link_is_the_one_it_leads_to(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository.parent / "link").symlink_to(repository)
    monkeypatch.chdir(repository.parent / "link/app")
    edit(repository / "aks-spin.toml")

    assert head(repository) == commit.tag(["../aks-spin.toml"])
    assert head(repository) == commit.tag([str(repository.parent / "link/aks-spin.toml")])


def test_what_is_left_out_may_be_a_link_within_the_repository(repository: Path) -> None:
    (repository / "link.toml").symlink_to("aks-spin.toml")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "link")
    edit(repository / "link.toml")

    assert head(repository) == commit.tag(["link.toml"])


def test_of_a_submodule_it_is_the_submodule_s_commit(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outer = repository.parent / "outer"
    outer.mkdir()
    git(outer, "init", "-q")
    git(outer, "submodule", "--quiet", "add", str(repository), "inner")
    git(outer, "commit", "-q", "-m", "outer")
    edit(outer / "inner/untracked")
    monkeypatch.chdir(outer)
    around = commit.tag()
    monkeypatch.chdir(outer / "inner/app")
    inside = commit.tag()
    edit(outer / "inner/app/source")

    assert (head(outer), head(repository)) == (around, inside)
    assert f"{head(repository)}-dirty" == commit.tag()
    monkeypatch.chdir(outer)
    assert f"{head(outer)}-dirty" == commit.tag()


def test_a_second_work_tree_has_its_own_commit(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    second = repository.parent / "second"
    git(repository, "worktree", "add", "-q", "--detach", str(second))
    git(second, "commit", "-q", "--allow-empty", "-m", "second")
    monkeypatch.chdir(second)
    edit(repository / "spin.toml")

    assert head(second) == commit.tag() != head(repository)


def test_it_writes_nothing_and_minds_nobody_s_lock(repository: Path) -> None:
    os.utime(repository / "app/source", (1, 1))
    before = (repository / ".git/index").read_bytes()
    free = commit.tag()
    (repository / ".git/index.lock").touch()

    assert [head(repository)] * 2 == [free, commit.tag()]
    assert before == (repository / ".git/index").read_bytes()


# where there is none


def refused(**given: str) -> str:
    """The problem, as it is shown."""
    with pytest.raises(UsageError) as caught:
        commit.tag(**given)
    (problem,) = caught.value.problems
    assert 'commit first, or tag by content: `image.tag = "content"`' == problem.hint
    return str(problem)


def test_without_a_commit_it_says_so_and_what_git_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(tmp_path, "init", "-q")
    monkeypatch.chdir(tmp_path)

    assert ("aks-spin.toml:2: there is no commit to tag the image with: Needed a single revision") == refused(
        where="aks-spin.toml:2"
    )


def test_without_a_repository_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert refused().startswith("image.tag: there is no commit to tag the image with: not a git repository")


def test_without_git_it_says_so(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))

    said = refused()

    assert said.startswith("image.tag: there is no commit to tag the image with: can't run `git ")
    assert said.endswith(": there is no `git`")
