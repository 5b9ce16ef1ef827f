"""What nobody gave: asked for where somebody can answer, listed all at once where nobody can, and kept if wanted."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from testbed.application import App
from testbed.tiny import add_variables, build_command, tiny_in
from testbed.typist import CTRL_C, CTRL_D, Typist, at_terminal

if TYPE_CHECKING:
    from spin_aks import sandbox

REGISTRY = "Registry to push to (HOST[:PORT][/PREFIX])"
PUSH_TO = "Registry to push to"
BY_HOST = "Number or part of a name [2: another, by its host]: "
GREETING = "Value of the variable `greeting`"
REGION = "Value of the variable `region`"
WHERE_TO = "Where to deploy to"
NUMBER = "Number or part of a name: "
KEEP = "Keep this in `aks-spin.toml`? [Y/n] "
KUBECONFIG = """\
apiVersion: v1
kind: Config
contexts:
- {{name: blue, context: {{cluster: here, user: me}}}}
- {{name: green, context: {{cluster: nowhere, user: me}}}}
clusters:
- {{name: here, cluster: {{server: "{server}"}}}}
- {{name: nowhere, cluster: {{server: "http://127.0.0.1:1"}}}}
users:
- {{name: me, user: {{}}}}
"""
NOTE = """
import json, sys
from spin_aks import choices
given = json.loads(sys.argv[1])
deployed = given.pop("deployed", None)
if deployed:
    key = choices.ApplicationKey(deployed["name"], deployed["manifest"])
    given["deployed"] = key, choices.Deployed(deployed["registry"], "repository", "v1", "sha256:0", "2026-11-21Z")
choices.note(**given)
"""


@pytest.fixture
def host(embedded: sandbox.Running) -> str:
    return embedded.environment["SPIN_AKS_CONTAINER_REGISTRY_SERVER"]


@pytest.fixture
def server(embedded: sandbox.Running) -> str:
    """The cluster's URL, by which it is known."""
    lines = Path(embedded.environment["KUBECONFIG"]).read_text().splitlines()
    return next(line.split()[-1] for line in lines if "server:" in line)


@pytest.fixture
def app(tmp_path: Path, embedded: sandbox.Running, server: str) -> App:
    """An application to which nobody has given anything that it needs; servers are there."""
    root = tiny_in(tmp_path / "tiny")
    add_variables(root, "greeting = { required = true }", "region = { required = true }")
    (tmp_path / "kubeconfig").write_text(KUBECONFIG.format(server=server))
    own = f"t{abs(hash(tmp_path)) % 10**10}"
    flags = ("--namespace", own, "--repository", own, "--service", "clusterip")
    return App(root, {"KUBECONFIG": str(tmp_path / "kubeconfig")}, flags)


def given_variables(app: App) -> App:
    app.flags = (*app.flags, "--variable", "greeting=Hi", "--variable", "region=eu")
    return app


def note(app: App, **given: Any) -> None:
    """Makes the state remember this, in a process of its own."""
    subprocess.run([sys.executable, "-c", NOTE, json.dumps(given)], env=app.surroundings(), check=True)


def state(app: App) -> dict[str, Any]:
    return app.plain("state", "show", "--output", "json").json


def configuration(app: App, name: str = "aks-spin.toml") -> dict[str, Any]:
    found = tomllib.loads((app.root / name).read_text())
    assert 1 == found.pop("schema", 1)
    return found


def kept_files(app: App) -> list[str]:
    """What is in the application's folder that git would see."""
    return sorted(
        path.relative_to(app.root).as_posix()
        for path in app.root.rglob("*")
        if path.is_file() and ".spin-aks" not in path.relative_to(app.root).parts
    )


def names_the_registry(typist: Typist, host: str) -> None:
    """Enter takes the way by host, where the cluster is not in Azure and no registry was chosen before."""
    typist.sees(f"{PUSH_TO}\n")
    typist.sees(BY_HOST)
    typist.types("\n")
    typist.sees(f"{REGISTRY}: ")
    typist.types(f"{host}\n")


