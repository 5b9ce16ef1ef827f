from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import requests
from azure.mgmt.containerregistry import ContainerRegistryManagementClient
from hypothesis import given
from hypothesis import strategies as st
from testbed.azure_answers import Reply, Script, refused, scripted

from spin_aks import clock
from spin_aks.azure import acr
from spin_aks.azure.arm import ResourceId
from spin_aks.azure.operations import Journal, Watch, duration, follow, settle
from spin_aks.azure.problems import AzureRefusalError, AzureUnreachableError, Kind
from spin_aks.errors import AzureError, Interrupted

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Clock

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
REGISTRY = ResourceId.of(SUBSCRIPTION, "team", acr.KIND, "shop")
POLL = "https://management.azure.com/poll/1?api-version=1&t=x"
TASK = "make registry `shop`"


def document(state: str) -> dict[str, Any]:
    return {
        "id": str(REGISTRY),
        "location": "x",
        "properties": {"provisioningState": state, "loginServer": "Shop.azurecr.io"},
    }


ABSENT = refused(404, "ResourceNotFound", "The Resource was not found.")
BEGUN = Reply(201, document("Creating"), {"Azure-AsyncOperation": POLL})


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "operations.json")


def azure(
    *polls: Reply, put: Reply = BEGUN, looks: tuple[Reply, ...] = (ABSENT, Reply(200, document("Succeeded")))
) -> Script:
    script = Script()
    script.answer("GET", "/registries/shop$", *looks)
    script.answer("PUT", "/registries/shop$", put)
    script.answer("GET", "/poll/1$", *polls)
    return script


def status(word: str, **more: object) -> Reply:
    return Reply(200, {"status": word, **more})


def make(script: Script, watch: Watch) -> acr.Registry:
    return acr.create(scripted(script), REGISTRY, "x", watch)


def test_an_operation_is_followed_to_its_end_and_leaves_no_note(journal: Journal, tmp_path: Path) -> None:
    script = azure(status("Creating"), status("Creating"), status("Succeeded"))

    assert "Succeeded" == make(script, Watch(journal=journal)).state
    assert 1 == len(script.sent("PUT"))
    assert (()) == journal.underway() == Journal(tmp_path / "operations.json").underway()


def test_a_note_is_written_before_the_request_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "operations.json"
    script = azure()
    script.answer("PUT", "/registries/shop$", Reply(raises=KeyboardInterrupt()))

    with pytest.raises(KeyboardInterrupt):
        make(script, Watch(journal=Journal(path)))

    assert [(REGISTRY, TASK)] == [(one.resource, one.task) for one in Journal(path).underway()]


def test_what_another_run_began_is_waited_for_and_not_begun_again(journal: Journal, turned: Clock) -> None:
    journal.begin(REGISTRY, TASK)
    creating = Reply(200, document("Creating"))
    script = azure(looks=(creating, creating, creating, creating, Reply(200, document("Succeeded"))))
    said: list[str] = []

    assert "Succeeded" == make(script, Watch(said.append, journal)).state
    assert [] == script.sent("PUT")
    assert [
        "make registry `shop`: it is being made already, waiting for that",
        "make registry `shop`: 30 s so far",
    ] == said
    assert 40.0 == turned.seconds
    assert () == journal.underway()


def test_what_is_refused_was_not_begun(journal: Journal) -> None:
    script = azure(put=refused(403, "AuthorizationFailed", "no"))

    with pytest.raises(AzureRefusalError) as error:
        make(script, Watch(journal=journal))

    assert Kind.DENIED is error.value.kind
    assert () == journal.underway()


def test_what_fails_on_the_way_says_why_and_what_may_be_left(journal: Journal) -> None:
    failure = {"code": "QuotaExceeded", "message": "Too many registries."}
    script = azure(status("Creating"), status("Failed", error=failure))

    with pytest.raises(AzureRefusalError) as error:
        make(script, Watch(journal=journal))

    assert "can't make registry `shop`: it exceeds a quota of the subscription" == error.value.problems[0].what
    assert "Too many registries." == error.value.why
    assert error.value.problems[0].hint.endswith(
        f"; what was made of it may still be there: `az resource show --ids {REGISTRY}`"
    )
    assert () == journal.underway()


