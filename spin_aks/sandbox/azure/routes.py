"""Which handler answers which request."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from spin_aks.sandbox.azure.call import Call
    from spin_aks.sandbox.web import Answer

MANAGEMENT = "management.azure.com"
Handler: TypeAlias = "Callable[[Call], Answer]"


@dataclass(frozen=True)
class Route:
    """`pattern` and `host` ignore case. `{name}` is one segment, `{name+}` one or more, `~` the subscription's path.

    A HEAD without a route of its own is answered by its GET's.
    """

    method: str
    pattern: str
    handler: Handler
    host: str = MANAGEMENT

    @cached_property
    def shape(self) -> re.Pattern[str]:
        return re.compile(_expression(self.host) + "\n" + _expression(self.pattern), re.IGNORECASE)

    def values(self, host: str, path: str) -> dict[str, str] | None:
        """What the braces stand for, if this is the request's address; `path` as it was sent."""
        match = self.shape.fullmatch(f"{host}\n{path.rstrip('/') or '/'}")
        return {name: unquote(text) for name, text in match.groupdict().items()} if match else None


@dataclass(frozen=True, slots=True)
class Found:
    route: Route
    values: dict[str, str]


class Routes:
    """The first route that fits answers."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = tuple(routes)

    def find(self, method: str, host: str, path: str) -> Found | None:
        for asked in (method, "GET") if method == "HEAD" else (method,):
            for route in self._routes:
                if route.method == asked and (values := route.values(host, path)) is not None:
                    return Found(route, values)
        return None

    def methods(self, host: str, path: str) -> tuple[str, ...]:
        """What that address can be asked for; nothing where there is no such address."""
        return tuple(dict.fromkeys(one.method for one in self._routes if one.values(host, path) is not None))


def _expression(pattern: str) -> str:
    text = re.escape(pattern.replace("~", "/subscriptions/{subscription}", 1))
    text = re.sub(r"\\{(\w+)\\\+\\}", r"(?P<\1>[^\\n]+?)", text)
    return re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/\\n]+)", text)
