"""A Key Vault and stores by their names in Azure: found, made when told to, let in to; never a secret, never a key."""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
import requests
from testbed.azure_cloud import ASSIGNMENTS, Cloud
from testbed.typist import at_terminal

from spin_aks.sandbox.azure.identifiers import OBJECT, SUBSCRIPTION

if TYPE_CHECKING:
    from testbed.application import App, Done

VAULTS = ("Microsoft.KeyVault/vaults", "2026-05-15")
ACCOUNTS = ("Microsoft.DocumentDB/databaseAccounts", "2026-03-15")
CLASSIC = ("Microsoft.Cache/redis", "2024-11-01")
MANAGED = ("Microsoft.Cache/redisEnterprise", "2025-07-01")
VAULT = ("--keyvault", "shop-vault")
NAMED = ("--cluster", "aks1", "--registry", "acme1", *VAULT)
OFFICER, USER = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7", "4633458b-17de-408a-b874-0445c86b69e6"
ADDON_READS = "the Key Vault add-on of cluster `aks1` reads secrets of vault `shop-vault`"
STORES = """
[store.default]
kind = "cosmos"
name = "shop-cosmos"
database = "shop"
container = "items"

[store.cart]
kind = "redis"
name = "shop-redis"
"""
SECRETS = '[secrets]\npayment_key = "payment"\n'


def vault_id(group: str = "shop-vault") -> str:
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.KeyVault/vaults/shop-vault"


def configure(app: App, text: str) -> None:
    (app.root / "aks-spin.toml").write_text(text)


def noted(app: App, name: str) -> Any:
    return json.loads((app.root / ".spin-aks/default" / name).read_text())


def grants(app: App) -> dict[str, str]:
    """State by role."""
    return {grant["role"]: grant["state"] for grant in noted(app, "access.json")["grants"]}


def found(app: App, *argv: str) -> Done:
    return app.plain("run", "resources", *argv)


def assigned(cloud: Cloud, role: str) -> list[dict[str, Any]]:
    """The assignments of a role at the vault."""
    every = cloud.every(ASSIGNMENTS)
    return [one for one in every if role in str(one) and "KeyVault/vaults" in one["properties"]["scope"]]


def make_vault(cloud: Cloud, group: str = "shop", *, rbac: bool = True, **more: Any) -> dict[str, Any]:
    tenant = cloud.environment["AZURE_TENANT_ID"]
    properties = {"tenantId": tenant, "sku": {"family": "A", "name": "standard"}, "accessPolicies": []}
    return cloud.made(
        VAULTS, group, "shop-vault", {"properties": {**properties, "enableRbacAuthorization": rbac, **more}}
    )


# The vault


def test_a_vault_that_is_not_there_is_shown_and_made_only_when_told(fresh: App, cloud: Cloud) -> None:
    done = found(fresh, *VAULT)

    assert 1 == done.code
    assert "to be made in Azure: Key Vault `shop-vault` in resource group `shop-vault`, eastus2" in done.err
    assert "error: there is no Key Vault `shop-vault`\n" in done.err
    assert "`--create-keyvault` makes `" in done.err
    assert [] == cloud.every(VAULTS)
    assert 1 == found(fresh, *VAULT, "--create-registry", "--create-store", "--recover-keyvault", "-y").code
    assert [] == cloud.every(VAULTS)


@pytest.mark.parametrize("flag", ["--create-keyvault", "--create"])
def test_a_vault_is_made_once_with_roles_in_the_place_that_is_named(fresh: App, cloud: Cloud, flag: str) -> None:
    first = found(fresh, *VAULT, "--keyvault-resource-group", "mine", "--location", "westeurope", flag)
    asked = len(cloud.asked())
    second = found(fresh, *VAULT, "--keyvault-resource-group", "mine", "--location", "westeurope", flag)
    asked_again = len(cloud.asked()) - asked

    assert (0, 0) == (first.code, second.code), first.err
    (vault,) = cloud.every(VAULTS)
    assert (vault_id("mine"), "westeurope", True) == (
        vault["id"],
        vault["location"],
        vault["properties"]["enableRbacAuthorization"],
    )
    assert {"keyvault": {"id": vault_id("mine"), "uri": "https://shop-vault.vault.azure.net/"}} == noted(
        fresh, "azure.json"
    )
    assert 0 == asked_again


