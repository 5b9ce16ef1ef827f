"""What the tool relies on in an API server: one suite for the real one and for the sandbox's.

Each clause takes a connected cluster and a namespace of its own. Written against the real API server first; nothing is
in here that the tool does not use.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from spin_aks.cluster import fields
from spin_aks.cluster.resources import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    EVENTS,
    NAMESPACES,
    PODS,
    REPLICA_SETS,
    RUNTIME_CLASSES,
    SERVICES,
    Resource,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from spin_aks.cluster.connection import Answer, Cluster
    from spin_aks.json_types import JSON, JSONObject

CLAUSES: list[Callable[[Cluster, str], None]] = []
SETTLED_WITHIN_S = 30.0


def clause(check: Callable[[Cluster, str], None]) -> Callable[[Cluster, str], None]:
    CLAUSES.append(check)
    return check


def eventually(what: str, holds: Callable[[], bool]) -> None:
    """Fails, naming `what`, unless `holds` says so within SETTLED_WITHIN_S."""
    deadline = time.monotonic() + SETTLED_WITHIN_S
    while not holds():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.05)


def config_map(name: str, entries: dict[str, JSON], labels: dict[str, JSON] | None = None) -> JSONObject:
    metadata: JSONObject = {"name": name} | ({"labels": labels} if labels else {})
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": dict(entries)}


def service(name: str, kind: str = "ClusterIP") -> JSONObject:
    ports: list[JSON] = [{"name": "http", "port": 80, "targetPort": 80, "protocol": "TCP"}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"type": kind, "selector": {"app": name}, "ports": ports},
    }


def deployment(name: str, *, image: str = "example/app:1", replicas: int = 1, app: str = "") -> JSONObject:
    labels: JSONObject = {"app": app or name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "web", "image": image, "command": ["/"]}]},
            },
        },
    }


def runtime_class(name: str, handler: str) -> JSONObject:
    return {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": name}, "handler": handler}


def name_of(body: JSONObject) -> str:
    return fields.text(body, "metadata", "name")


def put(cluster: Cluster, resource: Resource, namespace: str, body: JSONObject) -> JSONObject:
    """The object as the server has it after a server-side apply that must succeed."""
    answer = cluster.apply(resource.path(namespace, name_of(body)), body)
    assert answer.ok, answer.text
    return answer.document


def put_as(
    manager: str, cluster: Cluster, resource: Resource, namespace: str, body: JSONObject, *, force: bool = False
) -> Answer:
    query = {"fieldManager": manager, "force": "true" if force else "false"}
    path = resource.path(namespace, name_of(body))
    return cluster.send("PATCH", path, query, body, "application/apply-patch+yaml")


def live(cluster: Cluster, resource: Resource, namespace: str, name: str) -> JSONObject:
    found = cluster.get(resource.path(namespace, name))
    assert found is not None
    return found


def owned_by(document: JSONObject, manager: str, operation: str = "Apply") -> JSONObject:
    """The fieldsV1 of one manager's entry."""
    for entry in fields.objects(document, "metadata", "managedFields"):
        if (entry.get("manager"), entry.get("operation")) == (manager, operation) and "subresource" not in entry:
            return fields.mapping(entry, "fieldsV1")
    return {}


# Namespaces


@clause
def a_namespace_is_active_at_once(cluster: Cluster, namespace: str) -> None:
    name = f"{namespace}-more"
    body: JSONObject = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}

    made = put(cluster, NAMESPACES, "", body)

    assert fields.text(made, "status", "phase") == "Active"
    assert put(cluster, CONFIG_MAPS, name, config_map("a", {"x": "1"}))["kind"] == "ConfigMap"
    assert cluster.delete(NAMESPACES.path("", name)) is True


@clause
def what_goes_into_a_missing_namespace_is_not_found_by_that_name(cluster: Cluster, namespace: str) -> None:
    missing = f"{namespace}-nowhere"

    answer = cluster.apply(CONFIG_MAPS.path(missing, "a"), config_map("a", {"x": "1"}))

    assert (answer.code, answer.status.reason) == (404, "NotFound")
    assert answer.status.message == f'namespaces "{missing}" not found'


