from __future__ import annotations

import base64
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from testbed.azure_answers import Hurried, Reply, Script, Signed, scripted

from spin_aks.azure import credential, groups, session, subscriptions
from spin_aks.azure.arm import ResourceId
from spin_aks.azure.credential import Credential, Person
from spin_aks.azure.problems import AzureUnreachableError, SignInError
from spin_aks.azure.session import CLOUDS, PUBLIC
from spin_aks.azure.sign_in_problems import sign_in_failed
from spin_aks.errors import AzureError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
GROUP = ResourceId(SUBSCRIPTION, "team")
FOUND = Reply(200, {"id": str(GROUP), "location": "westeurope", "properties": {"provisioningState": "Succeeded"}})
EXPIRED = Reply(
    401,
    {
        "error": {
            "code": "ExpiredAuthenticationToken",
            "message": "The access token expiry UTC time is earlier than now.",
        }
    },
    {"WWW-Authenticate": 'Bearer authorization_uri="https://login.windows.net/x", error="invalid_token"'},
)


def token(**claims: object) -> str:
    middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJ9.{middle}.sig"


def test_who_signed_in_is_read_from_the_token() -> None:
    person = token(oid="o", tid="t", upn="ann@contoso.com", scp="user_impersonation", idtyp="user")
    robot = token(oid="o", tid="t", appid="a", idtyp="app")

    assert Person("o", "t", "ann@contoso.com", "User") == credential.person(person)
    assert Person("o", "t", "a", "ServicePrincipal") == credential.person(robot)


@pytest.mark.parametrize("text", ["", "a.b", "a.????.c", token(tid="t"), "a.bnVsbA.c"])
def test_a_token_that_names_nobody_is_told(text: str) -> None:
    with pytest.raises(AzureError) as error:
        credential.person(text)

    assert "the token from the sign-in does not say who signed in" == str(error.value)


def test_tokens_are_kept_for_all_clients_and_their_threads() -> None:
    source = Signed()
    signed = Credential(source, "T")

    assert signed.get_token("a") == signed.get_token("a")
    assert signed.get_token_info("a").token == signed.get_token("a").token
    signed.get_token("b")
    assert [("a", "T"), ("b", "T")] == source.asked


def test_a_token_that_ends_soon_is_asked_for_anew() -> None:
    from azure.core.credentials import AccessToken

    from spin_aks import clock

    class Short(Signed):
        def get_token(self, *scopes: str, **options: Any) -> AccessToken:
            super().get_token(*scopes, **options)
            return AccessToken("short", int(clock.now().timestamp()) + 200)

    source = Short()
    signed = Credential(source)
    signed.get_token("a")
    signed.get_token("a")

    assert 2 == len(source.asked)


def test_a_vault_in_another_tenant_is_asked_in_its_own() -> None:
    source = Signed()
    Credential(source, "T").get_token("vault", tenant_id="OTHER")

    assert [("vault", "OTHER")] == source.asked


def test_a_token_that_ends_in_mid_run_is_renewed_once() -> None:
    script = Script()
    script.answer("GET", "/resourcegroups/team", EXPIRED, FOUND)
    source = Signed("old", "new")

    assert groups.get(scripted(script, source), GROUP) is not None
    assert ["Bearer old", "Bearer new"] == [one.headers["Authorization"] for one in script.asked]


def test_a_sign_in_that_can_not_be_renewed_is_told_with_what_to_type() -> None:
    script = Script()
    script.answer("GET", "/resourcegroups/team", EXPIRED)

    with pytest.raises(AzureError) as error:
        groups.get(scripted(script, tenant="contoso.com"), GROUP)

    assert (
        "can't look up resource group `team`: the sign-in has expired, and can't be renewed without you",
        "sign in again: `az login --tenant contoso.com`; then run the same command again: it takes up where it was",
    ) == (error.value.problems[0].what, error.value.problems[0].hint)
    assert 2 == len(script.asked)


