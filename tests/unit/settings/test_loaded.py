"""One table of inputs: precedence, types, and what is said of a value that can't be."""

from __future__ import annotations

import argparse
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spin_aks import context
from spin_aks.errors import UsageError
from spin_aks.settings import DEFAULTS, ROWS, Settings, Store, arguments, loaded
from spin_aks.settings.layers import BUILT_IN, Origin
from spin_aks.settings.table import EVERY_ROW

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spin_aks.settings.loaded import Loaded

HERE = Path("/nonexistent-folder")
NO_VARIABLES: Mapping[str, str] = {}


def flags_of(*argv: str) -> dict[str, object]:
    parser = argparse.ArgumentParser()
    arguments.add(parser)
    return vars(parser.parse_args(list(argv)))


def read(
    *argv: str,
    environment: Mapping[str, str] = NO_VARIABLES,
    here: Path = HERE,
    answers: Mapping[str, str] | None = None,
) -> Loaded:
    return loaded.load(flags_of(*argv), environment, here, answers)


def settings(*argv: str, environment: Mapping[str, str] = NO_VARIABLES, here: Path = HERE) -> Settings:
    return read(*argv, environment=environment, here=here).settings


def refusal(*argv: str, environment: Mapping[str, str] = NO_VARIABLES, here: Path = HERE) -> str:
    with pytest.raises(UsageError) as caught:
        read(*argv, environment=environment, here=here)
    return str(caught.value)


