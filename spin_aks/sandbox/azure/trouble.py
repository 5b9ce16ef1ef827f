"""The trouble file: what is to go wrong in the sandbox's Azure, as data. docs/sandbox.md describes it.

It is read anew at each request, so that it can be changed while a command runs. How often a rule has struck is kept in
the state for as long as the rule stands in the file unchanged.
"""

from __future__ import annotations

import fnmatch
import hashlib
import re
import time
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks.sandbox import documents
from spin_aks.sandbox.azure import known_troubles
from spin_aks.sandbox.azure.call import RefusedError, answer
from spin_aks.sandbox.web import Answer, ClientGoneError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from spin_aks.sandbox.azure.call import Call
    from spin_aks.sandbox.azure.state import State
    from spin_aks.sandbox.documents import JSON, Document

KIND = "trouble"
PAGE_SIZE = 100
VCPUS = 100
_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_REFUSAL = re.compile(r"AADSTS[0-9]+")


def _is_id(value: JSON) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _is_named(value: JSON) -> bool:
    return isinstance(value, dict) and all(_is_id(key) and isinstance(name, str) for key, name in value.items())


def _is_refusal(value: JSON) -> bool:
    return isinstance(value, str) and _REFUSAL.fullmatch(value) is not None


def _as_it_stands(rule: Document) -> Answer:
    """Not from Azure, by its looks: a text of any kind, HTML unless its headers say otherwise."""
    headers = documents.strings(rule, "headers")
    kind = {} if "content-type" in {name.lower() for name in headers} else {"Content-Type": "text/html"}
    content = documents.text(rule, "text").encode()
    return Answer(documents.number(rule, "status"), content, (*kind.items(), *headers.items()))


KINDS: dict[str, Callable[[JSON], bool]] = {
    "a string": lambda value: isinstance(value, str),
    "a whole number": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "a number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "true or false": lambda value: isinstance(value, bool),
    "a table": lambda value: isinstance(value, dict),
    "a list of tables": lambda value: isinstance(value, list) and all(isinstance(item, dict) for item in value),
    "a list of strings": lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
    "an id": _is_id,
    "a table of names by id": _is_named,
    "a code such as AADSTS50076": _is_refusal,
    "any value": lambda _value: True,
}
FILE_MEMBERS = {
    "rule": "a list of tables",
    "tenant": "a list of tables",
    "page_size": "a whole number",
    "unregistered": "a list of strings",
    "unreachable": "a list of strings",
    "propagation_s": "a number",
    "replication_s": "a number",
    "registration_s": "a number",
    "vcpus": "a whole number",
}
TENANT = {
    "id": "an id",
    "name": "a string",
    "subscriptions": "a table of names by id",
    "refuses": "a code such as AADSTS50076",
}
CONDITIONS = {
    "method": "a string",
    "host": "a string",
    "path": "a string",
    "skip": "a whole number",
    "times": "a whole number",
}
EFFECTS = {
    "delay_s": "a number",
    "drop": "true or false",
    "known": "a string",
    "status": "a whole number",
    "code": "a string",
    "message": "a string",
    "headers": "a table",
    "body": "any value",
    "text": "a string",
}
OPERATION = {"slow_s": "a number", "fail": "a table"}


class TroubleFileError(Exception):
    """The file can't be understood; every request is answered with why, so that a test can't miss it."""


@dataclass(frozen=True, slots=True)
class OperationTrouble:
    """`failure` is the error that the operation ends with, empty if it goes well."""

    slow_s: float
    failure: Document


class Trouble:
    """What the file at `path` says; nothing goes wrong while there is none. Its members raise TroubleFileError."""

    def __init__(self, path: Path, state: State) -> None:
        self._path = path
        self._state = state
        self._content = b""
        self._file: Document = {}

    @property
    def page_size(self) -> int:
        return max(1, documents.number(self._read(), "page_size", default=PAGE_SIZE))

    @property
    def propagation_s(self) -> float:
        """How long a new role assignment stays without effect."""
        return _seconds(self._read(), "propagation_s")

    @property
    def replication_s(self) -> float:
        """How long the directory does not know a new identity."""
        return _seconds(self._read(), "replication_s")

    @property
    def registration_s(self) -> float:
        """How long it takes to register a subscription for a provider."""
        return _seconds(self._read(), "registration_s")

    @property
    def vcpus(self) -> int:
        """How many vCPUs a subscription may have in each region."""
        return documents.number(self._read(), "vcpus", default=VCPUS)

    def unregistered(self, namespace: str) -> bool:
        """Whether a subscription does not know this provider unless it was registered."""
        found = self._read().get("unregistered")
        return isinstance(found, list) and namespace.lower() in (str(name).lower() for name in found)

    @property
    def tenants(self) -> list[Document]:
        """Further tenants that whoever signs in is a guest in: TENANT has their members."""
        return documents.items(self._read(), "tenant")

    def unreachable(self, host: str) -> bool:
        """Whether nobody gets as far as to this host, which is lower-case."""
        found = self._read().get("unreachable")
        patterns = [str(pattern).lower() for pattern in found] if isinstance(found, list) else []
        return any(fnmatch.fnmatchcase(host, pattern) for pattern in patterns)

    def strike(self, call: Call) -> Answer | None:
        """What a rule answers in the service's place. Raises ClientGoneError where the connection is to be cut."""
        rule = self._next(call, operation=False)
        if rule is None:
            return None
        time.sleep(_seconds(rule, "delay_s"))
        if rule.get("drop") is True:
            raise ClientGoneError
        return _played(rule, call)

    def for_operation(self, call: Call) -> OperationTrouble:
        """What happens to an operation that `call` has just begun."""
        rule = self._next(call, operation=True) or {}
        return OperationTrouble(_seconds(rule, "slow_s"), documents.mapping(rule, "fail"))

    def _next(self, call: Call, *, operation: bool) -> Document | None:
        """The first rule whose turn it is; each that fits the request counts it, up to that one."""
        with self._state.lock:
            for key, rule in _rules(self._read()):
                if bool(OPERATION.keys() & rule.keys()) == operation and _fits(rule, call) and self._is_due(key, rule):
                    return rule
        return None

    def _is_due(self, key: str, rule: Document) -> bool:
        met = documents.number(self._state.get(KIND, key), "met") + 1
        self._state.put(KIND, key, {"met": met})
        skipped = documents.number(rule, "skip")
        return skipped < met <= skipped + documents.number(rule, "times", default=met)

    def _read(self) -> Document:
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            content = b""
        with self._state.lock:
            if content != self._content:
                self._file = parsed(content, str(self._path))
                self._content = content
                self._forget_other_rules()
        return self._file

    def _forget_other_rules(self) -> None:
        known = {key for key, _ in _rules(self._file)}
        for key, _ in self._state.items_of(KIND):
            if key not in known:
                self._state.delete(KIND, key)