def answers(typist: Typist, question: str, answer: str) -> None:
    typist.sees(f"{question}: ")
    typist.types(f"{answer}\n")


def answers_everything(typist: Typist, host: str) -> None:
    answers(typist, GREETING, "Hi there")
    answers(typist, REGION, "eu")
    typist.sees(f"{WHERE_TO}\n")
    typist.sees(NUMBER)
    typist.types("blue\n")
    names_the_registry(typist, host)


# nobody answers

NOT_ASKED = [((), {}), (("--no-input",), {}), ((), {"CI": "true"}), (("-y",), {"CI": "true"}), (("-y",), {})]


@pytest.mark.parametrize(("flags", "environment"), NOT_ASKED)
def test_all_that_is_missing_is_listed_at_once_with_each_way_to_give_it(
    app: App, flags: tuple[str, ...], environment: dict[str, str]
) -> None:
    done = app.run("up", *flags, **environment)

    assert (3, "", []) == (done.code, done.out, done.stages("run"))
    assert [
        "error: spin.toml:19: the variable `greeting` is required, and nothing gives it a value",
        "error: spin.toml:20: the variable `region` is required, and nothing gives it a value",
        "error: no registry is named",
        f"error: {app.environment['KUBECONFIG']}: no context is chosen",
        "hint: give `--variable greeting=VALUE`, `SPIN_AKS_VARIABLES_GREETING` or `variables.greeting` in "
        "aks-spin.toml; or write a `default` into the manifest",
        "hint: give `--variable region=VALUE`, `SPIN_AKS_VARIABLES_REGION` or `variables.region` in "
        "aks-spin.toml; or write a `default` into the manifest",
        "hint: give `--registry HOST[:PORT][/PREFIX]`, `SPIN_AKS_CONTAINER_REGISTRY_SERVER` or "
        "`container_registry.server` in aks-spin.toml; an Azure Container Registry is named with `--registry NAME`; "
        "to try without one: `spin-aks sandbox -- spin-aks up`",
        "hint: give `--context NAME`, `SPIN_AKS_CLUSTER_CONTEXT` or `cluster.context` in aks-spin.toml; "
        "there are `blue`, `green`; or name an AKS cluster with `--cluster NAME`",
    ] == done.err.splitlines()
    assert ["a/a.src", "spin.toml"] == kept_files(app)
    assert not app.state_home.exists()


@pytest.mark.parametrize(("flags", "environment"), [(("--no-input",), {}), ((), {"CI": "1"}), (("-y",), {})])
def test_at_a_terminal_that_nobody_sits_at_it_is_the_same(
    app: App, flags: tuple[str, ...], environment: dict[str, str]
) -> None:
    expected = app.run("up", *flags, **environment)

    with at_terminal(app, "up", *app.flags, *flags, **environment) as typist:
        code = typist.leaves()

    assert (3, expected.err) == (code, typist.seen)


@pytest.mark.parametrize(("flags", "environment"), [(("--no-input", "-y"), {}), (("-y",), {"CI": "1"}), ((), {})])
def test_what_was_chosen_last_counts_for_nothing_where_nothing_is_asked(
    app: App, server: str, flags: tuple[str, ...], environment: dict[str, str]
) -> None:
    note(app, registry="registry.example.com/team", cluster=server)
    given_variables(app)

    done = app.run("up", *flags, **environment)

    assert 3 == done.code
    assert "registry.example.com" not in done.err
    assert ["error: no registry is named", f"error: {app.environment['KUBECONFIG']}: no context is chosen"] == [
        line for line in done.err.splitlines() if line.startswith("error: ")
    ]


