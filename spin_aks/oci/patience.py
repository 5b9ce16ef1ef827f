"""How often something is tried again, and how long is waited in between."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """`attempts` in a row without any progress, the first included; the wait doubles from `first_s` up to `most_s`.

    A server that asks for a longer wait than `asked_most_s` (Retry-After) is not waited for.
    """

    attempts: int = 5
    first_s: float = 0.5
    most_s: float = 15.0
    asked_most_s: float = 120.0

    def wait_s(self, failures: int, asked_s: float | None = None) -> float | None:
        """How long to wait after that many failures in a row (1 or more); None if it is time to give up."""
        if failures >= self.attempts or (asked_s is not None and asked_s > self.asked_most_s):
            return None
        return max(asked_s or 0.0, min(self.first_s * 2.0 ** (failures - 1), self.most_s))


def retry_after_s(header: str) -> float | None:
    """`Retry-After` (RFC 9110, 10.2.3), seconds or a date, as seconds from now; None without one."""
    from email.utils import parsedate_to_datetime

    from spin_aks import clock

    text = header.strip()
    if text.isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
        return max(0.0, (moment - clock.now()).total_seconds())
    except (ValueError, TypeError):
        return None
