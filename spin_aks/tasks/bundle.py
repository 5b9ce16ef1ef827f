"""The stage `bundle`: gather exactly what goes into the image."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from spin_aks import __version__, files, terminal
from spin_aks.errors import ManifestError, RefusedError, SpinAksError
from spin_aks.spin.model import LocalSource
from spin_aks.spin.sources import clean
from spin_aks.tasks import build, choice, render
from spin_aks.tasks.stage import Stage, existing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spin_aks.context import Context
    from spin_aks.json_types import JSON
    from spin_aks.spin.model import Application, Component


def stage(context: Context) -> Stage:
    chosen = choice.choose(context)
    return Stage(
        name="bundle",
        shares_files=True,
        doc="gather what goes into the image",
        action=lambda: _bundle(context, chosen.form),
        depends_on=("validate", *(made.name for made in build.compilations(context.application))),
        files=lambda: existing([context.state("app.json"), *_inputs(context, chosen.form)]),
        values={"tool": __version__, "image.form": chosen.form, **_authorities(chosen.form)},
        targets=(
            *(context.state(name).as_posix() for name in ("bundle.json", *_FOLDERS[chosen.form])),
            *_fetched(context),
        ),
    )


_FOLDERS = {"artifact": (), "rootfs": ("bundle",)}


def _authorities(form: str) -> dict[str, JSON]:
    return {"certifi": render.authorities_version()} if form == "rootfs" else {}


def _inputs(context: Context, form: str) -> Iterator[Path | str]:
    """Every wasm and asset as they are now; what can't be resolved is for the stage itself to name."""
    application = context.application
    for component in application.components:
        if isinstance(component.source, LocalSource):
            yield clean(component.source.path)
        if component.files:
            yield from _assets(application, component, form)


def _assets(application: Application, component: Component, form: str) -> Iterator[Path]:
    from spin_aks.spin.assets import resolve, resolve_mounted

    find = resolve_mounted if form == "rootfs" else resolve
    try:
        yield from (application.root / asset.source for asset in find(application, component))
    except ManifestError:
        return


def _fetched(context: Context) -> Iterator[str]:
    """What the last bundle had fetched: it may be gone from the cache."""
    if all(isinstance(component.source, LocalSource) for component in context.application.components):
        return
    match files.read_json(context.state("bundle.json")):
        case {"form": "artifact", "folder": str(folder), "files": list(entries)}:
            for entry in entries:
                match entry:
                    case {"role": "wasm", "path": str(path)} if Path(path).is_relative_to(cache_folder()):
                        yield clean(os.path.join(folder, path))  # noqa: PTH118 - see `existing`


def cache_folder() -> Path:
    """Where what was fetched is kept for all applications of this user, by digest."""
    try:
        return files.cache_folder()
    except SpinAksError:  # a user who is a number only, as CI on some clusters is, has no home
        return Path(".spin-aks", "cache")


def _bundle(context: Context, form: str) -> None:
    from spin_aks.oci import artifact, rootfs, sources
    from spin_aks.oci import bundle as bundles
    from spin_aks.spin import loader
    from spin_aks.spin.outbound import speaks_tls

    application = context.application
    missing = loader.missing_sources(application, built=True)
    if missing:
        raise RefusedError.of(missing)
    wasm = sources.gather(application, cache_folder(), notice=terminal.say)
    folder, record = context.state("bundle"), context.state("bundle.json")
    if form == rootfs.FORM:
        ca_bundle = speaks_tls(application, context.configured)
        rootfs.stage(application, wasm, folder, record=record, ca_bundle=ca_bundle)
    else:
        bundles.discard(folder, record)
        files.write_json(record, artifact.bundle(application, wasm).to_json())
    render.rehearse(context)
