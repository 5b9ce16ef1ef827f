from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from testbed.azure_answers import Reply, Script, refused, scripted
from testbed.azure_recordings import load

from spin_aks.azure import acr, providers, rights, vaults
from spin_aks.azure.found import NotFoundError
from spin_aks.azure.operations import Watch
from spin_aks.azure.providers import Provider
from spin_aks.errors import AzureError

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Clock

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
OTHER = "11111111-2222-4333-8444-555555555555"
CACHE, NETWORK = "Microsoft.Cache", "Microsoft.Network"
DENIED = (
    "The client 'me' with object id 'oid' does not have authorization to perform action 'Microsoft.Cache/register/"
    f"action' over scope '/subscriptions/{SUBSCRIPTION}' or the scope is invalid."
)
UNREGISTERED = refused(
    409, "MissingSubscriptionRegistration", "The subscription is not registered to use namespace 'Microsoft.X'."
)


def state(found: str, namespace: str = CACHE) -> Reply:
    return Reply(200, {"namespace": namespace, "registrationState": found})


def said(script: Script, *wanted: Provider) -> list[str]:
    """What is told while these are registered."""
    heard: list[str] = []
    providers.register(scripted(script), wanted, Watch(heard.append))
    return heard


def lacks(found: str, namespace: str = CACHE) -> Provider:
    return Provider(SUBSCRIPTION, namespace, found)


def test_a_provider_is_registered_as_azure_recorded_it(recordings: Path) -> None:
    first, registering, _ = load(recordings, "provider-register").exchanges.values()
    namespace = "Microsoft.ClassicInfrastructureMigrate"
    script = Script()
    registered = {**registering.body, "registrationState": "Registered"}
    replies = [Reply(200, body) for body in (first.body, registering.body, registered)]
    script.answer("GET", f"/providers/{namespace}$", *replies)
    script.answer("POST", f"/providers/{namespace}/register$", Reply(200, registering.body))

    lacking = providers.lacking(scripted(script), [(SUBSCRIPTION, namespace)])

    assert (Provider(SUBSCRIPTION, namespace, "Unregistered"),) == lacking
    assert [f"register the subscription `{SUBSCRIPTION}` for `{namespace}`: begun"] == said(script, *lacking)
    assert ["GET", "POST", "GET", "GET"] == script.methods


def test_several_are_registered_side_by_side_and_each_once(turned: Clock) -> None:
    script = Script()
    for namespace in (CACHE, NETWORK):
        states = [state(one, namespace) for one in ("NotRegistered", "Registering", "Registered")]
        script.answer("GET", f"/providers/{namespace}$", *states)
        script.answer("POST", f"/providers/{namespace}/register$", state("Registering", namespace))

    heard = said(script, lacks("NotRegistered"), lacks("Unregistered", NETWORK))

    assert [f"register the subscription `{SUBSCRIPTION}` for `{CACHE}` and `{NETWORK}`: begun"] == heard
    assert 2 == len(script.sent("POST"))
    assert 1.0 + 2.0 + 4.0 == turned.seconds


@pytest.mark.parametrize(
    ("names", "expected"), [((), ""), (("a",), "a"), (("a", "b"), "a and b"), ("abc", "a, b and c")]
)
def test_names_are_enumerated(names: tuple[str, ...], expected: str) -> None:
    assert expected == providers.enumerated(tuple(names))


def test_one_that_is_being_registered_is_waited_for_only() -> None:
    script = Script()
    script.answer("GET", f"/providers/{CACHE}$", state("Registering"), state("Registered"))

    heard = said(script, lacks("Registering"))

    task = f"register the subscription `{SUBSCRIPTION}` for `{CACHE}`"
    assert [f"{task}: it is registering already, waiting for that"] == heard
    assert ["GET", "GET"] == script.methods


def test_subscriptions_are_told_apart() -> None:
    script = Script()
    script.answer("GET", "/providers/", state("Registered"))

    heard = said(script, lacks("Registering"), Provider(OTHER, CACHE, "Registering"), lacks("Registering", NETWORK))

    assert f"`{SUBSCRIPTION}` for `{CACHE}` and `{NETWORK}` and the subscription `{OTHER}` for `{CACHE}`: " in heard[0]


def test_a_conflict_passes_and_is_asked_again() -> None:
    script = Script()
    script.answer("GET", f"/providers/{CACHE}$", state("NotRegistered"), state("Registered"))
    conflict = refused(409, "Conflict", "The request failed due to conflict with a concurrent request.")
    script.answer("POST", f"/providers/{CACHE}/register$", conflict, state("Registering"))

    said(script, lacks("NotRegistered"))

    assert ["POST", "GET", "POST", "GET"] == script.methods


