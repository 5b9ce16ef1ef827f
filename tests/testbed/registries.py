"""Real registries (Debian's docker-registry) on loopback: open, behind a password, behind a token server."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from testbed.certificates import self_signed
from testbed.daemon import folder, free_port, listens, needs, running
from testbed.token_server import TokenServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USERNAME = "builder"
PASSWORD = "correct horse: battery/staple"


@dataclass(frozen=True, slots=True)
class Registry:
    """`host` is `127.0.0.1:PORT`, spoken to over plain http; `storage` is its root folder, `log` its log file."""

    host: str
    storage: Path
    log: Path

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def blob(self, digest: str) -> Path:
        """Where the registry keeps the bytes of `sha256:...`; there is no file if it does not have them."""
        algorithm, _, hexadecimal = digest.partition(":")
        blobs = self.storage / "docker" / "registry" / "v2" / "blobs"
        return blobs / algorithm / hexadecimal[:2] / hexadecimal / "data"


@dataclass(frozen=True, slots=True)
class BasicRegistry(Registry):
    """Answers nobody who does not give `username` and `password` (which holds what must be quoted)."""

    username: str
    password: str


@dataclass(frozen=True, slots=True)
class TokenRegistry(Registry):
    """Takes bearer tokens of `tokens`, which gives them to `username` with `password`, and to nobody else."""

    username: str
    password: str
    tokens: TokenServer


@contextmanager
def open_registry() -> Iterator[Registry]:
    with folder("registry") as own, _serving(own, {}) as (host, storage, log):
        yield Registry(host, storage, log)


@contextmanager
def basic_registry() -> Iterator[BasicRegistry]:
    htpasswd = needs("htpasswd", "apache2-utils")
    with folder("registry") as own:
        line = subprocess.run(
            [htpasswd, "-inB", USERNAME], input=PASSWORD, capture_output=True, check=True, text=True
        ).stdout
        (own / "htpasswd").write_text(line)
        auth = {"htpasswd": {"realm": "a registry of a test", "path": str(own / "htpasswd")}}
        with _serving(own, {"auth": auth}) as (host, storage, log):
            yield BasicRegistry(host, storage, log, USERNAME, PASSWORD)


@contextmanager
def token_registry() -> Iterator[TokenRegistry]:
    with folder("registry") as own, TokenServer.running(self_signed(own, "issuer"), USERNAME, PASSWORD) as tokens:
        auth = {
            "token": {
                "realm": tokens.url,
                "service": tokens.service,
                "issuer": tokens.issuer,
                "rootcertbundle": str(own / "issuer.crt"),
            }
        }
        with _serving(own, {"auth": auth}) as (host, storage, log):
            yield TokenRegistry(host, storage, log, USERNAME, PASSWORD, tokens)


@contextmanager
def _serving(own: Path, more: dict[str, Any]) -> Iterator[tuple[str, Path, Path]]:
    program = needs("docker-registry", "docker-registry")
    port = free_port()
    host, storage, log = f"127.0.0.1:{port}", own / "storage", own / "registry.log"
    configuration = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(storage)}, "delete": {"enabled": True}},
        "http": {"addr": host, "secret": "a secret of a test"},
        **more,
    }
    # JSON is YAML too.
    (own / "registry.yaml").write_text(json.dumps(configuration))
    argv = [program, "serve", str(own / "registry.yaml")]
    with running("registry", argv, log, lambda: listens(port)):
        yield host, storage, log
