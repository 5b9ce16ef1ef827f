"""The cluster's controllers in one thread: after each change they look at everything once, and again while it moves."""

from __future__ import annotations

import sqlite3
import threading
from typing import TYPE_CHECKING

from spin_aks.sandbox import deployments, events, garbage, jobs, kinds, nodes, pods, replica_sets
from spin_aks.sandbox.api import Write
from spin_aks.sandbox.documents import at, items, text
from spin_aks.sandbox.objects import ExpiredError
from spin_aks.sandbox.status import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from spin_aks.sandbox.api import Api
    from spin_aks.sandbox.documents import Document
    from spin_aks.sandbox.pods import ImageProblem, Pods

MOVING_S = 0.03
STUCK_S = 0.2
AT_REST_S = 60.0
LOAD_BALANCER_ADDRESS = "127.0.0.1"
WRITE_STATUS = Write("cloud-controller-manager", "status")


class Controllers:
    """Works from construction until `stop`."""

    def __init__(self, api: Api, image_problem: ImageProblem) -> None:
        self._api = api
        self._pods = pods.Pods(api, image_problem)
        self._stopping = threading.Event()
        nodes.provide(api)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close the store first: it ends the waiting for changes."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                seen = self._api.store.version
                step(self._api, self._pods)
                self._wait(seen)
            except sqlite3.Error:
                if not self._api.store.closed:
                    # A full disk: what could not be written is tried again.
                    self._stopping.wait(1.0)

    def _wait(self, seen: int) -> None:
        try:
            self._api.store.changes(seen, AT_REST_S if is_settled(self._api) else STUCK_S)
        except ExpiredError:
            return
        self._stopping.wait(MOVING_S)


def step(api: Api, simulated: Pods) -> None:
    """Every controller's next step for every object."""
    events.forget_old(api.store)
    _each(lambda _: garbage.empty_namespaces(api), [{}])
    _each(lambda _: garbage.collect(api), [{}])
    _each(lambda item: deployments.reconcile(api, item), api.store.all_of(kinds.DEPLOYMENT))
    _each(lambda item: replica_sets.reconcile(api, item), api.store.all_of(kinds.REPLICA_SET))
    _each(lambda item: jobs.reconcile(api, item), api.store.all_of(kinds.JOB))
    waiting = [item for item in api.store.all_of(kinds.POD) if not pods.is_settled(item)]
    _each(simulated.reconcile, waiting)
    simulated.forget({text(item, "metadata", "uid") for item in waiting})
    _each(lambda item: _give_address(api, item), api.store.all_of(kinds.SERVICE))


def _each(act: Callable[[Document], None], objects: list[Document]) -> None:
    """What is refused (somebody else was faster) is looked at again in the next step."""
    for item in objects:
        try:
            act(item)
        except ApiError:
            continue


def is_settled(api: Api) -> bool:
    """Whether nothing will change before somebody changes something."""
    looked_at = (
        (kinds.DEPLOYMENT, deployments.is_settled),
        (kinds.REPLICA_SET, replica_sets.is_settled),
        (kinds.JOB, jobs.is_settled),
        (kinds.POD, pods.is_settled),
    )
    is_emptying = any(at(item, "metadata", "deletionTimestamp") for item in api.store.all_of(kinds.NAMESPACE))
    return not is_emptying and all(settled(item) for kind, settled in looked_at for item in api.store.all_of(kind))


def _give_address(api: Api, service: Document) -> None:
    """A LoadBalancer's address; taken back when the Service is none any more."""
    wanted: list[Document] = []
    if text(service, "spec", "type") == "LoadBalancer":
        wanted = [{"ip": LOAD_BALANCER_ADDRESS, "ipMode": "VIP"}]
    if items(service, "status", "loadBalancer", "ingress") != wanted:
        inside: Document = {"ingress": [*wanted]} if wanted else {}
        key = deployments.key_of(service, kinds.SERVICE)
        api.change(key, WRITE_STATUS, lambda document: document.update({"status": {"loadBalancer": inside}}))
