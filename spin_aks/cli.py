"""argv -> one command. Nothing heavy is imported at the top: `--help` answers before a person can notice."""

from __future__ import annotations


def main() -> None:
    raise SystemExit(3)
