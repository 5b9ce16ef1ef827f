"""Files of the user's: asked about where somebody can answer, kept where nobody can, replaced when told to."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from testbed.typist import CTRL_C, CTRL_D, at_terminal

if TYPE_CHECKING:
    from testbed.application import App

QUESTION = "`Dockerfile` is not from spin-aks. Replace it? [y/N] "
MINE = "FROM scratch\n# mine\n"
SCAFFOLD = ("scaffold", "dockerfile")


@pytest.fixture(autouse=True)
def dockerfile(tiny: App) -> None:
    (tiny.root / "Dockerfile").write_text(MINE)


def is_mine(app: App) -> bool:
    return (app.root / "Dockerfile").read_text() == MINE


@pytest.mark.parametrize(
    ("keys", "mine"),
    [("y\n", False), ("YES\n", False), (" y \n", False), ("n\n", True), ("no\n", True), ("\n", True), (CTRL_D, True)],
)
def test_an_answer_decides_and_enter_keeps_the_file(tiny: App, keys: str, mine: bool) -> None:
    with at_terminal(tiny, *SCAFFOLD) as typist:
        typist.sees(QUESTION)
        typist.types(keys)
        code = typist.leaves()

    assert (0, mine) == (code, is_mine(tiny))
    assert ("kept    Dockerfile: it is not from spin-aks" in typist.seen) is mine
    assert ("wrote   Dockerfile" in typist.seen) is not mine


def test_what_is_no_answer_is_asked_again(tiny: App) -> None:
    with at_terminal(tiny, *SCAFFOLD) as typist:
        typist.sees(QUESTION)
        typist.types("perhaps\n")
        typist.sees("please answer y or n\n" + QUESTION)
        typist.types("\x1b[A\n")
        typist.sees("please answer y or n\n" + QUESTION)
        typist.types("y\n")
        code = typist.leaves()

    assert (0, False) == (code, is_mine(tiny))


def test_a_paste_of_several_lines_allows_nothing(tiny: App) -> None:
    with at_terminal(tiny, *SCAFFOLD) as typist:
        typist.sees(QUESTION)
        typist.types("y\ny\nrm -r something\n")
        typist.sees("that was more than one line, none of which was taken: please answer with one\n" + QUESTION)
        typist.types("n\n")
        code = typist.leaves()

    assert (0, True) == (code, is_mine(tiny))


def test_sigterm_at_the_prompt_changes_nothing(tiny: App) -> None:
    with at_terminal(tiny, *SCAFFOLD) as typist:
        typist.sees(QUESTION)
        before = typist.modes()
        typist.process.send_signal(signal.SIGTERM)
        code = typist.leaves()
        after = typist.modes()

    assert (143, True) == (code, is_mine(tiny))
    assert before == after
    assert "\nended by SIGTERM: what is done is kept" in typist.seen
    assert "Traceback" not in typist.seen


def test_ctrl_c_at_the_prompt_changes_nothing_and_the_next_run_asks_again(tiny: App) -> None:
    with at_terminal(tiny, *SCAFFOLD) as typist:
        typist.sees(QUESTION)
        typist.types(CTRL_C)
        code = typist.leaves()

    assert 130 == code
    assert "interrupted: what is done is kept" in typist.seen
    assert "Traceback" not in typist.seen
    assert is_mine(tiny)
    assert not (tiny.root / ".spin-aks.lock").exists()
    with at_terminal(tiny, *SCAFFOLD) as typist:
        typist.sees(QUESTION)
        typist.types("n\n")
        assert 0 == typist.leaves()


@pytest.mark.parametrize(("flags", "environment"), [(("-y",), {}), (("--no-input",), {}), ((), {"CI": "true"})])
def test_a_terminal_that_nobody_sits_at_is_asked_nothing(
    tiny: App, flags: tuple[str, ...], environment: dict[str, str]
) -> None:
    with at_terminal(tiny, *SCAFFOLD, *flags, **environment) as typist:
        code = typist.leaves()

    assert (0, True) == (code, is_mine(tiny))
    assert "Replace it?" not in typist.seen
    assert "kept    Dockerfile: it is not from spin-aks; `--override` writes ours" in typist.seen


def test_without_a_terminal_nothing_is_asked_and_the_file_is_kept(tiny: App) -> None:
    done = tiny.ok(*SCAFFOLD)

    assert is_mine(tiny)
    assert "kept    Dockerfile: it is not from spin-aks; `--override` writes ours" in done.err


@pytest.mark.parametrize("flags", [("--override",), ("--override", "-y")])
def test_override_replaces_without_asking(tiny: App, flags: tuple[str, ...]) -> None:
    tiny.ok(*SCAFFOLD)

    with at_terminal(tiny, *SCAFFOLD, *flags) as typist:
        code = typist.leaves()

    assert (0, False) == (code, is_mine(tiny))
    assert "Replace it?" not in typist.seen


def test_edited_kubernetes_files_are_kept_when_the_generator_wants_to_change_them(tiny: App) -> None:
    tiny.ok("scaffold", "k8s")
    service = tiny.root / "manifests/service.yaml"
    service.write_text(service.read_text() + "# mine\n")
    tiny.flags = tuple("loadbalancer" if flag == "clusterip" else flag for flag in tiny.flags)

    kept = tiny.ok("scaffold", "k8s", "-y")
    edited = service.read_text()
    tiny.ok("scaffold", "k8s", "--override")

    assert "kept    manifests/service.yaml: it was edited since spin-aks wrote it" in kept.err
    assert edited.endswith("# mine\n")
    assert "type: LoadBalancer" in service.read_text()
    assert "# mine" not in service.read_text()
