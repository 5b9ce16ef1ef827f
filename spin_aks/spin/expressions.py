"""Expressions: strings in which `{{ name }}` stands for an application variable.

There are no filters, no escapes and no nesting (crates/expressions/src/template.rs); what is between the braces is
trimmed. Spin looks them up in component variables, and from 2.4 in `allowed_outbound_hosts` and in a Redis trigger's
address and channel; elsewhere the braces are only text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks.errors import Problem
from spin_aks.spin.names import resolvable_variable
from spin_aks.spin.versions import nearest_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from spin_aks.spin.model import Application
    from spin_aks.spin.shapes import Place


@dataclass(frozen=True, slots=True)
class Expression:
    """`names` are the variables it refers to, in order; `wrong` says why Spin can't read it, if it can't."""

    text: str
    names: tuple[str, ...]
    wrong: str = ""

    @property
    def is_literal(self) -> bool:
        """Whether it stands for itself."""
        return not self.names and not self.wrong

    def resolved(self, values: Mapping[str, str]) -> str | None:
        """What it comes to with these values; None if one of its variables has none."""
        if self.wrong or any(name not in values for name in self.names):
            return None
        literals, _ = _split(self.text)
        filled = (literal + values[name] for literal, name in zip(literals, self.names, strict=False))
        return "".join(filled) + literals[-1]


def parse(text: str) -> Expression:
    """Reads any string: one without braces is an expression, too, which refers to nothing."""
    literals, found = _split(text)
    names: list[str] = []
    for name in found:
        if not resolvable_variable(name.strip()):
            what = f"`{{{{{name}}}}}` is not a variable: between the braces stands its name, in lower case, and no more"
            return Expression(text, tuple(names), what)
        names.append(name.strip())
    closed = "{{" not in literals[-1]
    return Expression(text, tuple(names), "" if closed else "a `{{` is not closed by `}}`")


def _split(text: str) -> tuple[list[str], list[str]]:
    """The text around the variables and the variables between; a `{{` that is not closed is left in the last text."""
    literals, names = [""], list[str]()
    rest = text
    while True:
        literal, opening, inside = rest.partition("{{")
        name, closing, after = inside.partition("}}")
        if not (opening and closing):
            literals[-1] += rest
            return literals, names
        literals[-1] += literal
        literals.append("")
        names.append(name)
        rest = after


def wrong(app: Application, text: str, place: Place, subject: str) -> Iterator[Problem]:
    """What is wrong with an expression, and the variables in it that the application does not have."""
    expression = parse(text)
    if expression.wrong:
        yield Problem(f"{subject}: {expression.wrong}", app.where(place))
    known = tuple(variable.name for variable in app.variables)
    for name in dict.fromkeys(expression.names):
        if name not in known:
            near = nearest_name(name, known)
            hint = f"did you mean `{near}`?" if near else f"add it to `[variables]`: `{name} = {{ required = true }}`"
            yield Problem(
                f"{subject} refers to `{name}`, which is no variable of the application", app.where(place), hint
            )
