"""Resources of one kind in a resource group: read, listed and missed alike by every service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks.sandbox import documents
from spin_aks.sandbox.azure.call import answer, not_found, page
from spin_aks.sandbox.azure.routes import Route

if TYPE_CHECKING:
    from spin_aks.sandbox.azure.call import Call
    from spin_aks.sandbox.azure.world import World
    from spin_aks.sandbox.documents import Document
    from spin_aks.sandbox.web import Answer


@dataclass(frozen=True, slots=True)
class Collection:
    """`kind` is as `Microsoft.Cache/redis`; `value` is what a route's braces call one's name."""

    kind: str
    value: str = "name"

    @property
    def of_group(self) -> str:
        """The route of all that are in a resource group."""
        return f"~/resourceGroups/{{group}}/providers/{self.kind}"

    @property
    def one(self) -> str:
        """The route of one of them."""
        return f"{self.of_group}/{{{self.value}}}"

    @property
    def reading(self) -> tuple[Route, ...]:
        """One of them, those of a resource group, those of a subscription."""
        return (
            Route("GET", f"~/providers/{self.kind}", self.list_of_subscription),
            Route("GET", self.of_group, self.list_of_group),
            Route("GET", self.one, self.get),
        )

    def existing(self, call: Call) -> Document:
        """The one that is asked for; RefusedError (ResourceNotFound) if there is none."""
        found = call.world.state.get(self.kind, call.fill(self.one))
        if found is None:
            raise not_found(self.kind, call.values[self.value], call.values["group"])
        return found

    def get(self, call: Call) -> Answer:
        return answer(self.existing(call))

    def list_of_group(self, call: Call) -> Answer:
        return page(call, call.world.state.all_of(self.kind, call.fill("~/resourceGroups/{group}/")))

    def list_of_subscription(self, call: Call) -> Answer:
        return page(call, call.world.state.all_of(self.kind, call.fill("~/")))

    def named(self, world: World, name: str) -> Document | None:
        """One of that name, in whichever subscription: for names that are everybody's."""
        found = world.state.all_of(self.kind)
        return next((one for one in found if documents.text(one, "name").lower() == name.lower()), None)
