"""What is carried along of certifi counts as an input of the stages that carry it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import certifi
import pytest
from testbed.tiny import tiny_in

from spin_aks.context import Context
from spin_aks.settings import DEFAULTS
from spin_aks.tasks import bundle, render, stage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spin_aks.tasks.stage import Stage


@pytest.mark.parametrize(
    ("made", "form", "changed"),
    [
        (render.stage, "artifact", ["certifi"]),
        (render.stage, "rootfs", ["certifi"]),
        (bundle.stage, "artifact", []),
        (bundle.stage, "rootfs", ["certifi"]),
    ],
)
def test_another_bundle_of_authorities_makes_stale_what_it_goes_into(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    made: Callable[[Context], Stage],
    form: str,
    changed: list[str],
) -> None:
    monkeypatch.chdir(tiny_in(tmp_path / "tiny"))
    context = Context(replace(DEFAULTS, form=form))
    before = made(context)
    monkeypatch.setattr(certifi, "__version__", "2099.01.01")

    now = stage.changed_values(made(context), {stage.VALUES_KEY: dict(before.values)})

    assert changed == [one.name for one in now]
