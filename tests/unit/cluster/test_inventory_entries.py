from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from spin_aks.cluster import inventory
from spin_aks.cluster.inventory import Entry
from spin_aks.cluster.prune import Scope, why_left

MAP = Entry("v1", "ConfigMap", "hello", "a", "configmaps")
SCOPE = Scope("web", "hello")


def live(**metadata: object) -> dict[str, object]:
    ours = {"manager": "spin-aks", "operation": "Apply", "fieldsV1": {}}
    return {"metadata": {"labels": {"spin-aks.dev/application": "web"}, "managedFields": [ours], **metadata}}


names = st.text(min_size=1)


@given(st.frozensets(st.builds(Entry, names, names, st.text(), names, names), max_size=5))
def test_entries_survive_their_config_map(entries: frozenset[Entry]) -> None:
    text = "".join(f"{entry}\n" for entry in sorted(entries))

    assert inventory._entries({"data": {"objects": text}}) == entries


@given(st.text())
def test_no_text_makes_reading_fail(text: str) -> None:
    assert isinstance(inventory._entries({"data": {"objects": text}}), frozenset)


def test_an_entry_knows_its_path() -> None:
    assert MAP.path == "/api/v1/namespaces/hello/configmaps/a"
    assert str(MAP.key) == "ConfigMap hello/a"


def test_an_object_of_ours_is_ours_to_delete() -> None:
    assert why_left(MAP, live(), SCOPE) == ""  # type: ignore[arg-type]


def test_an_object_that_another_one_owns_is_left() -> None:
    owner = {"kind": "SpinApp", "name": "web", "uid": "u"}

    assert why_left(MAP, live(ownerReferences=[owner]), SCOPE) == "SpinApp web owns it"  # type: ignore[arg-type]


def test_an_object_in_which_nothing_is_ours_is_left() -> None:
    assert why_left(MAP, live(managedFields=[]), SCOPE) == "somebody else has taken it over"  # type: ignore[arg-type]


def test_a_namespace_is_never_deleted() -> None:
    entry = Entry("v1", "Namespace", "", "hello", "namespaces")

    assert why_left(entry, live(), SCOPE) == "it belongs to the whole cluster"  # type: ignore[arg-type]
