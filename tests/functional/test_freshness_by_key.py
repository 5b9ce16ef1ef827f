"""Each key of aks-spin.toml makes stale the stages that read it, by its value, and no other."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from testbed.application import App
from testbed.tiny import add_to_component, add_variables, tiny_in

from spin_aks.settings.layers import identity
from spin_aks.settings.stores import STORE_ROWS
from spin_aks.settings.table import EVERY_ROW

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spin_aks import sandbox


@dataclass(frozen=True)
class Change:
    """One key's value before and after, as TOML has them; which stages that makes stale by the value, and which by a
    file, for reasons of their own. `flags` go with
    the change.
    """

    old: str
    new: str
    by_value: frozenset[str]
    by_file: frozenset[str] = frozenset()
    flags: tuple[str, ...] = ()

    @property
    def stale(self) -> frozenset[str]:
        return self.by_value | self.by_file


def change(old: str, new: str, *by_value: str, by_file: str = "", flags: str = "") -> Change:
    return Change(old, new, frozenset(by_value), frozenset(by_file.split()), tuple(flags.split()))


CHANGES: Mapping[str, Change] = {
    "require_environment": change("false", "true", flags="-e default"),
    "app.manifest": change('"spin.toml"', '"other.toml"', by_file="validate build:a"),
    "app.name": change('"one"', '"two"', "dockerfile", "manifests", "render", "apply"),
    "runtime.shim": change('"0.24.0"', '"0.23.0"', "validate", "manifests"),
    "runtime.installer": change('"kwasm"', '"preinstalled"', "manifests"),
    "build.profile": change('"debug"', '"release"', "validate", "build:a"),
    "image.builder": change('"auto"', '"oci"'),
    "image.form": change('"artifact"', '"rootfs"', "validate", "bundle", "image", "manifests"),
    "image.platform": change('"linux/amd64"', '"linux/arm64"'),
    "image.dockerfile": change('"Dockerfile"', '"docker/Dockerfile"', "dockerfile"),
    "image.repository": change('"freshness"', '"other/name"', "push", "render"),
    "image.tag": change('"content"', '"v1"', "push", "render"),
    "container_registry.server": change('"REGISTRY"', '"REGISTRY/team"', "push", "render"),
    "kubernetes.dest": change('"manifests"', '"deploy"', "manifests", by_file="render"),
    "kubernetes.namespace": change('"freshness"', '"other"', "render"),
    "kubernetes.replicas": change("1", "2", "render"),
    "kubernetes.service": change('"clusterip"', '"loadbalancer"', "manifests"),
    "kubernetes.resources.cpu_request": change('"50m"', '"60m"', "render"),
    "kubernetes.resources.cpu_limit": change('"500m"', '"600m"', "render"),
    "kubernetes.resources.memory_request": change('"200Mi"', '"210Mi"', "render"),
    "kubernetes.resources.memory_limit": change('"400Mi"', '"410Mi"', "render"),
    "cluster.kubeconfig": change('"../here.yaml"', '"../elsewhere.yaml"', "apply"),
    "cluster.context": change('"here"', '"elsewhere"', "apply"),
    "cluster.timeout": change("300", "310"),
    "variables.greeting": change('"Hello"', '"Welcome"', "render"),
}
"""Every input that a stage reads, or that says where things are."""

CLUSTER = {"cluster.kubeconfig", "cluster.context"}
"""They say together which cluster it is, and a stage knows that by its address."""
ELSEWHERE = "http://127.0.0.1:1"

RESERVED: Mapping[str, str] = {
    "container_registry.kind": '"other"',
    "kubernetes.ingress": '"shop.example.com"',
    "redis_trigger.subscription": '"00000000-0000-0000-0000-000000000000"',
    "redis_trigger.resource_group": '"group"',
    "redis_trigger.name": '"redis"',
    "redis_trigger.variable": '"greeting"',
    "secrets.<name>": '"in-the-vault"',
}
"""Inputs that nobody reads yet."""

OF_AZURE: Mapping[str, str] = {
    "keyvault.subscription": '"00000000-0000-0000-0000-000000000000"',
    "keyvault.resource_group": '"group"',
    "identity.subscription": '"00000000-0000-0000-0000-000000000000"',
    "identity.resource_group": '"group"',
    "identity.service_account": '"another"',
    "container_registry.subscription": '"00000000-0000-0000-0000-000000000000"',
    "container_registry.resource_group": '"group"',
    "cluster.tenant": '"00000000-0000-0000-0000-000000000000"',
    "cluster.subscription": '"00000000-0000-0000-0000-000000000000"',
    "cluster.resource_group": '"group"',
    "cluster.location": '"westeurope"',
    "cluster.node_size": '"Standard_D4s_v5"',
    "cluster.node_count": "3",
}
"""Inputs that matter only where something of Azure's is named: tests/functional/test_azure_{up,vaults,identity}.py."""

