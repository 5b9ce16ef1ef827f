from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import kubernetes_validate
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from unit.generators.applications import LISTENER, PLAIN, TALKATIVE

from spin_aks.errors import RefusedError, SpinAksError, UsageError
from spin_aks.generators.kube import Installer, KubeSettings, files
from spin_aks.generators.names import APPLICATION_LABEL
from spin_aks.generators.render import Rendered, RenderValues, render
from spin_aks.generators.resources import Payload, WantedResources
from spin_aks.spin.versions import NEWEST_RUNTIME

if TYPE_CHECKING:
    from spin_aks.generators.resources import Form
    from spin_aks.spin.model import Application

DIGEST = "sha256:" + "0123456789abcdef" * 4
IMAGE = f"127.0.0.1:5000/team/hello:2f1c@{DIGEST}"
VALUES = RenderValues("hello", "hello", IMAGE, Payload("artifact", {"app": 2_700_000}))
KUBERNETES = ("1.30", "1.33", "1.35", "1.36", "1.37")


def made(application: Application = PLAIN, form: Form = "artifact", **settings: object) -> dict[str, str]:
    names = files(application, KubeSettings(NEWEST_RUNTIME, form, **settings))  # type: ignore[arg-type]
    return {f"manifests/{name}": text for name, text in names.items()}


def values(application: Application, form: Form = "artifact", **changes: object) -> RenderValues:
    payload = Payload(form, {"app": 2_700_000})
    given = {"required": ("region",), "variables": {"region": "eu"}} if application is TALKATIVE else {}
    return replace(VALUES, application=application.name, payload=payload, **(given | changes))  # type: ignore[arg-type]


def body(rendered: Rendered, kind: str, name: str = "hello") -> dict:
    (found,) = [item.body for item in rendered.objects if (item.key.kind, item.key.name) == (kind, name)]
    return found


def container(rendered: Rendered, name: str = "hello") -> dict:
    return body(rendered, "Deployment", name)["spec"]["template"]["spec"]["containers"][0]


def edited(old: str, new: str, file: str = "deployment.yaml", texts: dict[str, str] | None = None) -> dict[str, str]:
    texts = texts or made()
    assert old in texts[f"manifests/{file}"]
    return texts | {f"manifests/{file}": texts[f"manifests/{file}"].replace(old, new, 1)}


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("form", ["artifact", "rootfs"])
@pytest.mark.parametrize("application", [PLAIN, TALKATIVE, LISTENER], ids=lambda application: application.name)
def test_every_object_is_valid_in_the_schema_of_kubernetes(application: Application, form: Form, version: str) -> None:
    rendered = render(made(application, form), values(application, form, replicas=2, ca_certificates="PEM"))

    assert [version] * len(rendered.objects) == [
        kubernetes_validate.validate(item.body, version, strict=True) for item in rendered.objects
    ]


def test_the_text_is_the_objects_in_their_order() -> None:
    rendered = render(made(), VALUES)

    assert [item.body for item in rendered.objects] == list(yaml.safe_load_all(rendered.yaml))
    assert rendered.yaml.startswith("# Exactly what is applied for the namespace `hello`. Don't edit it:\n")


def test_what_others_need_comes_first() -> None:
    rendered = render(made(TALKATIVE), values(TALKATIVE, namespace="shop", ca_certificates="PEM"))

    assert [
        "Namespace kwasm",
        "Namespace shop",
        "ClusterRole kwasm-operator",
        "ClusterRoleBinding kwasm-operator",
        "RuntimeClass wasmtime-spin-v2",
        "Role kwasm/kwasm-operator",
        "RoleBinding kwasm/kwasm-operator",
        "ServiceAccount kwasm/kwasm-operator",
        "ConfigMap shop/order-desk-ca-certificates",
        "Deployment kwasm/kwasm-operator",
        "Deployment shop/order-desk",
        "Service shop/order-desk",
    ] == [str(item.key) for item in rendered.objects]


