"""What people read when Azure says no, for every kind of no."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from testbed.azure_answers import Reply, Script, refused, scripted
from testbed.azure_recordings import load

from spin_aks.azure import aks, groups
from spin_aks.azure.arm import ResourceId
from spin_aks.azure.problems import Answer, AzureRefusalError, AzureUnreachableError, Kind
from spin_aks.azure.refusals import refusal
from spin_aks.azure.rights import role_for

if TYPE_CHECKING:
    from pathlib import Path

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
GROUP = ResourceId(SUBSCRIPTION, "team")
OID = "674368bb-7eaa-4100-aef7-138f65f50648"


def heard(status: int, message: str, *codes: str, retry_after_s: float = 0.0) -> AzureRefusalError:
    url = f"https://management.azure.com/subscriptions/{SUBSCRIPTION}/resourceGroups/team"
    return refusal(Answer(status, codes, message, retry_after_s, url), "make vault `shop`", "ID", tenant="T")


def said(error: AzureRefusalError) -> tuple[Kind, str, str]:
    return error.kind, error.problems[0].what, error.problems[0].hint


def test_a_missing_right_is_named_with_its_scope_and_who_can_grant_it(recordings: Path) -> None:
    body = load(recordings, "errors").answered(5)["error"]

    error = heard(403, body["message"], body["code"])

    scope = (
        "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/clitest000001/providers/"
        "Microsoft.Network/virtualNetworks/clitest.vn000002/subnets/default"
    )
    assert (
        Kind.DENIED,
        "can't make vault `shop`: `user@example.com` may not do `Microsoft.Authorization/roleAssignments/write`",
        "an Owner or User Access Administrator of that scope can grant it: `az role assignment create "
        f'--assignee-object-id {OID} --role "Role Based Access Control Administrator" --scope {scope}`; then run the '
        "same command again (it may take minutes to be seen, and `az login --tenant T` if it isn't)",
    ) == said(error)
    assert scope == error.problems[0].where


@pytest.mark.parametrize(
    ("action", "below", "scope"),
    [
        (
            "Microsoft.KeyVault/vaults/write",
            "/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v",
            "/resourceGroups/g",
        ),
        ("Microsoft.Resources/subscriptions/resourceGroups/write", "/resourcegroups/g", ""),
        (
            "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action",
            "/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c",
            "/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c",
        ),
        ("Microsoft.Cache/redis/read", "/providers/Microsoft.Cache/redis", ""),
        ("Microsoft.Cache/redis/read", "/providers/Microsoft.Cache", ""),
        (
            "Microsoft.Authorization/roleAssignments/read",
            "/resourceGroups/g/providers/Microsoft.Cache/redis/r/providers/Microsoft.Authorization/roleAssignments",
            "/resourceGroups/g/providers/Microsoft.Cache/redis/r",
        ),
    ],
)
def test_a_right_is_to_be_given_where_something_is_already(action: str, below: str, scope: str) -> None:
    message = (
        f"The client 'a' with object id 'o' does not have authorization to perform action '{action}' over scope "
        f"'/subscriptions/s{below}' or the scope is invalid."
    )

    error = heard(403, message, "AuthorizationFailed")

    assert f" --scope /subscriptions/s{scope}`; then" in error.problems[0].hint
    assert f"/subscriptions/s{below}" == error.problems[0].where


@pytest.mark.parametrize(
    ("action", "role"),
    [
        ("Microsoft.ContainerService/managedClusters/write", "Azure Kubernetes Service Contributor Role"),
        (
            "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action",
            "Azure Kubernetes Service Cluster User Role",
        ),
        ("Microsoft.KeyVault/vaults/write", "Key Vault Contributor"),
        ("Microsoft.ContainerService/managedClusters/read", "Reader"),
        ("Microsoft.ContainerRegistry/registries/write", "Contributor"),
        ("Microsoft.Cache/redis/write", "Redis Cache Contributor"),
        ("Microsoft.Cache/redisEnterprise/write", "Contributor"),
    ],
)
def test_the_role_that_is_advised_is_the_narrow_one(action: str, role: str) -> None:
    assert role == role_for(action)


def test_an_unregistered_provider_is_named_with_the_command_that_registers_it(recordings: Path) -> None:
    body = load(recordings, "errors").answered(0)["error"]

    error = heard(409, body["message"], body["code"])

    assert (
        Kind.UNREGISTERED,
        "can't make vault `shop`: the subscription is not registered for `Microsoft.Maps`",
        "a Contributor or Owner can register it: `az provider register --namespace Microsoft.Maps "
        f"--subscription {SUBSCRIPTION} --wait`",
    ) == said(error)


QUOTA_HINT = (
    "ask for more (`az quota`, or Quotas in the portal), or choose another region (`--location`), a smaller size "
    "(`--node-size`) or fewer nodes (`--node-count`)"
)


@pytest.mark.parametrize(
    ("status", "code", "message", "kind", "what", "hint"),
    [
        (
            400,
            "ErrCode_InsufficientVCPUQuota",
            "Insufficient regional vcpu quota left for location westeurope. left regional vcpu quota 1, requested 4.",
            Kind.QUOTA,
            "it exceeds a quota of the subscription",
            QUOTA_HINT,
        ),
        (
            409,
            "OperationNotAllowed",
            "Operation could not be completed as it results in exceeding approved Total Regional Cores quota.",
            Kind.QUOTA,
            "it exceeds a quota of the subscription",
            QUOTA_HINT,
        ),
        (
            400,
            "VMSizeNotSupported",
            "The VM size of Standard_D2s_v5 is not allowed in your subscription in location 'x'.",
            Kind.UNAVAILABLE,
            "the region does not offer it, or has no room for it",
            "choose another region (`--location`) or size (`--node-size`): `az vm list-skus --location REGION` shows "
            "what there is",
        ),
        (
            409,
            "VaultAlreadyExists",
            "The vault name 'shop' is already in use. Vault names are globally unique.",
            Kind.NAME_TAKEN,
            "somebody has that name already",
            "such names are shared by everybody in Azure: choose another",
        ),
        (
            409,
            "AlreadyInUse",
            "The registry DNS name shop.azurecr.io is already in use.",
            Kind.NAME_TAKEN,
            "somebody has that name already",
            "such names are shared by everybody in Azure: choose another",
        ),
        (
            409,
            "ConflictError",
            "A vault with the same name already exists in deleted state. You need to either recover or purge existing "
            "key vault.",
            Kind.SOFT_DELETED,
            "a vault of that name was deleted and can still be recovered; its name is free once it is purged",
            "`az keyvault recover --name ID`, or `az keyvault purge --name ID`",
        ),
        (
            409,
            "ResourceGroupBeingDeleted",
            "The resource group 'team' is in deprovisioning state and cannot perform this operation.",
            Kind.BEING_DELETED,
            "it, or the resource group around it, is being deleted",
            "wait until it is gone, then run the same command again",
        ),
        (
            409,
            "OperationNotAllowed",
            "Operation is not allowed because there's an in progress update managed cluster operation (operation ID: "
            "x) on the managed cluster started on UTC 2026. Please wait for it to finish before starting a new one.",
            Kind.BUSY,
            "something else is being done to it right now",
            "wait until that is done, then run the same command again",
        ),
        (
            412,
            "EtagMismatch",
            "The ETag value does not match.",
            Kind.BUSY,
            "something else is being done to it right now",
            "wait until that is done, then run the same command again",
        ),
        (
            404,
            "ResourceGroupNotFound",
            "Resource group 'team' could not be found.",
            Kind.NOT_FOUND,
            "there is no such resource group",
            "`az group list --output table` shows those of the subscription",
        ),
        (
            404,
            "SubscriptionNotFound",
            "The subscription 'x' could not be found.",
            Kind.NOT_FOUND,
            "whoever signed in sees no such subscription",
            "`az account list --output table` shows yours; `az login --tenant T` for those of another tenant",
        ),
        (
            403,
            "RequestDisallowedByPolicy",
            "Resource 'shop' was disallowed by policy.",
            Kind.POLICY,
            "a policy of your organisation's or Azure's forbids it",
            "choose what the policy allows (another region, size or name), or ask who keeps it for an exemption",
        ),
        (
            409,
            "ScopeLocked",
            "The scope '/x' cannot perform write operation because following scope(s) are locked: '/x'.",
            Kind.LOCKED,
            "the resource or its group is locked",
            "`az lock list` shows the lock; who set it can take it away",
        ),
        (
            409,
            "ReadOnlyDisabledSubscription",
            "The subscription 'x' is disabled and therefore marked as read only.",
            Kind.DISABLED,
            "the subscription is disabled",
            "its owner can enable it again in the portal, or choose another with `az account list --output table`",
        ),
        (
            503,
            "ServerTimeout",
            "The request timed out.",
            Kind.BROKEN,
            "Azure itself fails (503 ServerTimeout)",
            "https://azure.status.microsoft says whether it is known; run the same command again later",
        ),
        (
            401,
            "InvalidAuthenticationTokenAudience",
            "The access token has been obtained for wrong audience or resource 'https://management.chinacloudapi.cn'.",
            Kind.WRONG_CLOUD,
            "the sign-in is to another of Azure's clouds",
            "set AZURE_AUTHORITY_HOST to the cloud's sign-in host, and `az cloud set --name CLOUD`, then sign in again",
        ),
    ],
)
def test_a_refusal_says_what_is_wrong_and_what_to_do(
    status: int, code: str, message: str, kind: Kind, what: str, hint: str
) -> None:
    error = heard(status, message, code)

    assert (kind, f"can't make vault `shop`: {what}", hint) == said(error)
    assert "ID" == error.problems[0].where


def test_a_secret_that_was_deleted_holds_its_name(recordings: Path) -> None:
    body = load(recordings, "kv-secret-soft-delete-conflict").exchanges
    conflict = next(one for one in body.values() if one.status == 409).body["error"]

    error = heard(409, conflict["message"], conflict["code"], conflict["innererror"]["code"])

    assert (
        Kind.SOFT_DELETED,
        "can't make vault `shop`: a secret of that name was deleted and can still be recovered; its name is free once "
        "it is purged",
        "`az keyvault secret recover --vault-name ID --name NAME`, or `az keyvault secret purge` with the same",
    ) == said(error)


@pytest.mark.parametrize(
    ("codes", "message", "what"),
    [
        (
            ("Forbidden", "ForbiddenByRbac"),
            "Caller is not authorized to perform action on resource.",
            "the vault does not let whoever signed in use its secrets",
        ),
        (
            ("Forbidden", "AccessDenied"),
            "Access denied. Caller was not found on any access policy.",
            "none of the vault's access policies is for whoever signed in",
        ),
        (
            ("Forbidden", "ForbiddenByFirewall"),
            "Client address is not authorized and caller is not a trusted service.",
            "the vault's firewall does not let this machine in",
        ),
        (
            ("Forbidden", "ForbiddenByConnection"),
            "Public network access is disabled and request is not from a trusted service nor via an approved private "
            "link.",
            "the vault is closed to the public network",
        ),
    ],
)
def test_a_vault_says_which_of_its_doors_is_shut(codes: tuple[str, ...], message: str, what: str) -> None:
    error = heard(403, message, *codes)

    assert (Kind.DENIED, f"can't make vault `shop`: {what}") == said(error)[:2]


def test_throttling_says_how_long_to_wait() -> None:
    assert (
        Kind.THROTTLED,
        "can't make vault `shop`: Azure gets too many requests, and asks to wait 240 s",
        "run the same command again in 240 s",
    ) == said(heard(429, "Number of requests exceeded", "TooManyRequests", retry_after_s=240))
    assert "run the same command again in a few minutes" == said(heard(429, ""))[2]


def test_a_wrong_tenant_is_told_with_the_right_one() -> None:
    mine, theirs = "1111aaaa-1111-1111-1111-111111111111", "2222bbbb-2222-2222-2222-222222222222"
    message = (
        f"The access token is from the wrong issuer 'https://sts.windows.net/{mine}/'. It must match the tenant "
        f"'https://sts.windows.net/{theirs}/' associated with this subscription."
    )

    assert (
        Kind.WRONG_TENANT,
        f"can't make vault `shop`: the subscription belongs to tenant `{theirs}`, and the sign-in is to `{mine}`",
        f"sign in to that one: `az login --tenant {theirs}`",
    ) == said(heard(401, message, "InvalidAuthenticationTokenTenant"))


def test_what_nobody_knows_is_told_in_azures_own_words() -> None:
    assert (
        Kind.OTHER,
        "can't make vault `shop`: Azure answered 400 (BadParameter): Bad parameter: color",
        "",
    ) == said(heard(400, "Bad parameter: color", "BadParameter"))
    assert "can't make vault `shop`: Azure gave up (Oops): it does not say why" == said(heard(200, "", "Oops"))[1]


def test_a_wait_that_azure_asks_for_is_kept_and_the_request_repeated() -> None:
    script = Script()
    found = {"id": str(GROUP), "location": "westeurope", "properties": {"provisioningState": "Succeeded"}}
    script.answer(
        "GET", "/resourcegroups/team", refused(429, "TooManyRequests", "slowly", retry_after="3"), Reply(200, found)
    )
    session = scripted(script)

    assert groups.Group(GROUP, "westeurope", "Succeeded") == groups.get(session, GROUP)
    assert ["GET", "GET"] == script.methods
    assert [3.0] == script.waits


def test_a_wait_that_is_too_long_is_told_instead() -> None:
    script = Script()
    script.answer("GET", "/resourcegroups/team", refused(429, "TooManyRequests", "slowly", retry_after="3600"))

    with pytest.raises(AzureRefusalError) as error:
        groups.get(scripted(script), GROUP)

    assert (Kind.THROTTLED, "run the same command again in 3600 s") == (error.value.kind, said(error.value)[2])
    assert ["GET"] == script.methods


def test_nobody_registers_a_provider_behind_the_users_back() -> None:
    script = Script()
    message = "The subscription is not registered to use namespace 'Microsoft.ContainerService'."
    script.answer("GET", "/managedClusters", refused(409, "MissingSubscriptionRegistration", message))

    with pytest.raises(AzureRefusalError) as error:
        aks.clusters(scripted(script), SUBSCRIPTION)

    assert Kind.UNREGISTERED is error.value.kind
    assert ["GET"] == script.methods


@pytest.mark.parametrize("body", ["<html>busy</html>", "", "[]", '{"error": "text"}', '{"error": {"code": 3}}', "null"])
def test_an_answer_that_is_no_json_of_azures_is_no_traceback(body: str) -> None:
    script = Script()
    script.answer("GET", "/resourcegroups/team", Reply(400, body))

    with pytest.raises(AzureRefusalError) as error:
        groups.get(scripted(script), GROUP)

    assert error.value.problems[0].what.startswith("can't look up resource group `team`: Azure answered 400")


def test_half_an_error_in_a_list_is_read_as_a_registry_writes_it() -> None:
    script = Script()
    body = {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}
    script.answer("GET", "/resourcegroups/team", Reply(400, body))

    with pytest.raises(AzureRefusalError) as error:
        groups.get(scripted(script), GROUP)

    assert ("UNAUTHORIZED",) == error.value.answer.codes


def test_a_page_in_azures_place_is_told() -> None:
    script = Script()
    script.answer("GET", "/resourcegroups/team", Reply(200, "<html>Welcome to the hotel</html>"))

    with pytest.raises(AzureUnreachableError) as error:
        groups.get(scripted(script), GROUP)

    assert (
        "can't look up resource group `team`: what answered is not Azure, for it does not speak JSON",
        "a proxy, or the sign-in page of a network, may stand in its place: check HTTPS_PROXY",
    ) == (error.value.problems[0].what, error.value.problems[0].hint)
