"""runtime-config.toml: which stores, databases and sources of variables a runtime is given.

Spin reads it once, at the start, interpolates nothing, and does not start if it holds a top-level key that it does not
know (crates/runtime-config of Spin 3.0 and later, crates/trigger/src/runtime_config.rs before). The containerd shim
takes it from `/runtime-config.toml`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from spin_aks.errors import ManifestError, Problem
from spin_aks.spin.lines import Lines
from spin_aks.spin.normalise import table, tables
from spin_aks.spin.shapes import (
    Field,
    Place,
    Reading,
    Shape,
    array,
    boolean,
    free,
    free_table,
    kind_of,
    record,
    ruled_text,
    table_of,
    text,
)
from spin_aks.spin.toml import document
from spin_aks.spin.versions import NEWEST_SPIN, Version, nearest_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from spin_aks.json_types import JSON, JSONObject

_KEYLESS_COSMOS_SINCE = Version(2, 7)
_AMBIENT_VAULT_SINCE = Version(3)
_AUTHORITIES = ("AzurePublicCloud", "AzureChina", "AzureGermany", "AzureGovernment")
_VAULT_CREDENTIALS = ("client_id", "client_secret", "tenant_id")


@dataclass(frozen=True, slots=True)
class RuntimeConfig:
    """What is configured: labels of stores and databases, types of variable providers, what `static` ones give."""

    key_value_stores: frozenset[str] = frozenset()
    sqlite_databases: frozenset[str] = frozenset()
    providers: tuple[str, ...] = ()
    static_variables: frozenset[str] = frozenset()

    @property
    def may_supply_any_variable(self) -> bool:
        """Whether a provider is asked whose answers are not known here."""
        return any(provider != "static" for provider in self.providers)


NOTHING = RuntimeConfig()


def read(path: Path, *, spin: Version = NEWEST_SPIN) -> RuntimeConfig:
    """What the file at `path` configures, as that Spin reads it; nothing if there is no file.

    Raises ManifestError with every problem, each with `PATH:LINE`.
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
    found = cast("JSONObject", _FILE(written, (), reading))
    if reading.faults:
        lines = Lines(content)
        problems = [Problem(fault.what, f"{path}:{lines.line(fault.place)}", fault.hint) for fault in reading.faults]
        raise ManifestError.of(problems)
    providers = [*tables(found, "variables_provider"), *tables(found, "config_provider")]
    static = (name for provider in providers if provider["type"] == "static" for name in table(provider, "values"))
    return RuntimeConfig(
        frozenset(table(found, "key_value_store")),
        frozenset(table(found, "sqlite_database")),
        tuple(str(provider["type"]) for provider in providers),
        frozenset(static),
    )


def _typed(kind: str, types: Mapping[str, tuple[Version, Shape]]) -> Shape:
    """A table whose `type` decides what else it holds."""

    def check(value: object, place: Place, reading: Reading) -> JSON:
        name = value.get("type") if isinstance(value, dict) else None
        known = tuple(known for known, (since, _) in types.items() if since <= reading.spin)
        if isinstance(name, str) and name in known:
            return types[name][1](value, place, reading)
        if isinstance(name, str) and name in types:
            since = types[name][0]
            hint = f"Spin {since.short} brought it; this is judged as Spin {reading.spin}"
            reading.fault((*place, "type"), f"`{name}` is unknown as a {kind}", hint)
        elif isinstance(name, str):
            near = nearest_name(name, known)
            hint = f"did you mean `{near}`?" if near else "it is one of " + ", ".join(f"`{item}`" for item in known)
            reading.fault((*place, "type"), f"`{name}` is unknown as a {kind}", hint)
        else:
            hint = "it is one of " + ", ".join(f"`{item}`" for item in known)
            reading.fault(place, f"a {kind} has to be a table with a `type`", hint)
        return None

    return check


