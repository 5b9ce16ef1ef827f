"""The user guide and the README name what there is, and nothing that there is not."""

from __future__ import annotations

import re
from pathlib import Path

from spin_aks import cli, settings

PROJECT = Path(__file__).resolve().parents[2]
GUIDE = (PROJECT / "docs" / "user-guide.md").read_text()
README = (PROJECT / "README.md").read_text()
PLUGIN = (PROJECT / "docs" / "plugin.md").read_text()
OF_COMMANDS = {
    "--output",
    "--override",
    "--offline",
    "--refresh",
    "--force-conflicts",
    "--no-input",
    "--manifest-only",
    "--spin",
}
OF_OTHERS = {"--status", "--help", "--version", "--yes", "--file", "--url-base"}


def test_the_guide_has_a_row_for_every_input_with_its_variable() -> None:
    rows = re.findall(r"^\| (`-.*?`) \| `(SPIN_AKS_\w+)` \|", GUIDE, re.MULTILINE)

    assert {row.variable + ("_NAME" if row.pairs else ""): row.flags for row in settings.ROWS.values()} == {
        variable: tuple(re.findall(r"--?[a-z0-9-]+(?=[`, ])", flags)) for flags, variable in rows
    }


def test_the_guide_gives_the_defaults_of_the_inputs_that_have_one() -> None:
    for name, row in settings.ROWS.items():
        default = getattr(settings.DEFAULTS, name)
        if default and not row.pairs:
            (line,) = [line for line in GUIDE.splitlines() if f"`{row.variable}`" in line]
            assert str(default) in line.rsplit("|", 2)[1]


def test_the_guide_describes_every_command() -> None:
    described = set(re.findall(r"`([a-z][a-z-]*)(?: [A-Z.a-z0-9 -]+)?`", GUIDE))

    assert [] == [command for command in cli.COMMANDS if command not in described]


def test_every_command_line_that_the_documents_show_is_one() -> None:
    shown = re.findall(r"\bspin[- ]aks ([a-z][a-z-]+)", GUIDE + README + PLUGIN)

    assert set() == set(shown) - set(cli.COMMANDS)


def test_every_flag_that_the_documents_name_is_one() -> None:
    flags = {flag for row in settings.ROWS.values() for flag in row.flags}

    named = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", GUIDE + README + PLUGIN))

    assert set() == named - flags - OF_COMMANDS - OF_OTHERS
