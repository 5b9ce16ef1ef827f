"""The same value by file, overlay, variable and flag is the same bytes: what is applied, and what people keep.

Most runs are in this process, some hundred of them; a few are processes as a user's.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from testbed.application import App
from testbed.inputs import ANSWER, FILE, FLAG, OVERLAY, VARIABLE, Input, flag, toml, values, word
from testbed.tiny import add_variables, tiny_in

from spin_aks import context
from spin_aks.cli import parser_of
from spin_aks.commands import run
from spin_aks.errors import SpinAksError
from spin_aks.settings.layers import identity
from spin_aks.settings.stores import STORE_ROWS
from spin_aks.settings.table import EVERY_ROW
from spin_aks.spin.versions import RUNTIMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from spin_aks.settings.row import Row, Value

Outcome: TypeAlias = "dict[str, bytes] | tuple[str, ...]"
"""Each file by its path; or what was said of why there are none."""

ENVIRONMENT = "stage"
REGISTRY = "SPIN_AKS_CONTAINER_REGISTRY_SERVER"
PARSER = parser_of("run", run.configure)
AZURE = {"cluster.name", "container_registry.name", "keyvault.name", "identity.name"}
AZURE |= {row.key for row in STORE_ROWS.values()}
"""Azure knows what they come to: tests/functional/test_azure_{up,vaults,identity}.py."""

READ = tuple(row for row in EVERY_ROW if row.key and not row.reserved and row.variable and row.key not in AZURE)

TEXTS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=40)
TAKEN: dict[str, st.SearchStrategy[Value]] = {
    "app.manifest": st.sampled_from(["spin.toml", "other.toml", "."]),
    "runtime.shim": st.sampled_from([one.shim for one in RUNTIMES[-6:]] + ["v0.24.0", "0.24", "9.9.9"]),
    "build.profile": st.sampled_from(["debug", "release", "no-such"]),
    "image.dockerfile": st.sampled_from(["Dockerfile", "Containerfile", "docker/", "docker/x.Dockerfile"]),
    "image.tag": st.just("content") | st.from_regex("[a-z0-9][a-z0-9._-]{0,9}", fullmatch=True),
    "container_registry.server": st.sampled_from(["127.0.0.1:5000", "example.azurecr.io/team", "no registry!"]),
    "kubernetes.type": st.just("kube"),
    "kubernetes.dest": st.sampled_from(["manifests", "deploy/here", "a"]),
    "kubernetes.resources.memory_limit": st.sampled_from(["512Mi", "1.5Gi", "1e9", "2Mi"]),
    "variables.<name>": TEXTS,
}
"""Values that the application can take, most of them, where not every one of the row is."""

APART: dict[str, tuple[str, str]] = {
    "app.name": ("one", "two"),
    "runtime.shim": ("0.24.0", "0.19.0"),
    "runtime.installer": ("kwasm", "preinstalled"),
    "build.profile": ("debug", "release"),
    "image.form": ("artifact", "rootfs"),
    "image.dockerfile": ("Dockerfile", "docker/Dockerfile"),
    "image.repository": ("one", "two"),
    "image.tag": ("content", "v1"),
    "container_registry.server": ("127.0.0.1:5000", "127.0.0.1:5001"),
    "kubernetes.dest": ("manifests", "deploy"),
    "kubernetes.namespace": ("one", "two"),
    "kubernetes.replicas": ("1", "2"),
    "kubernetes.service": ("loadbalancer", "clusterip"),
    "kubernetes.resources.cpu_request": ("100m", "200m"),
    "kubernetes.resources.cpu_limit": ("500m", "600m"),
    "kubernetes.resources.memory_request": ("64Mi", "65Mi"),
    "kubernetes.resources.memory_limit": ("512Mi", "513Mi"),
    "variables.<name>": ("Hello", "Welcome"),
}
"""Two values of each input that reaches the bytes."""

SILENT = {
    "require_environment",
    "app.manifest",
    "image.builder",
    "image.platform",
    "kubernetes.type",
    "cluster.timeout",
}
SILENT |= {"cluster.kubeconfig", "cluster.context", "cluster.tenant", "cluster.subscription", "cluster.resource_group"}
SILENT |= {"cluster.location", "cluster.node_size", "cluster.node_count"}
SILENT |= {"container_registry.subscription", "container_registry.resource_group"}
SILENT |= {"keyvault.subscription", "keyvault.resource_group"}
SILENT |= {"identity.subscription", "identity.resource_group", "identity.service_account"}
"""What decides other things than what is rendered, for this application."""


def application(folder: Path) -> Path:
    """The same in each folder: two manifests, two profiles, a variable."""
    tiny_in(folder)
    profiles = (
        ("debug", "cp a.src ./a.wasm"),
        ("release", "cp a.src a.wasm; printf '\\\\000\\\\001\\\\001' >> a.wasm"),
    )
    text = (folder / "spin.toml").read_text()
    for name, command in profiles:
        text += f'\n[component.a.profile.{name}]\nbuild.command = "{command}"\n'
    for name in ("spin.toml", "other.toml"):
        (folder / name).write_text(text)
    add_variables(folder, 'greeting = { default = "Hi" }')
    return folder


def given_by(way: str, one: Input, value: Value, folder: Path) -> tuple[list[str], dict[str, str]]:
    """Arguments and variables of the run that is given the value this way; files are written."""
    for name, path in ((FILE, "aks-spin.toml"), (OVERLAY, f"aks-spin.{ENVIRONMENT}.toml")):
        (folder / path).write_text(toml(one.key, value) if name == way else "")
    variables = {} if one.variable == REGISTRY else {REGISTRY: "127.0.0.1:5000"}
    argv = ["render", "dockerfile", "--offline", "-e", ENVIRONMENT, *(flag(one, value, -1) if way == FLAG else ())]
    return argv, {**variables, one.variable: word(value)} if way == VARIABLE else variables


def bytes_of(folder: Path) -> dict[str, bytes]:
    """What is applied, and what people keep."""
    rendered = folder / f".spin-aks/{ENVIRONMENT}/rendered.yaml"
    files = (path for path in folder.rglob("*") if path.is_file() and ".spin-aks" not in path.parts)
    kept = (path for path in files if not path.name.startswith("aks-spin."))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in [rendered, *kept]}


def outcome_of(way: str, one: Input, value: Value, folder: Path) -> Outcome:
    """What a run in this process leaves in `folder`."""
    argv, variables = given_by(way, one, value, folder)
    with standing_in(folder, variables):
        try:
            run.run(PARSER.parse_args(argv))
        except SpinAksError as error:
            return tuple(problem.what for problem in error.problems)
        finally:
            context.current().lock.release()
    return bytes_of(folder)


@contextmanager
def standing_in(folder: Path, variables: dict[str, str]) -> Iterator[None]:
    before = {name: text for name, text in os.environ.items() if name.startswith(("SPIN_", "CI"))}
    kept = {"XDG_CACHE_HOME": str(folder.parent / "cache"), "SPIN_DATA_DIR": str(folder.parent / "spin-data")}
    with pytest.MonkeyPatch.context() as patched:
        for name in before:
            patched.delenv(name)
        for name, text in {**kept, **variables}.items():
            patched.setenv(name, text)
        patched.chdir(folder)
        yield


def ways(row: Row) -> tuple[str, ...]:
    return tuple(way for way in Input(row, "greeting").ways() if way != ANSWER)


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Row, str], Path]:
    """One application for each row and way, which goes through all the row's values in their order."""

    @cache
    def made(row: Row, way: str) -> Path:
        return application(tmp_path_factory.mktemp(way) / "app")

    return made


