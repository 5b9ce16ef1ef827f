"""What each type of trigger wants to know, by the configuration that its crate reads (crates/trigger-*/src)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.errors import Problem
from spin_aks.spin import expressions
from spin_aks.spin.versions import nearest_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spin_aks.spin.model import Application, Trigger

# Keys without which the trigger does not start, and what to write.
_NEEDS = {
    "redis": ("channel", 'channel = "messages"'),
    "mqtt": ("topic", 'topic = "messages"'),
    "sqs": ("queue_url", ""),
}
# Where expressions are looked up: in the trigger itself, and in `[application.trigger.TYPE]`.
_TEMPLATED = {
    "redis": (("address", "channel"), ("address",)),
    "mqtt": (("topic",), ("address", "username", "password")),
}
_WITH_ADDRESS = ("redis", "mqtt")


def check(app: Application) -> Iterator[Problem]:
    """Every trigger that can't start: by itself, by the component it names, or by what it refers to."""
    for trigger in app.triggers:
        yield from _component(app, trigger)
        yield from _needs(app, trigger)
        yield from _trigger_expressions(app, trigger)
    yield from _setting_expressions(app)


def _component(app: Application, trigger: Trigger) -> Iterator[Problem]:
    known = tuple(component.id for component in app.components)
    where = app.where((*trigger.place, "component"))
    static = "static_response" in trigger.config
    if trigger.component is not None and static:
        what = f"the trigger `{trigger.id}` has both a `component` and a `static_response`"
        yield Problem(what, where, "take one of them away")
    if trigger.component is None and not static and "components" not in trigger.config:
        hint = 'name the component that it runs: `component = "..."`'
        yield Problem(f"the trigger `{trigger.id}` runs no component", app.where(trigger.place), hint)
    if trigger.component is not None and trigger.component not in known:
        near = nearest_name(trigger.component, known)
        hint = f"did you mean `{near}`?" if near else f"add `[component.{trigger.component}]`"
        what = f"the trigger `{trigger.id}` runs the component `{trigger.component}`, and there is none of that id"
        yield Problem(what, where, hint)


def _needs(app: Application, trigger: Trigger) -> Iterator[Problem]:
    key, example = _NEEDS.get(trigger.type, ("", ""))
    if key and not isinstance(trigger.config.get(key), str):
        hint = f"for example `{example}`" if example else ""
        what = f"the {trigger.type} trigger `{trigger.id}` has no `{key}`"
        yield Problem(what, app.where(trigger.place), hint)
    if trigger.type in _WITH_ADDRESS and not (_address(app, trigger)):
        hint = f"[application.trigger.{trigger.type}] with `address` sets it for all of them"
        if app.manifest_version == 1:
            hint = f'`trigger = {{ type = "{trigger.type}", address = "..." }}` at the top of the manifest sets it'
        what = f"the {trigger.type} trigger `{trigger.id}` has no address to connect to"
        yield Problem(what, app.where(trigger.place), hint)


def _address(app: Application, trigger: Trigger) -> str:
    setting = app.trigger_settings.get(trigger.type, {}).get("address")
    return str(trigger.config.get("address") or setting or "")


def _trigger_expressions(app: Application, trigger: Trigger) -> Iterator[Problem]:
    for key in _TEMPLATED.get(trigger.type, ((), ()))[0]:
        text = trigger.config.get(key)
        if isinstance(text, str):
            place = (*trigger.place, key)
            yield from expressions.wrong(app, text, place, f"the trigger `{trigger.id}`, `{key}`")


def _setting_expressions(app: Application) -> Iterator[Problem]:
    for kind in app.trigger_types:
        for key in _TEMPLATED.get(kind, ((), ()))[1]:
            text = app.trigger_settings.get(kind, {}).get(key)
            if isinstance(text, str):
                top = ("trigger", key) if app.manifest_version == 1 else ("application", "trigger", kind, key)
                yield from expressions.wrong(app, text, top, f"the {kind} triggers' `{key}`")
