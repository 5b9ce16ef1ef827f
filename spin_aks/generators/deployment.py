"""The Deployment of a Spin application, as people keep it: nothing in it belongs to one environment.

What a pod of each form can stand (capabilities, user, read-only root) was measured with containerd-shim-spin 0.24.0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks.generators.names import (
    MANAGED_BY,
    MANAGED_BY_LABEL,
    NAME_LABEL,
    ca_certificates,
    image_placeholder,
    kubernetes_name,
    runtime_config,
)
from spin_aks.generators.resources import compiled_in_pod
from spin_aks.generators.variables import environment_name, environment_value
from spin_aks.generators.yaml_text import comment, indented, quoted, text, word
from spin_aks.spin.outbound import speaks_tls
from spin_aks.spin.runtime_config import NOTHING

if TYPE_CHECKING:
    from spin_aks.generators.resources import Form
    from spin_aks.spin.model import Application, Variable
    from spin_aks.spin.runtime_config import RuntimeConfig
    from spin_aks.spin.versions import Runtime

USER = 65532
STATE_FOLDER = "/.spin"
CA_CERTIFICATES_PATH = "/etc/ssl/certs/ca-certificates.crt"
CA_CERTIFICATES_KEY = "ca-certificates.crt"
RUNTIME_CONFIG_KEY = "runtime-config.toml"
RUNTIME_CONFIG_PATH = f"/{RUNTIME_CONFIG_KEY}"


def deployment(
    application: Application,
    form: Form,
    runtime: Runtime,
    runtime_class: str,
    configuration: RuntimeConfig = NOTHING,
) -> str:
    """The file `deployment.yaml`: its container's image is `image_placeholder` of the application."""
    name = kubernetes_name(application.name)
    mounted = _mounted(application, form, runtime, configuration)
    return text(
        [
            *_head(name),
            *indented(_pod(form, runtime_class), 6),
            "      containers:",
            f"        - name: {word(name)}",
            "          # Stands for the pushed image: `render` puts its full name and digest here.",
            f"          image: {word(image_placeholder(application.name))}",
            "          # The image has no program of its own: `/` leaves the container to Spin's shim.",
            '          command: ["/"]',
            *indented(_container(application, form, runtime), 10),
            *indented(_mounts(mounted), 10),
            *indented(_volumes(mounted), 6),
        ]
    )


def _head(name: str) -> list[str]:
    return [
        f"# The pods of `{name}`: one container each, in which Spin runs all of the application's components.",
        "#",
        "# Made by `spin-aks scaffold k8s`. Edit it as you like and keep it in git: spin-aks keeps your edits.",
        "# What differs between environments is not written here, `spin-aks run render` adds it: namespace, digest of",
        "# the image, number of pods, values of `--variable`; and memory and CPU where this file sets none.",
        "apiVersion: apps/v1",
        "kind: Deployment",
        "metadata:",
        f"  name: {word(name)}",
        "  labels:",
        f"    {NAME_LABEL}: {word(name)}",
        f"    {MANAGED_BY_LABEL}: {MANAGED_BY}",
        "spec:",
        "  selector:",
        "    matchLabels:",
        f"      {NAME_LABEL}: {word(name)}",
        "  template:",
        "    metadata:",
        "      labels:",
        f"        {NAME_LABEL}: {word(name)}",
        "    spec:",
    ]


def _pod(form: Form, runtime_class: str) -> list[str]:
    lines = [
        f"runtimeClassName: {runtime_class}",
        "# The application never speaks to Kubernetes: it gets no token.",
        "automountServiceAccountToken: false",
        "# A Service `redis` would set REDIS_PORT here, which Spin's shim takes for the variable `redis_port`.",
        "enableServiceLinks: false",
    ]
    if form == "artifact":
        return lines
    return [
        *lines,
        "securityContext:",
        "  runAsNonRoot: true",
        f"  runAsUser: {USER}",
        "  seccompProfile:",
        "    type: RuntimeDefault",
    ]


def _container(application: Application, form: Form, runtime: Runtime) -> list[str]:
    served = _served(form, runtime) if application.serves_http else []
    return [
        *(["ports:", "  - name: http", "    containerPort: 80"] if served else []),
        *_environment(application, runtime.variable_prefix),
        *served,
        *_security(form),
    ]


def _environment(application: Application, prefix: str) -> list[str]:
    """A comment where a secret variable would stand: its value is in no file."""
    if not prefix or not application.variables:
        return []
    entries = [line for variable in application.variables for line in _entry(variable, prefix)]
    values = any(not variable.secret for variable in application.variables)
    return [
        *(["# The application's variables."] if values else []),
        *(["env:"] if values else []),
        *indented(entries, 2),
    ]