@clause
def a_deleted_namespace_takes_everything_with_it_and_can_be_made_again(cluster: Cluster, namespace: str) -> None:
    name = f"{namespace}-again"
    body: JSONObject = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    first = put(cluster, NAMESPACES, "", body)
    put(cluster, CONFIG_MAPS, name, config_map("a", {"x": "1"}))

    assert cluster.delete(NAMESPACES.path("", name)) is True

    leaving = cluster.get(NAMESPACES.path("", name))
    assert leaving is None or fields.text(leaving, "status", "phase") == "Terminating"
    eventually("gone", lambda: cluster.get(NAMESPACES.path("", name)) is None)
    second = put(cluster, NAMESPACES, "", body)
    assert fields.text(second, "metadata", "uid") != fields.text(first, "metadata", "uid")
    assert cluster.get(CONFIG_MAPS.path(name, "a")) is None
    assert cluster.delete(NAMESPACES.path("", name)) is True


# Server-side apply


@clause
def the_first_apply_creates_and_the_second_changes_nothing(cluster: Cluster, namespace: str) -> None:
    path, body = DEPLOYMENTS.path(namespace, "web"), deployment("web", replicas=0)

    first, second = cluster.apply(path, body), cluster.apply(path, body)

    assert (first.code, second.code) == (201, 200)
    assert fields.number(first.document, "metadata", "generation") == 1
    assert fields.number(second.document, "metadata", "generation") == 1
    assert fields.text(first.document, "metadata", "uid") == fields.text(second.document, "metadata", "uid") != ""
    assert fields.text(first.document, "kind") == "Deployment"
    assert fields.text(first.document, "apiVersion") == "apps/v1"


@clause
def applying_the_same_again_keeps_the_resource_version(cluster: Cluster, namespace: str) -> None:
    first = put(cluster, CONFIG_MAPS, namespace, config_map("a", {"x": "1"}))
    second = put(cluster, CONFIG_MAPS, namespace, config_map("a", {"x": "1"}))

    assert fields.text(first, "metadata", "resourceVersion") == fields.text(second, "metadata", "resourceVersion") != ""


@clause
def the_namespace_in_the_path_is_enough(cluster: Cluster, namespace: str) -> None:
    made = put(cluster, CONFIG_MAPS, namespace, config_map("a", {"x": "1"}))

    assert fields.text(made, "metadata", "namespace") == namespace


@clause
def our_managed_fields_list_exactly_what_we_applied(cluster: Cluster, namespace: str) -> None:
    made = put(cluster, DEPLOYMENTS, namespace, deployment("web", replicas=0))

    container: JSONObject = {".": {}, "f:name": {}, "f:image": {}, "f:command": {}}
    assert owned_by(made, "spin-aks") == {
        "f:metadata": {"f:labels": {"f:app": {}}},
        "f:spec": {
            "f:replicas": {},
            "f:selector": {},
            "f:template": {
                "f:metadata": {"f:labels": {"f:app": {}}},
                "f:spec": {"f:containers": {'k:{"name":"web"}': container}},
            },
        },
    }


@clause
def list_items_are_owned_by_their_keys(cluster: Cluster, namespace: str) -> None:
    made = put(cluster, SERVICES, namespace, service("web"))

    port: JSONObject = {".": {}, "f:name": {}, "f:port": {}, "f:targetPort": {}, "f:protocol": {}}
    assert owned_by(made, "spin-aks") == {
        "f:spec": {"f:ports": {'k:{"port":80,"protocol":"TCP"}': port}, "f:selector": {}, "f:type": {}}
    }


@clause
def a_managed_fields_entry_says_who_when_and_how(cluster: Cluster, namespace: str) -> None:
    made = put(cluster, CONFIG_MAPS, namespace, config_map("a", {"x": "1"}))

    (entry,) = fields.objects(made, "metadata", "managedFields")
    assert {key: entry[key] for key in ("manager", "operation", "apiVersion", "fieldsType")} == {
        "manager": "spin-aks",
        "operation": "Apply",
        "apiVersion": "v1",
        "fieldsType": "FieldsV1",
    }
    assert fields.text(entry, "time").endswith("Z")


