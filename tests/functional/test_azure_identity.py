"""An application that uses Azure by an identity of its own: from nothing to pods that sign in, with no key anywhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML
from testbed.azure_cloud import ASSIGNMENTS, CLUSTERS, Cloud
from testbed.typist import at_terminal

from spin_aks.sandbox.azure.identifiers import SUBSCRIPTION

if TYPE_CHECKING:
    from testbed.application import App, Done

IDENTITIES = ("Microsoft.ManagedIdentity/userAssignedIdentities", "2024-11-30")
ACCOUNTS = ("Microsoft.DocumentDB/databaseAccounts", "2026-03-15")
VAULTS = ("Microsoft.KeyVault/vaults", "2026-05-15")
NAMED = ("--cluster", "aks1", "--registry", "acme1", "--identity", "app1")
GIVEN = ("--attach-acr", "--attach-identity", "--attach-store")
STORE = '[store.default]\nkind = "cosmos"\nname = "shop-cosmos"\ndatabase = "shop"\ncontainer = "items"\n'
KEYLESS = (
    '[key_value_store.default]\ntype = "azure_cosmos"\naccount = "shop-cosmos"\ndatabase = "shop"\n'
    'container = "items"\n'
)
CREDENTIAL, DATA_ROLE, SECRETS_USER = (
    "federated credential",
    "Cosmos DB Built-in Data Contributor",
    "Key Vault Secrets User",
)
SIGNS_IN = "service account `tiny` in namespace `tiny` of cluster `aks1` signs in as identity `app1`"
OFF: dict[str, object] = {}
ON: dict[str, object] = {
    "oidcIssuerProfile": {"enabled": True},
    "securityProfile": {"workloadIdentity": {"enabled": True}},
}


def keyless(app: App) -> None:
    """The application keeps its keys in an account that no key opens."""
    (app.root / "aks-spin.toml").write_text(STORE)
    (app.root / "runtime-config.toml").write_text(KEYLESS)


def noted(app: App, name: str) -> Any:
    return json.loads((app.root / ".spin-aks/default" / name).read_text())


def states(app: App) -> dict[str, str]:
    """State by role."""
    return {grant["role"]: grant["state"] for grant in noted(app, "access.json")["grants"]}


def rendered(app: App, kind: str) -> Any:
    """The application's; KWASM has a ServiceAccount and a Deployment besides."""
    documents = YAML(typ="safe").load_all((app.root / ".spin-aks/default/rendered.yaml").read_text())
    return next(one for one in documents if one["kind"] == kind and one["metadata"]["namespace"] != "kwasm")


def identity_of(cloud: Cloud) -> dict[str, Any]:
    """The application's; a cluster has its own besides."""
    (identity,) = [one for one in cloud.every(IDENTITIES) if one["name"] == "app1"]
    return identity


def of_identity(cloud: Cloud) -> str:
    return str(identity_of(cloud)["id"]).partition(SUBSCRIPTION)[2]


def credentials(cloud: Cloud) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cloud.send(
        "GET", f"{of_identity(cloud)}/federatedIdentityCredentials", IDENTITIES[1]
    )["value"]
    return found


def data_roles(cloud: Cloud) -> list[dict[str, Any]]:
    (account,) = cloud.every(ACCOUNTS)
    place = str(account["id"]).partition(SUBSCRIPTION)[2]
    found: list[dict[str, Any]] = cloud.send("GET", f"{place}/sqlRoleAssignments", ACCOUNTS[1])["value"]
    return found


def make_identity(cloud: Cloud, group: str = "shop") -> dict[str, Any]:
    cloud.send("PUT", f"/resourceGroups/{group}", "2025-04-01", {"location": "eastus2"})
    place = f"/resourceGroups/{group}/providers/{IDENTITIES[0]}/app1"
    found: dict[str, Any] = cloud.send("PUT", place, IDENTITIES[1], {"location": "eastus2"})
    return found


