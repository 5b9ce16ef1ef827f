"""The tool as a process, on an application of its own, against the embedded registry and cluster."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SHOP_VARIABLES = ("--variable", "greeting=Welcome")


@dataclass(frozen=True)
class Done:
    """What a run left behind on its two outputs."""

    code: int
    out: str
    err: str

    def stages(self, word: str) -> list[str]:
        """The stages whose line begins with `word`: fresh, run, done or failed."""
        lines = (line.split() for line in self.err.splitlines())
        return [parts[1].rstrip(":") for parts in lines if len(parts) > 1 and parts[0] == word]

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class App:
    """An application's folder, and what every run of the tool in it is given."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    flags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.cache = self.root.parent / "cache"
        self.spin_data = self.root.parent / "spin-data"
        self.state_home = self.root.parent / "state-home"

    def surroundings(self, **more: str) -> dict[str, str]:
        """The environment of a run: this machine's, but nothing of Spin or CI, and no folder of the real user's."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("SPIN_", "CI"))}
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
        environment["XDG_CACHE_HOME"] = str(self.cache)
        environment["XDG_STATE_HOME"] = str(self.state_home)
        environment["SPIN_DATA_DIR"] = str(self.spin_data)
        return {**environment, **self.environment, **more}

    def start(self, *argv: str, **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "spin_aks", *argv],
            cwd=self.root,
            env=self.surroundings(**more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def plain(self, *argv: str, **more: str) -> Done:
        """A run with these arguments and no others."""
        process = self.start(*argv, **more)
        out, err = process.communicate(timeout=240)
        assert "Traceback" not in err, err
        return Done(process.returncode, out, err)

    def run(self, command: str, *argv: str, **more: str) -> Done:
        """A run with the application's own flags, too."""
        return self.plain(command, *argv, *self.flags, **more)

    def ok(self, command: str, *argv: str, **more: str) -> Done:
        done = self.run(command, *argv, **more)
        assert done.code == 0, done.err
        return done

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.root / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))


def copy_of(example: str, folder: Path) -> Path:
    """The example's sources, without anything that was made from them."""
    target = folder / example
    shutil.copytree(
        EXAMPLES / example,
        target,
        ignore=shutil.ignore_patterns(
            "*.wasm", ".spin-aks*", "aks-spin*.toml", "manifests", "Dockerfile", "__pycache__"
        ),
    )
    return target
