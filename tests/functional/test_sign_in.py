"""What is said and refused of pods with an identity, and of stores that no key opens, before Azure is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from testbed.application import App

COSMOS = '[key_value_store.cart]\ntype = "azure_cosmos"\naccount = "shop"\ndatabase = "d"\ncontainer = "k"\n'
AS_THE_NODE = "warning: runtime-config.toml:1: the store `cart` in Cosmos DB account `shop` is opened by no key"
FOR_A_DAY = "warning: runtime-config.toml:1: Spin 3.6.3 reads the token that it signs in to Azure with only once"


def test_whoever_names_no_identity_is_told_who_the_pods_are_then(tiny: App) -> None:
    (tiny.root / "runtime-config.toml").write_text(COSMOS)

    first = tiny.ok("validate")
    named = tiny.ok("validate", "--identity", "app1")
    (tiny.root / "aks-spin.production.toml").write_text('[identity]\nname = "app1"\n')
    overlaid = tiny.ok("validate", "-e", "production")

    assert AS_THE_NODE in first.err
    assert "hint: `--identity NAME` names a managed identity of its own" in first.err
    assert [(False, True)] * 2 == [(AS_THE_NODE in done.err, FOR_A_DAY in done.err) for done in (named, overlaid)]


def test_an_identity_that_the_target_can_t_use_is_refused_where_it_is_named(tiny: App) -> None:
    (tiny.root / "aks-spin.toml").write_text('[runtime]\nshim = "0.8.0"\n\n[identity]\nname = "app1"\n')

    done = tiny.run("validate")

    assert 3 == done.code
    assert "error: aks-spin.toml:5: shim 0.8.0 (Spin 1.4.0) hands no variables of a pod on to Spin" in done.err


def test_files_that_keep_the_identity_from_the_pods_are_refused_before_anything_is_pushed(tiny: App) -> None:
    tiny.ok("scaffold", "k8s")
    tiny.edit("manifests/deployment.yaml", "enableServiceLinks: false\n", "serviceAccountName: ledger\n")
    lines = (tiny.root / "manifests/deployment.yaml").read_text().splitlines()
    line = 1 + next(index for index, text in enumerate(lines) if "ledger" in text)

    refused = tiny.run("run", "bundle", "--identity", "app1")
    let_in = tiny.run("run", "bundle", "--identity", "app1", "--service-account", "ledger")
    without = tiny.run("run", "bundle")

    told = "the pod of container `tiny` runs as service account `ledger`, and the identity lets in `tiny`"
    assert f"error: manifests/deployment.yaml:{line}: {told}" in refused.err
    assert "hint: `--service-account ledger` lets that one in; or take the line out" in refused.err
    assert (3, 0, 0) == (refused.code, let_in.code, without.code)
