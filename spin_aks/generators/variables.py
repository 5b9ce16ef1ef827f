"""Spin's application variables as environment variables of a pod."""

from __future__ import annotations

import re

_EXPANDED = re.compile(r"\$(?=[$(])")


def environment_name(prefix: str, variable: str) -> str:
    """The environment variable from which Spin takes `variable`; `prefix` is the target runtime's."""
    return prefix + variable.upper()


def environment_value(value: str) -> str:
    """`value` as a pod's `env` must have it to arrive unchanged: Kubernetes expands `$(NAME)` and makes `$$` one `$`.

    https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
    """
    return _EXPANDED.sub("$$", value)
