"""Which configuration files hold: named, or searched from the working folder up to the repository's root."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spin_aks.errors import UsageError
from spin_aks.settings import found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOBODY = 65534


def made(folder: Path, *names: str) -> Path:
    """Makes empty files, or folders where a name ends with `/`."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir() if name.endswith("/") else path.touch()
    return folder


def find(here: Path, *, config: str = "", environment: str = "", manifest: str = "") -> found.Files:
    config, manifest = (os.path.normpath(here / name) if name else "" for name in (config, manifest))
    return found.find(config, environment, manifest, here)


def refusal(here: Path, *, config: str = "", environment: str = "") -> tuple[str, str]:
    with pytest.raises(UsageError) as caught:
        find(here, config=config, environment=environment)
    assert 1 == len(caught.value.problems)
    return str(caught.value), caught.value.problems[0].hint


@contextmanager
def somebody_else() -> Iterator[None]:
    """Root may read everything; then we are nobody for a while."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


# Searching


@pytest.mark.parametrize("name", found.NAMES)
def test_either_name_is_found_in_the_working_folder(tmp_path: Path, name: str) -> None:
    assert tmp_path / name == find(made(tmp_path, name)).base


@pytest.mark.parametrize("repository", [".git/", ".git"], ids=["folder", "file of a worktree"])
def test_the_search_goes_up_to_the_repositorys_root_and_not_beyond(tmp_path: Path, repository: str) -> None:
    made(tmp_path, "aks-spin.toml", "repo/a/b/x", f"repo/{repository}")

    assert find(tmp_path / "repo/a/b").base is None
    assert tmp_path / "repo/aks-spin.toml" == find(made(tmp_path / "repo", "aks-spin.toml") / "a/b").base
    assert tmp_path / "repo/a/spin-aks.toml" == find(made(tmp_path / "repo", "a/spin-aks.toml") / "a/b").base


def test_a_repository_in_a_repository_ends_the_search(tmp_path: Path) -> None:
    made(tmp_path, ".git/", "aks-spin.toml", "inner/.git/")

    assert find(tmp_path / "inner").base is None


def test_without_a_repository_only_the_working_folder_counts(tmp_path: Path) -> None:
    made(tmp_path, "aks-spin.toml", "sub/x")

    assert find(tmp_path / "sub").base is None


def test_where_there_is_none_it_would_be_made_beside_spin_toml(tmp_path: Path) -> None:
    made(tmp_path, "app/spin.toml")

    assert tmp_path / "aks-spin.toml" == find(tmp_path).expected
    assert tmp_path / "app/aks-spin.toml" == find(tmp_path, manifest="app/spin.toml").expected
    assert tmp_path / "app/aks-spin.toml" == find(tmp_path, manifest="app").expected


def test_what_lies_beside_the_application_that_was_named_comes_first(tmp_path: Path) -> None:
    made(tmp_path, ".git/", "aks-spin.toml", "one/aks-spin.toml", "two/spin.toml", "two/aks-spin.toml")

    assert tmp_path / "two/aks-spin.toml" == find(tmp_path, manifest="two").base
    assert tmp_path / "two/aks-spin.toml" == find(tmp_path / "one", manifest="../two").base


def test_below_the_working_folder_the_search_begins_at_the_application(tmp_path: Path) -> None:
    made(tmp_path, "aks-spin.toml", "apps/aks-spin.toml", "apps/shop/spin.toml")

    assert tmp_path / "apps/aks-spin.toml" == find(tmp_path, manifest="apps/shop").base


def test_elsewhere_the_working_folders_own_comes_before_what_is_above_the_application(tmp_path: Path) -> None:
    made(tmp_path, ".git/", "conf/aks-spin.toml", "apps/aks-spin.toml", "apps/shop/spin.toml")

    assert tmp_path / "conf/aks-spin.toml" == find(tmp_path / "conf", manifest="../apps/shop").base
    assert tmp_path / "apps/aks-spin.toml" == find(tmp_path, manifest="apps/shop").base


def test_both_names_in_one_folder_are_refused_with_the_way_out(tmp_path: Path) -> None:
    made(tmp_path, ".git/", *found.NAMES, "sub/x")

    said, hint = refusal(tmp_path / "sub")

    assert "..: both `aks-spin.toml` and `spin-aks.toml` are there, and only one can hold" == said
    assert "keep one of them, or name the one that is meant: `-c ../aks-spin.toml`" == hint
    assert tmp_path / "spin-aks.toml" == find(tmp_path / "sub", config="../spin-aks.toml").base


def test_the_nearest_wins_though_the_other_name_is_further_up(tmp_path: Path) -> None:
    made(tmp_path, ".git/", "spin-aks.toml", "sub/aks-spin.toml")

    assert tmp_path / "sub/aks-spin.toml" == find(tmp_path / "sub").base


# Environments


def test_the_overlay_of_an_environment_lies_beside_its_file_whatever_that_is_called(tmp_path: Path) -> None:
    made(tmp_path, "one/spin-aks.toml", "one/spin-aks.prod.toml", "two/a.toml", "two/a.prod.toml", "three/conf")

    assert tmp_path / "one/spin-aks.prod.toml" == find(tmp_path / "one", environment="prod").overlay
    assert tmp_path / "two/a.prod.toml" == find(tmp_path, config="two/a.toml", environment="prod").overlay
    assert tmp_path / "three/conf.prod" == find(tmp_path, config="three/conf", environment="prod").expected_overlay


def test_a_missing_overlay_is_no_error(tmp_path: Path) -> None:
    files = find(made(tmp_path, "aks-spin.toml"), environment="prod")

    assert (None, tmp_path / "aks-spin.prod.toml") == (files.overlay, files.expected_overlay)


@pytest.mark.parametrize("name", found.NAMES)
def test_an_overlay_alone_is_read(tmp_path: Path, name: str) -> None:
    overlay = name.replace(".toml", ".prod.toml")

    files = find(made(tmp_path, overlay), environment="prod")

    assert (None, tmp_path / overlay, tmp_path / name) == (files.base, files.overlay, files.expected)


def test_an_overlay_alone_does_not_hide_the_file_further_up(tmp_path: Path) -> None:
    made(tmp_path, ".git/", "aks-spin.toml", "sub/aks-spin.prod.toml")

    assert tmp_path / "aks-spin.toml" == find(tmp_path / "sub", environment="prod").base


def test_an_overlay_of_the_other_name_is_refused_or_nobody_would_read_it(tmp_path: Path) -> None:
    made(tmp_path, "aks-spin.toml", "spin-aks.prod.toml")

    said, hint = refusal(tmp_path, environment="prod")

    assert ".: both `aks-spin.toml` and `spin-aks.prod.toml` are there, and only one can hold" == said
    assert "`aks-spin.toml` goes with `aks-spin.prod.toml`: rename it" == hint
    assert find(tmp_path, environment="other").overlay is None


@pytest.mark.parametrize(
    ("config", "environment", "name", "folder"),
    [
        ("", "", "default", "default"),
        ("", "prod", "prod", "prod"),
        ("aks-spin.toml", "", "default", "default"),
        ("spin-aks.toml", "prod", "prod", "prod"),
        ("a.toml", "", "a", "a"),
        ("conf/a.b.toml", "", "a.b", "a.b"),
        ("a.toml", "prod", "prod", "a.prod"),
        ("a", "", "a", "a"),
    ],
)
def test_the_environment_is_named_by_its_flag_else_by_the_file(
    tmp_path: Path, config: str, environment: str, name: str, folder: str
) -> None:
    files = find(tmp_path, config=config, environment=environment)

    assert (name, folder) == (files.environment, files.folder_name)


@pytest.mark.parametrize("name", ["...toml", "..toml", ".toml", "my config.toml", "-x.toml", "é.toml", "CON.toml"])
@pytest.mark.parametrize("environment", ["", "prod"])
def test_a_file_whose_name_can_name_no_folder_of_state_is_refused(tmp_path: Path, name: str, environment: str) -> None:
    said, hint = refusal(made(tmp_path, name), config=name, environment=environment)

    assert f"{name}: an environment is called like its file, and `{Path(name).stem}` is not a name of letters" in said
    assert "rename the file" == hint


# What is no file


@pytest.mark.parametrize("config", ["aks-spin.toml", ""])
def test_a_folder_is_no_configuration(tmp_path: Path, config: str) -> None:
    said, hint = refusal(made(tmp_path, "aks-spin.toml/"), config=config)

    assert "aks-spin.toml: is a folder, not a configuration" == said
    assert "name the file in it: `-c aks-spin.toml/aks-spin.toml`" == hint


@pytest.mark.parametrize("environment", ["", "prod"])
@pytest.mark.parametrize("config", ["/", ".", ".."])
def test_a_folder_without_a_name_of_its_own_is_refused_as_well(tmp_path: Path, config: str, environment: str) -> None:
    said, _ = refusal(tmp_path, config=config, environment=environment)

    assert said.endswith(": is a folder, not a configuration")


@pytest.mark.parametrize("config", ["aks-spin.toml", ""])
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path, config: str) -> None:
    os.mkfifo(tmp_path / "aks-spin.toml")

    said, hint = refusal(tmp_path, config=config)

    assert "aks-spin.toml: is no regular file" == said
    assert "move it away, or name another configuration with `-c PATH`" == hint


def test_a_device_is_refused(tmp_path: Path) -> None:
    assert "is no regular file" in refusal(tmp_path, config="/dev/zero")[0]


@pytest.mark.parametrize("config", ["aks-spin.toml", ""])
@pytest.mark.parametrize(
    ("target", "what"), [("nothing", "is a link to nothing"), ("aks-spin.toml", "Too many levels")]
)
def test_a_link_that_leads_nowhere_is_refused(tmp_path: Path, config: str, target: str, what: str) -> None:
    (tmp_path / "aks-spin.toml").symlink_to(target)

    assert what in refusal(tmp_path, config=config)[0]


def make_folder(path: Path) -> None:
    path.mkdir()


def make_link(path: Path) -> None:
    path.symlink_to("nothing")


@pytest.mark.parametrize("make", [make_folder, make_link, os.mkfifo])
def test_an_overlay_that_is_no_file_is_refused_and_not_ignored(tmp_path: Path, make: Callable[[Path], None]) -> None:
    made(tmp_path, "aks-spin.toml")
    make(tmp_path / "aks-spin.prod.toml")

    assert refusal(tmp_path, environment="prod")[0].startswith("aks-spin.prod.toml: is ")


def test_a_link_to_a_file_is_one_where_the_link_is(tmp_path: Path) -> None:
    made(tmp_path, "real.toml", "sub/x")
    (tmp_path / "sub/aks-spin.toml").symlink_to("../real.toml")

    assert tmp_path / "sub/aks-spin.toml" == find(tmp_path / "sub").base


def test_a_file_has_one_name_by_whatever_links_its_folder_was_reached(tmp_path: Path) -> None:
    made(tmp_path, "real/a.toml")
    (tmp_path / "link").symlink_to("real")

    assert tmp_path / "real/a.toml" == find(tmp_path, config="link/a.toml").base


def test_what_is_not_there_is_told_by_its_name_though_no_file_could_have_it(tmp_path: Path) -> None:
    name = f"{'x' * 50}/{'y' * 300}"

    assert find(tmp_path, config=f"{name}/aks-spin.toml").base is None


def test_a_file_in_a_folder_that_nobody_lets_us_into_is_refused(tmp_path: Path) -> None:
    made(tmp_path, "closed/a.toml")
    (tmp_path / "closed").chmod(0)
    with somebody_else():
        said, _ = refusal(tmp_path, config="closed/a.toml")
    (tmp_path / "closed").chmod(0o700)

    assert said.endswith("a.toml: can't be read: Permission denied")


@given(
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=300), st.sampled_from(["", "prod"])
)
def test_any_name_at_all_is_found_missing_or_refused(name: str, environment: str) -> None:
    here = Path("/nonexistent-folder")
    try:
        files = find(here, config=name, environment=environment, manifest=name)
    except UsageError:
        return
    folder = Path(files.folder_name)
    assert (None, 1) == (files.base, len(folder.parts))
    assert folder.name not in ("", ".", "..")