def _entry(variable: Variable, prefix: str) -> list[str]:
    name = environment_name(prefix, variable.name)
    about = [f"# {comment(variable.description)}"] if variable.description.strip() else []
    if variable.secret:
        return [*about, f"# {name} is secret: no file holds its value."]
    if variable.default is None:
        needed = f"# Required: `--variable {variable.name}=VALUE` gives its value, or a `value:` here."
        return [*about, needed, f"- name: {name}"]
    return [*about, f"- name: {name}", f"  value: {quoted(environment_value(variable.default))}"]


def _served(form: Form, runtime: Runtime) -> list[str]:
    period_s, tries, why = (
        1,
        60,
        "The components were compiled when the image came to the node: it starts in seconds.",
    )
    if compiled_in_pod(form, compiles_ahead=runtime.compiles_ahead):
        period_s, tries, why = (
            2,
            150,
            "Each start compiles the components: large ones on a busy node take a minute.",
        )
    return [
        f"# {why}",
        "# Spin itself answers on this path. An exec probe would never succeed: the shim has no exec.",
        *_probe("startupProbe", runtime.health_path, f"periodSeconds: {period_s}", f"failureThreshold: {tries}"),
        *_probe("readinessProbe", runtime.health_path, "periodSeconds: 5", "timeoutSeconds: 2"),
        *_probe("livenessProbe", runtime.health_path, "periodSeconds: 10", "timeoutSeconds: 5"),
        "# Spin ends at once when told to: first let the Service learn that this pod goes.",
        "lifecycle:",
        "  preStop:",
        "    sleep:",
        "      seconds: 5",
    ]


def _probe(name: str, path: str, *settings: str) -> list[str]:
    return [f"{name}:", "  httpGet:", f"    path: {path}", "    port: http", *indented(settings, 2)]


def _security(form: Form) -> list[str]:
    rootfs = ["allowPrivilegeEscalation: false", "readOnlyRootFilesystem: true"] if form == "rootfs" else []
    return [
        "securityContext:",
        *indented(rootfs, 2),
        "  # The `add` is what makes the `drop` work: an empty set of capabilities goes unnoticed by the shim, and",
        "  # its process keeps them all. NET_BIND_SERVICE is for listening on port 80.",
        "  capabilities:",
        '    drop: ["ALL"]',
        '    add: ["NET_BIND_SERVICE"]',
        *([] if rootfs else _WHY_ROOT),
    ]


_WHY_ROOT = [
    "  # Neither runAsNonRoot nor readOnlyRootFilesystem: the shim unpacks the artifact into the container's root",
    "  # as it starts. An image of `--form rootfs` can have both.",
]


@dataclass(frozen=True, slots=True)
class _Mounted:
    """A volume of the pod and where its container sees it: a file of the ConfigMap, or an empty folder without one."""

    name: str
    path: str
    why: tuple[str, ...]
    config_map: str = ""
    key: str = ""


def _mounted(
    application: Application, form: Form, runtime: Runtime, configuration: RuntimeConfig
) -> tuple[_Mounted, ...]:
    """An image of the rootfs form has the certificate authorities itself; an artifact's root is written anyway."""
    configured = configuration.read_by(runtime)
    found = []
    if form == "rootfs":
        why = "Spin's own files, such as its default key-value store: they go with the pod."
        found.append(_Mounted("spin-state", STATE_FOLDER, (why,)))
    elif speaks_tls(application, configured):
        why = "Certificate authorities for TLS to the outside. `render` adds this ConfigMap unless a file here has it."
        name = ca_certificates(application.name)
        found.append(_Mounted("ca-certificates", CA_CERTIFICATES_PATH, (why,), name, CA_CERTIFICATES_KEY))
    if configured.text:
        reasons = (
            "The runtime-config.toml beside spin.toml. `render` makes this ConfigMap of it unless a file here has it,",
            "and notes its digest in the pods: a file that is mounted like this is not updated in those that run.",
        )
        name = runtime_config(application.name)
        found.append(_Mounted("runtime-config", runtime.runtime_config_path, reasons, name, RUNTIME_CONFIG_KEY))
    return tuple(found)


def _mounts(mounted: tuple[_Mounted, ...]) -> list[str]:
    lines = ["volumeMounts:"] if mounted else []
    for one in mounted:
        lines += [f"  - name: {one.name}", f"    mountPath: {one.path}"]
        if one.config_map:
            lines += [f"    subPath: {one.key}", "    readOnly: true"]
    return lines


def _volumes(mounted: tuple[_Mounted, ...]) -> list[str]:
    lines = ["volumes:"] if mounted else []
    for one in mounted:
        lines += [*(f"  # {line}" for line in one.why), f"  - name: {one.name}"]
        lines += ["    configMap:", f"      name: {one.config_map}"] if one.config_map else ["    emptyDir: {}"]
    return lines
