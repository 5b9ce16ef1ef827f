"""How vaults are addressed and what they may be called, and what Azure says of a name that it does not give.

The texts are those that users of the service report: https://github.com/Azure/azure-powershell/issues/15115,
https://github.com/hashicorp/terraform-provider-azurerm/issues/12972.
"""

from __future__ import annotations

import re
from http import HTTPStatus

from spin_aks.sandbox.azure.call import RefusedError
from spin_aks.sandbox.azure.collection import Collection

KIND = "Microsoft.KeyVault/vaults"
VAULTS = Collection(KIND, "vault")
ONE = VAULTS.one
# Where the names of hosts are kept, as long as they lead anywhere.
HOSTS = "hosts"
NAME = re.compile(r"(?=.{3,24}$)[a-zA-Z](?:-?[a-zA-Z0-9])*")


def host(name: str) -> str:
    return f"{name.lower()}.vault.azure.net"


def uri(name: str) -> str:
    return f"https://{host(name)}/"


def fits(name: str) -> bool:
    return NAME.fullmatch(name) is not None


def malformed(name: str) -> RefusedError:
    message = (
        f"The vault name '{name}' is invalid. A vault's name must be between 3-24 alphanumeric characters. The name "
        "must begin with a letter, end with a letter or digit, and not contain consecutive hyphens. Follow this link "
        "for more information: https://go.microsoft.com/fwlink/?linkid=2147742"
    )
    return RefusedError(HTTPStatus.BAD_REQUEST, "VaultNameNotValid", message)


def soft_deleted() -> RefusedError:
    """For a name that a deleted vault of the same subscription has."""
    message = (
        "A vault with the same name already exists in deleted state. You need to either recover or purge existing key "
        "vault. Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft delete."
    )
    return RefusedError(HTTPStatus.CONFLICT, "ConflictError", message)


def taken(name: str) -> RefusedError:
    """For a name that a vault of another group, or of another subscription, has or had."""
    message = (
        f"The vault name '{name}' is already in use. Vault names are globally unique so it is possible that the name "
        "is already taken. If you are sure that the vault name was not taken then it is possible that a vault with the "
        "same name was recently deleted but not purged after being placed in a recoverable state. If the vault is in a "
        "recoverable state then the vault will need to be purged before reusing the name. For more information about "
        "VaultAlreadyExists, soft delete and purging a vault follow this link "
        "https://go.microsoft.com/fwlink/?linkid=2147740."
    )
    return RefusedError(HTTPStatus.CONFLICT, "VaultAlreadyExists", message)


def not_deleted(name: str) -> RefusedError:
    """For a vault that can be neither recovered nor purged, there being no deleted one."""
    message = f"A soft deleted vault with the given name '{name}' does not exist."
    return RefusedError(HTTPStatus.NOT_FOUND, "SoftDeletedVaultDoesNotExist", message)
