"""How a blob is sent to registries of all kinds; the odd ones are played, the common one is real (test_push.py)."""

from __future__ import annotations

import os
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest
from testbed.odd_registry import OddRegistry, odd_registry

from spin_aks.errors import RegistryError, SpinAksError
from spin_aks.oci.image import Blob, FilePart
from spin_aks.oci.patience import Patience
from spin_aks.oci.reference import Reference
from spin_aks.oci.registry import Registry
from spin_aks.oci.upload import CHUNK_BYTES, PIECE_BYTES, Upload, name_of, size, verified

if TYPE_CHECKING:
    from pathlib import Path

QUICK = Patience(attempts=3, first_s=0.001, most_s=0.002)
BYTES = os.urandom(9_000_001)
BLOB = Blob.of("x/y", [BYTES[:5], BYTES[5:]])


def unchecked() -> None:
    return


def send(registry: OddRegistry, blob: Blob = BLOB, patience: Patience = QUICK) -> list[str]:
    """What was said while the blob was sent."""
    said: list[str] = []
    with Registry(Reference(registry.host, "team/app"), "pull,push", patience=patience, notice=said.append) as client:
        Upload(client, blob, unchecked).run()
    return said


def test_a_small_blob_goes_in_the_last_request() -> None:
    with odd_registry(OddRegistry()) as registry:
        send(registry, Blob.of("x/y", [b"small"]))

    assert registry.methods() == ["POST", "PUT"]
    assert list(registry.blobs.values()) == [b"small"]


@pytest.mark.parametrize("is_relative", [True, False])
def test_a_large_blob_goes_in_one_patch_wherever_its_location_points(is_relative: bool) -> None:
    with odd_registry(OddRegistry(has_relative_locations=is_relative)) as registry:
        send(registry)

    assert registry.methods() == ["POST", "PATCH", "PUT"]
    assert [length for _, _, length in registry.requests] == [0, len(BYTES), 0]
    assert registry.blobs[BLOB.digest] == BYTES


def test_a_registry_that_takes_itself_for_https_is_spoken_to_as_before() -> None:
    registry = OddRegistry()
    with odd_registry(registry):
        registry.names_itself = f"https://{registry.host}"
        send(registry)

    assert registry.blobs[BLOB.digest] == BYTES


def test_a_broken_upload_goes_on_where_the_registry_says() -> None:
    odd = OddRegistry(tells_offset=True, breaks_after_bytes=5_000_000, breaks_left=1)
    with odd_registry(odd) as registry:
        said = send(registry)

    sent = [(method, length) for method, _, length in registry.requests if method in ("PATCH", "POST")]
    assert sent == [("POST", 0), ("PATCH", 9_000_001), ("PATCH", 4_000_001)]
    assert registry.blobs[BLOB.digest] == BYTES
    assert f"{name_of(BLOB)}: going on after 5.0 MB" in said


def test_progress_is_not_counted_as_failure() -> None:
    odd = OddRegistry(tells_offset=True, breaks_after_bytes=1_000_000, breaks_left=7)
    with odd_registry(odd) as registry:
        send(registry)

    assert registry.breaks_left == 0
    assert registry.blobs[BLOB.digest] == BYTES


def test_a_broken_upload_starts_anew_where_the_registry_says_nothing() -> None:
    odd = OddRegistry(breaks_after_bytes=5_000_000, breaks_left=2)
    with odd_registry(odd) as registry:
        send(registry)

    sent = [(method, length) for method, _, length in registry.requests if method in ("PATCH", "POST")]
    assert sent == [("POST", 0), ("PATCH", 9_000_001)] * 3
    assert registry.blobs[BLOB.digest] == BYTES


def test_an_upload_that_always_breaks_is_given_up() -> None:
    odd = OddRegistry(breaks_after_bytes=5_000_000, breaks_left=1000)
    with odd_registry(odd) as registry, pytest.raises(RegistryError, match=r"broke half way .*, 3 times$"):
        send(registry)

    assert registry.methods().count("PATCH") == 3


@pytest.mark.parametrize("status", [413, 416])
def test_what_is_too_large_for_one_request_goes_in_pieces(status: int) -> None:
    odd = OddRegistry(most_bytes_a_request=CHUNK_BYTES, too_large_status=status)
    with odd_registry(odd) as registry:
        said = send(registry)

    taken = [length for method, _, length in registry.requests if method == "PATCH"][1:]
    assert taken == [CHUNK_BYTES, CHUNK_BYTES, len(BYTES) - 2 * CHUNK_BYTES]
    assert registry.blobs[BLOB.digest] == BYTES
    assert said == [f"`{registry.host}` finds {name_of(BLOB)} too large for one request: sending it in pieces"]


