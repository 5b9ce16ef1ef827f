"""Which rights are wanted, what allows each, and what is told where nothing does."""

from __future__ import annotations

from itertools import product

import pytest

from spin_aks.azure.roles import MADE, MISSING, PRESENT, Grant
from spin_aks.consent import Consent
from spin_aks.context import Context
from spin_aks.settings.table import Settings
from spin_aks.tasks import rights, rights_vault
from spin_aks.tasks.right import Right
from spin_aks.tasks.rights import ATTACH_ACR
from spin_aks.tasks.rights_vault import ATTACH_KEYVAULT, ENABLE_ADDON

VAULT: dict[str, object] = {"vault_name": "shop-vault"}
CLUSTER: dict[str, object] = {"cluster_name": "aks1"}
REGISTRY: dict[str, object] = {"registry_name": "acme1"}
IDENTITY: dict[str, object] = {"identity_name": "app1"}
SECRETS: dict[str, object] = {"secrets": (("key", "its-name"),)}


def right(*flags: str, state: str = MISSING) -> Right:
    now = Grant("somebody reads something", "/scope", "1", "Reader", state)
    return Right(now, ("a role",), lambda: now, flags, "az do it", needed=False)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, False),
        (CLUSTER, False),
        (REGISTRY, False),
        (CLUSTER | REGISTRY, True),
        (VAULT, True),
        (IDENTITY, True),
        (SECRETS, False),
    ],
)
def test_rights_are_wanted_where_there_is_something_to_bring_together(given: dict[str, object], wanted: bool) -> None:
    assert wanted == rights.are_wanted(Context(Settings(**given)))


def test_the_addon_is_wanted_for_a_cluster_a_vault_and_secrets_together_only() -> None:
    def given(*parts: dict[str, object]) -> bool:
        return rights_vault.reads_secrets(Context(Settings(**{key: one[key] for one in parts for key in one})))

    chosen = [
        [part for part, taken in zip((CLUSTER, VAULT, SECRETS), which, strict=True) if taken]
        for which in product((False, True), repeat=3)
    ]

    assert [False] * 7 + [True] == [given(*parts) for parts in chosen]


@pytest.mark.parametrize(
    ("consent", "allowed"),
    [
        (Consent(), []),
        (Consent(give=frozenset({ATTACH_ACR})), [(ATTACH_ACR,)]),
        (Consent(give=frozenset({ATTACH_KEYVAULT})), [(ATTACH_KEYVAULT,)]),
        (Consent(give=frozenset({ENABLE_ADDON})), []),
        (
            Consent(give=frozenset({ATTACH_KEYVAULT, ENABLE_ADDON})),
            [(ATTACH_KEYVAULT,), (ENABLE_ADDON, ATTACH_KEYVAULT)],
        ),
    ],
)
def test_a_right_is_allowed_by_all_of_its_flags(consent: Consent, allowed: list[tuple[str, ...]]) -> None:
    every = [(ATTACH_ACR,), (ATTACH_KEYVAULT,), (ENABLE_ADDON, ATTACH_KEYVAULT)]

    assert allowed == [flags for flags in every if right(*flags).allowed(consent)]


def test_only_what_is_missing_lacks() -> None:
    assert [True, False, False] == [right(state=state).lacks for state in (MISSING, PRESENT, MADE)]


def test_what_nobody_allows_is_told_with_its_flags_and_the_command_for_somebody_else() -> None:
    problem = right(ENABLE_ADDON, ATTACH_KEYVAULT).problem()

    assert ("`Reader` is missing, which is needed so that somebody reads something", "/scope") == (
        problem.what,
        problem.where,
    )
    assert (
        "`--enable-keyvault-addon --attach-keyvault` gives the role `Reader`; or have somebody who may: `az do it`"
        == problem.hint
    )
