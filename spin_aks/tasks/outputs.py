"""What stages write back into the configuration: where the files that people keep are, and what was pushed last."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from spin_aks import terminal
from spin_aks.errors import SpinAksError
from spin_aks.settings.loaded import is_own

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from spin_aks.cluster.applied import Applied
    from spin_aks.context import Context
    from spin_aks.errors import Problem
    from spin_aks.settings.loaded import Loaded
    from spin_aks.settings.row import Value


def note_pushed(context: Context, tag: str, digest: str) -> None:
    """Writes `[image.pushed]` into the file that is this environment's alone, if there is one.

    The image is pushed by then: where the file can't be written, that is said, and nothing has failed.
    """
    path = _own_file(context)
    if path is None:
        return
    registry, repository = _image_name(context)
    noted = {"registry": registry, "repository": repository, "tag": tag, "digest": digest}
    try:
        _change(path, {("image", "pushed", name): value for name, value in noted.items() if value})
    except SpinAksError as error:
        problem = error.problems[0]
        terminal.show_notice(replace(problem, what=f"what was pushed is not noted: {problem.what}"))


def remember_pushed(context: Context) -> None:
    """Keeps the registry as the default of the next question; a sandbox's is nobody's choice."""
    if not os.environ.get("SPIN_AKS_SANDBOX"):
        from spin_aks import choices

        choices.note(registry=_registry_id(context), configuration=_configuration(context))


def remember_deployed(context: Context, applied: Applied) -> None:
    """Keeps what runs now, and where, as the defaults of the next questions; of the sandbox's Azure nothing."""
    from spin_aks import choices
    from spin_aks.tasks import push, resources

    pushed, sandbox = push.pushed(context), bool(os.environ.get("SPIN_AKS_SANDBOX"))
    if pushed is None or (sandbox and resources.registry(context) is not None):
        return
    key = choices.ApplicationKey(context.application.name, str(Path(context.settings.manifest).absolute()))
    deployed = choices.Deployed(*_image_name(context), pushed.reference.tag, pushed.digest, applied.when)
    if sandbox:
        choices.note(deployed=(key, deployed))
        return
    in_azure = resources.cluster(context) is not None
    choices.note(
        cluster=str(resources.resource_id(context, "cluster")) if in_azure else applied.target.identity,
        registry=_registry_id(context),
        configuration=_configuration(context),
        deployed=(key, deployed),
    )


def _registry_id(context: Context) -> str:
    """A registry's host, with a prefix if one was given; of one in Azure its resource id."""
    from spin_aks.tasks import resources

    if resources.registry(context) is None:
        return context.settings.registry
    return str(resources.resource_id(context, "registry"))


def _configuration(context: Context) -> str:
    return str(Path(context.settings.config).absolute()) if context.settings.config else ""


def configuration_file(context: Context) -> Path | None:
    """Where what a person says about this environment belongs: its overlay if there is one, else the file of all."""
    if context.loaded is None:
        return None
    return context.loaded.files.overlay or context.loaded.files.expected


def keepable(context: Context, texts: Mapping[str, str]) -> dict[str, str]:
    """What of these values may stand in that file: one application's variables are no other's."""
    own = context.loaded is not None and is_own(context.loaded, Path.cwd())
    return {key: text for key, text in texts.items() if own or not key.startswith("variables.")}


def shown(path: Path) -> str:
    """The path as it is from here."""
    return os.path.relpath(path)


def write(path: Path, texts: Mapping[str, str]) -> None:
    """Writes values, as text by full key, into the configuration; each has been found to be one."""
    from spin_aks.settings import layers, values

    known = {key: row for key in texts if (row := layers.row_of(key))}
    here = str(Path.cwd())
    _change(path, {tuple(key.split(".")): values.of_text(row, texts[key], here) for key, row in known.items()})


def _image_name(context: Context) -> tuple[str, str]:
    """The registry's host, with a prefix if one was given, and the repository below it."""
    from spin_aks.tasks import push

    return push.server(context), push.repository(context)


def _own_file(context: Context) -> Path | None:
    """Files that environments or applications share hold nothing of one of them."""
    if context.loaded is None or not is_own(context.loaded, Path.cwd()):
        return None
    found = context.loaded.files
    return found.base if found.expected_overlay is None else found.overlay


def note_places(context: Context, keys: Iterable[str]) -> None:
    """Writes the paths of these keys into the configuration (made if there is none), as far as it has others, and
    unless other applications share it.

    Raises SpinAksError where it can't be written.
    """
    loaded = context.loaded
    if loaded is None:
        return
    if not is_own(loaded, Path.cwd()):
        _tell_not_kept(keys, loaded, loaded.files.expected)
        return
    changed: dict[Path, dict[tuple[str, ...], Value]] = {}
    for key in keys:
        path = _file_of(key, loaded)
        if place := _place(key, context, loaded, path):
            changed.setdefault(path, {})[tuple(key.split("."))] = place
    for path, values in changed.items():
        if _change(path, values):
            named = ", ".join(f"`{'.'.join(key)}`" for key in values)
            terminal.say(f"wrote   {shown(path)}: {named}")


def _file_of(key: str, loaded: Loaded) -> Path:
    """The overlay where that has the key, since it would win over the file of all; else that."""
    overlay = next((layer for layer in loaded.layers if layer.kind == "overlay" and key in layer.raw), None)
    return loaded.files.overlay if overlay and loaded.files.overlay else loaded.files.expected


def _tell_not_kept(keys: Iterable[str], loaded: Loaded, path: Path) -> None:
    given = [f"`{key}`" for key in keys if loaded.origin(key).kind in ("flag", "variable")]
    if given:
        file = f"`{shown(path)}`, which other applications may share"
        terminal.warn(f"{' and '.join(given)} is not kept in {file}: give it each time")


def _place(key: str, context: Context, loaded: Loaded, path: Path) -> str:
    """The key's path as the file has to name it; empty if one of its files does already."""
    from spin_aks.settings.table import ROWS

    name = next(name for name, row in ROWS.items() if row.key == key)
    given = getattr(context.settings, name)
    if loaded.origin(key).kind in ("file", "overlay"):
        return ""
    return Path(os.path.relpath(given, path.parent.resolve())).as_posix()


def _change(path: Path, values: Mapping[tuple[str, ...], Value]) -> bool:
    """Whether the file changed; errors name it as it is from here."""
    from spin_aks.settings import save

    try:
        return save.change(path, dict(values))
    except SpinAksError as error:
        error.problems = tuple(_seen(problem, path) for problem in error.problems)
        raise


def _seen(problem: Problem, path: Path) -> Problem:
    what, where = (text.replace(str(path), shown(path), 1) for text in (problem.what, problem.where))
    return replace(problem, what=what, where=where)
