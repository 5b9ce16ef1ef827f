"""What the real API server refuses with 422: missing fields, wrong names, values that may not change.

The part of pkg/apis/*/validation of Kubernetes 1.36 that a rendered application can run into.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from spin_aks.sandbox import kinds
from spin_aks.sandbox.documents import at, items, mapping, strings, text
from spin_aks.sandbox.schema import ListOf, MapOf, Struct, below, shape_of
from spin_aks.sandbox.status import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from spin_aks.sandbox.documents import JSON, Document
    from spin_aks.sandbox.kinds import Kind
    from spin_aks.sandbox.schema import Shape

LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN = rf"{LABEL}(\.{LABEL})*"
LABEL_NAME = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
LABEL_VALUE = rf"({LABEL_NAME})?"
A_LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    f"an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{LABEL}')"
)
A_SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    f"end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{SUBDOMAIN}')"
)
A_VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    f"end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    f"'{LABEL_VALUE}')"
)
NEVER_EMPTY = frozenset({"name", "key", "kind", "handler", "mountPath"})
SHORT_NAMED = (kinds.NAMESPACE, kinds.SERVICE)
FREELY_NAMED = (kinds.ROLE, kinds.ROLE_BINDING, kinds.CLUSTER_ROLE, kinds.CLUSTER_ROLE_BINDING)
TEMPLATED = (kinds.DEPLOYMENT, kinds.REPLICA_SET, kinds.JOB)
ONE_OF = {
    (kinds.SERVICE, "spec.type"): ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort"),
    (kinds.SERVICE, "spec.sessionAffinity"): ("ClientIP", "None"),
    (kinds.DEPLOYMENT, "spec.template.spec.restartPolicy"): ("Always",),
    (kinds.JOB, "spec.template.spec.restartPolicy"): ("OnFailure", "Never"),
    (kinds.POD, "spec.restartPolicy"): ("Always", "OnFailure", "Never"),
}
IMMUTABLE = {
    kinds.DEPLOYMENT: ("spec.selector",),
    kinds.REPLICA_SET: ("spec.selector",),
    kinds.JOB: ("spec.selector", "spec.template", "spec.completions"),
    kinds.RUNTIME_CLASS: ("handler",),
    kinds.SECRET: ("type",),
    kinds.ROLE_BINDING: ("roleRef",),
    kinds.CLUSTER_ROLE_BINDING: ("roleRef",),
}


def causes(kind: Kind, document: Document, before: Document | None = None) -> list[Cause]:
    """Everything that is wrong with a complete document that is created, or that replaces `before`."""
    found = [*_name(kind, document), *_labels(document), *_missing(document, shape_of(kind), "")]
    found += _choices(kind, document)
    if kind in TEMPLATED:
        found += _template(kind, document)
    if kind == kinds.POD:
        found += _pod_spec(mapping(document, "spec"), "spec")
    if kind == kinds.SERVICE:
        found += _service(document)
    if before is not None:
        found += _changes(kind, document, before)
    return list(dict.fromkeys(found))


def _name(kind: Kind, document: Document) -> Iterator[Cause]:
    name = text(document, "metadata", "name")
    if kind in FREELY_NAMED:
        if name in (".", "..") or re.search(r"[/%]", name):
            yield _wrong("metadata.name", name, "may not contain '/' or '%', nor be '.' or '..'")
        return
    pattern, words, longest = (LABEL, A_LABEL, 63) if kind in SHORT_NAMED else (SUBDOMAIN, A_SUBDOMAIN, 253)
    if not re.fullmatch(pattern, name):
        yield _wrong("metadata.name", name, words)
    if len(name) > longest:
        yield _wrong("metadata.name", name, f"must be no more than {longest} characters")


def _labels(document: Document) -> Iterator[Cause]:
    for place in ("labels", "annotations"):
        for name in mapping(document, "metadata", place):
            prefix, _, short = name.rpartition("/")
            well_formed = re.fullmatch(LABEL_NAME, short) and len(short) <= 63
            if not well_formed or (prefix and not re.fullmatch(SUBDOMAIN, prefix)):
                yield _wrong(f"metadata.{place}", name, "a qualified name must consist of alphanumeric characters, "
                             "'-', '_' or '.', and must start and end with an alphanumeric character")  # fmt: skip
    for value in strings(document, "metadata", "labels").values():
        if not re.fullmatch(LABEL_VALUE, value):
            yield _wrong("metadata.labels", value, A_VALUE)
        if len(value) > 63:
            yield _wrong("metadata.labels", value, "must be no more than 63 characters")


def _missing(value: JSON, shape: Shape, where: str) -> Iterator[Cause]:
    """Fields that their type requires."""
    if isinstance(value, dict) and isinstance(shape, Struct):
        for name in shape.required:
            is_missing = value.get(name) is None or (value[name] == "" and name in NEVER_EMPTY)
            is_looked_at_below = name == "port" and where.startswith("spec.ports[")
            if is_missing and not is_looked_at_below and where.partition(".")[0] != "status":
                yield Cause(f"{where}.{name}".lstrip("."), "FieldValueRequired", "Required value")
    if isinstance(value, dict) and isinstance(shape, Struct | MapOf):
        for name, item in value.items():
            if inner := below(shape, name):
                yield from _missing(item, inner, f"{where}.{name}".lstrip("."))
    if isinstance(value, list) and isinstance(shape, ListOf):
        for index, item in enumerate(value):
            yield from _missing(item, shape.item, f"{where}[{index}]")


def _choices(kind: Kind, document: Document) -> Iterator[Cause]:
    for (of, field), allowed in ONE_OF.items():
        value = at(document, *field.split("."))
        if of == kind and value is not None and value not in allowed:
            listed = ", ".join(json.dumps(choice) for choice in allowed)
            message = f"Unsupported value: {json.dumps(value)}: supported values: {listed}"
            yield Cause(field, "FieldValueNotSupported", message)


def _template(kind: Kind, document: Document) -> Iterator[Cause]:
    selector = mapping(document, "spec", "selector")
    labels = strings(document, "spec", "template", "metadata", "labels")
    has_none = kind != kinds.JOB and not selector
    if has_none:
        yield Cause("spec.selector", "FieldValueRequired", "Required value")
    if has_none or any(labels.get(name) != value for name, value in strings(selector, "matchLabels").items()):
        shown = json.dumps(labels, separators=(",", ":"))
        message = f"Invalid value: {shown}: `selector` does not match template `labels`"
        yield Cause("spec.template.metadata.labels", "FieldValueInvalid", message)
    if kind == kinds.DEPLOYMENT:
        yield from _strategy(mapping(document, "spec", "strategy"))
    replicas = at(document, "spec", "replicas")
    if isinstance(replicas, int) and replicas < 0:
        yield _wrong("spec.replicas", replicas, "must be greater than or equal to 0")
    yield from _pod_spec(mapping(document, "spec", "template", "spec"), "spec.template.spec")


def _strategy(strategy: Document) -> Iterator[Cause]:
    known = ("Recreate", "RollingUpdate")
    if strategy.get("type") not in known:
        shown, listed = json.dumps(strategy, separators=(",", ":")), ", ".join(json.dumps(name) for name in known)
        message = f"Unsupported value: {shown}: supported values: {listed}"
        yield Cause("spec.strategy", "FieldValueNotSupported", message)
    if strategy.get("type") == "Recreate" and "rollingUpdate" in strategy:
        message = "Forbidden: may not be specified when strategy `type` is 'Recreate'"
        yield Cause("spec.strategy.rollingUpdate", "FieldValueForbidden", message)


def _pod_spec(spec: Document, where: str) -> Iterator[Cause]:
    if not items(spec, "containers"):
        yield Cause(f"{where}.containers", "FieldValueRequired", "Required value")
    volumes = {text(volume, "name") for volume in items(spec, "volumes")}
    for index, container in enumerate(items(spec, "containers")):
        place = f"{where}.containers[{index}]"
        name, image = text(container, "name"), text(container, "image")
        if not image:
            yield Cause(f"{place}.image", "FieldValueRequired", "Required value")
        if image != image.strip():
            yield _wrong(f"{place}.image", image, "must not have leading or trailing whitespace")
        if name and (not re.fullmatch(LABEL, name) or len(name) > 63):
            yield _wrong(f"{place}.name", name, A_LABEL)
        for number, mount in enumerate(items(container, "volumeMounts")):
            if (volume := text(mount, "name")) and volume not in volumes:
                message = f"Not found: {json.dumps(volume)}"
                yield Cause(f"{place}.volumeMounts[{number}].name", "FieldValueNotFound", message)
    yield from _twice(items(spec, "containers"), f"{where}.containers")
    yield from _twice(items(spec, "volumes"), f"{where}.volumes")


def _twice(named: list[Document], where: str) -> Iterator[Cause]:
    names = [text(item, "name") for item in named]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Cause(f"{where}[{index}].name", "FieldValueDuplicate", f"Duplicate value: {json.dumps(name)}")


def _service(document: Document) -> Iterator[Cause]:
    ports = items(document, "spec", "ports")
    headless = text(document, "spec", "clusterIP") == "None" or text(document, "spec", "type") == "ExternalName"
    if not ports and not headless:
        yield Cause("spec.ports", "FieldValueRequired", "Required value")
    for index, port in enumerate(ports):
        if len(ports) > 1 and not text(port, "name"):
            yield Cause(f"spec.ports[{index}].name", "FieldValueRequired", "Required value")
        for field in ("port", "targetPort"):
            number = port.get(field) or 0
            if isinstance(number, int) and not 1 <= number <= 65535:
                yield _wrong(f"spec.ports[{index}].{field}", number, "must be between 1 and 65535, inclusive")


def _changes(kind: Kind, document: Document, before: Document) -> Iterator[Cause]:
    fields: Iterable[str] = IMMUTABLE.get(kind, ())
    if kind == kinds.SERVICE and text(before, "spec", "type") != "ExternalName":
        addresses = at(document, "spec", "clusterIPs")
        if addresses != at(before, "spec", "clusterIPs"):
            yield _wrong("spec.clusterIPs[0]", addresses, "may not change once set")
    if at(before, "immutable") is True and kind in (kinds.CONFIG_MAP, kinds.SECRET):
        fields = (*fields, "data", "immutable")
    for field in fields:
        value = at(document, *field.split("."))
        if value != at(before, *field.split(".")):
            yield _wrong(field, value, "field is immutable")


def _wrong(field: str, value: JSON, why: str) -> Cause:
    return Cause(field, "FieldValueInvalid", f"Invalid value: {json.dumps(value, separators=(',', ':'))}: {why}")
