"""The stage `validate`: is the application sound, and can its target run it?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from spin_aks import __version__, files, terminal
from spin_aks.errors import ManifestError, Problem, RefusedError
from spin_aks.spin import cli_version
from spin_aks.tasks import choice
from spin_aks.tasks.stage import Stage, existing

if TYPE_CHECKING:
    from spin_aks.context import Context
    from spin_aks.json_types import JSON, JSONObject
    from spin_aks.spin.requirements import Target

RUNTIME_CONFIG = Path("runtime-config.toml")


def stage(context: Context) -> Stage:
    given: list[JSON] = [name for name, _ in context.settings.variables]
    return Stage(
        name="validate",
        doc="check that the application is sound and that its target can run it",
        action=lambda: _validate(context),
        files=lambda: existing([Path(context.settings.manifest), RUNTIME_CONFIG]),
        values={
            "tool": __version__,
            "spin": cli_version.identity(),
            "runtime.shim": context.runtime.shim,
            "build.profile": context.settings.profile,
            "variables given": given,
            "image.form": choice.choose(context).form,
        },
        targets=(context.state("app.json").as_posix(),),
    )


def _validate(context: Context) -> None:
    found = problems(context)
    if found:
        raise RefusedError.of(found)
    for notice in notices(context):
        terminal.warn(str(notice))
    files.write_json(context.state("app.json"), _app(context))


def problems(context: Context) -> tuple[Problem, ...]:
    """Everything that keeps the application from being built and run, each with its line and the way out."""
    from spin_aks.spin import loader, requirements

    application = context.application
    given = dict(context.settings.variables)
    return (
        *loader.check(application, given=given),
        *loader.missing_sources(application),
        *_unreadable_configuration(context),
        *requirements.refusals(application, _target(context)),
    )


def notices(context: Context) -> tuple[Problem, ...]:
    """What is worth knowing and stops nothing."""
    from spin_aks.spin import requirements

    return requirements.notices(context.application, _target(context))


def _target(context: Context) -> Target:
    from spin_aks.spin.requirements import Target

    return Target(context.runtime, choice.choose(context).form, dict(context.settings.variables))


def _unreadable_configuration(context: Context) -> tuple[Problem, ...]:
    """What is wrong in runtime-config.toml, and that it does not reach the pod: it may hold keys and passwords."""
    from spin_aks.spin import runtime_config

    if not RUNTIME_CONFIG.is_file():
        return ()
    try:
        runtime_config.read(RUNTIME_CONFIG, spin=context.runtime.spin)
    except ManifestError as error:
        return error.problems
    what = "this file does not reach the pod yet: it may hold keys and passwords, for which there is no safe way so far"
    hint = "move it away to deploy without it; stores other than `default` need it"
    return (Problem(what, str(RUNTIME_CONFIG), hint),)


def _app(context: Context) -> JSONObject:
    """`T/app.json`: what of the application and its target the stages after this one depend on."""
    runtime = context.runtime
    return {
        "manifest": dict(context.application.normalised),
        "manifest_version": context.application.manifest_version,
        "profile": context.settings.profile,
        "runtime": {"shim": runtime.shim, "spin": str(runtime.spin), "variable_prefix": runtime.variable_prefix},
    }
