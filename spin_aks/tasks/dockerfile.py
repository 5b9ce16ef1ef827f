"""The stage `dockerfile`: written whatever builds the image, for whoever wants to build it with Docker."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from spin_aks import __version__, kept
from spin_aks.tasks.stage import Stage, existing

if TYPE_CHECKING:
    from collections.abc import Callable

    from spin_aks.context import Context


def stage(context: Context) -> Stage:
    path = dockerfile_path(context)
    return Stage(
        name="dockerfile",
        shares_files=True,
        doc=f"write {path}",
        action=lambda: kept.settle(kept.inspect({path: _text(context)}), context.consent),
        depends_on=("validate",),
        files=lambda: existing([context.state("app.json")]),
        values={
            "generator": __version__,
            "app.name": context.settings.name or None,
            "image.dockerfile": path.as_posix(),
        },
        targets=(path.as_posix(),),
        observed=lambda: overridden(context, lambda: {path: _text(context)}),
    )


def dockerfile_path(context: Context) -> Path:
    """Where the Dockerfile is; a folder means the file of that name in it."""
    given = Path(context.settings.dockerfile)
    return given / "Dockerfile" if given.is_dir() or context.settings.dockerfile.endswith("/") else given


def is_theirs(context: Context) -> bool:
    """Whether the Dockerfile that is there is the user's own, or was edited."""
    return kept.is_theirs(dockerfile_path(context), lambda: _text(context))


def overridden(context: Context, wanted: Callable[[], dict[Path, str]]) -> tuple[str, ...]:
    """What `--override` would replace, in sentences; without it, `wanted` is not asked what the files would hold."""
    if not context.consent.override:
        return ()
    found = kept.inspect(wanted())
    return tuple(f"`--override` replaces {one.path}, which {one.theirs}" for one in found if one.theirs)


def _text(context: Context) -> str:
    from spin_aks.generators.dockerfile import dockerfile

    return dockerfile(context.application, dockerfile_path(context).as_posix())
