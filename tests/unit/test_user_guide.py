"""The documents name what there is, and nothing that there is not."""

from __future__ import annotations

import importlib
import re
import shlex
from pathlib import Path

import pytest

from spin_aks import cli
from spin_aks.commands.config import ACTIONS
from spin_aks.settings import layers
from spin_aks.settings.table import EVERY_ROW, OTHER_VARIABLES, ROWS

PROJECT = Path(__file__).resolve().parents[2]
GUIDE = (PROJECT / "docs" / "user-guide.md").read_text()
README = (PROJECT / "README.md").read_text()
PLUGIN = (PROJECT / "docs" / "plugin.md").read_text()
REFERENCE = (PROJECT / "docs" / "configuration.md").read_text()
DOCUMENTS = GUIDE + README + PLUGIN + REFERENCE
OF_COMMANDS = {
    "--output",
    "--override",
    "--offline",
    "--refresh",
    "--force-conflicts",
    "--create",
    "--create-cluster",
    "--create-registry",
    "--create-keyvault",
    "--create-identity",
    "--create-store",
    "--recover-keyvault",
    "--attach-keyvault",
    "--attach-identity",
    "--attach-store",
    "--enable-workload-identity",
    "--enable-keyvault-addon",
    "--attach-acr",
    "--no-input",
    "--manifest-only",
    "--spin",
}
OF_OTHERS = {"--command", "--resource-group", "--status", "--help", "--version", "--yes", "--file", "--url-base"}


def test_the_guide_leaves_the_list_of_inputs_to_the_reference() -> None:
    assert "(configuration.md)" in GUIDE
    assert "(docs/configuration.md)" in README
    assert [] == re.findall(r"^\|.*SPIN_AKS_IMAGE_FORM", GUIDE, re.MULTILINE)
    assert [row.variable for row in EVERY_ROW if row.variable not in REFERENCE] == []


def test_the_guide_describes_every_command() -> None:
    described = set(re.findall(r"`([a-z][a-z-]*)(?: [A-Z.a-z0-9 -]+)?`", GUIDE))

    assert [] == [command for command in cli.COMMANDS if command not in described]
    assert [] == [action for action in ACTIONS if f"`config {action}" not in GUIDE]


def test_every_command_line_that_the_documents_show_is_one() -> None:
    shown = re.findall(r"\bspin[- ]aks ([a-z][a-z-]+)", DOCUMENTS)

    assert set() == set(shown) - set(cli.COMMANDS)


def shown_lines() -> list[str]:
    """The lines in shell blocks that run the tool."""
    blocks = re.findall(r"```sh\n(.*?)```", DOCUMENTS, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return [line for line in dict.fromkeys(lines) if line.startswith(("spin-aks ", "spin aks "))]


@pytest.mark.parametrize("line", shown_lines())
def test_every_line_of_a_shell_block_is_understood(line: str) -> None:
    argv = re.split(" > | && ", re.sub(r"^spin[- ]aks ", "", line.partition(" #")[0]))[0]

    before, name, after = cli.split(shlex.split(argv))

    assert name in cli.COMMANDS
    module = importlib.import_module(f"spin_aks.commands.{cli.COMMANDS[name][0]}")
    assert cli.parser_of(name, module.configure).parse_args([*before, *after])


def test_every_flag_that_the_documents_name_is_one() -> None:
    flags = {flag for row in ROWS.values() for flag in row.flags}

    named = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", DOCUMENTS))

    assert set() == named - flags - OF_COMMANDS - OF_OTHERS


def test_every_variable_that_the_documents_name_is_read() -> None:
    named = set(re.findall(r"SPIN_AKS_[A-Z_]*[A-Z]\b(?!_?<)", DOCUMENTS))

    assert set() == {name for name in named if name not in OTHER_VARIABLES and not layers.key_of_variable(name)}
