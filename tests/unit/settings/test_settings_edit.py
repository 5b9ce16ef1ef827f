"""Changes to `aks-spin.toml`: what is asked for is there afterwards, and no other byte has changed."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from spin_aks import toml_change
from spin_aks.errors import SpinAksError, UsageError
from spin_aks.settings import edit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from random import Random

Place = tuple[str, ...]

MANY = 300

PATH = Path("conf/aks-spin.toml")
NAMES = ("a", "b", "image", "c-d", "e.f", "ä", "", "x y", "=", "]", "#", "1")
# Values of every kind, and what could be taken for something else in them.
LITERALS = (
    '"x"', "'x # y'", '"\\" # no"', '""', "''", '""""""', "''''''", '"""a"""""', "'''b'''''", "'\"\"\"'", '"[a]"',
    '"""\n[a]\nb = "1"\n"""', "'''\n[[b]]\n# no '' comment\n'''", '"""\\\n   x \\""" }"""', '"ü\\u00e9\t"', "'\\'",
    "1", "-17", "1_000", "0x1F", "true", "false", "1.5e3", "1.0", "nan", "-inf",
    "1979-05-27T07:32:00Z", "1979-05-27 07:32:00.5", "1979-05-27", "07:32:00",
    "[]", "[1, 2]", '["]", "["]', "[\n  1, # ]\n  2,\n]", '[ { a = "}" }, {} ]', "[[1], ['[']]",
)  # fmt: skip
TRICKY = st.text(alphabet=st.characters(codec="utf-8"), max_size=12)
VALUES = st.one_of(TRICKY, st.integers(-(2**63), 2**63 - 1), st.booleans(), st.sampled_from(["x", "rootfs"]))


@dataclass(frozen=True)
class Document:
    """A text, and where in it each value stands that no list leads to."""

    text: str
    spans: dict[Place, tuple[int, int]]

    @property
    def holds(self) -> dict[str, Any]:
        return holds(self.text)


