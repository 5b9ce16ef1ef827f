"""What a .gitignore says of a path."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec


@dataclass(frozen=True, slots=True)
class Ignore:
    """A .gitignore: `folder` is the one it stands in, ending in `/`, or empty for the root itself."""

    folder: str
    spec: GitIgnoreSpec

    @classmethod
    def of(cls, folder: str) -> Ignore:
        """The one that stands in `folder`, `.` being the root."""
        lines = Path(folder, ".gitignore").read_text(errors="replace").splitlines()
        return cls("" if folder == "." else f"{folder}/", GitIgnoreSpec.from_lines(lines))

    def verdict(self, path: str) -> bool | None:
        """Whether it ignores `path` (a folder ends in `/`), which stands below its own; None where it says nothing."""
        return self.spec.check_file(path.removeprefix(self.folder)).include
