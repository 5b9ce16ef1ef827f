"""A runtime-config.toml on its way to the pod: the mount people keep, the ConfigMap that `render` makes, the digest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import kubernetes_validate
import pytest
import yaml
from unit.generators.applications import PLAIN

from spin_aks.errors import RefusedError
from spin_aks.generators.kube import Installer, KubeSettings, files
from spin_aks.generators.names import RUNTIME_CONFIG_ANNOTATION
from spin_aks.generators.render import Rendered, RenderValues, render
from spin_aks.generators.resources import Payload
from spin_aks.spin.runtime_config import NOTHING, RuntimeConfig, parse
from spin_aks.spin.versions import NEWEST_RUNTIME, runtime

if TYPE_CHECKING:
    from spin_aks.generators.resources import Form

IMAGE = "127.0.0.1:5000/hello:1@sha256:" + "0123456789abcdef" * 4
COSMOS = '[key_value_store.default]\ntype = "azure_cosmos"\naccount = "a"\ndatabase = "d"\ncontainer = "k"\n'
LOCAL = '[key_value_store.cache]\ntype = "redis"\nurl = "redis://cache/0?name=é😀\u2028"\n'
FORMS: tuple[Form, ...] = ("artifact", "rootfs")


def configured(text: str = LOCAL) -> RuntimeConfig:
    return parse(text, Path("runtime-config.toml"))


def made(form: Form, configuration: RuntimeConfig, shim: str = NEWEST_RUNTIME.shim) -> dict[str, str]:
    settings = KubeSettings(runtime(shim), form, Installer.PREINSTALLED, configuration=configuration)
    return files(PLAIN, settings)


def values(form: Form, configuration: RuntimeConfig) -> RenderValues:
    payload = Payload(form, {"app": 2_700_000})
    return RenderValues("hello", "shop", IMAGE, payload, ca_certificates="PEM\n", configuration=configuration)


def rendered(form: Form, configuration: RuntimeConfig) -> Rendered:
    return render(made(form, configuration), values(form, configuration))


def pod(result: Rendered) -> dict:
    (deployment,) = [item.body for item in result.objects if item.key.kind == "Deployment"]
    return deployment["spec"]["template"]  # type: ignore[index, return-value, call-overload]


def config_maps(result: Rendered) -> dict[str, object]:
    return {item.key.name: item.body["data"] for item in result.objects if item.key.kind == "ConfigMap"}


def refusal(texts: dict[str, str], given: RenderValues) -> list[tuple[str, str]]:
    with pytest.raises(RefusedError) as refused:
        render(texts, given)
    return [(str(problem), problem.hint) for problem in refused.value.problems]


@pytest.mark.parametrize("form", FORMS)
def test_the_files_refer_to_the_configuration_by_name_and_hold_nothing_of_it(form: Form) -> None:
    texts = made(form, configured())
    spec = yaml.safe_load(texts["deployment.yaml"])["spec"]["template"]["spec"]

    mount = {
        "name": "runtime-config",
        "mountPath": "/runtime-config.toml",
        "subPath": "runtime-config.toml",
        "readOnly": True,
    }
    volume = {"name": "runtime-config", "configMap": {"name": "hello-runtime-config"}}
    assert mount in spec["containers"][0]["volumeMounts"]
    assert volume in spec["volumes"]
    assert "redis://" not in "".join(texts.values())


@pytest.mark.parametrize("form", FORMS)
def test_the_config_map_has_the_very_text_and_the_pods_its_digest(form: Form) -> None:
    result = rendered(form, configured())

    assert {"runtime-config.toml": LOCAL} == config_maps(result)["hello-runtime-config"]
    assert pod(result)["metadata"]["annotations"][RUNTIME_CONFIG_ANNOTATION].startswith("sha256:")
    assert [item.body for item in result.objects] == list(yaml.safe_load_all(result.yaml))
    assert ["1.35"] * len(result.objects) == [
        kubernetes_validate.validate(item.body, "1.35", strict=True) for item in result.objects
    ]


def test_another_text_makes_other_pods_and_another_comment_does_not() -> None:
    first, other, remark = (
        pod(rendered("artifact", configured(text)))["metadata"]["annotations"]
        for text in (LOCAL, LOCAL.replace("/0", "/1"), f"# a remark\n{LOCAL}")
    )

    assert first != other
    assert first == remark


@pytest.mark.parametrize("form", FORMS)
def test_without_a_configuration_there_is_no_mount_no_config_map_and_no_digest(form: Form) -> None:
    result = rendered(form, NOTHING)

    assert {} == config_maps(result)
    assert "annotations" not in pod(result)["metadata"]
    assert "runtime-config" not in result.yaml


def test_a_runtime_that_reads_no_configuration_is_given_none() -> None:
    assert made("rootfs", NOTHING, "0.9.3") == made("rootfs", configured(COSMOS), "0.9.3")


def test_a_store_that_is_reached_over_tls_brings_the_certificate_authorities_along() -> None:
    assert {"hello-runtime-config"} == config_maps(rendered("artifact", configured())).keys()
    both = {"hello-runtime-config", "hello-ca-certificates"}
    assert both == config_maps(rendered("artifact", configured(COSMOS))).keys()


def test_rendering_its_own_result_again_makes_the_same() -> None:
    once = rendered("artifact", configured(COSMOS))

    again = render({"rendered.yaml": once.yaml}, values("artifact", configured(COSMOS)))

    assert once.objects == again.objects


def test_a_config_map_of_the_files_wins_and_its_digest_is_noted() -> None:
    own = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: hello-runtime-config\ndata:\n  runtime-config.toml: ''\n"
    texts = made("artifact", configured()) | {"own.yaml": own}

    result = render(texts, values("artifact", configured()))

    assert {"hello-runtime-config": {"runtime-config.toml": ""}} == config_maps(result)
    ours = pod(rendered("artifact", configured()))["metadata"]["annotations"]
    assert ours.keys() == pod(result)["metadata"]["annotations"].keys()
    assert ours != pod(result)["metadata"]["annotations"]


def test_an_edited_file_that_does_not_mount_it_is_refused_with_what_to_add() -> None:
    ((what, hint),) = refusal(made("artifact", NOTHING), values("artifact", configured()))

    assert what.startswith("deployment.yaml:")
    assert what.endswith(
        ": container `hello` mounts nothing at `/runtime-config.toml`,"
        " so the application would run without its runtime-config.toml"
    )
    assert hint == (
        "mount the ConfigMap `hello-runtime-config` there with `subPath: runtime-config.toml`,"
        " or have the file written anew with `--override`"
    )


def test_something_else_that_is_mounted_there_is_people_s_own_choice() -> None:
    texts = made("artifact", configured())
    old = "configMap:\n            name: hello-runtime-config"
    assert old in texts["deployment.yaml"]
    texts["deployment.yaml"] = texts["deployment.yaml"].replace(old, "secret:\n            secretName: mine")

    assert {} == config_maps(render(texts, values("artifact", configured())))


def test_a_mount_that_nothing_is_there_for_is_refused_unless_it_is_optional() -> None:
    texts = made("artifact", configured())

    ((what, hint),) = refusal(texts, values("artifact", NOTHING))

    assert what.endswith(
        ": the pod of container `hello` mounts the ConfigMap `hello-runtime-config`,"
        " and there is no runtime-config.toml to make it of"
    )
    assert hint.startswith("take the volume and its mount out")
    name = "name: hello-runtime-config"
    texts["deployment.yaml"] = texts["deployment.yaml"].replace(name, f"{name}\n            optional: true")
    assert {} == config_maps(render(texts, values("artifact", NOTHING)))


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        (
            "rootfs",
            '[key_value_store.a]\ntype = "spin"\npath = "kv.db"\n',
            "runtime-config.toml:3: Spin can't write to `/kv.db` in the pod: the container's root is read-only",
        ),
        (
            "rootfs",
            'state_dir = "data"\n',
            "runtime-config.toml:1: Spin can't write to `/data` in the pod: the container's root is read-only",
        ),
        (
            "artifact",
            '[[client_tls]]\ncomponent_ids = ["a"]\nhosts = ["h"]\nca_roots_file = "tls/ca.pem"\n',
            "runtime-config.toml:4: there is no `/tls/ca.pem` in the pod, without which Spin does not start",
        ),
    ],
)
def test_a_file_that_is_not_in_the_pod_or_can_t_be_written_there_is_refused(
    form: Form, text: str, expected: str
) -> None:
    ((what, hint),) = refusal(made(form, configured(text)), values(form, configured(text)))

    assert expected == what
    assert "mount a volume" in hint


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("rootfs", '[key_value_store.a]\ntype = "spin"\npath = ".spin/kv.db"\n'),
        ("rootfs", 'state_dir = "/.spin"\n'),
        ("artifact", '[sqlite_database.a]\ntype = "spin"\npath = "/anywhere.db"\n'),
    ],
)
def test_a_file_that_can_be_written_is_no_matter(form: Form, text: str) -> None:
    assert "hello-runtime-config" in config_maps(rendered(form, configured(text)))


def test_a_volume_of_people_s_own_has_the_files_that_are_named() -> None:
    tls = configured('[[client_tls]]\ncomponent_ids = ["a"]\nhosts = ["h"]\nca_roots_file = "/tls/ca.pem"\n')
    texts = made("artifact", tls)
    mount = "            - name: runtime-config\n"
    assert mount in texts["deployment.yaml"]
    own = f"            - name: tls\n              mountPath: /tls\n{mount}"
    texts["deployment.yaml"] = texts["deployment.yaml"].replace(mount, own)

    assert "hello-runtime-config" in config_maps(render(texts, replace(values("artifact", tls), replicas=2)))
