"""Which SDK calls the recordings of groups, clusters, registries and roles are of.

The sandbox is brought to where Azure was by requests that Azure would take too; `NOT_COVERED` says which exchanges no
call is made of, and why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import yaml
from testbed.azure_recordings import SUBSCRIPTION, TENANT, Step, Story

from spin_aks.sandbox.azure import blobs, identifiers, identities

if TYPE_CHECKING:
    from collections.abc import Callable

    from testbed.azure_recordings import Clients, Recording

    Given = Callable[[Clients, Recording], object]


def group(name: str, location: str = "westus", **more: object) -> Given:
    return lambda sandbox, _: sandbox.groups.create_or_update(name, {"location": location, **more})


GROUP = "cli_test_rg_scenario000001"

GROUPS = (
    Story(
        "rg-create-exists-list-delete",
        (0, 1, 5, 6, 7, 8, 9, 10, 13),
        (
            Step("deleted", lambda clients, _: clients.groups.begin_delete(GROUP).result()),
            Step("gone", lambda clients, _: clients.groups.check_existence(GROUP)),
            Step("made", lambda clients, recording: clients.groups.create_or_update(GROUP, recording.sent(7))),
            Step("there", lambda clients, _: clients.groups.check_existence(GROUP)),
            Step("shown", lambda clients, _: clients.groups.get(GROUP)),
            Step("by tag", lambda clients, _: clients.groups.list(filter="tagname eq 'a' and tagvalue eq 'b'")),
            Step("changed", lambda clients, recording: clients.groups.create_or_update(GROUP, recording.sent(13))),
        ),
        (group(GROUP),),
    ),
    Story(
        "locations",
        (0,),
        (
            Step(
                "locations",
                lambda clients, recording: [
                    location
                    for location in clients.subscriptions.subscriptions.list_locations(SUBSCRIPTION)
                    if location.name in {item["name"] for item in recording.answered(0)["value"]}
                ],
            ),
        ),
        (),
        {"locations: availabilityZoneMappings": "which physical zone a logical one is differs between subscriptions"},
    ),
)

DELETED = "cli_rg_nowait_test000001"
TAGS = {"product": "azurecli", "cause": "automation", "date": "2023-02-07T11:22:45Z"}


def begin_delete(clients: Clients, _: Recording) -> None:
    clients.groups.begin_delete(DELETED, polling=False)


GROUPS = (
    *GROUPS,
    Story(
        "rg-deleting-404",
        (0, 1, 4),
        (
            Step("being deleted", begin_delete),
            Step("there still", lambda clients, _: clients.groups.get(DELETED)),
            Step("gone", lambda clients, _: clients.groups.get(DELETED)),
        ),
        (group(DELETED, tags=TAGS),),
    ),
)

CLUSTER_GROUP = "clitest000001"
OIDC, ADDON = "cliakstest000001", "cliakstest000002"
MADE = "the cluster is made"

RANDOM = {
    "properties.fqdn": "a part of the name is random",
    "properties.azurePortalFQDN": "a part of the name is random",
}
PRIVATE = dict.fromkeys(("properties.fqdn", "properties.privateFQDN"), "a part of the name is random")
ETAG = {"eTag": "clusters have one since api-version 2024-10-01"}
ADDED = {
    **ETAG,
    "properties.servicePrincipalProfile.clientId": "it says msi, which the recording was scrubbed of",
}
UID = {"properties.resourceUID": "24 random hexadecimal digits"}
OTHER_PATCH = {
    "properties.currentKubernetesVersion": "another patch release is the newest now",
    "properties.agentPoolProfiles.currentOrchestratorVersion": "another patch release is the newest now",
    "properties.agentPoolProfiles.nodeImageVersion": "nodes have a new image each week",
}
IMAGE = {"properties.agentPoolProfiles.nodeImageVersion": OTHER_PATCH["properties.agentPoolProfiles.nodeImageVersion"]}
OTHER_VERSION = {
    **OTHER_PATCH,
    "properties.kubernetesVersion": "another release of Kubernetes is the default now",
    "properties.agentPoolProfiles.orchestratorVersion": "another release of Kubernetes is the default now",
}
# What clusters had not yet in April of 2024, and in the middle of 2023.
SINCE_2024 = {
    "properties.metricsProfile": "the cost analysis came after the recording",
    "properties.networkProfile.networkPolicy": "it is told since a later api-version",
    **UID,
}
SINCE_2023 = {
    **SINCE_2024,
    "properties.agentPoolProfiles.upgradeSettings": "the default of 10 per cent came after the recording",
    "properties.autoUpgradeProfile": "node images are upgraded by default since then",
}
BACKEND_POOL = {"properties.networkProfile.loadBalancerProfile.backendPoolType": "it is told since a later api-version"}
CAPITAL = {"properties.networkProfile.loadBalancerSku": "it was told with a capital letter then"}


def differing(step: str, *facts: dict[str, str]) -> dict[str, str]:
    return {f"{step}: {path}": reason for one in facts for path, reason in one.items()}


def cluster_put(name: str, index: int, title: str = MADE) -> Step:
    return Step(title, lambda clients, recording: put_cluster(clients, name, recording.sent(index)))


def put_cluster(clients: Clients, name: str, body: Any) -> Any:
    return clients.clusters.begin_create_or_update(CLUSTER_GROUP, name, body).result()


def cluster_is(name: str, title: str) -> Step:
    return Step(title, lambda clients, _: clients.clusters.get(CLUSTER_GROUP, name))


def cluster(name: str, index: int) -> Given:
    """The cluster as an exchange of the recording shows it."""

    def make(sandbox: Clients, recording: Recording) -> None:
        group(CLUSTER_GROUP, "westus2")(sandbox, recording)
        put_cluster(sandbox, name, recording.answered(index))

    return make


def any_cluster(name: str) -> Given:
    def make(sandbox: Clients, recording: Recording) -> None:
        group(CLUSTER_GROUP, "westus2")(sandbox, recording)
        pool = {"name": "nodepool1", "mode": "System", "count": 1, "vmSize": "Standard_DS2_v2"}
        put_cluster(sandbox, name, {"location": "westus2", "properties": {"agentPoolProfiles": [pool]}})

    return make


def kubeconfig_shape(clients: Clients) -> object:
    """What is in the kubeconfig, and how its parts are called; addresses and keys are each cluster's own."""
    found = clients.clusters.list_cluster_user_credentials(CLUSTER_GROUP, OIDC).kubeconfigs
    document = yaml.safe_load(bytes(found[0].value))
    (place,), (context,), (user,) = document["clusters"], document["contexts"], document["users"]
    return {
        "kubeconfigs": [one.name for one in found],
        "members": sorted(document),
        "current": document["current-context"] == context["name"] == place["name"],
        "context": {**context["context"], "cluster": "<cluster>", "user": user["name"].split("_")[0]},
        "called": context["context"] == {"cluster": place["name"], "user": user["name"]},
        "server": bool(place["cluster"]["server"]),
    }


