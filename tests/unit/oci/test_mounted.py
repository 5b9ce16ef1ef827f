from __future__ import annotations

import json
from typing import TYPE_CHECKING

from spin_aks.errors import SpinAksError
from spin_aks.oci.mounted import Home, manifest
from spin_aks.spin.manifest import parse
from spin_aks.spin.profiles import applied

if TYPE_CHECKING:
    from pathlib import Path

    from spin_aks.json_types import JSONObject
    from spin_aks.spin.model import Application

GONE = ("source", "files", "exclude_files", "build", "tool", "targets", "profile")


def homes(app: Application) -> dict[str, Home]:
    return {component.id: Home(f"c/{component.id}.wasm", f"c/{component.id}") for component in app.components}


def test_a_version_2_manifest_keeps_its_meaning_and_loses_what_only_building_needs(tmp_path: Path) -> None:
    text = """spin_manifest_version = 2
# a comment
[application]
name = "x"
targets = ["spin-up:3.4"]
[application.tool.aks]
kept = true
[variables]
v = { default = "1" }
[[trigger.http]]
route = "/..."
component = "web"
[[trigger.http]]
route = "/inline"
component = { source = "b.wasm", files = ["*.txt"] }
[component.web]
source = { url = "https://example.com/a.wasm", digest = "sha256:1" }
files = ["assets/*"]
exclude_files = ["*.tmp"]
targets = []
[component.web.variables]
w = "{{ v }}"
[component.web.build]
command = "make"
[component.web.tool.other]
x = 1
"""
    app = parse(text, tmp_path / "spin.toml")

    assert """spin_manifest_version = 2

[application]
name = "x"

[variables.v]
default = "1"

[[trigger.http]]
route = "/..."
component = "web"

[[trigger.http]]
route = "/inline"

[trigger.http.component]
source = "c/http-trigger1-component.wasm"
files = [{ source = "c/http-trigger1-component", destination = "/" }]

[component.web]
source = "c/web.wasm"
files = [{ source = "c/web", destination = "/" }]

[component.web.variables]
w = "{{ v }}"
""" == manifest(app, homes(app))


def test_a_version_1_manifest_stays_one(tmp_path: Path) -> None:
    text = """spin_version = "1"
name = "x"
trigger = { type = "http", base = "/" }
[[component]]
id = "Some_Part"
source = "a.wasm"
files = ["assets/*"]
[component.build]
command = "make"
[component.trigger]
route = "/"
"""
    app = parse(text, tmp_path / "spin.toml")

    assert """spin_version = "1"
name = "x"

[trigger]
type = "http"
base = "/"

[[component]]
id = "Some_Part"
source = "c/some-part.wasm"

[component.trigger]
route = "/"

[[component.files]]
source = "c/some-part"
destination = "/"
""" == manifest(app, homes(app))


def test_a_component_that_sees_no_files_mounts_none(tmp_path: Path) -> None:
    app = parse(
        'spin_manifest_version = 2\n[application]\nname = "x"\n[[trigger.http]]\nroute = "/"\ncomponent = "a"\n'
        '[component.a]\nsource = "a.wasm"\n',
        tmp_path / "spin.toml",
    )

    assert "files" not in manifest(app, {"a": Home("a.wasm")})


def test_the_environment_of_a_profile_is_in_force(tmp_path: Path) -> None:
    app = parse(
        'spin_manifest_version = 2\n[application]\nname = "x"\n[[trigger.http]]\nroute = "/"\ncomponent = "a"\n'
        '[component.a]\nsource = "a.wasm"\nenvironment = { A = "1", B = "1" }\n'
        '[component.a.profile.debug]\nsource = "debug.wasm"\nenvironment = { B = "2" }\n',
        tmp_path / "spin.toml",
    )

    again = parse(manifest(applied(app, "debug"), {"a": Home("a.wasm")}), tmp_path / "spin.toml")

    assert {"A": "1", "B": "2"} == again.component("a").environment
    assert {} == again.component("a").profiles


def test_every_manifest_that_spin_reads_says_the_same_after_it(shared: Path) -> None:
    corpus = shared / "spin-manifests"
    compared = 0
    for line in (corpus / "SPIN-PARSER.jsonl").read_text().splitlines():
        verdict = json.loads(line)
        path = corpus / verdict["file"]
        if verdict["4.0.2"] != "ok" or not path.is_file():
            continue
        try:
            app = parse(path.read_text(), path)
        except SpinAksError:
            continue
        again = parse(manifest(app, homes(app)), path)
        assert _without(app) == _without(again), path
        assert all(
            component.source.path == f"c/{component.id}.wasm"  # type: ignore[union-attr]
            for component in again.components
        )
        compared += 1

    assert compared > 300


def _without(app: Application) -> JSONObject:
    document = json.loads(json.dumps(app.normalised))
    for key in ("tool", "targets"):
        document["application"].pop(key, None)
    for component in document.get("component", {}).values():
        for key in GONE:
            component.pop(key, None)
    return document  # type: ignore[no-any-return]