def test_only_the_application_s_own_objects_and_pods_bear_its_label() -> None:
    rendered = render(made(), replace(VALUES, namespace="shop"))
    labelled = {str(item.key) for item in rendered.objects if APPLICATION_LABEL in item.body["metadata"]["labels"]}

    assert {"Deployment shop/hello", "Service shop/hello"} == labelled
    assert "hello" == body(rendered, "Deployment")["spec"]["template"]["metadata"]["labels"][APPLICATION_LABEL]
    assert {"app.kubernetes.io/name": "hello"} == body(rendered, "Deployment")["spec"]["selector"]["matchLabels"]


def test_every_object_says_who_manages_it_unless_people_say_who() -> None:
    texts = edited("app.kubernetes.io/managed-by: spin-aks", "app.kubernetes.io/managed-by: us", "service.yaml")
    labels = {item.key.kind: item.body["metadata"]["labels"] for item in render(texts, VALUES).objects}
    managers = {kind: found["app.kubernetes.io/managed-by"] for kind, found in labels.items()}

    assert "us" == managers.pop("Service")
    assert {"spin-aks"} == set(managers.values())


def test_the_container_runs_the_image_by_digest_and_no_other_container_does() -> None:
    texts = edited("      containers:\n", "      containers:\n        - {name: proxy, image: 'hello:1.2'}\n")
    pod = body(render(texts, VALUES), "Deployment")["spec"]["template"]["spec"]

    assert ["hello:1.2", IMAGE] == [each["image"] for each in pod["containers"]]


@pytest.mark.parametrize("image", ["hello", "host/hello:1", "host/hello@sha256:12", ""])
def test_an_image_without_a_digest_is_never_deployed(image: str) -> None:
    with pytest.raises(SpinAksError) as refused:
        render(made(), replace(VALUES, image=image))

    assert f"the image `{image}` has no digest" == str(refused.value)
    assert "push it first: `spin-aks push`" == refused.value.problems[0].hint


def test_files_in_which_nothing_runs_the_application_are_refused_by_name() -> None:
    texts = edited("          image: hello\n", "          image: registry/hello:1\n")

    with pytest.raises(SpinAksError) as refused:
        render(texts, VALUES)

    assert (
        "manifests/deployment.yaml, manifests/kwasm.yaml, manifests/namespace.yaml, manifests/runtimeclass.yaml,"
        " manifests/service.yaml: no container has `image: hello`, which stands for the application's image"
    ) == str(refused.value)
    hint = "give it to the application's container, or start over with `spin-aks scaffold k8s --override`"
    assert hint == refused.value.problems[0].hint


def test_no_files_at_all_are_refused_with_the_way_to_get_some() -> None:
    with pytest.raises(SpinAksError) as refused:
        render({}, VALUES)

    assert "there are no Kubernetes files to render" == str(refused.value)
    assert "write them with `spin-aks scaffold k8s`" == refused.value.problems[0].hint


def test_the_environment_s_namespace_takes_the_place_of_the_application_s() -> None:
    role = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reads, namespace: hello}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: a}, {kind: ServiceAccount, name: b, namespace: other}, {kind: User, name: c}]
"""
    rendered = render(made() | {"manifests/role.yaml": role}, replace(VALUES, namespace="staging"))

    assert {"kwasm", "staging"} == {item.key.name for item in rendered.objects if item.key.kind == "Namespace"}
    assert {"", "kwasm", "staging"} == {item.key.namespace for item in rendered.objects}
    assert ["staging", "other", None] == [
        each.get("namespace") for each in body(rendered, "RoleBinding", "reads")["subjects"]
    ]


def test_an_object_of_another_namespace_stays_there() -> None:
    extra = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: monitoring}\n"
    rendered = render(made() | {"manifests/x.yaml": extra}, VALUES)

    assert "monitoring" == body(rendered, "ConfigMap", "x")["metadata"]["namespace"]


def test_objects_of_the_whole_cluster_get_no_namespace_even_of_kinds_that_came_along() -> None:
    extra = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: planets.example.com}
spec: {group: example.com, scope: Cluster, names: {kind: Planet, plural: planets}, versions: []}
---
apiVersion: example.com/v1
kind: Planet
metadata: {name: mars, namespace: hello}
"""
    rendered = render(made() | {"manifests/x.yaml": extra}, VALUES)

    assert "namespace" not in body(rendered, "Planet", "mars")["metadata"]


