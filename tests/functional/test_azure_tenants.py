"""Guests: the subscription is in another tenant than the sign-in's own."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from testbed.typist import at_terminal

from spin_aks.sandbox.azure.directory import SUBSCRIPTIONS
from spin_aks.sandbox.azure.identifiers import SUBSCRIPTION, TENANT

if TYPE_CHECKING:
    from testbed.application import App
    from testbed.azure_cloud import Cloud

CONTOSO, FABRIKAM = "c0c0c0c0-1111-4000-8000-000000000001", "fafafafa-2222-4000-8000-000000000002"
TEAM, OTHER = "7ea70000-3333-4000-8000-000000000003", "0e0e0e0e-2222-4333-8444-555555555555"
NAMED = ("--cluster", "aks1", "--registry", "acme1")
ALL = ("--create", "--attach-acr")


def kept(app: App) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((app.root / ".spin-aks/default/azure.json").read_text())
    return found


def places(cloud: Cloud, begin: int = 0) -> list[str]:
    return [one.place for one in cloud.asked()[begin:]]


def tokens_of(cloud: Cloud, tenant: str, begin: int = 0) -> int:
    return sum(place.endswith(f"/{tenant}/oauth2/v2.0/token") for place in places(cloud, begin))


def wants_more(tenant: str, name: str) -> str:
    """For the trouble file: that tenant wants a second factor."""
    return f'[[tenant]]\nid = "{tenant}"\nname = "{name}"\nrefuses = "AADSTS50076"\n'


@pytest.fixture
def guest(cloud: Cloud) -> Cloud:
    """Whoever signs in has nothing in their own tenant, and one subscription in that of Contoso."""
    cloud.invite(CONTOSO, "Contoso")
    cloud.running._azure.world.state.delete(SUBSCRIPTIONS, SUBSCRIPTION)
    cloud.subscribe(TEAM, "Team", CONTOSO)
    return cloud


def test_the_one_subscription_of_a_guest_is_found_and_all_of_up_works_in_its_tenant(fresh: App, guest: Cloud) -> None:
    first = fresh.ok("up", *NAMED, *ALL)
    asked = len(guest.asked())
    second = fresh.ok("up", *NAMED)
    between = len(guest.asked())
    third = fresh.ok("up", "--refresh", *NAMED)

    assert f"subscription `Team` ({TEAM}) in tenant `Contoso`" in first.err
    assert {"resources", "push", "access", "apply"} <= set(first.stages("done"))
    assert (CONTOSO, True) == (kept(fresh)["tenant"], TEAM in kept(fresh)["cluster"]["id"])
    assert (0, []) == (between - asked, second.stages("run"))
    assert ([], 0) == (third.stages("run"), tokens_of(guest, TENANT, between))
    assert not any(place.endswith(("/tenants", "/subscriptions")) for place in places(guest, between))


def test_a_right_that_was_deleted_behind_our_back_is_put_back_in_the_guests_tenant(fresh: App, guest: Cloud) -> None:
    fresh.ok("up", *NAMED, *ALL)
    state = guest.running._azure.world.state
    rights = [key for key, one in state.items_of("Microsoft.Authorization/roleAssignments") if TEAM in str(one)]
    for key in rights:
        state.delete("Microsoft.Authorization/roleAssignments", key)
    asked = len(guest.asked())

    fresh.ok("up", "--refresh", "--attach-acr", *NAMED)

    assert 1 == len(rights)
    assert ["PUT"] == [method for method, _ in guest.changes(asked)]


def test_each_later_stage_of_another_run_takes_tokens_of_the_same_tenant(fresh: App, guest: Cloud) -> None:
    fresh.ok("up", *NAMED, *ALL)
    for name in ("push.json", "access.json"):
        (fresh.root / ".spin-aks/default" / name).unlink()
    for path in (fresh.cache / "spin-aks" / "clusters").iterdir():
        path.unlink()
    asked = len(guest.asked())

    again = fresh.ok("up", *NAMED)

    assert {"push", "access"} <= set(again.stages("done"))
    assert (0, True) == (tokens_of(guest, TENANT, asked), tokens_of(guest, CONTOSO, asked) > 0)


def test_what_is_named_later_is_looked_for_in_the_guests_tenant_as_well(fresh: App, guest: Cloud) -> None:
    fresh.ok("run", "resources", *NAMED, "--create")
    more = fresh.ok("run", "resources", *NAMED, "--keyvault", "team-vault", "--create")

    assert [("make", "vault")] == [tuple(line.split()[:2]) for line in more.err.splitlines() if ": begun" in line]
    assert (CONTOSO, f"/subscriptions/{TEAM}/") == (kept(fresh)["tenant"], kept(fresh)["keyvault"]["id"][:52])


@pytest.mark.parametrize("tenant", [5, None, "no tenant/at all"])
def test_a_tenant_in_the_state_that_can_be_none_is_told_or_looked_for_again(
    fresh: App, guest: Cloud, tenant: object
) -> None:
    fresh.ok("run", "resources", *NAMED, "--create")
    path = fresh.root / ".spin-aks/default/azure.json"
    path.write_text(json.dumps({**kept(fresh), "tenant": tenant}))

    fresh.ok("run", "resources", *NAMED)

    assert CONTOSO == kept(fresh)["tenant"]


def test_the_registry_of_a_guests_tenant_builds_by_itself(fresh: App, guest: Cloud) -> None:
    done = fresh.ok("up", *NAMED, *ALL, "--builder", "acr")

    assert {"push", "apply"} <= set(done.stages("done"))
    assert any("scheduleRun" in place for place in places(guest))


def test_a_cluster_of_entra_id_in_a_guests_tenant_is_signed_in_to_there(fresh: App, guest: Cloud) -> None:
    fresh.ok("run", "resources", *NAMED, "--create")
    state = guest.running._azure.world.state
    cluster = next(iter(state.all_of("Microsoft.ContainerService/managedClusters")))
    cluster["properties"]["aadProfile"] = {"managed": True, "tenantID": CONTOSO}  # type: ignore[index, call-overload]
    state.put("Microsoft.ContainerService/managedClusters", str(cluster["id"]), cluster)
    asked = len(guest.asked())

    done = fresh.ok("up", *NAMED, "--attach-acr")

    assert "apply" in done.stages("done")
    assert 0 == tokens_of(guest, TENANT, asked)


def test_a_subscription_that_is_named_is_looked_for_in_the_other_tenants(fresh: App, guest: Cloud) -> None:
    done = fresh.ok("run", "resources", *NAMED, "--create", "--subscription", TEAM)

    assert f"subscription `Team` ({TEAM}) is seen through tenant `{CONTOSO}`" in done.err
    assert CONTOSO == kept(fresh)["tenant"]


def test_with_another_subscription_the_stage_is_not_stuck_in_the_tenant_it_found_first(
    fresh: App, cloud: Cloud
) -> None:
    cloud.invite(CONTOSO, "Contoso")
    cloud.subscribe(TEAM, "Team", CONTOSO)
    fresh.ok("run", "resources", "--cluster", "aks1", "--create", "--subscription", TEAM)
    first = kept(fresh)
    fresh.ok("run", "resources", "--cluster", "aks1", "--create", "--subscription", SUBSCRIPTION)
    second = kept(fresh)
    fresh.ok("run", "resources", "--cluster", "aks1", "--subscription", TEAM)

    assert (CONTOSO, None) == (first["tenant"], second.get("tenant"))
    assert (True, True) == (TEAM in first["cluster"]["id"], SUBSCRIPTION in second["cluster"]["id"])
    assert (CONTOSO, first["cluster"]) == (kept(fresh)["tenant"], kept(fresh)["cluster"])


def test_a_pinned_tenant_is_used_by_later_runs_that_do_not_pin_it(fresh: App, guest: Cloud) -> None:
    first = fresh.ok("run", "resources", *NAMED, "--create", "--tenant", CONTOSO)
    asked = len(guest.asked())
    fresh.ok("up", "--refresh", "--attach-acr", *NAMED, "--subscription", TEAM)

    assert f"subscription `Team` ({TEAM})\n" in first.err
    assert 0 == tokens_of(guest, TENANT, asked)


def test_a_wrong_tenant_that_is_pinned_is_told_with_the_right_one(fresh: App, guest: Cloud) -> None:
    done = fresh.run("run", "resources", *NAMED, "--create", "--subscription", TEAM, "--tenant", TENANT)

    assert (1, []) == (done.code, guest.changes())
    assert (
        f"can't use subscription `{TEAM}`: the subscription belongs to tenant `{CONTOSO}`, and the sign-in is to "
        f"`{TENANT}`"
    ) in done.err
    assert f"hint: sign in to that one: `az login --tenant {CONTOSO}`" in done.err


def test_a_pinned_tenant_without_a_subscription_is_told_with_the_way_to_the_others(fresh: App, guest: Cloud) -> None:
    done = fresh.run("run", "resources", *NAMED, "--create", "--tenant", TENANT)

    assert (1, []) == (done.code, guest.changes())
    assert f"error: tenant `{TENANT}` shows whoever signed in no subscription that can be used" in done.err
    assert "hint: without `--tenant` (`cluster.tenant`) all of your tenants are looked at" in done.err


def test_a_tenant_that_wants_a_second_factor_is_told_and_keeps_nobody_else_from_being_seen(
    fresh: App, guest: Cloud
) -> None:
    guest.trouble(more=wants_more(FABRIKAM, "Fabrikam"))

    done = fresh.ok("run", "resources", *NAMED, "--create")

    assert (
        f"warning: subscriptions of these tenants are left out: `Fabrikam`: tenant `{FABRIKAM}` wants more than what "
        "was given at the sign-in: a second factor, a known device or a consent"
    ) in done.err
    assert f"hint: `az login --tenant {FABRIKAM}`\n" in done.err
    assert CONTOSO == kept(fresh)["tenant"]


def test_a_subscription_of_a_tenant_that_wants_a_second_factor_is_told_with_how_to_sign_in_there(
    fresh: App, guest: Cloud
) -> None:
    guest.trouble(more=wants_more(CONTOSO, "Contoso"))

    named = fresh.run("run", "resources", *NAMED, "--create", "--subscription", TEAM)
    found = fresh.run("run", "resources", *NAMED, "--create")

    assert (1, 1, []) == (named.code, found.code, guest.changes())
    assert (
        f"error: can't use subscription `{TEAM}`: it belongs to tenant `Contoso`, and tenant `{CONTOSO}` wants more "
        "than what was given at the sign-in"
    ) in named.err
    assert f"hint: `az login --tenant {CONTOSO}`" in named.err
    assert "error: whoever signed in sees no subscription that can be used" in found.err
    assert f"hint: sign in to the tenant that has one: `az login --tenant {CONTOSO}`" in found.err


def test_a_tenant_that_wants_a_second_factor_later_is_told_by_the_stage_that_needs_it(fresh: App, guest: Cloud) -> None:
    fresh.ok("up", *NAMED, *ALL)
    guest.trouble(more=wants_more(CONTOSO, "Contoso"))

    fine = fresh.ok("up", *NAMED)
    refused = fresh.run("up", "--refresh", *NAMED)

    assert ([], 1) == (fine.stages("run"), refused.code)
    assert f"tenant `{CONTOSO}` wants more than what was given at the sign-in" in refused.err
    assert f"`az login --tenant {CONTOSO}`" in refused.err


def test_resources_of_different_tenants_are_refused_before_anything_is_made(fresh: App, cloud: Cloud) -> None:
    cloud.invite(CONTOSO, "Contoso")
    cloud.subscribe(TEAM, "Team", CONTOSO)
    (fresh.root / "aks-spin.toml").write_text(
        f'[cluster]\nname = "aks1"\nsubscription = "{SUBSCRIPTION}"\n\n'
        f'[container_registry]\nname = "acme1"\nsubscription = "{TEAM}"\n'
    )

    done = fresh.run("up", *ALL)

    assert (1, []) == (done.code, cloud.changes())
    assert (
        f"error: the subscriptions are in different tenants: `{SUBSCRIPTION}` in the sign-in's; "
        f"`{TEAM}` in `Contoso` ({CONTOSO})"
    ) in done.err
    assert "no identity is given rights in another" in done.err


def test_where_the_registry_says_its_subscription_the_clusters_is_looked_for_in_the_same_tenant(
    fresh: App, cloud: Cloud
) -> None:
    cloud.invite(CONTOSO, "Contoso")
    cloud.subscribe(TEAM, "Team", CONTOSO)
    (fresh.root / "aks-spin.toml").write_text(
        f'[cluster]\nname = "aks1"\n\n[container_registry]\nname = "acme1"\nsubscription = "{TEAM}"\n'
    )

    fresh.ok("up", *ALL)

    assert (CONTOSO, True) == (kept(fresh)["tenant"], TEAM in kept(fresh)["cluster"]["id"])


def test_what_a_customer_delegated_is_asked_through_the_own_tenant(fresh: App, cloud: Cloud) -> None:
    cloud.running._azure.world.state.delete(SUBSCRIPTIONS, SUBSCRIPTION)
    cloud.subscribe(TEAM, "Theirs", CONTOSO, managed_by=TENANT)

    done = fresh.ok("up", *NAMED, *ALL)

    assert (None, True) == (kept(fresh).get("tenant"), TEAM in kept(fresh)["cluster"]["id"])
    assert f"subscription `Theirs` ({TEAM})\n" in done.err
    assert 0 == tokens_of(cloud, CONTOSO)


def test_a_vault_of_a_guests_tenant_is_made_and_opened_there(fresh: App, guest: Cloud) -> None:
    done = fresh.ok("run", "access", "--keyvault", "team-vault", "--create", "--attach-keyvault", "--output", "json")

    assert ["made"] == [grant["state"] for grant in done.json["grants"]]
    assert CONTOSO == kept(fresh)["tenant"]
    asked = len(guest.asked())
    again = fresh.ok("run", "access", "--keyvault", "team-vault", "--refresh", "--output", "json")
    assert ["present"] == [grant["state"] for grant in again.json["grants"]]
    assert [] == guest.changes(asked)


def test_an_identity_of_a_guests_tenant_is_made_and_let_in_there(fresh: App, guest: Cloud) -> None:
    asked = len(guest.asked())
    done = fresh.ok("up", *NAMED, *ALL, "--identity", "team-app", "--attach-identity", "--enable-workload-identity")

    assert {"resources", "access", "apply"} <= set(done.stages("done"))
    assert f"/subscriptions/{TEAM}/" in kept(fresh)["identity"]["id"]
    assert 1 == tokens_of(guest, TENANT, asked)


def test_somebody_at_a_terminal_sees_whose_subscriptions_they_are(fresh: App, cloud: Cloud) -> None:
    cloud.invite(CONTOSO, "Contoso")
    cloud.subscribe(TEAM, "Team", CONTOSO)
    cloud.subscribe(OTHER, "Other")

    with at_terminal(fresh, "run", "resources", "--registry", "acme1", "--create-registry") as typist:
        typist.sees("3  Team, tenant Contoso ")
        typist.sees("Number or part of a name: ")
        typist.types("contoso\n")
        typist.sees(f"chosen: Team, tenant Contoso ({TEAM})")
        code = typist.leaves()

    assert (0, CONTOSO) == (code, kept(fresh)["tenant"])


def test_a_guest_at_a_terminal_comes_from_nothing_to_a_deployment_by_enter_and_y(fresh: App, guest: Cloud) -> None:
    with at_terminal(fresh, "up", *fresh.flags) as typist:
        for question in ("an AKS cluster in Azure]: ", "new cluster [tiny]: ", "Region [eastus2]: ", "Registry]: "):
            typist.sees(question)
            typist.types("\n")
        typist.sees("new registry [")
        for question, answer in (("]: ", ""), ("[Y/n] ", ""), ("[y/N] ", "y"), ("Give it? [Y/n] ", "")):
            typist.sees(question)
            typist.types(f"{answer}\n")
        code = typist.leaves()

    assert (0, CONTOSO) == (code, kept(fresh)["tenant"])
    assert f"subscription `Team` ({TEAM}) in tenant `Contoso`" in typist.seen


def test_without_a_terminal_subscriptions_of_several_tenants_are_listed_with_their_tenants(
    fresh: App, cloud: Cloud
) -> None:
    cloud.invite(CONTOSO, "Contoso")
    cloud.subscribe(TEAM, "Team", CONTOSO)

    done = fresh.run("run", "resources", *NAMED, *ALL)

    assert (1, []) == (done.code, cloud.changes())
    assert (
        f"hint: `--subscription ID` says it: `Sandbox` ({SUBSCRIPTION}) in tenant `Spin AKS Sandbox`, "
        f"`Team` ({TEAM}) in tenant `Contoso`\n"
    ) in done.err


def test_somebody_in_one_tenant_pays_one_request_more(fresh: App, cloud: Cloud) -> None:
    fresh.ok("run", "resources", "--registry", "acme1", "--create")

    looked = [place for place in places(cloud) if place.endswith(("/tenants", "/subscriptions"))]
    assert sorted(["management.azure.com/tenants", "management.azure.com/subscriptions"]) == sorted(looked)
    assert 1 == tokens_of(cloud, TENANT)
    assert "tenant" not in kept(fresh)


AZ = """#!{python}
import os, sys, time, json, requests
arguments = dict(zip(sys.argv[1:], sys.argv[2:]))
tenant = arguments.get("--tenant") or os.environ["AZURE_TENANT_ID"]
with open({log!r}, "a") as log:
    log.write(arguments.get("--tenant", "") + "\\n")