def made(name: str, recording: str, exchanges: tuple[int, ...], *facts: dict[str, str]) -> Story:
    """A cluster is made by the first PUT of these exchanges."""
    index = exchanges[1] if recording == "aks-create-lro" else exchanges[0]
    steps = (cluster_put(name, index),)
    if recording == "aks-create-lro":
        steps = (cluster_is(name, "no cluster yet"), *steps)
    given = (group(CLUSTER_GROUP, "westus2"),)
    return Story(recording, exchanges, steps, given, differing(MADE, ADDED, RANDOM, OTHER_VERSION, *facts))


KUBENET = {
    "properties.networkProfile.networkPlugin": "kubenet was the default; it is retired in 2028",
    "properties.networkProfile.networkPluginMode": "the overlay network is the default now",
}
BEFORE, ENABLED, TAGGED = "the cluster before", "the addon is enabled", "tagged"
CLUSTERS = (
    made(OIDC, "aks-create-lro", (0, 1, 2, 11, 12), KUBENET, UID),
    made(ADDON, "aks-create-kv-addon", (2, 16), SINCE_2023, BACKEND_POOL, CAPITAL),
    made(ADDON, "aks-create-kv-addon-rotation", (2, 16), SINCE_2023, BACKEND_POOL, CAPITAL),
    made(OIDC, "aks-create-oidc", (1, 2, 13), SINCE_2023, BACKEND_POOL, CAPITAL),
    made(OIDC, "aks-create-workload-identity", (1, 2, 14), SINCE_2023, BACKEND_POOL, CAPITAL),
    Story(
        "aks-enable-kv-addon-lro",
        (16, 17, 18, 24, 25),
        (cluster_is(ADDON, BEFORE), cluster_put(ADDON, 17, ENABLED)),
        (cluster(ADDON, 16),),
        {**differing(BEFORE, ETAG, RANDOM, IMAGE, SINCE_2023), **differing(ENABLED, ADDED, RANDOM, IMAGE, SINCE_2023)},
    ),
    Story(
        "aks-disable-kv-addon",
        (43, 49),
        (cluster_put(ADDON, 43, "the addon is disabled"),),
        (cluster(ADDON, 49),),
        differing("the addon is disabled", ADDED, RANDOM, IMAGE, SINCE_2023),
    ),
    Story(
        "aks-update-tags-lro",
        (20, 21, 27, 28),
        (cluster_is(OIDC, BEFORE), cluster_put(OIDC, 21, TAGGED)),
        (cluster(OIDC, 20),),
        {**differing(BEFORE, ETAG, RANDOM, OTHER_PATCH, UID), **differing(TAGGED, ADDED, RANDOM, OTHER_PATCH, UID)},
    ),
    Story(
        "aks-list-by-rg",
        (13, 14),
        (
            Step(
                "clusters of the group",
                lambda clients, _: {"listed": clients.clusters.list_by_resource_group(CLUSTER_GROUP)},
            ),
        ),
        (lambda sandbox, recording: cluster_listed(sandbox, recording),),
        differing(
            "clusters of the group",
            *({f"listed.{path}": reason for path, reason in one.items()} for one in (ETAG, RANDOM, OTHER_PATCH, UID)),
        ),
    ),
    Story(
        "aks-private-cluster",
        (0, 1, 22, 23, 24, 25),
        (
            cluster_is(ADDON, "no cluster yet"),
            cluster_put(ADDON, 1),
            cluster_is(ADDON, "private"),
            cluster_is(ADDON, "private still"),
            cluster_put(ADDON, 25, "scaled"),
        ),
        (group(CLUSTER_GROUP, "westcentralus"),),
        {
            **differing(MADE, ADDED, PRIVATE, OTHER_VERSION, SINCE_2024),
            **differing("private", ADDED, PRIVATE, OTHER_VERSION, SINCE_2024),
            **differing("private still", ADDED, PRIVATE, OTHER_VERSION, SINCE_2024),
            **differing("scaled", ADDED, PRIVATE, IMAGE, SINCE_2024),
            "scaled: properties.currentKubernetesVersion": "another patch release is the newest now",
            "scaled: properties.agentPoolProfiles.count": "the end of the scaling was cut from the recording",
        },
    ),
    Story(
        "aks-run-command",
        (16, 17, 18),
        (
            Step(
                "command",
                lambda clients, recording: clients.clusters.begin_run_command(
                    CLUSTER_GROUP, "cmdtest000002", recording.sent(16)
                ).result(),
            ),
        ),
        (any_cluster("cmdtest000002"),),
        {
            "command: properties.exitCode": "no API server stands behind this test's clusters",
            "command: properties.logs": "the pods of one real cluster, which no other one has",
        },
    ),
    Story(
        "aks-list-user-credentials",
        (18,),
        (Step("kubeconfig", lambda clients, _: kubeconfig_shape(clients)),),
        (any_cluster(OIDC),),
    ),
    Story(
        "aks-delete",
        (30,),
        (Step("deleted", lambda clients, _: clients.clusters.begin_delete(CLUSTER_GROUP, OIDC).result()),),
        (any_cluster(OIDC),),
    ),
)


