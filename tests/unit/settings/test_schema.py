"""The JSON schema takes what the file's reader takes, but for the exceptions that are tested by their names."""

from __future__ import annotations

import datetime
import json
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spin_aks import cli
from spin_aks.errors import UsageError
from spin_aks.settings import file, layers, rules, schema, unknown
from spin_aks.settings.table import EVERY_ROW, OUTPUTS, TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spin_aks.json_types import JSON
    from spin_aks.settings.row import Row

KEYED = [row for row in EVERY_ROW if row.key]
NAMES = {
    "<name>": ["greeting", "api_host2", "Greeting", "a-b", "", "a.b", "ü", "x" * 70],
    "<label>": ["orders", "a_b", "a b", ""],
}
ODD = [
    True,
    False,
    0,
    1,
    -1,
    999_999_999,
    1_000_000_000,
    1.5,
    float("inf"),
    "",
    "x",
    "a b",
    "x\n",
    "\0",
    "x\0y",
    "1",
    "true",
    "ü",
    "X" * 1025,
    [],
    ["x"],
    [{"kind": "redis"}],
    {},
    {"x": 1},
    datetime.date(2026, 1, 1),
    datetime.time(1, 2),
]


def by_ecma(_validator: object, pattern: str, instance: object, _schema: object) -> Any:
    """`$` is the end, and not also what is before a line feed at the end, as in Python."""
    if isinstance(instance, str) and not re.search(pattern.removesuffix("$") + r"\Z", instance):
        yield jsonschema.ValidationError(f"{instance!r} does not match {pattern!r}")


VALIDATOR = jsonschema.validators.extend(jsonschema.Draft7Validator, {"pattern": by_ecma})(schema.schema())


def taken_by_schema(document: dict[str, Any]) -> bool:
    return bool(VALIDATOR.is_valid(document))


def taken_by_reader(document: dict[str, Any]) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "aks-spin.toml")
        path.write_text(tomlkit.dumps(document), encoding="utf-8", newline="")
        try:
            file.read(path, "file", path.name)
        except UsageError:
            return False
    return True


def right(row: Row) -> st.SearchStrategy[Any]:
    if row.kind == "switch":
        return st.booleans()
    if row.kind == "count":
        return st.just(1) if row.key == "schema" else st.integers(1, 999_999_999)
    if row.kind == "choice":
        return st.sampled_from(row.choices)
    if row.rule is not None:
        return st.from_regex(row.rule.pattern, fullmatch=True) | st.just("")
    return st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


def anything(row: Row) -> st.SearchStrategy[Any]:
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    return right(row) | st.sampled_from(ODD) | text | st.integers(-5, 2**40)


@st.composite
def documents(draw: st.DrawFn, value: Any = anything, named: Mapping[str, list[str]] = NAMES) -> dict[str, Any]:
    """A few of the table's keys, and now and then one that is none."""
    document: dict[str, Any] = {}
    for row in draw(st.lists(st.sampled_from(KEYED), max_size=4)):
        names = [draw(st.sampled_from(named[part])) if part in named else part for part in row.key.split(".")]
        put(document, names, draw(value(row)))
    if value is anything and draw(st.integers(0, 5)) == 0:
        above = draw(st.sampled_from([[], ["image"], ["kubernetes", "resources"], ["store"], ["store", "orders"]]))
        put(
            document, [*above, draw(st.sampled_from(["form", "password", "image.form", "nme", ""]))], draw(st.just("x"))
        )
    return document


def put(document: dict[str, Any], names: list[str], value: object) -> None:
    """What stands in the way stays there."""
    for name in names[:-1]:
        document = document.setdefault(name, {})
        if not isinstance(document, dict):
            return
    document.setdefault(names[-1], value)


def values(document: dict[str, Any], *above: str) -> list[tuple[str, Any]]:
    found = []
    for name, value in document.items():
        if isinstance(value, dict):
            found += values(value, *above, name)
        found.append((".".join([*above, name]), value))
    return found


