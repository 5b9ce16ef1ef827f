"""What all services of the sandbox's Azure share, and the way of a request through them."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from http import HTTPStatus
from itertools import chain
from typing import TYPE_CHECKING

from spin_aks.sandbox.azure import arm, identifiers, roles, subscriptions, tokens
from spin_aks.sandbox.azure.call import Call, RefusedError
from spin_aks.sandbox.azure.hosts import HOSTS, NAMED_BY_RESOURCES
from spin_aks.sandbox.azure.operations import Operations
from spin_aks.sandbox.azure.routes import MANAGEMENT, Routes
from spin_aks.sandbox.azure.state import State
from spin_aks.sandbox.azure.trouble import Trouble, TroubleFileError
from spin_aks.sandbox.web import Answer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spin_aks.sandbox.web import Request

# Each has ROUTES, and FINISHES for its operations: name -> what happens at the end.
SERVICES = (
    *("login", "subscriptions", "providers", "usages", "groups", "resources"),
    *("role_definitions", "roles", "identities", "aks", "aks_power", "acr", "acr_login", "acr_tasks", "blobs"),
    *("vaults", "deleted_vaults", "vault_policies", "secrets"),
    *("redis", "redis_enterprise", "cosmos", "cosmos_sql", "cosmos_roles"),
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where clusters and registries that are made here lead to.

    `registry` answers requests below `/v2/`; `cluster` gives the kubeconfig of the sandbox's own API server.
    """

    registry: Callable[[Request], Answer]
    cluster: Callable[[], str]


class World:
    """The state, the operations and the trouble of one sandbox; answers requests to any host that it plays.

    Keeps everything in `folder`. Raises OSError and sqlite3.Error where that can't be used.
    """

    def __init__(self, folder: Path, around: Surroundings, trouble_file: Path | None = None) -> None:
        self.folder = folder
        self.around = around
        services = [importlib.import_module(f"spin_aks.sandbox.azure.{name}") for name in SERVICES]
        self.state = State(folder / "azure.sqlite")
        if subscriptions.begin(self.state):
            roles.begin(self.state, identifiers.OBJECT, identifiers.SUBSCRIPTION)
        self.trouble = Trouble(trouble_file or folder / "trouble.toml", self.state)
        finishes = dict(chain.from_iterable(service.FINISHES.items() for service in services))
        self.operations = Operations(self.state, finishes)
        self.tokens = tokens.Tokens(folder / tokens.TOKEN_KEY)
        self._routes = Routes(chain.from_iterable(service.ROUTES for service in services))

    def __call__(self, request: Request, host: str) -> Answer:
        """The answer of `host`, which is lower-case and without a port."""
        call = Call(request, host, {}, self.tokens.caller(request.headers.get("Authorization", "")), self)
        try:
            return self._answer(call)
        except RefusedError as refusal:
            return refusal.answer
        except TroubleFileError as error:
            return Answer(HTTPStatus.INTERNAL_SERVER_ERROR, f"the sandbox's trouble file: {error}\n".encode())

    def has_host(self, host: str) -> bool:
        """Whether a name that the sandbox plays leads anywhere: a registry's does once it is made."""
        try:
            if self.trouble.unreachable(host):
                return False
        except TroubleFileError:
            # Whoever asks the host for something is told.
            return True
        return not host.endswith(NAMED_BY_RESOURCES) or self.state.get(HOSTS, host) is not None

    def close(self) -> None:
        self.state.close()

    def _answer(self, call: Call) -> Answer:
        """Raises RefusedError, TroubleFileError."""
        struck = self.trouble.strike(call)
        if struck is not None:
            return struck
        if call.host == MANAGEMENT:
            arm.check_caller(call)
        self.operations.look(self, call.request.path)
        if call.host == MANAGEMENT and (answer := self.operations.answer(call)) is not None:
            return answer
        found = self._routes.find(call.request.method, call.host, call.request.path)
        if found is None:
            return arm.unknown(call, self._routes.methods(call.host, call.request.path))
        routed = Call(call.request, call.host, found.values, call.caller, self)
        if call.host == MANAGEMENT:
            arm.check(routed)
        return found.route.handler(routed)