def test_what_is_missing_is_named_beside_what_is_wrong_and_nobody_is_asked(app: App) -> None:
    with at_terminal(app, "up", *app.flags, "--context", "nope") as typist:
        code = typist.leaves()

    assert 3 == code
    assert "there is no context `nope`" in typist.seen
    assert "the variable `greeting` is required" in typist.seen
    assert "no registry is named" in typist.seen
    assert PUSH_TO not in typist.seen


@pytest.mark.parametrize("command", ["list", "why", "config"])
def test_who_only_looks_is_asked_nothing(app: App, command: str) -> None:
    argv = {"list": ("list",), "why": ("why", "apply"), "config": ("config", "show")}[command]
    with at_terminal(app, *argv) as typist:
        code = typist.leaves()

    assert 0 == code
    assert "Registry to push to" not in typist.seen
    assert ["a/a.src", "spin.toml"] == kept_files(app)


def test_a_secret_variable_is_not_asked_for(app: App, host: str) -> None:
    app.edit("spin.toml", "region = { required = true }", "region = { required = true, secret = true }")
    app.flags = (*app.flags, "--registry", host)

    with at_terminal(app, "run", "validate", *app.flags) as typist:
        typist.sees(f"{GREETING}: ")
        typist.types("Hi\n")
        typist.sees(KEEP)
        typist.types("\n")
        code = typist.leaves()

    assert "`region`:" not in typist.seen
    assert {"variables": {"greeting": "Hi"}} == configuration(app), typist.seen
    assert "error: spin.toml:20: the variable `region` is a secret that needs a value" in typist.seen
    assert 3 == code


# somebody answers


def test_each_is_asked_and_kept_and_the_second_run_asks_nothing(app: App, host: str) -> None:
    with at_terminal(app, "up", *app.flags) as typist:
        answers_everything(typist, host)
        typist.sees(KEEP)
        typist.types("\n")
        typist.sees("wrote   aks-spin.toml\n")
        code = typist.leaves()

    assert 0 == code, typist.seen
    again = app.ok("up")
    rendered = (app.root / ".spin-aks/default/rendered.yaml").read_text()
    pushed = configuration(app)["image"].pop("pushed")
    kept = configuration(app)
    assert {"pushed": pushed} == kept.pop("image")
    assert {
        "variables": {"greeting": "Hi there", "region": "eu"},
        "container_registry": {"server": host},
        "cluster": {"context": "blue"},
    } == kept
    assert (host, app.flags[3]) == (pushed["registry"], pushed["repository"])
    assert [] == again.stages("run")
    assert "everything is fresh" in again.err
    assert "value: Hi there" in rendered


def test_the_file_has_what_was_answered_and_nothing_else(app: App, host: str) -> None:
    with at_terminal(app, "run", "render", *app.flags) as typist:
        answers(typist, GREETING, 'a "b" # c')
        answers(typist, REGION, "é")
        names_the_registry(typist, host)
        typist.sees(KEEP)
        typist.types("y\n")
        code = typist.leaves()

    assert 0 == code, typist.seen
    expected = (
        'schema = 1\n\n[variables]\ngreeting = "a \\"b\\" # c"\nregion = "é"\n\n'
        f'[container_registry]\nserver = "{host}"\n'
    )
    assert expected == (app.root / "aks-spin.toml").read_text()
    assert [] == app.ok("run", "render").stages("run")


@pytest.mark.parametrize("answer", ["n", "no"])
def test_what_is_not_to_be_kept_holds_for_this_run_and_is_asked_again(app: App, host: str, answer: str) -> None:
    given_variables(app)
    for _ in range(2):
        with at_terminal(app, "run", "render", *app.flags) as typist:
            names_the_registry(typist, host)
            typist.sees(KEEP)
            typist.types(f"{answer}\n")
            code = typist.leaves()
        assert 0 == code, typist.seen

        (app.root / "spin.toml").touch()
        (app.root / ".spin-aks/default/rendered.yaml").unlink()

    assert not (app.root / "aks-spin.toml").exists()
    assert [] == [name for name in kept_files(app) if name.endswith(".toml") and name != "spin.toml"]


