"""Which form the image has and who builds it: decided from the settings and what is there, and it can be printed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal, TypeAlias

from spin_aks import kept
from spin_aks.errors import Problem, RefusedError, UsageError
from spin_aks.spin import cli_version, composition
from spin_aks.tasks import resources
from spin_aks.tasks.dockerfile import dockerfile_path, is_theirs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spin_aks.context import Context

Form: TypeAlias = Literal["artifact", "rootfs"]
OCI, DOCKER, ACR, SPIN = "oci", "docker", "acr", "spin"
FORM_OF: Mapping[str, Form] = {DOCKER: "rootfs", ACR: "rootfs", SPIN: "artifact"}
BY_DOCKERFILE = frozenset({DOCKER, ACR})


@dataclass(frozen=True, slots=True)
class ImageChoice:
    """`form` is artifact or rootfs, `builder` oci, docker, acr or spin; `why` is a clause for people."""

    form: Form
    builder: str
    why: str


@cache
def choose(context: Context) -> ImageChoice:
    """The choice; raises UsageError where form and builder don't agree, RefusedError where nobody can build it."""
    builder, form = context.settings.builder, context.settings.form
    composed = composition.composed(context.application)
    if composed and builder not in BY_DOCKERFILE and form != "rootfs":
        return _composed(builder, composed)
    if builder in FORM_OF:
        if form not in ("auto", FORM_OF[builder]):
            raise UsageError(
                f"the builder `{builder}` makes no `{form}`",
                hint=f"`--form {FORM_OF[builder]}`, or `--builder oci`, which makes both",
            )
        if builder == SPIN and cli_version.find() is None:
            hint = "install the Spin CLI (https://spinframework.dev/install), or build without it: `--builder oci`"
            raise UsageError("`--builder spin` takes a Spin CLI, and there is none", hint=hint)
        if builder == ACR:
            _require_azure(context)
        return ImageChoice(FORM_OF[builder], builder, "as asked")
    if form != "auto":
        return ImageChoice("rootfs" if form == "rootfs" else "artifact", OCI, "as asked")
    return _automatic(context) if builder == OCI else _as_before(_automatic(context), context)


def _require_azure(context: Context) -> None:
    """Where no registry is named at all, `push` is the one to say so."""
    given = context.settings.registry
    if not given or resources.registry(context) is not None:
        return
    name, _, domain = given.partition("/")[0].partition(".")
    named = f"`--registry {name}`" if domain == "azurecr.io" else "`--registry NAME`"
    raise UsageError(
        "`--builder acr` builds in an Azure Container Registry that is named as Azure does, and "
        f"`{given}` is a registry's host",
        where=context.origin("container_registry.server", "--registry"),
        hint=f"{named}, or build here: `--builder oci`",
    )


def remember(context: Context, chosen: ImageChoice) -> None:
    """Keeps what was left to us to choose, for the runs to come."""
    left_to_us = context.settings.builder == context.settings.form == "auto"
    if left_to_us and chosen.builder != SPIN and kept.image_choice() is None:
        kept.remember_image_choice(chosen.form, chosen.builder)


def _as_before(now: ImageChoice, context: Context) -> ImageChoice:
    """What was chosen the first time, as long as the target can run it: a change is for the user to make."""
    match kept.image_choice():
        case ("artifact", builder) if context.runtime.compiles_ahead:
            form: Form = "artifact"
        case ("rootfs", builder):
            form = "rootfs"
        case _:
            return now
    if (form, builder) == (now.form, now.builder):
        return now
    flags = f"--form {now.form} --builder {now.builder}"
    return ImageChoice(form, builder, f"as before; now that {now.why}, `{flags}` would be another way")


def _automatic(context: Context) -> ImageChoice:
    if context.settings.builder == "auto" and is_theirs(context):
        return ImageChoice("rootfs", DOCKER, f"`{dockerfile_path(context)}` is yours")
    if context.runtime.compiles_ahead:
        return ImageChoice("artifact", OCI, f"the node compiles it once, since {context.runtime} can")
    return ImageChoice("rootfs", OCI, f"{context.runtime} compiles nothing ahead")


def _composed(builder: str, problems: tuple[Problem, ...]) -> ImageChoice:
    """Component dependencies are composed by the Spin CLI, and by nobody else (spin 3.2, `registry push --compose`)."""
    cli = cli_version.find() if builder != OCI else None
    if cli is None:
        raise RefusedError.of(problems)
    if not cli_version.can_compose(cli.version):
        what = f"the Spin CLI {cli.version} does not compose component dependencies"
        raise RefusedError(what, where=cli.path, hint="Spin 3.2 brought it: install that or a later one")
    return ImageChoice("artifact", SPIN, "the Spin CLI composes its component dependencies")