def is_excepted(document: dict[str, Any]) -> bool:
    return any(is_excepted_value(key, value) for key, value in values(document))


def is_excepted_value(key: str, value: object) -> bool:
    """What the module's docstring names."""
    row = layers.row_of(key)
    if isinstance(value, float):
        return value.is_integer()
    if row is None or not isinstance(value, str):
        return False
    if row.kind == "choice" and value != value.lower():
        return True
    return (row.rule is rules.RESOURCE_GROUP and not value.isascii()) or unknown.leak(key, value) is not None


@given(documents())
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_schema_takes_what_the_reader_takes_and_refuses_what_it_refuses(document: dict[str, Any]) -> None:
    if not is_excepted(document):
        assert taken_by_reader(document) == taken_by_schema(document)


@given(documents(right, {part: names[:1] for part, names in NAMES.items()}))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_values_as_the_table_wants_them_are_taken(document: dict[str, Any]) -> None:
    if not is_excepted(document):
        assert (True, True) == (taken_by_reader(document), taken_by_schema(document))


@pytest.mark.parametrize("row", KEYED, ids=lambda row: row.key)
def test_each_key_takes_the_same_of_every_kind_of_value(row: Row) -> None:
    names = [NAMES[part][0] if part in NAMES else part for part in row.key.split(".")]
    found: list[tuple[Any, bool, bool]] = []
    for value in [*ODD, *row.choices]:
        document: dict[str, Any] = {}
        put(document, names, value)
        if not is_excepted(document):
            found.append((value, taken_by_reader(document), taken_by_schema(document)))

    assert [] == [(value, reader, schema) for value, reader, schema in found if reader != schema]
    assert {True, False} == {reader for _, reader, _ in found}


@pytest.mark.parametrize(
    ("document", "by_reader", "by_schema"),
    [
        ({"variables": {"greeting": "AccountKey=" + "a1" * 20}}, False, True),
        ({"image": {"form": "RootFS"}}, True, False),
        ({"store": {"a b": {}}}, True, False),
        ({"kubernetes": {"replicas": 2.0}}, False, True),
        ({"cluster": {"resource_group": "größe"}}, True, True),
        ({"cluster": {"resource_group": "\U00020b9f"}}, True, False),
        ({"cluster": {"resource_group": "a\u2192b"}}, False, True),
    ],
)
def test_the_exceptions_are_these(document: dict[str, Any], by_reader: bool, by_schema: bool) -> None:
    assert (by_reader, by_schema) == (taken_by_reader(document), taken_by_schema(document))


def test_the_command_prints_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == cli.run(["config", "schema"])

    assert schema.schema() == json.loads(capsys.readouterr().out)


def test_the_schema_is_one_of_draft_07() -> None:
    jsonschema.Draft7Validator.check_schema(schema.schema())

    assert "http://json-schema.org/draft-07/schema#" == schema.schema()["$schema"]


@pytest.mark.parametrize("row", KEYED, ids=lambda row: row.key)
def test_every_key_says_what_it_is_and_what_holds_without_it(row: Row) -> None:
    found = at(row.key)

    assert row.meaning.lower() in str(found["description"]).lower()
    assert row.reserved == ("does not read it yet" in str(found["description"]))
    assert (schema.default(row) is not None) == ("default" in found)
    assert row.key.startswith(OUTPUTS) == found.get("readOnly", False)
    assert list(row.choices) == found.get("enum", []) or row.key == "schema"


def at(key: str) -> dict[str, JSON]:
    """The schema of a key."""
    found: Any = schema.schema()
    for part in key.split("."):
        (found,) = found["patternProperties"].values() if part in NAMES else [found["properties"][part]]
    return dict(found)


def test_every_table_says_what_it_is_about_and_takes_nothing_else() -> None:
    tables = {row.table for row in KEYED if not row.key.endswith(".<name>")} - {""}

    for table in [*tables, "variables", "secrets"]:
        assert TABLES[table][1:] in str(at(table)["description"])
        assert at(table)["additionalProperties"] is False
    assert set(TABLES) == {"", "variables", "secrets", *tables}
