"""Credentials for a registry, from where Docker keeps them: `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`.

`auths` holds them in the file, `credHelpers` and `credsStore` name programs that do (Docker CLI reference, "Credential
stores"; protocol: docker-credential-helpers, `docker-credential-NAME get`). Asked only once a registry wants to know.
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from spin_aks.errors import ProcessError, RegistryError, SpinAksError
from spin_aks.oci.reference import DOCKER_HUB, DOCKER_HUB_CREDENTIAL
from spin_aks.secret import NO_SECRET, Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from spin_aks.json_types import JSON, JSONObject

TOKEN_USER = "<token>"  # noqa: S105  what a helper gives as the user's name when the secret is an identity token
NOT_FOUND = "credentials not found"  # docker-credential-helpers: credentials.errCredentialsNotFoundMessage


@dataclass(frozen=True, slots=True)
class Credential:
    """One of three kinds: user and password; an identity token, to be changed for access tokens; a ready access token.

    `source` says where it was found, for people; `person` whose it is, where the user's name does not, and `more` what
    gives that person the rights that are missing, where another login would not.
    """

    source: str
    username: str = ""
    password: Secret = NO_SECRET
    identity_token: Secret = NO_SECRET
    registry_token: Secret = NO_SECRET
    person: str = ""
    more: str = ""

    @property
    def who(self) -> str:
        if self.person:
            return f"`{self.person}`"
        return f"user `{self.username}`" if self.username else "the token"


Find: TypeAlias = "Callable[[str], Credential | None]"
"""Looks for the credential of `HOST[:PORT]`, as `find` does."""


def config_path() -> Path:
    """Docker's own configuration file, whether it is there or not."""
    folder = os.environ.get("DOCKER_CONFIG")
    # Not Path.home, which raises for a user who has none.
    return Path(folder or os.path.expanduser("~/.docker")) / "config.json"  # noqa: PTH111


def find(host: str) -> Credential | None:
    """The credential for `HOST[:PORT]`, or None if there is none.

    The helper that the configuration names is asked first, then the file. Raises RegistryError if the configuration
    is broken, or if its helper is; never shows what a helper printed where that could hold a secret.
    """
    path = config_path()
    configuration = _read(path)
    helper = _helper_for(host, configuration, path)
    if helper and (found := _from_helper(helper, server_of(host), path)):
        return found
    return _from_file(host, configuration, path)


def server_of(host: str) -> str:
    """The name that Docker keeps a registry's credential under."""
    return DOCKER_HUB_CREDENTIAL if host == DOCKER_HUB else host


def _read(path: Path) -> JSONObject:
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise RegistryError(f"can't read Docker's configuration: {error.strerror}", where=str(path)) from error
    try:
        document = json.loads(text)
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        raise _broken(f"{path}:{line}", "it is not valid JSON") from error
    if not isinstance(document, dict):
        raise _broken(str(path), "it holds no JSON object")
    return document


def _helper_for(host: str, configuration: JSONObject, path: Path) -> str:
    helpers = _section(configuration, "credHelpers", path)
    named = helpers.get(server_of(host), helpers.get(host))
    helper = named if named is not None else configuration.get("credsStore", "")
    if not isinstance(helper, str) or os.sep in helper:
        raise _broken(str(path), "a credential helper is named by a string such as `pass`")
    return helper


def _section(configuration: JSONObject, name: str, path: Path) -> JSONObject:
    section = configuration.get(name)
    if section is None:
        return {}
    if not isinstance(section, dict):
        raise _broken(str(path), f"`{name}` is no JSON object")
    return section


def _from_helper(helper: str, server: str, path: Path) -> Credential | None:
    from spin_aks import process

    program = f"docker-credential-{helper}"
    command = process.Command((program, "get"))
    try:
        answer = process.capture(command, stdin=server.encode(), complains_on_stdout=True)
    except ProcessError as error:
        if NOT_FOUND in error.why:
            return None
        raise _helper_failed(program, path, f"exit code {error.code}", error.why) from None
    except SpinAksError:
        raise _helper_failed(program, path, "it can't be run", f"is `{program}` on PATH?") from None
    return _helper_answer(answer, program, path)


def _helper_answer(answer: str, program: str, path: Path) -> Credential | None:
    try:
        document = json.loads(answer)
    except ValueError:
        document = None
    match document:
        case {"Username": str(username), "Secret": str(secret)}:
            source = f"credential helper `{program}`, named in {path}"
            if username == TOKEN_USER:
                return Credential(source, identity_token=Secret(secret))
            return Credential(source, username, Secret(secret)) if secret else None
    raise _helper_failed(program, path, "its answer is no JSON object with `Username` and `Secret`", "")


def _helper_failed(program: str, path: Path, what: str, heard: str) -> RegistryError:
    """Names the helper; what it said is shown but for anything that looks like an answer, which would hold a secret."""
    shown = "\n".join(line for line in heard.splitlines() if "{" not in line and "ecret" not in line)
    return RegistryError(
        f"Docker's credential helper `{program}` failed: {what}",
        where=str(path),
        why=shown,
        hint=f"mend or install `{program}`, or take its name out of `credsStore` and `credHelpers` in `{path}` "
        "and run `docker login HOST`",
    )


def _from_file(host: str, configuration: JSONObject, path: Path) -> Credential | None:
    auths = _section(configuration, "auths", path)
    server = server_of(host)
    if server in auths:
        return _entry(auths[server], server, path)
    for key, entry in auths.items():
        if _host_of_key(key) == host:
            return _entry(entry, key, path)
    return None


def _host_of_key(key: str) -> str:
    """Docker's rule (registry.ConvertToHostname): a scheme and a path do not count."""
    bare = key.removeprefix("https://").removeprefix("http://")
    return bare.partition("/")[0]


def _entry(entry: JSON, key: str, path: Path) -> Credential | None:
    if not isinstance(entry, dict):
        raise _broken(str(path), f"`auths` has no JSON object for `{key}`")
    username, password = _user_and_password(entry, key, path)
    identity_token, registry_token = _text(entry, "identitytoken"), _text(entry, "registrytoken")
    if not (password or identity_token or registry_token):
        return None
    return Credential(str(path), username, Secret(password), Secret(identity_token), Secret(registry_token))


def _user_and_password(entry: JSONObject, key: str, path: Path) -> tuple[str, str]:
    encoded = _text(entry, "auth")
    if not encoded:
        return _text(entry, "username"), _text(entry, "password")
    try:
        user, separator, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        separator = ""
    if not separator:
        raise _broken(str(path), f"`auth` of `{key}` is no base64 text of `USER:PASSWORD`") from None
    return user, password.strip("\x00")


def _text(entry: JSONObject, name: str) -> str:
    value = entry.get(name)
    return value if isinstance(value, str) else ""


def _broken(where: str, why: str) -> RegistryError:
    return RegistryError(
        f"Docker's configuration is broken: {why}", where=where, hint="mend the file, or run `docker login HOST` anew"
    )