def cluster_listed(sandbox: Clients, recording: Recording) -> None:
    group(CLUSTER_GROUP, "westus2")(sandbox, recording)
    put_cluster(sandbox, OIDC, recording.answered(13)["value"][0])


REGISTRY_GROUP, REGISTRY = "clitest.rg000001", "clireg000002"
BUILDER = "caec637f3451acr"


def registry(name: str = REGISTRY, in_group: str = REGISTRY_GROUP, location: str = "westus", **more: Any) -> Given:
    def make(sandbox: Clients, recording: Recording) -> None:
        group(in_group, location)(sandbox, recording)
        body = {"location": location, "sku": {"name": "Premium"}, "properties": {}, **more}
        sandbox.registries.begin_create(in_group, name, body).result()

    return make


NEWER_REGISTRY = {
    "properties.autoGeneratedDomainNameLabelScope": "of api-version 2025-04-01 and later",
    "properties.networkRuleBypassAllowedForTasks": "of api-version 2025-06-01 and later",
    "properties.roleAssignmentMode": "of api-version 2025-04-01 and later",
}
REGISTRIES = (
    Story(
        "acr-check-name",
        (0,),
        (Step("free", lambda clients, recording: clients.registries.check_name_availability(recording.sent(0))),),
    ),
    Story(
        "acr-create-lro",
        (0, 1, 2, 3, 4, 5),
        (
            Step(
                "the registry is made",
                lambda clients, recording: clients.registries.begin_create(
                    REGISTRY_GROUP, REGISTRY, recording.sent(0)
                ).result(),
            ),
            Step("taken", lambda clients, recording: clients.registries.check_name_availability(recording.sent(4))),
            Step(
                "of the group",
                lambda clients, _: {"listed": clients.registries.list_by_resource_group(REGISTRY_GROUP)},
            ),
        ),
        (group(REGISTRY_GROUP),),
        {
            **differing("the registry is made", NEWER_REGISTRY),
            **differing("of the group", {f"listed.{path}": reason for path, reason in NEWER_REGISTRY.items()}),
        },
    ),
    Story(
        "acr-delete",
        (51,),
        (Step("deleted", lambda clients, _: clients.registries.begin_delete(REGISTRY_GROUP, REGISTRY).result()),),
        (registry(),),
    ),
    Story(
        "acr-list-via-resources",
        (11,),
        (
            Step(
                "registries",
                lambda clients, _: sorted(
                    clients.resources.resources.list(filter="resourceType eq 'Microsoft.ContainerRegistry/registries'"),
                    key=lambda item: item.name,
                ),
            ),
        ),
        (lambda sandbox, recording: registries_listed(sandbox, recording),),
    ),
    Story(
        "acr-token-exchange",
        (13, 16, 17),
        (
            Step("asked who", lambda clients, _: clients.http("GET", f"https://{REGISTRY}.azurecr.io/v2/")),
            Step(
                "refresh token",
                lambda clients, _: tokens(clients, "exchange", grant_type="access_token", tenant=tenant_of(clients)),
            ),
            Step(
                "access token",
                lambda clients, _: tokens(
                    clients, "token", grant_type="refresh_token", scope="repository:microsoft:pull"
                ),
            ),
        ),
        (registry(),),
        {"asked who: asked": "the registry's real name was left there when the recording was scrubbed"},
    ),
)


