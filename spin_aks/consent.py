"""What the user allows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Consent:
    """`override` replaces edited files, `yes` takes each prompt's default, else `ask` if one can.

    `force` takes over fields that somebody else set in the cluster.
    """

    override: bool = False
    yes: bool = False
    ask: bool = False
    force: bool = False