def test_one_that_is_not_registered_everywhere_for_long_is_left_to_the_making(turned: Clock) -> None:
    script = Script()
    script.answer("GET", f"/providers/{CACHE}$", state("Registering"))
    script.answer("POST", f"/providers/{CACHE}/register$", state("Registering"))

    heard = said(script, lacks("NotRegistered"))

    task = f"register the subscription `{SUBSCRIPTION}` for `{CACHE}`"
    assert [f"{task}: begun", f"{task}: 32 s so far", f"{task}: 1 min 2 s so far"] == heard[:3]
    assert f"{task}: not everywhere after 3 min 2 s, going on" == heard[-1]
    assert turned.seconds > providers.LONGEST_S
    assert 1 == len(script.sent("POST"))


def test_a_conflict_that_stays_is_told(turned: Clock) -> None:
    script = Script()
    script.answer("GET", f"/providers/{CACHE}$", state("Unregistering"))
    script.answer("POST", f"/providers/{CACHE}/register$", refused(409, "Conflict", "The provider is unregistering."))

    with pytest.raises(AzureError) as error:
        said(script, lacks("Unregistering"))

    assert (
        f"/subscriptions/{SUBSCRIPTION}: can't register the subscription `{SUBSCRIPTION}` for `{CACHE}`: something "
        "else is being done to that for 3 min 2 s now"
    ) == str(error.value)
    assert error.value.problems[0].hint.startswith("run the same command again")


def test_who_stops_waiting_is_told_that_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script()
    script.answer("POST", f"/providers/{CACHE}/register$", state("Registering"))

    def interrupt(_duration_s: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("spin_aks.clock.sleep", interrupt)
    heard: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        providers.register(scripted(script), [lacks("NotRegistered")], Watch(heard.append))

    assert heard[-1].endswith("it goes on in Azure, run the same command again to wait on")


def test_all_that_may_not_be_registered_is_told_with_each_command_and_who_grants_it_once() -> None:
    script = Script()
    script.answer("POST", "/register$", refused(403, "AuthorizationFailed", DENIED))

    with pytest.raises(AzureError) as error:
        providers.register(scripted(script), [lacks("NotRegistered"), lacks("NotRegistered", NETWORK)], Watch())

    first, second = error.value.problems
    assert (
        f"/subscriptions/{SUBSCRIPTION}: can't register the subscription for `{CACHE}`: `me` may not do "
        "`Microsoft.Cache/register/action`"
    ) == str(first)
    command = (
        "a Contributor or Owner of the subscription can do it: `az provider register --namespace {} --subscription"
    )
    assert first.hint.startswith(f"{command.format(CACHE)} {SUBSCRIPTION} --wait`; or an Owner or User Access ")
    assert f'--role "Register Contributor" --scope /subscriptions/{SUBSCRIPTION}`' in first.hint
    assert f"{command.format(NETWORK)} {SUBSCRIPTION} --wait`" == second.hint


def test_another_refusal_is_told_as_it_is() -> None:
    script = Script()
    script.answer("POST", "/register$", refused(409, "ReadOnlyDisabledSubscription", "The subscription is disabled."))

    with pytest.raises(AzureError) as error:
        providers.register(scripted(script), [lacks("NotRegistered")], Watch())

    assert "the subscription is disabled" in error.value.problems[0].what
    assert "az provider register" not in error.value.problems[0].hint


@pytest.mark.parametrize(
    "answer",
    [
        refused(403, "AuthorizationFailed", DENIED),
        refused(404, "InvalidResourceNamespace", "The namespace is invalid."),
        Reply(200, {}),
        Reply(200, {"registrationState": 5}),
    ],
)
def test_what_can_not_be_looked_at_is_left_to_the_making(answer: Reply) -> None:
    script = Script()
    script.answer("GET", "/providers/", state("NotRegistered"))
    script.answer("GET", f"/providers/{NETWORK}$", answer)

    lacking = providers.lacking(scripted(script), [(SUBSCRIPTION, NETWORK), (SUBSCRIPTION, CACHE)])

    assert (lacks("NotRegistered"),) == lacking


def test_each_is_asked_about_once_and_a_subscription_for_itself() -> None:
    script = Script()
    script.answer("GET", f"/providers/{CACHE}$", state("Registered"))

    wanted = [(SUBSCRIPTION, CACHE), (SUBSCRIPTION, CACHE), (OTHER, CACHE)]

    assert () == providers.lacking(scripted(script), wanted)
    assert ["GET", "GET"] == script.methods


def test_who_may_register_is_named_by_the_narrowest_role() -> None:
    assert "Register Contributor" == rights.role_for("Microsoft.ContainerService/register/action")


def test_a_subscription_that_is_not_registered_has_nothing_and_may_make_it() -> None:
    script = Script()
    script.answer("GET", "/registries", UNREGISTERED)
    script.answer("POST", "/checkNameAvailability$", UNREGISTERED)
    script.answer("GET", "vaults", UNREGISTERED)
    session = scripted(script)

    with pytest.raises(NotFoundError, match="there is no container registry `acme1`"):
        acr.find(session, SUBSCRIPTION, "acme1", "team")
    assert "" == acr.why_not(session, SUBSCRIPTION, "acme1")
    assert "" == vaults.why_not(session, SUBSCRIPTION, "safe")
    assert vaults.deleted(session, SUBSCRIPTION, "safe") is None
