"""spin-aks with one more command, which asks one question: `python asker.py ask KIND JSON`, KIND being a function of
spin_aks/prompts.py and JSON its parameters. What it was given goes to stdout as JSON; of a secret only its length does.
"""

from __future__ import annotations

import json
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from spin_aks import cli, prompts, terminal
from spin_aks.prompts import Option

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", choices=["confirm", "select", "text", "secret", "twice"])
    parser.add_argument("parameters", type=json.loads)


def run(arguments: argparse.Namespace) -> int:
    terminal.put_json(answer(arguments.kind, arguments.parameters))
    return 0


def answer(kind: str, given: dict[str, Any]) -> Any:
    match kind:
        case "confirm":
            return prompts.confirm(given["question"], default=given["default"])
        case "select":
            options = [Option(*option) for option in given["options"]]
            return prompts.select(given["question"], options, default=given.get("default", ""))
        case "secret":
            return len(prompts.secret(given["question"], again=given.get("again", False)).reveal())
        case "twice":
            return [prompts.text("First?"), prompts.text("Second?", default="none")]
        case _:
            return prompts.text(given["question"], default=given.get("default", ""), refuses=refuses)


def refuses(text: str) -> str:
    return f"`{text}` has an x in it" if "x" in text else ""


if __name__ == "__main__":
    module = ModuleType("spin_aks.commands.ask")
    module.__dict__.update(configure=configure, run=run)
    sys.modules[module.__name__] = module
    cli.COMMANDS["ask"] = ("ask", "ask one question")
    cli.main()