def test_a_namespace_that_was_renamed_in_its_file_is_refused_with_the_flag_that_renames_it() -> None:
    with pytest.raises(SpinAksError) as refused:
        render(edited("  name: hello\n", "  name: shop\n", "namespace.yaml"), VALUES)

    what = "the Namespace `shop` is there for nothing: this environment's namespace is `hello`"
    assert f"manifests/namespace.yaml:9: {what}" == str(refused.value)
    hint = "name it with `--namespace shop`; in the file its name may stay the application's"
    assert hint == refused.value.problems[0].hint


def test_a_namespace_that_was_renamed_and_is_the_environment_s_is_right() -> None:
    texts = edited("  name: hello\n", "  name: shop\n", "namespace.yaml")

    assert body(render(texts, replace(VALUES, namespace="shop")), "Namespace", "shop")


def test_a_namespace_that_exists_elsewhere_needs_no_file() -> None:
    texts = made(installer=Installer.PREINSTALLED)
    del texts["manifests/namespace.yaml"]

    assert ["Deployment", "Service"] == [item.key.kind for item in render(texts, VALUES).objects]


def test_replicas_are_the_flag_s_else_the_file_s_else_kubernetes_own() -> None:
    kept = edited("spec:\n  selector", "spec:\n  replicas: 3\n  selector")

    assert "replicas" not in body(render(made(), VALUES), "Deployment")["spec"]
    assert 3 == body(render(kept, VALUES), "Deployment")["spec"]["replicas"]
    assert 5 == body(render(kept, replace(VALUES, replicas=5)), "Deployment")["spec"]["replicas"]
    assert 1 == body(render(kept, replace(VALUES, replicas=5)), "Deployment", "kwasm-operator")["spec"]["replicas"]


def test_a_variable_s_value_is_the_flag_s_else_the_file_s() -> None:
    texts = edited('value: "yes: $$(HOME)"', "value: edited", texts=made(TALKATIVE))
    plain = render(texts, values(TALKATIVE))
    given = render(texts, values(TALKATIVE, variables={"region": "eu", "greeting": "$(a)", "api_version": "2"}))

    assert [
        {"name": "SPIN_VARIABLE_GREETING", "value": "edited"},
        {"name": "SPIN_VARIABLE_REGION", "value": "eu"},
    ] == container(plain, "order-desk")["env"]
    assert [
        {"name": "SPIN_VARIABLE_GREETING", "value": "$$(a)"},
        {"name": "SPIN_VARIABLE_REGION", "value": "eu"},
        {"name": "SPIN_VARIABLE_API_VERSION", "value": "2"},
    ] == container(given, "order-desk")["env"]


def test_a_reference_that_people_wrote_for_a_variable_stays_unless_a_flag_gives_its_value() -> None:
    reference = "valueFrom: {configMapKeyRef: {name: settings, key: region}}"
    line = "- name: SPIN_VARIABLE_REGION\n"
    texts = edited(line, f"{line}              {reference}\n", texts=made(TALKATIVE))

    kept = container(render(texts, values(TALKATIVE, variables={})), "order-desk")["env"][1]
    given = container(render(texts, values(TALKATIVE)), "order-desk")["env"][1]
    assert {
        "name": "SPIN_VARIABLE_REGION",
        "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "region"}},
    } == kept
    assert {"name": "SPIN_VARIABLE_REGION", "value": "eu"} == given


