"""What `scaffold` and `push` write into the configuration, and what later runs make of it."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from testbed.application import App
from testbed.daemon import needs
from testbed.tiny import build_command

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE, OVERLAY = "aks-spin.toml", "aks-spin.prod.toml"
PROD = ("-e", "prod")
NOTE = "what was pushed is not noted"


def write(app: App, name: str, text: str) -> None:
    (app.root / name).write_text(text)


def text(app: App, name: str = FILE) -> str:
    return (app.root / name).read_text()


def held(app: App, name: str = FILE) -> dict[str, Any]:
    return tomllib.loads(text(app, name))


def pushed(app: App, environment: str = "default") -> dict[str, str]:
    """What the last push did, as the configuration has it."""
    done = json.loads((app.root / f".spin-aks/{environment}/push.json").read_text())
    name, _, digest = done["reference"].partition("@")
    repository, _, tag = name.partition("/")[2].rpartition(":")
    return {"registry": name.partition("/")[0], "repository": repository, "tag": tag, "digest": digest}


def written(done_err: str) -> list[str]:
    """The lines that tell of a configuration that was written."""
    return [line for line in done_err.splitlines() if line.startswith("wrote") and ".toml" in line]


# scaffold


def test_scaffold_stores_where_it_put_the_files_and_up_finds_them_there(tiny: App) -> None:
    done = tiny.ok("scaffold", "--dockerfile-dest", "docker/Web", "--k8s-dest", "deploy/k8s")
    second = tiny.ok("scaffold")
    stored = text(tiny)
    up = tiny.ok("up")

    assert 'schema = 1\n\n[image]\ndockerfile = "docker/Web"\n\n[kubernetes]\ndest = "deploy/k8s"\n' == stored
    assert ["wrote   aks-spin.toml: `image.dockerfile`, `kubernetes.dest`"] == written(done.err)
    assert [] == written(second.err)
    assert {"dockerfile", "manifests"} <= set(up.stages("fresh"))
    assert not (tiny.root / "Dockerfile").exists()
    assert not (tiny.root / "manifests").exists()
    assert "apply" in up.stages("done")


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("dockerfile", {"image": {"dockerfile": "Dockerfile"}}),
        ("k8s", {"kubernetes": {"dest": "manifests"}}),
        ("all", {"image": {"dockerfile": "Dockerfile"}, "kubernetes": {"dest": "manifests"}}),
    ],
)
def test_scaffold_stores_the_places_of_what_it_wrote_and_no_others(
    tiny: App, what: str, expected: dict[str, Any]
) -> None:
    tiny.ok("scaffold", what)

    assert {"schema": 1, **expected} == held(tiny)


def test_a_folder_for_the_dockerfile_is_stored_as_the_file_in_it(tiny: App) -> None:
    tiny.ok("scaffold", "dockerfile", "--dockerfile-dest", "docker/")

    assert {"dockerfile": "docker/Dockerfile"} == held(tiny)["image"]
    assert (tiny.root / "docker/Dockerfile").is_file()
    assert [] == tiny.ok("scaffold", "dockerfile").stages("run")


def test_what_stands_in_the_file_stays_as_it_is(tiny: App) -> None:
    before = "# ours\r\n[kubernetes] # here\r\nreplicas = 2\r\n\r\n[variables]\r\n"
    (tiny.root / FILE).write_bytes(before.encode())

    tiny.ok("scaffold", "k8s", "--k8s-dest", "deploy")

    after = (tiny.root / FILE).read_bytes().decode()
    assert before == after.replace('dest = "deploy"\r\n', "")
    assert after.count('dest = "deploy"\r\n') == 1


def test_places_that_the_file_has_are_left_as_they_are_written(tiny: App) -> None:
    before = "[image]\ndockerfile = \"./docker//Web\"\n[kubernetes]\ndest = 'deploy/'\n"
    write(tiny, FILE, before)

    done = tiny.ok("scaffold")

    assert before == text(tiny)
    assert [] == written(done.err)
    assert (tiny.root / "docker/Web").is_file()
    assert (tiny.root / "deploy/deployment.yaml").is_file()


def test_a_flag_or_a_variable_takes_the_place_of_what_the_file_has(tiny: App) -> None:
    write(tiny, FILE, '[image]\ndockerfile = "old" # mine\n')

    tiny.ok("scaffold", "dockerfile", "--dockerfile-dest", "new")
    by_flag = text(tiny)
    tiny.ok("scaffold", "dockerfile", SPIN_AKS_IMAGE_DOCKERFILE="newer")

    assert '[image]\ndockerfile = "new" # mine\n' == by_flag
    assert '[image]\ndockerfile = "newer" # mine\n' == text(tiny)


def test_with_e_the_places_go_into_the_file_of_all(tiny: App) -> None:
    write(tiny, OVERLAY, "# prod\n")

    tiny.ok("scaffold", *PROD, "--k8s-dest", "deploy")

    assert {"schema": 1, "image": {"dockerfile": "Dockerfile"}, "kubernetes": {"dest": "deploy"}} == held(tiny)
    assert "# prod\n" == text(tiny, OVERLAY)
    assert [] == tiny.ok("scaffold").stages("written")
    assert (tiny.root / "deploy/deployment.yaml").is_file()


def test_with_e_a_place_that_the_overlay_has_is_changed_there(tiny: App) -> None:
    """Written into the file of all, it would not hold in this environment."""
    write(tiny, FILE, '[kubernetes]\ndest = "manifests"\n')
    write(tiny, OVERLAY, '[kubernetes]\ndest = "prod" # apart\n')

    tiny.ok("scaffold", "k8s", *PROD, "--k8s-dest", "moved")

    assert '[kubernetes]\ndest = "manifests"\n' == text(tiny)
    assert '[kubernetes]\ndest = "moved" # apart\n' == text(tiny, OVERLAY)
    assert [] == tiny.ok("scaffold", "k8s", *PROD).stages("run")


def test_from_a_folder_below_the_places_are_those_that_were_meant(tiny: App) -> None:
    below = App(tiny.root / "a", tiny.environment, tiny.flags)
    tiny_flags = ("-f", "../spin.toml")

    done = below.plain("scaffold", *tiny_flags, *tiny.flags, "--dockerfile-dest", "Web", "--k8s-dest", "../deploy")
    found = held(tiny)

    assert 0 == done.code, done.err
    assert (tiny.root / "a/Web").is_file()
    assert {"dockerfile": "a/Web"} == found["image"]
    assert {"dest": "deploy"} == found["kubernetes"]
    assert not (tiny.root / "a" / FILE).exists()
    assert {"dockerfile", "manifests"} <= set(tiny.ok("up").stages("fresh"))


def test_a_configuration_above_names_the_places_from_where_it_is(tiny: App) -> None:
    above = tiny.root.parent
    (above / ".git").mkdir()
    (above / FILE).write_text('[app]\nmanifest = "tiny/spin.toml"\n')

    tiny.ok("scaffold", "--k8s-dest", "deploy")

    found = tomllib.loads((above / FILE).read_text())
    assert ("tiny/Dockerfile", "tiny/deploy") == (found["image"]["dockerfile"], found["kubernetes"]["dest"])
    assert not (tiny.root / FILE).exists()
    assert {"dockerfile", "manifests"} <= set(tiny.ok("up").stages("fresh"))


def test_a_configuration_by_c_is_the_one_that_is_written(tiny: App) -> None:
    write(tiny, "other.toml", "# other\n")
    write(tiny, FILE, "# not this one\n")

    tiny.ok("scaffold", "k8s", "-c", "other.toml", "--k8s-dest", "deploy")

    assert "# not this one\n" == text(tiny)
    assert {"dest": "deploy"} == held(tiny, "other.toml")["kubernetes"]


def test_a_file_that_can_not_be_changed_is_an_error_and_the_files_are_there(tiny: App) -> None:
    write(tiny, FILE, "image = { platform = 'linux/amd64' }\nkubernetes = { replicas = 1 }\n")
    before = text(tiny)

    done = tiny.run("scaffold", "--k8s-dest", "deploy")

    if done.code:
        assert before == text(tiny)
        assert "hint: " in done.err
    else:
        assert "deploy" == held(tiny)["kubernetes"]["dest"]
    assert (tiny.root / "deploy/deployment.yaml").is_file()


@pytest.fixture
def mounted(tiny: App) -> Iterator[App]:
    """Its configuration is a mount of its own, as in a container: it can't be replaced."""
    write(tiny, FILE, "# ours\n")
    path, mount = tiny.root / FILE, needs("mount", "mount")
    if subprocess.run([mount, "--bind", path, path], capture_output=True).returncode != 0:
        pytest.skip("needs the right to mount a file system")
    try:
        subprocess.run([mount, "-o", "remount,ro,bind", path], check=True)
        yield tiny
    finally:
        subprocess.run(["umount", path], check=True)


