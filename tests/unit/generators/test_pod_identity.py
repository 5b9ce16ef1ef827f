"""An identity in Azure on its way into the pods, and whatever in the files would keep it from them."""

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

from spin_aks.errors import RefusedError, SpinAksError
from spin_aks.generators.kube import KubeSettings, files
from spin_aks.generators.names import APPLICATION_LABEL
from spin_aks.generators.pod_identity import PodIdentity
from spin_aks.generators.render import Rendered, RenderValues, render
from spin_aks.generators.resources import Payload
from spin_aks.spin.versions import NEWEST_RUNTIME

if TYPE_CHECKING:
    from spin_aks.spin.model import Application

IMAGE = "127.0.0.1:5000/hello:1@sha256:" + "0123456789abcdef" * 4
CLIENT, OTHER = "11111111-aaaa-4444-8888-000000000001", "22222222-bbbb-4444-8888-000000000002"
IDENTITY = PodIdentity("hello", CLIENT)
WITHOUT = RenderValues("hello", "shop", IMAGE, Payload("rootfs", {"app": 2_700_000}))
WITH = replace(WITHOUT, identity=IDENTITY)
USE, EXPIRATION = "azure.workload.identity/use", "azure.workload.identity/service-account-token-expiration"
CLIENT_ID, SKIP = "azure.workload.identity/client-id", "azure.workload.identity/skip-containers"
PROXY = "azure.workload.identity/inject-proxy-sidecar"
LABELS = "    metadata:\n      labels:\n        app.kubernetes.io/name: hello\n"
POD = "    spec:\n      runtimeClassName"
CONTAINER = "          image: hello\n"
ACCOUNT = "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: hello\n"


def made(application: Application = PLAIN) -> dict[str, str]:
    return files(application, KubeSettings(NEWEST_RUNTIME, "rootfs"))


def edited(old: str, new: str) -> dict[str, str]:
    texts = made()
    assert 1 == texts["deployment.yaml"].count(old)
    return texts | {"deployment.yaml": texts["deployment.yaml"].replace(old, new)}


def with_pod_label(line: str) -> dict[str, str]:
    return edited(LABELS, f"{LABELS}        {line}\n")


def with_pod_annotation(line: str) -> dict[str, str]:
    return edited(LABELS, f"{LABELS}      annotations:\n        {line}\n")


def with_pod_line(*lines: str) -> dict[str, str]:
    return edited(POD, POD.replace("spec:\n", "spec:\n" + "".join(f"      {line}\n" for line in lines)))


def line_of(texts: dict[str, str], part: str, path: str = "deployment.yaml") -> str:
    return f"{path}:{1 + texts[path].split(part)[0].count(chr(10))}"


def body(rendered: Rendered, kind: str, name: str = "hello") -> dict:
    (found,) = [item.body for item in rendered.objects if (item.key.kind, item.key.name) == (kind, name)]
    return found


def pod(rendered: Rendered, name: str = "hello") -> dict:
    return body(rendered, "Deployment", name)["spec"]["template"]


def refusal(texts: dict[str, str], values: RenderValues = WITH) -> tuple[str, str]:
    with pytest.raises(RefusedError) as refused:
        render(texts, values)
    (problem,) = refused.value.problems
    return str(problem), problem.hint


def test_the_pods_get_the_label_and_the_service_account_and_keep_all_they_had() -> None:
    plain, signed_in = pod(render(made(), WITHOUT)), pod(render(made(), WITH))

    assert plain["metadata"]["labels"] | {USE: "true"} == signed_in["metadata"]["labels"]
    assert {EXPIRATION: "86400", "spin-aks.dev/identity": CLIENT} == signed_in["metadata"]["annotations"]
    assert plain["spec"] | {"serviceAccountName": "hello", "serviceAccount": "hello"} == signed_in["spec"]
    assert signed_in["spec"]["automountServiceAccountToken"] is False


def test_a_service_account_is_added_that_names_the_identity() -> None:
    account = body(render(made(), WITH), "ServiceAccount")

    expected = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {
            "name": "hello",
            "namespace": "shop",
            "labels": {
                "app.kubernetes.io/name": "hello",
                "app.kubernetes.io/managed-by": "spin-aks",
                APPLICATION_LABEL: "hello",
            },
            "annotations": {CLIENT_ID: CLIENT},
        },
    }
    assert expected == account


def test_the_service_account_is_there_before_the_pods() -> None:
    kinds = [item.key.kind for item in render(made(), WITH).objects if item.key.namespace == "shop"]

    assert ["ServiceAccount", "Deployment", "Service"] == kinds


def test_other_workloads_get_nothing_of_it() -> None:
    first, second = (pod(render(made(), values), "kwasm-operator") for values in (WITHOUT, WITH))

    assert first == second


