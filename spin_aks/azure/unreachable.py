"""What no answer from Azure means: offline, a proxy, TLS, a connection that broke."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from spin_aks.azure.problems import RERUN, AzureUnreachableError

_OPENSSL = re.compile(r"^\[[^]]*\] *| *\(_ssl\.c:\d+\)$")
_OFFLINE = "are you online, and does HTTPS_PROXY name the proxy that your network needs?"


def unreachable(error: Exception, task: str, where: str) -> AzureUnreachableError:
    """The error for a request without an answer; `error` is the SDK's, which wraps what really happened."""
    causes = list(_causes(error))
    host = next((found for cause in causes if (found := _host(cause))), "Azure")
    names = {type(cause).__name__ for cause in causes}
    # urllib3 also blames the proxy where what is behind it closes the connection that it had.
    if "ProxyError" in names and not {"RemoteDisconnected", "ConnectionResetError"} & names:
        what = f"can't {task}: the proxy gives no way to `{host}`"
        return AzureUnreachableError(what, where=where, why=_system(causes), hint="check HTTPS_PROXY and NO_PROXY")
    if {"SSLError", "SSLCertVerificationError"} & names and not {"SSLEOFError", "ConnectionResetError"} & names:
        hint = "a proxy that opens TLS needs its authority in the file that REQUESTS_CA_BUNDLE names"
        what = f"can't {task}: TLS with `{host}` fails"
        return AzureUnreachableError(what, where=where, why=_tls(causes), hint=hint)
    if {"NameResolutionError", "gaierror"} & names:
        what = f"can't {task}: the host `{host}` is not known here"
        return AzureUnreachableError(what, where=where, hint=_OFFLINE)
    if {"ConnectTimeoutError", "ConnectTimeout"} & names:
        return AzureUnreachableError(f"can't {task}: `{host}` does not answer in time", where=where, hint=_OFFLINE)
    if {"ReadTimeoutError", "ReadTimeout", "ServiceResponseTimeoutError"} & names:
        return AzureUnreachableError(
            f"can't {task}: `{host}` took it and did not answer in time", where=where, hint=RERUN
        )
    if {"NewConnectionError", "ConnectionRefusedError"} & names:
        what = f"can't {task}: can't connect to `{host}`"
        return AzureUnreachableError(what, where=where, why=_system(causes), hint=_OFFLINE)
    what = f"can't {task}: the connection to `{host}` broke"
    return AzureUnreachableError(what, where=where, why=_system(causes), hint=RERUN)


def _causes(error: BaseException) -> list[BaseException]:
    """The error and what it comes from, the outermost first: the SDK, requests and urllib3 each wrap the one below."""
    found: list[BaseException] = []
    queue: list[object] = [error]
    while queue and len(found) < 30:
        one = queue.pop(0)
        if not isinstance(one, BaseException) or any(one is seen for seen in found):
            continue
        found.append(one)
        queue += [
            getattr(one, "inner_exception", None),
            getattr(one, "reason", None),
            one.__cause__,
            one.__context__,
            *one.args,
        ]
    return found


def _host(error: BaseException) -> str:
    request, pool = getattr(error, "request", None), getattr(error, "pool", None)
    return urlsplit(str(getattr(request, "url", "") or "")).hostname or str(getattr(pool, "host", "") or "")


def _system(causes: list[BaseException]) -> str:
    for cause in reversed(causes):
        if isinstance(cause, OSError) and cause.strerror:
            return _OPENSSL.sub("", cause.strerror).lower()
    return " ".join(str(causes[-1]).split())[:300]


def _tls(causes: list[BaseException]) -> str:
    for cause in causes:
        if message := getattr(cause, "verify_message", ""):
            return f"certificate verify failed: {message}"
    return _system(causes)