def test_a_vault_is_found_in_any_group_and_any_case_without_a_change(fresh: App, cloud: Cloud) -> None:
    make_vault(cloud)
    before = len(cloud.asked())
    configure(fresh, '[keyvault]\nname = "SHOP-vault"\n')

    done = found(fresh)

    assert 0 == done.code, done.err
    assert vault_id("shop") == noted(fresh, "azure.json")["keyvault"]["id"]
    assert [] == cloud.changes(before)


def test_a_vault_in_another_group_than_the_one_named_is_not_taken(fresh: App, cloud: Cloud) -> None:
    make_vault(cloud)

    done = found(fresh, *VAULT, "--keyvault-resource-group", "other")

    assert 1 == done.code
    assert ": no vault `shop-vault` can be made\n" in done.err
    assert 1 == len(cloud.every(VAULTS))


def test_a_deleted_vault_comes_back_only_by_its_own_flag_and_is_never_purged(fresh: App, cloud: Cloud) -> None:
    cloud.delete(make_vault(cloud), VAULTS)

    refused = found(fresh, *VAULT, "--create", "-y")
    recovered = found(fresh, *VAULT, "--recover-keyvault")

    assert (1, 0) == (refused.code, recovered.code), recovered.err
    assert "the vault `shop-vault` was deleted on " in refused.err
    assert "\nhint: `--recover-keyvault` recovers `shop-vault`; `--keyvault` names another; `az keyvault" in refused.err
    assert "recovered as it was, with all its secrets, in resource group `shop`, eastus2" in recovered.err
    assert [vault_id("shop")] == [vault["id"] for vault in cloud.every(VAULTS)]
    assert not any("purge" in one.place.lower() for one in cloud.asked())


def test_a_deleted_vault_of_another_group_is_refused_with_its_group(fresh: App, cloud: Cloud) -> None:
    cloud.delete(make_vault(cloud), VAULTS)

    done = found(fresh, *VAULT, "--keyvault-resource-group", "other", "--recover-keyvault")

    assert 1 == done.code
    assert "hint: it comes back in resource group `shop` only: name that" in done.err
    assert [] == cloud.every(VAULTS)


@pytest.mark.parametrize(("answer", "code", "there"), [("n\r", 1, 0), ("y\r", 0, 1)])
def test_a_question_brings_a_deleted_vault_back(fresh: App, cloud: Cloud, answer: str, code: int, there: int) -> None:
    cloud.delete(make_vault(cloud), VAULTS)

    with at_terminal(fresh, "run", "resources", *VAULT) as typist:
        typist.sees("Recover vault `shop-vault`, with all that is in it? [y/N] ")
        typist.types(answer)
        assert code == typist.leaves(), typist.seen

    assert there == len(cloud.every(VAULTS))


def test_a_name_that_somebody_else_has_is_told_before_anything_is_made(fresh: App, cloud: Cloud) -> None:
    taken = 'body = { nameAvailable = false, reason = "AlreadyExists", message = "It is in use." }'
    cloud.trouble(f'method = "POST"\npath = "*KeyVault/checkNameAvailability"\nstatus = 200\n{taken}')

    done = found(fresh, *VAULT, "--create", "--registry", "acme1")

    assert 1 == done.code
    assert ": no vault `shop-vault` can be made\n" in done.err
    assert "It is in use." in done.err
    assert [] == cloud.changes()


def test_a_vault_that_somebody_deleted_is_noticed_by_refresh(fresh: App, cloud: Cloud) -> None:
    vault = make_vault(cloud)
    assert 0 == found(fresh, *VAULT).code
    cloud.delete(vault, VAULTS)

    without, done = found(fresh, *VAULT), found(fresh, *VAULT, "--refresh")

    assert 0 == without.code, without.err
    assert "run     resources: there is no Key Vault `shop-vault` in Azure any more" in done.err
    assert "`--recover-keyvault` recovers `shop-vault`" in done.err


# Who may use its secrets


def access(app: App, *argv: str) -> Done:
    return app.plain("run", "access", *VAULT, *argv)


