"""What the builder `docker` makes of a daemon's words; with a real daemon: tests/integration/test_docker_builder.py."""

from __future__ import annotations

import tarfile
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from spin_aks.oci import docker
from spin_aks.oci.reference import Reference

if TYPE_CHECKING:
    from pathlib import Path

    from spin_aks.json_types import JSONObject


@pytest.fixture(autouse=True)
def _no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("denied: requested access to the resource is denied", "`ghcr.io` lets only known users push to `a/b`"),
        ("no basic auth credentials", "`ghcr.io` lets only known users push to `a/b`"),
        ("http: server gave HTTP response to HTTPS client", "`ghcr.io` speaks plain http, and the Docker daemon does"),
        ("dial tcp: i/o timeout", "the Docker daemon could not push to `ghcr.io`"),
    ],
)
def test_a_daemons_refusal_is_told_apart_by_its_words(said: str, message: str) -> None:
    error = docker._refused(said, Reference("ghcr.io", "a/b", "v1"), None)

    assert str(error).startswith(message)
    assert error.why == said


def test_the_build_context_depends_on_the_files_alone(tmp_path: Path) -> None:
    def context(folder: Path) -> bytes:
        (folder / "bundle" / "b").mkdir(parents=True)
        for name in ("z", "a", "b/c"):
            (folder / "bundle" / name).write_text(name)
        (folder / "Dockerfile").write_text("FROM scratch\n")
        archive = BytesIO()
        docker.write_context(folder / "Dockerfile", folder / "bundle", archive)
        return archive.getvalue()

    first, second = context(tmp_path / "one"), context(tmp_path / "two")

    assert first == second
    with tarfile.open(fileobj=BytesIO(first)) as archive:
        assert archive.getnames() == ["a", "b", "b/c", "z", ".spin-aks.Dockerfile", ".dockerignore"]


def test_what_the_daemon_forgot_to_say_it_remembers() -> None:
    digest = f"sha256:{'1' * 64}"
    description: JSONObject = {"RepoDigests": [f"other@{digest[:-1]}2", f"user/app@{digest}"]}

    assert docker._repo_digest(description, "docker.io/user/app") == digest
    assert docker._repo_digest({}, "docker.io/user/app") == ""
