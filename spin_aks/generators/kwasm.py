"""KWASM, which puts Spin's runtime on nodes, as plain manifests of our own; and the RuntimeClass that leads there.

The objects are those of KWASM's Helm chart 0.2.3, whose address ends with the domain kwasm.sh on 2027-01-20, but for:
`--leader-elect`, which the chart's own rights don't allow; the chart's Service, to which nobody speaks; and images
that are pinned. Sources: KWasm/kwasm-operator, charts/kwasm-operator and controllers/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.errors import RefusedError
from spin_aks.generators.names import RUNTIME_CLASS
from spin_aks.spin.versions import Version

if TYPE_CHECKING:
    from spin_aks.spin.versions import Runtime

OPERATOR_IMAGE = "ghcr.io/kwasm/kwasm-operator:kwasm-operator-0.2.2"
NAMESPACE = "kwasm"
HANDLER = "spin"

_FIRST_PUBLISHED = Version(0, 12)
_FIRST_AT_SPINFRAMEWORK = Version(0, 19)


def node_installer_image(runtime: Runtime) -> str:
    """The image that installs that shim on a node; raises RefusedError for shims that were published without one."""
    if runtime.version < _FIRST_PUBLISHED:
        hint = f"target shim {_FIRST_PUBLISHED.short} or later, or have it on the nodes: `--runtime preinstalled`"
        raise RefusedError(
            f"KWASM can't install shim {runtime.shim}: no node installer was published for it", hint=hint
        )
    owner = "spinframework" if runtime.version >= _FIRST_AT_SPINFRAMEWORK else "spinkube"
    return f"ghcr.io/{owner}/containerd-shim-spin/node-installer:v{runtime.shim}"


def kwasm(runtime: Runtime) -> str:
    """The file `kwasm.yaml`; raises RefusedError as `node_installer_image` does."""
    return _KWASM.replace("NODE_INSTALLER_IMAGE", node_installer_image(runtime))


def runtime_class() -> str:
    """The file `runtimeclass.yaml`."""
    return _RUNTIME_CLASS


_RUNTIME_CLASS = f"""\
# The RuntimeClass `{RUNTIME_CLASS}`: pods that name it are run by Spin's containerd shim and not by runc.
#
# Made by `spin-aks scaffold k8s`. Edit it as you like and keep it in git: spin-aks keeps your edits.
# It belongs to the whole cluster and to every Spin application there.
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata:
  name: {RUNTIME_CLASS}
  labels:
    app.kubernetes.io/managed-by: spin-aks
# The name that the shim has in containerd's configuration on the node. KWASM writes `{HANDLER}`, runtime-class-manager
# writes `spin-v2`. Kubernetes never lets it change: another one takes a RuntimeClass of another name.
handler: {HANDLER}
"""

_KWASM = f"""\
# KWASM: puts Spin's containerd shim on the nodes that are chosen for it.
#
# Made by `spin-aks scaffold k8s`. Edit it as you like and keep it in git: spin-aks keeps your edits.
# It belongs to the whole cluster and to every Spin application there.
#
# A node is chosen by an annotation. Its containerd is then configured anew and restarted:
#
#     kubectl annotate node NODE kwasm.sh/kwasm-node=true
apiVersion: v1
kind: Namespace
metadata:
  name: {NAMESPACE}
  labels:
    app.kubernetes.io/name: kwasm-operator
    app.kubernetes.io/managed-by: spin-aks
    # What installs the shim is a privileged Job that mounts the node's file system.
    pod-security.kubernetes.io/enforce: privileged
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: kwasm-operator
  namespace: {NAMESPACE}
  labels:
    app.kubernetes.io/name: kwasm-operator
    app.kubernetes.io/managed-by: spin-aks
---
# Reads the nodes' annotations and labels the nodes that it has seen to.
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: kwasm-operator
  labels:
    app.kubernetes.io/name: kwasm-operator
    app.kubernetes.io/managed-by: spin-aks
rules:
  - apiGroups: [""]
    resources: ["nodes"]
    verbs: ["get", "list", "watch", "update"]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: kwasm-operator
  labels:
    app.kubernetes.io/name: kwasm-operator
    app.kubernetes.io/managed-by: spin-aks
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: kwasm-operator
subjects:
  - kind: ServiceAccount
    name: kwasm-operator
    namespace: {NAMESPACE}
---
# Makes one Job for each chosen node.
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: kwasm-operator
  namespace: {NAMESPACE}
  labels:
    app.kubernetes.io/name: kwasm-operator
    app.kubernetes.io/managed-by: spin-aks
rules:
  - apiGroups: ["batch"]
    resources: ["jobs"]
    verbs: ["get", "list", "watch", "create", "delete"]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: kwasm-operator
  namespace: {NAMESPACE}
  labels:
    app.kubernetes.io/name: kwasm-operator
    app.kubernetes.io/managed-by: spin-aks
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: kwasm-operator
subjects:
  - kind: ServiceAccount
    name: kwasm-operator
    namespace: {NAMESPACE}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: kwasm-operator
  namespace: {NAMESPACE}
  labels:
    app.kubernetes.io/name: kwasm-operator
    app.kubernetes.io/managed-by: spin-aks
spec:
  # One, and no --leader-elect: that would need rights to leases.
  replicas: 1
  selector:
    matchLabels:
      app.kubernetes.io/name: kwasm-operator
  template:
    metadata:
      labels:
        app.kubernetes.io/name: kwasm-operator
    spec:
      serviceAccountName: kwasm-operator
      containers:
        - name: kwasm-operator
          image: {OPERATOR_IMAGE}
          env:
            - name: CONTROLLER_NAMESPACE
              valueFrom:
                fieldRef:
                  fieldPath: metadata.namespace
            # "true" would take every node of the cluster, new ones too, without an annotation.
            - name: AUTO_PROVISION_NODES
              value: "false"
            - name: INSTALLER_IMAGE
              value: NODE_INSTALLER_IMAGE
          ports:
            - name: http
              containerPort: 8081
          readinessProbe:
            httpGet:
              path: /readyz
              port: http
          livenessProbe:
            httpGet:
              path: /healthz
              port: http
          resources:
            requests:
              cpu: 10m
              memory: 64Mi
            limits:
              memory: 128Mi
          securityContext:
            allowPrivilegeEscalation: false
            capabilities:
              drop: ["ALL"]
            runAsNonRoot: true
            runAsUser: 65532
            seccompProfile:
              type: RuntimeDefault
"""
