"""Every input of the pipeline, one row each: its key, its flags, its environment variable, its default, its meaning.

The class is the table. A value given by flag wins over one given by environment, that over the default; plain `doit`
takes the environment only. A variable's name is the key's: `image.form` is `SPIN_AKS_IMAGE_FORM`.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from spin_aks.errors import Problem, UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

Value = TypeVar("Value")

PREFIX = "SPIN_AKS_"
PAIRS_PREFIX = "SPIN_AKS_VARIABLES_"

# It names a folder, on any system: nothing that leads out of its parent, hides, or is taken for a flag.
ENVIRONMENT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


@dataclass(frozen=True, slots=True)
class Row:
    """One input. `path` marks one that is relative to the user's folder; `pairs` one that is given as NAME=VALUE;
    `pattern` is what all of its text has to match, which `form` says in words. `file_name` is the name that a file has
    where a folder is given, with a `/` at its end.
    """

    key: str
    flags: tuple[str, ...]
    meaning: str
    metavar: str = ""
    choices: tuple[str, ...] = ()
    path: bool = False
    pairs: bool = False
    pattern: re.Pattern[str] | None = None
    form: str = ""
    file_name: str = ""

    @property
    def variable(self) -> str:
        return PREFIX + self.key.upper().replace(".", "_")


def _row(
    default: Value,
    key: str,
    *flags: str,
    meaning: str,
    metavar: str = "",
    choices: tuple[str, ...] = (),
    path: bool = False,
    pairs: bool = False,
    pattern: re.Pattern[str] | None = None,
    form: str = "",
    file_name: str = "",
) -> Value:
    row = Row(key, flags, meaning, metavar, choices, path, pairs, pattern, form, file_name)
    return field(default=default, metadata={"row": row})


@dataclass(frozen=True)
class Settings:
    """What the pipeline is to do. Paths are relative to the application's root, or absolute."""

    manifest: str = _row(
        "spin.toml", "app.manifest", "-f", "--from", "--file", metavar="PATH", path=True,
        meaning="the application's spin.toml, or its folder",
    )  # fmt: skip
    environment: str = _row(
        "default", "environment", "-e", "--environment", metavar="NAME",
        meaning="the environment to work on: each has its own state",
        pattern=ENVIRONMENT_NAME,
        form="a name of letters, digits, `.`, `_` and `-`, a letter or digit first, 63 at most",
    )  # fmt: skip
    shim: str = _row(
        "", "runtime.shim", "--shim", metavar="VERSION",
        meaning="the containerd-shim-spin on the cluster; without it, the newest known",
    )  # fmt: skip
    installer: str = _row(
        "kwasm", "runtime.installer", "--runtime", choices=("kwasm", "preinstalled"),
        meaning="who puts the shim on the nodes: KWASM's objects come along, or it is there",
    )  # fmt: skip
    profile: str = _row(
        "", "build.profile", "--profile", metavar="NAME",
        meaning="the build profile of the components (Spin >= 4.0)",
    )  # fmt: skip
    builder: str = _row(
        "auto", "image.builder", "--builder", choices=("auto", "oci", "docker", "spin"),
        meaning="who makes the image: ours without a daemon, a Docker daemon, or the Spin CLI",
    )  # fmt: skip
    form: str = _row(
        "auto", "image.form", "--form", choices=("auto", "artifact", "rootfs"),
        meaning="what the image is: a Spin artifact, or a root file system",
    )  # fmt: skip
    platform: str = _row(
        "linux/amd64", "image.platform", "--platform", choices=("linux/amd64", "linux/arm64"),
        meaning="the nodes' platform; only an image of the form rootfs depends on it",
    )  # fmt: skip
    dockerfile: str = _row(
        "Dockerfile", "image.dockerfile", "--dockerfile-dest", metavar="PATH", path=True, file_name="Dockerfile",
        meaning="where the Dockerfile is; a folder means PATH/Dockerfile",
    )  # fmt: skip
    repository: str = _row(
        "", "image.repository", "--repository", metavar="NAME",
        meaning="the image's repository; without it, the application's name",
    )  # fmt: skip
    tag: str = _row(
        "", "image.tag", "--tag", metavar="TAG",
        meaning="the image's tag; without it, the hash of its content",
    )  # fmt: skip
    registry: str = _row(
        "", "container_registry.server", "--registry", metavar="HOST[:PORT][/PREFIX]",
        meaning="the registry to push to",
    )  # fmt: skip
    kind: str = _row(
        "kube", "kubernetes.type", "-t", "--type", choices=("kube", "kustomize", "helm"),
        meaning="what the Kubernetes files are written as",
    )  # fmt: skip
    k8s_dest: str = _row(
        "manifests", "kubernetes.dest", "--k8s-dest", metavar="FOLDER", path=True,
        meaning="where the Kubernetes files are",
    )  # fmt: skip
    namespace: str = _row(
        "", "kubernetes.namespace", "--namespace", metavar="NAME",
        meaning="the namespace; without it, the application's name",
    )  # fmt: skip
    replicas: int = _row(
        0, "kubernetes.replicas", "--replicas", metavar="N",
        meaning="how many pods; without it, what the files say, else 1",
    )  # fmt: skip
    service: str = _row(
        "loadbalancer", "kubernetes.service", "--service", choices=("loadbalancer", "clusterip"),
        meaning="how an HTTP application is reached: from outside, or in the cluster only",
    )  # fmt: skip
    memory_limit: str = _row(
        "", "kubernetes.memory_limit", "--memory-limit", metavar="QUANTITY",
        meaning="a pod's memory limit, as 128Mi; without it, by form and size of the wasm",
    )  # fmt: skip
    kubeconfig: str = _row(
        "", "cluster.kubeconfig", "--kubeconfig", metavar="PATH", path=True,
        meaning="the kubeconfig; without it, kubectl's own",
    )  # fmt: skip
    context: str = _row(
        "", "cluster.context", "--context", metavar="NAME",
        meaning="the kubeconfig's context; without it, its current one",
    )  # fmt: skip
    timeout_s: int = _row(
        300, "cluster.timeout", "--timeout", metavar="SECONDS",
        meaning="how long to wait for the rollout",
    )  # fmt: skip
    variables: tuple[tuple[str, str], ...] = _row(
        (), "variables", "--variable", metavar="NAME=VALUE", pairs=True,
        meaning="a plain variable's value (may be repeated)",
    )  # fmt: skip


