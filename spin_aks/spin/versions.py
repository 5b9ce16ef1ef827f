"""Which Spin runs on a node: one row for each release of its containerd shim, and what that Spin can do.

Sources: `Cargo.toml` and the README table of spinframework/containerd-shim-spin (0.12 and later) and of
deislabs/containerd-wasm-shims (before), each at its tag, and of spinframework/spin at the tag each of them pins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering
from typing import Literal, TypeAlias

from spin_aks.errors import UsageError

Artifact: TypeAlias = Literal["none", "wasm-only", "full"]

_VERSION = (
    r"v?(?P<major>\d{1,9})(?:\.(?P<minor>\d{1,9}))?(?:\.(?P<patch>\d{1,9}))?"
    r"(?:-(?P<pre>[0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?"
)


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """A release, ordered as semver.org orders them: `pre` is what follows the hyphen, and comes before the release."""

    major: int
    minor: int = 0
    patch: int = 0
    pre: str = ""

    @classmethod
    def parse(cls, text: str) -> Version:
        """Reads `3.6.3`, `v3.6.3`, `3.6`, `4.1.0-pre0`; raises UsageError for anything else."""
        match = re.fullmatch(_VERSION, text.strip(), re.ASCII)
        if match is None:
            raise UsageError(f"`{text}` is not a version", hint="write it as `MAJOR.MINOR.PATCH`, such as `3.6.3`")
        return cls(int(match["major"]), int(match["minor"] or 0), int(match["patch"] or 0), match["pre"] or "")

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}" + (f"-{self.pre}" if self.pre else "")

    def __lt__(self, other: Version) -> bool:
        return self._rank() < other._rank()

    @property
    def short(self) -> str:
        """`4.0` for 4.0.0: how people name the release that brought something."""
        return f"{self.major}.{self.minor}" if not self.patch else str(self)

    def _rank(self) -> tuple[int, int, int, bool, tuple[tuple[bool, int, str], ...]]:
        parts = (part for part in self.pre.split(".") if part)
        pre = tuple((not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts)
        return self.major, self.minor, self.patch, not self.pre, pre


NEWEST_SPIN = Version(4, 0, 2)


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a node can run: `shim` is the release of containerd-shim-spin, `spin` the Spin inside it.

    `date` is as precise as it is known (`YYYY-MM` or `YYYY-MM-DD`). `variable_prefix` is what an application variable's
    name, in upper case, gets in front as a variable of the pod; empty where the shim hands none on.
    `runtime_config_path` is where it reads its configuration in the container; empty where it reads none.
    """

    shim: str
    spin: Version
    date: str
    manifest_versions: frozenset[int]
    variable_prefix: str
    triggers: frozenset[str]
    artifact: Artifact = "none"

    @property
    def version(self) -> Version:
        return Version.parse(self.shim)

    @property
    def multiple_trigger_types(self) -> bool:
        """Whether one application may use several types of trigger."""
        return self.version >= Version(0, 14)

    @property
    def compiles_ahead(self) -> bool:
        """Whether containerd compiles an artifact once a node, instead of the pod at every start."""
        return self.version >= Version(0, 13)

    @property
    def runtime_config_path(self) -> str:
        return "/runtime-config.toml" if self.version >= Version(0, 10) else ""

    @property
    def listen_address_variable(self) -> bool:
        """Whether `SPIN_HTTP_LISTEN_ADDR` moves its HTTP server from `0.0.0.0:80`."""
        return self.version >= Version(0, 15)

    @property
    def retains_components(self) -> bool:
        """Whether `SPIN_COMPONENTS_TO_RETAIN` can run a part of an application."""
        return self.version >= Version(0, 17)

    @property
    def bare_variables(self) -> bool:
        """Whether a pod variable without prefix, in upper case, overrides the application variable of that name."""
        return self.version >= Version(0, 16)

    @property
    def health_path(self) -> str:
        """Where an HTTP application says that it serves."""
        return "/.well-known/spin/health" if self.spin >= Version(0, 7) else "/healthz"

    def __str__(self) -> str:
        return f"shim {self.shim} (Spin {self.spin})"


_V1 = frozenset({1})
_BOTH = frozenset({1, 2})
_HTTP = frozenset({"http"})
_REDIS = _HTTP | {"redis"}
_SQS = _REDIS | {"sqs"}
_COMMAND = _SQS | {"command"}
_ALL = _COMMAND | {"mqtt"}


def _row(
    shim: str,
    spin: str,
    date: str,
    triggers: frozenset[str],
    *,
    manifests: frozenset[int] = _BOTH,
    prefix: str = "SPIN_VARIABLE_",
    artifact: Artifact = "full",
) -> Runtime:
    return Runtime(shim, Version.parse(spin), date, manifests, prefix, triggers, artifact)


