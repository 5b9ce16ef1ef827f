"""The builder `docker`: the Dockerfile built by a real Docker daemon, and pushed by it.

The `docker` package speaks to the classic builder (API 1.41), which knows no BuildKit syntax. The image has one
manifest and no index, which is what is deployed.
"""

from __future__ import annotations

import os
import tarfile
import tempfile
from collections import deque
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from typing import IO, TYPE_CHECKING

from spin_aks.errors import RegistryError, SpinAksError
from spin_aks.oci import credentials
from spin_aks.oci.read_back import read_back
from spin_aks.oci.reference import DIGEST, DOCKER_HUB, Reference, tag_of
from spin_aks.oci.refusal import Access, login_hint, unauthorized

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from docker import DockerClient

    from spin_aks.json_types import JSONObject
    from spin_aks.oci.credentials import Credential, Find
    from spin_aks.oci.patience import Patience
    from spin_aks.oci.pushed import Pushed

ANSWER_WITHIN_S = 20
SILENT_WITHIN_S = 3600  # a step of a build may say nothing for long
LAST_LINES = 20
DOCKERFILE = ".spin-aks.Dockerfile"
IGNORE_FILE = ".dockerignore"
SHORT_ID_DIGITS = 12
WITHOUT_DOCKER = "start Docker, or build without it: `--builder oci`"


def build(dockerfile: Path, context: Path, *, output: Callable[[str], None], platform: str = "linux/amd64") -> str:
    """Builds `dockerfile` with the folder `context`, whole and nothing else, and gives the image's id (`sha256:...`).

    `output` hears each line the daemon says. Files get the time 0 and owner 0, so that the same files make the same
    layers. Raises SpinAksError if there is no daemon, if the build fails, with its step and last lines, or if the
    daemon makes an image for another platform: Docker 20.10 gives `FROM scratch` its own (see also moby/moby#47823).
    """
    with _daemon() as client, tempfile.TemporaryFile() as archive:
        write_context(dockerfile, context, archive)
        archive.seek(0)
        events = client.api.build(
            fileobj=archive,
            custom_context=True,
            dockerfile=DOCKERFILE,
            rm=True,
            forcerm=True,
            decode=True,
            platform=platform or None,
        )
        image_id = _built(events, dockerfile, output)
        _check_platform(client, image_id, platform)
        return image_id


def push(
    image_id: str,
    reference: Reference,
    *,
    progress: Callable[[str], None],
    patience: Patience | None = None,
    find: Find = credentials.find,
) -> Pushed:
    """Has the daemon push the image under the reference's tag (without one, a tag made of its id).

    The digest is that of the manifest; its layers are read back from the registry, and left out, saying so, where
    only the daemon can reach it. Raises RegistryError if the registry refuses, SpinAksError if there is no daemon.
    """
    target = replace(reference, tag=reference.tag or tag_of(image_id), digest="")
    name = f"{target.host}/{target.repository}"
    credential = find(target.host)
    with _daemon() as client:
        client.api.tag(image_id, name, target.tag)
        events = client.api.push(
            name, tag=target.tag, stream=True, decode=True, auth_config=_auth_config(target.host, credential)
        )
        digest, sent = _followed(events, target, credential, progress)
        description: JSONObject = client.images.get(image_id).attrs
    digest = digest or _repo_digest(description, name)
    if not digest:
        raise RegistryError(f"the Docker daemon pushed `{target}` and did not say its digest")
    return read_back(target.with_digest(digest), _sent_flags(description, sent), progress, patience, find)


def write_context(dockerfile: Path, context: Path, archive: IO[bytes]) -> None:
    """The build context as a tar archive: the folder's files in the order of their names, and the Dockerfile.

    The daemon takes the Dockerfile and the list that says so out again, so that `COPY . /` copies neither.
    """
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(context.rglob("*")):
            name = path.relative_to(context).as_posix()
            if name not in (DOCKERFILE, IGNORE_FILE):
                tar.add(path, name, recursive=False, filter=_without_accidents)
        try:
            text = dockerfile.read_bytes()
        except OSError as error:
            raise SpinAksError(f"can't read the Dockerfile: {error.strerror}", where=str(dockerfile)) from error
        for name, content in ((DOCKERFILE, text), (IGNORE_FILE, f"{DOCKERFILE}\n{IGNORE_FILE}\n".encode())):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, BytesIO(content))


