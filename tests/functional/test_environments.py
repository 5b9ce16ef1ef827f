"""Two environments of one application, side by side in one folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from testbed.tiny import build_command

if TYPE_CHECKING:
    from testbed.application import App


def test_two_environments_at_once_compile_one_after_the_other(tiny: App) -> None:
    build_command(tiny.root, "echo start >> ../log; sleep 0.5; echo end >> ../log; cp a.src a.wasm")
    runs = [tiny.start("build", "-e", name) for name in ("blue", "green")]
    ends = [(run.communicate(timeout=60)[1], run.returncode) for run in runs]

    assert [0, 0] == [code for _, code in ends]
    assert ["start", "end", "start", "end"] == (tiny.root / "log").read_text().split()
    assert [[], []] == [tiny.ok("build", "-e", name).stages("run") for name in ("blue", "green")]


def test_a_second_environment_leaves_the_first_one_fresh(tiny: App) -> None:
    tiny.ok("up", "-e", "blue")
    tiny.flags = (*tiny.flags[:1], f"{tiny.flags[1]}-green", *tiny.flags[2:])
    tiny.ok("up", "-e", "green")
    tiny.flags = (tiny.flags[0], tiny.flags[1].removesuffix("-green"), *tiny.flags[2:])

    assert [] == tiny.ok("up", "-e", "blue").stages("run")
