from __future__ import annotations

from datetime import UTC, datetime

import pytest

from spin_aks import clock
from spin_aks.oci.patience import Patience, retry_after_s


def test_waits_double_up_to_a_bound_and_end() -> None:
    patience = Patience(attempts=6, first_s=1, most_s=5)

    assert [patience.wait_s(failures) for failures in range(1, 7)] == [1, 2, 4, 5, 5, None]


def test_a_server_that_asks_for_longer_gets_it_within_bounds() -> None:
    patience = Patience(attempts=3, first_s=1, most_s=5, asked_most_s=60)

    assert [patience.wait_s(1, asked) for asked in (0.0, 30.0, 61.0)] == [1, 30, None]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", None),
        ("soon", None),
        ("7", 7),
        (" 120 ", 120),
        ("Sat, 21 Nov 2026 10:00:30 GMT", 30),
        ("Sat, 21 Nov 2026 09:00:00 GMT", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 11, 21, 10, 0, 0, tzinfo=UTC))

    assert retry_after_s(header) == seconds
