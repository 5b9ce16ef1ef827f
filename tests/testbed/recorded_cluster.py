"""Which SDK calls the recordings of groups, clusters, registries and roles are of.

The sandbox is brought to where Azure was by requests that Azure would take too; `NOT_COVERED` says which exchanges no
call is made of, and why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from testbed.azure_recordings import NOT_YET, SUBSCRIPTION, TENANT, Step, Story, waiting

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

CLUSTER_GROUP = "clitest000001"
OIDC, ADDON = "cliakstest000001", "cliakstest000002"


def cluster_put(name: str, index: int, title: str = "the cluster is made") -> Step:
    return Step(
        title,
        lambda clients, recording: clients.clusters.begin_create_or_update(
            CLUSTER_GROUP, name, recording.sent(index)
        ).result(),
    )


def cluster_is(name: str, title: str) -> Step:
    return Step(title, lambda clients, _: clients.clusters.get(CLUSTER_GROUP, name))


CLUSTERS = (
    Story(
        "aks-create-lro",
        (0, 1, 2, 11, 12),
        (cluster_is(OIDC, "no cluster yet"), cluster_put(OIDC, 1)),
        (group(CLUSTER_GROUP, "westus2"),),
    ),
    Story("aks-create-kv-addon", (2, 16), (cluster_put(ADDON, 2),), (group(CLUSTER_GROUP, "westus2"),)),
    Story("aks-create-kv-addon-rotation", (2, 16), (cluster_put(ADDON, 2),), (group(CLUSTER_GROUP, "westus2"),)),
    Story("aks-create-oidc", (1, 2, 13), (cluster_put(OIDC, 1),), (group(CLUSTER_GROUP, "westus2"),)),
    Story("aks-create-workload-identity", (1, 2, 14), (cluster_put(OIDC, 1),), (group(CLUSTER_GROUP, "westus2"),)),
    Story(
        "aks-enable-kv-addon-lro",
        (16, 17, 18, 24, 25),
        (cluster_is(ADDON, "the cluster before"), cluster_put(ADDON, 17, "the addon is enabled")),
    ),
    Story("aks-disable-kv-addon", (43, 49), (cluster_put(ADDON, 43, "the addon is disabled"),)),
    Story(
        "aks-update-tags-lro",
        (20, 21, 27, 28),
        (cluster_is(OIDC, "the cluster before"), cluster_put(OIDC, 21, "tagged")),
    ),
    Story(
        "aks-list-by-rg",
        (13, 14),
        (
            Step(
                "clusters of the group",
                lambda clients, _: clients.clusters.list_by_resource_group(CLUSTER_GROUP),
            ),
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
            cluster_put(ADDON, 25, "without a public name"),
        ),
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
    ),
    Story(
        "aks-list-user-credentials",
        (18,),
        (Step("kubeconfig", lambda clients, _: clients.clusters.list_cluster_user_credentials(CLUSTER_GROUP, OIDC)),),
    ),
    Story(
        "aks-delete",
        (30,),
        (Step("deleted", lambda clients, _: clients.clusters.begin_delete(CLUSTER_GROUP, OIDC).result()),),
    ),
)

REGISTRY_GROUP, REGISTRY = "clitest.rg000001", "clireg000002"
BUILDER = "caec637f3451acr"


def registry(name: str = REGISTRY, in_group: str = REGISTRY_GROUP, location: str = "westus", **more: Any) -> Given:
    def make(sandbox: Clients, recording: Recording) -> None:
        group(in_group, location)(sandbox, recording)
        body = {"location": location, "sku": {"name": "Premium"}, "properties": {}, **more}
        sandbox.registries.begin_create(in_group, name, body).result()

    return make


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
            Step("of the group", lambda clients, _: clients.registries.list_by_resource_group(REGISTRY_GROUP)),
        ),
        (group(REGISTRY_GROUP),),
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
    ),
    Story(
        "acr-token-exchange",
        (13, 16, 17),
        (
            Step("asked who", lambda clients, _: clients.http("GET", f"https://{REGISTRY}.azurecr.io/v2/")),
            Step(
                "refresh token",
                lambda clients, _: tokens(clients, "exchange", grant_type="access_token", tenant=TENANT),
            ),
            Step(
                "access token",
                lambda clients, _: tokens(
                    clients, "token", grant_type="refresh_token", scope="repository:microsoft:pull"
                ),
            ),
        ),
        (registry(),),
    ),
)


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
    ),
)


def assigned(clients: Clients, recording: Recording, index: int, number: int) -> Any:
    body = recording.sent(index)
    return clients.authorization.role_assignments.create(scope(ROLES_GROUP), assignment(number), body)


STORIES = (*GROUPS, *waiting(*CLUSTERS, *REGISTRIES, *ROLES))
STREAMING = "`_streaming` is asked by nobody but the Azure CLI"
BLOBS = "a blob store's own wire format, of no SDK of ours"
TASK = "a run of a task that is kept in the registry; only quick runs are used"
OTHER_NAMESPACE = "an error of a service that the sandbox does not play; it is among the unit tests of its errors"
# Recording -> exchange -> why no story has it.
NOT_COVERED: dict[str, dict[int, str]] = {
    "acr-build-quickrun": {
        **dict.fromkeys((59, 61, 62), NOT_YET),
        **dict.fromkeys((60, 63, 65, 104, 105), BLOBS),
    },
    "acr-import-image-lro": dict.fromkeys((7, 8, 9), "images are pushed, never imported"),
    "acr-list-credentials": {27: "the administrator of a registry is never used"},
    "acr-schedule-run-and-get-run": dict.fromkeys((15, 16, 17), TASK),
    "acr-token-exchange": {18: STREAMING},
    "aks-abort-create": dict.fromkeys((2, 3, 4, 5, 6, 7, 8), "nothing that was begun is aborted"),
    "errors": {
        39: NOT_YET,
        28: NOT_YET,
        **dict.fromkeys((5, 1, 0, 20), OTHER_NAMESPACE),
    },
    "provider-register": dict.fromkeys((0, 1, 2), NOT_YET),
    "rg-deleting-404": dict.fromkeys((0, 1, 4), NOT_YET),
    "role-assignment-crud": {3: "lists what is above the group, too: 204 of the 207 assignments were cut"},
}
