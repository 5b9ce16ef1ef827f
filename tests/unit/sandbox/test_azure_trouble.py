"""The trouble file: each kind of trouble is data, and what can't be understood is never overlooked."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
import requests
from testbed import azure_sandbox
from testbed.azure_requests import BELOW, ask, cluster_body, cluster_path, error, group

from spin_aks.sandbox.azure import known_troubles
from spin_aks.sandbox.azure.trouble import TroubleFileError, parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from testbed.azure_recordings import Clients

    from spin_aks.sandbox.azure.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with azure_sandbox.opened(tmp_path) as opened:
        yield opened


@pytest.fixture
def azure(world: World) -> Clients:
    return azure_sandbox.connected(world)


@pytest.fixture
def trouble(tmp_path: Path) -> Callable[[str], None]:
    """Writes the trouble file."""
    return lambda text: (tmp_path / "trouble.toml").write_text(text, encoding="utf-8") and None


def test_a_rule_answers_with_status_code_message_and_headers(azure: Clients, trouble: Callable[[str], None]) -> None:
    trouble(
        """
        [[rule]]
        method = "GET"
        path = "*/resourcegroups"
        status = 429
        code = "TooManyRequests"
        message = "slowly"
        headers = { Retry-After = "7" }
        """
    )

    answer = ask(azure, "GET", "~/resourceGroups")

    assert (429, "TooManyRequests", "slowly") == error(answer)
    assert "7" == answer.headers["Retry-After"]


def test_a_rule_can_be_json_and_give_any_body(azure: Clients, trouble: Callable[[str], None]) -> None:
    trouble('{"rule": [{"path": "*/locations", "status": 200, "body": {"value": []}}]}')

    assert {"value": []} == ask(azure, "GET", "~/locations").json()


@pytest.mark.parametrize(
    ("rule", "kind", "content"),
    [
        ('text = "<html>no"', "text/html", b"<html>no"),
        ('text = ""', "text/html", b""),
        (
            """text = '{"value": ['\nheaders = { content-type = "application/json" }""",
            "application/json",
            b'{"value": [',
        ),
    ],
)
def test_a_rule_can_give_a_text_that_is_no_json(
    azure: Clients, trouble: Callable[[str], None], rule: str, kind: str, content: bytes
) -> None:
    trouble(f'[[rule]]\npath = "*/locations"\nstatus = 200\n{rule}')

    answer = ask(azure, "GET", "~/locations")

    assert (200, kind, content) == (answer.status_code, answer.headers["Content-Type"], answer.content)


def test_a_text_needs_a_status() -> None:
    with pytest.raises(TroubleFileError, match="there is no `status`"):
        parsed(b'[[rule]]\ntext = "x"', "trouble.toml")


def test_only_the_requests_that_fit_are_struck(azure: Clients, trouble: Callable[[str], None]) -> None:
    trouble('[[rule]]\nmethod = "PUT DELETE"\nhost = "management.*"\npath = "*/RG1"\nstatus = 500')

    group(azure, "rg2")

    assert 500 == ask(azure, "PUT", "~/resourceGroups/rg1", {"location": "eastus"}).status_code
    assert 404 == ask(azure, "GET", "~/resourceGroups/rg1").status_code


def test_a_rule_strikes_as_often_as_it_says_and_after_as_many_as_it_lets_by(
    azure: Clients, trouble: Callable[[str], None]
) -> None:
    trouble('[[rule]]\npath = "*/locations"\nstatus = 503\nskip = 1\ntimes = 2')

    assert [200, 503, 503, 200] == [ask(azure, "GET", "~/locations").status_code for _ in range(4)]


def test_how_often_a_rule_struck_outlives_the_sandbox(tmp_path: Path, trouble: Callable[[str], None]) -> None:
    trouble('[[rule]]\npath = "*/locations"\nstatus = 503\ntimes = 1')
    statuses = []

    for _ in range(2):
        with azure_sandbox.opened(tmp_path) as world:
            statuses.append(ask(azure_sandbox.connected(world), "GET", "~/locations").status_code)

    assert [503, 200] == statuses


def test_a_rule_that_was_taken_out_and_put_back_strikes_again(azure: Clients, trouble: Callable[[str], None]) -> None:
    rule = '[[rule]]\npath = "*/locations"\nstatus = 503\ntimes = 1'
    statuses = []

    for text in (rule, rule, "", rule):
        trouble(text)
        statuses.append(ask(azure, "GET", "~/locations").status_code)

    assert [503, 200, 200, 503] == statuses


def test_the_first_rule_whose_turn_it_is_strikes(azure: Clients, trouble: Callable[[str], None]) -> None:
    trouble('[[rule]]\npath = "*/locations"\nstatus = 503\ntimes = 1\n[[rule]]\npath = "*/locations"\nstatus = 500')

    assert [503, 500] == [ask(azure, "GET", "~/locations").status_code for _ in range(2)]


def test_a_connection_can_be_cut(azure: Clients, trouble: Callable[[str], None]) -> None:
    trouble('[[rule]]\npath = "*/locations"\ndrop = true\ntimes = 1')

    with pytest.raises(requests.exceptions.ConnectionError):
        ask(azure, "GET", "~/locations")
    assert 200 == ask(azure, "GET", "~/locations").status_code


def test_an_answer_can_be_late_and_right(azure: Clients, trouble: Callable[[str], None]) -> None:
    trouble('[[rule]]\npath = "*/locations"\ndelay_s = 0.05')
    begin = time.monotonic()

    assert 200 == ask(azure, "GET", "~/locations").status_code
    assert time.monotonic() - begin >= 0.05


def test_missing_rights_name_action_and_scope(azure: Clients, trouble: Callable[[str], None]) -> None:
    trouble('[[rule]]\nmethod = "PUT"\nknown = "AuthorizationFailed"')
    name = "38dec33c-4435-4f70-92a1-8e1cc6e118db"
    path = f"~/resourceGroups/rg/providers/Microsoft.Authorization/roleAssignments/{name}"

    status, code, message = error(ask(azure, "PUT", path, {}))

    assert (403, "AuthorizationFailed") == (status, code)
    assert message == (
        f"The client '{azure_sandbox.SOMEBODY}' with object id '{azure_sandbox.SOMEBODY}' does not have authorization "
        f"to perform action 'Microsoft.Authorization/roleAssignments/write' over scope '{path.replace('~', BELOW)}' or "
        "the scope is invalid. If access was recently granted, please refresh your credentials."
    )


@pytest.mark.parametrize("name", known_troubles.NAMES)
def test_every_known_trouble_is_an_error_that_a_client_can_read(
    azure: Clients, trouble: Callable[[str], None], name: str
) -> None:
    trouble(f'[[rule]]\nknown = "{name}"')

    status, code, message = error(ask(azure, "PUT", cluster_path(), cluster_body()))

    assert status >= 400
    assert code in (name, "ErrCode_InsufficientVCPUQuota")
    assert len(message.split()) > 5


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("PUT", "/subscriptions/s/resourcegroups/g", "Microsoft.Resources/subscriptions/resourcegroups/write"),
        ("GET", "/subscriptions/s/resourceGroups/g/providers/A.B/c", "A.B/c/read"),
        ("DELETE", "/subscriptions/s/resourceGroups/g/providers/A.B/c/n", "A.B/c/delete"),
        ("PUT", "/subscriptions/s/resourceGroups/g/providers/A.B/c/n/d/m", "A.B/c/d/write"),
        ("POST", "/subscriptions/s/resourceGroups/g/providers/A.B/c/n/listKeys", "A.B/c/listKeys/action"),
        ("PUT", "/x/providers/A.B/c/n/providers/C.D/e/m", "C.D/e/write"),
        ("POST", "/subscriptions/s/providers/A.B/register", "A.B/register/action"),
    ],
)
def test_an_action_is_named_as_azure_names_it(method: str, path: str, action: str) -> None:
    assert action == known_troubles.action(method, path)


def test_a_provider_is_unregistered_until_it_is_registered(azure: Clients, trouble: Callable[[str], None]) -> None:
    trouble('unregistered = ["microsoft.containerservice"]')
    group(azure)
    provider = "~/providers/Microsoft.ContainerService"

    refused = ask(azure, "PUT", cluster_path(), cluster_body())
    states = [ask(azure, "GET", provider).json()["registrationState"]]
    states.append(ask(azure, "POST", provider + "/register").json()["registrationState"])
    states += [ask(azure, "GET", provider).json()["registrationState"] for _ in range(2)]

    assert (409, "MissingSubscriptionRegistration") == error(refused)[:2]
    assert "Microsoft.ContainerService" == refused.json()["error"]["details"][0]["target"]
    assert ["NotRegistered", "Registering", "Registering", "Registered"] == states
    assert 201 == ask(azure, "PUT", cluster_path(), cluster_body()).status_code


def test_an_operation_can_fail(azure: Clients, trouble: Callable[[str], None]) -> None:
    trouble('[[rule]]\nmethod = "PUT"\nfail = { code = "InternalOperationError", message = "it broke" }')
    group(azure)

    made = ask(azure, "PUT", cluster_path(), cluster_body())
    polls = [ask(azure, "GET", made.headers["Azure-AsyncOperation"]).json() for _ in range(2)]
    cluster = ask(azure, "GET", cluster_path()).json()

    assert ["InProgress", "Failed"] == [poll["status"] for poll in polls]
    assert {"code": "InternalOperationError", "message": "it broke"} == polls[1]["error"]
    assert "Failed" == cluster["properties"]["provisioningState"]


def test_an_operation_can_be_slow(azure: Clients, trouble: Callable[[str], None]) -> None:
    trouble('[[rule]]\nmethod = "PUT"\npath = "*/managedClusters/*"\nslow_s = 0.2')
    group(azure)
    begin = time.monotonic()

    made = ask(azure, "PUT", cluster_path(), cluster_body())
    while ask(azure, "GET", made.headers["Azure-AsyncOperation"]).json()["status"] == "InProgress":
        time.sleep(0.02)

    assert time.monotonic() - begin >= 0.2
    assert "Succeeded" == ask(azure, "GET", cluster_path()).json()["properties"]["provisioningState"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[rule]", "f: Expected ']]'"),
        ("{", "f: Expecting property name"),
        ('rules = ""', "f: `rules` is no key of a trouble file"),
        ("[[rule]]\nstatuss = 1", "f: rule 1: `statuss` is no key of a rule"),
        ('[[rule]]\npath = "x"', "f: rule 1: it says when, but not what goes wrong"),
        ("[[rule]]\nstatus = 1\nslow_s = 1", "f: rule 1: `slow_s` and `fail` are about what goes on after the answer"),
        ('[[rule]]\nstatus = 1\n[[rule]]\nknown = "x"', "f: rule 2: `x` is none of AuthorizationFailed, "),
        ('[[rule]]\ncode = "x"', "f: rule 1: there is no `status`"),
        ('[[rule]]\nstatus = "x"', "f: rule 1: `status` has to be a whole number"),
        ('[[rule]]\nstatus = 1\ntimes = "x"', "f: rule 1: `times` has to be a whole number"),
        ('[[rule]]\ndelay_s = "x"', "f: rule 1: `delay_s` has to be a number"),
        ("[[rule]]\nstatus = 1\npath = 1", "f: rule 1: `path` has to be a string"),
        ('[[rule]]\ndrop = "yes"', "f: rule 1: `drop` has to be true or false"),
        ('[[rule]]\nfail = "x"', "f: rule 1: `fail` has to be a table"),
        ("rule = 1", "f: `rule` has to be a list of tables"),
        ('page_size = "x"', "f: `page_size` has to be a whole number"),
    ],
)
def test_what_can_not_be_understood_is_said(text: str, message: str) -> None:
    with pytest.raises(TroubleFileError) as raised:
        parsed(text.encode(), "f")

    assert str(raised.value).startswith(message)


def test_every_request_fails_while_the_file_can_not_be_understood(
    azure: Clients, trouble: Callable[[str], None], tmp_path: Path
) -> None:
    trouble("[[rule]]\nstatuss = 500")

    answers = [ask(azure, "GET", "~/locations") for _ in range(2)]

    text = f"the sandbox's trouble file: {tmp_path / 'trouble.toml'}: rule 1: `statuss` is no key of a rule\n"
    assert [(500, text)] * 2 == [(answer.status_code, answer.text) for answer in answers]
