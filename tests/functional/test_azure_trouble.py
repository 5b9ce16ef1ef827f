"""Bad luck in Azure: each kind is its own clear error, nothing is made twice, and nothing half made goes untold."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from spin_aks.sandbox.azure.identifiers import CLIENT, OBJECT, SUBSCRIPTION

if TYPE_CHECKING:
    from testbed.application import App, Done
    from testbed.azure_cloud import Cloud

NAMED = ("--cluster", "aks1", "--registry", "acme1")
MAKE = ("run", "resources", *NAMED, "--create")
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/aks1/providers"
CLUSTER_ID = f"{GROUP}/Microsoft.ContainerService/managedClusters/aks1"
REGISTRY_ID = f"{GROUP}/Microsoft.ContainerRegistry/registries/acme1"
PUT_CLUSTER = 'method = "PUT"\npath = "*/managedClusters/*"\n'
LIST_REGISTRIES = 'method = "GET"\npath = "*/registries"\n'
OFFLINE = {"HTTPS_PROXY": "http://127.0.0.1:1", "https_proxy": "http://127.0.0.1:1"}
NOBODY = {"AZURE_CLIENT_SECRET": "", "AZURE_CLIENT_ID": "", "AZURE_TENANT_ID": ""}


def error(done: Done) -> str:
    """Everything from the error's first line on."""
    return done.err[done.err.index("error: ") :]


def puts(cloud: Cloud, kind: str) -> int:
    """How often something of that kind was sent, and not refused or cut."""
    return sum(
        one.method == "PUT" and f"/{kind}/" in one.place and one.status in ("200", "201") for one in cloud.asked()
    )


@pytest.mark.parametrize(
    "rule",
    [
        PUT_CLUSTER + 'known = "TooManyRequests"\ntimes = 2',
        PUT_CLUSTER + "drop = true\ntimes = 1",
        LIST_REGISTRIES + 'known = "ServiceUnavailable"\ntimes = 1',
        LIST_REGISTRIES + 'known = "ExpiredAuthenticationToken"\ntimes = 1',
        LIST_REGISTRIES + "drop = true\ntimes = 1",
        'host = "login.microsoftonline.com"\nmethod = "POST"\nstatus = 503\ntimes = 1',
    ],
)
def test_trouble_that_passes_is_waited_out_and_everything_is_made_once(fresh: App, cloud: Cloud, rule: str) -> None:
    cloud.trouble(rule)

    fresh.ok(*MAKE)

    assert (1, 1) == (puts(cloud, "managedClusters"), puts(cloud, "registries"))


def test_as_long_as_azure_asks_to_wait_is_waited(fresh: App, cloud: Cloud) -> None:
    cloud.trouble(PUT_CLUSTER + 'status = 429\ncode = "TooManyRequests"\nheaders = { Retry-After = "3" }\ntimes = 1')
    begin = time.monotonic()

    fresh.ok(*MAKE)

    assert time.monotonic() - begin > 3


