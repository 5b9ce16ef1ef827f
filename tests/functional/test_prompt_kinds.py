"""Each kind of question on a real terminal, asked by a command that asks nothing else."""

from __future__ import annotations

import json
import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from testbed.application import App
from testbed.typist import CTRL_C, CTRL_D, Typist, started

if TYPE_CHECKING:
    from collections.abc import Iterator

ASKER = Path(__file__).resolve().parents[1] / "testbed" / "asker.py"
INTERRUPTED = "interrupted: what is done is kept, the same command goes on from there\n"
THREE = [["/id/1", "prod", "westeurope"], ["/id/2", "test", "northeurope"], ["/id/3", "preprod", "westeurope"]]
SIXTY = [[f"/id/{number}", f"cluster-{number:02d}", f"group-{number}"] for number in range(1, 61)]
CHOOSE = "Number or part of a name"
CANARY = "c4n4ry-Sup3r"
CTRL_Z, CTRL_BACKSLASH, LEFT = "\x1a", "\x1c", "\x1b[D"


class Asked:
    """One question on its way to an answer."""

    def __init__(self, typist: Typist, output: Path) -> None:
        self.typist, self.output = typist, output
        self.sees, self.types = typist.sees, typist.types

    @property
    def seen(self) -> str:
        return self.typist.seen

    def leaves(self) -> tuple[int, Any]:
        """The exit code, and what the command was given (None: nothing)."""
        code = self.typist.leaves()
        written = self.output.read_text()
        assert "Traceback" not in self.seen
        assert "defect" not in self.seen
        return code, json.loads(written) if written else None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app").mkdir()
    return tmp_path / "app"


@contextmanager
def asked(
    folder: Path,
    kind: str,
    *,
    window: tuple[int, int] = (80, 24),
    environment: dict[str, str] | None = None,
    **given: Any,
) -> Iterator[Asked]:
    output = folder / "stdout"
    argv = [sys.executable, str(ASKER), "ask", kind, json.dumps(given)]
    surroundings = App(folder).surroundings(**{"TERM": "xterm", **(environment or {})})
    columns, rows = window
    with (
        output.open("wb") as out,
        started(argv, folder, surroundings, columns=columns, rows=rows, out=out.fileno()) as typist,
    ):
        yield Asked(typist, output)


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        ("3\n", "/id/3"),
        ("\n", "/id/2"),
        (CTRL_D, "/id/2"),
        ("prod\n", "/id/1"),
        (" PROD \n", "/id/1"),
        ("prep\n", "/id/3"),
        ("north\n", "/id/2"),
        ("west pre\n", "/id/3"),
        ("/id/1\n", "/id/1"),
    ],
)
def test_a_choice_is_a_number_a_name_or_what_only_one_has(folder: Path, keys: str, value: str) -> None:
    with asked(folder, "select", question="Which cluster?", options=THREE, default="/id/2") as question:
        question.sees("Which cluster?\n")
        question.sees(f"{CHOOSE} [2: test]: ")
        question.types(keys)

        assert (0, value) == question.leaves()


def test_what_several_have_is_listed_and_what_none_has_is_asked_again(folder: Path) -> None:
    with asked(folder, "select", question="Which cluster?", options=THREE) as question:
        question.sees(f"{CHOOSE}: ")
        question.types("west\n")
        question.sees("2 have `west`:\n  1  prod     \x1b[2mwesteurope\x1b[0m\n  3  preprod")
        question.sees(f"westeurope\x1b[0m\n{CHOOSE}: ")
        question.types("4\n")
        question.sees(f"none has `4`: please answer with a number (1 to 3), a name, or a part of one\n{CHOOSE}: ")
        question.types("\n")
        question.sees(f"please choose one: its number (1 to 3), its name, or a part of that\n{CHOOSE}: ")
        question.types("pre\n")

        assert (0, "/id/3") == question.leaves()
        assert "chosen: preprod (westeurope)\n" in question.seen


def test_more_options_than_the_window_has_lines_are_shown_in_parts_or_searched(folder: Path) -> None:
    with asked(folder, "select", window=(40, 10), question="Which?", options=SIXTY, default="/id/60") as question:
        question.sees(f"... and 54 more: `+` shows them\n{CHOOSE} [60: cluster-60]: ")
        assert "cluster-07" not in question.seen
        question.types("+\n")
        question.sees("   7  cluster-07")
        question.sees(f"... and 48 more: `+` shows them\n{CHOOSE} [60: cluster-60]: ")
        question.types("cluster-4\n")
        question.sees("10 have `cluster-4`:\n")
        question.sees(f"... and 4 more: `+` shows them\n{CHOOSE} [60: cluster-60]: ")
        question.types("+\n")
        question.sees("cluster-49")
        question.sees(f"{CHOOSE} [60: cluster-60]: ")
        question.types("45\n")

        assert (0, "/id/45") == question.leaves()


