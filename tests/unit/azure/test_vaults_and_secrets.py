from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from azure.keyvault.secrets._shared import http_challenge_cache
from testbed.azure_answers import Reply, Script, Signed, recorded, refused, scripted
from testbed.azure_recordings import load

from spin_aks.azure import roles, secrets, vaults
from spin_aks.azure.arm import ResourceId
from spin_aks.azure.operations import Watch
from spin_aks.azure.problems import AzureRefusalError, Kind
from spin_aks.azure.vaults import DeletedVault
from spin_aks.errors import AzureError
from spin_aks.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Clock

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
TENANT = "11111111-1111-1111-1111-111111111111"
SAFE = ResourceId.of(SUBSCRIPTION, "team", vaults.KIND, "safe")
URI = "https://safe.vault.azure.net/"


@pytest.fixture(autouse=True)
def no_challenge_is_remembered() -> None:
    http_challenge_cache.clear()


def test_a_vault_is_made_as_azure_recorded_it(recordings: Path) -> None:
    session, playback = recorded(recordings, "kv-vault-create-rbac-and-role-assignment")
    resource = ResourceId.of(SUBSCRIPTION, "clitest000001", vaults.KIND, "cliakstestkv000002")

    made = vaults.create(session, resource, "westus2", TENANT, Watch())

    assert (resource, "Succeeded", "https://cliakstestkv000002.vault.azure.net/", True, True) == (
        made.id,
        made.state,
        made.uri,
        made.rbac,
        made.public,
    )
    assert "PUT" not in [one.method for one in playback._left if "roleAssignments" not in one.url]


def test_a_vault_that_is_made_has_roles_and_no_policies() -> None:
    assert {
        "location": "x",
        "properties": {
            "tenantId": "t",
            "sku": {"family": "A", "name": "standard"},
            "enableRbacAuthorization": True,
            "enableSoftDelete": True,
        },
    } == vaults.body("x", "t")


def test_a_vault_with_access_policies_is_read(recordings: Path) -> None:
    name = "kv-vault-create-accesspolicy"
    body = list(load(recordings, name).exchanges.values())[-1].body

    found = vaults.parse(body)

    assert (False, ({"all"})) == (found.rbac, found.policies[0].secrets)
    mine = vaults.check_policy(found, "x", "6B30BDC6-696a-46fb-82d7-739c2fb147b7", vaults.KEEP)
    others = vaults.check_policy(found, "x", "somebody", vaults.READ)
    assert ("present", "missing", "access policy: secrets get") == (mine.state, others.state, others.role)


def test_a_deleted_vault_is_found_recovered_and_purged(recordings: Path) -> None:
    exchanges = load(recordings, "kv-vault-soft-delete-recover-purge").exchanges.values()
    page = next(one.body for one in exchanges if one.url.partition("?")[0].endswith("/deletedVaults"))
    alone = next(
        one.body for one in exchanges if one.method == "GET" and "/deletedVaults/cli-test-kv-sd-000003" in one.url
    )
    back = next(one.body for one in exchanges if one.method == "PUT")
    purged = next(one for one in exchanges if "/purge?" in one.url)
    group = "cli_test_keyvault_sd000001"
    script = Script()
    pages = [Reply(200, {**page, "nextLink": NEXT}), Reply(200, {"value": [alone]})]
    script.answer("GET", "/deletedVaults$", *pages)
    script.answer("GET", "/vaults/[^/]+$", refused(404, "ResourceNotFound", "no"), Reply(200, back))
    script.answer("PUT", "/vaults/", Reply(200, back))
    script.answer("POST", "/purge$", Reply(202, None, purged.headers))
    script.answer("GET", "/operationResults/", Reply(202, {}, purged.headers), Reply(200, {"status": "Succeeded"}))
    session = scripted(script)

    gone = vaults.deleted(session, SUBSCRIPTION, "CLI-test-kv-sd-000003")
    assert (
        DeletedVault(
            ResourceId.of(SUBSCRIPTION, group, vaults.KIND, "cli-test-kv-sd-000003"),
            "eastus2",
            "2023-11-06T12:47:17Z",
            "2023-11-13T12:47:17Z",
            False,
        )
        == gone
    )
    resource = ResourceId.of(SUBSCRIPTION, group, vaults.KIND, "cli-test-kv-sd-000002")
    assert resource == vaults.recover(session, resource, gone, TENANT, Watch()).id
    vaults.purge(session, gone, Watch())

    assert "recover" == script.sent("PUT")[0].json["properties"]["createMode"]
    assert ["/locations/eastus2/deletedVaults/cli-test-kv-sd-000003/purge"] == [
        one.path.partition("Microsoft.KeyVault")[2] for one in script.sent("POST")
    ]


