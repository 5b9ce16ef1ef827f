"""Every module that talks to Azure, against the sandbox's Azure: made from nothing, found again, and in trouble."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import requests
from azure.keyvault.secrets._shared import http_challenge_cache
from testbed import azure_sandbox
from testbed.azure_answers import Hurried

from spin_aks import clock
from spin_aks.azure import (
    acr,
    acr_login,
    aks,
    aks_access,
    aks_body,
    aks_changes,
    cosmos,
    cosmos_roles,
    credential,
    grants,
    groups,
    identities,
    providers,
    redis,
    roles,
    secrets,
    subscriptions,
    tenants,
    vaults,
)
from spin_aks.azure.aks_body import NewCluster
from spin_aks.azure.arm import ResourceId
from spin_aks.azure.credential import Credential
from spin_aks.azure.found import NotFoundError
from spin_aks.azure.operations import Journal, Watch, follow
from spin_aks.azure.problems import AzureRefusalError, AzureUnreachableError, Kind
from spin_aks.azure.session import Session
from spin_aks.errors import AzureError
from spin_aks.sandbox.azure.identifiers import OBJECT, SUBSCRIPTION, TENANT
from spin_aks.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from spin_aks.sandbox.azure.world import World

GROUP = ResourceId(SUBSCRIPTION, "team")
CLUSTER = ResourceId.of(SUBSCRIPTION, "team", aks_body.KIND, "web")
REGISTRY = ResourceId.of(SUBSCRIPTION, "team", acr.KIND, "teamshop")
VAULT = ResourceId.of(SUBSCRIPTION, "team", vaults.KIND, "team-safe")
CACHE = ResourceId.of(SUBSCRIPTION, "team", redis.MANAGED_KIND, "team-cache")
ACCOUNT = ResourceId.of(SUBSCRIPTION, "team", cosmos.KIND, "team-store")
APP = ResourceId.of(SUBSCRIPTION, "team", identities.KIND, "app")


class Counting(azure_sandbox.Direct):
    """Notes what is sent."""

    def __init__(self, world: World, sent: list[tuple[str, str]]) -> None:
        super().__init__(world)
        self._sent = sent

    def send(self, request: requests.PreparedRequest, **options: object) -> requests.Response:
        self._sent.append((request.method or "", (request.url or "").partition("?")[0]))
        return super().send(request, **options)


@dataclass
class Azure:
    world: World
    folder: Path
    session: Session
    sent: list[tuple[str, str]]
    said: list[str] = field(default_factory=list)

    @property
    def watch(self) -> Watch:
        return Watch(self.said.append, self.journal)

    @property
    def journal(self) -> Journal:
        """As a new process reads it."""
        return Journal(self.folder / "operations.json")

    @property
    def written(self) -> list[str]:
        """What was sent to change something; a POST that only asks is none."""
        return [f"{method} {url}" for method, url in self.sent if method in ("PUT", "DELETE", "PATCH")]

    def trouble(self, text: str) -> None:
        (self.folder / "trouble.toml").write_text(text)


@pytest.fixture
def azure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Azure]:
    http_challenge_cache.clear()
    monkeypatch.setattr(clock, "sleep", lambda _duration_s: time.sleep(0.02))
    with azure_sandbox.opened(tmp_path) as world, requests.Session() as http:
        sent: list[tuple[str, str]] = []
        http.trust_env = False
        http.mount("https://", Counting(world, sent))
        signed = Credential(azure_sandbox.SignedIn(world, OBJECT))
        yield Azure(world, tmp_path, Session(signed, transport=Hurried(http), poll_s=0), sent)


def everything(azure: Azure) -> list[str]:
    """All that an application with secrets and stores needs; gives the states of its rights."""
    session, watch = azure.session, azure.watch
    person = credential.who(session)
    groups.create(session, GROUP, "westeurope", watch)
    cluster = aks.create(session, NewCluster(CLUSTER, "westeurope", keyvault_addon=True), watch)
    registry = acr.create(session, REGISTRY, "westeurope", watch)
    vault = vaults.create(session, VAULT, "westeurope", person.tenant, watch)
    redis.create(session, CACHE, "westeurope", watch)
    cosmos.create(session, ACCOUNT, "westeurope", watch)
    cosmos.create_store(session, ACCOUNT, "spin", "kv", watch)
    app = identities.create(session, APP, "westeurope")
    identities.federate(session, APP, identities.service_account("shop", cluster.oidc_issuer, "prod", "shop"))
    wanted = (
        grants.pull(cluster, registry),
        grants.push(person, registry),
        grants.keep_secrets(person, vault),
        grants.read_secrets(cluster, vault),
        grants.application_reads_secrets(app, vault),
    )
    given = [roles.give(session, one, watch) for one in wanted]
    given.append(cosmos_roles.give(session, ACCOUNT, "the application keeps its keys", app.object_id, watch))
    return [one.state for one in given]


def test_all_is_made_from_nothing_and_a_second_run_changes_nothing(azure: Azure) -> None:
    assert ["made"] * 6 == everything(azure)
    assert () == azure.journal.underway()
    first = len(azure.sent)
    azure.sent.clear()

    assert ["present"] * 6 == everything(azure)
    assert [] == azure.written
    assert len(azure.sent) < first


def test_what_was_made_is_found_by_its_name_in_whatever_case(azure: Azure) -> None:
    everything(azure)
    session = azure.session

    cluster = aks.find(session, SUBSCRIPTION, "WEB")
    assert ("web", "Ubuntu2204", True) == (cluster.id.name, cluster.pools[0].os_sku, cluster.workload_identity)
    assert CLUSTER == aks.find(session, SUBSCRIPTION, "web", "TEAM").id
    assert REGISTRY == acr.find(session, SUBSCRIPTION, "TeamShop").id
    assert VAULT == vaults.find(session, SUBSCRIPTION, "team-SAFE").id
    assert CACHE == redis.find(session, SUBSCRIPTION, "team-cache").id
    assert ACCOUNT == cosmos.find(session, SUBSCRIPTION, "team-store", "team").id
    assert GROUP in [one.id for one in groups.groups(session, SUBSCRIPTION)]
    assert redis.url(session, redis.find(session, SUBSCRIPTION, "team-cache")).reveal().startswith("rediss://:")
    assert cosmos.key(session, cosmos.find(session, SUBSCRIPTION, "team-store")).reveal()
    assert cosmos.is_taken(session, SUBSCRIPTION, "team-store")
    assert "" == acr.why_not(session, SUBSCRIPTION, "otherfree")
    assert "already in use" in acr.why_not(session, SUBSCRIPTION, "teamshop")
    assert vaults.why_not(session, SUBSCRIPTION, "team-safe")


def test_a_role_that_was_taken_away_is_given_back(azure: Azure) -> None:
    everything(azure)
    session = azure.session
    cluster, registry = aks.find(session, SUBSCRIPTION, "web"), acr.find(session, SUBSCRIPTION, "teamshop")
    wanted = grants.pull(cluster, registry)
    roles_client: Any = roles._client(session, SUBSCRIPTION)
    roles_client.role_assignments.delete(str(REGISTRY).lstrip("/"), wanted.name)
    azure.sent.clear()

    assert ["missing"] == [one.state for one in roles.check(session, [wanted])]
    assert [] == azure.written
    assert "made" == roles.give(session, wanted, azure.watch).state


def test_the_tenant_its_subscriptions_and_regions_are_seen(azure: Azure) -> None:
    session = azure.session

    assert [TENANT] == [one.id for one in tenants.tenants(session)]
    assert SUBSCRIPTION in [one.subscription.id for one in tenants.everywhere(session).seen]
    assert "" == tenants.showing(session, [SUBSCRIPTION])[0]
    assert subscriptions.get(session, SUBSCRIPTION).usable
    assert "westeurope" in [one.name for one in subscriptions.locations(session, SUBSCRIPTION)]
    with pytest.raises(AzureError, match="whoever signed in sees no such subscription"):
        tenants.showing(session, ["99999999-9999-9999-9999-999999999999"])


def test_the_add_on_is_turned_on_later_and_the_registry_logged_in_to(azure: Azure) -> None:
    session, watch = azure.session, azure.watch
    groups.create(session, GROUP, "westeurope", watch)
    plain = aks.create(session, NewCluster(CLUSTER, "westeurope"), watch)
    registry = acr.create(session, REGISTRY, "westeurope", watch)

    with_addon = aks_changes.enable_keyvault_addon(session, CLUSTER, watch)

    assert (False, True) == (plain.keyvault_addon, with_addon.keyvault_addon)
    assert with_addon.keyvault_identity is not None
    assert plain.pools == with_addon.pools
    assert acr_login.log_in(session, registry.login_server).token
    assert aks_access.kubeconfig(session, with_addon).text.reveal().startswith("apiVersion: v1")


def test_workload_identity_is_turned_on_later_and_once(azure: Azure) -> None:
    session, watch = azure.session, azure.watch
    groups.create(session, GROUP, "westeurope", watch)
    body: Any = aks_body.body(NewCluster(CLUSTER, "westeurope"))
    del body["properties"]["oidcIssuerProfile"], body["properties"]["securityProfile"]
    follow(watch, "make it", CLUSTER, aks.putting(session, CLUSTER, body))
    plain = aks.find(session, SUBSCRIPTION, "web")

    azure.sent.clear()
    on = aks_changes.enable_workload_identity(session, CLUSTER, watch)
    written = azure.written
    azure.sent.clear()
    again = aks_changes.enable_workload_identity(session, CLUSTER, watch)

    assert (False, "") == (plain.workload_identity, plain.oidc_issuer)
    assert on.workload_identity
    assert on.oidc_issuer.startswith("https://westeurope.oic.prod-aks.azure.com/")
    assert (on, plain.pools) == (again, on.pools)
    assert (1, []) == (len(written), azure.written)


def test_credentials_that_are_written_at_once_are_written_one_after_the_other(azure: Azure) -> None:
    session, watch = azure.session, azure.watch
    groups.create(session, GROUP, "westeurope", watch)
    identities.create(session, APP, "westeurope")
    known = "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity"
    azure.trouble(
        f'[[rule]]\nmethod = "PUT"\npath = "*/federatedIdentityCredentials/*"\nknown = "{known}"\ntimes = 2\n'
    )
    wanted = identities.service_account("shop", "https://issuer/", "prod", "shop")

    assert identities.federate(session, APP, wanted, watch)

    assert identities.may_sign_in(session, APP, wanted)
    assert 2 == sum("somebody else is being let in right now" in line for line in azure.said)


def test_the_twenty_first_credential_of_an_identity_is_refused_before_it_is_sent(azure: Azure) -> None:
    session, watch = azure.session, azure.watch
    groups.create(session, GROUP, "westeurope", watch)
    identities.create(session, APP, "westeurope")
    for number in range(identities.MOST_FEDERATIONS):
        name = f"c{number}"
        assert identities.federate(session, APP, identities.service_account(name, "https://issuer/", "prod", name))
    azure.sent.clear()

    with pytest.raises(AzureError) as error:
        identities.federate(session, APP, identities.service_account("one-more", "https://issuer/", "prod", "more"))

    assert "it has 20 federated credentials already, and 20 are the most" in error.value.problems[0].what
    assert [] == azure.written


def test_an_identity_is_found_by_its_name(azure: Azure) -> None:
    session, watch = azure.session, azure.watch
    groups.create(session, GROUP, "westeurope", watch)
    made = identities.create(session, APP, "westeurope")

    assert made == identities.find(session, SUBSCRIPTION, "APP")
    assert made == identities.find(session, SUBSCRIPTION, "app", "TEAM")
    with pytest.raises(NotFoundError) as error:
        identities.find(session, SUBSCRIPTION, "other", "team")
    assert "there is no managed identity `other` in resource group `team`" == str(error.value)


def test_secrets_wait_for_the_right_to_use_them(azure: Azure) -> None:
    session, watch = azure.session, azure.watch
    groups.create(session, GROUP, "westeurope", watch)
    vault = vaults.create(session, VAULT, "westeurope", TENANT, watch)
    assert not secrets.may_use(session, vault.uri)

    azure.trouble("propagation_s = 0.3\n")
    roles.give(session, grants.keep_secrets(credential.who(session), vault), watch)
    secrets.wait_until_usable(session, vault.uri, watch)

    assert secrets.put(session, vault.uri, "one", Secret("value"))
    assert {"one"} == secrets.names(session, vault.uri)
    found = secrets.get(session, vault.uri, "one")
    assert found is not None
    assert "value" == found.reveal()


def test_a_deleted_secret_and_a_deleted_vault_are_brought_back_or_ended(azure: Azure) -> None:
    everything(azure)
    session = azure.session
    uri = vaults.find(session, SUBSCRIPTION, "team-safe").uri
    secrets.put(session, uri, "one", Secret("value"))
    assert secrets.delete(session, uri, "one")

    with pytest.raises(AzureRefusalError) as held:
        secrets.put(session, uri, "one", Secret("other"))
    assert Kind.SOFT_DELETED is held.value.kind
    secrets.recover(session, uri, "one")
    assert secrets.get(session, uri, "one") is not None
    secrets.delete(session, uri, "one")
    secrets.purge(session, uri, "one")
    assert secrets.get(session, uri, "one") is None

    management: Any = vaults._client(session, SUBSCRIPTION)
    management.vaults.delete("team", "team-safe")
    with pytest.raises(AzureRefusalError) as gone:
        vaults.create(session, VAULT, "westeurope", TENANT, azure.watch)
    assert Kind.SOFT_DELETED is gone.value.kind
    deleted = vaults.deleted(session, SUBSCRIPTION, "team-safe")
    assert deleted is not None
    assert VAULT == vaults.recover(session, VAULT, deleted, TENANT, azure.watch).id
    management.vaults.delete("team", "team-safe")
    deleted = vaults.deleted(session, SUBSCRIPTION, "team-safe")
    assert deleted is not None
    vaults.purge(session, deleted, azure.watch)
    assert vaults.deleted(session, SUBSCRIPTION, "team-safe") is None


def make_cluster(azure: Azure) -> object:
    return aks.create(azure.session, NewCluster(CLUSTER, "westeurope"), azure.watch)


def make_registry(azure: Azure) -> object:
    return acr.create(azure.session, REGISTRY, "westeurope", azure.watch)


def rule(path: str, **effects: bool | float | str) -> str:
    lines = [f"{name} = {json.dumps(value)}" for name, value in effects.items()]
    return "\n".join(["[[rule]]", 'method = "PUT"', f'path = "{path}"', *lines, ""])


@pytest.mark.parametrize(
    ("known", "kind"),
    [
        ("AuthorizationFailed", Kind.DENIED),
        ("MissingSubscriptionRegistration", Kind.UNREGISTERED),
        ("TooManyRequests", Kind.THROTTLED),
        ("ExpiredAuthenticationToken", Kind.EXPIRED),
        ("QuotaExceeded", Kind.QUOTA),
        ("RequestDisallowedByPolicy", Kind.POLICY),
        ("ScopeLocked", Kind.LOCKED),
        ("ServiceUnavailable", Kind.BROKEN),
    ],
)
@pytest.mark.parametrize("make", [make_cluster, make_registry])
def test_each_trouble_is_its_own_error_and_nothing_is_made(
    azure: Azure, make: Callable[[Azure], object], known: str, kind: Kind
) -> None:
    groups.create(azure.session, GROUP, "westeurope", azure.watch)
    azure.trouble(rule("*/providers/*", known=known))

    with pytest.raises(AzureRefusalError) as error:
        make(azure)

    assert kind is error.value.kind
    assert error.value.problems[0].hint
    assert error.value.problems[0].where
    assert (aks.get(azure.session, CLUSTER), acr.get(azure.session, REGISTRY)) == (None, None)


@pytest.mark.parametrize("times", [1, 3])
def test_what_passes_is_waited_out(azure: Azure, times: int) -> None:
    groups.create(azure.session, GROUP, "westeurope", azure.watch)
    azure.trouble(rule("*/registries/*", known="TooManyRequests", times=times))

    assert make_registry(azure) is not None


def test_an_operation_that_fails_says_why_and_what_is_left(azure: Azure) -> None:
    groups.create(azure.session, GROUP, "westeurope", azure.watch)
    azure.trouble(rule("*/managedClusters/*") + 'fail = { code = "NoCapacity", message = "no room in westeurope" }\n')

    with pytest.raises(AzureRefusalError) as error:
        make_cluster(azure)

    problem = error.value.problems[0]
    assert "can't make cluster `web`: Azure gave up (NoCapacity): no room in westeurope" == problem.what
    assert f"what was made of it may still be there: `az resource show --ids {CLUSTER}`" == problem.hint
    azure.trouble("")
    with pytest.raises(AzureError) as again:
        make_cluster(azure)
    assert "can't make cluster `web`: its last operation ended as Failed" == again.value.problems[0].what


def test_a_run_that_is_cut_short_is_taken_up_by_the_next(azure: Azure) -> None:
    groups.create(azure.session, GROUP, "westeurope", azure.watch)
    azure.trouble(rule("*/managedClusters/*", slow_s=0.4))

    def interrupt(_text: str) -> None:
        raise KeyboardInterrupt

    begun: Any = aks.client(azure.session, SUBSCRIPTION).managed_clusters
    azure.journal.begin(CLUSTER, "make cluster `web`")
    body: Any = aks_body.body(NewCluster(CLUSTER, "westeurope"))
    begun.begin_create_or_update("team", "web", body, polling=False)
    azure.sent.clear()
    with pytest.raises(KeyboardInterrupt):
        aks.create(azure.session, NewCluster(CLUSTER, "westeurope"), Watch(interrupt, azure.journal))
    assert [CLUSTER] == [one.resource for one in azure.journal.underway()]

    made = aks.create(azure.session, NewCluster(CLUSTER, "westeurope"), azure.watch)

    assert "Succeeded" == made.state
    assert [] == azure.written
    assert () == azure.journal.underway()
    assert "make cluster `web`: it is being made already, waiting for that" == azure.said[0]


def test_a_connection_that_breaks_off_while_asking_to_make_it_makes_it_once(azure: Azure) -> None:
    groups.create(azure.session, GROUP, "westeurope", azure.watch)
    azure.trouble(rule("*/registries/*", drop=True))

    with pytest.raises(AzureUnreachableError):
        make_registry(azure)
    azure.trouble("")

    assert [REGISTRY] == [one.resource for one in azure.journal.underway()]
    assert make_registry(azure) is not None
    assert () == azure.journal.underway()


def test_a_provider_is_registered_when_somebody_says_so(azure: Azure) -> None:
    azure.trouble('unregistered = ["Microsoft.ContainerRegistry", "Microsoft.Cache"]\n')
    groups.create(azure.session, GROUP, "westeurope", azure.watch)
    wanted = [(SUBSCRIPTION, one) for one in ("Microsoft.ContainerRegistry", *providers.CLUSTER)]

    lacking = providers.lacking(azure.session, wanted)
    with pytest.raises(AzureRefusalError) as error:
        make_registry(azure)
    providers.register(azure.session, lacking, azure.watch)

    assert [("Microsoft.ContainerRegistry", "NotRegistered")] == [(one.namespace, one.state) for one in lacking]
    assert Kind.UNREGISTERED is error.value.kind
    assert make_registry(azure) is not None


def test_an_identity_that_the_directory_does_not_know_yet_gets_its_role(
    azure: Azure, monkeypatch: pytest.MonkeyPatch
) -> None:
    azure.trouble("replication_s = 0.3\n")
    session, watch = azure.session, azure.watch
    groups.create(session, GROUP, "westeurope", watch)
    vault = vaults.create(session, VAULT, "westeurope", TENANT, watch)
    app = identities.create(session, APP, "westeurope")

    assert "made" == roles.give(session, grants.application_reads_secrets(app, vault), watch).state


def test_a_private_cluster_is_told_by_what_it_says_of_itself(azure: Azure) -> None:
    session, watch = azure.session, azure.watch
    groups.create(session, GROUP, "westeurope", watch)
    body: Any = aks_body.body(NewCluster(CLUSTER, "westeurope"))
    body["properties"]["apiServerAccessProfile"] = {"enablePrivateCluster": True, "disableRunCommand": True}
    follow(watch, "make it", CLUSTER, aks.putting(session, CLUSTER, body))

    found = aks.find(session, SUBSCRIPTION, "web")

    assert (True, False) == (found.private, found.run_command)
    with pytest.raises(AzureError) as error:
        aks_access.run(session, found, "true")
    assert "its run command is turned off" in str(error.value)


def test_an_access_policy_is_added_to_a_vault_without_roles(azure: Azure) -> None:
    session, watch = azure.session, azure.watch
    groups.create(session, GROUP, "westeurope", watch)
    body: Any = vaults.body("westeurope", TENANT)
    body["properties"] |= {"enableRbacAuthorization": False, "accessPolicies": []}
    vault = vaults._made(session, VAULT, body, "make it", watch)

    first = vaults.allow(session, vault, "the person keeps secrets", OBJECT, vaults.KEEP)
    again = vaults.find(session, SUBSCRIPTION, "team-safe")

    assert "made" == first.state
    assert "present" == vaults.check_policy(again, "x", OBJECT, vaults.KEEP).state
    assert secrets.put(session, vault.uri, "one", Secret("value"))
