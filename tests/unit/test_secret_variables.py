"""Which values are not shown, whatever state the manifest is in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from testbed.tiny import MANIFEST

from spin_aks.commands import secret_variables
from spin_aks.settings import loaded

if TYPE_CHECKING:
    from pathlib import Path

VARIABLES = '\n[variables]\ntoken = { required = true, secret = true }\nplain = { default = "x" }\n'
GIVEN = {"variables": ["token=a", "plain=b"], "namespace": "c"}
TOKEN, PLAIN = "variables.token", "variables.plain"


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        (MANIFEST + VARIABLES, {TOKEN}),
        (MANIFEST + VARIABLES.replace("secret = true", "secret = false"), set()),
        ("nonsense = 1\n" + VARIABLES, {TOKEN}),
        ("\ufeff" + VARIABLES, {TOKEN}),
        (VARIABLES + "= no TOML", {TOKEN, PLAIN}),
        ("variables = 1", {TOKEN, PLAIN}),
        ("[variables]\ntoken = 1\n", {TOKEN}),
        (None, set()),
    ],
)
def test_a_secret_variables_value_is_known_by_the_manifest(
    tmp_path: Path, manifest: str | None, expected: set[str]
) -> None:
    if manifest is not None:
        (tmp_path / "spin.toml").write_text(manifest)

    assert expected == secret_variables.keys(loaded.load(GIVEN, {}, tmp_path))


def test_where_no_variable_is_given_the_manifest_is_not_asked_for(tmp_path: Path) -> None:
    (tmp_path / "spin.toml").write_text("no TOML")

    assert frozenset() == secret_variables.keys(loaded.load({}, {}, tmp_path))