NEXT = "https://management.azure.com/subscriptions/x/providers/Microsoft.KeyVault/deletedVaults?$skiptoken=2"


def test_recovering_asks_for_the_vault_as_it_was() -> None:
    body: Any = vaults.body("x", "t", recover=True)

    assert "recover" == body["properties"]["createMode"]
    assert "enableRbacAuthorization" not in body["properties"]


def test_a_protected_vault_is_not_purged() -> None:
    script = Script()

    with pytest.raises(AzureError) as error:
        vaults.purge(scripted(script), DeletedVault(SAFE, "x", "", "2027-01-01T00:00:00Z", True), Watch())

    assert (
        "can't purge the deleted vault `safe`: it is protected until 2027-01-01T00:00:00Z"
        == error.value.problems[0].what
    )
    assert [] == script.asked


def test_a_name_that_a_deleted_vault_holds_is_told() -> None:
    script = Script()
    script.answer("GET", "/vaults/safe$", refused(404, "ResourceNotFound", "no"))
    message = "A vault with the same name already exists in deleted state. You need to either recover or purge it."
    script.answer("PUT", "/vaults/safe$", refused(409, "ConflictError", message))

    with pytest.raises(AzureRefusalError) as error:
        vaults.create(scripted(script), SAFE, "x", TENANT, Watch())

    assert Kind.SOFT_DELETED is error.value.kind


def test_a_name_is_asked_for_before_it_is_used() -> None:
    script = Script()
    taken = {"nameAvailable": False, "reason": "AlreadyExists", "message": "The vault name 'safe' is already in use."}
    script.answer("POST", "/checkNameAvailability$", Reply(200, taken))

    assert "The vault name 'safe' is already in use." == vaults.why_not(scripted(script), SUBSCRIPTION, "safe")
    assert {"name": "safe", "type": "Microsoft.KeyVault/vaults"} == script.asked[0].json


def with_policies(*policies: dict[str, Any]) -> vaults.Vault:
    properties: Any = {"vaultUri": URI, "tenantId": TENANT, "accessPolicies": [*policies]}
    return vaults.parse({"id": str(SAFE), "location": "x", "properties": properties})


def test_an_access_policy_is_added_and_those_of_others_are_not_sent() -> None:
    script = Script()
    script.answer("PUT", "/vaults/safe/accessPolicies/add$", Reply(201, {"name": "safe", "properties": {}}))
    vault = with_policies({"objectId": "ann", "permissions": {"secrets": ["Get"]}})

    present = vaults.allow(scripted(script), vault, "ann reads", "ann", vaults.READ)
    made = vaults.allow(scripted(script), vault, "the add-on reads", "addon", vaults.READ)

    (sent,) = script.sent("PUT")
    assert (roles.PRESENT, roles.MADE) == (present.state, made.state)
    assert {
        "properties": {
            "accessPolicies": [{"tenantId": TENANT, "objectId": "addon", "permissions": {"secrets": ["get"]}}]
        }
    } == sent.json


def test_who_may_not_change_policies_is_told_what_somebody_else_can_type() -> None:
    script = Script()
    script.answer("PUT", "/accessPolicies/add$", refused(403, "AuthorizationFailed", "no"))

    with pytest.raises(AzureRefusalError) as error:
        vaults.allow(scripted(script), with_policies(), "x", "addon", vaults.READ)

    assert (
        "an Owner or Key Vault Contributor of that vault can type `az keyvault set-policy "
        f"--subscription {SUBSCRIPTION} --name safe --object-id addon --secret-permissions get`; "
        "then run the same command again"
    ) == error.value.problems[0].hint


def test_secrets_are_set_read_listed_and_deleted_as_azure_recorded_it(recordings: Path) -> None:
    session, _ = recorded(recordings, "kv-secret-crud")
    uri = "https://cli-test-kv-se-000002.vault.azure.net"

    version = secrets.put(session, uri, "secret1", Secret("value"))

    assert version
    assert {"secret1", "secret2"} == secrets.names(session, uri)
    found = secrets.get(session, uri, "secret1")
    assert found is not None
    assert found.reveal()


