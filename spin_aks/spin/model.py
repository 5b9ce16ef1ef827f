"""A Spin application as every other room sees it, whichever manifest version it was written in.

Made by `spin_aks.spin.manifest.read`. Orders are the file's: components, triggers, variables.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from spin_aks.json_types import JSON
    from spin_aks.spin.lines import Lines
    from spin_aks.spin.shapes import Place


@dataclass(frozen=True, slots=True)
class LocalSource:
    """A wasm file; `path` is relative to the folder of spin.toml."""

    path: str


@dataclass(frozen=True, slots=True)
class RemoteSource:
    """A wasm file to fetch; `digest` is `sha256:` and 64 hexadecimal digits."""

    url: str
    digest: str


@dataclass(frozen=True, slots=True)
class PackageSource:
    """A package of a wasm registry (Spin >= 2.6); `registry` is empty for the default one; `version` is exact."""

    package: str
    version: str
    registry: str = ""


Source: TypeAlias = LocalSource | RemoteSource | PackageSource


@dataclass(frozen=True, slots=True)
class FilePattern:
    """An entry of `files` that is a string: a path or a glob, relative to the folder of spin.toml."""

    pattern: str


@dataclass(frozen=True, slots=True)
class FilePlacement:
    """An entry of `files` that is a table: `source` (file or folder) appears in the component as `destination`."""

    source: str
    destination: str


Files: TypeAlias = tuple[FilePattern | FilePlacement, ...]


@dataclass(frozen=True, slots=True)
class Build:
    """How to compile it: `commands` in order, each by the shell in `workdir` (relative to spin.toml's folder)."""

    commands: tuple[str, ...]
    workdir: str = ""
    watch: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """What `profile.NAME` of a component changes (Spin >= 4.0); None leaves the component's own."""

    source: Source | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    commands: tuple[str, ...] | None = None
    dependencies: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Component:
    """`allowed_outbound_hosts` are those Spin's loader sees: what `allowed_http_hosts` allows is converted and added.

    `place` is the way to it in the file (see `Application.where`), as it is of a variable and of a trigger.
    """

    id: str
    source: Source
    description: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Files = ()
    exclude_files: tuple[str, ...] = ()
    allowed_outbound_hosts: tuple[str, ...] = ()
    key_value_stores: tuple[str, ...] = ()
    sqlite_databases: tuple[str, ...] = ()
    ai_models: tuple[str, ...] = ()
    build: Build | None = None
    dependencies: Mapping[str, JSON] = field(default_factory=dict)
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    place: Place = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Variable:
    """An application variable: `default` is None where the manifest gives none (`""` is a default)."""

    name: str
    required: bool = False
    default: str | None = None
    secret: bool = False
    description: str = ""
    place: Place = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Trigger:
    """One `[[trigger.TYPE]]`: `component` is the id it runs, None for one that runs none (`static_response`).

    `config` is all but `id` and `component`, as the manifest has it (http: `route`, `executor`; redis: `channel`).
    """

    type: str
    id: str
    component: str | None
    config: Mapping[str, JSON]
    place: Place = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Application:
    """`path` is the manifest as the user named it; `manifest_version` the one it is written in (1 or 2).

    `trigger_settings` are the tables of `[application.trigger.TYPE]`; `normalised` is the whole manifest as Spin's own
    parser gives it (always in version 2's form), for whoever needs a field that has no name here; `text` is the file's,
    without a byte order mark.
    """

    path: Path
    manifest_version: int
    name: str
    version: str
    description: str
    authors: tuple[str, ...]
    trigger_settings: Mapping[str, Mapping[str, JSON]]
    variables: tuple[Variable, ...]
    triggers: tuple[Trigger, ...]
    components: tuple[Component, ...]
    normalised: Mapping[str, JSON]
    text: str = field(default="", repr=False, compare=False)

    @property
    def root(self) -> Path:
        """The folder of the manifest: what every relative path in it is relative to."""
        return self.path.parent

    @property
    def trigger_types(self) -> tuple[str, ...]:
        """The types of trigger it uses, each once, in the file's order."""
        return tuple(dict.fromkeys(trigger.type for trigger in self.triggers))

    @property
    def serves_http(self) -> bool:
        """Whether it listens for HTTP requests: what has a port, a Service and a health path."""
        return "http" in self.trigger_types

    @property
    def lines(self) -> Lines:
        """Where in `text` a place stands: not looked for before somebody asks."""
        from spin_aks.spin import lines

        return lines.of(self.text)

    def where(self, place: Place) -> str:
        """`PATH:LINE` of what stands at `place`: a `place` of a component, trigger or variable, with keys added."""
        return f"{self.path}:{self.lines.line(place)}"

    def component(self, component_id: str) -> Component:
        """The component of that id; raises KeyError if there is none."""
        for component in self.components:
            if component.id == component_id:
                return component
        raise KeyError(component_id)
