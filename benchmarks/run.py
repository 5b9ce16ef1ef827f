"""Measures the tool side by side with others and prints ratios: `python benchmarks/run.py [SCENARIO...]`.

Needs the project's extra `dev`, `make`, Debian's docker-registry, a Docker client and daemon (as root), and the test
bed's Kubernetes (`scripts/build-testbed`). What is missing is said, and the rest measured. About fifteen minutes.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import in_azure
import scenarios
from measuring import MeasurementError
from servers import Servers, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scenarios import Row

GIB = 1 << 30
BEGIN, END = "<!-- figures: benchmarks/run.py -->", "<!-- end of figures -->"


def main() -> int:
    arguments = parse_arguments()
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    lines, kept = [machine()], True
    print(lines[0], flush=True)
    with tempfile.TemporaryDirectory(prefix="spin-aks-benchmark-") as folder, Servers() as servers:
        known = all_scenarios(Path(folder), servers, arguments)
        for name in arguments.scenario or known:
            text, within = report(name, known[name])
            print(text, flush=True)
            lines.append(text)
            kept &= within
    if arguments.write:
        write(arguments.write, "\n".join(lines))
    return 0 if kept else 1


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure spin-aks side by side with others.")
    parser.add_argument("scenario", nargs="*", choices=[*NAMES, []], help=f"which (default: all): {', '.join(NAMES)}")
    parser.add_argument("--rounds", type=int, default=11, help="rounds of the short programs (default: 11)")
    parser.add_argument("--long-rounds", type=int, default=3, help="rounds of those with builds (default: 3)")
    parser.add_argument("--components", type=int, default=1000, help="how many is many (default: 1000)")
    parser.add_argument("--write", type=Path, metavar="FILE", help="also put the figures between FILE's two markers")
    return parser.parse_args()


NAMES = ("start-up", "no-op", "cluster-check", "one-of-twenty", "from-nothing", "azure", "large-layer")


def all_scenarios(
    folder: Path, servers: Servers, arguments: argparse.Namespace
) -> Mapping[str, Callable[[], list[Row]]]:
    short, long = arguments.rounds, arguments.long_rounds
    return {
        "start-up": partial(scenarios.start_up, short * 2),
        "no-op": partial(scenarios.no_op, folder, servers, short, many=arguments.components),
        "cluster-check": partial(scenarios.cluster_check, folder, servers, short),
        "one-of-twenty": partial(scenarios.one_of_twenty, folder, servers, short),
        "from-nothing": lambda: [
            *scenarios.from_nothing(folder, servers, long, "hello-python"),
            *scenarios.from_nothing(folder, servers, short, "hello-python", compiled=False),
            *scenarios.from_nothing(folder, servers, short, "shop"),
        ],
        "azure": partial(in_azure.azure, folder),
        "large-layer": partial(scenarios.large_layer, folder, servers, GIB),
    }


def report(name: str, scenario: Callable[[], list[Row]]) -> tuple[str, bool]:
    """The scenario's rows as a table, and whether every limit was kept."""
    title = f"\n### {name}\n\n"
    try:
        rows = scenario()
    except Skipped as reason:
        return f"{title}not measured: {reason}", True
    except MeasurementError as error:
        return f"{title}failed: {error}", False
    lines = ["| what | median | ratio | limit | |", "|---|---|---|---|---|"]
    for row in rows:
        verdict = {None: "", True: "kept", False: "**missed**"}[row.kept]
        lines.append(f"| {row.what} | {row.figure} | {row.ratio} | {row.limit} | {verdict} |")
    return title + "\n".join(lines), all(row.kept is not False for row in rows)


def write(document: Path, figures: str) -> None:
    before, _, rest = document.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    document.write_text(f"{before}{BEGIN}\n{figures}\n{END}{after}", encoding="utf-8")


def machine() -> str:
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{os.cpu_count()} cores ({platform.machine()}), {memory_gib:.0f} GiB, {platform.system()}, {python}"


if __name__ == "__main__":
    sys.exit(main())
