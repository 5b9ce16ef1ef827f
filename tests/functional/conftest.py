from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from testbed.application import SHOP_VARIABLES, App, copy_of
from testbed.azure_cloud import Cloud
from testbed.tiny import tiny_in

from spin_aks import sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sandbox.Running]:
    """An embedded registry and cluster, the same for all tests: each uses a namespace and a repository of its own."""
    running = sandbox.start(tmp_path_factory.mktemp("sandbox"))
    yield running
    running.stop()


@pytest.fixture
def shop(tmp_path: Path, embedded: sandbox.Running) -> App:
    """The example `shop`, on its way to a namespace and a repository of this test's own."""
    own = f"t{abs(hash(tmp_path)) % 10**10}"
    flags = (*SHOP_VARIABLES, "--namespace", own, "--repository", own)
    return App(copy_of("shop", tmp_path), dict(embedded.environment), flags)


@pytest.fixture
def tiny(tmp_path: Path, embedded: sandbox.Running) -> App:
    """The smallest application, on its way to a namespace and a repository of this test's own."""
    own = f"t{abs(hash(tmp_path)) % 10**10}"
    flags = ("--namespace", own, "--repository", own, "--service", "clusterip")
    return App(tiny_in(tmp_path / "tiny"), dict(embedded.environment), flags)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    """An Azure of this test's own, in which nothing was made yet."""
    with sandbox.start(tmp_path / "azure") as running:
        yield Cloud(running)


@pytest.fixture
def fresh(tmp_path: Path, cloud: Cloud) -> App:
    """The smallest application, of somebody who has nothing but a subscription in `cloud`."""
    return App(tiny_in(tmp_path / "tiny"), cloud.environment, ("--service", "clusterip"))
