"""Every manifest that people really wrote, and that Spin accepts, becomes valid objects."""

from __future__ import annotations

import json
from pathlib import Path

import kubernetes_validate

from spin_aks.generators.dockerfile import dockerfile
from spin_aks.generators.kube import Installer, KubeSettings, files
from spin_aks.generators.render import RenderValues, render
from spin_aks.generators.resources import Payload
from spin_aks.spin.manifest import parse
from spin_aks.spin.versions import NEWEST_RUNTIME

IMAGE = "registry.example.com/app:1@sha256:" + "0" * 64
SETTINGS = KubeSettings(NEWEST_RUNTIME, "rootfs", Installer.PREINSTALLED)


def test_every_manifest_that_spin_accepts_is_rendered(shared: Path) -> None:
    folder = shared / "spin-manifests"
    verdicts = map(json.loads, (folder / "SPIN-PARSER.jsonl").read_text(encoding="utf-8").splitlines())
    accepted = [verdict["file"] for verdict in verdicts if verdict["4.0.2"] == "ok"]

    rendered = [kinds(folder / file) for file in accepted]

    assert len(accepted) > 300
    assert {("Namespace", "Deployment"), ("Namespace", "Deployment", "Service")} == set(rendered)


def kinds(manifest: Path) -> tuple[str, ...]:
    application = parse(manifest.read_text(encoding="utf-8"), Path("spin.toml"))
    required = {variable.name: "given" for variable in application.variables if variable.required}
    values = RenderValues(
        application.name, "shop", IMAGE, Payload("rootfs", {"app": 10**6}), variables=required, required=tuple(required)
    )

    objects = render(files(application, SETTINGS), values).objects

    for item in objects:
        kubernetes_validate.validate(item.body, "1.36", strict=True)
    assert dockerfile(application).endswith('ENTRYPOINT ["/"]\n')
    assert application.serves_http == any(item.key.kind == "Service" for item in objects)
    return tuple(item.key.kind for item in objects)
