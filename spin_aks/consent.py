"""What the user allows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Consent:
    """`override` replaces edited files; else `ask` says whether somebody can be asked, and each prompt's default holds.

    `force` takes over fields that somebody else set in the cluster.
    """

    override: bool = False
    ask: bool = False
    force: bool = False
