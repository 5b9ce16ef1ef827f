"""What an application talks to outside, as far as its manifest and its runtime's configuration say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from spin_aks.spin.runtime_config import NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spin_aks.spin.model import Application
    from spin_aks.spin.runtime_config import RuntimeConfig

# Databases negotiate TLS inside their own protocol; `*` is any scheme.
_TLS_SCHEMES = frozenset({"https", "rediss", "mqtts", "wss", "mysql", "postgres", "*"})
_TLS_ADDRESS_SCHEMES = frozenset({"rediss", "mqtts", "ssl", "wss", "*"})
_VARIABLE = re.compile(r"\{\{.*?\}\}")


def speaks_tls(application: Application, configuration: RuntimeConfig = NOTHING) -> bool:
    """Whether it may open TLS connections, for which its container needs a bundle of certificate authorities.

    Judged by the schemes of `allowed_outbound_hosts` and of the triggers' addresses, and by the stores and providers
    of its runtime's configuration. A scheme that is a variable counts: whatever its default, another
    value may be given.
    """
    if configuration.speaks_tls:
        return True
    hosts = (host for component in application.components for host in component.allowed_outbound_hosts)
    return any(_scheme(host) in _TLS_SCHEMES for host in hosts) or any(
        _scheme(address) in _TLS_ADDRESS_SCHEMES for address in _addresses(application)
    )


def _addresses(application: Application) -> Iterator[str]:
    tables = [*application.trigger_settings.values(), *(trigger.config for trigger in application.triggers)]
    for table in tables:
        address = table.get("address")
        if isinstance(address, str):
            yield address


def _scheme(address: str) -> str:
    scheme, found, _ = _VARIABLE.sub("*", address).partition("://")
    if not found:
        return "*" if scheme.startswith("*") else ""
    return "*" if "*" in scheme else scheme.lower()
