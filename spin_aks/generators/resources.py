"""How much memory and CPU a Spin pod asks for, by the image's form and the size of its components.

Measured with containerd-shim-spin 0.24.0 on containerd 2.4.2 (MB is 10^6 bytes, MiB is 2^20):

| compiled | component | starts with | fails with |
|---|---|---|---|
| in the pod (rootfs form) | 37 MB | 384 MiB | 256 MiB |
| in the pod (rootfs form) | 2.7 MB | 96 MiB | 64 MiB |
| ahead, by containerd (artifact form) | 37 MB | 64 MiB | - |
| ahead, by containerd (artifact form) | 2.7 MB | 16 MiB | - |

A pod that was killed for memory looks like one that failed for any other reason (exit 137, no message, no log), so
limits stay clear of these minima. There is no CPU limit: compiling is what needs the CPU, and with 100m the 37 MB
component took 45 seconds to get ready instead of 10 to 15.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from fractions import Fraction

Form: TypeAlias = Literal["artifact", "rootfs"]

MIB = 1 << 20
_STEP_MIB = 32
_DECIMAL = {"": 0, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {f"{letter}i": 10 * power for power, letter in enumerate("KMGTPE", start=1)}
_QUANTITY = re.compile(r"\+?([0-9]*)\.?([0-9]*)(?:[eE]([-+]?[0-9]{1,2})|([A-Za-z]{0,2}))")


@dataclass(frozen=True, slots=True)
class Resources:
    """Kubernetes quantities, such as `96Mi` and `100m`."""

    memory_request: str
    memory_limit: str
    cpu_request: str = "100m"


@dataclass(frozen=True, slots=True)
class WantedResources:
    """What a person asked for, as Kubernetes quantities; an empty one is left to the files, and else to us."""

    cpu_request: str = ""
    cpu_limit: str = ""
    memory_request: str = ""
    memory_limit: str = ""


NO_WISH = WantedResources()


@dataclass(frozen=True, slots=True)
class Payload:
    """What a pod has to run: `wasm_bytes` has each component's size, `compiles_ahead` is the target runtime's."""

    form: Form
    wasm_bytes: Mapping[str, int]
    compiles_ahead: bool = True

    @property
    def resources(self) -> Resources:
        return resources(self.form, self.wasm_bytes.values(), compiles_ahead=self.compiles_ahead)

    @property
    def fails_below(self) -> int:
        return fails_below(self.form, self.wasm_bytes.values(), compiles_ahead=self.compiles_ahead)


def resources(form: Form, wasm_bytes: Iterable[int], *, compiles_ahead: bool = True) -> Resources:
    """What to ask for; `wasm_bytes` are the sizes of the components' wasm, `compiles_ahead` is the target runtime's.

    Compiled in the pod: 64 MiB and 8 for each MB of wasm, the limit a quarter above. Compiled ahead: 32 MiB and one
    for each MB, at least 64, the limit twice that, which leaves room for instances of the components.
    """
    megabytes = sum(wasm_bytes) / 1e6
    if compiled_in_pod(form, compiles_ahead=compiles_ahead):
        needed = 64 + 8 * megabytes
        return Resources(_mebibytes(needed), _mebibytes(needed * 1.25))
    needed = max(64.0, 32 + megabytes)
    return Resources(_mebibytes(needed), _mebibytes(needed * 2))


def compiled_in_pod(form: Form, *, compiles_ahead: bool) -> bool:
    """Whether each start of the pod compiles the components: their time and memory are then the pod's."""
    return form == "rootfs" or not compiles_ahead


def fails_below(form: Form, wasm_bytes: Iterable[int], *, compiles_ahead: bool = True) -> int:
    """The limit in bytes at and below which the pod is known not to start: the line through what was seen to fail.

    0 where nothing was seen to fail. Between this and `resources` a pod may or may not start.
    """
    if not compiled_in_pod(form, compiles_ahead=compiles_ahead):
        return 0
    return int((49 + 5.6 * sum(wasm_bytes) / 1e6) * MIB)


def quantity(text: str) -> Fraction | None:
    """What a Kubernetes quantity (`64Mi`, `1.5G`, `500m`, `1e9`) stands for, exactly, in bytes or CPUs; None if it is
    none.
    """
    from fractions import Fraction

    match = _QUANTITY.fullmatch(text.strip())
    if match is None or not (match[1] or match[2]):
        return None
    suffix = match[4] or ""
    exponent = int(match[3]) if match[3] else _DECIMAL.get(suffix, 0)
    if suffix not in _DECIMAL and suffix not in _BINARY:
        return None
    digits = Fraction(int(match[1] + match[2]), 10 ** len(match[2]))
    return digits * Fraction(10) ** exponent * (1 << _BINARY.get(suffix, 0))


def quantity_bytes(text: str) -> int | None:
    """The whole bytes that a Kubernetes quantity stands for; None if it is none."""
    found = quantity(text)
    return None if found is None else int(found)


def _mebibytes(amount: float) -> str:
    return f"{-int(-amount // _STEP_MIB) * _STEP_MIB}Mi"
