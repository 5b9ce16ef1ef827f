"""A place in the sandbox of a folder, for as long as a command needs one.

The first process serves. A second one on the same folder uses the first one's servers, which it holds by an open
connection; if the first one ends before it, the second one serves, at the same addresses.
"""

from __future__ import annotations

import http.client
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from spin_aks.sandbox import folder as folders
from spin_aks.sandbox.folder import HeldError, SandboxError
from spin_aks.sandbox.running import HOLD, Guest, Running, environment
from spin_aks.sandbox.web import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PATIENCE_S = 10.0
PAUSE_S = 0.05
CONNECT_TIMEOUT_S = 5.0


class Session:
    """Open from construction until `close`. Raises SandboxError if the folder can't be used.

    HeldError, if the process that holds it does not answer within PATIENCE_S.
    """

    def __init__(self, folder: Path, guest: Guest) -> None:
        self._folder = folder.absolute()
        self._guest = guest
        self._guard = threading.Lock()
        self._closing = False
        self._running: Running | None = None
        self._seat: _Seat | None = None
        self._enter()
        memory = folders.recall(self._folder)
        self.registry_host = f"{LOOPBACK}:{memory.registry_port}"
        self.kubeconfig = self._folder / "kubeconfig"
        self._azure_port = memory.azure_port
        if self._seat is not None:
            threading.Thread(target=self._follow, daemon=True).start()

    @property
    def environment(self) -> dict[str, str]:
        return environment(self._folder, self.registry_host, self._azure_port)

    @property
    def serves(self) -> bool:
        """Whether the servers are threads of this process."""
        return self._running is not None

    @property
    def notices(self) -> tuple[str, ...]:
        return self._running.notices if self._running else ()

    def wait_for_guests(self, on_wait: Callable[[str], None]) -> None:
        """Returns when no other process's command needs the servers; `on_wait` gets the first one's title."""
        told = False
        while self._running and (waiting := [guest.title for guest in self._running.guests if guest.waits]):
            if not told:
                on_wait(waiting[0])
            told = True
            time.sleep(PAUSE_S)

    def close(self) -> None:
        with self._guard:
            self._closing = True
            if self._running:
                self._running.stop()
                self._running = None
            if self._seat:
                self._seat.leave()

    def _enter(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                self._running, self._seat = Running(self._folder), None
                return
            except HeldError:
                self._seat = _Seat.at(self._folder, self._guest)
                if self._seat is not None:
                    return
                if time.monotonic() > deadline:
                    raise
            time.sleep(PAUSE_S)

    def _follow(self) -> None:
        while self._seat is not None:
            self._seat.wait_for_end()
            with self._guard:
                if self._closing:
                    return
                try:
                    self._enter()
                except SandboxError:
                    # The command finds nobody at the address, and says so in its own words.
                    return


class _Seat:
    """An open connection to the process that serves: while it lasts, that process knows of us."""

    def __init__(self, connection: http.client.HTTPConnection, answer: http.client.HTTPResponse) -> None:
        self._connection = connection
        self._answer = answer
        self._socket = connection.sock

    @classmethod
    def at(cls, folder: Path, guest: Guest) -> _Seat | None:
        """None if nobody answers as a sandbox does."""
        query = urlencode({"title": guest.title, "waits": "1" if guest.waits else "0"})
        connection = http.client.HTTPConnection(LOOPBACK, folders.recall(folder).cluster_port, CONNECT_TIMEOUT_S)
        try:
            connection.request("GET", f"{HOLD}?{query}")
            connection.sock.settimeout(None)
            seat = cls(connection, connection.getresponse())
        except (OSError, http.client.HTTPException):
            connection.close()
            return None
        if seat._answer.status != 200:
            seat.leave()
            return None
        return seat

    def wait_for_end(self) -> None:
        try:
            while self._answer.readline():
                pass
        except (OSError, ValueError, http.client.HTTPException):
            return

    def leave(self) -> None:
        try:
            self._socket.shutdown(2)
        except OSError:
            return
