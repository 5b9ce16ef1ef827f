"""Who gave which values, before anybody looks at them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spin_aks.settings import layers
from spin_aks.settings.layers import Origin
from spin_aks.settings.rules import STORE_LABEL, VARIABLE_NAME
from spin_aks.settings.table import EVERY_ROW, OTHER_VARIABLES, ROWS

NAMES = st.from_regex(VARIABLE_NAME.pattern, fullmatch=True).filter(str.isascii)
LABELS = st.from_regex(STORE_LABEL.pattern, fullmatch=True).filter(str.isascii)


def test_each_row_is_found_by_what_its_value_goes_by() -> None:
    plain = [row for row in EVERY_ROW if not row.is_free]

    assert plain == [layers.row_of(layers.identity(row)) for row in plain]


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("image.form", "image.form"),
        ("variables.a", "variables.<name>"),
        ("store.a.kind", "store.<label>.kind"),
        ("store.a.nothing", None),
        ("store.a", None),
        ("variables", None),
        ("variables.a.b", None),
        ("image", None),
        ("", None),
        (".", None),
    ],
)
def test_a_row_is_found_by_a_key_with_the_users_own_names(key: str, found: str | None) -> None:
    row = layers.row_of(key)

    assert found == (row.key if row else None)


def test_a_name_with_a_dot_is_no_key_of_two_parts() -> None:
    assert layers.row_at(("image.form",)) is None
    assert (row := layers.row_at(("variables", "a.b"))) is not None
    assert "variables.<name>" == row.key


def test_every_variable_of_the_table_gives_its_own_key() -> None:
    plain = [row for row in EVERY_ROW if row.variable and not row.is_free]

    assert [layers.identity(row) for row in plain] == [layers.key_of_variable(row.variable) for row in plain]


@given(NAMES)
def test_the_variable_of_a_name_gives_the_key_of_that_name(name: str) -> None:
    for table in ("variables", "secrets"):
        row = ROWS[table]
        assert row.key_of(name) == layers.key_of_variable(row.variable_of(name))


@given(LABELS, st.sampled_from([row for row in EVERY_ROW if row.key.startswith("store.")]))
def test_the_variable_of_a_store_means_its_label_once_a_file_has_it(label: str, row: layers.Row) -> None:
    variable = row.variable_of(label)
    layer = layers.from_environment({variable: "x"}, "/here")

    known = layers.aligned(layer, {f"store.{label}.kind"})

    assert {row.key_of(label): "x"} == known.raw
    assert variable == known.where(row.key_of(label))


def test_a_label_that_the_variable_spells_exactly_comes_before_one_that_it_could_mean() -> None:
    layer = layers.from_environment({"SPIN_AKS_STORE_A_B_KIND": "redis"}, "/here")

    assert layer == layers.aligned(layer, {"store.a-b.kind", "store.a_b.kind"})


@pytest.mark.parametrize(
    "variable",
    ["SPIN_AKS_VARIABLES_", "SPIN_AKS_VARIABLES", "SPIN_AKS_STORE_KIND", "SPIN_AKS_STORE__KIND", "SPIN_AKS_"],
)
def test_a_variable_without_a_name_of_the_users_gives_nothing(variable: str) -> None:
    assert "" == layers.key_of_variable(variable)


def test_a_variable_in_other_letters_is_another() -> None:
    layer = layers.from_environment({"spin_aks_image_form": "rootfs", "SPIN_AKS_image_form": "rootfs"}, "/here")

    assert {} == layer.raw
    assert [("SPIN_AKS_image_form", "")] == list(layers.unread({"SPIN_AKS_image_form": "x", "spin_aks_x": "y"}))


@pytest.mark.parametrize(
    ("variable", "near"),
    [
        ("SPIN_AKS_IMAGE_FROM", "SPIN_AKS_IMAGE_FORM"),
        ("SPIN_AKS_FORM", ""),
        ("SPIN_AKS_NAMESPACE", "SPIN_AKS_KUBERNETES_NAMESPACE"),
        ("SPIN_AKS_ENVIRONMENTS", "SPIN_AKS_ENVIRONMENT"),
        ("SPIN_AKS_VARIABLE_API_HOST", "SPIN_AKS_VARIABLES_API_HOST"),
        ("SPIN_AKS_SECRET_API_KEY", "SPIN_AKS_SECRETS_API_KEY"),
        ("SPIN_AKS_SANDBOX_DIRS", "SPIN_AKS_SANDBOX_DIR"),
        ("SPIN_AKS_XYZZY", ""),
    ],
)
def test_a_variable_that_nobody_reads_is_told_with_the_nearest(variable: str, near: str) -> None:
    assert [(variable, near)] == list(
        layers.unread({variable: "x", "HOME": "/", **dict.fromkeys(OTHER_VARIABLES, "x")})
    )


def test_every_variable_that_somebody_reads_is_none_that_nobody_reads() -> None:
    known = [row.variable_of("a") if row.is_free else row.variable for row in EVERY_ROW if row.variable]

    assert [] == list(layers.unread(dict.fromkeys(known, "x")))


def test_an_origin_is_said_as_the_place_or_as_built_in() -> None:
    assert ("built-in", "--form") == (str(layers.BUILT_IN), str(Origin("flag", "--form")))
