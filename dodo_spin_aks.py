"""The pipeline: from spin.toml to a running deployment, every stage in the order it runs in.

    validate      is the application sound, and can its target run it?
    build:NAME    compile each component that is stale                          -> its .wasm
    bundle        gather exactly what the image holds, remote sources checked   -> T/bundle.json
    dockerfile    the Dockerfile, for whoever builds with Docker                -> ./Dockerfile
    image         make the image, reproducibly                                  -> T/image.json
    resources     find in Azure what is named there, or make it                 -> T/azure.json
    push          send what the registry lacks                                  -> T/push.json
    secrets       (comes with Key Vault: variables that nobody may read)
    access        who may pull, and who may use the vault's secrets             -> T/access.json
    manifests     Kubernetes files that people keep and edit                    -> ./manifests/
    render        exactly what is applied, with the image's digest              -> T/rendered.yaml
    apply         apply, prune, wait until the rollout is healthy               -> T/applied.json
    up            all of it

T is `.spin-aks/<environment>/`. A stage is stale when a file, a value or a target of it is not as it left it, when the
cluster no longer holds what was applied, or when a stage before it is stale. Run by `spin-aks up`, or by plain doit:
`doit -f "$(spin-aks pipeline-file)" -d .` on the same state, with inputs from the environment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doit.exceptions import InvalidDodoFile

from spin_aks import context as contexts
from spin_aks import terminal
from spin_aks.errors import SpinAksError
from spin_aks.tasks import apply, build, bundle, dockerfile, image, manifests, push, render, resources, validate
from spin_aks.tasks.action import guarded
from spin_aks.tasks.stage import as_doit
from spin_aks.tasks.watch import watched

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from spin_aks.context import Context
    from spin_aks.tasks.stage import Stage

FINAL = "up"


def __dir__() -> list[str]:
    return [*globals(), "DOIT_CONFIG"]


def __getattr__(name: str) -> object:
    """DOIT_CONFIG, which only plain doit asks for (it takes the members of this module): which database it is, the
    configuration says.
    """
    if name != "DOIT_CONFIG":
        raise AttributeError(name)
    try:
        database = contexts.current().database
    except SpinAksError as error:
        raise _for_doit(error) from error
    return {"backend": "durable", "dep_file": str(database), "default_tasks": [FINAL], "verbosity": 2}


def _for_doit(error: SpinAksError) -> InvalidDodoFile:
    """What doit shows behind an `ERROR: ` of its own, and ends with 3 as we do."""
    return InvalidDodoFile("\n".join(terminal.lines_of(error)).removeprefix("error: "))


def stages(context: Context) -> Iterator[Stage]:
    """Every stage in order; each stands after those it depends on."""
    yield validate.stage(context)
    yield from build.stages(context)
    yield bundle.stage(context)
    yield dockerfile.stage(context)
    yield image.stage(context)
    in_azure = resources.in_azure(context)
    if in_azure:
        yield resources.stage(context)
    yield push.stage(context)
    if in_azure:
        yield from _access(context)
    yield manifests.stage(context)
    yield render.stage(context)
    yield apply.stage(context)


def _access(context: Context) -> Iterator[Stage]:
    """Who has nothing in Azure need not load it."""
    from spin_aks.tasks import access

    if access.is_wanted(context):
        yield access.stage(context)


def as_tasks(pipeline: Iterable[Stage], context: Context, *, tell: bool = False) -> Iterator[dict[str, object]]:
    """doit's description of the stages, of the group `build` and of the final target `up`; `tell` is `guarded`'s."""
    everything = tuple(pipeline)
    yield {"basename": "build", "name": None, "doc": "compile every component that is stale"}
    for stage in everything:
        yield as_doit(stage, guarded(stage, context, tell=tell))
    yield {"basename": FINAL, "actions": None, "doc": "all of it", "task_dep": [stage.name for stage in everything]}


def task_pipeline() -> Iterator[dict[str, object]]:
    """What plain doit loads, from the application's folder."""
    try:
        context = watched(contexts.current())
        pipeline = tuple(stages(context))
    except SpinAksError as error:
        raise _for_doit(error) from error
    yield from as_tasks(pipeline, context, tell=True)
