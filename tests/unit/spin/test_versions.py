from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spin_aks.errors import UsageError
from spin_aks.spin.versions import (
    NEWEST_RUNTIME,
    NEWEST_SPIN,
    RUNTIMES,
    Version,
    first_runtime,
    runtime,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3.6.3", Version(3, 6, 3)),
        ("v2.0.0", Version(2)),
        ("3.6", Version(3, 6)),
        ("4", Version(4)),
        ("4.1.0-pre0", Version(4, 1, 0, "pre0")),
        ("3.0.0-rc.1+abc", Version(3, 0, 0, "rc.1")),
    ],
)
def test_a_version_is_read_as_people_write_it(text: str, expected: Version) -> None:
    assert expected == Version.parse(text)


@pytest.mark.parametrize("text", ["", "x", "1.2.3.4", "canary", "-1", "1..2", "\u0663.0.0"])
def test_what_is_no_version_is_refused_by_name(text: str) -> None:
    with pytest.raises(UsageError, match="is not a version"):
        Version.parse(text)


def test_versions_are_ordered_as_semver_orders_them() -> None:
    in_order = [
        "1.0.0",
        "1.5.1",
        "2.0.0-alpha",
        "2.0.0-alpha.1",
        "2.0.0-rc.2",
        "2.0.0-rc.10",
        "2.0.0",
        "2.10.0",
        "10.0.0",
    ]

    assert in_order == [str(version) for version in sorted(Version.parse(text) for text in reversed(in_order))]


@given(st.tuples(*[st.integers(0, 10**6)] * 3), st.from_regex(r"\A(|pre[0-9]|rc\.[0-9]{1,3})\Z"))
def test_a_version_is_written_as_it_is_read(numbers: tuple[int, int, int], pre: str) -> None:
    version = Version(*numbers, pre)

    assert version == Version.parse(str(version))


def test_the_newest_shim_runs_spin_3_6_3_although_spin_is_at_4() -> None:
    assert NEWEST_RUNTIME.shim == "0.24.0"
    assert NEWEST_RUNTIME.spin == Version(3, 6, 3)
    assert NEWEST_SPIN == Version(4, 0, 2)
    assert first_runtime(Version(4)) is None


def test_shims_and_their_spins_only_ever_get_newer() -> None:
    versions = [row.version for row in RUNTIMES]

    assert versions == sorted(set(versions))
    assert [row.spin for row in RUNTIMES] == sorted(row.spin for row in RUNTIMES)
    assert [row.date[:7] for row in RUNTIMES] == sorted(row.date[:7] for row in RUNTIMES)


# shim: Spin, manifests, prefix, several trigger types, artifact, ahead, runtime-config, listen address
ROWS = {
    "0.3.0": ("0.4.0", {1}, "", False, "none", False, "", False),
    "0.5.1": ("1.0.0", {1}, "", False, "none", False, "", False),
    "0.8.0": ("1.4.0", {1}, "", False, "none", False, "", False),
    "0.9.2": ("1.5.0", {1}, "SPIN_CONFIG_", False, "none", False, "", False),
    "0.9.3": ("2.0.0", {1, 2}, "SPIN_VARIABLE_", False, "none", False, "", False),
    "0.10.0": ("2.0.1", {1, 2}, "SPIN_VARIABLE_", False, "wasm-only", False, "/runtime-config.toml", False),
    "0.12.0": ("2.2.0", {1, 2}, "SPIN_VARIABLE_", False, "full", False, "/runtime-config.toml", False),
    "0.13.1": ("2.3.1", {1, 2}, "SPIN_VARIABLE_", False, "full", True, "/runtime-config.toml", False),
    "0.14.1": ("2.4.3", {1, 2}, "SPIN_VARIABLE_", True, "full", True, "/runtime-config.toml", False),
    "0.15.1": ("2.6.0", {1, 2}, "SPIN_VARIABLE_", True, "full", True, "/runtime-config.toml", True),
    "0.17.0": ("3.0.0", {1, 2}, "SPIN_VARIABLE_", True, "full", True, "/runtime-config.toml", True),
    "0.24.0": ("3.6.3", {1, 2}, "SPIN_VARIABLE_", True, "full", True, "/runtime-config.toml", True),
}


@pytest.mark.parametrize("shim", ROWS)
def test_what_each_shim_can_do(shim: str) -> None:
    row = runtime(shim)

    assert ROWS[shim] == (
        str(row.spin),
        set(row.manifest_versions),
        row.variable_prefix,
        row.multiple_trigger_types,
        row.artifact,
        row.compiles_ahead,
        row.runtime_config_path,
        row.listen_address_variable,
    )


@pytest.mark.parametrize(
    ("shim", "triggers"),
    [
        ("0.8.0", "http"),
        ("0.9.0", "http redis"),
        ("0.11.1", "http redis sqs"),
        ("0.14.0", "command http redis sqs"),
        ("0.16.0", "command http mqtt redis sqs"),
        ("0.24.0", "command http mqtt redis sqs"),
    ],
)
def test_which_triggers_each_shim_has(shim: str, triggers: str) -> None:
    assert triggers == " ".join(sorted(runtime(shim).triggers))


def test_health_was_elsewhere_before_spin_0_7() -> None:
    assert runtime("0.3.0").health_path == "/healthz"
    assert runtime("0.4.0").health_path == "/.well-known/spin/health"


@pytest.mark.parametrize(("asked", "nearest"), [("0.25.0", "0.24.0"), ("0.14.7", "0.14.1"), ("0.0.1", "0.1.0")])
def test_an_unknown_shim_is_refused_with_the_nearest(asked: str, nearest: str) -> None:
    with pytest.raises(UsageError) as refused:
        runtime(asked)

    assert str(refused.value) == f"no containerd-shim-spin `{asked}` is known"
    assert f"the nearest known is `{nearest}`" in refused.value.problems[0].hint


def test_a_shim_may_be_named_without_its_last_number() -> None:
    assert runtime("v0.24") is NEWEST_RUNTIME
