"""Which rights an environment needs in Azure: each can be checked, and given where that is allowed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from spin_aks.errors import AzureError, Problem
from spin_aks.tasks import resource_vault, resources
from spin_aks.tasks.azure_place import watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from spin_aks.azure.aks import Cluster
    from spin_aks.azure.roles import Grant, Wanted
    from spin_aks.azure.vaults import Vault
    from spin_aks.consent import Consent
    from spin_aks.context import Context

T = TypeVar("T")

ATTACH_ACR, ATTACH_KEYVAULT, ENABLE_ADDON = "--attach-acr", "--attach-keyvault", "--enable-keyvault-addon"


@dataclass(frozen=True, slots=True)
class Right:
    """`now` is how it stands; `plan` says what would be done, `give` does it and gives how it stands then.

    `flags` are those that allow it, `command` is for somebody else who may. A deployment that does not need it goes on
    without.
    """

    now: Grant
    plan: tuple[str, ...]
    give: Callable[[], Grant]
    flags: tuple[str, ...]
    command: str
    needed: bool

    @property
    def lacks(self) -> bool:
        from spin_aks.azure import roles

        return self.now.state == roles.MISSING

    def allowed(self, consent: Consent) -> bool:
        given = {
            ATTACH_ACR: consent.attach_acr,
            ATTACH_KEYVAULT: consent.attach_keyvault,
            ENABLE_ADDON: consent.enable_keyvault_addon,
        }
        return all(given[flag] for flag in self.flags)

    def problem(self) -> Problem:
        flags = " ".join(self.flags)
        hint = f"`{flags}` gives the role `{self.now.role}`; or have somebody who may: `{self.command}`"
        return Problem(f"it is not so that {self.now.what}", self.now.scope, hint)


def are_wanted(context: Context) -> bool:
    """Whether anything of Azure's is to be brought together."""
    pulls = resources.cluster(context) is not None and resources.registry(context) is not None
    return pulls or resource_vault.named(context) is not None


def reads_secrets(context: Context) -> bool:
    """Whether the cluster's add-on is to read the vault: only where the application has secrets."""
    named = resources.cluster(context) is not None and resource_vault.named(context) is not None
    return named and bool(context.settings.secrets)


def rights(context: Context) -> tuple[Right, ...]:
    """Each as it stands, asked of Azure; changes nothing. Raises AzureError."""
    return tuple(_rights(context))


def _rights(context: Context) -> Iterator[Right]:
    pulls = resources.cluster(context) is not None and resources.registry(context) is not None
    cluster = _cluster(context) if pulls or reads_secrets(context) else None
    if cluster is not None and pulls:
        yield _pull(context, cluster)
    if resource_vault.named(context) is None:
        return
    vault = _vault(context)
    if cluster is not None and reads_secrets(context):
        yield _read(context, cluster, vault)
    if vault.public:
        yield _keep(context, vault)


def _cluster(context: Context) -> Cluster:
    from spin_aks.azure import aks

    resource = resources.resource_id(context, "cluster")
    return _there(aks.get(context.azure, resource), str(resource))


def _vault(context: Context) -> Vault:
    from spin_aks.azure import vaults

    resource = resource_vault.resource_id(context)
    return _there(vaults.get(context.azure, resource), str(resource))


def _there(found: T | None, where: str) -> T:
    if found is None:
        raise AzureError(
            "there is no such resource any more", where=where, hint=f"spin-aks run {resources.NAME} --refresh"
        )
    return found


def _pull(context: Context, cluster: Cluster) -> Right:
    from spin_aks.azure import acr, grants, roles

    resource = resources.resource_id(context, "registry")
    wanted = grants.pull(cluster, _there(acr.get(context.azure, resource), str(resource)))
    now = roles.check(context.azure, (wanted,))[0]
    return Right(now, _plan(now), lambda: _given(context, wanted), (ATTACH_ACR,), wanted.command(), needed=True)


def _plan(now: Grant) -> tuple[str, ...]:
    return (f"`{now.role}` at {now.scope}, so that {now.what}",)


def _given(context: Context, wanted: Wanted) -> Grant:
    from spin_aks.azure import roles

    return roles.give(context.azure, wanted, watch(context))