def test_answers_go_into_the_overlay_where_there_is_one(app: App, host: str) -> None:
    (app.root / "aks-spin.toml").write_text("# of all\n")
    (app.root / "aks-spin.prod.toml").write_text("# of prod\n[variables]\nregion = 'eu' # there\n")

    with at_terminal(app, "run", "render", "-e", "prod", *app.flags) as typist:
        typist.sees(f"{GREETING}: ")
        typist.types("Hi\n")
        names_the_registry(typist, host)
        typist.sees("Keep this in `aks-spin.prod.toml`? [Y/n] ")
        typist.types("y\n")
        code = typist.leaves()

    assert 0 == code, typist.seen
    assert "# of all\n" == (app.root / "aks-spin.toml").read_text()
    assert (
        f'# of prod\n[variables]\nregion = \'eu\' # there\ngreeting = "Hi"\n\n[container_registry]\nserver = "{host}"\n'
    ) == (app.root / "aks-spin.prod.toml").read_text()
    assert [] == app.ok("run", "render", "-e", "prod").stages("run")


def test_without_an_overlay_they_go_into_the_file_of_all(app: App, host: str) -> None:
    given_variables(app)

    with at_terminal(app, "run", "render", "-e", "prod", *app.flags) as typist:
        names_the_registry(typist, host)
        typist.sees(KEEP)
        typist.types("y\n")
        code = typist.leaves()

    assert (0, {"container_registry": {"server": host}}) == (code, configuration(app))
    assert not (app.root / "aks-spin.prod.toml").exists()


def test_from_elsewhere_the_file_is_offered_where_the_next_run_finds_it(app: App, host: str, tmp_path: Path) -> None:
    given_variables(app)
    outside = App(tmp_path, app.environment, app.flags)

    with at_terminal(outside, "run", "render", "-f", "tiny", *app.flags) as typist:
        names_the_registry(typist, host)
        typist.sees("Keep this in `")
        typist.types("y\n")
        code = typist.leaves()

    assert (0, {"container_registry": {"server": host}}) == (code, configuration(app)), typist.seen
    assert "Keep this in `tiny/aks-spin.toml`? " in typist.seen
    assert "wrote   tiny/aks-spin.toml\n" in typist.seen
    assert [] == app.ok("run", "render").stages("run")


def test_into_a_file_that_applications_share_go_no_variables_of_one(app: App, host: str) -> None:
    (app.root.parent / ".git").mkdir()
    shared = app.root.parent / "aks-spin.toml"
    shared.write_text("# ours\n")

    with at_terminal(app, "run", "render", *app.flags) as typist:
        answers(typist, GREETING, "Hi")
        answers(typist, REGION, "eu")
        names_the_registry(typist, host)
        typist.sees("Keep this in `../aks-spin.toml`, but for the variables? [Y/n] ")
        typist.types("y\n")
        code = typist.leaves()

    assert 0 == code, typist.seen
    assert f'# ours\n\n[container_registry]\nserver = "{host}"\n' == shared.read_text()


def test_nothing_is_offered_to_be_kept_where_only_variables_were_asked_for_and_applications_share_the_file(
    app: App, host: str
) -> None:
    (app.root.parent / ".git").mkdir()
    (app.root.parent / "aks-spin.toml").write_text("# ours\n")
    app.flags = (*app.flags, "--variable", "region=eu")

    with at_terminal(app, "build", *app.flags) as typist:
        typist.sees(f"{GREETING}: ")
        typist.types("Hi\n")
        code = typist.leaves()

    assert 0 == code, typist.seen
    assert "Keep this" not in typist.seen
    assert "# ours\n" == (app.root.parent / "aks-spin.toml").read_text()


