"""What the simulated nodes make of a pod: ready at once, or the end that the test chose (kwok's Stage resources).

A pod's end is chosen by its annotation `spin-aks.test/state`, or by its namespace's name where the annotation can't be
set: every pod of a namespace named `STATE--anything` ends in STATE. Texts are those of a kubelet and containerd.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

ANNOTATION = "spin-aks.test/state"
DELAY = "spin-aks.test/delay"
EXIT_CODE = "spin-aks.test/exit-code"

CHOSEN = f'.metadata.annotations["{ANNOTATION}"] // (.metadata.namespace | split("--") | select(length > 1) | .[0])'


@dataclass(frozen=True, slots=True)
class State:
    """`container` is each container's status but for its name and image, a Go template; `events` are what the node
    says, all of them warnings: reason and message.
    """

    container: str
    events: tuple[tuple[str, str], ...]
    phase: str = "Pending"
    exit_code: str = "137"


def _waiting(reason: str, message: str, **more: object) -> str:
    return json.dumps({"ready": False, "started": False, "state": {"waiting": _reason(reason, message)}, **more})


def _reason(reason: str, message: str) -> dict[str, str]:
    return {"reason": reason, **({"message": message} if message else {})}


def _crashed(reason: str) -> str:
    times = {"startedAt": "@now@", "finishedAt": "@now@"}
    ended = {"exitCode": "@exit_code@", "reason": reason, "containerID": "containerd://ended", **times}
    message = "back-off 20s restarting failed container=@name@ pod=@pod@"
    return _waiting("CrashLoopBackOff", message, restartCount=2, lastState={"terminated": ended})


BACK_OFF = ("BackOff", "Back-off restarting failed container")
NOT_FOUND = 'failed to pull and unpack image "@image@": failed to resolve reference "@image@": @image@: not found'
NO_HANDLER = (
    "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox runtime: "
    'no runtime for "spin" is configured'
)
NO_VOLUME = (
    'MountVolume.SetUp failed for volume "secrets" : rpc error: code = Unknown desc = failed to mount secrets store '
    "objects for pod: keyvault.BaseClient#GetSecret: Failure responding to request: StatusCode=403"
)
NOT_HEALTHY = (
    'Startup probe failed: Get "http://10.244.0.2:80/.well-known/spin/health": dial tcp 10.244.0.2:80: '
    "connect: connection refused"
)

STATES = {
    "crash-loop": State(_crashed("Error"), (BACK_OFF,), "Running"),
    "oom-killed": State(_crashed("OOMKilled"), (BACK_OFF,), "Running"),
    "never-ready": State(
        json.dumps({"ready": False, "started": False, "restartCount": 0, "state": {"running": {"startedAt": "@now@"}}}),
        (("Unhealthy", NOT_HEALTHY),),
        "Running",
    ),
    "image-pull": State(
        _waiting("ImagePullBackOff", f'Back-off pulling image "@image@": ErrImagePull: {NOT_FOUND}', restartCount=0),
        (("Failed", "Error: ErrImagePull"), ("Failed", "Error: ImagePullBackOff")),
    ),
    "create-container": State(
        _waiting(
            "CreateContainerError",
            "failed to generate container spec: failed to generate spec: no command specified",
            restartCount=0,
        ),
        (("Failed", "Error: failed to generate container spec: failed to generate spec: no command specified"),),
    ),
    "create-container-config": State(
        _waiting(
            "CreateContainerConfigError",
            'container has runAsNonRoot and image will run as root (pod: "@pod@", container: @name@)',
            restartCount=0,
        ),
        (("Failed", "Error: container has runAsNonRoot and image will run as root"),),
    ),
    "no-sandbox": State(_waiting("ContainerCreating", "", restartCount=0), (("FailedCreatePodSandBox", NO_HANDLER),)),
    "no-mount": State(_waiting("ContainerCreating", "", restartCount=0), (("FailedMount", NO_VOLUME),)),
}

PLACEHOLDERS = {
    '"@exit_code@"': "{{ $exit }}",
    "@now@": "{{ $now }}",
    "@name@": "{{ .name }}",
    "@image@": "{{ .image }}",
    "@pod@": "{{ $root.metadata.name }}_{{ $root.metadata.namespace }}({{ $root.metadata.uid }})",
}


def stages() -> str:
    """All stages as one file for kwok's --config."""
    documents = [
        _unmatched(),
        _ready(),
        _completed(),
        _deleted(),
        *(_failing(name, state) for name, state in STATES.items()),
    ]
    return "".join(f"---\n{json.dumps(document)}\n" for document in documents)


