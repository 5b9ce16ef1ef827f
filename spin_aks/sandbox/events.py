"""Events about objects: one for each cause, counted when it comes again, forgotten after an hour."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from spin_aks.sandbox import kinds, moments
from spin_aks.sandbox.api import Write
from spin_aks.sandbox.documents import number, text
from spin_aks.sandbox.objects import Key
from spin_aks.sandbox.status import ApiError

if TYPE_CHECKING:
    from spin_aks.sandbox.api import Api
    from spin_aks.sandbox.documents import Document
    from spin_aks.sandbox.objects import Store

KEPT_S = 3600.0
AGAIN_S = 5.0


def record(api: Api, component: str, about: Document, reason: str, message: str, *, warning: bool = False) -> None:
    """Nothing happens if the object's namespace is about to go, or the same was said a moment ago."""
    metadata = about["metadata"]
    uid, name, namespace = (text(metadata, field) for field in ("uid", "name", "namespace"))
    cause = hashlib.sha256(f"{uid} {reason} {message}".encode()).hexdigest()[:16]
    key = Key(kinds.EVENT, namespace, f"{name}.{cause}")
    moment = moments.now()
    known = api.store.get(key)
    if known is not None:
        if moments.seconds_since(text(known, "lastTimestamp")) >= AGAIN_S:
            count = number(known, "count") + 1
            api.change(key, Write(component), lambda event: event.update({"lastTimestamp": moment, "count": count}))
        return
    involved: Document = {
        "kind": about["kind"],
        "apiVersion": about["apiVersion"],
        "namespace": namespace,
        "name": name,
        "uid": uid,
        "resourceVersion": text(metadata, "resourceVersion"),
    }
    body: Document = {
        "involvedObject": involved,
        "reason": reason,
        "message": message,
        "type": "Warning" if warning else "Normal",
        "count": 1,
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "source": {"component": component},
        "reportingComponent": component,
        "reportingInstance": "",
    }
    try:
        api.create(key, {"metadata": {"name": key.name, "namespace": namespace}, **body}, Write(component))
    except ApiError:
        return


def forget_old(store: Store) -> None:
    for event in store.all_of(kinds.EVENT):
        if moments.seconds_since(text(event, "lastTimestamp")) > KEPT_S:
            store.delete(Key(kinds.EVENT, text(event, "metadata", "namespace"), text(event, "metadata", "name")))