def test_a_required_variable_without_a_value_is_refused_and_not_sent_empty() -> None:
    texts = made(TALKATIVE)
    line = 1 + texts["manifests/deployment.yaml"].split("- name: SPIN_VARIABLE_REGION")[0].count("\n")

    with pytest.raises(RefusedError) as refused:
        render(texts, values(TALKATIVE, variables={}))

    assert f"manifests/deployment.yaml:{line}: the variable `region` is required and has no value" == str(refused.value)
    assert "give it one: `--variable region=VALUE`" == refused.value.problems[0].hint


def test_variables_for_a_runtime_that_takes_none_are_refused() -> None:
    with pytest.raises(RefusedError) as refused:
        render(made(), replace(VALUES, variable_prefix="", variables={"b": "1", "a": "2"}))

    assert "the target runtime takes no variables from a pod, so not `a`, `b`" == str(refused.value)


def test_resources_follow_form_and_size_where_the_file_sets_none() -> None:
    expected = {"requests": {"cpu": "100m", "memory": "96Mi"}, "limits": {"memory": "128Mi"}}

    assert expected == container(render(made(form="rootfs"), values(PLAIN, "rootfs")))["resources"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("{requests: {memory: 1Gi}}", {"requests": {"memory": "1Gi", "cpu": "100m"}}),
        ("{limits: {memory: 1Gi}}", {"limits": {"memory": "1Gi"}, "requests": {"cpu": "100m"}}),
        ("{limits: {cpu: 2}}", {"limits": {"cpu": 2, "memory": "128Mi"}, "requests": {"memory": "64Mi"}}),
        ("{limits: {cpu: 2, memory: 1Gi}}", {"limits": {"cpu": 2, "memory": "1Gi"}}),
        ("{claims: []}", {"claims": [], "requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}}),
        ("", {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}}),
    ],
)
def test_resources_that_people_set_stay_as_they_are(given: str, expected: dict) -> None:
    texts = edited("          image: hello\n", f"          image: hello\n          resources: {given}\n")

    assert expected == container(render(texts, VALUES))["resources"]


def test_a_memory_limit_by_flag_wins_and_takes_a_larger_request_down_with_it() -> None:
    texts = edited(
        "          image: hello\n", "          image: hello\n          resources: {requests: {memory: 1Gi}}\n"
    )
    expected = {"requests": {"memory": "48Mi", "cpu": "100m"}, "limits": {"memory": "48Mi"}}

    assert (
        expected
        == container(render(texts, replace(VALUES, resources=WantedResources(memory_limit="48Mi"))))["resources"]
    )


def test_a_memory_limit_by_flag_with_which_it_does_not_start_is_refused_where_it_was_given() -> None:
    compiled_in_the_pod = Payload("rootfs", {"a": 2_700_000})
    with pytest.raises(RefusedError) as refused:
        render(made(), replace(VALUES, resources=WantedResources(memory_limit="64Mi"), payload=compiled_in_the_pod))

    what = "with 64Mi the application doesn't start: its components fail with 64 MiB"
    assert f"kubernetes.resources.memory_limit: {what}" == str(refused.value)
    assert "give it `128Mi`, or none, and have one chosen" == refused.value.problems[0].hint


def test_a_memory_limit_that_is_no_amount_is_refused() -> None:
    with pytest.raises(UsageError) as refused:
        render(made(), replace(VALUES, resources=WantedResources(memory_limit="64MB")))

    assert "kubernetes.resources.memory_limit: `64MB` is no amount of memory" == str(refused.value)


def test_what_could_not_start_is_refused_all_of_it_at_once() -> None:
    texts = edited('          command: ["/"]\n', "          workingDir: /app\n")

    with pytest.raises(RefusedError) as refused:
        render(texts, VALUES)

    assert 2 == len(refused.value.problems)


def test_the_certificates_become_a_config_map_where_a_pod_wants_them() -> None:
    rendered = render(made(TALKATIVE), values(TALKATIVE, namespace="shop", ca_certificates="-----BEGIN\n"))

    expected = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "order-desk-ca-certificates",
            "namespace": "shop",
            "labels": {
                "app.kubernetes.io/name": "order-desk",
                "app.kubernetes.io/managed-by": "spin-aks",
                APPLICATION_LABEL: "order-desk",
            },
        },
        "data": {"ca-certificates.crt": "-----BEGIN\n"},
    }
    assert expected == body(rendered, "ConfigMap", "order-desk-ca-certificates")