def up(app: App, *argv: str) -> Done:
    return app.run("up", *NAMED, *argv)


def test_from_a_subscription_alone_the_pods_sign_in_as_the_application_and_use_its_store(
    fresh: App, cloud: Cloud
) -> None:
    keyless(fresh)

    first = up(fresh, "--create", *GIVEN)
    asked = len(cloud.asked())
    second = up(fresh, "--create", *GIVEN)
    asked_again = cloud.asked()[asked:]

    assert 0 == first.code, first.err
    assert "to be made in Azure: managed identity `app1` in resource group `aks1`, eastus2" in first.err
    assert {"AcrPull": "made", CREDENTIAL: "made", DATA_ROLE: "made"} == states(fresh)
    identity, (cluster,) = identity_of(cloud), cloud.every(CLUSTERS)
    (credential,), (role,) = credentials(cloud), data_roles(cloud)
    assert {
        "issuer": cluster["properties"]["oidcIssuerProfile"]["issuerURL"],
        "subject": "system:serviceaccount:tiny:tiny",
        "audiences": ["api://AzureADTokenExchange"],
    } == credential["properties"]
    assert identity["properties"]["principalId"] == role["properties"]["principalId"]
    account, pods = rendered(fresh, "ServiceAccount"), rendered(fresh, "Deployment")["spec"]["template"]
    assert ("tiny", "tiny") == (account["metadata"]["name"], account["metadata"]["namespace"])
    client = account["metadata"]["annotations"]["azure.workload.identity/client-id"]
    assert identity["properties"]["clientId"] == client
    assert ("tiny", "true") == (
        pods["spec"]["serviceAccountName"],
        pods["metadata"]["labels"]["azure.workload.identity/use"],
    )
    assert (0, True) == (second.code, "everything is fresh" in second.err)
    assert [] == asked_again


def test_nothing_of_the_identity_is_in_the_files_that_people_keep(fresh: App, cloud: Cloud) -> None:
    keyless(fresh)

    assert 0 == up(fresh, "--create", *GIVEN).code

    kept = "".join(path.read_text() for path in (fresh.root / "manifests").iterdir())
    identity = identity_of(cloud)
    assert "azure.workload.identity" not in kept
    assert identity["properties"]["clientId"] not in kept


def test_what_may_not_be_given_stops_the_deployment_before_anything_is_applied(fresh: App, cloud: Cloud) -> None:
    keyless(fresh)

    done = up(fresh, "--create", "--attach-acr")

    assert 1 == done.code
    assert f"/userAssignedIdentities/app1: `{CREDENTIAL}` is missing, which is needed so that {SIGNS_IN}\n" in done.err
    assert "hint: `--attach-identity` makes a federated credential; or have somebody who may: " in done.err
    assert "`az identity federated-credential create --subscription " in done.err
    assert " --subject system:serviceaccount:tiny:tiny --audiences api://AzureADTokenExchange`" in done.err
    assert " so that identity `app1` reads and writes the items of Cosmos DB account `shop-cosmos`\n" in done.err
    assert "hint: `--attach-store` gives the role `Cosmos DB Built-in Data Contributor`; or have" in done.err
    assert ([], []) == (credentials(cloud), data_roles(cloud))
    assert not (fresh.root / ".spin-aks/default/applied.json").exists()


def test_at_a_terminal_it_is_asked(fresh: App, cloud: Cloud) -> None:
    keyless(fresh)
    assert 0 == fresh.plain("run", "resources", *NAMED, "--create").code

    with at_terminal(fresh, "run", "access", *NAMED) as typist:
        typist.sees("Give them? [Y/n] ")
        typist.types("\n")
        code = typist.leaves()

    assert 0 == code
    assert {"AcrPull": "made", CREDENTIAL: "made", DATA_ROLE: "made"} == states(fresh)


