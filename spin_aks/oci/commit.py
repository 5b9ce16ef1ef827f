"""An image's tag from the commit that it was made of."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from spin_aks import process
from spin_aks.errors import SpinAksError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DIGITS = 12
TIMEOUT_S = 60.0


def tag(without: Iterable[str] = (), *, where: str = "image.tag") -> str:
    """The commit's first twelve digits (more where they are another's, too), with `-dirty` after them where tracked
    files differ from it, anywhere in the repository that the process stands in.

    Those of `without`, paths from here, may differ: what is written there is not in the image. Nothing is written, and
    no lock of git's taken. Raises UsageError where there is no commit, or no git; `where` is who asked for a commit.
    """
    try:
        top, _, commit = _git("rev-parse", "--show-toplevel", f"--short={DIGITS}", "HEAD").rpartition("\n")
        others = (f":(top,exclude,literal){path}" for path in _within(Path(top), without))
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", ":/", *others)
    except SpinAksError as error:
        hint = 'commit first, or tag by content: `image.tag = "content"`'
        said = next(iter((error.why or str(error)).splitlines())).removeprefix("fatal: ")
        what = f"there is no commit to tag the image with: {said}"
        raise UsageError(what, where=where, why=error.why, hint=hint) from error
    return f"{commit}-dirty" if changed else commit


def _within(top: Path, paths: Iterable[str]) -> Iterator[str]:
    """The paths from `top`, those of what links lead to among them; git refuses those that lie outside."""
    root = os.path.realpath(top)
    for path in paths:
        there = Path(os.path.realpath(os.path.dirname(path) or "."), os.path.basename(path))  # noqa: PTH119, PTH120
        for one in dict.fromkeys([there, Path(os.path.realpath(there))]):
            if one != Path(root) and one.is_relative_to(root):
                yield one.relative_to(root).as_posix()


def _git(*arguments: str) -> str:
    return process.capture(process.Command(("git", "--no-optional-locks", *arguments)), timeout_s=TIMEOUT_S).strip("\n")