NOBODY = (
    "DefaultAzureCredential failed to retrieve a token from the included credentials.\nAttempted credentials:\n"
    "\tEnvironmentCredential: EnvironmentCredential authentication unavailable. Environment variables are not fully "
    "configured.\n\tAzureCliCredential: Please run 'az login' to set up an account\nTo mitigate this issue"
)


def test_nobody_signed_in_is_told_with_the_command_and_what_was_tried() -> None:
    script = Script()
    source = Signed(raises=ClientAuthenticationError(message=NOBODY))

    with pytest.raises(SignInError) as error:
        credential.who(scripted(script, source, tenant="contoso.com"))

    assert "nobody is signed in to Azure" == str(error.value)
    assert (
        "type `az login --tenant contoso.com`; in CI set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or "
        "use a workload identity"
    ) == error.value.problems[0].hint
    assert (
        "EnvironmentCredential: EnvironmentCredential authentication unavailable. Environment variables are not fully "
        "configured.\nAzureCliCredential: Please run 'az login' to set up an account"
    ) == error.value.why
    assert [] == script.asked


@pytest.mark.parametrize(
    ("code", "what", "hint"),
    [
        ("AADSTS700082", "the sign-in to Azure has ended", "sign in again: `az login --tenant T`"),
        (
            "AADSTS50076",
            "tenant `T` wants more than what was given at the sign-in: a second factor, a known device or a consent",
            "sign in again: `az login --tenant T`",
        ),
        (
            "AADSTS7000215",
            "the secret or certificate of the service principal is wrong, or has run out",
            "`az ad app credential reset --id CLIENT_ID` makes a new secret: set it as AZURE_CLIENT_SECRET",
        ),
        (
            "AADSTS90002",
            "there is no tenant `T` in this cloud of Azure's",
            "`az account tenant list` shows yours; AZURE_AUTHORITY_HOST says which cloud is meant",
        ),
        (
            "AADSTS50020",
            "whoever signed in is not known in tenant `T`, not as a guest either",
            "sign in as somebody who is: `az login --tenant T`, or ask its administrator for an invitation",
        ),
        (
            "AADSTS900439",
            "tenant `T` belongs to another of Azure's clouds",
            "set AZURE_AUTHORITY_HOST to the cloud's sign-in host, and `az cloud set --name CLOUD`",
        ),
        ("AADSTS999", "Azure refuses the sign-in (AADSTS999)", "sign in again: `az login --tenant T`"),
    ],
)
def test_a_refused_sign_in_is_told_by_its_code(code: str, what: str, hint: str) -> None:
    error = sign_in_failed(f"Authentication failed: {code}: whatever Entra says. Trace ID: x", "T")

    assert (SignInError, what, hint) == (type(error), str(error), error.problems[0].hint)


def test_where_nobody_named_a_tenant_none_has_to_be_filled_in() -> None:
    assert "type `az login`" == sign_in_failed("no", "").problems[0].hint


def test_of_a_tenant_without_an_answer_it_is_said_that_a_proxy_may_have_given_it() -> None:
    """MSAL says the same of a tenant that there is not and of a page in the place of its answer."""
    error = sign_in_failed(
        "EnvironmentCredential: Authentication failed: Unable to get authority configuration for "
        "https://login.microsoftonline.com/T. Authority would typically be in a format of x",
        "",
    )

    assert (SignInError, "there is no tenant `T` in this cloud of Azure's") == (type(error), str(error))
    assert (
        "`az account tenant list` shows yours; AZURE_AUTHORITY_HOST says which cloud is meant; if it is right, a proxy "
        "may stand in between: check HTTPS_PROXY"
    ) == error.problems[0].hint


@pytest.mark.parametrize(
    "said",
    [
        "JSON is invalid: Unterminated string starting at: line 1 column 19 (char 18)",
        "Expecting value: line 1 column 1 (char 0)",
        "'list' object has no attribute 'get'",
        "'authorization_endpoint'",
        "None",
    ],
)
def test_what_is_not_the_sign_in_service_is_not_taken_for_a_refusal(said: str) -> None:
    """As azure-identity hands on what MSAL and itself trip over: a page, nothing, half of a document, another one."""
    error = sign_in_failed(f"EnvironmentCredential: Authentication failed: {said}", "T")

    assert AzureUnreachableError is type(error)
    assert "can't sign in to Azure: what answered is not its sign-in service" == str(error)
    assert f"EnvironmentCredential: Authentication failed: {said}" == error.why


