"""Which hosts a component may talk to: the deprecated `allowed_http_hosts`, and `allowed_outbound_hosts`.

Sources: crates/manifest/src/compat/allowed_http_hosts.rs and crates/outbound-networking-config/src/allowed_hosts.rs.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

ALLOW_ALL = "insecure:allow-all"
DATABASES = ("redis://*:*", "mysql://*:*", "postgres://*:*")
"""What a manifest of version 1 without `allowed_outbound_hosts` may reach: everything did before that key came."""

_EVERYTHING = ("http://*:*", "https://*:*", "http://self")
_FORBIDDEN = re.compile(r"[\x00-\x20#/:<>?@\[\\\]^|%\x7f]")
_WELL_KNOWN = {"postgres": 5432, "mysql": 3306, "redis": 6379, "mqtt": 1883, "http": 80, "https": 443}
_PORT = re.compile(r"\+?\d+", re.ASCII)
_MAX_PORT = 65535


def converted(http_hosts: Iterable[str]) -> tuple[str, ...]:
    """The `allowed_outbound_hosts` that `allowed_http_hosts` stand for; entries that Spin refuses are left out."""
    entries = tuple(http_hosts)
    if ALLOW_ALL in entries:
        return _EVERYTHING
    outbound: list[str] = []
    for entry in entries:
        host, port, wrong = _http_host(entry)
        if wrong:
            continue
        if host == "self":
            outbound.append("http://self")
        else:
            outbound += [f"{scheme}://{host}{port}" for scheme in ("http", "https")]
    return tuple(outbound)


def wrong_http_hosts(http_hosts: Iterable[str]) -> tuple[tuple[int, str], ...]:
    """The position of each entry of `allowed_http_hosts` that Spin refuses, and why."""
    entries = tuple(http_hosts)
    if ALLOW_ALL in entries:
        return ()
    judged = ((index, _http_host(entry)[2]) for index, entry in enumerate(entries))
    return tuple((index, wrong) for index, wrong in judged if wrong)


def wrong_outbound_host(entry: str) -> str:
    """Why Spin refuses this entry of `allowed_outbound_hosts`, without templates in it; empty if it does not."""
    url = entry.strip()
    scheme, separator, rest = url.partition("://")
    if not separator:
        return f"`{entry}` has no scheme: it is written `SCHEME://HOST[:PORT]`, each of which may be `*`"
    host, colon, tail = rest.rpartition(":")
    if not colon:
        host, tail = rest, ""
    port, slash, path = tail.partition("/")
    if slash and path:
        return f"`{entry}` has a path, which is not allowed"
    wrong = _wrong_scheme(scheme) or _wrong_host(host.strip()) or _wrong_port(port, scheme)
    return f"`{entry}` {wrong}" if wrong else ""


def is_service_chaining(entry: str) -> bool:
    """Whether the entry is another component of the same application (`http://NAME.spin.internal`)."""
    _, _, rest = entry.partition("://")
    host = rest.split("/", 1)[0].split(":", 1)[0]
    return host.endswith(".spin.internal")


def _wrong_scheme(scheme: str) -> str:
    if scheme == "*":
        return ""
    if scheme.startswith("{"):
        return "has a list of schemes, which Spin does not support yet"
    return "" if all(letter.isalpha() for letter in scheme) else f"has a scheme `{scheme}` that is not made of letters"


def _wrong_host(host: str) -> str:
    if host in ("*", "self", "self.alt"):
        return ""
    if host.startswith("{"):
        return "has a list of hosts, which Spin does not support yet"
    if _is_network(host):
        return ""
    if "/" in host and host.split("/")[1]:
        return "has a path, which is not allowed"
    if "*" in host.removeprefix("*."):
        return "has a `*` inside the host: it may only be all of it, or stand in front as `*.`"
    return ""


def _wrong_port(port: str, scheme: str) -> str:
    if not port:
        return "" if scheme in _WELL_KNOWN else f"has no port, and none is known for the scheme `{scheme}`"
    if port == "*":
        return ""
    if port.startswith("{"):
        return "has a list of ports, which Spin does not support yet"
    ends = port.split("..", 1)
    if all(_PORT.fullmatch(end) and int(end) <= _MAX_PORT for end in ends):
        return ""
    return f"has a port `{port}` that is no number up to {_MAX_PORT}"


def _is_network(host: str) -> bool:
    try:
        ipaddress.ip_network(host, strict=False)
    except ValueError:
        return False
    return True


def _http_host(entry: str) -> tuple[str, str, str]:
    """Host, `:PORT` (empty for the scheme's own) and what is wrong, as the `url` crate reads it."""
    scheme, rest = "http", entry
    if "//" in entry:
        scheme, colon, rest = entry.partition(":")
        scheme = scheme.lower()
        if not colon or scheme not in ("http", "https"):
            return "", "", f"`{entry}` is not a host, `HOST:PORT`, or an address with http or https"
    before_query = re.split(r"[?#]", rest.lstrip("/\\").replace("\\", "/"), maxsplit=1)[0]
    authority, _, path = before_query.partition("/")
    if path:
        return "", "", f"`{entry}` has a path; it may hold a host and a port only"
    name, port = _split_port(authority.rpartition("@")[2])
    host = _canonical(name)
    if not host or (port and (not port.isdecimal() or int(port) > _MAX_PORT)):
        return "", "", f"`{entry}` is not a host or `HOST:PORT`"
    default = {"http": 80, "https": 443}[scheme]
    return host, f":{int(port)}" if port and int(port) != default else "", ""


def _split_port(authority: str) -> tuple[str, str]:
    if authority.startswith("["):
        name, bracket, port = authority.partition("]")
        return name + bracket, port.removeprefix(":")
    name, _, port = authority.partition(":")
    return name, port


def _canonical(name: str) -> str:
    """The host as the `url` crate writes it; empty for one it refuses."""
    if name.startswith("["):
        try:
            return f"[{ipaddress.IPv6Address(name[1:-1])}]"
        except ValueError:
            return ""
    if not name or _FORBIDDEN.search(name):
        return ""
    if name.isascii():
        return name.lower()
    try:
        return name.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""
