from __future__ import annotations

import fnmatch
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spin_aks.spin.globs import GlobError, LoopError, compile_glob, find, looks_like_glob

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("a", "b", "ab", ".a", "a.b")
STEPS = st.text(alphabet="ab.*?", min_size=1, max_size=3).filter(lambda s: "**" not in s and s not in (".", ".."))


def write(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)


def matches(pattern: str, path: str) -> bool:
    return compile_glob(pattern).fullmatch(path) is not None


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*.tmp", "dir/sub/keep.tmp", True),
        ("a/b*", "a/b/7.txt", True),
        ("**/node_modules", "web/node_modules", True),
        ("**/node_modules", "web/node_modules/m/10.js", False),
        ("**/node_modules/*", "node_modules/m/10.js", True),
        ("**/*.tmp", "skip.tmp", True),
        ("dir/**", "dir/file", False),
        ("dir/**/*", "dir/a/b/file", True),
        ("a?c", "a/c", True),
        ("[a-c]x", "bx", True),
        ("[!a-c]x", "bx", False),
        ("[]]x", "]x", True),
        ("[!]]x", "]x", False),
        ("[a-]x", "-x", True),
        ("[z-a]x", "zx", False),
        ("[!z-a]x", "zx", True),
        ("]x", "]x", True),
        ("{a,b}", "a", False),
        ("*.txt", ".txt", True),
        ("A", "a", False),
    ],
)
def test_a_whole_path_is_matched_as_the_crate_matches_it(pattern: str, path: str, expected: bool) -> None:
    assert expected == matches(pattern, path)


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("a/**b", "recursive wildcards must form a single path component"),
        ("a**", "recursive wildcards must form a single path component"),
        ("a/***", "wildcards are either regular `*` or recursive `**`"),
        ("abc[def", "invalid range pattern"),
        ("abc[]", "invalid range pattern"),
        ("abc[!]", "invalid range pattern"),
    ],
)
def test_what_is_no_glob_is_refused_in_the_words_of_the_crate(pattern: str, why: str) -> None:
    with pytest.raises(GlobError) as caught:
        compile_glob(pattern)

    assert why == str(caught.value)


def test_only_a_text_with_special_characters_looks_like_a_glob() -> None:
    assert [True, True, True, True, False] == [looks_like_glob(text) for text in ("*", "a?", "[", "a]", "{a}/!b")]


def test_two_stars_find_files_at_any_depth_dot_folders_among_them(tmp_path: Path) -> None:
    write(tmp_path, "x.txt", "a/x.txt", "a/.b/x.txt", "a/y.md")

    assert ["a/.b/x.txt", "a/x.txt", "x.txt"] == sorted(find(tmp_path, "**/*.txt"))


def test_two_stars_at_the_end_name_folders_and_so_no_files(tmp_path: Path) -> None:
    write(tmp_path, "a/x.txt")

    assert [] == list(find(tmp_path, "a/**"))


def test_one_star_stays_in_its_folder(tmp_path: Path) -> None:
    write(tmp_path, "a/x.txt", "a/b/x.txt")

    assert ["a/x.txt"] == list(find(tmp_path, "a/*"))


def test_a_pattern_that_ends_in_a_slash_names_folders_and_so_no_files(tmp_path: Path) -> None:
    write(tmp_path, "a/x.txt")

    assert [] == list(find(tmp_path, "*/"))


def test_links_are_followed_and_those_that_lead_nowhere_are_no_files(tmp_path: Path) -> None:
    write(tmp_path, "real/x.txt")
    (tmp_path / "linked").symlink_to("real")
    (tmp_path / "broken").symlink_to("nowhere")

    assert ["linked/x.txt", "real/x.txt"] == sorted(find(tmp_path, "**/*"))


@pytest.mark.parametrize("target", [".", "..", "../.."])
def test_a_link_that_leads_back_up_is_named(tmp_path: Path, target: str) -> None:
    write(tmp_path, "a/b/x.txt")
    (tmp_path / "a/b/back").symlink_to(target)

    with pytest.raises(LoopError) as caught:
        list(find(tmp_path, "**/*"))

    assert "a/b/back" == caught.value.filename


def test_two_links_that_lead_to_each_other_are_named(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a/to_b").symlink_to("../b")
    (tmp_path / "b/to_a").symlink_to("../a")

    with pytest.raises(LoopError):
        list(find(tmp_path, "**/*"))


def test_names_that_are_no_text_match_no_wildcard(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / os.fsdecode(b"\xff.txt")).write_bytes(b"")

    assert [] == list(find(tmp_path, "a/*"))


@given(
    paths=st.lists(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3), max_size=8),
    steps=st.lists(STEPS | st.just("**"), min_size=1, max_size=3),
)
def test_what_is_found_is_what_matches_step_by_step(
    tmp_path_factory: pytest.TempPathFactory, paths: list[list[str]], steps: list[str]
) -> None:
    root = tmp_path_factory.mktemp("found")
    written = set()
    for parts in paths:
        path = root.joinpath(*parts)
        if not path.is_dir() and not any(above.is_file() for above in path.parents):
            write(root, "/".join(parts))
            written.add(tuple(parts))

    expected = {"/".join(parts) for parts in written if _step_by_step(parts, steps)}

    assert expected == set(find(root, "/".join(steps)))


def _step_by_step(parts: tuple[str, ...], steps: list[str]) -> bool:
    if not steps or not parts:
        return not steps and not parts
    if steps[0] == "**":
        return _step_by_step(parts, steps[1:]) or (len(parts) > 1 and _step_by_step(parts[1:], steps))
    return fnmatch.fnmatchcase(parts[0], steps[0]) and _step_by_step(parts[1:], steps[1:])


@given(st.text(max_size=8), st.text(max_size=8))
def test_a_text_whose_special_characters_are_in_brackets_matches_itself_alone(text: str, other: str) -> None:
    pattern = "".join(f"[{character}]" if character in "?*[]" else character for character in text)

    assert [True, text == other] == [matches(pattern, text), matches(pattern, other)]
