"""Refusals in the words of the real API server: a `Status` object with code, reason, message and causes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spin_aks.sandbox.apply import Conflict
    from spin_aks.sandbox.documents import JSON, Document
    from spin_aks.sandbox.kinds import Kind


@dataclass(frozen=True, slots=True)
class Cause:
    """One field that is wrong; `reason` as in metav1.CauseType."""

    field: str
    reason: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class ApiError(Exception):
    """Answered with its `code` and a Status."""

    def __init__(self, code: int, reason: str, message: str, details: Document | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.details = details or {}

    def document(self) -> Document:
        found: Document = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": str(self),
            "reason": self.reason,
            "code": self.code,
        }
        return found | ({"details": self.details} if self.details else {})


def details_of(kind: Kind, name: str, causes: Iterable[Cause] = ()) -> Document:
    found: Document = {"name": name, "kind": kind.plural if not causes else kind.kind}
    if kind.group:
        found["group"] = kind.group
    listed: list[JSON] = [{"reason": item.reason, "message": item.message, "field": item.field} for item in causes]
    return found | ({"causes": listed} if listed else {})


def not_found(kind: Kind, name: str) -> ApiError:
    return ApiError(404, "NotFound", f'{kind.resource} "{name}" not found', details_of(kind, name))


def no_such_path() -> ApiError:
    return ApiError(404, "NotFound", "the server could not find the requested resource")


def already_exists(kind: Kind, name: str) -> ApiError:
    return ApiError(409, "AlreadyExists", f'{kind.resource} "{name}" already exists', details_of(kind, name))


def changed_meanwhile(kind: Kind, name: str, why: str = "") -> ApiError:
    """A precondition that does not hold: by default, that the object is still the one that the writer had read."""
    why = why or ("the object has been modified; please apply your changes to the latest version and try again")
    message = f'Operation cannot be fulfilled on {kind.resource} "{name}": {why}'
    return ApiError(409, "Conflict", message, details_of(kind, name))


def invalid(kind: Kind, name: str, causes: list[Cause]) -> ApiError:
    listed = str(causes[0]) if len(causes) == 1 else f"[{', '.join(str(cause) for cause in causes)}]"
    message = f'{kind.qualified} "{name}" is invalid: {listed}'
    return ApiError(422, "Invalid", message, details_of(kind, name, causes))


def bad_request(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)


def forbidden(kind: Kind, name: str, why: str) -> ApiError:
    return ApiError(403, "Forbidden", f'{kind.resource} "{name}" is forbidden: {why}', details_of(kind, name))


def not_served(what: str) -> ApiError:
    """For what the real server has and the sandbox has not."""
    return ApiError(501, "NotImplemented", f"the sandbox's cluster does not serve {what}")


def conflicting(conflicts: tuple[Conflict, ...]) -> ApiError:
    """An apply that would take other managers' fields, each of them named."""
    from spin_aks.sandbox import ownership

    named = [(_manager(conflict), ownership.written(conflict.path)) for conflict in conflicts]
    causes: list[JSON] = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {manager}", "field": path}
        for manager, path in named
    ]
    if len(named) == 1:
        listed = f"1 conflict: conflict with {named[0][0]}: {named[0][1]}"
    else:
        listed = f"{len(named)} conflicts: " + "\n".join(_group(named, manager) for manager in sorted(dict(named)))
    return ApiError(409, "Conflict", f"Apply failed with {listed}", {"causes": causes})


def _group(named: list[tuple[str, str]], manager: str) -> str:
    paths = "".join(f"\n- {path}" for owner, path in named if owner == manager)
    return f"conflicts with {manager}:{paths}"


def _manager(conflict: Conflict) -> str:
    manager = conflict.entry.manager
    found = json.dumps(manager.name)
    if manager.subresource:
        found += f" with subresource {json.dumps(manager.subresource)}"
    if manager.operation == "Update":
        found += f" using {manager.api_version} at {conflict.entry.time}"
    return found
