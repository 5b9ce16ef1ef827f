"""A cluster that is stopped is refused before anything is built or pushed for it; one that starts is waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from testbed.azure_cloud import CLUSTERS, Cloud

from spin_aks.sandbox.azure.identifiers import SUBSCRIPTION

if TYPE_CHECKING:
    from testbed.application import App, Done

NAMED = ("--cluster", "aks1", "--registry", "acme1", "--attach-acr")
PLACE = "/resourceGroups/team/providers/Microsoft.ContainerService/managedClusters/aks1"
STOPPED = (
    f"error: /subscriptions/{SUBSCRIPTION}/resourceGroups/team/providers/Microsoft.ContainerService/managedClusters/"
    "aks1: can't use cluster `aks1`: it is stopped\n"
    f"hint: `az aks start --resource-group team --name aks1 --subscription {SUBSCRIPTION}` starts it, which takes "
    "minutes; then run the same command again\n"
)
# The sandbox's API server is there whatever its clusters are: to it alone one goes without TLS.
NO_WAY = {"HTTP_PROXY": "http://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1", "NO_PROXY": "", "no_proxy": ""}
OTHER = 'name = "tiny"\ndescription = "other"\n'


def error(done: Done) -> str:
    return done.err[done.err.index("error: ") :]


def switch(cloud: Cloud, verb: str) -> None:
    """Stops or starts it by hand, and waits for that."""
    begin(cloud, verb)
    cloud.ready(PLACE, CLUSTERS[1])


def begin(cloud: Cloud, verb: str) -> None:
    cloud.send("POST", f"{PLACE}/{verb}", CLUSTERS[1])


@pytest.fixture
def deployed(fresh: App, cloud: Cloud) -> App:
    cloud.cluster("team", "aks1")
    cloud.registry("team", "acme1")
    fresh.ok("up", *NAMED)
    return fresh


@pytest.mark.parametrize("command", [("up",), ("run", "resources"), ("deploy",)])
def test_a_stopped_cluster_is_refused_before_anything_is_made_for_it(
    fresh: App, cloud: Cloud, command: tuple[str, ...]
) -> None:
    cloud.cluster("team", "aks1")
    switch(cloud, "stop")
    asked = len(cloud.asked())

    done = fresh.run(*command, *NAMED, "--create")

    assert (1, STOPPED) == (done.code, error(done))
    assert [] == cloud.changes(asked)


def test_a_cluster_that_was_stopped_after_it_was_found_is_refused_before_the_push(deployed: App, cloud: Cloud) -> None:
    switch(cloud, "stop")
    asked = len(cloud.asked())
    deployed.edit("spin.toml", 'name = "tiny"\n', OTHER)

    done = deployed.run("up", *NAMED)

    assert (1, STOPPED) == (done.code, error(done))
    assert [] == done.stages("run") + done.stages("done")
    assert [] == cloud.changes(asked)


def test_what_is_only_pushed_needs_no_cluster(deployed: App, cloud: Cloud) -> None:
    switch(cloud, "stop")
    deployed.edit("spin.toml", 'name = "tiny"\n', OTHER)

    assert "push" in deployed.ok("push", *NAMED).stages("done")


def test_once_it_is_started_the_same_command_goes_through(deployed: App, cloud: Cloud) -> None:
    deployed.edit("spin.toml", 'name = "tiny"\n', OTHER)
    switch(cloud, "stop")
    assert 1 == deployed.run("up", *NAMED).code
    switch(cloud, "start")

    assert {"push", "apply"} <= set(deployed.ok("up", *NAMED).stages("done"))


def test_a_cluster_that_is_being_started_is_waited_for(deployed: App, cloud: Cloud) -> None:
    deployed.edit("spin.toml", 'name = "tiny"\n', OTHER)
    switch(cloud, "stop")
    cloud.trouble('method = "POST"\npath = "*/start"\nslow_s = 2')
    begin(cloud, "start")

    done = deployed.ok("up", *NAMED)

    assert "use cluster `aks1`: it is starting already, waiting for that\n" in done.err
    assert "apply" in done.stages("done")


def test_a_cluster_that_is_not_reached_since_it_is_stopped_is_told_so(deployed: App, cloud: Cloud) -> None:
    switch(cloud, "stop")

    done = deployed.run("up", *NAMED, **NO_WAY)

    assert (1, STOPPED) == (done.code, error(done))