PUSHED = {
    "image.pushed.registry": '"registry.example.com"',
    "image.pushed.repository": '"another"',
    "image.pushed.tag": '"v0"',
    "image.pushed.digest": f'"sha256:{"0" * 64}"',
}
"""What `push` writes, and nobody reads."""

UNTRIED = {"schema", "kubernetes.type", "SPIN_AKS_CONFIG", "SPIN_AKS_ENVIRONMENT"}
"""Of one possible value by now, or what says which file it is."""
UNTRIED |= {"container_registry.name", "cluster.name", "keyvault.name", "identity.name"}
UNTRIED |= {row.key for row in STORE_ROWS.values()}
"""These bring stages of their own: tests/functional/test_azure_{up,vaults,identity}.py."""

KUBECONFIG = """\
apiVersion: v1
kind: Config
contexts:
- name: here
  context: {{cluster: here, user: me}}
- name: also-here
  context: {{cluster: here, user: somebody}}
- name: elsewhere
  context: {{cluster: elsewhere, user: me}}
clusters:
- name: here
  cluster: {{server: "{server}"}}
- name: elsewhere
  cluster: {{server: "http://127.0.0.1:1"}}
users:
- name: me
  user: {{}}
- name: somebody
  user: {{}}
"""


@dataclass(frozen=True)
class Deployed:
    """An application that was brought up with a value for every key; its one component is built in its root."""

    app: App
    given: dict[str, str]
    server: str

    def write(self, *changed: tuple[str, str], head: str = "") -> None:
        given = {**self.given, **dict(changed)}
        text = head + "".join(f"{key} = {value}\n" for key, value in given.items())
        (self.app.root / "aks-spin.toml").write_text(text)

    def stale(self, *flags: str) -> dict[str, list[str]]:
        """The stages that would run for reasons of their own, with these."""
        done = self.app.plain("list", "--output", "json", *flags)
        assert done.code == 0, done.err
        found = {
            stage["name"]: [reason for reason in stage["reasons"] if not reason.startswith("after ")]
            for stage in done.json["stages"]
        }
        return {name: reasons for name, reasons in found.items() if reasons}


