"""What is in a Key Vault. No value is ever shown, kept or put into a message."""

from __future__ import annotations

from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from spin_aks import clock
from spin_aks.azure import wire
from spin_aks.azure.operations import duration
from spin_aks.azure.problems import AzureRefusalError, Kind, or_none, reported
from spin_aks.errors import AzureError
from spin_aks.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure.core.pipeline import PipelineResponse
    from azure.core.rest import HttpRequest, HttpResponse
    from azure.keyvault.secrets import SecretClient

    from spin_aks.azure.operations import Watch
    from spin_aks.azure.session import Session

LONGEST_WAIT_S = 600.0
"""A role takes up to ten minutes to be seen: https://learn.microsoft.com/azure/role-based-access-control/troubleshooting"""
LOOK_EVERY_S = 10.0


def name_for(variable: str) -> str:
    """The name of the secret for a variable of Spin's: a vault takes no `_`, a variable no `-`."""
    return variable.replace("_", "-")


def names(session: Session, uri: str) -> frozenset[str]:
    """The names of all secrets of the vault at `uri`, disabled ones left out; raises AzureError."""
    with _asking(session, uri, "list the secrets"):
        listed = _client(session, uri).list_properties_of_secrets()
        return frozenset(str(one.name) for one in listed if one.enabled is not False)


def get(session: Session, uri: str, name: str) -> Secret | None:
    """The newest value, or None if there is no such secret; raises AzureError."""

    def look() -> Secret:
        with _asking(session, uri, f"read the secret `{name}`"):
            return Secret(_client(session, uri).get_secret(name).value or "")

    return or_none(look)


def put(session: Session, uri: str, name: str, value: Secret) -> str:
    """Sets the secret, as a new version of what there is, and gives that version; raises AzureError.

    An AzureRefusalError of kind SOFT_DELETED says that a deleted secret holds the name: `recover` or `purge` it.
    """
    with _asking(session, uri, f"set the secret `{name}`"):
        made = _client(session, uri).set_secret(name, value.reveal(), content_type="text/plain")
    return made.properties.version or ""


def recover(session: Session, uri: str, name: str) -> None:
    """Brings back a deleted secret with all its versions; raises AzureError."""
    with _asking(session, uri, f"recover the secret `{name}`"):
        _client(session, uri).begin_recover_deleted_secret(name).wait()


def purge(session: Session, uri: str, name: str) -> None:
    """Ends a deleted secret for good; raises AzureError."""
    with _asking(session, uri, f"purge the deleted secret `{name}`"):
        _client(session, uri).purge_deleted_secret(name)


def delete(session: Session, uri: str, name: str) -> bool:
    """Deletes a secret, which can be recovered for a while; false if there is none. Raises AzureError."""

    def away() -> bool:
        with _asking(session, uri, f"delete the secret `{name}`"):
            _client(session, uri).begin_delete_secret(name).wait()
        return True

    return or_none(away) or False


def is_walled_off(error: AzureRefusalError) -> bool:
    """Whether the vault refuses this machine, whoever signs in: that says nothing about rights."""
    return error.answer.says("ForbiddenByFirewall", "ForbiddenByConnection")


def may_use(session: Session, uri: str) -> bool:
    """Whether whoever signed in may list the vault's secrets; raises AzureError where something else is wrong, as where
    the vault does not let this machine in.
    """
    try:
        with _asking(session, uri, "list the secrets"):
            next(iter(_client(session, uri).list_properties_of_secrets(max_page_size=1)), None)
    except AzureRefusalError as error:
        if error.kind is Kind.DENIED and not is_walled_off(error):
            return False
        raise
    return True


def wait_until_usable(session: Session, uri: str, watch: Watch) -> None:
    """Waits until a role that was given just now lets whoever signed in use the secrets, ten minutes at most.

    Raises AzureError, in the end for the refusal.
    """
    start_s = clock.monotonic_s()
    while not may_use(session, uri):
        waited_s = clock.monotonic_s() - start_s
        if waited_s >= LONGEST_WAIT_S:
            names(session, uri)
            return
        watch.progress(f"wait for the right to use the secrets of {uri}: {duration(waited_s)} so far")
        clock.sleep(LOOK_EVERY_S)


@contextmanager
def _asking(session: Session, uri: str, task: str) -> Iterator[None]:
    with reported(f"{task} of the vault", uri, tenant=session.tenant):
        try:
            yield
        except ValueError as error:
            # The SDK's own word for a vault that sends us to sign in for somebody else, and for what is no JSON.
            what = f"can't {task} of the vault: what answered is no Key Vault"
            said = str(error).partition("See http")[0]
            why = said if said.startswith("The challenge") else ""  # nothing of what a secret's answer was
            raise AzureError(what, where=uri, why=why, hint="check the vault's address, and HTTPS_PROXY") from error


def _check_shape(response: PipelineResponse[HttpRequest, HttpResponse]) -> None:
    """Raises ShapeError for what a vault does not answer with success: the SDK takes what it misses for nothing."""
    heard = response.http_response
    if heard.status_code != HTTPStatus.OK:
        return
    found = heard.json()
    is_list = urlsplit(heard.request.url).path.strip("/").lower() == "secrets"
    if not (isinstance(wire.at(found, "value"), list) if is_list else wire.text(found, "id")):
        raise wire.ShapeError


def _client(session: Session, uri: str) -> SecretClient:
    from azure.keyvault.secrets import SecretClient

    from spin_aks.azure.pipeline import Patience

    def made() -> SecretClient:
        return SecretClient(
            uri,
            session.credential,
            transport=session.transport,
            retry_policy=Patience(),
            raw_response_hook=_check_shape,
        )

    return session.kept((SecretClient, uri.lower()), made)
