"""A runtime-config.toml with a secret goes nowhere, and nothing that is said of it shows the secret."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spin_aks.errors import ManifestError
from spin_aks.spin.runtime_config import parse
from spin_aks.spin.runtime_secrets import without_comments
from spin_aks.spin.versions import Version

PATH = Path("runtime-config.toml")
CANARY = "c4n4ryS3cr3t"
COSMOS = '[key_value_store.c]\ntype = "azure_cosmos"\naccount = "a"\ndatabase = "d"\ncontainer = "k"\n'
DYNAMO = '[key_value_store.c]\ntype = "aws_dynamo"\nregion = "r"\ntable = "t"\n'
REDIS = '[key_value_store.c]\ntype = "redis"\n'
LIBSQL = '[sqlite_database.d]\ntype = "libsql"\n'
KEY_VAULT = '[[variables_provider]]\ntype = "azure_key_vault"\nvault_url = "https://v"\n'
VAULT = '[[config_provider]]\ntype = "vault"\nmount = "m"\n'
LLM = '[llm_compute]\ntype = "remote_http"\nurl = "https://l"\n'

SECRETS = [
    (COSMOS + f'key = "{CANARY}"\n', "runtime-config.toml:6: `key` in `key_value_store.c` is a secret"),
    (DYNAMO + f'access_key = "{CANARY}"\n', "5: `access_key` in `key_value_store.c` is a secret"),
    (DYNAMO + f'secret_key = "{CANARY}"\n', "5: `secret_key` in `key_value_store.c` is a secret"),
    (DYNAMO + f'token = "{CANARY}"\n', "5: `token` in `key_value_store.c` is a secret"),
    (REDIS + f'url = "redis://:{CANARY}@r:6379"\n', "3: `url` in `key_value_store.c` holds a password"),
    (REDIS + f'url = "rediss://me:{CANARY}@r:6379/0"\n', "3: `url` in `key_value_store.c` holds a password"),
    (REDIS + f'url = "redis://:p/?#@{CANARY}@r"\n', "3: `url` in `key_value_store.c` holds a password"),
    (REDIS + f'url = "redis+unix:///s?db=0&pass={CANARY}"\n', "3: `url` in `key_value_store.c` holds a password"),
    (REDIS + f'url = "redis://r"\npassword = "{CANARY}"\n', "4: `password` in `key_value_store.c` looks like a secret"),
    (REDIS + f'url = "redis://r"\nmore = ["x://u:{CANARY}@h"]\n', "4: `more` in `key_value_store.c.more` looks like"),
    (LIBSQL + f'url = "https://d"\ntoken = "{CANARY}"\n', "4: `token` in `sqlite_database.d` is a secret"),
    (
        LIBSQL + f'url = "https://d?authToken={CANARY}"\ntoken = ""\n',
        "3: `url` in `sqlite_database.d` holds a password",
    ),
    (
        KEY_VAULT + f'client_id = "i"\nclient_secret = "{CANARY}"\ntenant_id = "t"\n',
        "5: `client_secret` in `variables_provider[0]` is a secret",
    ),
    (VAULT + f'url = "http://v"\ntoken = "{CANARY}"\n', "5: `token` in `config_provider[0]` is a secret"),
    (VAULT + f'url = "http://{CANARY}@v"\ntoken = ""\n', "4: `url` in `config_provider[0]` holds a password"),
    (
        f'[[variables_provider]]\ntype = "static"\nvalues = {{ a = "{CANARY}" }}\n',
        "3: `a` in `variables_provider[0].values` is a secret",
    ),
    (LLM + f'auth_token = "{CANARY}"\n', "4: `auth_token` in `llm_compute` is a secret"),
    (
        f'[[client_tls]]\nkey = "-----BEGIN PRIVATE KEY-----{CANARY}"\n',
        "2: `key` in `client_tls[0]` looks like a secret",
    ),
    (
        COSMOS.replace('"a"', f'"AccountEndpoint=https://a;AccountKey={CANARY}"'),
        "3: `account` in `key_value_store.c` holds a password",
    ),
]
PLAIN = [
    COSMOS,
    COSMOS + 'key = ""\n',
    COSMOS + 'auth_type = "workload_identity"\nregion = "westeurope"\n',
    DYNAMO + "consistent_read = true\n",
    REDIS + 'url = "rediss://cache.example.com:6380/1"\n',
    REDIS + 'url = "redis://reader@cache"\n',
    REDIS + 'url = "redis://reader:@cache"\n',
    LIBSQL + 'url = "http://d"\ntoken = ""\n',
    KEY_VAULT,
    VAULT + 'url = "http://v"\ntoken = ""\nprefix = "p"\n',
    LLM + 'auth_token = ""\napi_type = "open_ai"\n',
    '[[client_tls]]\ncomponent_ids = ["c"]\nhosts = ["h"]\nclient_private_key_file = "/tls/client.key"\n',
    'state_dir = "/data"\nlog_dir = ""\nmax_instance_memory = 1000\n',
    '[outbound_networking]\nblock_networks = ["private"]\n',
]


@pytest.mark.parametrize(("text", "expected"), SECRETS)
def test_a_secret_is_named_by_line_and_key_and_its_value_is_nowhere(text: str, expected: str) -> None:
    found = parse(text, PATH, spin=Version(3, 6, 3))

    (problem,) = found.secrets
    assert expected in str(problem)
    assert "and there is no safe way yet to bring one to the pod" in problem.what
    assert problem.hint
    assert "" == found.text
    assert CANARY not in repr(found)


@pytest.mark.parametrize("text", PLAIN)
def test_a_file_without_a_secret_is_for_the_pod_as_it_is(text: str) -> None:
    found = parse(text, PATH, spin=Version(3, 6, 3))

    assert ((), text) == (found.secrets, found.text)


@pytest.mark.parametrize(("text", "expected"), SECRETS)
def test_a_broken_file_does_not_show_its_secrets(text: str, expected: str) -> None:
    for broken in (text + "nope = 1\n[nope]\n", text.replace(f'"{CANARY}"', CANARY), f"{text}[[[\n"):
        try:
            said = repr(parse(broken, PATH))
        except ManifestError as error:
            said = f"{error} {error.why} {error.problems}"

        assert CANARY not in said


@pytest.mark.parametrize(
    ("text", "spin", "hint"),
    [
        (COSMOS + 'key = "k"\n', Version(2, 6), "target shim 0.17.0 or later, and take `key` out: Spin then uses"),
        (COSMOS + 'key = "k"\n', Version(3), "take `key` out: Spin then uses workload identity"),
        (
            KEY_VAULT + 'client_id = "i"\nclient_secret = "s"\ntenant_id = "t"\n',
            Version(2, 7),
            "target shim 0.17.0 or later, and take `client_id`, `client_secret`, `tenant_id` out",
        ),
    ],
)
def test_the_way_out_is_one_that_the_target_has(text: str, spin: Version, hint: str) -> None:
    (problem,) = parse(text, PATH, spin=spin).secrets

    assert problem.hint.startswith(hint)


def test_comments_stay_at_home() -> None:
    text = f'# key = "{CANARY}"\n[key_value_store.c] # {CANARY}\ntype = "spin"\npath = "a#b" # c\n  # last, {CANARY}'

    found = parse(text, PATH)

    assert '[key_value_store.c]\ntype = "spin"\npath = "a#b"\n' == found.text


@pytest.mark.parametrize(
    "text",
    [
        'a = """one # two\n# three \\""" # four\n"""\n',
        "a = '''one # two\n# three\n'''\n",
        '"a#b" = "\\"#" # c\n',
        "'a#b' = '#\\' # c\n",
        "a = [ # one\n 1, # two\n # three\n 2 ]\n",
        'a = """"#""""" # x\n',
    ],
)
def test_what_looks_like_a_comment_inside_a_string_is_kept(text: str) -> None:
    assert tomllib.loads(text) == tomllib.loads(without_comments(text))


@given(st.text(alphabet="#\"'\n\\= ab[]", max_size=40))
def test_without_its_comments_a_document_says_the_same(text: str) -> None:
    try:
        expected = tomllib.loads(text)
    except ValueError:
        return

    assert expected == tomllib.loads(without_comments(text))
