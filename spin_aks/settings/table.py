"""Every input of the pipeline, one row each: its key, its environment variable, its flags, its default, its meaning.

These classes are the table. The file's keys, the flags, the variables, the prompts, the reference page and the schema
for editors are all made from it: another input is another row.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from spin_aks.settings import rules
from spin_aks.settings.row import Row, row
from spin_aks.settings.stores import STORE_ROWS, Store

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = 1
"""The version of the file's form: `schema` at its top. A later one is refused, with what to do."""


@dataclass(frozen=True, init=False, repr=False, eq=False)
class Settings:
    """What the pipeline is to do. Paths are absolute, or relative to the application's root once that is known.

    Compared by its fields.
    """

    schema: int = row(SCHEMA, Row(
        "schema", "", (), "the version of this file's form", kind="count",
    ))  # fmt: skip
    require_environment: bool = row(False, Row(
        "require_environment", "SPIN_AKS_REQUIRE_ENVIRONMENT", (),
        "refuse to run where neither `-e` nor `-c` says for which environment", kind="switch",
    ))  # fmt: skip
    config: str = row("", Row(
        "", "SPIN_AKS_CONFIG", ("-c", "--config"), "the configuration file", metavar="PATH", kind="path",
        without="`aks-spin.toml` or `spin-aks.toml`, from this folder up to the repository's root",
    ))  # fmt: skip
    environment: str = row("", Row(
        "", "SPIN_AKS_ENVIRONMENT", ("-e", "--environment"),
        "the environment to work on: each has its own state, and may have its own `aks-spin.NAME.toml`",
        metavar="NAME", rule=rules.ENVIRONMENT, without="the name of the file of `-c`, else `default`",
    ))  # fmt: skip
    manifest: str = row("spin.toml", Row(
        "app.manifest", "SPIN_AKS_APP_MANIFEST", ("-f", "--from", "--file"),
        "the application's spin.toml, or its folder", metavar="PATH", kind="path",
    ))  # fmt: skip
    name: str = row("", Row(
        "app.name", "SPIN_AKS_APP_NAME", ("--name",), "what the application is called in registry and cluster",
        metavar="NAME", rule=rules.APPLICATION_NAME, without="its name in spin.toml",
    ))  # fmt: skip
    shim: str = row("", Row(
        "runtime.shim", "SPIN_AKS_RUNTIME_SHIM", ("--shim",), "the containerd-shim-spin on the cluster",
        metavar="VERSION", rule=rules.SHIM_VERSION, without="the newest known",
    ))  # fmt: skip
    installer: str = row("kwasm", Row(
        "runtime.installer", "SPIN_AKS_RUNTIME_INSTALLER", ("--runtime",),
        "who puts the shim on the nodes: KWASM's objects come along, or it is there", kind="choice",
        choices=("kwasm", "preinstalled"),
    ))  # fmt: skip
    profile: str = row("", Row(
        "build.profile", "SPIN_AKS_BUILD_PROFILE", ("--profile",),
        "the build profile of the components (Spin >= 4.0)", metavar="NAME", without="none",
    ))  # fmt: skip
    builder: str = row("auto", Row(
        "image.builder", "SPIN_AKS_IMAGE_BUILDER", ("--builder",),
        "who makes the image: ours without a daemon, a Docker daemon, the registry in Azure, or the Spin CLI",
        kind="choice", choices=("auto", "oci", "docker", "acr", "spin"),
    ))  # fmt: skip
    form: str = row("auto", Row(
        "image.form", "SPIN_AKS_IMAGE_FORM", ("--form",),
        "what the image is: a Spin artifact, or a root file system", kind="choice",
        choices=("auto", "artifact", "rootfs"),
    ))  # fmt: skip
    platform: str = row("linux/amd64", Row(
        "image.platform", "SPIN_AKS_IMAGE_PLATFORM", ("--platform",),
        "the nodes' platform; only an image of the form rootfs depends on it", kind="choice",
        choices=("linux/amd64", "linux/arm64"),
    ))  # fmt: skip
    dockerfile: str = row("Dockerfile", Row(
        "image.dockerfile", "SPIN_AKS_IMAGE_DOCKERFILE", ("--dockerfile-dest",),
        "where the Dockerfile is; a folder means PATH/Dockerfile", metavar="PATH", kind="path",
        file_name="Dockerfile",
    ))  # fmt: skip
    repository: str = row("", Row(
        "image.repository", "SPIN_AKS_IMAGE_REPOSITORY", ("--repository",), "the image's repository",
        metavar="NAME", rule=rules.REPOSITORY, without="the application's name",
    ))  # fmt: skip
    tag: str = row("content", Row(
        "image.tag", "SPIN_AKS_IMAGE_TAG", ("--tag",),
        "the image's tag: `content` is the hash of what is in it, `git` the commit, else the tag itself",
        metavar="TAG", rule=rules.TAG,
    ))  # fmt: skip
    pushed_registry: str = row("", Row(
        "image.pushed.registry", "", (), "written by `push`: the registry",
    ))  # fmt: skip
    pushed_repository: str = row("", Row(
        "image.pushed.repository", "", (), "written by `push`: the repository",
    ))  # fmt: skip
    pushed_tag: str = row("", Row(
        "image.pushed.tag", "", (), "written by `push`: the tag",
    ))  # fmt: skip
    pushed_digest: str = row("", Row(
        "image.pushed.digest", "", (), "written by `push`: the digest",
    ))  # fmt: skip
    registry_kind: str = row("", Row(
        "container_registry.kind", "SPIN_AKS_CONTAINER_REGISTRY_KIND", (), "what the registry is", kind="choice",
        choices=("acr", "other"), without="as its host says", reserved=True,
    ))  # fmt: skip
    registry: str = row("", Row(
        "container_registry.server", "SPIN_AKS_CONTAINER_REGISTRY_SERVER", ("--registry",),
        "the registry to push to: a host, or an Azure Container Registry's name",
        metavar="HOST[:PORT][/PREFIX]", without="none", ask="Registry to push to (HOST[:PORT][/PREFIX])",
    ))  # fmt: skip
    registry_subscription: str = row("", Row(
        "container_registry.subscription", "SPIN_AKS_CONTAINER_REGISTRY_SUBSCRIPTION",
        ("--registry-subscription",), "the subscription that the registry is in", metavar="ID", rule=rules.SUBSCRIPTION,
        without="the cluster's",
    ))  # fmt: skip
    registry_resource_group: str = row("", Row(
        "container_registry.resource_group", "SPIN_AKS_CONTAINER_REGISTRY_RESOURCE_GROUP",
        ("--registry-resource-group",), "the resource group that the registry is in", metavar="NAME",
        rule=rules.RESOURCE_GROUP, without="whichever has it; for a new one the cluster's",
    ))  # fmt: skip
    registry_name: str = row("", Row(
        "container_registry.name", "SPIN_AKS_CONTAINER_REGISTRY_NAME", (),
        "the Azure Container Registry, in place of `server`; by flag `--registry NAME`", metavar="NAME",
        rule=rules.REGISTRY_NAME, without="`container_registry.server` says which registry",
    ))  # fmt: skip
    kind: str = row("kube", Row(
        "kubernetes.type", "SPIN_AKS_KUBERNETES_TYPE", ("-t", "--type"), "what the Kubernetes files are written as",
        kind="choice", choices=("kube", "kustomize", "helm"),
    ))  # fmt: skip
    k8s_dest: str = row("manifests", Row(
        "kubernetes.dest", "SPIN_AKS_KUBERNETES_DEST", ("--k8s-dest",), "where the Kubernetes files are",
        metavar="FOLDER", kind="path",
    ))  # fmt: skip
    namespace: str = row("", Row(
        "kubernetes.namespace", "SPIN_AKS_KUBERNETES_NAMESPACE", ("--namespace",), "the namespace", metavar="NAME",
        rule=rules.NAMESPACE,
        without="the application's name; with `-NAME` after it in an environment that is not `default`",
    ))  # fmt: skip
    replicas: int = row(0, Row(
        "kubernetes.replicas", "SPIN_AKS_KUBERNETES_REPLICAS", ("--replicas",), "how many pods", metavar="N",
        kind="count", without="what the files say, else 1",
    ))  # fmt: skip
    service: str = row("loadbalancer", Row(
        "kubernetes.service", "SPIN_AKS_KUBERNETES_SERVICE", ("--service",),
        "how an HTTP application is reached: from outside, or in the cluster only", kind="choice",
        choices=("loadbalancer", "clusterip"),
    ))  # fmt: skip
    ingress: str = row("", Row(
        "kubernetes.ingress", "SPIN_AKS_KUBERNETES_INGRESS", (), "the host name of an Ingress", metavar="HOST",
        rule=rules.HOST_NAME, without="no Ingress", reserved=True,
    ))  # fmt: skip
    cpu_request: str = row("", Row(
        "kubernetes.resources.cpu_request", "SPIN_AKS_KUBERNETES_RESOURCES_CPU_REQUEST", ("--cpu-request",),
        "the CPU that a pod asks for, as 100m", metavar="QUANTITY", rule=rules.CPU,
        without="what the files say, else 100m",
    ))  # fmt: skip
    cpu_limit: str = row("", Row(
        "kubernetes.resources.cpu_limit", "SPIN_AKS_KUBERNETES_RESOURCES_CPU_LIMIT", ("--cpu-limit",),
        "a pod's CPU limit, as 500m", metavar="QUANTITY", rule=rules.CPU, without="what the files say, else none",
    ))  # fmt: skip
    memory_request: str = row("", Row(
        "kubernetes.resources.memory_request", "SPIN_AKS_KUBERNETES_RESOURCES_MEMORY_REQUEST",
        ("--memory-request",), "the memory that a pod asks for, as 64Mi", metavar="QUANTITY", rule=rules.MEMORY,
        without="what the files say, else by form and size of the wasm",
    ))  # fmt: skip
    memory_limit: str = row("", Row(
        "kubernetes.resources.memory_limit", "SPIN_AKS_KUBERNETES_RESOURCES_MEMORY_LIMIT", ("--memory-limit",),
        "a pod's memory limit, as 128Mi", metavar="QUANTITY", rule=rules.MEMORY,
        without="what the files say, else by form and size of the wasm",
    ))  # fmt: skip
    kubeconfig: str = row("", Row(
        "cluster.kubeconfig", "SPIN_AKS_CLUSTER_KUBECONFIG", ("--kubeconfig",), "the kubeconfig", metavar="PATH",
        kind="path", without="kubectl's own",
    ))  # fmt: skip
    context: str = row("", Row(
        "cluster.context", "SPIN_AKS_CLUSTER_CONTEXT", ("--context",), "the kubeconfig's context", metavar="NAME",
        without="its current one",
    ))  # fmt: skip
    timeout_s: int = row(300, Row(
        "cluster.timeout", "SPIN_AKS_CLUSTER_TIMEOUT", ("--timeout",), "how long to wait for the rollout, in seconds",
        metavar="SECONDS", kind="count",
    ))  # fmt: skip
    cluster_tenant: str = row("", Row(
        "cluster.tenant", "SPIN_AKS_CLUSTER_TENANT", ("--tenant",), "the tenant of Entra ID to sign in to",
        metavar="ID", rule=rules.TENANT, without="the one that shows what is named",
    ))  # fmt: skip
    cluster_subscription: str = row("", Row(
        "cluster.subscription", "SPIN_AKS_CLUSTER_SUBSCRIPTION", ("--subscription",),
        "the subscription that the cluster is in", metavar="ID", rule=rules.SUBSCRIPTION,
        without="the only one that you see, in whichever tenant",
    ))  # fmt: skip
    cluster_resource_group: str = row("", Row(
        "cluster.resource_group", "SPIN_AKS_CLUSTER_RESOURCE_GROUP", ("--cluster-resource-group",),
        "the resource group that the cluster is in", metavar="NAME", rule=rules.RESOURCE_GROUP,
        without="whichever has it; for a new one the cluster's name",
    ))  # fmt: skip
    cluster_name: str = row("", Row(
        "cluster.name", "SPIN_AKS_CLUSTER_NAME", ("--cluster",),
        "the AKS cluster, in place of a kubeconfig and its context", metavar="NAME", rule=rules.CLUSTER,
        without="the kubeconfig says which cluster",
    ))  # fmt: skip
    location: str = row("eastus2", Row(
        "cluster.location", "SPIN_AKS_CLUSTER_LOCATION", ("--location",), "the region of what is made in Azure",
        metavar="REGION", rule=rules.LOCATION,
    ))  # fmt: skip
    node_size: str = row("Standard_D2s_v5", Row(
        "cluster.node_size", "SPIN_AKS_CLUSTER_NODE_SIZE", ("--node-size",), "the size of the nodes of a new cluster",
        metavar="SIZE", rule=rules.NODE_SIZE,
    ))  # fmt: skip
    node_count: int = row(2, Row(
        "cluster.node_count", "SPIN_AKS_CLUSTER_NODE_COUNT", ("--node-count",), "how many nodes a new cluster has",
        metavar="N", kind="count",
    ))  # fmt: skip
    vault_subscription: str = row("", Row(
        "keyvault.subscription", "SPIN_AKS_KEYVAULT_SUBSCRIPTION", ("--keyvault-subscription",),
        "the subscription that the vault is in", metavar="ID", rule=rules.SUBSCRIPTION, without="the cluster's",
    ))  # fmt: skip
    vault_resource_group: str = row("", Row(
        "keyvault.resource_group", "SPIN_AKS_KEYVAULT_RESOURCE_GROUP", ("--keyvault-resource-group",),
        "the resource group that the vault is in", metavar="NAME", rule=rules.RESOURCE_GROUP,
        without="whichever has it; for a new one the cluster's",
    ))  # fmt: skip
    vault_name: str = row("", Row(
        "keyvault.name", "SPIN_AKS_KEYVAULT_NAME", ("--keyvault",), "the Key Vault with the application's secrets",
        metavar="NAME", rule=rules.VAULT, without="none",
    ))  # fmt: skip
    identity_subscription: str = row("", Row(
        "identity.subscription", "SPIN_AKS_IDENTITY_SUBSCRIPTION", ("--identity-subscription",),
        "the subscription that the identity is in", metavar="ID", rule=rules.SUBSCRIPTION, without="the cluster's",
    ))  # fmt: skip
    identity_resource_group: str = row("", Row(
        "identity.resource_group", "SPIN_AKS_IDENTITY_RESOURCE_GROUP", ("--identity-resource-group",),
        "the resource group that the identity is in", metavar="NAME", rule=rules.RESOURCE_GROUP,
        without="whichever has it; for a new one the cluster's",
    ))  # fmt: skip
    identity_name: str = row("", Row(
        "identity.name", "SPIN_AKS_IDENTITY_NAME", ("--identity",),
        "the managed identity that the application's pods use Azure as, with no key stored", metavar="NAME",
        rule=rules.IDENTITY, without="none",
    ))  # fmt: skip
    service_account: str = row("", Row(
        "identity.service_account", "SPIN_AKS_IDENTITY_SERVICE_ACCOUNT", ("--service-account",),
        "the Kubernetes service account of the pods that use it", metavar="NAME", rule=rules.SERVICE_ACCOUNT,
        without="the application's name",
    ))  # fmt: skip
    stores: tuple[Store, ...] = ()
    trigger_subscription: str = row("", Row(
        "redis_trigger.subscription", "SPIN_AKS_REDIS_TRIGGER_SUBSCRIPTION", (),
        "the subscription that the Redis of the triggers is in", metavar="ID", rule=rules.SUBSCRIPTION,
        without="the cluster's", reserved=True,
    ))  # fmt: skip
    trigger_resource_group: str = row("", Row(
        "redis_trigger.resource_group", "SPIN_AKS_REDIS_TRIGGER_RESOURCE_GROUP", (),
        "the resource group that the Redis of the triggers is in", metavar="NAME", rule=rules.RESOURCE_GROUP,
        without="the cluster's", reserved=True,
    ))  # fmt: skip
    trigger_name: str = row("", Row(
        "redis_trigger.name", "SPIN_AKS_REDIS_TRIGGER_NAME", (), "the Redis that the triggers listen to",
        metavar="NAME", rule=rules.REDIS, reserved=True,
    ))  # fmt: skip
    trigger_variable: str = row("", Row(
        "redis_trigger.variable", "SPIN_AKS_REDIS_TRIGGER_VARIABLE", (),
        "the secret variable of spin.toml that holds the Redis' address", metavar="NAME", rule=rules.VARIABLE_NAME,
        reserved=True,
    ))  # fmt: skip
    variables: tuple[tuple[str, str], ...] = row((), Row(
        "variables.<name>", "SPIN_AKS_VARIABLES_<NAME>", ("--variable",),
        "the value of a plain variable of spin.toml (may be repeated)", metavar="NAME=VALUE",
        without="its default in spin.toml",
    ))  # fmt: skip
    secrets: tuple[tuple[str, str], ...] = row((), Row(
        "secrets.<name>", "SPIN_AKS_SECRETS_<NAME>", (),
        "the name that a secret variable of spin.toml has in the vault, never its value", metavar="NAME[/VERSION]",
        rule=rules.VAULT_SECRET, secret=True, reserved=True,
    ))  # fmt: skip

    def __init__(self, **given: object) -> None:
        if unknown := given.keys() - self.__dataclass_fields__.keys():
            raise TypeError(f"no field is called {', '.join(sorted(unknown))}")
        vars(self).update(given)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Settings) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash(tuple(self._values().items()))

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"

    def _values(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


ROWS: Mapping[str, Row] = {item.name: item.metadata["row"] for item in fields(Settings) if item.metadata}
"""Each field of Settings that is one input, or one free table, by its name."""

EVERY_ROW: tuple[Row, ...] = (*ROWS.values(), *STORE_ROWS.values())

DEFAULTS = Settings()

OUTPUTS = "image.pushed"
"""The table that is written and never read."""

TABLES: Mapping[str, str] = {
    "": "about the file itself",
    "app": "which application this is",
    "runtime": "the Spin on the nodes",
    "build": "how components are compiled",
    "image": "how the image is made, and what it is called",
    OUTPUTS: "the image that was pushed last: written by `push`, and read by nobody here",
    "container_registry": "where the image goes",
    "kubernetes": "the Kubernetes files, and what is the environment's own in them",
    "kubernetes.resources": "what a pod asks for, and what it may have",
    "cluster": "where the application is deployed to",
    "keyvault": "the Key Vault with the application's secrets",
    "identity": "the managed identity that the application uses Azure as",
    "store.<label>": "what stands behind a label of the application's key-value stores",
    "redis_trigger": "the Redis that the application's triggers listen to",
    "variables": "values of the application's plain variables",
    "secrets": "where the values of the application's secret variables are",
}
"""What each of the file's tables is about."""

OTHER_VARIABLES: Mapping[str, str] = {
    "SPIN_AKS_SANDBOX": "set by `spin-aks sandbox` for the command that it runs",
    "SPIN_AKS_SANDBOX_DIR": "where the sandbox keeps what it was given; without it, in your state folder",
    "SPIN_AKS_SANDBOX_TROUBLE": "the file that says what goes wrong in the sandbox's Azure",
    "SPIN_AKS_SANDBOX_KUBECONFIG": "the kubeconfig that clusters of its Azure lead to, in place of its own",
    "SPIN_AKS_SANDBOX_REGISTRY": "the registry (`HOST:PORT`) behind those of its Azure, in place of its own",
    "SPIN_AKS_PYTHON": "read by the Spin plugin: the Python that it runs with",
    "SPIN_AKS_REQUIRE_ALL": "set by this project's own CI: no test may be skipped",
}
"""What else of our prefix is read, by whom."""


def default_of(name: str) -> object:
    """What holds for the field of that name where nobody gives it."""
    return getattr(DEFAULTS, name)
