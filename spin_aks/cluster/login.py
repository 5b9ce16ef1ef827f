"""Logging in by a kubeconfig, through the `kubernetes` package."""

from __future__ import annotations

import logging
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from spin_aks.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import urllib3

    from spin_aks.cluster.kube_context import Context

_KUBELOGIN = "`az aks install-cli` installs it; or `az aks get-credentials --admin` needs none"


@dataclass(frozen=True, slots=True)
class Login:
    """`authorization` gives the header's value (empty for client certificates), renewed when it runs out."""

    pool: urllib3.PoolManager
    authorization: Callable[[], str]
    proxy: str


def log_in(context: Context, paths: tuple[Path, ...]) -> Login:
    """A pool of connections that bears this context's credentials; raises ClusterError if they can't be had."""
    _check_plugin(context)
    from urllib.request import getproxies

    import urllib3
    from kubernetes import client, config
    from kubernetes.config import ConfigException

    configuration = client.Configuration()
    joined = os.pathsep.join(str(path) for path in paths)
    with _said() as lines:
        try:
            config.load_kube_config(joined, context.name, configuration, persist_config=False)  # type: ignore[no-untyped-call]
        except (ConfigException, OSError, ValueError) as error:
            raise ClusterError(f"can't log in by the kubeconfig: {error}", where=joined) from error
    if lines:
        raise ClusterError(f"the login of user `{context.user}` fails", where=joined, why="\n".join(lines))
    if not configuration.verify_ssl:
        # Asked for by `insecure-skip-tls-verify`: a warning a request would bury what matters.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    if not configuration.proxy:
        # Older versions of the package look for a proxy in the kubeconfig only.
        proxies = getproxies()
        configuration.proxy = proxies.get(urlsplit(context.server).scheme)
        configuration.no_proxy = proxies.get("no")
    pool: urllib3.PoolManager = client.ApiClient(configuration).rest_client.pool_manager

    def authorization() -> str:
        return str(configuration.auth_settings().get("BearerToken", {}).get("value") or "")

    return Login(pool, authorization, str(configuration.proxy or ""))


def _check_plugin(context: Context) -> None:
    command = context.command
    if not command:
        return
    path = str(context.folder / command) if os.sep in command else command
    if shutil.which(path) is None:
        hint = context.install_hint.strip() or (_KUBELOGIN if "kubelogin" in command else f"install `{command}`")
        what = f"user `{context.user}` logs in by the program `{command}`, which is not there"
        raise ClusterError(what, where=context.server, hint=hint)


@contextmanager
def _said() -> Iterator[list[str]]:
    """What the package logs meanwhile: it logs a plugin's failure, and goes on without a login."""
    lines: list[str] = []

    class _Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    handler = _Collect(logging.ERROR)
    logging.getLogger().addHandler(handler)
    try:
        yield lines
    finally:
        logging.getLogger().removeHandler(handler)
