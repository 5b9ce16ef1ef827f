"""Where what is remembered between runs has its place: in Spin's data folder, and a copy in the user's own.

Spin's folder is found as Spin 4.0 finds it (crates/common/src/data_dir.rs), and as its earlier versions did.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

# What Homebrew's Spin is called in its data folder: since it moved to spinframework, and before (Spin 1.5 to 3.0).
BREWED = ("spinframework-spin", "fermyon-spin")


def places() -> tuple[Path, ...]:
    """The files that state is kept in: first the one in Spin's data folder, last the copy.

    Spin deletes its plugin's folder, and so the first, at each upgrade of the plugin. One that can't be told where it
    is (a user without a home; a data folder that depends on where one stands) is left out.
    """
    ours, spins = of_user(), of_spin()
    return (
        *([spins / "plugins" / "aks" / "state"] if spins else []),
        *([ours / "spin-aks" / "state.json"] if ours else []),
    )


def of_user() -> Path | None:
    """Where this user's programs keep what they remember; None where the user has no home.

    `$XDG_STATE_HOME` (XDG Base Directory Specification), else the platform's own place.
    """
    if chosen := _named("XDG_STATE_HOME"):
        return chosen
    own = local_data() if sys.platform in {"darwin", "win32"} else None
    return own or _below_home(".local/state")


def of_spin() -> Path | None:
    """Spin's data folder; None where the user has no home, or where `$SPIN_DATA_DIR` is a relative path.

    A relative one is another folder wherever Spin runs, and this process may have left the folder it was started in.
    """
    if "SPIN_DATA_DIR" in os.environ:
        return _named("SPIN_DATA_DIR")
    if brewed := _brewed():
        return brewed
    base = local_data() or _below_home(".spin")
    return base / "spin" if base else None


def local_data() -> Path | None:
    """Where this user's programs keep what belongs to this machine, by the rules of Spin's library (crate dirs)."""
    if sys.platform == "darwin":
        return _below_home("Library/Application Support")
    if sys.platform == "win32":
        return _named("LOCALAPPDATA")
    return _named("XDG_DATA_HOME") or _below_home(".local/share")


def _brewed() -> Path | None:
    """The data folder of the Spin that started us, if Homebrew installed that."""
    prefix, spin = os.environ.get("HOMEBREW_PREFIX", ""), os.environ.get("SPIN_BIN_PATH", "")
    if not prefix or not Path(spin).is_relative_to(prefix):
        return None
    now, before = (Path(prefix) / "etc" / name for name in BREWED)
    return before if _is_folder(before) and not _is_folder(now) else now


def _named(variable: str) -> Path | None:
    """The folder that the environment names, if it says so from the root on."""
    folder = Path(os.environ.get(variable, ""))
    return folder if folder.is_absolute() else None


def _below_home(folder: str) -> Path | None:
    try:
        home = Path.home()
    except RuntimeError:  # a user that is only a number, as in some containers
        return None
    return home / folder if home.is_absolute() else None


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False
