"""Who may use the vault's secrets: the cluster's add-on where the application has some, and whoever signed in."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING

from spin_aks import terminal
from spin_aks.errors import AzureError, Problem
from spin_aks.tasks import resource_vault, resources
from spin_aks.tasks.azure_place import watch
from spin_aks.tasks.right import Right, of_role, plan, there

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spin_aks.azure.aks import Cluster
    from spin_aks.azure.roles import Grant, Wanted
    from spin_aks.azure.vaults import Vault
    from spin_aks.context import Context

ATTACH_KEYVAULT, ENABLE_ADDON = "--attach-keyvault", "--enable-keyvault-addon"


def reads_secrets(context: Context) -> bool:
    """Whether the cluster's add-on is to read the vault: only where the application has secrets."""
    named = resources.cluster(context) is not None and resource_vault.named(context) is not None
    return named and bool(context.settings.secrets)


def rights(context: Context, cluster: Cluster | None) -> Iterator[Right]:
    """`cluster` is the one that is named, where there is one. Raises AzureError."""
    vault = whole(context)
    if cluster is not None and reads_secrets(context):
        if vault.firewall or not vault.public:
            _tell_of_nodes(vault, cluster)
        yield _read(context, cluster, vault)
    if vault.public:
        yield from _keep(context, vault)
    else:
        _tell_of_wall(vault.id.name, "it is closed to the public network")


def whole(context: Context) -> Vault:
    """The vault as it is now; raises AzureError."""
    from spin_aks.azure import vaults

    resource = resource_vault.resource_id(context)
    return there(vaults.get(context.azure, resource), str(resource))


def _read(context: Context, cluster: Cluster, vault: Vault) -> Right:
    """The add-on's right; where the add-on is off, its identity is not known before it is turned on."""
    from spin_aks.azure import grants, roles, vaults

    if cluster.keyvault_identity is None:
        what = grants.addon_reads(cluster, vault)
        now = roles.Grant(what, str(vault.id), "", roles.SECRETS_USER.name, roles.MISSING)
        now = now if vault.rbac else vaults.check_policy(vault, what, "", vaults.READ)
        on = f"turn on the Key Vault add-on of cluster `{cluster.id.name}`, which takes minutes"
        flags, command = (ENABLE_ADDON, ATTACH_KEYVAULT), addon_command(cluster)
        return Right(now, (on, *plan(now)), lambda: _turned_on(context, vault), flags, command, needed=False)
    return of_vault(context, vault, grants.read_secrets(cluster, vault), vaults.READ)


def addon_command(cluster: Cluster) -> str:
    return (
        f"az aks enable-addons --addons azure-keyvault-secrets-provider --subscription {cluster.id.subscription} "
        f"--resource-group {cluster.id.group} --name {cluster.id.name}"
    )


def _turned_on(context: Context, vault: Vault) -> Grant:
    from spin_aks.azure import aks_changes, grants, vaults

    resource = resources.resource_id(context, "cluster")
    cluster = aks_changes.enable_keyvault_addon(context.azure, resource, watch(context))
    return of_vault(context, vault, grants.read_secrets(cluster, vault), vaults.READ).give()


def of_vault(
    context: Context, vault: Vault, wanted: Wanted, permissions: tuple[str, ...], *, needed: bool = False
) -> Right:
    """A role, or an access policy of a vault that knows no roles."""
    from spin_aks.azure import vaults

    if vault.rbac:
        return of_role(context, wanted, ATTACH_KEYVAULT, needed=needed)
    now = vaults.check_policy(vault, wanted.what, wanted.principal_id, permissions)
    command = vaults.policy_command(vault, wanted.principal_id, permissions)
    add = partial(_policy, context, vault, wanted, permissions)
    return Right(now, plan(now), add, (ATTACH_KEYVAULT,), command, needed)


def _policy(context: Context, vault: Vault, wanted: Wanted, permissions: tuple[str, ...]) -> Grant:
    """Adds the policy, and sees that it is there."""
    from spin_aks.azure import roles, vaults

    given = vaults.allow(context.azure, vault, wanted.what, wanted.principal_id, permissions)
    after = vaults.check_policy(whole(context), wanted.what, wanted.principal_id, permissions)
    if after.state != roles.PRESENT:
        what = f"it is not so that {wanted.what}: Azure took the access policy, and the vault has none"
        raise AzureError(what, where=str(vault.id), hint="run the same command again")
    return given


def _keep(context: Context, vault: Vault) -> Iterator[Right]:
    """The right of whoever signed in: only where the vault refuses them is it missing, whatever roles they have.

    None where the vault does not let this machine in: no right would help, and whether they have it can't be seen.
    """
    from spin_aks.azure import credential, grants, roles, vaults

    person = credential.who(context.azure)
    right = of_vault(context, vault, grants.keep_secrets(person, vault), vaults.KEEP)
    let_in = _is_let_in(context, vault) if right.lacks else None
    if let_in:
        what = f"`{person.name}` is let in to the secrets of vault `{vault.id.name}`"
        yield replace(right, now=replace(right.now, what=what, role="a right", state=roles.PRESENT))
    elif let_in is False or not right.lacks:
        yield replace(right, give=partial(_kept, context, vault, right))
    else:
        _tell_of_wall(vault.id.name, "its firewall does not let this machine in")


def _is_let_in(context: Context, vault: Vault) -> bool | None:
    """Whether the vault shows its secrets' names to whoever signed in, by a group's role, say; None where it does not
    let this machine in.
    """
    from spin_aks.azure import secrets
    from spin_aks.azure.problems import AzureRefusalError

    try:
        return secrets.may_use(context.azure, vault.uri)
    except AzureRefusalError as error:
        if not secrets.is_walled_off(error):
            raise
        return None


def _kept(context: Context, vault: Vault, right: Right) -> Grant:
    """Gives the right, and waits until the vault knows of it."""
    from spin_aks.azure import secrets

    given = right.give()
    secrets.wait_until_usable(context.azure, vault.uri, watch(context))
    return given


@cache
def _tell_of_wall(name: str, wall: str) -> None:
    """Once a run."""
    what = f"whether you may use the secrets of vault `{name}` can't be seen from here: {wall}"
    hint = f"`az keyvault network-rule list --name {name}` shows whom it lets in; secrets are set from there"
    terminal.show_notice(Problem(what, hint=hint))


@cache
def _tell_of_nodes(vault: Vault, cluster: Cluster) -> None:
    """Once a run. The add-on reads from the nodes' network, and is none of the services that a firewall trusts:
    https://learn.microsoft.com/azure/key-vault/general/overview-vnet-service-endpoints#trusted-services
    """
    wall = "has a firewall" if vault.public else "is closed to the public network"
    what = f"vault `{vault.id.name}` {wall}: pods get their secrets only if it lets in the nodes of `{cluster.id.name}`"
    hint = (
        f"`az keyvault network-rule add --name {vault.id.name} --subnet SUBNET_ID` lets a subnet in, or give it a "
        "private endpoint in the nodes' network"
    )
    terminal.show_notice(Problem(what, hint=hint))
