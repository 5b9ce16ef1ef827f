"""Turns what the SDK raises into errors that say what, where, why and what to do next.

What Azure refuses is put into words by `refusals.py`, a sign-in that fails by `sign_in_problems.py`.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from spin_aks.azure.unreadable import readable
from spin_aks.azure.wire import ShapeError
from spin_aks.errors import AzureError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from azure.core.exceptions import HttpResponseError

T = TypeVar("T")
D = TypeVar("D")

RERUN = "run the same command again: it takes up where it was"
_LONGEST = 1000
_OTHER_SHAPE = "its JSON is not what Azure answers"


class Kind(Enum):
    """What a refusal is about, for whoever can do something about it."""

    DENIED = "denied"
    UNREGISTERED = "unregistered"
    QUOTA = "quota"
    UNAVAILABLE = "unavailable"
    NAME_TAKEN = "name taken"
    SOFT_DELETED = "soft-deleted"
    BUSY = "busy"
    BEING_DELETED = "being deleted"
    THROTTLED = "throttled"
    EXPIRED = "expired"
    WRONG_TENANT = "wrong tenant"
    WRONG_CLOUD = "wrong cloud"
    NOT_FOUND = "not found"
    EXISTS = "exists"
    NO_PRINCIPAL = "no such principal"
    POLICY = "policy"
    LOCKED = "locked"
    DISABLED = "disabled"
    STOPPED = "stopped"
    BROKEN = "broken"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is no success: `codes` are Azure's own words, the outermost first; `message` is one line.

    `retry_after_s` is 0 where Azure does not say; `url` has no query.
    """

    status: int
    codes: tuple[str, ...]
    message: str
    retry_after_s: float = 0.0
    url: str = ""

    @property
    def code(self) -> str:
        return self.codes[0] if self.codes else ""

    def says(self, *words: str) -> bool:
        """Whether one of these codes is among its own."""
        mine = {code.lower() for code in self.codes}
        return any(word.lower() in mine for word in words)


class Reading(NamedTuple):
    """`what` goes after "can't TASK: "; `where` is empty for the place that was asked about; `said` shows the words."""

    kind: Kind
    what: str
    hint: str
    where: str = ""
    said: bool = False


class AzureRefusalError(AzureError):
    """Azure answered, and said no; `answer` has its own words."""

    def __init__(
        self, kind: Kind, answer: Answer, what: str, *, where: str = "", why: str = "", hint: str = ""
    ) -> None:
        super().__init__(what, where=where, why=why, hint=hint)
        self.kind = kind
        self.answer = answer


class AzureUnreachableError(AzureError):
    """No answer, or half of one: what was asked for may or may not have been begun."""


class AzureStrangeError(AzureUnreachableError):
    """What answered is not Azure, or not as it is known here."""


class SignInError(AzureError):
    """Nobody is signed in, or the sign-in was refused."""


@contextmanager
def reported(task: str, where: str = "", *, tenant: str = "") -> Iterator[None]:
    """Raises an AzureError for whatever the SDK raises inside. `task` goes after "can't": `create cluster "shop"`."""
    from azure.core import exceptions

    try:
        with readable():
            yield
    except ShapeError as error:
        raise _strange(_OTHER_SHAPE, task, where) from error
    except exceptions.AzureError as error:
        raise in_words(error, task, where, tenant=tenant) from error


def or_none(look: Callable[[], T]) -> T | None:
    """What `look` gives, or None where Azure has no such resource, not even its group, or a subscription that is not
    registered for the service; raises AzureError.
    """
    try:
        return look()
    except AzureRefusalError as error:
        not_there = error.answer.status == 404 and not error.answer.says("SubscriptionNotFound")
        if not_there or error.kind is Kind.UNREGISTERED:
            return None
        raise


