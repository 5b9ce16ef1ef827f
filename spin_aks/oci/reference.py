"""Names of images: where a registry is, what a repository and a tag may be called.

Grammar: OCI distribution specification 1.1 ("Pulling manifests") for repository and tag, and the `reference` package of
distribution, which container runtimes parse with, for the host.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from spin_aks.errors import UsageError

HOST = re.compile(
    r"(?:(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9])(?:\.(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9]))*"
    r"|\[[0-9A-Fa-f:]+\])(?::(?P<port>[0-9]{1,5}))?"
)
REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
NAME_MOST_CHARACTERS = 255  # of host and repository together: distribution-spec 1.1, "Pulling manifests"
TAG_DIGITS = 12

DOCKER_HUB = "docker.io"
DOCKER_HUB_NAMES = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io", "hub.docker.com"})
DOCKER_HUB_API = "registry-1.docker.io"
DOCKER_HUB_CREDENTIAL = "https://index.docker.io/v1/"


@dataclass(frozen=True, slots=True)
class Reference:
    """One image in one registry. `tag` and `digest` may be empty; `digest` is `sha256:` and 64 hexadecimal digits."""

    host: str
    repository: str
    tag: str = ""
    digest: str = ""

    def __post_init__(self) -> None:
        _check_host(self.host)
        _check_repository(self.host, self.repository)
        _check_tag(self.tag)
        if self.digest and not DIGEST.fullmatch(self.digest):
            raise UsageError(
                f"`{self.digest}` is no digest of an image",
                hint="a digest is `sha256:` and 64 hexadecimal digits in lower case",
            )

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.host}/{self.repository}{tag}{digest}"

    @classmethod
    def parse(cls, text: str) -> Reference:
        """What `str` gave, `HOST/REPOSITORY[:TAG][@DIGEST]`; raises UsageError for anything else."""
        name, _, digest = text.partition("@")
        host, _, rest = name.partition("/")
        repository, _, tag = rest.partition(":")
        return cls(host, repository, tag, digest)

    @property
    def pinned(self) -> str:
        """The name that is deployed: by digest, and without the tag, which may move on."""
        return f"{self.host}/{self.repository}@{self.digest}" if self.digest else str(self)

    def with_digest(self, digest: str) -> Reference:
        return replace(self, digest=digest)


@dataclass(frozen=True, slots=True)
class Destination:
    """A registry, or a part of one: what `--registry` names. `prefix` is empty or a path with no slash at its ends."""

    host: str
    prefix: str = ""

    def __str__(self) -> str:
        return f"{self.host}/{self.prefix}" if self.prefix else self.host

    @classmethod
    def parse(cls, text: str) -> Destination:
        """Reads `HOST[:PORT][/PREFIX]`; raises UsageError saying what is wrong and what was probably meant."""
        _refuse_what_is_no_host(text)
        host, _, prefix = text.strip().rstrip("/").partition("/")
        _check_host(host)
        host = DOCKER_HUB if host in DOCKER_HUB_NAMES else host
        if prefix:
            _check_repository(host, prefix)
        elif host == DOCKER_HUB:
            raise UsageError("Docker Hub needs the name of a user or an organisation", hint="--registry docker.io/USER")
        return cls(host, prefix)

    def reference(self, repository: str, tag: str = "") -> Reference:
        """`repository` below this destination; raises UsageError if that is no name an image can have."""
        return Reference(self.host, f"{self.prefix}/{repository}" if self.prefix else repository, tag)


def tag_of(digest: str) -> str:
    """The tag that says what is in the image: `h` and the first 12 hexadecimal digits of its digest.

    The letter keeps YAML from reading a tag such as `123456789e12` as a number.
    """
    return f"h{digest.removeprefix('sha256:')[:TAG_DIGITS]}"


def is_loopback(host: str) -> bool:
    """Whether `HOST[:PORT]` is this machine itself, which is spoken to over http."""
    import ipaddress

    name = host_name(host)
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def host_name(host: str) -> str:
    """`HOST[:PORT]` without its port and without an IPv6 address's brackets, in lower case."""
    bare = host.rpartition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
    return bare.lower()


def _refuse_what_is_no_host(text: str) -> None:
    if not text.strip():
        raise UsageError("the registry's name is empty", hint="--registry HOST[:PORT][/PREFIX]")
    scheme, separator, rest = text.partition("://")
    if separator:
        raise UsageError(
            f"`{text}`: a registry is named without `{scheme}://`",
            hint=f"--registry {rest.rstrip('/') or 'HOST'} (loopback is spoken to over http, all others over https)",
        )
    if "@" in text:
        raise UsageError(
            "a registry is named without a user and without a digest",
            hint="`docker login HOST` keeps the user's name and password where they are found",
        )


def _check_host(host: str) -> None:
    match = HOST.fullmatch(host)
    if match is None:
        raise UsageError(f"`{host}` is no host of a registry", hint="write HOST or HOST:PORT, as in `127.0.0.1:5000`")
    port = match["port"]
    if port and not 0 < int(port) < 65536:
        raise UsageError(f"`{host}`: {port} is no port", hint="a port is a number from 1 to 65535")
    if "." not in host and not port and not host.startswith("[") and host.lower() != "localhost":
        raise UsageError(
            f"`{host}` could be a registry or a repository",
            hint=_host_hint(host),
        )


def _host_hint(host: str) -> str:
    """https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftcontainerregistry"""
    if re.fullmatch("[A-Za-z0-9]{5,50}", host):
        return f"write `{host}.azurecr.io` for a registry in Azure, or give the port: `{host}:443`"
    return (
        f"write its host with the port, `{host}:443`; the name of a registry in Azure has 5 to 50 letters and digits, "
        "and nothing else"
    )


def _check_repository(host: str, repository: str) -> None:
    if not REPOSITORY.fullmatch(repository):
        raise UsageError(f"`{repository}` is no name of a repository", hint=_repository_hint(repository))
    if len(f"{host}/{repository}") > NAME_MOST_CHARACTERS:
        raise UsageError(
            f"`{host}/{repository}` has more than {NAME_MOST_CHARACTERS} characters",
            hint="shorten it: `--repository NAME`",
        )


def _repository_hint(repository: str) -> str:
    if repository != repository.lower() and REPOSITORY.fullmatch(repository.lower()):
        return f"it must be in lower case: `{repository.lower()}`"
    name, _, tag = repository.partition(":")
    if tag and REPOSITORY.fullmatch(name):
        return f"a tag is given apart from it: `--repository {name} --tag {tag}`"
    return "it is made of a-z and 0-9, with single `.`, `_` or `-` and `/` between them"


def _check_tag(tag: str) -> None:
    if tag and not TAG.fullmatch(tag):
        raise UsageError(
            f"`{tag}` is no tag",
            hint="a tag is made of letters, digits, `_`, `.` and `-`, begins with none of the last two, "
            "and has 128 characters at most",
        )