WRONG_REGISTRIES = [
    ("http://reg.io", "`http://reg.io`: a registry is named without `http://`"),
    ("myregistry", "`myregistry` could be a registry or a repository: write `myregistry.azurecr.io`"),
    ("bad host", "`bad host` is no host of a registry"),
    ("me:secret@reg.io", ""),
    ("", "an answer is needed"),
]


@pytest.mark.parametrize(("wrong", "sentence"), WRONG_REGISTRIES)
def test_a_wrong_registry_is_asked_for_again_with_the_reason(app: App, host: str, wrong: str, sentence: str) -> None:
    given_variables(app)

    with at_terminal(app, "run", "render", *app.flags) as typist:
        names_the_registry(typist, wrong)
        typist.sees(f"\n{sentence}")
        answers(typist, REGISTRY, host)
        typist.sees(KEEP)
        typist.types("y\n")
        code = typist.leaves()

    assert (0, {"container_registry": {"server": host}}) == (code, configuration(app)), typist.seen


def test_a_wrong_context_is_asked_for_again_with_the_reason(app: App, host: str) -> None:
    given_variables(app)

    with at_terminal(app, "up", *app.flags, "--registry", host) as typist:
        typist.sees(f"{WHERE_TO}\n  1  blue ")
        typist.sees("\n  2  green ")
        typist.sees("\n  3  an AKS cluster in Azure\n")
        typist.sees(NUMBER)
        typist.types("4\n")
        typist.sees("none has `4`: please answer with a number (1 to 3), a name, or a part of one\n")
        typist.sees(NUMBER)
        typist.types("e 1\n")
        typist.sees("2 have `e 1`:")
        typist.sees(NUMBER)
        typist.types("1\n")
        typist.sees("chosen: blue")
        typist.sees(KEEP)
        typist.types("y\n")
        code = typist.leaves()

    assert (0, {"context": "blue"}) == (code, configuration(app)["cluster"]), typist.seen


def test_a_secret_that_is_typed_for_a_variable_is_asked_for_again_and_kept_nowhere(app: App, host: str) -> None:
    canary = "redis://me:Xq7canaryZ9@cache.example.com:6380"
    app.flags = (*app.flags, "--registry", host, "--variable", "region=eu")

    with at_terminal(app, "run", "render", *app.flags) as typist:
        typist.sees(f"{GREETING}: ")
        typist.types(f"{canary}\n")
        typist.sees("`variables.greeting` holds ")
        typist.sees(f"{GREETING}: ")
        typist.types("Hi\n")
        typist.sees(KEEP)
        typist.types("y\n")
        code = typist.leaves()

    assert (0, {"variables": {"greeting": "Hi"}}) == (code, configuration(app))
    assert [] == [path for path in app.root.parent.rglob("*") if path.is_file() and b"Xq7canary" in path.read_bytes()]
    assert 1 == typist.seen.count("Xq7canary")


@pytest.mark.parametrize("taken_back", ["flag", "file"])
def test_what_was_taken_back_with_an_empty_value_is_asked_for_once(app: App, host: str, taken_back: str) -> None:
    given_variables(app)
    if taken_back == "flag":
        app.flags = (*app.flags, "--registry", "")
    else:
        (app.root / "aks-spin.toml").write_text('[container_registry]\nserver = "" # none yet\n')

    with at_terminal(app, "run", "render", *app.flags) as typist:
        names_the_registry(typist, host)
        typist.sees(KEEP)
        typist.types("y\n")
        code = typist.leaves()

    assert (0, {"container_registry": {"server": host}}) == (code, configuration(app)), typist.seen
    assert 1 == typist.seen.count(f"{REGISTRY}: ")


def test_what_was_taken_back_is_taken_from_state_where_defaults_are(app: App) -> None:
    note(app, registry="registry.example.com/team")
    given_variables(app)

    done = app.ok("run", "render", "-y", "--registry", "")

    assert 1 == done.err.count("registry.example.com/team, as last time")


