"""Which files make a component's build stale."""

from __future__ import annotations

from pathlib import Path

import pytest

from spin_aks.spin.sources import Scope, sources


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(*paths: str) -> None:
    for path in paths:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).touch()


def test_everything_below_the_workdir_counts_but_outputs_tools_folders_and_other_workdirs() -> None:
    put(
        "a/main.rs",
        "a/src/lib.rs",
        "a/target/x.wasm",
        "a/target/CACHEDIR.TAG",
        "a/out.wasm",
        "a/b/main.go",
        "a/node_modules/m/i.js",
        "c/x",
    )

    scope = Scope("a", (), frozenset({"a/out.wasm"}), folders=frozenset({".", "a", "a/b", "c"}))
    assert ["a/main.rs", "a/src/lib.rs"] == sources(scope)


@pytest.mark.parametrize("sign", ["a/Cargo.toml", "a/pom.xml", "a/target/CACHEDIR.TAG"])
def test_a_folder_named_target_is_a_tools_only_beside_what_makes_it_one(sign: str) -> None:
    put("a/target/x.rs", "a/src/target/mod.rs")
    watched, everything = Scope("a", ("**/*.rs",), frozenset()), Scope("a", (), frozenset({sign}))
    assert ["a/src/target/mod.rs", "a/target/x.rs"] == sources(watched) == sources(everything)

    put(sign)

    assert ["a/src/target/mod.rs"] == sources(watched) == sources(everything)


def test_watch_patterns_are_relative_to_the_workdir() -> None:
    put("a/src/deep/x.rs", "a/src/y.rs", "a/README.md", "src/z.rs", "a/Cargo.toml")

    assert ["a/Cargo.toml", "a/src/deep/x.rs", "a/src/y.rs"] == sources(
        Scope("a", ("src/**/*.rs", "Cargo.toml"), frozenset())
    )


def test_a_watch_pattern_may_leave_the_workdir_and_never_brings_in_what_is_outside() -> None:
    put("shared/x.rs", "a/y.rs", "a/out.wasm", "a/.venv/z.rs")

    assert ["a/y.rs", "shared/x.rs"] == sources(Scope("a", ("../shared/*.rs", "**/*"), frozenset({"a/out.wasm"})))


def test_a_watch_pattern_may_name_a_folder_of_another_component_beside_it_but_none_below_it() -> None:
    put("a/y.rs", "a/b/main.go", "c/x.rs", "c/deep/z.rs")
    folders = frozenset({".", "a", "a/b", "c", "c/deep"})

    assert ["a/y.rs", "c/deep/z.rs", "c/x.rs"] == sources(Scope("a", ("../c/**/*", "**/*"), frozenset(), folders))
    assert [] == sources(Scope("", ("**/*",), frozenset(), folders))


def test_what_git_ignores_does_not_count_and_a_deeper_gitignore_has_the_last_word() -> None:
    put("a/keep.txt", "a/x.log", "a/sub/y.log", "a/gen/z.txt", "a/sub/keep.tmp")
    Path(".gitignore").write_text("*.log\n*.tmp\n")
    Path("a/.gitignore").write_text("gen/\n.gitignore\n")
    Path("a/sub/.gitignore").write_text("!keep.tmp\n.gitignore\n")

    assert ["a/keep.txt", "a/sub/keep.tmp"] == sources(Scope("a", (), frozenset()))


def test_the_root_as_workdir_gives_plain_relative_paths() -> None:
    put("main.py", "sub/x.py", "spin.toml", ".spin-aks/default/doit.db")

    assert ["main.py", "sub/x.py"] == sources(Scope("", (), frozenset({"spin.toml"})))


def test_a_missing_workdir_has_no_sources() -> None:
    assert [] == sources(Scope("gone", (), frozenset()))
