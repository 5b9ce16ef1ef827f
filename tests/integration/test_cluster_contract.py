"""The contract between the tool and an API server, held by the real one and by the sandbox's."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from integration.cluster_contract import CLAUSES, put

from spin_aks.cluster.connection import Cluster, connect
from spin_aks.cluster.resources import NAMESPACES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_numbers = itertools.count(1)


@pytest.fixture(scope="module", params=["real", "sandbox"])
def contract_cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if request.param == "real":
        yield connect(str(request.getfixturevalue("kubernetes").kubeconfig), "")
        return
    yield from _sandbox(tmp_path_factory.mktemp("sandbox"))


def _sandbox(folder: Path) -> Iterator[Cluster]:
    from spin_aks.sandbox import start

    with start(folder) as running:
        yield connect(str(running.kubeconfig), "")


@pytest.fixture
def namespace(contract_cluster: Cluster) -> Iterator[str]:
    name = f"contract-{next(_numbers)}"
    put(contract_cluster, NAMESPACES, "", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    contract_cluster.delete(NAMESPACES.path("", name))


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.__name__)
def test_an_api_server_keeps_the_contract(
    clause: Callable[[Cluster, str], None], contract_cluster: Cluster, namespace: str
) -> None:
    clause(contract_cluster, namespace)
