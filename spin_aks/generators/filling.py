"""What an application's container gets from its environment: image, variables, memory and CPU, number of pods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.errors import Problem, SpinAksError
from spin_aks.generators.resources import quantity
from spin_aks.generators.variables import environment_name, environment_value
from spin_aks.generators.workloads import SCALED, table, template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spin_aks.generators.render import RenderValues
    from spin_aks.generators.workloads import Container
    from spin_aks.json_types import JSON, JSONObject


def fill(container: Container, values: RenderValues) -> None:
    """Changes the container, and the workload around it, in place."""
    container.body["image"] = values.image
    if values.variables:
        _set_variables(container, values)
    _set_resources(container, values)
    start = template(container.document)
    if values.replicas is not None and start and container.document.at("kind") in SCALED:
        table(container.document, start[:-1])["replicas"] = values.replicas


def without_value(container: Container, values: RenderValues) -> Iterator[Problem]:
    """The required variables that the container names and has no value for: it would get an empty one."""
    required = {environment_name(values.variable_prefix, name): name for name in values.required}
    for index, entry in enumerate(_entries(container)):
        name = required.get(str(entry.get("name")))
        if name and entry.get("value") is None and entry.get("valueFrom") is None:
            what = f"the variable `{name}` is required and has no value"
            yield Problem(what, container.where("env", index), f"give it one: `--variable {name}=VALUE`")


def _set_variables(container: Container, values: RenderValues) -> None:
    given = {
        environment_name(values.variable_prefix, name): environment_value(value)
        for name, value in sorted(values.variables.items())
    }
    entries: list[JSON] = []
    for entry in _entries(container):
        name = entry.get("name")
        entries.append({"name": name, "value": given.pop(name)} if isinstance(name, str) and name in given else entry)
    for name, value in given.items():
        entries.append({"name": name, "value": value})
    container.body["env"] = entries


def _entries(container: Container) -> list[JSONObject]:
    entries = container.at("env")
    if entries is None:
        return []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise SpinAksError("`env` has to be a list of names and values", where=container.where("env"))
    return [entry for entry in entries if isinstance(entry, dict)]


def _set_resources(container: Container, values: RenderValues) -> None:
    """Memory and CPU are taken each as a whole: beside a request of their own, people don't want a limit of ours."""
    requests = dict(table(container.document, (*container.pointer, "resources", "requests")))
    limits = dict(table(container.document, (*container.pointer, "resources", "limits")))
    chosen = values.payload.resources
    if "cpu" not in requests and "cpu" not in limits:
        requests["cpu"] = chosen.cpu_request
    if "memory" not in requests and "memory" not in limits:
        requests["memory"], limits["memory"] = chosen.memory_request, chosen.memory_limit
    wanted = values.resources
    _take("cpu", wanted.cpu_request, wanted.cpu_limit, requests, limits)
    _take("memory", wanted.memory_request, wanted.memory_limit, requests, limits)
    own = table(container.document, (*container.pointer, "resources"))
    own.update({"requests": requests, "limits": limits})
    for name in ("requests", "limits"):
        if not own[name]:
            del own[name]


def _take(name: str, request: str, limit: str, requests: JSONObject, limits: JSONObject) -> None:
    """What was asked for wins; of the other of both, what would contradict it gives way: Kubernetes refuses a request
    above the limit.
    """
    if limit:
        limits[name] = limit
        requests[name] = request or _smaller(requests.get(name, limit), limit)
    elif request:
        requests[name] = request
        if name in limits and _exceeds(request, limits[name]):
            limits[name] = request


def _smaller(request: JSON, limit: str) -> JSON:
    return limit if _exceeds(request, limit) else request


def _exceeds(request: JSON, limit: JSON) -> bool:
    asked, allowed = quantity(str(request)), quantity(str(limit))
    return asked is None or allowed is None or asked > allowed
