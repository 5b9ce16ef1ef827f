"""`spin-aks config`: what holds and where it comes from, for people and scripts; and changing the file."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING

import pytest
from testbed.application import App
from testbed.typist import at_terminal

from spin_aks.settings.table import EVERY_ROW

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.application import Done

CANARY = "Xq7canaryZ9"


@pytest.fixture
def app(tmp_path: Path) -> App:
    """A folder in a repository, with nothing in it."""
    (tmp_path / "repo/.git").mkdir(parents=True)
    return App(tmp_path / "repo")


def below(app: App, folder: str) -> App:
    (app.root / folder).mkdir(parents=True, exist_ok=True)
    return App(app.root / folder)


def write(app: App, name: str, text: str) -> None:
    (app.root / name).parent.mkdir(parents=True, exist_ok=True)
    (app.root / name).write_text(text)


def config(app: App, *argv: str, **more: str) -> Done:
    return app.plain("config", *argv, **more)


def text(app: App, name: str = "aks-spin.toml") -> str:
    return (app.root / name).read_text()


# show


def test_show_names_each_value_and_where_it_comes_from(app: App) -> None:
    write(app, "aks-spin.toml", '[image]\nform = "rootfs"\ntag = "a"\n\n[variables]\ngreeting = "hello world"\n')
    write(app, "aks-spin.prod.toml", '[kubernetes]\nreplicas = 3\n[image]\ntag = "b"\n')
    (app.root / "spin.toml").touch()

    done = config(app, "show", "-e", "prod", "--service", "ClusterIP", SPIN_AKS_CLUSTER_TIMEOUT="60")

    assert 0 == done.code
    assert [
        "require_environment  false            built-in",
        "app.manifest         spin.toml        built-in",
        "runtime.installer    kwasm            built-in",
        "image.builder        auto             built-in",
        "image.form           rootfs           aks-spin.toml:2",
        "image.platform       linux/amd64      built-in",
        "image.dockerfile     Dockerfile       built-in",
        "image.tag            b                aks-spin.prod.toml:4",
        "kubernetes.type      kube             built-in",
        "kubernetes.dest      manifests        built-in",
        "kubernetes.replicas  3                aks-spin.prod.toml:2",
        "kubernetes.service   clusterip        --service",
        "cluster.timeout      60               SPIN_AKS_CLUSTER_TIMEOUT",
        "cluster.location     eastus2          built-in",
        "cluster.node_size    Standard_D2s_v5  built-in",
        "cluster.node_count   2                built-in",
        "variables.greeting   hello world      aks-spin.toml:6",
    ] == done.out.splitlines()
    assert [
        "configuration: aks-spin.toml",
        "overlay: aks-spin.prod.toml",
        "environment: prod (--environment)",
        "no other key is set: `spin-aks config reference` has every one",
    ] == done.err.splitlines()


def test_show_needs_neither_an_application_nor_a_file(app: App) -> None:
    done = config(app, "show", "-e", "prod")

    assert 0 == done.code
    assert [
        "configuration: none (`aks-spin.toml` is not there)",
        "overlay: none (`aks-spin.prod.toml` is not there)",
    ] == done.err.splitlines()[:2]
    assert "image.form           auto             built-in" in done.out.splitlines()


def test_show_for_programs_has_the_same_with_its_kind_of_origin(app: App) -> None:
    write(
        app,
        "aks-spin.toml",
        '[image.pushed]\ndigest = "sha256:0"\n[secrets]\napi = "api-key"\n[store.a-b]\nkind = "redis"\n',
    )

    done = config(app, "show", "--output", "json", SPIN_AKS_KEYVAULT_NAME="my-vault")

    document = done.json
    assert ("aks-spin.toml", None, "default", "") == (
        document["configuration"],
        document["overlay"],
        document["environment"],
        done.err,
    )
    values = document["values"]
    assert {"value": "auto", "from": "built-in", "where": "", "read": True} == values["image.form"]
    assert {"value": False, "from": "built-in", "where": "", "read": True} == values["require_environment"]
    assert {"value": 300, "from": "built-in", "where": "", "read": True} == values["cluster.timeout"]
    assert {"value": "sha256:0", "from": "file", "where": "aks-spin.toml:2", "read": True} == values[
        "image.pushed.digest"
    ]
    assert {"value": "my-vault", "from": "variable", "where": "SPIN_AKS_KEYVAULT_NAME", "read": True} == (
        values["keyvault.name"]
    )
    assert {"value": "api-key", "from": "file", "where": "aks-spin.toml:4", "read": False} == values["secrets.api"]
    assert {"value": "redis", "from": "file", "where": "aks-spin.toml:6", "read": True} == values["store.a-b.kind"]


def test_show_warns_of_what_is_given_and_not_acted_on(app: App) -> None:
    write(app, "aks-spin.toml", '[secrets]\napi = "api-key"\n')

    done = config(app, "show", SPIN_AKS_IMAGE_FROM="x")

    assert 0 == done.code
    assert [
        "warning: SPIN_AKS_IMAGE_FROM: nobody reads this variable",
        "hint: did you mean `SPIN_AKS_IMAGE_FORM`?",
        "warning: aks-spin.toml:2: `secrets.api` is not read by this version",
    ] == done.err.splitlines()[-3:]


def test_show_keeps_its_columns_whatever_a_value_is(app: App) -> None:
    write(
        app,
        "aks-spin.toml",
        '[variables]\na = """one\ntwo\u202e\u001b[2J"""\nlong = "%s"\n'.replace("\x1b", "\\u001b") % ("x" * 200),
    )

    done = config(app, "show")

    assert "image.form           auto                   built-in" in done.out.splitlines()
    assert "variables.a          one\\ntwo\\u202e\\x1b[2J  aks-spin.toml:2" in done.out.splitlines()
    assert f"variables.long       {'x' * 200}  aks-spin.toml:4" in done.out.splitlines()


def test_show_fits_a_terminal_of_80_columns(app: App) -> None:
    write(
        app,
        "aks-spin.toml",
        '[container_registry]\nserver = "myregistry.azurecr.io/team"\n[kubernetes]\nnamespace = "shop"\n',
    )

    with at_terminal(app, "config", "show") as typist:
        assert 0 == typist.leaves()

    assert "container_registry.server" in typist.seen
    assert 80 > max(map(len, typist.seen.splitlines()))


def test_what_is_too_long_for_its_column_takes_the_room_of_the_next(app: App) -> None:
    write(
        app,
        "aks-spin.toml",
        '[kubernetes.resources]\nmemory_limit = "1Gi"\n[image.pushed]\ndigest = "sha256:%s"\n' % ("0" * 64),
    )

    lines = config(app, "show").out.splitlines()

    assert f"image.pushed.digest  sha256:{'0' * 64}  aks-spin.toml:4" in lines
    assert "kubernetes.resources.memory_limit  1Gi  aks-spin.toml:2" in lines
    assert "kubernetes.service   loadbalancer     built-in" in lines


def test_show_says_all_that_is_wrong_at_once(app: App) -> None:
    write(app, "aks-spin.toml", "[imag]\n[kubernetes]\nreplicas = 0\n")
    write(app, "aks-spin.prod.toml", "a = 1\n")

    done = config(app, "show", "-e", "prod", "--form", "x", SPIN_AKS_KUBERNETES_TYPE="y")

    assert (3, "") == (done.code, done.out)
    assert [
        "--form:",
        "SPIN_AKS_KUBERNETES_TYPE:",
        "aks-spin.prod.toml:1:",
        "aks-spin.toml:1:",
        "aks-spin.toml:3:",
    ] == [line.split()[1] for line in done.err.splitlines() if line.startswith("error: ")]


# get


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("image.form", "rootfs"),
        ("image.builder", "auto"),
        ("kubernetes.replicas", "3"),
        ("cluster.timeout", "300"),
        ("require_environment", "false"),
        ("schema", "1"),
        ("variables.lines", " one\n\ttwo "),
        ("variables.empty", ""),
        ("variables.letters", "ü \u202e 'x' \"y\" \\"),
        ("store.orders.kind", "redis"),
        ("image.pushed.tag", "v1"),
        ("app.manifest", "../app/spin.toml"),
        ("kubernetes.dest", "../app/manifests"),
        ("image.dockerfile", "../docker/Dockerfile"),
    ],
)
def test_get_prints_exactly_the_value_a_path_as_it_is_from_here(app: App, key: str, value: str) -> None:
    write(
        app,
        "aks-spin.toml",
        '[image]\nform = "ROOTFS"\ndockerfile = "docker/"\npushed.tag = "v1"\n[kubernetes]\nreplicas = 3\n'
        '[variables]\nlines = " one\\n\\ttwo "\nempty = ""\nletters = "ü \\u202e \'x\' \\"y\\" \\\\"\n'
        '[store.orders]\nkind = "redis"\n[app]\nmanifest = "app/spin.toml"\n',
    )

    done = config(below(app, "sub"), "get", key)

    assert (0, f"{value}\n", "") == (done.code, done.out, done.err)


def test_get_of_what_nobody_sets_ends_with_1_and_says_what_holds_then(app: App) -> None:
    done = config(app, "get", "image.repository")

    assert (1, "", "`image.repository` is not set; without it: the application's name\n") == (
        done.code,
        done.out,
        done.err,
    )
    assert (1, "`variables.greeting` is not set; without it: its default in spin.toml\n") == (
        (done := config(app, "get", "variables.greeting")).code,
        done.err,
    )


@pytest.mark.parametrize(
    ("key", "what", "hint"),
    [
        ("image.from", "there is no key `image.from`", "did you mean `image.form`?"),
        ("imag.form", "there is no key `imag.form`", "did you mean `image.form`?"),
        ("replicas", "there is no key `replicas`", "did you mean `kubernetes.replicas`?"),
        ("variable.greeting", "there is no key `variable.greeting`", "did you mean `variables.greeting`?"),
        ("image", "`image` is a table", "`spin-aks config show` lists those that are set"),
        ("", 'there is no key `""`', "there are the tables"),
        (".", 'there is no key `"".""`', "there are the tables"),
        ("SPIN_AKS_CONFIG", "there is no key `SPIN_AKS_CONFIG`", "there are the tables"),
        ("variables.Big", "`Big` is not a variable's name in Spin", "`spin-aks config reference` has every key"),
        ("variables.a.b", "`variables.a` is no table", ""),
    ],
)
def test_a_key_that_nobody_knows_ends_with_3_and_the_nearest(app: App, key: str, what: str, hint: str) -> None:
    for argv in (("get", key), ("set", key, "x"), ("unset", key)):
        done = config(app, *argv)

        assert (3, "") == (done.code, done.out)
        assert f"error: {what}" in done.err
        assert f"hint: {hint}" in done.err
    assert not (app.root / "aks-spin.toml").exists()


# set and unset


def test_set_makes_the_file_and_unset_takes_out_what_it_put_in(app: App) -> None:
    done = config(app, "set", "image.form", "ROOTFS")
    made = text(app)
    config(app, "set", "kubernetes.replicas", "3")
    config(app, "set", "require_environment", "Yes")
    config(app, "set", "variables.greeting", "hello")
    whole = tomllib.loads(text(app))
    for key in ("kubernetes.replicas", "require_environment", "variables.greeting"):
        assert "wrote aks-spin.toml\n" == config(app, "unset", key).err

    assert (0, "", "wrote aks-spin.toml\n") == (done.code, done.out, done.err)
    assert 'schema = 1\n\n[image]\nform = "rootfs"\n' == made == text(app)
    assert {
        "schema": 1,
        "require_environment": True,
        "image": {"form": "rootfs"},
        "kubernetes": {"replicas": 3},
        "variables": {"greeting": "hello"},
    } == whole


def test_set_writes_where_the_flags_say(app: App) -> None:
    for argv in (
        ("set", "image.tag", "base"),
        ("set", "-e", "prod", "image.tag", "over"),
        ("-e", "test", "set", "image.tag", "before"),
        ("set", "image.tag", "new", "-c", "conf/new.toml"),
        ("set", "-c", "conf/new.toml", "image.tag", "new-prod", "-e", "prod"),
    ):
        assert 0 == config(app, *argv).code
    assert 0 == app.plain("-e", "early", "config", "set", "image.tag", "early").code

    assert ["base", "over", "before", "early", "new", "new-prod"] == [
        tomllib.loads(text(app, name))["image"]["tag"]
        for name in (
            "aks-spin.toml",
            "aks-spin.prod.toml",
            "aks-spin.test.toml",
            "aks-spin.early.toml",
            "conf/new.toml",
            "conf/new.prod.toml",
        )
    ]


def test_set_in_a_subfolder_changes_the_file_that_holds_there(app: App) -> None:
    write(app, "spin-aks.toml", "# mine\n")

    done = config(below(app, "sub"), "set", "image.tag", "a")

    assert "wrote ../spin-aks.toml\n" == done.err
    assert '# mine\n\n[image]\ntag = "a"\n' == text(app, "spin-aks.toml")


def test_a_path_is_given_from_here_and_stored_from_the_files_folder(app: App) -> None:
    write(app, "conf/a.toml", "")
    sub = below(app, "sub")
    config(sub, "set", "-c", "../conf/a.toml", "kubernetes.dest", "k8s")
    config(sub, "set", "-c", "../conf/a.toml", "cluster.kubeconfig", "/etc/kube")
    config(sub, "set", "-c", "../conf/a.toml", "image.dockerfile", "made/")

    assert {"kubernetes": {"dest": "../sub/k8s"}, "cluster": {"kubeconfig": "/etc/kube"}} == {
        key: value for key, value in tomllib.loads(text(app, "conf/a.toml")).items() if key != "image"
    }
    assert "k8s\n" == config(sub, "get", "-c", "../conf/a.toml", "kubernetes.dest").out
    assert "made/Dockerfile\n" == config(sub, "get", "-c", "../conf/a.toml", "image.dockerfile").out
    assert "/etc/kube\n" == config(sub, "get", "-c", "../conf/a.toml", "cluster.kubeconfig").out


@pytest.mark.parametrize(
    "value",
    [
        "",
        "two words",
        'it\'s "quoted" \\ \\n',
        "one\ntwo\r\nthree\n",
        "ü 漢 🙂 \u202e",
        "#no = comment",
        "x" * 5000,
        "-x",
    ],
)
def test_any_text_comes_back_as_it_was_set(app: App, value: str) -> None:
    done = config(app, "set", "variables.greeting", "--", value)

    assert 0 == done.code, done.err
    assert value == tomllib.loads((app.root / "aks-spin.toml").read_bytes().decode())["variables"]["greeting"]
    assert f"{value}\n".replace("\r\n", "\n") == config(app, "get", "variables.greeting").out


def test_a_value_that_begins_with_a_dash_stands_behind_two(app: App) -> None:
    for argv in (
        ("set", "variables.a", "--", "-x"),
        ("set", "--", "variables.a", "-x"),
    ):
        assert 0 == config(app, *argv).code, argv

    refused = config(app, "set", "variables.a", "-x")

    assert 3 == refused.code
    assert "hint: `spin-aks config set --help` shows what it takes" in refused.err


@pytest.mark.parametrize(
    ("key", "value", "what"),
    [
        ("image.form", "square", "image.form: `square` is none of auto, artifact, rootfs"),
        ("image.form", "", "image.form: an empty text is none of auto, artifact, rootfs"),
        ("kubernetes.replicas", "0", "kubernetes.replicas: `0` is no whole number from 1 to 999999999"),
        ("require_environment", "maybe", "require_environment: `maybe` is neither true nor false"),
        ("kubernetes.namespace", "Bad", "kubernetes.namespace: `Bad` is not a namespace's name"),
        ("image.dockerfile", "", "image.dockerfile: names no file"),
        ("image.pushed.tag", "x", "`image.pushed.tag` is written by spin-aks itself"),
        ("schema", "2", "`schema` is written by spin-aks itself"),
        ("variables.Big", "x", "`Big` is not a variable's name in Spin"),
    ],
)
def test_what_can_not_be_is_not_written(app: App, key: str, value: str, what: str) -> None:
    done = config(app, "set", key, value)

    assert (3, "") == (done.code, done.out)
    assert f"error: {what}" in done.err
    assert not (app.root / "aks-spin.toml").exists()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("variables.db_password", CANARY),
        ("variables.url", f"redis://:{CANARY}@host"),
        ("app.name", f"https://u:{CANARY}@h"),
        ("cluster.kubeconfig", f"https://u:{CANARY}@h"),
        ("secrets.api", f"{CANARY}!"),
        ("password", CANARY),
        ("image.form", f"https://u:{CANARY}@h"),
        ("kubernetes.replicas", f"https://u:{CANARY}@h"),
    ],
)
def test_a_secret_is_not_written_and_not_shown(app: App, key: str, value: str) -> None:
    done = config(app, "set", key, value)

    assert (3, "") == (done.code, done.out)
    assert CANARY not in done.err
    assert "hint: a secret's value stands in no file" in done.err
    assert not (app.root / "aks-spin.toml").exists()


def test_set_mends_a_value_that_is_wrong_and_unset_takes_out_a_key_that_nobody_knows(app: App) -> None:
    write(app, "aks-spin.toml", '[kubernetes]\nreplicas = "many"  # how many\n[imag]\nform = "x"\n')

    mended, cleaned = config(app, "set", "kubernetes.replicas", "3"), config(app, "unset", "imag.form")

    assert (0, 0) == (mended.code, cleaned.code)
    assert "[kubernetes]\nreplicas = 3  # how many\n" == text(app)


def test_what_is_there_already_is_said_and_not_written(app: App) -> None:
    write(app, "aks-spin.toml", "[image]\ntag = 'a'\n")
    before = (app.root / "aks-spin.toml").stat()

    again, gone = config(app, "set", "image.tag", "a"), config(app, "unset", "image.form")

    assert ("as it was: aks-spin.toml\n", "as it was: aks-spin.toml\n") == (again.err, gone.err)
    assert before.st_mtime_ns == (app.root / "aks-spin.toml").stat().st_mtime_ns


def test_unset_without_a_file_makes_none(app: App) -> None:
    done = config(app, "unset", "image.tag")

    assert (0, "there is no aks-spin.toml\n") == (done.code, done.err)
    assert not (app.root / "aks-spin.toml").exists()


def test_a_value_that_another_wins_over_is_written_and_said(app: App) -> None:
    write(app, "aks-spin.toml", "")

    done = config(app, "set", "image.tag", "a", SPIN_AKS_IMAGE_TAG="b")

    assert [
        "wrote aks-spin.toml",
        "warning: SPIN_AKS_IMAGE_TAG gives `image.tag` as well, and wins",
    ] == done.err.splitlines()


def test_a_file_that_is_no_toml_is_named_as_the_user_would_and_left_alone(app: App) -> None:
    write(app, "aks-spin.toml", "[image]\nform = x\n")

    done = config(below(app, "sub"), "set", "image.tag", "a")

    assert 3 == done.code
    assert "error: ../aks-spin.toml:2: not valid TOML: invalid value\n" in done.err
    assert "[image]\nform = x\n" == text(app)


def test_a_table_is_not_replaced_by_a_value(app: App) -> None:
    write(app, "aks-spin.toml", "[image.form]\nx = 1\n")

    done = config(app, "set", "image.form", "rootfs")

    assert 3 == done.code
    assert "error: aks-spin.toml:1: `image.form` is a table here, not a value\n" in done.err


def test_a_folder_in_the_files_place_is_refused(app: App) -> None:
    (app.root / "aks-spin.toml").mkdir()

    done = config(app, "set", "image.tag", "a")

    assert (3, True) == (done.code, (app.root / "aks-spin.toml").is_dir())
    assert "error: aks-spin.toml: is a folder, not a configuration\n" in done.err


def test_a_folder_that_is_none_is_refused(app: App) -> None:
    write(app, "conf", "")

    done = config(app, "set", "-c", "conf/a.toml", "image.tag", "a")

    assert done.code in (1, 3)
    assert "error: " in done.err
    assert "" == text(app, "conf")


# Words


@pytest.mark.parametrize(
    ("argv", "what"),
    [
        ((), "the following arguments are required: ACTION"),
        (("get",), "the following arguments are required: KEY"),
        (("set", "image.tag"), "the following arguments are required: VALUE"),
        (("show", "image.tag"), "unrecognized arguments: image.tag"),
        (("set", "image.tag", "a", "b"), "unrecognized arguments: b"),
        (("set", "image.tag", "a", "--form", "rootfs"), "unrecognized arguments: --form rootfs"),
        (("shw",), "argument ACTION: invalid choice: 'shw' (choose from 'show', 'get', 'set', 'unset', 'schema'"),
    ],
)
def test_other_words_are_refused(app: App, argv: tuple[str, ...], what: str) -> None:
    done = config(app, *argv)

    assert (3, "") == (done.code, done.out)
    assert f"error: {what}" in done.err
    assert " --help` shows what it takes\n" in done.err


@pytest.mark.parametrize("action", ["show", "get", "set", "unset", "schema"])
def test_every_action_explains_itself(app: App, action: str) -> None:
    done = config(app, action, "--help")

    assert (0, "") == (done.code, done.err)
    assert done.out.startswith(f"usage: spin-aks config {action}")
    assert "--config" in done.out


def test_the_schema_is_one(app: App) -> None:
    done = config(app, "schema")

    assert (0, "") == (done.code, done.err)
    assert {row.key.partition(".")[0] for row in EVERY_ROW if row.key} == set(json.loads(done.out)["properties"])
