from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from unit.generators.applications import LISTENER, PLAIN, TALKATIVE, application

from spin_aks.errors import RefusedError
from spin_aks.generators.documents import parse
from spin_aks.generators.kube import Installer, KubeSettings, ServiceType, files
from spin_aks.generators.names import NAME_LABEL
from spin_aks.spin.model import Application, Variable
from spin_aks.spin.versions import NEWEST_RUNTIME, runtime

if TYPE_CHECKING:
    from spin_aks.generators.resources import Form

GOLDEN = Path(__file__).parent / "golden"
SETTINGS = KubeSettings(NEWEST_RUNTIME)
FORMS: tuple[Form, ...] = ("artifact", "rootfs")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("made_for", [PLAIN, TALKATIVE, LISTENER], ids=lambda made_for: made_for.name)
def test_the_files_are_those_that_were_reviewed(made_for: Application, form: Form) -> None:
    folder = GOLDEN / f"{made_for.name}-{form}"
    expected = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}

    installer = Installer.KWASM if made_for is PLAIN else Installer.PREINSTALLED
    assert expected == files(made_for, replace(SETTINGS, form=form, installer=installer))


def test_the_files_come_in_the_order_in_which_they_matter() -> None:
    expected = ["namespace.yaml", "kwasm.yaml", "runtimeclass.yaml", "deployment.yaml", "service.yaml"]

    assert expected == list(files(PLAIN, SETTINGS))


def test_a_runtime_that_is_on_the_nodes_brings_nothing_along() -> None:
    made = files(PLAIN, replace(SETTINGS, installer=Installer.PREINSTALLED, runtime_class="spin-on-vmss"))

    assert ["namespace.yaml", "deployment.yaml", "service.yaml"] == list(made)
    assert "      runtimeClassName: spin-on-vmss\n" in made["deployment.yaml"]


def test_an_application_without_http_has_no_service_no_port_and_no_probe() -> None:
    made = files(LISTENER, SETTINGS)

    assert "service.yaml" not in made
    assert not {"ports", "startupProbe", "readinessProbe", "livenessProbe", "lifecycle"} & container(made).keys()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("made_for", [PLAIN, TALKATIVE, LISTENER], ids=lambda made_for: made_for.name)
def test_no_probe_is_an_exec_probe(made_for: Application, form: Form) -> None:
    assert "exec:" not in files(made_for, replace(SETTINGS, form=form))["deployment.yaml"]


def test_each_file_begins_with_what_it_is_and_that_it_may_be_edited() -> None:
    for text in files(TALKATIVE, SETTINGS).values():
        head = text.split("apiVersion")[0].splitlines()

        assert all(line.startswith("#") for line in head)
        assert "Made by `spin-aks scaffold k8s`. Edit it as you like" in text.split("apiVersion")[0]


def test_each_object_begins_with_what_kubernetes_knows_it_by() -> None:
    for text in files(TALKATIVE, SETTINGS).values():
        for document in yaml.safe_load_all(text):
            assert ["apiVersion", "kind", "metadata"] == list(document)[:3]


@pytest.mark.parametrize("form", FORMS)
def test_the_files_hold_nothing_of_an_environment(form: Form) -> None:
    made = files(TALKATIVE, replace(SETTINGS, form=form))
    own = [document for name, text in made.items() if name != "kwasm.yaml" for document in yaml.safe_load_all(text)]

    assert "order-desk" == container(made)["image"]
    assert "resources" not in container(made)
    assert not any("namespace" in document["metadata"] for document in own)
    assert not any("replicas" in document.get("spec", {}) for document in own)


def test_variables_are_there_by_name_with_defaults_of_the_manifest_and_no_secret() -> None:
    made = files(TALKATIVE, SETTINGS)

    expected = [{"name": "SPIN_VARIABLE_GREETING", "value": "yes: $$(HOME)"}, {"name": "SPIN_VARIABLE_REGION"}]
    assert expected == container(made)["env"]


def test_a_default_of_a_secret_variable_is_in_no_file() -> None:
    made = files(application(variables=(Variable("token", default="hunter2", secret=True),)), SETTINGS)

    assert "hunter2" not in "".join(made.values())
    assert "env" not in container(made)


@pytest.mark.parametrize(
    ("shim", "expected"), [("0.24.0", ["SPIN_VARIABLE_A"]), ("0.9.2", ["SPIN_CONFIG_A"]), ("0.5.1", [])]
)
def test_the_prefix_of_variables_is_the_target_runtime_s(shim: str, expected: list[str]) -> None:
    settings = replace(SETTINGS, runtime=runtime(shim), installer=Installer.PREINSTALLED)
    made = files(application(variables=(Variable("a", default="1"),)), settings)

    assert expected == [entry["name"] for entry in container(made).get("env", [])]


