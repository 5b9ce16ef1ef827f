from __future__ import annotations

import pytest
from unit.generators.applications import application

from spin_aks.spin.model import Variable
from spin_aks.spin.outbound import speaks_tls


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        ((), False),
        (("http://api:8080", "http://self", "redis://*:*", "mqtt://broker:1883"), False),
        (("http://api", "https://api"), True),
        (("HTTPS://api",), True),
        (("rediss://cache:6380",), True),
        (("postgres://db:5432",), True),
        (("mysql://db",), True),
        (("*://*:*",), True),
        (("{{ scheme }}://api",), True),
        (("{{ plain }}://api",), True),
        (("{{ local }}",), True),
        (("{{ url }}",), True),
        (("http://{{ scheme }}",), False),
    ],
)
def test_tls_is_judged_by_the_schemes_of_the_hosts_that_are_allowed(hosts: tuple[str, ...], expected: bool) -> None:
    variables = (
        Variable("scheme", required=True),
        Variable("plain", default="http"),
        Variable("url", default="https://api.example.com"),
        Variable("local", default="http://localhost"),
    )

    assert expected == speaks_tls(application(variables=variables, hosts=hosts))


@pytest.mark.parametrize(
    ("address", "expected"),
    [("redis://queue:6379", False), ("rediss://queue:6380", True), ("{{ queue }}", True), ("{{ local }}", True)],
)
def test_tls_is_judged_by_the_addresses_of_triggers_too(address: str, expected: bool) -> None:
    variables = (Variable("queue", required=True, secret=True), Variable("local", default="redis://localhost"))

    assert expected == speaks_tls(application(variables=variables, triggers=("redis",), address=address))
