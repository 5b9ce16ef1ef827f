from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spin_aks.errors import UsageError
from spin_aks.generators.names import kubernetes_name, namespace
from spin_aks.generators.resources import quantity_bytes
from spin_aks.oci.reference import Reference
from spin_aks.oci.repository_name import repository_of
from spin_aks.settings import rules
from spin_aks.settings.rules import Rule
from spin_aks.spin.names import resolvable_variable, store_label
from spin_aks.spin.shapes import Reading
from spin_aks.spin.versions import NEWEST_SPIN, RUNTIMES, Version

if TYPE_CHECKING:
    from pathlib import Path

RULES = {name: value for name, value in vars(rules).items() if isinstance(value, Rule)}
GUID = "5f2c8a1e-0f4b-4d6e-9a51-3c1d2e7b8f90"
VERSION = "0123456789abcdef0123456789abcdef"
LABEL = "a" * 63
LONGEST_HOST = ".".join([LABEL] * 3 + ["a" * 61])

ACCEPTED = {
    "SUBSCRIPTION": [GUID, GUID.upper(), "00000000-0000-0000-0000-000000000000"],
    "TENANT": [GUID, "contoso.onmicrosoft.com", "Contoso.com", "a.co", "xn--bcher-kva.example", f"{LABEL}.com",
               f"a.{LABEL}", LONGEST_HOST],
    "RESOURCE_GROUP": ["a", "1", "-", "_", "(a)", ".a", "my-RG_1.x", "a" * 90, "." * 89 + "a", "größe", "資源"],
    "LOCATION": ["eastus", "westeurope", "eastus2euap", "chinanorth3", "usdodcentral"],
    "NODE_SIZE": ["Standard_D2s_v5", "Basic_A0", "Standard_M416s_10_v2", "Standard_NC24ads-2_A100_v4"],
    "CLUSTER": ["a", "1", "A", "a-b", "a--b", "a__b", "a-_b", "a" * 63, "1" + "-" * 61 + "1"],
    "REGISTRY_NAME": ["abcde", "ABCDE", "12345", "a" * 50],
    "VAULT": ["abc", "a-b", "A1c", "a" * 24, "a-1-b-2"],
    "VAULT_SECRET": ["a", "1", "-", "--", "DB-password-1", "a" * 127, f"a/{VERSION}", f"{'a' * 127}/{VERSION.upper()}"],
    "IDENTITY": ["abc", "1-_", "A1c", "a" * 128, "a--", "a__b"],
    "REDIS": ["a", "1", "a-b", "A-1", "a" * 63],
    "MANAGED_REDIS": ["a", "1", "a-b", "A-1", "a" * 60],
    "COSMOS": ["abc", "123", "a-b", "a" * 50],
    "STORE_ACCOUNT": ["a", "shop-1", "Shop", "a" * 63],
    "COSMOS_DATABASE": ["a", "shop", "my shop", " shop", "größe", "a" * 255, "a.b-c_d", "%"],
    "COSMOS_CONTAINER": ["a", "shop", "my shop", " shop", "größe", "a" * 255, "a.b-c_d", "%"],
    "NAMESPACE": ["a", "1", "a-b", "a--b", "1a", LABEL],
    "SERVICE_ACCOUNT": ["a", "1", "shop", "a.b-c", "a--b", f"{LABEL}.{LABEL}", LONGEST_HOST, "1.2.3.4"],
    "HOST_NAME": ["a", "localhost", "shop.example.com", "1.2.3.4.example", "1.2.3", "a--b.c", f"{LABEL}.{LABEL}",
                  LONGEST_HOST],
    "MEMORY": ["1", "128Mi", "1.5Gi", ".5Gi", "1.Gi", "+1Ki", "128974848", "129e6", "129E6", "1e+9", "129M", "1k", "1E",
               "1Ei", "128974848000m", "64.0", "007Mi", "0.001Gi", "9Mi", "9.9Mi",
               ".9Mi", "9e99", "99", "9000m"],
    "CPU": ["0", "1", "100m", "0.5", ".5", "2.", "1.500", "0.1000", "+1", "1k", "1e1", "1500m", "0m", "1.0m", "9", "9m",
            "9.9", ".9", "9.999", "9.9M", ".9M", "9e99"],
    "TAG": ["a", "_", "1", "A", "v1.2.3", "a..b", "a--b", "latest", "a" * 128],
    "REPOSITORY": ["a", "1", "team/shop", "a.b", "a_b", "a__b", "a-b", "a---b", "a/b/c/1", "a" * 255],
    "APPLICATION_NAME": ["a", "My Shop", "shop-1", "größe", "1", "a" * 253],
    "SHIM_VERSION": ["0.24.0", "v0.24.0", "0.24", "0.17.0-rc.1", "9.9.9", "999999999.999999999.999999999"],
    "ENVIRONMENT": ["a", "1", "prod", "Prod-1", "a.prod", "a..b", "a" * 63, "a-", "a_", "console", "com", "com10",
                    "nul-1"],
    "VARIABLE_NAME": ["a", "greeting", "db_password", "a1", "a_1", "a1_b2", "a" * 500],
    "STORE_LABEL": ["a", "default", "my-store", "my_store", "A", "MY-store", "a1-b2", "ORDERS"],
}  # fmt: skip

