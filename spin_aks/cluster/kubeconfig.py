"""Which cluster a kubeconfig means, by kubectl's own rules, without asking it.

The files are those of `--kubeconfig`, else of `$KUBECONFIG`, else `~/.kube/config`; of several, the first that sets a
name wins (https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/#merging-kubeconfig-files).
Nothing here or in the modules that use it writes to any of them.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spin_aks.cluster import fields
from spin_aks.errors import Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spin_aks.cluster.kube_context import Context
    from spin_aks.json_types import JSON, JSONObject

KEY = "cluster.context"
GET_ONE = (
    "an AKS cluster needs none: give `--cluster NAME`, `SPIN_AKS_CLUSTER_NAME` or `cluster.name` in aks-spin.toml; or "
    "`az aks get-credentials --resource-group GROUP --name CLUSTER` writes one, or name yours with `--kubeconfig`"
)


@dataclass(frozen=True, slots=True)
class Target:
    """`identity` is the same as long as it is the same cluster; `source` as long as its files and the choice are.

    `source` costs no parsing: where it is the one remembered with an identity, that identity still holds.
    """

    source: str
    identity: str


def files(kubeconfig: str, environment: Mapping[str, str] | None = None, *, key: str = "") -> tuple[Path, ...]:
    """The files that are there, in order; raises UsageError if there are none, as what nobody gave if it has a key."""
    variables = os.environ if environment is None else environment
    listed = [part for part in variables.get("KUBECONFIG", "").split(os.pathsep) if part]
    candidates = [kubeconfig] if kubeconfig else listed or ["~/.kube/config"]
    # Not Path.expanduser, which raises for a user who has no home.
    paths = tuple(Path(os.path.expanduser(candidate)) for candidate in candidates)  # noqa: PTH111
    found = tuple(path for path in paths if path.is_file())
    if not found:
        what = f"there is no kubeconfig at {' or '.join(f'`{path}`' for path in paths)}"
        raise UsageError.of([Problem(what, hint=GET_ONE, key=key)])
    return found


def target(kubeconfig: str, context: str, *, remembered: Target | None = None) -> Target:
    """The cluster that this choice means; parses nothing where `remembered` comes from the same files and choice."""
    paths = files(kubeconfig, key=_key(kubeconfig, context))
    source = _source(paths, context)
    if remembered is not None and remembered.source == source:
        return remembered
    return _choose(paths, context, key=_key(kubeconfig, context)).target


def target_identity(kubeconfig: str, context: str) -> str:
    """A text that changes when another cluster is meant: its URL and a digest of its certificate authority.

    It does not change with the user, with a renewed login or with other contexts of the file. Asks no server.
    """
    return target(kubeconfig, context).identity


def choose(kubeconfig: str, context: str) -> Context:
    """The context of that name, or the current one for an empty name; raises UsageError saying which there are."""
    key = _key(kubeconfig, context)
    return _choose(files(kubeconfig, key=key), context, key=key)


def _key(kubeconfig: str, context: str) -> str:
    """The input that nobody gave, where neither was given: there is another way than a kubeconfig."""
    return "" if kubeconfig or context else KEY


def contexts(kubeconfig: str) -> tuple[Context, ...]:
    """All that can be chosen, in the files' order; raises UsageError if there is no kubeconfig."""
    paths = files(kubeconfig)
    named = dict.fromkeys(name for path in paths for name in _names(_parse(path), "contexts"))
    return tuple(found for name in named if (found := _usable(paths, name)))


def _usable(paths: tuple[Path, ...], name: str) -> Context | None:
    try:
        return _choose(paths, name)
    except UsageError:
        return None


def _source(paths: tuple[Path, ...], context: str) -> str:
    digest = hashlib.sha256(context.encode())
    for path in paths:
        digest.update(b"\0" + os.fsencode(path.absolute()) + b"\0" + _bytes(path))
    return digest.hexdigest()


def _choose(paths: tuple[Path, ...], name: str, *, key: str = "") -> Context:
    from spin_aks.cluster.kube_context import Context

    merged = [(path, _parse(path)) for path in paths]
    names = list(dict.fromkeys(name for _, document in merged for name in _names(document, "contexts")))
    where = os.pathsep.join(str(path) for path in paths)
    chosen = name or next((current for _, d in merged if (current := fields.text(d, "current-context"))), "")
    if not chosen:
        raise UsageError.of([Problem("no context is chosen", where, _which(names), KEY if names else key)])
    if chosen not in names:
        raise UsageError(f"there is no context `{chosen}`", where=where, hint=_which(names))
    _, context = _named(merged, "contexts", "context", chosen)
    cluster_name, user_name = fields.text(context, "cluster"), fields.text(context, "user")
    cluster_path, cluster = _named(merged, "clusters", "cluster", cluster_name)
    server = fields.text(cluster, "server").rstrip("/")
    if not server:
        raise UsageError(f"context `{chosen}` names cluster `{cluster_name}`, whose server is not given", where=where)
    _, user = _named(merged, "users", "user", user_name)
    return Context(
        name=chosen,
        server=server,
        target=Target(_source(paths, name), _identity(server, cluster)),
        user=user_name,
        namespace=fields.text(context, "namespace") or "default",
        command=fields.text(user, "exec", "command"),
        install_hint=fields.text(user, "exec", "installHint"),
        folder=cluster_path.parent,
    )


def _which(names: list[str]) -> str:
    if not names:
        return GET_ONE
    return f"choose one with `--context`: {', '.join(f'`{name}`' for name in names)}"


def _identity(server: str, cluster: JSONObject) -> str:
    authority = fields.text(cluster, "certificate-authority-data") or fields.text(cluster, "certificate-authority")
    if not authority:
        return server
    return f"{server} (authority {hashlib.sha256(authority.encode()).hexdigest()[:12]})"


def _named(merged: list[tuple[Path, JSONObject]], collection: str, member: str, name: str) -> tuple[Path, JSONObject]:
    for path, document in merged:
        for item in fields.objects(document, collection):
            if item.get("name") == name:
                return path, fields.mapping(item, member)
    return merged[0][0], {}


def _names(document: JSONObject, collection: str) -> list[str]:
    return [name for item in fields.objects(document, collection) if (name := fields.text(item, "name"))]


def _parse(path: Path) -> JSONObject:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        document: JSON = yaml.load(_bytes(path), Loader=loader)  # noqa: S506 (a safe loader, the fast one if there)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise UsageError("not a kubeconfig: its YAML can't be read", where=where, why=str(error)) from error
    if document is not None and not isinstance(document, dict):
        raise UsageError("not a kubeconfig: it holds no mapping", where=str(path))
    return document or {}


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"can't read the kubeconfig: {error.strerror or error}", where=str(path)) from error