def test_a_file_that_can_not_be_written_loses_no_answer(app: App, host: str) -> None:
    given_variables(app)

    with at_terminal(app, "run", "render", *app.flags) as typist:
        typist.sees(BY_HOST)
        (app.root / "aks-spin.toml").mkdir()
        typist.types("\n")
        answers(typist, REGISTRY, host)
        typist.sees(KEEP)
        typist.types("y\n")
        typist.sees("warning: aks-spin.toml: not kept: is a folder\n")
        code = typist.leaves()

    assert 3 == code  # it is read anew, as the next command would
    assert "error: aks-spin.toml: is a folder, not a configuration\n" in typist.seen


# Ctrl-C


@pytest.mark.parametrize("at", [GREETING, REGION, WHERE_TO, PUSH_TO, REGISTRY, KEEP])
@pytest.mark.parametrize("key", [CTRL_C, CTRL_D])
def test_who_wants_out_at_any_question_leaves_everything_as_it_was(app: App, host: str, at: str, key: str) -> None:
    questions = {GREETING: "Hi\n", REGION: "eu\n", WHERE_TO: "blue\n", PUSH_TO: "\n", REGISTRY: f"{host}\n", KEEP: ""}
    with at_terminal(app, "up", *app.flags) as typist:
        for question, answer in questions.items():
            typist.sees(question)
            if question in (WHERE_TO, PUSH_TO):
                typist.sees(NUMBER if question == WHERE_TO else BY_HOST)
            typist.types(key if question == at else answer)
            if question == at:
                break
        if (at, key) == (PUSH_TO, CTRL_D):  # the end of input takes a default where there is one
            typist.sees(f"{REGISTRY}: ")
            typist.types(key)
        if (at, key) == (KEEP, CTRL_D):
            assert 0 == typist.leaves()
            return
        code = typist.leaves()

    assert 130 == code, typist.seen
    assert typist.seen.endswith("interrupted: what is done is kept, the same command goes on from there\n")
    assert ["a/a.src", "spin.toml"] == kept_files(app)
    assert not app.state_home.exists()
    assert not app.spin_data.exists()
    assert "another run is at work" not in app.run("up").err


def test_another_process_can_work_on_the_environment_while_a_question_is_open(app: App, host: str) -> None:
    app.flags = (*app.flags, "--variable", "region=eu")

    with at_terminal(app, "up", *app.flags) as typist:
        typist.sees(f"{GREETING}: ")
        other = app.ok("up", "--variable", "greeting=Hi", "--registry", host, "--context", "blue")
        typist.types("Hi\n")
        typist.sees("Number or part of a name [1: blue]: ")  # what the other one chose
        typist.types("\n")
        names_the_registry(typist, host)
        typist.sees(KEEP)
        typist.types("n\n")
        code = typist.leaves()

    assert "apply" in other.stages("done")
    assert 0 == code, typist.seen
    assert "everything is fresh" in typist.seen


def test_what_another_process_gave_meanwhile_wins_over_no_answer(app: App, host: str) -> None:
    """The file was written while the question was open: what was answered holds for this run, and is kept."""
    given_variables(app)

    with at_terminal(app, "run", "render", *app.flags) as typist:
        typist.sees(BY_HOST)
        (app.root / "aks-spin.toml").write_text('# mine\n[image]\nplatform = "linux/arm64"\n')
        typist.types("\n")
        answers(typist, REGISTRY, host)
        typist.sees(KEEP)
        typist.types("y\n")
        code = typist.leaves()

    assert 0 == code, typist.seen
    assert (
        f'# mine\n[image]\nplatform = "linux/arm64"\n\n[container_registry]\nserver = "{host}"\n'
        == (app.root / "aks-spin.toml").read_text()
    )