def test_what_is_too_large_even_in_pieces_is_refused() -> None:
    with odd_registry(OddRegistry(most_bytes_a_request=1000)) as registry, pytest.raises(RegistryError) as refused:
        send(registry)

    # Python 3.13 has 413's newer name: RFC 9110.
    phrase = HTTPStatus(413).phrase
    assert f"`{registry.host}` answered 413 {phrase} to {name_of(BLOB)}, 3 times" in str(refused.value)


def test_pieces_go_on_after_a_broken_connection() -> None:
    odd = OddRegistry(most_bytes_a_request=CHUNK_BYTES, tells_offset=True, breaks_after_bytes=1000, breaks_left=1)
    with odd_registry(odd) as registry:
        send(registry)

    assert registry.methods().count("POST") == 2
    assert registry.blobs[BLOB.digest] == BYTES


def test_a_registry_that_drops_a_second_patch_gets_all_in_one() -> None:
    odd = OddRegistry(drops_later_patches=True, tells_offset=True, breaks_after_bytes=5_000_000, breaks_left=1)
    with odd_registry(odd) as registry:
        send(registry)

    assert registry.blobs[BLOB.digest] == BYTES


def test_a_busy_registry_is_waited_for_as_long_as_it_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("spin_aks.clock.sleep", waits.append)
    busy = [(429, {"Retry-After": "7"}), (503, {"Retry-After": "9"})]
    with odd_registry(OddRegistry(instead=busy)) as registry:
        said = send(registry)

    assert waits == [7.0, 9.0]
    assert said == [
        f"`{registry.host}` answered 429 Too Many Requests; trying again in 7 s",
        f"`{registry.host}` answered 503 Service Unavailable; trying again in 9 s",
    ]


def test_a_registry_that_asks_for_too_much_time_is_not_waited_for() -> None:
    busy = [(429, {"Retry-After": "3600"})]
    with odd_registry(OddRegistry(instead=busy)) as registry, pytest.raises(RegistryError) as refused:
        send(registry)

    assert str(refused.value) == (
        f"http://{registry.host}/v2/team/app/blobs/uploads/: `{registry.host}` answered 429 Too Many Requests, "
        "and asks to wait 3600 s"
    )


def test_a_registry_that_computes_another_digest_is_not_believed() -> None:
    wrong = f"sha256:{'0' * 64}"
    with odd_registry(OddRegistry(wrong_digest=wrong)) as registry, pytest.raises(RegistryError) as refused:
        send(registry)

    assert f"`{registry.host}` stored {wrong} instead of {BLOB.digest}" in str(refused.value)


def test_bytes_that_changed_are_never_completed() -> None:
    other = replace(BLOB, digest=f"sha256:{'0' * 64}")
    with odd_registry(OddRegistry()) as registry, pytest.raises(SpinAksError, match="changed since the image was made"):
        send(registry, other)

    assert "PUT" not in registry.methods()
    assert registry.blobs == {}


@pytest.mark.parametrize("skip", [0, 1, PIECE_BYTES, 6_000_000, len(BYTES)])
def test_all_but_the_skipped_bytes_are_given_in_pieces(skip: int) -> None:
    pieces = list(verified(BLOB, skip, unchecked))

    assert b"".join(pieces) == BYTES[skip:]
    assert {len(piece) for piece in pieces[:-1]} <= {PIECE_BYTES}


def test_bytes_that_changed_are_never_given_whole(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(BYTES)
    blob = Blob.of("x/y", [FilePart(tmp_path / "a", len(BYTES))])
    (tmp_path / "a").write_bytes(BYTES[:-1] + b"!")
    given = bytearray()

    with pytest.raises(SpinAksError) as changed:
        given.extend(byte for piece in verified(blob, 0, unchecked) for byte in piece)

    assert len(given) < len(BYTES)
    assert str(changed.value) == (
        f"`{tmp_path}/a` changed since the image was made: {name_of(blob)} would be another one"
    )


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (37_000_000, "37.0 MB"),
        (1 << 30, "1.1 GB"),
        (5 * 10**12, "5000.0 GB"),
    ],
)
def test_sizes_are_given_in_decimal_units(size_bytes: int, text: str) -> None:
    assert size(size_bytes) == text
