"""What the cluster makes of a document before it keeps it: checked, completed, stamped.

Takes what the real server's decoding, defaulting, admission and validation do for the kinds of the sandbox.
"""

from __future__ import annotations

import secrets
import uuid
from typing import TYPE_CHECKING

from spin_aks.sandbox import defaults, documents, kinds, moments, schema, validation
from spin_aks.sandbox.documents import child, mapping, text
from spin_aks.sandbox.objects import Key
from spin_aks.sandbox.schema import shape_of
from spin_aks.sandbox.status import ApiError, bad_request, forbidden, invalid, not_found

if TYPE_CHECKING:
    from spin_aks.sandbox.documents import JSON, Document
    from spin_aks.sandbox.objects import Store

SERVERS_OWN = ("uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink")
SERVICE_NETWORK = "10.96"
FIRST_NODE_PORT, LAST_NODE_PORT = 30000, 32767
NAME_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


def random_suffix(length: int = 5) -> str:
    return "".join(secrets.choice(NAME_LETTERS) for _ in range(length))


def decoded(body: JSON, key: Key, *, strict: bool) -> tuple[Document, tuple[str, ...]]:
    """The caller's own copy of `body` without what the kind does not have, and a warning for each of those.

    Raises ApiError where it is no object of that kind, has values of a wrong type, or (`strict`) unknown fields.
    """
    if not isinstance(body, dict):
        raise bad_request("the body is no JSON object")
    kind, shape = key.kind, shape_of(key.kind)
    said = text(body, "apiVersion") or kind.api_version, text(body, "kind") or kind.kind
    if said != (kind.api_version, kind.kind):
        expected = f"{kind.kind} in version {kind.api_version}"
        raise bad_request(f"{said[1]} in version {said[0]} cannot be handled as a {expected}")
    document = mapping(without_nulls(body))
    if wrong := schema.mistyped(document, shape):
        raise bad_request(f"{kind.kind} in version {kind.api_version} cannot be handled as a {kind.kind}: {wrong[0]}")
    unknown = [f'unknown field "{path.lstrip(".")}"' for path in schema.undeclared(document, shape)]
    if unknown and strict:
        raise bad_request(f"strict decoding error: {', '.join(unknown)}")
    return _declared_only(document, shape), tuple(unknown)


def typed_patch(body: JSON, key: Key) -> Document:
    """A body to apply, as the caller's own copy; raises ApiError for what the kind's schema does not have."""
    if not isinstance(body, dict):
        raise bad_request("the body is no JSON object")
    kind, shape = key.kind, shape_of(key.kind)
    said = text(body, "apiVersion"), text(body, "kind")
    if said != (kind.api_version, kind.kind):
        raise bad_request(
            f"the body is a {said[1] or 'nothing'} of {said[0] or 'nothing'}, the path says {kind.qualified}"
        )
    if documents.at(body, "metadata", "managedFields"):
        raise bad_request("metadata.managedFields must be nil")
    wrong = schema.mistyped(body, shape) or [
        f"{path}: field not declared in schema" for path in schema.undeclared(body, shape)
    ]
    if wrong:
        group = f"{kind.api_version}, Kind={kind.kind}"
        place = f"{key.namespace}/{key.name}" if key.namespace else f"/{key.name}"
        message = f"failed to create typed patch object ({place}; {group}): {wrong[0]}"
        raise ApiError(500, "", message)
    return mapping(without_nulls(body))


