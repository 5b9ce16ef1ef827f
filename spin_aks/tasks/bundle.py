"""The stage `bundle`: gather exactly what goes into the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks import files
from spin_aks.errors import ManifestError, Problem, RefusedError
from spin_aks.spin.assets import resolve, resolve_mounted
from spin_aks.spin.model import LocalSource
from spin_aks.tasks import build, choice
from spin_aks.tasks.stage import Stage, existing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from spin_aks.context import Context


def stage(context: Context) -> Stage:
    chosen = choice.choose(context)
    return Stage(
        name="bundle",
        doc="gather what goes into the image",
        action=lambda: _bundle(context, chosen.form),
        depends_on=("validate", *(made.name for made in build.compilations(context.application))),
        files=lambda: existing([context.state("app.json"), *_inputs(context, chosen.form)]),
        values={"image.form": chosen.form},
        targets=(context.state("bundle.json").as_posix(),),
    )


def _inputs(context: Context, form: str) -> Iterator[Path]:
    """Every wasm and asset as they are now; what can't be resolved is for the stage itself to name."""
    application = context.application
    find = resolve_mounted if form == "rootfs" else resolve
    for component in application.components:
        if isinstance(component.source, LocalSource):
            yield application.root / component.source.path
        try:
            yield from (application.root / asset.source for asset in find(application, component))
        except ManifestError:
            continue


def _bundle(context: Context, form: str) -> None:
    from spin_aks.oci import artifact, rootfs
    from spin_aks.oci import bundle as bundles
    from spin_aks.spin import loader
    from spin_aks.spin.outbound import speaks_tls

    application = context.application
    missing = loader.missing_sources(application, built=True)
    if missing:
        raise RefusedError.of(missing)
    wasm = {
        component.id: application.root / component.source.path
        for component in application.components
        if isinstance(component.source, LocalSource)
    }
    folder, record = context.state("bundle"), context.state("bundle.json")
    if form == rootfs.FORM:
        rootfs.stage(application, wasm, folder, record=record, ca_bundle=speaks_tls(application))
    else:
        bundles.discard(folder, record)
        files.write_json(record, artifact.bundle(application, wasm).to_json())
