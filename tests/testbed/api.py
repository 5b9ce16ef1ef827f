"""The Kubernetes API in plain JSON over https, for what a test sets up or looks at: nothing of what is tested."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import urllib3

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")
WITHIN_S = 30.0


class ApiError(Exception):
    """The server's `status` and its own message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


@dataclass(frozen=True)
class Api:
    """Speaks for whoever holds `token` to the server at `server`, whose certificate `ca` vouches for."""

    server: str
    ca: Path
    token: str

    @cached_property
    def _http(self) -> urllib3.PoolManager:
        headers = {"Authorization": f"Bearer {self.token}"}
        return urllib3.PoolManager(ca_certs=str(self.ca), headers=headers, retries=False, timeout=10)

    def close(self) -> None:
        self._http.clear()

    def request(self, method: str, path: str, document: object = None, media_type: str = "application/json") -> Any:
        """What the server answers: parsed if it is JSON, else text; raises ApiError when it refuses."""
        headers = {**self._http.headers, "Content-Type": media_type}
        body = None if document is None else json.dumps(document)
        answer = self._http.request(method, f"{self.server}{path}", body=body, headers=headers)
        parsed = answer.json() if "json" in answer.headers.get("Content-Type", "") else answer.data.decode()
        if answer.status >= 400:
            raise ApiError(answer.status, parsed["message"] if isinstance(parsed, dict) else parsed)
        return parsed

    def get(self, path: str) -> Any:
        return self.request("GET", path)

    def create(self, path: str, document: object) -> Any:
        return self.request("POST", path, document)

    def apply(self, path: str, document: object) -> Any:
        """Server-side apply, as the field manager `testbed`."""
        return self.request(
            "PATCH", f"{path}?fieldManager=testbed&force=true", document, "application/apply-patch+yaml"
        )

    def merge(self, path: str, document: object) -> Any:
        """A JSON merge patch."""
        return self.request("PATCH", path, document, "application/merge-patch+json")

    def delete(self, path: str) -> None:
        self.request("DELETE", path)


def wait_for(ask: Callable[[], T | None], what: str) -> T:
    """What `ask` answers as soon as that is something; fails after half a minute, naming `what`."""
    deadline = time.monotonic() + WITHIN_S
    while True:
        answer = ask()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"there is still no {what}"
        time.sleep(0.02)