@pytest.mark.parametrize("what", [CREDENTIAL, DATA_ROLE])
def test_what_somebody_took_away_is_put_back_by_refresh_alone(fresh: App, cloud: Cloud, what: str) -> None:
    keyless(fresh)
    assert 0 == up(fresh, "--create", *GIVEN).code
    (gone,) = credentials(cloud) if what == CREDENTIAL else data_roles(cloud)
    place = str(gone["id"]).partition(SUBSCRIPTION)[2]
    cloud.send("DELETE", place, IDENTITIES[1] if what == CREDENTIAL else ACCOUNTS[1])
    asked = len(cloud.asked())

    quiet, refreshed = up(fresh), up(fresh, "--refresh")

    assert (0, 0) == (quiet.code, refreshed.code), refreshed.err
    assert "everything is fresh" in quiet.err
    assert "run     access: it is no longer so that " in refreshed.err
    assert ["access"] == [one for one in refreshed.stages("done") if one in ("access", "push", "apply")]
    assert [("PUT", str(gone["name"]))] == cloud.changes(asked)
    assert {"AcrPull": "present", CREDENTIAL: "present", DATA_ROLE: "present"} | {what: "made"} == states(fresh)


def test_a_cluster_without_workload_identity_gets_it_only_by_its_flag(fresh: App, cloud: Cloud) -> None:
    cloud.cluster("shop", "aks1")
    cloud.registry("shop", "acme1")
    make_identity(cloud)

    refused = up(fresh, *GIVEN)
    done = up(fresh, *GIVEN, "--enable-workload-identity")

    assert (1, 0) == (refused.code, done.code), done.err
    assert (
        "to be given in Azure: turn on the OIDC issuer, which can't be turned off again, and workload identity of "
        "cluster `aks1`, which takes minutes\n" in refused.err
    )
    assert (
        "`--enable-workload-identity --attach-identity` turns that on and makes a federated credential" in refused.err
    )
    assert "`az aks update --enable-oidc-issuer --enable-workload-identity --subscription " in refused.err
    (cluster,), (credential,) = cloud.every(CLUSTERS), credentials(cloud)
    assert cluster["properties"]["oidcIssuerProfile"]["issuerURL"] == credential["properties"]["issuer"]
    assert {"AcrPull": "made", CREDENTIAL: "made"} == states(fresh)


def test_another_namespace_or_service_account_is_another_credential(fresh: App, cloud: Cloud) -> None:
    cloud.cluster("shop", "aks1", **ON)
    cloud.registry("shop", "acme1")
    make_identity(cloud)
    assert 0 == up(fresh, *GIVEN).code

    done = up(fresh, *GIVEN, "--namespace", "stage", "--service-account", "web")

    assert 0 == done.code, done.err
    subjects = {one["properties"]["subject"] for one in credentials(cloud)}
    assert {"system:serviceaccount:tiny:tiny", "system:serviceaccount:stage:web"} == subjects
    assert "web" == rendered(fresh, "Deployment")["spec"]["template"]["spec"]["serviceAccountName"]


def test_an_identity_that_is_made_anew_gets_its_rights_and_new_pods(fresh: App, cloud: Cloud) -> None:
    cloud.cluster("shop", "aks1", **ON)
    cloud.registry("shop", "acme1")
    before = make_identity(cloud)["properties"]["clientId"]
    assert 0 == up(fresh, *GIVEN).code
    cloud.send("DELETE", of_identity(cloud), IDENTITIES[1])
    after = make_identity(cloud)["properties"]["clientId"]

    done = up(fresh, "--refresh", *GIVEN)

    assert 0 == done.code, done.err
    assert before != after
    assert "run     resources: the managed identity `app1` in Azure is another one than before" in done.err
    assert after == rendered(fresh, "ServiceAccount")["metadata"]["annotations"]["azure.workload.identity/client-id"]
    assert {"render", "apply"} <= set(done.stages("done"))
    assert 1 == len(credentials(cloud))


