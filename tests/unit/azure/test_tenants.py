"""Whoever is a guest in other tenants: which of them shows what."""

from __future__ import annotations

import base64
import json
from threading import Lock
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from hypothesis import given
from hypothesis import strategies as st
from testbed.azure_answers import FAR_AWAY, Reply, Script, Signed, scripted

from spin_aks.azure import tenants
from spin_aks.azure.subscriptions import Subscription
from spin_aks.azure.tenants import Everywhere, Seen, Tenant
from spin_aks.errors import AzureError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import requests

HOME, CUSTOMER, STRICT = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "acb")
NAMES = {HOME: "Home", CUSTOMER: "Customer", STRICT: "Strict"}
SECOND_FACTOR = "wants more than what was given at the sign-in: a second factor, a known device or a consent"


class Guest(Signed):
    """Somebody of tenant `home`; `refusing` tenants want another sign-in."""

    def __init__(self, *refusing: str) -> None:
        super().__init__()
        self.refusing = refusing

    def get_token(self, *scopes: str, tenant_id: str | None = None, **_: Any) -> AccessToken:
        self.asked.append((scopes[0], tenant_id))
        if tenant_id in self.refusing:
            raise ClientAuthenticationError(message="AADSTS50076: a second factor, please")
        claims = base64.urlsafe_b64encode(json.dumps({"oid": "o", "tid": tenant_id or HOME}).encode()).decode()
        return AccessToken(f"eyJ9.{claims}.sig", FAR_AWAY)


class Azure(Script):
    """What each tenant shows: a subscription's id and the tenant it belongs to; every one that is seen elsewhere is
    refused as the Resource Manager does, one that is nowhere is not found.
    """

    def __init__(self, shown: Mapping[str, Mapping[str, str]], state: str = "Enabled") -> None:
        super().__init__()
        self.shown, self.state = shown, state
        self._lock = Lock()

    def send(self, request: requests.PreparedRequest, **options: object) -> requests.Response:
        with self._lock:
            return self._sent(request, **options)

    def _sent(self, request: requests.PreparedRequest, **options: object) -> requests.Response:
        claims = str(request.headers["Authorization"]).split(".")[1]
        here = json.loads(base64.urlsafe_b64decode(claims + "=="))["tid"]
        path = str(request.url).partition("?")[0]
        known = [{"tenantId": one, "displayName": NAMES.get(one, "")} for one in self.shown]
        self.answer("GET", "/tenants$", Reply(200, {"value": known}))
        mine = [self._told(one, owner) for one, owner in self.shown[here].items()]
        self.answer("GET", "/subscriptions$", Reply(200, {"value": mine}))
        one = path.rpartition("/")[2]
        self.answer("GET", "/subscriptions/[^/]+$", self._one(one, here))
        return super().send(request, **options)

    def _told(self, one: str, owner: str) -> dict[str, str]:
        return {"subscriptionId": one, "displayName": one.upper(), "tenantId": owner, "state": self.state}

    def _one(self, one: str, here: str) -> Reply:
        if one in self.shown[here]:
            return Reply(200, self._told(one, self.shown[here][one]))
        owner = next((seen[one] for seen in self.shown.values() if one in seen), "")
        if not owner:
            return Reply(404, {"error": {"code": "SubscriptionNotFound", "message": f"'{one}' could not be found."}})
        message = (
            f"The access token is from the wrong issuer 'https://sts.windows.net/{here}/'. It must match the "
            f"tenant 'https://sts.windows.net/{owner}/' associated with this subscription."
        )
        challenge = f'Bearer error="invalid_token", error_description="{message}"'
        error = {"error": {"code": "InvalidAuthenticationTokenTenant", "message": message}}
        return Reply(401, error, {"WWW-Authenticate": challenge})


def everywhere(azure: Azure, *refusing: str) -> Everywhere:
    return tenants.everywhere(scripted(azure, Guest(*refusing)))


def ids(found: Everywhere) -> list[tuple[str, str]]:
    return [(one.subscription.id, one.through.id) for one in found.seen]


def test_the_subscriptions_of_every_tenant_are_found_with_the_tenant_that_shows_them() -> None:
    azure = Azure({CUSTOMER: {"s3": CUSTOMER}, HOME: {"s1": HOME, "s2": HOME}})

    found = everywhere(azure)

    assert [("s1", HOME), ("s2", HOME), ("s3", CUSTOMER)] == ids(found)
    assert ["", "", CUSTOMER] == [found.tenant(one) for one in found.seen]


def test_what_a_customer_delegated_is_asked_through_the_own_tenant_not_through_the_one_it_belongs_to() -> None:
    found = everywhere(Azure({HOME: {"s1": CUSTOMER}, CUSTOMER: {"s1": CUSTOMER}}))

    assert [("s1", HOME, CUSTOMER)] == [
        (one.subscription.id, one.through.id, one.subscription.tenant) for one in found.seen
    ]
    assert [""] == [found.tenant(one) for one in found.seen]


