"""What a runtime-config.toml may hold, as each Spin reads it, and which of its values are secrets.

Sources, at the tags of the releases: crates/trigger/src/runtime_config.rs and below until 2.7; from 3.0 on
crates/runtime-config, crates/key-value-*, crates/sqlite, crates/variables-*, crates/factor-llm and
crates/factor-outbound-networking.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.spin.runtime_secrets import address, others, secret
from spin_aks.spin.shapes import (
    Field,
    Place,
    Reading,
    Shape,
    array,
    boolean,
    kind_of,
    record,
    ruled_text,
    table_of,
)
from spin_aks.spin.versions import Version, nearest_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spin_aks.json_types import JSON
    from spin_aks.spin.runtime_secrets import WayOut

_KEYLESS_COSMOS_SINCE = Version(2, 7)
_AMBIENT_VAULT_SINCE = Version(3)
_AUTHORITIES = ("AzurePublicCloud", "AzureChina", "AzureGermany", "AzureGovernment")
CLIENT_TLS_FILES = (
    "custom_root_ca_file",
    "cert_chain_file",
    "private_key_file",
    "ca_roots_file",
    "client_cert_file",
    "client_private_key_file",
)
"""Keys of `[[client_tls]]` that name a file: the first three are Spin 2.x's, the last two those of 3.0 and later."""

VAULT_CREDENTIALS = ("client_id", "client_secret", "tenant_id")


def _always(hint: str) -> WayOut:
    return lambda _spin: hint


_plain = address(_always("take it out of there"))


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
    named = {name: Field(_plain, required=True) for name in ("type", *required)}
    return named | {name: Field(shape, keep_empty=True) for name, shape in optional.items()}


def _open(*required: str, **optional: Shape) -> Shape:
    """Keys it does not know are ignored by Spin."""
    return record(_fields(*required, **optional), rest=others)


def _required(*texts: str, optional: Mapping[str, Shape] | None = None, **shapes: Shape) -> Shape:
    fields = _fields(*texts, **(optional or {}))
    return record(fields | {name: Field(shape, required=True) for name, shape in shapes.items()}, rest=others)


def _with_identity(since: Version, keys: str) -> WayOut:
    """Without `keys` Spin takes the pod's own identity, from the Spin on that can."""

    def way_out(spin: Version) -> str:
        then = f"take {keys} out: Spin then uses workload identity"
        return then if spin >= since else f"target shim 0.17.0 or later, and {then}"

    return way_out


_KEYLESS = _with_identity(_KEYLESS_COSMOS_SINCE, "`key`")
_AMBIENT = _with_identity(_AMBIENT_VAULT_SINCE, ", ".join(f"`{name}`" for name in VAULT_CREDENTIALS))
_AWS = _always("take `access_key`, `secret_key` and `token` out: Spin then takes the pod's own AWS identity")
_REDIS = _always(
    "use a Redis without password that only the cluster can reach, or `azure_cosmos` with workload identity"
    " (shim 0.17.0 or later)"
)
_VAULT = _always("use `azure_key_vault` with workload identity (shim 0.17.0 or later)")
_STATIC = _always("give plain values with `--variable NAME=VALUE`, and take secret ones from `azure_key_vault`")
_TOKEN = _always('give it an empty token (`""`) where the server wants none, or do without it')


_COSMOS = _open("account", "database", "container", key=secret(_KEYLESS))


def _cosmos(value: object, place: Place, reading: Reading) -> JSON:
    keyless = reading.spin >= _KEYLESS_COSMOS_SINCE
    store = _COSMOS(value, place, reading)
    if not keyless and isinstance(value, dict) and "key" not in value:
        hint = f"without one, Spin 2.7 and later use workload identity; this is judged as Spin {reading.spin}"
        reading.fault(place, "the store has no `key`", hint)
    return store


def _authority(name: str, _reading: Reading) -> str:
    return "" if name in _AUTHORITIES else f"`{name}` is no authority: it is one of {', '.join(_AUTHORITIES)}"


_KEY_VAULT = record(
    {
        **_fields(client_id=_plain, client_secret=secret(_AMBIENT), tenant_id=_plain),
        "vault_url": Field(address(_AMBIENT), required=True),
        "authority_host": Field(ruled_text(_authority), keep_empty=True),
    }
)


def _azure_key_vault(value: object, place: Place, reading: Reading) -> JSON:
    provider = _KEY_VAULT(value, place, reading)
    missing = [name for name in VAULT_CREDENTIALS if isinstance(value, dict) and name not in value]
    ambient = reading.spin >= _AMBIENT_VAULT_SINCE
    if missing and not (ambient and len(missing) == len(VAULT_CREDENTIALS)):
        hint = (
            "give all three, or none of them to use workload identity" if ambient else "Spin needs all three before 3.0"
        )
        reading.fault(place, "the vault has no " + ", ".join(f"`{name}`" for name in missing), hint)
    return provider


_STORE = _typed(
    "key-value store",
    {
        "spin": (Version(0), _open(path=_plain)),
        "redis": (Version(1), _required(url=address(_REDIS))),
        "azure_cosmos": (Version(1, 3), _cosmos),
        "aws_dynamo": (
            Version(3, 1),
            _open("region", "table", access_key=secret(_AWS), secret_key=secret(_AWS), token=secret(_AWS)),
        ),
    },
)
_DATABASE = _typed(
    "database",
    {
        "spin": (Version(1, 3), _open(path=_plain)),
        "libsql": (Version(1, 4), _required(url=address(_TOKEN), token=secret(_TOKEN))),
    },
)
_PROVIDER = _typed(
    "provider of variables",
    {
        "vault": (
            Version(0),
            _required("mount", optional={"prefix": _plain}, url=address(_VAULT), token=secret(_VAULT)),
        ),
        "azure_key_vault": (Version(2, 5), _azure_key_vault),
        "static": (Version(3), record({**_fields(), "values": Field(table_of(secret(_STATIC)), required=True)})),
        "env": (Version(3), _open(prefix=_plain, dotenv_path=_plain)),
    },
)
_LLM = _typed(
    "source of inference",
    {
        "spin": (Version(1, 5), _open()),
        "remote_http": (Version(1, 5), _required(url=address(_TOKEN), auth_token=secret(_TOKEN))),
    },
)
_CLIENT_TLS = record(dict.fromkeys(CLIENT_TLS_FILES, Field(_plain)), rest=others)
_NETWORKS = record({"block_networks": Field(array(_plain)), "allow_networks": Field(array(_plain))}, rest=others)


def _bytes(value: object, place: Place, reading: Reading) -> JSON:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    reading.fault(place, f"`{place[-1]}` has to be a number of bytes, not {kind_of(value)}")
    return None


FILE = record(
    {
        "key_value_store": Field(table_of(_STORE)),
        "sqlite_database": Field(table_of(_DATABASE), since=Version(1, 3)),
        "variables_provider": Field(array(_PROVIDER), since=Version(2)),
        "config_provider": Field(array(_PROVIDER)),
        "llm_compute": Field(_LLM, since=Version(1, 5)),
        "state_dir": Field(_plain),
        "log_dir": Field(_plain),
        "client_tls": Field(array(_CLIENT_TLS), since=Version(2)),
        "outbound_http": Field(record({"connection_pooling": Field(boolean)}, rest=others), since=Version(3)),
        "outbound_networking": Field(_NETWORKS, since=Version(3)),
        "max_instance_memory": Field(_bytes, since=Version(3)),
    }
)