@pytest.mark.parametrize(
    ("environment", "dims"),
    [({}, True), ({"TERM": "dumb"}, False), ({"TERM": ""}, False), ({"NO_COLOR": "1"}, False)],
)
def test_a_terminal_that_knows_no_codes_is_sent_none(folder: Path, environment: dict[str, str], dims: bool) -> None:
    with asked(folder, "select", environment=environment, question="Which?", options=THREE) as question:
        question.sees(f"{CHOOSE}: ")
        question.types("1\n")

        assert (0, "/id/1") == question.leaves()
    assert dims is ("\x1b" in question.seen)


def test_a_name_with_control_characters_paints_nothing(folder: Path) -> None:
    evil = [["1", "a\x1b[2J\x07\n  9  faked\u202e", "\x9b31m\r"], ["2", "b", ""]]
    with asked(
        folder, "select", environment={"NO_COLOR": "1"}, question="Which\x1b]0;x\x07?", options=evil, default="1"
    ) as question:
        question.sees(f"{CHOOSE} [1: a\\x1b[2J\\x07\\n  9  faked\\u202e]: ")
        question.types("b\n")

        assert (0, "2") == question.leaves()
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(question.seen)
    assert "Which\\x1b]0;x\\x07?" in question.seen


@pytest.mark.parametrize(("keys", "value"), [("shop\n", "shop"), ("\n", "mine"), (CTRL_D, "mine"), (" a b \n", "a b")])
def test_a_text_is_what_is_typed_or_the_default(folder: Path, keys: str, value: str) -> None:
    with asked(folder, "text", question="Application's name", default="mine") as question:
        question.sees("Application's name [mine]: ")
        question.types(keys)

        assert (0, value) == question.leaves()


def test_a_text_that_is_refused_or_none_is_asked_again_with_the_reason(folder: Path) -> None:
    with asked(folder, "text", question="Which name?") as question:
        question.sees("Which name? ")
        question.types("\n")
        question.sees("an answer is needed\nWhich name? ")
        question.types("axe\n")
        question.sees("`axe` has an x in it\nWhich name? ")
        question.types(f"ab{LEFT}c\n")
        question.sees("that holds what can't be seen (of an arrow key, perhaps): please type it again\nWhich name? ")
        question.types("name\n")

        assert (0, "name") == question.leaves()


def test_a_default_that_is_refused_by_now_is_not_taken_at_the_end_of_input(folder: Path) -> None:
    with asked(folder, "text", question="Which name?", default="box") as question:
        question.sees("Which name? [box] ")
        question.types("\n")
        question.sees("`box` has an x in it\nWhich name? [box] ")
        question.types(CTRL_D)

        assert (130, None) == question.leaves()


def test_bytes_that_are_no_text_and_a_line_too_long_are_asked_again(folder: Path) -> None:
    with asked(folder, "text", question="Which name?") as question:
        question.sees("Which name? ")
        question.types(b"caf\xe9\n")
        question.sees("that was no utf-8 text: please type it again\nWhich name? ")
        question.types("a" * 4094)
        question.types("b" * 10 + "\n")
        question.sees("that was longer than a terminal can take in (4095 bytes): please answer with less\nWhich name? ")
        question.types("café\n")

        assert (0, "café") == question.leaves()


def test_no_line_of_a_paste_answers_anything(folder: Path) -> None:
    with asked(folder, "twice") as question:
        question.sees("First? ")
        question.types("one\ntwo\nthree\n")
        question.sees("that was more than one line, none of which was taken: please answer with one\nFirst? ")
        question.types("1\n")
        question.sees("Second? [none] ")
        question.types("\n")

        assert (0, ["1", "none"]) == question.leaves()


def test_what_stands_in_the_line_before_a_question_is_no_part_of_its_answer(folder: Path) -> None:
    with asked(folder, "twice") as question:
        question.sees("First? ")
        question.types("one\nrest of a paste")
        question.sees("Second? [none] ")
        question.types("2\n")

        assert (0, ["one", "2"]) == question.leaves()


QUESTIONS = {
    "confirm": {"question": "Sure?", "default": True},
    "select": {"question": "Which?", "options": THREE, "default": "/id/1"},
    "text": {"question": "Name?", "default": "mine"},
    "secret": {"question": "Password"},
}
PROMPTS = {
    "confirm": "Sure? [Y/n] ",
    "select": f"{CHOOSE} [1: prod]: ",
    "text": "Name? [mine] ",
    "secret": "Password: ",
}