def test_somebody_in_one_tenant_is_asked_for_one_request_more_and_for_no_other_token() -> None:
    azure, guest = Azure({HOME: {"s1": HOME}}), Guest()

    tenants.everywhere(scripted(azure, guest))

    assert ["subscriptions", "tenants"] == sorted(one.path.rpartition("/")[2] for one in azure.asked)
    assert [None] == [tenant for _, tenant in guest.asked]


def test_a_tenant_that_wants_another_sign_in_keeps_no_other_from_being_shown() -> None:
    found = everywhere(Azure({HOME: {"s1": HOME}, STRICT: {"s2": STRICT}, CUSTOMER: {"s3": CUSTOMER}}), STRICT)

    assert [("s1", HOME), ("s3", CUSTOMER)] == ids(found)
    assert [("Strict", f"tenant `{STRICT}` {SECOND_FACTOR}", f"`az login --tenant {STRICT}`")] == [
        (one.tenant.title, str(one.error), one.hint) for one in found.refused
    ]


def test_an_own_tenant_that_refuses_its_subscriptions_leaves_those_of_the_others() -> None:
    azure = Azure({HOME: {}, CUSTOMER: {"s3": CUSTOMER}})
    plain = azure.send

    def send(request: requests.PreparedRequest, **options: object) -> requests.Response:
        answer = plain(request, **options)
        if str(request.url).partition("?")[0].endswith("/subscriptions") and not answer.json()["value"]:
            answer.status_code = 403
        return answer

    azure.send = send  # type: ignore[method-assign]

    assert [("s3", CUSTOMER)] == ids(everywhere(azure))


def test_if_nobody_is_signed_in_that_is_what_is_told() -> None:
    with pytest.raises(AzureError) as error:
        tenants.everywhere(scripted(Azure({HOME: {}}), Signed(raises=ClientAuthenticationError(message="AADSTS50173"))))

    assert "the sign-in to Azure has ended" == str(error.value)


def gathered(*seen: tuple[str, str, str], own: str = HOME) -> Everywhere:
    every = (
        Seen(Subscription(one, one.upper(), "t", state), Tenant(where, NAMES[where])) for one, where, state in seen
    )
    return Everywhere(tuple(every), (), own)


def test_the_only_one_that_can_be_used_is_taken() -> None:
    found = gathered(("s1", HOME, "Disabled"), ("s2", CUSTOMER, "Enabled"))

    assert ("s2", "`S2` (s2) in tenant `Customer`") == (
        tenants.the_only(found).subscription.id,
        found.described(found.seen[1]),
    )


@pytest.mark.parametrize(
    ("seen", "what", "hint"),
    [
        (
            (("s1", HOME, "Enabled"), ("s2", HOME, "Enabled")),
            "which subscription is meant is not said",
            "`--subscription ID` says it: `S1` (s1), `S2` (s2)",
        ),
        (
            (("s1", HOME, "Enabled"), ("s2", CUSTOMER, "Enabled")),
            "which subscription is meant is not said",
            "`--subscription ID` says it: `S1` (s1) in tenant `Home`, `S2` (s2) in tenant `Customer`",
        ),
        (
            (("s1", HOME, "Disabled"),),
            "whoever signed in sees no subscription that can be used",
            "sign in to the tenant that has one: `az login --tenant TENANT`",
        ),
    ],
)
def test_what_can_not_be_chosen_is_told_with_what_there_is(
    seen: Sequence[tuple[str, str, str]], what: str, hint: str
) -> None:
    with pytest.raises(AzureError) as error:
        tenants.the_only(gathered(*seen))

    assert (what, hint) == (str(error.value), error.value.problems[0].hint)


def test_nothing_to_choose_from_names_the_tenants_that_were_not_asked() -> None:
    with pytest.raises(AzureError) as error:
        tenants.the_only(everywhere(Azure({HOME: {}, STRICT: {"s2": STRICT}}), STRICT))

    assert f"sign in to the tenant that has one: `az login --tenant {STRICT}`" == error.value.problems[0].hint


def showing(azure: Azure, *wanted: str, first: str = "", refusing: str = "") -> str:
    tenant, shown = tenants.showing(scripted(azure, Guest(refusing)), wanted, first)
    assert list(wanted) == [one.id for one in shown]
    return tenant


TWO = {HOME: {"s1": HOME}, CUSTOMER: {"s2": CUSTOMER, "s3": CUSTOMER}, STRICT: {"s4": STRICT}}


def test_the_tenant_that_shows_a_subscription_is_found() -> None:
    assert ("", CUSTOMER, CUSTOMER) == (
        showing(Azure(TWO), "s1"),
        showing(Azure(TWO), "s2"),
        showing(Azure(TWO), "s2", "s3", refusing=STRICT),
    )


