"""What the user allows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Consent:
    """`override` replaces edited files; else `ask` says whether somebody can be asked, and each prompt's default holds.

    `force` takes over fields that somebody else set in the cluster. `create` says what may be made in Azure (`cluster`,
    `registry`), `attach_acr` that the cluster may be given the right to pull.
    """

    override: bool = False
    ask: bool = False
    force: bool = False
    create: frozenset[str] = frozenset()
    attach_acr: bool = False
