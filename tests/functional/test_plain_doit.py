"""Plain doit on the state of `spin-aks`, with configuration files, overlays and what is wrong in them."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest
from testbed.application import App, Done

if TYPE_CHECKING:
    from pathlib import Path

CONFIGURATION = """\
[app]
manifest = "tiny/spin.toml"

[image]
repository = "NAME"

[kubernetes]
namespace = "NAME"
service = "clusterip"
replicas = 2
"""
STAGES = ["validate", "build:a", "bundle", "dockerfile", "image", "push", "manifests", "render", "apply"]


def doit(app: App, *argv: str, folder: Path | None = None, **more: str) -> Done:
    """doit's own command, in the application's folder."""
    file = app.plain("pipeline-file").out.strip()
    done = subprocess.run(
        [sys.executable, "-m", "doit", *argv[:1], "-f", file, "-d", ".", *argv[1:]],
        cwd=folder or app.root,
        env=app.surroundings(**more),
        capture_output=True,
        text=True,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def ran(done: Done) -> list[str]:
    """The stages that doit ran itself: those that it shows with a `.`; its groups are no stages."""
    shown = [line[3:] for line in done.out.splitlines() if line.startswith(".  ")]
    return [name for name in shown if name in STAGES]


def fresh(done: Done) -> list[str]:
    return [line[3:] for line in done.out.splitlines() if line.startswith("-- ")]


@pytest.fixture
def app(tiny: App) -> App:
    """An application in a repository whose configuration is at its root, above it."""
    (tiny.root.parent / ".git").mkdir()
    (tiny.root.parent / "aks-spin.toml").write_text(CONFIGURATION.replace("NAME", tiny.flags[1]))
    tiny.flags = ()
    return tiny


def test_after_up_all_is_fresh_with_a_configuration_above(app: App) -> None:
    app.ok("up")

    done = doit(app, "run")

    assert (0, "") == (done.code, done.err)
    assert (sorted(STAGES), []) == (sorted(fresh(done)), ran(done))
    assert (app.root.parent / ".spin-aks/default/doit.db").exists()
    assert not (app.root / ".spin-aks/default").exists()


def test_after_doit_all_is_fresh_for_up_and_what_it_pushed_is_noted(app: App) -> None:
    done = doit(app, "run", "up")

    assert 0 == done.code, done.err
    assert sorted(STAGES) == sorted(ran(done))
    assert [] == app.ok("up").stages("run")
    noted = tomllib.loads((app.root.parent / "aks-spin.toml").read_text())
    assert "digest" in noted["image"]["pushed"]


def test_an_environment_by_its_variable_is_that_of_e(app: App) -> None:
    above = app.root.parent
    namespace = f"{tomllib.loads((above / 'aks-spin.toml').read_text())['image']['repository']}-prod"
    overlay = above / "aks-spin.prod.toml"
    overlay.write_text(f'[kubernetes]\nnamespace = "{namespace}"\nreplicas = 3\n')
    app.ok("up", "-e", "prod")
    app.ok("up")

    prod = doit(app, "run", SPIN_AKS_ENVIRONMENT="prod")
    default = doit(app, "run")
    overlay.write_text(overlay.read_text().replace("replicas = 3", "replicas = 4"))
    changed = doit(app, "run", "render", SPIN_AKS_ENVIRONMENT="prod")

    assert [0, 0] == [prod.code, default.code], prod.err + default.err
    assert [[], []] == [ran(prod), ran(default)]
    assert ["render"] == ran(changed)
    assert "replicas: 4" in (above / ".spin-aks/prod/rendered.yaml").read_text()
    assert [] == ran(doit(app, "run"))


@pytest.mark.parametrize("way", ["relative", "absolute"])
def test_a_configuration_by_its_variable_is_that_of_c(app: App, way: str) -> None:
    above = app.root.parent
    (above / "conf").mkdir()
    text = (above / "aks-spin.toml").read_text().replace('"tiny/spin.toml"', '"../tiny/spin.toml"')
    (above / "aks-spin.toml").unlink()
    (above / "conf/prod.toml").write_text(text)
    named = "../conf/prod.toml" if way == "relative" else str(above / "conf/prod.toml")
    app.ok("up", "-c", "../conf/prod.toml")

    done = doit(app, "run", SPIN_AKS_CONFIG=named)

    assert (0, []) == (done.code, ran(done)), done.err
    assert sorted(STAGES) == sorted(fresh(done))
    assert (above / "conf/.spin-aks/prod/doit.db").exists()


def test_from_the_configuration_s_folder_it_is_the_same_application(app: App) -> None:
    """doit stays where it is told to be, and every path of a stage is one from the application's folder."""
    app.ok("up")

    done = doit(app, "run", folder=app.root.parent)

    assert (0, []) == (done.code, ran(done)), done.err
    assert not (app.root.parent / "manifests").exists()
    assert ["aks-spin.toml"] == sorted(path.name for path in app.root.parent.iterdir() if path.is_file())


BROKEN = [
    ("[image\n", "aks-spin.toml:1: "),
    ('[image]\nform = "tar"\n', "aks-spin.toml:2: `image.form`: `tar` is none of auto, artifact, rootfs"),
    ("[image]\nfrom = 1\n", "aks-spin.toml:2: there is no key `image.from`"),
    ("require_environment = true\n", "aks-spin.toml:1: this configuration wants the environment named"),
    ("schema = 2\n", "aks-spin.toml:1: "),
]


@pytest.mark.parametrize(("text", "what"), BROKEN, ids=[what for _, what in BROKEN])
@pytest.mark.parametrize("command", ["run", "list"])
def test_what_is_wrong_with_the_configuration_is_said_without_a_traceback(
    tiny: App, text: str, what: str, command: str
) -> None:
    (tiny.root / "aks-spin.toml").write_text(text)
    expected = tiny.plain("up")

    done = doit(tiny, command)

    assert (3, 3) == (expected.code, done.code)
    assert what in expected.err
    assert "Traceback" not in done.out + done.err
    assert expected.err.replace("error: ", "ERROR: ", 1) == done.err


def test_without_an_application_it_says_so(app: App, tmp_path: Path) -> None:
    (tmp_path / "empty/.git").mkdir(parents=True)

    done = doit(app, "run", folder=tmp_path / "empty")

    assert 3 == done.code
    hint = "name it with `-f PATH`, or run this in the application's folder"
    assert f"ERROR: there is no `spin.toml`\nhint: {hint}\n" == done.err
