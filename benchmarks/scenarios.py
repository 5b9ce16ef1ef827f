"""What is measured: one function for each question, which sets its scene, measures, and returns rows of the report."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import rivals
import synthetic
import yaml
from measuring import MeasurementError, Program, measure, side_by_side
from servers import PROJECT, RUNTIME_CLASS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from measuring import Series
    from servers import Servers

MB = 1_000_000
LOGGED = PROJECT / "benchmarks" / "logged.py"
RENDERED = ".spin-aks/default/rendered.yaml"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the report. `limit` is what the design allows for `ratio` or `figure`; empty where it sets none."""

    what: str
    figure: str
    ratio: str = ""
    limit: str = ""
    kept: bool | None = None


def start_up(rounds: int) -> list[Row]:
    """How soon `--help` answers."""
    python = Program("python -c pass", (sys.executable, "-c", "pass"))
    helped = Program("spin-aks --help", ("spin-aks", "--help"))
    bare, ours = side_by_side([python, helped], rounds)
    return [_time("python -c pass", bare), _against("spin-aks --help", ours, bare, 2.5, "python -c pass")]


def no_op(folder: Path, servers: Servers, rounds: int, few: int = 10, many: int = 1000) -> list[Row]:
    """A run with nothing to do, at two sizes: against doit and make on the same graph, and against itself."""
    rows, tools = [], []
    for count in (few, many):
        app = synthetic.application(folder / f"no-op-{count}", count, name=f"no-op-{count}")
        environment = servers.environment(servers.new_registry())
        _up(app, environment)
        rivals.write_bare(app, environment)
        doit = Program(f"doit {count}", ("doit", "-f", "rivals/pipeline.py", "-d", "."), app, environment)
        make = Program(f"make {count}", ("make", "--silent", "-f", "rivals/Makefile"), app)
        ours = Program(f"up --offline {count}", ("spin-aks", "up", "--offline"), app, environment)
        tools += [doit, make, ours]
    series = dict(zip((tool.name for tool in tools), side_by_side(tools, rounds), strict=True))
    for count in (few, many):
        _require_no_op(series[f"doit {count}"], "-- ", count)
        _require_no_op(series[f"up --offline {count}"], "fresh ", count)
    for count in (few, many):
        bare, ours_ = series[f"doit {count}"], series[f"up --offline {count}"]
        rows += [_time(f"make, {count} components, nothing to do", series[f"make {count}"])]
        rows += [_time(f"doit, {count} components, nothing to do", bare)]
        rows += [_against(f"spin-aks up --offline, {count} components", ours_, bare, 1.3, "doit")]
        rows += [_memory(f"its peak memory, {count} components", ours_, 60)]
    small, large = series[f"up --offline {few}"], series[f"up --offline {many}"]
    return [*rows, _against(f"{many} components", large, small, 2.5, f"{few} components")]


def cluster_check(folder: Path, servers: Servers, rounds: int) -> list[Row]:
    """What asking the cluster adds to a run with nothing to do."""
    app = synthetic.application(folder / "checked", 10, name="checked")
    environment = servers.environment(servers.new_registry())
    _up(app, environment)
    offline = Program("offline", ("spin-aks", "up", "--offline"), app, environment)
    asking = Program("asking", ("spin-aks", "up"), app, environment)
    logged = Program("logged", (sys.executable, str(LOGGED), "up"), app, environment)
    local, asked = side_by_side([offline, asking], rounds)
    kinds = len({object_["kind"] for object_ in yaml.safe_load_all((app / RENDERED).read_text())})
    requests = [line.split('"')[1] for line in measure(logged).output.splitlines() if '" 200 ' in line]
    plain = len(requests) == kinds and all(request.startswith("GET ") for request in requests)
    return [
        _time("spin-aks up --offline", local),
        _time("spin-aks up, asking the cluster", asked),
        Row(f"requests to the cluster, {kinds} kinds applied", str(len(requests)), limit=str(kinds), kept=plain),
    ]


def one_of_twenty(folder: Path, servers: Servers, rounds: int) -> list[Row]:
    """One component of twenty is edited: what is built, what is sent, and how long it takes, against the script."""
    app = synthetic.application(folder / "twenty", 20, name="twenty")
    registry = servers.new_registry()
    environment = {**servers.environment(registry), "DOCKER_HOST": servers.docker.docker_host}
    rivals.write_script(app, "twenty", RUNTIME_CLASS)
    counter = iter(range(1_000_000))

    def edited() -> None:
        synthetic.edit(app, synthetic.component_names(20)[7], f"edit {next(counter)}")

    _up(app, environment)
    edited()
    said = measure(Program("push", ("spin-aks", "push", "--output", "json"), app, environment)).output
    built = sum(line.split()[:1] == ["run"] and line.split()[1].startswith("build:") for line in said.splitlines())
    sent = sum(layer["sent"] for layer in json.loads(said[said.index("\n{") :])["layers"])
    ours = Program("spin-aks up", ("spin-aks", "up"), app, environment, edited)
    script = Program("script", ("sh", "rivals/up.sh", f"{registry.host}/script:1"), app, environment, edited)
    series, bare = side_by_side([ours, script], rounds)
    return [
        Row("components built", str(built), limit="1", kept=built == 1),
        Row("layers sent, the locked application among them", str(sent), limit="2", kept=sent == 2),
        _time("the script with Docker", bare),
        _against("spin-aks up", series, bare, 1.0, "the script"),
    ]


