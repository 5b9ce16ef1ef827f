"""Certificates for the servers of tests and for who talks to them, made on the spot."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its key: two PEM files."""

    certificate: Path
    key: Path


def self_signed(folder: Path, name: str, *hosts: str) -> Certificate:
    """NAME.crt and NAME.key in `folder`: for a server on 127.0.0.1, localhost and `hosts`, and its own authority."""
    subject, key = _named(name), ec.generate_private_key(ec.SECP256R1())
    builder = _valid(subject, subject, key).add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
    addresses = [
        x509.IPAddress(ipaddress.IPv4Address("127.0.0.1")),
        x509.DNSName("localhost"),
        *map(x509.DNSName, hosts),
    ]
    builder = builder.add_extension(x509.SubjectAlternativeName(addresses), critical=False)
    return _write(folder, name, builder.sign(key, hashes.SHA256()), key)


def signed_by(authority: Certificate, folder: Path, name: str, organisation: str) -> Certificate:
    """NAME.crt and NAME.key in `folder`: for a client whom `authority` knows as a member of `organisation`."""
    issuer = x509.load_pem_x509_certificate(authority.certificate.read_bytes())
    issuer_key = serialization.load_pem_private_key(authority.key.read_bytes(), None)
    assert isinstance(issuer_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    usage = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH])
    builder = _valid(_named(name, organisation), issuer.subject, key).add_extension(usage, critical=False)
    return _write(folder, name, builder.sign(issuer_key, hashes.SHA256()), key)


def _named(name: str, organisation: str = "") -> x509.Name:
    parts = [x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, name)]
    if organisation:
        parts.append(x509.NameAttribute(x509.oid.NameOID.ORGANIZATION_NAME, organisation))
    return x509.Name(parts)


def _valid(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - datetime.timedelta(hours=1),
        not_valid_after=now + datetime.timedelta(days=2),
    )


def _write(folder: Path, name: str, made: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Certificate:
    pem = serialization.Encoding.PEM
    files = Certificate(folder / f"{name}.crt", folder / f"{name}.key")
    files.certificate.write_bytes(made.public_bytes(pem))
    files.key.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    files.key.chmod(0o600)
    return files
