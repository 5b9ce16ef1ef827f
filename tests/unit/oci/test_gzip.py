from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spin_aks.oci.gzip import stored


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_it_unpacks_to_what_went_in_however_that_was_cut(chunks: list[bytes]) -> None:
    whole = b"".join(chunks)

    packed = b"".join(stored(chunks))

    assert whole == gzip.decompress(packed)
    assert packed == b"".join(stored([whole]))


@pytest.mark.parametrize("length", [0, 1, 65534, 65535, 65536, 2 * 65535, 200_000])
def test_blocks_end_where_they_must(length: int) -> None:
    assert bytes(length) == gzip.decompress(b"".join(stored([bytes(length)])))


def test_nothing_gives_these_bytes() -> None:
    assert bytes.fromhex("1f8b08000000000000ff 010000ffff 00000000 00000000") == b"".join(stored([]))
