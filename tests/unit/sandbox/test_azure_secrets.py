"""The secrets of a vault in the sandbox's Azure, and who may see them, through the SDK."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceRequestError,
)
from testbed import azure_sandbox
from testbed.azure_recordings import SUBSCRIPTION

from spin_aks.sandbox.azure.subscriptions import TENANT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.azure_recordings import Clients

    from spin_aks.sandbox.azure.world import World

ASKED = {"tenantId": TENANT, "sku": {"family": "A", "name": "standard"}}
OFFICER, USER = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7", "4633458b-17de-408a-b874-0445c86b69e6"
READER, OWNER = "21090545-7ca7-4776-b22c-e363652d74d2", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/vault-1"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with azure_sandbox.opened(tmp_path) as opened:
        yield opened


@pytest.fixture
def azure(world: World) -> Clients:
    azure = azure_sandbox.connected(world)
    azure.groups.create_or_update("rg", {"location": "westeurope"})
    return azure


def vault(azure: Clients, **more: object) -> None:
    body = {"location": "westeurope", "properties": {**ASKED, **more}}
    azure.vaults.begin_create_or_update("rg", "vault-1", body).result()


def vault_of(azure: Clients, *permissions: str, **more: object) -> Any:
    """A client of a vault whose access policy gives whoever asks these permissions."""
    policy = {"tenantId": TENANT, "objectId": azure.object_id, "permissions": {"secrets": [*permissions]}}
    vault(azure, enableRbacAuthorization=False, accessPolicies=[policy], **more)
    return azure.secrets("vault-1")


def assign(azure: Clients, role: str, scope: str = VAULT) -> None:
    definition = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role}"
    body = {"roleDefinitionId": definition, "principalId": azure.object_id, "principalType": "ServicePrincipal"}
    azure.authorization.role_assignments.create(scope, str(uuid.uuid4()), {"properties": body})


def inner(error: pytest.ExceptionInfo[HttpResponseError]) -> tuple[int | None, str]:
    assert error.value.error is not None
    return error.value.status_code, error.value.error.innererror["code"]


def test_the_maker_of_a_vault_has_no_right_to_its_secrets(azure: Clients) -> None:
    vault(azure)
    with pytest.raises(HttpResponseError) as error:
        azure.secrets("vault-1").set_secret("name", "value")

    assert (403, "ForbiddenByRbac") == inner(error)
    assert "Microsoft.KeyVault/vaults/secrets/setSecret/action" in error.value.message


def test_not_even_as_owner_of_the_group(azure: Clients) -> None:
    vault(azure)
    assign(azure, OWNER, GROUP)
    with pytest.raises(HttpResponseError) as error:
        azure.secrets("vault-1").get_secret("name")

    assert (403, "ForbiddenByRbac") == inner(error)


@pytest.mark.parametrize("scope", [VAULT, GROUP, f"/subscriptions/{SUBSCRIPTION}", VAULT.lower()])
def test_an_officer_sets_and_gets_secrets_at_any_scope_above(azure: Clients, scope: str) -> None:
    vault(azure)
    assign(azure, OFFICER, scope)
    azure.secrets("vault-1").set_secret("name", "value")

    assert "value" == azure.secrets("vault-1").get_secret("name").value


def test_a_role_at_another_vault_gives_nothing_here(azure: Clients) -> None:
    vault(azure)
    body = {"location": "westeurope", "properties": ASKED}
    azure.vaults.begin_create_or_update("rg", "vault-12", body).result()
    assign(azure, OFFICER, f"{VAULT}2")
    with pytest.raises(HttpResponseError) as error:
        azure.secrets("vault-1").get_secret("name")

    assert (403, "ForbiddenByRbac") == inner(error)


@pytest.mark.parametrize(("role", "refused"), [(USER, {"set"}), (READER, {"set", "get"}), (OFFICER, set())])
def test_each_role_gives_what_it_says(azure: Clients, role: str, refused: set[str]) -> None:
    vault(azure)
    assign(azure, role)
    client = azure.secrets("vault-1")
    calls = {
        "set": lambda: client.set_secret("name", "value"),
        "get": lambda: client.get_secret("name"),
        "list": lambda: [*client.list_properties_of_secrets()],
    }
    denied = set()
    for name, call in calls.items():
        try:
            call()
        except ResourceNotFoundError:
            continue
        except HttpResponseError:
            denied.add(name)

    assert refused == denied


def test_a_new_role_takes_its_time_to_spread(azure: Clients, world: World) -> None:
    (world.folder / "trouble.toml").write_text("propagation_s = 60\n")
    vault(azure)
    assign(azure, OFFICER)
    with pytest.raises(HttpResponseError) as error:
        azure.secrets("vault-1").set_secret("name", "value")
    (world.folder / "trouble.toml").write_text("propagation_s = 0\n")

    assert (403, "ForbiddenByRbac") == inner(error)
    assert "name" == azure.secrets("vault-1").set_secret("name", "value").name


def test_a_caller_in_no_access_policy_is_refused(azure: Clients, world: World) -> None:
    vault_of(azure, "all")
    stranger = azure_sandbox.connected(world, "11111111-2222-4333-8444-555555555555")
    with pytest.raises(HttpResponseError) as error:
        stranger.secrets("vault-1").get_secret("name")

    assert (403, "AccessDenied") == inner(error)
    assert "was not found on any access policy" in error.value.message


def test_a_policy_gives_what_it_says_and_all_is_not_purge(azure: Clients) -> None:
    client = vault_of(azure, "all")
    client.set_secret("name", "value")
    client.begin_delete_secret("name").wait()
    with pytest.raises(HttpResponseError) as error:
        client.purge_deleted_secret("name")

    assert (403, "AccessDenied") == inner(error)
    assert "does not have secrets purge permission" in error.value.message


@pytest.mark.parametrize(
    ("network", "why"),
    [
        ({"publicNetworkAccess": "Disabled"}, "ForbiddenByConnection"),
        ({"networkAcls": {"bypass": "AzureServices", "defaultAction": "Deny"}}, "ForbiddenByFirewall"),
        ({"networkAcls": {"defaultAction": "Deny", "ipRules": [{"value": "203.0.113.0/24"}]}}, "ForbiddenByFirewall"),
    ],
)
def test_a_vault_behind_a_wall_refuses_whoever_it_is(azure: Clients, network: dict[str, object], why: str) -> None:
    client = vault_of(azure, "all", **network)
    with pytest.raises(HttpResponseError) as error:
        client.set_secret("name", "value")

    assert (403, why) == inner(error)


def test_a_vault_whose_wall_has_a_door_for_loopback(azure: Clients) -> None:
    client = vault_of(azure, "all", networkAcls={"defaultAction": "Deny", "ipRules": [{"value": "127.0.0.0/8"}]})

    assert "value" == client.set_secret("name", "value").value


def test_roles_at_a_vault_do_not_come_back_with_it(azure: Clients) -> None:
    vault(azure)
    assign(azure, OFFICER)
    azure.secrets("vault-1").set_secret("name", "value")
    azure.vaults.delete("rg", "vault-1")
    vault(azure, createMode="recover")
    with pytest.raises(HttpResponseError) as error:
        azure.secrets("vault-1").get_secret("name")

    assert (403, "ForbiddenByRbac") == inner(error)


def test_a_token_for_resource_manager_is_not_taken(azure: Clients, world: World) -> None:
    vault_of(azure, "all")
    token = azure_sandbox.SignedIn(world).get_token("https://management.azure.com/.default").token
    url = "https://vault-1.vault.azure.net/secrets?api-version=7.4"
    answer = azure.session.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=5)

    assert 401 == answer.status_code
    assert 'resource="https://vault.azure.net"' in answer.headers["WWW-Authenticate"]
    assert "AKV10022" in answer.json()["error"]["message"]


def test_a_token_that_is_none_is_not_taken(azure: Clients) -> None:
    class Liar:
        def get_token(self, *scopes: str, **options: object) -> Any:
            from azure.core.credentials import AccessToken

            return AccessToken("a.b.c", int(time.time()) + 60)

    vault_of(azure, "all")
    azure.credential = Liar()
    with pytest.raises(ClientAuthenticationError) as error:
        azure.secrets("vault-1").get_secret("name")

    assert 401 == error.value.status_code


def test_the_host_of_no_vault_leads_nowhere(azure: Clients) -> None:
    with pytest.raises(ServiceRequestError):
        azure.secrets("missing").get_secret("name")


def test_a_deleted_vault_has_no_host(azure: Clients) -> None:
    vault_of(azure, "all")
    azure.vaults.delete("rg", "vault-1")
    with pytest.raises(ServiceRequestError):
        azure.secrets("vault-1").get_secret("name")


def test_a_new_value_is_a_new_version_and_the_old_one_stays(azure: Clients) -> None:
    client = vault_of(azure, "all")
    first = client.set_secret("name", "1")
    client.set_secret("name", "2")

    assert "2" == client.get_secret("name").value
    assert "1" == client.get_secret("name", first.properties.version).value


def test_a_secret_that_is_not_there(azure: Clients) -> None:
    with pytest.raises(ResourceNotFoundError) as error:
        vault_of(azure, "all").get_secret("name")

    assert "SecretNotFound" == error.value.error.code


@pytest.mark.parametrize("name", ["a_b", "a.b", "ä"])
def test_a_name_that_key_vault_does_not_take(azure: Clients, name: str) -> None:
    with pytest.raises(HttpResponseError) as error:
        vault_of(azure, "all").set_secret(name, "value")

    assert (400, "BadParameter") == (error.value.status_code, error.value.error.code)


def test_a_value_of_more_than_25_kilobytes_is_refused(azure: Clients) -> None:
    client = vault_of(azure, "all")
    client.set_secret("name", "x" * 25_600)
    with pytest.raises(HttpResponseError) as error:
        client.set_secret("name", "x" * 25_601)

    assert (400, "BadParameter") == (error.value.status_code, error.value.error.code)


def test_a_disabled_secret_is_not_given_out(azure: Clients) -> None:
    client = vault_of(azure, "all")
    client.set_secret("name", "value")
    client.update_secret_properties("name", enabled=False)
    with pytest.raises(HttpResponseError) as error:
        client.get_secret("name")

    assert (403, "SecretDisabled") == inner(error)


def test_a_deleted_secret_is_recovered_with_its_versions(azure: Clients) -> None:
    client = vault_of(azure, "all")
    first = client.set_secret("name", "1").properties.version
    client.set_secret("name", "2")
    client.begin_delete_secret("name").wait()
    with pytest.raises(ResourceExistsError) as error:
        client.set_secret("name", "3")
    client.begin_recover_deleted_secret("name").wait()

    assert (409, "ObjectIsDeletedButRecoverable") == inner(error)
    assert ("2", "1") == (client.get_secret("name").value, client.get_secret("name", first).value)


def test_a_deleted_secret_is_seen_as_deleted_at_the_second_look(azure: Clients) -> None:
    client = vault_of(azure, "all")
    client.set_secret("name", "value")
    client.begin_delete_secret("name")
    looks = [[secret.name for secret in client.list_deleted_secrets()] for _ in range(2)]

    assert [[], ["name"]] == looks


def test_a_purged_name_is_free_again(azure: Clients) -> None:
    client = vault_of(azure, "all", "purge")
    client.set_secret("name", "1")
    client.begin_delete_secret("name").wait()
    client.purge_deleted_secret("name")

    assert "2" == client.set_secret("name", "2").value


def test_a_protected_vault_keeps_deleted_secrets(azure: Clients) -> None:
    client = vault_of(azure, "all", "purge", enablePurgeProtection=True)
    client.set_secret("name", "1")
    client.begin_delete_secret("name").wait()
    with pytest.raises(HttpResponseError) as error:
        client.purge_deleted_secret("name")

    assert 403 == error.value.status_code
    assert "purge protection is enabled" in error.value.message


def test_lists_come_in_pages_of_25(azure: Clients) -> None:
    client = vault_of(azure, "all")
    names = [f"name-{number:02}" for number in range(30)]
    for name in names:
        client.set_secret(name, "value")
    pages = [[secret.name for secret in page] for page in client.list_properties_of_secrets().by_page()]

    assert [names[:25], names[25:]] == pages


def test_secrets_outlive_the_process(tmp_path: Path) -> None:
    with azure_sandbox.opened(tmp_path) as world:
        azure = azure_sandbox.connected(world)
        azure.groups.create_or_update("rg", {"location": "westeurope"})
        vault_of(azure, "all").set_secret("name", "value")
    with azure_sandbox.opened(tmp_path) as world:
        found = azure_sandbox.connected(world).secrets("vault-1").get_secret("name").value

    assert "value" == found
