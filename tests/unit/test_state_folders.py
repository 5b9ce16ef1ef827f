"""Where state has its places, on each platform and for each way to install Spin."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from spin_aks import state_folders

VARIABLES = ("SPIN_DATA_DIR", "SPIN_BIN_PATH", "HOMEBREW_PREFIX", "XDG_STATE_HOME", "XDG_DATA_HOME", "LOCALAPPDATA")
STATE = "plugins/aks/state"


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A home, on Linux, and nothing else."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    return tmp_path


@pytest.mark.parametrize(
    ("platform", "spins", "ours"),
    [
        ("linux", ".local/share/spin", ".local/state/spin-aks"),
        ("darwin", "Library/Application Support/spin", "Library/Application Support/spin-aks"),
        ("win32", ".spin/spin", ".local/state/spin-aks"),
    ],
)
def test_a_home_alone_is_enough(
    monkeypatch: pytest.MonkeyPatch, home: Path, platform: str, spins: str, ours: str
) -> None:
    monkeypatch.setattr(sys, "platform", platform)

    assert (home / spins / STATE, home / ours / "state.json") == state_folders.places()


def test_windows_says_where_local_data_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "Local"))

    expected = (tmp_path / "Local/spin" / STATE, tmp_path / "Local/spin-aks/state.json")
    assert expected == state_folders.places()


def test_the_xdg_folders_count_if_they_are_absolute(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/d")
    monkeypatch.setenv("XDG_STATE_HOME", "/s")
    absolute = state_folders.places()
    monkeypatch.setenv("XDG_DATA_HOME", "d")
    monkeypatch.setenv("XDG_STATE_HOME", "")

    assert (Path("/d/spin") / STATE, Path("/s/spin-aks/state.json")) == absolute
    assert (home / ".local/share/spin" / STATE, home / ".local/state/spin-aks/state.json") == state_folders.places()


def test_spins_own_variable_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIN_DATA_DIR", "/data")
    monkeypatch.setenv("XDG_DATA_HOME", "/d")

    assert Path("/data") / STATE == state_folders.places()[0]


@pytest.mark.parametrize("value", ["", "data", "./data"])
def test_a_data_folder_that_moves_with_who_asks_is_left_out(
    monkeypatch: pytest.MonkeyPatch, home: Path, value: str
) -> None:
    monkeypatch.setenv("SPIN_DATA_DIR", value)

    assert (home / ".local/state/spin-aks/state.json",) == state_folders.places()


@pytest.mark.parametrize(
    ("there", "chosen"),
    [
        ((), "spinframework-spin"),
        (("fermyon-spin",), "fermyon-spin"),
        (("fermyon-spin", "spinframework-spin"), "spinframework-spin"),
    ],
)
def test_a_spin_from_homebrew_has_its_folder_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, there: tuple[str, ...], chosen: str
) -> None:
    brew = tmp_path / "brew"
    for name in there:
        (brew / "etc" / name).mkdir(parents=True)
    monkeypatch.setenv("HOMEBREW_PREFIX", str(brew))
    monkeypatch.setenv("SPIN_BIN_PATH", str(brew / "bin/spin"))

    assert brew / "etc" / chosen / STATE == state_folders.places()[0]


@pytest.mark.parametrize("spin", ["", "/usr/bin/spin", "/opt/brewery/bin/spin"])
def test_a_spin_from_elsewhere_has_nothing_to_do_with_homebrew(
    monkeypatch: pytest.MonkeyPatch, home: Path, spin: str
) -> None:
    monkeypatch.setenv("HOMEBREW_PREFIX", "/opt/brew")
    monkeypatch.setenv("SPIN_BIN_PATH", spin)

    assert home / ".local/share/spin" / STATE == state_folders.places()[0]


def test_a_relative_home_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "somewhere")

    assert () == state_folders.places()


def test_who_has_no_home_has_the_places_that_variables_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nobody)
    nowhere = state_folders.places()
    monkeypatch.setenv("SPIN_DATA_DIR", "/data")

    assert () == nowhere
    assert (Path("/data") / STATE,) == state_folders.places()
