"""What may be made in Azure: shown, allowed by flag or answer, refused with the flag that would have allowed it."""

from __future__ import annotations

import pytest

from spin_aks import prompts
from spin_aks.azure.arm import ResourceId
from spin_aks.consent import Consent
from spin_aks.errors import AzureError
from spin_aks.tasks.making import Missing, allow, questions

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"


def missing(what: str, name: str, *, hint: str = "", recovers: bool = False) -> Missing:
    resource = ResourceId.of(SUBSCRIPTION, "shop", "Microsoft.Some/things", name)
    return Missing(what, resource, (f"{name} in shop", "and more"), AzureError(f"no {name}", hint=hint), recovers)


VAULT, STORE = missing("keyvault", "vault1"), missing("store", "redis1", hint="there are others")
DELETED = missing("keyvault", "vault2", recovers=True)


def test_what_was_asked_for_is_shown_and_made_without_a_question(capsys: pytest.CaptureFixture[str]) -> None:
    allow(Consent(create=frozenset({"keyvault", "store"})), [VAULT, STORE])

    shown = ["to be made in Azure: vault1 in shop", "  and more", "to be made in Azure: redis1 in shop", "  and more"]
    assert shown == capsys.readouterr().err.splitlines()


def test_all_that_nobody_allows_is_told_with_its_flag(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(AzureError) as raised:
        allow(Consent(), [VAULT, STORE, DELETED])

    told = [(problem.what, problem.hint) for problem in raised.value.problems]
    assert [
        ("no vault1", "`--create-keyvault` makes `vault1`"),
        ("no redis1", "there are others; `--create-store` makes `redis1`"),
        ("no vault2", "`--recover-keyvault` recovers `vault2`"),
    ] == told
    assert 6 == len(capsys.readouterr().err.splitlines())


def test_to_make_a_vault_is_not_to_recover_one() -> None:
    create, recover = Consent(create=frozenset({"keyvault"})), Consent(recover=frozenset({"keyvault"}))

    assert (True, False) == (VAULT.allowed(create), DELETED.allowed(create))
    assert (False, True) == (VAULT.allowed(recover), DELETED.allowed(recover))


def test_what_is_new_and_what_was_deleted_are_asked_apart() -> None:
    assert [
        "That costs money. Make vault `vault1` and store `redis1`?",
        "Recover vault `vault2`, with all that is in it?",
    ] == list(questions([VAULT, DELETED, STORE]))
    assert ["That costs money. Make store `redis1`?"] == list(questions([STORE]))
    assert ["Make identity `app1`?"] == list(questions([missing("identity", "app1")]))


@pytest.mark.parametrize(
    ("answers", "asked", "fails"), [([True, True], 2, False), ([True, False], 2, True), ([False], 1, True)]
)
def test_each_question_has_to_be_answered_with_yes(
    monkeypatch: pytest.MonkeyPatch, answers: list[bool], asked: int, fails: bool
) -> None:
    heard: list[str] = []

    def answer(question: str, *, default: bool) -> bool:
        assert default is False
        heard.append(question)
        return answers[len(heard) - 1]

    monkeypatch.setattr(prompts, "confirm", answer)
    raised = ""
    try:
        allow(Consent(ask=True), [VAULT, DELETED])
    except AzureError as error:
        raised = str(error)

    assert (asked, fails) == (len(heard), "no vault1" in raised)
