"""What a registry's answer means in words: who was refused, what, and the next command to type."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from spin_aks.errors import RegistryError

if TYPE_CHECKING:
    from spin_aks.json_types import JSON
    from spin_aks.oci.credentials import Credential
    from spin_aks.oci.transport import Answer

SHOWN_CHARACTERS = 400


@dataclass(frozen=True, slots=True)
class Access:
    """Who wants what: `actions` as in a scope (`pull`, `pull,push`); `looked_in` is where credentials are kept."""

    host: str
    repository: str
    actions: str
    credential: Credential | None = None
    looked_in: str = ""

    @property
    def verb(self) -> str:
        return "push to" if "push" in self.actions else "read from"

    @property
    def scope(self) -> str:
        return f"repository:{self.repository}:{self.actions}"


def refusal(answer: Answer, what: str, access: Access) -> RegistryError:
    """The error for an answer that is final; `what` was asked ("the manifest")."""
    why, host = said(answer), access.host
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return unauthorized(access, why)
    if answer.status == HTTPStatus.FORBIDDEN:
        return _denied(access, why)
    if answer.status == HTTPStatus.NOT_FOUND:
        return RegistryError(
            f"`{host}` knows no repository `{access.repository}`",
            where=place(answer),
            why=why,
            hint="create it there first, or name another: `--registry HOST[:PORT][/PREFIX]`, `--repository NAME`",
        )
    if "HTTPS server" in why or "HTTPS port" in why:
        return speaks_https(host)
    return RegistryError(f"`{host}` answered {status_of(answer)} to {what}", where=place(answer), why=why)


def unauthorized(access: Access, why: str) -> RegistryError:
    """Nobody is let in, or not this user: says where the credentials came from, or were looked for."""
    host, wanted, found = access.host, f"{access.verb} `{access.repository}`", access.credential
    if found is None:
        message = f"`{host}` lets only known users {wanted}, and no credentials for it are in {access.looked_in}"
    else:
        message = f"`{host}` does not let {found.who} {wanted} (credentials from {found.source})"
    return RegistryError(message, why=why, hint=found.more if found and found.more else login_hint(host))


def _denied(access: Access, why: str) -> RegistryError:
    credential = access.credential
    another = f"ask for that right, or log in as somebody who has it: {login_hint(access.host)}"
    who = f"{credential.who} (credentials from {credential.source})" if credential else "somebody without credentials"
    return RegistryError(
        f"`{access.host}` denies {who} the right to {access.verb} `{access.repository}`",
        why=why,
        hint=credential.more if credential and credential.more else another,
    )


def speaks_https(netloc: str) -> RegistryError:
    return RegistryError(
        f"`{netloc}` speaks https, but a loopback registry is spoken to over http",
        hint="let it listen without TLS on this machine, or name it by a host name that is not loopback",
    )


def login_hint(host: str) -> str:
    name, _, domain = host.partition(".")
    if domain == "azurecr.io":
        return f"`az acr login --name {name}`, or `docker login {host}`"
    return f"`docker login {host}`"


def again_hint(why: str) -> str:
    """What to do about a failure of the registry's own; distribution quotes the system's error number (28: ENOSPC)."""
    if '"Err": 28' in why or "no space left" in why.lower():
        return "the registry's disk is full: make room there, then run the same command again"
    return "run the same command again later: what the registry has by then is not sent again"


def status_of(answer: Answer) -> str:
    """`404 Not Found`."""
    try:
        return f"{answer.status} {HTTPStatus(answer.status).phrase}"
    except ValueError:
        return str(answer.status)


def place(answer: Answer) -> str:
    """The URL without its query, which may hold the state of an upload."""
    parts = urlsplit(answer.url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def said(answer: Answer) -> str:
    """The registry's own words: its errors (OCI distribution specification 1.1, "Error codes"), or its text."""
    text = answer.body.decode(errors="replace").strip()
    try:
        document = json.loads(text)
    except ValueError:
        return _plain(text)
    match document:
        case {"errors": [*errors]} if errors:
            return "\n".join(_error(error) for error in errors)
        case {"message": str(message)} | {"details": str(message)} | {"error": str(message)}:
            return message[:SHOWN_CHARACTERS]
    return text[:SHOWN_CHARACTERS]


def codes(answer: Answer) -> frozenset[str]:
    """The codes of the errors an answer holds, such as `BLOB_UPLOAD_UNKNOWN`."""
    try:
        document = json.loads(answer.body)
    except ValueError:
        return frozenset()
    errors = document.get("errors") if isinstance(document, dict) else None
    entries = errors if isinstance(errors, list) else []
    return frozenset(str(entry.get("code", "")) for entry in entries if isinstance(entry, dict))


def _error(error: JSON) -> str:
    if not isinstance(error, dict):
        return str(error)[:SHOWN_CHARACTERS]
    words = ": ".join(str(error[name]) for name in ("code", "message") if error.get(name))
    detail = error.get("detail")
    shown = "" if not detail else f" ({detail if isinstance(detail, str) else json.dumps(detail)})"
    return f"{words}{shown}"[:SHOWN_CHARACTERS]


def _plain(text: str) -> str:
    """Proxies answer in HTML: its title is what they say."""
    title = re.search(r"<title>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    return (title[1].strip() if title else text)[:SHOWN_CHARACTERS]
