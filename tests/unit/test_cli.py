"""The command line as a process: what it says where, and how it ends."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from spin_aks import __version__, cli

if TYPE_CHECKING:
    from pathlib import Path


def spin_aks(folder: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "spin_aks", *argv], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("argv", [[], ["--help"], ["-h"]])
def test_help_lists_every_command_on_stdout(tmp_path: Path, argv: list[str]) -> None:
    done = spin_aks(tmp_path, *argv)

    assert (0, "") == (done.returncode, done.stderr)
    assert list(cli.COMMANDS) == [line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")]


def test_version_is_one_line(tmp_path: Path) -> None:
    done = spin_aks(tmp_path, "--version")

    assert (0, f"spin-aks {__version__}\n") == (done.returncode, done.stdout)


@pytest.mark.parametrize("command", sorted(cli.COMMANDS))
def test_every_command_explains_its_flags(tmp_path: Path, command: str) -> None:
    done = spin_aks(tmp_path, command, "--help")

    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.startswith(f"usage: spin-aks {command}")


def test_an_unknown_command_ends_with_3_and_names_the_nearest(tmp_path: Path) -> None:
    done = spin_aks(tmp_path, "pusj")

    assert (3, "") == (done.returncode, done.stdout)
    assert "error: there is no command `pusj`\nhint: did you mean `spin-aks push`?\n" == done.stderr


def test_an_unknown_flag_ends_with_3_and_no_usage_dump(tmp_path: Path) -> None:
    done = spin_aks(tmp_path, "up", "--registri", "x")

    assert 3 == done.returncode
    expected = "error: unrecognized arguments: --registri x\nhint: `spin-aks up --help` shows what it takes\n"
    assert expected == done.stderr


def test_no_manifest_ends_with_3_and_the_way_out(tmp_path: Path) -> None:
    done = spin_aks(tmp_path, "list")

    assert (3, "") == (done.returncode, done.stdout)
    hint = "hint: name it with `-f PATH`, or run this in the application's folder\n"
    assert f"error: there is no `spin.toml`\n{hint}" == done.stderr


def test_flags_before_the_commands_name_belong_to_it() -> None:
    argv = ["-f", "app", "-y", "up", "--offline", "-e", "prod"]

    assert (["-f", "app", "-y"], "up", ["--offline", "-e", "prod"]) == cli.split(argv)


def test_a_defect_of_ours_ends_with_2_and_shows_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_name: str, _argv: list[str]) -> int:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(cli, "_command", broken)

    assert 2 == cli.run(["up"])
    said = capsys.readouterr().err
    assert "this is a defect of spin-aks: ZeroDivisionError: a defect" in said
    assert "Traceback" not in said
