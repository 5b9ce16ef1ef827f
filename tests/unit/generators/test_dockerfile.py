from __future__ import annotations

from unit.generators.applications import LISTENER, TALKATIVE, application

from spin_aks.generators.dockerfile import dockerfile

EXPECTED = """\
# Build context: the folder `.spin-aks/<environment>/bundle`, which `spin-aks run bundle --form rootfs` makes, and not
# the folder that this file is in. It holds what goes into the image of `order-desk` and nothing else: the components,
# their files, and a spin.toml rewritten for them. With plain Docker, for the environment `default`:
#
#     spin-aks run bundle --form rootfs
#     docker build -f Dockerfile -t order-desk .spin-aks/default/bundle
#
# Made by `spin-aks scaffold dockerfile`. Edit it as you like and keep it in git: spin-aks keeps your edits.
FROM scratch
COPY . /
# No program of the image's own: Spin's containerd shim loads /spin.toml.
ENTRYPOINT ["/"]
"""


def test_the_dockerfile_is_the_one_that_was_reviewed() -> None:
    assert EXPECTED == dockerfile(TALKATIVE)


def test_its_comment_names_it_where_it_is() -> None:
    assert "#     docker build -f 'my docker/Dockerfile' -t order-desk " in dockerfile(
        TALKATIVE, "my docker/Dockerfile"
    )


def test_a_path_can_t_become_a_step() -> None:
    assert steps("hello") == steps("hello", "x\nRUN rm -rf /")


def test_applications_differ_in_its_comment_alone() -> None:
    assert steps(TALKATIVE.name) == steps(LISTENER.name)


def test_a_name_can_t_become_a_step() -> None:
    assert steps("hello") == steps("x\nRUN rm -rf /")


def steps(name: str, path: str = "Dockerfile") -> list[str]:
    return [line for line in dockerfile(application(name), path).splitlines() if not line.startswith("#")]