def _old(shim: str, spin: str, date: str, *, prefix: str = "", triggers: frozenset[str] = _HTTP) -> Runtime:
    return _row(shim, spin, date, triggers, manifests=_V1, prefix=prefix, artifact="none")


# Before 0.9.0 Spin ran as a thread of the shim, which never took the container's variables over: no prefix reaches it.
# 0.3.1 to 0.3.3 and 0.6.0 pin commits of Spin, not releases; the nearest release stands here.
RUNTIMES: tuple[Runtime, ...] = (
    _old("0.1.0", "0.4.0", "2022-09"),
    _old("0.2.0", "0.4.0", "2022-09"),
    _old("0.3.0", "0.4.0", "2022-10"),
    _old("0.3.1", "0.6.0", "2022-10"),
    _old("0.3.2", "0.6.0", "2022-10"),
    _old("0.3.3", "0.6.0", "2022-10"),
    _old("0.4.0", "0.9.0", "2023-02"),
    _old("0.5.0", "0.9.0", "2023-03"),
    _old("0.5.1", "1.0.0", "2023-03-22"),
    _old("0.6.0", "1.2.0-pre0", "2023-05"),
    _old("0.7.0", "1.3.0", "2023-06"),
    _old("0.8.0", "1.4.0", "2023-07"),
    _old("0.9.0", "1.4.1", "2023-09", prefix="SPIN_CONFIG_", triggers=_REDIS),
    _old("0.9.1", "1.4.1", "2023-09", prefix="SPIN_CONFIG_", triggers=_REDIS),
    _old("0.9.2", "1.5.0", "2023-10", prefix="SPIN_CONFIG_", triggers=_REDIS),
    _row("0.9.3", "2.0.0", "2023-11-08", _REDIS, artifact="none"),
    _row("0.10.0", "2.0.1", "2023-11-14", _REDIS, artifact="wasm-only"),
    _row("0.11.0", "2.2.0", "2024-02", _SQS, artifact="wasm-only"),
    _row("0.11.1", "2.2.0", "2024-02", _SQS, artifact="wasm-only"),
    _row("0.12.0", "2.2.0", "2024-03-11", _SQS),
    _row("0.13.0", "2.3.1", "2024-03", _SQS),
    _row("0.13.1", "2.3.1", "2024-03", _SQS),
    _row("0.14.0", "2.4.2", "2024-05", _COMMAND),
    _row("0.14.1", "2.4.3", "2024-05", _COMMAND),
    _row("0.15.0", "2.6.0", "2024-06", _COMMAND),
    _row("0.15.1", "2.6.0", "2024-07", _COMMAND),
    _row("0.16.0", "2.6.0", "2024-10", _ALL),
    _row("0.17.0", "3.0.0", "2024-11-08", _ALL),
    _row("0.18.0", "3.1.2", "2025-01", _ALL),
    _row("0.19.0", "3.2.0", "2025-03", _ALL),
    _row("0.20.0", "3.3.1", "2025-06", _ALL),
    _row("0.21.0", "3.4.0", "2025-08", _ALL),
    _row("0.22.0", "3.5.0", "2025-11", _ALL),
    _row("0.23.0", "3.6.2", "2026-02-26", _ALL),
    _row("0.24.0", "3.6.3", "2026-04-11", _ALL),
)
NEWEST_RUNTIME = RUNTIMES[-1]


def runtime(shim: str) -> Runtime:
    """The row of that shim (`0.24.0`, `v0.24.0`, `0.24`); raises UsageError, naming the nearest, if there is none."""
    version = Version.parse(shim)
    for row in RUNTIMES:
        if row.version == version:
            return row
    raise UsageError(
        f"no containerd-shim-spin `{shim}` is known",
        hint=f"the nearest known is `{_nearest(version).shim}`; they go from {RUNTIMES[0].shim} to {RUNTIMES[-1].shim}",
    )


def first_runtime(spin: Version) -> Runtime | None:
    """The oldest shim that runs `spin` or later; None while there is none."""
    return next((row for row in RUNTIMES if row.spin >= spin), None)


def nearest_name(name: str, known: frozenset[str] | tuple[str, ...]) -> str:
    """The one of `known` that `name` was probably meant to be; empty if none comes near."""
    import difflib

    return next(iter(difflib.get_close_matches(name, sorted(known), n=1)), "")


def _nearest(version: Version) -> Runtime:
    older = [row for row in RUNTIMES if row.version < version]
    return older[-1] if older else RUNTIMES[0]
