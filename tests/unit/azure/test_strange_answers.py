"""Whatever answers in Azure's place, people read an error, and no token is in it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from testbed.azure_answers import Reply, Script, Signed, scripted

from spin_aks.azure import acr, acr_login, aks, aks_access, cosmos, groups, identities, redis, roles, secrets, vaults
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
    with pytest.raises(AzureError, match="is no id of a resource in Azure"):
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