def test_one_that_the_own_tenant_shows_takes_one_request() -> None:
    azure = Azure(TWO)

    showing(azure, "s1")

    assert 1 == len(azure.asked)


def test_the_tenant_of_the_last_run_is_asked_first_but_is_no_prison() -> None:
    azure, other = Azure(TWO), Azure(TWO)

    assert (CUSTOMER, 1) == (showing(azure, "s2", first=CUSTOMER), len(azure.asked))
    assert ("", 2) == (showing(other, "s1", first=CUSTOMER), len(other.asked))
    assert CUSTOMER == showing(Azure(TWO), "s2", first=STRICT, refusing=STRICT)


def test_a_token_of_the_wrong_tenant_is_not_tried_twice() -> None:
    azure = Azure({HOME: {}, CUSTOMER: {"s2": CUSTOMER}})

    showing(azure, "s2")

    assert ["s2", "s2"] == [one.path.rpartition("/")[2] for one in azure.asked]


def test_the_tenant_that_it_belongs_to_is_asked_before_all_others() -> None:
    azure, guest = Azure(TWO), Guest(STRICT)

    assert CUSTOMER == tenants.showing(scripted(azure, guest), ["s2", "s3"])[0]
    assert {None, CUSTOMER} == {tenant for _, tenant in guest.asked}


def test_what_was_delegated_by_a_tenant_that_refuses_is_found_in_the_one_it_was_delegated_to() -> None:
    azure = Azure({HOME: {}, CUSTOMER: {"s4": STRICT}, STRICT: {"s4": STRICT}})

    assert CUSTOMER == showing(azure, "s4", refusing=STRICT)


def test_one_of_a_tenant_that_refuses_is_told_with_the_tenants_name_and_the_sign_in_to_it() -> None:
    error = refusal(Azure(TWO), "s4", refusing=STRICT)

    assert f"can't use subscription `s4`: it belongs to tenant `Strict`, and tenant `{STRICT}` {SECOND_FACTOR}" == (
        str(error)
    )
    assert f"`az login --tenant {STRICT}`" == error.problems[0].hint


def refusal(azure: Azure, *wanted: str, refusing: str = "") -> AzureError:
    with pytest.raises(AzureError) as error:
        tenants.showing(scripted(azure, Guest(refusing)), wanted)
    return error.value


def test_subscriptions_of_different_tenants_are_refused_together() -> None:
    error = refusal(Azure(TWO), "s1", "s2")

    assert (
        f"the subscriptions are in different tenants: `s1` in the sign-in's; `s2` in `Customer` ({CUSTOMER})",
        "what an environment names has to be in one tenant: no identity is given rights in another",
        "name resources of one tenant, or another environment (`-e NAME`) for those of the other",
    ) == (str(error), error.why, error.problems[0].hint)


def test_one_that_nobody_shows_is_told_as_the_own_tenant_did() -> None:
    error = refusal(Azure(TWO), "s9").problems[0]

    assert "can't use subscription `s9`: whoever signed in sees no such subscription" == error.what
    assert "`az account list --output table` shows yours; `az login --tenant TENANT` for those of another tenant" == (
        error.hint
    )


def test_one_that_may_be_in_a_tenant_that_refuses_is_told_with_how_to_sign_in_there() -> None:
    error = refusal(Azure(TWO), "s9", refusing=STRICT).problems[0]

    assert "can't use subscription `s9`: whoever signed in sees no such subscription" == error.what
    assert f"it may be one of `Strict`, which can't be asked: `az login --tenant {STRICT}`" == error.hint


def test_a_disabled_one_is_told_at_once() -> None:
    azure = Azure({HOME: {"s1": HOME}, CUSTOMER: {}}, state="Disabled")

    assert "can't use subscription `S1`: it is disabled" in str(refusal(azure, "s1"))
    assert 1 == len(azure.asked)


PLACES = st.dictionaries(st.sampled_from([HOME, CUSTOMER, STRICT]), st.sets(st.sampled_from("abcd")), min_size=1)


@given(PLACES, st.sets(st.sampled_from("abcd"), min_size=1, max_size=2))
def test_a_tenant_is_found_exactly_where_one_shows_all(places: dict[str, set[str]], wanted: set[str]) -> None:
    shown = {HOME: dict[str, str](), **{tenant: dict.fromkeys(seen, tenant) for tenant, seen in places.items()}}
    session = scripted(Azure(shown), Guest())
    right = {tenant for tenant, seen in shown.items() if wanted <= seen.keys()}
    try:
        tenant, _ = tenants.showing(session, sorted(wanted))
        found = {tenant or HOME}
    except AzureError:
        found = set()

    assert bool(right) == bool(found)
    assert found <= right
