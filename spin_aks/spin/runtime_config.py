"""runtime-config.toml: which stores, databases and sources of variables a runtime is given.

Spin reads it once, at the start, interpolates nothing, and does not start if it holds a top-level key that it does not
know (crates/runtime-config of Spin 3.0 and later, crates/trigger/src/runtime_config.rs before). The containerd shim
takes it from `/runtime-config.toml`, where a ConfigMap brings it if it holds no secret.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from spin_aks.errors import ManifestError, Problem
from spin_aks.spin import runtime_schema
from spin_aks.spin.lines import Lines
from spin_aks.spin.normalised import table, tables
from spin_aks.spin.runtime_schema import CLIENT_TLS_FILES, VAULT_CREDENTIALS
from spin_aks.spin.runtime_secrets import without_comments
from spin_aks.spin.shapes import Reading
from spin_aks.spin.toml import document
from spin_aks.spin.versions import NEWEST_SPIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from spin_aks.json_types import JSON, JSONObject
    from spin_aks.spin.shapes import Fault, Place
    from spin_aks.spin.versions import Runtime, Version

_OVER_TLS = frozenset({"azure_cosmos", "aws_dynamo", "azure_key_vault"})


@dataclass(frozen=True, slots=True)
class PodPath:
    """A file or folder that the configuration names, absolute in the pod; `written` if Spin writes there."""

    path: str
    written: bool
    where: str


@dataclass(frozen=True, slots=True)
class KeylessCosmos:
    """A store in the Cosmos DB account of that name, to which Spin signs in as whatever the pod is."""

    label: str
    account: str
    where: str


@dataclass(frozen=True, slots=True)
class AmbientVault:
    """A Key Vault that is asked for variables, to which Spin signs in as whatever the pod is."""

    vault_url: str
    where: str


@dataclass(frozen=True, slots=True)
class RuntimeConfig:
    """What is configured: labels of stores and databases, types of variable providers, what `static` ones give.

    `secrets` says, key by key and without a value, why the file may not go where others can read it. `text` is what
    may go to a pod: the file without its comments; empty if it configures nothing, or if there is a secret in it.
    `speaks_tls` is whether a store or provider is reached over TLS, for which a pod needs certificate authorities.
    `keyless_cosmos` and `ambient_vaults`, in the file's order, are what no key or password in it opens: the pod's own
    identity in Azure has to. None with a secret in its address is among them.
    """

    key_value_stores: frozenset[str] = frozenset()
    sqlite_databases: frozenset[str] = frozenset()
    providers: tuple[str, ...] = ()
    static_variables: frozenset[str] = frozenset()
    secrets: tuple[Problem, ...] = ()
    text: str = field(default="", repr=False)
    speaks_tls: bool = False
    paths: tuple[PodPath, ...] = ()
    keyless_cosmos: tuple[KeylessCosmos, ...] = ()
    ambient_vaults: tuple[AmbientVault, ...] = ()

    @property
    def may_supply_any_variable(self) -> bool:
        """Whether a provider is asked whose answers are not known here."""
        return any(provider != "static" for provider in self.providers)

    def read_by(self, runtime: Runtime) -> RuntimeConfig:
        """What of it that runtime reads: all, or nothing before shim 0.10.0."""
        return self if runtime.runtime_config_path else NOTHING


NOTHING = RuntimeConfig()


def read(path: Path, *, spin: Version = NEWEST_SPIN) -> RuntimeConfig:
    """What the file at `path` configures, as that Spin reads it; nothing if there is no file.

    Raises ManifestError with every problem, each with `PATH:LINE`; no message shows a value that may be a secret.
    """
    try:
        content = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return NOTHING
    except UnicodeDecodeError as error:
        raise ManifestError("is not UTF-8", where=str(path), hint="save it as UTF-8") from error
    except OSError as error:
        raise ManifestError(f"can't be read: {error.strerror or error}", where=str(path)) from error
    return parse(content, path, spin=spin)


def parse(content: str, path: Path, *, spin: Version = NEWEST_SPIN) -> RuntimeConfig:
    """What `content` configures; `path` is only what messages call it."""
    written = document(content, path)
    reading = Reading(spin)
    found = cast("JSONObject", runtime_schema.FILE(written, (), reading))
    lines = Lines(content)

    def where(place: Place) -> str:
        return f"{path}:{lines.line(place)}"

    if reading.faults:
        raise ManifestError.of(_problems(reading.faults, where))
    secrets, hidden = _problems(reading.secrets, where), {fault.place for fault in reading.secrets}
    providers = [*tables(found, "variables_provider"), *tables(found, "config_provider")]
    static = (name for provider in providers if provider["type"] == "static" for name in table(provider, "values"))
    return RuntimeConfig(
        frozenset(table(found, "key_value_store")),
        frozenset(table(found, "sqlite_database")),
        tuple(str(provider["type"]) for provider in providers),
        frozenset(static),
        secrets,
        without_comments(content) if written and not secrets else "",
        any(_is_over_tls(entry) for entry in _typed_tables(found)),
        tuple(PodPath(name, is_written, where(place)) for name, is_written, place in _paths(found)),
        tuple(
            KeylessCosmos(label, account, where(place))
            for label, account, place in _keyless_cosmos(found)
            if (*place, "account") not in hidden
        ),
        tuple(
            AmbientVault(url, where(place))
            for url, place in _ambient_vaults(found)
            if (*place, "vault_url") not in hidden
        ),
    )


def _problems(faults: list[Fault], where: Callable[[Place], str]) -> tuple[Problem, ...]:
    return tuple(Problem(fault.what, where(fault.place), fault.hint) for fault in faults)


def _typed_tables(found: JSONObject) -> Iterator[JSONObject]:
    for key in ("key_value_store", "sqlite_database"):
        stores = table(found, key)
        yield from (table(stores, label) for label in stores)
    yield from tables(found, "variables_provider")
    yield from tables(found, "config_provider")
    yield table(found, "llm_compute")


def _is_over_tls(entry: JSONObject) -> bool:
    return entry.get("type") in _OVER_TLS or str(entry.get("url", "")).lower().startswith(("https:", "rediss:"))


def _keyless_cosmos(found: JSONObject) -> Iterator[tuple[str, str, Place]]:
    stores = table(found, "key_value_store")
    for label in stores:
        store = table(stores, label)
        if store["type"] == "azure_cosmos" and "key" not in store:
            yield label, str(store["account"]), ("key_value_store", label)


def _ambient_vaults(found: JSONObject) -> Iterator[tuple[str, Place]]:
    """An empty credential is one, too: Spin would sign in with it."""
    for key in ("variables_provider", "config_provider"):
        for index, provider in enumerate(tables(found, key)):
            if provider["type"] == "azure_key_vault" and provider.keys().isdisjoint(VAULT_CREDENTIALS):
                yield str(provider["vault_url"]), (key, index)


def _in_pod(path: JSON) -> str:
    return posixpath.normpath(posixpath.join("/", str(path)))


def _paths(found: JSONObject) -> Iterator[tuple[str, bool, Place]]:
    """What it names in the pod's file system; relative ones begin at the file's own folder, which is `/`."""
    if found.get("state_dir"):
        yield _in_pod(found["state_dir"]), True, ("state_dir",)
    for key in ("key_value_store", "sqlite_database"):
        stores = table(found, key)
        for label in stores:
            name = table(stores, label).get("path")
            if table(stores, label)["type"] == "spin" and name:
                yield _in_pod(name), True, (key, label, "path")
    for index, entry in enumerate(tables(found, "client_tls")):
        for key in CLIENT_TLS_FILES:
            if entry.get(key):
                yield _in_pod(entry[key]), False, ("client_tls", index, key)
