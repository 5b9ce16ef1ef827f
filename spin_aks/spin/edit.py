"""Changes to spin.toml that leave every other byte as it was: comments, layout, line ends, the byte order mark.

Each takes the text and returns it changed; `spin_aks.files` writes it. Both manifest versions are known.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spin_aks import toml_text
from spin_aks.errors import UsageError
from spin_aks.spin.manifest import parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from spin_aks.spin.model import Application
    from spin_aks.spin.shapes import Place


def set_variable(
    text: str, name: str, *, default: str | None = None, secret: bool | None = None, description: str | None = None
) -> str:
    """Adds the application variable `name`, or changes what of it is given.

    With a `default` it is not `required` any more; a new one without is. Raises ManifestError for a text
    that is no manifest.
    """

    given: dict[str, str | bool] = {} if default is None else {"default": default}
    given |= {} if secret is None else {"secret": secret}
    given |= {} if description is None else {"description": description}

    def change(document: Any, _app: Application) -> None:
        from tomlkit.items import InlineTable

        variables = document.get("variables", {})
        if name not in variables or isinstance(variables[name], InlineTable):
            _put(document, "variables", name, _variable({**dict(variables.get(name, {})), **given}))
            return
        if default is not None:
            variables[name].pop("required", None)
        for key, value in given.items():
            _set(variables[name], key, value)

    return _changed(text, change)


def set_component_variable(text: str, component: str, name: str, value: str) -> str:
    """Gives `component` the variable `name` with the expression `value`, such as `{{ api_host }}`.

    Raises UsageError if the application has no component of that id.
    """

    def change(document: Any, app: Application) -> None:
        try:
            place = app.component(component).place
        except KeyError:
            raise UsageError(f"there is no component `{component}`", where=str(app.path)) from None
        key = "config" if app.manifest_version == 1 else "variables"
        _put(_at(document, place), key, name, value)

    return _changed(text, change)


def set_trigger_setting(text: str, kind: str, key: str, value: str) -> str:
    """Sets `key` for all triggers of type `kind`: `[application.trigger.KIND]`, in version 1 `trigger`.

    Raises UsageError if a manifest of version 1 has another type of trigger.
    """

    def change(document: Any, app: Application) -> None:
        if app.manifest_version == 1:
            if document["trigger"]["type"] != kind:
                raise UsageError(f"the application has no {kind} trigger", where=str(app.path))
            _set(document["trigger"], key, value)
            return
        application = document["application"]
        if "trigger" not in application:
            application["trigger"] = _empty_like(application)
        _put(application["trigger"], kind, key, value)

    return _changed(text, change)


def set_trigger_key(text: str, trigger: str, key: str, value: str) -> str:
    """Sets `key` of the one trigger whose id is `trigger`: its own, or the one that Spin gives it.

    Raises UsageError if there is none.
    """

    def change(document: Any, app: Application) -> None:
        place = next((found.place for found in app.triggers if found.id == trigger), None)
        if place is None:
            raise UsageError(f"there is no trigger `{trigger}`", where=str(app.path))
        _set(_at(document, place), key, value)

    return _changed(text, change)


def _changed(text: str, change: Callable[[Any, Application], None]) -> str:
    import tomlkit

    mark, body = toml_text.without_mark(text)
    document = tomlkit.parse(body)
    change(document, parse(body, Path("spin.toml")))
    changed = tomlkit.dumps(document)
    if changed.endswith("\n\n") and not body.endswith(("\n\n", "\r\n\r\n")):
        changed = changed[:-1]
    return mark + (_with_crlf(changed) if _is_crlf(body) else changed)


def _is_crlf(text: str) -> bool:
    """Whether every line ends in CRLF: then new ones do, too."""
    return "\r\n" in text and not re.search(r"(?<!\r)\n", text)


def _with_crlf(text: str) -> str:
    return re.sub(r"(?<!\r)\n", "\r\n", text)


def _put(parent: Any, section: str, key: str, value: Any) -> None:
    """Sets a key of a section of `parent`; one that is not there is made, with an empty line before and after it."""
    import tomlkit
    from tomlkit.items import InlineTable

    if section in parent:
        _set(parent[section], key, value)
        return
    if isinstance(parent, InlineTable):
        _set(parent, section, _inline({key: value}))
        return
    made = tomlkit.table()
    made[key] = value
    made.add(tomlkit.nl())
    if isinstance(parent, tomlkit.TOMLDocument) and not parent.as_string().endswith(("\n\n", "\r\n\r\n")):
        parent.add(tomlkit.nl())
    parent[section] = made


def _empty_like(parent: Any) -> Any:
    """A table that holds only tables, as `parent` may hold it; by itself it is not seen in the text."""
    import tomlkit
    from tomlkit.items import InlineTable

    return tomlkit.inline_table() if isinstance(parent, InlineTable) else tomlkit.table(is_super_table=True)


def _set(table: Any, key: str, value: Any) -> None:
    """Sets a key; a new one in `{ a = 1 }` gets the space that stands before the brace."""
    import tomlkit
    from tomlkit.items import InlineTable

    item = tomlkit.item(value)
    if isinstance(table, InlineTable) and key not in table and table.as_string().endswith(" }"):
        item.trivia.trail = " "
    table[key] = item


def _variable(given: dict[str, Any]) -> Any:
    """`{ ... }` with what was given, in the order of Spin's own documentation."""
    required: dict[str, Any] = {} if "default" in given else {"required": True}
    secret: dict[str, Any] = {"secret": True} if given.get("secret") else {}
    kept: dict[str, Any] = {key: given[key] for key in ("default", "description") if key in given}
    return _inline({**required, **kept, **secret})


def _inline(values: dict[str, Any]) -> Any:
    import tomlkit

    inside = ", ".join(f"{key} = {tomlkit.item(value).as_string()}" for key, value in values.items())
    return tomlkit.value(f"{{ {inside} }}")


def _at(document: Any, place: Place) -> Any:
    found = document
    for step in place:
        found = found[step]
    return found
