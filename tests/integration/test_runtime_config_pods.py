"""A runtime-config.toml on a real API server: what the pods are given, and that new text makes new pods."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from testbed.application import SHOP_VARIABLES, App, copy_of

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.cluster import Kubernetes
    from testbed.registries import Registry

STORES = '[key_value_store.cache]\ntype = "redis"\nurl = "redis://cache:6379/0?name=é"\n'


@pytest.fixture
def shop(tmp_path: Path, registry: Registry, kubernetes: Kubernetes, namespace: str) -> App:
    """The shop in the form of image whose pods are not root, with a store that its configuration has."""
    flags = (
        *SHOP_VARIABLES,
        *("--registry", registry.host),
        *("--repository", namespace),
        *("--namespace", namespace),
        *("--kubeconfig", str(kubernetes.kubeconfig)),
        *("--service", "clusterip"),
        *("--form", "rootfs"),
    )
    app = App(copy_of("shop", tmp_path), {}, flags)
    source = 'source = "orders/orders.wasm"\n'
    app.edit("spin.toml", source, f'{source}key_value_stores = ["cache"]\n')
    configure(app, STORES)
    return app


def configure(app: App, text: str) -> None:
    (app.root / "runtime-config.toml").write_text(text, encoding="utf-8")


def items(kubernetes: Kubernetes, namespace: str, kind: str) -> list[dict[str, Any]]:
    argv = ["kubectl", "--kubeconfig", str(kubernetes.kubeconfig), "-n", namespace, "get", kind, "-o", "json"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["items"]


def configuration(kubernetes: Kubernetes, namespace: str) -> list[dict[str, str]]:
    found = items(kubernetes, namespace, "configmaps")
    return [one["data"] for one in found if one["metadata"]["name"] == "shop-runtime-config"]


def pods(kubernetes: Kubernetes, namespace: str) -> list[dict[str, Any]]:
    return [pod for pod in items(kubernetes, namespace, "pods") if "deletionTimestamp" not in pod["metadata"]]


def test_pods_that_are_not_root_are_given_the_file_and_may_read_it(
    shop: App, kubernetes: Kubernetes, namespace: str
) -> None:
    shop.ok("up")
    second = shop.ok("up")

    (pod,) = pods(kubernetes, namespace)
    (container,) = pod["spec"]["containers"]
    (mount,) = [one for one in container["volumeMounts"] if one["mountPath"] == "/runtime-config.toml"]
    (volume,) = [one for one in pod["spec"]["volumes"] if one["name"] == mount["name"]]
    assert {"runtime-config.toml": STORES} == configuration(kubernetes, namespace)[0]
    assert ("runtime-config.toml", True) == (mount["subPath"], mount["readOnly"])
    assert {"name": "shop-runtime-config", "defaultMode": 0o644} == volume["configMap"]
    assert 65532 == pod["spec"]["securityContext"]["runAsUser"]
    assert [] == second.stages("run")


def test_new_text_makes_new_pods_and_without_the_file_its_config_map_goes(
    shop: App, kubernetes: Kubernetes, namespace: str
) -> None:
    shop.ok("up")
    (before,) = pods(kubernetes, namespace)
    configure(shop, STORES.replace("/0", "/1"))
    edited = shop.ok("up")
    (after,) = pods(kubernetes, namespace)
    there = configuration(kubernetes, namespace)
    shop.edit("spin.toml", 'key_value_stores = ["cache"]\n', "")
    (shop.root / "runtime-config.toml").unlink()
    shop.ok("up")

    assert ["validate", "render", "apply"] == edited.stages("run")
    assert before["metadata"]["name"] != after["metadata"]["name"]
    assert [{"runtime-config.toml": STORES.replace("/0", "/1")}] == there
    assert [] == configuration(kubernetes, namespace)
    (last,) = pods(kubernetes, namespace)
    assert "runtime-config" not in json.dumps(last)


def test_a_config_map_that_was_changed_behind_our_back_is_noticed(
    shop: App, kubernetes: Kubernetes, namespace: str
) -> None:
    shop.ok("up")
    patch = json.dumps({"data": {"runtime-config.toml": ""}})
    argv = ["kubectl", "--kubeconfig", str(kubernetes.kubeconfig), "-n", namespace, "patch", "configmap"]
    subprocess.run([*argv, "shop-runtime-config", "-p", patch], capture_output=True, check=True)

    again = shop.ok("up", "--force-conflicts")

    assert ["apply"] == again.stages("run")
    assert [{"runtime-config.toml": STORES}] == configuration(kubernetes, namespace)
