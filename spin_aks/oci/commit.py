"""An image's tag from the commit that it was made of."""

from __future__ import annotations

from spin_aks import process
from spin_aks.errors import SpinAksError, UsageError

DIGITS = 12
TIMEOUT_S = 60.0


def tag() -> str:
    """The commit's first twelve digits, with `-dirty` after them where files differ from it.

    Raises UsageError where there is no commit, or no git.
    """
    # https://git-scm.com/docs/git-describe: untracked files don't count, `--exclude *` leaves the tags out.
    argv = ("git", "describe", "--always", "--exclude", "*", f"--abbrev={DIGITS}", "--dirty")
    try:
        return process.capture(process.Command(argv), timeout_s=TIMEOUT_S).strip()
    except SpinAksError as error:
        hint = 'commit first, or tag by content: `image.tag = "content"`'
        what = "there is no commit to tag the image with"
        raise UsageError(what, where="image.tag", why=error.why, hint=hint) from error