def _stage(
    name: str, selector: list[dict[str, object]], steps: list[object], kind: str = "Pod", **more: object
) -> dict[str, object]:
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Stage",
        "metadata": {"name": name},
        "spec": {
            "resourceRef": {"apiGroup": "v1", "kind": kind},
            "selector": {"matchExpressions": selector},
            "steps": steps,
            **more,
        },
    }


def _where(key: str, operator: str, *values: str) -> dict[str, object]:
    return {"key": key, "operator": operator, **({"values": list(values)} if values else {})}


ALIVE = _where(".metadata.deletionTimestamp", "DoesNotExist")
UNTOUCHED = _where(".status.containerStatuses", "DoesNotExist")


def _status(template: str) -> dict[str, object]:
    return {"patch": {"subresource": "status", "root": "status", "template": template}}


HEAD = """\
{{ $root := . }}
{{ $now := Now }}
{{ $annotations := or .metadata.annotations dict }}
{{ $exit := or ( index $annotations "EXIT_KEY" ) "EXIT_CODE" }}
phase: PHASE
startTime: {{ $now | Quote }}
hostIP: {{ NodeIPWith .spec.nodeName | Quote }}
conditions:
- { type: Initialized, status: "True", lastTransitionTime: {{ $now | Quote }} }
- { type: PodReadyToStartContainers, status: "True", lastTransitionTime: {{ $now | Quote }} }
- { type: Ready, status: "READY", lastTransitionTime: {{ $now | Quote }} WHY }
- { type: ContainersReady, status: "READY", lastTransitionTime: {{ $now | Quote }} WHY }
containerStatuses:
{{ range .spec.containers }}
- { image: {{ .image | Quote }}, imageID: "", name: {{ .name | Quote }}, STATUS }
{{ end }}
"""
WHY = ', reason: ContainersNotReady, message: "containers with unready status"'
PLACE = """\
{{ $ips := PodIPsWith .spec.nodeName false .metadata.uid .metadata.name .metadata.namespace }}
podIP: {{ index $ips 0 | Quote }}
podIPs: [ { ip: {{ index $ips 0 | Quote }} } ]
"""


def _template(container: str, *, phase: str, ready: bool, exit_code: str = "0") -> str:
    text = container.strip().removeprefix("{").removesuffix("}")
    for placeholder, expression in PLACEHOLDERS.items():
        text = text.replace(placeholder, expression)
    chosen = {"EXIT_KEY": EXIT_CODE, "EXIT_CODE": exit_code, "PHASE": phase, "READY": str(ready)}
    head = HEAD
    for name, value in chosen.items():
        head = head.replace(name, value)
    head = head.replace("WHY", "" if ready else WHY).replace("STATUS", text)
    return head + (PLACE if phase == "Running" else "")


def _unmatched() -> dict[str, object]:
    """kwok looks after pods only where it has a stage for nodes; ours stay as the tests make them."""
    return _stage("node-unmatched", [_where('.metadata.labels["spin-aks.test/unmatched"]', "Exists")], [], kind="Node")


def _ready() -> dict[str, object]:
    running = json.dumps(
        {"ready": True, "started": True, "restartCount": 0, "state": {"running": {"startedAt": "@now@"}}}
    )
    delay = {"durationMilliseconds": 0, "durationFrom": {"expressionFrom": f'.metadata.annotations["{DELAY}"]'}}
    selector = [ALIVE, UNTOUCHED, _where(CHOSEN, "NotIn", *STATES)]
    return _stage("ready", selector, [_status(_template(running, phase="Running", ready=True))], delay=delay)


def _failing(name: str, state: State) -> dict[str, object]:
    template = _template(state.container, phase=state.phase, ready=False, exit_code=state.exit_code)
    events = [{"event": {"type": "Warning", "reason": reason, "message": text}} for reason, text in state.events]
    return _stage(name, [ALIVE, UNTOUCHED, _where(CHOSEN, "In", name)], [_status(template), *events])


def _completed() -> dict[str, object]:
    times = {"startedAt": "@now@", "finishedAt": "@now@"}
    ended = {"terminated": {"exitCode": 0, "reason": "Completed", **times}}
    container = json.dumps({"ready": False, "started": False, "restartCount": 0, "state": ended})
    selector = [
        ALIVE,
        _where(".status.phase", "In", "Running"),
        _where(".metadata.ownerReferences.[].kind", "In", "Job"),
        _where(CHOSEN, "NotIn", *STATES),
    ]
    return _stage("completed", selector, [_status(_template(container, phase="Succeeded", ready=False))])


def _deleted() -> dict[str, object]:
    return _stage("deleted", [_where(".metadata.deletionTimestamp", "Exists")], [{"delete": True}])
