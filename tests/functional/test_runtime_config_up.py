"""A runtime-config.toml beside spin.toml: on its way to the pod, or refused without a trace of what it holds."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

if TYPE_CHECKING:
    from testbed.application import App

CANARY = "c4n4ryS3cr3tV4lu3"
STORES = '[key_value_store.cache]\ntype = "redis"\nurl = "redis://cache:6379/0"\n'
COSMOS = '[key_value_store.cache]\ntype = "azure_cosmos"\naccount = "a"\ndatabase = "d"\ncontainer = "c"\n'
NEEDS_A_STORE = 'source = "orders/orders.wasm"\nkey_value_stores = ["cache"]\n'


@pytest.fixture
def keeper(shop: App) -> App:
    """The shop, whose component `orders` keeps something in the store `cache`."""
    shop.edit("spin.toml", 'source = "orders/orders.wasm"\n', NEEDS_A_STORE)
    return shop


def configure(app: App, text: str) -> None:
    (app.root / "runtime-config.toml").write_text(text)


def rendered(app: App) -> dict[str, dict]:
    text = (app.root / ".spin-aks/default/rendered.yaml").read_text()
    return {f"{one['kind']} {one['metadata']['name']}": one for one in yaml.safe_load_all(text)}


def annotations(app: App) -> dict[str, str]:
    return rendered(app)["Deployment shop"]["spec"]["template"]["metadata"]["annotations"]


def test_the_file_is_in_a_config_map_and_a_second_up_does_nothing(keeper: App) -> None:
    configure(keeper, STORES)
    first = keeper.ok("up")
    second = keeper.ok("up")

    assert {"runtime-config.toml": STORES} == rendered(keeper)["ConfigMap shop-runtime-config"]["data"]
    assert "apply" in first.stages("done")
    assert [] == second.stages("run")
    kept = "".join(path.read_text() for path in (keeper.root / "manifests").iterdir())
    assert "name: shop-runtime-config" in kept
    assert "cache:6379" not in kept


def test_an_edit_rolls_the_pods_and_builds_nothing_and_a_remark_does_not(keeper: App) -> None:
    configure(keeper, STORES)
    keeper.ok("up")
    before = annotations(keeper)
    configure(keeper, STORES.replace("/0", "/1"))
    edited = keeper.ok("up")
    after = annotations(keeper)
    configure(keeper, "# a remark\n" + STORES.replace("/0", "/1"))
    remarked = keeper.ok("up")

    assert ["validate", "render", "apply"] == edited.stages("run")
    assert before != after
    assert ["validate", "render"] == remarked.stages("run")
    assert after == annotations(keeper)


def test_a_file_that_comes_later_is_mounted_by_the_files_that_are_ours_and_goes_again(shop: App) -> None:
    shop.ok("up")
    configure(shop, STORES)
    came = shop.ok("up")
    there = rendered(shop)
    (shop.root / "runtime-config.toml").unlink()
    went = shop.ok("up")

    assert {"manifests", "render", "apply"} <= set(came.stages("run"))
    assert "ConfigMap shop-runtime-config" in there
    assert {"manifests", "render", "apply"} <= set(went.stages("run"))
    assert "ConfigMap shop-runtime-config" not in rendered(shop)
    assert "runtime-config" not in (shop.root / "manifests/deployment.yaml").read_text()


def test_a_file_that_comes_later_is_refused_before_any_push_where_an_edited_file_does_not_mount_it(shop: App) -> None:
    shop.ok("up")
    shop.edit("manifests/deployment.yaml", "kind: Deployment\n", "kind: Deployment\n# mine\n")
    configure(shop, STORES)

    refused = shop.run("up", "-y")
    replaced = shop.ok("up", "--override")

    assert 3 == refused.code
    assert "manifests/deployment.yaml:" in refused.err
    assert "container `shop` mounts nothing at `/runtime-config.toml`" in refused.err
    assert [] == [name for name in refused.stages("run") if name in ("image", "push", "render", "apply")]
    assert "apply" in replaced.stages("done")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (COSMOS + f'key = "{CANARY}"\n', "runtime-config.toml:6: `key` in `key_value_store.cache` is a secret"),
        (
            f'[key_value_store.cache]\ntype = "redis"\nurl = "rediss://:{CANARY}@r"\n',
            "runtime-config.toml:3: `url` in `key_value_store.cache` holds a password",
        ),
        (
            f'{STORES}[[variables_provider]]\ntype = "static"\nvalues = {{ greeting = "{CANARY}" }}\n',
            "runtime-config.toml:6: `greeting` in `variables_provider[0].values` is a secret",
        ),
        (f"{COSMOS}key = {CANARY}\n", "runtime-config.toml:6: not valid TOML: invalid value"),
        (f'{COSMOS}key = "{CANARY}"\n[nope]\n', "runtime-config.toml:7: unknown key `nope`"),
    ],
)
def test_a_secret_is_refused_and_is_in_no_output_and_in_no_file_of_ours(keeper: App, text: str, said: str) -> None:
    configure(keeper, text)
    commands = [("validate",), ("up",), ("up", "-y", "--override"), ("list",), ("why", "validate"), ("scaffold",)]
    runs = [keeper.run(*command) for command in commands]
    runs.append(keeper.run("list", "--output", "json"))

    assert [3, 3, 3, 0, 0, 3, 0] == [run.code for run in runs]
    assert f"error: {said}" in runs[0].err
    assert "has none of it" not in runs[0].err
    assert [] == [run for run in runs if CANARY in run.out + run.err]
    assert [keeper.root / "runtime-config.toml"] == holding(CANARY, keeper.root)


def test_a_secret_that_was_commented_out_stays_at_home(keeper: App) -> None:
    configure(keeper, f'{COSMOS}# key = "{CANARY}"\n')
    done = keeper.ok("up")

    assert CANARY not in done.out + done.err
    assert [keeper.root / "runtime-config.toml"] == holding(CANARY, keeper.root)
    assert {"runtime-config.toml": COSMOS} == rendered(keeper)["ConfigMap shop-runtime-config"]["data"]
    assert "ConfigMap shop-ca-certificates" in rendered(keeper)


def test_a_label_that_nobody_configured_is_refused(keeper: App) -> None:
    configure(keeper, STORES.replace("cache]", "other]"))

    done = keeper.run("validate")

    assert 3 == done.code
    assert "component `orders` uses `cache` in `key_value_stores`, and runtime-config.toml has none of it" in done.err
    assert "hint: add `[key_value_store.cache]` to runtime-config.toml, beside the manifest" in done.err


def test_a_shim_that_reads_no_such_file_is_warned_about_or_refused_where_it_is_needed(shop: App) -> None:
    configure(shop, COSMOS + f'key = "{CANARY}"\n')
    old = ("--shim", "0.9.3", "--runtime", "preinstalled", "--form", "rootfs")

    warned = shop.run("validate", *old)
    shop.edit("spin.toml", 'source = "orders/orders.wasm"\n', NEEDS_A_STORE)
    refused = shop.run("validate", *old)

    assert 0 == warned.code, warned.err
    assert (
        "warning: runtime-config.toml: shim 0.9.3 (Spin 2.0.0) reads no runtime-config.toml:"
        " what it configures is without effect\n"
        "hint: shim 0.10.0 brought it: install it or a later one on the nodes\n"
    ) in warned.err
    assert 3 == refused.code
    assert "uses `cache` in `key_value_stores`, and shim 0.9.3 (Spin 2.0.0) does not read the" in refused.err
    assert CANARY not in warned.err + refused.err


def test_an_image_for_arm64_is_another_rootfs_and_the_same_artifact(shop: App) -> None:
    def image(*flags: str) -> tuple[str, list[str]]:
        done = shop.ok("push", "--output", "json", *flags)
        return done.json["digest"], done.stages("run")

    amd64, _ = image("--form", "rootfs")
    arm64, ran = image("--form", "rootfs", "--platform", "linux/arm64")
    artifact, _ = image("--form", "artifact")
    same, idle = image("--form", "artifact", "--platform", "linux/arm64")

    assert amd64 != arm64
    assert ["image", "push"] == ran
    assert (artifact, []) == (same, idle)


def holding(text: str, folder: Path) -> list[Path]:
    """The files below `folder` in which `text` stands."""
    found = subprocess.run(["grep", "-rlaF", text, str(folder)], capture_output=True, text=True, check=False)
    return [Path(line) for line in found.stdout.splitlines()]
