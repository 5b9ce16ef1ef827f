from __future__ import annotations

import pytest

from spin_aks.cluster.refusals import ApiStatusError, Cause, Status, refusal, status_of

URL = "https://cluster.example"


def told(status: Status) -> ApiStatusError:
    return refusal(status, url=URL, request="PATCH /api/v1/x", user="dev")


def test_a_status_document_is_read_with_its_causes() -> None:
    document = {
        "kind": "Status",
        "reason": "Conflict",
        "message": "Apply failed",
        "details": {"causes": [{"reason": "FieldManagerConflict", "field": ".spec.a", "message": "conflict with x"}]},
    }

    assert status_of(409, document, "ignored") == Status(
        409, "Conflict", "Apply failed", (Cause("FieldManagerConflict", ".spec.a", "conflict with x"),)
    )


def test_what_is_no_status_is_a_strangers_answer() -> None:
    assert status_of(502, {}, "<h1>Bad\n gateway</h1>") == Status(502, "", "<h1>Bad gateway</h1>", genuine=False)


def test_a_missing_right_is_named_with_the_command_that_asks_for_it() -> None:
    message = (
        'deployments.apps "web" is forbidden: User "jane@contoso.com" cannot patch resource "deployments" '
        'in API group "apps" in the namespace "hello"'
    )

    (problem,) = told(Status(403, "Forbidden", message)).problems

    assert str(problem) == f"{URL}: user `jane@contoso.com` may not patch deployments.apps in namespace `hello`"
    assert problem.hint == (
        "ask for that right; `kubectl auth can-i patch deployments.apps --namespace hello` says when it is there"
    )


def test_a_missing_right_in_the_whole_cluster_is_named_too() -> None:
    message = 'x is forbidden: User "jane" cannot patch resource "namespaces" in API group "" at the cluster scope'

    (problem,) = told(Status(403, "Forbidden", message)).problems

    assert problem.what == "user `jane` may not patch namespaces in the whole cluster"
    assert problem.hint == "ask for that right; `kubectl auth can-i patch namespaces` says when it is there"


def test_another_403_keeps_the_servers_words() -> None:
    (problem,) = told(Status(403, "Forbidden", "exceeded quota: few")).problems

    assert problem.what == "the cluster forbids it: exceeded quota: few"


def test_a_login_that_is_not_known_is_named_with_its_user() -> None:
    (problem,) = told(Status(401, "Unauthorized", "Unauthorized")).problems

    assert problem.what == "the cluster does not know user `dev`: the login is missing, wrong or out of date"
    assert problem.hint.startswith("log in again: `az aks get-credentials")


def test_a_stranger_in_the_servers_place_is_called_one() -> None:
    (problem,) = told(Status(502, "", "<h1>Bad gateway</h1>", genuine=False)).problems

    assert problem.what == ("something that is no API server answered 502 to `PATCH /api/v1/x`: <h1>Bad gateway</h1>")
    assert "HTTPS_PROXY" in problem.hint


@pytest.mark.parametrize("code", [429, 503, 504])
def test_a_busy_server_is_to_be_asked_again(code: int) -> None:
    (problem,) = told(Status(code, "TooManyRequests", "wait")).problems

    assert problem.what == "the API server is too busy for `PATCH /api/v1/x`: wait"
    assert problem.hint.startswith("run the same command again")


def test_any_other_refusal_keeps_code_request_and_words() -> None:
    assert str(told(Status(500, "InternalError", "boom"))) == (
        f"{URL}: the API server answered 500 to `PATCH /api/v1/x`: boom"
    )
