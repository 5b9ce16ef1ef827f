"""What the user allows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Consent:
    """`override` replaces edited files; else `ask` says whether somebody can be asked, and each prompt's default holds.

    `force` takes over fields that somebody else set in the cluster. `create` says what may be made in Azure (`cluster`,
    `registry`, `keyvault`, `store`), `recover` what was deleted and may be brought back (`keyvault`). `attach_acr`: the
    cluster may be given the right to pull; `attach_keyvault`: rights to a vault's secrets may be given;
    `enable_keyvault_addon`: the cluster's add-on for them may be turned on.
    """

    override: bool = False
    ask: bool = False
    force: bool = False
    create: frozenset[str] = frozenset()
    attach_acr: bool = False
    recover: frozenset[str] = frozenset()
    attach_keyvault: bool = False
    enable_keyvault_addon: bool = False
