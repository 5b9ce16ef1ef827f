from __future__ import annotations

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from spin_aks.errors import SpinAksError
from spin_aks.generators.documents import dump, objects, parse
from spin_aks.kubernetes_object import ObjectKey

CONFIG_MAP = """\
# kept by people
apiVersion: v1
kind: ConfigMap
metadata:
  name: one
data:
  mode: "0400"
  colours:
    - red
    - {name: green}
"""

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
bodies = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=12,
)


def test_a_document_knows_the_line_of_each_of_its_parts() -> None:
    (document,) = parse(CONFIG_MAP, "a.yaml")

    assert "a.yaml:2" == document.where()
    assert "a.yaml:5" == document.where("metadata", "name")
    assert "a.yaml:10" == document.where("data", "colours", 1, "name")
    assert "a.yaml:10" == document.where("data", "colours", 1, "missing", 3)


def test_values_are_found_by_where_they_are() -> None:
    (document,) = parse(CONFIG_MAP, "a.yaml")

    assert "green" == document.at("data", "colours", 1, "name")
    assert document.at("data", "colours", 2) is None
    assert document.at("data", "colours", "name") is None
    assert document.at("kind", "name") is None


def test_empty_documents_count_as_none() -> None:
    assert () == parse("# nothing\n---\n---\n# still nothing\n", "a.yaml")
    assert () == parse("", "a.yaml")


def test_several_documents_and_the_items_of_a_list_come_one_by_one() -> None:
    items = "apiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: Secret\n    metadata: {name: two}\n"

    found = parse(f"{CONFIG_MAP}---\n{items}", "a.yaml")

    assert ["one", "two"] == [document.at("metadata", "name") for document in found]
    assert ["a.yaml:2", "a.yaml:15"] == [document.where() for document in found]
    assert "a.yaml:17" == found[1].where("metadata", "name")


def test_objects_have_their_keys() -> None:
    assert [ObjectKey("v1", "ConfigMap", "", "one")] == [item.key for item in objects(CONFIG_MAP, "a.yaml")]


def test_aliases_and_merges_are_resolved_as_kubectl_does() -> None:
    text = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: one}
base: &base {a: 1, b: 1}
other: &other {b: 2, c: 2}
merged: {<<: [*base, *other], c: 3}
plain: {<<: *base}
"""
    (document,) = parse(text, "a.yaml")

    assert {"a": 1, "b": 1, "c": 3} == document.at("merged")
    assert {"a": 1, "b": 1} == document.at("plain")


def test_keys_are_text_as_in_json() -> None:
    (document,) = parse("apiVersion: v1\nkind: A\nmetadata: {name: b}\ndata: {80: x, yes: y, 1.5: z}\n", "a.yaml")

    assert {"80": "x", "true": True, "1.5": "z"} == document.at("data")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3", "a.yaml:3: the key `a` is there twice"),
        ("a: &a [*a]", "a.yaml:1: an alias leads back into itself, or to too much"),
        ("a: !Ref b", "a.yaml:1: Kubernetes knows no `!Ref`"),
        ("a: !!int x", "a.yaml:1: `x` is no int"),
        ("a: .nan", "a.yaml:1: `.nan` has no place in a Kubernetes object"),
        ("? [a]\n: b", "a.yaml:1: a key has to be text"),
        ("<<: 3", "a.yaml:1: `<<` takes a mapping, or a list of them"),
        ("# only text\n\njust words", "a.yaml:3: not a Kubernetes object: it has no keys"),
        (
            "resources: [a]",
            "a.yaml:1: not a Kubernetes object: it has no apiVersion and no kind and no metadata.name",
        ),
        ("apiVersion: v1\nkind: 3\nmetadata: {name: a}", "a.yaml:1: not a Kubernetes object: it has no kind"),
        ("apiVersion: v1\nkind: List\nitems:\n- 3", "a.yaml:4: not a Kubernetes object: it has no keys"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, expected: str) -> None:
    with pytest.raises(SpinAksError) as refused:
        parse(text, "a.yaml")

    assert expected == str(refused.value)


@pytest.mark.parametrize(
    ("text", "line"), [("a: [1\nb: 2", 2), ("a: b\n\tc: d", 2), ("\na: *nowhere", 2), ("a: 'b\n", 2), ("%YAML 9", 1)]
)
def test_what_is_no_yaml_is_said_with_its_line_in_the_parser_s_words(text: str, line: int) -> None:
    with pytest.raises(SpinAksError) as refused:
        parse(text, "a.yaml")

    assert str(refused.value).startswith(f"a.yaml:{line}: not YAML: ")
    assert refused.value.problems[0].hint


def test_a_character_that_yaml_has_not_is_refused() -> None:
    with pytest.raises(SpinAksError, match=r"a.yaml.*: not YAML: "):
        parse("a: \x00", "a.yaml")


def test_aliases_of_aliases_don_t_fill_the_memory() -> None:
    levels = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 9))

    with pytest.raises(SpinAksError, match="an alias leads back into itself, or to too much"):
        parse(f"l0: &l0 [1, 2]\n{levels}\n", "a.yaml")


@given(st.dictionaries(texts, bodies, max_size=4))
@example({"a": "yes", "b": "0400", "c": "0o7", "d": "2026-11-21", "e": "1:30", "f": "=", "g": "y", "h": "<<"})
@example({"a": "\n", "b": " x\ny", "c": "x\n\n", "d": "x \ny", "e": "\t\n", "f": "\ufeff", "g": "\x85", "h": "# x\n"})
def test_what_is_written_is_read_the_same_by_us_and_by_readers_of_yaml_1_1(body: dict) -> None:
    whole = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": body}
    written = dump([whole, whole])

    assert [whole, whole] == [document.body for document in parse(written, "a.yaml")]
    assert [whole, whole] == list(yaml.safe_load_all(written))


def test_keys_stay_in_order_and_texts_of_many_lines_stay_readable() -> None:
    body = {"kind": "ConfigMap", "apiVersion": "v1", "data": {"ca": "# one\nAAA\n", "flag": "on", "size": "64Mi"}}

    expected = 'kind: ConfigMap\napiVersion: v1\ndata:\n  ca: |\n    # one\n    AAA\n  flag: "on"\n  size: 64Mi\n'
    assert expected == dump([body])
