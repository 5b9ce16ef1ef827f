"""The cluster's API over HTTP: a path and a method to a verb, a verb's outcome to an answer.

What the sandbox does not serve is answered 501 with a Status that names it.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks.sandbox import admission, discovery, documents, kinds, logs, openapi, scale, selectors, tables, watch
from spin_aks.sandbox.api import Api, Write, Written
from spin_aks.sandbox.documents import mapping, text
from spin_aks.sandbox.objects import Key
from spin_aks.sandbox.status import ApiError, bad_request, details_of, no_such_path, not_served
from spin_aks.sandbox.web import Answer, Request

if TYPE_CHECKING:
    from spin_aks.sandbox.documents import JSON, Document
    from spin_aks.sandbox.kinds import Kind

BODY_LIMIT_BYTES = 3 << 20
JSON_TYPE = ("Content-Type", "application/json")
APPLY, MERGE = "application/apply-patch+yaml", "application/merge-patch+json"
PROTOBUF = b"k8s\x00"
HEALTH = frozenset({"/healthz", "/livez", "/readyz"})


@dataclass(frozen=True, slots=True)
class Target:
    """What a path names: a collection (no name), an object, or a subresource of one."""

    kind: Kind
    namespace: str
    name: str = ""
    subresource: str = ""

    @property
    def key(self) -> Key:
        return Key(self.kind, self.namespace, self.name)


class ClusterServer:
    """Answers the API's requests from `api`."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def __call__(self, request: Request) -> Answer:
        try:
            return self._known_path(request) or self._resource(request)
        except ApiError as error:
            return _json(error.code, error.document())
        except sqlite3.Error as error:
            return _json(500, ApiError(500, "InternalError", f"the sandbox's disk: {error}").document())

    def _known_path(self, request: Request) -> Answer | None:
        path = request.path.rstrip("/")
        if path in HEALTH:
            return Answer(200, b"ok", (("Content-Type", "text/plain"),))
        parts = request.segments
        found: Document | None = None
        if path == "/version":
            found = discovery.version()
        elif path == "/api":
            found = discovery.core_versions(request.headers.get("Host", ""))
        elif path.startswith(openapi.ROOT):
            found = openapi.answer(path)
        elif path == "/apis":
            found = discovery.groups()
        elif len(parts) == 2 and parts[0] == "apis":
            found = discovery.group(parts[1])
        elif path.count("/") == (2 if parts[:1] == ("api",) else 3):
            found = discovery.resources(path)
        return _json(200, found) if found is not None else None

    def _resource(self, request: Request) -> Answer:
        target = target_of(request.segments)
        if target.subresource:
            return self._subresource(request, target)
        if not target.name:
            return self._collection(request, target)
        return self._object(request, target)

    def _collection(self, request: Request, target: Target) -> Answer:
        if request.method == "POST":
            key = target.key
            return _written(self._api.create(key, _body(request), _write(request)), request, target.kind)
        if request.method in ("GET", "HEAD"):
            return self._listing(request, target)
        verb = "deletecollection" if request.method == "DELETE" else request.method
        raise not_served(f"{verb} of a collection ({target.kind.resource}); delete the objects one by one")

    def _listing(self, request: Request, target: Target) -> Answer:
        by_label = selectors.of_labels(request.query.get("labelSelector", ""))
        by_field = selectors.of_fields(request.query.get("fieldSelector", ""), target.kind)
        store, kind = self._api.store, target.kind
        if request.query.get("watch", "") in ("1", "true"):
            return self._watch(request, target, lambda document: by_label(document) and by_field(document))
        with store.lock:
            found = [item for item in store.all_of(kind, target.namespace) if by_label(item) and by_field(item)]
            version = str(store.version)
        if _wants_table(request):
            return _json(200, tables.table(kind, found, version))
        listed: list[JSON] = [
            {name: value for name, value in item.items() if name not in ("kind", "apiVersion")} for item in found
        ]
        head: Document = {"kind": f"{kind.kind}List", "apiVersion": kind.api_version}
        return _json(200, {**head, "metadata": {"resourceVersion": version}, "items": listed})

    def _watch(self, request: Request, target: Target, fits: watch.Test) -> Answer:
        query = request.query
        since, seconds = query.get("resourceVersion", "0") or "0", query.get("timeoutSeconds", "") or "0"
        if not since.isdigit() or not seconds.isdigit():
            raise bad_request("resourceVersion and timeoutSeconds are numbers")
        initial = query.get("sendInitialEvents", "") in ("1", "true")
        as_table = _wants_table(request)
        wanted = watch.Watch(
            target.kind,
            target.namespace,
            fits,
            0 if initial else int(since),
            float(seconds) or watch.LONGEST_S,
            query.get("allowWatchBookmarks", "") in ("1", "true") and not as_table,
            initial,
            (lambda document: tables.table(target.kind, [document], "")) if as_table else (lambda document: document),
        )
        return Answer(200, watch.lines(self._api.store, wanted), (JSON_TYPE,))

    def _object(self, request: Request, target: Target) -> Answer:
        key, method = target.key, request.method
        if method in ("GET", "HEAD"):
            found = self._api.read(key)
            version = text(found, "metadata", "resourceVersion")
            return _json(200, tables.table(key.kind, [found], version) if _wants_table(request) else found)
        if method == "PUT":
            return _written(self._api.replace(key, _body(request), _write(request)), request, key.kind)
        if method == "PATCH":
            return _written(self._patch(request, target), request, key.kind)
        if method == "DELETE":
            return self._delete(request, key)
        raise ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")

    def _patch(self, request: Request, target: Target) -> Written:
        form = request.headers.get("Content-Type", "").partition(";")[0].strip()
        write = _write(request, target.subresource)
        if form == MERGE:
            return self._api.merge_patch(target.key, _body(request), write)
        if form != APPLY:
            known = {"application/strategic-merge-patch+json": "strategic merge", "application/json-patch+json": "JSON"}
            raise not_served(f"{known.get(form, form)} patches ({target.kind.resource}): use a merge patch or apply")
        if not request.query.get("fieldManager"):
            raise ApiError(422, "Invalid", "fieldManager: Required value: is required for apply patch")
        force = request.query.get("force", "") in ("1", "true")
        return self._api.apply(target.key, _body(request), write, force=force)

    def _delete(self, request: Request, key: Key) -> Answer:
        options = mapping(_body(request, optional=True))
        for name in ("propagationPolicy",):
            if name in request.query:
                options = {**options, name: request.query[name]}
        last = self._api.delete(key, options, dry_run=bool(request.query.get("dryRun") or options.get("dryRun")))
        if self._api.store.get(key) is not None or key.kind == kinds.POD:
            return _json(200, last)
        details = {**details_of(key.kind, key.name), "uid": text(last, "metadata", "uid")}
        success: Document = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
        return _json(200, {**success, "details": details})

    def _subresource(self, request: Request, target: Target) -> Answer:
        kind, name, method = target.kind, target.subresource, request.method
        if kind == kinds.POD and name == "log" and method == "GET":
            return logs.answer(self._api, target.key, request.query)
        if kind.has_scale and name == "scale":
            body = None if method == "GET" else _body(request)
            found = scale.answer(self._api, target.key, method, body, _write(request))
            return _json(200, found)
        if kind.has_status and name == "status":
            if method == "GET":
                return _json(200, self._api.read(target.key))
            if method == "PATCH":
                return _written(self._patch(request, target), request, kind)
            if method == "PUT":
                return _written(self._api.replace(target.key, _body(request), _write(request, name)), request, kind)
        raise not_served(f"{method} of {kind.plural}/{name}")