@pytest.mark.parametrize("kind", QUESTIONS)
def test_ctrl_c_ends_any_question_and_leaves_the_terminal_as_it_was(folder: Path, kind: str) -> None:
    with asked(folder, kind, **QUESTIONS[kind]) as question:
        before = question.typist.modes()
        question.sees(PROMPTS[kind])
        question.types("half of an")
        question.types(CTRL_C)

        assert (130, None) == question.leaves()
        assert before == question.typist.modes()
    assert question.seen.endswith(f"\n{INTERRUPTED}")


@pytest.mark.parametrize("kind", QUESTIONS)
def test_sigterm_ends_any_question_and_leaves_the_terminal_as_it_was(folder: Path, kind: str) -> None:
    with asked(folder, kind, **QUESTIONS[kind]) as question:
        before = question.typist.modes()
        question.sees(PROMPTS[kind])
        question.typist.process.send_signal(signal.SIGTERM)

        assert (143, None) == question.leaves()
        assert before == question.typist.modes()
    assert question.seen.endswith("\nended by SIGTERM: what is done is kept, the same command goes on from there\n")


@pytest.mark.parametrize(
    ("kind", "given", "prompt"),
    [
        ("select", {"question": "Which?", "options": THREE}, f"{CHOOSE}: "),
        ("select", {"question": "Which?", "options": THREE, "default": "/id/gone"}, f"{CHOOSE}: "),
        ("text", {"question": "Name?"}, "Name? "),
        ("secret", {"question": "Password"}, "Password: "),
    ],
)
def test_the_end_of_input_where_an_answer_is_needed_is_a_clean_end(
    folder: Path, kind: str, given: dict[str, Any], prompt: str
) -> None:
    with asked(folder, kind, **given) as question:
        question.sees(prompt)
        question.types(CTRL_D)

        assert (130, None) == question.leaves()
        assert question.typist.echoes()
    assert question.seen.endswith(f"{prompt}\n{INTERRUPTED}")


def test_a_secret_is_never_shown(folder: Path) -> None:
    with asked(folder, "secret", question="Password") as question:
        before = question.typist.modes()
        question.sees("Password: ")
        assert not question.typist.echoes()
        question.types(f"{CANARY}\n")

        assert (0, len(CANARY)) == question.leaves()
        assert before == question.typist.modes()
    assert "Password: \n" == question.seen


def test_a_secret_is_taken_exactly_as_it_was_typed(folder: Path) -> None:
    with asked(folder, "secret", question="Password") as question:
        question.sees("Password: ")
        question.types(f" {CANARY} é \n")

        assert (0, len(CANARY) + 4) == question.leaves()


def test_a_secret_asked_twice_has_to_be_the_same_twice(folder: Path) -> None:
    with asked(folder, "secret", question="Password", again=True) as question:
        question.sees("Password: ")
        question.types(f"{CANARY}\n")
        question.sees("The same again: ")
        assert not question.typist.echoes()
        question.types(f"{CANARY}x\n")
        question.sees("the two differ: please type both again\nPassword: ")
        question.types(f"{CANARY}\n")
        question.sees("\nThe same again: ")
        question.types(f"{CANARY}\n")

        assert (0, len(CANARY)) == question.leaves()
    assert CANARY not in question.seen


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ("\n", "an answer is needed"),
        (f"{CANARY}{LEFT}\n", "that holds what can't be seen (of an arrow key, perhaps): please type it again"),
        (f"{CANARY}\n{CANARY}\n", "that was more than one line, none of which was taken: please answer with one"),
        (CANARY.encode() + b"\xff\n", "that was no utf-8 text: please type it again"),
        (f"{CANARY}{CTRL_Z}{CTRL_BACKSLASH}\n", "that holds what can't be seen"),
    ],
)
def test_what_can_be_no_secret_is_asked_again_and_not_shown_either(
    folder: Path, keys: str | bytes, reason: str
) -> None:
    with asked(folder, "secret", question="Password") as question:
        question.sees("Password: ")
        question.types(keys)
        question.sees(f"\n{reason}")
        question.sees("\nPassword: ")
        assert not question.typist.echoes()
        question.types("right\n")

        assert (0, len("right")) == question.leaves()
    assert CANARY not in question.seen


def test_output_that_goes_elsewhere_holds_the_answer_alone(folder: Path) -> None:
    with asked(folder, "confirm", question="Sure?", default=False) as question:
        question.sees("Sure? [y/N] ")
        question.types("y\n")
        question.leaves()

    assert "true\n" == question.output.read_text()
