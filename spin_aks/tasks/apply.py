"""The stage `apply`: apply, prune, and wait until the rollout is healthy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks import files, terminal
from spin_aks.cluster.kubeconfig import Target, contexts, target
from spin_aks.errors import ClusterError, Problem, SpinAksError, UsageError
from spin_aks.tasks import choice, resources
from spin_aks.tasks.render import namespace, payload
from spin_aks.tasks.stage import Stage, existing

if TYPE_CHECKING:
    from pathlib import Path

    from spin_aks.cluster.applied import Applied
    from spin_aks.cluster.connection import Cluster
    from spin_aks.context import Context
    from spin_aks.kubernetes_object import KubernetesObject

# A load balancer of Azure's has its address after a minute or so.
ADDRESS_WITHIN_S = 120.0

# What the stages before have made sure of, each a cause of a silent end of the shim (seen with shim 0.24.0).
RULED_OUT = (
    "a wasm file that is missing, empty or none",
    "files or globs that the shim can't mount",
    "a source that the pod would have to fetch",
    "a required variable without a value",
    "a trigger, or a field of the manifest, that this shim does not know",
    "a key-value or database label that nobody configured",
    "a runtime-config.toml that is broken, has a key that this Spin does not know, or names files that the pod lacks",
)


def stage(context: Context) -> Stage:
    return Stage(
        name="apply",
        doc="apply, prune, wait until the rollout is healthy",
        action=lambda: _apply(context),
        depends_on=("push", "render", *_azure(context)),
        files=lambda: existing([context.state("rendered.yaml"), *_told_by_azure(context)]),
        values={"cluster": _cluster(context), "app.name": context.settings.name or None},
        targets=(context.state("applied.json").as_posix(),),
        observed=lambda: context.observed().cluster,
        requires=lambda: _requirements(context),
        ready=lambda: _look_at_cluster(context),
    )


def applied(context: Context) -> Applied | None:
    """What the last run applied, if there was one."""
    from spin_aks.cluster.applied import Applied

    document = files.read_json(context.state("applied.json"))
    return Applied.from_json(document) if document else None


def drift(context: Context, *, refresh: bool = False) -> tuple[str, ...]:
    """What the cluster no longer holds as applied, in sentences; nothing where another cluster is meant by now.

    A private one is asked only for a `refresh`: that takes longer than all the rest of a run with nothing to do.
    """
    from spin_aks.tasks import azure_cluster

    last = applied(context)
    if last is None or last.target.identity != (azure_cluster.identity(context) or _cluster(context)):
        return ()
    if azure_cluster.is_private(context) and not refresh:
        terminal.say("the cluster is private, and was not asked whether all is as it was; `--refresh` asks it")
        return ()
    from spin_aks.cluster.observe import observe

    try:
        return observe(_connect(context), last).sentences
    except ClusterError:
        _look_at_cluster(context)  # a stopped one is not reached, either
        raise


def _azure(context: Context) -> tuple[str, ...]:
    """What Azure has to have ready first."""
    if resources.cluster(context) is None and not context.settings.identity_name:
        return ()
    from spin_aks.tasks import access

    return (resources.NAME, access.NAME) if access.is_wanted(context) else (resources.NAME,)


def _told_by_azure(context: Context) -> tuple[Path, ...]:
    """The file that tells one cluster of that name from the one that was there before."""
    return () if resources.cluster(context) is None else (context.state("azure.json"),)


def _connect(context: Context) -> Cluster:
    if resources.cluster(context) is not None:
        from spin_aks.tasks import azure_cluster

        return azure_cluster.connect(context)
    from spin_aks.cluster.connection import connect

    return connect(context.settings.kubeconfig, context.settings.context)


def _cluster(context: Context) -> str:
    """Which cluster is meant; empty if none can be told, which `requires` explains."""
    named = resources.cluster(context)
    if named is not None:
        return f"AKS {named.name.lower()}"  # which one of that name, `T/azure.json` tells
    try:
        return _target(context).identity
    except UsageError:
        return ""


def _requirements(context: Context) -> tuple[Problem, ...]:
    if resources.cluster(context) is not None:
        return ()
    try:
        _target(context)
    except UsageError as error:
        return tuple(_with_ways(problem, context) for problem in error.problems)
    return ()


def _look_at_cluster(context: Context) -> None:
    """Before anything is built or pushed for it; raises AzureError."""
    if resources.cluster(context) is not None:
        from spin_aks.tasks import azure_cluster

        azure_cluster.check_running(context)


def _with_ways(problem: Problem, context: Context) -> Problem:
    """Where there is nothing to choose from, the problem's own hint says what there is to do."""
    if not problem.key:
        return problem
    try:
        known = ", ".join(f"`{one.name}`" for one in contexts(context.settings.kubeconfig))
    except UsageError:
        return problem
    if not known:
        return problem
    from spin_aks.settings.missing import missing

    more = f"there are {known}; or name an AKS cluster with `--cluster NAME`"
    return missing(problem.key, problem.what, where=problem.where, more=more)


def _target(context: Context) -> Target:
    return target(context.settings.kubeconfig, context.settings.context, remembered=_remembered(context))


def _remembered(context: Context) -> Target | None:
    """Where the last run applied to, without what it applied: a run with nothing to do needs no more."""
    match files.read_json(context.state("applied.json")):
        case {"cluster": {"source": str(source), "identity": str(identity)}}:
            return Target(source, identity)
    return None


def _apply(context: Context) -> None:
    from spin_aks.cluster import rollout
    from spin_aks.cluster.apply import apply
    from spin_aks.cluster.explain import Background
    from spin_aks.generators.names import kubernetes_name
    from spin_aks.tasks import outputs

    cluster = _connect(context)
    done = apply(
        cluster,
        _objects(context),
        application=kubernetes_name(context.application.name),
        namespace=namespace(context),
        previous=applied(context),
        progress=terminal.say,
        force=context.consent.force,
        environment=context.owner,
    )
    settled = rollout.wait(
        cluster,
        done,
        timeout_s=context.settings.timeout_s,
        progress=terminal.say,
        background=Background(RULED_OUT, choice.choose(context).form, payload(context).resources.memory_limit),
    )
    files.write_json(context.state("applied.json"), {**settled.to_json(), "address": _address(cluster, settled)})
    outputs.remember_deployed(context, settled)


def _address(cluster: Cluster, settled: Applied) -> str:
    """Where the application is reached from outside; empty, with a word why, if nobody can reach it from there yet."""
    from spin_aks.cluster.address import reach

    services = [item.key for item in settled.objects if item.key.kind == "Service"]
    mine = next((key for key in services if key.namespace == settled.namespace), None)
    if mine is None:
        return ""
    found = reach(cluster, mine, timeout_s=ADDRESS_WITHIN_S, progress=terminal.say)
    if found.note:
        terminal.say(found.note)
    return found.url


def _objects(context: Context) -> list[KubernetesObject]:
    from spin_aks.kubernetes_object import KubernetesObject

    match files.read_json(context.state("rendered.json")):
        case {"objects": list(bodies)}:
            where = str(context.state("rendered.json"))
            return [KubernetesObject.of(body, where=where) for body in bodies if isinstance(body, dict)]
    raise SpinAksError("there is nothing rendered to apply", hint="spin-aks run render")