def target_of(parts: tuple[str, ...]) -> Target:
    """What the path names; raises ApiError: 404 for what no cluster has, 501 for what the sandbox leaves out."""
    size = 2 if parts[:1] == ("api",) else 3
    if parts[:1] not in (("api",), ("apis",)) or len(parts) <= size:
        if parts[:1] == ("apis",) and len(parts) > 1 and parts[1] in discovery.LEFT_OUT:
            raise not_served(f"the group {parts[1]}")
        if parts[:1] == ("openapi",):
            raise not_served("/" + "/".join(parts))
        raise no_such_path()
    root, rest, namespace = "/" + "/".join(parts[:size]), parts[size:], ""
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    kind = kinds.find(root, rest[0])
    if kind is None:
        if discovery.resources(root) is None and parts[1] not in discovery.LEFT_OUT:
            raise no_such_path()
        raise not_served(f"{rest[0]} ({root.partition('/')[2].partition('/')[2]})")
    if len(rest) > 3 or (kind.namespaced and not namespace and len(rest) > 1) or (namespace and not kind.namespaced):
        raise no_such_path()
    return Target(kind, namespace, *rest[1:])


def _write(request: Request, subresource: str = "") -> Write:
    """Who writes: the field manager, else the program's name, as the real server takes it."""
    agent = request.headers.get("User-Agent", "unknown").partition("/")[0]
    dry_run = request.query.get("dryRun", "")
    if dry_run not in ("", "All"):
        raise bad_request(f'dryRun: Unsupported value: "{dry_run}": supported values: "All"')
    manager = request.query.get("fieldManager") or agent
    return Write(manager, subresource, request.query.get("fieldValidation") == "Strict", dry_run == "All")


def _body(request: Request, *, optional: bool = False) -> JSON:
    content = request.body.read_all(BODY_LIMIT_BYTES)
    if content.startswith(PROTOBUF):
        raise ApiError(415, "UnsupportedMediaType", "the sandbox's cluster reads JSON, no protobuf: use `create -f`")
    if optional and not content.strip():
        return None
    try:
        return documents.load(content)
    except ValueError as error:
        raise bad_request(f"the sandbox's cluster reads JSON, also where YAML is allowed: {error}") from error


def _wants_table(request: Request) -> bool:
    return "as=Table" in request.headers.get("Accept", "")


def _written(written: Written, request: Request, kind: Kind) -> Answer:
    warnings = tuple(("Warning", f'299 - "{_escaped(warning)}"') for warning in written.warnings)
    found = tables.table(kind, [written.document], "") if _wants_table(request) else written.document
    return Answer(201 if written.created else 200, documents.dump(found) + b"\n", (JSON_TYPE, *warnings))


def _escaped(warning: str) -> str:
    return warning.replace("\\", "\\\\").replace('"', '\\"')


def _json(code: int, document: Document) -> Answer:
    return Answer(code, documents.dump(document) + b"\n", (JSON_TYPE, ("Audit-Id", admission.random_suffix(12))))
