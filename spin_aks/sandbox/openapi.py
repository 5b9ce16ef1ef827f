"""As much of `/openapi/v3` as kubectl asks for before it sends anything: that requests may ask to be checked by us.

Without it `kubectl apply --server-side` and `kubectl create -f` need `--validate=false`. The types of fields are not
described: `kubectl explain` has nothing to show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.sandbox.discovery import VERSION
from spin_aks.sandbox.kinds import KINDS

if TYPE_CHECKING:
    from spin_aks.sandbox.documents import JSON, Document
    from spin_aks.sandbox.kinds import Kind

ROOT = "/openapi/v3"
PARAMETERS = ("dryRun", "fieldManager", "fieldValidation", "force")


def answer(path: str) -> Document | None:
    """The list of documents at ROOT, and the document of each group and version below it; None for other paths."""
    roots = dict.fromkeys(kind.root for kind in KINDS)
    if path == ROOT:
        return {"paths": {root.lstrip("/"): {"serverRelativeURL": f"{ROOT}{root}"} for root in roots}}
    root = path.removeprefix(ROOT)
    if root not in roots:
        return None
    paths: Document = {_path(kind): {"patch": _patch(kind)} for kind in KINDS if kind.root == root}
    info: Document = {"title": "the cluster of the spin-aks sandbox", "version": VERSION}
    return {"openapi": "3.0.0", "info": info, "paths": paths}


def _path(kind: Kind) -> str:
    return f"{kind.root}/{'namespaces/{namespace}/' if kind.namespaced else ''}{kind.plural}/{{name}}"


def _patch(kind: Kind) -> Document:
    parameters: list[JSON] = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in PARAMETERS]
    named: Document = {"group": kind.group, "version": kind.version, "kind": kind.kind}
    return {"parameters": parameters, "x-kubernetes-group-version-kind": named, "responses": {}}
