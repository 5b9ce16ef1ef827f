"""What is told before a run: what nobody reads, and an overlay that is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.settings.loaded import load
from spin_aks.settings.notices import notices, others_of

if TYPE_CHECKING:
    from pathlib import Path

    from spin_aks.errors import Problem


def told(here: Path, variables: dict[str, str], **flags: str) -> list[tuple[str, str]]:
    def both(problem: Problem) -> tuple[str, str]:
        return str(problem), problem.hint

    return [both(problem) for problem in notices(load(flags, variables, here), variables)]


def test_where_all_is_read_there_is_nothing_to_tell(tmp_path: Path) -> None:
    (tmp_path / "aks-spin.toml").write_text('[image]\nform = "rootfs"\n')

    assert [] == told(tmp_path, {"SPIN_AKS_IMAGE_TAG": "git", "SPIN_AKS_SANDBOX": "1", "SPIN_BIN_PATH": "/x"})


def test_a_variable_that_nobody_reads_is_told_with_the_nearest(tmp_path: Path) -> None:
    assert [("SPIN_AKS_IMAGE_FROM: nobody reads this variable", "did you mean `SPIN_AKS_IMAGE_FORM`?")] == told(
        tmp_path, {"SPIN_AKS_IMAGE_FROM": "x"}
    )


def test_what_this_version_does_not_read_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "aks-spin.toml").write_text('[redis_trigger]\n\nname = "my-redis"\n[secrets]\ntoken = "a-token"\n')

    assert [
        ("SPIN_AKS_REDIS_TRIGGER_SUBSCRIPTION: `redis_trigger.subscription` is not read by this version", ""),
        ("aks-spin.toml:3: `redis_trigger.name` is not read by this version", ""),
        ("aks-spin.toml:5: `secrets.token` is not read by this version", ""),
    ] == told(tmp_path, {"SPIN_AKS_REDIS_TRIGGER_SUBSCRIPTION": "00000000-0000-0000-0000-000000000000"})


def test_an_environment_without_an_overlay_is_told_where_others_have_one(tmp_path: Path) -> None:
    for name in ("aks-spin.toml", "aks-spin.staging.toml", "aks-spin.production.toml", "spin.toml"):
        (tmp_path / name).touch()

    what = "`aks-spin.toml` alone holds for this environment"
    assert [(f"there is no `aks-spin.stagng.toml`: {what}", "did you mean `-e staging`?")] == told(
        tmp_path, {}, environment="stagng"
    )
    assert [(f"there is no `aks-spin.x1.toml`: {what}", "there are overlays for production, staging")] == told(
        tmp_path, {}, environment="x1"
    )
    assert [] == told(tmp_path, {}, environment="staging")
    assert [] == told(tmp_path, {})


def test_an_environment_without_an_overlay_is_nothing_to_tell_where_none_has_one(tmp_path: Path) -> None:
    (tmp_path / "aks-spin.toml").touch()

    assert [] == told(tmp_path, {}, environment="staging")
    assert () == others_of(load({}, {}, tmp_path).files)
