"""Kubernetes' YAML, read as kubectl reads it and written so that every reader takes it the same.

kubectl's YAML is 1.1 without its dates and its base 60 (sigs.k8s.io/yaml, goyaml.v2/resolve.go): `yes` is a boolean and
`0400` is 256. PyYAML splits and nests the text; what a scalar without quotes means, `scalars.py` decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import yaml

from spin_aks.errors import SpinAksError
from spin_aks.generators.scalars import reads_as_itself, resolved
from spin_aks.kubernetes_object import KubernetesObject

try:
    from yaml import CBaseLoader as BaseLoader
    from yaml import CSafeDumper as SafeDumper
except ImportError:
    from yaml import BaseLoader, SafeDumper  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from spin_aks.json_types import JSON, JSONObject

Pointer: TypeAlias = tuple[str | int, ...]

# More than any application has, less than aliases of aliases of aliases would make of a small file.
_MOST_NODES = 500_000
_CORE = "tag:yaml.org,2002:"
_PLAIN = "!plain"


@dataclass(frozen=True, slots=True)
class Document:
    """One object of a file. `body` is the reader's own to change; `lines` knows where in `path` each part began."""

    path: str
    line: int
    body: JSONObject
    lines: Mapping[Pointer, int]

    def at(self, *pointer: str | int) -> JSON:
        """The value there, or None."""
        value: JSON = self.body
        for step in pointer:
            match value, step:
                case dict(), str():
                    value = value.get(step)
                case list(), int() if step < len(value):
                    value = value[step]
                case _:
                    return None
        return value

    def where(self, *pointer: str | int) -> str:
        """`PATH:LINE` of that part, or of the nearest one around it."""
        while pointer and pointer not in self.lines:
            pointer = pointer[:-1]
        return f"{self.path}:{self.lines.get(pointer, self.line)}"


def parse(text: str, path: str) -> tuple[Document, ...]:
    """The objects in `text`, those of a `List` one by one; empty documents count as none.

    Raises SpinAksError, with `PATH:LINE`, for what is no YAML or no Kubernetes object.
    """
    return tuple(document for whole in _documents(text, path) for document in _unlisted(whole))


def objects(text: str, path: str) -> tuple[KubernetesObject, ...]:
    """As `parse`, for whoever needs no lines: such as a rendered file, on its way to a cluster."""
    return tuple(KubernetesObject.of(document.body, where=document.where()) for document in parse(text, path))


def dump(bodies: Iterable[JSONObject]) -> str:
    """The bodies as YAML documents, keys in the order they have, for readers of YAML 1.1 and 1.2 alike."""
    return "---\n".join(
        yaml.dump(body, Dumper=_Dumper, default_flow_style=False, sort_keys=False, allow_unicode=True, width=1 << 30)
        for body in bodies
    )


class _Loader(BaseLoader):
    """Leaves every plain scalar undecided: PyYAML's own choice differs from kubectl's."""

    def resolve(self, kind: type[yaml.Node], value: str, implicit: tuple[bool, bool]) -> str:  # noqa: ARG002
        if kind is yaml.ScalarNode:
            return _PLAIN if implicit[0] else f"{_CORE}str"
        return f"{_CORE}{'seq' if kind is yaml.SequenceNode else 'map'}"


class _Dumper(SafeDumper):
    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


def _represented(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    if "\n" in text:
        return dumper.represent_scalar(f"{_CORE}str", text, style="|")
    return dumper.represent_scalar(f"{_CORE}str", text, style=None if reads_as_itself(text) else '"')


_Dumper.add_representer(str, _represented)


def _documents(text: str, path: str) -> Iterator[Document]:
    try:
        for node in yaml.compose_all(text, Loader=_Loader):
            yield from _document(node, path)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path}:{mark.line + 1}" if mark else path
        raise SpinAksError(f"not YAML: {error.problem or error.context}", where=where, hint=_MEND) from error
    except yaml.YAMLError as error:
        raise SpinAksError(f"not YAML: {str(error).splitlines()[0]}", where=path, hint=_MEND) from error


_MEND = "mend that line; `kubectl apply --dry-run=client -f FILE` reads the same YAML"


