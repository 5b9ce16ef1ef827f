from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from spin_aks.cluster import kubeconfig
from spin_aks.cluster.kubeconfig import Target, choose, files, target, target_identity
from spin_aks.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def document(*contexts: str, current: str = "", authority: str = "Q0E=", user: dict[str, Any] | None = None) -> str:
    return json.dumps(
        {
            "clusters": [
                {
                    "name": f"{c}-cluster",
                    "cluster": {"server": f"https://{c}:443/", "certificate-authority-data": authority},
                }
                for c in contexts
            ],
            "users": [{"name": f"{c}-user", "user": user or {"token": "t"}} for c in contexts],
            "contexts": [{"name": c, "context": {"cluster": f"{c}-cluster", "user": f"{c}-user"}} for c in contexts],
            "current-context": current,
        }
    )


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    return tmp_path


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_option_goes_before_the_variable_and_the_variable_before_home(home: Path) -> None:
    in_home = written(home / ".kube" / "config", document("h"))
    first, second = written(home / "1", document("a")), written(home / "2", document("b"))
    variable = {"KUBECONFIG": f"{first}{os.pathsep}{os.pathsep}{home / 'missing'}{os.pathsep}{second}"}

    assert files("", {}) == (in_home,)
    assert files("", {"KUBECONFIG": ""}) == (in_home,)
    assert files("", variable) == (first, second)
    assert files(str(second), variable) == (second,)


def test_no_kubeconfig_is_an_error_that_says_where_it_was_looked_for_and_how_to_get_one(home: Path) -> None:
    with pytest.raises(UsageError) as caught:
        choose("", "")

    (problem,) = caught.value.problems
    assert problem.what == f"there is no kubeconfig at `{home / '.kube' / 'config'}`"
    assert "az aks get-credentials" in problem.hint
    assert "--kubeconfig" in problem.hint


def test_an_unknown_context_is_an_error_that_lists_those_there_are(home: Path) -> None:
    path = written(home / "k", document("dev", "prod"))

    with pytest.raises(UsageError) as caught:
        choose(str(path), "stage")

    (problem,) = caught.value.problems
    assert (problem.what, problem.where) == ("there is no context `stage`", str(path))
    assert problem.hint == "choose one with `--context`: `dev`, `prod`"


def test_no_current_context_is_an_error_that_lists_those_there_are(home: Path) -> None:
    path = written(home / "k", document("dev"))

    with pytest.raises(UsageError) as caught:
        choose(str(path), "")

    assert caught.value.problems[0].what == "no context is chosen"
    assert caught.value.problems[0].hint == "choose one with `--context`: `dev`"


@pytest.mark.parametrize(
    ("files_there", "kubeconfig", "context", "key"),
    [
        (False, "", "", "cluster.context"),
        (True, "", "", "cluster.context"),
        (False, "nowhere", "", ""),
        (False, "", "dev", ""),
        (True, "k", "", ""),
        (True, "", "dev", ""),
    ],
)
def test_where_neither_kubeconfig_nor_context_is_given_the_cluster_is_what_nobody_gave(
    home: Path, monkeypatch: pytest.MonkeyPatch, files_there: bool, kubeconfig: str, context: str, key: str
) -> None:
    """Without anything to choose from: whoever named one of the two meant something that is not there."""
    if files_there:
        written(home / "k", document())
        monkeypatch.setenv("KUBECONFIG", str(home / "k"))

    with pytest.raises(UsageError) as caught:
        choose(str(home / kubeconfig) if kubeconfig else "", context)

    assert [key] == [problem.key for problem in caught.value.problems]


def test_a_file_that_is_no_yaml_is_an_error_with_its_line(home: Path) -> None:
    path = written(home / "k", "apiVersion: v1\nclusters: [\n")

    with pytest.raises(UsageError) as caught:
        choose(str(path), "")

    assert caught.value.problems[0].where == f"{path}:3"
    assert caught.value.problems[0].what == "not a kubeconfig: its YAML can't be read"


@pytest.mark.parametrize("text", ["- a\n- b\n", "just words", "3"])
def test_a_file_that_holds_no_mapping_is_an_error(home: Path, text: str) -> None:
    path = written(home / "k", text)

    with pytest.raises(UsageError, match="not a kubeconfig: it holds no mapping"):
        choose(str(path), "")


def test_a_context_whose_cluster_is_missing_is_an_error(home: Path) -> None:
    path = written(home / "k", "contexts: [{name: dev, context: {cluster: gone, user: me}}]\ncurrent-context: dev\n")

    with pytest.raises(UsageError, match="context `dev` names cluster `gone`, whose server is not given"):
        choose(str(path), "")


def test_the_first_of_several_files_wins_as_it_does_in_kubectl(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = written(home / "1", document("a"))
    second = written(home / "2", document("a", "b", current="b"))
    third = written(home / "3", document("c", current="c"))
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(map(str, (first, second, third))))

    assert choose("", "").name == "b"
    assert choose("", "c").server == "https://c:443"
    assert choose("", "a").folder == home


def test_the_current_context_and_its_user_are_taken(home: Path) -> None:
    user = {"exec": {"command": "kubelogin", "installHint": "get it"}}
    path = written(home / "k", document("dev", "prod", current="prod", user=user))

    chosen = choose(str(path), "")

    assert (chosen.name, chosen.server, chosen.user) == ("prod", "https://prod:443", "prod-user")
    assert (chosen.command, chosen.install_hint, chosen.namespace) == ("kubelogin", "get it", "default")


def test_the_identity_is_the_clusters_and_not_the_users(home: Path) -> None:
    path = written(home / "k", document("dev", current="dev"))
    before = target_identity(str(path), "")
    written(path, document("dev", "other", current="dev", user={"token": "renewed"}))

    assert target_identity(str(path), "") == before == "https://dev:443 (authority d5f0c6046c0b)"


def test_the_identity_changes_with_the_cluster(home: Path) -> None:
    path = written(home / "k", document("dev", "prod", current="dev"))
    dev, prod = target_identity(str(path), ""), target_identity(str(path), "prod")
    written(path, document("dev", "prod", current="dev", authority="QUdBSU4="))

    assert len({dev, prod, target_identity(str(path), "")}) == 3


def test_a_cluster_with_a_public_certificate_is_its_url(home: Path) -> None:
    path = written(
        home / "k",
        "clusters: [{name: c, cluster: {server: 'https://c.example.com'}}]\n"
        "contexts: [{name: c, context: {cluster: c, user: u}}]\ncurrent-context: c\n",
    )

    assert target_identity(str(path), "") == "https://c.example.com"


def test_a_remembered_target_holds_as_long_as_files_and_choice_do(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(home / "k", document("dev", "prod", current="dev"))
    first = target(str(path), "")
    monkeypatch.setattr(kubeconfig, "_parse", lambda path: pytest.fail("parsed once more"))

    assert target(str(path), "", remembered=first) == first


@pytest.mark.parametrize("context", ["prod", "dev"])
def test_a_remembered_target_is_forgotten_with_another_choice(home: Path, context: str) -> None:
    path = written(home / "k", document("dev", "prod", current="dev"))
    remembered = Target(target(str(path), "").source, "remembered")

    assert target(str(path), context, remembered=remembered).identity.startswith(f"https://{context}:443")


def test_a_target_is_the_same_as_the_one_of_its_context(home: Path) -> None:
    path = written(home / "k", document("dev", current="dev"))

    assert target(str(path), "dev") == choose(str(path), "dev").target