@pytest.mark.parametrize(
    "default", ["", "null", "yes", "0400", "1e3", "a: b", "# no", "'", '"\\', "a\nb", "\x7f\x85\u2028\ufeff\x01", "😀"]
)
def test_every_default_is_the_same_text_after_reading(default: str) -> None:
    made = files(application(variables=(Variable("a", default=default, description=default),)), SETTINGS)

    assert default == container(made)["env"][0]["value"]


def test_a_name_that_would_break_out_of_a_comment_stays_within_it() -> None:
    made = files(application("evil\nkind: Secret"), SETTINGS)

    assert all("\nkind: Secret" not in text for text in made.values())
    assert "evil-kind--secret" == container(made)["name"]


@pytest.mark.parametrize(
    ("form", "shim", "seconds"), [("artifact", "0.24.0", 60), ("artifact", "0.12.0", 300), ("rootfs", "0.24.0", 300)]
)
def test_a_pod_that_compiles_at_each_start_is_given_the_time_for_it(form: Form, shim: str, seconds: int) -> None:
    probe = container(files(PLAIN, replace(SETTINGS, form=form, runtime=runtime(shim))))["startupProbe"]

    assert seconds == probe["periodSeconds"] * probe["failureThreshold"]
    assert {"path": "/.well-known/spin/health", "port": "http"} == probe["httpGet"]


def test_the_capabilities_are_dropped_so_that_the_shim_notices() -> None:
    for form in FORMS:
        security = container(files(PLAIN, replace(SETTINGS, form=form)))["securityContext"]

        assert {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]} == security["capabilities"]


@pytest.mark.parametrize(
    ("given", "expected"), [("loadbalancer", "LoadBalancer"), ("ClusterIP", "ClusterIP"), ("CLUSTERIP", "ClusterIP")]
)
def test_the_service_is_of_the_type_asked_for(given: str, expected: str) -> None:
    made = files(PLAIN, replace(SETTINGS, service=ServiceType(given)))

    assert expected == yaml.safe_load(made["service.yaml"])["spec"]["type"]


@pytest.mark.parametrize(
    ("shim", "expected"),
    [
        ("0.24.0", "ghcr.io/spinframework/containerd-shim-spin/node-installer:v0.24.0"),
        ("0.19.0", "ghcr.io/spinframework/containerd-shim-spin/node-installer:v0.19.0"),
        ("0.18.0", "ghcr.io/spinkube/containerd-shim-spin/node-installer:v0.18.0"),
    ],
)
def test_kwasm_installs_the_target_shim_and_no_other(shim: str, expected: str) -> None:
    made = files(PLAIN, replace(SETTINGS, runtime=runtime(shim)))
    operator = list(yaml.safe_load_all(made["kwasm.yaml"]))[-1]["spec"]["template"]["spec"]["containers"][0]

    assert {"name": "INSTALLER_IMAGE", "value": expected} in operator["env"]
    assert "args" not in operator, "the operator has no right to the leases that --leader-elect takes"


def test_a_shim_that_kwasm_can_t_install_is_refused_with_a_way_out() -> None:
    with pytest.raises(RefusedError) as refused:
        files(PLAIN, replace(SETTINGS, runtime=runtime("0.9.2")))

    assert "KWASM can't install shim 0.9.2: no node installer was published for it" == str(refused.value)
    hint = "target shim 0.12 or later, or have it on the nodes: `--runtime preinstalled`"
    assert hint == refused.value.problems[0].hint


@pytest.mark.parametrize("form", FORMS)
def test_the_same_input_gives_the_same_files(form: Form) -> None:
    settings = replace(SETTINGS, form=form)

    assert files(TALKATIVE, settings) == files(TALKATIVE, settings)


def container(made: dict[str, str]) -> dict:
    (only,) = yaml.safe_load(made["deployment.yaml"])["spec"]["template"]["spec"]["containers"]
    return only


@pytest.mark.parametrize("name", ["n", "on", "no", "null", "true", "y", "off"])
def test_a_name_that_yaml_takes_for_something_else_stays_a_name(name: str) -> None:
    made = {path: parse(text, path) for path, text in files(application(name), SETTINGS).items()}

    named = {document.at("metadata", "name") for path in ("namespace.yaml", "service.yaml") for document in made[path]}
    (deployment,) = made["deployment.yaml"]
    pod = ("spec", "template", "spec", "containers", 0)
    assert {name} == named
    assert (name, name) == (deployment.at(*pod, "name"), deployment.at(*pod, "image"))
    assert {NAME_LABEL: name} == deployment.at("spec", "selector", "matchLabels")
