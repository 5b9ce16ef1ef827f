"""The stage `manifests`: Kubernetes files that people keep. No digest and nothing of an environment is in them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from spin_aks import files, kept
from spin_aks.generators import KUBE_VERSION
from spin_aks.tasks import choice
from spin_aks.tasks.dockerfile import overridden
from spin_aks.tasks.stage import Stage, existing

if TYPE_CHECKING:
    from spin_aks.context import Context
    from spin_aks.json_types import JSON


def stage(context: Context) -> Stage:
    folder = Path(context.settings.k8s_dest)
    note = context.state("manifests.json")
    return Stage(
        name="manifests",
        shares_files=True,
        doc=f"write the Kubernetes files in {folder}/",
        action=lambda: _write(context, folder, note),
        depends_on=("validate",),
        files=lambda: existing([context.state("app.json")]),
        values=_values(context),
        targets=(folder.as_posix(), note.as_posix()),
        observed=lambda: (*overridden(context, lambda: wanted(context)), *_rewritten(folder, note)),
    )


def _rewritten(folder: Path, note: Path) -> tuple[str, ...]:
    """Which of the files spin-aks itself wrote since, in sentences.

    All environments and all clones share the folder, and the last of them wrote it for its own values.
    """
    match files.read_json(note):
        case {"files": dict(noted)}:
            now = _written(folder)
            changed = sorted(name for name in noted.keys() | now if noted.get(name) != now.get(name))
            return tuple(f"{name} was written for another environment, or in another clone" for name in changed)
    return ()


def _written(folder: Path) -> dict[str, JSON]:
    return {path.as_posix(): digest for path, digest in kept.written_below(folder).items() if path.suffix == ".yaml"}


def paths(context: Context) -> list[Path]:
    """The Kubernetes files as they are now, the user's own among them, sorted."""
    folder = Path(context.settings.k8s_dest)
    return sorted(path for pattern in ("*.yaml", "*.yml") for path in folder.glob(pattern) if path.is_file())


def expected(context: Context) -> dict[str, str]:
    """The Kubernetes files as they will be when the stage has run, by path: people's own as they are, ours anew."""
    texts = {path.as_posix(): files.read_text(path) for path in paths(context)}
    also = kept.written_below(Path(context.settings.k8s_dest))
    for one in kept.inspect(wanted(context), also=also):
        if one.theirs and not (context.consent.override and one.text is not None):
            continue
        texts.pop(one.path.as_posix(), None)
        if one.text is not None:
            texts[one.path.as_posix()] = one.text
    return texts


def _values(context: Context) -> dict[str, JSON]:
    settings = context.settings
    return {
        "generator": KUBE_VERSION,
        "app.name": settings.name or None,
        "kubernetes.type": settings.kind,
        "kubernetes.dest": settings.k8s_dest,
        "kubernetes.service": settings.service,
        "runtime.shim": context.runtime.shim,
        "runtime.installer": settings.installer,
        "image.form": choice.choose(context).form,
    }


def wanted(context: Context) -> dict[Path, str]:
    """The files as we would write them now."""
    from spin_aks.generators import kube
    from spin_aks.generators.kube import Installer, KubeSettings, ServiceType

    settings = context.settings
    made = kube.files(
        context.application,
        KubeSettings(
            runtime=context.runtime,
            form=choice.choose(context).form,
            installer=Installer(settings.installer),
            service=ServiceType(settings.service),
            configuration=context.configured,
        ),
    )
    return {Path(settings.k8s_dest) / name: text for name, text in made.items()}


def _write(context: Context, folder: Path, note: Path) -> None:
    before = [Path(name) for name in _written(folder)]
    kept.settle(kept.inspect(wanted(context), also=before), context.consent)
    files.write_json(note, {"files": _written(folder)})
