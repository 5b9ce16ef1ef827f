"""What Azure's refusals mean in words: the missing right and who can grant it, the quota, the name that is taken, ...

Codes of the Resource Manager: https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors,
of Key Vault: https://learn.microsoft.com/azure/key-vault/general/rest-error-codes. Each reading of an answer gives a
Reading, or None if the answer is about something else; the first that gives one is right.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from spin_aks.azure import aks_power, rights
from spin_aks.azure.problems import RERUN, Answer, AzureRefusalError, Kind, Reading
from spin_aks.azure.sign_in_problems import log_in

if TYPE_CHECKING:
    from collections.abc import Callable


def refusal(answer: Answer, task: str, where: str = "", *, tenant: str = "") -> AzureRefusalError:
    """The error for an answer that nobody expected; `task` goes after "can't", `where` is the resource's id."""
    for read in _READINGS:
        if (found := read(answer, tenant)) is not None:
            why = answer.message if found.said else ""
            what = f"can't {task}: {found.what}"
            hint = _filled(found.hint, task, where)
            return AzureRefusalError(found.kind, answer, what, where=found.where or where, why=why, hint=hint)
    # A long operation that fails is told of by a poll, which is answered with 200.
    heard = "Azure gave up" if answer.status == 200 else f"Azure answered {answer.status}"
    code = f" ({answer.code})" if answer.code else ""
    what = f"can't {task}: {heard}{code}: {answer.message or 'it does not say why'}"
    return AzureRefusalError(Kind.OTHER, answer, what, where=where)


_NAMED_SECRET = re.compile(r"secret `([^`]+)`")


def _filled(hint: str, task: str, where: str) -> str:
    """The hint with the names that are known: of the vault that was asked, and of the secret."""
    name = urlsplit(where).netloc.partition(".")[0] or where.rstrip("/").rpartition("/")[2]
    secret = _NAMED_SECRET.search(task)
    filled = hint.replace("VAULT", name) if name else hint
    return filled.replace("--name NAME", f"--name {secret[1]}") if secret else filled


_NAMESPACE = re.compile(r"namespace '([^']+)'")
_SUBSCRIPTION = re.compile(r"/subscriptions/([^/?]+)", re.IGNORECASE)


def _unregistered(answer: Answer, _tenant: str) -> Reading | None:
    if not answer.says("MissingSubscriptionRegistration", "MissingRegistrationForType"):
        return None
    found, subscription = _NAMESPACE.search(answer.message), _SUBSCRIPTION.search(answer.url)
    namespace = found[1] if found else "NAMESPACE"
    named = f" --subscription {subscription[1]}" if subscription else ""
    hint = f"a Contributor or Owner can register it: `az provider register --namespace {namespace}{named} --wait`"
    return Reading(Kind.UNREGISTERED, f"the subscription is not registered for `{namespace}`", hint)


_QUOTA_CODES = (
    "QuotaExceeded",
    "ErrCode_InsufficientVCPUQuota",
    "InsufficientVCPUQuota",
    "InsufficientQuota",
    "ResourceQuotaExceeded",
    "SubscriptionQuotaExceeded",
    "PublicIPCountLimitReached",
    "ResourceCountExceedsLimitDueToTemplate",
    "MaxRegistriesExceeded",
    "ServiceQuotaExceeded",
)
_NO_ROOM = (
    "SkuNotAvailable",
    "AllocationFailed",
    "ZonalAllocationFailed",
    "OverconstrainedAllocationRequest",
    "VMSizeNotSupported",
    "VMSizeNotAvailable",
    "LocationNotAvailableForResourceType",
    "NoRegisteredProviderFound",
    "ServiceUnavailable",
    "RegionalCapacityExceeded",
    "AKSCapacityError",
    "AKSCapacityHeavyUsage",
)


MORE_ROOM = (
    "ask for more (`az quota`, or Quotas in the portal), or choose another region (`--location`), a smaller size "
    "(`--node-size`) or fewer nodes (`--node-count`)"
)
"""What to do where a quota does not suffice."""


def _quota(answer: Answer, _tenant: str) -> Reading | None:
    said_so = answer.status < 429 and "quota" in answer.message.lower() and "exceed" in answer.message.lower()
    if answer.says(*_QUOTA_CODES) or said_so:
        return Reading(Kind.QUOTA, "it exceeds a quota of the subscription", MORE_ROOM, said=True)
    if answer.says(*_NO_ROOM) and answer.status < 500:
        hint = (
            "choose another region (`--location`) or size (`--node-size`): `az vm list-skus --location REGION` shows "
            "what there is"
        )
        return Reading(Kind.UNAVAILABLE, "the region does not offer it, or has no room for it", hint, said=True)
    return None


