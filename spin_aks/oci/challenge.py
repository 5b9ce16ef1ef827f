"""`WWW-Authenticate`: how a registry says in which way it wants to be told who asks (RFC 9110, 11.6.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105  a token of RFC 9110, 5.6.2
_PARAMETER = re.compile(rf'\s*({_TOKEN})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]*))\s*(?:,|$|(?=\s))')
_SCHEME = re.compile(rf"[\s,]*({_TOKEN})(?=\s|,|$)")


@dataclass(frozen=True, slots=True)
class Challenge:
    """`scheme` is in lower case: `basic`, `bearer`; `realm` of the latter is the token service's URL."""

    scheme: str
    realm: str = ""
    service: str = ""
    scope: str = ""
    error: str = ""


def parse(header: str) -> tuple[Challenge, ...]:
    """Every challenge of a header, in its order; what can't be read is left out."""
    found: list[Challenge] = []
    position = 0
    while scheme := _SCHEME.match(header, position):
        position = scheme.end()
        parameters: dict[str, str] = {}
        while parameter := _PARAMETER.match(header, position):
            name, quoted, bare = parameter.groups()
            parameters[name.lower()] = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else bare
            position = parameter.end()
        found.append(_challenge(scheme[1], parameters))
    return tuple(found)


def _challenge(scheme: str, parameters: dict[str, str]) -> Challenge:
    def of(name: str) -> str:
        return parameters.get(name, "")

    return Challenge(scheme.lower(), of("realm"), of("service"), of("scope"), of("error"))
