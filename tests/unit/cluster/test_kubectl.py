from __future__ import annotations

import json
import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spin_aks.cluster import kubectl
from spin_aks.cluster.connection import APPLY
from spin_aks.cluster.kubectl import Request
from spin_aks.cluster.refusals import Cause, UnreachableError

if TYPE_CHECKING:
    from pathlib import Path

PLACE = "/api/v1/namespaces/shop/configmaps"
GET = Request("GET", f"{PLACE}/a")
OURS = (("fieldManager", "spin-aks"), ("force", "false"))


def line(request: Request) -> list[str]:
    return shlex.split(kubectl.command(request, "0.json"))


def test_a_question_goes_by_its_path() -> None:
    assert ["kubectl", "get", "--raw", f"{PLACE}/a"] == line(GET)
    assert ["kubectl", "get", "--raw", f"{PLACE}?labelSelector=a%3Db%2Cc"] == line(
        Request("GET", PLACE, (("labelSelector", "a=b,c"),))
    )


@pytest.mark.parametrize(("method", "verb"), [("POST", "create"), ("PUT", "replace"), ("DELETE", "delete")])
def test_a_change_goes_by_its_path_with_a_file(method: str, verb: str) -> None:
    assert ["kubectl", verb, "--raw", PLACE, "--filename", "0.json"] == line(Request(method, PLACE, (), {"kind": "x"}))


def test_server_side_apply_is_kubectls_own() -> None:
    query = (("fieldManager", "spin-aks"), ("force", "true"), ("dryRun", "All"))

    options = line(Request("PATCH", f"{PLACE}/a", query, {}, APPLY))

    assert ["kubectl", "apply", "--server-side", "--field-manager", "spin-aks", "--validate=strict"] == options[:6]
    assert ["--output", "json", "--show-managed-fields", "--namespace", "shop"] == options[6:11]
    assert ["--force-conflicts", "--dry-run=server", "--filename", "0.json"] == options[11:]


def test_a_dry_run_changes_nothing_and_an_apply_does() -> None:
    assert [False, False, True] == [
        request.changes
        for request in (GET, Request("PATCH", PLACE, (("dryRun", "All"),)), Request("PATCH", PLACE, OURS))
    ]


def printed(text: str, *, exit_code: int = 1, request: Request = GET) -> tuple[int, str, str, tuple[Cause, ...]]:
    answer = kubectl.answer(request, exit_code, text)
    status = answer.status
    assert status.genuine
    return answer.code, status.reason, status.message, status.causes


# What kubectl 1.32 prints, seen with a real API server and the sandbox's.
@pytest.mark.parametrize(
    ("text", "code", "reason", "message"),
    [
        ('Error from server (NotFound): namespaces "x" not found\n', 404, "NotFound", 'namespaces "x" not found'),
        (
            'Error from server (AlreadyExists): configmaps "x" already exists\n',
            409,
            "AlreadyExists",
            'configmaps "x" already exists',
        ),
        (
            'Error from server (NotFound): error when creating "0.json": namespaces "x" not found',
            404,
            "NotFound",
            'namespaces "x" not found',
        ),
        (
            'Error from server (Forbidden): configmaps is forbidden: User "u" cannot list resource "configmaps" in API '
            'group "" in the namespace "shop"\n',
            403,
            "Forbidden",
            'configmaps is forbidden: User "u" cannot list resource "configmaps" in API group "" in the namespace '
            '"shop"',
        ),
        (
            "Warning: old\nError from server: .spec.bogus: field not declared in schema\n",
            500,
            "",
            ".spec.bogus: field not declared in schema",
        ),
        (
            "error: You must be logged in to the server (Unauthorized)\n",
            401,
            "Unauthorized",
            "error: You must be logged in to the server (Unauthorized)",
        ),
        (
            'error: resource mapping not found for name: "x" namespace: "" from "0.json": no matches for kind "Foo" in '
            'version "foo.io/v1"\nensure CRDs are installed first\n',
            404,
            "NotFound",
            'error: resource mapping not found for name: "x" namespace: "" from "0.json": no matches for kind "Foo" in '
            'version "foo.io/v1"\nensure CRDs are installed first',
        ),
        ("something else\nentirely\n", 500, "", "something else entirely"),
    ],
)
def test_a_refusal_is_told_by_its_words(text: str, code: int, reason: str, message: str) -> None:
    assert (code, reason, message, ()) == printed(text)


def test_a_conflict_names_manager_and_field() -> None:
    text = (
        'error: Apply failed with 1 conflict: conflict with "other" using apps/v1: .spec.replicas\n'
        "Please review the fields above--they currently have other managers. Here\n"
        "are the ways you can resolve this warning:\n"
        "* If you intend to manage all of these fields, please re-run the apply\n"
    )

    code, reason, _, causes = printed(text)

    assert (409, "Conflict") == (code, reason)
    assert (Cause("FieldManagerConflict", ".spec.replicas", 'conflict with "other" using apps/v1'),) == causes