def _document(node: yaml.Node, path: str) -> Iterator[Document]:
    reader = _Reader(path)
    body = reader.value(node, ())
    if body is None:
        return
    line = node.start_mark.line + 1
    if not isinstance(body, dict):
        raise SpinAksError("not a Kubernetes object: it has no keys", where=f"{path}:{line}")
    yield Document(path, line, body, reader.lines)


class _Reader:
    """Turns the nodes of one document into JSON and notes where each came from."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.lines: dict[Pointer, int] = {}
        self._open: set[int] = set()
        self._count = 0

    def value(self, node: yaml.Node, pointer: Pointer) -> JSON:
        self._count += 1
        if id(node) in self._open or self._count > _MOST_NODES:
            raise self._error("an alias leads back into itself, or to too much", node)
        self.lines[pointer] = node.start_mark.line + 1
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, pointer)
            if isinstance(node, yaml.SequenceNode):
                return [self.value(item, (*pointer, index)) for index, item in enumerate(node.value)]
            return self._scalar(node)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: yaml.MappingNode, pointer: Pointer) -> JSONObject:
        own: JSONObject = {}
        merged: JSONObject = {}
        for key_node, value_node in node.value:
            if key_node.tag == _PLAIN and key_node.value == "<<":
                merged = {**self._merged(value_node, pointer), **merged}
                continue
            key = self._key(key_node)
            if key in own:
                raise self._error(f"the key `{key}` is there twice", key_node)
            own[key] = self.value(value_node, (*pointer, key))
            self.lines[*pointer, key] = key_node.start_mark.line + 1
        return {**merged, **own}

    def _merged(self, node: yaml.Node, pointer: Pointer) -> JSONObject:
        merged = self.value(node, pointer)
        match merged:
            case dict():
                return merged
            case list() if all(isinstance(item, dict) for item in merged):
                return {
                    key: value for item in reversed(merged) if isinstance(item, dict) for key, value in item.items()
                }
        raise self._error("`<<` takes a mapping, or a list of them", node)

    def _key(self, node: yaml.Node) -> str:
        key = self._scalar(node) if isinstance(node, yaml.ScalarNode) else None
        match key:
            case bool():
                return "true" if key else "false"
            case str() | int() | float():
                return str(key)
        raise self._error("a key has to be text", node)

    def _scalar(self, node: yaml.Node) -> JSON:
        tag, text = node.tag, node.value
        if tag == f"{_CORE}str":
            return str(text)
        wanted = {f"{_CORE}bool": bool, f"{_CORE}int": int, f"{_CORE}float": float | int, f"{_CORE}null": type(None)}
        if tag != _PLAIN and tag not in wanted:
            raise self._error(f"Kubernetes knows no `{tag}`", node)
        try:
            value = resolved(text)
        except ValueError as error:
            raise self._error(str(error), node) from error
        if tag != _PLAIN and not isinstance(value, wanted[tag]):
            raise self._error(f"`{text}` is no {tag.removeprefix(_CORE)}", node)
        return value

    def _error(self, what: str, node: yaml.Node) -> SpinAksError:
        return SpinAksError(what, where=f"{self.path}:{node.start_mark.line + 1}", hint=_MEND)


def _unlisted(document: Document) -> Iterator[Document]:
    items = document.at("items")
    if document.at("kind") != "List" or not isinstance(items, list):
        _checked(document)
        yield document
        return
    for index, item in enumerate(items):
        inside: Pointer = ("items", index)
        lines = {pointer[2:]: line for pointer, line in document.lines.items() if pointer[:2] == inside}
        if not isinstance(item, dict):
            raise SpinAksError("not a Kubernetes object: it has no keys", where=document.where(*inside))
        yield from _unlisted(Document(document.path, lines[()], item, lines))


def _checked(document: Document) -> None:
    missing = [
        ".".join(pointer)
        for pointer in (("apiVersion",), ("kind",), ("metadata", "name"))
        if not (isinstance(value := document.at(*pointer), str) and value)
    ]
    if missing:
        what = f"not a Kubernetes object: it has no {' and no '.join(missing)}"
        raise SpinAksError(what, where=document.where(), hint="complete it, or move that file to another folder")
