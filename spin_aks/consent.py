"""What the user allows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Consent:
    """`override` replaces edited files; else `ask` says whether somebody can be asked, and each prompt's default holds.

    `force` takes over fields that somebody else set in the cluster. `create` says what may be made in Azure (`cluster`,
    `registry`, `keyvault`, `identity`, `store`), `recover` what was deleted and may be brought back (`keyvault`).
    `give` holds the flags of what may be given there or turned on, such as `--attach-acr`.
    """

    override: bool = False
    ask: bool = False
    force: bool = False
    create: frozenset[str] = frozenset()
    recover: frozenset[str] = frozenset()
    give: frozenset[str] = frozenset()
