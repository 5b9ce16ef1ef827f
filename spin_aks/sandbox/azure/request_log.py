"""What the sandbox's Azure was asked, a line a request: `PUT management.azure.com/subscriptions/... 201`."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LOG = "requests.log"
NO_ANSWER = "-"


class RequestLog:
    """Begins anew with each sandbox; safe for threads. Queries, headers and bodies are left out: they have secrets."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOG
        self._path.unlink(missing_ok=True)
        self._guard = threading.Lock()

    def note(self, method: str, host: str, path: str, status: str = NO_ANSWER) -> None:
        with self._guard, self._path.open("a", encoding="utf-8") as file:
            file.write(f"{method} {host}{path} {status}\n")
