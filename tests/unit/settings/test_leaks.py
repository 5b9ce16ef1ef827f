from __future__ import annotations

import base64
import hashlib
import json
import random
import string
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spin_aks.settings.leaks import secret_in, secret_key_name
from spin_aks.settings.rules import Rule


def letters(count: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    """What looks like a secret and is none: put together here, so that no scanner takes this file for a leak."""
    return "".join(random.Random(count).choices(alphabet, k=count))


BASE64 = string.ascii_letters + string.digits + "+/"
STORAGE_KEY = letters(76, BASE64) + "+AS" + "t" + letters(5, BASE64) + "Q=="
COSMOS_KEY = letters(76, BASE64) + "AC" + "Db" + letters(5, BASE64) + "A=="
OLD_COSMOS_KEY = letters(85, BASE64) + "g=="
REDIS_KEY = letters(33) + "Az" + "CaB" + letters(5) + "="
REGISTRY_PASSWORD = letters(42, BASE64) + "+AC" + "RA" + letters(5, BASE64)
SIGNATURE = letters(43, BASE64).replace("+", "%2B").replace("/", "%2F") + "%3D"
TOKEN = ".".join(
    base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
    for part in ({"alg": "HS256", "typ": "JWT"}, {"sub": "1234567890", "name": "somebody"}, list(range(20)))
)

SECRETS = [
    ("an account key", STORAGE_KEY),
    ("an account key", COSMOS_KEY),
    ("an account key", OLD_COSMOS_KEY),
    ("an account key", f"  {OLD_COSMOS_KEY}\n"),
    ("an account key", REDIS_KEY),
    ("an account key", letters(33) + "+AS" + "bC" + letters(5) + "="),
    ("an account key", letters(44) + "Az" + "Fu" + letters(5) + "Q=="),
    ("an account key", letters(42) + "Az" + "SeB" + letters(5)),
    ("an account key", f"DefaultEndpointsProtocol=https;AccountName=shop;AccountKey={OLD_COSMOS_KEY}"),
    ("an account key", f"AccountEndpoint=https://shop.documents.azure.com:443/;ACCOUNTKEY={OLD_COSMOS_KEY};"),
    ("an account key", f"Endpoint=sb://shop/;SharedAccessKeyName=Root;SharedAccessKey={letters(43, BASE64)}="),
    ("an access key", json.dumps({"primaryMasterKey": letters(40)})),
    ("an access key", json.dumps({"client_secret": letters(40)}, indent=2)),
    ("a registry's password", REGISTRY_PASSWORD),
    ("a registry's password", "dckr_" + "pat_" + letters(27)),
    ("a registry's password", json.dumps({"auths": {"shop.azurecr.io": {"auth": letters(20)}}})),
    ("a private key", "-----BEGIN " + "PRIVATE KEY-----\nMIIE\n"),
    ("a private key", "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIE\n"),
    ("a private key", "certificate first\n-----BEGIN OPENSSH " + "PRIVATE KEY-----"),
    ("a private key", "-----BEGIN ENCRYPTED " + "PRIVATE KEY-----"),
    ("a private key", f"users:\n- user:\n    client-key-data: {letters(60, BASE64)}\n"),
    ("a private key", "AGE-SECRET-" + "KEY-1" + letters(58, string.ascii_uppercase)),
    ("a client secret of Entra ID", letters(3) + "8" + "Q~" + letters(34)),
    (
        "a shared access signature",
        f"https://s.blob.core.windows.net/c?sv=2022-11-02&se=2030-01-01&sr=c&sig={SIGNATURE}",
    ),
    ("a shared access signature", f"?sv=2022-11-02&sig={SIGNATURE}"),
    ("a shared access signature", f"SharedAccessSignature sr=shop&sig={SIGNATURE}&se=1700000000"),
    ("a JSON web token", TOKEN),
    ("a JSON web token", f"Bearer {TOKEN}"),
    ("credentials of an HTTP header", f"Bearer {letters(40)}"),
    ("credentials of an HTTP header", f"Authorization: Basic {letters(24)}=="),
    ("a GitHub token", "ghp" + "_" + letters(36)),
    ("a GitHub token", f"https://{'gho' + '_' + letters(36)}@github.com/some/thing"),
    ("a GitHub token", "github_" + "pat_" + letters(82)),
    ("a GitLab token", "gl" + "pat-" + letters(20)),
    ("an AWS key", "AK" + "IA" + letters(16, string.ascii_uppercase)),
    ("a Google key", "AI" + "za" + letters(35)),
    ("a Slack token", "xo" + "xb-" + letters(40, string.digits)),
    ("a Stripe key", "sk" + "_live_" + letters(24)),
    ("an API key", "sk" + "-ant-" + letters(90)),
    ("an API key", "sk" + "-" + letters(48)),
    ("a package index's token", "np" + "m_" + letters(36)),
    ("a password in a URL", "redis://:hunter2@shop.redis.cache.windows.net:6380"),
    ("a password in a URL", "rediss://:ab/cd+ef=@shop.redis.cache.windows.net:6380/0"),
    ("a password in a URL", "postgres://app:hunter2@db/shop?sslmode=require"),
    ("a password in a URL", "mongodb://app:hunter2@one:27017,two:27017/shop"),
    ("a password in a URL", "amqp://guest:12345@queue"),
    ("a password in a URL", "https://one.example and https://app:hunter2@two.example"),
    ("a password in a URL", "redis://:{{ ours }}@one redis://:hunter2@two"),
    ("a password in a URL", "https://example.com/login?user=me&password=hunter2"),
    ("a password in a URL", f"https://example.com/v1?api_key={letters(32)}"),
    ("a password in a connection string", "shop.redis.cache.windows.net:6380,password=hunter2,ssl=True"),
    ("a password in a connection string", "Server=tcp:db;User ID=app;Password=hunter2;Encrypt=true"),
    ("a password in a connection string", "host=db user=app password=hunter2"),
    ("a password in a connection string", "Pwd=hunter2"),
    ("a password", json.dumps({"user": "app", "password": "hunter2"})),
]

HARMLESS = [
    "",
    "hello",
    "Grüße, Jürgen ☃",
    "spin.toml",
    "127.0.0.1:5000/team",
    "00000000-0000-0000-0000-000000000000",
    "5f2c8a1e-0f4b-4d6e-9a51-3c1d2e7b8f90",
    "sha256:" + hashlib.sha256(b"shop").hexdigest(),
    hashlib.sha512(b"shop").hexdigest(),
    "sha512-" + base64.b64encode(hashlib.sha512(b"shop").digest()).decode(),
    base64.b64encode(hashlib.sha256(b"shop").digest()).decode(),
    "shop@sha256:" + hashlib.sha256(b"shop").hexdigest(),
    "data:image/png;base64," + base64.b64encode(random.Random(7).randbytes(20_000)).decode(),
    base64.b64encode(random.Random(8).randbytes(100_000)).decode(),
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + letters(43, BASE64) + " me@example.com",
    "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "https://example.com",
    "https://example.com:8443/a/b?c=d&e=f#g",
    "http://127.0.0.1:3000/@scope/package",
    "http://[::1]:3000/@scope/package",
    "https://cdn.example.com/npm/spin@4.0.2/x:y@z",
    "http://one:8080,me@example.com",
    '{"a":"http://one:8080","b":"me@example.com"}',
    "https://example.com:{{port}}/npm/spin@4.0.2",
    "https://me@example.com/path",
    "ssh://git@github.com/some/thing.git",
    "git@github.com:some/thing.git",
    "redis://redis.shop.svc:6379/0",
    "redis://:{{ redis_password }}@redis:6379",
    "redis://:{{redis_password}}@redis:6379",
    "postgres://app:${PGPASSWORD}@db/shop",
    "postgres://app:$PGPASSWORD@db/shop",
    "postgres://USER:<PASSWORD>@db/shop",
    "postgres://app:***@db/shop",
    "mailto:me@example.com",
    "Server=tcp:db;Authentication=Active Directory Default;Encrypt=true",
    "AccountEndpoint=https://shop.documents.azure.com:443/;AccountKey=...",
    "Server=db;Password={{ password }};Encrypt=true",
    "Server=db;Password=${PASSWORD}",
    "https://example.com/?sig=short",
    "https://example.com/login?next=/password=",
    "https://example.com/?token_type=bearer&pwd={{ pwd }}",
    "Bearer {{ token }}",
    "basic authentication",
    "basic-infrastructure-plan",
    "{'type': 'object', 'properties': {'password': {'type': 'string'}}}",
    "the password is in the vault",
    "monkey=business",
    "asia-southeast1-docker.pkg.dev",
    "SOUTHEASTASIA",
    "risk-assessment-of-the-year-two-thousand-and-twenty-six-in-words",
    "task-management",
    "{{ not.a.jwt }}",
    "eyJ",
    "eyJ.eyJ.eyJ",
    "@Microsoft.KeyVault(SecretUri=https://shop.vault.azure.net/secrets/db)",
    "\0\x1b[31m\udcff",
]


@pytest.mark.parametrize(("kind", "value"), SECRETS)
def test_a_secret_is_known_by_its_form(kind: str, value: str) -> None:
    assert secret_in("image.tag", value) == kind


@pytest.mark.parametrize("value", HARMLESS)
def test_what_is_no_secret_passes(value: str) -> None:
    assert secret_in("variables.greeting", value) == ""


@pytest.mark.parametrize(("kind", "value"), SECRETS)
def test_a_secret_is_known_within_other_lines(kind: str, value: str) -> None:
    whole = kind == "credentials of an HTTP header" or value.strip() == OLD_COSMOS_KEY
    found = secret_in("variables.text", f'first\n"{value}"\nlast')

    assert found == ("" if whole else kind)


@pytest.mark.parametrize("name", ["asset_sha512", "image_digest", "integrity", "content-hash", "ZipChecksum"])
def test_64_bytes_of_base64_are_no_key_where_a_digest_is_meant(name: str) -> None:
    value = base64.b64encode(hashlib.sha512(b"shop").digest()).decode()

    assert secret_in(f"variables.{name}", value) == ""
    assert secret_in("variables.cosmos", value) == "an account key"


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("password", "hunter2", "a password, going by its name"),
        ("db_password", "correct horse", "a password, going by its name"),
        ("SMTP-PASSWD", "x", "a password, going by its name"),
        ("dbPassword2", "12345", "a password, going by its name"),
        ("api_token", "q7w8e9r0t1y2u3i4", "a secret, going by its name"),
        ("client_secret", "5f2c8a1e-0f4b-4d6e-9a51-3c1d2e7b8f90", "a secret, going by its name"),
        ("cosmos_access_key", "d41d8cd98f00b204e9800998ecf8427e", "a secret, going by its name"),
        ("redisPrimaryKey", letters(43) + "=", "a secret, going by its name"),
    ],
)
def test_a_variable_named_as_a_secret_holds_one(name: str, value: str, kind: str) -> None:
    assert secret_in(f"variables.{name}", value) == kind


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("password", ""),
        ("password", "  "),
        ("password", "{{ db_password }}"),
        ("password", "${DB_PASSWORD}"),
        ("password", "<your password>"),
        ("password", "********"),
        ("password", "none"),
        ("show_password", "yes please"),
        ("ask_password", "always"),
        ("password_min_length", "12"),
        ("password_hint", "the name of your first cat"),
        ("password_file", "/run/secrets/password"),
        ("password", "/run/secrets/password"),
        ("password_policy", "strict"),
        ("token_url", "https://login.example.com/token"),
        ("token", "https://login.example.com/token"),
        ("max_tokens", "4096"),
        ("token", "bos"),
        ("api_token", "name-of-the-token-in-the-vault-v2"),
        ("client_secret", "db-password-2026"),
        ("secret_name", "q7w8e9r0t1y2u3i4"),
        ("partition_key", "q7w8e9r0t1y2u3i4"),
        ("public_key", "q7w8e9r0t1y2u3i4"),
        ("key", "q7w8e9r0t1y2u3i4"),
        ("connection_string", "Server=tcp:db1;Authentication=Active;Encrypt=true"),
        ("monkey", "q7w8e9r0t1y2u3i4"),
        ("compass", "north"),
    ],
)
def test_a_variable_that_only_sounds_like_a_secret_holds_none(name: str, value: str) -> None:
    assert secret_in(f"variables.{name}", value) == ""


