"""Applying to a real API server, and pruning in it (needs the test bed's Kubernetes)."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import uuid
from typing import TYPE_CHECKING

import pytest
from integration.cluster_contract import (
    config_map,
    deployment,
    eventually,
    live,
    put,
    put_as,
    runtime_class,
    service,
)
from integration.cluster_proxy import way_to

from spin_aks.cluster import fields, inventory
from spin_aks.cluster.apply import apply
from spin_aks.cluster.connection import Cluster, connect
from spin_aks.cluster.refusals import UnreachableError
from spin_aks.cluster.resources import CONFIG_MAPS, DEPLOYMENTS, NAMESPACES, RUNTIME_CLASSES, SERVICES, Resource
from spin_aks.errors import ClusterError
from spin_aks.kubernetes_object import KubernetesObject

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.cluster import Kubernetes

    from spin_aks.cluster.applied import Applied
    from spin_aks.json_types import JSONObject

APP = "web"


def claim(name: str) -> JSONObject:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }


def namespace_object(name: str) -> JSONObject:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def applied(
    cluster: Cluster,
    namespace: str,
    *bodies: JSONObject,
    said: list[str] | None = None,
    force: bool = False,
    previous: Applied | None = None,
) -> Applied:
    lines = [] if said is None else said
    return apply(
        cluster,
        [KubernetesObject.of(body) for body in bodies],
        application=APP,
        namespace=namespace,
        previous=previous,
        progress=lines.append,
        force=force,
    )


def refused(cluster: Cluster, namespace: str, *bodies: JSONObject) -> list[tuple[str, str]]:
    """What is wrong and the hint, of each problem."""
    with pytest.raises(ClusterError) as caught:
        applied(cluster, namespace, *bodies)
    return [(str(problem), problem.hint) for problem in caught.value.problems]


def names(cluster: Cluster, namespace: str) -> list[str]:
    """The ConfigMaps of a test, without those that Kubernetes and the tool keep there."""
    found = cluster.list(CONFIG_MAPS.collection(namespace)).items
    kept = (fields.text(item, "metadata", "name") for item in found)
    return sorted(name for name in kept if name not in {"kube-root-ca.crt", inventory.name_for(APP)})


def listed(cluster: Cluster, namespace: str) -> list[str]:
    return sorted(str(entry.key) for entry in inventory.read(cluster, namespace, APP))


@pytest.fixture
def cluster(kubernetes: Kubernetes) -> Cluster:
    return connect(str(kubernetes.kubeconfig), "")


@pytest.fixture
def fresh(cluster: Cluster) -> Iterator[str]:
    """A namespace that does not exist yet."""
    name = f"fresh-{uuid.uuid4().hex[:8]}"
    yield name
    cluster.delete(NAMESPACES.path("", name))


@pytest.fixture
def spin(cluster: Cluster) -> Iterator[str]:
    """The name of a RuntimeClass that does not exist yet."""
    name = f"spin-{uuid.uuid4().hex[:8]}"
    yield name
    cluster.delete(RUNTIME_CLASSES.path("", name))


def test_everything_is_made_in_order_and_the_second_time_nothing_changes(
    cluster: Cluster, fresh: str, spin: str
) -> None:
    bodies = (service("web"), runtime_class(spin, "spin"), config_map("a", {"x": "1"}), namespace_object(fresh))
    first: list[str] = []
    second: list[str] = []

    applied(cluster, fresh, *bodies, said=first)
    applied(cluster, fresh, *bodies, said=second)

    assert first == [
        f"Namespace {fresh} created",
        f"Service {fresh}/web created",
        f"RuntimeClass {spin} created",
        f"ConfigMap {fresh}/a created",
    ]
    assert second == [line.replace("created", "unchanged") for line in first]


def test_a_change_is_told_as_one(cluster: Cluster, namespace: str) -> None:
    said: list[str] = []
    applied(cluster, namespace, config_map("a", {"x": "1"}), service("web"))

    applied(cluster, namespace, config_map("a", {"x": "2"}), service("web"), said=said)

    assert said == [f"ConfigMap {namespace}/a changed", f"Service {namespace}/web unchanged"]


def test_objects_without_a_namespace_go_to_the_applications_and_bear_its_label(
    cluster: Cluster, namespace: str
) -> None:
    result = applied(cluster, namespace, config_map("a", {"x": "1"}, {"team": "blue"}))

    labels = fields.mapping(live(cluster, CONFIG_MAPS, namespace, "a"), "metadata", "labels")
    assert labels == {"team": "blue", "spin-aks.dev/application": APP}
    assert [str(item.key) for item in result.objects] == [f"ConfigMap {namespace}/a"]


def test_shared_objects_bear_no_applications_label(cluster: Cluster, namespace: str, spin: str) -> None:
    applied(cluster, namespace, runtime_class(spin, "spin"))

    found = live(cluster, RUNTIME_CLASSES, "", spin)
    assert fields.mapping(found, "metadata", "labels") == {"app.kubernetes.io/managed-by": "spin-aks"}


def test_what_was_applied_is_returned_as_the_server_has_it(cluster: Cluster, namespace: str) -> None:
    result = applied(cluster, namespace, deployment("web", replicas=0, image="reg/web@sha256:1"))

    (item,) = result.objects
    found = live(cluster, DEPLOYMENTS, namespace, "web")
    assert (item.uid, item.plural) == (fields.text(found, "metadata", "uid"), "deployments")
    assert dict(item.owned).keys() >= {"spec.replicas", "spec.template.spec.containers[name=web].image"}
    assert (result.image, result.namespace, result.target.identity) == ("reg/web@sha256:1", namespace, cluster.identity)


# Checks before the first write


def test_every_refusal_is_reported_at_once_and_nothing_is_written(cluster: Cluster, namespace: str) -> None:
    problems = refused(
        cluster,
        namespace,
        config_map("good", {"x": "1"}),
        service("bad", "Wrong"),
        {**config_map("odd", {}), "typo": 1},
    )

    assert [what.split(": ")[0] for what, _ in problems] == [f"Service {namespace}/bad", f"ConfigMap {namespace}/odd"]
    assert "`spec.type` is not valid" in problems[0][0]
    assert ".typo: field not declared in schema" in problems[1][0]
    assert (names(cluster, namespace), listed(cluster, namespace)) == ([], [])


def test_in_a_namespace_to_be_made_only_the_namespace_is_made_before_the_checks(cluster: Cluster, fresh: str) -> None:
    refused(cluster, fresh, namespace_object(fresh), config_map("good", {"x": "1"}), service("bad", "Wrong"))

    assert names(cluster, fresh) == []


def test_a_namespace_that_nobody_makes_is_refused(cluster: Cluster, fresh: str) -> None:
    assert refused(cluster, fresh, config_map("a", {"x": "1"})) == [
        (
            f"{cluster.server}: there is no namespace `{fresh}`",
            f"`kubectl create namespace {fresh}`, or add a Namespace to the manifests",
        )
    ]


def test_a_namespace_on_its_way_out_is_waited_for_and_made_anew(cluster: Cluster, fresh: str) -> None:
    said: list[str] = []
    first = put(cluster, NAMESPACES, "", namespace_object(fresh))
    put(cluster, CONFIG_MAPS, fresh, config_map("old", {"x": "1"}))
    cluster.delete(NAMESPACES.path("", fresh))

    applied(cluster, fresh, namespace_object(fresh), config_map("a", {"x": "1"}), said=said)

    assert said == [
        f"namespace {fresh} is being deleted: waiting until it is gone",
        f"Namespace {fresh} created",
        f"ConfigMap {fresh}/a created",
    ]
    now = live(cluster, NAMESPACES, "", fresh)
    assert fields.text(now, "metadata", "uid") != fields.text(first, "metadata", "uid")
    assert names(cluster, fresh) == ["a"]


def test_a_runtime_class_with_another_handler_stops_everything(cluster: Cluster, namespace: str, spin: str) -> None:
    assert put_as("runtime-class-manager", cluster, RUNTIME_CLASSES, "", runtime_class(spin, "spin-v2")).ok

    assert refused(cluster, namespace, config_map("a", {"x": "1"}), runtime_class(spin, "spin")) == [
        (
            f"RuntimeClass {spin}: it is there with handler `spin-v2` (the one that runtime-class-manager configures "
            "on nodes), and the manifests want `spin` (the one that KWASM's installer configures on nodes); it was "
            "made by `runtime-class-manager`",
            "set `handler: spin-v2` in the manifests if the nodes run Spin by that one; else "
            f"`kubectl delete runtimeclass {spin}` once no pod needs it, and run the same command again",
        )
    ]
    assert names(cluster, namespace) == []


def test_a_runtime_class_that_pods_want_and_nobody_has_is_refused(cluster: Cluster, namespace: str) -> None:
    body = deployment("web")
    fields.mapping(body, "spec", "template", "spec")["runtimeClassName"] = "nope"

    assert refused(cluster, namespace, body) == [
        (
            f"Deployment {namespace}/web: its pods want RuntimeClass `nope`, which is not there",
            "`kubectl get runtimeclass` lists those there are",
        )
    ]


def test_an_immutable_field_is_refused_before_anything_is_written(cluster: Cluster, namespace: str) -> None:
    applied(cluster, namespace, deployment("web", replicas=0))

    ((what, hint),) = refused(cluster, namespace, config_map("a", {"x": "1"}), deployment("web", app="other"))

    assert what == f"Deployment {namespace}/web: `spec.selector` can't be changed once the Deployment is there"
    assert f"`kubectl delete deployment web --namespace {namespace}`" in hint
    assert names(cluster, namespace) == []


def test_a_kind_that_the_cluster_does_not_have_says_what_brings_it(cluster: Cluster, namespace: str) -> None:
    body = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "web"}}

    assert refused(cluster, namespace, config_map("a", {"x": "1"}), body) == [
        (
            "ScaledObject web: the cluster has no kind ScaledObject in keda.sh/v1alpha1",
            "`az aks update --enable-keda` brings it",
        )
    ]


def definition(group: str) -> JSONObject:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"gadgets.{group}"},
        "spec": {
            "group": group,
            "names": {"kind": "Gadget", "listKind": "GadgetList", "plural": "gadgets", "singular": "gadget"},
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }


def test_a_definition_and_an_object_of_its_kind_can_come_together(cluster: Cluster, namespace: str) -> None:
    group = f"g{uuid.uuid4().hex[:8]}.example.com"
    gadget: JSONObject = {"apiVersion": f"{group}/v1", "kind": "Gadget", "metadata": {"name": "g"}, "size": 3}
    definitions = Resource("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", False)

    try:
        result = applied(cluster, namespace, gadget, definition(group))
        known = applied(cluster, namespace, gadget, previous=result)

        gadgets = Resource(f"{group}/v1", "Gadget", "gadgets", namespaced=True)
        assert live(cluster, gadgets, namespace, "g")["size"] == 3
        assert [item.path for item in known.objects] == [f"/apis/{group}/v1/namespaces/{namespace}/gadgets/g"]
        assert cluster.get(definitions.path("", f"gadgets.{group}")) is not None
    finally:
        cluster.delete(definitions.path("", f"gadgets.{group}"))


# Conflicts


def test_a_field_that_somebody_changed_is_a_conflict_that_names_both(cluster: Cluster, namespace: str) -> None:
    applied(cluster, namespace, service("web"), config_map("a", {"x": "1"}))
    assert put_as("jane", cluster, CONFIG_MAPS, namespace, config_map("a", {"x": "2"}), force=True).ok

    assert refused(cluster, namespace, service("web"), config_map("a", {"x": "1"})) == [
        (
            f"ConfigMap {namespace}/a: `jane` has set `data.x` to another value",
            "`--force-conflicts` puts our values back; or take those fields out of the manifests,"
            " and they stay as they are",
        )
    ]


def test_with_force_our_values_are_put_back(cluster: Cluster, namespace: str) -> None:
    applied(cluster, namespace, config_map("a", {"x": "1"}))
    assert put_as("jane", cluster, CONFIG_MAPS, namespace, config_map("a", {"x": "2", "y": "2"}), force=True).ok

    applied(cluster, namespace, config_map("a", {"x": "1"}), force=True)

    assert live(cluster, CONFIG_MAPS, namespace, "a")["data"] == {"x": "1", "y": "2"}


# Rights


def rules(*more: dict[str, list[str]]) -> list[dict[str, list[str]]]:
    maps = {
        "apiGroups": [""],
        "resources": ["configmaps"],
        "verbs": ["get", "list", "create", "update", "patch", "delete"],
    }
    return [maps, *more]


def test_a_missing_right_is_named_for_each_object_before_anything_is_written(
    kubernetes: Kubernetes, cluster: Cluster, namespace: str
) -> None:
    limited = connect(str(kubernetes.kubeconfig_for(namespace, rules())), "")

    problems = refused(limited, namespace, config_map("a", {"x": "1"}), deployment("web"), service("web"))

    assert [what.split(": ")[0] for what, _ in problems] == [f"Deployment {namespace}/web", f"Service {namespace}/web"]
    assert f"may not patch deployments.apps in namespace `{namespace}`" in problems[0][0]
    assert f"`kubectl auth can-i patch services --namespace {namespace}`" in problems[1][1]
    assert names(cluster, namespace) == []


def test_who_may_not_write_a_namespace_may_still_work_in_it(
    kubernetes: Kubernetes, cluster: Cluster, namespace: str
) -> None:
    look = {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]}
    limited = connect(str(kubernetes.kubeconfig_for(namespace, rules(look))), "")
    said: list[str] = []

    result = applied(limited, namespace, namespace_object(namespace), config_map("a", {"x": "1"}), said=said)

    assert said == [
        f"Namespace {namespace} stands already; it is not ours to write",
        f"ConfigMap {namespace}/a created",
    ]
    assert [str(item.key) for item in result.objects] == [f"ConfigMap {namespace}/a"]
    assert names(cluster, namespace) == ["a"]


def test_who_may_not_even_look_at_the_namespace_may_work_in_it(kubernetes: Kubernetes, namespace: str) -> None:
    limited = connect(str(kubernetes.kubeconfig_for(namespace, rules())), "")

    applied(limited, namespace, config_map("a", {"x": "1"}))

    assert names(limited, namespace) == ["a"]


# Pruning


def test_what_went_out_of_the_manifests_is_deleted_and_nothing_else(cluster: Cluster, namespace: str) -> None:
    said: list[str] = []
    put_as("jane", cluster, CONFIG_MAPS, namespace, config_map("janes", {"x": "1"}))
    applied(cluster, namespace, config_map("a", {"x": "1"}), config_map("b", {"x": "1"}), service("web"))

    applied(cluster, namespace, config_map("a", {"x": "1"}), said=said)

    assert said == [
        f"ConfigMap {namespace}/a unchanged",
        f"ConfigMap {namespace}/b deleted: it is no longer in the manifests",
        f"Service {namespace}/web deleted: it is no longer in the manifests",
    ]
    assert names(cluster, namespace) == ["a", "janes"]
    assert listed(cluster, namespace) == [f"ConfigMap {namespace}/a"]


def test_another_machine_prunes_the_same(kubernetes: Kubernetes, cluster: Cluster, namespace: str) -> None:
    applied(cluster, namespace, config_map("a", {"x": "1"}), config_map("b", {"x": "1"}))
    other_machine = connect(str(kubernetes.kubeconfig_with_certificate), "")

    applied(other_machine, namespace, config_map("a", {"x": "1"}), previous=None)

    assert names(cluster, namespace) == ["a"]


def test_a_lost_inventory_is_made_up_for_by_what_this_machine_remembers(cluster: Cluster, namespace: str) -> None:
    previous = applied(cluster, namespace, config_map("a", {"x": "1"}), config_map("b", {"x": "1"}))
    cluster.delete(CONFIG_MAPS.path(namespace, inventory.name_for(APP)))

    applied(cluster, namespace, config_map("a", {"x": "1"}), previous=previous)

    assert names(cluster, namespace) == ["a"]


def test_a_broken_inventory_is_written_anew(cluster: Cluster, namespace: str) -> None:
    applied(cluster, namespace, config_map("a", {"x": "1"}))
    broken = config_map(inventory.name_for(APP), {"objects": 'no entry\n["v1"]\n{}\n'})
    assert put_as("jane", cluster, CONFIG_MAPS, namespace, broken, force=True).ok

    applied(cluster, namespace, config_map("a", {"x": "1"}))

    assert listed(cluster, namespace) == [f"ConfigMap {namespace}/a"]


def test_what_is_not_ours_alone_is_left_with_a_notice(
    kubernetes: Kubernetes, cluster: Cluster, namespace: str, spin: str
) -> None:
    elsewhere = kubernetes.new_namespace()
    outside = config_map("outside", {"x": "1"})
    fields.mapping(outside, "metadata")["namespace"] = elsewhere
    kept = config_map("kept", {"x": "1"})
    made = [config_map(name, {"x": "1"}) for name in ("shared", "taken", "unlabelled")]
    applied(cluster, namespace, kept, *made, outside, runtime_class(spin, "spin"), claim("disk"))
    assert put_as("argocd", cluster, CONFIG_MAPS, namespace, config_map("shared", {"y": "1"})).ok
    assert put_as(
        "jane", cluster, CONFIG_MAPS, namespace, config_map("taken", {}, {"spin-aks.dev/application": "x"}), force=True
    ).ok
    kubernetes.api.merge(
        CONFIG_MAPS.path(namespace, "unlabelled"), {"metadata": {"labels": {"spin-aks.dev/application": None}}}
    )
    said: list[str] = []

    applied(cluster, namespace, kept, said=said)

    left = "is no longer in the manifests, and left there"
    assert set(said) == {
        f"ConfigMap {namespace}/kept unchanged",
        f"RuntimeClass {spin} {left}: it belongs to the whole cluster",
        f"ConfigMap {elsewhere}/outside {left}: it is outside the application's namespace",
        f"ConfigMap {namespace}/shared {left}: `argocd` applies it too",
        f"ConfigMap {namespace}/taken {left}: its label says application `x`",
        f"ConfigMap {namespace}/unlabelled {left}: somebody took our label off it",
        f"PersistentVolumeClaim {namespace}/disk {left}: its volume holds data",
    }
    assert names(cluster, namespace) == ["kept", "shared", "taken", "unlabelled"]
    assert listed(cluster, namespace) == [f"ConfigMap {namespace}/kept"]


def test_an_object_made_anew_by_somebody_else_is_left(cluster: Cluster, namespace: str) -> None:
    applied(cluster, namespace, config_map("a", {"x": "1"}), config_map("b", {"x": "1"}))
    cluster.delete(CONFIG_MAPS.path(namespace, "b"))
    again = config_map("b", {"x": "1"}, {"spin-aks.dev/application": APP})
    assert put_as("jane", cluster, CONFIG_MAPS, namespace, again).ok

    applied(cluster, namespace, config_map("a", {"x": "1"}))

    assert names(cluster, namespace) == ["a", "b"]


def test_two_applications_in_one_namespace_leave_each_other_alone(cluster: Cluster, namespace: str) -> None:
    applied(cluster, namespace, config_map("a", {"x": "1"}))
    other = [KubernetesObject.of(config_map("b", {"x": "1"}))]

    apply(cluster, other, application="other", namespace=namespace, previous=None, progress=lambda line: None)
    applied(cluster, namespace, config_map("c", {"x": "1"}))

    assert names(cluster, namespace) == ["b", "c", inventory.name_for("other")]


def test_another_namespace_is_another_deployment_and_the_former_one_is_named(
    kubernetes: Kubernetes, cluster: Cluster, namespace: str
) -> None:
    previous = applied(cluster, namespace, config_map("a", {"x": "1"}))
    said: list[str] = []

    applied(cluster, kubernetes.new_namespace(), config_map("a", {"x": "1"}), previous=previous, said=said)

    assert said[0].startswith(f"namespace {namespace} keeps what was applied there before; `kubectl delete")
    assert names(cluster, namespace) == ["a"]


def test_two_writers_of_the_inventory_lose_nothing_of_each_others(cluster: Cluster, namespace: str) -> None:
    one, two = (inventory.Entry("v1", "ConfigMap", namespace, name, "configmaps") for name in ("one", "two"))
    real = cluster.create
    calls: list[str] = []

    def create_after_another(path: str, body: JSONObject) -> object:
        if not calls:
            calls.append("meanwhile")
            inventory.add(connect_again, namespace, APP, [two])
        return real(path, body)

    connect_again = Cluster.__new__(Cluster)
    connect_again.__dict__.update(cluster.__dict__)
    cluster.create = create_after_another  # type: ignore[method-assign, assignment]

    assert inventory.add(cluster, namespace, APP, [one]) == {one, two}
    assert listed(connect_again, namespace) == [f"ConfigMap {namespace}/one", f"ConfigMap {namespace}/two"]


# Bad luck


KILLED = """
import json, os, signal, sys
from spin_aks.cluster.apply import apply
from spin_aks.cluster.connection import connect
from spin_aks.kubernetes_object import KubernetesObject

