"""What nobody gave, said with every way to give it."""

from __future__ import annotations

import pytest

from spin_aks.errors import Problem
from spin_aks.settings import missing
from spin_aks.settings.table import EVERY_ROW


@pytest.mark.parametrize(
    ("key", "ways"),
    [
        (
            "container_registry.server",
            "give `--registry HOST[:PORT][/PREFIX]`, `SPIN_AKS_CONTAINER_REGISTRY_SERVER` or "
            "`container_registry.server` in aks-spin.toml",
        ),
        (
            "variables.api_host",
            "give `--variable api_host=VALUE`, `SPIN_AKS_VARIABLES_API_HOST` or `variables.api_host` in aks-spin.toml",
        ),
        (
            "image.form",
            "give `--form auto|artifact|rootfs`, `SPIN_AKS_IMAGE_FORM` or `image.form` in aks-spin.toml",
        ),
        ("redis_trigger.name", "give `SPIN_AKS_REDIS_TRIGGER_NAME` or `redis_trigger.name` in aks-spin.toml"),
        ("secrets.api", "give `SPIN_AKS_SECRETS_API` or `secrets.api` in aks-spin.toml"),
        ("store.my-a.kind", "give `SPIN_AKS_STORE_MY_A_KIND` or `store.my-a.kind` in aks-spin.toml"),
    ],
)
def test_flag_variable_and_key_are_named(key: str, ways: str) -> None:
    assert ways == missing.ways(key)


def test_another_way_out_is_added() -> None:
    ways = missing.ways("image.form")

    problem = missing.missing("image.form", "no form is named", where="spin.toml:1", more="or try it")

    assert Problem("no form is named", "spin.toml:1", f"{ways}; or try it", "image.form") == problem


@pytest.mark.parametrize("row", [row for row in EVERY_ROW if row.key and row.variable], ids=lambda row: row.key)
def test_every_key_that_can_be_missing_has_its_ways(row: object) -> None:
    key = str(getattr(row, "key")).replace("<name>", "a").replace("<label>", "a")  # noqa: B009 - it has no type here

    assert missing.ways(key).startswith("give `")
    assert f"`{key}` in aks-spin.toml" in missing.ways(key)
