"""The contract between the tool and an API server, held by the real one and by the sandbox's: over a connection, and
by commands that run in the cluster.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from integration.cluster_contract import (
    CLAUSES,
    a_dry_run_answers_as_if_and_changes_nothing,
    a_kind_nobody_knows_is_not_found,
    put,
    the_first_apply_creates_and_the_second_changes_nothing,
)
from testbed.commanded import commanded

from spin_aks.cluster.connection import Cluster, connect
from spin_aks.cluster.resources import NAMESPACES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# kubectl does not tell 201 from 200, and asks for a kind's schema before it sends anything of that kind.
NOT_BY_COMMANDS = (
    a_dry_run_answers_as_if_and_changes_nothing,
    a_kind_nobody_knows_is_not_found,
    the_first_apply_creates_and_the_second_changes_nothing,
)
_numbers = itertools.count(1)


@pytest.fixture(scope="module", params=["real", "sandbox"])
def kubeconfig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    if request.param == "real":
        yield request.getfixturevalue("kubernetes").kubeconfig
        return
    from spin_aks.sandbox import start

    with start(tmp_path_factory.mktemp("sandbox")) as running:
        yield running.kubeconfig


@pytest.fixture(scope="module")
def connected(kubeconfig: Path) -> Cluster:
    return connect(str(kubeconfig), "")


@pytest.fixture
def namespace(connected: Cluster) -> Iterator[str]:
    name = f"contract-{next(_numbers)}"
    put(connected, NAMESPACES, "", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    connected.delete(NAMESPACES.path("", name))


def named(clause: Callable[[Cluster, str], None]) -> str:
    return clause.__name__


@pytest.mark.parametrize("clause", CLAUSES, ids=named)
def test_an_api_server_keeps_the_contract(
    clause: Callable[[Cluster, str], None], connected: Cluster, namespace: str
) -> None:
    clause(connected, namespace)


@pytest.mark.parametrize("clause", [clause for clause in CLAUSES if clause not in NOT_BY_COMMANDS], ids=named)
def test_so_it_does_by_commands_that_run_in_the_cluster(
    clause: Callable[[Cluster, str], None], kubeconfig: Path, namespace: str
) -> None:
    clause(commanded(kubeconfig)[0], namespace)
