"""The builder `acr`: the registry's own agents in Azure carry out the Dockerfile, and push what comes of it."""

from __future__ import annotations

import gzip
import hashlib
import tempfile
from typing import IO, TYPE_CHECKING, cast

from spin_aks import files, terminal
from spin_aks.errors import RegistryError, SpinAksError
from spin_aks.json_types import required_text
from spin_aks.tasks import resources
from spin_aks.tasks.dockerfile import dockerfile_path

if TYPE_CHECKING:
    from typing import BinaryIO

    from spin_aks.context import Context
    from spin_aks.json_types import JSONObject
    from spin_aks.oci.bundle import Bundle
    from spin_aks.oci.credentials import Find
    from spin_aks.oci.pushed import Pushed
    from spin_aks.oci.reference import Reference


def content(context: Context) -> str:
    """What the image will be made of, as a digest: the bundle, the Dockerfile, the platform."""
    path = dockerfile_path(context)
    try:
        dockerfile = files.sha256(path)
    except OSError as error:
        raise SpinAksError(f"can't read the Dockerfile: {error.strerror}", where=path.as_posix()) from error
    parts = (files.sha256(context.state("bundle.json")), dockerfile, context.settings.platform)
    return f"sha256:{hashlib.sha256(' '.join(parts).encode()).hexdigest()}"


def push(context: Context, image: JSONObject, reference: Reference, find: Find, *, by_content: bool) -> Pushed:
    """Has the image built and pushed. `by_content`: its tag says what is in it, so one that is there is the one.

    That is how a build is taken up that went on in Azure after the run that began it was cut short.
    """
    from spin_aks.azure import acr_tasks
    from spin_aks.oci import docker, read_back

    if required_text(image, "content") != content(context):
        raise SpinAksError("what the image is made of has changed since", hint="spin-aks run image")
    there = _there_already(reference, find) if by_content else None
    if there is not None:
        terminal.say(f"`{there.reference}` is there already")
        return there
    order = acr_tasks.Order(
        registry=resources.resource_id(context, "registry"),
        abac=_is_abac(context),
        repository=reference.repository,
        tag=reference.tag,
        dockerfile=docker.DOCKERFILE,
        platform=context.settings.platform,
    )
    with tempfile.TemporaryFile() as archive:
        _pack(context, archive)
        digest = acr_tasks.build(context.azure, order, archive, terminal.say)
    return read_back.read_back(reference.with_digest(digest), [], terminal.say, None, find)


def _there_already(reference: Reference, find: Find) -> Pushed | None:
    """Whoever may build need not be let in to read: then it is built."""
    from spin_aks.oci import read_back

    try:
        return read_back.tagged(reference, terminal.say, find)
    except RegistryError as error:
        terminal.say(f"whether `{reference}` is there already can't be seen: {error}")
        return None


def _pack(context: Context, archive: BinaryIO) -> None:
    """Writes the build context, and leaves the stream at its begin."""
    from spin_aks.oci import docker, rootfs

    bundle = _bundle(context)
    rootfs.check(bundle)
    with gzip.GzipFile(fileobj=archive, mode="wb", mtime=0) as packed:
        docker.write_context(dockerfile_path(context), bundle.folder, cast("IO[bytes]", packed))
    size_bytes = archive.tell()
    archive.seek(0)
    terminal.say(f"build context: {max(1, size_bytes // 1024)} KiB, compressed")


def _bundle(context: Context) -> Bundle:
    from spin_aks.oci.bundle import Bundle

    document = files.read_json(context.state("bundle.json"))
    if document is None:
        raise SpinAksError("there is no bundle to make an image of", hint="spin-aks run bundle")
    return Bundle.from_json(document)


def _is_abac(context: Context) -> bool:
    match files.read_json(context.state("azure.json")):
        case {"registry": {"abac": bool(abac)}}:
            return abac
    return False
