"""Whose an application is in a namespace: one environment's, by the inventory there. On both servers: the test bed's
real one, and the sandbox's.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from integration.cluster_contract import config_map, live, put

from spin_aks.cluster import fields, inventory
from spin_aks.cluster.apply import apply
from spin_aks.cluster.connection import Cluster, connect
from spin_aks.cluster.resources import CONFIG_MAPS, NAMESPACES
from spin_aks.errors import ClusterError
from spin_aks.kubernetes_object import KubernetesObject
from spin_aks.sandbox import start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spin_aks.json_types import JSONObject

APP = "web"
_numbers = itertools.count(1)


@pytest.fixture(scope="module", params=["real", "sandbox"])
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if request.param == "real":
        yield connect(str(request.getfixturevalue("kubernetes").kubeconfig), "")
        return
    with start(tmp_path_factory.mktemp("sandbox")) as running:
        yield connect(str(running.kubeconfig), "")


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """A namespace of this test alone."""
    name = f"environments-{next(_numbers)}"
    put(cluster, NAMESPACES, "", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    cluster.delete(NAMESPACES.path("", name))


def applied(cluster: Cluster, namespace: str, environment: str, *bodies: JSONObject, force: bool = False) -> list[str]:
    """What was said."""
    said: list[str] = []
    apply(
        cluster,
        [KubernetesObject.of(body) for body in bodies],
        application=APP,
        namespace=namespace,
        previous=None,
        progress=said.append,
        force=force,
        environment=environment,
    )
    return said


def owner(cluster: Cluster, namespace: str) -> str:
    return fields.text(live(cluster, CONFIG_MAPS, namespace, inventory.name_for(APP)), "data", "environment")


def names(cluster: Cluster, namespace: str) -> list[str]:
    """The ConfigMaps of a test, with their value, without those that Kubernetes and the tool keep there."""
    found = cluster.list(CONFIG_MAPS.collection(namespace)).items
    values = {fields.text(item, "metadata", "name"): fields.text(item, "data", "x") for item in found}
    return sorted(f"{name}={value}" for name, value in values.items() if value)


def test_the_first_one_s_objects_are_left_to_it_and_nothing_is_written(cluster: Cluster, namespace: str) -> None:
    applied(cluster, namespace, "default", config_map("a", {"x": "1"}), config_map("b", {"x": "1"}))
    before = live(cluster, CONFIG_MAPS, namespace, inventory.name_for(APP))

    with pytest.raises(ClusterError) as caught:
        applied(cluster, namespace, "prod", config_map("a", {"x": "2"}), config_map("c", {"x": "2"}))

    (problem,) = caught.value.problems
    assert f"ConfigMap {namespace}/spin-aks.web" == problem.where
    assert f"the environment `default` has `web` in the namespace {namespace} already" == problem.what
    assert (
        "give `prod` a namespace of its own (`--namespace NAME`, or `kubernetes.namespace` in its configuration), "
        "or take over what is there with `--force-conflicts`"
    ) == problem.hint
    assert ["a=1", "b=1"] == names(cluster, namespace)
    assert before == live(cluster, CONFIG_MAPS, namespace, inventory.name_for(APP))


def test_with_force_it_is_taken_over_whole_and_the_former_owner_is_refused(cluster: Cluster, namespace: str) -> None:
    applied(cluster, namespace, "default", config_map("a", {"x": "1"}), config_map("b", {"x": "1"}))

    applied(cluster, namespace, "prod", config_map("a", {"x": "2"}), force=True)

    assert (["a=2"], "prod") == (names(cluster, namespace), owner(cluster, namespace))
    with pytest.raises(ClusterError, match="the environment `prod` has `web`"):
        applied(cluster, namespace, "default", config_map("a", {"x": "1"}))


def test_the_same_environment_goes_on_as_before(cluster: Cluster, namespace: str) -> None:
    applied(cluster, namespace, "prod", config_map("a", {"x": "1"}), config_map("b", {"x": "1"}))
    applied(cluster, namespace, "prod", config_map("a", {"x": "2"}))

    assert (["a=2"], "prod") == (names(cluster, namespace), owner(cluster, namespace))


def test_an_inventory_that_names_no_environment_is_adopted(cluster: Cluster, namespace: str) -> None:
    applied(cluster, namespace, "", config_map("a", {"x": "1"}), config_map("b", {"x": "1"}))
    before = owner(cluster, namespace)

    applied(cluster, namespace, "prod", config_map("a", {"x": "1"}))

    assert ("", "prod") == (before, owner(cluster, namespace))
    assert ["a=1"] == names(cluster, namespace)


def test_who_names_no_environment_leaves_the_owner_as_it_is(cluster: Cluster, namespace: str) -> None:
    applied(cluster, namespace, "prod", config_map("a", {"x": "1"}))
    applied(cluster, namespace, "", config_map("a", {"x": "2"}))

    assert (["a=2"], "prod") == (names(cluster, namespace), owner(cluster, namespace))


def test_an_inventory_of_the_same_objects_is_adopted_too(cluster: Cluster, namespace: str) -> None:
    applied(cluster, namespace, "", config_map("a", {"x": "1"}))
    applied(cluster, namespace, "prod", config_map("a", {"x": "1"}))

    assert "prod" == owner(cluster, namespace)


def test_of_two_at_once_the_second_is_refused(
    cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one's inventory came between the look at it and the first write."""
    real, calls = inventory.add, list[str]()

    def add_after_another(*arguments: object, **more: object) -> object:
        if not calls:
            calls.append("meanwhile")
            applied(cluster, namespace, "default", config_map("a", {"x": "1"}))
        return real(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(inventory, "add", add_after_another)

    with pytest.raises(ClusterError, match="the environment `default` has `web`"):
        applied(cluster, namespace, "prod", config_map("a", {"x": "2"}))

    assert (["a=1"], "default") == (names(cluster, namespace), owner(cluster, namespace))


def test_two_applications_have_an_owner_each(cluster: Cluster, namespace: str) -> None:
    applied(cluster, namespace, "default", config_map("a", {"x": "1"}))
    other = [KubernetesObject.of(config_map("other", {"x": "1"}))]
    apply(
        cluster,
        other,
        application="other",
        namespace=namespace,
        previous=None,
        progress=lambda _line: None,
        environment="prod",
    )

    assert ["a=1", "other=1"] == names(cluster, namespace)
    assert "default" == owner(cluster, namespace)