def test_without_the_identity_the_service_account_goes_and_the_pods_are_as_before(fresh: App, cloud: Cloud) -> None:
    cloud.cluster("shop", "aks1", **ON)
    cloud.registry("shop", "acme1")
    make_identity(cloud)
    fresh.ok("up", *NAMED[:4], *GIVEN)
    before = rendered(fresh, "Deployment")["spec"]["template"]
    fresh.ok("up", *NAMED, *GIVEN)

    fresh.ok("up", *NAMED[:4], *GIVEN)

    assert before == rendered(fresh, "Deployment")["spec"]["template"]
    assert "ServiceAccount" not in {
        one["kind"] for one in noted(fresh, "applied.json")["objects"] if "tiny" in str(one)
    }


def test_a_store_that_a_key_opens_needs_no_role(fresh: App, cloud: Cloud) -> None:
    keyless(fresh)
    (fresh.root / "runtime-config.toml").write_text('[key_value_store.default]\ntype = "redis"\nurl = "redis://here"\n')

    done = up(fresh, "--create", *GIVEN)

    assert 0 == done.code, done.err
    assert {"AcrPull": "made", CREDENTIAL: "made"} == states(fresh)


def test_a_vault_that_spin_reads_itself_lets_the_identity_in(fresh: App, cloud: Cloud) -> None:
    cloud.cluster("shop", "aks1", **ON)
    cloud.registry("shop", "acme1")
    make_identity(cloud)
    tenant = cloud.environment["AZURE_TENANT_ID"]
    properties = {"tenantId": tenant, "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": True}
    cloud.made(VAULTS, "shop", "shop-vault", {"properties": {**properties, "accessPolicies": []}})
    provider = '[[variables_provider]]\ntype = "azure_key_vault"\nvault_url = "https://shop-vault.vault.azure.net/"\n'
    (fresh.root / "runtime-config.toml").write_text(provider)

    refused = up(fresh, *GIVEN, "--keyvault", "shop-vault")
    done = up(fresh, *GIVEN, "--keyvault", "shop-vault", "--attach-keyvault")

    assert (1, 0) == (refused.code, done.code), done.err
    assert " is missing, which is needed so that identity `app1` reads secrets of vault `shop-vault`\n" in refused.err
    principal = identity_of(cloud)["properties"]["principalId"]
    (role,) = [one for one in cloud.every(ASSIGNMENTS) if "4633458b-17de-408a-b874-0445c86b69e6" in str(one)]
    assert principal == role["properties"]["principalId"]
    assert "made" == states(fresh)[SECRETS_USER]


def test_an_account_that_no_table_names_is_told_and_left_alone(fresh: App, cloud: Cloud) -> None:
    cloud.cluster("shop", "aks1", **ON)
    cloud.registry("shop", "acme1")
    make_identity(cloud)
    (fresh.root / "runtime-config.toml").write_text(KEYLESS)

    done = up(fresh, *GIVEN)

    assert 0 == done.code, done.err
    assert (
        "warning: runtime-config.toml:1: it is not looked at whether identity `app1` may use Cosmos DB account "
        "`shop-cosmos`\nhint: name it in `[store.default]` of aks-spin.toml" in done.err
    )


def test_the_grants_as_data(fresh: App, cloud: Cloud) -> None:
    keyless(fresh)
    assert 0 == fresh.plain("run", "resources", *NAMED, "--create").code

    refused = fresh.plain("run", "access", *NAMED, "--output", "json")
    done = fresh.plain("run", "access", *NAMED, "-y", "--output", "json")

    assert (1, 0) == (refused.code, done.code), done.err
    assert ["missing"] * 3 == [grant["state"] for grant in refused.json["grants"]]
    by_role = {grant["role"]: grant for grant in done.json["grants"]}
    identity = identity_of(cloud)
    assert {"what", "scope", "principal_id", "role", "state"} == set(by_role[CREDENTIAL])
    assert ("system:serviceaccount:tiny:tiny", str(identity["id"]).lower(), SIGNS_IN) == (
        by_role[CREDENTIAL]["principal_id"],
        by_role[CREDENTIAL]["scope"].lower(),
        by_role[CREDENTIAL]["what"],
    )
    assert identity["properties"]["principalId"] == by_role[DATA_ROLE]["principal_id"]


