"""Answers that Azure's SDKs can't read: a proxy's page, half of a document, JSON of another shape."""

from __future__ import annotations

import json
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_READING = (AttributeError, IndexError, KeyError, TypeError, ValueError)
_THEIRS = ("azure.", "msal.", "msal")


@contextmanager
def readable() -> Iterator[None]:
    """Raises the SDK's DecodeError, or OtherShapeError, for whatever the SDK trips over inside.

    It takes an answer's shape for granted. What code of ours raises stays as it is: that is a defect.
    """
    try:
        yield
    except _READING as error:
        if not _is_theirs(error):
            raise
        from azure.core.exceptions import DecodeError

        from spin_aks.azure.pipeline import OtherShapeError

        raise (DecodeError() if isinstance(error, json.JSONDecodeError) else OtherShapeError()) from error


def _is_theirs(error: BaseException) -> bool:
    """Whether it comes from the SDK, or from what that calls, and from no code of ours that the SDK calls."""
    names = [str(frame.f_globals.get("__name__", "")) for frame, _ in traceback.walk_tb(error.__traceback__)]
    ours = max((number for number, name in enumerate(names) if name.partition(".")[0] == "spin_aks"), default=-1)
    return any(name.startswith(_THEIRS) for name in names[ours + 1 :])
