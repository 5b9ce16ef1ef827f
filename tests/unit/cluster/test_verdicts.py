from __future__ import annotations

from spin_aks.cluster.refusals import Cause, Status
from spin_aks.cluster.verdicts import in_words
from spin_aks.errors import Problem
from spin_aks.kubernetes_object import ObjectKey

WEB = ObjectKey("apps/v1", "Deployment", "hello", "web")


def conflict(manager: str, field: str) -> Cause:
    return Cause("FieldManagerConflict", field, f'conflict with "{manager}" using apps/v1')


def test_a_conflict_names_each_manager_with_its_fields() -> None:
    causes = (
        conflict("kubectl-edit", ".spec.replicas"),
        conflict("hpa", ".spec.paused"),
        conflict("kubectl-edit", '.spec.template.spec.containers[name="web"].image'),
    )

    problems = in_words(WEB, Status(409, "Conflict", "Apply failed with 3 conflicts", causes))

    assert [str(problem) for problem in problems] == [
        "Deployment hello/web: `kubectl-edit` has set `spec.replicas`, "
        '`spec.template.spec.containers[name="web"].image` to another value',
        "Deployment hello/web: `hpa` has set `spec.paused` to another value",
    ]
    assert {problem.hint for problem in problems} == {
        "`--force-conflicts` puts our values back; or take those fields out of the manifests, and they stay as they are"
    }


def test_an_immutable_field_comes_with_the_command_that_makes_way() -> None:
    cause = Cause("FieldValueInvalid", "spec.selector", 'Invalid value: {"matchLabels":{}}: field is immutable')

    assert in_words(WEB, Status(422, "Invalid", "...", (cause,))) == (
        Problem(
            "`spec.selector` can't be changed once the Deployment is there",
            "Deployment hello/web",
            "put the former value back; or `kubectl delete deployment web --namespace hello`, and run the same "
            "command again: its pods stop, and come back with the next run",
        ),
    )


def test_an_immutable_field_of_a_kind_without_pods_says_nothing_of_pods() -> None:
    key = ObjectKey("node.k8s.io/v1", "RuntimeClass", "", "spin")
    cause = Cause("FieldValueInvalid", "handler", 'Invalid value: "b": field is immutable')

    (problem,) = in_words(key, Status(422, "Invalid", "...", (cause,)))

    assert (
        problem.hint
        == "put the former value back; or `kubectl delete runtimeclass spin`, and run the same command again"
    )


def test_every_invalid_value_is_a_problem_of_its_own() -> None:
    causes = (
        Cause("FieldValueRequired", "spec.ports", "Required value"),
        Cause("FieldValueInvalid", "spec.type", "no"),
    )

    assert [problem.what for problem in in_words(WEB, Status(422, "Invalid", "...", causes))] == [
        "`spec.ports` is not valid: Required value",
        "`spec.type` is not valid: no",
    ]


def test_a_missing_namespace_comes_with_the_command_that_makes_it() -> None:
    (problem,) = in_words(WEB, Status(404, "NotFound", 'namespaces "hello" not found'))

    assert (problem.what, problem.hint) == ("there is no namespace `hello`", "`kubectl create namespace hello`")


def test_a_kind_that_is_not_served_is_named() -> None:
    (problem,) = in_words(WEB, Status(404, "NotFound", "the server could not find the requested resource"))

    assert problem.what == "the cluster has no kind Deployment in apps/v1"


def test_a_field_that_does_not_exist_points_to_kubectl_explain() -> None:
    (problem,) = in_words(WEB, Status(500, "", "failed: .spec.typo: field not declared in schema"))

    assert problem.what == (
        "the manifest has a field that Deployment does not have: failed: .spec.typo: field not declared in schema"
    )
    assert "`kubectl explain`" in problem.hint


def test_anything_else_keeps_the_servers_words() -> None:
    (problem,) = in_words(WEB, Status(500, "InternalError", 'failed calling webhook "w": timeout'))

    assert str(problem) == 'Deployment hello/web: the cluster refuses it (500): failed calling webhook "w": timeout'
