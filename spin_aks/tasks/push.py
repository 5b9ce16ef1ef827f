"""The stage `push`: send to the registry what it lacks."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from spin_aks import files, kept, terminal
from spin_aks.errors import SpinAksError, UsageError
from spin_aks.json_types import required_text
from spin_aks.tasks import build, choice, resources
from spin_aks.tasks.dockerfile import dockerfile_path, is_theirs
from spin_aks.tasks.stage import Stage, existing

if TYPE_CHECKING:
    from collections.abc import Callable

    from spin_aks.azure.credential import Person
    from spin_aks.context import Context
    from spin_aks.errors import Problem
    from spin_aks.json_types import JSONObject
    from spin_aks.oci.credentials import Credential, Find
    from spin_aks.oci.pushed import Pushed
    from spin_aks.oci.reference import Reference

SPIN_PUSH_TIMEOUT_S = 3600.0
BY_CONTENT, BY_COMMIT = "content", "git"
OTHER_WAYS = (
    "an Azure Container Registry is named with `--registry NAME`; to try without one: `spin-aks sandbox -- spin-aks up`"
)


def stage(context: Context) -> Stage:
    return Stage(
        name="push",
        doc="send to the registry what it lacks",
        action=lambda: _push(context),
        depends_on=("image", *resources.before_push(context)),
        files=lambda: existing([context.state("image.json"), *resources.found(context)]),
        values={
            "container_registry.server": resources.host(context),
            "image.repository": repository(context),
            "image.tag": tag_value(context),
        },
        targets=(context.state("push.json").as_posix(),),
        observed=lambda: context.observed().registry,
        requires=lambda: requirements(context),
    )


def requirements(context: Context) -> tuple[Problem, ...]:
    """What has to be given, and given right, before an image can have a name."""
    if resources.registry(context) is not None:
        return _refused(lambda: tag(context))
    if context.settings.registry:
        return _refused(lambda: _named(context, ""))
    from spin_aks.settings.missing import missing

    none = missing("container_registry.server", "no registry is named", more=OTHER_WAYS)
    return (none, *_refused(lambda: tag(context)))


def _refused(named: Callable[[], object]) -> tuple[Problem, ...]:
    try:
        named()
    except UsageError as error:
        return error.problems
    return ()


def repository(context: Context) -> str:
    """The image's repository: the one given, else the application's name."""
    from spin_aks.oci.repository_name import repository_of

    return context.settings.repository or repository_of(context.application.name)


@cache
def tag(context: Context) -> str:
    """The image's tag by the policy that was given; empty for the hash of its content. Raises UsageError for a commit
    where there is none. What the tool itself writes on the way makes no commit dirty.
    """
    given = context.settings.tag
    if given != BY_COMMIT:
        return "" if given == BY_CONTENT else given
    from spin_aks.oci import commit

    return commit.tag(_written_by_us(context), where=context.origin("image.tag", "--tag"))


def tag_value(context: Context) -> str:
    """What of the tag the stages depend on; that a commit is missing concerns those that run, by `requirements`."""
    try:
        return tag(context) or BY_CONTENT
    except UsageError:
        return BY_COMMIT


def _written_by_us(context: Context) -> frozenset[str]:
    """What runs of any environment may change of what is committed: configurations, what is generated and compiled."""
    dockerfile = {dockerfile_path(context)} if is_theirs(context) else set()
    generated = {path.as_posix() for path in kept.written_below(Path()).keys() - dockerfile}
    written = {*context.configuration_files, *build.configurations(), kept.LOCK.as_posix()}
    compiled = {made.wasm for made in build.compilations(context.application) if made.wasm}
    return frozenset({*written, *generated, *compiled})


def _named(context: Context, content: str) -> Reference:
    from spin_aks.oci.reference import Destination

    return Destination.parse(server(context)).reference(repository(context), tag(context) or content)


def server(context: Context) -> str:
    """The registry's host, with a prefix if one was given; of a registry in Azure, as that calls it."""
    if resources.registry(context) is None:
        return context.settings.registry
    host = resources.login_server(context)
    if not host:
        raise SpinAksError("the registry's host is not known yet", hint=f"spin-aks run {resources.NAME}")
    return host