def _fields(*required: str, **optional: Shape) -> dict[str, Field]:
    named = {name: Field(text, required=True) for name in ("type", *required)}
    return named | {name: Field(shape, keep_empty=True) for name, shape in optional.items()}


def _open(*required: str, **optional: Shape) -> Shape:
    """Keys it does not know are ignored by Spin."""
    return record(_fields(*required, **optional), rest=free)


def _cosmos(value: object, place: Place, reading: Reading) -> JSON:
    keyless = reading.spin >= _KEYLESS_COSMOS_SINCE
    store = _open("account", "database", "container", key=text)(value, place, reading)
    if not keyless and isinstance(value, dict) and "key" not in value:
        hint = f"without one, Spin 2.7 and later use workload identity; this is judged as Spin {reading.spin}"
        reading.fault(place, "the store has no `key`", hint)
    return store


def _authority(name: str, _reading: Reading) -> str:
    return "" if name in _AUTHORITIES else f"`{name}` is no authority: it is one of {', '.join(_AUTHORITIES)}"


def _azure_key_vault(value: object, place: Place, reading: Reading) -> JSON:
    optional = dict.fromkeys(_VAULT_CREDENTIALS, text) | {"authority_host": ruled_text(_authority)}
    provider = record(_fields("vault_url", **optional))(value, place, reading)
    missing = [name for name in _VAULT_CREDENTIALS if isinstance(value, dict) and name not in value]
    ambient = reading.spin >= _AMBIENT_VAULT_SINCE
    if missing and not (ambient and len(missing) == len(_VAULT_CREDENTIALS)):
        hint = (
            "give all three, or none of them to use workload identity" if ambient else "Spin needs all three before 3.0"
        )
        reading.fault(place, "the vault has no " + ", ".join(f"`{name}`" for name in missing), hint)
    return provider


_STORE = _typed(
    "key-value store",
    {
        "spin": (Version(0), _open(path=text)),
        "redis": (Version(1), _open("url")),
        "azure_cosmos": (Version(1, 3), _cosmos),
        "aws_dynamo": (Version(3, 1), _open("region", "table")),
    },
)
_DATABASE = _typed(
    "database", {"spin": (Version(1, 3), _open(path=text)), "libsql": (Version(1, 4), _open("url", "token"))}
)
_PROVIDER = _typed(
    "provider of variables",
    {
        "vault": (Version(0), _open("url", "token", "mount", prefix=text)),
        "azure_key_vault": (Version(2, 5), _azure_key_vault),
        "static": (Version(3), record({**_fields(), "values": Field(table_of(text), required=True)})),
        "env": (Version(3), _open(prefix=text, dotenv_path=text)),
    },
)
_LLM = _typed(
    "source of inference",
    {"spin": (Version(1, 5), _open()), "remote_http": (Version(1, 5), _open("url", "auth_token"))},
)
_NETWORKS = record({"block_networks": Field(array(text)), "allow_networks": Field(array(text))}, rest=free)


def _bytes(value: object, place: Place, reading: Reading) -> JSON:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    reading.fault(place, f"`{place[-1]}` has to be a number of bytes, not {kind_of(value)}")
    return None


_FILE = record(
    {
        "key_value_store": Field(table_of(_STORE)),
        "sqlite_database": Field(table_of(_DATABASE), since=Version(1, 3)),
        "variables_provider": Field(array(_PROVIDER), since=Version(2)),
        "config_provider": Field(array(_PROVIDER)),
        "llm_compute": Field(_LLM, since=Version(1, 5)),
        "state_dir": Field(text),
        "log_dir": Field(text),
        "client_tls": Field(array(free_table), since=Version(2)),
        "outbound_http": Field(record({"connection_pooling": Field(boolean)}, rest=free), since=Version(3)),
        "outbound_networking": Field(_NETWORKS, since=Version(3)),
        "max_instance_memory": Field(_bytes, since=Version(3)),
    }
)
