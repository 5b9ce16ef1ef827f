"""Names of hosts that belong to one resource each: they lead somewhere as long as there is the resource."""

from __future__ import annotations

# The state's kind, by the host's name.
HOSTS = "hosts"
NAMED_BY_RESOURCES = (".azurecr.io", ".vault.azure.net")
