"""What the tool is measured against: doit and make on the same graph, and the script that a user would write."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).parent

BARE_DOIT = """\
import json
from pathlib import Path

from doit.tools import config_changed

DOIT_CONFIG = {"backend": "sqlite3", "dep_file": "rivals/doit.db", "verbosity": 0, "default_tasks": ["up"]}
GRAPH = json.loads(Path("rivals/graph.json").read_text())


def task_pipeline():
    for stage in GRAPH:
        basename, _, name = stage["name"].partition(":")
        yield {
            "basename": basename,
            **({"name": name} if name else {}),
            "file_dep": stage["file_dep"],
            "targets": stage["targets"],
            "task_dep": stage["task_dep"],
            "uptodate": [config_changed(stage["values"])],
            "actions": ["true"],
        }
    yield {"basename": "up", "actions": None, "task_dep": [stage["name"] for stage in GRAPH]}
"""

DOCKERFILE = """\
FROM scratch
COPY spin.toml /spin.toml
"""

MANIFESTS = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      runtimeClassName: {runtime_class}
      containers:
      - name: {name}
        image: IMAGE
        command: ["/"]
        ports: [{{containerPort: 80}}]
---
apiVersion: v1
kind: Service
metadata:
  name: {name}
spec:
  selector: {{app: {name}}}
  ports: [{{port: 80}}]
"""


def write_bare(folder: Path, environment: Mapping[str, str]) -> None:
    """Writes `rivals/pipeline.py` and `rivals/Makefile`, the graph of the application in `folder` for doit and make."""
    printed = subprocess.run(
        [sys.executable, HERE / "graph.py"],
        cwd=folder,
        env=dict(environment),
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    (folder / "rivals").mkdir()
    (folder / "rivals/graph.json").write_text(printed)
    (folder / "rivals/pipeline.py").write_text(BARE_DOIT)
    (folder / "rivals/Makefile").write_text(makefile(json.loads(printed)))


def makefile(graph: list[dict[str, Any]]) -> str:
    """make knows no values: files only, and a stamp for each stage."""
    stamps = {stage["name"]: f"rivals/stamps/{stage['name'].replace(':', '.')}" for stage in graph}
    rules = [f"up: {' '.join(stamps.values())}"]
    for stage in graph:
        needed = [*stage["file_dep"], *(stamps[name] for name in stage["task_dep"] if name in stamps)]
        rules.append(f"{stamps[stage['name']]}: {' '.join(needed)}\n\t@mkdir -p rivals/stamps && touch $@")
    return "\n".join([".PHONY: up", *rules, ""])


def write_script(folder: Path, name: str, runtime_class: str) -> None:
    """Writes `rivals/up.sh IMAGE`: build every component, build and push the image with Docker, apply, wait."""
    manifest = tomllib.loads((folder / "spin.toml").read_text())
    found = manifest["component"].values()
    (folder / "rivals").mkdir(exist_ok=True)
    copies = "".join(f"COPY {one['source']} /{one['source']}\n" for one in found)
    (folder / "rivals/Dockerfile").write_text(DOCKERFILE + copies)
    (folder / "rivals/k8s.yaml").write_text(MANIFESTS.format(name=name, runtime_class=runtime_class))
    builds = [f"(cd ./{shlex.quote(one['build'].get('workdir', ''))} && {one['build']['command']})" for one in found]
    lines = [
        "set -eu",
        *builds,
        'docker build --quiet --file rivals/Dockerfile --tag "$1" .',
        'docker push --quiet "$1"',
        'sed "s|IMAGE|$1|" rivals/k8s.yaml | kubectl apply -f -',
        f"kubectl rollout status deployment/{name}",
    ]
    (folder / "rivals/up.sh").write_text("\n".join(lines) + "\n")
