from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from spin_aks import asking, prompts, terminal
from spin_aks.asking import Asking
from spin_aks.prompts import Option
from spin_aks.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

SOMEBODY, DEFAULTS, NOTHING = Asking.SOMEBODY_ANSWERS, Asking.DEFAULTS_ARE_TAKEN, Asking.NOTHING_IS_ASKED
CLUSTERS = (Option("/id/1", "prod", "west"), Option("/id/2", "test"))


@pytest.fixture
def seat(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Says whether there is a terminal; nothing says that this is CI."""
    monkeypatch.delenv("CI", raising=False)
    return lambda taken: monkeypatch.setattr(terminal, "is_interactive", lambda: taken)


@pytest.mark.parametrize(
    ("at_terminal", "yes", "no_input", "ci", "expected"),
    [
        (True, False, False, "", SOMEBODY),
        (False, False, False, "", NOTHING),
        (True, True, False, "", DEFAULTS),
        (False, True, False, "", DEFAULTS),
        (True, False, True, "", NOTHING),
        (True, True, True, "", NOTHING),
        (True, False, False, "true", NOTHING),
        (True, True, False, "1", NOTHING),
        (False, True, True, "true", NOTHING),
    ],
)
def test_no_input_and_ci_beat_yes_and_yes_needs_no_terminal(
    seat: Callable[[bool], None],
    monkeypatch: pytest.MonkeyPatch,
    at_terminal: bool,
    yes: bool,
    no_input: bool,
    ci: str,
    expected: Asking,
) -> None:
    seat(at_terminal)
    monkeypatch.setenv("CI", ci)

    assert expected is asking.mode(yes=yes, no_input=no_input)


def test_state_counts_unless_nothing_is_asked() -> None:
    assert [True, True, False] == [mode.uses_state for mode in Asking]


@pytest.mark.parametrize(
    ("default", "last", "value", "said"),
    [
        ("/id/1", "", "/id/1", "Which cluster? prod (west), by default\n"),
        ("/id/1", "/id/2", "/id/2", "Which cluster? test, as last time\n"),
        ("", "/id/2", "/id/2", "Which cluster? test, as last time\n"),
        ("/id/1", "/id/gone", "/id/1", "Which cluster? prod (west), by default\n"),
        ("", "/id/gone", None, ""),
        ("/id/gone", "", None, ""),
        ("", "", None, ""),
    ],
)
def test_yes_takes_the_choice_of_last_time_then_the_default_and_says_so(
    capsys: pytest.CaptureFixture[str], default: str, last: str, value: str | None, said: str
) -> None:
    assert value == DEFAULTS.select("Which cluster?", CLUSTERS, default=default, last=last)
    assert ("", said) == tuple(capsys.readouterr())


@pytest.mark.parametrize(
    ("default", "last", "value", "said"),
    [
        ("shop", "", "shop", "Application's name: shop, by default\n"),
        ("shop", "mine", "mine", "Application's name: mine, as last time\n"),
        ("shop", "bad", "shop", "Application's name: shop, by default\n"),
        ("bad", "", None, ""),
        ("", "", None, ""),
    ],
)
def test_yes_takes_no_text_that_is_refused(
    capsys: pytest.CaptureFixture[str], default: str, last: str, value: str | None, said: str
) -> None:
    answer = DEFAULTS.text("Application's name", default=default, last=last, refuses=refuses)

    assert (value, said) == (answer, capsys.readouterr().err)


def refuses(text: str) -> str:
    return "bad is no name" if text == "bad" else ""


@pytest.mark.parametrize(("default", "said"), [(True, "Sure? yes, by default\n"), (False, "Sure? no, by default\n")])
def test_yes_confirms_only_what_is_confirmed_by_default(
    capsys: pytest.CaptureFixture[str], default: bool, said: str
) -> None:
    assert (default, said) == (DEFAULTS.confirm("Sure?", default=default), capsys.readouterr().err)


def test_what_is_said_of_a_default_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    DEFAULTS.text("Name", last="a\x1b[2J\nb")

    assert "Name: a\\x1b[2J\\nb, as last time\n" == capsys.readouterr().err


def test_where_nothing_is_asked_nothing_is_answered_or_said(capsys: pytest.CaptureFixture[str]) -> None:
    answers = (
        NOTHING.select("Which?", CLUSTERS, default="/id/1", last="/id/2"),
        NOTHING.text("Name?", default="shop", last="mine"),
        NOTHING.secret("Password"),
        NOTHING.confirm("Sure?", default=False),
    )

    assert (None, None, None, False) == answers
    assert ("", "") == tuple(capsys.readouterr())


def test_no_mode_but_somebody_gives_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompts, "secret", lambda question, *, again: Secret(f"{question} {again}"))

    assert [Secret("Password True"), None, None] == [mode.secret("Password", again=True) for mode in Asking]


@pytest.mark.parametrize(
    ("name", "given", "asked"),
    [
        ("confirm", {"default": True}, {"default": True}),
        ("select", {"options": CLUSTERS, "default": "/id/1", "last": "/id/2"}, {"default": "/id/2"}),
        ("select", {"options": CLUSTERS, "default": "/id/1", "last": "/id/gone"}, {"default": "/id/1"}),
        ("select", {"options": CLUSTERS, "last": "/id/gone"}, {"default": ""}),
        ("text", {"default": "a", "last": "b", "refuses": refuses}, {"default": "b", "refuses": refuses}),
        ("text", {"default": "a", "last": "bad", "refuses": refuses}, {"default": "a", "refuses": refuses}),
    ],
)
def test_somebody_is_offered_the_choice_of_last_time_as_long_as_it_can_be(
    monkeypatch: pytest.MonkeyPatch, name: str, given: dict[str, Any], asked: dict[str, Any]
) -> None:
    heard: list[dict[str, Any]] = []
    monkeypatch.setattr(prompts, name, lambda *_, **named: heard.append(named) or "answer")

    assert ("answer", [asked]) == (getattr(SOMEBODY, name)("Which?", **given), heard)


@pytest.mark.parametrize("mode", Asking)
def test_nothing_to_choose_from_is_no_question(mode: Asking) -> None:
    assert mode.select("Which?", (), default="/id/1") is None