@clause
def a_field_that_is_applied_no_more_is_removed(cluster: Cluster, namespace: str) -> None:
    put(cluster, CONFIG_MAPS, namespace, config_map("a", {"x": "1", "y": "2"}))

    after = put(cluster, CONFIG_MAPS, namespace, config_map("a", {"x": "1"}))

    assert after["data"] == {"x": "1"}


@clause
def another_managers_value_is_a_conflict_that_names_manager_and_field(cluster: Cluster, namespace: str) -> None:
    assert put_as("somebody", cluster, DEPLOYMENTS, namespace, deployment("web", replicas=0)).ok

    answer = cluster.apply(DEPLOYMENTS.path(namespace, "web"), deployment("web", replicas=0, image="example/app:2"))

    assert (answer.code, answer.status.reason) == (409, "Conflict")
    (cause,) = answer.status.causes
    assert cause.reason == "FieldManagerConflict"
    assert cause.field == '.spec.template.spec.containers[name="web"].image'
    assert cause.message == 'conflict with "somebody"'


@clause
def an_update_conflicts_by_its_managers_name_and_version(cluster: Cluster, namespace: str) -> None:
    put(cluster, CONFIG_MAPS, namespace, config_map("a", {"x": "1"}))
    _edit(cluster, namespace, "a", "x", "2")

    answer = cluster.apply(CONFIG_MAPS.path(namespace, "a"), config_map("a", {"x": "1"}))

    assert answer.code == 409
    (cause,) = answer.status.causes
    assert cause.field == ".data.x"
    assert cause.message.startswith('conflict with "kubectl-edit" using v1')


@clause
def the_same_value_from_two_managers_is_no_conflict(cluster: Cluster, namespace: str) -> None:
    assert put_as("somebody", cluster, CONFIG_MAPS, namespace, config_map("a", {"x": "1"})).ok

    after = put(cluster, CONFIG_MAPS, namespace, config_map("a", {"x": "1"}))

    assert owned_by(after, "spin-aks") == owned_by(after, "somebody") == {"f:data": {"f:x": {}}}


@clause
def force_takes_the_field_from_the_other_manager(cluster: Cluster, namespace: str) -> None:
    assert put_as("somebody", cluster, CONFIG_MAPS, namespace, config_map("a", {"x": "1", "y": "1"})).ok

    answer = cluster.apply(CONFIG_MAPS.path(namespace, "a"), config_map("a", {"x": "2"}), force=True)

    assert answer.code == 200
    assert answer.document["data"] == {"x": "2", "y": "1"}
    assert owned_by(answer.document, "somebody") == {"f:data": {"f:y": {}}}
    assert owned_by(answer.document, "spin-aks") == {"f:data": {"f:x": {}}}


@clause
def an_update_takes_a_field_out_of_our_entry(cluster: Cluster, namespace: str) -> None:
    put(cluster, CONFIG_MAPS, namespace, config_map("a", {"x": "1", "y": "1"}))

    after = _edit(cluster, namespace, "a", "x", "2")

    assert owned_by(after, "spin-aks") == {"f:data": {"f:y": {}}}
    assert owned_by(after, "kubectl-edit", "Update") == {"f:data": {"f:x": {}}}


def _edit(cluster: Cluster, namespace: str, name: str, key: str, value: str) -> JSONObject:
    """As `kubectl edit` does it: the whole object back, one entry changed."""
    body = live(cluster, CONFIG_MAPS, namespace, name)
    fields.mapping(body, "data")[key] = value
    answer = cluster.send("PUT", CONFIG_MAPS.path(namespace, name), {"fieldManager": "kubectl-edit"}, body)
    assert answer.ok, answer.text
    return answer.document


@clause
def a_dry_run_answers_as_if_and_changes_nothing(cluster: Cluster, namespace: str) -> None:
    answer = cluster.apply(CONFIG_MAPS.path(namespace, "a"), config_map("a", {"x": "1"}), dry_run=True)

    assert answer.code == 201
    assert answer.document["data"] == {"x": "1"}
    assert cluster.get(CONFIG_MAPS.path(namespace, "a")) is None


