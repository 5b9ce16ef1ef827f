"""`runCommand`: a shell command beside files that came with it, with the cluster's kubeconfig.

AKS runs it in a pod with kubectl and helm; here it runs on this machine, for whoever holds a token of this sandbox, in
a folder of its own that goes afterwards.
"""

from __future__ import annotations

import base64
import binascii
import io
import os
import subprocess
import tempfile
import zipfile
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from spin_aks.sandbox.azure.call import RefusedError

LONGEST_S = 120
# "512 kB": https://learn.microsoft.com/azure/aks/access-private-cluster#limitations
OUTPUT_LIMIT_BYTES = 512_000


@dataclass(frozen=True, slots=True)
class Ran:
    """`output` is what it wrote, errors too, no more than AKS gives back."""

    exit_code: int
    output: str


def run(command: str, context: str, kubeconfig: str) -> Ran:
    """`context` is a zip file in base64, or empty. Raises RefusedError for one that is none."""
    with tempfile.TemporaryDirectory(prefix="spin-aks-sandbox-") as name:
        folder = Path(name) / "command-files"
        folder.mkdir()
        _unpack(context, folder)
        configuration = Path(name) / "kubeconfig"
        configuration.write_text(kubeconfig, encoding="utf-8")
        environment = {**os.environ, "KUBECONFIG": str(configuration), "HOME": name}
        try:
            done = subprocess.run(
                ["sh", "-c", command],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=LONGEST_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            return Ran(124, _shown(error.stdout or b""))
    return Ran(done.returncode, _shown(done.stdout))


def _unpack(context: str, folder: Path) -> None:
    if not context:
        return
    try:
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(context, validate=True))) as archive:
            archive.extractall(folder)
    except (binascii.Error, zipfile.BadZipFile) as error:
        message = f"The context is not a zip file in base64: {error}."
        raise RefusedError(HTTPStatus.BAD_REQUEST, "BadRequest", message) from error


def _shown(output: bytes) -> str:
    return output[:OUTPUT_LIMIT_BYTES].decode("utf-8", "replace")
