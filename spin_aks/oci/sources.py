"""The wasm of every component as a file on this machine: what is elsewhere is fetched once and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.errors import Problem, SpinAksError
from spin_aks.oci import download, packages
from spin_aks.oci.reference import DIGEST
from spin_aks.spin.model import LocalSource, RemoteSource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spin_aks.spin.model import Application, PackageSource, Source


def gather(app: Application, cache: Path, *, notice: Callable[[str], None] | None = None) -> dict[str, Path]:
    """The wasm file of each component by its id; a local one is not looked at.

    What is fetched is kept in the folder `cache` under its digest; `notice` hears what is about to be fetched. Raises
    SpinAksError with every source that can't be had, each at its line of the manifest.
    """
    found: dict[str, Path] = {}
    fetched: dict[Source, Path] = {}
    problems: list[Problem] = []
    for component in app.components:
        source = component.source
        if isinstance(source, LocalSource):
            found[component.id] = app.root / source.path
            continue
        try:
            if source not in fetched:
                fetched[source] = fetch(source, cache, notice=notice)
            found[component.id] = fetched[source]
        except SpinAksError as error:
            where = app.where((*component.place, "source"))
            problems.extend(
                Problem(f"component `{component.id}`: {one.what}", where, one.hint) for one in error.problems
            )
    if problems:
        raise SpinAksError.of(problems)
    return found


def fetch(source: RemoteSource | PackageSource, cache: Path, *, notice: Callable[[str], None] | None = None) -> Path:
    """The file of one remote source in the folder `cache`; raises SpinAksError where it can't be had or is another."""
    say = notice or (lambda _text: None)
    if not isinstance(source, RemoteSource):
        say(f"fetching `{source.package}` {source.version}")
        return packages.fetch(source, cache)
    if not DIGEST.fullmatch(source.digest):
        raise SpinAksError(
            f"`{source.digest}` is no digest", hint="a digest is `sha256:` and 64 hexadecimal digits in lower case"
        )
    if not download.kept(cache, source.digest).is_file():
        say(f"fetching {download.shown(source.url)}")
    return download.fetch(source.url, source.digest, cache)
