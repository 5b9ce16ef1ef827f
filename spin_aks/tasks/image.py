"""The stage `image`: an image with a digest, made of what the bundle lists."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from spin_aks import __version__, files, terminal
from spin_aks.errors import SpinAksError
from spin_aks.tasks import choice
from spin_aks.tasks.dockerfile import dockerfile_path
from spin_aks.tasks.stage import Stage, existing

if TYPE_CHECKING:
    from spin_aks.context import Context
    from spin_aks.json_types import JSON, JSONObject
    from spin_aks.oci.bundle import Bundle
    from spin_aks.tasks.choice import ImageChoice


def stage(context: Context) -> Stage:
    chosen = choice.choose(context)
    with_dockerfile = chosen.builder in choice.BY_DOCKERFILE
    dockerfile = dockerfile_path(context) if with_dockerfile else None
    return Stage(
        name="image",
        shares_files=True,
        doc=f"make the image: {chosen.form}, by {chosen.builder}",
        action=lambda: _make(context, chosen),
        depends_on=("bundle", "dockerfile") if with_dockerfile else ("bundle",),
        files=lambda: existing([context.state("bundle.json"), dockerfile]),
        values=_values(context, chosen),
        targets=(context.state("image.json").as_posix(),),
    )


def _values(context: Context, chosen: ImageChoice) -> dict[str, JSON]:
    """An artifact is WebAssembly and nothing else: it is the same for every node."""
    platform: dict[str, JSON] = {"image.platform": context.settings.platform} if chosen.form == "rootfs" else {}
    return {"tool": __version__, "image.form": chosen.form, "image.builder": chosen.builder, **platform}


def _make(context: Context, chosen: ImageChoice) -> None:
    """Writes `T/image.json`: `builder`, `form`, `content` (what the default tag is made of), and what `push` needs."""
    from spin_aks.oci.bundle import Bundle

    document = files.read_json(context.state("bundle.json"))
    if document is None:
        raise SpinAksError("there is no bundle to make an image of", hint="spin-aks run bundle")
    terminal.say(f"{chosen.form} by {chosen.builder}: {chosen.why}")
    made = _MAKERS[chosen.builder](context, Bundle.from_json(document))
    files.write_json(context.state("image.json"), {"builder": chosen.builder, "form": chosen.form, **made})
    choice.remember(context, chosen)


def _with_oci(context: Context, bundle: Bundle) -> JSONObject:
    from spin_aks.oci import artifact, rootfs

    if bundle.form == rootfs.FORM:
        image = rootfs.build(bundle, architecture=context.settings.platform.removeprefix("linux/"))
    else:
        # What it is called in registry and cluster is no part of it: by another name it is the same image.
        image = artifact.build(replace(context.application, name=context.written.name), bundle.wasm())
    return {"content": image.digest, **image.to_json()}


def _with_docker(context: Context, bundle: Bundle) -> JSONObject:
    from spin_aks.oci import docker

    platform = context.settings.platform
    image_id = docker.build(dockerfile_path(context), bundle.folder, output=terminal.say, platform=platform)
    return {"content": image_id, "image_id": image_id}


def _with_spin(context: Context, _bundle: Bundle) -> JSONObject:
    """The Spin CLI makes and pushes in one step: the content is what it will make it of."""
    return {"content": files.sha256(context.state("bundle.json"))}


def _with_acr(context: Context, _bundle: Bundle) -> JSONObject:
    """The registry makes and pushes in one step, too."""
    from spin_aks.tasks import remote_build

    return {"content": remote_build.content(context)}


_MAKERS = {choice.OCI: _with_oci, choice.DOCKER: _with_docker, choice.ACR: _with_acr, choice.SPIN: _with_spin}