def parsed(content: bytes, name: str) -> Document:
    """The file's tables, from TOML, or from JSON if it begins with a brace. Raises TroubleFileError."""
    text = content.decode("utf-8", "replace")
    try:
        file = documents.mapping(documents.load(text) if text.lstrip().startswith("{") else tomllib.loads(text))
    except ValueError as error:
        raise TroubleFileError(f"{name}: {error}") from error
    _check_members(file, FILE_MEMBERS, name, "a trouble file")
    for number, tenant in enumerate(documents.items(file, "tenant"), 1):
        _check_tenant(tenant, f"{name}: tenant {number}")
    for number, rule in enumerate(documents.items(file, "rule"), 1):
        _check_rule(rule, f"{name}: rule {number}")
    return file


def _check_members(table: Document, members: Mapping[str, str], where: str, what: str) -> None:
    for key, value in table.items():
        if key not in members:
            raise TroubleFileError(f"{where}: `{key}` is no key of {what}")
        if not KINDS[members[key]](value):
            raise TroubleFileError(f"{where}: `{key}` has to be {members[key]}")


def _check_tenant(tenant: Document, where: str) -> None:
    _check_members(tenant, TENANT, where, "a tenant")
    if "id" not in tenant:
        raise TroubleFileError(f"{where}: there is no `id`")


def _check_rule(rule: Document, where: str) -> None:
    _check_members(rule, CONDITIONS | EFFECTS | OPERATION, where, "a rule")
    if not rule.keys() & (EFFECTS.keys() | OPERATION.keys()):
        raise TroubleFileError(f"{where}: it says when, but not what goes wrong")
    if rule.keys() & OPERATION.keys() and rule.keys() & EFFECTS.keys():
        raise TroubleFileError(
            f"{where}: `slow_s` and `fail` are about what goes on after the answer: a rule of its own"
        )
    known = rule.get("known")
    if known is not None and known not in known_troubles.NAMES:
        raise TroubleFileError(f"{where}: `{known}` is none of {', '.join(known_troubles.NAMES)}")
    if not rule.keys() & ({"status", "known", "drop", "delay_s"} | OPERATION.keys()):
        raise TroubleFileError(f"{where}: there is no `status`")


def _rules(file: Document) -> list[tuple[str, Document]]:
    return [(f"{number}-{_digest(rule)}", rule) for number, rule in enumerate(documents.items(file, "rule"))]


def _digest(rule: Document) -> str:
    return hashlib.sha256(documents.dump(rule)).hexdigest()[:16]


def _fits(rule: Document, call: Call) -> bool:
    methods = documents.text(rule, "method").upper().split()
    return (
        (not methods or call.request.method in methods)
        and fnmatch.fnmatchcase(call.host.lower(), documents.text(rule, "host").lower() or "*")
        and fnmatch.fnmatchcase(call.request.path.lower(), documents.text(rule, "path").lower() or "*")
    )


def _played(rule: Document, call: Call) -> Answer | None:
    if name := documents.text(rule, "known"):
        found = known_troubles.refusal(name, call).answer
    elif "status" not in rule:
        return None
    elif "text" in rule:
        return _as_it_stands(rule)
    elif "body" in rule:
        found = answer(rule["body"], status=documents.number(rule, "status"))
    else:
        status = documents.number(rule, "status")
        code = documents.text(rule, "code") or str(status)
        found = RefusedError(status, code, documents.text(rule, "message")).answer
    headers = tuple(documents.strings(rule, "headers").items())
    return Answer(found.status, found.content, (*found.headers, *headers))


def _seconds(document: Document, name: str) -> float:
    found = document.get(name)
    return float(found) if isinstance(found, int | float) else 0.0
