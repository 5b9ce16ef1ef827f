"""Two environments share the files that people keep: each is applied as its own values say."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from testbed.application import App


def rendered(app: App, environment: str) -> str:
    return (app.root / ".spin-aks" / environment / "rendered.yaml").read_text()


def test_what_another_environment_wrote_is_not_taken_for_ones_own(tiny: App) -> None:
    tiny.flags = ("--registry", "127.0.0.1:9")
    inside, outside = ("-e", "inside", "--service", "clusterip"), ("-e", "outside")
    tiny.ok("run", "render", *inside)
    tiny.ok("run", "render", *outside)

    assert "manifests/service.yaml was written for another environment" in tiny.ok("why", "manifests", *inside).out
    tiny.ok("run", "render", *inside)

    assert "type: ClusterIP" in rendered(tiny, "inside")
    assert "type: LoadBalancer" in rendered(tiny, "outside")
    assert [] == tiny.ok("run", "render", *inside).stages("run")


def test_a_file_that_only_another_environment_has_goes_with_it(tiny: App) -> None:
    tiny.flags = ("--registry", "127.0.0.1:9")
    bare = ("-e", "bare", "--runtime", "preinstalled")
    tiny.ok("run", "render", *bare)
    tiny.ok("run", "render", "-e", "full")
    tiny.ok("run", "render", *bare)

    assert "kwasm" not in rendered(tiny, "bare")


def test_environments_of_the_same_values_leave_each_other_alone(tiny: App) -> None:
    tiny.flags = ("--registry", "127.0.0.1:9")
    for name in ("one", "two"):
        tiny.ok("run", "render", "-e", name)

    assert [] == tiny.ok("run", "render", "-e", "one").stages("run")


def test_an_edited_file_is_kept_in_every_environment_and_makes_none_stale_twice(tiny: App) -> None:
    tiny.flags = ("--registry", "127.0.0.1:9")
    tiny.ok("scaffold", "k8s")
    service = tiny.root / "manifests/service.yaml"
    service.write_text(service.read_text() + "# mine\n")
    for name in ("one", "two", "one", "two"):
        done = tiny.ok("run", "manifests", "-e", name, "--service", "clusterip" if name == "one" else "loadbalancer")

    assert [] == done.stages("run")
    assert service.read_text().endswith("# mine\n")
