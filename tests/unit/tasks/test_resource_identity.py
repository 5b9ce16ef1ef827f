"""The client id that pods get: the one that was found of the identity that is named, or none at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from spin_aks.context import Context
from spin_aks.errors import SpinAksError
from spin_aks.settings.table import Settings
from spin_aks.tasks import resource_identity

if TYPE_CHECKING:
    from pathlib import Path

ID = "/subscriptions/s/resourceGroups/shop/providers/Microsoft.ManagedIdentity/userAssignedIdentities/app1"


def context(folder: Path, name: str, **told: str) -> Context:
    (folder / "azure.json").write_text(json.dumps({"identity": {"id": ID, **told}}))
    return Context(Settings(identity_name=name), folder)


def test_the_client_id_is_that_of_the_identity_that_is_named(tmp_path: Path) -> None:
    assert "c1" == resource_identity.client_id(context(tmp_path, "APP1", client_id="c1"))


def test_without_an_identity_there_is_none(tmp_path: Path) -> None:
    assert "" == resource_identity.client_id(context(tmp_path, "", client_id="c1"))


@pytest.mark.parametrize(("name", "told"), [("app1", {}), ("app1", {"client_id": ""}), ("app2", {"client_id": "c1"})])
def test_pods_never_get_one_that_is_empty_or_anothers(tmp_path: Path, name: str, told: dict[str, str]) -> None:
    with pytest.raises(SpinAksError) as error:
        resource_identity.client_id(context(tmp_path, name, **told))

    assert f"the client id of identity `{name}` is not known" == error.value.problems[0].what
    assert "spin-aks run resources --refresh" == error.value.problems[0].hint
