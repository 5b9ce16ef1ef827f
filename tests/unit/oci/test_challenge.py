from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spin_aks.oci.challenge import Challenge, parse


@pytest.mark.parametrize(
    ("header", "challenges"),
    [
        ("", ()),
        ('Basic realm="a registry"', (Challenge("basic", "a registry"),)),
        ("Negotiate", (Challenge("negotiate"),)),
        (
            'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"',
            (Challenge("bearer", "https://auth.docker.io/token", "registry.docker.io", "repository:a/b:pull,push"),),
        ),
        (
            'bearer realm="https://x.azurecr.io/oauth2/token", service=x.azurecr.io , error="insufficient_scope"',
            (Challenge("bearer", "https://x.azurecr.io/oauth2/token", "x.azurecr.io", error="insufficient_scope"),),
        ),
        (
            'Bearer realm="https://ghcr.io/token", Basic realm="GHCR"',
            (Challenge("bearer", "https://ghcr.io/token"), Challenge("basic", "GHCR")),
        ),
        ('Negotiate, Basic realm="x"', (Challenge("negotiate"), Challenge("basic", "x"))),
        (r'Basic realm="a \"quoted\" one"', (Challenge("basic", 'a "quoted" one'),)),
    ],
)
def test_a_header_is_read_as_its_challenges(header: str, challenges: tuple[Challenge, ...]) -> None:
    assert parse(header) == challenges


@given(st.text())
def test_any_header_can_be_read(header: str) -> None:
    assert all(challenge.scheme == challenge.scheme.lower() for challenge in parse(header))


@given(
    st.from_regex(r"[A-Za-z]{1,12}", fullmatch=True),
    st.text(st.characters(blacklist_categories=["Cc", "Cs"]), max_size=30),
)
def test_a_quoted_realm_is_read_as_it_was_meant(scheme: str, realm: str) -> None:
    quoted = realm.replace("\\", r"\\").replace('"', r"\"")

    assert parse(f'{scheme} realm="{quoted}"') == (Challenge(scheme.lower(), realm),)