def test_each_of_several_conflicts_names_its_manager() -> None:
    text = (
        'error: Apply failed with 3 conflicts: conflicts with "one" using v1:\n'
        "- .data.a\n"
        '- .data.b\nconflicts with "two" using v1 at 2026-11-21T10:00:00Z:\n'
        "- .metadata.labels.x\n"
        "Please review the fields above--they currently have other managers. Here\n"
        "* You may co-own fields by updating your manifest\n"
    )

    causes = printed(text)[3]

    assert [(".data.a", "one"), (".data.b", "one"), (".metadata.labels.x", "two")] == [
        (cause.field, cause.message.split('"')[1]) for cause in causes
    ]


def test_what_is_invalid_is_told_by_field() -> None:
    one = 'The Deployment "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0\n'
    two = (
        'The Deployment "web" is invalid: \n'
        "* spec.template.metadata.labels: Invalid value: {}: `selector` does not match template `labels`\n"
        "* spec.selector: Invalid value: {}: field is immutable\n"
    )

    assert (
        422,
        (Cause("FieldValueInvalid", "spec.replicas", "Invalid value: -1: must be greater than or equal to 0"),),
    ) == (
        printed(one)[0],
        printed(one)[3],
    )
    assert ["spec.template.metadata.labels", "spec.selector"] == [cause.field for cause in printed(two)[3]]


@pytest.mark.parametrize(
    "text",
    [
        "Unable to connect to the server: dial tcp: lookup x: no such host\n",
        "The connection to the server localhost:8080 was refused - did you specify the right host or port?\n",
    ],
)
def test_no_answer_is_no_refusal(text: str) -> None:
    with pytest.raises(UnreachableError) as caught:
        kubectl.answer(GET, 1, text)

    assert f"kubectl got no answer in the cluster: {text.strip()}" == caught.value.problems[0].what


def test_a_document_comes_with_the_warnings_before_it() -> None:
    answer = kubectl.answer(GET, 0, 'Warning: v1 Endpoints is deprecated\n{"kind": "X"}\n')

    assert (200, {"kind": "X"}, ("v1 Endpoints is deprecated",)) == (answer.code, answer.document, answer.warnings)


def test_what_is_made_by_its_path_was_not_there() -> None:
    assert 201 == kubectl.answer(Request("POST", PLACE, (), {}), 0, "{}").code


@given(st.text(), st.integers(0, 255))
def test_whatever_is_printed_is_some_answer(text: str, exit_code: int) -> None:
    try:
        answer = kubectl.answer(GET, exit_code, text)
    except UnreachableError:
        return

    assert answer.ok == (exit_code == 0)
    assert text == answer.text


texts = st.text(st.characters(codec="utf-8", exclude_characters="\r"))


@given(st.lists(st.tuples(st.integers(0, 255), texts)), texts)
def test_results_are_found_behind_their_boundary_and_what_has_no_end_is_none(
    said: list[tuple[int, str]], cut: str
) -> None:
    output = "".join(f"{text}\n--4f1c {code}\n" for code, text in said) + cut

    assert said == kubectl.results(output, "--4f1c")


def ran(folder: Path, files: dict[str, bytes]) -> list[tuple[int, str]]:
    """What the script's commands say to a kubectl that prints its arguments, and fails for `fails`."""
    (folder / "kubectl").write_text('#!/bin/sh\necho "$@"\nfor last; do :; done\n[ "$last" != fails ]\n')
    (folder / "kubectl").chmod(0o755)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    done = subprocess.run(
        ["sh", kubectl.SCRIPT],
        cwd=folder,
        env={"PATH": f"{folder}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    return kubectl.results(done.stdout, "--b")


def test_a_script_sends_everything_and_quotes_what_it_sends(tmp_path: Path) -> None:
    requests = [Request("GET", "fails"), Request("GET", "/it's; echo $HOME"), Request("PUT", "/a", (), {"a": 1})]
    files = kubectl.batch(requests, "--b", in_order=False)

    assert {"2.json": {"a": 1}} == {name: json.loads(text) for name, text in files.items() if name != kubectl.SCRIPT}
    assert [
        (1, "get --raw fails\n"),
        (0, "get --raw /it's; echo $HOME\n"),
        (0, "replace --raw /a --filename 2.json\n"),
    ] == ran(tmp_path, files)


def test_in_order_nothing_is_sent_after_a_refusal(tmp_path: Path) -> None:
    requests = [Request("GET", "/a"), Request("GET", "fails"), Request("GET", "/b")]

    assert [(0, "get --raw /a\n"), (1, "get --raw fails\n")] == ran(
        tmp_path, kubectl.batch(requests, "--b", in_order=True)
    )
