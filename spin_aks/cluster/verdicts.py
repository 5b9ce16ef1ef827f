"""What an API server's refusal of one object means in words, and what to do about it. Decides; sends nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from spin_aks.errors import Problem

if TYPE_CHECKING:
    from spin_aks.cluster.refusals import Cause, Status
    from spin_aks.kubernetes_object import ObjectKey

IMMUTABLE = "field is immutable"
_MANAGER = re.compile(r'conflict with "(?P<manager>[^"]*)"')
_NAMESPACE_MISSING = re.compile(r'namespaces "(?P<name>[^"]+)" not found')
_HOLDS_PODS = {"Deployment", "DaemonSet", "StatefulSet", "Job"}


def in_words(key: ObjectKey, status: Status) -> tuple[Problem, ...]:
    """The problems that an answer to a server-side apply of `key` names; one at least, if it is no success."""
    if status.code == 409 and any(cause.reason == "FieldManagerConflict" for cause in status.causes):
        return _conflicts(key, status)
    if status.code == 422:
        return tuple(_invalid(key, cause) for cause in status.causes) or (_plain(key, status),)
    if status.code == 404 and (missing := _NAMESPACE_MISSING.search(status.message)):
        name = missing["name"]
        return (Problem(f"there is no namespace `{name}`", where=str(key), hint=f"`kubectl create namespace {name}`"),)
    if status.code == 404:
        what = f"the cluster has no kind {key.kind} in {key.api_version}"
        return (Problem(what, where=str(key), hint="`kubectl api-resources` lists those it has"),)
    if "field not declared in schema" in status.message or "unknown field" in status.message:
        hint = "`kubectl explain` shows which fields there are: is it spelled, and indented, right?"
        return (Problem(f"the manifest has a field that {key.kind} does not have: {status.message}", str(key), hint),)
    return (_plain(key, status),)


def _plain(key: ObjectKey, status: Status) -> Problem:
    return Problem(f"the cluster refuses it ({status.code}): {status.message}", where=str(key))


def _conflicts(key: ObjectKey, status: Status) -> tuple[Problem, ...]:
    fields: dict[str, list[str]] = {}
    for cause in status.causes:
        named = _MANAGER.search(cause.message)
        fields.setdefault(named["manager"] if named else "somebody", []).append(cause.field.removeprefix("."))
    hint = (
        "`--force-conflicts` puts our values back; or take those fields out of the manifests, and they stay as they are"
    )
    return tuple(
        Problem(f"`{manager}` has set {', '.join(f'`{field}`' for field in names)} to another value", str(key), hint)
        for manager, names in fields.items()
    )


def _invalid(key: ObjectKey, cause: Cause) -> Problem:
    field = cause.field.removeprefix(".")
    if IMMUTABLE not in cause.message:
        return Problem(f"`{field}` is not valid: {cause.message}", where=str(key))
    option = f" --namespace {key.namespace}" if key.namespace else ""
    delete = f"`kubectl delete {key.kind.lower()} {key.name}{option}`"
    meanwhile = ": its pods stop, and come back with the next run" if key.kind in _HOLDS_PODS else ""
    return Problem(
        f"`{field}` can't be changed once the {key.kind} is there",
        where=str(key),
        hint=f"put the former value back; or {delete}, and run the same command again{meanwhile}",
    )