def test_another_cluster_of_that_name_is_let_in_only_when_told(fresh: App, cloud: Cloud) -> None:
    cloud.cluster("shop", "aks1", **ON)
    cloud.cluster("other", "aks1", **ON)
    cloud.registry("shop", "acme1")
    make_identity(cloud)
    place = ("--cluster-resource-group", "shop")
    assert 0 == up(fresh, *place, *GIVEN).code
    place = ("--cluster-resource-group", "other")

    refused = up(fresh, *place, "--attach-acr")
    before = len(credentials(cloud))
    done = up(fresh, *place, *GIVEN)

    assert (1, 0) == (refused.code, done.code), done.err
    assert f"is needed so that {SIGNS_IN}\n" in refused.err
    assert (1, 2) == (before, len(credentials(cloud)))


def test_workload_identity_that_somebody_turned_off_is_turned_on_only_when_told(fresh: App, cloud: Cloud) -> None:
    cloud.cluster("shop", "aks1", **ON)
    cloud.registry("shop", "acme1")
    make_identity(cloud)
    assert 0 == up(fresh, *GIVEN).code
    off = {"oidcIssuerProfile": {"enabled": True}, "securityProfile": {"workloadIdentity": {"enabled": False}}}
    cloud.cluster("shop", "aks1", **off)
    begin = len(cloud.asked())

    refused = up(fresh, *GIVEN, "--refresh")

    assert (1, []) == (refused.code, cloud.changes(begin)), refused.err
    assert "to be given in Azure: turn on workload identity of cluster `aks1`, which takes minutes\n" in refused.err
    assert "`--enable-workload-identity --attach-identity` turns that on" in refused.err


def test_what_was_given_is_told_and_kept_up_though_the_next_right_could_not_be_given(fresh: App, cloud: Cloud) -> None:
    keyless(fresh)
    assert 0 == fresh.plain("run", "resources", *NAMED, "--create").code
    cloud.trouble('method = "PUT"\npath = "*/sqlRoleAssignments/*"\nknown = "AuthorizationFailed"')

    refused = fresh.plain("run", "access", *NAMED, *GIVEN, "--output", "json")

    assert 1 == refused.code
    told = {grant["role"]: grant["state"] for grant in refused.json["grants"]}
    assert {"AcrPull": "made", CREDENTIAL: "made", DATA_ROLE: "missing"} == told
    assert f"{SIGNS_IN}: {CREDENTIAL} is given now\n" in refused.err
    given = {grant["role"]: grant["given"] for grant in noted(fresh, "access.json")["grants"]}
    assert {"AcrPull": True, CREDENTIAL: True, DATA_ROLE: False} == given


def test_an_account_that_is_made_anew_under_its_name_gets_its_role(fresh: App, cloud: Cloud) -> None:
    keyless(fresh)
    assert 0 == up(fresh, "--create", *GIVEN).code
    cloud.delete(cloud.every(ACCOUNTS)[0], ACCOUNTS)

    made = fresh.plain("run", "resources", *NAMED, "--refresh", "--create-store")
    done = up(fresh, *GIVEN)

    assert (0, 0) == (made.code, done.code), done.err
    assert "access" in done.stages("done")
    assert 1 == len(data_roles(cloud))


def test_a_store_that_is_named_later_keeps_nothing_from_being_refreshed(fresh: App, cloud: Cloud) -> None:
    assert 0 == up(fresh, "--create", *GIVEN).code
    keyless(fresh)

    done = up(fresh, "--refresh", "--create", *GIVEN)

    assert 0 == done.code, done.err
    assert {"AcrPull": "present", CREDENTIAL: "present", DATA_ROLE: "made"} == states(fresh)
