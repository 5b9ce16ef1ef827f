"""The reference page, `docs/configuration.md`: made from the table of inputs and from the table of runtimes.

`python -m spin_aks.settings.reference > docs/configuration.md` makes it anew.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from spin_aks.settings import reference_text as text
from spin_aks.settings import schema
from spin_aks.settings.table import EVERY_ROW, OTHER_VARIABLES, TABLES
from spin_aks.settings.values import MOST
from spin_aks.spin.versions import RUNTIMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from spin_aks.settings.row import Row
    from spin_aks.spin.versions import Runtime

COLUMNS = ("key", "flag", "environment variable", "value", "default", "meaning")
ARTIFACTS = {"none": "no", "wasm-only": "no files", "full": "yes"}


def page() -> str:
    """The whole page as Markdown, with a line feed at its end."""
    parts = [
        text.START,
        text.SOURCES,
        text.FILES,
        text.ENVIRONMENTS,
        text.EXAMPLE_INTRODUCTION,
        _toml(text.EXAMPLE),
        text.OVERLAY_INTRODUCTION,
        _toml(text.OVERLAY),
        text.KEYS,
        *_tables(),
        text.TEXTS,
        _rules(),
        text.NAMES,
        text.OUTPUTS,
        text.OTHERS,
        _markdown(("variable", "meaning"), [(_code(name), meaning) for name, meaning in OTHER_VARIABLES.items()]),
        text.RUNTIMES,
        _runtimes(),
    ]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _toml(document: str) -> str:
    return f"```toml\n{document}```\n"


def _tables() -> Iterator[str]:
    """Each of the file's tables, and first what no file can give."""
    yield "### By flag or variable only\n"
    yield _rows(row for row in EVERY_ROW if not row.key)
    for table, about in TABLES.items():
        yield f"### {f'`[{table}]`: {about}' if table else 'At the top of the file'}\n"
        yield _rows(row for row in EVERY_ROW if row.key and row.table == table)


def _rows(rows: Iterable[Row]) -> str:
    return _markdown(COLUMNS, [_row(row) for row in rows])


def _row(row: Row) -> Sequence[str]:
    not_yet = " *Not read yet.*" if row.reserved else ""
    return (
        _code(row.key) or "-",
        ", ".join(map(_code, _flags(row))) or "-",
        _code(row.variable) or "-",
        _value(row),
        _default(row),
        f"{row.meaning}.{not_yet}" if not_yet else row.meaning,
    )


def _flags(row: Row) -> list[str]:
    """The last one with what stands for its value, as in a command's help."""
    return [*row.flags[:-1], f"{row.flags[-1]} {row.metavar}".rstrip()] if row.flags else []


def _value(row: Row) -> str:
    if row.kind == "choice":
        return ", ".join(map(_code, row.choices))
    if row.kind == "count":
        return "`1`" if row.key == "schema" else f"1 to {MOST}"
    if row.rule is not None:
        return "[text](#what-a-text-has-to-be)"
    return {"switch": "`true`, `false`", "path": "a path", "text": "text"}[row.kind]


def _default(row: Row) -> str:
    value = schema.default(row)
    if value is None:
        return row.without or "none"
    return _code(str(value).lower() if isinstance(value, bool) else str(value))


def _rules() -> str:
    """Each rule once, with the keys that it is for and who says so."""
    by_rule: dict[tuple[str, str], list[str]] = {}
    for row in EVERY_ROW:
        if row.rule is not None:
            by_rule.setdefault((row.rule.form, row.rule.source), []).append(_code(row.key or row.variable))
    lines = [f"- {', '.join(keys)}: {form} ({_links(source)})" for (form, source), keys in by_rule.items()]
    return "\n".join(lines)


def _links(source: str) -> str:
    return re.sub(r"https://[^\s,]+", lambda found: f"[source]({found[0]})", source)


def _runtimes() -> str:
    columns = ("shim", "Spin", "released", "manifests", "triggers", "variables", "artifact", "ahead", "runtime-config")
    return _markdown(columns, [_runtime(runtime) for runtime in reversed(RUNTIMES)])


def _runtime(runtime: Runtime) -> Sequence[str]:
    several = "" if runtime.multiple_trigger_types or len(runtime.triggers) == 1 else " (one type)"
    return (
        runtime.shim,
        str(runtime.spin),
        runtime.date,
        ", ".join(map(str, sorted(runtime.manifest_versions))),
        ", ".join(sorted(runtime.triggers)) + several,
        _code(runtime.variable_prefix) or "-",
        ARTIFACTS[runtime.artifact],
        "yes" if runtime.compiles_ahead else "no",
        "yes" if runtime.runtime_config_path else "no",
    )


def _markdown(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def _code(words: str) -> str:
    return f"`{words}`" if words else ""


if __name__ == "__main__":
    from spin_aks import terminal

    terminal.put(page().rstrip("\n"))
