"""Label and field selectors, as `labelSelector` and `fieldSelector` carry them.

https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from spin_aks.sandbox.documents import at, strings
from spin_aks.sandbox.status import bad_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from spin_aks.sandbox.documents import Document
    from spin_aks.sandbox.kinds import Kind

    Test: TypeAlias = Callable[[Document], bool]

SET = re.compile(r"\s*(?P<key>[^\s!=,()]+)\s+(?P<operator>in|notin)\s*\((?P<values>[^)]*)\)\s*")
EQUAL = re.compile(r"\s*(?P<key>[^\s!=,()]+)\s*(?P<operator>==|=|!=)\s*(?P<value>[^\s!=,()]*)\s*")
EXISTS = re.compile(r"\s*(?P<not>!?)\s*(?P<key>[^\s!=,()]+)\s*")
ALWAYS = ("metadata.name", "metadata.namespace")


def of_labels(selector: str) -> Test:
    """Whether an object's labels fit; raises ApiError for what is no selector."""
    tests = [_label_test(part) for part in _parts(selector)]
    return lambda document: all(test(strings(document, "metadata", "labels")) for test in tests)


def of_fields(selector: str, kind: Kind) -> Test:
    """Whether an object's fields fit; raises ApiError for a field that the kind can't be selected by."""
    tests = [_field_test(part, kind) for part in _parts(selector)]
    return lambda document: all(test(document) for test in tests)


def of_spec(selector: Document) -> Test:
    """Whether an object's labels have all `matchLabels` of a `spec.selector`."""
    wanted = strings(selector, "matchLabels").items()
    return lambda document: wanted <= strings(document, "metadata", "labels").items()


def _parts(selector: str) -> list[str]:
    return [part for part in re.split(r",(?![^(]*\))", selector) if part.strip()]


def _label_test(part: str) -> Callable[[dict[str, str]], bool]:
    if match := SET.fullmatch(part):
        key, values = match["key"], {value.strip() for value in match["values"].split(",")}
        if match["operator"] == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if match := EQUAL.fullmatch(part):
        key, value = match["key"], match["value"]
        if match["operator"] == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if match := EXISTS.fullmatch(part):
        key, wanted = match["key"], not match["not"]
        return lambda labels: (key in labels) == wanted
    raise bad_request(f"unable to parse requirement: {part.strip()}")


def _field_test(part: str, kind: Kind) -> Test:
    match = EQUAL.fullmatch(part)
    if match is None:
        raise bad_request(f"invalid field selector: {part.strip()}")
    key, value, same = match["key"], match["value"], match["operator"] != "!="
    if key not in (*ALWAYS, *kind.selectable):
        raise bad_request(f"field label not supported: {key}")
    path = key.split(".")
    return lambda document: (str(at(document, *path) or "") == value) == same
