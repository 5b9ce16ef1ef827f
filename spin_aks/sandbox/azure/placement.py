"""Where a resource is: the region as a client writes it, and as services show it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from spin_aks.sandbox import documents
from spin_aks.sandbox.azure import locations
from spin_aks.sandbox.azure.call import RefusedError

if TYPE_CHECKING:
    from spin_aks.sandbox.documents import Document


def region(text: str) -> str:
    """`westus` for `West US`."""
    return text.replace(" ", "").lower()


def shown(text: str) -> str:
    """`West US` for `westus`, as older services show it."""
    return locations.DISPLAY_NAMES.get(region(text), text)


def place(asked: Document, before: Document | None) -> str:
    """The region of what is made, or is there already: nothing moves. RefusedError if it is missing, or another one."""
    there = region(documents.text(before, "location"))
    wanted = region(documents.text(asked, "location")) or there
    if not wanted:
        message = "The location property is required for this definition."
        raise RefusedError(HTTPStatus.BAD_REQUEST, "LocationRequired", message)
    if before and wanted != there:
        name, where = documents.text(before, "name"), documents.text(before, "id").split("/")
        message = (
            f"The resource '{name}' already exists in location '{there}' in resource group '{where[4]}'. A resource "
            f"with the same name cannot be created in location '{wanted}'. Please select a new resource name."
        )
        raise RefusedError(HTTPStatus.CONFLICT, "InvalidResourceLocation", message)
    return wanted