RUN = "ca1"
UPLOADED = "source/202404180000/1d7af92f-c4d0-4083-a11a-76efde083d3e.tar.gz"


def addresses(found: Any) -> dict[str, str]:
    """What kind of addresses these are: host and signature are each registry's own."""
    return {name: urlsplit(value).path.rsplit("/", 1)[-1][-7:] for name, value in found.as_dict().items()}


def uploaded(sandbox: Clients, recording: Recording) -> None:
    """The sources are where the recorded request says."""
    registry(BUILDER)(sandbox, recording)
    found = sandbox.registry_tasks.registries.get_build_source_upload_url(REGISTRY_GROUP, BUILDER)
    folder = urlsplit(found.upload_url).path.split("/source/")[0]
    url = blobs.signed_url(sandbox.world, f"{folder}/{UPLOADED}", "cw")
    assert sandbox.http("PUT", url, data=b"", headers={"x-ms-blob-type": "BlockBlob"})["status"] == 201


REGISTRIES = (
    *REGISTRIES,
    Story(
        "acr-build-quickrun",
        (59, 61, 62),
        (
            Step(
                "where to",
                lambda clients, _: addresses(
                    clients.registry_tasks.registries.get_build_source_upload_url(REGISTRY_GROUP, BUILDER)
                ),
            ),
            Step(
                "scheduled",
                lambda clients, recording: clients.registry_tasks.registries.schedule_run(
                    REGISTRY_GROUP, BUILDER, recording.sent(61)
                ),
            ),
            Step(
                "log",
                lambda clients, _: addresses(clients.registry_tasks.runs.get_log_sas_url(REGISTRY_GROUP, BUILDER, RUN)),
            ),
        ),
        (uploaded,),
    ),
)


def registries_listed(sandbox: Clients, recording: Recording) -> None:
    group("ray-dev")(sandbox, recording)
    for one in recording.answered(11)["value"]:
        body = {"location": one["location"], "sku": {"name": one["sku"]["name"]}, "tags": one["tags"]}
        sandbox.registries.begin_create("ray-dev", one["name"], body).result()


def tenant_of(clients: Clients) -> str:
    return identifiers.TENANT if clients.world else TENANT


def tokens(clients: Clients, door: str, **form: str) -> dict[str, Any]:
    """The answer with its tokens' kinds alone."""
    url = f"https://{REGISTRY}.azurecr.io/oauth2/"
    sent = {"service": f"{REGISTRY}.azurecr.io", **form}
    if door == "exchange":
        sent["access_token"] = clients.credential.get_token("https://containerregistry.azure.net/.default").token
    else:
        sent["refresh_token"] = clients.refresh_token
    answer = clients.http("POST", url + door, data=sent)
    body = answer["body"]
    clients.refresh_token = body.get("refresh_token", "") or clients.refresh_token
    return {**answer, "body": {name: "a JWT" if text.count(".") == 2 else text for name, text in body.items()}}