def _credential(context: Context) -> Find:
    """Where the login to the registry comes from: Azure's sign-in for a registry that is named there, else Docker's."""
    from spin_aks.oci import credentials

    if resources.registry(context) is None:
        return credentials.find

    def find(host: str) -> Credential | None:
        from spin_aks.azure import acr_login, credential

        login, person = acr_login.log_in(context.azure, host), credential.who(context.azure)
        return credentials.Credential(
            "the sign-in to Azure",
            login.username,
            identity_token=login.token,
            person=person.name,
            more=_way_to_push(context, person),
        )

    return find


def _way_to_push(context: Context, person: Person) -> str:
    """Who can give the right to push to a registry of Azure's, and how."""
    from spin_aks.azure import roles

    document = files.read_json(context.state("azure.json")) or {}
    match document.get("registry"):
        case {"abac": True}:
            role = roles.REPOSITORY_WRITER
        case _:
            role = roles.ACR_PUSH
    wanted = roles.Wanted("", resources.resource_id(context, "registry"), person.object_id, role, person.kind)
    return f"an Owner of the registry can type `{wanted.command()}`; then run the same command again"


def target(context: Context, image: JSONObject) -> Reference:
    """Where the image of `T/image.json` goes; it has a digest if that is known before the push."""
    from spin_aks.oci.reference import tag_of

    digest = image.get("digest")
    reference = _named(context, tag_of(required_text(image, "content")))
    return reference.with_digest(digest) if isinstance(digest, str) else reference


def pushed(context: Context) -> Pushed | None:
    """What the last push did, if there was one."""
    from spin_aks.oci.pushed import Pushed

    document = files.read_json(context.state("push.json"))
    return Pushed.from_json(document) if document else None


def drift(context: Context) -> tuple[str, ...]:
    """What the registry no longer holds, in sentences."""
    from spin_aks.oci.push import exists

    last = pushed(context)
    if last is None or exists(last.reference, find=_credential(context)):
        return ()
    return (f"the registry no longer holds {last.reference.pinned}",)


def _push(context: Context) -> None:
    from spin_aks.tasks import outputs

    image = files.read_json(context.state("image.json"))
    if image is None:
        raise SpinAksError(
            "there is no image to push", where=str(context.state("image.json")), hint="spin-aks run image"
        )
    reference = target(context, image)
    done = _PUSHERS[required_text(image, "builder")](context, image, reference)
    files.write_json(context.state("push.json"), done.to_json())
    outputs.note_pushed(context, done.reference.tag, done.digest)
    outputs.remember_pushed(context)


def _push_ours(context: Context, image: JSONObject, reference: Reference) -> Pushed:
    from spin_aks.oci.image import Image
    from spin_aks.oci.push import push

    return push(Image.from_json(image), reference, progress=terminal.say, find=_credential(context))


def _push_with_docker(context: Context, image: JSONObject, reference: Reference) -> Pushed:
    from spin_aks.oci import docker

    return docker.push(required_text(image, "image_id"), reference, progress=terminal.say, find=_credential(context))


def _push_with_spin(context: Context, _image: JSONObject, reference: Reference) -> Pushed:
    """The Spin CLI composes, and pushes in the same step (spin 3.2 and later, `registry push --compose`)."""
    import re

    from spin_aks import process
    from spin_aks.oci.pushed import Pushed
    from spin_aks.oci.reference import is_loopback
    from spin_aks.spin import cli_version

    cli = cli_version.find()
    if cli is None:
        raise SpinAksError("the Spin CLI is gone", hint="install it, or set SPIN_BIN_PATH to it")
    insecure = ("--insecure",) if is_loopback(reference.host) else ()
    profile = ("--profile", context.settings.profile) if context.settings.profile else ()
    argv = (cli.path, "registry", "push", "-f", context.settings.manifest, *insecure, *profile, str(reference))
    said = process.capture(process.Command(argv), timeout_s=SPIN_PUSH_TIMEOUT_S)
    found = re.search(r"sha256:[0-9a-f]{64}", said)
    if found is None:
        raise SpinAksError("the Spin CLI did not say which digest it pushed", why=said)
    return Pushed(reference.with_digest(found[0]), found[0], "artifact", ())


def _push_with_acr(context: Context, image: JSONObject, reference: Reference) -> Pushed:
    from spin_aks.tasks import remote_build

    return remote_build.push(context, image, reference, _credential(context), by_content=not tag(context))


_PUSHERS = {
    choice.OCI: _push_ours,
    choice.DOCKER: _push_with_docker,
    choice.ACR: _push_with_acr,
    choice.SPIN: _push_with_spin,
}
