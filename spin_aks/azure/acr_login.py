"""The login to a registry of Azure's: a token of Entra ID's is changed for one of the registry's.

https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from spin_aks import clock
from spin_aks.azure import credential, session
from spin_aks.azure.problems import AzureRefusalError, AzureStrangeError, Kind, SignInError, reported
from spin_aks.errors import AzureError
from spin_aks.secret import Secret

if TYPE_CHECKING:
    from spin_aks.azure.session import Session

NOBODY = "00000000-0000-0000-0000-000000000000"
"""The user's name that says that the password is a token."""

REGISTRY_SCOPE = "https://containerregistry.azure.net/.default"
LIFETIME = timedelta(hours=3)
_IS_IT_ONE = "check the registry's name, and HTTPS_PROXY"


@dataclass(frozen=True, slots=True)
class RegistryLogin:
    """`token` serves as the password of user `NOBODY`, and as an OAuth refresh token at the registry's own token
    service, which is better: it is sent nowhere else. It holds until `ends`, about three hours.
    """

    host: str
    token: Secret
    ends: datetime

    @property
    def username(self) -> str:
        return NOBODY


def log_in(signed_in: Session, host: str) -> RegistryLogin:
    """Logs in to the registry at `host`, its login server; raises AzureError, also for a host that is not Azure's.

    Which host it is stands in the project's folder, where anybody may have written it, and tokens open more than that.

    Asks for a token that is good for registries only, which every registry takes. Where Entra ID gives none, one for
    the Resource Manager will do, unless the registry's policy `azureADAuthenticationAsArmPolicy` is off.
    """
    task = f"log in to the registry `{host}`"
    if not is_azure(host):
        hint = "`spin-aks run resources --refresh` asks Azure for the registry's host"
        raise AzureError(f"can't {task}: that is no host of Azure's, and gets no token", where=host, hint=hint)
    try:
        return _exchanged(signed_in, host, REGISTRY_SCOPE, task)
    except (SignInError, AzureRefusalError) as error:
        if isinstance(error, AzureRefusalError) and error.answer.status not in (400, 401):
            raise
        first = error
    try:
        return _exchanged(signed_in, host, signed_in.cloud.scope, task)
    except AzureError:
        raise first from None


def _exchanged(signed_in: Session, host: str, scope: str, task: str) -> RegistryLogin:
    with reported(task, host, tenant=signed_in.tenant):
        token = signed_in.credential.get_token(scope).token
    tenant = credential.claims(token).get("tid") or signed_in.tenant
    form = {"grant_type": "access_token", "service": host, "tenant": str(tenant), "access_token": token}
    document = _post(signed_in, f"https://{host}/oauth2/exchange", form, task, host)
    refresh = document.get("refresh_token")
    if not isinstance(refresh, str) or not refresh:
        raise AzureError(f"can't {task}: it answered without a token", where=host, hint=_IS_IT_ONE)
    ends = credential.claims(refresh).get("exp")
    moment = datetime.fromtimestamp(ends, UTC) if isinstance(ends, int | float) else clock.now() + LIFETIME
    return RegistryLogin(host, Secret(refresh), moment)


def _post(signed_in: Session, url: str, form: dict[str, str], task: str, host: str) -> dict[str, Any]:
    from azure.core import PipelineClient
    from azure.core.exceptions import HttpResponseError
    from azure.core.rest import HttpRequest

    from spin_aks.azure.pipeline import plain_policies

    client: PipelineClient[Any, Any] = PipelineClient(
        f"https://{host}", transport=signed_in.transport, policies=plain_policies()
    )
    try:
        with reported(task, host, tenant=signed_in.tenant):
            answer = client.send_request(HttpRequest("POST", url, data=form))
            if answer.status_code != 200:
                raise HttpResponseError(response=answer)
            document = answer.json()
    except AzureRefusalError as error:
        raise _refused(error, task, host) from error
    except AzureStrangeError as error:
        what = f"can't {task}: what answered is no registry of Azure's"
        raise AzureError(what, where=host, hint=_IS_IT_ONE) from error
    return document if isinstance(document, dict) else {}


def _refused(error: AzureRefusalError, task: str, host: str) -> AzureRefusalError:
    """A registry answers 401 to a token it doesn't take and to a person it doesn't know, 403 behind its firewall."""
    if error.answer.status == 403:
        what = f"can't {task}: its firewall does not let this machine in"
        name = host.partition(".")[0].partition("-")[0]  # of a newer one a hash goes after it
        hint = f"add your address: `az acr network-rule add --name {name} --ip-address ADDRESS`"
        return AzureRefusalError(Kind.DENIED, error.answer, what, where=host, why=error.answer.message, hint=hint)
    if error.answer.status == 404:
        what = f"can't {task}: what answered is no registry of Azure's"
        return AzureRefusalError(Kind.NOT_FOUND, error.answer, what, where=host, hint="check the registry's name")
    if error.answer.status in (400, 401):
        what = f"can't {task}: it does not take the sign-in to Azure"
        hint = "does whoever signed in have the role `AcrPush` there, and is the registry in the tenant of the sign-in?"
        return AzureRefusalError(Kind.DENIED, error.answer, what, where=host, why=error.answer.message, hint=hint)
    return error


def is_azure(host: str) -> bool:
    """Whether a registry's host is one of Azure's, and nothing but a host."""
    name, colon, port = host.lower().partition(":")
    labels = name.split(".")
    plain = all(label.isascii() and label.replace("-", "").isalnum() for label in labels)
    return plain and name.endswith(session.REGISTRY_HOSTS) and (not colon or port.isdecimal())
