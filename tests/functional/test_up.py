"""The main job, end to end: from source to a deployment, and a second run that does nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from testbed.application import App

STAGES = [
    "validate",
    "build:storefront",
    "build:catalogue",
    "build:orders",
    "build:banner",
    "bundle",
    "dockerfile",
    "image",
    "push",
    "manifests",
    "render",
    "apply",
]


def test_the_first_up_runs_every_stage_and_the_second_none(shop: App) -> None:
    first = shop.ok("up")
    second = shop.ok("up")

    assert sorted(STAGES) == sorted(first.stages("done"))
    assert ([], sorted(STAGES)) == (second.stages("run"), sorted(second.stages("fresh")))


# What only a stage that runs needs, or somebody who has something in Azure: a dataclass alone takes half a millisecond.
NOT_LOADED_TO_DO_NOTHING = (
    "spin_aks.azure",
    "spin_aks.cluster.connection",
    "spin_aks.generators.render",
    "spin_aks.kubernetes_object",
    "spin_aks.oci.reference",
    "spin_aks.process",
    "spin_aks.prompts",
    "spin_aks.spin.hosts",
    "spin_aks.spin.manifest",
    "spin_aks.spin.profiles",
    "spin_aks.tasks.access",
    "spin_aks.tasks.azure_",
    "spin_aks.tasks.making",
    "spin_aks.tasks.outputs",
    "spin_aks.tasks.resolving",
    "spin_aks.tasks.resource_",
    "spin_aks.tasks.right",
)


def test_a_run_with_nothing_to_do_loads_nothing_that_only_work_needs(tiny: App) -> None:
    tiny.ok("up")
    again = tiny.ok("up", "--offline", PYTHONPROFILEIMPORTTIME="1")
    loaded = {line.rpartition("|")[2].strip() for line in again.err.splitlines() if line.startswith("import time:")}

    assert "everything is fresh" in again.err
    assert {"spin_aks.plan", "spin_aks.tasks.resources"} <= loaded
    assert [] == sorted(name for name in loaded if name.startswith(NOT_LOADED_TO_DO_NOTHING))


def test_list_and_why_and_up_agree_before_and_after(shop: App) -> None:
    before = shop.ok("list", "--output", "json").json["stages"]
    assert not (shop.root / ".spin-aks").exists()
    shop.ok("up")
    after = shop.ok("list", "--output", "json").json["stages"]

    assert [*STAGES, "up"] == [stage["name"] for stage in before] == [stage["name"] for stage in after]
    assert {"never-run"} == {stage["state"] for stage in before}
    assert {"fresh"} == {stage["state"] for stage in after}
    assert {None} == {stage["last_run"] for stage in before}
    assert all(stage["last_run"].endswith("Z") for stage in after)
    assert shop.ok("why", "push").out.startswith("`push` would not run: nothing that it depends on has changed since ")


def test_editing_one_component_builds_one_and_uploads_one_layer(shop: App) -> None:
    shop.ok("up")
    source = shop.root / "orders/orders.wat"
    source.write_text(source.read_text().replace("Thank you!", "Thank yew!"))

    pushed = shop.ok("push", "--output", "json")

    assert ["build:orders"] == [name for name in pushed.stages("run") if name.startswith("build:")]
    sent = [layer["media_type"] for layer in pushed.json["layers"] if layer["sent"]]
    assert [
        "application/vnd.fermyon.spin.application.v1+config",
        "application/vnd.wasm.content.layer.v1+wasm",
    ] == sorted(sent)


def test_touching_every_file_runs_nothing(shop: App) -> None:
    shop.ok("up")
    for path in shop.root.rglob("*"):
        if path.is_file() and ".spin-aks" not in path.parts:
            path.touch()

    assert [] == shop.ok("up").stages("run")


def test_a_comment_in_spin_toml_runs_validate_alone(shop: App) -> None:
    shop.ok("up")
    manifest = shop.root / "spin.toml"
    manifest.write_text(manifest.read_text() + "\n# a remark\n")

    assert ["validate"] == shop.ok("up").stages("run")


def test_a_changed_flag_renders_and_applies_and_builds_nothing(shop: App) -> None:
    shop.ok("up")

    assert ["render", "apply"] == shop.ok("up", "--replicas", "3").stages("run")
    assert "kubernetes.replicas" in shop.run("why", "render").out


def test_an_edited_manifest_is_kept_and_applied(shop: App) -> None:
    shop.ok("up")
    deployment = shop.root / "manifests/deployment.yaml"
    deployment.write_text(deployment.read_text().replace("kind: Deployment\n", "kind: Deployment\n# mine\n"))
    edited = deployment.read_text()

    again = shop.ok("up", "-y")

    assert edited == deployment.read_text()
    assert "render" in again.stages("run")
    assert "manifests" in again.stages("fresh")


def plain_doit(shop: App, target: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        **shop.environment,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "SPIN_AKS_VARIABLES_GREETING": "Welcome",
        "SPIN_AKS_KUBERNETES_NAMESPACE": shop.flags[3],
        "SPIN_AKS_IMAGE_REPOSITORY": shop.flags[5],
        **more,
    }
    file = shop.plain("pipeline-file").out
    return subprocess.run(
        [sys.executable, "-m", "doit", "-f", file.strip(), "-d", ".", target],
        cwd=shop.root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_plain_doit_works_on_the_same_state(shop: App) -> None:
    shop.ok("up")
    done = plain_doit(shop, "up")

    assert (0, "") == (done.returncode, done.stderr)
    assert sorted(STAGES) == sorted(line[3:] for line in done.stdout.splitlines() if line.startswith("-- "))


def test_plain_doit_says_what_went_wrong_and_what_to_do(shop: App) -> None:
    done = plain_doit(shop, "push", SPIN_AKS_CONTAINER_REGISTRY_SERVER="127.0.0.1:1")

    assert 1 == done.returncode
    assert "error: no registry listens at `127.0.0.1:1`: the connection is refused\nhint: start it" in done.stderr


def test_up_needs_a_registry_and_says_so_before_it_builds_anything(shop: App) -> None:
    done = shop.run("up", SPIN_AKS_CONTAINER_REGISTRY_SERVER="")

    assert 3 == done.code
    assert "error: no registry is named\nhint: give `--registry HOST[:PORT][/PREFIX]`" in done.err
    assert [] == done.stages("run")


def test_a_build_that_fails_shows_its_output_its_code_and_what_failed(shop: App) -> None:
    (shop.root / "orders/orders.wat").write_text("(module (this is no instruction))")

    done = shop.run("build")

    assert 1 == done.code
    assert "`python ../wat.py orders.wat orders.wasm` failed with exit code 1" in done.err
    assert ["build:orders"] == done.stages("failed")
    states = {stage["name"]: stage for stage in shop.ok("list", "--output", "json").json["stages"]}
    assert "failed" == states["build:orders"]["state"]
    assert "fresh" == states["build:catalogue"]["state"]


def test_a_deleted_state_folder_loses_nothing_and_pushes_the_same_digest(shop: App) -> None:
    first = shop.ok("push", "--output", "json").json
    shutil.rmtree(shop.root / ".spin-aks")
    again = shop.ok("push", "--output", "json").json

    assert first["digest"] == again["digest"]
    assert [False] * len(again["layers"]) == [layer["sent"] for layer in again["layers"]]


def test_two_ups_at_once_end_well_or_say_who_is_at_work(shop: App) -> None:
    first, second = shop.start("up", *shop.flags), shop.start("up", *shop.flags)
    ends = [(process.communicate(timeout=240)[1], process.returncode) for process in (first, second)]

    refused = [said for said, code in ends if code == 1]
    assert 0 in [code for _, code in ends]
    assert all("another run is at work here: `" in said for said in refused)
    assert [] == shop.ok("up").stages("run")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("stage", ["validate", "build:catalogue", "bundle", "image", "push", "render", "apply"])
def test_a_run_that_is_ended_in_any_stage_goes_on_where_it_was(shop: App, stage: str, number: int) -> None:
    with shop.start("up", *shop.flags) as process:
        assert process.stderr
        for line in process.stderr:
            if line.startswith(("run", "done")) and stage in line:
                break
        process.send_signal(number)
        rest = process.stderr.read()
        code = process.wait(60)

    assert code in (0, {2: 130, 15: 143, 9: -9}[number])
    assert "Traceback" not in rest
    assert shop.ok("up").code == 0
    assert [] == shop.ok("up").stages("run")
    assert [] == list(shop.root.rglob(".*.tmp"))


def test_the_rendered_file_has_the_digest_and_the_kept_files_have_not(shop: App) -> None:
    digest = shop.ok("push", "--output", "json").json["digest"]
    shop.ok("up")

    rendered = (shop.root / ".spin-aks/default/rendered.yaml").read_text()
    kept = "".join(path.read_text() for path in (shop.root / "manifests").iterdir())
    assert digest in rendered
    assert "sha256:" not in kept
    assert shop.flags[3] not in kept


def test_scaffold_needs_neither_registry_nor_cluster(shop: App) -> None:
    shop.environment = {"KUBECONFIG": "/nonexistent"}

    done = shop.ok("scaffold")

    assert ["dockerfile", "manifests", "validate"] == sorted(done.stages("done"))
    assert {"Dockerfile", "manifests", ".spin-aks.lock"} <= {path.name for path in shop.root.iterdir()}


def test_the_state_folder_is_ignored_by_git(shop: App) -> None:
    shop.ok("build")

    assert "*\n" == (shop.root / ".spin-aks/.gitignore").read_text()


def test_a_corrupt_state_file_is_an_error_with_the_way_out(shop: App) -> None:
    shop.ok("build")
    (shop.root / ".spin-aks/default/doit.db").write_bytes(b"no database at all, by any standard" * 100)
    for name in ("doit.db-wal", "doit.db-shm"):
        (shop.root / ".spin-aks/default" / name).unlink(missing_ok=True)

    done = shop.run("build")

    assert 1 == done.code
    assert "what was done before can't be read" in done.err
    assert "hint: remove `.spin-aks/default/doit.db` and run the same command again" in done.err


def test_output_that_nobody_reads_ends_quietly(shop: App) -> None:
    with shop.start("list", *shop.flags) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        said = process.stderr.read()

    assert "Traceback" not in said
    assert "Exception" not in said


def test_json_output_is_nothing_but_json(shop: App) -> None:
    done = shop.ok("push", "--output", "json")

    assert {"reference", "digest", "form", "layers"} == set(json.loads(done.out))


def test_the_record_says_when(shop: App) -> None:
    before = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    shop.ok("build")

    stage = shop.ok("list", "--output", "json").json["stages"][0]
    assert before <= stage["last_run"]


def test_an_edited_dockerfile_changes_neither_form_nor_builder_behind_the_users_back(shop: App) -> None:
    shop.ok("up")
    dockerfile = shop.root / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text() + "# mine\n")

    again = shop.ok("up")
    shutil.rmtree(shop.root / ".spin-aks")
    elsewhere = shop.ok("push")

    assert [] == again.stages("run")
    proposed = "artifact by oci: as before; now that `Dockerfile` is yours, `--form rootfs --builder docker` would be"
    assert proposed in elsewhere.err
    assert {"form": "artifact", "builder": "oci"} == json.loads((shop.root / ".spin-aks.lock").read_text())["image"]


def test_a_dockerfile_that_was_there_before_us_is_built_by_docker(shop: App) -> None:
    (shop.root / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")

    done = shop.run("run", "image", DOCKER_HOST="unix:///nonexistent/docker.sock")

    assert 1 == done.code
    assert "rootfs by docker: `Dockerfile` is yours" in done.err
    assert "--builder oci" in done.err
