"""The stage `validate`: is the application sound, and can its target run it?"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from spin_aks import __version__, files, terminal
from spin_aks.context import RUNTIME_CONFIG
from spin_aks.errors import ManifestError, Problem, RefusedError
from spin_aks.spin import cli_version
from spin_aks.tasks import choice, render
from spin_aks.tasks.stage import Stage, existing

if TYPE_CHECKING:
    from spin_aks.context import Context
    from spin_aks.json_types import JSON, JSONObject
    from spin_aks.spin.requirements import Target
    from spin_aks.spin.runtime_config import RuntimeConfig


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
            "build.profile": context.settings.profile or None,
            "variables given": given,
            "image.form": choice.choose(context).form,
            "identity.name": context.settings.identity_name or None,
            **_looked_at(context),
        },
        targets=(context.state("app.json").as_posix(),),
        requires=lambda: requirements(context),
    )


def requirements(context: Context) -> tuple[Problem, ...]:
    """The values that the application's variables need and nobody has given."""
    from spin_aks.settings.missing import missing
    from spin_aks.spin import requirements as refusals

    application = context.application
    configuration, _ = _configuration(context)
    return tuple(
        missing(
            f"variables.{variable.name}",
            f"the variable `{variable.name}` is required, and nothing gives it a value",
            where=application.where(variable.place),
            more="or write a `default` into the manifest",
        )
        for variable in refusals.without_value(application, _target(context, configuration))
    )


def _looked_at(context: Context) -> dict[str, JSON]:
    """Of the variables' values those that decide something: what an allowed host comes to has to be one."""
    given = render.plain_variables(context)
    hosts = [host for component in context.application.components for host in component.allowed_outbound_hosts]
    if not given or not any("{{" in host for host in hosts):
        return {}
    from spin_aks.spin import expressions

    used = {name for host in hosts for name in expressions.parse(host).names}
    return {f"variables.{name}": value for name, value in given.items() if name in used}


def _validate(context: Context) -> None:
    found = problems(context)
    if found:
        raise RefusedError.of(found)
    for notice in notices(context):
        terminal.show_notice(notice)
    files.write_json(context.state("app.json"), _app(context))


def problems(context: Context) -> tuple[Problem, ...]:
    """Everything that keeps the application from being built and run, each with its line and the way out."""
    from spin_aks.spin import loader, requirements, sign_in

    application = context.application
    given = dict(context.settings.variables)
    configuration, wrong = _configuration(context)
    identity = context.settings.identity_name
    return (
        *loader.check(application, given=given),
        *loader.missing_sources(application),
        *wrong,
        *requirements.refusals(application, _target(context, configuration)),
        *sign_in.refusals(context.runtime, identity, context.origin("identity.name", "--identity")),
    )


def notices(context: Context) -> tuple[Problem, ...]:
    """What is worth knowing and stops nothing."""
    from spin_aks.spin import requirements, sign_in

    application, identity = context.application, context.settings.identity_name
    return (
        *requirements.notices(application, _target(context, context.configuration)),
        *sign_in.notices(application, context.runtime, context.configured, identity),
    )


def _target(context: Context, configuration: RuntimeConfig | None) -> Target:
    from spin_aks.spin.requirements import Target

    given = dict(context.settings.variables)
    return Target(
        context.runtime,
        choice.choose(context).form,
        given,
        configuration,
        lambda name: context.origin(f"variables.{name}", "--variable"),
    )


def _configuration(context: Context) -> tuple[RuntimeConfig | None, tuple[Problem, ...]]:
    """What runtime-config.toml holds, or what is wrong in it."""
    try:
        return context.configuration, ()
    except ManifestError as error:
        return None, error.problems


def _app(context: Context) -> JSONObject:
    """`T/app.json`: what of the application and its target the stages after this one depend on.

    Of runtime-config.toml that is only whether the pod is given one and what that needs; its text is for `render`.
    A secret variable's default stands in spin.toml and goes no further than it must: here, the digest tells of it.
    """
    runtime, configured = context.runtime, context.configured
    manifest = dict(context.application.normalised)
    digest = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
    return {
        "manifest": _without_secrets(manifest),
        "manifest_digest": f"sha256:{digest}",
        "manifest_version": context.application.manifest_version,
        "profile": context.settings.profile,
        "runtime": {"shim": runtime.shim, "spin": str(runtime.spin), "variable_prefix": runtime.variable_prefix},
        "runtime_config": {"given_to_the_pod": bool(configured.text), "speaks_tls": configured.speaks_tls},
    }


def _without_secrets(manifest: JSONObject) -> JSONObject:
    variables = manifest.get("variables")
    if not isinstance(variables, dict):
        return manifest
    shown: JSONObject = {
        name: {**entry, "default": "***"}
        if isinstance(entry, dict) and entry.get("secret") and "default" in entry
        else entry
        for name, entry in variables.items()
    }
    return {**manifest, "variables": shown}