def test_connections_that_break_while_a_cluster_is_made_are_taken_up_again(fresh: App, cloud: Cloud) -> None:
    cloud.trouble('method = "GET"\npath = "*/operations/*"\ndrop = true\ntimes = 3')

    done = fresh.ok(*MAKE)

    assert "make cluster `aks1`: the connection is lost, trying again\n" in done.err
    assert 1 == puts(cloud, "managedClusters")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (
            PUT_CLUSTER + 'status = 429\ncode = "TooManyRequests"\nheaders = { Retry-After = "300" }',
            f"error: {CLUSTER_ID}: can't make cluster `aks1`: Azure gets too many requests, and asks to wait 300 s\n"
            "hint: run the same command again in 300 s\n",
        ),
        (
            PUT_CLUSTER
            + 'status = 409\ncode = "OperationNotAllowed"\nmessage = "there\'s an in progress update operation"\n',
            f"error: {CLUSTER_ID}: can't make cluster `aks1`: something else is being done to it right now\n"
            "  there's an in progress update operation\n"
            "hint: wait until that is done, then run the same command again\n",
        ),
        (
            PUT_CLUSTER + 'fail = { code = "InternalOperationError", message = "no nodes" }',
            f"error: {CLUSTER_ID}: can't make cluster `aks1`: Azure gave up (InternalOperationError): no nodes\n"
            f"hint: what was made of it may still be there: `az resource show --ids {CLUSTER_ID}`\n",
        ),
        (
            PUT_CLUSTER + 'known = "RequestDisallowedByPolicy"',
            f"error: {CLUSTER_ID}: can't make cluster `aks1`: a policy of your organisation's or Azure's forbids it\n"
            "  Resource 'aks1' was disallowed by policy. Reasons: 'not allowed here'. See error details for policy.\n"
            "hint: choose what the policy allows (another region, size or name), or ask who keeps it for an "
            "exemption\n",
        ),
        (
            LIST_REGISTRIES + 'known = "AuthorizationFailed"',
            f"error: /subscriptions/{SUBSCRIPTION}/providers/Microsoft.ContainerRegistry/registries: can't list "
            f"container registries: `{CLIENT}` may not do `Microsoft.ContainerRegistry/registries/read`\n"
            "hint: an Owner or User Access Administrator of that scope can grant it: `az role assignment create "
            f'--assignee-object-id {OBJECT} --role "Reader" --scope /subscriptions/{SUBSCRIPTION}`; then run the same '
            "command again (it may take minutes to be seen, and `az login` if it isn't)\n",
        ),
        (
            LIST_REGISTRIES + 'known = "ExpiredAuthenticationToken"',
            f"error: /subscriptions/{SUBSCRIPTION}: can't list container registries: the sign-in has expired, and "
            "can't be renewed without you\n"
            "hint: sign in again: `az login`; then run the same command again: it takes up where it was\n",
        ),
        (
            LIST_REGISTRIES + "drop = true",
            f"error: /subscriptions/{SUBSCRIPTION}: can't list container registries: the connection to `Azure` broke\n"
            "  Remote end closed connection without response\n"
            "hint: run the same command again: it takes up where it was\n",
        ),
        (
            'host = "login.microsoftonline.com"\nmethod = "POST"\nstatus = 503',
            "error: can't sign in to Azure: its sign-in service itself fails\n"
            "  EnvironmentCredential: Authentication failed: HTTP Error: 503\n"
            "hint: https://azure.status.microsoft says whether it is known; run the same command again later\n",
        ),
    ],
    ids=["throttled", "busy", "failed", "policy", "no rights", "expired", "dropped", "sign-in down"],
)
def test_trouble_that_stays_is_said_in_words_with_the_next_step(
    fresh: App, cloud: Cloud, rule: str, expected: str
) -> None:
    cloud.trouble(rule)

    done = fresh.run(*MAKE)

    assert (1, expected) == (done.code, error(done))


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (
            OFFLINE,
            "error: can't sign in to Azure: its sign-in service can't be reached\n"
            "  EnvironmentCredential: Authentication failed: ",
        ),
        (
            NOBODY,
            "error: can't sign in to Azure: AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, AZURE_TENANT_ID are set, and empty\n"
            "hint: unset what is empty, or give it a value: in CI, are its secrets there?\n",
        ),
        (
            {"AZURE_TOKEN_CREDENTIALS": "nonsense"},
            "error: can't sign in to Azure: an AZURE_... variable has a value that can't be used\n"
            "  Invalid value for AZURE_TOKEN_CREDENTIALS: nonsense. ",
        ),
        (
            {"AZURE_CLIENT_SECRET": "wrong"},
            "error: the secret or certificate of the service principal is wrong, or has run out\n",
        ),
        (
            {"AZURE_TENANT_ID": "99999999-2222-3333-4444-555555555555"},
            "error: there is no tenant `99999999-2222-3333-4444-555555555555` in this cloud of Azure's\n",
        ),
        (
            {"REQUESTS_CA_BUNDLE": "", "SSL_CERT_FILE": ""},
            "error: can't sign in to Azure: TLS with its sign-in service fails\n",
        ),
    ],
    ids=["offline", "empty", "nonsense", "wrong secret", "wrong tenant", "untrusted"],
)
def test_a_sign_in_that_fails_is_one_error_and_nothing_else(
    fresh: App, cloud: Cloud, environment: dict[str, str], expected: str
) -> None:
    done = fresh.run("run", "resources", *NAMED, **environment)

    assert (1, expected) == (done.code, error(done)[: len(expected)])
    assert 1 == done.err.count("EnvironmentCredential") or "EnvironmentCredential" not in expected
    assert "DefaultAzureCredential failed" not in done.err


def test_nobody_who_is_signed_in_is_told_what_to_type(fresh: App, cloud: Cloud) -> None:
    for name in NOBODY:
        del fresh.environment[name]

    done = fresh.run("run", "resources", *NAMED)

    assert (
        "error: nobody is signed in to Azure\n"
        "  EnvironmentCredential: EnvironmentCredential authentication unavailable. Environment variables are not "
        "fully configured.\n"
    ) == error(done).partition("hint: ")[0]
    assert "hint: type `az login`; in CI set AZURE_TENANT_ID, " in done.err
    assert [] == cloud.asked()


def test_a_role_that_may_not_be_given_names_action_scope_and_the_command_for_who_can(fresh: App, cloud: Cloud) -> None:
    cloud.trouble('method = "PUT"\npath = "*/roleAssignments/*"\nknown = "AuthorizationFailed"')

    done = fresh.run("run", "access", *NAMED, "--create", "--attach-acr", "--output", "json")

    assert (1, ["missing"]) == (done.code, [grant["state"] for grant in done.json["grants"]])
    assert (
        f"error: {REGISTRY_ID}: can't give the role `AcrPull` at `acme1`: `{CLIENT}` may not do "
        "`Microsoft.Authorization/roleAssignments/write`\n"
        "hint: an Owner or User Access Administrator of that scope can type `az role assignment create "
        f"--assignee-object-id {done.json['grants'][0]['principal_id']} --assignee-principal-type ServicePrincipal "
        f'--role "AcrPull" --scope {REGISTRY_ID}`; then run the same command again\n'
    ) == error(done)


