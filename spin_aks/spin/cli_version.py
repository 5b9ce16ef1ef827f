"""The Spin CLI: where it is and which version it has.

Spin gives its plugins `SPIN_VERSION` and `SPIN_BIN_PATH` (src/commands/external.rs, Spin 1.0 and later); without them
it is the `spin` of the PATH, asked with `--version`.
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from spin_aks.errors import SpinAksError, UsageError
from spin_aks.spin.versions import Version

if TYPE_CHECKING:
    from collections.abc import Mapping

_ONE_COMPONENT_SINCE = Version(1, 3)
_COMPOSES_SINCE = Version(3, 2)


@dataclass(frozen=True, slots=True)
class SpinCli:
    """An executable that is there."""

    path: str
    version: Version


def find(environment: Mapping[str, str] = os.environ) -> SpinCli | None:
    """The Spin CLI that a build would use; None where there is none.

    Raises UsageError if `SPIN_BIN_PATH` or `SPIN_VERSION` says what can't be, or if it does not answer like Spin.
    """
    path = _path(environment)
    if path is None:
        return None
    said = environment.get("SPIN_VERSION", "")
    if said:
        return SpinCli(path, _parse(said, "`SPIN_VERSION`"))
    stat = Path(path).stat()
    return SpinCli(path, _asked(path, stat.st_size, stat.st_mtime_ns))


def version(environment: Mapping[str, str] = os.environ) -> Version | None:
    """The CLI's version: what `SPIN_VERSION` says, else what the executable answers; None where neither is there."""
    said = environment.get("SPIN_VERSION", "")
    if said:
        return _parse(said, "`SPIN_VERSION`")
    found = find(environment)
    return found.version if found else None


def identity(environment: Mapping[str, str] = os.environ) -> str:
    """What tells one CLI from another without starting it: its path, size, time of change, and `SPIN_VERSION`.

    Empty where there is neither a CLI nor that variable.
    """
    path = _path(environment)
    if path is None:
        return environment.get("SPIN_VERSION", "")
    stat = Path(path).stat()
    return " ".join((path, str(stat.st_size), str(stat.st_mtime_ns), environment.get("SPIN_VERSION", ""))).rstrip()


def can_build_one_component(cli: Version) -> bool:
    """Whether `spin build -c ID` is known to it: below 1.3 it builds all or nothing."""
    return cli >= _ONE_COMPONENT_SINCE


def can_compose(cli: Version) -> bool:
    """Whether `spin registry push` composes component dependencies: an older one pushes what no shim can run."""
    return cli >= _COMPOSES_SINCE


def _path(environment: Mapping[str, str]) -> str | None:
    named = environment.get("SPIN_BIN_PATH", "")
    if not named:
        return shutil.which("spin", path=environment.get("PATH"))
    if not Path(named).is_file():
        raise UsageError(
            f"`SPIN_BIN_PATH` names `{named}`, which is no file", hint="set it to the Spin CLI, or unset it"
        )
    return named


@lru_cache
def _asked(path: str, _size: int, _mtime_ns: int) -> Version:
    from spin_aks import process

    try:
        answer = process.capture(process.Command((path, "--version")), timeout_s=20.0)
    except SpinAksError as error:
        raise UsageError(
            f"`{path} --version` does not answer: {error}", hint="set `SPIN_BIN_PATH` to a Spin CLI that works"
        ) from error
    # What stands in parentheses after the version is not there in every build of Spin.
    match = re.match(r"spin (\S+)", answer)
    if match is None:
        first = answer.partition("\n")[0][:80]
        raise UsageError(
            f"`{path} --version` says `{first}`, not `spin VERSION`", hint="set `SPIN_BIN_PATH` to the Spin CLI"
        )
    return _parse(match[1], f"`{path} --version`")


def _parse(text: str, source: str) -> Version:
    try:
        return Version.parse(text)
    except UsageError as error:
        raise UsageError(f"{source} says `{text}`, which is not a version", hint=error.problems[0].hint) from error
