"""The tool's own side of Azure, against the sandbox's: vaults, secrets, Redis and Cosmos DB, in good and bad luck."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from azure.keyvault.secrets._shared import http_challenge_cache
from testbed import azure_sandbox
from testbed.azure_answers import Hurried
from testbed.azure_recordings import SUBSCRIPTION

from spin_aks import clock
from spin_aks.azure import cosmos, cosmos_roles, grants, redis, roles, secrets, vaults
from spin_aks.azure.arm import ResourceId
from spin_aks.azure.credential import Credential, Person
from spin_aks.azure.operations import Watch
from spin_aks.azure.problems import AzureRefusalError, Kind
from spin_aks.azure.session import Session
from spin_aks.errors import AzureError
from spin_aks.sandbox.azure.identifiers import TENANT
from spin_aks.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from spin_aks.sandbox.azure.world import World

WHERE = "westeurope"
SAFE = ResourceId.of(SUBSCRIPTION, "team", vaults.KIND, "safe")
CACHE = ResourceId.of(SUBSCRIPTION, "team", redis.MANAGED_KIND, "cache")
ACCOUNT = ResourceId.of(SUBSCRIPTION, "team", cosmos.KIND, "store")
ME = Person(azure_sandbox.SOMEBODY, TENANT, "me", "ServicePrincipal")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    http_challenge_cache.clear()
    with azure_sandbox.opened(tmp_path) as opened:
        azure_sandbox.connected(opened).groups.create_or_update("team", {"location": WHERE})
        yield opened


@pytest.fixture
def session(world: World, monkeypatch: pytest.MonkeyPatch) -> Session:
    seconds = [0.0]
    monkeypatch.setattr(clock, "sleep", lambda duration_s: seconds.append(seconds.pop() + duration_s))
    monkeypatch.setattr(clock, "monotonic_s", lambda: seconds[0])
    transport = Hurried(azure_sandbox.connected(world).session)
    return Session(Credential(azure_sandbox.SignedIn(world), TENANT), transport=transport, poll_s=0)


def trouble(world: World, text: str) -> None:
    (world.folder / "trouble.toml").write_text(text, encoding="utf-8")


def vault(session: Session) -> vaults.Vault:
    return vaults.create(session, SAFE, WHERE, TENANT, Watch())


def test_a_vault_is_made_once(session: Session, world: World) -> None:
    made = vault(session)
    trouble(world, '[[rule]]\nmethod = "PUT"\nstatus = 500\n')

    assert made == vault(session)
    assert ("Succeeded", True) == (made.state, made.rbac)
    assert [made] == [*vaults.vaults(session, SUBSCRIPTION)]


def test_secrets_are_kept_once_the_role_is_given_and_has_spread(session: Session, world: World) -> None:
    made = vault(session)
    before = secrets.may_use(session, made.uri)
    trouble(world, "propagation_s = 3600\n")
    given = roles.give(session, grants.keep_secrets(ME, made), Watch())
    waited: list[str] = []

    def progress(text: str) -> None:
        waited.append(text)
        trouble(world, "")

    secrets.wait_until_usable(session, made.uri, Watch(progress))
    secrets.put(session, made.uri, "name", Secret("value"))

    assert before is False
    assert "made" == given.state
    assert 1 == len(waited)
    assert {"name"} == secrets.names(session, made.uri)
    found = secrets.get(session, made.uri, "name")
    assert found is not None
    assert "value" == found.reveal()


def test_a_deleted_vault_is_told_recovered_and_purged(session: Session, world: World) -> None:
    vault(session)
    azure = azure_sandbox.connected(world)
    azure.vaults.delete("team", "safe")
    with pytest.raises(AzureRefusalError) as error:
        vault(session)
    gone = vaults.deleted(session, SUBSCRIPTION, "SAFE")
    assert gone is not None
    back = vaults.recover(session, SAFE, gone, TENANT, Watch())
    azure.vaults.delete("team", "safe")
    vaults.purge(session, gone, Watch())

    assert Kind.SOFT_DELETED is error.value.kind
    assert SAFE == back.id
    assert vaults.deleted(session, SUBSCRIPTION, "safe") is None
    assert "" == vaults.why_not(session, SUBSCRIPTION, "safe")


def test_the_name_of_anothers_vault_is_told_as_taken(session: Session, world: World) -> None:
    vault(session)
    azure_sandbox.connected(world).groups.create_or_update("other", {"location": WHERE})
    elsewhere = ResourceId.of(SUBSCRIPTION, "other", vaults.KIND, "safe")
    with pytest.raises(AzureRefusalError) as error:
        vaults.create(session, elsewhere, WHERE, TENANT, Watch())

    assert Kind.NAME_TAKEN is error.value.kind
    assert "already in use" in vaults.why_not(session, SUBSCRIPTION, "safe")


def test_a_deleted_secret_is_recovered_and_purged(session: Session) -> None:
    made = vault(session)
    roles.give(session, grants.keep_secrets(ME, made), Watch())
    secrets.put(session, made.uri, "name", Secret("1"))
    secrets.delete(session, made.uri, "name")
    with pytest.raises(AzureRefusalError) as error:
        secrets.put(session, made.uri, "name", Secret("2"))
    secrets.recover(session, made.uri, "name")
    found = secrets.get(session, made.uri, "name")
    secrets.delete(session, made.uri, "name")
    secrets.purge(session, made.uri, "name")

    assert Kind.SOFT_DELETED is error.value.kind
    assert found is not None
    assert "1" == found.reveal()
    assert secrets.get(session, made.uri, "name") is None
    assert secrets.put(session, made.uri, "name", Secret("3"))


def test_an_access_policy_lets_the_addon_read(session: Session, world: World) -> None:
    vault(session)
    old_way = {"properties": {"enableRbacAuthorization": False}}
    azure_sandbox.connected(world).vaults.update("team", "safe", old_way)
    made = vaults.get(session, SAFE)
    assert made is not None
    allowed = vaults.allow(session, made, "the add-on reads secrets", ME.object_id, ("get", "list"))
    after = vaults.get(session, SAFE)
    assert after is not None

    assert roles.MADE == allowed.state
    assert "present" == vaults.check_policy(after, "", ME.object_id, ("get",)).state
    assert "missing" == vaults.check_policy(after, "", ME.object_id, ("set",)).state
    assert secrets.may_use(session, made.uri)


def test_managed_redis_is_made_with_its_database_and_found(session: Session) -> None:
    made = redis.create(session, CACHE, WHERE, Watch())
    url = redis.url(session, made)

    assert [CACHE] == [one.id for one in redis.every(session, SUBSCRIPTION)]
    assert url.reveal().startswith("rediss://:")
    assert url.reveal().endswith("@cache.westeurope.redis.azure.net:10000")


def test_a_redis_that_an_earlier_run_began_is_waited_for_and_not_begun_again(session: Session, world: World) -> None:
    begun: Any = redis.body(WHERE)
    azure_sandbox.connected(world).redis_enterprise.redis_enterprise.begin_create("team", "cache", begun, polling=False)
    trouble(world, '[[rule]]\npath = "*/redisenterprise/cache"\nmethod = "PUT"\nstatus = 500\n')
    made = redis.create(session, CACHE, WHERE, Watch())

    assert "Succeeded" == made.state
    assert redis.database(session, CACHE) is not None


def test_a_redis_that_can_not_be_made_is_told(session: Session, world: World) -> None:
    failure = 'fail = { code = "OutOfCapacity", message = "no room in westeurope" }'
    trouble(world, f'[[rule]]\npath = "*/redisenterprise/cache"\nmethod = "PUT"\n{failure}\n')
    with pytest.raises(AzureError) as error:
        redis.create(session, CACHE, WHERE, Watch())

    assert "no room in westeurope" in str(error.value)


def test_a_store_for_spin_is_made_in_cosmos_db(session: Session) -> None:
    account = cosmos.create(session, ACCOUNT, WHERE, Watch())
    container = cosmos.create_store(session, ACCOUNT, "spin", "values", Watch())
    again = cosmos.create_store(session, ACCOUNT, "spin", "values", Watch())
    key = cosmos.key(session, account)

    assert container == again
    assert container.fits_spin
    assert 88 == len(key.reveal())
    assert [account] == [*cosmos.accounts(session, SUBSCRIPTION)]
    assert cosmos.is_taken(session, SUBSCRIPTION, "store")


def test_the_data_role_of_a_store_is_given_once(session: Session) -> None:
    cosmos.create(session, ACCOUNT, WHERE, Watch())
    states = [cosmos_roles.check(session, ACCOUNT, "reads", ME.object_id).state]
    states += [cosmos_roles.give(session, ACCOUNT, "reads", ME.object_id, Watch()).state for _ in range(2)]

    assert ["missing", "made", "present"] == states


def test_a_role_that_was_taken_away_is_missed_and_put_back(session: Session, world: World) -> None:
    made = vault(session)
    wanted = grants.keep_secrets(ME, made)
    roles.give(session, wanted, Watch())
    azure_sandbox.connected(world).authorization.role_assignments.delete(str(SAFE), wanted.name)
    missed = roles.check(session, [wanted])[0].state
    back = roles.give(session, replace(wanted), Watch()).state

    assert ("missing", "made") == (missed, back)
