from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from spin_aks.errors import UsageError
from spin_aks.spin import cli_version
from spin_aks.spin.cli_version import SpinCli
from spin_aks.spin.versions import Version

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def cli(tmp_path: Path) -> Path:
    """An executable that answers as Spin does, and notes that it was asked."""
    path = tmp_path / "spin"
    path.write_text(f'#!/bin/sh\necho asked >> {tmp_path}/asked\necho "spin 2.0.0 (e4bb235 2023-11-03)"\n')
    path.chmod(0o755)
    return path


def test_spin_says_its_version_to_its_plugins(cli: Path) -> None:
    environment = {"SPIN_VERSION": "4.1.0-pre0", "SPIN_BIN_PATH": str(cli)}

    assert cli_version.find(environment) == SpinCli(str(cli), Version(4, 1, 0, "pre0"))
    assert cli_version.version(environment) == Version(4, 1, 0, "pre0")
    assert not (cli.parent / "asked").exists()


def test_else_the_named_executable_is_asked_once(cli: Path) -> None:
    environment = {"SPIN_BIN_PATH": str(cli)}

    found = [cli_version.find(environment) for _ in range(3)]

    assert found == [SpinCli(str(cli), Version(2))] * 3
    assert (cli.parent / "asked").read_text() == "asked\n"


def test_else_the_one_on_the_path(cli: Path) -> None:
    assert cli_version.version({"PATH": f"{cli.parent}:/usr/bin:/bin"}) == Version(2)


def test_where_there_is_none_there_is_none(tmp_path: Path) -> None:
    environment = {"PATH": str(tmp_path)}

    assert cli_version.find(environment) is None
    assert cli_version.version(environment) is None
    assert cli_version.identity(environment) == ""


def test_an_executable_is_identified_without_being_started(cli: Path) -> None:
    stat = cli.stat()

    identity = cli_version.identity({"SPIN_BIN_PATH": str(cli)})

    assert identity == f"{cli} {stat.st_size} {stat.st_mtime_ns}"
    assert cli_version.identity({"SPIN_BIN_PATH": str(cli), "SPIN_VERSION": "3.0.0"}) == f"{identity} 3.0.0"
    assert not (cli.parent / "asked").exists()


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo something else", "says `something else`, not `spin VERSION`"),
        ("echo spin nonsense", "says `nonsense`, which is not a version"),
        ("exit 3", "does not answer"),
    ],
)
def test_what_does_not_answer_like_spin_is_refused(tmp_path: Path, script: str, message: str) -> None:
    path = tmp_path / "spin"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)

    with pytest.raises(UsageError) as refused:
        cli_version.find({"SPIN_BIN_PATH": str(path)})

    assert message in str(refused.value)


def test_variables_that_can_not_be_are_named() -> None:
    with pytest.raises(UsageError, match="`SPIN_BIN_PATH` names `/nope`, which is no file"):
        cli_version.find({"SPIN_BIN_PATH": "/nope"})
    with pytest.raises(UsageError, match="`SPIN_VERSION` says `canary`, which is not a version"):
        cli_version.version({"SPIN_VERSION": "canary"})


@pytest.mark.parametrize(("version", "can"), [("1.2.1", False), ("1.3.0", True), ("4.0.2", True)])
def test_one_component_can_be_built_from_spin_1_3(version: str, can: bool) -> None:
    assert can == cli_version.can_build_one_component(Version.parse(version))