def test_another_identity_makes_other_pods() -> None:
    first, second = (pod(render(made(), replace(WITH, identity=PodIdentity("hello", one)))) for one in (CLIENT, OTHER))

    assert first != second


@pytest.mark.parametrize(
    "line",
    ["serviceAccountName: default", "serviceAccountName: hello", "serviceAccount: default", "serviceAccount: hello"],
)
def test_a_pod_of_the_default_account_or_of_the_right_one_runs_as_the_right_one(line: str) -> None:
    spec = pod(render(with_pod_line(line), WITH))["spec"]

    assert "hello" == spec["serviceAccountName"] == spec["serviceAccount"]


def test_an_old_field_that_the_new_one_overrules_says_the_same_afterwards() -> None:
    spec = pod(render(with_pod_line("serviceAccountName: hello", "serviceAccount: other"), WITH))["spec"]

    assert ("hello", "hello") == (spec["serviceAccountName"], spec["serviceAccount"])


@pytest.mark.parametrize("field", ["serviceAccountName", "serviceAccount"])
def test_a_pod_of_another_account_is_refused_with_the_flag_that_lets_it_in(field: str) -> None:
    texts = with_pod_line(f"{field}: ledger")

    what, hint = refusal(texts)

    told = "the pod of container `hello` runs as service account `ledger`, and the identity lets in `hello`"
    assert f"{line_of(texts, 'ledger')}: {told}" == what
    assert "`--service-account ledger` lets that one in; or take the line out" == hint
    assert "ledger" == pod(render(texts, replace(WITH, identity=PodIdentity("ledger", CLIENT))))["spec"][field]


def test_a_service_account_of_the_files_gets_the_annotation_and_keeps_its_own() -> None:
    own = f"{ACCOUNT}  annotations:\n    team: orders\nimagePullSecrets:\n  - name: pull\n"

    account = body(render(made() | {"account.yaml": own}, WITH), "ServiceAccount")

    assert {"team": "orders", CLIENT_ID: CLIENT} == account["metadata"]["annotations"]
    assert [{"name": "pull"}] == account["imagePullSecrets"]


def test_a_service_account_of_that_name_in_another_namespace_is_another_one() -> None:
    rendered = render(made() | {"account.yaml": f"{ACCOUNT}  namespace: ledger\n"}, WITH)

    accounts = {str(item.key): item.body["metadata"] for item in rendered.objects if item.key.kind == "ServiceAccount"}
    assert CLIENT == accounts["ServiceAccount shop/hello"]["annotations"][CLIENT_ID]  # type: ignore[index, call-overload]
    assert "annotations" not in accounts["ServiceAccount ledger/hello"]  # type: ignore[operator]


@pytest.mark.parametrize("written", [CLIENT, CLIENT.upper(), '""'])
def test_a_client_id_that_is_the_identity_s_own_or_empty_is_no_matter(written: str) -> None:
    texts = made() | {"account.yaml": f"{ACCOUNT}  annotations:\n    {CLIENT_ID}: {written}\n"}

    assert CLIENT == body(render(texts, WITH), "ServiceAccount")["metadata"]["annotations"][CLIENT_ID]


def test_a_client_id_of_another_identity_is_refused_and_not_overwritten() -> None:
    what, hint = refusal(made() | {"account.yaml": f"{ACCOUNT}  annotations:\n    {CLIENT_ID}: {OTHER}\n"})

    assert what == (
        f"account.yaml:6: the service account `hello` is for the identity with the client id `{OTHER}`, and the one"
        f" that is named has `{CLIENT}`"
    )
    assert "take the line out to have the named one, or name that other one with `--identity`" == hint


@pytest.mark.parametrize("value", ["false", "yes"])
def test_a_label_by_hand_that_keeps_the_identity_away_is_refused(value: str) -> None:
    texts = with_pod_label(f'{USE}: "{value}"')

    what, hint = refusal(texts)

    told = f"the pod of container `hello` has the label `{USE}: {value}`, with which it gets no identity"
    assert f"{line_of(texts, USE)}: {told}" == what
    assert "take the line out, or name no identity (`--identity`) for this environment" == hint


def test_a_label_by_hand_that_is_no_text_is_refused_as_kubernetes_would() -> None:
    what, _ = refusal(with_pod_label(f"{USE}: true"))

    assert f"has the label `{USE}: true`, with which it gets no identity" in what


def test_a_label_by_hand_that_says_the_same_is_no_matter() -> None:
    assert "true" == pod(render(with_pod_label(f'{USE}: "true"'), WITH))["metadata"]["labels"][USE]