@clause
def a_dry_run_finds_the_conflict(cluster: Cluster, namespace: str) -> None:
    assert put_as("somebody", cluster, CONFIG_MAPS, namespace, config_map("a", {"x": "1"})).ok

    answer = cluster.apply(CONFIG_MAPS.path(namespace, "a"), config_map("a", {"x": "2"}), dry_run=True)

    assert (answer.code, answer.status.reason) == (409, "Conflict")


@clause
def a_changed_spec_raises_the_generation_and_a_label_does_not(cluster: Cluster, namespace: str) -> None:
    first = put(cluster, DEPLOYMENTS, namespace, deployment("web", replicas=0))
    relabelled = deployment("web", replicas=0)
    fields.mapping(relabelled, "metadata", "labels")["more"] = "x"

    labelled = put(cluster, DEPLOYMENTS, namespace, relabelled)
    changed = put(cluster, DEPLOYMENTS, namespace, deployment("web", replicas=0, image="example/app:2"))

    assert fields.number(first, "metadata", "generation") == 1
    assert fields.number(labelled, "metadata", "generation") == 1
    assert fields.number(changed, "metadata", "generation") == 2


# Refusals


@clause
def an_unknown_field_is_refused_by_name(cluster: Cluster, namespace: str) -> None:
    body = service("web")
    fields.mapping(body, "spec")["typo"] = "x"

    answer = cluster.apply(SERVICES.path(namespace, "web"), body)

    assert 400 <= answer.code < 600
    assert ".spec.typo: field not declared in schema" in answer.status.message


@clause
def an_invalid_value_is_refused_by_field(cluster: Cluster, namespace: str) -> None:
    answer = cluster.apply(SERVICES.path(namespace, "web"), service("web", "Wrong"))

    assert (answer.code, answer.status.reason) == (422, "Invalid")
    assert answer.status.causes[0].field == "spec.type"


@clause
def a_deployments_selector_can_not_be_changed(cluster: Cluster, namespace: str) -> None:
    put(cluster, DEPLOYMENTS, namespace, deployment("web", replicas=0))

    answer = cluster.apply(DEPLOYMENTS.path(namespace, "web"), deployment("web", replicas=0, app="other"))

    assert (answer.code, answer.status.reason) == (422, "Invalid")
    (cause,) = answer.status.causes
    assert cause.field == "spec.selector"
    assert cause.message.endswith("field is immutable")


@clause
def a_runtime_classs_handler_can_not_be_changed(cluster: Cluster, namespace: str) -> None:
    name = f"{namespace}-spin"
    path = RUNTIME_CLASSES.path("", name)
    put(cluster, RUNTIME_CLASSES, "", runtime_class(name, "spin"))
    try:
        answer = cluster.apply(path, runtime_class(name, "spin-v2"))

        assert (answer.code, answer.status.reason) == (422, "Invalid")
        (cause,) = answer.status.causes
        assert (cause.field, cause.message.endswith("field is immutable")) == ("handler", True)
    finally:
        assert cluster.delete(path) is True


@clause
def a_missing_object_is_not_found(cluster: Cluster, namespace: str) -> None:
    answer = cluster.send("GET", CONFIG_MAPS.path(namespace, "nope"))

    assert (answer.code, answer.status.reason) == (404, "NotFound")
    assert answer.status.message == 'configmaps "nope" not found'
    assert cluster.get(CONFIG_MAPS.path(namespace, "nope")) is None


@clause
def a_kind_nobody_knows_is_not_found(cluster: Cluster, namespace: str) -> None:
    gadgets = Resource("example.com/v1", "Gadget", "gadgets", namespaced=True)

    answer = cluster.apply(gadgets.path(namespace, "g"), {"apiVersion": "example.com/v1", "kind": "Gadget"})

    assert answer.code == 404
    assert cluster.send("GET", "/apis/example.com/v1").code == 404


