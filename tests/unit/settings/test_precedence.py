"""Every input of the table by every way that it can be given: one value is one value, and the higher way wins."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from testbed.inputs import ANSWER, FILE, FLAG, OVERLAY, VARIABLE, Input, Toml, flag, inputs, names, toml, word

from spin_aks.cli import parser_of
from spin_aks.errors import UsageError
from spin_aks.settings import arguments, loaded
from spin_aks.settings.layers import BUILT_IN, Origin, identity
from spin_aks.settings.stores import STORE_ROWS
from spin_aks.settings.table import EVERY_ROW

if TYPE_CHECKING:
    from pathlib import Path

    from spin_aks.settings import Settings
    from spin_aks.settings.row import Row

ENVIRONMENT = "stage"
PARSER = parser_of("list", arguments.add)

FEW = settings(
    max_examples=8,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # what fails is small, and shrinking it takes minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


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


def beside(one: Input, body: str) -> str:
    """What lets a variable find a store: it can't spell every label, so the file has to have it."""
    if not one.row.key.startswith("store."):
        return ""
    name, value = ("name", '"beside"') if one.row.name == "kind" else ("kind", '"redis"')
    header = toml(one.key, "").splitlines()[0]
    return f"{name} = {value}\n" if body else f"{header}\n{name} = {value}\n"


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