@pytest.mark.parametrize("key", ["secrets.db_password", "keyvault.name", "store.password.name", "", "password"])
def test_only_variables_are_judged_by_their_names(key: str) -> None:
    assert secret_in(key, "hunter2") == ""


@pytest.mark.parametrize(
    "name",
    [
        *("password", "passwd", "pwd", "pass", "passphrase", "db_password", "dbPassword", "DB-PASSWORD", "password_1"),
        *(
            "secret",
            "client_secret",
            "clientSecret",
            "token",
            "access_token",
            "githubToken",
            "sas",
            "sas_token",
            "sas_url",
        ),
        *("key", "access_key", "account_key", "AccountKey", "cosmos_key", "redis_key", "APIKey", "apikey", "api-key"),
        *(
            "primary_key",
            "privateKey",
            "shared_access_key",
            "connection_string",
            "connectionString",
            "ConnectionStrings",
        ),
        *("credential", "credentials", "smtp_pass", "connstr", "registry_password", "ACCESS_KEY_2"),
    ],
)
def test_a_key_named_as_a_secret_is_known(name: str) -> None:
    assert secret_key_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            "name",
            "tag",
            "registry",
            "keyvault",
            "vault",
            "secrets",
            "monkey",
            "keys",
            "keyboard",
            "compass",
            "bypass",
        ),
        *("secret_name", "password_file", "token_url", "token_endpoint", "max_tokens", "password_length", "key_id"),
        *("partition_key", "public_key", "sort_key", "use_token_", "has_password", "no_password", "require_secret"),
        *("secretary", "tokenizer", "sasha", "connection", "string", "access", "authentication", "1", "_", "é"),
    ],
)
def test_a_key_named_otherwise_is_none(name: str) -> None:
    assert not secret_key_name(name)


