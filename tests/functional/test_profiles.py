"""`--profile` changes what is built and what is in the image, with no Spin CLI about."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from testbed.tiny import WASM

if TYPE_CHECKING:
    from testbed.application import App

RELEASE = WASM + b"\0\1\1"
PROFILE = """
[component.a.profile.release]
source = "a/release.wasm"
environment = { MODE = "release" }
build.command = "cp b.src release.wasm"
"""


@pytest.fixture
def profiled(tiny: App) -> App:
    manifest = tiny.root / "spin.toml"
    manifest.write_text(manifest.read_text() + PROFILE)
    (tiny.root / "a/b.src").write_bytes(RELEASE)
    return tiny


def test_a_profile_has_its_own_command_source_and_environment(profiled: App) -> None:
    profiled.ok("run", "image", "--profile", "release", "--form", "rootfs")

    bundle = profiled.root / ".spin-aks/default/bundle"
    assert RELEASE == (bundle / "components/a/component.wasm").read_bytes()
    assert 'MODE = "release"' in (bundle / "spin.toml").read_text()
    assert not (profiled.root / "a/a.wasm").exists()


def test_each_profile_has_its_own_image_and_going_back_makes_the_first_again(profiled: App) -> None:
    digests = []
    for profile in ((), ("--profile", "release"), ()):
        profiled.ok("run", "image", *profile)
        digests.append(json.loads((profiled.root / ".spin-aks/default/image.json").read_text())["digest"])

    assert digests[0] == digests[2] != digests[1]


def test_what_another_profile_made_is_no_source(profiled: App) -> None:
    profiled.ok("build", "-e", "release", "--profile", "release")
    profiled.ok("build")

    assert [] == profiled.ok("build", "-e", "release", "--profile", "release").stages("run")


def test_a_profile_that_no_component_has_is_refused_by_name(profiled: App) -> None:
    done = profiled.run("validate", "--profile", "releese")

    assert 3 == done.code
    assert "error: spin.toml: there is no profile `releese`\nhint: there are: release\n" == done.err