kubeconfig, namespace, last_line, bodies = sys.argv[1:]
lines = 0

def progress(line):
    global lines
    lines += 1
    if lines == int(last_line):
        os.kill(os.getpid(), signal.SIGKILL)

objects = [KubernetesObject.of(body) for body in json.loads(bodies)]
apply(connect(kubeconfig, ""), objects, application="web", namespace=namespace, previous=None, progress=progress)
"""


@pytest.mark.parametrize("killed_at_line", [1, 2, 3, 4])
def test_a_kill_at_any_moment_is_cleaned_up_after_by_the_next_run(
    kubernetes: Kubernetes, cluster: Cluster, namespace: str, killed_at_line: int
) -> None:
    old = [config_map("old1", {"x": "1"}), config_map("old2", {"x": "1"})]
    new = [config_map("new1", {"x": "1"}), config_map("new2", {"x": "1"})]
    applied(cluster, namespace, *old)
    command = [
        sys.executable,
        "-c",
        KILLED,
        str(kubernetes.kubeconfig),
        namespace,
        str(killed_at_line),
        json.dumps(new),
    ]

    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    there = set(names(cluster, namespace))
    known = {line.rpartition("/")[2] for line in listed(cluster, namespace)}
    assert there <= known
    # The next run wants neither the old objects nor all of the new ones.
    applied(cluster, namespace, new[0], previous=None)

    assert names(cluster, namespace) == ["new1"]
    assert listed(cluster, namespace) == [f"ConfigMap {namespace}/new1"]


def test_a_server_that_goes_away_in_the_middle_is_an_error_and_the_next_run_takes_up(
    kubernetes: Kubernetes, cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    bodies = [KubernetesObject.of(config_map(name, {"x": "1"})) for name in ("a", "b", "c")]
    applied(cluster, namespace, config_map("old", {"x": "1"}))
    with way_to(kubernetes.kubeconfig, tmp_path) as (way, path):
        by_the_way = connect(str(path), "")

        def cut_after_the_first(line: str) -> None:
            way.cut()

        with pytest.raises(UnreachableError) as caught:
            apply(
                by_the_way,
                bodies,
                application=APP,
                namespace=namespace,
                previous=None,
                progress=cut_after_the_first,
            )
        assert names(cluster, namespace) == ["a", "old"]
        assert caught.value.problems[0].where == by_the_way.server
        way.mend()
        apply(by_the_way, bodies, application=APP, namespace=namespace, previous=None, progress=lambda line: None)

    assert names(cluster, namespace) == ["a", "b", "c"]


def test_warnings_of_the_server_are_passed_on(kubernetes: Kubernetes, cluster: Cluster, namespace: str) -> None:
    kubernetes.api.merge(
        NAMESPACES.path("", namespace), {"metadata": {"labels": {"pod-security.kubernetes.io/warn": "restricted"}}}
    )
    said: list[str] = []

    applied(cluster, namespace, deployment("web", replicas=0), said=said)

    assert said[0].startswith(f'Deployment {namespace}/web: warning: would violate PodSecurity "restricted:latest"')


def test_an_object_that_is_gone_meanwhile_is_as_good_as_pruned(cluster: Cluster, namespace: str) -> None:
    applied(cluster, namespace, service("web"), config_map("a", {"x": "1"}))
    cluster.delete(SERVICES.path(namespace, "web"))
    eventually("no service", lambda: cluster.get(SERVICES.path(namespace, "web")) is None)
    said: list[str] = []

    applied(cluster, namespace, config_map("a", {"x": "1"}), said=said)

    assert said == [f"ConfigMap {namespace}/a unchanged"]
    assert listed(cluster, namespace) == [f"ConfigMap {namespace}/a"]