def test_whoever_signed_in_is_let_in_by_flag_once_and_again_when_it_was_taken_away(fresh: App, cloud: Cloud) -> None:
    make_vault(cloud)

    made = access(fresh, "--attach-keyvault")
    states = [grants(fresh)]
    again = access(fresh, "--attach-keyvault")
    cloud.delete(assigned(cloud, OFFICER)[0], ASSIGNMENTS)
    quiet, refreshed = access(fresh), access(fresh, "--attach-keyvault", "--refresh")
    states.append(grants(fresh))

    assert (0, 0, 0, 0) == (made.code, again.code, quiet.code, refreshed.code), made.err
    assert "to be given in Azure: `Key Vault Secrets Officer` at " in made.err
    assert (["access"], ["access"]) == (
        [one for one in again.stages("fresh") if one == "access"],
        refreshed.stages("done"),
    )
    assert "run     access: it is no longer so that `" in refreshed.err
    assert [{"Key Vault Secrets Officer": "made"}] * 2 == states
    (given,) = assigned(cloud, OFFICER)
    assert (OBJECT, vault_id("shop").lower()) == (
        given["properties"]["principalId"],
        given["properties"]["scope"].lower(),
    )


def test_a_right_that_nobody_allows_is_told_and_the_run_goes_on_without(fresh: App, cloud: Cloud) -> None:
    make_vault(cloud)

    done = access(fresh)
    later = access(fresh)
    allowed = access(fresh, "-y")

    assert (0, 0, 0) == (done.code, later.code, allowed.code), done.err
    assert (
        "keeps secrets in vault `shop-vault`\nhint: `--attach-keyvault` gives the role `Key Vault Secrets Officer`; or"
        in (done.err)
    )
    assert "Key Vault Secrets Officer is missing" in done.err
    assert "access" in later.stages("fresh")
    assert ["access"] == allowed.stages("done")
    assert {"Key Vault Secrets Officer": "made"} == grants(fresh)


def test_a_flag_that_does_not_allow_what_is_missing_asks_azure_nothing_again(fresh: App, cloud: Cloud) -> None:
    make_vault(cloud)
    assert 0 == access(fresh).code
    begin = len(cloud.asked())

    other = access(fresh, "--attach-acr")

    assert (0, []) == (other.code, cloud.asked()[begin:]), other.err
    assert "now that may be changed" not in other.err


def test_a_recovered_vault_whose_roles_went_with_it_gets_them_again(fresh: App, cloud: Cloud) -> None:
    make_vault(cloud)
    assert 0 == access(fresh, "--attach-keyvault").code
    cloud.delete(assigned(cloud, OFFICER)[0], ASSIGNMENTS)  # Azure takes them away with the vault, and for good
    cloud.delete(cloud.every(VAULTS)[0], VAULTS)

    recovered = found(fresh, *VAULT, "--refresh", "--recover-keyvault")
    done = access(fresh)

    assert (0, 0) == (recovered.code, done.code), done.err
    assert "access" in done.stages("done")
    assert {"Key Vault Secrets Officer": "made"} == grants(fresh)


def test_what_is_missing_is_printed_as_missing(fresh: App, cloud: Cloud) -> None:
    make_vault(cloud)

    done = access(fresh, "--output", "json")

    assert 0 == done.code, done.err
    (grant,) = done.json["grants"]
    assert ("missing", "Key Vault Secrets Officer", OBJECT, vault_id("shop").lower()) == (
        grant["state"],
        grant["role"],
        grant["principal_id"],
        grant["scope"].lower(),
    )


def test_a_vault_without_roles_gets_an_access_policy_and_keeps_its_others(fresh: App, cloud: Cloud) -> None:
    tenant, somebody = cloud.environment["AZURE_TENANT_ID"], "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"
    theirs = {"tenantId": tenant, "objectId": somebody, "permissions": {"keys": ["get"]}}
    make_vault(cloud, rbac=False, accessPolicies=[theirs])

    done = access(fresh, "--attach-keyvault")

    assert 0 == done.code, done.err
    assert {"access policy: secrets get, list, set, delete, recover": "made"} == grants(fresh)
    (vault,) = cloud.every(VAULTS)
    policies = {one["objectId"]: one["permissions"] for one in vault["properties"]["accessPolicies"]}
    assert {"get", "list", "set", "delete", "recover"} == {str(one).lower() for one in policies[OBJECT]["secrets"]}
    assert ["get"] == policies[somebody]["keys"]


UNSEEN = "warning: whether you may use the secrets of vault `shop-vault` can't be seen from here: "
DENY = {"bypass": "AzureServices", "defaultAction": "Deny", "ipRules": [], "virtualNetworkRules": []}


