"""Fetching a file by its address, checked against its digest: whole and right, or not there at all."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit

from spin_aks import clock, files
from spin_aks.errors import SpinAksError
from spin_aks.files import CHUNK_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from urllib3 import BaseHTTPResponse, PoolManager

CONNECT_WITHIN_S = 20.0
ANSWER_WITHIN_S = 60.0
WHOLE_WITHIN_S = 1800.0
TRIES = 3
_BUSY = (429, 500, 502, 503, 504)


class _BrokenError(Exception):
    """The connection broke in the middle of the file, which another try may mend."""


def fetch(url: str, digest: str, cache: Path) -> Path:
    """The file of that `digest` (`sha256:...`) in the folder `cache`, fetched from `url` where it is not there yet.

    Redirects are followed, proxies and certificate authorities are those of the environment, as for a registry.
    Raises SpinAksError where nobody answers, the answer is no file, or the file is another one; nothing is left then.
    """
    path = kept(cache, digest)
    if holds(path, digest):
        return path
    failures = 0
    while True:
        try:
            _download(url, digest, path)
        except _BrokenError as broken:
            failures += 1
            if failures == TRIES:
                raise SpinAksError(
                    f"can't fetch `{shown(url)}`: {broken}, {TRIES} times", hint="run the same command again"
                ) from broken
            clock.sleep(0.2 * failures)
        else:
            return path


def kept(cache: Path, digest: str) -> Path:
    """Where the file of that digest is kept, if it is."""
    return cache / f"{digest.removeprefix('sha256:')}.wasm"


def holds(path: Path, digest: str) -> bool:
    """Whether `path` is there and holds what `digest` says: a file may have been cut or changed since."""
    return path.is_file() and files.sha256(path) == digest


def shown(url: str) -> str:
    """`url` without a password and without a query, which may be a signature."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment=""))


def text(url: str, most_bytes: int) -> bytes | None:
    """What a small document holds, or None for whatever reason there is none."""
    try:
        with _opened(url) as response:
            return response.read(most_bytes) if response.status == 200 else None
    except (SpinAksError, _BrokenError):
        return None


def _download(url: str, digest: str, path: Path) -> None:
    with _opened(url) as response:
        if response.status != 200:
            raise SpinAksError(
                f"can't fetch `{shown(url)}`: the server answers {response.status} {response.reason or ''}".rstrip(),
                hint="check `url` in spin.toml",
            )
        with files.refused_as_error(path), files.replacing(path) as stream:
            found = hashlib.sha256()
            for chunk in _chunks(response):
                found.update(chunk)
                stream.write(chunk)
            if f"sha256:{found.hexdigest()}" != digest:
                raise SpinAksError(
                    f"`{shown(url)}` has the digest sha256:{found.hexdigest()}, but spin.toml wants {digest}",
                    hint="if you trust what is there now, write its digest into spin.toml",
                )


def _chunks(response: BaseHTTPResponse) -> Iterator[bytes]:
    from urllib3.exceptions import HTTPError

    until_s = clock.monotonic_s() + WHOLE_WITHIN_S
    try:
        for chunk in response.stream(CHUNK_BYTES):
            yield chunk
            if clock.monotonic_s() > until_s:
                raise SpinAksError(f"gave up after {WHOLE_WITHIN_S:g} s", hint="run the same command again")
    except HTTPError as error:
        raise _BrokenError(f"the connection broke ({_reason(error)})") from error


@contextmanager
def _opened(url: str) -> Iterator[BaseHTTPResponse]:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SpinAksError(f"can't fetch `{shown(url)}`: only http and https addresses can be fetched")
    with _pool(url) as pool:
        response = _asked(pool, url)
        try:
            yield response
        finally:
            response.close()


def _asked(pool: PoolManager, url: str) -> BaseHTTPResponse:
    from urllib3 import Retry, Timeout, make_headers
    from urllib3.exceptions import HTTPError

    parts = urlsplit(url)
    user = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else None
    plain = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))
    patience = Retry(TRIES, redirect=10, backoff_factor=0.2, status_forcelist=_BUSY, raise_on_status=False)
    try:
        return pool.request(
            "GET",
            plain,
            headers=make_headers(basic_auth=user),
            preload_content=False,
            decode_content=False,
            retries=patience,
            timeout=Timeout(connect=CONNECT_WITHIN_S, read=ANSWER_WITHIN_S),
        )
    except HTTPError as error:
        raise SpinAksError(
            f"can't fetch `{shown(url)}`: {_reason(error)}", hint="check `url` in spin.toml and your network"
        ) from error


def _pool(url: str) -> PoolManager:
    import urllib3

    from spin_aks.oci.transport import proxy_for, trusted_authorities

    proxy = proxy_for(url)
    if not proxy:
        return urllib3.PoolManager(ssl_context=trusted_authorities())
    parts = urlsplit(proxy)
    user = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else None
    return urllib3.ProxyManager(
        f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}",
        proxy_headers=urllib3.make_headers(proxy_basic_auth=user),
        ssl_context=trusted_authorities(),
    )


def _reason(error: BaseException) -> str:
    """What happened at the bottom, in the system's words."""
    seen: BaseException = getattr(error, "reason", None) or error
    if not isinstance(seen, BaseException):
        return str(seen)
    while (below := seen.__cause__ or seen.__context__) is not None:
        seen = below
    return getattr(seen, "strerror", None) or str(seen) or type(seen).__name__
