"""Access policies of a vault, changed one by one: `.../vaults/{vault}/accessPolicies/add`."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from spin_aks.sandbox import documents
from spin_aks.sandbox.azure.call import RefusedError, answer
from spin_aks.sandbox.azure.routes import Route
from spin_aks.sandbox.azure.vault_names import KIND, ONE, VAULTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from spin_aks.sandbox.azure.call import Call
    from spin_aks.sandbox.azure.operations import Finish
    from spin_aks.sandbox.documents import JSON, Document
    from spin_aks.sandbox.web import Answer


def change(call: Call) -> Answer:
    """`add` joins permissions to those that a policy's owner has, `remove` takes them, `replace` sets them."""
    asked = documents.items(call.document(), "properties", "accessPolicies")
    with call.world.state.lock:
        vault = VAULTS.existing(call)
        do = CHANGES.get(call.values["change"].lower())
        if do is None:
            message = f"The operation kind '{call.values['change']}' is none of add, replace, remove."
            raise RefusedError(HTTPStatus.BAD_REQUEST, "BadRequest", message)
        properties = documents.child(vault, "properties")
        policies: list[JSON] = [*documents.items(properties, "accessPolicies")]
        for policy in asked:
            owner = documents.text(policy, "objectId")
            found = next((one for one in policies if documents.text(one, "objectId") == owner), None)
            policies = [one for one in policies if one is not found]
            changed = do(documents.mapping(found, "permissions"), documents.mapping(policy, "permissions"))
            if any(changed.values()):
                policies.append({**policy, "permissions": changed})
        properties["accessPolicies"] = policies
        call.world.state.put(KIND, call.fill(ONE), vault)
    body: Document = {
        "id": f"{documents.text(vault, 'id')}/accessPolicies/",
        "type": f"{KIND}/accessPolicies",
        "location": documents.text(vault, "location"),
        "properties": {"accessPolicies": policies},
    }
    return answer(body)


def _permissions(document: Document, about: str) -> list[str]:
    found = document.get(about)
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _joined(old: Document, new: Document) -> Document:
    return {about: [*dict.fromkeys(_permissions(old, about) + _permissions(new, about))] for about in {**old, **new}}


def _taken(old: Document, new: Document) -> Document:
    return {about: [one for one in _permissions(old, about) if one not in _permissions(new, about)] for about in old}


def _set(_old: Document, new: Document) -> Document:
    return new


CHANGES: dict[str, Callable[[Document, Document], Document]] = {"add": _joined, "remove": _taken, "replace": _set}

ROUTES = (Route("PUT", ONE + "/accessPolicies/{change}", change),)
FINISHES: dict[str, Finish] = {}
