"""An image's tag from the commit that it was made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks import process
from spin_aks.errors import SpinAksError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

DIGITS = 12
TIMEOUT_S = 60.0


def tag(without: Iterable[str] = ()) -> str:
    """The commit's first twelve digits, with `-dirty` after them where tracked files differ from it.

    Those of `without`, paths from here, may differ: what is written there is not in the image. Raises UsageError where
    there is no commit, or no git.
    """
    try:
        commit = _git("rev-parse", f"--short={DIGITS}", "HEAD")
        others = (f":(exclude,literal){path}" for path in without)
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", ":/", *others)
    except SpinAksError as error:
        hint = 'commit first, or tag by content: `image.tag = "content"`'
        raise UsageError(
            "there is no commit to tag the image with", where="image.tag", why=error.why, hint=hint
        ) from error
    return f"{commit}-dirty" if changed else commit


def _git(*arguments: str) -> str:
    return process.capture(process.Command(("git", *arguments)), timeout_s=TIMEOUT_S).strip()
