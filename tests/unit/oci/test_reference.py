from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spin_aks.errors import UsageError
from spin_aks.oci.reference import (
    REPOSITORY,
    TAG,
    Destination,
    Reference,
    is_loopback,
    tag_of,
)
from spin_aks.oci.repository_name import repository_of

DIGEST_OF_NOTHING = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize(
    ("text", "host", "prefix"),
    [
        ("127.0.0.1:5000", "127.0.0.1:5000", ""),
        ("127.0.0.1:5000/team", "127.0.0.1:5000", "team"),
        ("localhost", "localhost", ""),
        ("[::1]:5000/a/b", "[::1]:5000", "a/b"),
        ("myacr.azurecr.io/", "myacr.azurecr.io", ""),
        ("registry:5000", "registry:5000", ""),
        ("ghcr.io/owner/some_repo-x", "ghcr.io", "owner/some_repo-x"),
        ("docker.io/user", "docker.io", "user"),
        ("registry-1.docker.io/user", "docker.io", "user"),
        ("index.docker.io/user", "docker.io", "user"),
    ],
)
def test_a_destination_is_a_host_and_a_prefix(text: str, host: str, prefix: str) -> None:
    assert Destination.parse(text) == Destination(host, prefix)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "the registry's name is empty", "--registry HOST[:PORT][/PREFIX]"),
        ("  ", "the registry's name is empty", "--registry HOST[:PORT][/PREFIX]"),
        (
            "https://myacr.azurecr.io/",
            "`https://myacr.azurecr.io/`: a registry is named without `https://`",
            "--registry myacr.azurecr.io (loopback is spoken to over http, all others over https)",
        ),
        (
            "user@ghcr.io",
            "a registry is named without a user and without a digest",
            "`docker login HOST` keeps the user's name and password where they are found",
        ),
        ("docker.io", "Docker Hub needs the name of a user or an organisation", "--registry docker.io/USER"),
        (
            "ghcr.io/Team",
            "`Team` is no name of a repository",
            "it must be in lower case: `team`",
        ),
        (
            "myacr/team",
            "`myacr` could be a registry or a repository",
            "write `myacr.azurecr.io` for a registry in Azure, or give the port: `myacr:443`",
        ),
        (
            "my-acr",
            "`my-acr` could be a registry or a repository",
            "write its host with the port, `my-acr:443`; the name of a registry in Azure has 5 to 50 letters and "
            "digits, and nothing else",
        ),
        ("host:70000", "`host:70000`: 70000 is no port", "a port is a number from 1 to 65535"),
        ("-x.io", "`-x.io` is no host of a registry", "write HOST or HOST:PORT, as in `127.0.0.1:5000`"),
        ("a b.io", "`a b.io` is no host of a registry", "write HOST or HOST:PORT, as in `127.0.0.1:5000`"),
        (
            "ghcr.io/team//x",
            "`team//x` is no name of a repository",
            "it is made of a-z and 0-9, with single `.`, `_` or `-` and `/` between them",
        ),
    ],
)
def test_what_is_no_destination_is_refused_with_what_was_meant(text: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        Destination.parse(text)

    assert (str(refused.value), refused.value.problems[0].hint) == (message, hint)


def test_a_reference_is_written_with_tag_and_digest() -> None:
    reference = Destination.parse("127.0.0.1:5000/team").reference("app", "v1").with_digest(DIGEST_OF_NOTHING)

    assert str(reference) == f"127.0.0.1:5000/team/app:v1@{DIGEST_OF_NOTHING}"
    assert reference.pinned == f"127.0.0.1:5000/team/app@{DIGEST_OF_NOTHING}"


@pytest.mark.parametrize(
    ("repository", "tag", "hint"),
    [
        ("app:v1", "", "a tag is given apart from it: `--repository app --tag v1`"),
        ("app", ".v1", "a tag is made of letters"),
        ("app", "v 1", "a tag is made of letters"),
        ("app", "x" * 129, "a tag is made of letters"),
        ("a" * 250, "", "shorten it: `--repository NAME`"),
    ],
)
def test_a_repository_or_tag_outside_the_grammar_is_refused(repository: str, tag: str, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        Destination("127.0.0.1:5000").reference(repository, tag)

    assert refused.value.problems[0].hint.startswith(hint)


def test_a_digest_that_is_cut_is_refused() -> None:
    with pytest.raises(UsageError, match="is no digest of an image"):
        Reference("ghcr.io", "a/b", digest="sha256:1234")


def test_the_tag_of_a_digest_is_no_number_in_yaml() -> None:
    assert tag_of("sha256:123456789e12" + "0" * 52) == "h123456789e12"
    assert TAG.fullmatch(tag_of(DIGEST_OF_NOTHING))


@pytest.mark.parametrize(
    ("application", "repository"), [("hello", "hello"), ("My App!", "my-app"), ("a__b--c", "a-b-c"), ("-Ä-x", "x")]
)
def test_a_repository_is_named_after_its_application(application: str, repository: str) -> None:
    assert repository_of(application) == repository


def test_an_application_whose_name_has_no_usable_character_needs_a_repository() -> None:
    with pytest.raises(UsageError, match="no repository can be named after `ÄÖ`"):
        repository_of("ÄÖ")


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1:5000", True),
        ("127.8.9.1", True),
        ("localhost:80", True),
        ("LOCALHOST", True),
        ("registry.localhost:5000", True),
        ("[::1]:5000", True),
        ("128.0.0.1:5000", False),
        ("localhost.example.com", False),
        ("10.0.0.1", False),
    ],
)
def test_only_this_machine_is_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) == loopback


WORD = st.text("abcz019", min_size=1, max_size=6)
REPOSITORIES = st.lists(st.tuples(WORD, st.sampled_from([".", "_", "__", "-", "--", "/"])), min_size=1, max_size=6).map(
    lambda parts: "".join(word + separator for word, separator in parts) + "x"
)


@given(REPOSITORIES, st.from_regex(TAG, fullmatch=True), st.text("0123456789abcdef", min_size=64, max_size=64))
def test_a_reference_is_read_as_it_was_written(repository: str, tag: str, hexadecimal: str) -> None:
    reference = Reference("127.0.0.1:5000", repository, tag, f"sha256:{hexadecimal}")

    assert Reference.parse(str(reference)) == reference


@given(st.text(max_size=40))
def test_any_text_is_a_destination_or_refused_as_usage(text: str) -> None:
    try:
        destination = Destination.parse(text)
    except UsageError:
        return
    assert Destination.parse(str(destination)) == destination


@given(st.text(min_size=1, max_size=40))
def test_a_repository_made_from_any_name_is_within_the_grammar(application: str) -> None:
    try:
        repository = repository_of(application)
    except UsageError:
        return
    assert REPOSITORY.fullmatch(repository)
