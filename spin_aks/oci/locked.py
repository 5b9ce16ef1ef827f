"""The locked application: what a Spin artifact says of itself, and what the shim runs from (`/spin.json`).

The bytes are those that `spin registry push` of Spin 3.6.3 writes, but for the order of a component's files, which Spin
takes from the file system and we from their names.
Sources: spin, crates/locked-app/src/locked.rs (order and names of the fields), crates/loader/src/local.rs (what goes
into them), crates/oci/src/client.rs (content that is small enough stands inside).
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks.spin.hosts import is_service_chaining

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spin_aks.json_types import JSON, JSONObject
    from spin_aks.spin.model import Application, Build, Component, Trigger, Variable


@dataclass(frozen=True, slots=True)
class Content:
    """A file of a component, seen as `path`; `inline` is its content where that travels inside the document."""

    path: str
    digest: str
    inline: bytes | None = None


def document(app: Application, wasm: Mapping[str, str], files: Mapping[str, tuple[Content, ...]]) -> bytes:
    """The document for `app`; `wasm` has the digest of each component's wasm by its id, `files` what it sees."""
    components = [_component(app, entry, wasm[entry.id], files.get(entry.id, ())) for entry in app.components]
    chains = any("host_requirements" in component for component in components)
    locked: JSONObject = {"spin_lock_version": 1 if chains else 0}
    if chains:
        locked["must_understand"] = ["component_host_requirements"]
    locked["metadata"] = _metadata(app)
    if app.variables:
        ordered = sorted(app.variables, key=lambda variable: variable.name)
        locked["variables"] = {variable.name: _variable(variable) for variable in ordered}
    locked["triggers"] = [_trigger(trigger) for trigger in app.triggers]
    locked["components"] = list(components)
    return json.dumps(locked, ensure_ascii=False, separators=(",", ":")).encode()


def _metadata(app: Application) -> JSON:
    described: JSONObject = {
        "name": app.name,
        "version": app.version,
        "description": app.description,
        "authors": list(app.authors),
    }
    metadata: JSONObject = {key: value for key, value in described.items() if value}
    metadata["triggers"] = {kind: dict(settings) for kind, settings in app.trigger_settings.items()}
    if len(app.trigger_types) == 1:
        kind = app.trigger_types[0]
        metadata["trigger"] = {**app.trigger_settings.get(kind, {}), "type": kind}
    return _sorted(metadata)


def _variable(variable: Variable) -> JSONObject:
    locked: JSONObject = {}
    if variable.description:
        locked["description"] = variable.description
    if variable.default is not None:
        locked["default"] = variable.default
    if variable.secret:
        locked["secret"] = True
    return locked


def _trigger(trigger: Trigger) -> JSONObject:
    settings = dict(trigger.config)
    if trigger.component is not None:
        settings["component"] = trigger.component
    return {"id": trigger.id, "trigger_type": trigger.type, "trigger_config": _sorted(settings)}


def _component(app: Application, component: Component, digest: str, files: tuple[Content, ...]) -> JSONObject:
    metadata: JSONObject = {
        "description": component.description,
        "allowed_outbound_hosts": list(component.allowed_outbound_hosts),
        "key_value_stores": list(component.key_value_stores),
        "databases": list(component.sqlite_databases),
        "ai_models": list(component.ai_models),
        "build": _build(app, component.id, component.build),
    }
    chains = any(is_service_chaining(host) for host in component.allowed_outbound_hosts)
    locked: JSONObject = {
        "id": component.id,
        "metadata": _sorted({key: value for key, value in metadata.items() if value}),
        "source": {"content_type": "application/wasm", "digest": digest},
        "env": _sorted(dict(component.environment)),
        "files": [_content(file) for file in files],
        "config": _sorted(dict(component.variables)),
        "host_requirements": {"local_service_chaining": "required"} if chains else {},
    }
    return {key: value for key, value in locked.items() if value}


def _build(app: Application, component_id: str, build: Build | None) -> JSON:
    if build is None:
        return None
    locked: JSONObject = {"command": list(build.commands), "workdir": build.workdir, "watch": list(build.watch)}
    if len(build.commands) == 1 and not _is_written_as_list(app, component_id):
        locked["command"] = build.commands[0]
    return {key: value for key, value in locked.items() if value}


def _is_written_as_list(app: Application, component_id: str) -> bool:
    match app.normalised:
        case {"component": dict(components)}:
            match components.get(component_id):
                case {"build": {"command": list()}}:
                    return True
    return False


def _content(content: Content) -> JSONObject:
    locked: JSONObject = {"digest": content.digest, "path": content.path}
    if content.inline is not None:
        return {"inline": base64.b64encode(content.inline).decode().rstrip("="), **locked}
    return locked


def _sorted(value: JSON) -> JSON:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_sorted(item) for item in value]
    return value
