"""Every input of the table by every way that it can be given: one value is one value, and the higher way wins."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, combinations
from typing import TYPE_CHECKING, TypeAlias

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from spin_aks.cli import parser_of
from spin_aks.errors import UsageError
from spin_aks.settings import arguments, leaks, loaded, unknown
from spin_aks.settings.layers import BUILT_IN, Origin, identity
from spin_aks.settings.table import EVERY_ROW, SCHEMA, STORE_ROWS

if TYPE_CHECKING:
    from pathlib import Path

    from spin_aks.settings import Settings
    from spin_aks.settings.row import Row, Value

Toml: TypeAlias = "Value | float | list[int]"

ENVIRONMENT = "stage"
FLAG, VARIABLE, OVERLAY, FILE, ANSWER = WAYS = ("flag", "variable", "overlay", "file", "answer")
"""From the highest to the lowest."""

PARSER = parser_of("list", arguments.add)

ANY_TEXT = {
    "build.profile",
    "cluster.context",
    "container_registry.server",
    "image.pushed.digest",
    "image.pushed.registry",
    "image.pushed.repository",
    "image.pushed.tag",
    "variables.<name>",
}
"""Texts without a rule, each by a decision; another such row has to be decided, too."""

PLACES = {
    "app.manifest": ("spin.toml", "other.toml", "below/spin.toml", "below"),
    "SPIN_AKS_CONFIG": ("first.toml", "below/second.toml"),
}
"""Paths that have to be there."""

FEW = settings(
    max_examples=8,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@dataclass(frozen=True)
class Input:
    """A row with the user's own name in it, where it has one."""

    row: Row
    name: str

    @property
    def key(self) -> str:
        return self.row.key_of(self.name) if self.row.is_free else identity(self.row)

    @property
    def variable(self) -> str:
        return self.row.variable_of(self.name) if self.row.is_free else self.row.variable

    def ways(self) -> tuple[str, ...]:
        row = self.row
        can = {
            FLAG: row.flags,
            VARIABLE: row.variable,
            OVERLAY: row.key,
            FILE: row.key,
            ANSWER: row.key and row.variable,
        }
        return tuple(way for way in WAYS if can[way])


@dataclass(frozen=True)
class World:
    """A repository with a configuration, and below it the application, in which the user stands."""

    root: Path

    @property
    def here(self) -> Path:
        return self.root / "app"

    def load(self, one: Input, said: dict[str, Toml], *, head: int = 0, spelling: int = -1) -> loaded.Loaded:
        """What comes of the values, by way. `head` lines stand above those of files."""
        for way, path in ((FILE, self.root / "aks-spin.toml"), (OVERLAY, self.root / f"aks-spin.{ENVIRONMENT}.toml")):
            body = toml(one.key, self.in_file(one, said[way])) if way in said else ""
            neighbour = "" if way == OVERLAY else beside(one, body)
            path.write_bytes((f"# {way}\n" * head + body + neighbour).encode())
        argv = flag(one, said[FLAG], spelling) if FLAG in said else []
        environment = {one.variable: word(said[VARIABLE])} if VARIABLE in said else {}
        answers = {one.key: word(said[ANSWER])} if ANSWER in said else None
        if one.row.variable != "SPIN_AKS_ENVIRONMENT":
            argv = [*argv, "-e", ENVIRONMENT]
        return loaded.load(vars(PARSER.parse_args(argv)), environment, self.here, answers)

    def settings(self, one: Input, said: dict[str, Toml], *, spelling: int = -1) -> tuple[Path, Settings]:
        """The same from the application's folder."""
        root, found = loaded.rooted(self.load(one, said, spelling=spelling))
        return root, found.settings

    @staticmethod
    def in_file(one: Input, value: Toml) -> Toml:
        """A path in a file is one from its folder."""
        return f"app/{value}" if one.row.kind == "path" and isinstance(value, str) and value else value

    @staticmethod
    def origin(one: Input, way: str, head: int) -> Origin:
        """Where the value of that way stands."""
        line = head + toml(one.key, 0).count("\n")
        where = {
            FLAG: one.row.flags[-1] if one.row.flags else "",
            VARIABLE: one.variable,
            OVERLAY: f"../aks-spin.{ENVIRONMENT}.toml:{line}",
            FILE: f"../aks-spin.toml:{line}",
            ANSWER: "asked",
        }
        return Origin(way, where[way])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = World(tmp_path_factory.mktemp("repository"))
    (made.root / ".git").mkdir()
    (made.here / "below").mkdir(parents=True)
    for name in ("spin.toml", "other.toml", "below/spin.toml", "first.toml", "below/second.toml"):
        (made.here / name).touch()
    return made


