"""Two environments of one application, side by side in one folder."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from testbed.tiny import add_variables, build_command

from spin_aks import files
from spin_aks.cluster import inventory

if TYPE_CHECKING:
    from testbed.application import App

    from spin_aks import sandbox

OWN = {"doit.db", "lock", "record.json", "configuration.json", "applied.json", "rendered.yaml"}


@pytest.fixture
def named(tiny: App) -> App:
    """An application of a name of its own, whose namespace is left to the tool."""
    name = f"n{abs(hash(tiny.root)) % 10**10}"
    tiny.flags = ("--service", "clusterip")
    tiny.environment = {**tiny.environment, "SPIN_AKS_APP_NAME": name}
    return tiny


def name_of(app: App) -> str:
    return app.environment["SPIN_AKS_APP_NAME"]


def kept(app: App) -> dict[str, bytes]:
    """The files that people keep, with all their bytes."""
    found = (path for path in app.root.rglob("*") if path.is_file() and ".spin-aks" not in path.parts)
    return {path.relative_to(app.root).as_posix(): path.read_bytes() for path in found}


def stale(app: App, *flags: str) -> list[str]:
    """What would run, when registry and cluster are asked as well."""
    stages = app.ok("list", "--refresh", "--output", "json", *flags).json["stages"]
    return [stage["name"] for stage in stages if stage["state"] != "fresh"]


def in_cluster(embedded: sandbox.Running, path: str) -> Any:
    kubeconfig = Path(embedded.environment["KUBECONFIG"]).read_text()
    server = next(line.split()[1] for line in kubeconfig.splitlines() if line.strip().startswith("server:"))
    with urllib.request.urlopen(f"{server}{path}") as answer:
        return json.load(answer)


def replicas(embedded: sandbox.Running, namespace: str, name: str) -> int:
    count: int = in_cluster(embedded, f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}")["spec"]["replicas"]
    return count


def test_two_environments_at_once_compile_one_after_the_other(tiny: App) -> None:
    build_command(tiny.root, "echo start >> ../log; sleep 0.5; echo end >> ../log; cp a.src a.wasm")
    runs = [tiny.start("build", "-e", name) for name in ("blue", "green")]
    ends = [(run.communicate(timeout=60)[1], run.returncode) for run in runs]

    assert [0, 0] == [code for _, code in ends]
    assert ["start", "end", "start", "end"] == (tiny.root / "log").read_text().split()
    assert [[], []] == [tiny.ok("build", "-e", name).stages("run") for name in ("blue", "green")]


def test_a_second_environment_leaves_the_first_one_fresh(tiny: App) -> None:
    tiny.ok("up", "-e", "blue")
    tiny.flags = (*tiny.flags[:1], f"{tiny.flags[1]}-green", *tiny.flags[2:])
    tiny.ok("up", "-e", "green")
    tiny.flags = (tiny.flags[0], tiny.flags[1].removesuffix("-green"), *tiny.flags[2:])

    assert [] == tiny.ok("up", "-e", "blue").stages("run")


def test_a_second_environment_has_all_of_its_own_and_leaves_the_first_fresh(
    named: App, embedded: sandbox.Running
) -> None:
    name = name_of(named)
    named.ok("up")
    before = kept(named)
    named.ok("up", "-e", "staging")

    assert before == kept(named)
    assert [[], []] == [stale(named), stale(named, "-e", "staging")]
    assert "everything is fresh" in named.ok("up").err.splitlines()
    for folder, namespace in (("default", name), ("staging", f"{name}-staging")):
        assert {path.name for path in (named.root / ".spin-aks" / folder).iterdir()} >= OWN
        assert replicas(embedded, namespace, name) == 1
        listed = in_cluster(embedded, f"/api/v1/namespaces/{namespace}/configmaps/{inventory.name_for(name)}")
        assert folder == listed["data"]["environment"]


def test_an_overlay_is_its_environments_alone(named: App, embedded: sandbox.Running) -> None:
    name = name_of(named)
    add_variables(named.root, 'greeting = { default = "Hi" }')
    (named.root / "aks-spin.toml").write_text("[kubernetes]\nreplicas = 1\n")
    overlay = named.root / "aks-spin.staging.toml"
    overlay.write_text('[kubernetes]\nreplicas = 3\n\n[variables]\ngreeting = "Welcome"\n')
    named.ok("up")
    before = kept(named)
    named.ok("up", "-e", "staging")
    after = kept(named)

    noted = after.pop(overlay.name)
    assert {key: text for key, text in before.items() if key != overlay.name} == after
    assert noted.startswith(before[overlay.name])
    assert (1, 3) == (replicas(embedded, name, name), replicas(embedded, f"{name}-staging", name))
    assert [[], []] == [stale(named), stale(named, "-e", "staging")]
    overlay.write_bytes(noted.replace(b"replicas = 3", b"replicas = 2"))
    assert ([], ["render", "apply", "up"]) == (stale(named), stale(named, "-e", "staging"))


def test_two_files_in_one_folder_share_nothing(named: App, embedded: sandbox.Running) -> None:
    name = name_of(named)
    for number, file in enumerate(("blue.toml", "green.toml"), 1):
        (named.root / file).write_text(f"[kubernetes]\nreplicas = {number}\n")
        named.ok("up", "-c", file)

    assert [[], []] == [stale(named, "-c", file) for file in ("blue.toml", "green.toml")]
    assert {"blue", "green"} == {path.name for path in (named.root / ".spin-aks").iterdir() if path.is_dir()}
    assert [1, 2] == [replicas(embedded, f"{name}-{file}", name) for file in ("blue", "green")]


def test_two_files_of_one_name_in_two_folders_share_nothing_here(named: App) -> None:
    for folder in ("one", "two"):
        (named.root / folder).mkdir()
        (named.root / folder / "live.toml").write_text('[app]\nmanifest = "../spin.toml"\n')
        named.ok("run", "render", "-c", f"{folder}/live.toml", "--replicas", "2")

    for folder in ("one", "two"):
        home = named.root / folder / ".spin-aks"
        assert "live" == next(path.name for path in home.iterdir() if path.is_dir())
        assert [] == named.ok("run", "render", "-c", f"{folder}/live.toml", "--replicas", "2").stages("run")


def test_two_files_of_one_name_in_two_folders_are_kept_apart_where_the_state_would_be_one(named: App) -> None:
    for folder in ("one", "two"):
        (named.root / folder).mkdir()
        (named.root / folder / "live.toml").write_text("[kubernetes]\nreplicas = 2\n")
    named.ok("run", "render", "-c", "one/live.toml")

    second = named.run("run", "render", "-c", "two/live.toml")

    assert 3 == second.code
    assert "the state of the environment `live` belongs to `one/live.toml`" in second.err
    assert {"configuration": "one/live.toml"}.items() <= (
        files.read_json(named.root / ".spin-aks/live/configuration.json") or {}
    ).items()


def test_two_files_of_one_name_in_two_folders_take_nothing_of_each_other_in_the_cluster(
    named: App, embedded: sandbox.Running
) -> None:
    name = name_of(named)
    for number, folder in enumerate(("one", "two"), 1):
        (named.root / folder).mkdir()
        text = f'[app]\nmanifest = "../spin.toml"\n\n[kubernetes]\nreplicas = {number}\n'
        (named.root / folder / "live.toml").write_text(text)
    named.ok("up", "-c", "one/live.toml")

    second = named.run("up", "-c", "two/live.toml")

    assert 1 == second.code
    assert f"error: ConfigMap {name}-live/{inventory.name_for(name)}: the environment `one/live` has" in second.err
    assert "give `two/live` a namespace of its own" in second.err
    assert 1 == replicas(embedded, f"{name}-live", name)
    assert 0 == named.run("up", "-c", "two/live.toml", "--namespace", f"{name}-two").code
    assert [1, 2] == [replicas(embedded, f"{name}-{end}", name) for end in ("live", "two")]
    assert [] == stale(named, "-c", "one/live.toml")
