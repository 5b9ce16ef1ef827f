"""CPU and memory as a person asked for them, against what the files have and what is chosen otherwise."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from unit.generators.applications import PLAIN

from spin_aks.errors import UsageError
from spin_aks.generators.kube import Installer, KubeSettings, files
from spin_aks.generators.render import RenderValues, render
from spin_aks.generators.resources import Payload, WantedResources, quantity
from spin_aks.spin.versions import NEWEST_RUNTIME

if TYPE_CHECKING:
    from collections.abc import Mapping

IMAGE = f"127.0.0.1:5000/team/hello:2f1c@sha256:{'0123456789abcdef' * 4}"
VALUES = RenderValues("hello", "hello", IMAGE, Payload("artifact", {"app": 2_700_000}))
MADE = files(PLAIN, KubeSettings(NEWEST_RUNTIME, "artifact", Installer("preinstalled")))
NOTHING: Mapping[str, str] = {}


def resources(own: str = "", **wanted: str) -> dict[str, dict[str, Any]]:
    """The container's, where the file has `own` and this was asked for."""
    text = MADE["deployment.yaml"]
    assert "          image: hello\n" in text
    if own:
        text = text.replace("          image: hello\n", f"          image: hello\n          resources: {own}\n")
    rendered = render({**MADE, "deployment.yaml": text}, replace(VALUES, resources=WantedResources(**wanted)))
    (deployment,) = [item.body for item in rendered.objects if item.key.kind == "Deployment"]
    found: dict[str, dict[str, Any]] = deployment["spec"]["template"]["spec"]["containers"][0]["resources"]
    assert found == yaml.safe_load(yaml.safe_dump(found))
    return found


def test_without_a_wish_it_is_what_was_chosen() -> None:
    assert {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}} == resources()


@pytest.mark.parametrize(
    ("wanted", "requests", "limits"),
    [
        ({"cpu_request": "250m"}, {"cpu": "250m", "memory": "64Mi"}, {"memory": "128Mi"}),
        ({"cpu_limit": "2"}, {"cpu": "100m", "memory": "64Mi"}, {"cpu": "2", "memory": "128Mi"}),
        ({"cpu_limit": "0.05"}, {"cpu": "0.05", "memory": "64Mi"}, {"cpu": "0.05", "memory": "128Mi"}),
        ({"cpu_limit": "0.1"}, {"cpu": "100m", "memory": "64Mi"}, {"cpu": "0.1", "memory": "128Mi"}),
        ({"memory_request": "100Mi"}, {"cpu": "100m", "memory": "100Mi"}, {"memory": "128Mi"}),
        ({"memory_request": "128Mi"}, {"cpu": "100m", "memory": "128Mi"}, {"memory": "128Mi"}),
        ({"memory_request": "1Gi"}, {"cpu": "100m", "memory": "1Gi"}, {"memory": "1Gi"}),
        ({"memory_limit": "1Gi"}, {"cpu": "100m", "memory": "64Mi"}, {"memory": "1Gi"}),
        ({"memory_limit": "48Mi"}, {"cpu": "100m", "memory": "48Mi"}, {"memory": "48Mi"}),
        (
            {"cpu_request": "1", "cpu_limit": "2", "memory_request": "1Gi", "memory_limit": "2Gi"},
            {"cpu": "1", "memory": "1Gi"},
            {"cpu": "2", "memory": "2Gi"},
        ),
    ],
)
def test_a_wish_wins_over_what_was_chosen_and_takes_the_other_one_along_where_they_contradict(
    wanted: dict[str, str], requests: dict[str, str], limits: dict[str, str]
) -> None:
    assert {"requests": requests, "limits": limits} == resources(**wanted)


