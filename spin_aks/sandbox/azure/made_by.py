"""Who made and changed a resource, and when, as Resource Manager shows it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from spin_aks.sandbox import documents

if TYPE_CHECKING:
    from spin_aks.sandbox.azure.call import Call
    from spin_aks.sandbox.documents import Document


def system_data(call: Call, before: Document | None) -> Document:
    """`systemData` of what is made, or changed if there was something before."""
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
    by = call.who.app_id
    first = documents.mapping(before, "systemData")
    return {
        "createdBy": documents.text(first, "createdBy") or by,
        "createdByType": "Application",
        "createdAt": documents.text(first, "createdAt") or now,
        "lastModifiedBy": by,
        "lastModifiedByType": "Application",
        "lastModifiedAt": now,
    }