def test_a_vault_that_only_its_own_network_reaches_is_not_asked(fresh: App, cloud: Cloud) -> None:
    make_vault(cloud, publicNetworkAccess="Disabled")

    done = access(fresh, "--attach-keyvault")

    assert 0 == done.code, done.err
    assert {} == grants(fresh)
    assert f"{UNSEEN}it is closed to the public network\n" in done.err
    assert not any("vault.azure.net" in one.place for one in cloud.asked())
    assert [] == assigned(cloud, OFFICER)


@pytest.mark.parametrize("rbac", [True, False])
def test_of_a_vault_behind_a_firewall_no_right_is_said_to_be_missing_or_made(
    fresh: App, cloud: Cloud, rbac: bool
) -> None:
    make_vault(cloud, rbac=rbac, networkAcls=DENY)
    begin = len(cloud.asked())

    done = access(fresh, "--attach-keyvault")

    assert 0 == done.code, done.err
    assert {} == grants(fresh)
    assert 1 == done.err.count(f"{UNSEEN}its firewall does not let this machine in\n")
    assert "hint: `az keyvault network-rule list --name shop-vault` shows whom it lets in" in done.err
    assert [] == cloud.changes(begin)


def test_a_firewall_that_lets_this_machine_in_changes_nothing(fresh: App, cloud: Cloud) -> None:
    make_vault(cloud, networkAcls={**DENY, "ipRules": [{"value": "127.0.0.1/32"}]})

    done = access(fresh, "--attach-keyvault")

    assert 0 == done.code, done.err
    assert {"Key Vault Secrets Officer": "made"} == grants(fresh)
    assert UNSEEN not in done.err


def test_a_right_that_was_given_before_the_firewall_is_still_there(fresh: App, cloud: Cloud) -> None:
    make_vault(cloud)
    access(fresh, "--attach-keyvault")
    make_vault(cloud, networkAcls=DENY)

    done = access(fresh, "--refresh")

    assert 0 == done.code, done.err
    assert ["Key Vault Secrets Officer"] == list(grants(fresh))
    assert UNSEEN not in done.err


def test_a_right_that_was_taken_away_behind_a_firewall_is_said_not_to_be_seen(fresh: App, cloud: Cloud) -> None:
    make_vault(cloud)
    access(fresh, "--attach-keyvault")
    make_vault(cloud, networkAcls=DENY)
    (assignment,) = assigned(cloud, OFFICER)
    cloud.delete(assignment, ASSIGNMENTS)
    begin = len(cloud.asked())

    done = access(fresh, "--refresh", "--attach-keyvault")

    assert 0 == done.code, done.err
    assert [] == cloud.changes(begin)
    assert f"{UNSEEN}its firewall does not let this machine in\n" in done.err


def test_a_vault_behind_a_firewall_is_found_and_named_like_any_other(fresh: App, cloud: Cloud) -> None:
    make_vault(cloud, networkAcls=DENY)

    done = found(fresh, *VAULT)

    assert 0 == done.code, done.err
    assert not any("vault.azure.net" in one.place for one in cloud.asked())


def test_that_the_nodes_have_to_be_let_in_too_is_said_where_the_application_has_secrets(
    fresh: App, cloud: Cloud
) -> None:
    cloud.cluster("shop", "aks1")
    cloud.registry("shop", "acme1")
    make_vault(cloud, networkAcls=DENY)
    configure(fresh, SECRETS)

    done = fresh.plain("run", "access", *NAMED, "-y", "--enable-keyvault-addon")

    assert 0 == done.code, done.err
    assert (
        "warning: vault `shop-vault` has a firewall: pods get their secrets only if it lets in the nodes of `aks1`\n"
        "hint: `az keyvault network-rule add --name shop-vault --subnet SUBNET_ID` lets a subnet in, or give it a "
        "private endpoint in the nodes' network\n"
    ) in done.err
    assert 1 == len(assigned(cloud, USER))
    assert [] == assigned(cloud, OFFICER)


def test_who_may_not_give_a_right_learns_which_one_is_missing_and_who_can(fresh: App, cloud: Cloud) -> None:
    make_vault(cloud)
    cloud.trouble('method = "PUT"\npath = "*/roleAssignments/*"\nknown = "AuthorizationFailed"')

    done = access(fresh, "--attach-keyvault")

    assert 1 == done.code
    assert "may not do `Microsoft.Authorization/roleAssignments/write`" in done.err
    assert "az role assignment create --assignee-object-id" in done.err


# The cluster's add-on


