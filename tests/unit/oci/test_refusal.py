from __future__ import annotations

import json

import pytest

from spin_aks.oci.credentials import Credential
from spin_aks.oci.refusal import Access, codes, refusal, said
from spin_aks.oci.transport import Answer
from spin_aks.secret import Secret

ADA = Credential("/home/ada/.docker/config.json", "ada", Secret("hunter2"))


def answer(status: int, body: object = "") -> Answer:
    text = body if isinstance(body, str) else json.dumps(body)
    return Answer("PUT", "https://x.azurecr.io/v2/a/b?_state=secret", status, {}, text.encode())


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", ""),
        ("plain words", "plain words"),
        ("<html><head><title>413 Request Entity Too Large</title></head></html>", "413 Request Entity Too Large"),
        ({"errors": [{"code": "DENIED", "message": "no"}, {"message": "really"}]}, "DENIED: no\nreally"),
        ({"errors": [{"code": "UNKNOWN", "detail": {"Err": 28}}]}, 'UNKNOWN ({"Err": 28})'),
        ({"errors": ["odd"]}, "odd"),
        ({"details": "incorrect username or password"}, "incorrect username or password"),
        ({"other": 1}, '{"other": 1}'),
        ("x" * 1000, "x" * 400),
    ],
)
def test_a_registrys_words_are_found_in_whatever_it_answers(body: object, words: str) -> None:
    assert said(answer(500, body)) == words


@pytest.mark.parametrize("body", ["", "[]", '{"errors": 1}', '{"errors": [1]}', "<html>"])
def test_an_answer_without_errors_has_no_codes(body: str) -> None:
    assert codes(answer(400, body)) == frozenset()


@pytest.mark.parametrize(
    ("status", "credential", "message", "hint"),
    [
        (
            401,
            ADA,
            "`x.azurecr.io` does not let user `ada` push to `a/b` (credentials from /home/ada/.docker/config.json)",
            "`az acr login --name x`, or `docker login x.azurecr.io`",
        ),
        (
            401,
            None,
            "`x.azurecr.io` lets only known users push to `a/b`, and no credentials for it are in PATH",
            "`az acr login --name x`, or `docker login x.azurecr.io`",
        ),
        (
            403,
            ADA,
            "`x.azurecr.io` denies user `ada` (credentials from /home/ada/.docker/config.json) the right to push to "
            "`a/b`",
            "ask for that right, or log in as somebody who has it: "
            "`az acr login --name x`, or `docker login x.azurecr.io`",
        ),
        (
            404,
            ADA,
            "https://x.azurecr.io/v2/a/b: `x.azurecr.io` knows no repository `a/b`",
            "create it there first, or name another: `--registry HOST[:PORT][/PREFIX]`, `--repository NAME`",
        ),
        (409, ADA, "https://x.azurecr.io/v2/a/b: `x.azurecr.io` answered 409 Conflict to the manifest", ""),
        (599, ADA, "https://x.azurecr.io/v2/a/b: `x.azurecr.io` answered 599 to the manifest", ""),
    ],
)
def test_each_refusal_says_who_what_and_what_to_do(
    status: int, credential: Credential | None, message: str, hint: str
) -> None:
    error = refusal(answer(status), "the manifest", Access("x.azurecr.io", "a/b", "pull,push", credential, "PATH"))

    assert (str(error), error.problems[0].hint) == (message, hint)