class Maker:
    """Writes a tree of tables in every way that TOML has for it, one chosen for each."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.sections: list[list[tuple[str, Place | None]]] = []

    def document(self) -> Document:
        first = self.section("", ())
        self.random.shuffle(self.sections)
        pieces = [piece for section in [first, *self.sections] for piece in section]
        ends = self.random.choice([("\n",), ("\r\n",), ("\n", "\r\n")])
        text, spans = self.random.choice(["", "\ufeff"]), {}
        for piece, place in pieces:
            written = "".join(self.random.choice(ends) if one == "\n" else one for one in piece)
            if place is not None:
                spans[place] = (len(text), len(text) + len(written))
            text += written
        if text.endswith("\n") and self.random.random() < 0.3:
            text = text.removesuffix("\n").removesuffix("\r")
        return Document(text, spans)

    def section(self, header: str, place: Place, depth: int = 0) -> list[tuple[str, Place | None]]:
        pieces: list[tuple[str, Place | None]] = [(self.noise(), None)]
        if header:
            # A comment, so that the table is told from one that was put in.
            pieces.append((f"{self.indent()}{header} # here\n", None))
        for name in self.names(most=3 if header else 6):
            self.entry(pieces, place, (name,), depth)
        pieces.append((self.noise(), None))
        return pieces

    def entry(self, pieces: list[tuple[str, Place | None]], place: Place, keys: Place, depth: int) -> None:
        kinds = ["value"] * 4 + (["inline", "dotted", "header", "array"] * 2 if depth < 2 else [])
        kind = self.random.choice(kinds)
        here = place + keys
        if kind == "dotted":
            for name in self.names() or ["a"]:
                self.entry(pieces, place, (*keys, name), depth + 1)
        elif kind == "header":
            self.sections.append(self.section(f"[{self.dotted(here)}]", here, depth + 1))
        elif kind == "array":
            self.sections.append(
                [(f"[[{self.dotted(here)}]]\n{self.noise()}x = 1\n", None)] * self.random.randint(1, 2)
            )
        else:
            pieces.append((f"{self.indent()}{self.dotted(keys)}{self.space()}={self.space()}", None))
            self.value(pieces, here, kind, depth)
            pieces.append((self.random.choice(["", " ", " # why", "# [no]"]) + "\n" + self.noise(), None))

    def value(self, pieces: list[tuple[str, Place | None]], here: Place, kind: str, depth: int) -> None:
        if kind == "value":
            pieces.append((self.random.choice(LITERALS), here))
            return
        names = self.names()
        pieces.append(("{" + self.space(), None))
        for number, name in enumerate(names):
            pieces.append((f"{',' + self.space() if number else ''}{self.dotted((name,))}{self.space()}=", None))
            self.value(
                pieces, (*here, name), self.random.choice(["value", "inline"] if depth < 2 else ["value"]), depth + 1
            )
        pieces.append((self.space() + "}", None))

    def names(self, most: int = 3) -> list[str]:
        return self.random.sample(NAMES, self.random.randint(0, most))

    def dotted(self, place: Iterable[str]) -> str:
        return self.random.choice([".", " . ", ".\t"]).join(map(self.key, place))

    def key(self, name: str) -> str:
        bare = bool(name) and all(one.isascii() and (one.isalnum() or one in "-_") for one in name)
        escaped = '"' + "".join(f"\\u{ord(one):04x}" for one in name) + '"'
        return self.random.choice([f'"{name}"', f"'{name}'", escaped, *([name] * 6 if bare else [])])

    def indent(self) -> str:
        return self.random.choice(["", "", "  ", "\t"])

    def space(self) -> str:
        return self.random.choice([" ", " ", "", "  ", "\t"])

    def noise(self) -> str:
        lines = ["\n", "   \n", "# [a]\n", "  # x = 1\n", "\n# about\n"]
        return "".join(self.random.choices(lines, k=self.random.choice([0, 0, 1, 2])))


@st.composite
def documents(draw: st.DrawFn) -> Document:
    made = Maker(draw(st.randoms(use_true_random=True))).document()
    assume(is_toml(made.text))
    return made


def is_toml(text: str) -> bool:
    try:
        holds(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def plain(document: object) -> str:
    """Equal for equal documents, with their types: `1` is neither `true` nor `1.0`, and `nan` is `nan`."""
    return json.dumps(document, sort_keys=True, default=repr)


def holds(text: str) -> dict[str, Any]:
    return tomllib.loads(text.removeprefix("\ufeff"))


def with_value(document: dict[str, Any], place: Place, value: object) -> dict[str, Any]:
    key, *below = place
    return document | {key: with_value(document.get(key, {}), tuple(below), value) if below else value}


def without(document: dict[str, Any], place: Place) -> dict[str, Any]:
    """Without the value, and without the tables around it that are empty then."""
    key, *below = place
    inner = without(document[key], tuple(below)) if below and key in document else {}
    return {name: one for name, one in document.items() if name != key} | ({key: inner} if inner else {})


def at(document: object, place: Place) -> object:
    for key in place:
        if not isinstance(document, dict) or key not in document:
            return None
        document = document[key]
    return document


def tables(document: dict[str, Any], place: Place = ()) -> list[Place]:
    below = [tables(one, (*place, name)) for name, one in document.items() if isinstance(one, dict)]
    return [place, *(one for found in below for one in found)]


def only_inserted(before: str, after: str) -> bool:
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    return len(after) > len(before) and after.endswith(before[start:])


@settings(max_examples=MANY)
@given(documents(), VALUES, st.data())
def test_only_the_bytes_of_a_value_that_is_there_change(
    before: Document, value: edit.Value, data: st.DataObject
) -> None:
    assume(before.spans)
    place = data.draw(st.sampled_from(sorted(before.spans)))
    start, end = before.spans[place]
    old = at(before.holds, place)
    assume(not (isinstance(old, list) and old and all(isinstance(one, dict) for one in old)))

    after = edit.set_values(before.text, {place: value})

    head, tail = before.text[:start], before.text[end:]
    assert after.startswith(head)
    assert after.endswith(tail)
    assert {"x": value} == tomllib.loads(f"x = {after[start : len(after) - len(tail)]}".replace("\r\n", "\n"))
    assert plain(with_value(before.holds, place, value)) == plain(holds(after))
    assert after == edit.set_values(after, {place: value})


@settings(max_examples=MANY)
@given(documents(), VALUES, st.lists(st.sampled_from(("new", "e.f", "ä", "image")), max_size=2), st.data())
def test_a_new_key_is_one_piece_put_in_and_taken_out_again(
    before: Document, value: edit.Value, tail: list[str], data: st.DataObject
) -> None:
    place = (*data.draw(st.sampled_from(tables(before.holds))), *tail, "brand-new")
    assume(all(isinstance(at(before.holds, place[:n]), dict | None) for n in range(len(place))))

    after = edit.set_values(before.text, {place: value})

    assert only_inserted(before.text, after)
    assert plain(with_value(before.holds, place, value)) == plain(holds(after))
    assert before.text == edit.unset(after, place)


@settings(max_examples=MANY)
@given(documents(), st.data())
def test_a_value_that_it_has_keeps_its_spelling(before: Document, data: st.DataObject) -> None:
    has = [place for place in sorted(before.spans) if isinstance(at(before.holds, place), str | int)]
    assume(has)
    place = data.draw(st.sampled_from(has))
    value = at(before.holds, place)
    assert isinstance(value, str | int)

    assert before.text == edit.set_values(before.text, {place: value})


@settings(max_examples=MANY)
@given(documents(), st.data())
def test_a_key_that_is_taken_out_takes_no_other_with_it(before: Document, data: st.DataObject) -> None:
    assume(before.spans)
    place = data.draw(st.sampled_from(sorted(before.spans)))
    old = at(before.holds, place)
    assume(not (isinstance(old, list) and old and all(isinstance(one, dict) for one in old)))

    after = edit.unset(before.text, place)

    assert only_inserted(after, before.text)
    everything, left = before.holds, holds(after)
    assert at(left, place) is None
    assert plain(without(everything, place)) == plain(without(left, place))


@given(
    documents(), st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), unique=True, max_size=6), VALUES
)
def test_several_values_at_once_are_what_one_after_the_other_is(
    before: Document, places: list[Place], value: edit.Value
) -> None:
    one_by_one = before.text
    try:
        for place in places:
            one_by_one = edit.set_values(one_by_one, {place: value})
    except UsageError:
        assume(False)

    assert one_by_one == edit.set_values(before.text, dict.fromkeys(places, value))


TEXT = """\
# the shop
schema = 1

