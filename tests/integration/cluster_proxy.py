"""A way to an API server that a test can cut, and mend again: bytes are passed on as they are, TLS and all."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Way:
    """Listens on a loopback port that stays its own while it is cut: connections are then closed as they come."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._whole = True
        self._lock = threading.Lock()
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        with self._lock:
            self._whole = False
            for connection in self._open:
                _end(connection)
            self._open.clear()

    def mend(self) -> None:
        with self._lock:
            self._whole = True

    def close(self) -> None:
        self.cut()
        _end(self._listener)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if not self._whole:
                    _end(near)
                    continue
                far = socket.create_connection(("127.0.0.1", self._target_port))
                self._open += [near, far]
            for pair in ((near, far), (far, near)):
                threading.Thread(target=_pass_on, args=pair, daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(1 << 16):
            sink.sendall(chunk)
    _end(source)
    _end(sink)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


@contextmanager
def way_to(kubeconfig: Path, folder: Path) -> Iterator[tuple[Way, Path]]:
    """The way, and a kubeconfig like the given one (in JSON) that goes by it."""
    document = json.loads(kubeconfig.read_text())
    (cluster,) = document["clusters"]
    way = Way(int(cluster["cluster"]["server"].rpartition(":")[2]))
    cluster["cluster"]["server"] = f"https://127.0.0.1:{way.port}"
    path = folder / "kubeconfig"
    path.write_text(json.dumps(document))
    try:
        yield way, path
    finally:
        way.close()
