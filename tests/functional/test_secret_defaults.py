"""The default of a secret variable goes where Spin itself puts it, and nowhere else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from testbed.tiny import add_variables

if TYPE_CHECKING:
    from testbed.application import App

CANARY = "canary-in-the-coal-mine"


def test_a_secret_variables_default_is_in_the_image_and_in_no_other_file(tiny: App) -> None:
    add_variables(tiny.root, f'password = {{ default = "{CANARY}", secret = true }}')

    said = tiny.ok("up")

    holders = {
        path.relative_to(tiny.root).as_posix()
        for path in tiny.root.rglob("*")
        if path.is_file() and CANARY.encode() in path.read_bytes()
    }
    assert {"spin.toml"} == holders
    assert CANARY not in said.out + said.err


def test_another_default_of_a_secret_variable_makes_another_image(tiny: App) -> None:
    digests = []
    for secret in (CANARY, f"{CANARY}-2"):
        add_variables(tiny.root, f'password = {{ default = "{secret}", secret = true }}')
        tiny.ok("run", "image")
        digests.append(json.loads((tiny.root / ".spin-aks/default/image.json").read_text())["digest"])
        tiny.edit("spin.toml", f'\n[variables]\npassword = {{ default = "{secret}", secret = true }}\n', "")

    assert digests[0] != digests[1]
