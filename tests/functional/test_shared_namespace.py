"""Two environments that are given one namespace: the second is told, and takes over only what it is told to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from spin_aks.cluster import inventory
from spin_aks.cluster.connection import connect
from spin_aks.cluster.resources import CONFIG_MAPS, DEPLOYMENTS

if TYPE_CHECKING:
    from testbed.application import App

PROD = ("-e", "prod")


def found(app: App, resource: Any, name: str) -> Any:
    namespace = app.flags[1]
    return connect(app.environment["KUBECONFIG"], "").get(resource.path(namespace, name))


def owner(app: App) -> str:
    return str(found(app, CONFIG_MAPS, inventory.name_for("tiny"))["data"]["environment"])


@pytest.mark.parametrize("way", ["flag", "overlay"])
def test_the_second_environment_is_refused_before_anything_is_written(tiny: App, way: str) -> None:
    app, namespace = tiny, tiny.flags[1]
    app.ok("up")
    before = found(app, DEPLOYMENTS, "tiny")
    given: tuple[str, ...] = PROD
    if way == "overlay":
        (app.root / "aks-spin.prod.toml").write_text(f'[kubernetes]\nnamespace = "{namespace}"\nreplicas = 2\n')
        done = app.plain("up", *PROD, "--repository", namespace, "--service", "clusterip")
    else:
        given = (*PROD, "--replicas", "2")
        done = app.run("up", *given)

    assert (1, ["apply"]) == (done.code, done.stages("failed"))
    assert (
        f"error: ConfigMap {namespace}/spin-aks.tiny: the environment `default` has `tiny` in the namespace "
        f"{namespace} already\n"
        "hint: give `prod` a namespace of its own (`--namespace NAME`, or `kubernetes.namespace` in its "
        "configuration), or take over what is there with `--force-conflicts`\n"
    ) in done.err
    assert before["metadata"]["generation"] == found(app, DEPLOYMENTS, "tiny")["metadata"]["generation"]
    assert "default" == owner(app)
    assert [] == app.ok("up").stages("run")
    assert not (app.root / ".spin-aks/prod/applied.json").exists()


def test_it_takes_over_where_it_is_told_to_and_then_it_is_the_first_that_is_refused(tiny: App) -> None:
    tiny.ok("up")
    tiny.run("up", *PROD, "--replicas", "2")

    taken = tiny.ok("up", *PROD, "--replicas", "2", "--force-conflicts")
    back = tiny.run("up", "--replicas", "3")

    assert ["apply"] == taken.stages("run")
    assert "prod" == owner(tiny)
    assert 2 == found(tiny, DEPLOYMENTS, "tiny")["spec"]["replicas"]
    assert (1, ["apply"]) == (back.code, back.stages("failed"))
    assert "the environment `prod` has `tiny` in the namespace" in back.err
    assert [] == tiny.ok("up", *PROD, "--replicas", "2").stages("run")


def test_without_a_namespace_given_each_has_its_own(tiny: App) -> None:
    name = tiny.flags[1]
    tiny.flags = ("--name", name, "--service", "clusterip")
    tiny.ok("up")
    tiny.ok("up", *PROD)

    cluster = connect(tiny.environment["KUBECONFIG"], "")
    inventories = [
        cluster.get(CONFIG_MAPS.path(namespace, inventory.name_for(name))) for namespace in (name, f"{name}-prod")
    ]
    assert ["default", "prod"] == [document["data"]["environment"] for document in inventories if document]
    assert [] == tiny.ok("up").stages("run")
