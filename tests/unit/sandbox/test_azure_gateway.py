"""What the sandbox's Resource Manager asks of every request, and how its answers are cut into pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from testbed import azure_sandbox
from testbed.azure_requests import BELOW, MANAGEMENT, ask, cluster_body, cluster_path, error, group

from spin_aks.sandbox.azure import directory, identifiers
from spin_aks.sandbox.azure.call import Caller
from spin_aks.sandbox.azure.routes import Route, Routes
from spin_aks.sandbox.web import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.azure_recordings import Clients

    from spin_aks.sandbox.azure.call import Call
    from spin_aks.sandbox.azure.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with azure_sandbox.opened(tmp_path) as opened:
        yield opened


@pytest.fixture
def azure(world: World) -> Clients:
    return azure_sandbox.connected(world)


def test_a_request_without_a_token_is_told_where_to_get_one(azure: Clients) -> None:
    answer = azure.session.get(f"{MANAGEMENT}/subscriptions?api-version=2022-12-01", timeout=9)

    assert (401, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.") == error(
        answer
    )
    assert "https://login.microsoftonline.com/" in answer.headers["WWW-Authenticate"]


def test_a_token_that_the_sandbox_did_not_sign_is_invalid(azure: Clients, world: World) -> None:
    token = azure.credential.get_token(f"{MANAGEMENT}/.default").token
    forged = token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")

    answer = ask(azure, "GET", "~", Authorization=f"Bearer {forged}")

    assert (401, "InvalidAuthenticationToken", "The access token is invalid.") == error(answer)


@pytest.mark.parametrize("token", ["", "x", "a.b", "a.b.c", "....", "e30.e30."])
def test_what_is_no_token_is_no_error_of_ours(azure: Clients, token: str) -> None:
    assert 401 == ask(azure, "GET", "~", Authorization=f"Bearer {token}").status_code


def test_an_expired_token_says_when_it_expired(azure: Clients, world: World) -> None:
    caller = Caller("o", identifiers.TENANT, "a", MANAGEMENT)

    answer = ask(azure, "GET", "~", Authorization=f"Bearer {world.tokens.issue(caller, lifetime_s=-1)}")

    status, code, message = error(answer)
    assert (401, "ExpiredAuthenticationToken") == (status, code)
    assert message.startswith("The access token expiry UTC time '")


def test_a_token_for_another_audience_is_refused(azure: Clients) -> None:
    token = azure.credential.get_token("https://vault.azure.net/.default").token

    answer = ask(azure, "GET", "~", Authorization=f"Bearer {token}")

    assert (401, "InvalidAuthenticationTokenAudience") == error(answer)[:2]


def test_a_token_of_another_tenant_names_the_right_one(azure: Clients, world: World) -> None:
    other = "5a4db0c5-7e1a-4000-8000-00000000000f"
    directory.add_tenant(world.state, other, "Contoso")
    token = world.tokens.issue(Caller("o", other, "a", MANAGEMENT))

    answer = ask(azure, "GET", "~/resourceGroups", Authorization=f"Bearer {token}")

    assert (401, "InvalidAuthenticationTokenTenant") == error(answer)[:2]
    assert f'authorization_uri="https://login.windows.net/{identifiers.TENANT}"' in answer.headers["WWW-Authenticate"]


def test_a_guest_sees_the_subscriptions_of_the_tenant_that_the_token_is_for(azure: Clients, world: World) -> None:
    other = "5a4db0c5-7e1a-4000-8000-00000000000f"
    directory.add_tenant(world.state, other, "Contoso")
    directory.add_subscription(world.state, "5a4db0c5-5b5c-4000-8000-00000000000e", "Theirs", other)
    token = world.tokens.issue(Caller("o", other, "a", MANAGEMENT))

    seen = ask(azure, "GET", "/subscriptions", Authorization=f"Bearer {token}").json()["value"]

    assert ["Theirs"] == [one["displayName"] for one in seen]
    assert ["Contoso", "Spin AKS Sandbox"] == sorted(one.display_name for one in azure.subscriptions.tenants.list())


@pytest.mark.parametrize(("version", "code"), [("", "MissingApiVersionParameter"), ("1", "InvalidApiVersionParameter")])
def test_a_request_has_an_api_version(azure: Clients, version: str, code: str) -> None:
    assert (400, code) == error(ask(azure, "GET", "~/resourceGroups", version=version))[:2]


def test_a_subscription_that_is_not_there(azure: Clients) -> None:
    number = "5a4db0c5-0000-4000-8000-000000000000"

    answer = ask(azure, "GET", f"/subscriptions/{number}/resourceGroups")

    assert (404, "SubscriptionNotFound", f"The subscription '{number}' could not be found.") == error(answer)


def test_a_disabled_subscription_can_be_read_and_not_written(azure: Clients, world: World) -> None:
    directory.add_subscription(world.state, identifiers.SUBSCRIPTION, "Sandbox", enabled=False)

    assert 200 == ask(azure, "GET", "~/resourceGroups").status_code
    answer = ask(azure, "PUT", "~/resourceGroups/rg", {"location": "eastus"})
    assert (409, "ReadOnlyDisabledSubscription") == error(answer)[:2]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_what_is_in_no_group_is_not_found_with_the_groups_name(azure: Clients, method: str) -> None:
    answer = ask(azure, method, cluster_path(group="nowhere"), cluster_body())

    assert (404, "ResourceGroupNotFound", "Resource group 'nowhere' could not be found.") == error(answer)


def test_paths_ignore_case_and_ids_keep_the_groups_own(azure: Clients) -> None:
    group(azure, "Mixed")

    found = ask(azure, "GET", "~/RESOURCEGROUPS/mIXED").json()

    assert f"{BELOW}/resourceGroups/Mixed" == found["id"]


def test_what_the_sandbox_does_not_serve_is_told_from_what_is_not_there(azure: Clients) -> None:
    group(azure)

    answer = ask(azure, "GET", "~/resourceGroups/rg/providers/Microsoft.Web/sites/x")

    where = f"{BELOW}/resourceGroups/rg/providers/Microsoft.Web/sites/x"
    message = f"spin-aks sandbox: its Azure does not serve GET {where}"
    assert (501, "NotServedBySandbox", message) == error(answer)


@pytest.mark.parametrize(
    "path",
    [
        "~/operationresults/one",
        "~/providers/Microsoft.ContainerService/locations/eastus/operations/one",
        "~/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/r/operationStatuses/one",
    ],
)
def test_an_operation_that_is_forgotten_is_not_found(azure: Clients, path: str) -> None:
    group(azure)

    assert (404, "NotFound", "The operation 'one' was not found.") == error(ask(azure, "GET", path))


def test_another_method_of_an_address_is_not_allowed(azure: Clients) -> None:
    assert (405, "MethodNotAllowed") == error(ask(azure, "POST", "~/resourceGroups"))[:2]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b"NaN"])
def test_a_body_that_is_no_object_is_refused(azure: Clients, body: bytes) -> None:
    token = azure.credential.get_token(f"{MANAGEMENT}/.default").token
    url = f"{MANAGEMENT}{BELOW}/resourceGroups/rg?api-version=2024-03-01"

    answer = azure.session.put(url, data=body, headers={"Authorization": f"Bearer {token}"}, timeout=9)

    assert (400, "InvalidRequestContent") == error(answer)[:2]


def test_a_long_list_comes_in_pages_which_the_sdk_follows(azure: Clients, tmp_path: Path) -> None:
    (tmp_path / "trouble.toml").write_text("page_size = 2", encoding="utf-8")
    for number in range(5):
        group(azure, f"rg{number}")

    first = ask(azure, "GET", "~/resourceGroups").json()
    second = ask(azure, "GET", first["nextLink"]).json()
    third = ask(azure, "GET", second["nextLink"]).json()

    assert [2, 2, 1] == [len(page["value"]) for page in (first, second, third)]
    assert "nextLink" not in third


def test_a_filter_lasts_over_the_pages(azure: Clients, tmp_path: Path) -> None:
    (tmp_path / "trouble.toml").write_text("page_size = 1", encoding="utf-8")
    for number in range(3):
        ask(azure, "PUT", f"~/resourceGroups/rg{number}", {"location": "eastus", "tags": {"odd": str(number % 2)}})

    query = "$filter=tagname eq 'odd' and tagvalue eq '0'"
    first = ask(azure, "GET", f"{MANAGEMENT}{BELOW}/resourceGroups?{query}&api-version=2024-03-01").json()
    second = ask(azure, "GET", first["nextLink"]).json()

    assert ["rg0", "rg2"] == [page["value"][0]["name"] for page in (first, second)]
    assert "nextLink" not in second


def nothing(call: Call) -> Answer:
    return Answer(200)


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("/subscriptions/S/resourcegroups/G/providers/a.b/c/N", {"subscription": "S", "group": "G", "name": "N"}),
        ("/SUBSCRIPTIONS/S/resourceGroups/G/Providers/A.B/C/N/", {"subscription": "S", "group": "G", "name": "N"}),
        (
            "/subscriptions/S/resourceGroups/a%28b%29/providers/A.B/C/N",
            {"subscription": "S", "group": "a(b)", "name": "N"},
        ),
        ("/subscriptions/S/resourceGroups/G/providers/AxB/C/N", None),
        ("/subscriptions/S/resourceGroups/G/providers/A.B/C/N/more", None),
        ("/subscriptions/S/resourceGroups/G/providers/A.B/C", None),
        ("/subscriptions//resourceGroups/G/providers/A.B/C/N", None),
    ],
)
def test_a_route_finds_what_its_braces_stand_for(path: str, values: dict[str, str] | None) -> None:
    routes = Routes([Route("GET", "~/resourceGroups/{group}/providers/A.B/C/{name}", nothing)])

    found = routes.find("GET", "management.azure.com", path)

    assert values == (found.values if found else None)


def test_a_part_of_a_path_can_be_several_segments() -> None:
    routes = Routes([Route("PUT", "/{scope+}/providers/X/{name}", nothing)])

    found = routes.find("PUT", "management.azure.com", "/a/providers/X/b/providers/X/c")

    assert found is not None
    assert {"scope": "a/providers/X/b", "name": "c"} == found.values


def test_a_host_belongs_to_the_route() -> None:
    routes = Routes([Route("GET", "/v2", nothing, host="{registry}.azurecr.io")])

    found = routes.find("HEAD", "one.azurecr.io", "/v2/")

    assert found is not None
    assert {"registry": "one"} == found.values
    assert routes.find("GET", "management.azure.com", "/v2/") is None