@clause
def create_refuses_a_name_that_is_taken(cluster: Cluster, namespace: str) -> None:
    collection, body = CONFIG_MAPS.collection(namespace), config_map("a", {"x": "1"})

    first, second = cluster.create(collection, body), cluster.create(collection, body)

    assert first.code == 201
    assert (second.code, second.status.reason) == (409, "AlreadyExists")


@clause
def replace_refuses_an_older_version(cluster: Cluster, namespace: str) -> None:
    old = cluster.create(CONFIG_MAPS.collection(namespace), config_map("a", {"x": "1"})).document
    path = CONFIG_MAPS.path(namespace, "a")

    first = cluster.replace(path, {**old, "data": {"x": "2"}})
    second = cluster.replace(path, {**old, "data": {"x": "3"}})

    assert first.code == 200
    assert (second.code, second.status.reason) == (409, "Conflict")
    assert live(cluster, CONFIG_MAPS, namespace, "a")["data"] == {"x": "2"}


# Reading


@clause
def a_list_takes_label_and_field_selectors(cluster: Cluster, namespace: str) -> None:
    for name, labels in (("a", {"team": "x"}), ("b", {"team": "y"}), ("c", None)):
        put(cluster, CONFIG_MAPS, namespace, config_map(name, {"x": "1"}, dict(labels) if labels else None))
    collection = CONFIG_MAPS.collection(namespace)

    def names(label_selector: str = "", field_selector: str = "") -> list[str]:
        found = cluster.list(collection, label_selector=label_selector, field_selector=field_selector)
        assert found.resource_version != ""
        return sorted(name_of(item) for item in found.items if name_of(item) in {"a", "b", "c"})

    assert names() == ["a", "b", "c"]
    assert names("team=x") == ["a"]
    assert names("team") == ["a", "b"]
    assert names(field_selector="metadata.name=c") == ["c"]


@clause
def an_empty_list_has_a_version_to_watch_from(cluster: Cluster, namespace: str) -> None:
    found = cluster.list(DEPLOYMENTS.collection(namespace))

    assert found.items == ()
    assert int(found.resource_version) > 0


@clause
def a_listed_object_is_the_same_as_the_one_got(cluster: Cluster, namespace: str) -> None:
    put(cluster, SERVICES, namespace, service("web"))

    (listed,) = cluster.list(SERVICES.collection(namespace)).items

    got = live(cluster, SERVICES, namespace, "web")
    assert {**listed, "kind": "Service", "apiVersion": "v1"} == got


@clause
def a_watch_tells_every_change_in_order_and_ends_in_time(cluster: Cluster, namespace: str) -> None:
    collection = CONFIG_MAPS.collection(namespace)
    since = cluster.list(collection, label_selector="team=x").resource_version
    put(cluster, CONFIG_MAPS, namespace, config_map("a", {"x": "1"}, {"team": "x"}))
    put(cluster, CONFIG_MAPS, namespace, config_map("other", {"x": "1"}))
    put(cluster, CONFIG_MAPS, namespace, config_map("a", {"x": "2"}, {"team": "x"}))
    cluster.delete(CONFIG_MAPS.path(namespace, "a"))

    events = [
        (event.kind, name_of(event.document))
        for event in cluster.watch(collection, resource_version=since, timeout_s=1, label_selector="team=x")
        if event.kind != "BOOKMARK"
    ]

    assert events == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]


@clause
def discovery_names_plural_and_scope(cluster: Cluster, namespace: str) -> None:
    document = cluster.get("/apis/apps/v1") or {}

    found = [item for item in fields.objects(document, "resources") if item.get("kind") == "Deployment"]
    assert ("deployments", True) in [(fields.text(item, "name"), item.get("namespaced")) for item in found]


# Deleting


@clause
def a_delete_spares_an_object_of_another_uid(cluster: Cluster, namespace: str) -> None:
    made = put(cluster, CONFIG_MAPS, namespace, config_map("a", {"x": "1"}))
    path = CONFIG_MAPS.path(namespace, "a")

    assert cluster.delete(path, uid="00000000-0000-0000-0000-000000000000") is False
    assert cluster.get(path) is not None
    assert cluster.delete(path, uid=fields.text(made, "metadata", "uid")) is True
    assert cluster.get(path) is None
    assert cluster.delete(path) is False


