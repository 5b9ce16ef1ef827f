from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spin_aks.generators.resources import (
    MIB,
    Form,
    Resources,
    compiled_in_pod,
    fails_below,
    quantity_bytes,
    resources,
)

PYTHON, SMALL = 37_000_000, 2_700_000


@pytest.mark.parametrize(
    ("form", "size", "expected"),
    [
        ("rootfs", PYTHON, Resources("384Mi", "480Mi")),
        ("rootfs", SMALL, Resources("96Mi", "128Mi")),
        ("artifact", PYTHON, Resources("96Mi", "160Mi")),
        ("artifact", SMALL, Resources("64Mi", "128Mi")),
    ],
)
def test_memory_clears_what_was_measured_for_form_and_size(form: Form, size: int, expected: Resources) -> None:
    assert expected == resources(form, [size])


def test_the_components_sizes_add_up() -> None:
    assert resources("rootfs", [PYTHON]) == resources("rootfs", [PYTHON - SMALL, SMALL])


def test_an_artifact_that_the_runtime_can_t_compile_ahead_needs_what_a_rootfs_image_needs() -> None:
    assert compiled_in_pod("artifact", compiles_ahead=False)
    assert not compiled_in_pod("artifact", compiles_ahead=True)
    assert resources("rootfs", [PYTHON]) == resources("artifact", [PYTHON], compiles_ahead=False)


def test_what_was_seen_to_fail_is_known_to_fail_and_what_was_seen_to_run_is_not() -> None:
    assert 256 * MIB <= fails_below("rootfs", [PYTHON]) < 384 * MIB
    assert 64 * MIB <= fails_below("rootfs", [SMALL]) < 96 * MIB
    assert 0 == fails_below("artifact", [PYTHON])


@given(st.lists(st.integers(0, 10**9), max_size=5), st.sampled_from(["rootfs", "artifact"]), st.booleans())
def test_what_is_asked_for_is_never_what_is_known_to_fail(sizes: list[int], form: Form, ahead: bool) -> None:
    asked = resources(form, sizes, compiles_ahead=ahead)
    request, limit = quantity_bytes(asked.memory_request), quantity_bytes(asked.memory_limit)

    assert request is not None
    assert limit is not None
    assert fails_below(form, sizes, compiles_ahead=ahead) < request <= limit


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        ("64Mi", 64 * MIB),
        ("1Gi", 1024 * MIB),
        ("1.5G", 1_500_000_000),
        ("128974848", 128_974_848),
        ("129e6", 129_000_000),
        ("1E", 10**18),
        ("400m", 0),
        (".5Ki", 512),
        ("", None),
        ("64MB", None),
        ("64 Mi", None),
        ("-1", None),
        ("lots", None),
    ],
)
def test_a_quantity_is_read_as_kubernetes_reads_it(quantity: str, expected: int | None) -> None:
    assert expected == quantity_bytes(quantity)