ROWS: Mapping[str, Row] = {item.name: item.metadata["row"] for item in fields(Settings)}
DEFAULTS = Settings()


def add_arguments(parser: argparse.ArgumentParser, *names: str) -> None:
    """Gives `parser` the flags of the rows of these names, of every row if none is named."""
    group = parser.add_argument_group("inputs")
    for name in names or ROWS:
        row = ROWS[name]
        group.add_argument(
            *row.flags,
            dest=name,
            default=None,
            action="append" if row.pairs else "store",
            type=str.lower if row.choices else str,
            choices=row.choices or None,
            metavar=row.metavar or None,
            help=f"{row.meaning} [{row.variable}{'_NAME' if row.pairs else ''}]",
        )


def read(flags: Mapping[str, object], environment: Mapping[str, str]) -> Settings:
    """The settings, from flags as argparse leaves them (None: not given) and the environment, else the defaults.

    Raises UsageError naming every value that can't be: what it was, where it came from.
    """
    problems: list[Problem] = []
    given: dict[str, Any] = {}  # each of its field's own type: _typed sees to it
    for name, row in ROWS.items():
        source, raw = _given(name, row, flags, environment)
        if raw is None:
            continue
        try:
            given[name] = _typed(row, raw, getattr(DEFAULTS, name))
        except ValueError as error:
            problems.append(Problem(str(error), source))
    if problems:
        raise UsageError.of(problems)
    return replace(DEFAULTS, **given)


def _given(
    name: str, row: Row, flags: Mapping[str, object], environment: Mapping[str, str]
) -> tuple[str, str | list[str] | None]:
    flag = flags.get(name)
    if row.pairs:
        return row.flags[-1], _pairs_given(flag, environment)
    if isinstance(flag, str):
        return row.flags[-1], flag
    return row.variable, environment.get(row.variable) or None


def _pairs_given(flag: object, environment: Mapping[str, str]) -> list[str]:
    from_environment = [
        f"{variable.removeprefix(PAIRS_PREFIX).lower()}={value}"
        for variable, value in sorted(environment.items())
        if variable.startswith(PAIRS_PREFIX)
    ]
    return [*from_environment, *(flag if isinstance(flag, list) else [])]


def _typed(row: Row, raw: str | list[str], default: object) -> str | int | tuple[tuple[str, str], ...]:
    if isinstance(raw, list):
        return tuple(sorted(dict(_pair(text) for text in raw).items()))
    if isinstance(default, int):
        if not raw.isdecimal() or int(raw) == 0:
            raise ValueError(f"`{raw}` is no whole number above 0")
        return int(raw)
    if row.choices and raw.lower() not in row.choices:
        raise ValueError(f"`{raw}` is none of {', '.join(row.choices)}")
    if row.pattern and not row.pattern.fullmatch(raw):
        raise ValueError(f"`{raw}` is not {row.form}")
    if row.path:
        named = os.path.join(raw, row.file_name) if raw.endswith(("/", os.sep)) else raw  # noqa: PTH118
        return os.path.abspath(named)  # noqa: PTH100 - Path.resolve would follow links that the user means
    return raw.lower() if row.choices else raw


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ValueError(f"`{text}` is not of the form NAME=VALUE")
    return name, value


def rooted(settings: Settings) -> tuple[Path, Settings]:
    """The manifest's folder, and the settings with paths relative to it; `manifest` is then the file's name.

    Raises UsageError if there is no such manifest.
    """
    manifest = Path(settings.manifest)
    if manifest.is_dir():
        manifest = manifest / "spin.toml"
    if not manifest.is_file():
        hint = "name it with `-f PATH`, or run this in the application's folder"
        raise UsageError(f"there is no `{manifest}`", hint=hint)
    root = manifest.parent.resolve()
    moved: dict[str, Any] = {
        name: _below(root, getattr(settings, name))
        for name, row in ROWS.items()
        if row.path and Path(getattr(settings, name)).is_absolute()
    }
    return root, replace(settings, **{**moved, "manifest": manifest.name})


def _below(root: Path, path: str) -> str:
    """`path` from `root`, if it is there or beside it, so that state stays true when the whole tree is moved."""
    relative = os.path.relpath(path, root)
    return path if relative.startswith("../../") else relative
