from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest
from azure.core.exceptions import ClientAuthenticationError
from testbed.azure_answers import Reply, Script, Signed, recorded, refused, scripted

from spin_aks import clock
from spin_aks.azure import acr, acr_login
from spin_aks.azure.arm import ResourceId
from spin_aks.azure.found import NotFoundError
from spin_aks.azure.operations import Watch
from spin_aks.azure.problems import AzureRefusalError, Kind, SignInError
from spin_aks.errors import AzureError

if TYPE_CHECKING:
    from pathlib import Path

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
RECORDED = ResourceId.of(SUBSCRIPTION, "clitest.rg000001", acr.KIND, "clireg000002")
HOST = "shop.azurecr.io"


def token(**claims: object) -> str:
    middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJ9.{middle}.sig"


def test_a_registry_is_made_as_azure_recorded_it(recordings: Path) -> None:
    session, _ = recorded(recordings, "acr-create-lro")
    absent = Script()
    absent.answer("GET", "/registries/", refused(404, "ResourceNotFound", "no"))

    assert acr.get(scripted(absent), RECORDED) is None
    made = acr.create(session, RECORDED, "westus", Watch())

    assert acr.Registry(RECORDED, "westus", "Succeeded", "clireg000002.azurecr.io", "Premium", False, True) == replace(
        made, created=""
    )


def test_registries_are_found_by_name_without_case_and_missing_ones_named() -> None:
    script = Script()
    one = {"id": str(RECORDED), "location": "x", "properties": {"loginServer": "CliReg-hash.azurecr.io"}}
    script.answer("GET", "/registries$", Reply(200, {"value": [one]}))
    session = scripted(script)

    assert "clireg-hash.azurecr.io" == acr.find(session, SUBSCRIPTION, "CLIREG000002").login_server
    with pytest.raises(NotFoundError) as error:
        acr.find(session, SUBSCRIPTION, "other")
    assert ("there is no container registry `other`", "there are `clireg000002` (group `clitest.rg000001`)") == (
        str(error.value),
        error.value.problems[0].hint,
    )


def registry(state: str) -> dict[str, object]:
    return {"id": str(RECORDED), "location": "x", "properties": {"loginServer": "x", "provisioningState": state}}


def test_a_registry_that_is_being_made_is_waited_for_and_a_whole_one_is_not_asked_about() -> None:
    script = Script()
    script.answer("GET", "/registries/", Reply(200, registry("Creating")), Reply(200, registry("Succeeded")))
    session = scripted(script)

    found = acr.settled(session, acr.parse(json.loads(json.dumps(registry("Creating")))), Watch())

    assert "Succeeded" == found.state
    script.asked.clear()
    assert found == acr.settled(session, found, Watch())
    assert [] == script.asked


def test_a_registry_that_goes_away_is_told() -> None:
    script = Script()
    script.answer("GET", "/registries/", refused(404, "ResourceNotFound", "no"))

    with pytest.raises(AzureError) as error:
        acr.settled(scripted(script), acr.parse(json.loads(json.dumps(registry("Deleting")))), Watch())

    assert "can't use registry `clireg000002`: it was deleting, and is gone" == error.value.problems[0].what


def test_a_name_that_is_taken_is_told_before_anything_is_made() -> None:
    script = Script()
    taken = {"nameAvailable": False, "reason": "AlreadyExists", "message": "The registry shop is already in use."}
    script.answer("POST", "/checkNameAvailability$", Reply(200, taken), Reply(200, {"nameAvailable": True}))
    session = scripted(script)

    assert "The registry shop is already in use." == acr.why_not(session, SUBSCRIPTION, "shop")
    assert "" == acr.why_not(session, SUBSCRIPTION, "shop")
    assert {"name": "shop", "type": "Microsoft.ContainerRegistry/registries"} == script.asked[0].json


def test_a_registry_with_rights_by_repository_is_recognised(shared: Path) -> None:
    example = json.loads((shared / "azure-spec/acr-2025-11-01/RegistryCreateAbac.json").read_text())

    found = acr.parse(example["responses"]["200"]["body"])

    assert (True, "myregistry.azurecr.io") == (found.abac, found.login_server)


def exchanging(*replies: Reply) -> Script:
    script = Script()
    script.answer("POST", f"{HOST}/oauth2/exchange$", *replies)
    return script


