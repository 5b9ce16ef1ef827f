"""The configuration's files as the commands see them: which hold, what is said of bad ones, what never is."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from testbed.application import App
from testbed.tiny import tiny_in

from spin_aks import cli

if TYPE_CHECKING:
    from testbed.application import Done

CANARY = "Xq7canaryZ9"
REST = {"run": ["validate"], "why": ["validate"], "config": ["show"], "state": ["show"], "scaffold": ["k8s"]}
# What asks nothing of a configuration takes its flags all the same: one alias serves for all commands.
ASKS_NOTHING = {"sandbox": ["--", "true"], "state": ["show"], "pipeline-file": []}
READ = sorted(set(cli.COMMANDS) - set(ASKS_NOTHING))


@pytest.fixture
def app(tmp_path: Path) -> App:
    """An application on its way to nowhere: nothing here needs a cluster."""
    return App(tiny_in(tmp_path / "app"), {"SPIN_AKS_SANDBOX_DIR": str(tmp_path / "sandbox")})


def put(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name.replace('__', '.').replace('_', '-')}.toml").write_text(text)


def below(app: App, folder: str) -> App:
    (app.root / folder).mkdir(parents=True, exist_ok=True)
    other = App(app.root / folder, app.environment)
    other.cache, other.spin_data, other.state_home = app.cache, app.spin_data, app.state_home
    return other


def errors(done: Done) -> list[str]:
    return [line.removeprefix("error: ") for line in done.err.splitlines() if line.startswith("error: ")]


# On every command


@pytest.mark.parametrize("command", READ)
@pytest.mark.parametrize("before", [True, False], ids=["before the name", "after the name"])
def test_every_command_reads_the_file_and_the_overlay_that_are_named(app: App, command: str, before: bool) -> None:
    put(app.root / "conf", a="[imag]\nx = 1\n", a__prod="\n[image]\nform = 'square'\n")
    flags = ["-c", "conf/a.toml", "-e", "prod"]
    rest = [command, *REST.get(command, [])]

    done = app.plain(*flags, *rest) if before else app.plain(*rest, *flags)

    assert (3, "") == (done.code, done.out)
    assert [
        "conf/a.prod.toml:3: `image.form`: `square` is none of auto, artifact, rootfs",
        "conf/a.toml:1: there is no table `imag`",
    ] == errors(done)


@pytest.mark.parametrize("command", sorted(ASKS_NOTHING))
@pytest.mark.parametrize("before", [True, False], ids=["before the name", "after the name"])
def test_a_command_without_a_configuration_takes_the_flags_all_the_same(app: App, command: str, before: bool) -> None:
    flags = ["--config", "nowhere.toml", "--environment", "prod"]

    done = (
        app.plain(*flags, command, *ASKS_NOTHING[command])
        if before
        else app.plain(command, *flags, *ASKS_NOTHING[command])
    )

    assert 0 == done.code, done.err


@pytest.mark.parametrize("command", READ)
def test_a_configuration_that_is_named_and_not_there_is_refused(app: App, command: str) -> None:
    done = app.plain("-c", "conf/nowhere.toml", command, *REST.get(command, []))

    assert 3 == done.code
    assert ["--config: there is no file `conf/nowhere.toml`"] == errors(done)
    assert "hint: `spin-aks config set KEY VALUE` makes one, or name another with `-c PATH`\n" in done.err


def test_variables_name_file_and_environment_as_the_flags_do(app: App) -> None:
    put(app.root, a="[image]\ntag = 'base'\n", a__prod="[image]\ntag = 'over'\n", b="[image]\ntag = 'b'\n")
    variables = {"SPIN_AKS_CONFIG": "../a.toml", "SPIN_AKS_ENVIRONMENT": "prod"}
    sub = below(app, "sub")

    assert "over\n" == sub.plain("config", "get", "image.tag", **variables).out
    assert "b\n" == sub.plain("config", "get", "image.tag", "-c", "../b.toml", **variables).out
    assert "base\n" == sub.plain("config", "get", "image.tag", **{**variables, "SPIN_AKS_ENVIRONMENT": ""}).out


def test_in_a_subfolder_the_application_is_the_one_beside_the_configuration(app: App) -> None:
    (app.root / ".git").mkdir()
    put(app.root, aks_spin="[build]\n")

    done = below(app, "deep/down").plain("validate")

    assert 0 == done.code, done.err
    assert (app.root / ".spin-aks/default/app.json").is_file()
    assert not (app.root / "deep/down/.spin-aks").exists()


def test_a_manifest_elsewhere_is_named_in_the_file_from_the_files_folder(app: App) -> None:
    put(app.root / "conf", prod='[app]\nmanifest = "../spin.toml"\n')
    sub = below(app, "sub")

    done = sub.plain("validate", "-c", "../conf/prod.toml")

    assert 0 == done.code, done.err
    assert (app.root / "conf/.spin-aks/prod/app.json").is_file()


def test_both_names_are_refused_with_the_way_out(app: App) -> None:
    put(app.root, aks_spin="", spin_aks="")

    done = app.plain("list")

    assert 3 == done.code
    assert [".: both `aks-spin.toml` and `spin-aks.toml` are there, and only one can hold"] == errors(done)
    assert "hint: keep one of them, or name the one that is meant: `-c aks-spin.toml`\n" in done.err
    assert 0 == app.plain("list", "-c", "spin-aks.toml").code


def test_a_pipe_as_configuration_does_not_hang(app: App) -> None:
    os.mkfifo(app.root / "aks-spin.toml")

    done = app.plain("list")

    assert (3, ["aks-spin.toml: is no regular file"]) == (done.code, errors(done))


def test_a_configuration_may_want_its_environment_named(app: App) -> None:
    put(app.root, aks_spin="require_environment = true\n")

    done = app.plain("validate")

    assert (3, ["aks-spin.toml:1: this configuration wants the environment named"]) == (done.code, errors(done))
    assert "hint: name it with `-e NAME`, or its file with `-c PATH`\n" in done.err
    assert 0 == app.plain("validate", "-e", "prod").code
    assert 0 == app.plain("validate", SPIN_AKS_ENVIRONMENT="prod").code


def test_two_configurations_never_share_a_state_folder(app: App) -> None:
    put(app.root, prod="", aks_spin="", a__b="", a="")
    assert 0 == app.plain("validate", "-c", "prod.toml").code
    assert 0 == app.plain("validate", "-c", "a.b.toml").code

    by_name = app.plain("validate", "-e", "prod")
    by_stem = app.plain("validate", "-c", "a.toml", "-e", "b")

    assert (3, 3) == (by_name.code, by_stem.code)
    assert [".spin-aks/prod: the state of the environment `prod` belongs to `prod.toml`"] == errors(by_name)
    assert [".spin-aks/a.b: the state of the environment `b` belongs to `a.b.toml`"] == errors(by_stem)


# What is wrong


def test_all_that_is_wrong_is_said_at_once(app: App) -> None:
    put(app.root, aks_spin="[kubernetes]\nreplicas = '3'\n", aks_spin__prod="[imag]\nform = 1\n")

    done = app.plain("up", "-e", "prod", "--timeout", "long", SPIN_AKS_IMAGE_FORM="square")

    assert (3, "") == (done.code, done.out)
    assert [
        "--timeout: `long` is no whole number from 1 to 999999999",
        "SPIN_AKS_IMAGE_FORM: `square` is none of auto, artifact, rootfs",
        "aks-spin.prod.toml:1: there is no table `imag`",
        "aks-spin.toml:2: `kubernetes.replicas`: has to be a whole number, not text: write it without quotes",
    ] == errors(done)
    assert not (app.root / ".spin-aks").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe[\0",
        b"[" * 100_000,
        b"a=" + b"[" * 100_000,
        b"a=" + b"9" * 100_000,
        ".".join("a" * 20_000).encode() + b"=1",
        b"\0",
        b"\r\r",
        b"a = 1\ra = 2",
        b"\xef\xbb\xbf\xef\xbb\xbfschema = 1",
        b"#" * (10 << 20),
        b"image = 1\n" * 2,
        b'image = {form = "x", form = "y"}',
        b'"\\u001b[2J\\n" = 1',
    ],
    ids=lambda content: repr(content[:20]),
)
def test_no_file_is_bad_enough_for_a_traceback(app: App, content: bytes) -> None:
    (app.root / "aks-spin.toml").write_bytes(content)

    done = app.plain("list")

    assert (3, "") == (done.code, done.out)
    assert all(line.startswith("aks-spin.toml:") for line in errors(done))
    assert "hint: " in done.err
    assert "\x1b" not in done.err


def test_a_variable_that_nobody_reads_is_warned_of_with_the_nearest_and_the_run_goes_on(app: App) -> None:
    variables = {"SPIN_AKS_IMAGE_FROM": "x", "SPIN_AKS_VARIABLE_A": "x", "SPIN_AKS_ZZZ": "x", "SPIN_AKS_QQQ": ""}

    for done in (app.plain("validate", **variables), app.plain("config", "show", **variables)):
        assert 0 == done.code, done.err
        assert [
            "warning: SPIN_AKS_IMAGE_FROM: nobody reads this variable",
            "hint: did you mean `SPIN_AKS_IMAGE_FORM`?",
            "warning: SPIN_AKS_VARIABLE_A: nobody reads this variable",
            "hint: did you mean `SPIN_AKS_VARIABLES_A`?",
            "warning: SPIN_AKS_ZZZ: nobody reads this variable",
        ] == [line for line in done.err.splitlines() if "SPIN_AKS_" in line]


def test_a_key_that_only_a_later_version_reads_is_accepted_and_said(app: App) -> None:
    put(app.root, aks_spin="[redis_trigger]\nname = 'my-redis'\n[secrets]\norders = 'of-orders'\n")

    done = app.plain("validate")

    assert 0 == done.code, done.err
    assert [
        "warning: aks-spin.toml:2: `redis_trigger.name` is not read by this version",
        "warning: aks-spin.toml:4: `secrets.orders` is not read by this version",
    ] == [line for line in done.err.splitlines() if line.startswith("warning: ")]


# Secrets

BY_FILE = [
    f'password = "{CANARY}"',
    f'[cluster]\nclient_secret = "{CANARY}"',
    f'[variables]\ndb_password = "{CANARY}"',
    f'[variables]\nurl = "redis://:{CANARY}@host"',
    f'[variables]\nkey = """-----BEGIN PRIVATE KEY-----\n{CANARY}"""',
    f'[app]\nname = "https://u:{CANARY}@h"',
    f'[image]\nform = "https://u:{CANARY}@h"',
    f'[kubernetes]\nreplicas = "{CANARY}"',
    f'[secrets]\nx = "{CANARY}!"',
    f'[secrets]\nx = {{ value = "{CANARY}" }}',
    f'password = "{CANARY}',
]  # fmt: skip


def assert_silent(app: App, done: Done, temporary: Path) -> None:
    assert (3, "") == (done.code, done.out)
    assert CANARY not in done.err
    assert "hint: " in done.err
    assert [] == list(temporary.iterdir())
    assert [] == [path for path in app.root.rglob("*") if path.suffix != ".toml" and _holds(path)]


def _holds(path: Path) -> bool:
    return path.is_file() and CANARY.encode() in path.read_bytes()


@pytest.fixture
def temporary() -> Path:
    """Where a defect would be written down."""
    return Path(tempfile.mkdtemp())


@pytest.mark.parametrize("name", ["aks-spin.toml", "aks-spin.prod.toml"])
@pytest.mark.parametrize("text", BY_FILE)
def test_a_secret_in_a_file_is_refused_and_never_shown(app: App, temporary: Path, name: str, text: str) -> None:
    (app.root / name).write_text(text)

    assert_silent(app, app.plain("config", "show", "-e", "prod", TMPDIR=str(temporary)), temporary)


BY_VARIABLE = [
    ("SPIN_AKS_VARIABLES_DB_PASSWORD", CANARY),
    ("SPIN_AKS_VARIABLES_URL", f"redis://:{CANARY}@host"),
    ("SPIN_AKS_SECRETS_X", f"{CANARY}!"),
    ("SPIN_AKS_APP_NAME", f"https://u:{CANARY}@h"),
    ("SPIN_AKS_IMAGE_FORM", f"https://u:{CANARY}@h"),
    ("SPIN_AKS_IMAGE_TAG", f"https://u:{CANARY}@h"),
    ("SPIN_AKS_KUBERNETES_REPLICAS", f"https://u:{CANARY}@h"),
    ("SPIN_AKS_REQUIRE_ENVIRONMENT", f"https://u:{CANARY}@h"),
    ("SPIN_AKS_ENVIRONMENT", f"https://u:{CANARY}@h"),
    ("SPIN_AKS_CLUSTER_KUBECONFIG", f"https://u:{CANARY}@h"),
]


@pytest.mark.parametrize(("variable", "value"), BY_VARIABLE, ids=[row[0] for row in BY_VARIABLE])
def test_a_secret_in_a_variable_is_refused_and_never_shown(
    app: App, temporary: Path, variable: str, value: str
) -> None:
    done = app.plain("validate", **{variable: value, "TMPDIR": str(temporary)})

    assert_silent(app, done, temporary)
    assert f"error: {variable}: " in done.err


BY_FLAG = [
    ("--variable", f"db_password={CANARY}"),
    ("--variable", f"url=redis://:{CANARY}@host"),
    ("--variable", f"Url={CANARY}"),
    ("--variable", f"={CANARY}"),
    ("--variable", f"https://u:{CANARY}@h"),
    ("--name", f"https://u:{CANARY}@h"),
    ("--form", f"https://u:{CANARY}@h"),
    ("--replicas", f"https://u:{CANARY}@h"),
    ("--registry", f"https://u:{CANARY}@h"),
    ("--context", f"https://u:{CANARY}@h"),
    ("--k8s-dest", f"https://u:{CANARY}@h"),
    ("-c", f"https://u:{CANARY}@h"),
    ("--password", CANARY),
    (f"--client-secret={CANARY}", "--offline"),
]


@pytest.mark.parametrize("flags", BY_FLAG, ids=[" ".join(row)[:30] for row in BY_FLAG])
def test_a_secret_in_a_flag_is_refused_and_never_shown(app: App, temporary: Path, flags: tuple[str, str]) -> None:
    assert_silent(app, app.plain("list", *flags, TMPDIR=str(temporary)), temporary)
