"""A subscription that was never used for something: shown, registered once before anything is made, or told why not."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest
from testbed.azure_cloud import CLUSTERS, REGISTRIES
from testbed.typist import at_terminal

from spin_aks.sandbox.azure.identifiers import CLIENT, OBJECT, SUBSCRIPTION

if TYPE_CHECKING:
    import subprocess

    from testbed.application import App, Done
    from testbed.azure_cloud import Cloud

NAMED = ("--cluster", "aks1", "--registry", "acme1")
MAKE = ("run", "resources", *NAMED, "--create")
CLUSTER = ("Microsoft.ContainerService", "Microsoft.Compute", "Microsoft.Network", "Microsoft.ManagedIdentity")
FRESH = 'unregistered = ["Microsoft.ContainerService", "Microsoft.Network", "Microsoft.ContainerRegistry"]\n'
SHOWN = (
    f"to be made in Azure: the subscription `{SUBSCRIPTION}` registered for `Microsoft.ContainerService`, "
    "`Microsoft.Network` and `Microsoft.ContainerRegistry`, once and for all; that costs nothing\n"
)
USAGES = "*/locations/eastus2/usages"


def asked(cloud: Cloud, method: str, end: str = "") -> list[str]:
    """The namespaces of the providers that were asked about, or registered."""
    places = [one.place.split("/") for one in cloud.asked() if one.method == method and "/providers/" in one.place]
    parts = [place[place.index("providers") :] for place in places if "resourceGroups" not in place]
    return [part[1] for part in parts if part[2:] == ([end] if end else [])]


def registered(cloud: Cloud) -> list[str]:
    return sorted(asked(cloud, "POST", "register"))


def made(cloud: Cloud) -> list[str]:
    """Every group and resource that is there."""
    groups = cloud.send("GET", "/resourcegroups", "2025-04-01")["value"]
    return [one["name"] for one in (*groups, *cloud.every(CLUSTERS), *cloud.every(REGISTRIES))]


def error(done: Done) -> str:
    return done.err[done.err.index("error: ") :]


def test_what_is_not_registered_is_shown_registered_once_and_used(fresh: App, cloud: Cloud) -> None:
    cloud.trouble(more=FRESH)

    first = fresh.ok("up", *NAMED, "--create", "--attach-acr")
    looked = asked(cloud, "GET")
    second = fresh.ok("up", *NAMED, "--refresh")

    assert SHOWN in first.err
    assert first.err.index(SHOWN) < first.err.index("to be made in Azure: AKS cluster `aks1`")
    assert ["Microsoft.ContainerRegistry", "Microsoft.ContainerService", "Microsoft.Network"] == registered(cloud)
    changes = [(method, name) for method, name in cloud.changes() if method in ("PUT", "POST")]
    assert [("POST", "register")] * 3 == changes[:3]
    assert "apply" in first.stages("done")
    assert ([], looked) == (second.stages("run"), asked(cloud, "GET"))


def test_where_all_is_registered_five_small_questions_are_asked_and_nothing_is_said(fresh: App, cloud: Cloud) -> None:
    done = fresh.ok(*MAKE)

    assert sorted((*CLUSTER, "Microsoft.ContainerRegistry")) == sorted(asked(cloud, "GET"))
    assert 1 == sum(one.place.endswith("/usages") for one in cloud.asked())
    assert [] == registered(cloud)
    assert "registered for" not in done.err
    assert "warning" not in done.err


def test_where_all_is_there_nothing_is_asked_about_providers(fresh: App, cloud: Cloud) -> None:
    cloud.cluster("aks1", "aks1")
    cloud.registry("aks1", "acme1")

    fresh.ok("run", "resources", *NAMED)

    assert [] == asked(cloud, "GET")


@pytest.mark.parametrize("flags", [(), ("--create-cluster",)])
def test_without_consent_it_is_shown_and_nothing_is_registered(
    fresh: App, cloud: Cloud, flags: tuple[str, ...]
) -> None:
    cloud.trouble(more=FRESH)

    done = fresh.run("run", "resources", *NAMED, *flags)

    assert (1, [], []) == (done.code, registered(cloud), cloud.changes())
    assert SHOWN in done.err


def test_yes_to_the_resources_is_yes_to_the_registration(fresh: App, cloud: Cloud) -> None:
    cloud.trouble(more=FRESH)

    with at_terminal(fresh, "run", "resources", *NAMED) as typist:
        typist.sees("`Microsoft.ContainerRegistry`, once and for all; that costs nothing")
        typist.sees("That costs money. Make cluster `aks1` and registry `acme1`? [y/N] ")
        typist.types("y\n")
        code = typist.leaves()

    assert (0, 3) == (code, len(registered(cloud)))


def test_no_to_the_resources_registers_nothing(fresh: App, cloud: Cloud) -> None:
    cloud.trouble(more=FRESH)

    with at_terminal(fresh, "run", "resources", *NAMED) as typist:
        typist.sees("? [y/N] ")
        typist.types("n\n")
        code = typist.leaves()

    assert (1, []) == (code, cloud.changes())


def test_who_may_not_register_is_told_all_of_it_and_nothing_is_made(fresh: App, cloud: Cloud) -> None:
    cloud.trouble('method = "POST"\npath = "*/register"\nknown = "AuthorizationFailed"', more=FRESH)

    done = fresh.run("up", *NAMED, "--create", "--attach-acr")

    def refused(namespace: str) -> str:
        return (
            f"error: /subscriptions/{SUBSCRIPTION}: can't register the subscription for `{namespace}`: `{CLIENT}` may "
            f"not do `{namespace}/register/action`\n"
        )

    def command(namespace: str) -> str:
        return (
            "hint: a Contributor or Owner of the subscription can do it: `az provider register --namespace "
            f"{namespace} --subscription {SUBSCRIPTION} --wait`"
        )

    names = ("Microsoft.ContainerService", "Microsoft.Network", "Microsoft.ContainerRegistry")
    assert "".join(map(refused, names)) == error(done)[: error(done).index("hint: ")]
    assert (
        f"{command(names[0])}; or an Owner or User Access Administrator of that scope can grant it: `az role "
        f'assignment create --assignee-object-id {OBJECT} --role "Register Contributor" --scope '
        f"/subscriptions/{SUBSCRIPTION}`; "
    ) in done.err
    assert f"{command(names[1])}\n{command(names[2])}\n" in done.err
    assert (1, []) == (done.code, made(cloud))


def test_who_may_not_look_goes_on_and_is_told_by_the_making(fresh: App, cloud: Cloud) -> None:
    denied = 'method = "GET"\npath = "*/providers/Microsoft.*"\nknown = "AuthorizationFailed"'
    lists = 'method = "GET"\npath = "*/providers/*/*"\ndelay_s = 0'
    cloud.trouble(lists, denied, more='unregistered = ["Microsoft.ContainerService"]\n')

    done = fresh.run(*MAKE)

    assert 1 == done.code
    assert "registered for" not in done.err[: done.err.index("error: ")]
    assert (
        "can't make cluster `aks1`: the subscription is not registered for `Microsoft.ContainerService`\n" in done.err
    )
    assert f"--namespace Microsoft.ContainerService --subscription {SUBSCRIPTION} --wait`\n" in done.err


def test_a_service_that_refuses_even_to_look_is_no_obstacle(fresh: App, cloud: Cloud) -> None:
    cloud.trouble(
        'method = "GET"\npath = "*/registries"\nknown = "MissingSubscriptionRegistration"\ntimes = 1',
        more='unregistered = ["Microsoft.ContainerRegistry"]\n',
    )

    fresh.ok("run", "resources", "--registry", "acme1", "--create")

    assert ["Microsoft.ContainerRegistry"] == registered(cloud)
    assert ["acme1", "acme1"] == made(cloud)


def registering(app: App, cloud: Cloud) -> subprocess.Popen[str]:
    """A run that has asked for all three registrations, and waits for them."""
    process = app.start(*MAKE)
    deadline = time.monotonic() + 30
    while len(registered(cloud)) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process


def test_a_run_that_is_killed_while_it_registers_is_taken_up_without_registering_again(
    fresh: App, cloud: Cloud
) -> None:
    cloud.trouble(more=f"registration_s = 4\n{FRESH}")
    process = registering(fresh, cloud)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)

    done = fresh.ok(*MAKE)

    assert 3 == len(registered(cloud))
    assert "`Microsoft.ContainerRegistry`: it is registering already, waiting for that\n" in done.err
    assert ["aks1", "aks1", "acme1"] == [name for name in made(cloud) if not name.startswith("MC_")]


def test_ctrl_c_while_it_registers_says_that_it_goes_on_and_made_nothing(fresh: App, cloud: Cloud) -> None:
    cloud.trouble(more=f"registration_s = 60\n{FRESH}")
    process = registering(fresh, cloud)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)

    assert (130, []) == (process.returncode, made(cloud))
    assert "it goes on in Azure, run the same command again to wait on\n" in err
    assert "Traceback" not in err


def test_a_vault_and_stores_register_their_own_services(fresh: App, cloud: Cloud) -> None:
    cloud.trouble(more='unregistered = ["Microsoft.KeyVault", "Microsoft.Cache", "Microsoft.DocumentDB"]\n')
    (fresh.root / "aks-spin.toml").write_text(
        '[keyvault]\nname = "shop-vault"\n[store.cart]\nkind = "redis"\nname = "shop-redis"\n[store.items]\n'
        'kind = "cosmos"\nname = "shop-cosmos"\ndatabase = "shop"\ncontainer = "items"\n'
    )

    fresh.ok("run", "resources", "--create")

    assert ["Microsoft.Cache", "Microsoft.DocumentDB", "Microsoft.KeyVault"] == registered(cloud)


def test_a_quota_that_is_too_small_is_told_before_anything_is_made(fresh: App, cloud: Cloud) -> None:
    cloud.trouble(more="vcpus = 3\n")

    with at_terminal(fresh, "run", "resources", *NAMED) as typist:
        typist.sees("warning: 2 x Standard_D2s_v5 is 4 vCPUs, and `eastus2` has 3 of 3 left (Total Regional vCPUs)")
        typist.sees("? [y/N] ")
        typist.types("n\n")
        code = typist.leaves()

    assert (1, []) == (code, cloud.changes())


def test_a_quota_that_seems_too_small_refuses_nothing(fresh: App, cloud: Cloud) -> None:
    used = {"value": "standardDSv5Family", "localizedValue": "Standard DSv5 Family vCPUs"}
    body = f'[{{ name = {{ value = "{used["value"]}", localizedValue = "{used["localizedValue"]}" }}, limit = 0 }}]'
    cloud.trouble(f'path = "{USAGES}"\nstatus = 200\nbody = {{ value = {body} }}')

    done = fresh.ok(*MAKE)

    assert (
        "warning: 2 x Standard_D2s_v5 is 4 vCPUs, and `eastus2` has 0 of 0 left (Standard DSv5 Family vCPUs): the "
        "cluster may be refused\nhint: ask for more (`az quota`, or Quotas in the portal), or choose another region "
    ) in done.err


def test_a_quota_that_is_exceeded_is_refused_by_azure_and_told(fresh: App, cloud: Cloud) -> None:
    cloud.trouble(more="vcpus = 3\n")

    done = fresh.run(*MAKE)

    assert 1 == done.code
    assert "can't make cluster `aks1`: it exceeds a quota of the subscription\n" in error(done)
    assert "Current Limit: 3, Current Usage: 0, Additional Required: 4" in error(done)
    assert [] == [*cloud.every(CLUSTERS), *cloud.every(REGISTRIES)]


@pytest.mark.parametrize(
    "effect",
    [
        'known = "AuthorizationFailed"',
        'known = "MissingSubscriptionRegistration"',
        "drop = true",
        "status = 200\nbody = 1",
    ],
)
def test_a_quota_that_nobody_tells_stops_nothing(fresh: App, cloud: Cloud, effect: str) -> None:
    cloud.trouble(f'path = "{USAGES}"\n{effect}')

    done = fresh.ok(*MAKE)

    assert "warning" not in done.err
