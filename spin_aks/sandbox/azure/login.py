"""Microsoft Entra ID's sign-in, as far as azure-identity uses it for a service principal with a secret.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow. The sandbox's own service
principal is an owner of the subscription, and a guest in each of the other tenants, where it is another object.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from spin_aks.sandbox import moments
from spin_aks.sandbox.azure import directory
from spin_aks.sandbox.azure.call import Call, Caller, answer
from spin_aks.sandbox.azure.identifiers import CLIENT
from spin_aks.sandbox.azure.routes import Route
from spin_aks.sandbox.azure.tokens import LIFETIME_S

if TYPE_CHECKING:
    from spin_aks.sandbox.azure.operations import Finish
    from spin_aks.sandbox.documents import Document
    from spin_aks.sandbox.web import Answer

HOST = "login.microsoftonline.com"
ARM = "797f4846-ba00-4fd7-ba43-dac1f8f63013"  # the Resource Manager, as Entra ID knows it
MOVED = "Due to a configuration change made by your administrator, or because you moved to a new location, you must"
REFUSALS = {
    50076: f"{MOVED} use multi-factor authentication to access '{ARM}'.",
    50079: f"{MOVED} enroll in multi-factor authentication to access '{ARM}'.",
    53003: "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
    65001: (
        f"The user or administrator has not consented to use the application with ID '{CLIENT}'. Send an interactive "
        "authorization request for this user and resource."
    ),
}
REFUSED = "The tenant refuses the sign-in."


def discover(call: Call) -> Answer:
    tenant = call.query("authorization_endpoint").partition(f"{HOST}/")[2].partition("/")[0] or "common"
    alias: Document = {
        "preferred_network": HOST,
        "preferred_cache": "login.windows.net",
        "aliases": [HOST, "login.windows.net", "login.microsoft.com", "sts.windows.net"],
    }
    endpoint = f"https://{HOST}/{tenant}/v2.0/.well-known/openid-configuration"
    return answer({"tenant_discovery_endpoint": endpoint, "api-version": "1.1", "metadata": [alias]})


def configuration(call: Call) -> Answer:
    tenant = call.values["tenant"]
    base = f"https://{HOST}/{tenant}"
    if refusal := _unknown_tenant(call):
        return refusal
    return answer(
        {
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            "end_session_endpoint": f"{base}/oauth2/v2.0/logout",
            "tenant_region_scope": "NA",
            "cloud_instance_name": "microsoftonline.com",
            "cloud_graph_host_name": "graph.windows.net",
            "msgraph_host": "graph.microsoft.com",
        }
    )


def token(call: Call) -> Answer:
    form = {name: values[0] for name, values in parse_qs(call.raw().decode("utf-8", "replace")).items()}
    if refusal := _unknown_tenant(call):
        return refusal
    if form.get("grant_type") != "client_credentials":
        what = f"AADSTS70003: The app requested an unsupported grant type '{form.get('grant_type', '')}'."
        return _refused(400, "unsupported_grant_type", 70003, what)
    if form.get("client_id") != CLIENT:
        what = (
            f"AADSTS700016: Application with identifier '{form.get('client_id', '')}' was not found in the directory "
            f"'{call.values['tenant']}'. This can happen if the application has not been installed by the "
            "administrator of the tenant or consented to by any user in the tenant. You may have sent your "
            "authentication request to the wrong tenant."
        )
        return _refused(400, "unauthorized_client", 700016, what)
    if form.get("client_secret") != call.world.tokens.client_secret:
        what = (
            "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client "
            f"secret value, not the client secret ID, for a secret added to app '{CLIENT}'."
        )
        return _refused(401, "invalid_client", 7000215, what)
    if code := directory.refusal(call.world, call.values["tenant"]):
        number = int(code.removeprefix("AADSTS"))
        return _refused(400, "interaction_required", number, f"{code}: {REFUSALS.get(number, REFUSED)}")
    return _issued(call, form.get("scope", "").removesuffix("/.default"))


def _issued(call: Call, audience: str) -> Answer:
    tenant = call.values["tenant"].lower()
    caller = Caller(directory.object_id(tenant), tenant, CLIENT, audience)
    return answer(
        {
            "token_type": "Bearer",
            "expires_in": LIFETIME_S,
            "ext_expires_in": LIFETIME_S,
            "access_token": call.world.tokens.issue(caller),
        }
    )


def _unknown_tenant(call: Call) -> Answer | None:
    tenant = call.values["tenant"]
    if directory.is_tenant(call.world, tenant):
        return None
    what = (
        f"AADSTS90002: Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing "
        "into the correct cloud. Check with your subscription administrator, this may happen if there are no active "
        "subscriptions for the tenant."
    )
    return _refused(400, "invalid_request", 90002, what)


def _refused(status: int, error: str, code: int, what: str) -> Answer:
    trace, correlation, now = str(uuid.uuid4()), str(uuid.uuid4()), moments.now().replace("T", " ")
    return answer(
        {
            "error": error,
            "error_description": f"{what} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {now}",
            "error_codes": [code],
            "timestamp": now,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://{HOST}/error?code={code}",
        },
        status=status,
    )


ROUTES = (
    Route("GET", "/common/discovery/instance", discover, host=HOST),
    Route("GET", "/{tenant}/v2.0/.well-known/openid-configuration", configuration, host=HOST),
    Route("POST", "/{tenant}/oauth2/v2.0/token", token, host=HOST),
)
FINISHES: dict[str, Finish] = {}
