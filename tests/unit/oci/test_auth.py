from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from spin_aks.errors import RegistryError
from spin_aks.oci import challenge
from spin_aks.oci.auth import Authorization
from spin_aks.oci.transport import Answer

if TYPE_CHECKING:
    from pathlib import Path

HOST = "x.azurecr.io"
REALM = "https://x.azurecr.io/oauth2/token"
BEARER = f'Bearer realm="{REALM}",service="{HOST}",scope="repository:a/b:pull"'


class TokenService:
    """Answers each request with the next of `answers`; keeps what was asked."""

    def __init__(self, *answers: tuple[int, object]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []

    def __call__(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Answer:
        self.asked.append((method, url, headers, body))
        status, document = self.answers.pop(0)
        return Answer(method, url, status, {}, json.dumps(document).encode())


@pytest.fixture(autouse=True)
def docker_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return tmp_path / "config.json"


def log_in(config: Path, entry: dict[str, str]) -> None:
    config.write_text(json.dumps({"auths": {HOST: entry}}))


def solved(service: TokenService, header: str) -> str:
    authorization = Authorization(HOST, "a/b", "pull,push", service)
    authorization.solve(challenge.parse(header), "")
    return authorization.header()


def test_nobody_gets_a_token_too_and_for_all_that_is_asked() -> None:
    service = TokenService((200, {"token": "t"}))

    header = solved(service, BEARER)

    query = parse_qs(urlsplit(service.asked[0][1]).query)
    assert header == "Bearer t"
    assert service.asked[0][2] == {}
    assert query["scope"] == ["repository:a/b:pull,push", "repository:a/b:pull"]
    assert query["service"] == [HOST]


def test_an_identity_token_goes_into_the_body(docker_config: Path) -> None:
    log_in(docker_config, {"identitytoken": "refresh me"})
    service = TokenService((200, {"access_token": "t"}))

    assert solved(service, BEARER) == "Bearer t"
    method, url, _, body = service.asked[0]
    assert (method, url) == ("POST", REALM)
    assert parse_qs(body.decode()) == {
        "grant_type": ["refresh_token"],
        "service": [HOST],
        "client_id": ["spin-aks"],
        "scope": ["repository:a/b:pull,push repository:a/b:pull"],
        "refresh_token": ["refresh me"],
    }


def test_a_registry_token_is_used_as_it_is(docker_config: Path) -> None:
    log_in(docker_config, {"registrytoken": "ready"})

    assert solved(TokenService(), BEARER) == "Bearer ready"


def test_an_identity_token_that_has_ended_asks_for_a_login(docker_config: Path) -> None:
    log_in(docker_config, {"identitytoken": "old"})

    with pytest.raises(RegistryError) as refused:
        solved(TokenService((400, {"error": "invalid_grant"})), BEARER)

    assert str(refused.value) == f"`{HOST}` does not let the token push to `a/b` (credentials from {docker_config})"
    assert refused.value.why == "invalid_grant"
    assert refused.value.problems[0].hint == f"`az acr login --name x`, or `docker login {HOST}`"


def test_credentials_are_not_sent_in_clear(docker_config: Path) -> None:
    log_in(docker_config, {"auth": "YWRhOmh1bnRlcjI="})
    service = TokenService()

    with pytest.raises(RegistryError, match=r"to be sent to `evil\.example` without TLS"):
        solved(service, 'Bearer realm="http://evil.example/token"')

    assert service.asked == []


def test_a_registry_that_takes_both_gets_a_token(docker_config: Path) -> None:
    log_in(docker_config, {"identitytoken": "refresh me"})

    assert solved(TokenService((200, {"token": "t"})), f'Basic realm="x", {BEARER}') == "Bearer t"


def test_a_scheme_that_is_not_known_is_named() -> None:
    with pytest.raises(RegistryError, match="asks for `negotiate`, and only `basic` and `bearer` are supported"):
        solved(TokenService(), "Negotiate")


def test_a_registry_that_does_not_say_how_is_told_so() -> None:
    with pytest.raises(RegistryError, match="does not say how, which is not supported"):
        solved(TokenService(), "")


@pytest.mark.parametrize("document", [{}, [], {"token": ""}, {"token": 1}])
def test_an_answer_without_a_token_is_reported(document: object) -> None:
    with pytest.raises(RegistryError, match="the token service answered without a token"):
        solved(TokenService((200, document)), BEARER)


def test_a_token_service_that_is_not_there_is_reported() -> None:
    with pytest.raises(RegistryError) as refused:
        solved(TokenService((404, {"message": "not here"})), BEARER)

    assert str(refused.value).startswith(f"{REALM}: the token service of `{HOST}` answered 404 Not Found")
    assert refused.value.why == "not here"


def test_a_token_that_another_thread_got_meanwhile_is_used() -> None:
    service = TokenService((200, {"token": "t"}))
    authorization = Authorization(HOST, "a/b", "pull,push", service)
    asked = challenge.parse(BEARER)

    results = [authorization.solve(asked, ""), authorization.solve(asked, "")]

    assert results == [True, True]
    assert len(service.asked) == 1


def test_a_password_that_was_refused_is_not_sent_again(docker_config: Path) -> None:
    log_in(docker_config, {"auth": "YWRhOmh1bnRlcjI="})
    authorization = Authorization(HOST, "a/b", "pull,push", TokenService())
    asked = challenge.parse('Basic realm="x"')

    first = authorization.solve(asked, "")
    second = authorization.solve(asked, authorization.header())

    assert (first, second) == (True, False)
