"""What the application's own identity needs: that its pods may sign in as it, and that it may use stores and vault.

https://learn.microsoft.com/azure/aks/workload-identity-overview
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from spin_aks import files
from spin_aks.errors import AzureError, Problem
from spin_aks.tasks import resource_identity, resource_stores, resource_vault, resources, rights_vault
from spin_aks.tasks.azure_place import watch
from spin_aks.tasks.render import namespace, service_account
from spin_aks.tasks.right import Right, plan, there

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spin_aks.azure.aks import Cluster
    from spin_aks.azure.arm import ResourceId
    from spin_aks.azure.identities import Federation, ManagedIdentity
    from spin_aks.azure.roles import Grant
    from spin_aks.context import Context
    from spin_aks.json_types import JSON
    from spin_aks.settings.stores import Store

ATTACH_IDENTITY, ATTACH_STORE, ENABLE = "--attach-identity", "--attach-store", "--enable-workload-identity"
CREDENTIAL = "federated credential"


def signs_in(context: Context) -> bool:
    """Whether it is known which cluster's pods sign in as the identity that is named."""
    return resource_identity.named(context) is not None and resources.cluster(context) is not None


def values(context: Context) -> dict[str, JSON]:
    """What the rights depend on besides what was found in Azure."""
    if resource_identity.named(context) is None:
        return {}
    keyless: list[JSON] = [f"store.{store.label}" for store in keyless_stores(context)]
    return {
        "identity.service_account": service_account(context),
        "kubernetes.namespace": namespace(context),
        "stores without a key": keyless,
        "variables from the vault": uses_vault(context),
    }


def keyless_stores(context: Context) -> tuple[Store, ...]:
    """The Cosmos DB stores that the identity opens: all but those that runtime-config.toml opens otherwise."""
    configured = context.configured
    otherwise = configured.key_value_stores - {store.label for store in configured.keyless_cosmos}
    named = resource_stores.named(context)
    return tuple(store for store in named if store.kind == resource_stores.COSMOS and store.label not in otherwise)


def uses_vault(context: Context) -> bool:
    """Whether Spin itself takes variables from the vault that is named, by the pods' identity."""
    vault = resource_vault.named(context)
    ambient = context.configured.ambient_vaults
    return vault is not None and any(_host(one.vault_url) == vault.name.lower() for one in ambient)


def _host(url: str) -> str:
    """The first label of an address' host."""
    return url.partition("://")[2].partition(".")[0].lower()


def unseen(context: Context) -> Iterator[Problem]:
    """What nobody here can look at, and what would let us."""
    if resource_identity.named(context) is None:
        return
    name = context.settings.identity_name
    if resources.cluster(context) is None:
        what = f"it is not looked at whether the pods may sign in as identity `{name}`"
        yield Problem(what, hint="name the AKS cluster: `--cluster NAME`")
    accounts = {store.name.lower() for store in keyless_stores(context)}
    for store in context.configured.keyless_cosmos:
        if store.account.lower() not in accounts:
            what = f"it is not looked at whether identity `{name}` may use Cosmos DB account `{store.account}`"
            yield Problem(what, store.where, f"name it in `[store.{store.label}]` of aks-spin.toml")


def rights(context: Context, cluster: Cluster | None) -> Iterator[Right]:
    """`cluster` is the one that is named, where there is one. Raises AzureError."""
    from spin_aks.azure import identities

    resource = resource_identity.resource_id(context)
    identity = there(identities.get(context.azure, resource), str(resource))
    if cluster is not None:
        yield _sign_in(context, cluster, identity)
    accounts = dict.fromkeys(_account(context, store) for store in keyless_stores(context))
    yield from (_use_account(context, account, identity) for account in accounts)
    if uses_vault(context):
        yield _read(context, identity)