def test_certificates_that_nobody_wants_stay_away() -> None:
    assert "ConfigMap" not in {item.key.kind for item in render(made(), replace(VALUES, ca_certificates="PEM")).objects}


def test_certificates_that_people_brought_are_theirs() -> None:
    own = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: order-desk-ca-certificates}
data: {ca-certificates.crt: ours}
"""
    rendered = render(made(TALKATIVE) | {"manifests/ca.yaml": own}, values(TALKATIVE, ca_certificates="PEM"))

    assert {"ca-certificates.crt": "ours"} == body(rendered, "ConfigMap", "order-desk-ca-certificates")["data"]


def test_an_object_that_is_there_twice_is_refused_with_both_places() -> None:
    twice = made()
    twice["manifests/zz.yaml"] = "# mine\n" + twice["manifests/service.yaml"]

    with pytest.raises(SpinAksError) as refused:
        render(twice, VALUES)

    what = "manifests/zz.yaml:5: Service hello/hello is there twice: in manifests/service.yaml:4 too"
    assert what == str(refused.value)


def test_what_is_no_object_is_refused_with_its_line() -> None:
    texts = made() | {"manifests/kustomization.yaml": "\nkind: Kustomization\napiVersion: kustomize.config.k8s.io/v1"}

    with pytest.raises(SpinAksError, match=r"kustomization.yaml:2: not a Kubernetes object: it has no metadata.name"):
        render(texts, VALUES)


names = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
additions = st.dictionaries(names, st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=9), max_size=3)


@given(labels=additions, annotations=additions, extra=additions, sidecar=names)
def test_what_people_add_survives(labels: dict, annotations: dict, extra: dict, sidecar: str) -> None:
    texts = made()
    document = yaml.safe_load(texts["manifests/deployment.yaml"])
    document["metadata"]["labels"] |= labels
    document["metadata"]["annotations"] = annotations
    pod = document["spec"]["template"]["spec"]
    pod["containers"].insert(0, {"name": f"{sidecar}-x", "image": f"{sidecar}-x", "env": [{"name": "A", "value": "b"}]})
    texts["manifests/deployment.yaml"] = json.dumps(document, ensure_ascii=False)
    texts["manifests/extra.yml"] = json.dumps(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "extra"}, "data": extra}, ensure_ascii=False
    )

    rendered = render(texts, VALUES)

    found = body(rendered, "Deployment")
    assert labels.items() <= found["metadata"]["labels"].items()
    assert annotations == found["metadata"]["annotations"]
    assert pod["containers"][0] == found["spec"]["template"]["spec"]["containers"][0]
    assert extra == body(rendered, "ConfigMap", "extra")["data"]


@given(
    application=st.sampled_from([PLAIN, TALKATIVE, LISTENER]),
    form=st.sampled_from(["artifact", "rootfs"]),
    namespace=names,
    replicas=st.none() | st.integers(1, 9),
    certificates=st.none() | st.text(st.characters(exclude_categories=["Cc", "Cs"])),
    value=st.text(st.characters(exclude_categories=["Cc", "Cs"])),
)
def test_rendering_what_was_rendered_changes_nothing(
    application: Application, form: Form, namespace: str, replicas: int | None, certificates: str | None, value: str
) -> None:
    given = values(
        application,
        form,
        namespace=namespace,
        replicas=replicas,
        ca_certificates=certificates,
        variables={"region": value},
    )
    first = render(made(application, form), given)

    assert first == render(made(application, form), given)
    assert first == render({"rendered.yaml": first.yaml}, given)


def test_how_the_files_are_cut_does_not_matter() -> None:
    texts = made()
    together = {"all.yaml": "---\n".join(texts[path] for path in sorted(texts, reverse=True))}

    assert render(texts, VALUES) == render(together, VALUES)
