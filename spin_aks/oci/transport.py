"""HTTP to a registry and its token service: connections kept, proxies and certificate authorities as others find them.

What goes wrong below HTTP is told apart here: `ConnectionLost` may be tried again, a RegistryError is final.
"""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

import urllib3

import spin_aks
from spin_aks.errors import RegistryError
from spin_aks.oci.reference import is_loopback
from spin_aks.oci.refusal import speaks_https

if TYPE_CHECKING:
    from urllib3 import PoolManager

# While a body is sent the connection has the timeout of connecting, for each piece of the body.
CONNECT_WITHIN_S = 20.0
ANSWER_WITHIN_S = 300.0  # a registry reads a whole layer again before it answers the last request of an upload
ANSWER_MOST_BYTES = 16 << 20
CONNECTIONS = 8

Body: TypeAlias = bytes | Callable[[], Iterator[bytes]]


class ConnectionLost(Exception):  # noqa: N818  an event, which becomes an error only if it happens too often
    """A connection that was there broke, or no answer came in time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said. Header names are in lower case."""

    method: str
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str:
        return self.headers.get(name.lower(), "")

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class Transport:
    """May be used by several threads at once."""

    def __init__(self) -> None:
        self._answered: set[str] = set()
        self._lock = threading.Lock()
        self._pools: dict[str, PoolManager] = {}

    def close(self) -> None:
        """Drops the connections that nobody uses."""
        for pool in self._pools.values():
            pool.clear()

    def ask(
        self, method: str, url: str, headers: Mapping[str, str], body: Body = b"", length_bytes: int | None = None
    ) -> Answer:
        """One request, no redirect followed. A `body` that is made anew for each try has `length_bytes`.

        Raises ConnectionLost, or RegistryError where a second try would not help.
        """
        sent = body if isinstance(body, bytes) else body()
        length = len(body) if isinstance(body, bytes) else length_bytes
        framed = {**headers, "User-Agent": f"spin-aks/{spin_aks.__version__}"}
        if method not in ("GET", "HEAD"):
            framed["Content-Length"] = str(length)
        try:
            response = self._pool(url).request(
                method, url, body=sent or None, headers=framed, redirect=False, retries=False, preload_content=False
            )
            try:
                text = response.read(ANSWER_MOST_BYTES)
                response.drain_conn()
            finally:
                response.release_conn()
        except urllib3.exceptions.HTTPError as error:
            raise self._explained(error, url) from error
        self._answered.add(urlsplit(url).netloc)
        received = {name.lower(): value for name, value in response.headers.items()}
        return Answer(method, url, response.status, received, text)

    def _pool(self, url: str) -> PoolManager:
        proxy = proxy_for(url)
        with self._lock:
            if proxy not in self._pools:
                self._pools[proxy] = self._new_pool(proxy)
            return self._pools[proxy]

    def _new_pool(self, proxy: str) -> PoolManager:
        timeout = urllib3.Timeout(connect=CONNECT_WITHIN_S, read=ANSWER_WITHIN_S)
        if not proxy:
            return urllib3.PoolManager(maxsize=CONNECTIONS, timeout=timeout, ssl_context=self._trust)
        parts = urlsplit(proxy)
        if parts.scheme not in ("http", "https"):
            raise RegistryError(
                f"a proxy of the kind `{parts.scheme}` is not supported",
                hint="name an http proxy in `HTTPS_PROXY`, or the registry's host in `NO_PROXY`",
            )
        credential = f"{parts.username}:{parts.password or ''}" if parts.username else None
        return urllib3.ProxyManager(
            f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}",
            proxy_headers=urllib3.make_headers(proxy_basic_auth=credential),
            maxsize=CONNECTIONS,
            timeout=timeout,
            ssl_context=self._trust,
        )

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        return trusted_authorities()

    def _explained(self, error: urllib3.exceptions.HTTPError, url: str) -> Exception:
        netloc = urlsplit(url).netloc
        if isinstance(error, urllib3.exceptions.ProxyError):
            return _proxy_failed(error, url)
        if isinstance(error, urllib3.exceptions.SSLError) and (refused := _tls_failed(str(error), netloc)):
            return refused
        if "\\x15\\x03" in str(error):  # a TLS alert where an HTTP answer should be
            return speaks_https(netloc)
        if netloc not in self._answered and (refused := _unreachable(error, netloc)):
            return refused
        return ConnectionLost(_cause(error))