form = {{"grant_type": "client_credentials", "client_id": os.environ["AZURE_CLIENT_ID"],
    "client_secret": os.environ["AZURE_CLIENT_SECRET"], "scope": arguments["--resource"] + "/.default"}}
answer = requests.post(f"https://login.microsoftonline.com/{{tenant}}/oauth2/v2.0/token", data=form).json()
if "error" in answer:
    sys.exit(f"ERROR: {{answer['error_description']}}\\nInteractive authentication is needed. Please run:\\naz login")
print(json.dumps({{"accessToken": answer["access_token"], "expires_on": int(time.time()) + 3600, "tenant": tenant}}))
"""


@dataclass
class AzureCli:
    """An `az` that is signed in to the sandbox's own tenant."""

    folder: Path

    def __post_init__(self) -> None:
        self.folder.mkdir()
        program = self.folder / "az"
        program.write_text(AZ.format(python=sys.executable, log=str(self.folder / "log")))
        program.chmod(0o755)

    @property
    def surroundings(self) -> dict[str, str]:
        path = (self.folder, Path(sys.executable).parent, os.environ["PATH"])
        return {"PATH": os.pathsep.join(map(str, path)), "AZURE_TOKEN_CREDENTIALS": "AzureCliCredential"}

    def tenants(self) -> list[str]:
        """Which tenant it was asked for, each time; empty for its own."""
        return (self.folder / "log").read_text().splitlines()


def test_whoever_signed_in_with_az_is_found_to_be_a_guest_and_asked_once_a_tenant(
    fresh: App, guest: Cloud, tmp_path: Path
) -> None:
    az = AzureCli(tmp_path / "az")
    guest.trouble(more=wants_more(FABRIKAM, "Fabrikam"))

    done = fresh.ok("run", "resources", *NAMED, "--create", **az.surroundings)

    assert f"subscription `Team` ({TEAM}) in tenant `Contoso`" in done.err
    assert f"hint: `az login --tenant {FABRIKAM}`\n" in done.err
    assert sorted(["", CONTOSO, FABRIKAM]) == sorted(az.tenants())


def test_whoever_signed_in_with_az_to_one_tenant_has_it_asked_once(fresh: App, cloud: Cloud, tmp_path: Path) -> None:
    az = AzureCli(tmp_path / "az")

    fresh.ok("run", "resources", *NAMED, "--create", **az.surroundings)

    assert [""] == az.tenants()
