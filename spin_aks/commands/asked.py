"""Asking for what nobody gave: the questions of the inputs' table, with the last choices as their defaults."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from spin_aks import choices, terminal
from spin_aks.asking import Asking
from spin_aks.commands import asked_azure, pipeline
from spin_aks.commands.refused_answers import refuses
from spin_aks.errors import SpinAksError, UsageError
from spin_aks.prompts import Option

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping

    from spin_aks.choices import Choices
    from spin_aks.cluster.kube_context import Context as KubeContext
    from spin_aks.context import Context

CLUSTER, REGISTRY = "cluster.context", "container_registry.server"
WHERE_TO = "Where to deploy to"
OF_KUBECONFIG = "Context of the kubeconfig to deploy to"
PUSH_TO = "Registry to push to"
# What no context, no id and no host can be called.
IN_AZURE = "an AKS cluster in Azure"
ACR = "an Azure Container Registry"
BY_HOST = "another, by its host"


def answers(error: UsageError, arguments: argparse.Namespace, given: Mapping[str, str]) -> dict[str, str]:
    """An answer to each input that `error` misses, by full key; offers to keep those that a person gave. Where an input
    may be given in another way, as a cluster by its name in Azure, its answer is the keys of that way.

    Raises `error` again, without what was answered, if one of them nobody can or may answer.
    """
    asking, here = pipeline.mode(arguments), pipeline.here()
    if asking is Asking.NOTHING_IS_ASKED:
        raise error
    with pipeline.entered(arguments, given) as context:
        asked = Questions(asking, context)
        keys = dict.fromkeys(problem.key for problem in error.problems)
        # Where the cluster is says where the registry is likely to be.
        unanswered = {key for key in sorted(keys, key=lambda key: key == REGISTRY) if not asked.ask(key)}
        if unanswered:
            raise UsageError.of(problem for problem in error.problems if problem.key in unanswered)
        if asking is Asking.SOMEBODY_ANSWERS:
            _keep(asking, asked.answered, context, here)
    return asked.answered


@dataclass
class Questions:
    """The questions of one round: what was answered so far, by full key, and whether Azure could be asked."""

    asking: Asking
    context: Context
    answered: dict[str, str] = field(default_factory=dict)
    azure_answers: bool = True
    last: Choices = field(default_factory=choices.Choices)

    def ask(self, key: str) -> bool:
        """Whether it is answered."""
        self.last = choices.read()  # another run may have deployed while a question was open
        found = self._cluster() if key == CLUSTER else self._registry() if key == REGISTRY else self._text(key)
        self.answered |= found
        return bool(found)

    def _text(self, key: str) -> dict[str, str]:
        from spin_aks.settings import layers

        row = layers.row_of(key)
        if row is None:
            return {}
        question = row.ask or f"Value of the variable `{key.removeprefix('variables.')}`"
        answer = self.asking.text(question, refuses=refuses(key))
        return {} if answer is None else {key: answer}

    def _cluster(self) -> dict[str, str]:
        """A context, or a cluster by its name in Azure."""
        contexts, none = _contexts(self.context)
        options = [Option(one.name, one.name, one.server) for one in contexts]
        before = next((one.name for one in contexts if one.target.identity == self.last.cluster), "")
        if self.context.settings.kubeconfig:  # who names one has no use for another way
            answer = self.asking.select(OF_KUBECONFIG, options, last=before)
            return {CLUSTER: answer} if answer else {}
        remembered = asked_azure.cluster_keys(self.context, self.last.cluster)
        if remembered:
            before = self.last.cluster
            options.insert(0, asked_azure.option(before, "AKS cluster"))
        if self._may_ask_azure:
            options.append(Option(IN_AZURE, IN_AZURE))
            if none:
                terminal.say(none)
        answer = self.asking.select(WHERE_TO, options, default="" if contexts else IN_AZURE, last=before)
        if answer == IN_AZURE:
            ask = partial(asked_azure.cluster, self.context, self.last.cluster)
            found = self._of_azure(ask, others=bool(contexts or remembered))
            return self._cluster() if found is None else found
        if remembered and answer == self.last.cluster:
            return remembered
        return {CLUSTER: answer} if answer else {}

    def _registry(self) -> dict[str, str]:
        last = self._last_registry()
        options = [self._registry_option(last)] if last else []
        if self.asking is Asking.SOMEBODY_ANSWERS:
            options += [Option(ACR, ACR)] if self._may_ask_azure else []
            if not options:
                return self._text(REGISTRY)
            options.append(Option(BY_HOST, BY_HOST))
        in_azure = self._cluster_is_in_azure()
        likely = in_azure or self.context.settings.builder == "acr"
        usual = ACR if likely and self._may_ask_azure else BY_HOST
        answer = self.asking.select(PUSH_TO, options, default=usual, last=last)
        if answer == ACR:
            ask = partial(asked_azure.registry, self.context, self.answered, self.last.registry)
            found = self._of_azure(partial(ask, beside_cluster=in_azure), others=True)
            return self._registry() if found is None else found
        if answer == BY_HOST:
            return self._text(REGISTRY)
        return self._registry_keys(answer) if answer else {}

    def _registry_keys(self, answer: str) -> dict[str, str]:
        subscription = asked_azure.cluster_subscription(self.context, self.answered)
        return asked_azure.registry_keys(self.context, answer, subscription) or {REGISTRY: answer}

    def _registry_option(self, last: str) -> Option:
        of_azure = asked_azure.registry_keys(self.context, last, "")
        return asked_azure.option(last, "Azure Container Registry") if of_azure else Option(last, last)

    @property
    def _may_ask_azure(self) -> bool:
        return self.azure_answers and self.asking is Asking.SOMEBODY_ANSWERS

    def _of_azure(self, ask: Callable[[], dict[str, str]], *, others: bool) -> dict[str, str] | None:
        """None where Azure gives no answer, which is said: then the question comes again without it.

        Raises what Azure's answer means where there are no `others` to choose.
        """
        try:
            return ask()
        except SpinAksError as error:
            self.azure_answers = False
            if not others:
                raise
            terminal.show_setback(error)
            return None

    def _cluster_is_in_azure(self) -> bool:
        from spin_aks.tasks import resources

        if CLUSTER in self.answered:
            return False
        return "cluster.name" in self.answered or resources.cluster(self.context) is not None

    def _last_registry(self) -> str:
        """The registry of this application's last deployment, else the last of all; a sandbox's is no choice."""
        from spin_aks.choices import ApplicationKey
        from spin_aks.oci.reference import is_loopback

        manifest = str(Path(self.context.settings.manifest).absolute())
        own = self.last.applications.get(ApplicationKey(self.context.application.name, manifest))
        hosts = [name for name in (own.registry if own else "", self.last.registry) if name]
        first = next((name for name in hosts if not is_loopback(name.partition("/")[0])), "")
        if asked_azure.is_host_of(self.last.registry, first):
            first = self.last.registry
        in_azure = asked_azure.registry_keys(self.context, first, "")
        return first if in_azure or (first and not refuses(REGISTRY)(first)) else ""


def _contexts(context: Context) -> tuple[tuple[KubeContext, ...], str]:
    """All that can be chosen; why there is none, where there is none."""
    from spin_aks.cluster import kubeconfig

    try:
        found = kubeconfig.contexts(context.settings.kubeconfig)
    except UsageError as error:
        return (), str(error)
    return found, "" if found else "the kubeconfig has no context"


def _keep(asking: Asking, known: Mapping[str, str], context: Context, here: Path) -> None:
    """`here` is the folder that the person is in, who sees the file from there."""
    from spin_aks.settings.found import seen_from
    from spin_aks.tasks import outputs

    path, kept = outputs.configuration_file(context), outputs.keepable(context, known)
    but = "" if len(kept) == len(known) else ", but for the variables"
    if path is None or not kept or not asking.confirm(f"Keep this in `{seen_from(path, here)}`{but}?", default=True):
        return
    try:
        outputs.write(path, kept)
    except SpinAksError as error:
        problem = error.problems[0]
        where = pipeline.seen_from(here, problem.where)
        terminal.show_notice(replace(problem, what=f"not kept: {problem.what}", where=where))
    else:
        terminal.say(f"wrote   {seen_from(path, here)}")
