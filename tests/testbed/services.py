"""A real Docker daemon and a real Redis on loopback."""

from __future__ import annotations

import os
import socket
import ssl
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from testbed.certificates import self_signed
from testbed.daemon import folder, free_port, needs, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REDIS_PASSWORD = "correct-horse"


@dataclass(frozen=True, slots=True)
class DockerDaemon:
    """`docker_host` is what DOCKER_HOST takes; the daemon speaks plain http to registries on loopback."""

    docker_host: str
    log: Path


@contextmanager
def docker_daemon() -> Iterator[DockerDaemon]:
    """A daemon without networks: nothing of a test's image runs, and the machine's firewall is left alone."""
    program = needs("dockerd", "docker.io")
    if os.geteuid() != 0:
        pytest.skip("needs `dockerd`, which takes root to start")
    with folder("docker") as own:
        address, log = own / "docker.sock", own / "dockerd.log"
        argv = [program, "--host", f"unix://{address}", "--pidfile", str(own / "pid")]
        argv += ["--data-root", str(own / "data"), "--exec-root", str(own / "exec")]
        argv += ["--bridge=none", "--iptables=false", "--ip6tables=false", "--insecure-registry=127.0.0.0/8"]
        with running("docker daemon", argv, log, lambda: _docker_answers(address)):
            yield DockerDaemon(f"unix://{address}", log)


def _docker_answers(address: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        try:
            connection.connect(str(address))
            connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b" 200 " in connection.recv(64)
        except OSError:
            return False


@dataclass(frozen=True, slots=True)
class Redis:
    """Speaks TLS on `port` with a certificate that `ca` vouches for, and plain text on `plain_port`; asks for the
    password on both.
    """

    host: str
    port: int
    plain_port: int
    password: str
    ca: Path
    log: Path

    @property
    def url(self) -> str:
        return f"rediss://:{self.password}@{self.host}:{self.port}"

    @property
    def plain_url(self) -> str:
        return f"redis://:{self.password}@{self.host}:{self.plain_port}"


@contextmanager
def redis_server() -> Iterator[Redis]:
    program = needs("redis-server", "redis-server")
    with folder("redis") as own:
        made, port, plain_port = self_signed(own, "redis"), free_port(), free_port()
        argv = [program, "--bind", "127.0.0.1", "--port", str(plain_port), "--tls-port", str(port)]
        argv += ["--tls-cert-file", str(made.certificate), "--tls-key-file", str(made.key)]
        argv += ["--tls-ca-cert-file", str(made.certificate), "--tls-auth-clients", "no"]
        argv += ["--requirepass", REDIS_PASSWORD, "--dir", str(own), "--save", ""]
        redis = Redis("127.0.0.1", port, plain_port, REDIS_PASSWORD, made.certificate, own / "redis.log")
        with running("redis", argv, redis.log, lambda: _redis_answers(redis)):
            yield redis


def _redis_answers(redis: Redis) -> bool:
    try:
        return redis_says(redis, "PING") == "+PONG"
    except OSError:
        return False


def redis_says(redis: Redis, command: str) -> str:
    """The first line of the answer to one inline `command`, over TLS, after the password."""
    trust = ssl.create_default_context(cafile=str(redis.ca))
    with (
        socket.create_connection((redis.host, redis.port), timeout=5) as plain,
        trust.wrap_socket(plain, server_hostname=redis.host) as connection,
        connection.makefile("rwb") as stream,
    ):
        stream.write(f"AUTH {redis.password}\r\n{command}\r\n".encode())
        stream.flush()
        stream.readline()
        return stream.readline().decode().rstrip("\r\n")
