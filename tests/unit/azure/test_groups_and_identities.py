from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from testbed.azure_answers import Reply, Script, recorded, refused, scripted

from spin_aks.azure import groups, identities
from spin_aks.azure.arm import ResourceId
from spin_aks.azure.found import AmbiguousError, NotFoundError
from spin_aks.azure.identities import Federation
from spin_aks.azure.operations import Watch
from spin_aks.azure.problems import AzureRefusalError, Kind
from spin_aks.errors import AzureError

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Clock

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
GROUP = ResourceId(SUBSCRIPTION, "team")
APP = ResourceId.of(SUBSCRIPTION, "team", identities.KIND, "app")


def group(state: str) -> Reply:
    return Reply(200, {"id": str(GROUP), "location": "westeurope", "properties": {"provisioningState": state}})


def test_a_group_is_made_as_azure_recorded_it(recordings: Path) -> None:
    script = Script()
    script.answer("GET", "/resourcegroups/team$", refused(404, "ResourceGroupNotFound", "no"))
    script.answer("PUT", "/resourcegroups/team$", Reply(201, group("Succeeded").body))

    made = groups.create(scripted(script), GROUP, "westeurope", Watch())

    assert groups.Group(GROUP, "westeurope", "Succeeded") == made
    assert {"location": "westeurope"} == script.sent("PUT")[0].json


def test_a_group_that_is_there_is_left_in_its_region() -> None:
    script = Script()
    script.answer("GET", "/resourcegroups/team$", group("Succeeded"))

    assert "westeurope" == groups.create(scripted(script), GROUP, "eastus", Watch()).location
    assert ["GET"] == script.methods


def test_a_group_that_is_being_deleted_is_waited_for_and_made_anew(turned: Clock) -> None:
    script = Script()
    gone = refused(404, "ResourceGroupNotFound", "no")
    script.answer("GET", "/resourcegroups/team$", group("Deleting"), group("Deleting"), gone)
    script.answer("PUT", "/resourcegroups/team$", Reply(201, group("Succeeded").body))
    said: list[str] = []

    groups.create(scripted(script), GROUP, "westeurope", Watch(said.append))

    assert ["make resource group `team`: it is being deleted already, waiting for that"] == said
    assert 20.0 == turned.seconds


def test_a_recorded_group_is_listed(recordings: Path) -> None:
    session, _ = recorded(recordings, "rg-create-exists-list-delete")

    assert ["cli_test_rg_scenario000001"] == [one.id.name for one in groups.groups(session, SUBSCRIPTION)]


def example(shared: Path, name: str) -> Any:
    return json.loads((shared / f"azure-spec/msi-2023-01-31/{name}.json").read_text())["responses"]["201"]["body"]


def test_an_identity_is_made_once(shared: Path) -> None:
    body = example(shared, "IdentityCreate")
    script = Script()
    script.answer("GET", "/userAssignedIdentities/app$", refused(404, "ResourceNotFound", "no"), Reply(200, body))
    script.answer("PUT", "/userAssignedIdentities/app$", Reply(201, body))
    session = scripted(script)

    made = identities.create(session, APP, "eastus")

    assert made == identities.create(session, APP, "eastus")
    assert (body["properties"]["principalId"], body["properties"]["clientId"]) == (made.object_id, made.client_id)
    assert [{"location": "eastus"}] == [one.json for one in script.sent("PUT")]


WANTED = identities.service_account("shop", "https://issuer/", "prod", "shop")


def test_a_service_account_is_let_in_once() -> None:
    body = {
        "name": "shop",
        "properties": {"issuer": "https://issuer/", "subject": WANTED.subject, "audiences": [identities.AUDIENCE]},
    }
    script = Script()
    script.answer("GET", "/federatedIdentityCredentials$", Reply(200, {"value": []}), Reply(200, {"value": [body]}))
    script.answer("PUT", "/federatedIdentityCredentials/shop$", Reply(201, body))
    session = scripted(script)

    assert [True, False] == [identities.federate(session, APP, WANTED) for _ in range(2)]
    assert identities.may_sign_in(session, APP, WANTED)
    assert not identities.may_sign_in(session, APP, Federation("shop", "https://issuer/", "other"))
    assert [
        {
            "properties": {
                "issuer": "https://issuer/",
                "subject": "system:serviceaccount:prod:shop",
                "audiences": ["api://AzureADTokenExchange"],
            }
        }
    ] == [one.json for one in script.sent("PUT")]


def test_a_cluster_without_an_issuer_can_let_nobody_in() -> None:
    with pytest.raises(AzureError) as error:
        identities.federate(scripted(Script()), APP, Federation("x", "", "y"))

    assert "the cluster has no OIDC issuer, without which no identity can be used" == str(error.value)


@pytest.mark.parametrize(
    ("other", "equal"),
    [
        (Federation("another name", "https://issuer/", WANTED.subject), True),
        (Federation("shop", "https://issuer", WANTED.subject), False),
        (Federation("shop", "https://ISSUER/", WANTED.subject), False),
        (Federation("shop", "https://issuer/", WANTED.subject.upper()), False),
        (Federation("shop", "https://issuer/", WANTED.subject, ("other",)), False),
        (Federation("shop", "https://issuer/2", WANTED.subject), False),
    ],
)
def test_two_federations_are_equal_if_they_let_the_same_in(other: Federation, equal: bool) -> None:
    assert equal == identities.equal(other, WANTED)


