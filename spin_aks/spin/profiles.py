"""A build profile applied: the application as `--profile NAME` sees it (Spin >= 4.0)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from spin_aks.errors import UsageError
from spin_aks.spin.model import Build

if TYPE_CHECKING:
    from spin_aks.spin.model import Application, Component, Profile


def applied(application: Application, name: str) -> Application:
    """The application with each component's profile `name` in force, where it has one.

    Raises UsageError if no component has one of that name.
    """
    known = sorted({profile for component in application.components for profile in component.profiles})
    if name not in known:
        there = f"there are: {', '.join(known)}" if known else "no component of this application has any"
        raise UsageError(f"there is no profile `{name}`", where=str(application.path), hint=there)
    components = tuple(
        _with(component, component.profiles[name]) if name in component.profiles else component
        for component in application.components
    )
    return replace(application, components=components)


def _with(component: Component, profile: Profile) -> Component:
    build = component.build
    if profile.commands is not None:
        build = replace(build or Build(()), commands=profile.commands)
    return replace(
        component,
        source=profile.source or component.source,
        environment={**component.environment, **profile.environment},
        dependencies={**component.dependencies, **profile.dependencies},
        build=build,
    )
