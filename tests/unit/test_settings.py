"""One table of inputs: precedence, types, and what is said of a value that can't be."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spin_aks import settings
from spin_aks.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def flags_of(*argv: str) -> dict[str, object]:
    parser = argparse.ArgumentParser()
    settings.add_arguments(parser)
    return vars(parser.parse_args(list(argv)))


def test_a_flag_wins_over_the_environment_and_that_over_the_default() -> None:
    environment = {"SPIN_AKS_IMAGE_FORM": "rootfs", "SPIN_AKS_IMAGE_BUILDER": "docker"}

    read = settings.read(flags_of("--form", "artifact"), environment)

    assert ("artifact", "docker", "kwasm") == (read.form, read.builder, read.installer)


def test_variables_come_from_flags_and_environment_together_sorted_by_name() -> None:
    read = settings.read(flags_of("--variable", "b=2", "--variable", "a==1"), {"SPIN_AKS_VARIABLES_C": "3"})

    assert (("a", "=1"), ("b", "2"), ("c", "3")) == read.variables


def test_every_impossible_value_is_named_with_where_it_came_from() -> None:
    environment = {"SPIN_AKS_KUBERNETES_REPLICAS": "many", "SPIN_AKS_IMAGE_FORM": "square"}

    with pytest.raises(UsageError) as caught:
        settings.read(flags_of("--variable", "novalue"), environment)

    assert {
        "SPIN_AKS_KUBERNETES_REPLICAS: `many` is no whole number above 0",
        "SPIN_AKS_IMAGE_FORM: `square` is none of auto, artifact, rootfs",
        "--variable: `novalue` is not of the form NAME=VALUE",
    } == set(str(caught.value).splitlines())


def test_a_manifest_given_as_a_folder_is_its_spin_toml(tmp_path: Path) -> None:
    (tmp_path / "spin.toml").touch()

    root, rooted = settings.rooted(settings.read(flags_of("-f", str(tmp_path)), {}))

    assert (tmp_path, "spin.toml") == (root, rooted.manifest)


def test_paths_that_are_given_are_relative_to_the_users_folder_and_kept_relative_to_the_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/spin.toml").touch()
    monkeypatch.chdir(tmp_path)

    _, rooted = settings.rooted(settings.read(flags_of("-f", "app/spin.toml", "--k8s-dest", "deploy"), {}))

    assert ("../deploy", "Dockerfile") == (rooted.k8s_dest, rooted.dockerfile)


def test_a_missing_manifest_is_named_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UsageError, match=r"there is no `spin\.toml`") as caught:
        settings.rooted(settings.read({}, {}))

    assert "name it with `-f PATH`, or run this in the application's folder" == caught.value.problems[0].hint


def test_every_row_has_a_variable_of_its_own_and_a_meaning() -> None:
    variables = [row.variable for row in settings.ROWS.values()]

    assert sorted(set(variables)) == sorted(variables)
    assert all(row.meaning and row.flags for row in settings.ROWS.values())


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=30))
def test_text_reads_the_same_from_flag_and_environment(value: str) -> None:
    if not value:
        return
    by_flag = settings.read({"tag": value}, {})
    by_environment = settings.read({}, {"SPIN_AKS_IMAGE_TAG": value})

    assert by_flag == by_environment
    assert value == by_flag.tag


@pytest.mark.parametrize("name", ["../../x", "..", ".", "", "a/b", "a b", "-f", "a\nb", "x" * 64, "é"])
def test_an_environment_is_named_like_a_folder_of_its_own(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        settings.read(flags_of(f"--environment={name}"), {})

    form = "a name of letters, digits, `.`, `_` and `-`, a letter or digit first, 63 at most"
    assert f"--environment: `{name}` is not {form}" == str(caught.value)


def test_a_dockerfile_given_as_a_folder_stands_in_it(tmp_path: Path) -> None:
    (tmp_path / "spin.toml").touch()

    _, rooted = settings.rooted(settings.read({"manifest": str(tmp_path), "dockerfile": f"{tmp_path}/docker/"}, {}))

    assert "docker/Dockerfile" == rooted.dockerfile


def test_a_manifest_that_is_a_link_stands_where_the_link_does(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/real.toml").touch()
    (tmp_path / "app").mkdir()
    (tmp_path / "app/spin.toml").symlink_to("../elsewhere/real.toml")

    root, rooted = settings.rooted(settings.read({"manifest": str(tmp_path / "app")}, {}))

    assert (tmp_path / "app", "spin.toml") == (root, rooted.manifest)


def test_an_empty_variable_counts_as_not_given() -> None:
    assert settings.DEFAULTS == settings.read({}, {"SPIN_AKS_IMAGE_FORM": ""})


def test_absolute_paths_far_away_stay_absolute(tmp_path: Path) -> None:
    root = tmp_path / "a/b/c"
    root.mkdir(parents=True)
    (root / "spin.toml").touch()
    far = "/etc/kubeconfig"

    _, rooted = settings.rooted(settings.read({"manifest": str(root), "kubeconfig": far}, {}))

    assert far == rooted.kubeconfig