def without_nulls(value: JSON) -> JSON:
    """A copy in which no object has an entry that is null: to the API they are the same as absent ones."""
    if isinstance(value, dict):
        return {name: without_nulls(item) for name, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def _declared_only(document: Document, shape: schema.Shape) -> Document:
    kept: Document = {}
    for name, value in document.items():
        inner = schema.below(shape, name)
        if inner is None:
            continue
        if isinstance(value, dict):
            kept[name] = _declared_only(value, inner) if not isinstance(inner, schema.Scalar) else value
        elif isinstance(value, list) and isinstance(inner, schema.ListOf):
            kept[name] = [_declared_only(item, inner.item) if isinstance(item, dict) else item for item in value]
        else:
            kept[name] = value
    return kept


def complete(document: Document, key: Key, before: Document | None, store: Store) -> None:
    """Makes `document` (the caller's own) what the server would keep; raises ApiError where it would keep nothing."""
    document.update({"apiVersion": key.kind.api_version, "kind": key.kind.kind})
    _stamp(document, key, before)
    if before is None:
        _admit(document, key, store)
    defaults.complete(key.kind, document)
    if key.kind.has_status:
        child(document, "status")
    if key.kind == kinds.SERVICE:
        _allocate(document, key, before, store)
    _omit_empty(document, shape_of(key.kind))
    if wrong := validation.causes(key.kind, document, before):
        raise invalid(key.kind, key.name, wrong)
    if before is not None and key.kind.has_generation and _meant(document) != _meant(before):
        child(document, "metadata")["generation"] = documents.number(before, "metadata", "generation") + 1


def _omit_empty(value: JSON, shape: schema.Shape) -> None:
    """Takes out empty texts, lists and maps (not structs), as Go's `omitempty` does with these types."""
    if isinstance(value, list) and isinstance(shape, schema.ListOf):
        for item in value:
            _omit_empty(item, shape.item)
    if not isinstance(value, dict) or isinstance(shape, schema.Scalar | schema.ListOf):
        return
    for name, item in list(value.items()):
        inner = schema.below(shape, name) or schema.Scalar("any")
        _omit_empty(item, inner)
        if isinstance(shape, schema.Struct) and _is_empty(item, inner) and name not in shape.required:
            del value[name]


def _is_empty(value: JSON, shape: schema.Shape) -> bool:
    if isinstance(shape, schema.MapOf | schema.ListOf):
        return value in ({}, [])
    return value == "" and shape == schema.Scalar("string")


def _stamp(document: Document, key: Key, before: Document | None) -> None:
    metadata = child(document, "metadata")
    for name in (*SERVERS_OWN, "resourceVersion", "managedFields"):
        metadata.pop(name, None)
    metadata["name"] = key.name
    if key.namespace:
        metadata["namespace"] = key.namespace
    if before is None:
        metadata.update({"uid": str(uuid.uuid4()), "creationTimestamp": moments.now()})
        metadata.update({"generation": 1} if key.kind.has_generation else {})
    else:
        old = mapping(before, "metadata")
        metadata.update({name: old[name] for name in (*SERVERS_OWN, "resourceVersion") if name in old})


def _meant(document: Document) -> Document:
    return {name: value for name, value in document.items() if name not in ("metadata", "status")}


def check_namespace(key: Key, store: Store) -> None:
    """Raises ApiError unless something new may be made in the key's namespace."""
    if not key.kind.namespaced:
        return
    namespace = store.get(Key(kinds.NAMESPACE, "", key.namespace))
    if namespace is None:
        raise not_found(kinds.NAMESPACE, key.namespace)
    if documents.at(namespace, "metadata", "deletionTimestamp"):
        why = f"unable to create new content in namespace {key.namespace} because it is being terminated"
        raise forbidden(key.kind, key.name, why)


def _admit(document: Document, key: Key, store: Store) -> None:
    name = text(document, "spec", "runtimeClassName")
    if key.kind != kinds.POD or not name:
        return
    runtime = store.get(Key(kinds.RUNTIME_CLASS, "", name))
    if runtime is None:
        raise forbidden(key.kind, key.name, f'pod rejected: RuntimeClass "{name}" not found')
    spec = child(document, "spec")
    if overhead := mapping(runtime, "overhead", "podFixed"):
        spec["overhead"] = documents.copy(overhead)
    if chosen := mapping(runtime, "scheduling", "nodeSelector"):
        child(spec, "nodeSelector").update(documents.copied(chosen))


def _allocate(document: Document, key: Key, before: Document | None, store: Store) -> None:
    spec = child(document, "spec")
    child(document, "status", "loadBalancer")
    if spec.get("type") == "ExternalName":
        return
    others = [service for service in store.all_of(kinds.SERVICE) if Key(kinds.SERVICE, *_place(service)) != key]
    if not spec.get("clusterIP"):
        spec["clusterIP"] = text(before, "spec", "clusterIP") or _free_address(others)
    spec["clusterIPs"] = [spec["clusterIP"]]
    if spec["type"] not in ("NodePort", "LoadBalancer"):
        _forget_node_ports(spec)
    else:
        taken = {port.get("nodePort") for service in others for port in documents.items(service, "spec", "ports")}
        old = {port.get("port"): port.get("nodePort") for port in documents.items(before, "spec", "ports")}
        for port in documents.items(spec, "ports"):
            if not port.get("nodePort"):
                port["nodePort"] = old.get(port.get("port")) or _free_port(taken)
            taken.add(port["nodePort"])


def _forget_node_ports(spec: Document) -> None:
    """What was allotted to another type of Service does not stay (registry/core/service/storage of Kubernetes)."""
    for name in ("externalTrafficPolicy", "allocateLoadBalancerNodePorts"):
        spec.pop(name, None)
    for port in documents.items(spec, "ports"):
        port.pop("nodePort", None)


def _place(document: Document) -> tuple[str, str]:
    return text(document, "metadata", "namespace"), text(document, "metadata", "name")


def _free_address(others: list[Document]) -> str:
    taken = {text(service, "spec", "clusterIP") for service in others}
    numbers = (f"{SERVICE_NETWORK}.{high}.{low}" for high in range(256) for low in range(10, 255))
    return next(address for address in numbers if address not in taken)


def _free_port(taken: set[JSON]) -> int:
    return next(port for port in range(FIRST_NODE_PORT, LAST_NODE_PORT + 1) if port not in taken)