def test_what_is_missing_only_when_its_stage_has_come_is_asked_for_then(app: App, host: str) -> None:
    """The kubeconfig lost its current context while the application was built."""
    kubeconfig = Path(app.environment["KUBECONFIG"])
    kubeconfig.write_text(f"current-context: blue\n{kubeconfig.read_text()}")
    build_command(app.root, f"cp a.src a.wasm; sed -i /current-context/d {kubeconfig}")
    given_variables(app)

    with at_terminal(app, "up", *app.flags, "--registry", host) as typist:
        typist.sees("done    render")
        typist.sees(NUMBER)
        typist.types("blue\n")
        typist.sees(KEEP)
        typist.types("y\n")
        typist.sees("done    apply")
        code = typist.leaves()

    assert (0, {"context": "blue"}) == (code, configuration(app)["cluster"]), typist.seen


# the last choice


def test_yes_takes_the_last_choices_and_says_so(app: App, server: str) -> None:
    note(app, registry="registry.example.com/team", cluster=server)
    given_variables(app)

    done = app.ok("run", "render", "-y")

    assert f"{PUSH_TO}: registry.example.com/team, as last time\n" in done.err
    assert "image: registry.example.com/team/" in (app.root / ".spin-aks/default/rendered.yaml").read_text()
    assert not (app.root / "aks-spin.toml").exists()


def test_yes_after_a_real_deployment_goes_to_the_same_cluster(app: App, host: str, server: str) -> None:
    given_variables(app)
    app.ok("up", "--registry", host, "--context", "blue")

    done = app.ok("up", "-y", "--registry", host)

    assert server == state(app)["cluster"]
    assert f"{WHERE_TO}: blue ({server}), as last time\n" in done.err
    assert "everything is fresh" in done.err


def test_yes_lists_what_has_no_last_choice(app: App, server: str) -> None:
    note(app, cluster=server)

    done = app.run("up", "-y")

    assert 3 == done.code
    assert f"{WHERE_TO}: blue ({server}), as last time\n" in done.err
    assert [
        "error: spin.toml:19: the variable `greeting` is required, and nothing gives it a value",
        "error: spin.toml:20: the variable `region` is required, and nothing gives it a value",
        "error: no registry is named",
    ] == [line for line in done.err.splitlines() if line.startswith("error: ")]


def test_the_last_choices_are_offered_and_enter_takes_them(app: App, server: str) -> None:
    note(app, registry="registry.example.com/team", cluster=server)
    given_variables(app)

    with at_terminal(app, "up", *app.flags) as typist:
        typist.sees("Number or part of a name [1: blue]: ")
        typist.types("\n")
        typist.sees(
            f"{PUSH_TO}\n  1  registry.example.com/team\n  2  an Azure Container Registry\n  3  another, by its host\n"
        )
        typist.sees("Number or part of a name [1: registry.example.com/team]: ")
        typist.types(CTRL_C)
        code = typist.leaves()

    assert 130 == code


def test_the_registry_of_this_application_comes_before_the_last_of_all(app: App) -> None:
    manifest = str(app.root / "spin.toml")
    mine = {"name": "tiny", "manifest": manifest, "registry": "mine.example.com"}
    note(app, deployed=mine)
    note(app, registry="last.example.com", deployed={**mine, "name": "other", "registry": "other.example.com"})
    given_variables(app)

    done = app.ok("run", "render", "-y")
    renamed = app.ok("run", "render", "-y", "--name", "other")
    unknown = app.ok("run", "render", "-y", "--name", "third")

    assert f"{PUSH_TO}: mine.example.com, as last time\n" in done.err
    assert f"{PUSH_TO}: other.example.com, as last time\n" in renamed.err
    assert f"{PUSH_TO}: last.example.com, as last time\n" in unknown.err