def test_the_addon_is_left_alone_where_the_application_has_no_secrets(fresh: App, cloud: Cloud) -> None:
    cloud.cluster("shop", "aks1")
    cloud.registry("shop", "acme1")
    make_vault(cloud)

    done = fresh.plain("run", "access", *NAMED, "-y", "--enable-keyvault-addon")

    assert 0 == done.code, done.err
    assert {"AcrPull": "made", "Key Vault Secrets Officer": "made"} == grants(fresh)
    assert [] == [one for one in cloud.changes() if one == ("PUT", "aks1")][1:]


def test_the_addon_is_turned_on_and_reads_the_vault_where_the_application_has_secrets(fresh: App, cloud: Cloud) -> None:
    cloud.cluster("shop", "aks1")
    cloud.registry("shop", "acme1")
    make_vault(cloud)
    configure(fresh, SECRETS)

    without = fresh.plain("run", "access", *NAMED, "--attach-acr", "--attach-keyvault")
    before = grants(fresh)
    done = fresh.plain("run", "access", *NAMED, "--attach-keyvault", "--enable-keyvault-addon")
    asked = len(cloud.asked())
    again = fresh.plain("run", "access", *NAMED, "--attach-keyvault", "--enable-keyvault-addon", "--refresh")

    assert (0, 0, 0) == (without.code, done.code, again.code), done.err
    assert f"is missing, which is needed so that {ADDON_READS}\n" in without.err
    assert "`--enable-keyvault-addon --attach-keyvault` gives the role `Key Vault Secrets User`" in without.err
    assert {"AcrPull": "made", "Key Vault Secrets User": "missing", "Key Vault Secrets Officer": "made"} == before
    assert "turn on the Key Vault add-on of cluster `aks1`, which takes minutes" in done.err
    assert {"AcrPull": "present", "Key Vault Secrets User": "made", "Key Vault Secrets Officer": "present"} == grants(
        fresh
    )
    (cluster,) = cloud.every(("Microsoft.ContainerService/managedClusters", "2026-08-01"))
    addon = cluster["properties"]["addonProfiles"]["azureKeyvaultSecretsProvider"]
    assert addon["enabled"] is True
    assert [addon["identity"]["objectId"]] == [one["properties"]["principalId"] for one in assigned(cloud, USER)]
    assert ([], "access" in again.stages("fresh")) == (cloud.changes(asked), True)


def test_a_new_cluster_for_an_application_with_secrets_has_the_addon_from_the_start(fresh: App, cloud: Cloud) -> None:
    configure(fresh, SECRETS)

    done = fresh.ok("up", *NAMED, "--create", "-y")

    assert (
        "the Key Vault add-on, which looks for new secrets every two minutes (the application has secrets)" in done.err
    )
    assert {"AcrPull": "made", "Key Vault Secrets User": "made", "Key Vault Secrets Officer": "made"} == grants(fresh)
    assert ["PUT"] == [
        one.method for one in cloud.asked() if one.changes and one.place.endswith("managedClusters/aks1")
    ]


def test_the_addons_right_that_somebody_took_away_is_given_again(fresh: App, cloud: Cloud) -> None:
    configure(fresh, SECRETS)
    fresh.ok("up", *NAMED, "--create", "-y")
    cloud.delete(assigned(cloud, USER)[0], ASSIGNMENTS)

    done = fresh.ok("up", *NAMED, "-y", "--refresh")

    assert f"run     access: it is no longer so that {ADDON_READS}" in done.err
    assert 1 == len(assigned(cloud, USER))


# Stores


def test_stores_are_shown_together_and_made_with_what_spin_needs(fresh: App, cloud: Cloud) -> None:
    configure(fresh, STORES)

    refused, made = found(fresh), found(fresh, "--create-store")

    assert (1, 0) == (refused.code, made.code), made.err
    for said in (
        "to be made in Azure: Azure Managed Redis `shop-redis` in resource group `shop-redis`, eastus2, Balanced_B0",
        "to be made in Azure: Cosmos DB account `shop-cosmos` in resource group `shop-cosmos`, eastus2, serverless\n"
        "  container `items` with the partition key `/id`",
        "error: there is no Redis `shop-redis`\n",
        "error: there is no Cosmos DB account `shop-cosmos`\n",
    ):
        assert said in refused.err
    stores = noted(fresh, "azure.json")["stores"]
    assert ("redis", True, "shop-redis.eastus2.redis.azure.net", 10000) == tuple(
        stores["cart"][name] for name in ("kind", "managed", "host", "port")
    )
    assert ("cosmos", "https://shop-cosmos.documents.azure.com:443/", "shop", "items", True) == tuple(
        stores["default"][name] for name in ("kind", "endpoint", "database", "container", "keys")
    )
    place = "/resourceGroups/shop-cosmos/providers/Microsoft.DocumentDB/databaseAccounts/shop-cosmos"
    container = cloud.send("GET", f"{place}/sqlDatabases/shop/containers/items", ACCOUNTS[1])
    assert ["/id"] == container["properties"]["resource"]["partitionKey"]["paths"]