def _deleted(answer: Answer, _tenant: str) -> Reading | None:
    if answer.says("ObjectIsDeletedButRecoverable"):
        what = "a secret of that name was deleted and can still be recovered; its name is free once it is purged"
        hint = (
            "`az keyvault secret recover --vault-name VAULT --name NAME`, or `az keyvault secret purge` with the same"
        )
        return Reading(Kind.SOFT_DELETED, what, hint)
    if answer.says("ConflictError", "VaultAlreadySoftDeleted") and "deleted state" in answer.message:
        what = "a vault of that name was deleted and can still be recovered; its name is free once it is purged"
        hint = "`az keyvault recover --name VAULT`, or `az keyvault purge --name VAULT`"
        return Reading(Kind.SOFT_DELETED, what, hint)
    return None


_TAKEN = (
    "VaultAlreadyExists",
    "AlreadyInUse",
    "NameNotAvailable",
    "DatabaseAccountAlreadyExists",
    "DnsRecordInUse",
    "AccountNameAlreadyExists",
    "DnsRecordIsTaken",
)


def _taken(answer: Answer, _tenant: str) -> Reading | None:
    words = ("already in use", "already exists under another", "already taken", "is already taken")
    if answer.says(*_TAKEN) or (answer.status in (400, 409) and any(word in answer.message for word in words)):
        hint = "such names are shared by everybody in Azure: choose another"
        return Reading(Kind.NAME_TAKEN, "somebody has that name already", hint, said=True)
    return None


_BUSY = (
    "AnotherOperationInProgress",
    "ConcurrentModification",
    "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity",
    "EtagMismatch",
    "ResourceNotInReadyState",
    "ParentResourceNotReady",
    "InProgress",
    "ObjectIsBeingDeleted",
    "ObjectIsBeingRecovered",
    "ResourceNotReady",
    "PreconditionFailed",
)
_GOING = ("ResourceGroupBeingDeleted", "ResourceBeingDeleted", "GroupBeingDeleted", "ObjectIsBeingDeleted")


def _busy(answer: Answer, _tenant: str) -> Reading | None:
    if answer.says(*_GOING):
        what = "it, or the resource group around it, is being deleted"
        return Reading(Kind.BEING_DELETED, what, "wait until it is gone, then run the same command again", said=True)
    if answer.status not in (400, 409, 412):
        return None
    message = answer.message.lower()
    in_progress = "in progress" in message or "is being" in message or "provisioning state" in message
    if answer.says(*_BUSY) or in_progress:
        what = "something else is being done to it right now"
        return Reading(Kind.BUSY, what, "wait until that is done, then run the same command again", said=True)
    return None


def _exists(answer: Answer, _tenant: str) -> Reading | None:
    if answer.says("RoleAssignmentExists"):
        return Reading(Kind.EXISTS, "the role was assigned already", "")
    if "was not found in the AAD tenant" in answer.message or answer.says(
        "PrincipalNotFound", "PrincipalTypeNotSupported", "InvalidPrincipalId"
    ):
        what = "the identity is not known yet where roles are assigned"
        return Reading(Kind.NO_PRINCIPAL, what, f"one that is new takes minutes to be known: {RERUN}", said=True)
    return None


def _throttled(answer: Answer, _tenant: str) -> Reading | None:
    if answer.status != 429 and not answer.says("TooManyRequests", "SubscriptionRequestsThrottled", "Throttled"):
        return None
    after = f", and asks to wait {answer.retry_after_s:.0f} s" if answer.retry_after_s else ""
    wait = f"in {answer.retry_after_s:.0f} s" if answer.retry_after_s else "in a few minutes"
    return Reading(Kind.THROTTLED, f"Azure gets too many requests{after}", f"run the same command again {wait}")


def _missing(answer: Answer, tenant: str) -> Reading | None:
    if answer.says("SubscriptionNotFound", "InvalidSubscriptionId"):
        hint = (
            f"`az account list --output table` shows yours; `{log_in(tenant or 'TENANT')}` for those of another tenant"
        )
        return Reading(Kind.NOT_FOUND, "whoever signed in sees no such subscription", hint, said=True)
    if answer.status != 404:
        return None
    if answer.says("ResourceGroupNotFound"):
        hint = "`az group list --output table` shows those of the subscription"
        return Reading(Kind.NOT_FOUND, "there is no such resource group", hint)
    return Reading(Kind.NOT_FOUND, "there is no such resource", "check its name, group and subscription")


def _broken(answer: Answer, _tenant: str) -> Reading | None:
    if answer.status < 500 and answer.status != 408:
        return None
    what = f"Azure itself fails ({answer.status}{' ' + answer.code if answer.code else ''})"
    hint = "https://azure.status.microsoft says whether it is known; run the same command again later"
    return Reading(Kind.BROKEN, what, hint, said=True)


_READINGS: tuple[Callable[[Answer, str], Reading | None], ...] = (
    rights.token,
    _throttled,
    rights.denied,
    rights.vault_denied,
    rights.forbidden_by_rules,
    _unregistered,
    _deleted,
    _quota,
    _taken,
    _exists,
    aks_power.refused,
    _busy,
    _missing,
    _broken,
)
