"""The only place that asks what time it is, or waits."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> datetime:
    """The time, in UTC, whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def rfc3339(moment: datetime) -> str:
    """`2026-11-21T10:00:00Z`: RFC 3339 with seconds, UTC written as `Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def monotonic_s() -> float:
    """Seconds since some fixed moment of this process; never goes back."""
    return time.monotonic()


def sleep(duration_s: float) -> None:
    """Waits; a signal's exception ends it early."""
    time.sleep(duration_s)
