from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spin_aks.errors import ManifestError
from spin_aks.spin.runtime_config import (
    NOTHING,
    AmbientVault,
    KeylessCosmos,
    PodPath,
    RuntimeConfig,
    parse,
    read,
)
from spin_aks.spin.versions import Version, runtime

PATH = Path("runtime-config.toml")
SPIN_3 = Version(3, 6, 3)
COSMOS = '[key_value_store.c]\ntype = "azure_cosmos"\naccount = "a"\ndatabase = "d"\ncontainer = "k"\n'
VAULT = '[[variables_provider]]\ntype = "azure_key_vault"\nvault_url = "https://v"\n'


def refusal(text: str, spin: Version = SPIN_3) -> list[str]:
    with pytest.raises(ManifestError) as refused:
        parse(text, PATH, spin=spin)
    return [str(problem) for problem in refused.value.problems]


def test_labels_and_providers_are_known_afterwards() -> None:
    text = COSMOS.replace('"azure_cosmos"', '"azure_cosmos"\nregion = "westeurope"') + (
        '[key_value_store.default]\ntype = "redis"\nurl = "redis://r"\n[sqlite_database.db]\ntype = "spin"\n'
        '[[config_provider]]\ntype = "static"\nvalues = { a = "" }\n[[variables_provider]]\ntype = "env"\n'
        'state_dir = "ignored"\n'
    )

    found = parse(text, PATH, spin=SPIN_3)

    expected = RuntimeConfig(frozenset({"c", "default"}), frozenset({"db"}), ("env", "static"), frozenset({"a"}))
    keyless = (KeylessCosmos("c", "a", "runtime-config.toml:1"),)
    assert found == replace(expected, text=text, speaks_tls=True, keyless_cosmos=keyless)
    assert found.may_supply_any_variable


def test_static_values_are_all_a_static_provider_has() -> None:
    found = parse('[[variables_provider]]\ntype = "static"\nvalues = { a = "1" }\n', PATH, spin=SPIN_3)

    assert not found.may_supply_any_variable
    assert found.static_variables == {"a"}


def test_without_a_file_nothing_is_configured(tmp_path: Path) -> None:
    assert read(tmp_path / "runtime-config.toml") is NOTHING


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("stores = 1\n", "runtime-config.toml:1: unknown key `stores`"),
        ("[[variable_provider]]\n", "runtime-config.toml:1: unknown key `variable_provider`"),
        ("[key_value_store]\na = 1\n", "runtime-config.toml:2: a key-value store has to be a table with a `type`"),
        ('[key_value_store.a]\ntype = "cosmos"\n', "runtime-config.toml:2: `cosmos` is unknown as a key-value store"),
        ('[key_value_store.a]\ntype = "redis"\n', "runtime-config.toml:1: `url` is missing in `key_value_store.a`"),
        (
            '\n[sqlite_database.a]\ntype = "libsql"\nurl = 1\ntoken = ""\n',
            "runtime-config.toml:4: `url` has to be a string, not an integer",
        ),
        (
            VAULT + 'authority_host = "X"\n',
            "runtime-config.toml:4: `X` is no authority: it is one of "
            "AzurePublicCloud, AzureChina, AzureGermany, AzureGovernment",
        ),
        (VAULT + 'client_id = "i"\n', "runtime-config.toml:1: the vault has no `client_secret`, `tenant_id`"),
        (VAULT + "nope = 1\n", "runtime-config.toml:4: unknown key `nope` in `variables_provider[0]`"),
        ("state_dir = 1\n", "runtime-config.toml:1: `state_dir` has to be a string, not an integer"),
        (
            "max_instance_memory = true\n",
            "runtime-config.toml:1: `max_instance_memory` has to be a number of bytes, not a boolean",
        ),
        ("a = \n", "runtime-config.toml:1: not valid TOML: invalid value"),
    ],
)
def test_what_would_stop_the_start_is_said_at_its_line(text: str, problem: str) -> None:
    assert problem in refusal(text)


def test_keyless_cosmos_came_with_spin_2_7() -> None:
    assert parse(COSMOS, PATH, spin=Version(2, 7)).key_value_stores == {"c"}
    assert refusal(COSMOS, Version(2, 6)) == ["runtime-config.toml:1: the store has no `key`"]


