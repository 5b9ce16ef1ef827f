"""The rules of the house that reading the imports can check: who may import whom, who may touch the world, how long."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# From the top down: a module imports what stands below its own line, and what stands in its own set. Sets of one line
# don't import each other. A folder of spin_aks/ stands here by its name, as a module beside them does.
LAYERS: tuple[tuple[frozenset[str], ...], ...] = (
    (frozenset({"__main__"}),),
    (frozenset({"cli"}),),
    (frozenset({"commands"}),),
    (frozenset({"engine"}),),
    (frozenset({"dodo_spin_aks"}), frozenset({"reporter"}), frozenset({"state"})),
    (frozenset({"plan"}),),
    (frozenset({"tasks"}),),
    (frozenset({"context"}), frozenset({"kept"})),
    (frozenset({"generators"}), frozenset({"azure"}), frozenset({"cluster"}), frozenset({"oci"})),
    (frozenset({"settings"}),),
    (frozenset({"spin"}),),
    (frozenset({"record"}), frozenset({"choices", "ids", "lock", "state_folders"})),
    (
        frozenset({"errors", "json_types", "secret", "consent", "observation", "spin_aks"}),
        frozenset({"toml_text", "toml_change"}),
        frozenset({"files", "kubernetes_object", "process", "clock", "terminal", "keyboard", "prompts", "asking"}),
        frozenset({"side_by_side"}),
    ),
)
# The values that everything is made of stand below all gates.
LOWEST = frozenset({"errors", "json_types", "secret", "consent", "observation", "spin_aks"})

# What no line of LAYERS can say.
ALLOWED = {
    # The sandbox is a world of its own, which only its command knows.
    ("spin_aks.commands.sandbox", "sandbox"),
}

PROCESS = frozenset({"spin_aks.process"})
# process: a child's output goes on to the terminal as it comes. cli: --help answers before anything is imported.
TERMINAL = frozenset({"spin_aks.terminal", "spin_aks.prompts", "spin_aks.process", "spin_aks.cli"})
CLOCK = frozenset({"spin_aks.clock"})
# lock: a lock is held on an open file, which must not be replaced. cli: writes down a defect, wherever that is.
FILES = frozenset({"spin_aks.files", "spin_aks.lock", "spin_aks.cli"})

# Not to be loaded before the stage that needs it runs: each costs more than all the rest of a run that does nothing.
HEAVY = frozenset(
    {
        "azure",
        "certifi",
        "componentize_py",
        "cryptography",
        "docker",
        "email",
        "http",
        "jsonschema",
        "jwt",
        "kubernetes",
        "kubernetes_validate",
        "msal",
        "requests",
        "ruamel",
        "spin_sdk",
        "ssl",
        "tomlkit",
        "urllib3",
        "wasmtime",
        "xml",
        "yaml",
    }
)
# These load their stage's own libraries; nothing else may load them at its top.
STARTED_ONLY_WHEN_ASKED = frozenset({"spin_aks.commands.sandbox"})

MODULE_LINES, FUNCTION_LINES = 350, 50


@dataclass(frozen=True, slots=True)
class Import:
    """`name` is what is imported, as far down as modules go; `early` if it happens when the module is loaded."""

    name: str
    line: int
    early: bool


@dataclass(frozen=True, slots=True)
class Module:
    name: str
    path: Path
    tree: ast.Module
    imports: tuple[Import, ...]

    def at(self, line: int) -> str:
        return f"{self.path.relative_to(ROOT)}:{line}"


@cache
def modules() -> dict[str, Module]:
    files = [*sorted((ROOT / "spin_aks").rglob("*.py")), ROOT / "dodo_spin_aks.py"]
    names = {path: ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in files}
    known = frozenset(names.values())
    return {name: read(name, path, known) for path, name in names.items()}


def read(name: str, path: Path, known: frozenset[str]) -> Module:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return Module(name, path, tree, tuple(imports(tree.body, known, early=True)))


def imports(body: list[ast.stmt], known: frozenset[str], *, early: bool) -> list[Import]:
    """All imports below `body`, those inside functions and those for annotations only as not early."""
    found: list[Import] = []
    for statement in body:
        found += [Import(name, statement.lineno, early) for name in imported(statement, known)]
        later = isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef) or for_annotations_only(statement)
        for inner in ("body", "orelse", "finalbody", "handlers", "cases"):
            below = [node for node in getattr(statement, inner, []) if isinstance(node, ast.stmt)]
            clauses = (node for node in getattr(statement, inner, []) if not isinstance(node, ast.stmt))
            below += [line for node in clauses for line in getattr(node, "body", [])]
            found += imports(list(dict.fromkeys(below)), known, early=early and not later)
    return list(dict.fromkeys(found))


def for_annotations_only(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING"


def imported(statement: ast.stmt, known: frozenset[str]) -> list[str]:
    if isinstance(statement, ast.Import):
        return [alias.name for alias in statement.names]
    if isinstance(statement, ast.ImportFrom):
        assert statement.level == 0, "imports are absolute here"
        module = statement.module or ""
        return [f"{module}.{alias.name}" if f"{module}.{alias.name}" in known else module for alias in statement.names]
    return []


def unit(name: str) -> str:
    """`spin_aks.oci.push` -> `oci`; `dodo_spin_aks` -> itself."""
    package, _, rest = name.partition(".")
    return rest.partition(".")[0] or package


def ours(name: str) -> bool:
    return name.partition(".")[0] in {"spin_aks", "dodo_spin_aks"}


def place(name: str) -> tuple[int, frozenset[str]]:
    for depth, line in enumerate(LAYERS):
        for together in line:
            if unit(name) in together:
                return depth, together
    raise LookupError(name)


def test_every_module_has_its_place() -> None:
    placed = {name for line in LAYERS for together in line for name in together} | {"sandbox"}

    homeless = sorted({unit(name) for name in modules()} - placed)

    assert [] == homeless, "give them a line in LAYERS"


def test_imports_go_one_way() -> None:
    wrong = [
        f"{module.at(found.line)} imports {found.name}"
        for module in modules().values()
        for found in module.imports
        if ours(found.name) and not may_import(module.name, found.name)
    ]

    assert [] == wrong


def may_import(importer: str, name: str) -> bool:
    if (importer, unit(name)) in ALLOWED or unit(importer) == unit(name):
        return True
    if "sandbox" in {unit(importer), unit(name)}:
        return False
    (here, together), (there, _) = place(importer), place(name)
    return there > here or unit(name) in together or unit(name) in LOWEST


@pytest.mark.parametrize(
    ("importer", "name", "allowed"),
    [
        ("spin_aks.cli", "spin_aks.commands.up", True),
        ("spin_aks.commands.up", "spin_aks.cli", False),
        ("spin_aks.tasks.push", "spin_aks.oci.push", True),
        ("spin_aks.oci.push", "spin_aks.cluster.apply", False),
        ("spin_aks.oci.push", "spin_aks.oci.registry", True),
        ("spin_aks.spin.manifest", "spin_aks.oci.image", False),
        ("spin_aks.errors", "spin_aks.files", False),
        ("spin_aks.sandbox.server", "spin_aks.files", False),
        ("spin_aks.commands.sandbox", "spin_aks.sandbox.server", True),
        ("spin_aks.tasks.push", "spin_aks.sandbox.server", False),
    ],
)
def test_the_rule_of_imports_is_the_one_that_is_meant(importer: str, name: str, allowed: bool) -> None:
    assert allowed == may_import(importer, name)


def outside(gates: frozenset[str]) -> list[Module]:
    """All modules but the gates; the sandbox, being a server of its own, keeps its own."""
    return [module for module in modules().values() if module.name not in gates and unit(module.name) != "sandbox"]


def calls(module: Module) -> list[tuple[ast.Call, str]]:
    return [(node, ast.unparse(node.func)) for node in ast.walk(module.tree) if isinstance(node, ast.Call)]


def attributes(module: Module) -> list[tuple[int, str]]:
    return [(node.lineno, ast.unparse(node)) for node in ast.walk(module.tree) if isinstance(node, ast.Attribute)]


def test_one_module_starts_processes() -> None:
    starters = ("os.system", "os.popen", "os.exec", "os.spawn", "os.posix_spawn", "os.fork")
    wrong = [
        *(f"{m.at(i.line)} imports {i.name}" for m in outside(PROCESS) for i in m.imports if i.name in PROCESS_MODULES),
        *(
            f"{m.at(line)} {name}"
            for m in outside(PROCESS)
            for line, name in attributes(m)
            if name.startswith(starters)
        ),
    ]

    assert [] == wrong


PROCESS_MODULES = frozenset({"subprocess", "pty", "multiprocessing", "_posixsubprocess"})


def test_one_place_talks_to_a_person() -> None:
    streams = {"sys.stdout", "sys.stderr"}
    wrong = [
        *(f"{m.at(line)} {name}" for m in outside(TERMINAL) for line, name in attributes(m) if name in streams),
        *(f"{m.at(c.lineno)} {n}()" for m in outside(TERMINAL) for c, n in calls(m) if n in {"print", "input"}),
    ]

    assert [] == wrong


def test_one_module_knows_what_time_it_is() -> None:
    asked = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "datetime.datetime.now"}
    wrong = [
        *(f"{m.at(i.line)} imports time" for m in outside(CLOCK) for i in m.imports if i.name == "time"),
        *(f"{m.at(c.lineno)} {n}()" for m in outside(CLOCK) for c, n in calls(m) if n in asked),
    ]

    assert [] == wrong


def test_one_module_writes_files() -> None:
    wrong = [
        f"{module.at(call.lineno)} {name}()"
        for module in outside(FILES)
        for call, name in calls(module)
        if writes_file(call, name)
    ]

    assert [] == wrong


def writes_file(call: ast.Call, name: str) -> bool:
    last = name.rpartition(".")[2]
    if last in {"write_text", "write_bytes", "mkstemp", "NamedTemporaryFile", "copyfile", "copy2", "copytree"}:
        return True
    if name in {"os.open", "os.fdopen"}:
        return True
    if last != "open" or any(keyword.arg == "fileobj" for keyword in call.keywords):
        return False
    position = 1 if name in {"open", "io.open"} else 0
    given = [*call.args[position:][:1], *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    return any(is_writing_mode(argument) for argument in given)


def is_writing_mode(argument: ast.expr) -> bool:
    text = argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else ""
    return 0 < len(text) <= 3 and set(text) <= set("rwaxbt+") and bool(set(text) & set("wax+"))


@pytest.mark.parametrize(
    ("line", "writes"),
    [
        ("open('x', 'w')", True),
        ("path.open('ab')", True),
        ("path.open(mode='r+')", True),
        ("path.write_text('x')", True),
        ("os.open(path, os.O_RDWR)", True),
        ("open('w')", False),
        ("path.open('rb')", False),
        ("path.open()", False),
        ("cluster.open('GET')", False),
        ("tarfile.open(fileobj=stream, mode='w')", False),
    ],
)
def test_a_call_that_writes_is_told_from_one_that_reads(line: str, writes: bool) -> None:
    call = ast.parse(line, mode="eval").body

    assert isinstance(call, ast.Call)
    assert writes == writes_file(call, ast.unparse(call.func))


def test_nothing_heavy_is_loaded_before_a_stage_needs_it() -> None:
    starts = [
        "spin_aks.cli",
        "dodo_spin_aks",
        *(name for name in modules() if unit(name) == "commands" and name not in STARTED_ONLY_WHEN_ASKED),
    ]

    heavy = {chain[-1]: " -> ".join(chain) for start in starts for chain in early_chains(start) if is_heavy(chain[-1])}

    assert [] == sorted(heavy.values())


def is_heavy(name: str) -> bool:
    return name.partition(".")[0] in HEAVY


def early_chains(start: str) -> list[tuple[str, ...]]:
    """How everything that loading `start` loads is reached from it, each thing once."""
    chains, queue, seen = [], [(start,)], {start}
    while queue:
        chain = queue.pop(0)
        chains.append(chain)
        for found in modules()[chain[-1]].imports if chain[-1] in modules() else ():
            if found.early and found.name not in seen:
                seen.add(found.name)
                queue.append((*chain, found.name))
    return chains


def test_no_module_is_longer_than_a_person_reads_at_once() -> None:
    lengths = {name: len(module.path.read_text(encoding="utf-8").splitlines()) for name, module in modules().items()}

    assert {} == {name: lines for name, lines in lengths.items() if lines > MODULE_LINES}


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{module.at(node.lineno)} {node.name}"
        for module in modules().values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LINES
    ]

    assert [] == long
