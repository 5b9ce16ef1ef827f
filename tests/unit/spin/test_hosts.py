from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spin_aks.spin.hosts import converted, is_service_chaining, wrong_http_hosts, wrong_outbound_host


@pytest.mark.parametrize(
    ("entry", "outbound"),
    [
        ("example.com", ("http://example.com", "https://example.com")),
        ("Example.COM:8080", ("http://example.com:8080", "https://example.com:8080")),
        ("https://other:8443/", ("http://other:8443", "https://other:8443")),
        ("https://other:443", ("http://other", "https://other")),
        ("http://[::1]:8001", ("http://[::1]:8001", "https://[::1]:8001")),
        ("self", ("http://self",)),
        ("bücher.example", ("http://xn--bcher-kva.example", "https://xn--bcher-kva.example")),
        ("insecure:allow-all", ("http://*:*", "https://*:*", "http://self")),
    ],
)
def test_the_old_http_hosts_become_outbound_hosts_of_both_schemes(entry: str, outbound: tuple[str, ...]) -> None:
    assert outbound == converted([entry])
    assert wrong_http_hosts([entry]) == ()


@pytest.mark.parametrize(
    "entry", ["ftp://a.b", "example.com/a/b", "", "a b", "a:99999", "a:b", "http:////", "[::zz]", "a/?b"]
)
def test_what_is_no_http_host_is_refused_and_converted_to_nothing(entry: str) -> None:
    if entry == "a/?b":
        assert wrong_http_hosts([entry]) == ()
        return
    assert [index for index, _ in wrong_http_hosts(["ok", entry])] == [1]
    assert converted([entry]) == ()


def test_allowing_all_covers_up_for_invalid_entries() -> None:
    assert wrong_http_hosts(["ftp://a.b", "insecure:allow-all"]) == ()


@pytest.mark.parametrize(
    "entry",
    [
        "https://example.com",
        "https://example.com/",
        "redis://*:*",
        "*://*:*",
        "https://*.example.com:443",
        "postgres://db:5432",
        "http://self",
        "http://self.alt",
        "http://127.0.0.1/24:8000..9000",
        "custom://host:1",
        "*://localhost:*",
        "http://back.spin.internal",
    ],
)
def test_outbound_hosts_that_spin_takes(entry: str) -> None:
    assert wrong_outbound_host(entry) == ""


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("example.com", "has no scheme: it is written `SCHEME://HOST[:PORT]`, each of which may be `*`"),
        ("*", "has no scheme: it is written `SCHEME://HOST[:PORT]`, each of which may be `*`"),
        ("https://example.com/path", "has a path, which is not allowed"),
        ("https://example.com:80/path", "has a path, which is not allowed"),
        ("h2c://example.com:1", "has a scheme `h2c` that is not made of letters"),
        ("{http,https}://example.com", "has a list of schemes, which Spin does not support yet"),
        ("http://{a,b}", "has a list of hosts, which Spin does not support yet"),
        ("http://a:{1,2}", "has a list of ports, which Spin does not support yet"),
        ("http://a.*.com", "has a `*` inside the host: it may only be all of it, or stand in front as `*.`"),
        ("custom://host", "has no port, and none is known for the scheme `custom`"),
        ("http://a:65536", "has a port `65536` that is no number up to 65535"),
        ("http://a:x..y", "has a port `x..y` that is no number up to 65535"),
    ],
)
def test_outbound_hosts_that_spin_refuses(entry: str, why: str) -> None:
    assert wrong_outbound_host(entry) == f"`{entry}` {why}"


def test_another_component_is_called_by_its_own_domain() -> None:
    assert is_service_chaining("http://back.spin.internal")
    assert is_service_chaining("http://*.spin.internal:80")
    assert not is_service_chaining("http://spin.internal.example.com")


@given(st.text(max_size=30))
def test_any_text_is_judged(entry: str) -> None:
    assert isinstance(wrong_outbound_host(entry), str)
    assert (converted([entry]) == ()) == bool(wrong_http_hosts([entry]))
