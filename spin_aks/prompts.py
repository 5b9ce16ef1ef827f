"""The only place that asks a person."""

from __future__ import annotations

import sys

from spin_aks import terminal


def confirm(question: str, *, default: bool) -> bool:
    """Asks until the answer is yes or no; Enter takes the default. Call it only where `terminal.is_interactive()`."""
    choices = "[Y/n]" if default else "[y/N]"
    while True:
        print(f"{question} {choices} ", end="", file=sys.stderr, flush=True)
        answer = sys.stdin.readline()
        if answer == "" or answer.strip() == "":
            return default
        if answer.strip().lower() in {"y", "yes", "n", "no"}:
            return answer.strip().lower().startswith("y")
        terminal.say("please answer y or n")
