from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, time

from hypothesis import given
from hypothesis import strategies as st

from spin_aks.oci.toml import TOML, dumps

KEYS = st.text(st.characters(blacklist_categories=["Cs"]), max_size=6)
SCALARS = (
    st.booleans()
    | st.integers(min_value=-(2**63), max_value=2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(blacklist_categories=["Cs"]), max_size=12)
    | st.dates()
    | st.times()
    | st.datetimes()
    | st.datetimes(timezones=st.just(UTC))
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_what_is_written_is_read_as_the_same(document: dict[str, TOML]) -> None:
    assert document == tomllib.loads(dumps(document))


def test_it_reads_like_a_manifest() -> None:
    document: dict[str, TOML] = {
        "spin_manifest_version": 2,
        "application": {"name": "x"},
        "trigger": {"http": [{"route": "/", "executor": {"type": "wagi"}}, {"route": {"private": True}}]},
        "component": {"a": {"source": "a.wasm", "files": [{"source": "f", "destination": "/"}]}},
    }

    assert """spin_manifest_version = 2

[application]
name = "x"

[[trigger.http]]
route = "/"

[trigger.http.executor]
type = "wagi"

[[trigger.http]]

[trigger.http.route]
private = true

[component.a]
source = "a.wasm"
files = [{ source = "f", destination = "/" }]
""" == dumps(document)


def test_what_is_no_bare_key_and_what_is_no_json_is_quoted_and_written_as_toml_has_it() -> None:
    document: dict[str, TOML] = {
        "a b": "\x7f\u00e9\n",
        "n": float("inf"),
        "d": date(2026, 1, 2),
        "t": time(1, 2),
        "z": datetime(2026, 1, 2, tzinfo=UTC),
    }

    assert (
        '"a b" = "\\u007F\u00e9\\n"\nn = inf\nd = 2026-01-02\nt = 01:02:00\nz = 2026-01-02T00:00:00+00:00\n'
        == dumps(document)
    )
