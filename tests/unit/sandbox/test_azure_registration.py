"""What a subscription has to be registered for, and how much of a region it may use."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from testbed import azure_sandbox
from testbed.azure_requests import ask, cluster_body, cluster_path, error, group

from spin_aks.azure.providers import CLUSTER
from spin_aks.sandbox.azure.identifiers import SUBSCRIPTION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from testbed.azure_recordings import Clients

REGISTRY = "~/providers/Microsoft.ContainerRegistry"
USAGES = "~/providers/Microsoft.Compute/locations/{}/usages"
NAME = {"name": "acme1", "type": "Microsoft.ContainerRegistry/registries"}


@pytest.fixture
def azure(tmp_path: Path) -> Iterator[Clients]:
    with azure_sandbox.opened(tmp_path) as opened:
        yield azure_sandbox.connected(opened)


@pytest.fixture
def trouble(tmp_path: Path) -> Callable[[str], None]:
    """Writes the trouble file."""
    return lambda text: (tmp_path / "trouble.toml").write_text(text, encoding="utf-8") and None


def state(azure: Clients) -> str:
    found: str = ask(azure, "GET", REGISTRY).json()["registrationState"]
    return found


def used(azure: Clients, region: str = "eastus") -> dict[str, tuple[int, int]]:
    """What is used and allowed, by name; nothing of what is not used."""
    found: list[dict[str, Any]] = ask(azure, "GET", USAGES.format(region)).json()["value"]
    return {one["name"]["value"]: (one["currentValue"], one["limit"]) for one in found if one["currentValue"]}


def test_a_registration_takes_as_long_as_the_trouble_file_says(azure: Clients, trouble: Callable[[str], None]) -> None:
    trouble('registration_s = 0.3\nunregistered = ["Microsoft.ContainerRegistry"]')

    states = [ask(azure, "POST", f"{REGISTRY}/register").json()["registrationState"], state(azure), state(azure)]
    time.sleep(0.35)
    states += [state(azure), state(azure)]

    assert ["Registering", "Registering", "Registering", "Registering", "Registered"] == states


def test_asking_twice_registers_once(azure: Clients, trouble: Callable[[str], None]) -> None:
    trouble('unregistered = ["Microsoft.ContainerRegistry"]')

    for _ in range(3):
        ask(azure, "POST", f"{REGISTRY}/register")
    state(azure)

    assert "Registered" == state(azure)


def test_what_is_not_registered_is_refused_to_do_anything_but_to_be_read(
    azure: Clients, trouble: Callable[[str], None]
) -> None:
    trouble('unregistered = ["Microsoft.ContainerRegistry"]')

    check = ask(azure, "POST", f"{REGISTRY}/checkNameAvailability", NAME)

    assert (409, "MissingSubscriptionRegistration") == error(check)[:2]
    assert [] == ask(azure, "GET", f"{REGISTRY}/registries").json()["value"]


def test_who_may_not_register_lacks_the_right_at_the_subscription(
    azure: Clients, trouble: Callable[[str], None]
) -> None:
    trouble('[[rule]]\nmethod = "POST"\nknown = "AuthorizationFailed"')

    status, code, message = error(ask(azure, "POST", f"{REGISTRY}/register"))

    assert (403, "AuthorizationFailed") == (status, code)
    assert f"'Microsoft.ContainerRegistry/register/action' over scope '/subscriptions/{SUBSCRIPTION}'" in message


@pytest.mark.parametrize("namespace", CLUSTER)
def test_what_a_cluster_is_made_of_is_known(azure: Clients, namespace: str) -> None:
    assert "Registered" == ask(azure, "GET", f"~/providers/{namespace}").json()["registrationState"]


def test_vcpus_are_counted_by_region_and_family(azure: Clients) -> None:
    group(azure)
    before = used(azure)

    ask(azure, "PUT", cluster_path("one"), cluster_body())
    ask(azure, "PUT", cluster_path("two"), cluster_body())

    assert {} == before
    assert {"cores": (8, 100), "standardDSv5Family": (8, 100)} == used(azure)
    assert {} == used(azure, "westeurope")


def test_more_vcpus_than_allowed_are_refused_and_others_are_not(azure: Clients, trouble: Callable[[str], None]) -> None:
    trouble("vcpus = 7")
    group(azure)

    first = ask(azure, "PUT", cluster_path("one"), cluster_body())
    refused = ask(azure, "PUT", cluster_path("two"), cluster_body())
    elsewhere = ask(azure, "PUT", cluster_path("two"), cluster_body("westeurope"))

    assert (201, 201) == (first.status_code, elsewhere.status_code)
    assert (400, "ErrCode_InsufficientVCPUQuota") == error(refused)[:2]
    assert (
        "Current Limit: 7, Current Usage: 4, Additional Required: 4, (Minimum) New Limit Required: 8."
        in (error(refused)[2])
    )


def test_a_region_that_is_not_there_has_no_usages(azure: Clients) -> None:
    assert (400, "NoRegisteredProviderFound") == error(ask(azure, "GET", USAGES.format("nowhere")))[:2]