REFUSED = {
    "SUBSCRIPTION": [GUID[:-1], f"{GUID}0", GUID.replace("-", ""), f"{{{GUID}}}", GUID.replace("f", "g"),
                     "my subscription",
                     GUID.replace("5", "\u0665")],
    "TENANT": ["common", "contoso", "-a.com", "a-.com", "a..com", ".com", "a.com.", "1.2.3.4", f"{LABEL}a.com",
               "a_b.com",
               f"{LONGEST_HOST}a", f"a.{LABEL}a", "https://a.com"],
    "RESOURCE_GROUP": ["a.", ".", "a" * 91, "a b", "a/b", "a#b", "a*", "a\u00a0b", "☃"],
    "LOCATION": ["West Europe", "westEurope", "west-europe", "1us", "a", "eastus\u0662", "a" * 64],
    "NODE_SIZE": ["D2s", "_D2s", "Standard_", "Standard__D2", "Standard D2", "2_a", "Standard_D2s_v\u0665"],
    "CLUSTER": ["-a", "a-", "_a", "a_", "a" * 64, "a.b", "a b", "é", "a\u0661"],
    "REGISTRY_NAME": ["abcd", "a" * 51, "my-registry", "shop-abc123", "shop.azurecr.io", "my_registry", "abcd\u0661"],
    "VAULT": ["ab", "a" * 25, "1ab", "-ab", "ab-", "a--b", "a_b", "a.b", "https://a.vault.azure.net", "ab\u0661"],
    "VAULT_SECRET": ["_", "a_b", "a.b", "a" * 128, "a/", f"/{VERSION}", f"a/{VERSION[1:]}", f"a/{VERSION}0", "a/latest",
                     f"a/{VERSION[:-1]}g", "a b", "é", f"a/{VERSION}/"],
    "IDENTITY": ["ab", "-ab", "_ab", "a" * 129, "a.b", "a b", "abé", "ab\u0661"],
    "REDIS": ["-a", "a-", "a--b", "a_b", "a.b", "a" * 64, "a b", "a\u0661", "shop.redis.cache.windows.net"],
    "MANAGED_REDIS": ["-a", "a-", "a--b", "a_b", "a" * 61],
    "COSMOS": ["ab", "Abc", "a_b", "-ab", "ab-", "a--b", "a" * 51, "abé", "ab\u0661"],
    "STORE_ACCOUNT": ["-a", "a--b", "a_b", "a" * 64],
    "COSMOS_DATABASE": ["a/b", "a\\b", "a#b", "a?b", "a ", " ", "a" * 256, "a\tb", "a\x7f"],
    "COSMOS_CONTAINER": ["a/b", "a\\b", "a#b", "a?b", "a ", " ", "a" * 256, "a\tb", "a\x7f"],
    "NAMESPACE": ["-a", "a-", "A", "a_b", "a.b", f"{LABEL}a", "é", "a\u0661", "a b"],
    "SERVICE_ACCOUNT": ["-a", "a-", "A", "a_b", "a..b", ".a", "a.", f"{LABEL}a", f"{LONGEST_HOST}a", "é", "a\u0661"],
    "HOST_NAME": ["-a", "a-", "a..b", ".a", "a.", "A.com", "a_b.com", "*.example.com", "1.2.3.4", "255.255.255.255",
                  "9.9.9.9", "::1", "a:80", "https://a", "a/b", f"{LABEL}a.com", f"{LONGEST_HOST}a", "é.com",
                  "\u0661.com"],
    "MEMORY": ["0", "0Mi", "0.0Gi", "000", "-1", "-1Mi", "400m", "1n", "1u", "1.5", "128MB", "128mi", "128MI", "128K",
               "1 Mi",
               "Mi", ".", "+", "e3", "1e", "1e-3", "1.2.3", "0e9", "0000m", "\u0661Mi", "1_000", "1,5Gi", "inf",
               "nan", "0x10",
               "1e100"],
    "CPU": ["-1", "1n", "1u", "0.5m", "0.0001", "1 ", "m", ".", "1c", "1M1", "\u0662", "1_0", "half", "1e", "100M i",
            "1K"],
    "TAG": [".a", "-a", "a" * 129, "a b", "a/b", "a:b", "a+b", "é", "a\u0661"],
    "REPOSITORY": ["A", "-a", "a-", ".a", "a..b", "a___b", "a._b", "a//b", "/a", "a/", "a:b", "a@b", "é",
                   "a" * 256, "a\u0661"],
    "APPLICATION_NAME": [" ", "---", "☃", "a\tb", "a\x7f", "a" * 254, "a\nb"],
    "SHIM_VERSION": ["0", "latest", "v", "0.24.", "0.24.0.1", "0.24.0 ", "^0.24", "\u0660.24", "0.24.0-",
                     "1234567890.0", "0.1234567890", "0.0.1234567890"],
    "ENVIRONMENT": [".", "..", ".a", "-a", "_a", "a.", "a/b", "a\\b", "a b", "é", "a" * 64, "con", "NUL", "Aux",
                    "com1", "LPT9",
                    "con.prod", "a\u0661"],
    "VARIABLE_NAME": ["A", "1a", "_a", "a_", "a__b", "a-b", "a.b", "aB", "é", "a\u0661"],
    "STORE_LABEL": ["1a", "-a", "a-", "a--b", "a_b-c", "aB", "a-1", "a.b", "é", "a\u0661"],
}  # fmt: skip