def test_stores_that_are_there_are_found_and_no_key_is_read(fresh: App, cloud: Cloud) -> None:
    configure(fresh, STORES)
    assert 0 == found(fresh, "--create-store").code
    before = len(cloud.asked())
    (fresh.root / ".spin-aks/default/azure.json").unlink()

    done = found(fresh)

    assert 0 == done.code, done.err
    assert {"default", "cart"} == set(noted(fresh, "azure.json")["stores"])
    assert [] == cloud.changes(before)
    assert not any("listkeys" in one.place.lower() for one in cloud.asked())


def test_a_classic_redis_that_is_there_is_taken(fresh: App, cloud: Cloud) -> None:
    sku = {"name": "Basic", "family": "C", "capacity": 0}
    cloud.made(CLASSIC, "shop", "shop-redis", {"properties": {"sku": sku}})
    configure(fresh, '[store.cart]\nkind = "redis"\nname = "shop-redis"\n')

    done = found(fresh)

    assert 0 == done.code, done.err
    assert (False, "shop-redis.redis.cache.windows.net", 6380) == tuple(
        noted(fresh, "azure.json")["stores"]["cart"][name] for name in ("managed", "host", "port")
    )


def sent(cloud: Cloud, place: str, resource: dict[str, Any]) -> None:
    """Makes it, and waits until it is there."""
    cloud.send("PUT", place, ACCOUNTS[1], {"properties": {"resource": resource}})
    for _ in range(5):
        with suppress(requests.HTTPError):
            cloud.send("GET", place, ACCOUNTS[1])
            return
    raise AssertionError(place)


def account(cloud: Cloud, *partition_keys: str) -> None:
    """An account with a database; a container where there are keys."""
    place = {"locations": [{"locationName": "eastus2", "failoverPriority": 0}], "databaseAccountOfferType": "Standard"}
    found = cloud.made(ACCOUNTS, "shop", "shop-cosmos", {"kind": "GlobalDocumentDB", "properties": place})
    below = f"{found['id'].partition(SUBSCRIPTION)[2]}/sqlDatabases/shop"
    sent(cloud, below, {"id": "shop"})
    if partition_keys:
        resource = {"id": "items", "partitionKey": {"paths": list(partition_keys), "kind": "Hash"}}
        sent(cloud, f"{below}/containers/items", resource)


COSMOS_ONLY = STORES.partition("[store.cart]")[0]


def test_a_container_that_is_missing_is_made_in_the_account_that_is_there(fresh: App, cloud: Cloud) -> None:
    account(cloud)
    configure(fresh, COSMOS_ONLY)
    before = len(cloud.asked())

    refused, made = found(fresh), found(fresh, "--create-store")

    assert (1, 0) == (refused.code, made.code), made.err
    assert "error: " in refused.err
    assert "there is no container `items` in database `shop` of `shop-cosmos`" in refused.err
    assert [("PUT", "items")] == cloud.changes(before)


def test_a_container_that_spin_cant_use_is_refused_with_the_reason(fresh: App, cloud: Cloud) -> None:
    account(cloud, "/pk")
    configure(fresh, COSMOS_ONLY)

    done = found(fresh, "--create-store")

    assert 1 == done.code
    assert (
        "container `items` has the partition key `/pk`, and Spin needs `/id`\nhint: name another container" in done.err
    )


def test_a_store_that_somebody_deleted_is_noticed_by_refresh(fresh: App, cloud: Cloud) -> None:
    configure(fresh, STORES)
    assert 0 == found(fresh, "--create-store").code
    for kind in (ACCOUNTS, MANAGED):
        cloud.delete(cloud.every(kind)[0], kind)

    done = found(fresh, "--refresh")

    assert 1 == done.code
    assert "there is no container `items` in Cosmos DB account `shop-cosmos` any more" in done.err
    assert "there is no Redis `shop-redis` in Azure any more" in done.err


