"""What every stage may know: the settings, the application, where state is kept, and what was observed outside."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from spin_aks import files, observation, settings
from spin_aks.consent import Consent
from spin_aks.lock import Lock
from spin_aks.record import Record
from spin_aks.spin import profiles, remembered, versions

if TYPE_CHECKING:
    from collections.abc import Callable

    from spin_aks.observation import Observed
    from spin_aks.settings import Settings
    from spin_aks.spin.model import Application
    from spin_aks.spin.runtime_config import RuntimeConfig
    from spin_aks.spin.versions import Runtime

STATE = Path(".spin-aks")
RUNTIME_CONFIG = Path("runtime-config.toml")


@dataclass(frozen=True, eq=False)
class Context:
    """One run's view of the world. The process stands in the application's root: every path is relative to that.

    `observed` is asked by the stages that depend on something outside; it asks the world once a run.
    `failures` gathers what stages raised, for whoever ran them.
    """

    settings: Settings
    consent: Consent = field(default_factory=Consent)
    observed: Callable[[], Observed] = observation.nothing
    failures: list[Exception] = field(default_factory=list)

    @cached_property
    def written(self) -> Application:
        """The application as the manifest has it, whatever the profile; raises ManifestError."""
        return remembered.read(Path(self.settings.manifest), keep=self.lock.is_ours)

    @cached_property
    def application(self) -> Application:
        """The application with the chosen profile in force.

        Raises ManifestError, and UsageError for a profile that no component has.
        """
        return profiles.applied(self.written, self.settings.profile) if self.settings.profile else self.written

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
    def database(self) -> Path:
        return self.state("doit.db")

    def claim(self) -> None:
        """Makes the environment this process's own until it ends; raises LockedError if it is another's."""
        self.lock.acquire()
        files.sweep(self.state(""))
        files.write(STATE / ".gitignore", "*\n")

    def state(self, name: str) -> Path:
        """The path of `name` in the environment's state folder, git-ignored as a whole."""
        return STATE / self.settings.environment / name


_current: list[Context] = []


def use(context: Context) -> None:
    """Makes `context` the one that the pipeline is loaded with."""
    _current[:] = [context]


def current() -> Context:
    """The context in use; under plain `doit`, the one that the environment's variables describe."""
    if not _current:
        _, rooted = settings.rooted(settings.read({}, os.environ))
        use(Context(rooted))
    return _current[0]