def build_in_the_root(root: Path) -> None:
    """Makes everything in the application's folder a source of its component."""
    manifest = root / "spin.toml"
    text = (
        manifest.read_text().replace('workdir = "a"', 'workdir = "."').replace("cp a.src a.wasm", "cp a/a.src a/a.wasm")
    )
    for profile, command in (("debug", "cp a/a.src ./a/a.wasm"), ("release", "cp ./a/a.src a/a.wasm")):
        text += f'\n[component.a.profile.{profile}]\nbuild.command = "{command}"\n'
    text += '\n[variables]\ngreeting = { default = "Hi" }\n'
    for name in ("spin.toml", "other.toml"):
        (root / name).write_text(text)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory, embedded: sandbox.Running) -> Deployed:
    root = tiny_in(tmp_path_factory.mktemp("freshness") / "app")
    build_in_the_root(root)
    environment = dict(embedded.environment)
    registry = environment.pop("SPIN_AKS_CONTAINER_REGISTRY_SERVER")
    kubeconfig = Path(environment.pop("SPIN_AKS_CLUSTER_KUBECONFIG")).read_text()
    del environment["SPIN_AKS_CLUSTER_CONTEXT"]
    server = re.search(r"server: (\S+)", kubeconfig)
    assert server
    for name, address in (("here", server[1]), ("also-here", server[1]), ("elsewhere", ELSEWHERE)):
        (root.parent / f"{name}.yaml").write_text(KUBECONFIG.format(server=address))
    given = {key: change.old.replace("REGISTRY", registry) for key, change in CHANGES.items()}
    deployed = Deployed(App(root, environment), {"schema": "1", **given}, server[1])
    deployed.write()
    deployed.app.ok("up", "--no-input")
    # What `push` noted there is written over.
    deployed.write()
    return deployed


def test_every_row_is_tried() -> None:
    tried = [*CHANGES, *RESERVED, *OF_AZURE, *PUSHED, *UNTRIED]

    known = {key.replace("variables.greeting", "variables.<name>") for key in tried}
    assert (known, len(tried)) == ({identity(row) for row in EVERY_ROW}, len(EVERY_ROW))
    assert set(RESERVED) == {row.key for row in EVERY_ROW if row.reserved}


def test_nothing_is_stale_as_it_is(deployed: Deployed) -> None:
    deployed.write()

    assert {} == deployed.stale()


@pytest.mark.parametrize("key", CHANGES)
def test_a_changed_key_makes_stale_what_reads_it_and_nothing_else(deployed: Deployed, key: str) -> None:
    change = CHANGES[key]
    deployed.write((key, change.new.replace("REGISTRY", json.loads(deployed.given["container_registry.server"]))))

    stale = deployed.stale(*change.flags)

    assert change.stale == set(stale)


@pytest.mark.parametrize("key", [key for key, change in CHANGES.items() if change.stale and key != "app.manifest"])
def test_why_names_the_key_with_its_old_and_its_new_value(deployed: Deployed, key: str) -> None:
    change = CHANGES[key]
    registry = json.loads(deployed.given["container_registry.server"])
    deployed.write((key, change.new.replace("REGISTRY", registry)))
    old, new = (text.strip('"').replace("REGISTRY", registry) for text in (change.old, change.new))
    if key in CLUSTER:
        old, new = deployed.server, ELSEWHERE

    for stage in sorted(change.by_value):
        said = deployed.app.plain("why", stage).out
        assert f"- `{'cluster' if key in CLUSTER else key}` changed from {old} to {new}.\n" in said


def test_what_nobody_reads_makes_nothing_stale(deployed: Deployed) -> None:
    named = {**RESERVED, **OF_AZURE}
    unread = {key.replace("<label>", "cache").replace("<name>", "token"): value for key, value in named.items()}
    deployed.write(*unread.items(), *PUSHED.items())

    assert {} == deployed.stale()


def test_comments_and_another_order_make_nothing_stale(deployed: Deployed) -> None:
    lines = [f"{key}    =    {value} # as before\r\n" for key, value in reversed(deployed.given.items())]
    (deployed.app.root / "aks-spin.toml").write_bytes(("\ufeff# a head\r\n\r\n" + "".join(lines)).encode())

    assert {} == deployed.stale()


def test_the_same_cluster_under_another_name_makes_nothing_stale(deployed: Deployed) -> None:
    deployed.write(("cluster.kubeconfig", '"../also-here.yaml"'), ("cluster.context", '"also-here"'))

    assert {} == deployed.stale()


