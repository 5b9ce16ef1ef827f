"""Fixtures for every test; the real servers behind them are started by tests/testbed.

A test is skipped, with the reason, where the part it needs is missing. With SPIN_AKS_REQUIRE_ALL set (CI) nothing may
be missing: there a skipped test has failed.
"""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from testbed import cluster, daemon, registries, services

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

SHARED = Path(__file__).resolve().parents[2] / "shared"
LOG_SIZES = pytest.StashKey[dict[Path, int]]()

# A shell without job control starts what it puts into the background deaf to Ctrl-C, which every process inherits.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Each of the thousands of processes that tests start would compile all of our modules anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("local", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(scope="session", autouse=True)
def nobodys_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test, and no process that one starts, reads or writes what the real user's runs remember."""
    nobody = tmp_path_factory.mktemp("nobody")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPIN_DATA_DIR", str(nobody / "spin-data"))
        patch.setenv("XDG_STATE_HOME", str(nobody / "state-home"))
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The project's reference material; a user's clone has none."""
    if not SHARED.is_dir():
        pytest.skip(f"reference material is not at {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def registry() -> Iterator[registries.Registry]:
    """A registry that asks nobody who they are, the same for all tests: use a repository name of your own."""
    with registries.open_registry() as started:
        yield started


@pytest.fixture
def new_registry() -> Iterator[Callable[[], registries.Registry]]:
    """Starts a registry that is empty and of this test alone, each time it is called."""
    with ExitStack() as until_the_end:
        yield lambda: until_the_end.enter_context(registries.open_registry())


@pytest.fixture(scope="session")
def basic_registry() -> Iterator[registries.BasicRegistry]:
    """A registry that asks for a user name and a password."""
    with registries.basic_registry() as started:
        yield started


@pytest.fixture
def token_registry() -> Iterator[registries.TokenRegistry]:
    """A registry that asks for a token, and the server that gives it; of this test alone, for it counts the tokens."""
    with registries.token_registry() as started:
        yield started


@pytest.fixture(scope="session")
def docker_daemon() -> Iterator[services.DockerDaemon]:
    """A Docker daemon of our own, the same for all tests."""
    with services.docker_daemon() as started:
        yield started


@pytest.fixture(scope="session")
def redis_server() -> Iterator[services.Redis]:
    """A Redis that speaks TLS and asks for a password, the same for all tests."""
    with services.redis_server() as started:
        yield started


@pytest.fixture(scope="session")
def kubernetes() -> Iterator[cluster.Kubernetes]:
    """A real API server with controllers, scheduler and simulated nodes, the same for all tests."""
    with cluster.kubernetes() as started:
        yield started


@pytest.fixture
def namespace(kubernetes: cluster.Kubernetes) -> Iterator[str]:
    """A namespace of this test alone, whose pods get ready at once."""
    name = kubernetes.new_namespace()
    yield name
    kubernetes.api.delete(f"/api/v1/namespaces/{name}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    item.stash[LOG_SIZES] = daemon.log_sizes()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Shows what the servers wrote during a test that failed, and fails one that may not be skipped."""
    report = yield
    _fail_if_skipped(report)
    if report.failed:
        for name, lines in daemon.written_since(item.stash.get(LOG_SIZES, {})):
            report.sections.append((f"log of {name}", lines))
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_if_skipped(report)
    return report


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not report.skipped or not os.environ.get("SPIN_AKS_REQUIRE_ALL"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    report.outcome = "failed"
    report.longrepr = f"may not be skipped while SPIN_AKS_REQUIRE_ALL is set. {reason}"