ROLES_GROUP = "cli_role_assign000001"


def assignment(number: int) -> str:
    return f"88888888-0000-0000-0000-00000000000{number}"


def scope(name: str) -> str:
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{name}"


VAULT = f"{scope('clitest000001')}/providers/Microsoft.KeyVault/vaults/cliakstestkv000002"
ROLES = (
    Story(
        "role-assignment-crud",
        (1, 2, 4, 11, 12),
        (
            Step(
                "role by name",
                lambda clients, _: clients.authorization.role_definitions.list(
                    scope(ROLES_GROUP), filter="roleName eq 'reader'"
                ),
            ),
            Step("made", lambda clients, recording: assigned(clients, recording, 2, 1)),
            Step(
                "deleted",
                lambda clients, _: clients.authorization.role_assignments.delete(scope(ROLES_GROUP), assignment(1)),
            ),
            Step(
                "shown",
                lambda clients, _: clients.authorization.role_assignments.get(scope(ROLES_GROUP), assignment(3)),
                lambda sandbox, recording: assigned(sandbox, recording, 12, 3),
            ),
            Step("made again under its name", lambda clients, recording: assigned(clients, recording, 12, 3)),
        ),
        (group(ROLES_GROUP),),
        {"shown: description": "it was made with another one, by a request that was cut"},
    ),
    Story(
        "kv-vault-create-rbac-and-role-assignment",
        (28, 29),
        (
            Step(
                "role by name",
                lambda clients, _: clients.authorization.role_definitions.list(
                    VAULT, filter="roleName eq 'Key Vault Secrets User'"
                ),
            ),
            Step(
                "assigned on the vault",
                lambda clients, recording: clients.authorization.role_assignments.create(
                    VAULT, "a6d79a21-bd41-4914-a9df-776858ffd43d", recording.sent(29)
                ),
            ),
        ),
        (lambda sandbox, recording: vault_and_principal(sandbox, recording),),
    ),
)


ATTACHED = f"{scope(REGISTRY_GROUP)}/providers/Microsoft.ContainerRegistry/registries/acr000004"
ROLES = (
    *ROLES,
    Story(
        "errors",
        (39,),
        (
            Step(
                "assigned already",
                lambda clients, recording: clients.authorization.role_assignments.create(
                    ATTACHED, "38dec33c-4435-4f70-92a1-8e1cc6e118db", recording.sent(39)
                ),
                lambda sandbox, recording: sandbox.authorization.role_assignments.create(
                    ATTACHED, assignment(1), recording.sent(39)
                ),
            ),
        ),
        (registry("acr000004"),),
    ),
)


def vault_and_principal(sandbox: Clients, recording: Recording) -> None:
    """The vault, and an identity that Azure knew for long."""
    group("clitest000001", "eastus")(sandbox, recording)
    sandbox.vaults.begin_create_or_update("clitest000001", "cliakstestkv000002", recording.sent(1)).result()
    identities.add_principal(sandbox.world.state, recording.sent(29)["properties"]["principalId"])


def assigned(clients: Clients, recording: Recording, index: int, number: int) -> Any:
    body = recording.sent(index)
    return clients.authorization.role_assignments.create(scope(ROLES_GROUP), assignment(number), body)


STORIES = (*GROUPS, *CLUSTERS, *REGISTRIES, *ROLES)
STREAMING = "`_streaming` is asked by nobody but the Azure CLI"
TASK = "a run of a task that is kept in the registry; only quick runs are used"
OTHER_NAMESPACE = "of a service that the sandbox does not play; the refusal's words are compared by a test of their own"
DISK = "a disk can't be deleted: of a service that the sandbox does not play"
# Recording -> exchange -> why no story has it.
NOT_COVERED: dict[str, dict[int, str]] = {
    "acr-import-image-lro": dict.fromkeys((7, 8, 9), "images are pushed, never imported"),
    "acr-list-credentials": {27: "the administrator of a registry is never used"},
    "acr-schedule-run-and-get-run": dict.fromkeys((15, 16, 17), TASK),
    "acr-token-exchange": {18: STREAMING},
    "aks-abort-create": dict.fromkeys((2, 3, 4, 5, 6, 7, 8), "nothing that was begun is aborted"),
    "errors": {
        28: "its scope is a storage account; the same error is among the unit tests",
        **dict.fromkeys((5, 1, 0, 1001), OTHER_NAMESPACE),
        20: DISK,
    },
    "provider-register": dict.fromkeys((0, 1, 2), "a provider of classic resources, which the sandbox does not have"),
    "role-assignment-crud": {3: "lists what is above the group, too: 204 of the 207 assignments were cut"},
}
