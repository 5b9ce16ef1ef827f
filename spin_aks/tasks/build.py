"""The stages `build:NAME`: one for each distinct way to make a wasm file; components may share one."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from spin_aks import context as contexts
from spin_aks import files, kept
from spin_aks.errors import ProcessError, SpinAksError
from spin_aks.spin import cli_version
from spin_aks.spin.model import LocalSource
from spin_aks.spin.sources import Scope, clean, sources
from spin_aks.tasks.dockerfile import dockerfile_path
from spin_aks.tasks.stage import FileState, Stage, states

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spin_aks import process
    from spin_aks.context import Context
    from spin_aks.json_types import JSON
    from spin_aks.spin.model import Application, Build

BUILDS = "build"
CONFIGURATIONS = ("aks-spin.toml", "spin-aks.toml")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Compilation:
    """How one wasm file is made; `component` is the first that uses it, which names the stage."""

    component: str
    build: Build
    wasm: str

    @property
    def name(self) -> str:
        return f"{BUILDS}:{self.component}"


def compilations(application: Application) -> tuple[Compilation, ...]:
    """Each distinct (commands, workdir, source) once, in the manifest's order, as Spin builds."""
    found: dict[tuple[tuple[str, ...], str, str], Compilation] = {}
    for component in application.components:
        if component.build is not None and component.build.commands:
            wasm = component.source.path if isinstance(component.source, LocalSource) else ""
            key = (component.build.commands, component.build.workdir, wasm)
            found.setdefault(key, Compilation(component.id, component.build, wasm))
    return tuple(found.values())


def stages(context: Context) -> Iterator[Stage]:
    application = context.application
    made = compilations(application)
    outside = _never_sources(context, made)
    folders = frozenset(clean(compilation.build.workdir or ".") for compilation in made)
    notes = context.state("build").as_posix()
    for compilation in made:
        scope = Scope(compilation.build.workdir, compilation.build.watch, outside, folders)
        yield _stage(context, compilation, scope, f"{notes}/{compilation.component}.json")


def _stage(context: Context, compilation: Compilation, scope: Scope, note: str) -> Stage:
    build = compilation.build
    values: dict[str, JSON] = {
        "command": list(build.commands),
        "workdir": build.workdir,
        "source": compilation.wasm,
        "watch": list(build.watch),
        "build.profile": context.settings.profile or None,
    }
    return Stage(
        name=compilation.name,
        doc=f"compile {compilation.wasm or compilation.component}",
        action=lambda: _compile(context, compilation, scope, note),
        depends_on=("validate",),
        files=lambda: _sources(scope, note),
        values=values,
        targets=(compilation.wasm,) if compilation.wasm else (),
        owns_targets=True,
        shares_files=True,
    )


def _never_sources(context: Context, made: tuple[Compilation, ...]) -> frozenset[str]:
    """What is made from the sources, or beside them: the manifest counts by the slice that is in the values."""
    ours = {context.settings.manifest, dockerfile_path(context).as_posix(), kept.LOCK.as_posix(), *configurations()}
    # Those that we wrote where the configuration had them before, too.
    ours |= {path.as_posix() for path in kept.written_below(Path())}
    ours |= _kubernetes_files(context, made)
    return frozenset(clean(path) for path in ours | _outputs(context.written) if path)


def configurations() -> set[str]:
    """The configuration files that stand in the application's folder, and what any of its environments is run with:
    what a stage reads of them is among its values.
    """
    named = set(CONFIGURATIONS)
    for note in glob.glob(f"{contexts.STATE}/*/{contexts.OWNER}"):  # noqa: PTH207 - see `existing`
        match files.read_json(Path(note)):
            case {"configurations": list(paths)}:
                named |= {str(path) for path in paths}
    return named.union(*(_overlays(path) for path in named))


def _overlays(path: str) -> list[str]:
    """Those there are of the configuration `path`: `aks-spin.NAME.toml` is one of `aks-spin.toml`."""
    folder, name = os.path.split(path)
    try:
        there = os.listdir(folder or ".")  # noqa: PTH208 - see `existing`
    except OSError:
        return []
    before = f"{name.removesuffix('.toml')}."
    # Joined to an empty folder, a name stays as it is.
    return [os.path.join(folder, one) for one in there if one.startswith(before) and one.endswith(".toml")]  # noqa: PTH118


def _outputs(application: Application) -> set[str]:
    """The wasm files of all components, in each of their profiles."""
    every = (
        source
        for component in application.components
        for source in (component.source, *(profile.source for profile in component.profiles.values()))
    )
    return {source.path for source in every if isinstance(source, LocalSource)}


def _kubernetes_files(context: Context, made: tuple[Compilation, ...]) -> set[str]:
    """Their folder, whole; nothing of it but the files that we wrote where sources are in it, too."""
    folder = clean(context.settings.k8s_dest)
    if folder == "." or any(f"{clean(made_by.build.workdir)}/".startswith(f"{folder}/") for made_by in made):
        return set()
    return {folder}


def _sources(scope: Scope, note: str) -> list[str]:
    """The sources but those that the command itself makes, as long as they are as it left them."""
    found = sources(scope)
    generated = _generated(note)
    if not generated:
        return found
    now = states(generated)
    return [path for path in found if path not in generated or now.get(path) != generated[path]]


def _generated(note: str) -> dict[str, FileState]:
    if not os.path.isfile(note):  # noqa: PTH113 - see `states`
        return {}
    match files.read_json(Path(note)):
        case {"generated": dict(entries)}:
            return {path: entry for path, value in entries.items() if (entry := _state(value))}
    return {}


def _state(value: JSON) -> FileState | None:
    match value:
        case [int(mtime_ns), int(size_bytes)]:
            return mtime_ns, size_bytes
    return None


def _compile(context: Context, compilation: Compilation, scope: Scope, note: str) -> None:
    before = set(sources(scope)) - set(_generated(note))
    for command in commands(context, compilation):
        _run(command, compilation)
    if compilation.wasm and not Path(compilation.wasm).is_file():
        raise SpinAksError(
            f"`{compilation.build.commands[-1]}` ended well, but there is no `{compilation.wasm}`",
            where=f"component `{compilation.component}`",
            hint="make `source` in spin.toml name what the command makes",
        )
    made = states(path for path in sources(scope) if path not in before)
    generated: dict[str, JSON] = {path: list(state) for path, state in made.items()}
    if generated:
        files.write_json(Path(note), {"generated": generated})
    else:
        Path(note).unlink(missing_ok=True)


def _run(command: process.Command, compilation: Compilation) -> None:
    from spin_aks import process

    try:
        process.stream(command)
    except ProcessError as error:
        hint = f"that is how spin.toml builds `{compilation.component}`; what it said stands above"
        error.problems = tuple(replace(problem, hint=hint) for problem in error.problems)
        raise


def commands(context: Context, compilation: Compilation) -> tuple[process.Command, ...]:
    """What to run: `spin build` where a CLI is there that can build one component, else the component's own commands.

    As Spin has it (crates/build/src/lib.rs): each by the shell, in the workdir, in order, until the first failure.
    """
    from spin_aks import process

    cli = cli_version.find()
    if cli is not None and cli_version.can_build_one_component(cli.version):
        profile = ("--profile", context.settings.profile) if context.settings.profile else ()
        manifest = ("-f", context.settings.manifest)
        return (process.Command((cli.path, "build", *manifest, "-c", compilation.component, *profile)),)
    folder = Path(compilation.build.workdir or ".")
    return tuple(process.Command.shell(line, folder) for line in compilation.build.commands)
