from __future__ import annotations

import pytest

from spin_aks.errors import SpinAksError
from spin_aks.oci.pushed import Pushed, PushedLayer
from spin_aks.oci.reference import Reference

DIGEST = f"sha256:{'a' * 64}"
PUSHED = Pushed(
    Reference("127.0.0.1:5000", "team/app", "v1", DIGEST), DIGEST, "rootfs", (PushedLayer(DIGEST, "x/y", 7, True),)
)


def test_a_push_is_written_as_the_command_prints_it() -> None:
    assert PUSHED.to_json() == {
        "reference": f"127.0.0.1:5000/team/app:v1@{DIGEST}",
        "digest": DIGEST,
        "form": "rootfs",
        "layers": [{"digest": DIGEST, "media_type": "x/y", "size_bytes": 7, "sent": True}],
    }


def test_a_push_is_read_as_it_was_written() -> None:
    assert Pushed.from_json(PUSHED.to_json()) == PUSHED


@pytest.mark.parametrize("change", [{"layers": [1]}, {"layers": 1}, {"digest": 1}, {"reference": None}])
def test_what_is_no_record_of_a_push_is_refused(change: dict[str, None]) -> None:
    with pytest.raises(SpinAksError, match="this is no record of a"):
        Pushed.from_json(PUSHED.to_json() | change)
