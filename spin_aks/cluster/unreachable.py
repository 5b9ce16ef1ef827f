"""Turns what goes wrong on the way to an API server into errors that say where it went wrong."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from spin_aks.cluster.refusals import UnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator

_RERUN = "run the same command again: it takes up where it was"


@contextmanager
def unreachable(server: str, request: str, proxy: str) -> Iterator[None]:
    """Raises UnreachableError, naming the server (and the proxy before it, if any), for what urllib3 raises inside."""
    import urllib3

    try:
        yield
    except urllib3.exceptions.HTTPError as error:
        what, hint = _in_words(error, request, proxy)
        raise UnreachableError(what, where=server, hint=hint) from error


def _in_words(error: Exception, request: str, proxy: str) -> tuple[str, str]:
    from urllib3 import exceptions

    cause = error.reason if isinstance(error, exceptions.MaxRetryError) and error.reason else error
    match cause:
        case exceptions.ProxyError():
            reason = cause.original_error or cause
            return f"the proxy `{proxy}` gives no way to the cluster: {reason}", "check HTTPS_PROXY and NO_PROXY"
        case exceptions.SSLError():
            hint = (
                "a cluster that was made anew needs a new kubeconfig: `az aks get-credentials`; "
                "a proxy that opens TLS needs its authority in the kubeconfig"
            )
            return f"TLS with the cluster fails: {_tls_reason(cause)}", hint
        case exceptions.NameResolutionError():
            hint = "is the cluster private (then a VPN or a machine in its network is needed), or gone?"
            return "the cluster's host name is not known here", hint
        case exceptions.NewConnectionError():
            hint = "is the cluster running (`az aks start`), and is it the right context (`--context`)?"
            return f"can't connect to the cluster: {_system_reason(cause)}", hint
        case exceptions.ConnectTimeoutError():
            hint = "is it behind a VPN or a firewall, and is your address among its authorised ranges?"
            return "the cluster does not answer in time", hint
        case exceptions.ReadTimeoutError():
            return f"the cluster took `{request}` and did not answer in time", _RERUN
    return f"the connection broke during `{request}`: {_system_reason(cause)}", _RERUN


def _tls_reason(error: Exception) -> str:
    """`certificate verify failed: self-signed certificate`, without OpenSSL's source lines."""
    inner = error.args[0] if error.args and isinstance(error.args[0], Exception) else error
    message = getattr(inner, "verify_message", "")
    return f"certificate verify failed: {message}" if message else str(inner)


def _system_reason(error: BaseException) -> str:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.strerror:
            return seen.strerror.lower()
        seen = seen.__cause__ or seen.__context__
    return str(error)
