"""HTTP/1.1 on loopback: a request in, an answer out, bodies streamed both ways.

Both servers of the sandbox stand on it. A handler never sees a socket, and a client that goes away half way is
nobody's error.
"""

from __future__ import annotations

import http.server
import socket
import socketserver
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Iterator, Mapping
    from email.message import Message
    from pathlib import Path

LOOPBACK = "127.0.0.1"
CHUNK_BYTES = 1 << 18
DRAIN_BYTES = 1 << 20
POLL_S = 0.05


class ClientGoneError(Exception):
    """The client closed the connection before its request was complete."""


class BadRequestError(Exception):
    """The request is no HTTP that this server understands."""


class Body:
    """A request's body, read once and in order; `read` gives at most `size` bytes, and none at the end.

    Raises ClientGoneError if the client goes before the end, BadRequestError for a broken chunk.
    """

    def __init__(self, stream: io.BufferedIOBase, length: int, *, chunked: bool) -> None:
        self._stream = stream
        self._left = length
        self._chunked = chunked
        self._ended = not chunked and length == 0

    def read(self, size: int = CHUNK_BYTES) -> bytes:
        if self._ended:
            return b""
        if self._chunked and self._left == 0:
            self._next_chunk()
            if self._ended:
                return b""
        piece = self._stream.read(min(size, self._left))
        if not piece:
            raise ClientGoneError
        self._left -= len(piece)
        self._end_of_piece()
        return piece

    def read_all(self, limit: int) -> bytes:
        """The whole rest; raises BadRequestError where it is larger than `limit` bytes."""
        pieces = bytearray()
        while piece := self.read():
            pieces += piece
            if len(pieces) > limit:
                raise BadRequestError(f"the body is larger than {limit} bytes")
        return bytes(pieces)

    def drain(self) -> bool:
        """Reads and forgets a short rest; false if so much is left that closing the connection is cheaper."""
        seen = 0
        while piece := self.read():
            seen += len(piece)
            if seen > DRAIN_BYTES:
                return False
        return True

    def _next_chunk(self) -> None:
        line = self._stream.readline(128)
        if not line:
            raise ClientGoneError
        try:
            self._left = int(line.split(b";")[0].strip(), 16)
        except ValueError:
            raise BadRequestError("a chunk's size is no hexadecimal number") from None
        if self._left == 0:
            self._ended = True
            while self._stream.readline(1 << 13).strip():
                pass

    def _end_of_piece(self) -> None:
        if self._left:
            return
        if self._chunked:
            self._stream.readline(8)
        else:
            self._ended = True


@dataclass(frozen=True, slots=True)
class Request:
    """`path` is still percent-encoded; `query` has each name once, with its first value; `headers` ignores case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Message
    body: Body

    @property
    def segments(self) -> tuple[str, ...]:
        return tuple(unquote(part) for part in self.path.strip("/").split("/")) if self.path.strip("/") else ()


@dataclass(frozen=True, slots=True)
class FileSlice:
    """`length` bytes of the file from `offset` on."""

    path: Path
    offset: int
    length: int


Content: TypeAlias = "bytes | FileSlice | Iterator[bytes]"


@dataclass(frozen=True, slots=True)
class Answer:
    """`content` as an iterator is sent chunk by chunk as it comes, until it ends or the client goes."""

    status: int
    content: Content = b""
    headers: tuple[tuple[str, str], ...] = field(default=())


Handler: TypeAlias = "Callable[[Request], Answer]"
# Serves one client: its socket, its address, the listener.
Serve: TypeAlias = "Callable[[socket.socket, tuple[str, int], Listener], Connection]"


class Server:
    """Serves `handler` on loopback in threads of this process, from construction until `stop`; `connection` is for
    a server that does more than to answer requests.

    Raises OSError if `port` is taken; port 0 takes a free one.
    """

    def __init__(self, handler: Handler, port: int = 0, connection: Serve | None = None) -> None:
        self._listener = Listener(handler, port, connection)
        self.port: int = self._listener.server_address[1]
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(POLL_S,), daemon=True)
        self._thread.start()

    @property
    def host(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    def stop(self) -> None:
        """Closes the port and every connection; no thread of the server acts on a request afterwards."""
        self._listener.shutdown()
        self._listener.server_close()
        self._listener.close_connections()


class Listener(http.server.ThreadingHTTPServer):
    """Listens on loopback, and knows its open connections; `connection` serves each of them."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, handler: Handler, port: int, connection: Serve | None = None) -> None:
        self.handler = handler
        self._connections: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__((LOOPBACK, port), connection or Connection)

    def server_bind(self) -> None:
        # HTTPServer's own asks the resolver for this host's name, which can take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]

    def opened(self, connection: socket.socket) -> None:
        with self._guard:
            self._connections.add(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._guard:
            self._connections.discard(connection)

    def close_connections(self) -> None:
        with self._guard:
            open_now = tuple(self._connections)
        for connection in open_now:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: object, client_address: object) -> None:
        """What fails here is a connection that its client has left: there is nobody to tell."""


class Connection(http.server.BaseHTTPRequestHandler):
    """One client's connection: each request on it is answered by `respond`."""

    protocol_version = "HTTP/1.1"
    server_version = "spin-aks-sandbox"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    server: Listener

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        self.server.closed(self.connection)
        super().finish()

    def respond(self, request: Request) -> Answer:
        return self.server.handler(request)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Nothing: the terminal belongs to the command that runs in the sandbox."""

    def _serve(self) -> None:
        try:
            body = self._body()
            answer = self._answer(body)
            self._send(answer)
            if not body.drain():
                self.close_connection = True
        except (ClientGoneError, BadRequestError, OSError):
            self.close_connection = True

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815 (the base class's names)

    def _answer(self, body: Body) -> Answer:
        if not self.is_for_us():
            return Answer(HTTPStatus.MISDIRECTED_REQUEST, b"the sandbox answers to its loopback address only\n")
        address = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query, keep_blank_values=True).items()}
        try:
            return self.respond(Request(self.command, address.path, query, self.headers, body))
        except BadRequestError as error:
            self.close_connection = True
            return Answer(HTTPStatus.BAD_REQUEST, f"{error}\n".encode())
        except (ClientGoneError, OSError):
            raise
        except Exception as error:  # a defect of the sandbox is told to its client, not to the terminal
            self.close_connection = True
            return Answer(HTTPStatus.INTERNAL_SERVER_ERROR, f"the sandbox failed: {error!r}\n".encode())

    def is_for_us(self) -> bool:
        # A web page whose name was rebound to loopback comes with its own name.
        name = self.headers.get("Host", LOOPBACK).rsplit(":", 1)[0]
        return name in (LOOPBACK, "localhost")

    def _body(self) -> Body:
        chunked = "chunked" in self.headers.get("Transfer-Encoding", "").lower()
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit():
            raise BadRequestError("Content-Length is no number")
        return Body(self.rfile, 0 if chunked else int(length), chunked=chunked)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        content = answer.content
        if isinstance(content, bytes):
            self._send_bytes(content)
        elif isinstance(content, FileSlice):
            self._send_slice(content)
        else:
            self._send_chunks(content)

    def _send_bytes(self, content: bytes) -> None:
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        self.wfile.flush()

    def _send_slice(self, content: FileSlice) -> None:
        self.send_header("Content-Length", str(content.length))
        self.end_headers()
        self.wfile.flush()
        if self.command != "HEAD" and content.length:
            with content.path.open("rb") as stream:
                self.connection.sendfile(stream, content.offset, content.length)

    def _send_chunks(self, content: Iterator[bytes]) -> None:
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        for piece in content:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()
