"""What of an application only the Spin CLI can put together: components that are composed of several wasm files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.errors import Problem

if TYPE_CHECKING:
    from spin_aks.spin.model import Application

_HINT = (
    "install the Spin CLI (https://spinframework.dev/install), which composes it at push, "
    "or compose it in the component's build command (`wac plug`)"
)


def composed(app: Application) -> tuple[Problem, ...]:
    """Why the image of `app` can't be made without the Spin CLI, component by component; empty where it can.

    `dependencies` of a component (Spin >= 3.0) and of a trigger (Spin >= 4.0, middleware) are composed at push
    (spin, crates/oci/src/client.rs, `assemble_layers_composed`).
    """
    components = (
        Problem(
            f"component `{component.id}` has `dependencies`, and only the Spin CLI can compose them into one wasm",
            app.where((*component.place, "dependencies")),
            _HINT,
        )
        for component in app.components
        if component.dependencies
    )
    triggers = (
        Problem(
            f"trigger `{trigger.id}` has `dependencies`, and only the Spin CLI can compose them into its component",
            app.where((*trigger.place, "dependencies")),
            _HINT,
        )
        for trigger in app.triggers
        if trigger.config.get("dependencies")
    )
    return (*components, *triggers)
