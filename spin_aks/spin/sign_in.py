"""How Spin signs in to Azure from a pod, and what people should know of it beforehand.

Where runtime-config.toml gives no key, Spin 2.7 to 4.0 takes what the process' variables describe (client id, tenant
and the file with a token of the pod's service account: workload identity), else what the node gives to whoever asks
(crates/key-value-azure and crates/variables-azure: `create_default_credential` of azure_identity 0.20 and 0.21).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spin_aks.spin.model import Application
    from spin_aks.spin.runtime_config import RuntimeConfig
    from spin_aks.spin.versions import Runtime

POD_VARIABLES = ("AZURE_AUTHORITY_HOST", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_TENANT_ID")
"""What Azure sets in the containers of pods that have an identity."""


def refusals(runtime: Runtime, identity: str, given_at: str) -> Iterator[Problem]:
    """What keeps a runtime from being used with the identity of that name, given there; nothing if none is named."""
    if identity and not runtime.variable_prefix:
        what = f"{runtime} hands no variables of a pod on to Spin, and so not the identity `{identity}`"
        yield Problem(what, given_at, "target shim 0.9.0 or later, or name no identity")


def notices(app: Application, runtime: Runtime, configured: RuntimeConfig, identity: str) -> Iterator[Problem]:
    """What will run, but perhaps not as its author thinks; `configured` is what the runtime reads."""
    keyless = tuple(_keyless(configured))
    if not identity:
        for what, where in keyless:
            yield Problem(
                f"{what} is opened by no key, and no identity is named: unless your Kubernetes files give the pods one,"
                " Spin signs in as the node that it happens to run on, if Azure lets it",
                where,
                "`--identity NAME` names a managed identity of its own",
            )
        return
    yield from _token_read_once(runtime, keyless)
    yield from _overridden(app, runtime, identity)


def _keyless(configured: RuntimeConfig) -> Iterator[tuple[str, str]]:
    for store in configured.keyless_cosmos:
        yield f"the store `{store.label}` in Cosmos DB account `{store.account}`", store.where
    for vault in configured.ambient_vaults:
        yield f"the vault `{vault.vault_url}`", vault.where


def _token_read_once(runtime: Runtime, keyless: tuple[tuple[str, str], ...]) -> Iterator[Problem]:
    """https://github.com/Azure/azure-sdk-for-rust/issues/1739, which no Spin inside a shim is beyond yet."""
    for _, where in keyless[:1]:
        yield Problem(
            f"Spin {runtime.spin} reads the token that it signs in to Azure with only once, as it starts: a pod that"
            " runs for more than a day is no longer let in, until it is replaced",
            where,
            "replace the pods twice a day: `kubectl rollout restart deployment/NAME`; the user guide has a CronJob",
        )


def _overridden(app: Application, runtime: Runtime, identity: str) -> Iterator[Problem]:
    """A variable of the pod wins over the application's own of that name (src/utils.rs of the shim, since 0.16.0)."""
    for variable in app.variables if runtime.bare_variables else ():
        name = variable.name.upper()
        if name in POD_VARIABLES:
            yield Problem(
                f"the variable `{variable.name}` gets what Azure sets as `{name}` in pods that have the identity"
                f" `{identity}`, whatever else is given for it",
                app.where(variable.place),
                "give the variable another name, if that is not what you want",
            )
