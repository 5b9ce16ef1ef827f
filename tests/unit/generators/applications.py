"""Applications that the generators' tests are about, as the reader of manifests would make them."""

from __future__ import annotations

from pathlib import Path

from spin_aks.spin.model import Application, Component, LocalSource, Trigger, Variable


def application(
    name: str = "hello",
    *,
    variables: tuple[Variable, ...] = (),
    triggers: tuple[str, ...] = ("http",),
    hosts: tuple[str, ...] = (),
    address: str = "",
) -> Application:
    """One component `app`, run by each of `triggers`; `address` is the application's for the Redis trigger."""
    return Application(
        path=Path("spin.toml"),
        manifest_version=2,
        name=name,
        version="1.0.0",
        description="",
        authors=(),
        trigger_settings={"redis": {"address": address}} if address else {},
        variables=variables,
        triggers=tuple(Trigger(kind, f"trigger-{kind}", "app", {}) for kind in triggers),
        components=(Component("app", LocalSource("app.wasm"), allowed_outbound_hosts=hosts),),
        normalised={},
    )


PLAIN = application()
"""An HTTP application that needs nothing."""

TALKATIVE = application(
    "Order_Desk",
    variables=(
        Variable("greeting", default="yes: $(HOME)", description="What it says first.\nAnd last."),
        Variable("region", required=True),
        Variable("api_key", required=True, secret=True, description="Of the warehouse"),
    ),
    hosts=("https://*.example.com", "redis://{{ region }}.example.com:6379"),
)
"""One with every kind of variable, which calls out over TLS."""

LISTENER = application("listener", triggers=("redis",), address="redis://queue:6379")
"""One that serves no HTTP."""