def word(value: Toml) -> str:
    """The value as a shell has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def flag(one: Input, value: Toml, spelling: int) -> list[str]:
    name = one.row.flags[spelling % len(one.row.flags)]
    text = f"{one.name}={word(value)}" if one.row.is_free else word(value)
    return [f"{name}={text}" if name.startswith("--") else f"{name}{text}"]


def toml(key: str, value: Toml) -> str:
    """A table with this key alone; it stands in the last line."""
    *tables, name = key.split(".")
    header = f"[{'.'.join(quoted(part) for part in tables)}]\n" if tables else ""
    shown = quoted(value) if isinstance(value, str) else str(value).lower()
    return f"{header}{quoted(name)} = {shown}\n"


def beside(one: Input, body: str) -> str:
    """What lets a variable find a store: it can't spell every label, so the file has to have it."""
    if not one.row.key.startswith("store."):
        return ""
    name, value = ("name", '"beside"') if one.row.name == "kind" else ("kind", '"redis"')
    header = toml(one.key, "").splitlines()[0]
    return f"{name} = {value}\n" if body else f"{header}\n{name} = {value}\n"


def quoted(text: str) -> str:
    shown = (
        each if each.isascii() and each.isprintable() and each not in '"\\' else f"\\U{ord(each):08X}" for each in text
    )
    return f'"{"".join(shown)}"'


def values(row: Row) -> st.SearchStrategy[Value]:
    """Values that can be; a row that this knows nothing of is one to be taught here."""
    if row.key == "schema":
        return st.just(SCHEMA)
    if identity(row) in PLACES:
        return st.sampled_from(PLACES[identity(row)])
    match row.kind:
        case "count":
            return st.integers(1, 999_999_999)
        case "switch":
            return st.booleans()
        case "choice":
            return st.sampled_from(row.choices)
        case "path":
            part = st.from_regex(r"[a-z\u00e4 ][A-Za-z0-9 ._-]{0,8}", fullmatch=True)
            return st.lists(part, min_size=1, max_size=3).map("/".join)
        case "text" if row.rule is not None:
            return st.from_regex(without_conditions(row.rule.pattern), fullmatch=True).filter(row.rule.accepts)
        case "text" if row.key in ANY_TEXT:
            return st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1)
    pytest.fail(f"teach the strategies this row: {identity(row)}")


def without_conditions(pattern: str) -> str:
    """Without what stands ahead of it in `(?=...)` and `(?!...)`, which texts are made much faster for."""
    while pattern.startswith(("(?=", "(?!")):
        depths = accumulate({"(": 1, ")": -1}.get(each, 0) for each in pattern)
        pattern = pattern[1 + next(at for at, depth in enumerate(depths) if depth == 0) :]
    return pattern


def names(row: Row) -> st.SearchStrategy[str]:
    """The user's own part of a free key."""
    if not row.is_free:
        return st.just("")
    rule = unknown.FREE_NAMES.get(row.key.partition(".")[0])
    if rule is None:
        pytest.fail(f"teach the strategies this row's names: {row.key}")
    return st.from_regex(rule.pattern, fullmatch=True).filter(rule.accepts)


@st.composite
def inputs(draw: st.DrawFn, row: Row, count: int) -> tuple[Input, list[Value]]:
    """An input of this row, and so many different values of it, none of which looks like a secret."""
    one = Input(row, draw(names(row)))
    fit = values(row).filter(lambda value: not leaks.secret_in(one.key, str(value)))
    found = draw(st.lists(fit, min_size=count, max_size=count, unique=True))
    return one, found


def every(rows: tuple[Row, ...] = EVERY_ROW) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", rows, ids=identity)


@every()
@FEW
@given(data=st.data())
def test_one_value_is_the_same_settings_by_whatever_way_it_is_given(
    world: World, row: Row, data: st.DataObject
) -> None:
    one, (value,) = data.draw(inputs(row, 1))
    spelling = data.draw(st.integers(0, 2))

    found = {way: world.settings(one, {way: value}, spelling=spelling) for way in one.ways()}

    first = found[one.ways()[0]]
    assert dict.fromkeys(one.ways(), first) == found


@every(tuple(row for row in EVERY_ROW if row.key != "schema"))
@FEW
@given(data=st.data())
def test_of_each_two_ways_the_higher_wins_and_is_named(world: World, row: Row, data: st.DataObject) -> None:
    one, (value, other) = data.draw(inputs(row, 2))
    head = data.draw(st.integers(0, 9))
    alone = {way: (world.settings(one, {way: value}), world.settings(one, {way: other})) for way in one.ways()}
    for mine, others in alone.values():
        assume(mine != others)

    for higher, lower in combinations(one.ways(), 2):
        both = world.load(one, {higher: value, lower: other}, head=head)
        root, found = loaded.rooted(both)
        assert (alone[higher][0], higher) == ((root, found.settings), both.origin(one.key).kind)
        assert world.origin(one, higher, head) == both.origin(one.key)


