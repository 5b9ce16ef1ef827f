"""What the repository of an application is called where nobody names one; the grammar is in `reference`."""

from __future__ import annotations

import re

from spin_aks.errors import UsageError


def repository_of(application: str) -> str:
    """The repository for an application of that name: lower case, what no repository may hold turned into `-`."""
    name = re.sub(r"[^a-z0-9]+", "-", application.lower()).strip("-")
    if not name:
        raise UsageError(f"no repository can be named after `{application}`", hint="name one: `--repository NAME`")
    return name