def _sign_in(context: Context, cluster: Cluster, identity: ManagedIdentity) -> Right:
    from spin_aks.azure import roles

    wanted = _federation(context, cluster.oidc_issuer)
    what = (
        f"service account `{service_account(context)}` in namespace `{namespace(context)}` of cluster "
        f"`{cluster.id.name}` signs in as identity `{identity.id.name}`"
    )
    on = bool(cluster.oidc_issuer) and cluster.workload_identity
    may = on and _may_sign_in(context, identity, wanted)
    state, issuer = roles.PRESENT if may else roles.MISSING, wanted.issuer if on else ""
    now = roles.Grant(what, str(identity.id), wanted.subject, CREDENTIAL, state, issuer)
    issuing = "" if cluster.oidc_issuer else "the OIDC issuer, which can't be turned off again, and "
    turn_on = f"turn on {issuing}workload identity of cluster `{cluster.id.name}`, which takes minutes"
    steps = (*([] if on else [turn_on]), f"a {CREDENTIAL} at {identity.id}", f"so that {what}")
    flags = (*([] if on else [ENABLE]), ATTACH_IDENTITY)
    command = _credential_command(identity, wanted) if on else _enabling_command(cluster)
    gift = f"makes a {CREDENTIAL}" if on else f"turns that on and makes a {CREDENTIAL}"
    return Right(now, steps, partial(_federated, context, cluster, identity, now), flags, command, True, gift)


def _may_sign_in(context: Context, identity: ManagedIdentity, wanted: Federation) -> bool:
    from spin_aks.azure import identities

    return any(identities.equal(one, wanted) for one in identities.federations(context.azure, identity.id))


def _federation(context: Context, issuer: str) -> Federation:
    from spin_aks.azure import identities
    from spin_aks.azure.arm import lasting_name

    space, account = namespace(context), service_account(context)
    return identities.service_account(f"spin-aks-{lasting_name(issuer, space, account)}", issuer, space, account)


def _enabling_command(cluster: Cluster) -> str:
    return (
        f"az aks update --enable-oidc-issuer --enable-workload-identity --subscription {cluster.id.subscription} "
        f"--resource-group {cluster.id.group} --name {cluster.id.name}"
    )


def _credential_command(identity: ManagedIdentity, wanted: Federation) -> str:
    return (
        f"az identity federated-credential create --subscription {identity.id.subscription} --resource-group "
        f"{identity.id.group} --identity-name {identity.id.name} --name {wanted.name} --issuer {wanted.issuer} "
        f"--subject {wanted.subject} --audiences {' '.join(wanted.audiences)}"
    )


def _federated(context: Context, cluster: Cluster, identity: ManagedIdentity, now: Grant) -> Grant:
    """Turns on what is off, makes the credential, and sees that it is there."""
    from spin_aks.azure import aks_changes, identities, roles

    if not (cluster.oidc_issuer and cluster.workload_identity):
        cluster = aks_changes.enable_workload_identity(context.azure, cluster.id, watch(context))
    wanted = _federation(context, cluster.oidc_issuer)
    identities.federate(context.azure, identity.id, wanted, watch(context))
    if not _may_sign_in(context, identity, wanted):
        what = f"it is not so that {now.what}: Azure took the {CREDENTIAL}, and the identity has none"
        raise AzureError(what, where=str(identity.id), hint="run the same command again")
    return replace(now, state=roles.MADE, issuer=wanted.issuer)


def _account(context: Context, store: Store) -> ResourceId:
    from spin_aks.azure.arm import ResourceId

    document = files.read_json(context.state("azure.json")) or {}
    kept = document.get("stores")
    match kept.get(store.label) if isinstance(kept, dict) else None:
        case {"id": str(found)}:
            return ResourceId.parse(found)
    raise AzureError(f"it is not known yet which store `{store.label}` is", hint=f"spin-aks run {resources.NAME}")


def _use_account(context: Context, account: ResourceId, identity: ManagedIdentity) -> Right:
    from spin_aks.azure import cosmos_roles

    what = f"identity `{identity.id.name}` reads and writes the items of Cosmos DB account `{account.name}`"
    now = cosmos_roles.check(context.azure, account, what, identity.object_id)
    give = partial(cosmos_roles.give, context.azure, account, what, identity.object_id, watch(context))
    command = cosmos_roles.command(account, identity.object_id)
    return Right(now, plan(now), give, (ATTACH_STORE,), command, needed=True)


def _read(context: Context, identity: ManagedIdentity) -> Right:
    from spin_aks.azure import grants, vaults

    vault = rights_vault.whole(context)
    wanted = grants.application_reads_secrets(identity, vault)
    return rights_vault.of_vault(context, vault, wanted, vaults.READ, needed=True)
