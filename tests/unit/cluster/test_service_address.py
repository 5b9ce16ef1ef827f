from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from spin_aks.cluster.address import url, why_none
from spin_aks.cluster.symptoms import Event
from spin_aks.kubernetes_object import ObjectKey

if TYPE_CHECKING:
    from spin_aks.json_types import JSON, JSONObject

WEB = ObjectKey("v1", "Service", "hello", "web")


def service(kind: str = "LoadBalancer", port: int = 80, ingress: list[JSON] | None = None) -> JSONObject:
    return {
        "spec": {"type": kind, "ports": [{"port": port}]},
        "status": {"loadBalancer": {"ingress": ingress or []}},
    }


@pytest.mark.parametrize(
    ("port", "ingress", "expected"),
    [
        (80, {"ip": "203.0.113.10"}, "http://203.0.113.10"),
        (443, {"hostname": "a.example"}, "https://a.example"),
        (8080, {"ip": "203.0.113.10"}, "http://203.0.113.10:8080"),
        (80, {"ip": "2001:db8::1"}, "http://[2001:db8::1]"),
    ],
)
def test_the_address_is_a_url_that_can_be_opened(port: int, ingress: JSON, expected: str) -> None:
    assert url(service(port=port, ingress=[ingress])) == expected


def test_without_an_address_there_is_no_url() -> None:
    assert url(service()) == ""
    assert url({}) == ""


def test_an_inner_service_is_reached_through_a_forwarded_port() -> None:
    assert why_none(WEB, service("ClusterIP", 8080), ()) == (
        "Service hello/web is of type ClusterIP, reached from inside the cluster only; from here: "
        "`kubectl port-forward --namespace hello service/web 8080:8080`, then http://127.0.0.1:8080"
    )


def test_a_load_balancer_that_is_refused_has_the_clouds_words() -> None:
    refused = Event("Service web", "SyncLoadBalancerFailed", "PublicIPCountLimitReached", True, 2, "")

    assert why_none(WEB, service(), (refused,)).startswith(
        "Service hello/web gets no address: SyncLoadBalancerFailed (2 times): PublicIPCountLimitReached. Meanwhile"
    )


def test_a_load_balancer_that_takes_its_time_is_to_be_watched() -> None:
    note = why_none(WEB, service(), ())

    assert note.startswith("Service hello/web has no address yet")
    assert "`kubectl get service web --namespace hello --watch`" in note
