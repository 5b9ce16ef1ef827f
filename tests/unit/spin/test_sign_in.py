"""What people are told beforehand of how Spin signs in to Azure from their pods."""

from __future__ import annotations

from pathlib import Path

import pytest

from spin_aks.spin.manifest import parse as manifest
from spin_aks.spin.runtime_config import NOTHING, RuntimeConfig, parse
from spin_aks.spin.sign_in import notices, refusals
from spin_aks.spin.versions import NEWEST_RUNTIME, runtime

COSMOS = '[key_value_store.cart]\ntype = "azure_cosmos"\naccount = "shop"\ndatabase = "d"\ncontainer = "k"\n'
VAULT = '[[variables_provider]]\ntype = "azure_key_vault"\nvault_url = "https://shop.vault.azure.net"\n'
HEAD = 'spin_manifest_version = 2\n[application]\nname = "a"\n'
TRIGGER = '[[trigger.http]]\nroute = "/"\ncomponent = "c"\n[component.c]\nsource = "c.wasm"\n'
VARIABLES = '[variables]\nazure_client_id = { default = "x" }\nregion = { default = "y" }\n'
PLAIN, APP = (manifest(text, Path("spin.toml")) for text in (HEAD + TRIGGER, HEAD + VARIABLES + TRIGGER))


def configured(text: str) -> RuntimeConfig:
    return parse(text, Path("runtime-config.toml"))


def test_what_no_key_opens_is_named_where_no_identity_is() -> None:
    found = tuple(notices(PLAIN, NEWEST_RUNTIME, configured(COSMOS + VAULT), ""))

    told = (
        " is opened by no key, and no identity is named: unless your Kubernetes files give the pods one, Spin signs in"
        " as the node that it happens to run on, if Azure lets it"
    )
    assert [str(notice) for notice in found] == [
        f"runtime-config.toml:1: the store `cart` in Cosmos DB account `shop`{told}",
        f"runtime-config.toml:6: the vault `https://shop.vault.azure.net`{told}",
    ]
    assert {"`--identity NAME` names a managed identity of its own"} == {notice.hint for notice in found}


def test_with_an_identity_it_is_said_once_how_long_a_pod_is_let_in() -> None:
    (notice,) = notices(PLAIN, NEWEST_RUNTIME, configured(COSMOS + VAULT), "app1")

    assert str(notice) == (
        "runtime-config.toml:1: Spin 3.6.3 reads the token that it signs in to Azure with only once, as it starts: a"
        " pod that runs for more than a day is no longer let in, until it is replaced"
    )
    assert notice.hint == (
        "replace the pods twice a day: `kubectl rollout restart deployment/NAME`; the user guide has a CronJob"
    )


@pytest.mark.parametrize("identity", ["", "app1"])
@pytest.mark.parametrize("text", ["", f"{COSMOS}key = 'k'\n", '[key_value_store.a]\ntype = "spin"\n'])
def test_of_what_does_not_sign_in_to_azure_by_itself_nothing_is_said(text: str, identity: str) -> None:
    assert () == tuple(notices(PLAIN, NEWEST_RUNTIME, configured(text), identity))


@pytest.mark.parametrize(
    ("identity", "shim", "told"), [("app1", "0.16.0", True), ("app1", "0.15.1", False), ("", "0.24.0", False)]
)
def test_a_variable_that_azure_s_own_would_overrule_is_named(identity: str, shim: str, *, told: bool) -> None:
    found = [str(notice) for notice in notices(APP, runtime(shim), NOTHING, identity)]

    expected = (
        "spin.toml:5: the variable `azure_client_id` gets what Azure sets as `AZURE_CLIENT_ID` in pods that have the"
        " identity `app1`, whatever else is given for it"
    )
    assert ([expected] if told else []) == found


def test_a_runtime_that_hands_no_variables_on_is_refused_by_name_where_an_identity_is_named() -> None:
    (problem,) = refusals(runtime("0.8.0"), "app1", "aks-spin.toml:4")

    assert str(problem) == (
        "aks-spin.toml:4: shim 0.8.0 (Spin 1.4.0) hands no variables of a pod on to Spin, and so not the identity"
        " `app1`"
    )
    assert "target shim 0.9.0 or later, or name no identity" == problem.hint
    assert () == tuple(refusals(runtime("0.8.0"), "", ""))
    assert () == tuple(refusals(runtime("0.9.0"), "app1", ""))
