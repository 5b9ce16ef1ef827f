"""Why an answer can't be: as the same value in a file or a flag would be refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


def refuses(key: str) -> Callable[[str], str]:
    """For the input of this full key: the sentence why a text can't be its value, or "" for one that can."""
    from spin_aks.settings import layers, unknown, values

    row = layers.row_of(key)
    if row is None:
        raise KeyError(key)

    def refused(text: str) -> str:
        try:
            values.of_text(row, text, "/")
            if key == "container_registry.server":
                _as_registry(text)
        except UsageError as error:
            return ": ".join(filter(None, (str(error), error.problems[0].hint)))
        except ValueError as error:
            return str(error)
        leak = unknown.leak(key, text)
        return f"{leak.what}: {leak.hint}" if leak else ""

    return refused


def _as_registry(text: str) -> None:
    from spin_aks.oci.reference import Destination

    Destination.parse(text)
