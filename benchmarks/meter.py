"""Runs one program and writes what it took, as JSON: `meter.py RESULT PROGRAM [ARGUMENT...]`.

A process of its own, kept tiny: Linux counts what a process held before `exec` to the peak of what it becomes, so a
program started by a large harness would seem to need the harness's memory.
"""

import os
import sys
import time

result, *argv = sys.argv[1:]
began = time.perf_counter()
child = os.posix_spawnp(argv[0], argv, os.environ)
_, status, used = os.wait4(child, 0)
wall_s = time.perf_counter() - began
code = os.waitstatus_to_exitcode(status)
# macOS counts bytes, Linux KiB.
peak_mb = used.ru_maxrss / (1_000_000 if sys.platform == "darwin" else 1_000_000 / 1024)
with open(result, "w") as report:  # noqa: PTH123 - importing pathlib would double this process
    report.write(
        f'{{"wall_s": {wall_s}, "cpu_s": {used.ru_utime + used.ru_stime}, "peak_mb": {peak_mb}, "code": {code}}}'
    )
