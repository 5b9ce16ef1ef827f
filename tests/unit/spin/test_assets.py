from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spin_aks.errors import ManifestError
from spin_aks.spin.assets import resolve, resolve_mounted
from spin_aks.spin.manifest import parse
from spin_aks.spin.model import FilePattern, FilePlacement

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    from spin_aks.spin.model import Application, Component, Files


def application(root: Path, files: Files, excludes: tuple[str, ...] = ()) -> tuple[Application, Component]:
    written = ",\n  ".join(
        json.dumps(entry.pattern)
        if isinstance(entry, FilePattern)
        else f"{{ source = {json.dumps(entry.source)}, destination = {json.dumps(entry.destination)} }}"
        for entry in files
    )
    text = f"""spin_manifest_version = 2
application = {{ name = "app" }}
trigger.http = [{{ route = "/", component = "web" }}]

[component.web]
source = "web.wasm"
exclude_files = {json.dumps(excludes)}
files = [
  {written}
]
"""
    app = parse(text, root / "spin.toml")
    return app, app.component("web")


def write(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"")


def seen(root: Path, *files: FilePattern | FilePlacement, excludes: tuple[str, ...] = ()) -> dict[str, str]:
    return {asset.path: asset.source.as_posix() for asset in resolve(*application(root, files, excludes))}


def mounted(root: Path, *files: FilePattern | FilePlacement, excludes: tuple[str, ...] = ()) -> dict[str, str]:
    return {asset.path: asset.source.as_posix() for asset in resolve_mounted(*application(root, files, excludes))}


def refusal(root: Path, *files: FilePattern | FilePlacement, excludes: tuple[str, ...] = ()) -> ManifestError:
    with pytest.raises(ManifestError) as caught:
        resolve(*application(root, files, excludes))
    return caught.value


def test_a_bare_folder_lands_twice_when_copied_and_once_when_mounted(tmp_path: Path) -> None:
    write(tmp_path, "a/b/1.html", "a/b/.dot/2.html")

    assert {"a/b/a/b/1.html": "a/b/1.html", "a/b/a/b/.dot/2.html": "a/b/.dot/2.html"} == seen(
        tmp_path, FilePattern("a/b")
    )
    assert {"a/b/1.html": "a/b/1.html", "a/b/.dot/2.html": "a/b/.dot/2.html"} == mounted(tmp_path, FilePattern("a/b"))


@pytest.mark.parametrize("text", ["./dir", "dir/", "./dir/"])
def test_a_bare_folder_may_be_written_with_dots_and_slashes(tmp_path: Path, text: str) -> None:
    write(tmp_path, "dir/1.html")

    assert {"dir/dir/1.html": "dir/1.html"} == seen(tmp_path, FilePattern(text))
    assert {"dir/1.html": "dir/1.html"} == mounted(tmp_path, FilePattern(text))


def test_a_folder_with_a_destination_lands_there_in_both_forms(tmp_path: Path) -> None:
    write(tmp_path, "dir/1.html", "dir/sub/2.html")
    expected = {"x/1.html": "dir/1.html", "x/sub/2.html": "dir/sub/2.html"}

    assert expected == seen(tmp_path, FilePlacement("dir", "/x"))
    assert expected == mounted(tmp_path, FilePlacement("dir", "x/"))


def test_a_folder_may_become_the_root(tmp_path: Path) -> None:
    write(tmp_path, "dir/1.html")

    assert {"1.html": "dir/1.html"} == seen(tmp_path, FilePlacement("dir", "/"))


def test_the_applications_own_folder_may_be_placed_without_what_this_tool_keeps_in_it(tmp_path: Path) -> None:
    write(tmp_path, "1.html", ".spin-aks/default/app.json")

    assert {"all/1.html": "1.html"} == seen(tmp_path, FilePlacement(".", "/all"))


def test_globs_keep_the_path_and_leave_out_what_this_tool_keeps(tmp_path: Path) -> None:
    write(tmp_path, "a/1.txt", "b.txt", ".spin-aks/default/x.txt")

    assert {"a/1.txt": "a/1.txt", "b.txt": "b.txt"} == seen(tmp_path, FilePattern("**/*.txt"))


def test_a_glob_that_finds_nothing_is_no_error_as_in_spin(tmp_path: Path) -> None:
    assert {} == seen(tmp_path, FilePattern("*.txt"))


def test_a_file_whose_name_looks_like_a_glob_wins_over_the_glob(tmp_path: Path) -> None:
    write(tmp_path, "[id].js", "i.js")

    assert {"[id].js": "[id].js"} == seen(tmp_path, FilePattern("[id].js"))


def test_excludes_apply_to_globs_and_folders_and_not_to_files_named_one_by_one(tmp_path: Path) -> None:
    write(tmp_path, "dir/keep.html", "dir/sub/drop.tmp", "one.tmp", "two.tmp")

    assert {"d/keep.html": "dir/keep.html", "one.tmp": "one.tmp", "x.tmp": "two.tmp"} == seen(
        tmp_path,
        FilePlacement("dir", "/d"),
        FilePattern("dir/**/*.tmp"),
        FilePattern("one.tmp"),
        FilePlacement("two.tmp", "/x.tmp"),
        excludes=("*.tmp",),
    )


def test_excludes_see_the_path_from_the_applications_folder(tmp_path: Path) -> None:
    write(tmp_path, "dir/a.html", "dir/b.html")

    assert {"b.html": "dir/b.html"} == seen(tmp_path, FilePlacement("dir", "/"), excludes=("dir/a.html", "b.html"))


