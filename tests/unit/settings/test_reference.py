"""The reference page says what the tables have, and its examples are what the tool takes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from spin_aks import cli
from spin_aks.settings import file, reference, reference_text, schema
from spin_aks.settings.table import EVERY_ROW, OTHER_VARIABLES, OUTPUTS, TABLES
from spin_aks.spin.versions import RUNTIMES

if TYPE_CHECKING:
    from spin_aks.settings.row import Row

PROJECT = Path(__file__).resolve().parents[3]
PAGE = reference.page()
LINES = PAGE.splitlines()
WHOLE_EXAMPLE = re.sub(r"(?m)^# (?=\[|\w+ = )", "", reference_text.EXAMPLE)


def test_the_page_in_the_repository_is_the_one_that_the_tables_make() -> None:
    command = "python -m spin_aks.settings.reference > docs/configuration.md"

    assert PAGE == (PROJECT / "docs" / "configuration.md").read_text(), f"run `{command}`"
    assert command in PAGE


def test_the_command_prints_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == cli.run(["config", "reference"])

    assert PAGE == capsys.readouterr().out


@pytest.mark.parametrize("row", EVERY_ROW, ids=lambda row: row.key or row.variable)
def test_every_input_has_its_line(row: Row) -> None:
    (line,) = [line for line in LINES if line.startswith("| ") and f"| {row.meaning}" in line and says(row, line)]

    assert [] == [flag for flag in row.flags if not re.search(rf"`{flag}[ `]", line)]
    assert [] == [choice for choice in row.choices if f"`{choice}`" not in line]
    assert row.without in line
    assert row.reserved == ("*Not read yet.*" in line)


def says(row: Row, line: str) -> bool:
    return (not row.key or line.startswith(f"| `{row.key}` |")) and (not row.variable or f"`{row.variable}`" in line)


@pytest.mark.parametrize("row", [row for row in EVERY_ROW if row.rule], ids=lambda row: row.key or row.variable)
def test_every_rule_is_there_in_words_with_its_source(row: Row) -> None:
    assert row.rule is not None
    named = f"`{row.key or row.variable}`"

    (line,) = [line for line in LINES if line.startswith("- ") and named in line and row.rule.form in line]

    assert row.rule.source.partition(" ")[0].rstrip(",") in line


def test_built_in_values_stand_in_their_column() -> None:
    defaults = {row.key: schema.default(row) for row in EVERY_ROW if row.key}

    for key, value in defaults.items():
        if value is not None:
            (line,) = [line for line in LINES if line.startswith(f"| `{key}` |")]
            assert f"| `{str(value).lower() if isinstance(value, bool) else value}` |" in line


def test_every_table_of_the_file_has_its_heading() -> None:
    headings = [line.removeprefix("### ") for line in LINES if line.startswith("### `[")]

    assert [f"`[{table}]`: {about}" for table, about in TABLES.items() if table] == headings


def test_every_known_runtime_has_its_line_the_newest_first() -> None:
    rows = re.findall(r"^\| ([0-9.]+) \| ([0-9a-z.-]+) \| (20[0-9-]+) \|", PAGE, re.MULTILINE)

    assert [(row.shim, str(row.spin), row.date) for row in reversed(RUNTIMES)] == rows


def test_the_contents_lead_to_headings() -> None:
    headings = {
        re.sub(r"[^\w -]", "", line.lstrip("# ")).lower().replace(" ", "-") for line in LINES if line[:1] == "#"
    }

    links = re.findall(r"\]\(#([^)]+)\)", PAGE)

    assert links
    assert set() == set(links) - headings


@pytest.mark.parametrize("text", [reference_text.EXAMPLE, WHOLE_EXAMPLE, reference_text.OVERLAY])
def test_the_examples_are_configurations(tmp_path: Path, text: str) -> None:
    path = tmp_path / "aks-spin.toml"
    path.write_text(text)

    assert keys(tomllib.loads(text), starred=False) == set(file.read(path, "file", path.name).raw)
    jsonschema.Draft7Validator(schema.schema()).validate(tomllib.loads(text))


def test_the_example_has_every_key_and_those_that_are_not_read_yet_in_comments() -> None:
    rows = {re.sub(r"<\w+>", "*", row.key): row for row in EVERY_ROW if row.key and row.table != OUTPUTS}

    assert set(rows) == keys(tomllib.loads(WHOLE_EXAMPLE))
    assert {key for key, row in rows.items() if not row.reserved} == keys(tomllib.loads(reference_text.EXAMPLE))


def keys(document: dict[str, Any], *above: str, starred: bool = True) -> set[str]:
    """Every full key; `starred`: with a star for names of the user's."""
    found = set()
    for name, value in document.items():
        part = "*" if starred and above in (("variables",), ("secrets",), ("store",)) else name
        found |= keys(value, *above, part, starred=starred) if isinstance(value, dict) else {".".join([*above, part])}
    return found


def test_every_variable_that_the_plugin_reads_is_known() -> None:
    named = {
        variable
        for path in (PROJECT / "packaging").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
        for variable in re.findall(r"SPIN_AKS_\w+", path.read_text())
    }

    assert "SPIN_AKS_PYTHON" in named
    assert set() == named - set(OTHER_VARIABLES)
