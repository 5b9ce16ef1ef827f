"""Every error a user can meet, with the exit code it ends the process with.

SpinAksError            1   a stage failed; the message names what, where, why and the next command
├── UsageError          3   the command line or an environment variable
├── ManifestError       3   spin.toml is not one, or is one that its Spin refuses
├── RefusedError        3   the application is sound, but its target runtime can't run it
├── ProcessError        1   a child ended with another code than 0
├── RegistryError       1   a registry said no, or nothing
├── ClusterError        1   an API server said no, or nothing
│   └── RolloutError    1   it was applied, but its pods don't get ready
├── AzureError           1   Azure said no, or nothing, or knows nobody who asks
└── LockedError         1   another run holds this environment
Interrupted           130   Ctrl-C (143: SIGTERM); no SpinAksError: nothing went wrong

Exit code 2 is left to defects of our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: `where` is `PATH:LINE`, a resource id or a URL, or empty; `hint` is what to do next.

    `key` is that of the input that nobody gave, where that is what is wrong.
    """

    what: str
    where: str = ""
    hint: str = ""
    key: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what


class SpinAksError(Exception):
    """Holds one problem or more, each to be shown on a line of its own.

    `why` is what was heard from elsewhere (a child's last lines, a server's answer): any number of lines.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, where: str = "", why: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.problems: tuple[Problem, ...] = (Problem(what, where, hint),)
        self.why = why

    @property
    def missing(self) -> bool:
        """Whether all that is wrong is inputs that nobody gave."""
        return all(problem.key for problem in self.problems)

    @classmethod
    def of(cls, problems: Iterable[Problem]) -> SpinAksError:
        """The error that reports all of `problems` (at least one) at once."""
        found = tuple(problems)
        error = cls(found[0].what, where=found[0].where, hint=found[0].hint)
        error.problems = found
        return error

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class UsageError(SpinAksError):
    exit_code = 3


class ManifestError(SpinAksError):
    exit_code = 3


class RefusedError(SpinAksError):
    exit_code = 3


class ProcessError(SpinAksError):
    """`code` is the child's own exit code, negative for a signal; it is named in the message."""

    def __init__(self, what: str, *, code: int, where: str = "", why: str = "", hint: str = "") -> None:
        super().__init__(what, where=where, why=why, hint=hint)
        self.code = code


class RegistryError(SpinAksError):
    pass


class ClusterError(SpinAksError):
    pass


class RolloutError(ClusterError):
    pass


class AzureError(SpinAksError):
    pass


class LockedError(SpinAksError):
    pass


class Interrupted(BaseException):
    """Raised in the main thread by SIGTERM, so that children are ended and state is kept: as KeyboardInterrupt is.

    `exit_code` is 128 + the signal.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.exit_code = 128 + signal_number