[image] # what is pushed
form = 'rootfs'   # because of the cluster

[kubernetes]
replicas = 2
resources.memory_limit = "64Mi"

[variables]
# greeting = "hello"

[store.orders]
kind = "redis"
"""


@pytest.mark.parametrize(
    ("place", "value", "old", "new"),
    [
        (("image", "form"), "artifact", "'rootfs'   #", '"artifact"   #'),
        (("image", "tag"), "v1", "cluster\n", 'cluster\ntag = "v1"\n'),
        (("kubernetes", "replicas"), 3, "= 2", "= 3"),
        (("kubernetes", "resources", "cpu"), "1", '"64Mi"\n', '"64Mi"\nresources.cpu = "1"\n'),
        (("kubernetes", "ingress", "host"), "a.b", '"64Mi"\n', '"64Mi"\n\n[kubernetes.ingress]\nhost = "a.b"\n'),
        (("variables", "a"), "1", "[variables]\n", '[variables]\na = "1"\n'),
        (("store", "a b", "kind"), "redis", '"redis"\n', '"redis"\n\n[store."a b"]\nkind = "redis"\n'),
        (("require_environment",), True, "schema = 1\n", "schema = 1\nrequire_environment = true\n"),
        (("app", "name"), "shop", '"redis"\n', '"redis"\n\n[app]\nname = "shop"\n'),
    ],
)
def test_a_value_goes_where_a_person_would_have_written_it(place: Place, value: edit.Value, old: str, new: str) -> None:
    assert TEXT.replace(old, new) == edit.set_values(TEXT, {place: value})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('[kubernetes]\nresources = { memory = "1Mi" }\n', '[kubernetes]\nresources = { memory = "1Mi", cpu = "2" }\n'),
        ('[kubernetes]\nresources = { cpu = "1" }\n', '[kubernetes]\nresources = { cpu = "2" }\n'),
        ("kubernetes = { resources = {} }\n", 'kubernetes = { resources = {cpu = "2"} }\n'),
        ("kubernetes.resources = { }\n", 'kubernetes.resources = { cpu = "2" }\n'),
        ("kubernetes = { a = 1 }\n", 'kubernetes = { a = 1, resources.cpu = "2" }\n'),
        ("kubernetes.a = 1\nb = 2", 'kubernetes.a = 1\nkubernetes.resources.cpu = "2"\nb = 2'),
        ("[kubernetes.resources]\r\n", '[kubernetes.resources]\r\ncpu = "2"\r\n'),
        ("[kubernetes]\n[b]\n", '[kubernetes]\n\n[kubernetes.resources]\ncpu = "2"\n[b]\n'),
        ("# of b\n[b]\nx = 1", '# of b\n[b]\nx = 1\n\n[kubernetes.resources]\ncpu = "2"'),
        (
            "[a]\n\n# of it\n[kubernetes.resources.x]\n",
            '[a]\n\n[kubernetes.resources]\ncpu = "2"\n\n# of it\n[kubernetes.resources.x]\n',
        ),
        (
            "[kubernetes.x]\n\n[b]\n\n\n",
            '[kubernetes.x]\n\n[kubernetes.resources]\ncpu = "2"\n\n[b]\n\n\n',
        ),
        ("\ufeff", '\ufeff[kubernetes.resources]\ncpu = "2"\n'),
        (" [kubernetes.resources]\n\t x = 1", ' [kubernetes.resources]\n\t x = 1\n\t cpu = "2"'),
    ],
)
def test_a_table_may_be_written_in_any_way(before: str, after: str) -> None:
    assert after == edit.set_values(before, {("kubernetes", "resources", "cpu"): "2"})


@pytest.mark.parametrize(
    ("before", "value", "after"),
    [
        ("a = 1\n", True, "a = true\n"),
        ("a = true\n", 1, "a = 1\n"),
        ("a = 1.0\n", 1, "a = 1\n"),
        ("a=0x1\n", 1, "a=0x1\n"),
    ],
)
def test_a_value_of_another_type_is_another_value(before: str, value: edit.Value, after: str) -> None:
    assert after == edit.set_values(before, {("a",): value})


def test_a_header_above_nothing_at_all_goes_as_one_that_was_put_in() -> None:
    assert "" == edit.unset(edit.set_values("[image]\n", {("image", "form"): 1}), ("image", "form"))


def test_a_new_file_begins_with_the_schema_and_has_a_table_a_group() -> None:
    values: dict[Place, edit.Value] = {
        ("app", "name"): "shop",
        ("image", "form"): "rootfs",
        ("app", "manifest"): "spin.toml",
        ("kubernetes", "resources", "memory_limit"): "64Mi",
        ("kubernetes", "replicas"): 2,
        ("require_environment",): True,
    }

    expected = (
        'schema = 1\nrequire_environment = true\n\n[app]\nname = "shop"\nmanifest = "spin.toml"\n\n'
        '[image]\nform = "rootfs"\n\n[kubernetes]\nreplicas = 2\n\n[kubernetes.resources]\nmemory_limit = "64Mi"\n'
    )
    assert expected == edit.new_file(values)
    assert "schema = 1\n" == edit.new_file({})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[image]\nform = 1\n", ""),
        ("a = 1\n\n[image]\nform = 1\n\n[b]\n", "a = 1\n\n[b]\n"),
        ("[image] # mine\nform = 1\n", "[image] # mine\n"),
        ("# mine\n[image]\nform = 1\n", "# mine\n[image]\n"),
        ("[image]\nform = 1\n# tag = 2\n", "[image]\n# tag = 2\n"),
        ("[image]\nform = 1 # why\n", ""),
        ("[image]\nform = 1 # why\ntag = 2\n", "[image]\ntag = 2\n"),
        ("image = { form = 1, tag = 2 }\n", "image = { tag = 2 }\n"),
        ("image = { tag = 2, form = 1 }\n", "image = { tag = 2 }\n"),
        ("image = { form = 1 }\n", "image = { }\n"),
        ("image.form = [\n  1, # one\n]\r\nb = 2", "b = 2"),
        ("b = 2\r\nimage.form = 1", "b = 2"),
        ("[image]\ntag = 1\n", "[image]\ntag = 1\n"),
        ("image = 1\n", "image = 1\n"),
    ],
)
def test_a_key_goes_with_its_line_and_its_table_where_nothing_else_is_said_there(before: str, after: str) -> None:
    assert after == edit.unset(before, ("image", "form"))


@pytest.mark.parametrize(
    ("change", "message", "hint"),
    [
        (
            lambda: edit.set_values("a = 1\n[image]\ntag = 2\n", {("image",): "x"}, path=PATH),
            "conf/aks-spin.toml:2: `image` is a table here, not a value",
            "name a key in it, such as `image.tag`",
        ),
        (
            lambda: edit.set_values("[a]\nimage = {}\n", {("a", "image"): "x"}, path=PATH),
            "conf/aks-spin.toml:2: `a.image` is a table here, not a value",
            "take the table out, or name a key in it",
        ),
        (
            lambda: edit.set_values("[[image]]\na = 1\n", {("image",): "x"}, path=PATH),
            "conf/aks-spin.toml:1: `image` is a table here, not a value",
            "take the table out, or name a key in it",
        ),
        (
            lambda: edit.unset("b = 1\nimage.tag = 2\n", ("image",), path=PATH),
            "conf/aks-spin.toml:2: `image` is a table here, not a value",
            "name a key in it, such as `image.tag`",
        ),
        (
            lambda: edit.set_values("\n\nimage = 1\n", {("image", "form"): "x"}, path=PATH),
            "conf/aks-spin.toml:3: `image` is a value here, not a table, so `image.form` can't stand in it",
            "take `image` out of the file, and run the same command again",
        ),
        (
            lambda: edit.set_values("\n[[image]]\n", {("image", "form"): "x"}, path=PATH),
            "conf/aks-spin.toml:2: `image` is a list here, not a table, so `image.form` can't stand in it",
            "take `image` out of the file, and run the same command again",
        ),
        (
            lambda: edit.set_values("[image]\n", {("image", "form"): "\udcff"}, path=PATH),
            "conf/aks-spin.toml:1: what is given for `image.form` is no Unicode text",
            "give it in UTF-8",
        ),
    ],
)
def test_what_can_not_be_set_is_refused_with_its_line(change: Callable[[], str], message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        change()

    assert message == str(caught.value)
    assert [hint] == [problem.hint for problem in caught.value.problems]


def test_all_that_can_not_be_set_is_said_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        edit.set_values("a = 1\nb = 1\n", {("a", "x"): 1, ("c",): 1, ("b", "x"): 1}, path=PATH)

    assert ["conf/aks-spin.toml:1", "conf/aks-spin.toml:2"] == [one.where for one in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = \n", 1),
        ("\ufeff\na = 1\na = 2\n", 3),
        ("[a]\n[a]\n", 2),
        ("a = 1\rb = 2\n", 1),
        ("\ufeff\ufeffa = 1\n", 1),
    ],
)
def test_what_is_no_toml_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(UsageError, match=rf"^conf/aks-spin\.toml:{line}: "):
        edit.set_values(text, {("b",): 1}, path=PATH)
    with pytest.raises(UsageError, match=rf"^conf/aks-spin\.toml:{line}: "):
        edit.unset(text, ("a",), path=PATH)


def test_a_change_that_came_out_wrong_is_never_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toml_change, "put", lambda text, *_: text.replace("1", "2"))
    monkeypatch.setattr(toml_change, "removed", lambda text, _: text + "x")

    with pytest.raises(SpinAksError) as set_wrong:
        edit.set_values("a = 1\n", {("b", "c d"): "x"}, path=PATH)
    with pytest.raises(SpinAksError) as unset_wrong:
        edit.unset("a = 1\n", ("a",), path=PATH)

    what = "conf/aks-spin.toml: this file is written in a way that can't be changed without changing more of it"
    assert [what, what] == [str(set_wrong.value), str(unset_wrong.value)]
    assert 'change `b."c d"` in it with an editor' == set_wrong.value.problems[0].hint