def test_a_connection_that_is_lost_on_the_way_is_taken_up_again(journal: Journal) -> None:
    lost = Reply(raises=requests.ConnectionError("reset by peer"))
    script = azure(status("Creating"), *[lost] * 5, status("Creating"), status("Succeeded"))
    said: list[str] = []

    assert "Succeeded" == make(script, Watch(said.append, journal)).state
    assert ["make registry `shop`: begun", "make registry `shop`: the connection is lost, trying again"] == list(
        dict.fromkeys(said)
    )
    assert 1 == len(script.sent("PUT"))


def test_a_connection_that_stays_lost_is_told_and_the_note_kept(journal: Journal) -> None:
    script = azure(status("Creating"), Reply(raises=requests.ConnectionError("reset by peer")))

    with pytest.raises(AzureUnreachableError) as error:
        make(script, Watch(journal=journal))

    assert "can't make registry `shop`: the connection to `management.azure.com` broke" == error.value.problems[0].what
    assert [REGISTRY] == [one.resource for one in journal.underway()]


@pytest.mark.parametrize("trouble", [refused(503, "ServiceUnavailable", "x"), refused(429, "TooManyRequests", "x")])
def test_a_question_that_is_refused_on_the_way_is_asked_again(journal: Journal, trouble: Reply) -> None:
    script = azure(status("Creating"), *[trouble] * 6, status("Creating"), status("Succeeded"))

    assert "Succeeded" == make(script, Watch(journal=journal)).state
    assert 1 == len(script.sent("PUT"))


def test_a_sign_in_that_ends_on_the_way_leaves_the_note_for_it_goes_on(journal: Journal) -> None:
    script = azure(status("Creating"), refused(401, "ExpiredAuthenticationToken", "x"))

    with pytest.raises(AzureRefusalError) as error:
        make(script, Watch(journal=journal))

    assert Kind.EXPIRED is error.value.kind
    assert error.value.problems[0].hint.endswith(
        "; what was begun goes on in Azure: run the same command again to wait on"
    )
    assert [REGISTRY] == [one.resource for one in journal.underway()]


def test_who_was_faster_is_waited_for(journal: Journal) -> None:
    busy = refused(409, "Conflict", "There is already an operation in progress which requires exclusive lock")
    creating, made = Reply(200, document("Creating")), Reply(200, document("Succeeded"))
    script = azure(put=busy, looks=(ABSENT, creating, made))

    assert "Succeeded" == make(script, Watch(journal=journal)).state
    assert () == journal.underway()


def test_no_answer_to_the_first_request_leaves_the_note_for_it_may_have_begun(journal: Journal) -> None:
    script = azure(put=Reply(raises=requests.ReadTimeout("read timed out")))

    with pytest.raises(AzureUnreachableError) as error:
        make(script, Watch(journal=journal))

    assert (
        "can't make registry `shop`: `management.azure.com` took it and did not answer in time"
        == error.value.problems[0].what
    )
    assert [REGISTRY] == [one.resource for one in journal.underway()]


@dataclass(frozen=True)
class Thing:
    state: str


def test_what_takes_too_long_is_told_and_goes_on(journal: Journal) -> None:
    with pytest.raises(AzureUnreachableError) as error:
        settle(Watch(journal=journal, longest_s=300), TASK, REGISTRY, lambda: Thing("Updating"))

    assert (
        "can't make registry `shop`: it is not done after 5 min 10 s",
        "it goes on in Azure: run the same command again to wait on",
    ) == (error.value.problems[0].what, error.value.problems[0].hint)


def test_what_is_deleted_is_waited_for_until_it_is_gone(journal: Journal) -> None:
    looks = iter([Thing("Deleting"), Thing("Deleting"), None])

    assert settle(Watch(journal=journal), TASK, REGISTRY, lambda: next(looks)) is None


