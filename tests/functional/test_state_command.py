"""`spin-aks state`: what was chosen last, shown and forgotten."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from testbed.application import App

from spin_aks import choices
from spin_aks.choices import ApplicationKey, Deployed

if TYPE_CHECKING:
    from pathlib import Path

DIGEST = f"sha256:{64 * 'a'}"
SHOP = ApplicationKey("shop", "/home/me/shop/spin.toml"), Deployed("reg.io/team", "shop", "v1", DIGEST, "2026-11-21Z")
BARE = ApplicationKey("bare", "/home/me/\x1b[2Jbare\n/spin.toml"), Deployed("reg.io", "bare", "", "", "2026-11-20Z")


@pytest.fixture
def app(tmp_path: Path) -> App:
    (tmp_path / "app").mkdir()
    return App(tmp_path / "app")


@pytest.fixture
def places(app: App, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, ...]:
    """Both places, those of the command, in which two deployments are remembered."""
    for name in ("SPIN_DATA_DIR", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, app.surroundings()[name])
    choices.note(cluster="kubernetes-admin@blue", registry="reg.io/team", deployed=BARE)
    choices.note(configuration="/home/me/shop/aks-spin.toml", deployed=SHOP)
    return choices.places()


def test_all_that_is_remembered_is_shown_and_where_it_is_kept(app: App, places: tuple[Path, ...]) -> None:
    expected = f"""\
cluster        kubernetes-admin@blue
registry       reg.io/team
vault          -
configuration  /home/me/shop/aks-spin.toml

applications, the one deployed last first:
  shop (/home/me/shop/spin.toml)
    reg.io/team/shop:v1@{DIGEST}, 2026-11-21Z
  bare (/home/me/\\x1b[2Jbare\\n/spin.toml)
    reg.io/bare, 2026-11-20Z

kept in:
  {places[0]}
  {places[1]}
"""
    done = app.plain("state", "show")

    assert (0, expected, "") == (done.code, done.out, done.err)


def test_a_program_gets_the_same_as_json(app: App, places: tuple[Path, ...]) -> None:
    done = app.plain("state", "show", "--output", "json")

    shop = {"name": "shop", "manifest": "/home/me/shop/spin.toml", "registry": "reg.io/team", "repository": "shop"}
    assert (0, "") == (done.code, done.err)
    assert ["kubernetes-admin@blue", "reg.io/team", "", "/home/me/shop/aks-spin.toml"] == [
        done.json[key] for key in ("cluster", "registry", "vault", "configuration")
    ]
    assert shop | {"tag": "v1", "digest": DIGEST, "when": "2026-11-21Z"} == done.json["applications"][0]
    assert [{"path": str(place), "state": "read"} for place in places] == done.json["places"]


def test_where_nothing_is_remembered_it_says_so_and_leaves_nothing_behind(app: App) -> None:
    done = app.plain("state", "show")

    assert (0, "") == (done.code, done.err)
    assert done.out.startswith("nothing is remembered\n\nkept in:\n")
    assert 2 == done.out.count(" (missing: the next deployment writes it)\n")
    assert not app.spin_data.exists()
    assert not app.state_home.exists()


@pytest.mark.parametrize("content", [b"", b"{", bytes(range(256)), b'{"version": 2}', None])
def test_what_can_not_be_read_is_named_and_the_copy_is_shown(
    app: App, places: tuple[Path, ...], content: bytes | None
) -> None:
    places[0].unlink()
    places[0].mkdir() if content is None else places[0].write_bytes(content)
    done = app.plain("state", "show")

    assert (0, "") == (done.code, done.err)
    assert "cluster        kubernetes-admin@blue\n" in done.out
    assert f"  {places[0]} (unreadable, so it counts for nothing)\n  {places[1]}\n" in done.out


def test_clearing_says_what_it_removed_and_may_be_repeated(app: App, places: tuple[Path, ...]) -> None:
    first, second = app.plain("state", "clear"), app.plain("state", "clear")

    assert (0, "", f"removed `{places[0]}`\nremoved `{places[1]}`\n") == (first.code, first.out, first.err)
    assert (0, "", "there was nothing to forget\n") == (second.code, second.out, second.err)
    assert [False, False] == [place.exists() for place in places]
    assert "nothing is remembered" in app.plain("state", "show").out


def test_a_program_is_told_what_was_removed(app: App, places: tuple[Path, ...]) -> None:
    places[0].write_bytes(b"torn")
    first, second = (app.plain("state", "clear", "--output", "json") for _ in range(2))

    assert {"removed": [str(place) for place in places]} == first.json
    assert {"removed": []} == json.loads(second.out)


def test_who_has_no_home_is_told_how_to_have_state(app: App) -> None:
    nowhere = {"HOME": "nowhere", "SPIN_DATA_DIR": "", "XDG_STATE_HOME": ""}
    shown, cleared = app.plain("state", "show", **nowhere), app.plain("state", "clear", **nowhere)

    hint = "there is no folder to keep it in: set XDG_STATE_HOME to one"
    assert (0, f"nothing is remembered\n\n{hint}\n", "") == (shown.code, shown.out, shown.err)
    assert (0, "there was nothing to forget\n") == (cleared.code, cleared.err)


@pytest.mark.parametrize("argv", [(), ("shw",), ("show", "--output", "yaml"), ("show", "it")])
def test_a_wrong_command_line_ends_with_3(app: App, argv: tuple[str, ...]) -> None:
    done = app.plain("state", *argv)

    assert (3, "") == (done.code, done.out)
    assert done.err.startswith("error: ")
    assert done.err.endswith("hint: `spin-aks state --help` shows what it takes\n")
