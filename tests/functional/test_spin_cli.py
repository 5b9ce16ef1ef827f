"""With a Spin CLI: what it is asked to do. No real one can be had here: an executable that records its arguments
stands in for it, here and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from testbed.tiny import WASM, add_to_component

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.application import App

DIGEST = f"sha256:{'5' * 64}"
STAND_IN = """\
#!/bin/sh
printf '%s|%s\\n' "$PWD" "$*" >> "{record}"
case "$1" in
--version) echo "spin {version} (e2d36ae 2026-01-01)" ;;
build) cp a/a.src a/a.wasm && echo "built by the stand-in" ;;
registry) echo "Pushed with digest {digest}" ;;
esac
"""
DEPENDENCY = '[component.a.dependencies]\n"other:thing/face" = { path = "b.wasm" }'


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "record"


def with_spin(app: App, record: Path, version: str) -> App:
    program = record.parent / "spin"
    program.write_text(STAND_IN.format(record=record, version=version, digest=DIGEST))
    program.chmod(0o755)
    app.environment["SPIN_BIN_PATH"] = str(program)
    return app


def asked(record: Path) -> list[str]:
    lines = record.read_text().splitlines() if record.exists() else []
    return [line for line in lines if not line.endswith("|--version")]


def test_components_are_built_by_spin_build_one_at_a_time_from_the_applications_folder(tiny: App, record: Path) -> None:
    done = with_spin(tiny, record, "3.6.3").ok("build")

    assert [f"{tiny.root}|build -f spin.toml -c a"] == asked(record)
    assert "built by the stand-in" in done.err
    assert [] == tiny.ok("build").stages("run")
    assert 1 == len(asked(record))


def test_the_profile_is_handed_on(tiny: App, record: Path) -> None:
    manifest = tiny.root / "spin.toml"
    manifest.write_text(manifest.read_text() + '\n[component.a.profile.debug]\nenvironment = { LEVEL = "all" }\n')
    with_spin(tiny, record, "4.0.2").ok("build", "--profile", "debug")

    assert [f"{tiny.root}|build -f spin.toml -c a --profile debug"] == asked(record)


@pytest.mark.parametrize("version", ["1.0.0", "1.2.1"])
def test_below_spin_1_3_the_components_own_command_runs(tiny: App, record: Path, version: str) -> None:
    with_spin(tiny, record, version).ok("build")

    assert [] == asked(record)
    assert WASM == (tiny.root / "a/a.wasm").read_bytes()


def test_the_version_that_spin_tells_its_plugins_is_believed(tiny: App, record: Path) -> None:
    with_spin(tiny, record, "3.6.3").ok("build", SPIN_VERSION="1.2.0")

    assert [] == asked(record)


def test_another_cli_makes_validate_stale_and_compiles_nothing(tiny: App, record: Path) -> None:
    tiny.ok("build")

    done = with_spin(tiny, record, "3.6.3").ok("build")

    assert ["validate"] == done.stages("run")


def test_dependencies_are_composed_by_spin_and_pushed_by_it(tiny: App, record: Path) -> None:
    add_to_component(tiny.root, DEPENDENCY)
    (tiny.root / "b.wasm").write_bytes(WASM)

    pushed = with_spin(tiny, record, "3.6.3").ok("push", "--output", "json").json

    registry = tiny.environment["SPIN_AKS_CONTAINER_REGISTRY_SERVER"]
    repository = tiny.flags[tiny.flags.index("--repository") + 1]
    push = asked(record)[-1].partition("|")[2]
    assert f"registry push -f spin.toml --insecure {registry}/{repository}:" in push
    assert (DIGEST, "artifact") == (pushed["digest"], pushed["form"])
    assert [] == tiny.ok("push").stages("run")


@pytest.mark.parametrize("flags", [(), ("--builder", "oci")])
def test_dependencies_without_a_cli_are_refused_with_that_reason(tiny: App, flags: tuple[str, ...]) -> None:
    add_to_component(tiny.root, DEPENDENCY)

    done = tiny.run("up", *flags)

    assert (3, []) == (done.code, done.stages("run"))
    assert "component `a` has `dependencies`, and only the Spin CLI can compose them into one wasm" in done.err
    assert "hint: install the Spin CLI" in done.err


@pytest.mark.parametrize(
    ("program", "what"),
    [
        ("#!/bin/sh\nexit 1\n", "--version` does not answer"),
        ("#!/bin/sh\necho hello\n", "--version` says `hello`, not `spin VERSION`"),
        ("#!/bin/sh\necho spin newest\n", "--version` says `newest`, which is not a version"),
        ("no program at all\n", "--version` "),
    ],
)
def test_what_is_no_spin_cli_is_named(tiny: App, tmp_path: Path, program: str, what: str) -> None:
    path = tmp_path / "spin"
    path.write_text(program)
    path.chmod(0o755)

    done = tiny.run("build", SPIN_BIN_PATH=str(path))

    assert (3, False) == (done.code, (tiny.root / "a/a.wasm").exists())
    assert what in done.err
    assert "hint: " in done.err


def test_a_path_to_a_cli_that_is_not_there_is_refused(tiny: App) -> None:
    done = tiny.run("build", SPIN_BIN_PATH="/nonexistent/spin")

    assert 3 == done.code
    assert "`SPIN_BIN_PATH` names `/nonexistent/spin`, which is no file" in done.err


def test_a_push_of_spins_that_fails_shows_what_it_said(tiny: App, record: Path) -> None:
    add_to_component(tiny.root, DEPENDENCY)
    (tiny.root / "b.wasm").write_bytes(WASM)
    with_spin(tiny, record, "3.6.3")
    program = record.parent / "spin"
    program.write_text(program.read_text().replace("registry) echo", "registry) echo denied >&2; exit 9; echo"))

    done = tiny.run("push")

    assert 1 == done.code
    assert "failed with exit code 9" in done.err
    assert "denied" in done.err
    assert not (tiny.root / ".spin-aks/default/push.json").exists()