@pytest.mark.parametrize("registry", ["myregistry", "bad host", "127.0.0.1:5000", "localhost:5000/team", "[::1]:5000"])
def test_a_last_registry_that_can_no_longer_be_or_was_a_sandbox_s_is_not_offered(app: App, registry: str) -> None:
    note(app, registry=registry)
    given_variables(app)

    done = app.run("run", "render", "-y")
    with at_terminal(app, "run", "render", *app.flags) as typist:
        typist.sees(BY_HOST)
        typist.types(CTRL_C)
        code = typist.leaves()

    assert (3, 130) == (done.code, code)
    assert "as last time" not in done.err
    assert "error: no registry is named" in done.err


def test_a_last_cluster_that_no_context_means_any_more_is_not_offered(app: App, host: str) -> None:
    note(app, cluster="https://gone.example.com")
    given_variables(app)

    done = app.run("up", "-y", "--registry", host)
    with at_terminal(app, "up", *app.flags, "--registry", host) as typist:
        typist.sees(NUMBER)
        typist.types(CTRL_C)
        code = typist.leaves()

    assert (3, 130) == (done.code, code)
    assert "as last time" not in done.err
    assert f"error: {app.environment['KUBECONFIG']}: no context is chosen" in done.err


# what is remembered


def test_the_registry_is_remembered_after_a_push_and_the_rest_after_an_apply(app: App, host: str, server: str) -> None:
    given_variables(app)
    app.flags = (*app.flags, "--registry", host, "--context", "blue")
    app.ok("push")
    after_push = state(app)
    app.ok("up")
    after_apply = state(app)

    assert (host, "", []) == (after_push["registry"], after_push["cluster"], after_push["applications"])
    assert (host, server) == (after_apply["registry"], after_apply["cluster"])
    (deployed,) = after_apply["applications"]
    pushed = json.loads((app.root / ".spin-aks/default/push.json").read_text())
    assert ("tiny", str(app.root / "spin.toml"), host, app.flags[3], pushed["digest"]) == tuple(
        deployed[key] for key in ("name", "manifest", "registry", "repository", "digest")
    )


def test_the_configuration_is_remembered_with_its_whole_path(app: App, host: str) -> None:
    given_variables(app)
    (app.root / "aks-spin.toml").write_text(f'[container_registry]\nserver = "{host}"\n')

    app.ok("push")

    assert str(app.root / "aks-spin.toml") == state(app)["configuration"]


FAIL = "      annotations:\n        spin-aks.dev/sandbox-fail: CrashLoopBackOff1\n"


def test_a_rollout_that_failed_is_not_remembered(app: App, host: str) -> None:
    given_variables(app)
    app.flags = (*app.flags, "--registry", host, "--context", "blue")
    app.ok("up")
    before = state(app)
    app.edit("manifests/deployment.yaml", "    metadata:\n", f"    metadata:\n{FAIL}")

    done = app.run("up", "--tag", "v2")

    assert (1, ["apply"]) == (done.code, done.stages("failed")), done.err
    assert before["applications"] == state(app)["applications"]
    assert before["cluster"] == state(app)["cluster"]


def test_in_the_sandbox_only_the_application_is_remembered(tiny: App) -> None:
    (tiny.root / "aks-spin.toml").write_text("schema = 1\n")
    tiny.ok("up")
    found = state(tiny)

    assert ["", "", "", ""] == [found[key] for key in ("cluster", "registry", "vault", "configuration")]
    assert ["tiny"] == [application["name"] for application in found["applications"]]


def test_each_name_and_each_manifest_is_an_application_of_its_own(app: App, host: str, tmp_path: Path) -> None:
    given_variables(app)
    app.flags = (*app.flags, "--registry", host, "--context", "blue")
    (app.root / "other.toml").write_text((app.root / "spin.toml").read_text())
    app.ok("up")
    app.ok("up", "--name", "second")
    app.ok("up", "-f", "other.toml")

    assert [
        ("tiny", "other.toml"),
        ("second", "spin.toml"),
        ("tiny", "spin.toml"),
    ] == [(one["name"], one["manifest"].rpartition("/")[2]) for one in state(app)["applications"]]
