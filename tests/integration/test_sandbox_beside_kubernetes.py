"""The sandbox's API server beside the real one: the same requests to both, the same objects and refusals from both.

Needs the real API server of the test bed. What is compared leaves out what no two servers have in common: identities,
times, addresses.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spin_aks.cluster.connection import Answer, Cluster, connect
from spin_aks.sandbox import start

if TYPE_CHECKING:
    from collections.abc import Iterator

_numbers = itertools.count(1)
SERVERS_OWN = frozenset(
    {"uid", "resourceVersion", "creationTimestamp", "managedFields", "clusterIP", "clusterIPs", "nodePort"}
)
EXAMPLES = 25
PEOPLE = ("spin-aks", "somebody")
CONTROLLERS_OWN = "deployment.kubernetes.io/revision"


@pytest.fixture(scope="module")
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cluster, Cluster]]:
    real = connect(str(request.getfixturevalue("kubernetes").kubeconfig), "")
    with start(tmp_path_factory.mktemp("sandbox")) as running:
        yield real, connect(str(running.kubeconfig), "")


@pytest.fixture(scope="module")
def namespace(both: tuple[Cluster, Cluster]) -> Iterator[str]:
    name = f"beside-{next(_numbers)}"
    path = f"/api/v1/namespaces/{name}"
    for cluster in both:
        cluster.apply(path, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    for cluster in both:
        cluster.delete(path)


def comparable(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: comparable(item) for key, item in value.items() if key not in {*SERVERS_OWN, CONTROLLERS_OWN}}
        return {key: item for key, item in kept.items() if (key, item) != ("annotations", {})}
    return [comparable(item) for item in value] if isinstance(value, list) else value


def owners(document: dict[str, Any]) -> list[Any]:
    """Who owns what, without times and without what controllers wrote into the status."""
    of_people = [e for e in document["metadata"].get("managedFields", []) if e["manager"] in PEOPLE]
    return sorted(([entry["manager"], entry["operation"], entry["fieldsV1"]] for entry in of_people), key=repr)


def outcome(answer: Answer) -> Any:
    """What a client sees of an answer: the object and its owners, or the refusal."""
    if answer.ok:
        document = {key: value for key, value in answer.document.items() if key != "status"}
        return answer.code, comparable(document), owners(answer.document)
    return answer.code, answer.status.reason, sorted(cause.field for cause in answer.status.causes)


names = st.sampled_from(["a", "b", "c"])
values = st.sampled_from(["1", "2"])
managers = st.sampled_from(PEOPLE)
entries_ = st.dictionaries(names, values, max_size=3)
a_variable = st.builds(lambda name, value: {"name": name, "value": value}, names, st.sampled_from(["1", "2", ""]))
variables = st.lists(a_variable, unique_by=lambda variable: variable["name"], max_size=3)
ports = st.lists(st.sampled_from([80, 81, 443]), unique=True, max_size=2)


@st.composite
def containers(draw: st.DrawFn) -> list[dict[str, Any]]:
    found = []
    for name in draw(st.lists(names, unique=True, min_size=1, max_size=3)):
        container: dict[str, Any] = {"name": name, "image": f"example/{draw(values)}:1"}
        if variables_ := draw(variables):
            container["env"] = variables_
        if numbers := draw(ports):
            container["ports"] = [{"containerPort": number} for number in numbers]
        if draw(st.booleans()):
            container["command"] = ["/", draw(values)]
        if limits := draw(st.dictionaries(st.sampled_from(["cpu", "memory"]), values)):
            container["resources"] = {"limits": limits}
        if draw(st.booleans()):
            container["securityContext"] = {"capabilities": {"drop": ["ALL"]}, "runAsUser": int(draw(values))}
        found.append(container)
    return found


@st.composite
def deployments(draw: st.DrawFn) -> dict[str, Any]:
    pod: dict[str, Any] = {"containers": draw(containers())}
    if draw(st.booleans()):
        pod["runtimeClassName"] = draw(names)
    if selector := draw(entries_):
        pod["nodeSelector"] = selector
    volumes = draw(st.lists(names, unique=True, max_size=2))
    if volumes:
        pod["volumes"] = [{"name": name, "emptyDir": {}} for name in volumes]
    metadata: dict[str, Any] = {"labels": {"app": "x"}}
    if annotations := draw(entries_):
        metadata["annotations"] = annotations
    spec: dict[str, Any] = {"replicas": 0, "selector": {"matchLabels": {"app": "x"}}}
    if draw(st.booleans()):
        spec["strategy"] = {"type": draw(st.sampled_from(["Recreate", "RollingUpdate"]))}
    return {"spec": {**spec, "template": {"metadata": metadata, "spec": pod}}, "metadata": {"labels": draw(entries_)}}


@st.composite
def services(draw: st.DrawFn) -> dict[str, Any]:
    listed = [{"name": f"p{number}", "port": number} for number in draw(ports)] or [{"name": "p", "port": 8080}]
    kind = draw(st.sampled_from(["ClusterIP", "LoadBalancer"]))
    return {"spec": {"selector": draw(entries_), "ports": listed, "type": kind}}


KINDS: dict[str, tuple[str, str, str, st.SearchStrategy[dict[str, Any]]]] = {
    "configmap": ("/api/v1", "v1", "ConfigMap", st.fixed_dictionaries({"data": entries_})),
    "service": ("/api/v1", "v1", "Service", services()),
    "deployment": ("/apis/apps/v1", "apps/v1", "Deployment", deployments()),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_series_of_applies_ends_in_the_same_objects_owners_and_conflicts(
    kind: str, both: tuple[Cluster, Cluster], namespace: str
) -> None:
    root, api_version, title, bodies = KINDS[kind]
    steps = st.lists(st.tuples(managers, st.booleans(), bodies), min_size=1, max_size=4)

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(steps)
    def same(series: list[tuple[str, bool, dict[str, Any]]]) -> None:
        name = f"x{next(_numbers)}"
        path = f"{root}/namespaces/{namespace}/{kind}s/{name}"
        for manager, force, body in series:
            metadata = {**body.get("metadata", {}), "name": name}
            whole = {"apiVersion": api_version, "kind": title, **body, "metadata": metadata}
            query = {"fieldManager": manager, "force": "true" if force else "false"}
            real, ours = (c.send("PATCH", path, query, whole, "application/apply-patch+yaml") for c in both)
            assert outcome(real) == outcome(ours)
        for cluster in both:
            cluster.delete(path)

    same()


def workload(**changes: Any) -> dict[str, Any]:
    """A Deployment that both accept, but for `changes` to its spec, its pod or its container."""
    container = {"name": "web", "image": "example/app:1", **changes.pop("container", {})}
    pod = {"containers": [{k: v for k, v in container.items() if v is not None}], **changes.pop("pod", {})}
    template = {"metadata": {"labels": {"app": "x"}}, "spec": pod}
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": "x"}}, "template": template, **changes}
    return {"spec": {k: v for k, v in spec.items() if v is not None}}


def service(*ports: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"spec": {"ports": list(ports), **spec}}


HTTP = {"name": "http", "port": 80}
REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "no selector": ("Deployment", workload(selector=None)),
    "a selector that does not fit": ("Deployment", workload(selector={"matchLabels": {"app": "y"}})),
    "no containers": ("Deployment", workload(pod={"containers": []})),
    "a container without a name": ("Deployment", workload(container={"name": None})),
    "a container without an image": ("Deployment", workload(container={"image": None})),
    "a container with a wrong name": ("Deployment", workload(container={"name": "Web_1"})),
    "a negative number of replicas": ("Deployment", workload(replicas=-1)),
    "a text as number of replicas": ("Deployment", workload(replicas="many")),
    "a field that is none": ("Deployment", workload(replica=1)),
    "a field that is none, deep down": ("Deployment", workload(container={"enviroment": []})),
    "a volume that is not there": (
        "Deployment",
        workload(container={"volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}]}),
    ),
    "a restart policy for jobs": ("Deployment", workload(pod={"restartPolicy": "Never"})),
    "a variable without a name": ("Deployment", workload(container={"env": [{"value": "x"}]})),
    "a wrong strategy": ("Deployment", workload(strategy={"type": "Wrong"})),
    "a wrong label": ("Deployment", {**workload(), "metadata": {"labels": {"app": "a b"}}}),
    "a wrong label's name": ("Deployment", {**workload(), "metadata": {"labels": {"a b": "x"}}}),
    "a list for a map": ("Deployment", {**workload(), "metadata": {"labels": ["x"]}}),
    "a service without ports": ("Service", service()),
    "two ports without names": ("Service", service({"port": 80}, {"port": 81})),
    "a port too high": ("Service", service({"name": "http", "port": 70000})),
    "a port without a number": ("Service", service({"name": "http"})),
    "a service of no type": ("Service", service(HTTP, type="Wrong")),
    "a number as a value": ("ConfigMap", {"data": {"a": 1}}),
    "an unknown field": ("ConfigMap", {"dat": {"a": "1"}}),
    "a runtime class without handler": ("RuntimeClass", {}),
    "a role binding without a role": ("RoleBinding", {"subjects": []}),
    "a job that restarts always": ("Job", {"spec": {"template": workload()["spec"]["template"]}}),
}
PLACES = {
    "Deployment": ("/apis/apps/v1", "apps/v1", "deployments"),
    "Service": ("/api/v1", "v1", "services"),
    "ConfigMap": ("/api/v1", "v1", "configmaps"),
    "RuntimeClass": ("/apis/node.k8s.io/v1", "node.k8s.io/v1", "runtimeclasses"),
    "RoleBinding": ("/apis/rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io/v1", "rolebindings"),
    "Job": ("/apis/batch/v1", "batch/v1", "jobs"),
}


def collection(kind: str, namespace: str) -> str:
    root, _, plural = PLACES[kind]
    return f"{root}/{plural}" if kind == "RuntimeClass" else f"{root}/namespaces/{namespace}/{plural}"


def named(kind: str, name: str, body: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": name, **body.get("metadata", {})}
    return {"apiVersion": PLACES[kind][1], "kind": kind, **body, "metadata": metadata}


@pytest.mark.parametrize("case", REFUSED)
def test_what_one_refuses_to_apply_the_other_refuses_by_the_same_field(
    case: str, both: tuple[Cluster, Cluster], namespace: str
) -> None:
    kind, body = REFUSED[case]
    path = f"{collection(kind, namespace)}/refused"
    real, ours = (cluster.apply(path, named(kind, "refused", body)) for cluster in both)

    assert not real.ok
    assert outcome(real) == outcome(ours)


@pytest.mark.parametrize("case", REFUSED)
def test_what_one_refuses_to_create_the_other_refuses_by_the_same_field(
    case: str, both: tuple[Cluster, Cluster], namespace: str
) -> None:
    kind, body = REFUSED[case]
    query = {"fieldValidation": "Strict", "dryRun": "All"}
    path, whole = collection(kind, namespace), named(kind, "refused", body)
    real, ours = (cluster.send("POST", path, query, whole) for cluster in both)

    assert not real.ok
    assert outcome(real) == outcome(ours)


@pytest.mark.parametrize("name", ["Web", "web_1", "-web", "web-", "a" * 254, "a" * 64, "web.x", "1web"])
@pytest.mark.parametrize("kind", ["Service", "ConfigMap", "RuntimeClass", "RoleBinding"])
def test_both_take_and_refuse_the_same_names(
    kind: str, name: str, both: tuple[Cluster, Cluster], namespace: str
) -> None:
    role = {"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"}}
    bodies = {"Service": service(HTTP), "ConfigMap": {}, "RuntimeClass": {"handler": "spin"}, "RoleBinding": role}
    path, whole = collection(kind, namespace), named(kind, name, bodies[kind])
    real, ours = (cluster.send("POST", path, {"dryRun": "All"}, whole) for cluster in both)

    assert (real.code, real.status.reason) == (ours.code, ours.status.reason)


CHANGES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "more replicas": ("Deployment", workload(), {"spec": {"replicas": None, "revisionHistoryLimit": 3}}),
    "a label": ("Deployment", workload(), {"metadata": {"labels": {"a": "b"}}}),
    "another selector": ("Deployment", workload(), {"spec": {"selector": {"matchLabels": {"app": "y"}}}}),
    "an annotation taken away": (
        "ConfigMap",
        {"metadata": {"annotations": {"a": "1", "b": "2"}}},
        {"metadata": {"annotations": {"a": None}}},
    ),
    "an entry": ("ConfigMap", {"data": {"a": "1"}}, {"data": {"a": None, "b": "2"}}),
    "a service's type": ("Service", service(HTTP), {"spec": {"type": "LoadBalancer"}}),
    "a service's address": ("Service", service(HTTP), {"spec": {"clusterIP": "10.96.200.1"}}),
    "a list": ("Service", service(HTTP), {"spec": {"ports": [{"name": "b", "port": 81}]}}),
    "an unknown field": ("ConfigMap", {}, {"dat": {}}),
}


@pytest.mark.parametrize("case", CHANGES)
def test_both_make_the_same_of_somebody_elses_change(case: str, both: tuple[Cluster, Cluster], namespace: str) -> None:
    kind, body, patch = CHANGES[case]
    name = f"changed{next(_numbers)}"
    path = f"{collection(kind, namespace)}/{name}"
    ends = []
    for cluster in both:
        assert cluster.apply(path, named(kind, name, body)).ok
        query = {"fieldManager": "somebody", "fieldValidation": "Strict"}
        changed = cluster.send("PATCH", path, query, patch, "application/merge-patch+json")
        again = cluster.apply(path, named(kind, name, body))
        ends.append([outcome(changed), outcome(again)])

    assert ends[0] == ends[1]