NOTHING = Rule("nothing", "", "")
WORDS = {kind for kind, _ in SECRETS} | {"", "a password, going by its name", "a secret, going by its name"}


@given(st.text(), st.text())
def test_what_is_said_comes_from_a_fixed_list(name: str, value: str) -> None:
    assert secret_in(f"variables.{name}", value) in WORDS
    assert secret_key_name(name) in (True, False)


@given(st.sampled_from(SECRETS), st.sampled_from(["", " ", "\n"]))
def test_no_message_holds_any_part_of_a_secret(secret: tuple[str, str], around: str) -> None:
    kind, value = secret[0], around + secret[1] + around
    said = f"{secret_in('variables.text', value)} {NOTHING.refuses(value)}"

    assert said.startswith(f"{kind} what is given, which looks like {kind}")
    part = min(11, len(secret[1]))  # a longer one than the words that say what it is have in common with it
    assert not [value[at : at + part] for at in range(len(value) - part + 1) if value[at : at + part] in said]


@pytest.mark.parametrize(
    "piece", ["://a:", "eyJ", "password=", "'password':'", "A", "?api_key=", "client-key-data: ", "{{", "key=", "=="]
)
def test_a_long_text_is_read_once(piece: str) -> None:
    """With a rest looked at from each place in it, this would take hours."""
    text = piece * (2_000_000 // len(piece))

    assert secret_in("variables.text", text) in WORDS


def test_nothing_is_compiled_when_it_is_loaded() -> None:
    program = (
        "import re, sys; calls = []; real = re._compile; re._compile = lambda *a: (calls.append(a[0]), real(*a))[1]\n"
        "import spin_aks.settings.leaks, spin_aks.settings.rules\n"
        "mine = [c for c in calls if sys.modules['spin_aks.settings.leaks']._PASSWORDS in str(c)]\n"
        "print(len(mine), any(c == sys.modules['spin_aks.settings.rules'].TAG.pattern for c in calls))"
    )
    ran = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)

    assert ran.stdout.split() == ["0", "False"]
