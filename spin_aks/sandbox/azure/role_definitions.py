"""The built-in roles that a deployer deals with, as Azure describes them.

https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from spin_aks.sandbox.azure.call import Call, RefusedError, answer, page
from spin_aks.sandbox.azure.routes import Route

if TYPE_CHECKING:
    from spin_aks.sandbox.azure.operations import Finish
    from spin_aks.sandbox.documents import Document
    from spin_aks.sandbox.web import Answer

KIND = "Microsoft.Authorization/roleDefinitions"
BY_NAME = re.compile(r"roleName eq '([^']*)'", re.IGNORECASE)

OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
ACR_PUSH = "8311e382-0749-4cb8-b61a-304f252e45ec"
REPOSITORY_READER = "b93aa761-3e63-49ed-ac28-beffa264f7ac"
REPOSITORY_WRITER = "2a1e307c-b015-4ebd-883e-5b7698a07328"
REPOSITORY_CONTRIBUTOR = "2efddaa5-3f1f-4df3-97df-af3f13818f4c"

REGISTRY = "Microsoft.ContainerRegistry/registries"
VAULT = "Microsoft.KeyVault/vaults"
SECRETS = f"{VAULT}/secrets"
# id, name, description, actions, not actions, actions on data
Role = tuple[str, str, str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]
ROLES: tuple[Role, ...] = (
    (
        OWNER,
        "Owner",
        "Grants full access to manage all resources, including the ability to assign roles in Azure RBAC.",
        ("*",),
        (),
        (),
    ),
    (
        CONTRIBUTOR,
        "Contributor",
        "Grants full access to manage all resources, but does not allow you to assign roles in Azure RBAC, manage "
        "assignments in Azure Blueprints, or share image galleries.",
        ("*",),
        (
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
        ),
        (),
    ),
    (
        "acdd72a7-3385-48ef-bd42-f606fba81ae7",
        "Reader",
        "View all resources, but does not allow you to make any changes.",
        ("*/read",),
        (),
        (),
    ),
    (
        "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
        "User Access Administrator",
        "Lets you manage user access to Azure resources.",
        ("*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"),
        (),
        (),
    ),
    (
        "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
        "Role Based Access Control Administrator",
        "Manage access to Azure resources by assigning roles using Azure RBAC.",
        (
            *("Microsoft.Authorization/roleAssignments/write", "Microsoft.Authorization/roleAssignments/delete"),
            *("*/read", "Microsoft.Support/*"),
        ),
        (),
        (),
    ),
    (ACR_PULL, "AcrPull", "acr pull", (f"{REGISTRY}/pull/read",), (), ()),
    (ACR_PUSH, "AcrPush", "acr push", (f"{REGISTRY}/pull/read", f"{REGISTRY}/push/write"), (), ()),
    (
        REPOSITORY_READER,
        "Container Registry Repository Reader",
        "Allows for read access to Azure Container Registry repositories, but excluding catalog listing.",
        (),
        (),
        (f"{REGISTRY}/repositories/metadata/read", f"{REGISTRY}/repositories/content/read"),
    ),
    (
        REPOSITORY_WRITER,
        "Container Registry Repository Writer",
        "Allows for read and write access to Azure Container Registry repositories, but excluding catalog listing.",
        (),
        (),
        tuple(
            f"{REGISTRY}/repositories/{what}/{verb}" for what in ("metadata", "content") for verb in ("read", "write")
        ),
    ),
    (
        REPOSITORY_CONTRIBUTOR,
        "Container Registry Repository Contributor",
        "Allows for read, write, and delete access to Azure Container Registry repositories, but excluding catalog "
        "listing.",
        (),
        (),
        tuple(
            f"{REGISTRY}/repositories/{what}/{verb}"
            for what in ("metadata", "content")
            for verb in ("read", "write", "delete")
        ),
    ),
    (
        "4633458b-17de-408a-b874-0445c86b69e6",
        "Key Vault Secrets User",
        "Read secret contents. Only works for key vaults that use the 'Azure role-based access control' permission "
        "model.",
        (),
        (),
        (f"{SECRETS}/getSecret/action", f"{SECRETS}/readMetadata/action"),
    ),
    (
        "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
        "Key Vault Secrets Officer",
        "Perform any action on the secrets of a key vault, except manage permissions. Only works for key vaults that "
        "use the 'Azure role-based access control' permission model.",
        (f"{VAULT}/read",),
        (),
        (f"{SECRETS}/*",),
    ),
    (
        "21090545-7ca7-4776-b22c-e363652d74d2",
        "Key Vault Reader",
        "Read metadata of key vaults and its certificates, keys, and secrets. Cannot read sensitive values such as "
        "secret contents or key material. Only works for key vaults that use the 'Azure role-based access control' "
        "permission model.",
        (f"{VAULT}/read",),
        (),
        (f"{VAULT}/*/read", f"{SECRETS}/readMetadata/action"),
    ),
    (
        "00482a5a-887f-4fb3-b363-3b7fe8e74483",
        "Key Vault Administrator",
        "Perform all data plane operations on a key vault and all objects in it, including certificates, keys, and "
        "secrets. Cannot manage key vault resources or manage role assignments. Only works for key vaults that use the "
        "'Azure role-based access control' permission model.",
        (f"{VAULT}/read",),
        (),
        (f"{VAULT}/*",),
    ),
    (
        "0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8",
        "Azure Kubernetes Service Cluster Admin Role",
        "List cluster admin credential action.",
        ("Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action",),
        (),
        (),
    ),
    (
        "4abbcc35-e782-43d8-92c5-2d3f1bd2253f",
        "Azure Kubernetes Service Cluster User Role",
        "List cluster user credential action.",
        ("Microsoft.ContainerService/managedClusters/listClusterUserCredential/action",),
        (),
        (),
    ),
)
BY_ID = {role[0]: role for role in ROLES}


def described(role: Role, subscription: str) -> Document:
    number, name, description, actions, not_actions, data_actions = role
    below = f"/subscriptions/{subscription}" if subscription else ""
    return {
        "properties": {
            "roleName": name,
            "type": "BuiltInRole",
            "description": description,
            "assignableScopes": ["/"],
            "permissions": [
                {
                    "actions": [*actions],
                    "notActions": [*not_actions],
                    "dataActions": [*data_actions],
                    "notDataActions": [],
                }
            ],
            "createdOn": "2015-02-02T21:55:09.8806423Z",
            "updatedOn": "2021-11-11T20:13:47.8628684Z",
            "createdBy": None,
            "updatedBy": None,
        },
        "id": f"{below}/providers/{KIND}/{number}",
        "type": KIND,
        "name": number,
    }


def list_all(call: Call) -> Answer:
    match = BY_NAME.search(call.query("$filter"))
    wanted = match[1].lower() if match else ""
    found = [role for role in ROLES if wanted in ("", role[1].lower())]
    return page(call, [described(role, _subscription(call)) for role in found])


def get(call: Call) -> Answer:
    role = BY_ID.get(call.values["role"].lower())
    if role is None:
        message = f"The specified role definition with ID '{call.values['role'].replace('-', '')}' does not exist."
        raise RefusedError(HTTPStatus.NOT_FOUND, "RoleDefinitionDoesNotExist", message)
    return answer(described(role, _subscription(call)))


def _subscription(call: Call) -> str:
    parts = call.values.get("scope", "").split("/")
    return parts[1] if len(parts) > 1 and parts[0].lower() == "subscriptions" else ""


LISTED = "providers/Microsoft.Authorization/roleDefinitions"
ROUTES = (
    Route("GET", f"/{LISTED}", list_all),
    Route("GET", f"/{LISTED}/{{role}}", get),
    Route("GET", f"/{{scope+}}/{LISTED}", list_all),
    Route("GET", f"/{{scope+}}/{LISTED}/{{role}}", get),
)
FINISHES: dict[str, Finish] = {}
