"""A TCP proxy that breaks connections: what a network does to a long upload."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE_BYTES = 64 << 10
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class CuttingProxy:
    """Stands before the server at `target`, and resets a connection that carried `cut_after_bytes` to it.

    It does so `cuts_left` times, then lets all pass. `cuts` counts them.
    """

    target: str
    cut_after_bytes: int
    cuts_left: int
    host: str = ""
    cuts: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take_cut(self) -> bool:
        with self._lock:
            if self.cuts_left == 0:
                return False
            self.cuts_left -= 1
            self.cuts += 1
            return True


@contextmanager
def cutting_proxy(target: str, cut_after_bytes: int, cuts: int) -> Iterator[CuttingProxy]:
    proxy = CuttingProxy(target, cut_after_bytes, cuts)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy.host = f"127.0.0.1:{listener.getsockname()[1]}"
        threading.Thread(target=_accept, args=(listener, proxy), daemon=True).start()
        yield proxy
        # Closing alone does not wake the thread that waits for a connection.
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, proxy: CuttingProxy) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        host, _, port = proxy.target.rpartition(":")
        server = socket.create_connection((host, int(port)))
        threading.Thread(target=_to_server, args=(client, server, proxy), daemon=True).start()
        threading.Thread(target=_to_client, args=(client, server), daemon=True).start()


def _to_server(client: socket.socket, server: socket.socket, proxy: CuttingProxy) -> None:
    carried = 0
    try:
        while piece := client.recv(PIECE_BYTES):
            room = proxy.cut_after_bytes - carried
            if len(piece) > room and proxy.take_cut():
                server.sendall(piece[: max(0, room)])
                for end in (client, server):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
                return
            server.sendall(piece)
            carried += len(piece)
    except OSError:
        return
    finally:
        _close(client, server)


def _to_client(client: socket.socket, server: socket.socket) -> None:
    try:
        while piece := server.recv(PIECE_BYTES):
            client.sendall(piece)
    except OSError:
        return
    finally:
        _close(client, server)


def _close(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):  # the other thread was first
            end.shutdown(socket.SHUT_RDWR)
        end.close()
