"""`spin-aks state show|clear`: what was chosen last, which the next questions offer as their defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks import choices, terminal
from spin_aks.errors import Problem, SpinAksError
from spin_aks.settings import arguments as inputs

if TYPE_CHECKING:
    import argparse

    from spin_aks.choices import ApplicationKey, Choices, Deployed, Kept
    from spin_aks.json_types import JSON

READ, MISSING, UNREADABLE = "read", "missing", "unreadable"
MEANING = {
    MISSING: "missing: the next deployment writes it",
    UNREADABLE: "unreadable, so it counts for nothing",
}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "What was chosen last on this machine, offered again as defaults. It holds no secret."
    inputs.add(parser, *inputs.GLOBALS)  # as every command; what it shows is of all configurations
    parser.add_argument("action", choices=("show", "clear"), metavar="show|clear", help="print it, or forget it")
    parser.add_argument("--output", choices=("text", "json"), default="text", help="what to print on stdout")


def run(arguments: argparse.Namespace) -> int:
    as_json = arguments.output == "json"
    return _clear(as_json) if arguments.action == "clear" else _show(as_json)


def _show(as_json: bool) -> int:
    remembered, kept = choices.read(), choices.found()
    if as_json:
        places: list[JSON] = [{"path": str(one.place), "state": _state(one)} for one in kept]
        terminal.put_json({**choices.to_json(remembered), "places": places})
    else:
        terminal.put("\n".join([*_values(remembered), "", *_places(kept)]))
    return 0


def _clear(as_json: bool) -> int:
    gone = choices.clear()
    if as_json:
        terminal.put_json({"removed": [str(place) for place in gone]})
    for place in gone:
        terminal.say(f"removed `{place}`")
    left = [one.place for one in choices.found() if one.is_file and one.place not in gone]
    if left:
        hint = "give yourself the right to, or remove it as its owner"
        raise SpinAksError.of(Problem(f"can't remove `{place}`", hint=hint) for place in left)
    if not gone:
        terminal.say("there was nothing to forget")
    return 0


def _values(remembered: Choices) -> list[str]:
    if remembered == choices.Choices():
        return ["nothing is remembered"]
    chosen = {
        "cluster": remembered.cluster,
        "registry": remembered.registry,
        "vault": remembered.vault,
        "configuration": remembered.configuration,
    }
    lines = [f"{name:<14} {_on_one_line(value) or '-'}" for name, value in chosen.items()]
    if remembered.applications:
        lines += ["", "applications, the one deployed last first:"]
    for key, deployed in remembered.applications.items():
        lines += [f"  {_on_one_line(line)}" for line in _application(key, deployed)]
    return lines


def _application(key: ApplicationKey, deployed: Deployed) -> tuple[str, str]:
    tag = f":{deployed.tag}" if deployed.tag else ""
    digest = f"@{deployed.digest}" if deployed.digest else ""
    image = f"{deployed.registry}/{deployed.repository}{tag}{digest}"
    return f"{key.name} ({key.manifest})", f"  {image}, {deployed.when}"


def _places(kept: tuple[Kept, ...]) -> list[str]:
    if not kept:
        return ["there is no folder to keep it in: set XDG_STATE_HOME to one"]
    return ["kept in:", *(f"  {_on_one_line(str(one.place))}{_remark(one)}" for one in kept)]


def _remark(one: Kept) -> str:
    meaning = MEANING.get(_state(one), "")
    return f" ({meaning})" if meaning else ""


def _state(one: Kept) -> str:
    if one.choices is not None:
        return READ
    return UNREADABLE if one.exists else MISSING


def _on_one_line(text: str) -> str:
    """What a foreign file holds can neither move the cursor nor pass for a line of ours."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
