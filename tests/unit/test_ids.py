"""What of an id is written down."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spin_aks import ids

CANARY = "canary"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", ""),
        ("127.0.0.1:5000/team", "127.0.0.1:5000/team"),
        ("[::1]:5000", "[::1]:5000"),
        ("https://shop.vault.azure.net/", "https://shop.vault.azure.net/"),
        ("/subscriptions/1/resourceGroups/g", "/subscriptions/1/resourceGroups/g"),
        ("me:canary@reg.io/team", "reg.io/team"),
        ("me:can@ary@reg.io", "reg.io"),
        ("canary@reg.io", "reg.io"),
        ("https://me:canary@reg.io:5000/team", "https://reg.io:5000/team"),
        ("https://me:canary@reg.io/team?sig=canary#canary", "https://reg.io/team"),
        ("https://me:c?canary/x@reg.io", ""),
        ("me:canary/x@reg.io", ""),
        ("https://reg.io?sig=x@canary", ""),
        ("https://me:canary@a://reg.io", ""),
        ("me:canary://x@reg.io", ""),
        ("reg.io/caf\udce9", ""),
    ],
)
def test_an_address_is_kept_without_its_secrets(text: str, kept: str) -> None:
    assert kept == ids.address(text)
    assert kept == ids.address(kept)
    assert CANARY not in kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("kubernetes-admin@kubernetes", "kubernetes-admin@kubernetes"),
        ("admin@10.0.0.1:6443", "admin@10.0.0.1:6443"),
        ("arn:aws:eks:eu:1:cluster/shop", "arn:aws:eks:eu:1:cluster/shop"),
        ("https://me:canary@10.0.0.1:6443", "https://10.0.0.1:6443"),
        ("me:canary@10.0.0.1:6443", ""),
    ],
)
def test_a_clusters_name_may_hold_a_user_but_no_password(text: str, kept: str) -> None:
    assert kept == ids.cluster(text)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("/home/me/@shop/ü:1?/aks-spin.toml", "/home/me/@shop/ü:1?/aks-spin.toml"),
        ("https://me:canary@host/aks-spin.toml", "https://host/aks-spin.toml"),
        ("/home/caf\udce9/aks-spin.toml", ""),
        ("/x" * 3000, ""),
    ],
)
def test_a_path_is_kept_as_it_is(text: str, kept: str) -> None:
    assert kept == ids.path(text)


def test_a_tag_and_a_digest_hold_no_user() -> None:
    kept = [ids.word(text) for text in ("v1.0", f"sha256:{64 * 'a'}", "me:canary@host")]

    assert ["v1.0", f"sha256:{64 * 'a'}", ""] == kept


@given(
    st.sampled_from(["", "https://", "oci://"]),
    st.text(alphabet="ab:@?#%", max_size=6),
    st.lists(st.sampled_from(["c", "://", "/", ":", "@", "?", "#", "%"]), max_size=5).map("".join),
)
def test_no_password_gets_through_whatever_else_it_is_written_with(scheme: str, before: str, after: str) -> None:
    assert CANARY not in ids.address(f"{scheme}me:{before}{CANARY}{after}@reg.io/team")