def test_a_file_that_can_not_be_written_ends_scaffold_with_1_and_what_to_do(mounted: App) -> None:
    done = mounted.run("scaffold")

    assert 1 == done.code
    assert (mounted.root / "Dockerfile").is_file()
    error, *rest = [line for line in done.err.splitlines() if line.startswith(("error: ", "hint: "))]
    assert error.startswith("error: can't write `aks-spin.toml`: "), done.err
    assert 1 == len(rest)


# push


def test_push_writes_what_it_pushed_into_the_file_and_the_second_run_is_fresh(tiny: App) -> None:
    write(tiny, FILE, "# ours\n[image]\nplatform = 'linux/amd64' # as it is\n")

    tiny.ok("push")
    after = text(tiny)
    again = tiny.ok("push")

    assert pushed(tiny) == held(tiny)["image"]["pushed"]
    assert (tiny.environment["SPIN_AKS_CONTAINER_REGISTRY_SERVER"], tiny.flags[3]) == (
        pushed(tiny)["registry"],
        pushed(tiny)["repository"],
    )
    assert after.startswith("# ours\n[image]\nplatform = 'linux/amd64' # as it is\n")
    assert [] == again.stages("run")
    assert after == text(tiny)


def test_another_push_writes_the_new_one_in_its_place(tiny: App) -> None:
    write(tiny, FILE, "# ours\n")
    tiny.ok("push")
    before = text(tiny)
    (tiny.root / "a/a.src").write_bytes(b"\0asm\x0d\0\x01\0")

    tiny.ok("push", "--tag", "v2")

    assert ("v2", pushed(tiny)["digest"]) == (pushed(tiny)["tag"], held(tiny)["image"]["pushed"]["digest"])
    assert len(before.splitlines()) == len(text(tiny).splitlines())


