"""The application's name, given: registry and cluster know it by that, and the image is the same as before."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from spin_aks.cluster import inventory
from spin_aks.cluster.connection import connect
from spin_aks.cluster.resources import CONFIG_MAPS, DEPLOYMENTS, SERVICES

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.application import App


@pytest.fixture
def app(tiny: App) -> App:
    """Without a namespace and a repository of its own: both are to come from the name."""
    tiny.flags = ("--service", "clusterip")
    return tiny


@pytest.fixture
def name(tmp_path: Path) -> str:
    """One of this test alone, which needs to be changed to be a name in Kubernetes."""
    return f"My T{abs(hash(tmp_path)) % 10**10}"


def plain(name: str) -> str:
    return name.lower().replace(" ", "-")


def state(app: App, file: str, environment: str = "default") -> Any:
    return json.loads((app.root / f".spin-aks/{environment}/{file}").read_text())


def everywhere(app: App) -> list[str]:
    """The lines that hold the name of spin.toml, of all that is rendered."""
    rendered = (app.root / ".spin-aks/default/rendered.yaml").read_text()
    return [line for line in rendered.splitlines() if "tiny" in line]


@pytest.mark.parametrize("way", ["flag", "file", "variable"])
def test_registry_and_cluster_know_it_by_the_name_that_was_given(app: App, name: str, way: str) -> None:
    own = plain(name)
    if way == "file":
        (app.root / "aks-spin.toml").write_text(f'[app]\nname = "{name}"\n')
    flags = ("--name", name) if way == "flag" else ()
    if way == "variable":
        app.environment["SPIN_AKS_APP_NAME"] = name

    done = app.ok("up", *flags)

    rendered = list(yaml.safe_load_all((app.root / ".spin-aks/default/rendered.yaml").read_text()))
    (deployment,) = [one for one in rendered if one["kind"] == "Deployment" and one["metadata"]["name"] == own]
    pod = deployment["spec"]["template"]
    labels = {"app.kubernetes.io/name": own, "spin-aks.dev/application": own}
    assert own == deployment["metadata"]["namespace"]
    assert labels.items() <= deployment["metadata"]["labels"].items()
    assert labels.items() <= pod["metadata"]["labels"].items()
    assert pod["spec"]["containers"][0]["image"].startswith(
        f"{app.environment['SPIN_AKS_CONTAINER_REGISTRY_SERVER']}/{own}:"
    )
    assert [] == everywhere(app)
    cluster = connect(app.environment["KUBECONFIG"], "")
    found = [(DEPLOYMENTS, own), (SERVICES, own), (CONFIG_MAPS, inventory.name_for(own))]
    assert all(cluster.get(resource.path(own, called)) for resource, called in found)
    assert f"\n{own} is in the namespace {own} of the sandbox, where nothing of it really runs\n" in done.err
    assert f"image: {own}\n" in (app.root / "manifests/deployment.yaml").read_text()
    assert [] == app.ok("up", *flags).stages("run")


@pytest.mark.parametrize("form", ["artifact", "rootfs"])
def test_the_image_s_digest_does_not_depend_on_the_name(app: App, name: str, form: str) -> None:
    app.flags = (*app.flags, "--form", form)
    app.ok("push", "--repository", plain(name))
    before = state(app, "image.json")
    renamed = app.ok("push", "--repository", plain(name), "--name", name)
    after = state(app, "image.json")
    (app.root / ".spin-aks/default/image.json").unlink()
    app.ok("push", "--repository", plain(name), "--name", name)

    assert [] == renamed.stages("run")
    assert before == after == state(app, "image.json")


def test_a_new_name_makes_stale_what_bears_it_and_leaves_the_wasm_and_the_image_alone(app: App, name: str) -> None:
    app.ok("up", "--name", name)

    again = app.ok("up", "--name", f"{name} 2")

    assert {"dockerfile", "push", "manifests", "render", "apply"} == set(again.stages("run"))
    removed = f"--selector spin-aks.dev/application={plain(name)} --namespace {plain(name)}` removes it"
    assert f"namespace {plain(name)} keeps what was applied there before; `kubectl delete " in again.err
    assert removed in again.err


def test_an_application_renamed_within_its_namespace_is_told_of_what_is_left(tiny: App, name: str) -> None:
    namespace = tiny.flags[1]
    tiny.ok("up")

    again = tiny.ok("up", "--name", name)

    assert f"namespace {namespace} keeps what was applied there before; `kubectl delete " in again.err
    assert f"--selector spin-aks.dev/application=tiny --namespace {namespace}` removes it" in again.err


def test_environments_add_theirs_to_the_name(app: App, name: str) -> None:
    done = app.ok("up", "-e", "prod", "--name", name)

    assert f"{plain(name)} is in the namespace {plain(name)}-prod of the sandbox" in done.err


def test_the_dockerfile_says_how_to_build_the_image_of_that_name(app: App, name: str) -> None:
    app.ok("scaffold", "dockerfile", "--name", name)
    text = (app.root / "Dockerfile").read_text()

    assert "tiny" not in text
    assert plain(name) in text


@pytest.mark.parametrize("wrong", ["日本", "   ", "x" * 254, "a\nb"])
def test_what_can_be_no_name_is_refused_where_it_is_given(app: App, wrong: str) -> None:
    done = app.run("up", "--name", wrong)

    assert (3, []) == (done.code, done.stages("run"))
    assert done.err.startswith("error: --name: `")
    assert "is not an application's name: 1 to 253 characters on one line" in done.err


def test_spin_toml_is_left_as_it_is(app: App, name: str) -> None:
    before = (app.root / "spin.toml").read_bytes()
    app.ok("up", "--name", name, "--form", "rootfs")

    assert before == (app.root / "spin.toml").read_bytes()
    assert 'name = "tiny"' in (app.root / ".spin-aks/default/bundle/spin.toml").read_text()
    assert 0 == subprocess.run(["grep", "-rqi", plain(name), str(app.root / "manifests")]).returncode