INCOMPLETE = {
    '[store.a]\nkind = "redis"\n': "the store `a` has no `name`",
    '[store.a]\nname = "x"\n': "the store `a` has no `kind`",
    '[store.a]\nkind = "cosmos"\nname = "abc"\n': "the store `a` has no `database`",
    '[store.a]\nkind = "cosmos"\nname = "Abc"\ndatabase = "d"\ncontainer = "c"\n': (
        "aks-spin.toml:3: `Abc` is not a Cosmos DB account's name"
    ),
}


@pytest.mark.parametrize("text", INCOMPLETE)
def test_a_store_that_is_half_said_is_refused_before_azure_is_asked(fresh: App, cloud: Cloud, text: str) -> None:
    configure(fresh, text)

    done = found(fresh)

    assert 3 == done.code
    assert INCOMPLETE[text] in done.err
    assert [] == cloud.asked()


# Plans and places


def test_all_that_is_missing_is_told_at_once_and_nothing_is_made_of_it(fresh: App, cloud: Cloud) -> None:
    configure(fresh, STORES)

    done = found(fresh, *NAMED, "--create-cluster", "--create-registry")

    assert 1 == done.code
    missing = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert [
        "error: there is no Key Vault `shop-vault`",
        "error: there is no Redis `shop-redis`",
        "error: there is no Cosmos DB account `shop-cosmos`",
    ] == missing
    assert [] == cloud.changes()


def test_what_is_made_beside_a_cluster_is_in_its_group(fresh: App, cloud: Cloud) -> None:
    cloud.cluster("shop", "aks1")
    configure(fresh, STORES)

    done = found(fresh, "--cluster", "aks1", *VAULT, "--create")

    assert 0 == done.code, done.err
    every = [one for kind in (VAULTS, ACCOUNTS, MANAGED) for one in cloud.every(kind)]
    assert ["shop"] * 3 == [one["id"].split("/")[4] for one in every]


# Runs that end too soon


def killed(fresh: App, cloud: Cloud, name: str, *argv: str) -> int:
    """Kills a run as soon as its PUT of `name` was answered; gives how many requests there were."""
    process = fresh.start("run", "resources", *argv)
    deadline = time.monotonic() + 30
    while not any(
        one.method == "PUT" and one.place.endswith(name) and "providers" in one.place for one in cloud.asked()
    ):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    return len(cloud.asked())


def test_a_redis_whose_making_was_cut_short_is_waited_for_and_gets_its_database(fresh: App, cloud: Cloud) -> None:
    cloud.trouble('method = "PUT"\npath = "*/redisEnterprise/shop-redis"\nslow_s = 2')
    configure(fresh, '[store.cart]\nkind = "redis"\nname = "shop-redis"\n')
    before = killed(fresh, cloud, "/shop-redis", "--create-store")

    done = found(fresh, "--create-store")

    assert 0 == done.code, done.err
    assert "to be made in Azure: the database of Azure Managed Redis `shop-redis`" in done.err
    assert "make Redis `shop-redis`: it is being made already, waiting for that" in done.err
    assert [("PUT", "default")] == cloud.changes(before)


def test_an_account_whose_making_was_cut_short_is_waited_for_and_gets_its_container(fresh: App, cloud: Cloud) -> None:
    cloud.trouble('method = "PUT"\npath = "*/databaseAccounts/shop-cosmos"\nslow_s = 2')
    configure(fresh, COSMOS_ONLY)
    before = killed(fresh, cloud, "/shop-cosmos", "--create-store")

    done = found(fresh, "--create-store")

    assert 0 == done.code, done.err
    assert "make Cosmos DB account `shop-cosmos`: it is being made already, waiting for that" in done.err
    assert [("PUT", "shop"), ("PUT", "items")] == cloud.changes(before)


def test_a_vault_whose_making_was_cut_short_is_waited_for_and_needs_no_flag(fresh: App, cloud: Cloud) -> None:
    cloud.trouble('method = "PUT"\npath = "*/vaults/shop-vault"\nslow_s = 2')
    before = killed(fresh, cloud, "/shop-vault", *VAULT, "--create-keyvault")

    done = found(fresh, *VAULT)

    assert 0 == done.code, done.err
    assert "use vault `shop-vault`: it is being made already, waiting for that" in done.err
    assert [] == cloud.changes(before)
