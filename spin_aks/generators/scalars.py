"""What YAML without quotes means to kubectl: the scalars of YAML 1.1, without its dates and its base 60.

By sigs.k8s.io/yaml, goyaml.v2/resolve.go, whose dates end as text in JSON: `yes` is a boolean, and `0400` is 256.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spin_aks.json_types import JSON

_TRUE = frozenset({"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})
_FALSE = frozenset({"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"})
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_INTEGER = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL_FLOAT = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


def reads_as_itself(text: str) -> bool:
    """Whether `text`, written without quotes, is text to every reader of YAML 1.1 or 1.2."""
    try:
        return resolved(text) == text and text != "=" and not text.lower().startswith(("0o", "0x", "0b"))
    except ValueError:
        return False


def resolved(plain: str) -> JSON:
    """What a scalar without quotes is to kubectl; raises ValueError for infinity and NaN, which JSON has not."""
    if plain in _TRUE or plain in _FALSE:
        return plain in _TRUE
    if plain in _NULL:
        return None
    digits = plain.replace("_", "") if plain[0] in "+-0123456789" else plain
    if _INTEGER.fullmatch(digits):
        return _integer(digits.lower())
    if _FLOAT.fullmatch(digits):
        number = float(digits)
    elif _SPECIAL_FLOAT.fullmatch(plain):
        number = math.nan
    else:
        return plain
    if not math.isfinite(number):
        raise ValueError(f"`{plain}` has no place in a Kubernetes object")
    return number


def _integer(digits: str) -> int:
    sign, number = (-1, digits[1:]) if digits[0] == "-" else (1, digits.removeprefix("+"))
    if number[:2] in {"0x", "0b", "0o"} or number == "0" or number[0] != "0":
        return sign * int(number, 0)
    return sign * int(number, 8)