def test_the_last_of_two_entries_for_one_path_wins(tmp_path: Path) -> None:
    write(tmp_path, "a.html", "b.html")

    assert {"x": "b.html"} == seen(tmp_path, FilePlacement("a.html", "/x"), FilePlacement("b.html", "/x"))


def test_links_inside_the_folder_are_followed(tmp_path: Path) -> None:
    write(tmp_path, "real/1.html")
    (tmp_path / "linked").symlink_to("real")

    assert {"linked/1.html": "linked/1.html", "real/1.html": "real/1.html"} == seen(tmp_path, FilePattern("**/*.html"))


def test_every_problem_is_named_at_its_line(tmp_path: Path) -> None:
    write(tmp_path, "x")

    error = refusal(tmp_path, FilePattern("gone.html"), FilePlacement("away", "/"), FilePattern("x"), excludes=("**x",))

    assert [
        f"{tmp_path}/spin.toml:7: component `web`: `exclude_files` has `**x`, which is no glob: "
        "recursive wildcards must form a single path component",
        f"{tmp_path}/spin.toml:9: component `web`: `gone.html` does not exist and is no glob",
        f"{tmp_path}/spin.toml:10: component `web`: the file or folder `away` does not exist",
    ] == [str(problem) for problem in error.problems]
    assert "create `gone.html` (does a build command make it?), or take it out of `files`" == error.problems[1].hint


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        (FilePattern(".."), "component `web`: the file pattern `..` can't end in `..`"),
        (FilePattern("dir/."), "component `web`: the file pattern `dir/.` can't end in `.`"),
        (FilePattern("../other/*"), "component `web`: `../other/*` is outside the application's folder"),
        (FilePattern("dir/../../x"), "component `web`: `dir/../../x` is outside the application's folder"),
        (FilePattern("/etc/hosts"), "component `web`: `/etc/hosts` is outside the application's folder"),
        (FilePlacement("../other", "/"), "component `web`: `../other` is outside the application's folder"),
        (
            FilePattern("a/***"),
            "component `web`: `a/***` is no glob: wildcards are either regular `*` or recursive `**`",
        ),
        (FilePlacement("1.html", "/"), "component `web`: `/` is no name for the file `1.html`"),
        (FilePlacement("1.html", "/legal/"), "component `web`: `/legal/` is no name for the file `1.html`"),
        (
            FilePlacement("1.html", "/../x"),
            "component `web`: the destination `/../x` leaves the component's own folder",
        ),
    ],
)
def test_what_spin_or_the_folder_does_not_allow_is_refused(
    tmp_path: Path, entry: FilePattern | FilePlacement, what: str
) -> None:
    write(tmp_path, "1.html", "dir/x")

    assert [what] == [problem.what for problem in refusal(tmp_path, entry).problems]


@pytest.mark.parametrize("link", ["dir/file.txt", "dir/folder"])
def test_a_link_that_leaves_the_folder_is_refused(tmp_path: Path, link: str) -> None:
    write(tmp_path, "outside/secret.txt", "app/dir/1.html")
    (tmp_path / "app" / link).symlink_to(tmp_path / "outside" / ("secret.txt" if link.endswith("txt") else ""))

    error = refusal(tmp_path / "app", FilePlacement("dir", "/"))

    named = link if link.endswith("txt") else f"{link}/secret.txt"
    assert [f"component `web`: `{named}` leads out of the application's folder through a symbolic link"] == [
        problem.what for problem in error.problems
    ]


def test_a_link_that_leaves_the_folder_harms_nobody_where_it_is_excluded(tmp_path: Path) -> None:
    write(tmp_path, "outside/secret.txt", "app/dir/1.html")
    (tmp_path / "app/dir/folder").symlink_to(tmp_path / "outside")

    assert {"1.html": "dir/1.html"} == seen(tmp_path / "app", FilePlacement("dir", "/"), excludes=("dir/folder/*",))


def test_a_link_that_leads_back_up_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "dir/1.html")
    (tmp_path / "dir/back").symlink_to("..")

    assert ["component `web`: the symbolic link `back` leads back to a folder above it"] == [
        problem.what for problem in refusal(tmp_path, FilePlacement("dir", "/")).problems
    ]


def test_a_path_that_is_a_file_and_a_folder_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "a.html", "dir/1.html")

    error = refusal(tmp_path, FilePlacement("a.html", "/x"), FilePlacement("dir", "/x"))

    assert ["component `web`: `x` would be a file (from `a.html`) and a folder at the same time"] == [
        problem.what for problem in error.problems
    ]


def test_a_file_whose_name_is_no_utf_8_is_refused(tmp_path: Path) -> None:
    write(tmp_path, os.fsdecode(b"dir/\xff/1.html"))

    error = refusal(tmp_path, FilePlacement("dir", "/"))

    assert ["component `web`: the name of the file b'dir/\\xff/1.html' is no UTF-8"] == [
        problem.what for problem in error.problems
    ]


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "a/b", "c", "c/d/e", ".f"]), st.sampled_from(["1", ".2", "3.tmp"])),
        min_size=1,
        max_size=8,
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_creation_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, files: list[tuple[str, str]], random: Random
) -> None:
    paths = sorted({f"{folder}/{name}" for folder, name in files})
    shuffled = list(paths)
    random.shuffle(shuffled)
    results = []
    for order in (paths, shuffled):
        root = tmp_path_factory.mktemp("app")
        write(root, *order)
        results.append(seen(root, FilePattern("**/*"), FilePlacement(".", "/all"), excludes=("*.tmp",)))

    assert results[0] == results[1]
    kept = [path for path in paths if not path.endswith(".tmp")]
    assert sorted([*kept, *(f"all/{path}" for path in kept)]) == list(results[0])