def test_a_vault_without_credentials_came_with_spin_3() -> None:
    assert parse(VAULT, PATH, spin=SPIN_3).providers == ("azure_key_vault",)
    assert refusal(VAULT, Version(2, 6)) == [
        "runtime-config.toml:1: the vault has no `client_id`, `client_secret`, `tenant_id`"
    ]
    assert refusal(VAULT, Version(2, 4)) == [
        "runtime-config.toml:2: `azure_key_vault` is unknown as a provider of variables"
    ]


def test_what_signs_in_as_the_pod_itself_is_known_with_its_lines() -> None:
    text = f"{COSMOS}{COSMOS.replace('.c]', '.d]')}key = 'k'\n{VAULT}{VAULT.replace('variables', 'config')}"

    found = parse(text, PATH, spin=SPIN_3)

    assert found.keyless_cosmos == (KeylessCosmos("c", "a", "runtime-config.toml:1"),)
    assert found.ambient_vaults == (
        AmbientVault("https://v", "runtime-config.toml:12"),
        AmbientVault("https://v", "runtime-config.toml:15"),
    )


@pytest.mark.parametrize("value", ["k", ""])
def test_what_has_a_credential_of_its_own_even_an_empty_one_does_not(value: str) -> None:
    credentials = "".join(f"{name} = '{value}'\n" for name in ("client_id", "client_secret", "tenant_id"))

    found = parse(f"{COSMOS}key = '{value}'\n{VAULT}{credentials}", PATH, spin=SPIN_3)

    assert (found.keyless_cosmos, found.ambient_vaults) == ((), ())


def test_an_address_with_a_secret_in_it_goes_nowhere() -> None:
    text = COSMOS.replace('account = "a"', 'account = "a;key=s3cr3t"') + VAULT.replace("//v", "//v?sig=s3cr3t")

    found = parse(text, PATH, spin=SPIN_3)

    assert (2, (), ()) == (len(found.secrets), found.keyless_cosmos, found.ambient_vaults)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "runtime-config.toml"
    path.write_bytes(b"\xff")

    with pytest.raises(ManifestError, match="is not UTF-8"):
        read(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (COSMOS, True),
        (VAULT, True),
        ('[key_value_store.a]\ntype = "aws_dynamo"\nregion = "r"\ntable = "t"\n', True),
        ('[key_value_store.a]\ntype = "redis"\nurl = "rediss://r"\n', True),
        ('[key_value_store.a]\ntype = "redis"\nurl = "redis://r"\n', False),
        ('[sqlite_database.a]\ntype = "libsql"\nurl = "https://d"\ntoken = ""\n', True),
        ('[sqlite_database.a]\ntype = "libsql"\nurl = "http://d"\ntoken = ""\n', False),
        ('[llm_compute]\ntype = "remote_http"\nurl = "https://d"\nauth_token = ""\n', True),
        ('[key_value_store.a]\ntype = "spin"\npath = "https:"\n', False),
        ("", False),
    ],
)
def test_stores_and_providers_that_are_reached_over_tls_are_known(text: str, expected: bool) -> None:
    assert expected == parse(text, PATH).speaks_tls


def test_files_and_folders_in_the_pod_are_known_with_their_lines() -> None:
    text = (
        'state_dir = "/data"\n[key_value_store.a]\ntype = "spin"\npath = "kv.db"\n'
        '[key_value_store.b]\ntype = "spin"\n[sqlite_database.c]\ntype = "spin"\npath = "/sql/c.db"\n'
        '[[client_tls]]\ncomponent_ids = ["c"]\nhosts = ["h"]\nca_roots_file = "ca.pem"\n'
    )

    assert parse(text, PATH).paths == (
        PodPath("/data", True, "runtime-config.toml:1"),
        PodPath("/kv.db", True, "runtime-config.toml:4"),
        PodPath("/sql/c.db", True, "runtime-config.toml:9"),
        PodPath("/ca.pem", False, "runtime-config.toml:13"),
    )


def test_a_file_of_comments_alone_brings_nothing_to_the_pod() -> None:
    assert parse("# only a remark\n", PATH) == NOTHING


def test_a_runtime_that_reads_none_is_given_nothing() -> None:
    found = parse(COSMOS, PATH)

    assert found.read_by(runtime("0.9.3")) is NOTHING
    assert found.read_by(runtime("0.10.0")) is found


@given(st.text(alphabet="[]{}\"'=.,\n atypevluredisk_1", max_size=80))
def test_any_text_is_a_configuration_or_refused(text: str) -> None:
    try:
        found: object = parse(text, PATH)
    except ManifestError as error:
        found = error

    assert isinstance(found, RuntimeConfig | ManifestError)
