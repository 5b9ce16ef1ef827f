"""Components are built one after the other in the manifest's order, as Spin builds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from testbed.application import App

if TYPE_CHECKING:
    from pathlib import Path

HEADER = """\
spin_manifest_version = 2
application.name = "many"
[[trigger.http]]
route = "/..."
component = "part-m"
executor.type = "wagi"
"""
COMPONENT = """\
[component.part-{letter}]
source = "{letter}.wasm"
build.command = "printf '\\\\0asm\\\\1\\\\0\\\\0\\\\0' > {letter}.wasm"
build.watch = ["spin.toml"]
"""
LETTERS = "mzaybxcwdv"


def test_components_are_built_in_the_manifests_order(tmp_path: Path) -> None:
    app = App(tmp_path / "many")
    app.root.mkdir()
    components = (COMPONENT.format(letter=letter) for letter in LETTERS)
    (app.root / "spin.toml").write_text(HEADER + "".join(components))

    done = app.ok("run", "bundle")

    builds = [f"build:part-{letter}" for letter in LETTERS]
    assert ["validate", *builds, "bundle"] == done.stages("run")
    assert ["validate", *builds, "bundle"] == app.ok("run", "bundle").stages("fresh")


def test_after_a_component_that_does_not_build_none_is_begun(tmp_path: Path) -> None:
    app = App(tmp_path / "many")
    app.root.mkdir()
    components = (COMPONENT.format(letter=letter) for letter in LETTERS)
    (app.root / "spin.toml").write_text(HEADER + "".join(components).replace("> b.wasm", "> b.wasm && false"))

    done = app.run("build")

    assert 1 == done.code
    assert [f"build:part-{letter}" for letter in "mzay"] == done.stages("done")[1:]
    assert ["build:part-b"] == done.stages("failed")
