"""Whatever answers in Azure's place, people read an error, and no token is in it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from testbed.azure_answers import Reply, Script, Signed, scripted

from spin_aks.azure import (
    acr,
    acr_login,
    aks,
    aks_access,
    aks_changes,
    cosmos,
    groups,
    identities,
    problems,
    redis,
    roles,
    secrets,
    subscriptions,
    vaults,
)
from spin_aks.azure.aks_body import NewCluster
from spin_aks.azure.arm import ResourceId
from spin_aks.azure.operations import Watch
from spin_aks.azure.roles import Wanted
from spin_aks.errors import AzureError
from spin_aks.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from spin_aks.azure.session import Session

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
GROUP = ResourceId(SUBSCRIPTION, "team")
ID = ResourceId.of(SUBSCRIPTION, "team", "Microsoft.X/y", "z")

WORDS = st.text(max_size=20) | st.sampled_from(["Succeeded", "Creating", str(ID), "Conflict", "quota exceeded"])
KEYS = st.sampled_from(
    [
        "error",
        "code",
        "message",
        "details",
        "innererror",
        "errors",
        "id",
        "properties",
        "value",
        "identityProfile",
        "kubeletidentity",
        "addonProfiles",
        "azureKeyvaultSecretsProvider",
        "accessPolicies",
        "permissions",
        "secrets",
    ]
)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(DOCUMENTS, st.sampled_from([400, 401, 403, 404, 409, 412, 418, 429, 500, 503]))
def test_any_body_of_a_refusal_becomes_an_error(body: Any, status: int) -> None:
    script = Script()
    script.answer("PUT", "/resourcegroups/team", Reply(status, body))
    script.answer("GET", "/resourcegroups/team", Reply(404, {}))

    with pytest.raises(AzureError) as error:
        groups.create(scripted(script), GROUP, "x", Watch())

    assert error.value.problems[0].what.startswith("can't make resource group `team`: ")
    assert "\n" not in error.value.problems[0].what


@pytest.mark.parametrize(
    "parse",
    [
        aks.parse,
        acr.parse,
        vaults.parse,
        cosmos.parse,
        cosmos.parse_container,
        redis.parse_classic,
        redis.parse_managed,
        redis.parse_database,
        identities.parse,
        identities.parse_federation,
        lambda document: roles.answers(document, Wanted("", ID, "p", roles.ACR_PULL)),
    ],
)
@given(document=st.dictionaries(KEYS, DOCUMENTS, max_size=4))
def test_any_document_is_read_or_refused(parse: Callable[[Any], object], document: dict[str, Any]) -> None:
    with suppress(AzureError):
        assert parse(document) is not None


def test_a_resource_without_an_id_is_refused() -> None:
    with pytest.raises(AzureError, match="what answered is not Azure, for its JSON is not what Azure answers"):
        aks.parse({"properties": {}})


CLUSTER = aks.parse({"id": str(ID), "properties": {"aadProfile": {}}})


@pytest.mark.parametrize(
    "ask",
    [
        lambda session: groups.get(session, GROUP),
        lambda session: acr_login.log_in(session, "shop.azurecr.io"),
        lambda session: aks_access.run(session, CLUSTER, "true"),
        lambda session: aks_access.kubeconfig(session, CLUSTER),
        lambda session: secrets.put(session, "https://safe.vault.azure.net/", "one", Secret("canary value")),
        lambda session: roles.give(session, Wanted("", ID, "p", roles.ACR_PULL), Watch()),
    ],
)
@pytest.mark.parametrize("status", [400, 403, 409, 500])
def test_no_token_and_no_secret_is_in_any_error(ask: Callable[[Session], object], status: int) -> None:
    script = Script()
    for method in ("GET", "PUT", "POST"):
        script.answer(method, ".", Reply(status, {"error": {"code": "Oops", "message": "no"}}))

    with pytest.raises(AzureError) as error:
        ask(scripted(script, Signed("canary token")))

    first = error.value.problems[0]
    assert "canary" not in " ".join((str(error.value), repr(error.value), error.value.why, first.hint, first.where))


PAGE = {"Content-Type": "text/html; charset=utf-8"}
JSON = {"Content-Type": "application/json"}
STRANGE = {
    "a page": Reply(200, "<html><body>canary</body></html>", PAGE),
    "nothing": Reply(200, "", JSON),
    "nothing of no type": Reply(200, "", {"Content-Type": ""}),
    "half of a document": Reply(200, '{"value": [{"id": "/sub', JSON),
    "another object": Reply(200, {"unexpected": "canary"}),
    "a list": Reply(200, [1, "canary"]),
    "a text": Reply(200, '"canary"', JSON),
    "xml": Reply(200, "<?xml version='1.0'?><a>canary", {"Content-Type": "application/xml"}),
    "an image": Reply(200, "canary", {"Content-Type": "image/png"}),
}
VAULT = vaults.parse({"id": str(ResourceId.of(SUBSCRIPTION, "team", vaults.KIND, "safe")), "properties": {}})
CLOSED = aks.parse({"id": str(ID), "properties": {"apiServerAccessProfile": {"enablePrivateCluster": True}}})
REDIS = ResourceId.of(SUBSCRIPTION, "team", redis.MANAGED_KIND, "z")
WANTED = Wanted("", ID, "p", roles.ACR_PULL)
SAFE = "https://safe.vault.azure.net/"
ASKED: dict[str, Callable[[Session], object]] = {
    "clusters": lambda session: aks.clusters(session, SUBSCRIPTION),
    "cluster": lambda session: aks.get(session, ID),
    "new cluster": lambda session: aks.create(session, NewCluster(ID, "x"), Watch()),
    "add-on": lambda session: aks_changes.enable_keyvault_addon(session, ID, Watch()),
    "kubeconfig": lambda session: aks_access.kubeconfig(session, CLOSED),
    "command": lambda session: aks_access.run(session, CLOSED, "true"),
    "registries": lambda session: acr.registries(session, SUBSCRIPTION),
    "registry": lambda session: acr.get(session, ID),
    "new registry": lambda session: acr.create(session, ID, "x", Watch()),
    "name of a registry": lambda session: acr.why_not(session, SUBSCRIPTION, "z"),
    "login": lambda session: acr_login.log_in(session, "shop.azurecr.io"),
    "groups": lambda session: groups.groups(session, SUBSCRIPTION),
    "group": lambda session: groups.get(session, GROUP),
    "new group": lambda session: groups.create(session, GROUP, "x", Watch()),
    "identities": lambda session: identities.identities(session, SUBSCRIPTION),
    "identity": lambda session: identities.get(session, ID),
    "new identity": lambda session: identities.create(session, ID, "x"),
    "federations": lambda session: identities.federations(session, ID),
    "vaults": lambda session: vaults.vaults(session, SUBSCRIPTION),
    "vault": lambda session: vaults.get(session, ID),
    "new vault": lambda session: vaults.create(session, ID, "x", "t", Watch()),
    "name of a vault": lambda session: vaults.why_not(session, SUBSCRIPTION, "z"),
    "deleted vaults": lambda session: vaults.deleted(session, SUBSCRIPTION, "z"),
    "policy": lambda session: vaults.allow(session, VAULT, "x", "o", ("get",)),
    "secrets": lambda session: secrets.names(session, SAFE),
    "secret": lambda session: secrets.get(session, SAFE, "one"),
    "new secret": lambda session: secrets.put(session, SAFE, "one", Secret("x")),
    "Redis": lambda session: redis.every(session, SUBSCRIPTION),
    "a Redis": lambda session: redis.get(session, REDIS),
    "new Redis": lambda session: redis.create(session, REDIS, "x", Watch()),
    "accounts": lambda session: cosmos.accounts(session, SUBSCRIPTION),
    "account": lambda session: cosmos.get(session, ID),
    "new account": lambda session: cosmos.create(session, ID, "x", Watch()),
    "roles": lambda session: roles.check(session, [WANTED]),
    "new role": lambda session: roles.give(session, WANTED, Watch()),
    "subscriptions": lambda session: subscriptions.subscriptions(session),
    "subscription": lambda session: subscriptions.get(session, SUBSCRIPTION),
    "regions": lambda session: subscriptions.locations(session, SUBSCRIPTION),
}


@pytest.mark.parametrize("kind", STRANGE)
@pytest.mark.parametrize("question", ASKED)
def test_whatever_answers_a_question_with_success_is_told_and_never_shown(question: str, kind: str) -> None:
    script = Script()
    for method in ("GET", "PUT", "POST", "PATCH"):
        script.answer(method, ".", STRANGE[kind])

    with pytest.raises(AzureError) as error:
        ASKED[question](scripted(script))

    first = error.value.problems[0]
    assert first.what.startswith(("can't ", "what answered"))
    assert "canary" not in " ".join((first.what, first.where, first.hint, error.value.why))


@pytest.mark.parametrize("kind", STRANGE)
@pytest.mark.parametrize("question", ["new cluster", "new registry", "new group", "new identity", "new account"])
def test_what_is_asked_to_be_made_is_not_taken_for_made(question: str, kind: str) -> None:
    script = Script()
    script.answer("GET", ".", Reply(404, {"error": {"code": "ResourceNotFound", "message": "no"}}))
    script.answer("PUT", ".", STRANGE[kind])

    with pytest.raises(AzureError) as error:
        ASKED[question](scripted(script))

    assert error.value.problems[0].hint
    assert 1 == len(script.sent("PUT"))


@pytest.mark.parametrize("kind", STRANGE)
def test_an_operation_of_which_nothing_can_be_read_is_left_going(kind: str) -> None:
    script = Script()
    script.answer("GET", ".", Reply(404, {"error": {"code": "ResourceNotFound", "message": "no"}}))
    script.answer("GET", "/operations/1$", STRANGE[kind])
    following = {"Azure-AsyncOperation": "https://management.azure.com/subscriptions/x/providers/Y/z/a/operations/1"}
    script.answer("PUT", ".", Reply(201, {"id": str(ID), "properties": {"provisioningState": "Creating"}}, following))

    with pytest.raises(AzureError) as error:
        aks.create(scripted(script), NewCluster(ID, "x"), Watch())

    problem = error.value.problems[0]
    assert problem.what.startswith("can't make cluster `z`: what answered is not Azure, for ")
    assert problem.hint.endswith("; what was begun goes on in Azure: run the same command again to wait on")
    heard = "GET https://management.azure.com/subscriptions/x/providers/Y/z/a/operations/1 was answered with 200 and "
    assert error.value.why.startswith("" if kind == "an image" else heard)  # the SDK keeps no answer of such a type


def test_a_list_that_is_none_is_not_taken_for_an_empty_one() -> None:
    script = Script()
    script.answer("GET", "/registries$", Reply(200, {"message": "blocked"}))

    with pytest.raises(AzureError) as error:
        acr.find(scripted(script), SUBSCRIPTION, "shop")

    assert (
        "can't list container registries: what answered is not Azure, for its JSON is not what Azure answers"
        == error.value.problems[0].what
    )


def test_what_code_of_ours_raises_in_the_middle_stays_a_defect() -> None:
    with pytest.raises(KeyError), problems.reported("x"):
        {}["ours"]


def test_what_the_sdk_trips_over_is_no_defect() -> None:
    from azure.core.pipeline.policies import ContentDecodePolicy

    with pytest.raises(AzureError), problems.reported("x"):
        ContentDecodePolicy.deserialize_from_text(b"\xff", "application/json")
