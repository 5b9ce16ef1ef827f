"""Key vaults of the sandbox's Azure, through the SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from testbed import azure_sandbox

from spin_aks.sandbox.azure.subscriptions import SUBSCRIPTION, TENANT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.azure_recordings import Clients

    from spin_aks.sandbox.azure.world import World

ASKED = {"tenantId": TENANT, "sku": {"family": "A", "name": "standard"}}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with azure_sandbox.opened(tmp_path) as opened:
        yield opened


@pytest.fixture
def azure(world: World) -> Clients:
    azure = azure_sandbox.connected(world)
    for group in ("rg", "other"):
        azure.groups.create_or_update(group, {"location": "westeurope"})
    return azure


def made(azure: Clients, name: str = "vault-1", group: str = "rg", **more: object) -> Any:
    body = {"location": "westeurope", "properties": {**ASKED, **more}}
    return azure.vaults.begin_create_or_update(group, name, body).result()


def refused(error: pytest.ExceptionInfo[HttpResponseError]) -> tuple[int | None, str | None]:
    return error.value.status_code, error.value.error.code if error.value.error else None


def test_a_vault_made_without_saying_how_access_is_granted_has_roles(azure: Clients) -> None:
    vault = made(azure)

    assert vault.properties.enable_rbac_authorization is True
    assert "https://vault-1.vault.azure.net/" == vault.properties.vault_uri
    assert 90 == vault.properties.soft_delete_retention_in_days


def test_before_2026_02_01_it_has_access_policies(world: World) -> None:
    session = azure_sandbox.connected(world).session
    token = azure_sandbox.SignedIn(world).get_token("https://management.azure.com/.default").token
    headers = {"Authorization": f"Bearer {token}"}
    group = f"https://management.azure.com/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
    session.put(f"{group}?api-version=2022-09-01", json={"location": "westus"}, headers=headers, timeout=5)
    url = f"{group}/providers/Microsoft.KeyVault/vaults/vault-1?api-version=2023-07-01"
    answer = session.put(url, json={"location": "westus", "properties": ASKED}, headers=headers, timeout=5)

    assert 200 == answer.status_code
    assert "enableRbacAuthorization" not in answer.json()["properties"]


def test_a_vault_is_registered_for_a_while_before_it_succeeds(azure: Clients, world: World) -> None:
    azure.vaults.begin_create_or_update("rg", "vault-1", {"location": "westeurope", "properties": ASKED}, polling=False)
    seen = [azure.vaults.get("rg", "vault-1").properties.provisioning_state for _ in range(3)]

    assert ["RegisteringDns", "Succeeded", "Succeeded"] == seen


def test_what_is_not_sent_again_stays_as_it_was(azure: Clients) -> None:
    made(azure, enableRbacAuthorization=False, softDeleteRetentionInDays=7)
    again = made(azure, enabledForTemplateDeployment=True)

    assert again.properties.enable_rbac_authorization is False
    assert 7 == again.properties.soft_delete_retention_in_days
    assert again.properties.enabled_for_template_deployment is True


@pytest.mark.parametrize("name", ["ab", "1vault", "vault-", "va--ult", "v" * 25, "vault_1"])
def test_a_malformed_name_is_refused(azure: Clients, name: str) -> None:
    with pytest.raises(HttpResponseError) as error:
        made_unchecked(azure, name)

    assert (400, "VaultNameNotValid") == refused(error)


def made_unchecked(azure: Clients, name: str) -> None:
    """The SDK itself refuses some names, unless its own check is off."""
    azure.vaults._serialize.client_side_validation = False
    made(azure, name)


def test_a_name_is_taken_in_every_group_and_subscription(azure: Clients) -> None:
    made(azure)
    with pytest.raises(ResourceExistsError) as error:
        made(azure, "VAULT-1", "other")

    assert (409, "VaultAlreadyExists") == refused(error)


def test_whether_a_name_is_free_can_be_asked(azure: Clients) -> None:
    asked = {"name": "vault-1", "type": "Microsoft.KeyVault/vaults"}
    free = azure.vaults.check_name_availability(asked)
    made(azure)
    taken = azure.vaults.check_name_availability(asked)

    assert (True, None) == (free.name_available, free.reason)
    assert (False, "AlreadyExists") == (taken.name_available, taken.reason)


def test_a_vault_without_a_tenant_is_refused(azure: Clients) -> None:
    body = {"location": "westeurope", "properties": {"sku": ASKED["sku"]}}
    with pytest.raises(HttpResponseError) as error:
        azure.vaults.begin_create_or_update("rg", "vault-1", body).result()

    assert 400 == error.value.status_code


def test_it_does_not_move_to_another_region(azure: Clients) -> None:
    made(azure)
    with pytest.raises(ResourceExistsError) as error:
        azure.vaults.begin_create_or_update("rg", "vault-1", {"location": "eastus", "properties": ASKED}).result()

    assert (409, "InvalidResourceLocation") == refused(error)


def test_the_name_of_a_deleted_vault_is_not_free_until_it_is_purged(azure: Clients) -> None:
    made(azure)
    azure.vaults.delete("rg", "vault-1")
    with pytest.raises(ResourceExistsError) as error:
        made(azure)
    azure.vaults.begin_purge_deleted("vault-1", "westeurope").result()

    assert (409, "ConflictError") == refused(error)
    assert "Succeeded" == made(azure).properties.provisioning_state


def test_a_vault_goes_with_its_group_and_comes_back_with_its_secrets(azure: Clients) -> None:
    everything = {"tenantId": TENANT, "objectId": azure.object_id, "permissions": {"secrets": ["all"]}}
    made(azure, enableRbacAuthorization=False, accessPolicies=[everything])
    azure.secrets("vault-1").set_secret("name", "value")
    azure.groups.begin_delete("rg").result()
    deleted = [vault.name for vault in azure.vaults.list_deleted()]
    azure.groups.create_or_update("rg", {"location": "westeurope"})
    made(azure, createMode="recover")

    assert ["vault-1"] == deleted
    assert [] == [*azure.vaults.list_deleted()]
    assert "value" == azure.secrets("vault-1").get_secret("name").value


def test_purging_takes_the_secrets_too(azure: Clients) -> None:
    everything = {"tenantId": TENANT, "objectId": azure.object_id, "permissions": {"secrets": ["all"]}}
    made(azure, enableRbacAuthorization=False, accessPolicies=[everything])
    azure.secrets("vault-1").set_secret("name", "value")
    azure.vaults.delete("rg", "vault-1")
    azure.vaults.begin_purge_deleted("vault-1", "westeurope").result()
    made(azure, enableRbacAuthorization=False, accessPolicies=[everything])

    assert [] == [*azure.secrets("vault-1").list_properties_of_secrets()]


def test_recovering_what_was_not_deleted_is_refused(azure: Clients) -> None:
    with pytest.raises(ResourceNotFoundError) as error:
        made(azure, createMode="recover")

    assert (404, "SoftDeletedVaultDoesNotExist") == refused(error)


def test_a_vault_that_is_protected_can_not_be_purged(azure: Clients) -> None:
    made(azure, enablePurgeProtection=True)
    azure.vaults.delete("rg", "vault-1")
    with pytest.raises(HttpResponseError) as error:
        azure.vaults.begin_purge_deleted("vault-1", "westeurope").result()

    assert (405, "MethodNotAllowed") == refused(error)


def test_deleting_what_is_not_there_is_no_error(azure: Clients) -> None:
    assert azure.vaults.delete("rg", "vault-1") is None


def test_access_policies_are_added_to_and_taken_from(azure: Clients) -> None:
    made(azure, enableRbacAuthorization=False)

    def change(how: str, *permissions: str) -> list[Any]:
        policy = {"tenantId": TENANT, "objectId": azure.object_id, "permissions": {"secrets": [*permissions]}}
        azure.vaults.update_access_policy("rg", "vault-1", how, {"properties": {"accessPolicies": [policy]}})
        found = azure.vaults.get("rg", "vault-1").properties.access_policies
        return [[str(getattr(one, "value", one)) for one in policy.permissions.secrets] for policy in found]

    assert [["get"]] == change("add", "get")
    assert [["get", "list"]] == change("add", "list", "get")
    assert [["list"]] == change("remove", "get")
    assert [["set"]] == change("replace", "set")
    assert [] == change("remove", "set")


def test_vaults_are_listed_by_group_and_by_subscription(azure: Clients) -> None:
    made(azure, "vault-1")
    made(azure, "vault-2", "other")

    assert ["vault-1"] == [vault.name for vault in azure.vaults.list_by_resource_group("RG")]
    assert ["vault-1", "vault-2"] == sorted(vault.name for vault in azure.vaults.list_by_subscription())


def test_a_vault_in_no_group_is_refused(azure: Clients) -> None:
    with pytest.raises(ResourceNotFoundError) as error:
        made(azure, group="missing")

    assert (404, "ResourceGroupNotFound") == refused(error)