def test_what_a_registry_s_prefix_is_stays_with_the_registry(tiny: App) -> None:
    write(tiny, FILE, "")
    server = f"{tiny.environment['SPIN_AKS_CONTAINER_REGISTRY_SERVER']}/team"

    tiny.ok("push", "--registry", server)

    found = held(tiny)["image"]["pushed"]
    assert (server, tiny.flags[3]) == (found["registry"], found["repository"])


def test_config_show_has_what_was_pushed_and_nothing_is_stale(tiny: App) -> None:
    write(tiny, FILE, "")
    tiny.ok("up")
    shown = {line.split()[0]: line.split()[1:] for line in tiny.plain("config", "show").out.splitlines()}

    assert {f"image.pushed.{key}": value for key, value in pushed(tiny).items()} == {
        key: value for key, (value, _) in shown.items() if key.startswith("image.pushed.")
    }
    assert f"{pushed(tiny)['digest']}\n" == tiny.plain("config", "get", "image.pushed.digest").out
    assert "everything is fresh" in tiny.ok("up").err


def test_without_a_file_nothing_is_written(tiny: App) -> None:
    tiny.ok("push")
    tiny.ok("push", *PROD)

    assert [] == list(tiny.root.glob("*spin*.toml.*")) + list(tiny.root.glob("aks-spin*"))


def test_with_e_it_goes_into_the_overlay_and_without_one_nowhere(tiny: App) -> None:
    write(tiny, FILE, "# of all\n")
    tiny.ok("push", *PROD)
    without = text(tiny)
    write(tiny, OVERLAY, "# of prod\n")
    tiny.ok("push", *PROD, "--tag", "v2")
    again = tiny.ok("push", *PROD, "--tag", "v2")

    assert "# of all\n" == without == text(tiny)
    assert not list(tiny.root.glob("aks-spin.*.*.toml"))
    assert pushed(tiny, "prod") == held(tiny, OVERLAY)["image"]["pushed"]
    assert text(tiny, OVERLAY).startswith("# of prod\n")
    assert [] == again.stages("run")


def test_by_c_it_goes_into_that_file(tiny: App) -> None:
    write(tiny, FILE, "# of all\n")
    write(tiny, "other.toml", "")

    tiny.ok("push", "-c", "other.toml")

    assert "# of all\n" == text(tiny)
    assert pushed(tiny, "other") == held(tiny, "other.toml")["image"]["pushed"]


BROKEN = ["[", "image = 1\\n", "[image]\\npushed = 1\\n", "[[image]]\\nform = 1\\n"]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_file_that_was_broken_meanwhile_is_a_warning_and_the_push_counts(tiny: App, broken: str) -> None:
    write(tiny, FILE, "# ours\n")
    build_command(tiny.root, f"cp a.src a.wasm; printf '{broken}' > ../{FILE}")

    done = tiny.ok("push")
    after = text(tiny)
    write(tiny, FILE, "# ours\n")

    assert broken.replace("\\n", "\n") == after
    assert 1 == done.err.count(NOTE)
    assert re.search(rf"^warning: aks-spin.toml:[12]: {NOTE}: ", done.err, re.M)
    assert done.out.startswith(pushed(tiny)["registry"])
    assert "push" in done.stages("done")
    assert "Traceback" not in done.err
    assert [] == tiny.ok("push").stages("run")


def test_a_file_that_became_a_folder_is_a_warning_and_the_push_counts(tiny: App) -> None:
    write(tiny, FILE, "# ours\n")
    build_command(tiny.root, f"cp a.src a.wasm; rm ../{FILE}; mkdir ../{FILE}")

    done = tiny.ok("push")

    assert f"warning: aks-spin.toml: {NOTE}: is a folder" in done.err
    assert "push" in done.stages("done")
    (tiny.root / FILE).rmdir()
    assert [] == tiny.ok("push").stages("run")


def test_a_file_that_can_not_be_written_is_a_warning_and_the_push_counts(mounted: App) -> None:
    done = mounted.ok("push")

    assert f"{NOTE}: can't write `aks-spin.toml`: " in done.err
    assert "# ours\n" == text(mounted)
    assert [] == mounted.ok("push").stages("run")