@every()
@FEW
@given(data=st.data())
def test_each_way_is_named_where_it_is_the_only_one_and_nobody_else_is(
    world: World, row: Row, data: st.DataObject
) -> None:
    one, (value,) = data.draw(inputs(row, 1))
    head = data.draw(st.integers(0, 9))

    for way in one.ways():
        found = world.load(one, {way: value}, head=head)
        assert world.origin(one, way, head) == found.origin(one.key)
    assert world.load(one, {}).origin(one.key) == BUILT_IN


NONSENSE = ("-", "!", " ", "a b/?", "\n", "a\tb", "ä/", "0..", "a" * 1025, "--help", "x\u2028y", "*")


def impossible(row: Row) -> st.SearchStrategy[str]:
    """Texts that are no value of this row."""
    match row.kind:
        case "count":
            return st.sampled_from(["0", "-1", "1.5", "many", "1e3", "0x10", " 1", "1_000", "\u0661", "9" * 10])
        case "switch":
            return st.sampled_from(["maybe", "2", "tru", "true ", "-"])
        case "choice":
            return st.sampled_from(NONSENSE)
        case "text" if row.rule is not None:
            rule = row.rule
            wrong = st.sampled_from(NONSENSE) | st.text(
                st.characters(exclude_characters="\0", codec="utf-8"), min_size=1
            )
            return wrong.filter(lambda text: not rule.accepts(text))
    return st.just("a\0b")


@every(tuple(row for row in EVERY_ROW if row.key != "schema"))
@FEW
@given(data=st.data())
def test_each_way_s_impossible_value_is_refused_where_it_stands(world: World, row: Row, data: st.DataObject) -> None:
    one, bad = Input(row, data.draw(names(row))), data.draw(impossible(row))
    head = data.draw(st.integers(0, 9))

    for way in one.ways():
        with pytest.raises(UsageError) as caught:
            world.load(one, {way: bad}, head=head)
        (problem,) = caught.value.problems
        assert world.origin(one, way, head).where == problem.where
        assert not row.secret or len(bad) < 5 or bad not in str(caught.value)


WRONG_TYPES: dict[str, tuple[Toml, ...]] = {
    "count": ("3", True, 1.5, [1], 0, -1),
    "switch": ("true", 1, 0, 1.5, [1]),
    "choice": (True, 1, 1.5, [1], ""),
    "path": (True, 1, 1.5, [1], ""),
    "text": (True, 1, 1.5, [1]),
}


@every(tuple(row for row in EVERY_ROW if row.key))
@FEW
@given(data=st.data())
def test_a_file_s_value_of_another_type_is_refused_in_its_line(world: World, row: Row, data: st.DataObject) -> None:
    one, bad = Input(row, data.draw(names(row))), data.draw(st.sampled_from(WRONG_TYPES[row.kind]))
    head = data.draw(st.integers(0, 9))

    for way in (OVERLAY, FILE):
        with pytest.raises(UsageError) as caught:
            world.load(one, {way: bad}, head=head)
        assert [world.origin(one, way, head).where] == [problem.where for problem in caught.value.problems]


SECRETS = (
    "ghp_" + "a1B2c3D4" * 4 + "e5F6",
    "AccountKey=" + "k" * 40 + "==",
    "redis://me:s3cr3t-and-long@host.example.com",
)


@every(tuple(row for row in EVERY_ROW if row.kind == "text" and (row.rule is None or row.rule.accepts(SECRETS[0]))))
@FEW
@given(data=st.data())
def test_a_secret_is_refused_by_every_way_and_shown_by_none(world: World, row: Row, data: st.DataObject) -> None:
    one = Input(row, data.draw(names(row)))
    fit = [secret for secret in SECRETS if row.rule is None or row.rule.accepts(secret)]
    secret = data.draw(st.sampled_from(fit))

    for way in one.ways():
        with pytest.raises(UsageError) as caught:
            world.load(one, {way: secret})
        (problem,) = caught.value.problems
        assert world.origin(one, way, 0).where == problem.where
        assert secret not in f"{problem.what}{problem.hint}"


def test_the_rows_of_a_store_are_among_those_that_are_tried() -> None:
    assert set(STORE_ROWS.values()) < set(EVERY_ROW)
