from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from spin_aks.cluster.owned import appliers, is_ours, others, owned

if TYPE_CHECKING:
    from spin_aks.json_types import JSON, JSONObject


def entry(manager: str, fields: JSONObject, operation: str = "Apply", **more: JSON) -> JSONObject:
    return {"manager": manager, "operation": operation, "fieldsType": "FieldsV1", "fieldsV1": fields, **more}


def live(*entries: JSONObject, **body: JSON) -> JSONObject:
    return {"metadata": {"managedFields": list(entries), "resourceVersion": "7"}, **body}


def test_each_owned_field_has_a_path_that_people_can_read() -> None:
    fields: JSONObject = {
        "f:metadata": {"f:labels": {".": {}, "f:app.kubernetes.io/name": {}}},
        "f:spec": {
            "f:type": {},
            "f:ports": {'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:name": {}}},
            "f:finalizers": {'v:"a/b"': {}},
            "f:list": {"i:1": {}},
        },
    }
    spec: JSONObject = {"type": "ClusterIP", "ports": [{"port": 80, "protocol": "TCP", "name": "http"}]}

    assert list(owned(live(entry("spin-aks", fields), spec=spec))) == [
        "metadata.labels[app.kubernetes.io/name]",
        "spec.type",
        "spec.ports[port=80,protocol=TCP].name",
        "spec.finalizers[a/b]",
        "spec.list[1]",
    ]


def test_the_digest_follows_the_value_and_nothing_else() -> None:
    ours = entry("spin-aks", {"f:spec": {"f:a": {}}}, time="1")
    later = entry("spin-aks", {"f:spec": {"f:a": {}}}, time="2")

    one = owned(live(ours, spec={"a": {"x": 1, "y": 2}, "b": 1}))

    assert owned(live(later, spec={"b": 2, "a": {"y": 2, "x": 1}})) == one
    assert owned(live(ours, spec={"a": {"x": 1, "y": 3}, "b": 1})) != one


def test_an_item_of_a_list_is_found_by_its_keys_wherever_it_stands() -> None:
    fields: JSONObject = {"f:spec": {"f:containers": {'k:{"name":"web"}': {"f:image": {}}}}}
    web, side = {"name": "web", "image": "a"}, {"name": "side", "image": "b"}

    first = owned(live(entry("spin-aks", fields), spec={"containers": [web, side]}))

    assert owned(live(entry("spin-aks", fields), spec={"containers": [side, web]})) == first


def test_a_secrets_values_are_not_digested() -> None:
    ours = entry("spin-aks", {"f:data": {"f:password": {}}})

    assert owned(live(ours, kind="Secret", data={"password": "aHVudGVyMg=="})) == {"data.password": "7"}


def test_only_our_own_applied_entry_counts_as_ours() -> None:
    fields: JSONObject = {"f:spec": {"f:a": {}}}
    foreign = live(entry("kubectl-edit", fields, "Update"), entry("spin-aks", fields, "Update"))
    status = live(entry("spin-aks", fields, subresource="status"))

    assert (owned(foreign), is_ours(foreign)) == ({}, False)
    assert (owned(status), is_ours(status)) == ({}, False)
    assert is_ours(live(entry("spin-aks", fields))) is True


def test_others_names_who_changed_a_field_last_and_leaves_the_status_out() -> None:
    fields: JSONObject = {"f:spec": {"f:a": {}}}
    document = live(
        entry("second", fields, "Update", time="2026-01-02T00:00:00Z"),
        entry("first", fields, "Update", time="2026-01-01T00:00:00Z"),
        entry("kubelet", {"f:status": {"f:x": {}}}, "Update", time="2026-01-03T00:00:00Z", subresource="status"),
        entry("hpa", {"f:spec": {"f:replicas": {}}}, "Update", time="2026-01-03T00:00:00Z", subresource="scale"),
    )

    assert others(document) == {"spec.a": "second", "spec.replicas": "hpa"}


def test_who_applies_the_whole_object_is_known_by_operation_or_name() -> None:
    document = live(
        entry("spin-aks", {}),
        entry("argocd", {}),
        entry("kubectl-client-side-apply", {}, "Update"),
        entry("kubectl-edit", {}, "Update"),
    )

    assert appliers(document) == ("argocd", "kubectl-client-side-apply")


def test_an_object_without_managed_fields_is_nobodys() -> None:
    assert owned({"metadata": {}}) == {}
    assert others({}) == {}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
steps = st.one_of(
    st.just("."),
    st.text(max_size=6),
    st.sampled_from(["f:spec", "f:", "k:{", 'k:{"a":1}', "k:[]", 'v:"x"', "v:", "v:{}", "i:0", "i:-1", "i:x", "q:z"]),
)
field_sets = st.recursive(
    st.just({}), lambda inner: st.dictionaries(steps, inner | json_values, max_size=3), max_leaves=10
)


@given(field_sets, json_values)
def test_no_set_of_fields_and_no_body_makes_it_fail(fields: JSONObject, spec: JSON) -> None:
    found = owned(live(entry("spin-aks", fields), spec=spec))

    assert all(isinstance(path, str) and len(digest) == 12 for path, digest in found.items())