def from_nothing(folder: Path, servers: Servers, rounds: int, example: str, *, compiled: bool = True) -> list[Row]:
    """The first run of an example: no output, an empty registry, no image in Docker's store, nothing in the cluster.

    Without `compiled` the compiler's output is copied in the place of compiling, whose time varies more than all the
    rest takes.
    """
    app = folder / f"{example}-{compiled}"
    shutil.copytree(PROJECT / "examples" / example, app, ignore=_outputs)
    if not compiled:
        _keep_compiled(app)
    environment: dict[str, str] = {}
    script_image = "sh rivals/up.sh $SPIN_AKS_CONTAINER_REGISTRY_SERVER/script:1"

    def fresh() -> None:
        environment.update(servers.environment(servers.new_registry()))
        environment["DOCKER_HOST"] = servers.docker.docker_host
        environment["SPIN_AKS_VARIABLES_GREETING"] = "Welcome"
        _forget(app, example, environment)
        rivals.write_script(app, example, RUNTIME_CLASS)

    ours = Program("spin-aks up", ("spin-aks", "up", "--yes"), app, environment, fresh)
    script = Program("script", ("sh", "-c", script_image), app, environment, fresh)
    series, bare = side_by_side([ours, script], rounds)
    _forget(app, example, environment)
    title = example if compiled else f"{example}, compiled before"
    return [
        _time(f"{title}: the script with Docker", bare),
        _against(f"{title}: spin-aks up", series, bare, 1.0, "the script"),
    ]


def large_layer(folder: Path, servers: Servers, size_bytes: int) -> list[Row]:
    """Pushing one huge asset to an empty registry, and again when it is there."""
    app = synthetic.large_asset(folder / "large", size_bytes)
    environment = servers.environment(servers.new_registry())
    push = ("spin-aks", "push", "--output", "json")
    _run(("spin-aks", "run", "image"), app, environment)
    (first,) = side_by_side([Program("push", push, app, environment)], 1, warm_up=False)
    return [_time(f"pushing {size_bytes // MB} MB", first), _memory("its peak memory", first, 100)]


def _require_no_op(series: Series, fresh: str, components: int) -> None:
    """A run that did something, or saw no stages, would be no measurement of doing nothing."""
    said = series.samples[-1].output.splitlines()
    if sum(line.startswith(fresh) for line in said) < components + 8:
        raise MeasurementError("it was not all fresh:\n" + "\n".join(said))


def _up(app: Path, environment: Mapping[str, str]) -> None:
    _run(("spin-aks", "up", "--yes"), app, environment)


def _run(argv: tuple[str, ...], folder: Path, environment: Mapping[str, str]) -> None:
    measure(Program(" ".join(argv), argv, folder, environment))


def _keep_compiled(app: Path) -> None:
    """Compiles each component now; from here on its build command copies what came of that."""
    manifest = (app / "spin.toml").read_text()
    for component in tomllib.loads(manifest)["component"].values():
        folder, wasm = app / component["build"].get("workdir", ""), app / component["source"]
        subprocess.run(["sh", "-c", component["build"]["command"]], cwd=folder, capture_output=True, check=True)
        wasm.rename(wasm.with_suffix(".kept"))
        copy = f"cp {wasm.stem}.kept {wasm.name}"
        manifest = manifest.replace(json.dumps(component["build"]["command"]), json.dumps(copy))
    (app / "spin.toml").write_text(manifest)


def _outputs(_folder: str, names: list[str]) -> set[str]:
    kept = {".spin-aks", ".spin-aks.lock", "Dockerfile", "manifests", "__pycache__", "rivals"}
    return {name for name in names if name.endswith(".wasm") or name in kept}


def _forget(app: Path, name: str, environment: Mapping[str, str]) -> None:
    """Everything that a run leaves behind: here, in the test bed's Docker and in its cluster."""
    for path in sorted(app.rglob("*")):
        if path.exists() and path.name in _outputs("", [path.name]):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    # Named outright: never those that the user's own environment stands for.
    docker = ["docker", "--host", environment["DOCKER_HOST"]]
    kubectl = ["kubectl", "--kubeconfig", environment["KUBECONFIG"], "delete", "--ignore-not-found"]
    subprocess.run([*docker, "system", "prune", "--all", "--force"], capture_output=True, check=True)
    names = [f"deployment/{name}", f"service/{name}"]
    subprocess.run([*kubectl, "--namespace=default", *names], capture_output=True, check=True)
    subprocess.run([*kubectl, f"namespace/{name}"], capture_output=True, check=True)


def _time(what: str, series: Series) -> Row:
    return Row(what, f"{series.wall_s * 1000:.0f} ms" if series.wall_s < 10 else f"{series.wall_s:.1f} s")


def _against(what: str, series: Series, bare: Series, limit: float, than: str) -> Row:
    ratio = series.wall_s / bare.wall_s
    return Row(what, _time("", series).figure, f"{ratio:.2f} x {than}", f"{limit:g} x", ratio <= limit)


def _memory(what: str, series: Series, limit_mb: int) -> Row:
    return Row(what, f"{series.peak_mb:.0f} MB", limit=f"{limit_mb} MB", kept=series.peak_mb <= limit_mb)
