"""Whatever answers in Azure's place, at whichever question of a first `up`: an error that says so, and no defect."""

from __future__ import annotations

import re

import pytest
from testbed.application import App
from testbed.azure_cloud import Cloud
from testbed.tiny import tiny_in

from spin_aks import sandbox

UP = ("up", "--cluster", "aks1", "--registry", "acme1", "--create", "--attach-acr")
JSON = '\nheaders = { Content-Type = "application/json" }'
KINDS = {
    "a page": 'text = "<html><body>Sign in to the network</body></html>"',
    "nothing": f'text = ""{JSON}',
    "half of a document": f"""text = '{{"value": [{{"id": "/sub'{JSON}""",
    "another object": "body = { unexpected = true }",
    "a list": 'body = [1, "x"]',
}
# A layer's PUT is believed what its status says: the manifest's is refused then.
LAYERS = re.compile(r"PUT [^ ]*/v2/.*/blobs/.*")
ANY = re.compile(r"(?<=/)(registries-)?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$")


def questions(cloud: Cloud, begin: int = 0) -> list[tuple[str, str]]:
    """Method and place of each kind of request from the `begin`th on, in order; names that are always new are `*`."""
    asked = ((one.method, ANY.sub(r"\1*", one.place)) for one in cloud.asked()[begin:])
    return [one for one in dict.fromkeys(asked) if one[0] != "HEAD" and not LAYERS.fullmatch(" ".join(one))]


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    """What a run without trouble asks."""
    folder = tmp_path_factory.mktemp("clean")
    with sandbox.start(folder / "azure") as running:
        cloud = Cloud(running)
        App(tiny_in(folder / "tiny"), cloud.environment, ("--service", "clusterip")).ok(*UP)
        return questions(cloud)


def plays(cloud: Cloud, question: tuple[str, str], kind: str) -> None:
    host, _, path = question[1].partition("/")
    cloud.trouble(f'method = "{question[0]}"\nhost = "{host}"\npath = "/{path}"\nstatus = 200\n{KINDS[kind]}')


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_that_is_not_azures_is_an_error_and_the_next_run_goes_on(
    fresh: App, cloud: Cloud, clean: list[tuple[str, str]], kind: str
) -> None:
    """Each run goes as far as to the next question, since all that was made before it is there."""
    wrong, unmet = [], []
    for question in clean:
        if is_advice(question, kind):
            continue
        plays(cloud, question, kind)
        begin = len(cloud.asked())
        done = fresh.run(*UP)
        if question not in questions(cloud, begin):
            unmet.append(question)
        if done.code != 1 or not is_clean(done.err):
            wrong.append((question, done.code, done.err[-500:]))
    cloud.trouble()

    assert ([], []) == (wrong, unmet)
    fresh.ok(*UP)


@pytest.mark.parametrize("kind", ["a page", "another object"])
def test_what_is_asked_to_warn_beforehand_stops_nothing(
    fresh: App, cloud: Cloud, clean: list[tuple[str, str]], kind: str
) -> None:
    (question,) = [one for one in clean if one[1].endswith("/usages")]
    plays(cloud, question, kind)

    fresh.ok(*UP)

    assert question in questions(cloud)


def is_advice(question: tuple[str, str], kind: str) -> bool:
    """A provider that does not say whether it is registered is taken for one that is: what is made will tell."""
    if question[1].endswith("/usages"):
        return True
    return kind == "another object" and re.search(r"/providers/Microsoft\.\w+$", question[1]) is not None


def is_clean(said: str) -> bool:
    """One error, in words."""
    errors = [line for line in said.splitlines() if line.startswith("error: ")]
    return len(errors) == 1 and len(errors[0]) > len("error: can't") and "defect" not in said
