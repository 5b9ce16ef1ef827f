"""The Spin plugin: its manifest by Spin's schema, its archive unpacked as Spin does it, its launcher as a process."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

PROJECT = Path(__file__).resolve().parents[2]
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "dodo_spin_aks.py", "spin_aks", "packaging", "scripts")

# https://github.com/spinframework/spin-plugins, json-schema/spin-plugin-manifest-schema-0.1.json
ONE_VERSION = (
    r"[><~^*]?[=]?v?(0|[1-9]\d*)(\.(0|[1-9]\d*))?(\.(0|[1-9]\d*))?"
    r"(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?"
    r"(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?"
)
STRING = {"type": "string"}
SCHEMA = {
    "type": "object",
    "required": ["name", "description", "version", "spinCompatibility", "license", "packages"],
    "additionalProperties": False,
    "properties": {
        "name": STRING,
        "description": STRING,
        "homepage": STRING,
        "version": STRING,
        "spinCompatibility": {"type": "string", "pattern": f"^({ONE_VERSION})(?:, *({ONE_VERSION}))*$"},
        "license": STRING,
        "packages": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["os", "arch", "url", "sha256"],
                "additionalProperties": False,
                "properties": {
                    "os": {"enum": ["linux", "macos", "windows"]},
                    "arch": {"enum": ["amd64", "aarch64"]},
                    "url": STRING,
                    "sha256": STRING,
                },
            },
        },
    },
}

# What Spin hands to a plugin (Spin's src/commands/external.rs).
OF_SPIN = {
    "SPIN_VERSION": "3.6.3",
    "SPIN_VERSION_MAJOR": "3",
    "SPIN_VERSION_MINOR": "6",
    "SPIN_VERSION_PATCH": "3",
    "SPIN_BIN_PATH": "/usr/local/bin/spin",
}

# Stands where an installed `spin-aks` would, to show what arrives there.
RECORDER = """#!/bin/sh
printf '%s\\n' "$SPIN_VERSION" "$SPIN_BIN_PATH" "$#" "$@"
cat
exit 7
"""


def copy_of_the_project(folder: Path, mode: int, modified: int) -> Path:
    """A clone as another person has it: other permissions, other times."""
    folder.mkdir()
    for name in SOURCES:
        if (PROJECT / name).is_dir():
            shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(PROJECT / name, folder / name)
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(mode)
            os.utime(path, (modified, modified))
    return folder


def package(project: Path, out: Path, *flags: str) -> Path:
    done = subprocess.run(
        ["sh", project / "scripts/package-plugin", out, *flags],
        env={**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])},
        capture_output=True,
        text=True,
    )
    assert 0 == done.returncode, done.stderr
    return out


@pytest.fixture(scope="session")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_the_project(tmp_path_factory.mktemp("project") / "clone", 0o755, 1_700_000_000)


@pytest.fixture(scope="session")
def packaged(snapshot: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package(snapshot, tmp_path_factory.mktemp("packaged") / "out")


@pytest.fixture
def plugin(packaged: Path, tmp_path: Path) -> Path:
    """The archive as Spin unpacks it: whole, into DATA/plugins/NAME (Spin's crates/plugins/src/manager.rs)."""
    folder = tmp_path / "data of spin" / "plugins" / "aks"
    folder.mkdir(parents=True)
    with tarfile.open(the_archive(packaged)) as archive:
        # Python 3.11.4 brought `filter`, 3.14 minds that it is missing; this archive is our own.
        archive.extraction_filter = staticmethod(lambda member, _path: member)
        archive.extractall(folder)
    return folder


def the_archive(packaged: Path) -> Path:
    (archive,) = packaged.glob("*.tar.gz")
    return archive


def the_manifest(packaged: Path) -> Any:
    return json.loads((packaged / "aks.json").read_text())


def bare_path(folder: Path) -> str:
    """A PATH with the system's tools and a Python, but without any `spin-aks`."""
    folder.mkdir()
    (folder / "python3").symlink_to(Path(sys.base_prefix, "bin", "python3").resolve())
    return f"{folder}:/usr/bin:/bin"


def test_the_manifest_is_one_by_spins_schema(packaged: Path) -> None:
    manifest = the_manifest(packaged)

    jsonschema.validate(manifest, SCHEMA, cls=jsonschema.Draft201909Validator)

    assert "aks" == manifest["name"]
    assert {("linux", "amd64"), ("linux", "aarch64"), ("macos", "amd64"), ("macos", "aarch64")} == {
        (one["os"], one["arch"]) for one in manifest["packages"]
    }


def test_a_manifest_with_another_key_would_be_refused_by_that_schema(packaged: Path) -> None:
    with pytest.raises(jsonschema.ValidationError, match="maintainer"):
        jsonschema.validate({**the_manifest(packaged), "maintainer": "x"}, SCHEMA)


def test_the_manifest_names_the_archive_beside_it_and_its_digest(packaged: Path) -> None:
    archive = the_archive(packaged)

    named = {(one["url"], one["sha256"]) for one in the_manifest(packaged)["packages"]}

    assert {(archive.as_uri(), hashlib.sha256(archive.read_bytes()).hexdigest())} == named


def test_the_archive_has_the_launcher_and_its_licence_at_its_root(packaged: Path) -> None:
    with tarfile.open(the_archive(packaged)) as archive:
        entries = {entry.name: (entry.mode, entry.mtime, entry.uname) for entry in archive}

    version = the_manifest(packaged)["version"]
    assert {
        "aks": (0o755, 315_532_800, ""),
        "aks.license": (0o644, 315_532_800, ""),
        f"spin_aks-{version}-py3-none-any.whl": (0o644, 315_532_800, ""),
    } == entries


def test_another_clone_at_another_time_makes_the_same_archive(packaged: Path, snapshot: Path, tmp_path: Path) -> None:
    shutil.copytree(snapshot, tmp_path / "clone")
    for path in (tmp_path / "clone").rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
        os.utime(path, (1_600_000_000, 1_600_000_000))

    other = package(tmp_path / "clone", tmp_path / "out", "--url-base", "https://example.com/v1/")

    assert the_archive(packaged).read_bytes() == the_archive(other).read_bytes()
    assert f"https://example.com/v1/{the_archive(other).name}" == the_manifest(other)["packages"][0]["url"]


def test_an_installed_spin_aks_gets_everything_that_spin_hands_over(plugin: Path, tmp_path: Path) -> None:
    recorder = tmp_path / "bin" / "spin-aks"
    recorder.parent.mkdir()
    recorder.write_text(RECORDER)
    recorder.chmod(0o755)

    done = subprocess.run(
        [plugin / "aks", "list", "--output", "a b", ""],
        env={**OF_SPIN, "PATH": f"{recorder.parent}:/usr/bin:/bin"},
        input="asked\n",
        capture_output=True,
        text=True,
    )

    assert (7, "") == (done.returncode, done.stderr)
    assert ["3.6.3", "/usr/local/bin/spin", "4", "list", "--output", "a b", "", "asked"] == done.stdout.splitlines()


def test_sigterm_reaches_the_installed_spin_aks_itself(plugin: Path, tmp_path: Path) -> None:
    sleeper = tmp_path / "bin" / "spin-aks"
    sleeper.parent.mkdir()
    sleeper.write_text(
        f"#!{sys.executable}\nimport signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\nprint('ready', flush=True)\ntime.sleep(60)\n"
    )
    sleeper.chmod(0o755)
    with subprocess.Popen(
        [plugin / "aks", "up"], env={"PATH": f"{sleeper.parent}:/usr/bin:/bin"}, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert "ready\n" == running.stdout.readline()
        running.send_signal(signal.SIGTERM)

        assert 143 == running.wait(30)


def test_the_first_run_installs_the_wheel_in_the_users_data_folder(plugin: Path, tmp_path: Path) -> None:
    """With the dependencies from the ordinary index."""
    before = sorted(path.name for path in plugin.iterdir())
    data = tmp_path / "data"
    environment = {
        **{name: value for name, value in os.environ.items() if name.startswith(("PIP_", "HTTP", "SSL", "REQUESTS"))},
        **OF_SPIN,
        "PATH": bare_path(tmp_path / "bin"),
        "HOME": os.environ.get("HOME", "/"),
        "XDG_DATA_HOME": str(data),
    }

    first = subprocess.run([plugin / "aks", "--version"], env=environment, capture_output=True, text=True)
    second = subprocess.run([plugin / "aks", "--version"], env=environment, capture_output=True, text=True)
    refused = subprocess.run([plugin / "aks", "lst"], env=environment, capture_output=True, text=True)

    assert 0 == first.returncode, first.stderr
    assert re.fullmatch(r"spin-aks \d+\.\d+\.\d+\n", first.stdout)
    assert first.stderr.startswith(f"spin aks: setting up {first.stdout.strip()} in {data}/spin-aks/plugin")
    assert (0, first.stdout, "") == (second.returncode, second.stdout, second.stderr)
    assert 3 == refused.returncode
    assert before == sorted(path.name for path in plugin.iterdir())


def test_a_run_that_is_ended_while_it_sets_up_leaves_nothing_behind(plugin: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with slow_set_up(plugin, data, tmp_path) as running:
        running.send_signal(signal.SIGTERM)

        assert 143 == running.wait(30)

    assert [] == list((data / "spin-aks/plugin").iterdir())


def test_what_a_killed_run_left_behind_is_cleaned_up_by_the_next(plugin: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with slow_set_up(plugin, data, tmp_path) as running:
        os.killpg(running.pid, signal.SIGKILL)
    (left,) = (data / "spin-aks/plugin").iterdir()

    with slow_set_up(plugin, data, tmp_path) as running:
        made = list((data / "spin-aks/plugin").iterdir())
        running.send_signal(signal.SIGTERM)

    assert left not in made
    assert 1 == len(made)


def slow_set_up(plugin: Path, data: Path, scratch: Path) -> subprocess.Popen[str]:
    """A launcher that is in the middle of making an environment, with a Python that takes a minute for it."""
    python = scratch / "slow" / "python3"
    python.parent.mkdir(exist_ok=True)
    started = python.with_name("started")
    started.unlink(missing_ok=True)
    python.write_text(f"#!/bin/sh\nif [ \"$1\" = -c ]; then exit 0; fi\ntouch '{started}'\nexec sleep 60\n")
    python.chmod(0o755)
    running = subprocess.Popen(
        [plugin / "aks", "list"],
        env={"PATH": "/usr/bin:/bin", "HOME": "/", "XDG_DATA_HOME": str(data), "SPIN_AKS_PYTHON": str(python)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 30
    while not started.exists():
        assert time.monotonic() < deadline, "the launcher did not begin to set up"
        time.sleep(0.02)
    return running


def test_an_installation_that_fails_says_why_and_what_else_to_do(plugin: Path, tmp_path: Path) -> None:
    environment = {
        "PATH": bare_path(tmp_path / "bin"),
        "HOME": "/",
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "PIP_NO_INDEX": "1",
    }

    done = subprocess.run([plugin / "aks", "list"], env=environment, capture_output=True, text=True)

    assert (1, "") == (done.returncode, done.stdout)
    assert "No matching distribution found" in done.stderr
    assert "hint: `pipx install spin-aks`" in done.stderr
    assert [] == list((tmp_path / "data/spin-aks/plugin").iterdir())


def test_without_a_new_enough_python_it_says_which_it_needs(plugin: Path, tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)

    done = subprocess.run(
        [plugin / "aks", "list"],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "SPIN_AKS_PYTHON": str(old)},
        capture_output=True,
        text=True,
    )

    assert 1 == done.returncode
    assert [
        f"spin aks: error: found no Python 3.11 or newer (tried: {old})",
        "spin aks: hint: install one, or name it: SPIN_AKS_PYTHON=/path/to/python3 spin aks",
    ] == done.stderr.splitlines()


if shutil.which("spin"):
    # The only test of Spin itself; where there is none, the tests above do by hand what it would do.
    def test_spin_itself_installs_and_runs_it(packaged: Path, tmp_path: Path) -> None:
        environment = {**os.environ, "SPIN_DATA_DIR": str(tmp_path / "data")}
        manifest = packaged / "aks.json"

        subprocess.run(["spin", "plugins", "install", "--yes", "--file", manifest], env=environment, check=True)
        listed = subprocess.run(["spin", "aks", "list", "--help"], env=environment, capture_output=True, text=True)

        assert 0 == listed.returncode, listed.stderr
        assert "usage: spin-aks list" in listed.stdout
