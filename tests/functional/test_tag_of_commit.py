"""`image.tag = "git"`: the commit as the image's tag, by real git, in the sandbox."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from testbed.daemon import needs

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.application import App


def git(app: App, *arguments: str, folder: Path | None = None) -> str:
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.com")
    done = subprocess.run(
        [needs("git", "git"), *identity, *arguments],
        cwd=folder or app.root,
        env=app.surroundings(),
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def commit(app: App) -> str:
    """Commits all that there is; the tag of that."""
    git(app, "add", "-A")
    git(app, "commit", "-q", "--allow-empty", "-m", "more")
    return git(app, "rev-parse", "HEAD")[:12]


@pytest.fixture
def app(tiny: App) -> App:
    """An application in a repository with one commit, which wants the commit as the tag."""
    tiny.environment |= {
        "GIT_CEILING_DIRECTORIES": str(tiny.root.parent),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "LC_ALL": "C.UTF-8",
    }
    (tiny.root / "aks-spin.toml").write_text('# ours\n[image]\ntag = "git"\n')
    (tiny.root / ".gitignore").write_text("*.wasm\n")
    git(tiny, "init", "-q")
    commit(tiny)
    return tiny


def pushed_tag(app: App, environment: str = "default") -> str:
    reference = json.loads((app.root / f".spin-aks/{environment}/push.json").read_text())["reference"]
    return str(reference).partition("@")[0].rpartition(":")[2]


def test_the_image_is_tagged_with_the_commit_and_a_new_one_makes_the_push_stale(app: App) -> None:
    first = git(app, "rev-parse", "HEAD")[:12]
    app.ok("up")
    tagged = pushed_tag(app)
    again = app.ok("up")
    second = commit(app)
    why = app.ok("why", "push").out
    listed = app.ok("list", "--output", "json").json["stages"]
    moved = app.ok("up")

    assert (first, second) == (tagged, pushed_tag(app))
    assert [] == again.stages("run")
    assert f"- `image.tag` changed from {first} to {second}." in why
    assert {"push", "render", "apply", "up"} == {stage["name"] for stage in listed if stage["state"] == "stale"}
    assert {"push", "render", "apply"} == set(moved.stages("run"))
    assert [] == app.ok("up").stages("run")


def test_nothing_that_the_tool_writes_is_a_change_of_the_commit_s(app: App) -> None:
    """All of it is committed: the configuration with what was pushed, the lock, Dockerfile, manifests, the wasm."""
    (app.root / ".gitignore").unlink()
    app.ok("up")
    tag = commit(app)
    app.ok("up")
    app.flags = (*app.flags, "--service", "loadbalancer", "--form", "rootfs")
    written = app.ok("up")
    (app.root / "a/a.wasm").unlink()
    app.ok("up")

    assert "wrote   manifests/service.yaml" in written.err
    assert tag == pushed_tag(app)
    assert [] == app.ok("up").stages("run")
    assert "aks-spin.toml" in git(app, "status", "--porcelain")
    assert "manifests/service.yaml" in git(app, "status", "--porcelain")


def test_an_edited_source_is_a_dirty_image_until_it_is_committed(app: App) -> None:
    app.ok("up")
    first = pushed_tag(app)
    (app.root / "a/a.src").write_bytes(b"\0asm\x0d\0\x01\0")
    app.ok("push")
    dirty = pushed_tag(app)
    tag = commit(app)
    app.ok("push")

    assert (f"{first}-dirty", tag) == (dirty, pushed_tag(app))
    assert [] == app.ok("push").stages("run")


def test_an_overlay_and_a_named_configuration_are_left_out_too(app: App) -> None:
    (app.root / "aks-spin.prod.toml").write_text("# prod\n")
    (app.root / "other.toml").write_text('[image]\ntag = "git"\n')
    tag = commit(app)
    app.ok("push", "-e", "prod")
    app.ok("push", "-c", "other.toml")

    assert [tag, tag] == [pushed_tag(app, "prod"), pushed_tag(app, "other")]
    assert "digest" in (app.root / "aks-spin.prod.toml").read_text()
    assert "digest" in (app.root / "other.toml").read_text()
    assert [] == app.ok("push", "-e", "prod").stages("run")
    assert [] == app.ok("push", "-c", "other.toml").stages("run")


def test_a_configuration_outside_of_the_repository_is_no_trouble(app: App, tmp_path: Path) -> None:
    (tmp_path / "outside.toml").write_text('[image]\ntag = "git"\n')

    app.ok("push", "-c", "../outside.toml")

    assert git(app, "rev-parse", "HEAD")[:12] == pushed_tag(app, "outside")
    assert [] == app.ok("push", "-c", "../outside.toml").stages("run")


def test_without_a_commit_only_what_needs_one_is_refused(tiny: App) -> None:
    tiny.environment |= {"GIT_CEILING_DIRECTORIES": str(tiny.root.parent), "LC_ALL": "C.UTF-8"}
    (tiny.root / "aks-spin.toml").write_text('[image]\ntag = "git"\n')

    done = tiny.run("up")
    also = tiny.run("up", SPIN_AKS_CONTAINER_REGISTRY_SERVER="")
    built = tiny.ok("build")
    listed = tiny.ok("list")

    assert (3, []) == (done.code, done.stages("run"))
    refused = "error: aks-spin.toml:2: there is no commit to tag the image with: not a git repository"
    error, hint = done.err.splitlines()
    assert error.startswith(refused)
    assert 'hint: commit first, or tag by content: `image.tag = "content"`' == hint
    assert ["error: no registry is named", error] == [line for line in also.err.splitlines() if "error: " in line]
    assert ["validate", "build:a"] == built.stages("done")
    assert 0 == listed.code
