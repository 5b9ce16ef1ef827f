from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest
from kubernetes_validate import utils

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session", autouse=True)
def schemas_read_once() -> Iterator[None]:
    """kubernetes_validate reads megabytes of schemas anew for each object; it changes nothing in them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utils, "schema_contents", cache(utils.schema_contents))
        yield