def test_a_deleted_secret_holds_its_name(recordings: Path) -> None:
    name = "kv-secret-soft-delete-conflict"
    exchanges = load(recordings, name).exchanges
    challenge = next(index for index, one in exchanges.items() if one.status == 401)
    conflict = next(index for index, one in exchanges.items() if one.status == 409)
    session, _ = recorded(recordings, name, challenge, conflict)

    with pytest.raises(AzureRefusalError) as error:
        secrets.put(session, "https://cli-test-kv-se-sd-000002.vault.azure.net", "secret1", Secret("hush"))

    assert Kind.SOFT_DELETED is error.value.kind
    assert error.value.problems[0].what.startswith("can't set the secret `secret1` of the vault: a secret of that name")
    assert "hush" not in str(error.value) + error.value.why + error.value.problems[0].hint


CHALLENGE = Reply(
    401,
    {"error": {"code": "Unauthorized", "message": "AKV10000"}},
    {
        "WWW-Authenticate": f'Bearer authorization="https://login.microsoftonline.com/{TENANT}", resource="https://vault.azure.net"'
    },
)
DENIED = Reply(
    403,
    {
        "error": {
            "code": "Forbidden",
            "message": "Caller is not authorized to perform action on resource.\r\nIf role assignments were changed",
            "innererror": {"code": "ForbiddenByRbac"},
        }
    },
)
LISTED = Reply(200, {"value": [{"id": f"{URI}secrets/one", "attributes": {"enabled": True}}], "nextLink": None})


def vault(*answers: Reply) -> Script:
    script = Script()
    script.answer("GET", "safe.vault.azure.net/secrets$", CHALLENGE, *answers)
    return script


def test_a_vault_is_asked_with_a_token_of_its_own_tenant() -> None:
    source = Signed()

    assert {"one"} == secrets.names(scripted(vault(LISTED), source, tenant="home"), URI)
    assert [("https://vault.azure.net/.default", TENANT)] == source.asked


def test_a_right_that_was_given_just_now_is_waited_for(turned: Clock) -> None:
    said: list[str] = []

    secrets.wait_until_usable(scripted(vault(DENIED, DENIED, LISTED)), URI, Watch(said.append))

    assert 20.0 == turned.seconds
    assert f"wait for the right to use the secrets of {URI}: 10 s so far" == said[-1]


def test_a_right_that_never_comes_is_told(turned: Clock) -> None:
    with pytest.raises(AzureRefusalError) as error:
        secrets.wait_until_usable(scripted(vault(DENIED)), URI, Watch())

    assert Kind.DENIED is error.value.kind
    assert (
        "can't list the secrets of the vault: the vault does not let whoever signed in use its secrets"
        == error.value.problems[0].what
    )
    assert secrets.LONGEST_WAIT_S == turned.seconds


def test_a_shut_firewall_is_not_taken_for_a_missing_right() -> None:
    shut = Reply(
        403,
        {
            "error": {
                "code": "Forbidden",
                "message": "Client address is not authorized.",
                "innererror": {"code": "ForbiddenByFirewall"},
            }
        },
    )

    with pytest.raises(AzureRefusalError) as error:
        secrets.may_use(scripted(vault(shut)), URI)

    assert "the vault's firewall does not let this machine in" in error.value.problems[0].what


def test_what_is_no_vault_gets_no_token() -> None:
    foreign = Reply(
        401,
        {},
        {
            "WWW-Authenticate": f'Bearer authorization="https://login.microsoftonline.com/{TENANT}", resource="https://evil.example"'
        },
    )
    script = Script()
    script.answer("GET", "/secrets", foreign)
    source = Signed()

    with pytest.raises(AzureError) as error:
        secrets.names(scripted(script, source), URI)

    assert "can't list the secrets of the vault: what answered is no Key Vault" == error.value.problems[0].what
    assert [] == source.asked


def test_no_such_secret_is_none_and_deleting_it_is_nothing() -> None:
    script = Script()
    missing = Reply(404, {"error": {"code": "SecretNotFound", "message": "A secret with (name/id) x was not found"}})
    script.answer("GET", "/secrets/x", CHALLENGE, missing)
    script.answer("DELETE", "/secrets/x", missing)
    session = scripted(script)

    assert secrets.get(session, URI, "x") is None
    assert not secrets.delete(session, URI, "x")


def test_a_variables_secret_has_a_name_that_a_vault_takes() -> None:
    assert "db-password" == secrets.name_for("db_password")