CONCURRENT = refused(
    409,
    "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity",
    "Too many Federated Identity Credentials are written concurrently for the managed identity '/subscriptions/0/app'. "
    "Concurrent Federated Identity Credentials writes under the same managed identity are not supported.",
)
"""As https://github.com/pulumi/pulumi-azure-native/issues/4343 has it."""


def federated(number: int) -> dict[str, Any]:
    properties = {"issuer": "https://issuer/", "subject": f"s{number}", "audiences": [identities.AUDIENCE]}
    return {"name": f"c{number}", "properties": properties}


def test_whoever_else_is_being_let_in_is_waited_for(turned: Clock) -> None:
    script = Script()
    script.answer("GET", "/federatedIdentityCredentials$", Reply(200, {"value": []}))
    script.answer("PUT", "/federatedIdentityCredentials/shop$", CONCURRENT, CONCURRENT, Reply(201, federated(1)))
    said: list[str] = []

    assert identities.federate(scripted(script), APP, WANTED, Watch(said.append))

    assert 3 == len(script.sent("PUT"))
    assert 20.0 == turned.seconds
    assert [
        "let `system:serviceaccount:prod:shop` sign in as identity `app`: somebody else is being let in right now, "
        "waiting for that"
    ] * 2 == said


def test_a_service_account_that_somebody_else_let_in_meanwhile_is_left_alone() -> None:
    body = federated(1)
    body["properties"]["subject"] = WANTED.subject
    script = Script()
    script.answer("GET", "/federatedIdentityCredentials$", Reply(200, {"value": []}), Reply(200, {"value": [body]}))
    script.answer("PUT", "/federatedIdentityCredentials/shop$", CONCURRENT)

    assert not identities.federate(scripted(script), APP, WANTED)
    assert 1 == len(script.sent("PUT"))


def test_an_identity_that_stays_busy_is_told(turned: Clock) -> None:
    script = Script()
    script.answer("GET", "/federatedIdentityCredentials$", Reply(200, {"value": []}))
    script.answer("PUT", "/federatedIdentityCredentials/shop$", CONCURRENT)

    with pytest.raises(AzureRefusalError) as error:
        identities.federate(scripted(script), APP, WANTED)

    assert Kind.BUSY is error.value.kind
    assert (
        "can't let `system:serviceaccount:prod:shop` sign in as identity `app`: something else is being done to it "
        "right now"
    ) == error.value.problems[0].what
    assert identities.TRIES == len(script.sent("PUT"))
    assert 110.0 == turned.seconds


def test_an_identity_with_twenty_credentials_takes_no_other() -> None:
    script = Script()
    script.answer("GET", "/federatedIdentityCredentials$", Reply(200, {"value": [federated(n) for n in range(20)]}))

    with pytest.raises(AzureError) as error:
        identities.federate(scripted(script), APP, WANTED)

    problem = error.value.problems[0]
    named = f"--identity-name app --resource-group team --subscription {SUBSCRIPTION}"
    assert (
        "can't let `system:serviceaccount:prod:shop` sign in as identity `app`: it has 20 federated credentials "
        "already, and 20 are the most"
    ) == problem.what
    assert str(APP) == problem.where
    assert (
        f"`az identity federated-credential list {named}` shows them, `az identity federated-credential delete {named} "
        "--name NAME` removes one; or choose another identity"
    ) == problem.hint
    assert ["GET"] == script.methods


def test_one_of_twenty_credentials_may_become_that_of_a_new_cluster() -> None:
    there = [federated(n) for n in range(19)] + [{**federated(19), "name": "SHOP"}]
    script = Script()
    script.answer("GET", "/federatedIdentityCredentials$", Reply(200, {"value": there}))
    script.answer("PUT", "/federatedIdentityCredentials/shop$", Reply(200, federated(19)))

    assert identities.federate(scripted(script), APP, WANTED)


def listed(shared: Path, *groups_of: str) -> Reply:
    body = example(shared, "IdentityCreate")
    ids = [str(ResourceId.of(SUBSCRIPTION, one, identities.KIND, "app")) for one in groups_of]
    return Reply(200, {"value": [{**body, "id": one, "name": "app"} for one in ids]})


def test_an_identity_is_found_by_name_in_whatever_group(shared: Path) -> None:
    script = Script()
    script.answer("GET", f"^https://[^/]+/subscriptions/{SUBSCRIPTION}/providers/", listed(shared, "team"))

    found = identities.find(scripted(script), SUBSCRIPTION, "APP")

    assert (APP, "eastus") == (found.id, found.location)


def test_several_identities_of_a_name_are_told_apart_by_their_group(shared: Path) -> None:
    script = Script()
    script.answer("GET", "/userAssignedIdentities$", listed(shared, "a", "b"))

    with pytest.raises(AmbiguousError) as error:
        identities.find(scripted(script), SUBSCRIPTION, "app")

    assert "several managed identities are called `app`" == str(error.value)
    assert "say which resource group is meant: `a`, `b`" == error.value.problems[0].hint


def test_an_identity_that_is_not_there_is_told_with_those_that_are(shared: Path) -> None:
    script = Script()
    script.answer("GET", "/userAssignedIdentities$", listed(shared, "a"))
    script.answer("GET", "/userAssignedIdentities/app$", refused(404, "ResourceNotFound", "no"))

    with pytest.raises(NotFoundError) as error:
        identities.find(scripted(script), SUBSCRIPTION, "app", "team")

    assert "there is no managed identity `app` in resource group `team`" == str(error.value)
    assert "there are `app` (group `a`)" == error.value.problems[0].hint
