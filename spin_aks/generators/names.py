"""Names in Kubernetes, made from names in spin.toml; and the labels by which our objects are found again.

Kubernetes' rules: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/.
"""

from __future__ import annotations

import hashlib
import re

from spin_aks.errors import UsageError

NAME_LABEL = "app.kubernetes.io/name"
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
MANAGED_BY = "spin-aks"
APPLICATION_LABEL = "spin-aks.dev/application"
"""On every object (and pod) that belongs to one application: its value is `kubernetes_name` of the application."""

RUNTIME_CONFIG_ANNOTATION = "spin-aks.dev/runtime-config"
"""On pods that are given a runtime-config.toml: its digest, so that new text makes new pods."""

IDENTITY_ANNOTATION = "spin-aks.dev/identity"
"""On pods that have an identity in Azure: its client id, so that another identity makes new pods."""

RUNTIME_CLASS = "wasmtime-spin-v2"

LONGEST_NAME = 63
_HASH_DIGITS = 8
_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"


def kubernetes_name(application: str) -> str:
    """The name that a Deployment, Service, Namespace, container and label value can all have.

    Lower case, any other character to `-`, trimmed of those; `app-` before a digit, as a Service's name begins with a
    letter (RFC 1035). Longer than 63, it is cut and ends in a hash of the whole; with nothing left, it is that hash.
    """
    name = re.sub(r"[^a-z0-9]", "-", application.lower()).strip("-")
    if not name:
        return f"app-{_hash(application)}"
    if name[0].isdigit():
        name = f"app-{name}"
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - _HASH_DIGITS - 1].rstrip('-')}-{_hash(application)}"


def namespace(application: str, given: str = "") -> str:
    """The namespace to deploy to: the one given, else the application's name; raises UsageError if it can't be one."""
    if not given:
        return kubernetes_name(application)
    if not re.fullmatch(_LABEL, given):
        what = f"`{given}` can't be a namespace: lower-case letters, digits and `-`, at most {LONGEST_NAME}"
        raise UsageError(what, hint=f"try `--namespace {kubernetes_name(given)}`")
    return given


def image_placeholder(application: str) -> str:
    """What stands for the application's image in files that people keep; `render` replaces it, and nothing else."""
    return kubernetes_name(application)


def ca_certificates(application: str) -> str:
    """The ConfigMap that holds the certificate authorities which the application trusts."""
    return f"{kubernetes_name(application)}-ca-certificates"


def runtime_config(application: str) -> str:
    """The ConfigMap that holds the application's runtime-config.toml."""
    return f"{kubernetes_name(application)}-runtime-config"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_DIGITS]