def put(folder: Path, **files: str) -> Path:
    """Writes NAME.toml for each, `__` in a name being a dot and `_` a dash."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name.replace('__', '.').replace('_', '-')}.toml").write_text(text)
    return folder


def test_a_flag_wins_over_the_environment_and_that_over_the_default() -> None:
    environment = {"SPIN_AKS_IMAGE_FORM": "rootfs", "SPIN_AKS_IMAGE_BUILDER": "docker"}

    held = settings("--form", "artifact", environment=environment)

    assert ("artifact", "docker", "kwasm") == (held.form, held.builder, held.installer)


def test_each_layer_wins_over_those_behind_it_and_says_so(tmp_path: Path) -> None:
    put(
        tmp_path,
        aks_spin='[image]\ntag = "base"\n\nrepository = "base"\n[kubernetes]\nnamespace = "base"\nreplicas = 1\n',
        aks_spin__prod='[image]\ntag = "over"\nrepository = "over"\n[kubernetes]\nnamespace = "over"\n',
    )
    variables = {"SPIN_AKS_IMAGE_TAG": "variable", "SPIN_AKS_IMAGE_REPOSITORY": "variable"}

    found = read("--tag", "flag", "-e", "prod", environment=variables, here=tmp_path)

    held = found.settings
    assert ("flag", "variable", "over", 1) == (held.tag, held.repository, held.namespace, held.replicas)
    assert [
        Origin("flag", "--tag"),
        Origin("variable", "SPIN_AKS_IMAGE_REPOSITORY"),
        Origin("overlay", "aks-spin.prod.toml:5"),
        Origin("file", "aks-spin.toml:7"),
        BUILT_IN,
    ] == [
        found.origin(key)
        for key in ("image.tag", "image.repository", "kubernetes.namespace", "kubernetes.replicas", "image.form")
    ]


def test_an_answer_holds_also_where_what_was_given_is_empty(tmp_path: Path) -> None:
    put(tmp_path, aks_spin='[image]\ntag = "base"\n')

    found = read("--registry", "", here=tmp_path, answers={"container_registry.server": "asked"})

    assert ("base", "asked") == (found.settings.tag, found.settings.registry)
    assert Origin("answer", "asked") == found.origin("container_registry.server")


def test_an_impossible_answer_is_refused() -> None:
    with pytest.raises(UsageError, match=r"asked: `a b` is not a name"):
        read(answers={"SPIN_AKS_ENVIRONMENT": "a b"})


def test_variables_come_from_all_layers_together_sorted_by_name(tmp_path: Path) -> None:
    put(tmp_path, aks_spin='[variables]\nd = "4"\nb = "file"\n')

    held = settings("--variable", "b=2", "--variable", "a==1", environment={"SPIN_AKS_VARIABLES_C": "3"}, here=tmp_path)

    assert (("a", "=1"), ("b", "2"), ("c", "3"), ("d", "4")) == held.variables


def test_a_pair_that_is_given_twice_holds_as_it_was_given_last() -> None:
    assert (("a", "2"),) == settings("--variable", "a=1", "--variable", "a=2").variables


def test_every_impossible_value_is_named_with_where_it_came_from() -> None:
    environment = {"SPIN_AKS_KUBERNETES_REPLICAS": "many", "SPIN_AKS_IMAGE_FORM": "square"}

    said = refusal("--variable", "novalue", "--tag", "a b", environment=environment)

    assert {
        "SPIN_AKS_KUBERNETES_REPLICAS: `many` is no whole number from 1 to 999999999",
        "SPIN_AKS_IMAGE_FORM: `square` is none of auto, artifact, rootfs",
        "--variable: `novalue` is not of the form NAME=VALUE",
        "--tag: `a b` is not an image's tag: 1 to 128 letters, digits, `_`, `.` and `-`, none of the last two first",
    } == set(said.splitlines())


def test_all_that_is_wrong_anywhere_is_said_at_once_by_layer_and_line(tmp_path: Path) -> None:
    put(
        tmp_path,
        aks_spin='[kubernetes]\nreplicas = "3"\nnamespase = "x"\n[image]\nform = "square"\n',
        aks_spin__prod="[image]\ntag = 1\n[kubernetes]\nreplicas = 0\n",
    )

    said = refusal("--type", "yaml", "-e", "prod", environment={"SPIN_AKS_CLUSTER_TIMEOUT": "long"}, here=tmp_path)

    assert [
        "--type: `yaml` is none of kube, kustomize, helm",
        "SPIN_AKS_CLUSTER_TIMEOUT: `long` is no whole number from 1 to 999999999",
        "aks-spin.prod.toml:2: `image.tag`: has to be text, not a whole number: write it in quotes",
        "aks-spin.prod.toml:4: `kubernetes.replicas`: `0` is no whole number from 1 to 999999999",
        "aks-spin.toml:2: `kubernetes.replicas`: has to be a whole number, not text: write it without quotes",
        "aks-spin.toml:3: there is no key `kubernetes.namespase`",
        "aks-spin.toml:5: `image.form`: `square` is none of auto, artifact, rootfs",
    ] == said.splitlines()


def test_a_value_that_can_not_be_is_refused_also_where_another_wins_over_it() -> None:
    said = refusal("--form", "rootfs", environment={"SPIN_AKS_IMAGE_FORM": "square"})

    assert "SPIN_AKS_IMAGE_FORM: `square` is none of auto, artifact, rootfs" == said


def test_an_impossible_environment_is_said_with_all_else_that_is_wrong_outside_of_files() -> None:
    said = refusal("-e", "a b", "--form", "square").splitlines()

    assert ["--environment: `a b` is not a name", "--form: `square` is none of"] == [
        " ".join(line.split()[: len(start.split())])
        for line, start in zip(said, ("a b c d e f g", "a b c d e"), strict=True)
    ]


def test_every_row_has_a_variable_of_its_own_and_a_meaning() -> None:
    variables = [row.variable for row in ROWS.values() if row.variable]

    assert sorted(set(variables)) == sorted(variables)
    assert all(row.meaning for row in ROWS.values())


def test_settings_are_frozen_and_equal_by_their_fields() -> None:
    held = settings("--tag", "a")

    assert held == settings("--tag", "a") != settings("--tag", "b")
    assert hash(held) == hash(settings("--tag", "a"))
    assert "tag='a'" in repr(held)
    with pytest.raises(FrozenInstanceError):
        held.tag = "b"  # type: ignore[misc]
    with pytest.raises(TypeError, match="no field is called tga"):
        Settings(tga="b")


def test_no_two_rows_share_a_flag_or_a_key() -> None:
    flags = [flag for row in ROWS.values() for flag in row.flags]
    keys = [row.key for row in ROWS.values() if row.key]

    assert (sorted(set(flags)), sorted(set(keys))) == (sorted(flags), sorted(keys))


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30))
def test_text_reads_the_same_from_flag_and_environment(value: str) -> None:
    flags = {"variables": [f"a={value}"]}

    by_flag = loaded.load(flags, {}, HERE).settings
    by_environment = loaded.load({}, {"SPIN_AKS_VARIABLES_A": value}, HERE).settings

    assert by_flag == by_environment
    assert (("a", value),) == by_flag.variables


@pytest.mark.parametrize("name", ["../../x", "..", ".", "a/b", "a b", "-f", "a\nb", "x" * 64, "é", "a.", "con"])
def test_an_environment_is_named_like_a_folder_of_its_own(name: str) -> None:
    said = refusal(f"--environment={name}")

    assert said.startswith("--environment: `")
    assert "` is not a name of letters, digits, `.`, `_` and `-`, a letter or digit first" in said


@pytest.mark.parametrize("flag", ["--environment", "--config"])
def test_an_empty_name_is_refused_as_of_a_variable_that_was_unset_in_a_script(flag: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(flag, "")

    what = {"--environment": "an empty text is not a name of letters", "--config": "names no file"}[flag]
    assert str(caught.value).startswith(f"{flag}: {what}")
    assert "leave it out, or give it a value" == caught.value.problems[0].hint


def test_an_empty_variable_counts_as_not_given() -> None:
    names = ["SPIN_AKS_IMAGE_FORM", "SPIN_AKS_ENVIRONMENT", "SPIN_AKS_CONFIG", "SPIN_AKS_VARIABLES_A", "SPIN_AKS_X"]

    found = read(environment=dict.fromkeys(names, ""))

    assert (DEFAULTS.form, "default", ()) == (found.settings.form, found.settings.environment, found.given())


def test_an_empty_text_takes_back_what_the_layers_behind_give(tmp_path: Path) -> None:
    put(tmp_path, aks_spin='[image]\ntag = "base"\n[app]\nname = "shop"\n', aks_spin__prod='[image]\ntag = ""\n')

    held = settings("-e", "prod", "--name", "", here=tmp_path)

    assert ("content", "") == (held.tag, held.name)


def test_a_plain_variable_may_be_empty() -> None:
    assert (("a", ""),) == settings("--variable", "a=").variables


# Names of the user's own


@pytest.mark.parametrize("pair", ["Greeting=x", "a__b=x", "a.b=x", "1a=x", "a b=x", "é=x"])
def test_a_variables_name_is_one_of_spins(pair: str) -> None:
    said = refusal("--variable", pair)

    assert f"--variable: `{pair[:-2]}` is not a variable's name in Spin" in said


def test_a_variables_name_in_the_environment_is_judged_as_well() -> None:
    said = refusal(environment={"SPIN_AKS_VARIABLES_A__B": "x"})

    assert "SPIN_AKS_VARIABLES_A__B: `a__b` is not a variable's name in Spin" in said


@pytest.mark.parametrize(("pair", "shown"), [("=x", "`=...`"), ("=", "`=...`"), ("x", "`x`"), ("", "an empty text")])
def test_what_is_no_pair_is_refused_without_its_value(pair: str, shown: str) -> None:
    assert f"--variable: {shown} is not of the form NAME=VALUE" == refusal("--variable", pair)


def test_stores_come_from_all_layers_by_label(tmp_path: Path) -> None:
    put(tmp_path, aks_spin='[store.orders]\nkind = "redis"\nname = "r"\n[store.default]\nkind = "cosmos"\n')

    held = settings(environment={"SPIN_AKS_STORE_ORDERS_NAME": "s"}, here=tmp_path)

    assert (Store("default", "cosmos"), Store("orders", "redis", name="s")) == held.stores


@pytest.mark.parametrize("label", ["my-orders", "my_orders", "MY-ORDERS", "MY_ORDERS"])
def test_a_variable_means_the_store_that_the_file_names_however_it_spells_it(tmp_path: Path, label: str) -> None:
    put(tmp_path, aks_spin=f'[store.{label}]\nkind = "redis"\n')

    found = read(environment={"SPIN_AKS_STORE_MY_ORDERS_KIND": "cosmos"}, here=tmp_path)

    assert (Store(label, "cosmos"),) == found.settings.stores
    assert Origin("variable", "SPIN_AKS_STORE_MY_ORDERS_KIND") == found.origin(f"store.{label}.kind")


def test_a_variable_adds_a_key_to_the_store_that_the_file_names(tmp_path: Path) -> None:
    put(tmp_path, aks_spin='[store.my-orders]\nkind = "redis"\n')

    held = settings(environment={"SPIN_AKS_STORE_MY_ORDERS_RESOURCE_GROUP": "rg"}, here=tmp_path)

    assert (Store("my-orders", "redis", resource_group="rg"),) == held.stores


# Paths


def test_a_manifest_given_as_a_folder_is_its_spin_toml(tmp_path: Path) -> None:
    (tmp_path / "spin.toml").touch()

    root, rooted = loaded.rooted(read("-f", str(tmp_path)))

    assert (tmp_path, "spin.toml") == (root, rooted.settings.manifest)


def test_paths_that_are_given_are_relative_to_the_users_folder_and_kept_relative_to_the_root(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/spin.toml").touch()
    variables = {"SPIN_AKS_CLUSTER_KUBECONFIG": "kube"}

    found = read("-f", "app/spin.toml", "--k8s-dest", "deploy", environment=variables, here=tmp_path)
    rooted = loaded.rooted(found)[1].settings

    assert ("../deploy", "Dockerfile", "../kube") == (rooted.k8s_dest, rooted.dockerfile, rooted.kubeconfig)


def test_paths_in_a_file_are_relative_to_its_folder(tmp_path: Path) -> None:
    (put(tmp_path / "app/src") / "../spin.toml").touch()
    put(tmp_path / "conf", a='[app]\nmanifest = "../app"\n[kubernetes]\ndest = "k8s"\n')
    put(tmp_path / "conf", a__prod='[image]\ndockerfile = "docker/"\n')

    root, found = loaded.rooted(read("-c", "../../conf/a.toml", "-e", "prod", here=tmp_path / "app/src"))

    held = found.settings
    assert tmp_path / "app" == root
    assert ("../conf/k8s", "../conf/docker/Dockerfile", "../conf/a.toml") == (
        held.k8s_dest,
        held.dockerfile,
        held.config,
    )


def test_a_missing_manifest_is_named_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no `spin\.toml`") as caught:
        loaded.rooted(read(here=tmp_path))

    assert "name it with `-f PATH`, or run this in the application's folder" == caught.value.problems[0].hint


@pytest.mark.parametrize("name", ["nowhere", "x" * 300, "a/" * 3000])
def test_a_manifest_that_is_not_there_is_named_whatever_its_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="there is no `"):
        loaded.rooted(read("-f", name, here=tmp_path))


def test_a_manifest_that_a_file_names_and_that_is_not_there_is_said_with_the_files_line(tmp_path: Path) -> None:
    put(tmp_path, aks_spin='\n[app]\nmanifest = "nowhere.toml"\n')

    with pytest.raises(UsageError) as caught:
        loaded.rooted(read(here=tmp_path))

    assert f"aks-spin.toml:3: there is no `{tmp_path}/nowhere.toml`" == str(caught.value)


def test_a_dockerfile_given_as_a_folder_stands_in_it(tmp_path: Path) -> None:
    (tmp_path / "spin.toml").touch()

    _, rooted = loaded.rooted(read("-f", str(tmp_path), "--dockerfile-dest", f"{tmp_path}/docker/"))

    assert "docker/Dockerfile" == rooted.settings.dockerfile


def test_a_manifest_that_is_a_link_stands_where_the_link_does(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/real.toml").touch()
    (tmp_path / "app").mkdir()
    (tmp_path / "app/spin.toml").symlink_to("../elsewhere/real.toml")

    root, rooted = loaded.rooted(read("-f", str(tmp_path / "app")))

    assert (tmp_path / "app", "spin.toml") == (root, rooted.settings.manifest)


def test_absolute_paths_far_away_stay_absolute(tmp_path: Path) -> None:
    root = tmp_path / "a/b/c"
    root.mkdir(parents=True)
    (root / "spin.toml").touch()

    _, rooted = loaded.rooted(read("-f", str(root), "--kubeconfig", "/etc/kubeconfig"))

    assert "/etc/kubeconfig" == rooted.settings.kubeconfig


def test_in_a_subfolder_the_manifest_is_the_one_beside_the_configuration(tmp_path: Path) -> None:
    (put(tmp_path, aks_spin="") / "spin.toml").touch()
    (tmp_path / ".git").mkdir()
    (tmp_path / "src").mkdir()

    root, found = loaded.rooted(read(here=tmp_path / "src"))

    assert (tmp_path, "aks-spin.toml") == (root, found.settings.config)


def test_a_manifest_in_the_users_folder_comes_before_the_one_beside_the_configuration(tmp_path: Path) -> None:
    (put(tmp_path, aks_spin="") / "spin.toml").touch()
    (tmp_path / ".git").mkdir()
    (put(tmp_path / "other") / "spin.toml").touch()

    assert tmp_path / "other" == loaded.rooted(read(here=tmp_path / "other"))[0]


# Environments and their state


def state_folder(found: Loaded) -> str:
    root, rooted = loaded.rooted(found)
    return (root / context.of(root, rooted).environment_folder).resolve().as_posix()


def test_state_stands_beside_spin_toml_without_a_configuration(tmp_path: Path) -> None:
    (put(tmp_path / "app") / "spin.toml").touch()

    assert f"{tmp_path}/app/.spin-aks/default" == state_folder(read("-f", "app", here=tmp_path))


def test_state_stands_beside_the_configuration_that_names_the_application(tmp_path: Path) -> None:
    (put(tmp_path / "app") / "spin.toml").touch()
    put(tmp_path, a='[app]\nmanifest = "app"\n')

    assert f"{tmp_path}/.spin-aks/a.prod" == state_folder(read("-c", "a.toml", "-e", "prod", here=tmp_path))


def test_two_applications_that_share_one_configuration_share_no_state(tmp_path: Path) -> None:
    put(tmp_path, aks_spin="")
    for name in ("one", "two"):
        (put(tmp_path / name) / "spin.toml").touch()

    folders = [state_folder(read("-f", name, here=tmp_path)) for name in ("one", "two")]

    assert [f"{tmp_path}/one/.spin-aks/default", f"{tmp_path}/two/.spin-aks/default"] == folders


def test_a_folder_reached_by_a_link_has_the_same_state_and_the_same_configuration(tmp_path: Path) -> None:
    (put(tmp_path / "real", aks_spin="") / "spin.toml").touch()
    (tmp_path / "link").symlink_to("real")

    by_link = loaded.rooted(read("-f", str(tmp_path / "link"), here=tmp_path))
    by_config = loaded.rooted(read("-f", "link", "-c", "link/aks-spin.toml", here=tmp_path))
    there = loaded.rooted(read(here=tmp_path / "real"))

    assert there[0] == by_link[0] == by_config[0]
    assert "aks-spin.toml" == there[1].settings.config == by_link[1].settings.config == by_config[1].settings.config


def test_a_state_folder_that_belongs_to_another_configuration_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, prod='[app]\nmanifest = "spin.toml"\n', aks_spin="")
    (tmp_path / "spin.toml").touch()
    monkeypatch.chdir(tmp_path)
    first = context.of(*loaded.rooted(read("-c", "prod.toml", here=tmp_path)))
    first.claim()
    first.lock.release()
    second = context.of(*loaded.rooted(read("-e", "prod", here=tmp_path)))

    with pytest.raises(UsageError) as caught:
        second.claim()

    assert ".spin-aks/prod: the state of the environment `prod` belongs to `prod.toml`" == str(caught.value)
    assert "`-c prod.toml` that configuration" in caught.value.problems[0].hint
    (tmp_path / "prod.toml").unlink()
    second.claim()
    assert second.lock.is_ours


def test_a_configuration_may_want_its_environment_named(tmp_path: Path) -> None:
    put(tmp_path, aks_spin="\nrequire_environment = true\n")
    (tmp_path / "spin.toml").touch()

    with pytest.raises(UsageError) as caught:
        state_folder(read(here=tmp_path))

    assert "aks-spin.toml:2: this configuration wants the environment named" == str(caught.value)
    assert "name it with `-e NAME`, or its file with `-c PATH`" == caught.value.problems[0].hint


@pytest.mark.parametrize("argv", [("-e", "prod"), ("-c", "aks-spin.toml")])
def test_an_environment_that_is_wanted_may_be_named_by_either_flag(tmp_path: Path, argv: tuple[str, ...]) -> None:
    put(tmp_path, aks_spin="require_environment = true\n")
    (tmp_path / "spin.toml").touch()

    assert state_folder(read(*argv, here=tmp_path)).startswith(f"{tmp_path}/.spin-aks/")


def test_an_environment_that_is_wanted_may_be_named_by_a_variable(tmp_path: Path) -> None:
    put(tmp_path, aks_spin="require_environment = true\n")
    (tmp_path / "spin.toml").touch()

    found = read(environment={"SPIN_AKS_ENVIRONMENT": "prod"}, here=tmp_path)

    assert f"{tmp_path}/.spin-aks/prod" == state_folder(found)


def test_a_configuration_that_was_named_and_is_not_there_is_refused_with_all_else(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read("-c", "../conf/a.toml", "--form", "x", here=tmp_path / "sub")

    assert ["--form: `x` is none of auto, artifact, rootfs", "--config: there is no file `../conf/a.toml`"] == (
        str(caught.value).splitlines()
    )
    assert "`spin-aks config set KEY VALUE` makes one, or name another with `-c PATH`" == caught.value.problems[1].hint


# Anything at all

NAMES = st.sampled_from([row.variable for row in EVERY_ROW if row.variable and not row.is_free]) | st.text(
    alphabet="ABKINDNAMESTOREVARIABLES_-. é\udcff", max_size=30
).map("SPIN_AKS_".__add__)
TEXTS = (
    st.text(max_size=40) | st.text(alphabet=st.characters(), max_size=20) | st.sampled_from(["\udcff", "rootfs", "a=b"])
)


@given(st.dictionaries(NAMES, TEXTS, max_size=6), st.lists(TEXTS, max_size=2), st.none() | TEXTS, st.none() | TEXTS)
def test_any_variables_and_flags_give_settings_or_a_refusal(
    variables: dict[str, str], pairs: list[str], config: str | None, environment: str | None
) -> None:
    flags = {"variables": pairs, "config": config, "environment": environment, "replicas": environment}
    try:
        found = loaded.load(flags, variables, HERE)
    except UsageError as error:
        said = [problem.what for problem in error.problems]
    else:
        said = [found.origin(key).where for key in found.given()] or ["nothing was given"]
    assert said
    assert all(said)