def test_the_time_that_is_told_is_counted_from_the_real_start(
    monkeypatch: pytest.MonkeyPatch, journal: Journal
) -> None:
    journal.begin(REGISTRY, TASK)
    start = clock.now()
    from datetime import timedelta

    monkeypatch.setattr(clock, "now", lambda: start + timedelta(minutes=7))
    looks = iter([*[Thing("Creating")] * 4, Thing("Succeeded")])
    said: list[str] = []

    settle(Watch(said.append, journal), TASK, REGISTRY, lambda: next(looks))

    assert "make registry `shop`: 7 min 30 s so far" == said[-1]


def test_a_slow_operation_says_so_every_half_minute(journal: Journal, turned: Clock) -> None:
    class Slow:
        def __init__(self) -> None:
            self.left = 4

        def done(self) -> bool:
            return self.left == 0

        def wait(self, timeout: float) -> None:
            self.left -= 1
            turned.seconds += timeout

        def result(self) -> str:
            return "made"

    said: list[str] = []

    def begin(_token: str | None) -> Any:
        return Slow()

    assert "made" == follow(Watch(said.append, journal), TASK, REGISTRY, begin)
    times = ("30 s", "1 min 0 s", "1 min 30 s", "2 min 0 s")
    assert [f"{TASK}: begun", *(f"{TASK}: {text} so far" for text in times)] == said


class Stopped:
    """An operation at which somebody loses patience."""

    def __init__(self, how: BaseException) -> None:
        self.how = how

    def done(self) -> bool:
        return False

    def wait(self, _timeout: float) -> None:
        raise self.how


@pytest.mark.parametrize("how", [KeyboardInterrupt(), Interrupted(15)])
def test_who_stops_waiting_is_told_that_it_goes_on(journal: Journal, how: BaseException) -> None:
    said: list[str] = []

    def begin(_token: str | None) -> Any:
        return Stopped(how)

    with pytest.raises(type(how)):
        follow(Watch(said.append, journal), TASK, REGISTRY, begin)

    assert f"{TASK}: it goes on in Azure, run the same command again to wait on" == said[-1]
    assert [REGISTRY] == [one.resource for one in journal.underway()]


def test_who_stops_waiting_for_what_another_run_began_is_told_too(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_duration_s: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(clock, "sleep", interrupted)
    said: list[str] = []

    with pytest.raises(KeyboardInterrupt):
        settle(Watch(said.append, journal), TASK, REGISTRY, lambda: Thing("Creating"))

    assert f"{TASK}: it goes on in Azure, run the same command again to wait on" == said[-1]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"operations": 3}',
        '{"operations": [3, {"resource": "x", "task": "t", "started": "2026-01-01T00:00:00Z"}]}',
        '{"operations": [{"resource": "/subscriptions/a", "task": "t", "started": "yesterday"}]}',
    ],
)
def test_a_journal_that_is_torn_or_not_ours_says_nothing(text: str, tmp_path: Path) -> None:
    path = tmp_path / "operations.json"
    path.write_text(text)

    assert () == Journal(path).underway()


@given(st.floats(0, 1e6))
def test_a_duration_has_whole_units(seconds: float) -> None:
    assert not any(part.startswith("-") for part in duration(seconds).split())


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59.9, "59 s"), (150, "2 min 30 s"), (3900, "1 h 5 min")])
def test_a_duration_is_told_in_two_units_at_most(seconds: float, text: str) -> None:
    assert text == duration(seconds)


def test_clients_are_made_once() -> None:
    session = scripted(Script())

    one = session.client(ContainerRegistryManagementClient, SUBSCRIPTION)
    assert one is session.client(ContainerRegistryManagementClient, SUBSCRIPTION)
    assert one is not session.client(ContainerRegistryManagementClient, SUBSCRIPTION.replace("0", "1"))


def test_an_error_that_is_no_refusal_says_what_may_be_left_too() -> None:
    from spin_aks.azure.operations import half_made

    error = half_made(AzureError("it broke", where="here"), REGISTRY)

    assert f"what was made of it may still be there: `az resource show --ids {REGISTRY}`" == error.problems[0].hint
