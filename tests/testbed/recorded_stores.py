"""Which SDK calls the recordings of Key Vault, Redis and Cosmos DB are of.

The sandbox is brought to where Azure was by requests that Azure would take too, mostly the recording's own earlier
ones; `given_*` names what they make.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from testbed.azure_recordings import Step, Story

if TYPE_CHECKING:
    from collections.abc import Callable

    from testbed.azure_recordings import Clients, Recording

    Given = Callable[[Clients, Recording], object]

ROOM = {"tenantId": "11111111-1111-1111-1111-111111111111", "sku": {"family": "A", "name": "standard"}}
ANYBODY = {**{key: ["all", "purge"] for key in ("keys", "secrets", "certificates")}, "storage": ["all"]}
SAID = "from api-version 2026-02-01 on, how access is granted is always said; the recording is older"


def group(name: str, location: str = "westus") -> Given:
    return lambda sandbox, _: sandbox.groups.create_or_update(name, {"location": location})


def open_vault(name: str, location: str = "westus", *, group: str = "made", **more: object) -> Given:
    """A vault whose access policy lets whoever asks do everything, with soft delete of seven days, as recorded."""

    def make(sandbox: Clients, _: Recording) -> None:
        policy = {"tenantId": ROOM["tenantId"], "objectId": sandbox.object_id, "permissions": ANYBODY}
        properties = {
            **ROOM,
            "accessPolicies": [policy],
            "softDeleteRetentionInDays": 7,
            "enableRbacAuthorization": False,
        }
        sandbox.groups.create_or_update(group, {"location": location})
        body = {"location": location, "properties": {**properties, **more}}
        sandbox.vaults.begin_create_or_update(group, name, body).result()

    return make


VAULT_GROUP, VAULT = "cli_test_keyvault_pna000001", "cli-test-kv-pna-000002"
RBAC_GROUP, RBAC_VAULT = "clitest000001", "cliakstestkv000002"
SOFT_GROUP, SOFT_VAULT, SOFT_VAULT_2 = "cli_test_keyvault_sd000001", "cli-test-kv-sd-000002", "cli-test-kv-sd-000003"
SECRETS_VAULT, SOFT_SECRETS_VAULT = "cli-test-kv-se-000002", "cli-test-kv-se-sd-000002"


def vault_is(name: str, in_group: str, title: str) -> Step:
    return Step(title, lambda clients, _: clients.vaults.get(in_group, name))


def vault_put(name: str, in_group: str, index: int, title: str = "the vault is made") -> Step:
    return Step(
        title,
        lambda clients, recording: clients.vaults.begin_create_or_update(
            in_group, name, recording.sent(index)
        ).result(),
    )


def deleted_vaults(sandbox: Clients, recording: Recording) -> None:
    """Makes and deletes what the recorded list of deleted vaults shows."""
    for vault in recording.answered(26)["value"]:
        properties = vault["properties"]
        in_group = properties["vaultId"].split("/")[4]
        protected = {"enablePurgeProtection": True} if "purgeProtectionEnabled" in properties else {}
        open_vault(vault["name"], properties["location"], group=in_group, **protected)(sandbox, recording)
        sandbox.vaults.delete(in_group, vault["name"])


VAULTS = (
    Story(
        "kv-vault-create-accesspolicy",
        (0, 2, 3),
        (
            vault_is(VAULT, VAULT_GROUP, "no vault yet"),
            vault_put(VAULT, VAULT_GROUP, 2),
        ),
        (group(VAULT_GROUP),),
        {"the vault is made: properties.enableRbacAuthorization": SAID},
    ),
    Story(
        "kv-vault-create-rbac-and-role-assignment",
        (0, 1, 2, 3, 27),
        (
            vault_is(RBAC_VAULT, RBAC_GROUP, "no vault yet"),
            vault_put(RBAC_VAULT, RBAC_GROUP, 1),
            vault_is(RBAC_VAULT, RBAC_GROUP, "the vault is there"),
        ),
        (group(RBAC_GROUP),),
    ),
    Story(
        "kv-vault-soft-delete-recover-purge",
        (26,),
        (
            Step(
                "deleted vaults",
                lambda clients, _: sorted(next(clients.vaults.list_deleted().by_page()), key=lambda vault: vault.name),
            ),
        ),
        (deleted_vaults,),
    ),
    Story(
        "kv-vault-soft-delete-recover-purge",
        (25, 27, 29, 31, 32, 34),
        (
            Step("deleted", lambda clients, _: clients.vaults.delete(SOFT_GROUP, SOFT_VAULT)),
            vault_put(SOFT_VAULT, SOFT_GROUP, 27, "recovered"),
            Step("deleted again", lambda clients, _: clients.vaults.delete(SOFT_GROUP, SOFT_VAULT)),
            Step("purged", lambda clients, _: clients.vaults.begin_purge_deleted(SOFT_VAULT, "eastus2").result()),
        ),
        (open_vault(SOFT_VAULT, "eastus2", group=SOFT_GROUP),),
        {"recovered: properties.enableRbacAuthorization": SAID},
    ),
    Story(
        "kv-vault-soft-delete-recover-purge",
        (36, 40),
        (
            Step("deleted vault", lambda clients, _: clients.vaults.get_deleted(SOFT_VAULT_2, "eastus2")),
            Step("purged", lambda clients, _: clients.vaults.begin_purge_deleted(SOFT_VAULT_2, "eastus2").result()),
        ),
        (
            open_vault(SOFT_VAULT_2, "eastus2", group=SOFT_GROUP),
            lambda sandbox, _: sandbox.vaults.delete(SOFT_GROUP, SOFT_VAULT_2),
        ),
    ),
)


def secret_set(vault: str, index: int, title: str) -> Step:
    def put(clients: Clients, recording: Recording) -> Any:
        sent = dict(recording.sent(index))
        name = recording.exchanges[index].url.partition("?")[0].rpartition("/")[2]
        return clients.secrets(vault).set_secret(
            name, sent["value"], tags=sent["tags"], content_type=sent.get("contentType")
        )

    return Step(title, put)


def versions(clients: Clients) -> list[Any]:
    """Oldest first, as both are recorded: the second one has a content type."""
    found = clients.secrets(SECRETS_VAULT).list_properties_of_secret_versions("secret1")
    return sorted(found, key=lambda version: version.content_type or "")


def disabled(sandbox: Clients, _: Recording) -> None:
    sandbox.secrets(SECRETS_VAULT).update_secret_properties("secret1", enabled=False)


def two_deleted_secrets(sandbox: Clients, _: Recording) -> None:
    secrets = sandbox.secrets(SOFT_VAULT)
    for name in ("secret1", "secret2"):
        secrets.set_secret(name, "ABC123", tags={"file-encoding": "utf-8"})
        secrets.begin_delete_secret(name).wait()


SECRETS = (
    Story(
        "kv-secret-crud",
        (4, 5, 6, 7, 9, 10, 11, 12, 16, 17, 21, 22, 24),
        (
            secret_set(SECRETS_VAULT, 5, "secret1 is set, after a challenge"),
            secret_set(SECRETS_VAULT, 6, "secret2 is set"),
            Step("list", lambda clients, _: clients.secrets(SECRETS_VAULT).list_properties_of_secrets()),
            Step(
                "list in pages of one",
                lambda clients, _: [
                    list(page)
                    for page in clients.secrets(SECRETS_VAULT).list_properties_of_secrets(max_page_size=1).by_page()
                ],
            ),
            secret_set(SECRETS_VAULT, 11, "secret1 is set again"),
            Step("versions", lambda clients, _: versions(clients)),
            Step("newest", lambda clients, _: clients.secrets(SECRETS_VAULT).get_secret("secret1")),
            Step(
                "oldest",
                lambda clients, _: clients.secrets(SECRETS_VAULT).get_secret("secret1", versions(clients)[0].version),
            ),
            Step(
                "deleted",
                lambda clients, _: clients.secrets(SECRETS_VAULT).begin_delete_secret("secret1").result(),
                disabled,
            ),
            Step("purged", lambda clients, _: clients.secrets(SECRETS_VAULT).purge_deleted_secret("secret1")),
            Step(
                "list at the end",
                lambda clients, _: clients.secrets(SECRETS_VAULT).list_properties_of_secrets(),
                lambda sandbox, _: sandbox.secrets(SECRETS_VAULT).begin_delete_secret("secret2").wait(),
            ),
        ),
        (open_vault(SECRETS_VAULT),),
    ),
    Story(
        "kv-secret-soft-delete-conflict",
        (2, 3, 4, 5, 6),
        (
            secret_set(SOFT_SECRETS_VAULT, 3, "set, after a challenge"),
            Step(
                "deleted",
                lambda clients, _: clients.secrets(SOFT_SECRETS_VAULT).begin_delete_secret("secret1").result(),
            ),
            Step("deleted secrets", lambda clients, _: clients.secrets(SOFT_SECRETS_VAULT).list_deleted_secrets()),
            secret_set(SOFT_SECRETS_VAULT, 6, "set again"),
        ),
        (open_vault(SOFT_SECRETS_VAULT, "eastus"),),
    ),
    Story(
        "kv-vault-soft-delete-recover-purge",
        (19, 22),
        (
            Step(
                "recovered",
                lambda clients, _: clients.secrets(SOFT_VAULT).begin_recover_deleted_secret("secret1").result(),
            ),
            Step("purged", lambda clients, _: clients.secrets(SOFT_VAULT).purge_deleted_secret("secret2")),
        ),
        (open_vault(SOFT_VAULT, "eastus2", group=SOFT_GROUP), two_deleted_secrets),
    ),
)


REDIS_GROUP, REDIS = "cli_test_redis000001", "cliredis000002"


def cache(name: str, in_group: str, properties: dict[str, Any], location: str = "westus", **more: Any) -> Given:
    def make(sandbox: Clients, recording: Recording) -> None:
        group(in_group)(sandbox, recording)
        sandbox.redis.redis.begin_create(
            in_group, name, {"location": location, "properties": properties, **more}
        ).result()

    return make


BASIC = {"sku": {"name": "Basic", "family": "C", "capacity": 0}}


def listed_caches(sandbox: Clients, recording: Recording) -> None:
    """Makes each recorded cache from those of its properties that whoever made it has chosen."""
    for item in recording.answered(0)["value"]:
        asked = ("sku", "minimumTlsVersion", "publicNetworkAccess", "enableNonSslPort")
        properties = {name: item["properties"][name] for name in asked if name in item["properties"]}
        chosen = ("aad-enabled", "maxmemory-policy")
        settings = item["properties"]["redisConfiguration"]
        properties["redisConfiguration"] = {name: settings[name] for name in chosen if name in settings}
        identity = {"identity": item["identity"]} if "identity" in item else {}
        for resource_id in identity.get("identity", {}).get("userAssignedIdentities", ()):
            in_group, name = resource_id.split("/")[4::4]
            group(in_group)(sandbox, recording)
            sandbox.identities.create_or_update(in_group, name, {"location": "westus"})
        in_group = item["id"].split("/")[4]
        cache(item["name"], in_group, properties, item["location"], **identity)(sandbox, recording)
        if item["properties"]["provisioningState"] == "Deleting":
            sandbox.redis.redis.begin_delete(in_group, item["name"], polling=False)


def by_name(items: Any) -> list[Any]:
    return sorted(items, key=lambda item: item.name)


CACHES = (
    Story(
        "redis-create-lro",
        (0, 1, 37, 38),
        (
            Step(
                "the cache is made",
                lambda clients, recording: clients.redis.redis.begin_create(
                    REDIS_GROUP, REDIS, recording.sent(0)
                ).result(),
            ),
        ),
        (group(REDIS_GROUP),),
    ),
    Story(
        "redis-list-keys",
        (39,),
        (Step("keys", lambda clients, _: clients.redis.redis.list_keys(REDIS_GROUP, REDIS)),),
        (cache(REDIS, REDIS_GROUP, BASIC),),
    ),
    Story(
        "redis-list",
        (0, 1),
        (
            Step("of the subscription", lambda clients, _: by_name(clients.redis.redis.list_by_subscription())),
            Step("of an empty group", lambda clients, _: clients.redis.redis.list_by_resource_group(REDIS_GROUP)),
        ),
        (listed_caches, group(REDIS_GROUP)),
        {
            "of the subscription: instances": "which of two replicas is the primary one changes at Azure's will",
        },
    ),
    Story(
        "redis-aad-accesspolicyassignment",
        (29,),
        (Step("access policies", lambda clients, _: clients.redis.access_policy.list(REDIS_GROUP, REDIS)),),
        (cache(REDIS, REDIS_GROUP, BASIC),),
    ),
)

COSMOS_GROUP, ACCOUNT = "cli_test_cosmosdb_sql_container000001", "cli000004"
DATABASE, CONTAINER = "cli000002", "cli000003"
DATABASE_GROUP, DATABASE_ACCOUNT = "cli_test_cosmosdb_sql_database000001", "cli000003"
KEYS_GROUP, KEYS_ACCOUNT = "cli_test_cosmosdb_account000001", "cli000002"


def account(name: str, in_group: str) -> Given:
    def make(sandbox: Clients, recording: Recording) -> None:
        group(in_group)(sandbox, recording)
        place = {"locationName": "westus", "failoverPriority": 0, "isZoneRedundant": False}
        properties = {"databaseAccountOfferType": "Standard", "locations": [place]}
        body = {"location": "westus", "kind": "GlobalDocumentDB", "properties": properties}
        sandbox.cosmos.database_accounts.begin_create_or_update(in_group, name, body).result()

    return make


def database(sandbox: Clients, recording: Recording) -> None:
    account(ACCOUNT, COSMOS_GROUP)(sandbox, recording)
    body = {"properties": {"resource": {"id": DATABASE}}}
    sql(sandbox).begin_create_update_sql_database(COSMOS_GROUP, ACCOUNT, DATABASE, body).result()


def sql(clients: Clients) -> Any:
    return clients.cosmos.sql_resources


def longer_lived(sandbox: Clients, recording: Recording) -> None:
    body = recording.sent(15)
    body["properties"]["resource"]["defaultTtl"] = 2000
    sql(sandbox).begin_create_update_sql_container(COSMOS_GROUP, ACCOUNT, DATABASE, CONTAINER, body).result()


COSMOS = (
    Story(
        "cosmos-account-create-lro",
        (1, 2, 7, 8),
        (
            Step(
                "the account is made",
                lambda clients, recording: clients.cosmos.database_accounts.begin_create_or_update(
                    COSMOS_GROUP, ACCOUNT, recording.sent(1)
                ).result(),
            ),
        ),
        (group(COSMOS_GROUP),),
    ),
    Story(
        "cosmos-check-name",
        (0, 12),
        (
            Step("free", lambda clients, _: clients.cosmos.database_accounts.check_name_exists(KEYS_ACCOUNT)),
            Step(
                "taken",
                lambda clients, _: clients.cosmos.database_accounts.check_name_exists(KEYS_ACCOUNT),
                account(KEYS_ACCOUNT, KEYS_GROUP),
            ),
        ),
    ),
    Story(
        "cosmos-list-accounts",
        (19,),
        (
            Step(
                "of the group",
                lambda clients, _: by_name(clients.cosmos.database_accounts.list_by_resource_group(KEYS_GROUP)),
            ),
        ),
        (account("cli000002", KEYS_GROUP), account("cli000003", KEYS_GROUP)),
    ),
    Story(
        "cosmos-list-keys",
        (37, 55),
        (
            Step("keys", lambda clients, _: clients.cosmos.database_accounts.list_keys(KEYS_GROUP, KEYS_ACCOUNT)),
            Step(
                "keys for reading",
                lambda clients, _: clients.cosmos.database_accounts.list_read_only_keys(KEYS_GROUP, KEYS_ACCOUNT),
            ),
        ),
        (account(KEYS_ACCOUNT, KEYS_GROUP),),
    ),
    Story(
        "cosmos-sqldb-create-lro",
        (9, 10, 11, 12, 13, 15),
        (
            Step(
                "no database yet",
                lambda clients, _: sql(clients).get_sql_database(DATABASE_GROUP, DATABASE_ACCOUNT, DATABASE),
            ),
            Step(
                "the database is made",
                lambda clients, recording: (
                    sql(clients)
                    .begin_create_update_sql_database(DATABASE_GROUP, DATABASE_ACCOUNT, DATABASE, recording.sent(10))
                    .result()
                ),
            ),
            Step("databases", lambda clients, _: sql(clients).list_sql_databases(DATABASE_GROUP, DATABASE_ACCOUNT)),
        ),
        (account(DATABASE_ACCOUNT, DATABASE_GROUP),),
    ),
    Story(
        "cosmos-container-create-lro",
        (14, 15, 16, 17, 18, 25),
        (
            Step(
                "no container yet",
                lambda clients, _: sql(clients).get_sql_container(COSMOS_GROUP, ACCOUNT, DATABASE, CONTAINER),
            ),
            Step(
                "the container is made",
                lambda clients, recording: (
                    sql(clients)
                    .begin_create_update_sql_container(COSMOS_GROUP, ACCOUNT, DATABASE, CONTAINER, recording.sent(15))
                    .result()
                ),
            ),
            Step(
                "containers",
                lambda clients, _: sql(clients).list_sql_containers(COSMOS_GROUP, ACCOUNT, DATABASE),
                longer_lived,
            ),
        ),
        (database,),
    ),
)

STORIES = (*VAULTS, *SECRETS, *CACHES, *COSMOS)
# Recording -> exchange -> why no story has it.
NOT_COVERED: dict[str, dict[int, str]] = {}