def test_every_rule_is_tried_at_its_edges() -> None:
    assert set(RULES) == set(ACCEPTED) == set(REFUSED)


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in ACCEPTED.items() for text in texts])
def test_a_rule_accepts(name: str, text: str) -> None:
    assert RULES[name].refuses(text) == ""


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in REFUSED.items() for text in texts])
def test_a_rule_refuses(name: str, text: str) -> None:
    assert RULES[name].refuses(text).endswith(f" is not {RULES[name].form}")


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("added", ["\n", "\r\n", "\0", " \n", "\u2028", "\ud800"])
def test_no_rule_accepts_the_end_of_a_line_or_a_control_character(name: str, added: str) -> None:
    allowed = added in "\u2028\ud800" and name in ("COSMOS_DATABASE", "COSMOS_CONTAINER", "APPLICATION_NAME")

    assert [RULES[name].accepts(text + added) for text in ACCEPTED[name] if len(text) < 50] == [
        allowed for text in ACCEPTED[name] if len(text) < 50
    ]


@pytest.mark.parametrize("name", RULES)
def test_no_rule_accepts_an_empty_text(name: str) -> None:
    assert RULES[name].refuses("") == f"an empty text is not {RULES[name].form}"


@pytest.mark.parametrize("name", RULES)
def test_a_rule_refuses_ten_million_characters_by_their_number(name: str) -> None:
    assert RULES[name].refuses("a" * 10_000_000) == f"a text of 10000000 characters is not {RULES[name].form}"


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("piece", ["a", "0", "a-", "a_", "a.", "-", "a/", "é"])
def test_a_rule_reads_the_longest_text_at_once(name: str, piece: str) -> None:
    """A pattern that tries every way to read it would not come back."""
    text = piece * (rules.LONGEST // len(piece) - 1) + "!"

    assert RULES[name].accepts(text) == (name == "APPLICATION_NAME" and len(text) <= 253)


@pytest.mark.parametrize(("name", "rule"), RULES.items())
def test_a_rule_says_what_it_wants_and_who_says_so(name: str, rule: Rule) -> None:
    assert re.match(r"an? |the name of ", rule.form), name
    assert not rule.form.endswith("."), name
    assert rule.source.startswith("https://"), name


@pytest.mark.parametrize(("name", "rule"), RULES.items())
def test_a_pattern_has_nothing_that_only_python_knows(name: str, rule: Rule) -> None:
    assert not re.search(r"\(\?(?!:|=|!)|\\[AZdDsSbB]|[*+?}]\+", rule.pattern.replace(r"\+", "")), name


def test_what_is_said_is_one_line() -> None:
    assert rules.NAMESPACE.refuses("a\n\x1b[31mb\udcff\u202e") == (
        r"`a\n\x1b[31mb\udcff\u202e` is not a namespace's name: 1 to 63 lower-case letters, digits and `-`, a letter "
        "or digit first and last"
    )


def test_a_long_text_is_shown_cut() -> None:
    assert rules.NAMESPACE.refuses("A" * 81).startswith(f"`{'A' * 80}...` is not")
    assert rules.NAMESPACE.refuses("A" * 80).startswith(f"`{'A' * 80}` is not")


def test_a_secret_that_was_put_in_a_name_s_place_is_not_shown() -> None:
    said = rules.RESOURCE_GROUP.refuses("redis://:hunter2@shop.example:6380")

    assert said == (
        f"what is given, which looks like a password in a URL and is not shown here, is not {rules.RESOURCE_GROUP.form}"
    )


@cache
def pattern_of(shared: Path, specification: str, parameter: str) -> tuple[str, int, int]:
    """What Azure's own specification says of a path's parameter: its pattern, the shortest and the longest."""
    document = json.loads((shared / "azure-spec" / "swagger" / specification).read_text(encoding="utf-8"))
    found: set[tuple[str, int, int]] = set()
    waiting = [document]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if node.get("in") == "path" and node.get("name") == parameter and "pattern" in node:
                found.add((node["pattern"], node.get("minLength", 1), node.get("maxLength", 10_000)))
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    (one,) = found
    return one


SPECIFIED = {
    "CLUSTER": ("2024-02-01-managedClusters.json", "resourceName"),
    "REGISTRY_NAME": ("2023-07-01-containerregistry.json", "registryName"),
    "VAULT": ("2023-07-01-keyvault.json", "vaultName"),
    "VAULT_SECRET": ("7.5-secrets.json", "secret-name"),
    "COSMOS": ("2024-05-15-cosmos-db.json", "accountName"),
    "RESOURCE_GROUP": ("2024-05-15-cosmos-db.json", "resourceGroupName"),
    "REDIS": ("2024-03-01-redis.json", "cacheName"),
    "MANAGED_REDIS": ("2024-03-01-redis.json", "cacheName"),
}


NAMES = st.lists(
    st.one_of(
        st.text("ab1Z", min_size=1, max_size=14), st.sampled_from(["-", "-", "-", "--", "_", ".", "(", "é", "\n"])
    ),
    min_size=1,
    max_size=9,
).map("".join)


def specified(shared: Path, name: str, text: str) -> bool:
    pattern, shortest, longest = pattern_of(shared, *SPECIFIED[name])
    return re.search(pattern, text) is not None and shortest <= len(text) <= longest and not text.endswith("\n")


@pytest.mark.parametrize("name", SPECIFIED)
@given(text=NAMES)
def test_what_a_rule_accepts_azure_s_specification_accepts(shared: Path, name: str, text: str) -> None:
    assert specified(shared, name, text) or not RULES[name].accepts(text)


@pytest.mark.parametrize("name", SPECIFIED)
def test_azure_s_specification_accepts_what_stands_at_a_rule_s_edges(shared: Path, name: str) -> None:
    texts = [text.partition("/")[0] for text in ACCEPTED[name]]

    assert [text for text in texts if not specified(shared, name, text)] == []


@pytest.mark.parametrize("name", ["CLUSTER", "REGISTRY_NAME"])
@given(text=NAMES)
def test_where_azure_s_specification_says_all_a_rule_accepts_the_same(shared: Path, name: str, text: str) -> None:
    assert RULES[name].accepts(text) == specified(shared, name, text)


def test_every_region_that_azure_lists_is_a_location(shared: Path) -> None:
    recorded = json.loads((shared / "azure-recorded" / "locations.json").read_text(encoding="utf-8"))
    example = (shared / "azure-spec" / "subscriptions-2022-12-01" / "GetLocations.json").read_text(encoding="utf-8")
    bodies = [recorded[0]["response"]["body"], json.loads(example)["responses"]["200"]["body"]]
    names = {region["name"] for body in bodies for region in body["value"]}

    assert {"eastus", "eastus2", "southcentralus"} <= names
    assert [name for name in sorted(names) if rules.LOCATION.refuses(name)] == []


NEWEST = Reading(NEWEST_SPIN)
TEXTS = st.text(st.sampled_from("ab1AB-_./ é\n\u0662"), max_size=12)


@given(TEXTS)
def test_a_store_s_label_is_what_the_manifest_takes(text: str) -> None:
    assert rules.STORE_LABEL.accepts(text) == (store_label(text, NEWEST) == "")


@given(TEXTS)
def test_a_variable_s_name_is_what_spin_looks_up(text: str) -> None:
    assert rules.VARIABLE_NAME.accepts(text) == resolvable_variable(text)


@given(TEXTS.filter(bool))
def test_a_namespace_is_what_the_manifests_take(text: str) -> None:
    try:
        taken = namespace("shop", text) == text
    except UsageError:
        taken = False

    assert rules.NAMESPACE.accepts(text) == taken


@given(TEXTS.filter(bool), TEXTS.filter(bool))
def test_repository_and_tag_are_what_a_registry_s_client_takes(repository: str, tag: str) -> None:
    try:
        taken = str(Reference("example.com", repository, tag)) == f"example.com/{repository}:{tag}"
    except UsageError:
        taken = False

    assert (rules.REPOSITORY.accepts(repository) and rules.TAG.accepts(tag)) == taken


@given(st.from_regex(rules.MEMORY.pattern, fullmatch=True))
def test_memory_is_an_amount_of_bytes(text: str) -> None:
    assert quantity_bytes(text) is not None


@given(st.from_regex(rules.APPLICATION_NAME.pattern, fullmatch=True))
def test_an_application_s_name_gives_names_to_what_is_made_of_it(text: str) -> None:
    assert rules.NAMESPACE.refuses(kubernetes_name(text)) == ""
    assert rules.REPOSITORY.refuses(repository_of(text)) == ""


@given(st.from_regex(rules.SHIM_VERSION.pattern, fullmatch=True))
def test_a_shim_s_version_can_be_read(text: str) -> None:
    assert isinstance(Version.parse(text), Version)


def test_every_shim_that_is_known_has_a_version() -> None:
    assert [row.shim for row in RUNTIMES if rules.SHIM_VERSION.refuses(row.shim)] == []
