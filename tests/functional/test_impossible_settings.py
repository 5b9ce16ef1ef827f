"""Inputs that can't be: refused with exit code 3 and the way out, before anything is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from testbed.tiny import add_to_component, add_variables

if TYPE_CHECKING:
    from testbed.application import App

REFUSED = [
    (("--namespace", "Bad_Name"), "--namespace: `Bad_Name` is not a namespace's name", ""),
    (("--replicas", "0"), "--replicas: `0` is no whole number from 1 to", ""),
    (("--replicas", "-1"), "--replicas: `-1` is no whole number from 1 to", ""),
    (("--timeout", "x"), "--timeout: `x` is no whole number from 1 to", ""),
    (("--registry", "http://127.0.0.1:1"), "a registry is named without `http://`", "--registry 127.0.0.1:1"),
    (("--registry", "bad host"), "`bad host` is no host of a registry", "HOST:PORT"),
    (("--registry", ""), "no registry is named", "spin-aks sandbox"),
    (("--repository", "BAD NAME"), "--repository: `BAD NAME` is not an image's repository", ""),
    (("--tag", "bad tag!"), "--tag: `bad tag!` is not an image's tag", ""),
    (("--memory-limit", "lots"), "--memory-limit: `lots` is not an amount of memory", ""),
    (("--variable", "nope"), "--variable: `nope` is not of the form NAME=VALUE", ""),
    (("--variable", "=x"), "--variable: `=...` is not of the form NAME=VALUE", ""),
    (("--shim", "9.9.9"), "no containerd-shim-spin `9.9.9` is known", "the nearest known is"),
    (("--shim", "new"), "--shim: `new` is not ", ""),
    (("--kubeconfig", "/nonexistent"), "there is no kubeconfig at `/nonexistent`", "az aks get-credentials"),
    (("--context", "nope"), "there is no context `nope`", "choose one with `--context`"),
    (("--type", "helm"), "--type: the type `helm` is not there yet", "`kube`"),
    (("-t", "KUSTOMIZE"), "--type: the type `kustomize` is not there yet", "`kube`"),
    (("-t", "yaml"), "--type: `yaml` is none of kube, kustomize, helm", ""),
    (("--builder", "spin"), "`--builder spin` takes a Spin CLI, and there is none", "`--builder oci`"),
    (("--builder", "docker", "--form", "artifact"), "the builder `docker` makes no `artifact`", "`--form rootfs`"),
    (("--bogus",), "unrecognized arguments: --bogus", "`spin-aks up --help`"),
    (("-f", "nowhere"), "there is no `", "name it with `-f PATH`"),
]


@pytest.mark.parametrize(("flags", "what", "hint"), REFUSED, ids=[" ".join(row[0]) for row in REFUSED])
def test_what_can_not_be_is_refused_before_anything_runs(
    tiny: App, flags: tuple[str, ...], what: str, hint: str
) -> None:
    tiny.flags = (*tiny.flags, *flags)

    done = tiny.run("up")

    assert (3, "", []) == (done.code, done.out, done.stages("run"))
    assert 1 == done.err.count("error: ")
    assert what in done.err.splitlines()[0]
    assert hint in "".join(line for line in done.err.splitlines() if line.startswith("hint: "))
    assert not (tiny.root / "a/a.wasm").exists()


@pytest.mark.parametrize("name", ["../../x", "..", ".", "", "a/b", "a b", "a\nb", "x" * 64])
@pytest.mark.parametrize("command", ["up", "list", "validate"])
def test_an_environment_can_not_lead_out_of_the_state_folder(tiny: App, command: str, name: str) -> None:
    outside = sorted(tiny.root.parent.rglob("*"))

    done = tiny.run(command, f"--environment={name}")

    assert 3 == done.code
    assert done.err.startswith("error: --environment: ")
    assert " is not a name of letters, digits" in done.err
    assert outside == sorted(tiny.root.parent.rglob("*"))


def test_what_others_wrote_can_not_paint_over_an_error(tiny: App) -> None:
    done = tiny.run("up", "--environment=a\x1b[2Jb")

    assert "error: --environment: `a\\x1b[2Jb` is not a name" in done.err
    assert "\x1b" not in done.err


def test_two_that_are_missing_are_named_at_once(tiny: App) -> None:
    tiny.environment = {"KUBECONFIG": "/nonexistent"}

    done = tiny.run("up")

    assert 3 == done.code
    errors = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert ["error: no registry is named", "error: there is no kubeconfig at `/nonexistent`"] == errors


@pytest.mark.parametrize(
    ("argv", "what", "hint"),
    [
        (("upp",), "there is no command `upp`", "did you mean `spin-aks up`?"),
        (("run", "build:b"), "there is no stage `build:b`", "did you mean `build:a`?"),
        (("why", "psuh"), "there is no stage `psuh`", "there are: validate, build:a"),
        (("run",), "the following arguments are required: TARGET", "`spin-aks run --help`"),
    ],
)
def test_a_word_that_nobody_knows_is_refused_with_the_nearest(
    tiny: App, argv: tuple[str, ...], what: str, hint: str
) -> None:
    done = tiny.plain(*argv)

    assert 3 == done.code
    assert f"error: {what}" in done.err
    assert f"hint: {hint}" in done.err


def test_the_kind_of_files_is_understood_in_any_case(tiny: App) -> None:
    done = tiny.ok("scaffold", "k8s", "-t", "KUBE")

    assert ["validate", "manifests"] == done.stages("done")


def test_a_folder_for_the_dockerfile_means_the_file_in_it_whether_it_is_there_or_not(tiny: App) -> None:
    (tiny.root / "there").mkdir()
    tiny.ok("scaffold", "dockerfile", "--dockerfile-dest", "there")
    tiny.ok("scaffold", "dockerfile", "--dockerfile-dest", "made/")

    assert "build -f there/Dockerfile " in (tiny.root / "there/Dockerfile").read_text()
    assert "build -f made/Dockerfile " in (tiny.root / "made/Dockerfile").read_text()


def test_generated_files_among_the_sources_make_nothing_stale_and_lose_nothing(tiny: App) -> None:
    manifest = tiny.root / "spin.toml"
    text = manifest.read_text().replace("cp a.src a.wasm", "cp a/a.src a/a.wasm")
    manifest.write_text(text.replace('workdir = "a"', ""))
    tiny.flags = (*tiny.flags, "--k8s-dest", ".", "--dockerfile-dest", "a")
    tiny.ok("up")

    again = tiny.ok("up")
    (tiny.root / "a/a.src").write_bytes(b"\0asm\x0d\0\x01\0")
    edited = tiny.ok("list").out

    assert [] == again.stages("run")
    assert {"deployment.yaml", "service.yaml", "namespace.yaml"} <= {path.name for path in tiny.root.iterdir()}
    assert (tiny.root / "a/Dockerfile").is_file()
    assert "build:a     stale      a/a.src changed" in edited.splitlines()


def test_a_variables_value_is_judged_again_where_it_is_part_of_a_host(tiny: App) -> None:
    add_to_component(tiny.root, 'allowed_outbound_hosts = ["{{ url }}"]')
    add_variables(tiny.root, "url = { required = true }")
    tiny.ok("validate", "--variable", "url=https://api.example")

    refused = tiny.run("validate", "--variable", "url=no address")

    assert 3 == refused.code
    assert "(what `{{ url }}` comes to)" in refused.err


def test_a_request_above_its_limit_is_refused_with_both_places_and_nothing_is_pushed(tiny: App) -> None:
    (tiny.root / "aks-spin.toml").write_text('[kubernetes.resources]\nmemory_request = "1Gi"\n')
    tiny.flags = (*tiny.flags, "--memory-limit", "64Mi")

    done = tiny.run("up")

    assert 3 == done.code
    assert (
        "error: aks-spin.toml:2: the memory that a pod asks for is 1Gi, above its limit of 64Mi (--memory-limit)\n"
        "hint: raise the limit, lower the request, or give only one of them\n"
    ) in done.err
    assert "push" not in done.stages("run")
