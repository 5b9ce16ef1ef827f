"""How requests to Azure Resource Manager are sent: patient, but not for ever, and doing nothing that nobody asked for.

It is the SDK's own pipeline but for three policies: the SDK's clients would register a resource provider by themselves
and wait for that without an end, follow any `Retry-After`, and give up on a token that ends in mid-run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azure.core.exceptions import DecodeError
from azure.core.pipeline import policies as core
from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy, ARMHttpLoggingPolicy

if TYPE_CHECKING:
    from azure.core.pipeline import PipelineRequest, PipelineResponse
    from azure.core.rest import HttpRequest, HttpResponse

    from spin_aks.azure.credential import Credential

    Request = PipelineRequest[HttpRequest]
    Response = PipelineResponse[HttpRequest, HttpResponse]

AGAIN = 4
LONGEST_PAUSE_S = 120.0
CONNECT_TIMEOUT_S = 15.0
ANSWER_TIMEOUT_S = 120.0
OPERATIONS = (["operations"], ["operationsstatus"], ["operationstatuses"], ["asyncoperations"])
_WRONG_TENANT = "is from the wrong issuer"  # of the challenge that comes with InvalidAuthenticationTokenTenant


def policies(credential: Credential, scope: str) -> list[Any]:
    """The policies of one client, in their order; each client needs its own."""
    return [
        core.RequestIdPolicy(),
        core.HeadersPolicy(),
        core.UserAgentPolicy(base_user_agent="spin-aks"),
        Shape(),
        core.ContentDecodePolicy(),
        core.RedirectPolicy(),
        Patience(),
        Bearer(credential, scope),
        core.CustomHookPolicy(),
        core.SensitiveHeaderCleanupPolicy(),
        ARMHttpLoggingPolicy(),
    ]


def plain_policies() -> list[Any]:
    """For services that know no token of ours: a registry's token service."""
    return [core.UserAgentPolicy(base_user_agent="spin-aks"), Patience()]


class Patience(core.RetryPolicy[Any, Any]):
    """Tries again what can be repeated, after as long as Azure asks for; not if that is longer than anybody waits."""

    def __init__(self) -> None:
        super().__init__(retry_total=AGAIN, retry_connect=2, retry_read=2, retry_status=AGAIN, retry_backoff_max=20)

    def is_retry(self, settings: dict[str, Any], response: Any) -> bool:
        if (self.get_retry_after(response) or 0.0) > LONGEST_PAUSE_S:
            return False
        return bool(super().is_retry(settings, response))

    def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        request.context.options.setdefault("connection_timeout", CONNECT_TIMEOUT_S)
        request.context.options.setdefault("read_timeout", ANSWER_TIMEOUT_S)
        return super().send(request)


class OtherShapeError(DecodeError):
    """An answer is JSON, and not such as Azure answers."""


class Shape(core.SansIOHTTPPolicy[Any, Any]):
    """Refuses what is no answer of the Resource Manager to a GET, where the SDKs would take what they miss for nothing:
    a list without a `value` for an empty one.
    """

    def on_response(self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]) -> None:
        asked, heard = request.http_request, response.http_response
        decoded = core.ContentDecodePolicy.CONTEXT_NAME
        if asked.method != "GET" or heard.status_code != 200 or decoded not in response.context:
            return
        found, path = response.context[decoded], urlsplit(asked.url).path.strip("/")
        is_text = isinstance(found, str) and "json" not in heard.headers.get("Content-Type", "")
        if is_text or (found is None and "/operationresults/" not in path.lower()):
            raise DecodeError(response=heard)
        if found is not None and not _fits(path, found):
            raise OtherShapeError(response=heard)


def _fits(path: str, found: object) -> bool:
    """A list has `value`, an operation `status`; what else an object has to have is for its reader.

    What is a list its address says: kinds and names take turns in it, and a provider's own name goes before.
    """
    if not isinstance(found, dict):
        return False
    if path.lower().split("/")[-2:-1] in OPERATIONS:
        return isinstance(found.get("status"), str)
    _, provided, below = path.rpartition("/providers/")
    is_even = len(below.split("/")) % 2 == 0
    return is_even != bool(provided) or isinstance(found.get("value"), list)


class Bearer(ARMChallengeAuthenticationPolicy):
    """Sends the token; one that Azure holds for expired is renewed once, one of another tenant's is not."""

    def __init__(self, credential: Credential, scope: str) -> None:
        super().__init__(credential, scope)
        self._renewable, self._scope = credential, scope

    def on_challenge(self, request: Any, response: Any) -> bool:
        if super().on_challenge(request, response):
            return True
        if _WRONG_TENANT in response.http_response.headers.get("WWW-Authenticate", ""):
            return False
        if not self._renewable.forget():
            return False
        self.authorize_request(request, self._scope)
        return True