def _without_accidents(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.mtime = entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


@contextmanager
def _daemon() -> Iterator[DockerClient]:
    """A client that has been answered; turns what the daemon refuses, at any later moment, into our errors."""
    import docker
    import requests

    try:
        client = docker.from_env(timeout=ANSWER_WITHIN_S)
    except (docker.errors.DockerException, requests.RequestException) as error:
        raise _no_daemon(error) from error
    client.api.timeout = SILENT_WITHIN_S
    try:
        yield client
    except docker.errors.APIError as error:
        raise SpinAksError("the Docker daemon refuses", why=str(error.explanation or error)) from error
    except requests.RequestException as error:
        raise SpinAksError("the connection to the Docker daemon broke", why=str(error), hint=WITHOUT_DOCKER) from error
    finally:
        client.close()


def _no_daemon(error: Exception) -> SpinAksError:
    named = os.environ.get("DOCKER_HOST")
    where = f"`{named}` (from $DOCKER_HOST)" if named else "the address of Docker's current context"
    if "Permission denied" in str(error):
        hint = "add yourself to the group `docker` and log in again, or build without Docker: `--builder oci`"
        return SpinAksError(f"you may not speak to the Docker daemon at {where}", hint=hint)
    return SpinAksError(f"no Docker daemon answers at {where}", why=_innermost(error), hint=WITHOUT_DOCKER)


def _innermost(error: BaseException) -> str:
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return getattr(error, "strerror", None) or str(error)


def _built(events: Iterable[JSONObject], dockerfile: Path, output: Callable[[str], None]) -> str:
    """Reads to the end even after an error, else the connection would be left open."""
    last: deque[str] = deque(maxlen=LAST_LINES)
    step, image_id, error = "", "", ""
    for event in events:
        for line in _lines(event):
            step = line if line.startswith("Step ") else step
            last.append(line)
            output(line)
        error = str(event.get("error", error))
        match event.get("aux"):
            case {"ID": str(found)}:
                image_id = found
    if error or not image_id:
        at = f" at {step[0].lower()}{step[1:]}" if step else ""
        why = "\n".join([*last, error]).rstrip()
        raise SpinAksError(f"`docker build` failed{at}", where=str(dockerfile), why=why)
    return image_id


def _check_platform(client: DockerClient, image_id: str, platform: str) -> None:
    described = client.images.get(image_id).attrs
    made = f"{described.get('Os')}/{described.get('Architecture')}"
    if platform and made != platform:
        what = f"the Docker daemon made an image for `{made}`, which nodes of `{platform}` don't take for theirs"
        hint = f"use a daemon on `{platform}` or a newer one, or build without Docker: `--builder oci`"
        raise SpinAksError(what, hint=hint)


def _lines(event: JSONObject) -> list[str]:
    """What an event says to people; a bar of progress is left out."""
    if "progressDetail" in event and event.get("progressDetail"):
        return []
    text = event.get("stream") or event.get("status") or ""
    name = f"{event['id']}: " if "status" in event and event.get("id") else ""
    return [f"{name}{line.rstrip()}" for line in str(text).splitlines() if line.strip()]


def _auth_config(host: str, credential: Credential | None) -> dict[str, str]:
    """Docker Engine API, "Authentication". Never empty of a value by accident: the package would then look itself."""
    if credential is None:
        return {}
    server = {"serveraddress": credentials.server_of(host)}
    if credential.identity_token:
        return {"identitytoken": credential.identity_token.reveal(), **server}
    if credential.registry_token:
        return {"registrytoken": credential.registry_token.reveal(), **server}
    return {"username": credential.username, "password": credential.password.reveal(), **server}


def _followed(
    events: Iterable[JSONObject], target: Reference, credential: Credential | None, progress: Callable[[str], None]
) -> tuple[str, frozenset[str]]:
    """The digest, and the short ids of the layers that were sent."""
    digest, error = "", ""
    sent: set[str] = set()
    for event in events:
        error = str(event.get("error", error))
        if event.get("status") == "Pushed":
            sent.add(str(event.get("id")))
        match event.get("aux"):
            case {"Digest": str(found)} if DIGEST.fullmatch(found):
                digest = found
        if event.get("status") not in ("Preparing", "Waiting", "Pushing"):
            for line in _lines(event):
                progress(line)
    if error:
        raise _refused(error, target, credential)
    return digest, frozenset(sent)


def _refused(said: str, target: Reference, credential: Credential | None) -> RegistryError:
    lower = said.lower()
    access = Access(target.host, target.repository, "pull,push", credential, str(credentials.config_path()))
    if any(sign in lower for sign in ("unauthorized", "no basic auth", "authentication required", "denied")):
        return unauthorized(access, said)
    if "http response to https client" in lower:
        return RegistryError(
            f"`{target.host}` speaks plain http, and the Docker daemon does not",
            why=said,
            hint="add it to `insecure-registries` of the daemon's configuration, or push without it: `--builder oci`",
        )
    return RegistryError(
        f"the Docker daemon could not push to `{target.host}`",
        why=said,
        hint=f"the daemon's network may differ from yours; if the registry wants a login: {login_hint(target.host)}",
    )


def _repo_digest(description: JSONObject, name: str) -> str:
    """What the daemon remembers of a push, for one that did not say it."""
    digests = description.get("RepoDigests")
    for entry in digests if isinstance(digests, list) else []:
        repository, _, digest = str(entry).partition("@")
        if repository == name.removeprefix(f"{DOCKER_HUB}/"):
            return digest
    return ""


def _sent_flags(description: JSONObject, sent: frozenset[str]) -> list[bool]:
    """For each layer in order: the daemon calls a layer by the first digits of its content's digest while it pushes."""
    match description.get("RootFS"):
        case {"Layers": list(layers)}:
            return [str(layer).removeprefix("sha256:")[:SHORT_ID_DIGITS] in sent for layer in layers]
    return []
