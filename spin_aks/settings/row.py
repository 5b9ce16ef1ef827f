"""What one input is: its key, its flags, its environment variable, what its values have to be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

if TYPE_CHECKING:
    from spin_aks.settings.rules import Rule

Kind: TypeAlias = Literal["text", "choice", "count", "switch", "path"]
Value: TypeAlias = str | int | bool
Default = TypeVar("Default")

PREFIX = "SPIN_AKS_"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Row:
    """One input.

    `key` is its place in the file, `""` for one that no file can give; `variable` its environment variable. A part of
    either in `<>` is a name that the user chooses: `variables.<name>`, `SPIN_AKS_VARIABLES_<NAME>`. `meaning` is a
    clause for help and reference, `ask` the question where it is asked for. A choice is one of `choices`, a text
    matches `rule`. A path is relative to the folder of whoever gave it; `file_name` is the name that a file has where a
    folder is given, with a `/` at its end. `without` says in words what holds where nobody gives it. A `reserved` one
    is accepted and checked, and this version does nothing with it. `secret` values are names of secrets: not shown
    where they are wrong, since somebody may have put the secret itself there.
    """

    key: str
    variable: str
    flags: tuple[str, ...]
    meaning: str
    metavar: str = ""
    kind: Kind = "text"
    choices: tuple[str, ...] = ()
    rule: Rule | None = None
    file_name: str = ""
    without: str = ""
    ask: str = ""
    reserved: bool = False
    secret: bool = False

    @property
    def is_free(self) -> bool:
        """Whether a part of the key is a name of the user's."""
        return "<" in self.key

    @property
    def table(self) -> str:
        """The file's table that it stands in; empty for a key at the top."""
        return self.key.rpartition(".")[0]

    @property
    def name(self) -> str:
        """The key's last part."""
        return self.key.rpartition(".")[2]

    def key_of(self, name: str) -> str:
        """The key that the user's `name` makes of a free one."""
        before, _, after = self.key.partition("<")
        return f"{before}{name}{after.partition('>')[2]}"

    def variable_of(self, name: str) -> str:
        """The environment variable of the user's `name`; upper case, since variables are."""
        before, _, after = self.variable.partition("<")
        return f"{before}{name.upper().replace('-', '_')}{after.partition('>')[2]}"


def row(default: Default, row: Row) -> Default:
    """A dataclass field that is this input, `default` being what holds where nobody gives it."""
    return field(default=default, metadata={"row": row})