@pytest.mark.parametrize(
    "heard",
    [
        "HTTPSConnectionPool(host='login.microsoftonline.com', port=443): Max retries exceeded",
        "Authentication failed: ('Unable to connect to proxy', OSError('Tunnel connection failed: 502 no such host'))",
    ],
    ids=["no proxy", "a proxy that gives no way"],
)
def test_offline_at_the_sign_in_is_not_taken_for_a_refusal(heard: str) -> None:
    error = sign_in_failed(f"EnvironmentCredential: {heard}", "")

    assert AzureUnreachableError is type(error)
    assert "can't sign in to Azure: its sign-in service can't be reached" == str(error)


class Entra(Script):
    """Entra ID's side of a service principal's sign-in, as azure-identity asks for it."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        configuration = {
            "token_endpoint": "https://login.microsoftonline.com/t/oauth2/v2.0/token",
            "authorization_endpoint": "https://login.microsoftonline.com/t/oauth2/v2.0/authorize",
            "issuer": "https://login.microsoftonline.com/t/v2.0",
        }
        self.answer("GET", "/discovery/instance", Reply(200, {"tenant_discovery_endpoint": "x", "metadata": []}))
        self.answer("GET", "/openid-configuration", Reply(200, configuration))
        self.answer("POST", "/oauth2/v2.0/token", reply)


@pytest.fixture
def service_principal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("TENANT_ID", "t"), ("CLIENT_ID", "c"), ("CLIENT_SECRET", "s")):
        monkeypatch.setenv(f"AZURE_{name}", value)
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    monkeypatch.delenv("AZURE_AUTHORITY_HOST", raising=False)


def signed_in(script: Script, tenant: str = "") -> session.Session:
    http = requests.Session()
    http.trust_env = False
    http.mount("https://", script)
    return credential.sign_in(tenant, transport=Hurried(http))


@pytest.mark.usefixtures("service_principal")
def test_a_service_principal_signs_in_through_the_real_credential() -> None:
    made = token(oid="o", tid="t", appid="c", idtyp="app")
    entra = Entra(Reply(200, {"access_token": made, "expires_in": 3599, "token_type": "Bearer"}))

    assert Person("o", "t", "c", "ServicePrincipal") == credential.who(signed_in(entra))


@pytest.mark.usefixtures("service_principal")
def test_another_tenant_of_the_same_person_is_asked_by_its_name() -> None:
    made = token(oid="o", tid="other", appid="c", idtyp="app")
    entra = Entra(Reply(200, {"access_token": made, "expires_in": 3599, "token_type": "Bearer"}))

    assert "other" == credential.who(signed_in(entra).in_tenant("other")).tenant
    assert any("/other/v2.0/.well-known/openid-configuration" in one.url for one in entra.asked)


@pytest.mark.usefixtures("service_principal")
def test_a_wrong_secret_is_told_with_how_to_make_a_new_one() -> None:
    refused = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided. Trace"}

    with pytest.raises(SignInError) as error:
        credential.who(signed_in(Entra(Reply(401, refused)), "t"))

    assert "the secret or certificate of the service principal is wrong, or has run out" == str(error.value)


@pytest.mark.usefixtures("service_principal")
def test_a_sign_in_service_that_can_not_be_reached_is_told() -> None:
    script = Script()
    failure = requests.ConnectionError("HTTPSConnectionPool: Max retries exceeded (Failed to resolve 'login')")
    script.answer("GET", ".", Reply(raises=failure))

    with pytest.raises(AzureUnreachableError) as error:
        credential.who(signed_in(script))

    assert "can't sign in to Azure" in str(error.value)


def test_the_cloud_is_chosen_by_the_sign_in_host() -> None:
    assert PUBLIC == session.cloud({})
    assert CLOUDS[1] == session.cloud({"AZURE_AUTHORITY_HOST": "https://login.microsoftonline.us/"})
    with pytest.raises(UsageError) as error:
        session.cloud({"AZURE_AUTHORITY_HOST": "login.example.com"})
    assert "AZURE_AUTHORITY_HOST is `login.example.com`, which is no cloud of Azure's" == str(error.value)


def listed(*names: str) -> Reply:
    values = [
        {"subscriptionId": name, "displayName": name.upper(), "tenantId": "a", "state": "Enabled"} for name in names
    ]
    return Reply(200, {"value": values})


def test_a_second_page_of_subscriptions_is_read() -> None:
    script = Script()
    first = listed("one").body
    assert isinstance(first, dict)
    following = {**first, "nextLink": "https://management.azure.com/subscriptions?api-version=2022-12-01&$skiptoken=2"}
    script.answer("GET", "/subscriptions$", Reply(200, following), listed("two"))

    assert ["one", "two"] == [one.id for one in subscriptions.subscriptions(scripted(script))]


def test_a_disabled_subscription_is_refused_by_name() -> None:
    script = Script()
    body = {"subscriptionId": "1", "displayName": "Old", "tenantId": "t", "state": "Disabled"}
    script.answer("GET", "/subscriptions/1$", Reply(200, body))

    with pytest.raises(AzureError) as error:
        subscriptions.get(scripted(script), "1")

    assert "/subscriptions/1: can't use subscription `Old`: it is disabled" == str(error.value)


def test_a_subscription_that_waits_to_be_paid_for_is_still_active() -> None:
    script = Script()
    body = {"subscriptionId": "1", "displayName": "Late", "tenantId": "t", "state": "PastDue"}
    script.answer("GET", "/subscriptions/1$", Reply(200, body))

    assert subscriptions.get(scripted(script), "1").usable


def test_regions_are_listed_as_azure_lists_them(recordings: Path) -> None:
    from testbed.azure_answers import recorded

    signed, _ = recorded(recordings, "locations")

    assert subscriptions.Location("eastus", "East US") in subscriptions.locations(signed, SUBSCRIPTION)


def test_nothing_is_logged_to_the_terminal_when_nobody_is_signed_in() -> None:
    code = (
        "from spin_aks.azure import credential\n"
        "from spin_aks.errors import AzureError\n"
        "try:\n    credential.who(credential.sign_in('contoso.com'))\n"
        "except AzureError as error:\n    print(error)\n"
    )
    environment = {"PATH": "/nowhere", "AZURE_TOKEN_CREDENTIALS": "AzureCliCredential", "HOME": "/nowhere"}

    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)

    assert ("nobody is signed in to Azure\n", "") == (done.stdout, done.stderr)


@pytest.mark.usefixtures("service_principal")
def test_a_sign_in_that_can_not_be_set_up_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "SomeCredential")

    with pytest.raises(SignInError) as error:
        credential.sign_in()

    assert "can't sign in to Azure: an AZURE_... variable has a value that can't be used" == str(error.value)
    assert "somecredential" in error.value.why.lower()


def test_a_tenant_that_can_be_none_is_told() -> None:
    source = Signed(raises=ValueError("Invalid tenant ID provided.\nYou can locate your tenant ID"))

    with pytest.raises(SignInError) as error:
        credential.who(scripted(Script(), source, tenant="no tenant/at all"))

    assert "can't sign in to Azure: Invalid tenant ID provided. You can locate your tenant ID" == str(error.value)


@pytest.mark.usefixtures("service_principal")
def test_a_sign_in_service_that_fails_is_not_taken_for_nobody_signed_in() -> None:
    with pytest.raises(AzureUnreachableError) as error:
        credential.who(signed_in(Entra(Reply(500, {})), "t"))

    assert "can't sign in to Azure: its sign-in service itself fails" == str(error.value)
    assert "EnvironmentCredential: Authentication failed: HTTP Error: 500" == error.value.why
