from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from spin_aks.errors import RegistryError
from spin_aks.oci import credentials
from spin_aks.oci.credentials import Credential
from spin_aks.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

    from spin_aks.json_types import JSONObject

HOST = "registry.example:5000"
PASSWORD = "hunter2:with:colons"


@pytest.fixture
def docker_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return tmp_path / "config.json"


def auth(user: str, password: str) -> JSONObject:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def install(folder: Path, name: str, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / f"docker-credential-{name}"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def test_no_configuration_means_no_credential(docker_config: Path) -> None:
    assert credentials.find(HOST) is None


def test_without_docker_config_the_file_is_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))

    assert credentials.config_path() == tmp_path / ".docker" / "config.json"


@pytest.mark.parametrize("key", [HOST, f"https://{HOST}", f"http://{HOST}/v2/"])
def test_a_password_is_found_in_auths_under_each_form_of_its_host(docker_config: Path, key: str) -> None:
    docker_config.write_text(json.dumps({"auths": {"other": {}, key: auth("ada", PASSWORD)}}))

    assert credentials.find(HOST) == Credential(str(docker_config), "ada", Secret(PASSWORD))


def test_docker_hub_has_a_key_of_its_own(docker_config: Path) -> None:
    docker_config.write_text(json.dumps({"auths": {"https://index.docker.io/v1/": auth("ada", "x")}}))

    found = credentials.find("docker.io")

    assert found is not None
    assert found.username == "ada"


def test_an_identity_token_is_told_from_a_password(docker_config: Path) -> None:
    entry = {**auth("00000000-0000-0000-0000-000000000000", ""), "identitytoken": "refresh-me"}
    docker_config.write_text(json.dumps({"auths": {HOST: entry}}))

    found = credentials.find(HOST)

    assert found is not None
    assert found.identity_token == Secret("refresh-me")
    assert not found.password


def test_an_empty_entry_is_no_credential(docker_config: Path) -> None:
    docker_config.write_text(json.dumps({"auths": {HOST: {}}}))

    assert credentials.find(HOST) is None


def test_a_helper_is_asked_for_the_host_on_its_standard_input(
    docker_config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = """test "$*" = get || exit 9
read server
printf '{"ServerURL": "%s", "Username": "ada", "Secret": "%s-of-%s"}' "$server" pw "$server" """
    install(tmp_path, "vault", script, monkeypatch)
    docker_config.write_text(json.dumps({"credHelpers": {HOST: "vault"}, "credsStore": "absent"}))

    found = credentials.find(HOST)

    source = f"credential helper `docker-credential-vault`, named in {docker_config}"
    assert found == Credential(source, "ada", Secret(f"pw-of-{HOST}"))


def test_a_helper_that_gives_a_token_gives_an_identity_token(
    docker_config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "acr", """printf '{"Username": "<token>", "Secret": "tok"}'""", monkeypatch)
    docker_config.write_text(json.dumps({"credsStore": "acr"}))

    found = credentials.find(HOST)

    assert found is not None
    assert found.identity_token == Secret("tok")


def test_a_store_that_has_none_leaves_the_file_to_be_asked(
    docker_config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "empty", "echo credentials not found in native keychain; exit 1", monkeypatch)
    docker_config.write_text(json.dumps({"credsStore": "empty", "auths": {HOST: auth("ada", "x")}}))

    found = credentials.find(HOST)

    assert found is not None
    assert found.source == str(docker_config)


def test_a_helper_that_is_missing_is_named_with_a_way_out(docker_config: Path) -> None:
    docker_config.write_text(json.dumps({"credsStore": "desktop-of-nobody"}))

    with pytest.raises(RegistryError) as failed:
        credentials.find(HOST)

    assert str(failed.value) == (
        f"{docker_config}: Docker's credential helper `docker-credential-desktop-of-nobody` failed: it can't be run"
    )
    assert "mend or install `docker-credential-desktop-of-nobody`" in failed.value.problems[0].hint


def test_a_helper_that_fails_is_quoted_but_for_what_could_be_a_secret(
    docker_config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = """echo '{"Username": "ada", "Secret": "hunter2"}'; echo the keychain is locked >&2; exit 3"""
    install(tmp_path, "locked", script, monkeypatch)
    docker_config.write_text(json.dumps({"credsStore": "locked"}))

    with pytest.raises(RegistryError, match="failed: exit code 3") as failed:
        credentials.find(HOST)

    assert failed.value.why == "the keychain is locked"


def test_a_helper_that_answers_nonsense_is_not_quoted(
    docker_config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "odd", "echo hunter2", monkeypatch)
    docker_config.write_text(json.dumps({"credsStore": "odd"}))

    with pytest.raises(RegistryError, match="no JSON object with `Username` and `Secret`") as failed:
        credentials.find(HOST)

    assert "hunter2" not in f"{failed.value}{failed.value.why}{failed.value.problems}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{\n  oops", ":2: Docker's configuration is broken: it is not valid JSON"),
        ("[]", ": Docker's configuration is broken: it holds no JSON object"),
        ('{"auths": []}', ": Docker's configuration is broken: `auths` is no JSON object"),
        (
            '{"credsStore": 1}',
            ": Docker's configuration is broken: a credential helper is named by a string such as `pass`",
        ),
        (
            f'{{"auths": {{"{HOST}": 3}}}}',
            f": Docker's configuration is broken: `auths` has no JSON object for `{HOST}`",
        ),
        (
            f'{{"auths": {{"{HOST}": {{"auth": "aHVudGVyMg=="}}}}}}',
            f": Docker's configuration is broken: `auth` of `{HOST}` is no base64 text of `USER:PASSWORD`",
        ),
        (
            f'{{"auths": {{"{HOST}": {{"auth": "%%%"}}}}}}',
            f": Docker's configuration is broken: `auth` of `{HOST}` is no base64 text of `USER:PASSWORD`",
        ),
    ],
)
def test_a_broken_configuration_is_named_with_its_line(docker_config: Path, text: str, message: str) -> None:
    docker_config.write_text(text)

    with pytest.raises(RegistryError) as failed:
        credentials.find(HOST)

    assert str(failed.value) == f"{docker_config}{message}"
    assert failed.value.problems[0].hint == "mend the file, or run `docker login HOST` anew"
