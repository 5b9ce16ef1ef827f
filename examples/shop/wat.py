"""Compiles WebAssembly text: `python wat.py IN.wat OUT.wasm`. Needs PyPI's `wasmtime`."""

import sys
from pathlib import Path

from wasmtime import WasmtimeError, wat2wasm

source, target = map(Path, sys.argv[1:])
try:
    target.write_bytes(wat2wasm(source.read_text(encoding="utf-8")))
except WasmtimeError as error:
    sys.exit(f"{source}: {error}")
