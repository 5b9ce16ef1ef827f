"""What a client learns of the cluster before it asks for objects: version, groups, resources.

https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api, in the unaggregated form that all know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.sandbox.kinds import KINDS, VERBS, Kind

if TYPE_CHECKING:
    from spin_aks.sandbox.documents import JSON, Document

VERSION = "v1.36.3"
# Groups that every real cluster has: asking for one is answered 501, as for everything that the sandbox leaves out.
LEFT_OUT = frozenset(
    {
        *("admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "authentication.k8s.io"),
        *("authorization.k8s.io", "autoscaling", "certificates.k8s.io", "coordination.k8s.io", "discovery.k8s.io"),
        *("events.k8s.io", "flowcontrol.apiserver.k8s.io", "networking.k8s.io", "policy", "resource.k8s.io"),
        *("scheduling.k8s.io", "storage.k8s.io", "storagemigration.k8s.io", "internal.apiserver.k8s.io"),
    }
)


def version() -> Document:
    """As `/version` answers; the version says that this is the sandbox's cluster."""
    return {
        "major": "1",
        "minor": VERSION.split(".")[1],
        "gitVersion": f"{VERSION}+spin-aks-sandbox",
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "2026-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "",
        "platform": "sandbox/amd64",
    }


def core_versions(host: str) -> Document:
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": host}],
    }


def groups() -> Document:
    names = list(dict.fromkeys(kind.group for kind in KINDS if kind.group))
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(name) for name in names]}


def group(name: str) -> Document | None:
    """None for a group without a kind of the sandbox."""
    known = any(kind.group == name for kind in KINDS)
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name)} if known and name else None


def _group(name: str) -> Document:
    version = next(kind.version for kind in KINDS if kind.group == name)
    named: Document = {"groupVersion": f"{name}/{version}", "version": version}
    return {"name": name, "versions": [named], "preferredVersion": {**named}}


def resources(root: str) -> Document | None:
    """The kinds below `root` (`/apis/apps/v1`) and their subresources; None if there is none."""
    found = [kind for kind in KINDS if kind.root == root]
    if not found:
        return None
    listed: list[JSON] = [resource for kind in found for resource in _resources(kind)]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": found[0].api_version,
        "resources": listed,
    }


def _resources(kind: Kind) -> list[Document]:
    whole: Document = {
        "name": kind.plural,
        "singularName": kind.kind.lower(),
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": [*VERBS],
    }
    if kind.short_names:
        whole["shortNames"] = [*kind.short_names]
    if kind.in_all:
        whole["categories"] = ["all"]
    found = [whole]
    if kind.has_status:
        found.append(_subresource(kind, "status", {"kind": kind.kind, "verbs": ["get", "patch", "update"]}))
    if kind.has_scale:
        scale: Document = {
            "group": "autoscaling",
            "version": "v1",
            "kind": "Scale",
            "verbs": ["get", "patch", "update"],
        }
        found.append(_subresource(kind, "scale", scale))
    if kind.kind == "Pod":
        found.append(_subresource(kind, "log", {"kind": "Pod", "verbs": ["get"]}))
    return found


def _subresource(kind: Kind, name: str, more: Document) -> Document:
    return {"name": f"{kind.plural}/{name}", "singularName": "", "namespaced": kind.namespaced, **more}