@pytest.mark.parametrize("row", READ, ids=identity)
@settings(max_examples=6, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_one_value_is_the_same_bytes_by_whatever_way_it_is_given(
    folder_of: Callable[[Row, str], Path], row: Row, data: st.DataObject
) -> None:
    value = data.draw(TAKEN[row.key] if row.key in TAKEN else values(row))
    one = Input(row, "greeting" if row.is_free else "")

    found = {way: outcome_of(way, one, value, folder_of(row, way)) for way in ways(row)}

    assert dict.fromkeys(found, found[FILE]) == found


@pytest.mark.parametrize("key", APART)
def test_another_value_is_other_bytes(folder_of: Callable[[Row, str], Path], key: str) -> None:
    row = next(row for row in READ if row.key == key)
    one = Input(row, "greeting" if row.is_free else "")

    former, latter = (
        outcome_of(FILE, one, int(value) if row.kind == "count" else value, folder_of(row, "apart"))
        for value in APART[key]
    )

    assert isinstance(former, dict)
    assert isinstance(latter, dict)
    assert former != latter


def test_every_input_that_is_read_reaches_the_bytes_or_is_known_not_to() -> None:
    assert {row.key for row in READ} == APART.keys() | SILENT


@pytest.mark.parametrize("key", ["kubernetes.namespace", "kubernetes.replicas", "variables.<name>"])
def test_a_users_own_runs_agree_too(tmp_path: Path, key: str) -> None:
    row = next(row for row in READ if row.key == key)
    one, value = (
        Input(row, "greeting" if row.is_free else ""),
        int(APART[key][1]) if row.kind == "count" else APART[key][1],
    )
    found: dict[str, dict[str, bytes]] = {}
    for way in ways(row):
        app = App(application(tmp_path / way / "app"))
        argv, variables = given_by(way, one, value, app.root)
        done = app.plain("run", *argv, **variables)
        assert done.code == 0, done.err
        found[way] = bytes_of(app.root)

    assert [FLAG, VARIABLE, OVERLAY, FILE] == list(found)
    assert dict.fromkeys(found, found[FILE]) == found
