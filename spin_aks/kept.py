"""Files that we write and people keep: what to do with one that was edited is decided here, and only here.

What we wrote last is remembered by digest in `.spin-aks.lock`, which is committed with the files themselves: a
colleague's clone and CI decide the same.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from spin_aks import files, terminal
from spin_aks.errors import SpinAksError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from spin_aks.consent import Consent
    from spin_aks.json_types import JSON, JSONObject

LOCK = Path(".spin-aks.lock")
UNFINISHED = Path(".spin-aks", "writing.json")
COMMENT = "what spin-aks wrote last, so that it knows an edited file from its own: commit this file"
Standing: TypeAlias = Literal["missing", "deleted", "ours", "edited", "foreign"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Kept:
    """One file: how it stands, and the text we would write now (None: we would have no such file)."""

    path: Path
    standing: Standing
    text: str | None

    @property
    def theirs(self) -> str:
        """Why it is not ours to change, as a clause; empty if it is ours."""
        return {
            "edited": "was edited since spin-aks wrote it",
            "foreign": "is not from spin-aks",
            "deleted": "was deleted since spin-aks wrote it",
        }.get(self.standing, "")


def inspect(wanted: Mapping[Path, str], *, also: Iterable[Path] = ()) -> tuple[Kept, ...]:
    """How each wanted file stands, and each file of `also` that we once wrote and want no more."""
    digests = _digests()
    gone = [path for path in also if path not in wanted and path.as_posix() in digests]
    return tuple(
        Kept(path, _standing(path, wanted.get(path), digests), wanted.get(path)) for path in [*wanted, *sorted(gone)]
    )


def written_below(folder: Path) -> dict[Path, str]:
    """The files below `folder` that we once wrote, with the digest of what we wrote last, whatever is there now."""
    return {Path(name): digest for name, digest in _digests().items() if Path(name).is_relative_to(folder)}


def is_theirs(path: Path, text: Callable[[], str]) -> bool:
    """Whether there is such a file, and somebody else wrote it or edited it; `text`, what we would write now, is only
    asked for where nothing else tells.
    """
    digests = _digests()
    return _standing(path, None, digests) in _THEIRS and _standing(path, text(), digests) in _THEIRS


_THEIRS = ("edited", "foreign")


def settle(found: Iterable[Kept], consent: Consent) -> None:
    """Writes (or removes) what is ours to write, asks about the rest if it may, and says what it left alone."""
    digests = _digests()
    ours = [kept for kept in found if _is_ours_to_change(kept, consent)]
    _begin(ours, digests)
    for kept in ours:
        if kept.text is None:
            kept.path.unlink(missing_ok=True)
            digests.pop(kept.path.as_posix(), None)
        else:
            changed = files.write(kept.path, kept.text)
            digests[kept.path.as_posix()] = _digest(kept.text.encode())
            if changed:
                terminal.say(f"wrote   {kept.path}")
    _remember(digests)
    UNFINISHED.unlink(missing_ok=True)


def _is_ours_to_change(kept: Kept, consent: Consent) -> bool:
    if not kept.theirs or _may_replace(kept, consent):
        return True
    hint = "" if kept.text is None else "; `--override` writes ours"
    terminal.say(f"kept    {kept.path}: it {kept.theirs}{hint}")
    return False


def _begin(ours: Iterable[Kept], digests: Mapping[str, str]) -> None:
    """Notes what is about to be written or removed: killed before LOCK says so, we still know it for our own."""
    wanted = {kept.path.as_posix(): "" if kept.text is None else _digest(kept.text.encode()) for kept in ours}
    begun: dict[str, JSON] = {path: digest for path, digest in wanted.items() if digests.get(path, "") != digest}
    if begun:
        files.write_json(UNFINISHED, begun)


def _may_replace(kept: Kept, consent: Consent) -> bool:
    if consent.override or not consent.ask or kept.text is None:
        return consent.override and kept.text is not None
    from spin_aks import prompts

    return prompts.confirm(f"`{kept.path}` {kept.theirs}. Replace it?", default=False)


def _standing(path: Path, wanted: str | None, digests: Mapping[str, str]) -> Standing:
    known, begun = digests.get(path.as_posix()), (files.read_json(UNFINISHED) or {}).get(path.as_posix())
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        by_them = known and begun is None and path.parent.is_dir() and path.parent != Path()
        return "deleted" if by_them else "missing"
    except OSError as error:
        raise SpinAksError(f"can't read `{path}`: {error.strerror}") from error
    if _digest(content) in (known, begun) or (wanted is not None and content == wanted.encode()):
        return "ours"
    return "edited" if known else "foreign"


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def image_choice() -> tuple[str, str] | None:
    """The form and the builder that `auto` came to the first time, if it did: a later change is proposed, not made."""
    match _document().get("image"):
        case {"form": str(form), "builder": str(builder)}:
            return form, builder
    return None


def remember_image_choice(form: str, builder: str) -> None:
    """Keeps what `auto` came to."""
    files.write_json(LOCK, {**_document(), "comment": COMMENT, "image": {"form": form, "builder": builder}})


def _digests() -> dict[str, str]:
    entries = _document().get("files")
    kept = entries if isinstance(entries, dict) else {}
    return {path: digest for path, digest in kept.items() if isinstance(digest, str)}


def _document() -> JSONObject:
    """Raises UsageError for a lock that is none: taken for an empty one, each of our files would be somebody else's."""
    document = files.read_json(LOCK)
    if document is not None and isinstance(document.get("files", {}), dict):
        return document
    if not LOCK.exists():
        return {}
    raise UsageError(
        "this is not what spin-aks wrote: a merge that is not settled, perhaps",
        where=str(LOCK),
        hint=f"settle it (`git checkout --theirs {LOCK}`), or remove it: files that spin-aks would write otherwise by "
        "now then count as yours",
    )


def _remember(digests: Mapping[str, str]) -> None:
    entries: dict[str, JSON] = dict(digests)
    if entries or LOCK.exists():
        files.write_json(LOCK, {**_document(), "comment": COMMENT, "files": entries})
