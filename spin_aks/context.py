"""What every stage may know: the settings, the application, where state is kept, and what was observed outside."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from spin_aks import files, observation
from spin_aks.consent import Consent
from spin_aks.errors import UsageError
from spin_aks.lock import Lock
from spin_aks.record import Record
from spin_aks.spin import remembered, versions

if TYPE_CHECKING:
    from collections.abc import Callable

    from spin_aks.azure.session import Session
    from spin_aks.json_types import JSONObject
    from spin_aks.observation import Observed
    from spin_aks.settings import Settings
    from spin_aks.settings.loaded import Loaded
    from spin_aks.spin.model import Application
    from spin_aks.spin.runtime_config import RuntimeConfig
    from spin_aks.spin.versions import Runtime

STATE = Path(".spin-aks")
OWNER = "configuration.json"
RUNTIME_CONFIG = Path("runtime-config.toml")


@dataclass(frozen=True, eq=False)
class Context:
    """One run's view of the world. The process stands in the application's root: every path is relative to that.

    `environment_folder` is where the environment's state is kept. `loaded` says who gave the settings; None where they
    were made by hand. `observed` is asked by the stages that depend on something outside; it asks the world once a run.
    `failures` gathers what stages raised, for whoever ran them. `tenant` goes before what is known from an earlier run;
    `signed_in` has the sign-in to Azure, once one was needed.
    """

    settings: Settings
    environment_folder: Path = STATE / "default"
    loaded: Loaded | None = None
    consent: Consent = field(default_factory=Consent)
    observed: Callable[[], Observed] = observation.nothing
    failures: list[Exception] = field(default_factory=list)
    tenant: str | None = None
    signed_in: list[Session] = field(default_factory=list)

    def origin(self, key: str, otherwise: str) -> str:
        """Where the value of this full key was given; `otherwise` where the settings were made by hand."""
        return self.loaded.origin(key).where if self.loaded else otherwise

    @cached_property
    def written(self) -> Application:
        """The application as the manifest has it, whatever the profile; raises ManifestError."""
        return remembered.read(Path(self.settings.manifest), keep=self.lock.is_ours)

    @cached_property
    def application(self) -> Application:
        """The application with the chosen profile in force, under the name that it has in registry and cluster.

        Raises ManifestError, and UsageError for a profile that no component has.
        """
        profile, name = self.settings.profile, self.settings.name
        application = self.written
        if profile:
            from spin_aks.spin import profiles

            application = profiles.applied(application, profile)
        return replace(application, name=name) if name else application

    @cached_property
    def runtime(self) -> Runtime:
        """The target runtime; raises UsageError for a shim that nobody knows."""
        return versions.runtime(self.settings.shim) if self.settings.shim else versions.NEWEST_RUNTIME

    @cached_property
    def configuration(self) -> RuntimeConfig:
        """What runtime-config.toml holds, read by the target or not; raises ManifestError.

        Where the target's Spin reads none, it is judged as the newest would.
        """
        from spin_aks.spin import runtime_config

        spin = self.runtime.spin if self.runtime.runtime_config_path else versions.NEWEST_SPIN
        return runtime_config.read(RUNTIME_CONFIG, spin=spin)

    @property
    def configured(self) -> RuntimeConfig:
        """What of it reaches Spin in the pod; raises ManifestError."""
        return self.configuration.read_by(self.runtime)

    @property
    def azure(self) -> Session:
        """The sign-in to Azure, in the tenant that is pinned, else in the one that has what is named, as far as the
        stage `resources` found out; asks nobody before something is asked of it.
        """
        return self.azure_in(self.settings.cluster_tenant or self.found_tenant)

    def azure_in(self, tenant: str) -> Session:
        """The same sign-in in that tenant; in its own, if that is empty."""
        if not self.signed_in:
            from spin_aks.azure import credential

            self.signed_in.append(credential.sign_in())
        return self.signed_in[0].in_tenant(tenant)

    def in_tenant(self, tenant: str) -> Context:
        """The same view, for who has just found out which tenant is meant."""
        return replace(self, tenant=tenant)

    @property
    def found_tenant(self) -> str:
        """The tenant that has what is named in Azure; empty for the sign-in's own, and before it was found."""
        if self.tenant is not None:
            return self.tenant
        found = (files.read_json(self.state("azure.json")) or {}).get("tenant")
        return found if isinstance(found, str) else ""

    @cached_property
    def lock(self) -> Lock:
        return Lock(self.state("lock"))

    @cached_property
    def folder_lock(self) -> Lock:
        """For stages that touch what all environments share."""
        return Lock(STATE / ".lock")

    @cached_property
    def record(self) -> Record:
        return Record(self.state("record.json"))

    @property
    def environment(self) -> str:
        """What its registry and cluster know this environment by, as its folder does here."""
        return self.environment_folder.name

    @property
    def owner(self) -> str:
        """What tells it from every other that may go by the same name: files of one name in two folders have two."""
        return (self.environment_folder.parent.parent / self.environment).as_posix()

    @property
    def database(self) -> Path:
        return self.state("doit.db")

    def claim(self) -> None:
        """Makes the environment this process's own until it ends; raises LockedError if it is another's, UsageError if
        its state belongs to another configuration.
        """
        self.check_owner()
        self.lock.acquire()
        files.sweep(self.state(""))
        for folder in {STATE, self.environment_folder.parent}:
            files.write(folder / ".gitignore", "*\n")
        files.write_json(self.state(OWNER), self._owner())

    def check_owner(self) -> None:
        """Raises UsageError if the state belongs to another configuration that is there: two never share one."""
        owner = (files.read_json(self.state(OWNER)) or {}).get("configuration")
        if not isinstance(owner, str) or owner in ("", self._configuration_file) or not Path(owner).is_file():
            return
        raise UsageError(
            f"the state of the environment `{self.settings.environment}` belongs to `{owner}`",
            where=self.environment_folder.as_posix(),
            hint=f"`-e NAME` is another environment, `-c {owner}` that configuration; if `{owner}` is no longer meant "
            "for it, remove that folder",
        )

    def _owner(self) -> JSONObject:
        """Whose the state is; each of the files that hold for it, from the application's root."""
        return {"configuration": self._configuration_file, "configurations": list(self.configuration_files)}

    @property
    def configuration_files(self) -> tuple[str, ...]:
        """The file and the overlay that hold, as paths from the application's root."""
        found = self.loaded.files if self.loaded else None
        return tuple(os.path.relpath(path) for path in (found.base, found.overlay) if path) if found else ()

    @property
    def _configuration_file(self) -> str:
        """From the application's root; empty without one."""
        return self.settings.config

    def state(self, name: str) -> Path:
        """The path of `name` in the environment's state folder, git-ignored as a whole."""
        return self.environment_folder / name


def of(root: Path, loaded: Loaded, consent: Consent | None = None) -> Context:
    """The context of what was loaded, for a process that stands in `root`.

    Raises UsageError where the environment has to be named.
    """
    from spin_aks.settings.loaded import home, require_environment

    require_environment(loaded)
    folder = os.path.relpath(home(loaded, root) / STATE / loaded.files.folder_name, root)
    return Context(loaded.settings, Path(folder), loaded, consent or Consent())


_current: list[Context] = []


def use(context: Context) -> None:
    """Makes `context` the one that the pipeline is loaded with."""
    _current[:] = [context]


def current() -> Context:
    """The context in use; under plain `doit`, the one that the environment's variables describe, from its root."""
    if not _current:
        from spin_aks.settings import loaded

        root, rooted = loaded.rooted(loaded.load({}, os.environ, Path.cwd()))
        use(of(root, rooted))
        os.chdir(root)
    return _current[0]
