"""A certificate authority of the sandbox's own, and the one certificate of all hosts that it plays.

Made once and kept; a client trusts it by the bundle, which also holds what the client would trust without us.
"""

from __future__ import annotations

import datetime
import os
import ssl
import time
from pathlib import Path
from typing import TYPE_CHECKING

from spin_aks.sandbox import disk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

HOSTS = ("management.azure.com", "login.microsoftonline.com", "spinakssandbox.blob.core.windows.net")
WILDCARDS = ("vault.azure.net", "azurecr.io")
BUNDLE = "ca-bundle.pem"
VALID_DAYS = 397
RENEWED_AFTER_S = 300 * 24 * 3600
TRUST_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


def plays(host: str) -> bool:
    """Whether requests to this host stay in the sandbox."""
    return host in HOSTS or any(host.endswith(f".{parent}") for parent in WILDCARDS)


class Authority:
    """Keeps its files in `folder`: `ca.pem`, `ca-bundle.pem`, and `hosts.pem` with its private key. Raises OSError."""

    def __init__(self, folder: Path, environment: Mapping[str, str] = os.environ) -> None:
        self._own = folder / "ca.pem"
        self._hosts = folder / "hosts.pem"
        self.bundle = folder / BUNDLE
        if _is_old(self._hosts) or _is_old(self._own):
            _make(self._own, self._hosts)
        content = trusted(environment, self.bundle) + b"\n" + self._own.read_bytes()
        if not self.bundle.exists() or self.bundle.read_bytes() != content:
            disk.replace(self.bundle, content)

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._hosts)
        context.set_alpn_protocols(["http/1.1"])
        return context


def trusted(environment: Mapping[str, str], ours: Path) -> bytes:
    """The certificates that a client trusts by itself: those of its variable, else the system's and certifi's."""
    for name in TRUST_VARIABLES:
        path = Path(environment.get(name, ""))
        # In a sandbox within a sandbox the variable names a bundle like ours: its own authority stays trusted.
        if environment.get(name) and path.is_file() and path != ours:
            return path.read_bytes()
    import certifi

    system = ssl.get_default_verify_paths().cafile
    files = [Path(found) for found in (system, certifi.where()) if found]
    return b"\n".join(path.read_bytes() for path in files if path.is_file())


def _is_old(path: Path) -> bool:
    return not path.exists() or path.stat().st_mtime < time.time() - RENEWED_AFTER_S


def _make(own: Path, hosts: Path) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, host_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    pem = serialization.Encoding.PEM
    authority = _signed("spin-aks sandbox", "spin-aks sandbox", key, key, x509.BasicConstraints(True, 0))
    names = [x509.DNSName(name) for name in (*HOSTS, *(f"*.{parent}" for parent in WILDCARDS))]
    alternatives = x509.SubjectAlternativeName(names)
    leaf = _signed("management.azure.com", "spin-aks sandbox", host_key, key, alternatives)
    private = host_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    # The authority's own key is used this once: nobody can make it sign another host.
    disk.replace(hosts, leaf.public_bytes(pem) + private)
    disk.replace(own, authority.public_bytes(pem))


def _signed(
    name: str,
    issuer: str,
    key: EllipticCurvePrivateKey,
    issuer_key: EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> x509.Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    now = datetime.datetime.now(datetime.UTC)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    issued_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    builder = (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=VALID_DAYS))
        .add_extension(identifier, critical=False)
        .add_extension(issued_by, critical=False)
        .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
    )
    if isinstance(extension, x509.BasicConstraints):
        builder = builder.add_extension(_may_sign(), critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


def _named(name: str) -> x509.Name:
    from cryptography import x509

    return x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, name)])


def _may_sign() -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