@pytest.mark.parametrize("names", ["hello", "proxy; hello", " hello ;proxy"])
def test_a_container_that_is_left_out_by_hand_is_refused(names: str) -> None:
    texts = with_pod_annotation(f'{SKIP}: "{names}"')

    what, hint = refusal(texts)

    assert f"{line_of(texts, SKIP)}: the annotation `{SKIP}` keeps the identity from container `hello`" == what
    assert "take its name out of the list, or name no identity (`--identity`) for this environment" == hint


def test_a_sidecar_may_be_left_out() -> None:
    annotations = pod(render(with_pod_annotation(f"{SKIP}: hello-proxy;proxy"), WITH))["metadata"]["annotations"]

    assert "hello-proxy;proxy" == annotations[SKIP]


@pytest.mark.parametrize("entry", [f"value: {OTHER}", "valueFrom: {fieldRef: {fieldPath: metadata.name}}"])
def test_a_variable_that_makes_it_another_identity_is_refused(entry: str) -> None:
    texts = edited(
        CONTAINER, f"{CONTAINER}          env:\n            - name: AZURE_CLIENT_ID\n              {entry}\n"
    )

    what, hint = refusal(texts)

    told = (
        "container `hello` sets `AZURE_CLIENT_ID` itself, and would sign in as another identity than the one that is"
        " named"
    )
    assert f"{line_of(texts, '- name: AZURE')}: {told}" == what
    assert "take the variable out: with the identity the pod gets it" == hint


def test_a_variable_that_says_the_same_is_no_matter() -> None:
    entry = f"          env: [{{name: AZURE_CLIENT_ID, value: {CLIENT}}}]\n"

    (container,) = pod(render(edited(CONTAINER, CONTAINER + entry), WITH))["spec"]["containers"]

    assert [{"name": "AZURE_CLIENT_ID", "value": CLIENT}] == container["env"]


def test_before_the_client_id_is_known_what_people_wrote_is_taken_for_it() -> None:
    unknown = replace(WITH, identity=PodIdentity("hello", ""))
    account = {"account.yaml": f"{ACCOUNT}  annotations:\n    {CLIENT_ID}: {CLIENT}\n"}
    variable = f"          env: [{{name: AZURE_CLIENT_ID, value: {CLIENT}}}]\n"

    rendered = render(edited(CONTAINER, CONTAINER + variable) | account, unknown)

    assert "hello" == pod(rendered)["spec"]["serviceAccountName"]


def test_pods_in_another_namespace_are_refused() -> None:
    head = "metadata:\n  name: hello\n  labels:\n"
    texts = edited(head, head.replace("  labels", "  namespace: ledger\n  labels"))

    what, hint = refusal(texts)

    told = (
        "the pod of container `hello` runs in the namespace `ledger`, and the identity lets in the service account"
        " `hello` of `shop`"
    )
    assert f"{line_of(texts, 'namespace: ledger')}: {told}" == what
    assert "take the line out, or name no identity (`--identity`) for this environment" == hint


def test_the_host_s_network_alone_is_no_matter_and_with_azure_s_proxy_no_pod_would_be_made() -> None:
    network = with_pod_line("hostNetwork: true")
    both = network["deployment.yaml"].replace(LABELS, f'{LABELS}      annotations: {{{PROXY}: "true"}}\n')

    what, hint = refusal(network | {"deployment.yaml": both})

    assert pod(render(network, WITH))["spec"]["hostNetwork"]
    assert what.endswith(
        f"the pod of container `hello` has `hostNetwork` and the annotation `{PROXY}`, and Azure refuses pods with both"
    )
    assert "take one of them out: Spin needs no such sidecar" == hint


def test_how_long_a_token_holds_is_people_s_own_choice_at_the_pod_or_the_account() -> None:
    at_the_pod = pod(render(with_pod_annotation(f'{EXPIRATION}: "7200"'), WITH))
    account = f'{ACCOUNT}  annotations:\n    {EXPIRATION}: "7200"\n'
    at_the_account = pod(render(made() | {"account.yaml": account}, WITH))

    assert "7200" == at_the_pod["metadata"]["annotations"][EXPIRATION]
    assert EXPIRATION not in at_the_account["metadata"]["annotations"]


@pytest.mark.parametrize("seconds", ['"60"', '"86401"', '"1h"', "7200", '"-7200"'])
@pytest.mark.parametrize("at_the_pod", [True, False])
def test_a_token_s_time_that_azure_would_refuse_pods_for_is_refused(seconds: str, at_the_pod: bool) -> None:
    line = f"{EXPIRATION}: {seconds}"
    account = {"account.yaml": f"{ACCOUNT}  annotations:\n    {line}\n"}
    texts = with_pod_annotation(line) if at_the_pod else made() | account

    what, hint = refusal(texts)

    place = line_of(texts, EXPIRATION, "deployment.yaml" if at_the_pod else "account.yaml")
    shown = seconds.strip('"')
    assert f"{place}: `{EXPIRATION}: {shown}` is no time that Azure takes, and refuses the pod for" == what
    assert 'write whole seconds in quotes, "3600" to "86400"' == hint


