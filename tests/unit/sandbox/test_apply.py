"""Field ownership: what one manager applies, and what becomes of what others own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spin_aks.sandbox import apply, kinds, ownership
from spin_aks.sandbox.apply import Applied, ConflictError, Entry, Manager
from spin_aks.sandbox.schema import shape_of

if TYPE_CHECKING:
    from spin_aks.sandbox.documents import JSON, Document

SHAPE = shape_of(kinds.DEPLOYMENT)
OURS = Manager("spin-aks", "Apply", "apps/v1")
THEIRS = Manager("somebody", "Apply", "apps/v1")

names = st.sampled_from(["a", "b", "c"])
texts = st.dictionaries(names, st.sampled_from(["1", "2", "3"]), max_size=3)
variables = st.lists(
    st.builds(lambda name, value: {"name": name, "value": value}, names, st.sampled_from(["1", "2"])),
    unique_by=lambda variable: variable["name"],
    max_size=3,
)


@st.composite
def bodies(draw: st.DrawFn) -> Document:
    containers: list[JSON] = []
    for name in draw(st.lists(names, unique=True, max_size=3)):
        container: Document = {"name": name}
        if image := draw(st.sampled_from(["", "i:1", "i:2"])):
            container["image"] = image
        if listed := draw(variables):
            container["env"] = [*listed]
        containers.append(container)
    found: Document = {}
    if labels := draw(texts):
        found["metadata"] = {"labels": {**labels}}
    if containers:
        found["spec"] = {"template": {"spec": {"containers": containers}}}
    return found


def kept(applied: Applied) -> Document:
    """The object as the server would keep it: with its managedFields."""
    document = {**applied.document}
    document["metadata"] = dict(document.get("metadata") or {})  # type: ignore[arg-type]
    apply.write_entries(document, [Entry(manager, fields, "") for manager, fields in applied.owners.items()])
    return document


def applied_by(manager: Manager, live: Document, body: Document) -> Document:
    return kept(apply.apply(live, body, SHAPE, manager, force=True))


def leaves(document: JSON) -> dict[ownership.Path, str]:
    """Every leaf by its path, and its value."""
    found: dict[ownership.Path, str] = {}

    def walk(value: JSON, shape: object, path: ownership.Path) -> None:
        inner = ownership.entries(value, shape)  # type: ignore[arg-type]
        if inner is None:
            found[path] = repr(value)
        for element, (item, item_shape) in (inner or {}).items():
            walk(item, item_shape, (*path, element))

    walk(document, SHAPE, ())
    return {path: value for path, value in found.items() if path[:2] != ("f:metadata", "f:managedFields")}


@given(bodies(), bodies())
def test_of_two_applies_by_one_manager_only_the_second_is_left(first: Document, second: Document) -> None:
    live = applied_by(OURS, applied_by(OURS, {}, first), second)

    assert leaves(second) == leaves(live)


@given(bodies())
def test_applying_the_same_again_changes_nothing(body: Document) -> None:
    once = applied_by(OURS, {}, body)

    assert once == applied_by(OURS, once, body)


@given(bodies(), bodies(), bodies())
def test_what_another_manager_owns_alone_survives(theirs: Document, first: Document, second: Document) -> None:
    live = applied_by(OURS, applied_by(OURS, applied_by(THEIRS, {}, theirs), first), second)

    touched = {*leaves(first), *leaves(second)}
    expected = {path: value for path, value in leaves(theirs).items() if path not in touched}
    assert expected.items() <= leaves(live).items()


@given(bodies(), bodies())
def test_everything_that_is_there_has_an_owner(theirs: Document, ours: Document) -> None:
    live = applied_by(OURS, applied_by(THEIRS, {}, theirs), ours)

    owners = {path for entry in apply.entries_of(live) for path in entry.fields}
    assert set(leaves(live)) - {()} <= owners


@given(bodies(), bodies())
def test_a_conflict_is_exactly_another_value_of_anothers_field(theirs: Document, ours: Document) -> None:
    live = applied_by(THEIRS, {}, theirs)
    before, wanted = leaves(theirs), leaves(ours)
    expected = {path for path in before.keys() & wanted.keys() if before[path] != wanted[path]}
    found: set[ownership.Path] = set()
    try:
        apply.apply(live, ours, SHAPE, OURS, force=False)
    except ConflictError as error:
        found = {conflict.path for conflict in error.conflicts}

    assert expected == found


@given(bodies(), bodies())
def test_an_update_owns_what_it_changed_and_nobody_owns_what_is_gone(before: Document, after: Document) -> None:
    live = applied_by(THEIRS, {}, before)
    update = Manager("kubectl-edit", "Update", "apps/v1")
    owners = apply.update(live, after, SHAPE, update).owners
    old, new = leaves(before), leaves(after)

    assert {path for path, value in new.items() if old.get(path) != value} - {()} <= owners[update]
    assert not any(path in fields for fields in owners.values() for path in old.keys() - new.keys())


@given(bodies())
def test_fields_v1_is_read_as_it_was_written(body: Document) -> None:
    paths = ownership.owned(body, SHAPE)

    assert paths == ownership.decode(ownership.encode(paths))


def test_an_item_goes_with_what_the_server_filled_into_it() -> None:
    live = applied_by(OURS, {}, {"spec": {"template": {"spec": {"containers": [{"name": "a"}, {"name": "b"}]}}}})
    containers: list[JSON] = [{"name": "a", "imagePullPolicy": "Always"}, {"name": "b", "imagePullPolicy": "Always"}]
    live["spec"] = {"template": {"spec": {"containers": containers}}}

    after = applied_by(OURS, live, {"spec": {"template": {"spec": {"containers": [{"name": "b"}]}}}})

    assert after["spec"] == {"template": {"spec": {"containers": [{"name": "b", "imagePullPolicy": "Always"}]}}}


@pytest.mark.parametrize(
    ("path", "written"),
    [
        (("f:spec", "f:replicas"), ".spec.replicas"),
        (("f:ports", 'k:{"port":80,"protocol":"TCP"}', "f:name"), '.ports[port=80,protocol="TCP"].name'),
        (("f:metadata", "f:finalizers", 'v:"x"'), '.metadata.finalizers[="x"]'),
    ],
)
def test_a_path_is_written_as_messages_have_it(path: ownership.Path, written: str) -> None:
    assert written == ownership.written(path)


def test_a_port_without_a_protocol_is_one_of_tcp() -> None:
    service = shape_of(kinds.SERVICE)

    paths = ownership.owned({"spec": {"ports": [{"port": 80}]}}, service)

    assert ("f:spec", "f:ports", 'k:{"port":80,"protocol":"TCP"}', "f:port") in paths
