"""The stage `render`: from the files that people keep to exactly what is applied to this environment."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from spin_aks import files
from spin_aks.context import RUNTIME_CONFIG
from spin_aks.errors import SpinAksError
from spin_aks.generators import RENDER_VERSION, names
from spin_aks.settings.found import DEFAULT_ENVIRONMENT
from spin_aks.tasks import choice, manifests, push, resources
from spin_aks.tasks.stage import Stage, existing

if TYPE_CHECKING:
    from spin_aks.context import Context
    from spin_aks.generators.render import RenderValues
    from spin_aks.generators.resources import Payload
    from spin_aks.json_types import JSON
    from spin_aks.spin.runtime_config import RuntimeConfig

NO_IMAGE_YET = f"registry.invalid/image@sha256:{'0' * 64}"


def stage(context: Context) -> Stage:
    named_by = _named_by(context)
    return Stage(
        name="render",
        doc="make exactly what is applied",
        action=lambda: _render(context),
        depends_on=(named_by, *resources.before_render(context), "manifests"),
        files=lambda: existing(
            [
                context.state("app.json"),
                context.state(f"{named_by}.json"),
                *resources.rendered_from(context),
                *manifests.paths(context),
                RUNTIME_CONFIG,
            ]
        ),
        values=_values(context),
        targets=(context.state("rendered.yaml").as_posix(), context.state("rendered.json").as_posix()),
        requires=lambda: push.requirements(context),
    )


def namespace(context: Context) -> str:
    """The namespace of this environment: two of them in one cluster don't get in each other's way by themselves."""
    own = "" if context.environment == DEFAULT_ENVIRONMENT else f"-{context.environment}"
    return names.namespace(f"{context.application.name}{own}", context.settings.namespace)


def service_account(context: Context) -> str:
    """The service account of pods that have an identity in Azure."""
    return context.settings.service_account or names.kubernetes_name(context.application.name)


def plain_variables(context: Context) -> dict[str, str]:
    """The values given by flag or environment; those of secret variables are left out: state is plain text."""
    secret = {variable.name for variable in context.application.variables if variable.secret}
    return {name: value for name, value in context.settings.variables if name not in secret}


def rehearse(context: Context) -> None:
    """Raises what would keep the pods from starting, as soon as the wasm is there and before anything is pushed."""
    from spin_aks.generators import render

    render.render(manifests.expected(context), _render_values(context, NO_IMAGE_YET, client_id=""))


def _named_by(context: Context) -> str:
    """Our own builder knows the digest before the push; otherwise it is the registry's word."""
    return "image" if choice.choose(context).builder == choice.OCI else "push"


def _values(context: Context) -> dict[str, JSON]:
    settings = context.settings
    given: dict[str, JSON] = {f"variables.{name}": value for name, value in plain_variables(context).items()}
    return {
        "generator": RENDER_VERSION,
        "app.name": settings.name or None,
        "certifi": authorities_version(),
        "container_registry.server": resources.host(context),
        "image.repository": push.repository(context),
        "image.tag": push.tag_value(context),
        "identity.service_account": service_account(context) if settings.identity_name else None,
        "kubernetes.namespace": namespace(context),
        "kubernetes.replicas": settings.replicas or None,
        "kubernetes.resources.cpu_request": settings.cpu_request or None,
        "kubernetes.resources.cpu_limit": settings.cpu_limit or None,
        "kubernetes.resources.memory_request": settings.memory_request or None,
        "kubernetes.resources.memory_limit": settings.memory_limit or None,
        **given,
    }


def _render(context: Context) -> None:
    from spin_aks.generators import render
    from spin_aks.tasks import resource_identity

    client_id = resource_identity.client_id(context)
    rendered = render.render(_texts(context), _render_values(context, _image(context), client_id=client_id))
    objects: list[JSON] = [one.body for one in rendered.objects]
    files.write(context.state("rendered.yaml"), rendered.yaml)
    files.write_json(context.state("rendered.json"), {"objects": objects})


def _texts(context: Context) -> dict[str, str]:
    return {path.as_posix(): files.read_text(path) for path in manifests.paths(context)}


def _render_values(context: Context, image: str, *, client_id: str) -> RenderValues:
    from spin_aks.generators.pod_identity import PodIdentity
    from spin_aks.generators.render import RenderValues
    from spin_aks.generators.resources import WantedResources
    from spin_aks.spin.outbound import speaks_tls

    application, settings = context.application, context.settings
    return RenderValues(
        application=application.name,
        namespace=namespace(context),
        image=image,
        payload=payload(context),
        variable_prefix=context.runtime.variable_prefix,
        variables=plain_variables(context),
        required=tuple(variable.name for variable in application.variables if variable.required),
        replicas=settings.replicas or None,
        resources=WantedResources(
            settings.cpu_request, settings.cpu_limit, settings.memory_request, settings.memory_limit
        ),
        ca_certificates=_authorities() if speaks_tls(application, context.configured) else None,
        configuration=_configuration(context),
        identity=PodIdentity(service_account(context), client_id) if settings.identity_name else None,
        given_at=lambda key: context.origin(key, key),
    )


def _configuration(context: Context) -> RuntimeConfig:
    """What the pod is given of runtime-config.toml; which files are in an image of a Dockerfile, only that knows."""
    configured = context.configured
    if choice.choose(context).builder not in choice.BY_DOCKERFILE:
        return configured
    return replace(configured, paths=tuple(path for path in configured.paths if path.written))


def _image(context: Context) -> str:
    last = push.pushed(context) if _named_by(context) == "push" else None
    if last is not None:
        return str(last.reference)
    image = files.read_json(context.state("image.json"))
    if image is None:
        raise SpinAksError("there is no image to render", hint="spin-aks run image")
    return str(push.target(context, image))


def payload(context: Context) -> Payload:
    """What a pod has to run: the bundle's wasm, by size."""
    from spin_aks.generators.resources import Payload
    from spin_aks.oci.bundle import WASM, Bundle

    document = files.read_json(context.state("bundle.json"))
    if document is None:
        raise SpinAksError("there is no bundle to take sizes from", hint="spin-aks run bundle")
    sizes = {file.component: file.size_bytes for file in Bundle.from_json(document).files if file.role == WASM}
    return Payload(choice.choose(context).form, sizes, context.runtime.compiles_ahead)


def authorities_version() -> str:
    """Which of certifi's bundles is carried along, where one is: another may trust other authorities."""
    import certifi

    return certifi.__version__


def _authorities() -> str:
    """The certificate authorities that Mozilla trusts, as certifi carries them."""
    from pathlib import Path

    import certifi

    return files.read_text(Path(certifi.where()))