@clause
def deleting_a_deployment_takes_its_pods_with_it(cluster: Cluster, namespace: str) -> None:
    put(cluster, DEPLOYMENTS, namespace, deployment("web"))
    eventually("a pod", lambda: len(cluster.list(PODS.collection(namespace)).items) == 1)

    assert cluster.delete(DEPLOYMENTS.path(namespace, "web"), propagation="Background") is True

    eventually("no replica set", lambda: not cluster.list(REPLICA_SETS.collection(namespace)).items)
    eventually("no pod", lambda: not cluster.list(PODS.collection(namespace)).items)


# Workloads


def _status(cluster: Cluster, namespace: str, name: str) -> tuple[int, int, int, int]:
    status = fields.mapping(live(cluster, DEPLOYMENTS, namespace, name), "status")
    names = ("observedGeneration", "replicas", "updatedReplicas", "availableReplicas")
    observed, replicas, updated, available = (fields.number(status, name) for name in names)
    return observed, replicas, updated, available


@clause
def a_deployment_becomes_available_and_its_status_says_for_which_generation(cluster: Cluster, namespace: str) -> None:
    put(cluster, DEPLOYMENTS, namespace, deployment("web", replicas=2))

    eventually("two available", lambda: _status(cluster, namespace, "web") == (1, 2, 2, 2))

    found = live(cluster, DEPLOYMENTS, namespace, "web")
    conditions = {
        fields.text(c, "type"): fields.text(c, "status") for c in fields.objects(found, "status", "conditions")
    }
    assert conditions == {"Available": "True", "Progressing": "True"}
    assert fields.text(found, "metadata", "annotations", "deployment.kubernetes.io/revision") == "1"


@clause
def the_status_does_not_touch_our_managed_fields(cluster: Cluster, namespace: str) -> None:
    made = put(cluster, DEPLOYMENTS, namespace, deployment("web"))

    eventually("available", lambda: _status(cluster, namespace, "web") == (1, 1, 1, 1))

    assert owned_by(live(cluster, DEPLOYMENTS, namespace, "web"), "spin-aks") == owned_by(made, "spin-aks")


@clause
def pods_belong_to_a_replica_set_that_belongs_to_the_deployment(cluster: Cluster, namespace: str) -> None:
    made = put(cluster, DEPLOYMENTS, namespace, deployment("web"))
    eventually("available", lambda: _status(cluster, namespace, "web") == (1, 1, 1, 1))

    (replica_set,) = cluster.list(REPLICA_SETS.collection(namespace), label_selector="app=web").items
    (pod,) = cluster.list(PODS.collection(namespace), label_selector="app=web").items

    (deployment_reference,) = fields.objects(replica_set, "metadata", "ownerReferences")
    (set_reference,) = fields.objects(pod, "metadata", "ownerReferences")
    assert deployment_reference["uid"] == fields.text(made, "metadata", "uid")
    assert set_reference["uid"] == fields.text(replica_set, "metadata", "uid")
    assert fields.text(replica_set, "metadata", "annotations", "deployment.kubernetes.io/revision") == "1"
    assert fields.text(pod, "metadata", "labels", "pod-template-hash") in name_of(replica_set)


@clause
def a_running_pod_says_so(cluster: Cluster, namespace: str) -> None:
    put(cluster, DEPLOYMENTS, namespace, deployment("web"))
    eventually("available", lambda: _status(cluster, namespace, "web") == (1, 1, 1, 1))

    (pod,) = cluster.list(PODS.collection(namespace)).items

    conditions = {fields.text(c, "type"): fields.text(c, "status") for c in fields.objects(pod, "status", "conditions")}
    (container,) = fields.objects(pod, "status", "containerStatuses")
    assert fields.text(pod, "status", "phase") == "Running"
    assert conditions["Ready"] == "True"
    assert (container["name"], container["ready"], container["restartCount"]) == ("web", True, 0)
    assert "running" in fields.mapping(container, "state")
    assert fields.text(pod, "spec", "nodeName") != ""