def test_a_value_that_is_given_no_more_is_named(deployed: Deployed) -> None:
    deployed.write()
    path = deployed.app.root / "aks-spin.toml"
    path.write_text(path.read_text().replace("kubernetes.replicas = 1\n", ""))

    assert {"render": ["kubernetes.replicas is no longer given"]} == deployed.stale()
    assert "- `kubernetes.replicas` is no longer given: 1." in deployed.app.plain("why", "render").out


def test_no_configuration_is_a_source_of_a_component_in_the_root(deployed: Deployed) -> None:
    deployed.write(head="# edited\n")
    for name in ("aks-spin.stage.toml", "aks-spin.prod.toml"):
        (deployed.app.root / name).write_text("kubernetes.replicas = 9\n")

    assert {} == deployed.stale()
    (deployed.app.root / "notes.txt").write_text("a source, as all that lies here")
    assert ["build:a"] == list(deployed.stale())
    (deployed.app.root / "notes.txt").unlink()


def test_a_configuration_of_another_name_is_no_source_once_it_is_used(deployed: Deployed) -> None:
    deployed.write()
    other = deployed.app.root / "live.toml"
    other.write_text((deployed.app.root / "aks-spin.toml").read_text())
    assert deployed.app.plain("build", "-c", "live.toml").code == 0
    (deployed.app.root / "live.eu.toml").write_text("kubernetes.replicas = 9\n")
    other.write_text(other.read_text() + "# edited\n")

    assert {} == deployed.stale()
    assert "build:a" not in deployed.stale("-c", "live.toml")
    other.unlink()
    (deployed.app.root / "live.eu.toml").unlink()
    assert {} == deployed.stale()


def test_the_platform_counts_where_the_image_depends_on_it(tiny: App) -> None:
    configuration = tiny.root / "aks-spin.toml"
    configuration.write_text('[image]\nform = "rootfs"\nplatform = "linux/amd64"\n')
    tiny.ok("up")
    configuration.write_text('[image]\nform = "rootfs"\nplatform = "linux/arm64"\n')

    assert {"image": ["image.platform: linux/amd64 -> linux/arm64"]} == Deployed(tiny, {}, "").stale(*tiny.flags)


def test_what_follows_from_the_name_is_named_by_its_own_key(tiny: App) -> None:
    tiny.flags = ("--service", "clusterip")
    own = f"t{abs(hash(tiny.root)) % 10**10}"
    tiny.ok("up", SPIN_AKS_APP_NAME=own)
    configuration = tiny.root / "aks-spin.toml"
    configuration.write_text(f'app.name = "{own}-b"\n')

    stale = Deployed(tiny, {}, "").stale(*tiny.flags)

    assert [f"image.repository: {own} -> {own}-b"] == stale["push"]
    assert f"kubernetes.namespace: {own} -> {own}-b" in stale["render"]
    assert {"dockerfile", "push", "manifests", "render", "apply"} == set(stale)


def test_a_variable_in_an_allowed_host_is_judged_by_validate_as_well(tiny: App) -> None:
    add_to_component(tiny.root, 'allowed_outbound_hosts = ["https://{{ host }}"]')
    add_variables(tiny.root, 'host = { default = "example.com" }', 'colour = { default = "red" }')
    configuration = tiny.root / "aks-spin.toml"
    configuration.write_text('[variables]\nhost = "a.example.com"\ncolour = "blue"\n')
    tiny.ok("up")

    configuration.write_text('[variables]\nhost = "b.example.com"\ncolour = "blue"\n')
    host = Deployed(tiny, {}, "").stale(*tiny.flags)
    configuration.write_text('[variables]\nhost = "a.example.com"\ncolour = "green"\n')
    colour = Deployed(tiny, {}, "").stale(*tiny.flags)

    changed = ["variables.host: a.example.com -> b.example.com"]
    assert ({"validate": changed, "render": changed}, {"render": ["variables.colour: blue -> green"]}) == (host, colour)
