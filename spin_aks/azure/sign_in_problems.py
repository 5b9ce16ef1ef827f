"""What a sign-in that fails means.

Codes: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from spin_aks.azure.problems import AzureUnreachableError, SignInError

if TYPE_CHECKING:
    from collections.abc import Mapping

_CODE = re.compile(r"AADSTS(\d+)")
_NOBODY = "failed to retrieve a token from the included credentials"
_ATTEMPT = re.compile(r"^\s*(\w+Credential): (.*)$", re.MULTILINE)
_TRIED = re.compile(r"authentication failed", re.IGNORECASE)
_OFFLINE = re.compile(
    r"NameResolutionError|Failed to resolve|Name or service not known|Max retries exceeded|Failed to establish"
    r"|getaddrinfo|Connection refused|Network is unreachable|(?:Cannot|Unable to) connect to proxy|timed out",
)

# What MSAL makes of the answer to a tenant that there is not, whose code it drops; and of a page in its place.
_NO_AUTHORITY = re.compile(r"Unable to get authority configuration for https://[^/\s]+/([^/\s]+?)[./]?(?:\s|$)")
_TLS = re.compile(r"CERTIFICATE_VERIFY_FAILED|certificate verify failed|SSLCertVerificationError")
_BROKEN = re.compile(r"HTTP Error: (429|5\d\d)|Remote end closed connection|Connection aborted|Connection reset")
# What azure-identity and MSAL trip over in an answer that is no JSON, or of another shape.
_STRANGE = re.compile(
    r"JSON is invalid|Expecting value|Cannot deserialize|object has no attribute|Authentication failed: ('\w+'|None)$",
    re.MULTILINE,
)

ENDED = ("70043", "70044", "700082", "700084", "50173", "50132", "50133", "54005", "700081")
MORE_PROOF = ("50076", "50079", "50074", "50072", "53003", "53000", "65001", "50158")
SECRET = ("7000215", "7000222", "700027")
NO_TENANT = ("90002", "90038", "900023", "50059")
NOT_IN_TENANT = ("50020", "51004", "50034", "700016", "50105", "16000")
WRONG_CLOUD = ("900439", "900432", "900383", "500207", "90051", "50194")


def log_in(tenant: str, *, scope: str = "") -> str:
    """The command that signs in, to that tenant or to one's own."""
    return "az login" + (f" --tenant {tenant}" if tenant else "") + (f" --scope {scope}" if scope else "")


def sign_in_failed(message: str, tenant: str) -> SignInError | AzureUnreachableError:
    """The error for a credential that gave no token; `message` is azure-identity's."""
    if _OFFLINE.search(message) and not _CODE.search(message):
        return AzureUnreachableError(
            "can't sign in to Azure: its sign-in service can't be reached",
            why=_heard(message),
            hint="are you online, and does HTTPS_PROXY name the proxy that your network needs?",
        )
    if _TLS.search(message):
        return AzureUnreachableError(
            "can't sign in to Azure: TLS with its sign-in service fails",
            why=_heard(message),
            hint="a proxy that opens TLS needs its authority in the file that REQUESTS_CA_BUNDLE names",
        )
    found = _CODE.search(message)
    if found is None and _BROKEN.search(message):
        return AzureUnreachableError(
            "can't sign in to Azure: its sign-in service itself fails",
            why=_heard(message),
            hint="https://azure.status.microsoft says whether it is known; run the same command again later",
        )
    if found is not None:
        return _refused(found[1], message, tenant)
    if unknown := _NO_AUTHORITY.search(message):
        refused = _refused(NO_TENANT[0], message, unknown[1])
        hint = f"{refused.problems[0].hint}; if it is right, a proxy may stand in between: check HTTPS_PROXY"
        return SignInError(str(refused), why=refused.why, hint=hint)
    if _STRANGE.search(message):
        return AzureUnreachableError(
            "can't sign in to Azure: what answered is not its sign-in service",
            why=_heard(message),
            hint="a proxy, or the sign-in page of a network, may stand in its place: check HTTPS_PROXY",
        )
    if _NOBODY in message and not _TRIED.search(message):
        return SignInError(
            "nobody is signed in to Azure",
            why=_heard(message),
            hint=f"type `{log_in(tenant)}`; in CI set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or use "
            "a workload identity",
        )
    return SignInError("can't sign in to Azure", why=_heard(message), hint=f"type `{log_in(tenant)}`")


def unusable_variables(message: str, environment: Mapping[str, str]) -> SignInError:
    """The error for `AZURE_...` variables that azure-identity refuses; `message` is its own."""
    empty = sorted(name for name, value in environment.items() if name.startswith("AZURE_") and not value)
    if empty:
        what = f"can't sign in to Azure: {', '.join(empty)} {'is' if len(empty) == 1 else 'are'} set, and empty"
        return SignInError(what, hint="unset what is empty, or give it a value: in CI, are its secrets there?")
    return SignInError(
        "can't sign in to Azure: an AZURE_... variable has a value that can't be used",
        why=message,
        hint="see what is set: AZURE_TOKEN_CREDENTIALS, AZURE_TENANT_ID, AZURE_CLIENT_ID",
    )


def _refused(code: str, message: str, tenant: str) -> SignInError:
    place = f"tenant `{tenant}`" if tenant else "its tenant"
    again = f"sign in again: `{log_in(tenant)}`"
    what, hint = f"Azure refuses the sign-in (AADSTS{code})", again
    if code in ENDED:
        what = "the sign-in to Azure has ended"
    elif code in MORE_PROOF:
        what = f"{place} wants more than what was given at the sign-in: a second factor, a known device or a consent"
    elif code in SECRET:
        what = "the secret or certificate of the service principal is wrong, or has run out"
        hint = "`az ad app credential reset --id CLIENT_ID` makes a new secret: set it as AZURE_CLIENT_SECRET"
    elif code in NO_TENANT:
        what = f"there is no {place if tenant else 'tenant of that name'} in this cloud of Azure's"
        hint = "`az account tenant list` shows yours; AZURE_AUTHORITY_HOST says which cloud is meant"
    elif code in NOT_IN_TENANT:
        what = f"whoever signed in is not known in {place}, not as a guest either"
        hint = f"sign in as somebody who is: `{log_in(tenant)}`, or ask its administrator for an invitation"
    elif code in WRONG_CLOUD:
        what = f"{place} belongs to another of Azure's clouds"
        hint = "set AZURE_AUTHORITY_HOST to the cloud's sign-in host, and `az cloud set --name CLOUD`"
    return SignInError(what, why=_heard(message), hint=hint)


def _heard(message: str) -> str:
    """One line for each credential that was tried, without advice that repeats ours."""
    attempts = _ATTEMPT.findall(message)
    if attempts:
        return "\n".join(f"{name}: {' '.join(said.split())[:300]}" for name, said in attempts)
    return "\n".join(line.strip()[:300] for line in message.splitlines() if line.strip())[:1200]
