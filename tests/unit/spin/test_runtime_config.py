from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spin_aks.errors import ManifestError
from spin_aks.spin.runtime_config import NOTHING, RuntimeConfig, parse, read
from spin_aks.spin.versions import Version

PATH = Path("runtime-config.toml")
SPIN_3 = Version(3, 6, 3)
COSMOS = '[key_value_store.c]\ntype = "azure_cosmos"\naccount = "a"\ndatabase = "d"\ncontainer = "k"\n'
VAULT = '[[variables_provider]]\ntype = "azure_key_vault"\nvault_url = "https://v"\n'


def refusal(text: str, spin: Version = SPIN_3) -> list[str]:
    with pytest.raises(ManifestError) as refused:
        parse(text, PATH, spin=spin)
    return [str(problem) for problem in refused.value.problems]


def test_labels_and_providers_are_known_afterwards() -> None:
    text = COSMOS + (
        '[key_value_store.default]\ntype = "redis"\nurl = "redis://r"\n[sqlite_database.db]\ntype = "spin"\n'
        '[[config_provider]]\ntype = "static"\nvalues = { a = "1" }\n[[variables_provider]]\ntype = "env"\n'
        'state_dir = "ignored"\n'
    )

    found = parse(text, PATH, spin=SPIN_3)

    assert found == RuntimeConfig(frozenset({"c", "default"}), frozenset({"db"}), ("env", "static"), frozenset({"a"}))
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


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "runtime-config.toml"
    path.write_bytes(b"\xff")

    with pytest.raises(ManifestError, match="is not UTF-8"):
        read(path)


@given(st.text(alphabet="[]{}\"'=.,\n atypevluredisk_1", max_size=80))
def test_any_text_is_a_configuration_or_refused(text: str) -> None:
    try:
        found: object = parse(text, PATH)
    except ManifestError as error:
        found = error

    assert isinstance(found, RuntimeConfig | ManifestError)
