"""The Dockerfile of the rootfs form: the staged bundle becomes the root of an otherwise empty image."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from spin_aks.generators.names import kubernetes_name

if TYPE_CHECKING:
    from spin_aks.spin.model import Application


def dockerfile(application: Application, path: str = "Dockerfile") -> str:
    """The Dockerfile's text, for the classic builder and BuildKit alike; `path` is where it is, from spin.toml on.

    It names neither an environment nor a file of the application: what is in the image is what is in its context.
    So a Dockerfile that people have edited stays right when components come and go. It has no USER: who the container
    runs as is the pod's choice, since a user other than root also needs a volume at `/.spin`.
    """
    name = kubernetes_name(application.name)
    file = shlex.quote(path) if path.isprintable() else "Dockerfile"
    return f"""\
# Build context: the folder `.spin-aks/<environment>/bundle`, which `spin-aks run bundle --form rootfs` makes, and not
# the folder that this file is in. It holds what goes into the image of `{name}` and nothing else: the components,
# their files, and a spin.toml rewritten for them. With plain Docker, for the environment `default`:
#
#     spin-aks run bundle --form rootfs
#     docker build -f {file} -t {name} .spin-aks/default/bundle
#
# Made by `spin-aks scaffold dockerfile`. Edit it as you like and keep it in git: spin-aks keeps your edits.
FROM scratch
COPY . /
# No program of the image's own: Spin's containerd shim loads /spin.toml.
ENTRYPOINT ["/"]
"""
