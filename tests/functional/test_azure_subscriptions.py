"""Whoever sees several subscriptions says which is meant: by flag, or by choosing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from testbed.application import App
from testbed.azure_cloud import Cloud
from testbed.tiny import tiny_in
from testbed.typist import at_terminal

from spin_aks import sandbox
from spin_aks.sandbox.azure.directory import add_subscription
from spin_aks.sandbox.azure.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OTHER = "11111111-2222-4333-8444-555555555555"
NAMED = ("--cluster", "aks1")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """The smallest application, and a sandbox with two subscriptions."""
    running = sandbox.start(tmp_path / "sandbox")
    cloud = Cloud(running)
    assert [] == cloud.every(("Microsoft.ContainerService/managedClusters", "2026-08-01"))
    state = State(next(cloud.folder.glob("*.sqlite")))
    add_subscription(state, OTHER, "Other")
    yield App(tiny_in(tmp_path / "tiny"), cloud.environment, NAMED)
    running.stop()


def test_without_a_terminal_the_choice_is_left_to_a_flag(app: App) -> None:
    refused = app.run("run", "resources", "--create")

    assert 1 == refused.code
    assert "error: which subscription is meant is not said" in refused.err
    assert f"`Other` ({OTHER})" in refused.err
    app.ok("run", "resources", "--create", "--subscription", OTHER)
    assert OTHER in json.loads((app.root / ".spin-aks/default/azure.json").read_text())["cluster"]["id"]


def test_the_one_that_was_chosen_before_is_offered_first(app: App) -> None:
    app.ok("run", "resources", "--create", "--subscription", OTHER)

    with at_terminal(app, "run", "resources", "--registry", "acme1", "--create", *NAMED) as typist:
        typist.sees("Subscription\n")
        typist.sees("[1: Other]")
        typist.types("\n")
        code = typist.leaves()

    found = json.loads((app.root / ".spin-aks/default/azure.json").read_text())
    assert (0, True, True) == (code, OTHER in found["cluster"]["id"], OTHER in found["registry"]["id"])


def test_at_a_terminal_it_is_chosen(app: App) -> None:
    with at_terminal(app, "run", "resources", "--create", *NAMED) as typist:
        typist.sees("Subscription\n")
        typist.sees("Number or part of a name: ")
        typist.types("other\n")
        typist.sees(f"chosen: Other ({OTHER})")
        code = typist.leaves()

    assert 0 == code
    assert OTHER in json.loads((app.root / ".spin-aks/default/azure.json").read_text())["cluster"]["id"]