@clause
def a_new_image_makes_a_new_replica_set_and_empties_the_old(cluster: Cluster, namespace: str) -> None:
    put(cluster, DEPLOYMENTS, namespace, deployment("web"))
    eventually("available", lambda: _status(cluster, namespace, "web") == (1, 1, 1, 1))

    put(cluster, DEPLOYMENTS, namespace, deployment("web", image="example/app:2"))

    eventually("replaced", lambda: _status(cluster, namespace, "web") == (2, 1, 1, 1))
    sets = {
        fields.text(item, "metadata", "annotations", "deployment.kubernetes.io/revision"): item
        for item in cluster.list(REPLICA_SETS.collection(namespace)).items
    }
    assert {key: fields.number(item, "spec", "replicas") for key, item in sets.items()} == {"1": 0, "2": 1}
    annotation = ("metadata", "annotations", "deployment.kubernetes.io/revision")
    assert fields.text(live(cluster, DEPLOYMENTS, namespace, "web"), *annotation) == "2"


@clause
def pods_of_a_missing_runtime_class_are_refused_in_words(cluster: Cluster, namespace: str) -> None:
    body = deployment("web")
    fields.mapping(body, "spec", "template", "spec")["runtimeClassName"] = "nope"
    put(cluster, DEPLOYMENTS, namespace, body)

    def refused() -> str:
        conditions = fields.objects(live(cluster, DEPLOYMENTS, namespace, "web"), "status", "conditions")
        return next((fields.text(c, "message") for c in conditions if c.get("type") == "ReplicaFailure"), "")

    eventually("a refusal", lambda: bool(refused()))

    assert 'RuntimeClass "nope" not found' in refused()
    assert cluster.list(PODS.collection(namespace)).items == ()


@clause
def a_deployments_progress_can_be_watched(cluster: Cluster, namespace: str) -> None:
    since = cluster.list(DEPLOYMENTS.collection(namespace)).resource_version
    put(cluster, DEPLOYMENTS, namespace, deployment("web"))

    # By commands it takes all of that time, since a command tells what it saw when it ends.
    watch = cluster.watch(
        DEPLOYMENTS.collection(namespace), resource_version=since, timeout_s=6, field_selector="metadata.name=web"
    )
    seen = []
    for event in watch:
        seen.append(event.kind)
        if fields.number(event.document, "status", "availableReplicas") == 1:
            break

    assert seen[0] == "ADDED"
    assert set(seen[1:]) == {"MODIFIED"}


@clause
def events_can_be_listed_by_what_they_are_about(cluster: Cluster, namespace: str) -> None:
    put(cluster, DEPLOYMENTS, namespace, deployment("web"))
    collection, about = EVENTS.collection(namespace), "involvedObject.name=web"

    eventually("an event", lambda: bool(cluster.list(collection, field_selector=about).items))

    event = cluster.list(collection, field_selector=about).items[0]
    assert fields.text(event, "involvedObject", "kind") == "Deployment"
    assert fields.text(event, "reason") == "ScalingReplicaSet"
    assert fields.text(event, "type") == "Normal"
    assert "Scaled up replica set web-" in fields.text(event, "message")


@clause
def the_log_of_a_missing_pod_is_no_log(cluster: Cluster, namespace: str) -> None:
    assert cluster.log(namespace, "nope", "web", tail_lines=5) == ""


# Services


@clause
def a_service_gets_an_address_inside_the_cluster(cluster: Cluster, namespace: str) -> None:
    made = put(cluster, SERVICES, namespace, service("web"))

    assert fields.text(made, "spec", "clusterIP").count(".") == 3
    assert fields.text(made, "spec", "type") == "ClusterIP"


@clause
def a_load_balancers_status_is_there_to_be_read(cluster: Cluster, namespace: str) -> None:
    made = put(cluster, SERVICES, namespace, service("web", "LoadBalancer"))

    assert fields.text(made, "spec", "type") == "LoadBalancer"
    assert fields.at(made, "status", "loadBalancer") is not None
