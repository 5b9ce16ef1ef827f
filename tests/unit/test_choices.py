"""What was chosen last: kept in two places, by many at once, and never in anybody's way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from testbed.daemon import needs

from spin_aks import choices, clock
from spin_aks.choices import ApplicationKey, Choices, Deployed
from spin_aks.lock import Lock

CANARY = "s3cr3t-canary"
WHEN = "2026-11-21T12:00:00Z"

NOTE_MANY = """
import sys
from spin_aks import choices
choices.PATIENCE_S = 120  # nobody gives up here, however slow the machine
for number in range(int(sys.argv[2])):
    key = choices.ApplicationKey(f"{sys.argv[1]}-{number}", "/spin.toml")
    choices.note(cluster=sys.argv[1], deployed=(key, choices.Deployed("reg.io", "shop", "1", "sha256:1", "now")))
"""
DIE_WHILE_WRITING = """
import os, signal
from spin_aks import choices
os.fsync = lambda _descriptor: os.kill(os.getpid(), signal.SIGKILL)
choices.note(cluster="never")
"""
HOLD = """
import sys
from pathlib import Path
from spin_aks.lock import Lock
Lock(Path(sys.argv[1])).acquire()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[Path, Path]:
    """Both places, below a folder of this test's own."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SPIN_DATA_DIR", str(tmp_path / "spin"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    first, copy = choices.places()
    assert (tmp_path / "spin/plugins/aks/state", tmp_path / "state/spin-aks/state.json") == (first, copy)
    return first, copy


def application(name: str) -> tuple[ApplicationKey, Deployed]:
    return ApplicationKey(name, f"/{name}/spin.toml"), Deployed("reg.io/team", name, "1", "sha256:1", WHEN)


def start(program: str, *argv: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", program, *argv]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def document(**changed: Any) -> str:
    key, deployed = application("shop")
    entry = {"name": key.name, "manifest": key.manifest, "registry": deployed.registry, "tag": deployed.tag}
    entry |= {"repository": deployed.repository, "digest": deployed.digest, "when": deployed.when}
    whole = {"version": 1, "written": WHEN, "cluster": "a", "registry": "r", "vault": "v", "configuration": "c"}
    return json.dumps(whole | {"applications": [entry]} | changed)


WHOLE = Choices("a", "r", "v", "c", dict([application("shop")]))


def test_what_was_noted_is_read_and_the_rest_stays(places: tuple[Path, Path]) -> None:
    choices.note(cluster="blue", registry="reg.io/team")
    choices.note(cluster="green", vault="https://shop.vault.azure.net/", deployed=application("shop"))
    choices.note(configuration="/shop/aks-spin.toml")

    applications = dict([application("shop")])
    vault, configuration = "https://shop.vault.azure.net/", "/shop/aks-spin.toml"
    assert Choices("green", "reg.io/team", vault, configuration, applications) == choices.read()
    assert places[0].read_bytes() == places[1].read_bytes()
    assert [0o600, 0o600] == [place.stat().st_mode & 0o777 for place in places]


def test_the_form_that_is_kept(monkeypatch: pytest.MonkeyPatch, places: tuple[Path, Path]) -> None:
    moment = clock.now().replace(year=2026, month=11, day=21, hour=12, minute=0, second=0)
    monkeypatch.setattr(clock, "now", lambda: moment)
    choices.note(cluster="a", registry="r", vault="v", configuration="c", deployed=application("shop"))

    assert json.loads(document()) == json.loads(places[0].read_text())
    assert json.dumps(json.loads(document()), indent=2, sort_keys=True) + "\n" == places[0].read_text()


def test_nothing_noted_is_nothing_read_and_no_file(tmp_path: Path) -> None:
    choices.note()

    assert Choices() == choices.read()
    assert () == choices.clear()
    assert [] == [*tmp_path.iterdir()]


def test_the_same_again_writes_nothing(places: tuple[Path, Path]) -> None:
    choices.note(cluster="a", deployed=application("shop"))
    before = [(place.read_bytes(), place.stat().st_ino) for place in places]
    choices.note(cluster="a")
    choices.note(deployed=application("shop"))

    assert before == [(place.read_bytes(), place.stat().st_ino) for place in places]


@pytest.mark.parametrize("lost", [0, 1])
def test_where_one_place_is_lost_the_other_is_taken_up_and_both_are_written_next(
    places: tuple[Path, Path], lost: int
) -> None:
    choices.note(cluster="blue", deployed=application("shop"))
    places[lost].unlink()
    if not lost:
        places[0].parent.rmdir()  # as an upgrade of the plugin does
    taken_up = choices.read()
    choices.note(cluster="blue")

    assert Choices("blue", applications=dict([application("shop")])) == taken_up == choices.read()
    assert places[0].read_bytes() == places[1].read_bytes()


@pytest.mark.parametrize("newer", [0, 1])
def test_of_two_the_newer_counts_and_is_what_the_next_note_adds_to(places: tuple[Path, Path], newer: int) -> None:
    choices.note(cluster="old", registry="old")
    older = places[1 - newer].read_bytes()
    choices.note(cluster="new")
    places[1 - newer].write_bytes(older)

    assert Choices("new", "old") == choices.read()
    choices.note(vault="v")
    assert Choices("new", "old", "v") == choices.read()
    assert places[0].read_bytes() == places[1].read_bytes()


def test_a_clock_that_was_put_back_makes_no_old_note_the_newer(
    monkeypatch: pytest.MonkeyPatch, places: tuple[Path, Path]
) -> None:
    choices.note(cluster="old")
    older = places[0].read_bytes()
    then = clock.now().replace(year=2001)
    monkeypatch.setattr(clock, "now", lambda: then)
    choices.note(cluster="new")
    places[0].write_bytes(older)

    assert "new" == choices.read().cluster


NO_STATE = {
    "empty": b"",
    "torn": document()[:-9].encode(),
    "binary": bytes(range(256)),
    "another's": b"[1, 2]",
    "deep": b"[" * 100_000,
    "a newer version": document(version=2, cluster="x").encode(),
    "no version": json.dumps({"cluster": "x"}).encode(),
}


@pytest.mark.parametrize("content", NO_STATE.values(), ids=NO_STATE.keys())
@pytest.mark.parametrize("broken", [(0,), (1,), (0, 1)], ids=["first", "copy", "both"])
def test_what_is_no_state_counts_for_nothing_and_is_written_anew(
    places: tuple[Path, Path], capfd: pytest.CaptureFixture[str], content: bytes, broken: tuple[int, ...]
) -> None:
    choices.note(cluster="blue")
    for one in broken:
        places[one].write_bytes(content)
    found = choices.read()
    choices.note(registry="r")

    kept = "" if len(broken) == 2 else "blue"
    assert Choices(kept) == found
    assert Choices(kept, "r") == choices.read()
    assert places[0].read_bytes() == places[1].read_bytes()
    assert ("", "") == capfd.readouterr()


def applications(*entries: object) -> dict[str, object]:
    return {"applications": [*json.loads(document())["applications"], *entries]}


@pytest.mark.parametrize(
    ("changed", "read"),
    [
        ({}, WHOLE),
        ({"cluster": 1, "vault": None}, Choices("", "r", "", "c", WHOLE.applications)),
        ({"registry": ["r"], "configuration": {}}, Choices("a", "", "v", "", WHOLE.applications)),
        ({"applications": {}}, Choices("a", "r", "v", "c")),
        ({"applications": [1, None, [], {}, {"name": "x"}]}, Choices("a", "r", "v", "c")),
        (applications({"name": "shop", "manifest": 1}), WHOLE),
        (applications(*json.loads(document())["applications"]), WHOLE),
        ({"written": 1}, WHOLE),
        ({"written": "yesterday"}, WHOLE),
        ({"written": "0001-01-01T00:00:00+14:00"}, WHOLE),
        ({"written": "9999-12-31T23:59:59.999999Z"}, WHOLE),
        ({"more": {"of": ["a", "newer", "kind"]}}, WHOLE),
        ({"registry": f"https://me:{CANARY}@reg.io"}, Choices("a", "https://reg.io", "v", "c", WHOLE.applications)),
    ],
)
def test_of_a_state_with_wrong_parts_the_right_ones_count(
    places: tuple[Path, Path], changed: dict[str, object], read: Choices
) -> None:
    places[0].parent.mkdir(parents=True)
    places[0].write_text(document(**changed))
    found = choices.read()
    choices.note(cluster="z")

    assert read == found
    assert "z" == choices.read().cluster
    assert read.applications == choices.read().applications
    assert CANARY not in places[0].read_text() + places[1].read_text()


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = ("version", "written", "cluster", "applications", "configuration")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(NAMES), JSON_VALUES) | st.binary())
def test_no_content_at_all_raises(places: tuple[Path, Path], content: dict[str, object] | bytes) -> None:
    choices.clear()
    places[0].parent.mkdir(parents=True, exist_ok=True)
    whole = {"version": 1} | content if isinstance(content, dict) else content
    places[0].write_bytes(whole if isinstance(whole, bytes) else json.dumps(whole).encode())
    choices.read()
    choices.note(vault="v")

    assert "v" == choices.read().vault


def folder(place: Path) -> None:
    (place / "inside").mkdir(parents=True)


def pipe(place: Path) -> None:
    place.parent.mkdir(parents=True)
    os.mkfifo(place)


def link(place: Path) -> None:
    """As to /dev/null, which is how people say that nothing is to be kept; only that a mistake would cost no device."""
    pipe(place.with_name("pipe"))
    place.symlink_to("pipe")


def file_above(place: Path) -> None:
    place.parent.parent.mkdir(parents=True)
    place.parent.write_text("in the way")


@pytest.mark.parametrize("in_the_way", [folder, pipe, link, file_above])
def test_where_the_first_place_is_taken_the_copy_is_enough(
    places: tuple[Path, Path], capfd: pytest.CaptureFixture[str], in_the_way: Any
) -> None:
    in_the_way(places[0])
    kind = places[0].stat().st_mode if places[0].exists() else None
    choices.note(cluster="blue")

    assert "blue" == choices.read().cluster
    assert places[1].is_file()
    assert kind == (places[0].stat().st_mode if places[0].exists() else None)
    assert (places[1],) == choices.clear()
    assert ("", "") == capfd.readouterr()


@pytest.mark.parametrize("in_the_way", [folder, pipe, link, file_above])
def test_where_the_copys_place_is_taken_the_first_is_enough(places: tuple[Path, Path], in_the_way: Any) -> None:
    in_the_way(places[1])
    choices.note(cluster="blue")

    assert "blue" == choices.read().cluster
    assert places[0].is_file()
    assert (places[0],) == choices.clear()


def test_where_nothing_can_be_written_nothing_is_said(
    places: tuple[Path, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    for place in places:
        file_above(place)
    choices.note(cluster="blue")

    assert Choices() == choices.read()
    assert () == choices.clear()
    assert ("", "") == capfd.readouterr()


def test_a_read_only_file_system_is_no_error(places: tuple[Path, Path], tmp_path: Path) -> None:
    def read_only(*argv: str) -> subprocess.CompletedProcess[bytes]:
        mounted = 'mount --bind -o ro "$0" "$0" && exec "$@"'
        unshare = [needs("unshare", "util-linux"), "--map-root-user", "--mount"]
        return subprocess.run([*unshare, "sh", "-c", mounted, str(tmp_path), *argv], capture_output=True)

    if read_only("true").returncode != 0:
        pytest.skip("needs the right to mount a file system")
    choices.note(cluster="blue")
    program = "from spin_aks import choices; choices.note(cluster='green'); print(choices.read().cluster)"
    done = read_only(sys.executable, "-c", program)

    assert (b"blue\n", b"") == (done.stdout, done.stderr)


def test_who_has_no_home_has_no_state_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nobody)
    monkeypatch.delenv("SPIN_DATA_DIR")
    monkeypatch.delenv("XDG_STATE_HOME")
    choices.note(cluster="blue")

    assert (Choices(), (), ()) == (choices.read(), choices.places(), choices.clear())


def test_no_secret_is_written_anywhere(tmp_path: Path) -> None:
    login = f"me:{CANARY}@"
    key = ApplicationKey("shop", f"https://{login}reg.io/spin.toml")
    deployed = Deployed(f"{login}reg.io/team", f"{login}shop", f"{login}1", f"{login}sha256", WHEN)
    choices.note(cluster=f"https://{login}10.0.0.1:6443", registry=f"{login}reg.io", deployed=(key, deployed))
    choices.note(vault=f"https://v.vault.azure.net/?sig={CANARY}", configuration=f"https://{login}x/aks-spin.toml")

    expected = {ApplicationKey("shop", "https://reg.io/spin.toml"): Deployed("reg.io/team", "shop", "", "", WHEN)}
    last = Choices("https://10.0.0.1:6443", "reg.io", "https://v.vault.azure.net/", "https://x/aks-spin.toml", expected)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert last == choices.read()
    assert 3 == len(written)
    assert [] == [path for path in written if CANARY in path.read_text()]


def test_a_manifest_whose_path_is_no_text_is_not_remembered() -> None:
    key, deployed = application("shop")
    choices.note(cluster="blue", deployed=(ApplicationKey("shop", "/caf\udce9/spin.toml"), deployed))
    choices.note(deployed=(key, deployed))

    assert Choices("blue", applications={key: deployed}) == choices.read()


def test_the_latest_200_applications_are_kept_the_last_deployed_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)  # 204 times, on whatever disk
    for number in range(203):
        choices.note(deployed=application(f"a{number}"))
    choices.note(deployed=application("a5"))

    names = [key.name for key in choices.read().applications]
    assert ["a5", *(f"a{number}" for number in range(202, 2, -1) if number != 5)] == names
    assert 200 == len(names)


def test_eight_processes_at_once_lose_nothing_and_tear_nothing(places: tuple[Path, Path]) -> None:
    writers = [start(NOTE_MANY, f"w{number}", "20") for number in range(8)]
    seen = [0]
    while any(writer.poll() is None for writer in writers):
        for place in places:
            if place.exists():
                json.loads(place.read_bytes())
        seen.append(len(choices.read().applications))
    codes = [(writer.communicate(), writer.returncode)[1] for writer in writers]

    assert [0] * 8 == codes
    assert {f"w{writer}-{number}" for writer in range(8) for number in range(20)} == {
        key.name for key in choices.read().applications
    }
    assert sorted(seen) == seen
    assert places[0].read_bytes() == places[1].read_bytes()


def test_who_is_killed_while_writing_leaves_the_old_state_and_the_next_one_sweeps(
    places: tuple[Path, Path],
) -> None:
    choices.note(cluster="blue")
    before = places[0].read_bytes()
    killed = start(DIE_WHILE_WRITING)
    killed.communicate()
    left = [path.name for path in places[0].parent.iterdir()]

    assert -signal.SIGKILL == killed.returncode
    assert 2 == len(left)
    assert [before, before] == [place.read_bytes() for place in places]
    choices.note(registry="r")
    assert Choices("blue", "r") == choices.read()
    assert [["state"], ["state.json", "state.lock"]] == [
        sorted(path.name for path in place.parent.iterdir()) for place in places
    ]


def test_who_is_killed_at_any_moment_leaves_a_whole_state(places: tuple[Path, Path]) -> None:
    most = 0
    for number in range(8):
        writer = start(NOTE_MANY, f"k{number}", "100000")
        while f"k{number}-1" not in {key.name for key in choices.read().applications}:
            assert writer.poll() is None
        writer.kill()
        writer.communicate()
        kept = choices.read()

        assert [True, True] == [one.choices is not None for one in choices.found()]
        assert f"k{number}" == kept.cluster
        assert most <= len(kept.applications)
        most = len(kept.applications)


def test_who_holds_the_lock_for_long_is_waited_for_and_then_left_alone(
    monkeypatch: pytest.MonkeyPatch, places: tuple[Path, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    choices.note(cluster="blue")
    monkeypatch.setattr(choices, "PATIENCE_S", 0.05)
    holder = start(HOLD, str(places[1].with_name(choices.LOCK)))
    assert holder.stdout
    assert "held\n" == holder.stdout.readline()
    choices.note(cluster="green")
    meanwhile = choices.read()
    gone = choices.clear()
    holder.kill()
    holder.communicate()
    choices.note(cluster="green")

    assert "blue" == meanwhile.cluster
    assert places == gone
    assert "green" == choices.read().cluster
    assert ("", "") == capfd.readouterr()


def test_the_lock_is_free_again_after_a_note(places: tuple[Path, Path]) -> None:
    choices.note(cluster="blue")

    assert not Lock(places[1].with_name(choices.LOCK)).is_held()


def test_clearing_removes_both_and_only_what_is_there(places: tuple[Path, Path]) -> None:
    choices.note(cluster="blue")
    both = choices.clear()
    choices.note(cluster="blue")
    places[0].unlink()

    assert places == both
    assert (places[1],) == choices.clear()
    assert () == choices.clear()
    assert Choices() == choices.read()