def test_a_failed_creation_is_not_taken_for_a_cluster_and_not_tried_again(fresh: App, cloud: Cloud) -> None:
    cloud.trouble(PUT_CLUSTER + 'fail = { code = "InternalOperationError", message = "no nodes" }')
    fresh.run(*MAKE)
    cloud.trouble()
    begin = len(cloud.asked())

    again = fresh.run(*MAKE)

    assert (1, []) == (again.code, cloud.changes(begin))
    assert f"error: {CLUSTER_ID}: can't use cluster `aks1`: its last operation ended as Failed\n" in again.err
    assert f"`az resource delete --ids {CLUSTER_ID}` removes it" in again.err


def test_what_was_made_before_the_trouble_is_found_by_the_next_run(fresh: App, cloud: Cloud) -> None:
    cloud.trouble('method = "PUT"\npath = "*/registries/*"\nknown = "QuotaExceeded"')
    refused = fresh.run(*MAKE)
    cloud.trouble()

    fresh.ok(*MAKE)

    assert f"error: {REGISTRY_ID}: can't make registry `acme1`: it exceeds a quota of the subscription\n" in refused.err
    assert (1, 1) == (puts(cloud, "managedClusters"), puts(cloud, "registries"))


def test_a_name_that_somebody_has_is_said_before_anything_is_made(fresh: App, cloud: Cloud) -> None:
    cloud.registry("others", "acme1")
    begin = len(cloud.asked())

    done = fresh.run(*MAKE, "--registry-resource-group", "mine")

    assert (1, []) == (done.code, cloud.changes(begin))
    assert (
        "no registry `acme1` can be made\n  The registry acme1 is already in use.\nhint: `--registry` names another\n"
    ) in done.err


def test_a_resource_that_azure_lists_and_does_not_have_is_no_traceback(fresh: App, cloud: Cloud) -> None:
    cloud.cluster("aks1", "aks1")
    cloud.registry("aks1", "acme1")
    cloud.trouble('method = "GET"\npath = "*/managedClusters/aks1"\nstatus = 404\ncode = "ResourceNotFound"')

    done = fresh.run("run", "access", *NAMED, "--attach-acr")

    assert (
        1,
        f"error: {CLUSTER_ID}: there is no such resource any more\nhint: spin-aks run resources --refresh\n",
    ) == (
        done.code,
        error(done),
    )


def test_who_may_not_have_a_kubeconfig_is_told_which_role_gives_it(fresh: App, cloud: Cloud) -> None:
    cloud.trouble('path = "*/listClusterUserCredential"\nknown = "AuthorizationFailed"')

    done = fresh.run("up", *NAMED, "--create", "--attach-acr")

    assert (1, ["apply"]) == (done.code, done.stages("failed"))
    assert "may not do `Microsoft.ContainerService/managedClusters/listClusterUserCredential/action`" in done.err
    assert '--role "Azure Kubernetes Service Cluster User Role"' in done.err


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, "it does not take the sign-in to Azure\n"),
        (403, "its firewall does not let this machine in\n"),
    ],
)
def test_a_registry_that_lets_nobody_in_fails_the_push_with_the_reason(
    fresh: App, cloud: Cloud, status: int, expected: str
) -> None:
    cloud.trouble(f'host = "acme1.azurecr.io"\npath = "/oauth2/exchange"\nstatus = {status}\nbody = {{ errors = [] }}')

    done = fresh.run("push", "--registry", "acme1", "--create-registry")

    assert (1, ["push"]) == (done.code, done.stages("failed"))
    assert f"error: acme1.azurecr.io: can't log in to the registry `acme1.azurecr.io`: {expected}" in done.err


def test_offline_a_fresh_deployment_is_fresh_and_a_refresh_says_that_nobody_answers(fresh: App, cloud: Cloud) -> None:
    fresh.ok("up", *NAMED, "--create", "--attach-acr")

    offline = fresh.ok("up", *NAMED, **OFFLINE)
    refreshed = fresh.run("up", *NAMED, "--refresh", **OFFLINE)

    assert [] == offline.stages("run")
    assert 1 == refreshed.code
    assert "error: can't sign in to Azure: its sign-in service can't be reached\n" in refreshed.err


def test_rights_that_nobody_may_see_are_no_reason_to_give_them(fresh: App, cloud: Cloud) -> None:
    cloud.cluster("aks1", "aks1")
    cloud.registry("aks1", "acme1")
    cloud.trouble('method = "GET"\npath = "*/roleAssignments"\nknown = "AuthorizationFailed"')

    done = fresh.run("run", "access", *NAMED, "--attach-acr", "--output", "json")

    assert (1, "", 0) == (done.code, done.out, puts(cloud, "roleAssignments"))
    assert "`Microsoft.Authorization/roleAssignments/read`" in done.err