def if_registered(look: Callable[[], T], otherwise: D) -> T | D:
    """What `look` gives, or `otherwise` where the subscription is not registered for the service: it has nothing of it
    then, and names nothing. Raises AzureError.
    """
    try:
        return look()
    except AzureRefusalError as error:
        if error.kind is Kind.UNREGISTERED:
            return otherwise
        raise


def in_words(error: Exception, task: str, where: str = "", *, tenant: str = "") -> AzureError:
    """The error that says what `error`, raised by the SDK, means."""
    from azure.core import exceptions

    from spin_aks.azure import refusals, sign_in_problems, unreachable

    if isinstance(error, exceptions.DecodeError) and (error.status_code or 0) < 400:
        from spin_aks.azure.pipeline import OtherShapeError

        found = _OTHER_SHAPE if isinstance(error, OtherShapeError) else "it does not speak JSON"
        return _strange(found, task, where, why=_heard(error.response))
    if isinstance(error, exceptions.HttpResponseError) and error.response is not None:
        return refusals.refusal(answer_of(error), task, where, tenant=tenant)
    if isinstance(error, exceptions.ClientAuthenticationError):
        return sign_in_problems.sign_in_failed(str(error.message), tenant)
    return unreachable.unreachable(error, task, where)


def _strange(found: str, task: str, where: str, *, why: str = "") -> AzureStrangeError:
    what = f"can't {task}: what answered is not Azure, for {found}"
    hint = "a proxy, or the sign-in page of a network, may stand in its place: check HTTPS_PROXY"
    return AzureStrangeError(what, where=where, why=why, hint=hint)


def _heard(response: Any) -> str:
    """What was asked and what kind of thing came back; nothing of its content, which may be secret."""
    request = getattr(response, "request", None)
    if request is None:
        return ""
    kind = str(response.headers.get("content-type") or "no type").partition(";")[0]
    url = str(request.url).partition("?")[0]
    return f"{request.method} {url} was answered with {response.status_code} and {kind}"


def answer_of(error: HttpResponseError) -> Answer:
    """What Azure said, in any of the forms that its services have for it."""
    from azure.core import exceptions

    response: Any = error.response
    document = _document(error)
    codes = tuple(dict.fromkeys(_codes(document)))
    message = document.get("message") or document.get("detail")
    if not message:
        message = response.text() if isinstance(error, exceptions.DecodeError) else error.message or error.reason or ""
    headers = {str(name).lower(): str(value) for name, value in response.headers.items()}
    url = str(getattr(response.request, "url", "")).partition("?")[0]
    status = int(error.status_code or 0)
    return Answer(status, codes, one_line(str(message)), _seconds(headers), url)


def one_line(text: str) -> str:
    """A service's words on one line, without what it adds for its own support."""
    joined = " ".join(text.split())
    return joined if len(joined) <= _LONGEST else f"{joined[:_LONGEST]}..."


def _document(error: HttpResponseError) -> dict[str, Any]:
    """The innermost `error` object of the answer: ARM and Key Vault nest it, ACR has a list, a failed operation a
    status with it inside.
    """
    import json

    response: Any = error.response
    try:
        found = json.loads(response.text())
    except (ValueError, TypeError):
        return {}
    if isinstance(found, dict) and isinstance(found.get("errors"), list) and found["errors"]:
        found = found["errors"][0]
    if isinstance(found, dict) and isinstance(found.get("error"), dict):
        found = found["error"]
    return found if isinstance(found, dict) else {}


def _codes(document: dict[str, Any]) -> Iterator[str]:
    code = document.get("code")
    if isinstance(code, str) and code:
        yield code
    for name in ("innererror", "innerError"):
        inner = document.get(name)
        if isinstance(inner, dict):
            yield from _codes(inner)
    details = document.get("details")
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict):
            yield from _codes(detail)


def _seconds(headers: dict[str, str]) -> float:
    for name, unit_s in (("retry-after-ms", 0.001), ("x-ms-retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return float(headers[name]) * unit_s
        except (KeyError, ValueError):
            continue
    return 0.0