def test_all_that_is_wrong_is_said_at_once() -> None:
    texts = with_pod_label(f'{USE}: "false"') | {"account.yaml": f"{ACCOUNT}  annotations:\n    {CLIENT_ID}: {OTHER}\n"}

    with pytest.raises(RefusedError) as refused:
        render(texts, WITH)

    assert ["deployment.yaml", "account.yaml"] == [one.where.split(":")[0] for one in refused.value.problems]


def test_metadata_that_holds_something_else_is_refused_with_its_line() -> None:
    with pytest.raises(SpinAksError, match=r"`spec.template.metadata.annotations` has to hold keys and values"):
        render(edited(LABELS, f"{LABELS}      annotations: none\n"), WITH)


def test_a_runtime_that_takes_no_variables_from_a_pod_can_t_be_given_one() -> None:
    what, hint = refusal(made(), replace(WITH, variable_prefix=""))

    assert "identity.name: the target runtime takes no variables from a pod, and so no identity in Azure" == what
    assert "target shim 0.9.0 or later" == hint


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("StatefulSet", "{template: {metadata: {labels: {a: b}}, spec: POD}}"),
        ("CronJob", "{jobTemplate: {spec: {template: {spec: POD}}}}"),
        ("Pod", "POD"),
    ],
)
def test_whatever_kind_of_workload_runs_the_application_gets_it(kind: str, spec: str) -> None:
    containers = 'runtimeClassName: w, containers: [{name: a, image: hello, command: ["/"]}]'
    text = f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: job}}\nspec: {spec.replace('POD', f'{{{containers}}}')}\n"

    found = json.dumps(body(render({"job.yaml": text}, WITH), kind, "job"))
    parts = (f'"{USE}": "true"', '"serviceAccountName": "hello"', CLIENT)

    assert [1, 1, 1] == [found.count(part) for part in parts]


@pytest.mark.parametrize("version", ["1.30", "1.35", "1.37"])
def test_every_object_is_valid_in_the_schema_of_kubernetes(version: str) -> None:
    objects = render(made(), WITH).objects

    assert [version] * len(objects) == [
        kubernetes_validate.validate(item.body, version, strict=True) for item in objects
    ]


names = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)


@given(
    application=st.sampled_from([PLAIN, TALKATIVE, LISTENER]),
    namespace=names,
    account=names,
    client_id=st.uuids().map(str),
    own_account=st.booleans(),
)
def test_rendering_what_was_rendered_changes_nothing(
    application: Application, namespace: str, account: str, client_id: str, *, own_account: bool
) -> None:
    given = {"variables": {"region": "eu"}} if application is TALKATIVE else {}
    values = replace(
        WITH, application=application.name, namespace=namespace, identity=PodIdentity(account, client_id), **given
    )
    own = {"account.yaml": ACCOUNT.replace("hello", json.dumps(account))} if own_account else {}

    first = render(made(application) | own, values)

    assert first == render(made(application) | own, values)
    assert first == render({"rendered.yaml": first.yaml}, values)
    assert [item.body for item in first.objects] == list(yaml.safe_load_all(first.yaml))


_by_hand = st.fixed_dictionaries(
    {},
    optional={
        "labels": st.fixed_dictionaries({}, optional={USE: st.sampled_from(["true", "false", "x"]), "a": names}),
        "annotations": st.dictionaries(st.sampled_from([SKIP, PROXY, EXPIRATION, "b"]), names),
    },
)


@given(by_hand=_by_hand, account=st.none() | names, client_id=st.none() | st.uuids().map(str))
def test_without_an_identity_all_that_people_made_by_hand_stays(
    by_hand: dict, account: str | None, client_id: str | None
) -> None:
    texts = made()
    document = yaml.safe_load(texts["deployment.yaml"])
    template = document["spec"]["template"]
    template["metadata"]["labels"] |= by_hand.get("labels", {})
    template["metadata"] |= {"annotations": by_hand["annotations"]} if "annotations" in by_hand else {}
    template["spec"] |= {"serviceAccountName": account} if account else {}
    texts["deployment.yaml"] = json.dumps(document)
    annotations = {CLIENT_ID: client_id} if client_id else None
    metadata = {"name": "hello", **({"annotations": annotations} if annotations else {})}
    texts["account.yaml"] = json.dumps({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})

    rendered = render(texts, WITHOUT)

    found = pod(rendered)
    assert template["metadata"]["labels"] | {APPLICATION_LABEL: "hello"} == found["metadata"]["labels"]
    assert by_hand.get("annotations") == found["metadata"].get("annotations")
    assert account == found["spec"].get("serviceAccountName")
    assert annotations == body(rendered, "ServiceAccount")["metadata"].get("annotations")
