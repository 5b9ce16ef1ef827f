"""Edits of spin.toml: what is asked for is there afterwards, and no other byte has changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spin_aks.errors import UsageError
from spin_aks.spin import edit
from spin_aks.spin.manifest import parse

if TYPE_CHECKING:
    from collections.abc import Callable

PATH = Path("spin.toml")
TEXT = """\
# the shop
spin_manifest_version = 2

[application] # who we are
name   =   'shop'

[variables]
host = { default = "localhost" } # while developing
key = { required = true } # asked for
  [variables.long]
  required = true   # odd, but legal

[[trigger.redis]]
channel = "orders" # the only one
component = "front"

[component.front]
source = "front.wasm"
"""
NAMES = st.from_regex(r"\A[a-z]{1,8}\Z")


def only_inserted(before: str, after: str) -> bool:
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    return after.endswith(before[start:]) and len(after) >= len(before)


def dressed(text: str, bom: bool, windows: bool, final: bool) -> str:
    text = text if final else text.rstrip("\n")
    return ("\ufeff" if bom else "") + (text.replace("\n", "\r\n") if windows else text)


@given(NAMES, st.text(max_size=10), st.booleans(), st.booleans(), st.booleans())
def test_a_new_variable_is_all_that_is_new(name: str, default: str, bom: bool, windows: bool, final: bool) -> None:
    before = dressed(TEXT, bom, windows, final)
    known = {variable.name for variable in parse(before, PATH).variables}
    name = f"{name}_x" if name in known else name

    after = edit.set_variable(before, name, default=default, secret=True)

    assert only_inserted(before, after)
    assert parse(after, PATH).variables[-1].name in {name, "long"}
    made = next(variable for variable in parse(after, PATH).variables if variable.name == name)
    assert (made.default, made.secret, made.required) == (default, True, False)
    assert ("\r\n" in after) == windows


@given(NAMES, st.text(max_size=10), st.booleans(), st.booleans(), st.booleans())
def test_a_component_variable_is_all_that_is_new(name: str, value: str, bom: bool, windows: bool, final: bool) -> None:
    before = dressed(TEXT, bom, windows, final)

    after = edit.set_component_variable(before, "front", name, value)

    assert only_inserted(before, after)
    assert parse(after, PATH).component("front").variables == {name: value}


@given(NAMES, st.text(max_size=10), st.booleans(), st.booleans(), st.booleans())
def test_a_trigger_setting_is_all_that_is_new(key: str, value: str, bom: bool, windows: bool, final: bool) -> None:
    before = dressed(TEXT, bom, windows, final)

    after = edit.set_trigger_setting(before, "redis", key, value)

    assert only_inserted(before, after)
    assert parse(after, PATH).trigger_settings == {"redis": {key: value}}


def test_a_variable_is_changed_where_it_stands() -> None:
    expected = TEXT.replace("key = { required = true } # asked", 'key = { default = "k" } # asked')

    assert expected == edit.set_variable(TEXT, "key", default="k")


def test_what_a_variable_had_is_kept() -> None:
    expected = TEXT.replace('{ default = "localhost" }', '{ default = "localhost", secret = true }')

    assert expected == edit.set_variable(TEXT, "host", secret=True)


def test_a_variable_that_is_a_section_stays_one() -> None:
    after = edit.set_variable(TEXT, "long", default="x")

    long = next(variable for variable in parse(after, PATH).variables if variable.name == "long")
    assert (long.required, long.default) == (False, "x")
    assert "  [variables.long]\n" in after


def test_new_sections_stand_apart() -> None:
    text = (
        'spin_manifest_version = 2\n\n[application]\nname = "a"\n\n'
        '[[trigger.http]]\ncomponent = "c"\n\n[component.c]\nsource = "c"\n'
    )

    after = edit.set_component_variable(edit.set_variable(text, "x", default="1"), "c", "x", "{{ x }}")
    after = edit.set_trigger_setting(after, "http", "base", "/b")

    assert after == (
        'spin_manifest_version = 2\n\n[application]\nname = "a"\n\n[application.trigger.http]\nbase = "/b"\n\n'
        '[[trigger.http]]\ncomponent = "c"\n\n[component.c]\nsource = "c"\n\n[component.c.variables]\nx = "{{ x }}"\n\n'
        '[variables]\nx = { default = "1" }\n'
    )


def test_one_trigger_is_changed_by_the_id_that_spin_gives_it() -> None:
    expected = TEXT.replace('"orders" # the', '"{{ channel }}" # the')

    assert expected == edit.set_trigger_key(TEXT, "front-redis-trigger", "channel", "{{ channel }}")


def test_version_1_is_edited_in_its_own_words() -> None:
    text = (
        'spin_version = "1"\nname = "a"\ntrigger = { type = "redis", address = "redis://a" }\n'
        '[[component]]\nid = "c"\nsource = "c"\n[component.trigger]\nchannel = "x"\n'
    )

    after = edit.set_trigger_setting(
        edit.set_component_variable(text, "c", "x", "y"), "redis", "address", "{{ redis }}"
    )

    app = parse(after, PATH)
    assert app.trigger_settings == {"redis": {"address": "{{ redis }}"}}
    assert app.component("c").variables == {"x": "y"}
    assert "[component.config]" in after


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda: edit.set_component_variable(TEXT, "nope", "a", "b"), "there is no component `nope`"),
        (lambda: edit.set_trigger_key(TEXT, "nope", "a", "b"), "there is no trigger `nope`"),
    ],
)
def test_what_is_not_there_can_not_be_edited(change: Callable[[], str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        change()


def test_real_manifests_keep_every_byte(shared: Path) -> None:
    changed = 0
    for path in sorted((shared / "spin-manifests").glob("fermyon*/**/*.toml")):
        before = path.read_bytes().decode()
        if "{{project" in before or "{{ project" in before:
            continue
        after = edit.set_variable(before, "zz_new", default="v")
        assert only_inserted(before, after), path
        changed += 1

    assert changed > 20