def _read(context: Context, cluster: Cluster, vault: Vault) -> Right:
    """The add-on's right; where the add-on is off, its identity is not known before it is turned on."""
    from spin_aks.azure import grants, roles, vaults

    if cluster.keyvault_identity is None:
        what = grants.addon_reads(cluster, vault)
        now = roles.Grant(what, str(vault.id), "", roles.SECRETS_USER.name, roles.MISSING)
        now = now if vault.rbac else vaults.check_policy(vault, what, "", vaults.READ)
        on = f"turn on the Key Vault add-on of cluster `{cluster.id.name}`, which takes minutes"
        flags, command = (ENABLE_ADDON, ATTACH_KEYVAULT), addon_command(cluster)
        plan = (on, *_plan(now))
        return Right(now, plan, lambda: _turned_on(context, vault), flags, command, needed=False)
    return _vault_right(context, vault, grants.read_secrets(cluster, vault), vaults.READ)


def addon_command(cluster: Cluster) -> str:
    return (
        f"az aks enable-addons --addons azure-keyvault-secrets-provider --subscription {cluster.id.subscription} "
        f"--resource-group {cluster.id.group} --name {cluster.id.name}"
    )


def _turned_on(context: Context, vault: Vault) -> Grant:
    from spin_aks.azure import aks_changes, grants, vaults

    resource = resources.resource_id(context, "cluster")
    cluster = aks_changes.enable_keyvault_addon(context.azure, resource, watch(context))
    return _vault_right(context, vault, grants.read_secrets(cluster, vault), vaults.READ).give()


def _vault_right(context: Context, vault: Vault, wanted: Wanted, permissions: tuple[str, ...]) -> Right:
    """A role, or an access policy of a vault that knows no roles."""
    from spin_aks.azure import roles, vaults

    if vault.rbac:
        now = roles.check(context.azure, (wanted,))[0]
        flags = (ATTACH_KEYVAULT,)
        return Right(now, _plan(now), lambda: _given(context, wanted), flags, wanted.command(), needed=False)
    now = vaults.check_policy(vault, wanted.what, wanted.principal_id, permissions)
    command = (
        f"az keyvault set-policy --name {vault.id.name} --object-id {wanted.principal_id} "
        f"--secret-permissions {' '.join(permissions)}"
    )
    add = partial(_policy, context, vault, wanted, permissions)
    return Right(now, _plan(now), add, (ATTACH_KEYVAULT,), command, needed=False)


def _policy(context: Context, vault: Vault, wanted: Wanted, permissions: tuple[str, ...]) -> Grant:
    """Adds the policy, and sees that it is there."""
    from spin_aks.azure import roles, vaults

    given = vaults.allow(context.azure, vault, wanted.what, wanted.principal_id, permissions)
    after = vaults.check_policy(_vault(context), wanted.what, wanted.principal_id, permissions)
    if after.state != roles.PRESENT:
        what = f"it is not so that {wanted.what}: Azure took the access policy, and the vault has none"
        raise AzureError(what, where=str(vault.id), hint="run the same command again")
    return given


def _keep(context: Context, vault: Vault) -> Right:
    """The right of whoever signed in: only where the vault refuses them is it missing, whatever roles they have."""
    from spin_aks.azure import credential, grants, roles, vaults

    person = credential.who(context.azure)
    right = _vault_right(context, vault, grants.keep_secrets(person, vault), vaults.KEEP)
    if right.lacks and _is_let_in(context, vault):
        what = f"`{person.name}` is let in to the secrets of vault `{vault.id.name}`"
        return replace(right, now=replace(right.now, what=what, role="a right", state=roles.PRESENT))
    return replace(right, give=partial(_kept, context, vault, right))


def _is_let_in(context: Context, vault: Vault) -> bool:
    """Whether the vault shows its secrets' names to whoever signed in, by a group's role, say."""
    from spin_aks.azure import secrets
    from spin_aks.azure.problems import AzureRefusalError, Kind

    try:
        return secrets.may_use(context.azure, vault.uri)
    except AzureRefusalError as error:
        if error.kind is not Kind.DENIED:
            raise
        return False


def _kept(context: Context, vault: Vault, right: Right) -> Grant:
    """Gives the right, and waits until the vault knows of it, as far as its firewall lets us see."""
    from spin_aks.azure import secrets
    from spin_aks.azure.problems import AzureRefusalError

    given = right.give()
    try:
        secrets.wait_until_usable(context.azure, vault.uri, watch(context))
    except AzureRefusalError as error:
        if not error.answer.says("ForbiddenByFirewall"):
            raise
    return given