def test_the_login_asks_for_a_token_for_registries_only() -> None:
    ends = clock.now() + timedelta(hours=3)
    script = exchanging(Reply(200, {"refresh_token": token(exp=ends.timestamp())}))
    source = Signed(token(tid="T", oid="o"))

    login = acr_login.log_in(scripted(script, source), HOST)

    sent = {key: value[0] for key, value in parse_qs(script.asked[0].body).items()}
    assert {
        "grant_type": "access_token",
        "service": HOST,
        "tenant": "T",
        "access_token": token(tid="T", oid="o"),
    } == sent
    assert [("https://containerregistry.azure.net/.default", None)] == source.asked
    assert (HOST, "00000000-0000-0000-0000-000000000000", ends) == (login.host, login.username, login.ends)
    assert token(exp=ends.timestamp()) == login.token.reveal()
    assert "***" in repr(login)


def test_a_registry_that_takes_only_the_resource_managers_token_gets_that() -> None:
    script = exchanging(Reply(401, {"errors": [{"code": "UNAUTHORIZED"}]}), Reply(200, {"refresh_token": "opaque"}))
    source = Signed()

    login = acr_login.log_in(scripted(script, source), HOST)

    assert ["https://containerregistry.azure.net/.default", "https://management.azure.com/.default"] == [
        scope for scope, _ in source.asked
    ]
    assert timedelta(hours=2) < login.ends - datetime.now(UTC) < timedelta(hours=4)


def test_a_login_that_is_refused_twice_tells_of_the_first() -> None:
    script = exchanging(Reply(401, {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}))

    with pytest.raises(AzureRefusalError) as error:
        acr_login.log_in(scripted(script), HOST)

    assert (
        Kind.DENIED,
        "can't log in to the registry `shop.azurecr.io`: it does not take the sign-in to Azure",
        "authentication required",
        "does whoever signed in have the role `AcrPush` there, and is the registry in the tenant of the sign-in?",
    ) == (error.value.kind, error.value.problems[0].what, error.value.why, error.value.problems[0].hint)


def test_nobody_signed_in_is_what_a_login_tells_then() -> None:
    with pytest.raises(SignInError):
        acr_login.log_in(scripted(Script(), Signed(raises=ClientAuthenticationError(message="no"))), HOST)


@pytest.mark.parametrize(
    ("reply", "what"),
    [
        (Reply(403, {"errors": [{"code": "DENIED"}]}), "its firewall does not let this machine in"),
        (Reply(404, "not found"), "what answered is no registry of Azure's"),
        (Reply(200, "<html>"), "what answered is no registry of Azure's"),
        (Reply(200, {"token": "x"}), "it answered without a token"),
    ],
)
def test_what_is_no_registry_or_shuts_us_out_is_told(reply: Reply, what: str) -> None:
    with pytest.raises(AzureError) as error:
        acr_login.log_in(scripted(exchanging(reply)), HOST)

    assert f"can't log in to the registry `{HOST}`: {what}" == error.value.problems[0].what


@pytest.mark.parametrize(
    ("host", "azure"),
    [
        ("shop.azurecr.io", True),
        ("Shop-abc.AzureCR.io:443", True),
        ("shop.azurecr.us", True),
        ("azurecr.io.example.com", False),
        ("127.0.0.1:5000", False),
        ("example.com/.azurecr.io", False),
        ("example.com?.azurecr.io", False),
        ("example.com#.azurecr.io", False),
        ("example.com\\.azurecr.io", False),
        ("shop.azurecr.io@example.com", False),
        ("shop.azurecr.io:443@example.com", False),
        ("shop.azurecr.io:@example.com", False),
        ("shop.azurecr.io\n", False),
        (".azurecr.io", False),
        ("", False),
    ],
)
def test_a_host_of_azures_is_known_by_its_end(host: str, azure: bool) -> None:
    assert azure == acr_login.is_azure(host)


@pytest.mark.parametrize("host", ["registry.example.com", "example.com/.azurecr.io"])
def test_a_host_that_is_not_azures_gets_no_token(host: str) -> None:
    script, source = Script(), Signed()

    with pytest.raises(AzureError) as error:
        acr_login.log_in(scripted(script, source), host)

    what = f"can't log in to the registry `{host}`: that is no host of Azure's, and gets no token"
    assert what == error.value.problems[0].what
    assert ([], []) == (script.asked, source.asked)


def test_the_exchange_of_a_real_registry_is_understood(recordings: Path) -> None:
    session, playback = recorded(recordings, "acr-token-exchange", 16)

    assert "eyJSCRUBBED.JWT.sig" == acr_login.log_in(session, "clireg000002.azurecr.io").token.reveal()
    assert [] == playback.unused
