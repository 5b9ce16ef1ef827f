"""Resource providers: a subscription must be registered for a service before it can make anything of it.

https://learn.microsoft.com/azure/azure-resource-manager/management/resource-providers-and-types
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from spin_aks import clock
from spin_aks.azure import wire
from spin_aks.azure.arm import same
from spin_aks.azure.operations import SAY_EVERY_S, duration, left_going
from spin_aks.azure.problems import RERUN, AzureRefusalError, Kind, reported
from spin_aks.errors import AzureError
from spin_aks.side_by_side import side_by_side

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from azure.mgmt.resource.resources import ResourceManagementClient

    from spin_aks.azure.operations import Watch
    from spin_aks.azure.session import Session

CLUSTER = ("Microsoft.ContainerService", "Microsoft.Compute", "Microsoft.Network", "Microsoft.ManagedIdentity")
"""What a cluster is made of. Without `Microsoft.Network` AKS begins, and fails half-way (Azure/azure-cli#6327,
MicrosoftLearning/mslearn-azure-ai#195). Everything else needs its own namespace only.
"""

LONGEST_S = 180.0
FIRST_LOOK_S = 1.0
LOOK_EVERY_S = 5.0
REGISTERED = "Registered"
REGISTERING = "Registering"


@dataclass(frozen=True, slots=True)
class Provider:
    """`state` is `Registered`, `Registering`, `NotRegistered`, `Unregistering` or `Unregistered`."""

    subscription: str
    namespace: str
    state: str

    @property
    def registered(self) -> bool:
        return same(self.state, REGISTERED)

    @property
    def registering(self) -> bool:
        return same(self.state, REGISTERING)

    @property
    def command(self) -> str:
        """How somebody else registers it."""
        return f"az provider register --namespace {self.namespace} --subscription {self.subscription} --wait"


def get(session: Session, subscription: str, namespace: str) -> Provider:
    """Raises AzureError."""
    task, where = f"see whether `{namespace}` is registered", f"/subscriptions/{subscription}"
    with reported(task, where, tenant=session.tenant):
        found = wire.document(_client(session, subscription).providers.get(namespace))
    return Provider(subscription, namespace, wire.text(found, "registrationState"))


def lacking(session: Session, wanted: Iterable[tuple[str, str]]) -> tuple[Provider, ...]:
    """Those of `wanted` (subscription, namespace) that are not registered, asked side by side.

    What whoever signed in may not look at, a cloud does not know, or an answer does not tell, is left out. Raises
    AzureError.
    """

    def look(one: tuple[str, str]) -> Provider | None:
        try:
            return get(session, *one)
        except AzureRefusalError as error:
            if error.kind not in (Kind.DENIED, Kind.NOT_FOUND):
                raise
            return None

    found = side_by_side(look, dict.fromkeys(wanted))
    return tuple(one for one in found if one is not None and one.state and not one.registered)


def register(session: Session, wanted: Sequence[Provider], watch: Watch) -> None:
    """Registers them, side by side, and waits until they are; those that are being registered already, by whomever, are
    only waited for. After three minutes some region is not done, rarely the one that is meant: nobody should wait for
    all of them, as Microsoft has it, and what is made next will tell. Raises AzureError, for all that whoever signed in
    may not register at once.
    """
    left, begun = tuple(wanted), {one for one in wanted if one.registering}
    task = f"register {_listed(left)}"
    how = "it is registering already, waiting for that" if len(begun) == len(left) else "begun"
    start_s = said_s = clock.monotonic_s()
    pause_s = FIRST_LOOK_S
    with left_going(watch, task):
        begun |= _begin(session, [one for one in left if one not in begun])
        watch.progress(f"{task}: {how}")
        while left:
            waited_s = clock.monotonic_s() - start_s
            if waited_s > LONGEST_S:
                _check_begun([one for one in left if one not in begun], waited_s)
                watch.progress(f"register {_listed(left)}: not everywhere after {duration(waited_s)}, going on")
                return
            if clock.monotonic_s() - said_s >= SAY_EVERY_S:
                said_s = clock.monotonic_s()
                watch.progress(f"register {_listed(left)}: {duration(waited_s)} so far")
            clock.sleep(pause_s)
            pause_s = min(2 * pause_s, LOOK_EVERY_S)
            left = _still(session, left)
            begun |= _begin(session, [one for one in left if one not in begun])


def _check_begun(refused: Sequence[Provider], waited_s: float) -> None:
    """Raises AzureError for those that something else stood in the way of, all the time."""
    if refused:
        what = f"can't register {_listed(refused)}: something else is being done to that for {duration(waited_s)} now"
        raise AzureError(what, where=f"/subscriptions/{refused[0].subscription}", hint=RERUN)


def _still(session: Session, left: Sequence[Provider]) -> tuple[Provider, ...]:
    """Those of them that are not registered even now."""
    now = side_by_side(lambda one: get(session, one.subscription, one.namespace), left)
    return tuple(one for one, found in zip(left, now, strict=True) if not found.registered)


def _begin(session: Session, wanted: Sequence[Provider]) -> set[Provider]:
    """Asks to register each; gives those of which Azure took it. One that is in conflict with what goes on is for
    another time.
    """

    def ask(one: Provider) -> AzureError | None:
        task, where = f"register the subscription for `{one.namespace}`", f"/subscriptions/{one.subscription}"
        try:
            with reported(task, where, tenant=session.tenant):
                _client(session, one.subscription).providers.register(one.namespace)
        except AzureError as error:
            return error
        return None

    answers = tuple(zip(wanted, side_by_side(ask, wanted), strict=True))
    refused = [(one, error) for one, error in answers if error is not None and not _in_conflict(error)]
    if refused:
        raise _may_not(refused)
    return {one for one, error in answers if error is None}


def _in_conflict(error: AzureError) -> bool:
    """Whether something else that is being done to the registration stands in the way."""
    return isinstance(error, AzureRefusalError) and error.answer.status == 409 and error.kind in (Kind.BUSY, Kind.OTHER)


def _may_not(refused: Sequence[tuple[Provider, AzureError]]) -> AzureError:
    """All that was refused, each with the command for somebody else; who can grant the right is said once."""
    first = refused[0][1]
    problems = []
    for one, error in refused:
        problem = error.problems[0]
        hints = [problem.hint] if error is first and problem.hint else []
        if isinstance(error, AzureRefusalError) and error.kind is Kind.DENIED:
            hints.insert(0, f"a Contributor or Owner of the subscription can do it: `{one.command}`")
        problems.append(replace(problem, hint="; or ".join(hints)))
    first.problems = tuple(problems)
    return first


def _listed(wanted: Sequence[Provider]) -> str:
    """The subscriptions, each with what it is to be registered for."""
    subscriptions = dict.fromkeys(one.subscription for one in wanted)
    parts = []
    for subscription in subscriptions:
        names = [f"`{one.namespace}`" for one in wanted if one.subscription == subscription]
        parts.append(f"the subscription `{subscription}` for {enumerated(names)}")
    return " and ".join(parts)


def enumerated(names: Sequence[str]) -> str:
    """As `a, b and c`."""
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def _client(session: Session, subscription: str) -> ResourceManagementClient:
    from azure.mgmt.resource.resources import ResourceManagementClient

    return session.client(ResourceManagementClient, subscription)
