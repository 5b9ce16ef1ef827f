"""Plain Kubernetes files of an application: what people keep in git, edit and review."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from spin_aks.generators.deployment import deployment
from spin_aks.generators.kwasm import kwasm, runtime_class
from spin_aks.generators.names import MANAGED_BY, MANAGED_BY_LABEL, NAME_LABEL, RUNTIME_CLASS, kubernetes_name
from spin_aks.generators.yaml_text import text, word
from spin_aks.spin.runtime_config import NOTHING

if TYPE_CHECKING:
    from spin_aks.generators.resources import Form
    from spin_aks.spin.model import Application
    from spin_aks.spin.runtime_config import RuntimeConfig
    from spin_aks.spin.versions import Runtime


class Installer(StrEnum):
    """Who puts Spin's runtime on the nodes."""

    KWASM = "kwasm"
    PREINSTALLED = "preinstalled"


class ServiceType(StrEnum):
    """How an HTTP application is reached; `ServiceType("loadbalancer")` and any other case of it is understood."""

    LOAD_BALANCER = "LoadBalancer"
    CLUSTER_IP = "ClusterIP"

    @classmethod
    def _missing_(cls, value: object) -> ServiceType | None:
        return next((member for member in cls if member.lower() == str(value).lower()), None)


@dataclass(frozen=True, slots=True)
class KubeSettings:
    """What the files depend on besides the application: nothing of an environment, neither digest nor values.

    Of `configuration` the files have only that there is one, for the pod to be given.
    """

    runtime: Runtime
    form: Form = "artifact"
    installer: Installer = Installer.KWASM
    service: ServiceType = ServiceType.LOAD_BALANCER
    runtime_class: str = RUNTIME_CLASS
    configuration: RuntimeConfig = NOTHING


def files(application: Application, settings: KubeSettings) -> dict[str, str]:
    """The files by name, in the order in which they matter; the same input gives the same text.

    Raises RefusedError where KWASM can't install the target shim.
    """
    made = {"namespace.yaml": _namespace(application)}
    if settings.installer is Installer.KWASM:
        made["kwasm.yaml"] = kwasm(settings.runtime)
        made["runtimeclass.yaml"] = runtime_class()
    made["deployment.yaml"] = deployment(
        application, settings.form, settings.runtime, settings.runtime_class, settings.configuration
    )
    if application.serves_http:
        made["service.yaml"] = _service(application, settings.service)
    return made


def _namespace(application: Application) -> str:
    name = kubernetes_name(application.name)
    return text(
        [
            f"# The Namespace of `{name}`.",
            "#",
            "# Made by `spin-aks scaffold k8s`. Edit it as you like and keep it in git: spin-aks keeps your edits.",
            "# Its name stands for the environment's namespace: with `--namespace NAME`, `render` gives it that name,",
            "# and that namespace to all objects that have none.",
            "apiVersion: v1",
            "kind: Namespace",
            "metadata:",
            f"  name: {word(name)}",
            "  labels:",
            f"    {NAME_LABEL}: {word(name)}",
            f"    {MANAGED_BY_LABEL}: {MANAGED_BY}",
        ]
    )


def _service(application: Application, service: ServiceType) -> str:
    name = kubernetes_name(application.name)
    reached = "from outside the cluster" if service is ServiceType.LOAD_BALANCER else "from inside the cluster"
    return text(
        [
            f"# The address at which `{name}` is reached {reached}.",
            "#",
            "# Made by `spin-aks scaffold k8s`. Edit it as you like and keep it in git: spin-aks keeps your edits.",
            "apiVersion: v1",
            "kind: Service",
            "metadata:",
            f"  name: {word(name)}",
            "  labels:",
            f"    {NAME_LABEL}: {word(name)}",
            f"    {MANAGED_BY_LABEL}: {MANAGED_BY}",
            "spec:",
            f"  type: {service}",
            "  selector:",
            f"    {NAME_LABEL}: {word(name)}",
            "  # No appProtocol: with `http`, Azure's load balancer would judge by the answer to `/`, and cut off an",
            "  # application that has no such route (https://github.com/Azure/AKS/issues/3646).",
            "  ports:",
            "    - name: http",
            "      port: 80",
            "      targetPort: http",
        ]
    )