def proxy_for(url: str) -> str:
    """The proxy that the environment names for a URL, or empty; nothing on this machine itself is asked by proxy."""
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url)
    proxies = getproxies()
    if is_loopback(parts.netloc) or proxy_bypass(parts.hostname or ""):
        return ""
    proxy = proxies.get(parts.scheme) or proxies.get("all") or ""
    return proxy if "://" in proxy or not proxy else f"http://{proxy}"


def trusted_authorities() -> ssl.SSLContext:
    """Those in the file that REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE or SSL_CERT_FILE names; else the system's."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        path = os.environ.get(name)
        if path:
            try:
                if Path(path).is_dir():
                    return ssl.create_default_context(capath=path)
                return ssl.create_default_context(cafile=path)
            except (OSError, ssl.SSLError) as error:
                raise RegistryError(
                    f"${name} names no file of certificates: {error.strerror or error}",
                    where=path,
                    hint=f"correct or unset `{name}`",
                ) from error
    context = ssl.create_default_context()
    if not context.get_ca_certs() and not os.environ.get("SSL_CERT_DIR"):
        import certifi

        context.load_verify_locations(certifi.where())
    return context


def _unreachable(error: Exception, netloc: str) -> RegistryError | None:
    hint = "check the name and your network; `--registry HOST[:PORT][/PREFIX]` names another registry"
    if isinstance(error, urllib3.exceptions.NameResolutionError):
        return RegistryError(f"there is no host `{urlsplit(f'//{netloc}').hostname}`", hint=hint)
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        if isinstance(error.__cause__, ConnectionRefusedError):
            return RegistryError(
                f"no registry listens at `{netloc}`: the connection is refused",
                hint="start it, or name another one: `--registry HOST[:PORT][/PREFIX]`",
            )
        return RegistryError(f"can't reach `{netloc}`: {_cause(error)}", hint=hint)
    if isinstance(error, urllib3.exceptions.ConnectTimeoutError):
        return RegistryError(f"`{netloc}` did not answer within {CONNECT_WITHIN_S:g} s", hint=hint)
    return None


def _tls_failed(text: str, netloc: str) -> RegistryError | None:
    if "CERTIFICATE_VERIFY_FAILED" in text or "doesn't match" in text:
        reason = text.partition("certificate verify failed: ")[2].partition(" (_ssl")[0]
        return RegistryError(
            f"the certificate of `{netloc}` is not trusted{': ' + reason if reason else ''}",
            hint="set `REQUESTS_CA_BUNDLE` to a file that holds the certificate of the authority that signed it",
        )
    if any(sign in text for sign in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST")):
        return RegistryError(
            f"`{netloc}` speaks plain http, and only a loopback registry is spoken to over http",
            hint="let it speak https, or reach it by a port on 127.0.0.1 (`kubectl port-forward`, `ssh -L`)",
        )
    return None


def _proxy_failed(error: Exception, url: str) -> RegistryError:
    proxy = urlsplit(proxy_for(url))
    return RegistryError(
        f"can't reach `{urlsplit(url).netloc}` through the proxy `{proxy.netloc.rpartition('@')[2]}`: {_cause(error)}",
        hint="check `HTTPS_PROXY`, or name the registry's host in `NO_PROXY`",
    )


def _cause(error: BaseException) -> str:
    """What happened at the bottom, in the system's words."""
    seen: BaseException = error
    while (below := seen.__cause__ or seen.__context__) is not None:
        seen = below
    return getattr(seen, "strerror", None) or str(seen) or type(seen).__name__