@pytest.mark.parametrize(
    ("own", "wanted", "expected"),
    [
        ("{requests: {cpu: 500m}}", {"cpu_request": "200m"}, ({"cpu": "200m"}, {})),
        ("{requests: {cpu: 500m}}", {"cpu_limit": "1"}, ({"cpu": "500m"}, {"cpu": "1"})),
        ("{requests: {cpu: 500m}}", {"cpu_limit": "0.5"}, ({"cpu": "500m"}, {"cpu": "0.5"})),
        ("{requests: {cpu: 0.5}}", {"cpu_limit": "500m"}, ({"cpu": 0.5}, {"cpu": "500m"})),
        ("{requests: {cpu: 0.7}}", {"cpu_limit": "700m"}, ({"cpu": 0.7}, {"cpu": "700m"})),
        ("{requests: {cpu: 700m}}", {"cpu_limit": "0.7"}, ({"cpu": "700m"}, {"cpu": "0.7"})),
        ("{requests: {cpu: 500m}}", {"cpu_limit": "250m"}, ({"cpu": "250m"}, {"cpu": "250m"})),
        ("{limits: {cpu: 1}}", {"cpu_request": "1000m"}, ({"cpu": "1000m"}, {"cpu": 1})),
        ("{limits: {cpu: 1}}", {"cpu_request": "1001m"}, ({"cpu": "1001m"}, {"cpu": "1001m"})),
        ("{limits: {cpu: 1}}", {"cpu_request": "250m"}, ({"cpu": "250m"}, {"cpu": 1})),
        ("{limits: {cpu: 1}}", {"cpu_limit": "2"}, ({"cpu": "2"}, {"cpu": "2"})),
        ("{limits: {cpu: 1}, requests: {cpu: 1}}", {"cpu_limit": "2"}, ({"cpu": 1}, {"cpu": "2"})),
    ],
)
def test_a_wish_for_cpu_wins_over_the_file_and_leaves_of_it_what_can_stay(
    own: str, wanted: dict[str, str], expected: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    found = resources(own, **wanted)

    assert expected == tuple(
        {name: value for name, value in found.get(part, {}).items() if name == "cpu"} for part in ("requests", "limits")
    )
    assert {"memory": "64Mi"}.items() <= found["requests"].items()


@pytest.mark.parametrize(
    ("own", "wanted", "expected"),
    [
        ("{requests: {memory: 1Gi}}", {"memory_request": "64Mi"}, ({"memory": "64Mi"}, {})),
        ("{requests: {memory: 1Gi}}", {"memory_limit": "1024Mi"}, ({"memory": "1Gi"}, {"memory": "1024Mi"})),
        ("{requests: {memory: 1Gi}}", {"memory_limit": "512Mi"}, ({"memory": "512Mi"}, {"memory": "512Mi"})),
        ("{limits: {memory: 64Mi}}", {"memory_request": "67108864"}, ({"memory": "67108864"}, {"memory": "64Mi"})),
        ("{limits: {memory: 64Mi}}", {"memory_request": "67108865"}, ({"memory": "67108865"},) * 2),
        ("{limits: {memory: 64Mi}}", {"memory_limit": "128Mi"}, ({"memory": "128Mi"}, {"memory": "128Mi"})),
    ],
)
def test_a_wish_for_memory_wins_over_the_file_and_leaves_of_it_what_can_stay(
    own: str, wanted: dict[str, str], expected: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    found = resources(own, **wanted)

    assert expected == tuple(
        {name: value for name, value in found.get(part, {}).items() if name == "memory"}
        for part in ("requests", "limits")
    )


def test_other_resources_of_the_file_stay() -> None:
    own = "{limits: {ephemeral-storage: 1Gi, nvidia.com/gpu: 1}, requests: {ephemeral-storage: 1Gi}}"
    found = resources(own, cpu_limit="1", memory_limit="1Gi")

    assert {"ephemeral-storage": "1Gi", "nvidia.com/gpu": 1, "cpu": "1", "memory": "1Gi"} == found["limits"]
    assert "1Gi" == found["requests"]["ephemeral-storage"]


@pytest.mark.parametrize(
    ("what", "request_of", "limit"),
    [("cpu", "500m", "0.25"), ("cpu", "2", "1999m"), ("memory", "1Gi", "1G"), ("memory", "1e9", "953Mi")],
)
def test_a_wish_that_contradicts_itself_is_refused_with_both_places(what: str, request_of: str, limit: str) -> None:
    wanted = {f"{what}_request": request_of, f"{what}_limit": limit}
    given_at = {
        f"kubernetes.resources.{what}_request": "aks-spin.toml:7",
        f"kubernetes.resources.{what}_limit": f"--{what}-limit",
    }

    with pytest.raises(UsageError) as caught:
        render(MADE, replace(VALUES, resources=WantedResources(**wanted), given_at=given_at.__getitem__))

    (problem,) = caught.value.problems
    assert (
        f"aks-spin.toml:7: the {what} that a pod asks for is {request_of}, above its limit of {limit} (--{what}-limit)"
    ) == str(problem)
    assert "raise the limit, lower the request, or give only one of them" == problem.hint


@pytest.mark.parametrize(("what", "one", "other"), [("cpu", "500m", "0.5"), ("memory", "1Gi", "1024Mi")])
def test_a_request_that_is_the_limit_is_none_above_it_however_it_is_written(what: str, one: str, other: str) -> None:
    for asked, allowed in ((one, other), (other, one)):
        found = resources(**{f"{what}_request": asked, f"{what}_limit": allowed})
        assert (asked, allowed) == (found["requests"][what], found["limits"][what])


AMOUNTS = st.sampled_from(["", "50m", "0.1", "100m", "0.7", "700m", "1", "1.5", "2e0"])
SIZES = st.sampled_from(["", "64Mi", "67108864", "0.0625Gi", "128Mi", "1G", "1Gi", "1e9"])


FOUR = st.tuples(AMOUNTS, AMOUNTS, SIZES, SIZES)


@given(FOUR, FOUR)
def test_whatever_is_asked_for_over_whatever_file_kubernetes_takes_it(
    wishes: tuple[str, ...], of_file: tuple[str, ...]
) -> None:
    """Wishes are exactly as asked for, and no request is above its limit but where the file itself has it so."""
    wanted = dict(zip(("cpu_request", "cpu_limit", "memory_request", "memory_limit"), wishes, strict=True))
    cpu_request, cpu_limit, memory_request, memory_limit = of_file
    own = {
        "requests": {name: text for name, text in (("cpu", cpu_request), ("memory", memory_request)) if text},
        "limits": {name: text for name, text in (("cpu", cpu_limit), ("memory", memory_limit)) if text},
    }
    if any(above(wanted[f"{what}_request"], wanted[f"{what}_limit"]) for what in ("cpu", "memory")):
        with pytest.raises(UsageError):
            resources(str(own), **wanted)
        return

    found = resources(str(own), **wanted)

    for what in ("cpu", "memory"):
        asked, allowed = found.get("requests", {}).get(what, ""), found.get("limits", {}).get(what, "")
        assert asked == (wanted[f"{what}_request"] or asked)
        assert allowed == (wanted[f"{what}_limit"] or allowed)
        untouched = not wanted[f"{what}_request"] and not wanted[f"{what}_limit"]
        if not (untouched and above(own["requests"].get(what, ""), own["limits"].get(what, ""))):
            assert not above(asked, allowed)


def above(request: str, limit: str) -> bool:
    asked, allowed = quantity(request), quantity(limit)
    return asked is not None and allowed is not None and asked > allowed


# quantities


@given(st.integers(0, 10**7))
def test_thousandths_are_the_same_in_each_way_to_write_them(thousandths: int) -> None:
    whole, rest = divmod(thousandths, 1000)

    expected = Fraction(thousandths, 1000)
    assert [expected] * 3 == [quantity(text) for text in (f"{thousandths}m", f"{whole}.{rest:03}", f"{thousandths}e-3")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.", Fraction(1)),
        (".5", Fraction(1, 2)),
        ("+.5", Fraction(1, 2)),
        ("1.5Gi", Fraction(3 << 29)),
        ("1e-3", Fraction(1, 1000)),
        ("1E3", Fraction(1000)),
        ("1E", Fraction(10**18)),
        ("1Ei", Fraction(1 << 60)),
        (".", None),
        ("+", None),
        ("m", None),
        ("1e", None),
        ("1e999999999", None),
        ("1mi", None),
        ("1Mi1", None),
        ("0x10", None),
        ("\u0661", None),
    ],
)
def test_a_quantity_is_exact(text: str, expected: Fraction | None) -> None:
    assert expected == quantity(text)
