"""A client of one repository in one registry (OCI distribution specification 1.1)."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit, urlunsplit

from spin_aks import clock
from spin_aks.errors import RegistryError
from spin_aks.oci import challenge, credentials
from spin_aks.oci.auth import Authorization
from spin_aks.oci.image import MANIFEST_MEDIA_TYPE
from spin_aks.oci.patience import Patience, retry_after_s
from spin_aks.oci.reference import DOCKER_HUB, DOCKER_HUB_API, Reference, is_loopback
from spin_aks.oci.refusal import again_hint, place, refusal, said, status_of
from spin_aks.oci.transport import Answer, Body, ConnectionLost, Transport

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from spin_aks.oci.credentials import Find

INDEX_MEDIA_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
DOCKER_MANIFEST_MEDIA_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
ACCEPTED = ", ".join((MANIFEST_MEDIA_TYPE, DOCKER_MANIFEST_MEDIA_TYPE, *INDEX_MEDIA_TYPES))
TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
REDIRECTS_MOST = 4
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Registry:
    """May be used by several threads at once. `notice` hears what a person who waits should know.

    Every method raises RegistryError, with words for people, when the registry refuses or can't be reached.
    """

    def __init__(
        self,
        reference: Reference,
        actions: str,
        *,
        patience: Patience | None = None,
        notice: Callable[[str], None] | None = None,
        find: Find = credentials.find,
    ) -> None:
        self.host = reference.host
        self.repository = reference.repository
        self.patience = patience or Patience()
        self.notice = notice or (lambda _text: None)
        api = DOCKER_HUB_API if self.host == DOCKER_HUB else self.host
        self.root = f"{'http' if is_loopback(api) else 'https'}://{api}/v2/{self.repository}"
        self._transport = Transport()
        self._authorization = Authorization(self.host, self.repository, actions, self._ask_for_token, find)

    def __enter__(self) -> Registry:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transport.close()

    def manifest_digest(self, name: str) -> str | None:
        """The digest of the manifest that a tag or digest names, or None if there is none."""
        url = f"{self.root}/manifests/{name}"
        answer = self.patiently("HEAD", url, {"Accept": ACCEPTED})
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        digest = answer.header("Docker-Content-Digest")
        if answer.is_success and digest:
            return digest
        found = self.manifest(name)  # an answer to HEAD may lack the digest, and always lacks the words of a refusal
        return None if found is None else f"sha256:{hashlib.sha256(found[1]).hexdigest()}"

    def manifest(self, name: str) -> tuple[str, bytes] | None:
        """Media type and bytes of the manifest that a tag or digest names, or None if there is none."""
        answer = self.patiently("GET", f"{self.root}/manifests/{name}", {"Accept": ACCEPTED})
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        self.must_succeed(answer, "the question for the manifest")
        return answer.header("Content-Type").partition(";")[0].strip(), answer.body

    def put_manifest(self, name: str, manifest: bytes, media_type: str) -> None:
        """Stores the manifest under a tag or its digest; checks that the registry took it for what it is.

        One that does not say what it took is asked: a proxy's page is an answer with success, too.
        """
        answer = self.patiently("PUT", f"{self.root}/manifests/{name}", {"Content-Type": media_type}, manifest)
        self.must_succeed(answer, "the manifest")
        ours = f"sha256:{hashlib.sha256(manifest).hexdigest()}"
        theirs = answer.header("Docker-Content-Digest") or self.manifest_digest(ours)
        if theirs is None:
            what = f"`{self.host}` answered {status_of(answer)} to the manifest, and has none"
            raise RegistryError(what, where=place(answer), hint="is a proxy in between? check HTTPS_PROXY")
        if theirs != ours:
            raise RegistryError(
                f"`{self.host}` stored another manifest than was sent: {theirs}, not {ours}", where=place(answer)
            )

    def has_blob(self, digest: str) -> bool:
        """Whether the repository holds the blob already. A registry that hides it behind a redirect may say no."""
        answer = self.patiently("HEAD", f"{self.root}/blobs/{digest}")
        if answer.is_success:
            return True
        if answer.status != HTTPStatus.NOT_FOUND and self.is_ours(answer.url):
            self.must_succeed(answer, "the question for a layer")
        return False

    def patiently(self, method: str, url: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Answer:
        """A request that may be made twice: tried again, within bounds, while the registry is busy or out of order."""
        return self._repeated(lambda: self.request(method, url, headers, body), url)

    def request(
        self,
        method: str,
        url: str,
        headers: dict[str, str] | None = None,
        body: Body = b"",
        length_bytes: int | None = None,
    ) -> Answer:
        """One request as whoever we are; asked who we are (401), it is made once more with a fresh answer to that.

        Raises ConnectionLost. GET and HEAD follow redirects; nobody but the registry itself is told who we are.
        """
        answer = self._authorized(method, url, headers or {}, body, length_bytes)
        for _ in range(REDIRECTS_MOST):
            if answer.status not in REDIRECTS or method not in ("GET", "HEAD"):
                break
            answer = self._authorized(method, urljoin(answer.url, answer.header("Location")), headers or {}, b"", None)
        return answer

    def must_succeed(self, answer: Answer, what: str) -> None:
        """Raises the error that says why the registry refuses `what`, unless it does not."""
        if not answer.is_success:
            raise refusal(answer, what, self._authorization.access)

    def pause_after(self, failures: int, answer: Answer, to: str = "") -> None:
        """Waits after a passing failure, as long as the registry asks; raises RegistryError if that is too often."""
        asked_s = retry_after_s(answer.header("Retry-After"))
        what = f"`{urlsplit(answer.url).netloc}` answered {status_of(answer)}{f' to {to}' if to else ''}"
        self.pause(failures, what, place_of=answer.url, why=said(answer), asked_s=asked_s)

    def pause(self, failures: int, what: str, *, place_of: str, why: str = "", asked_s: float | None = None) -> None:
        """Waits after `failures` in a row; raises RegistryError if patience is at its end."""
        wait_s = self.patience.wait_s(failures, asked_s)
        if wait_s is not None:
            self.notice(f"{what}; trying again in {wait_s:g} s")
            clock.sleep(wait_s)
            return
        parts = urlsplit(place_of)
        too_long = asked_s is not None and asked_s > self.patience.asked_most_s
        often = f", and asks to wait {asked_s:g} s" if too_long else f", {failures} times" if failures > 1 else ""
        raise RegistryError(
            f"{what}{often}",
            where=f"{parts.scheme}://{parts.netloc}{parts.path}",
            why=why,
            hint=again_hint(why),
        )

    def is_ours(self, url: str) -> bool:
        """Whether a URL leads to the registry itself, by host and port."""
        return _endpoint(url) == _endpoint(self.root)

    def location(self, answer: Answer) -> str:
        """Where a registry says to go on; a `Location` may be relative (distribution-spec 1.1, "Pushing blobs").

        A registry behind a proxy that ends TLS may name itself by http: it is spoken to as before.
        """
        where = answer.header("Location")
        if not where:
            raise RegistryError(f"`{self.host}` does not say where the layer is to be sent", where=place(answer))
        url = urlsplit(urljoin(answer.url, where))
        ours = urlsplit(self.root)
        if url.hostname == ours.hostname and url.scheme != ours.scheme and url.port in (None, ours.port):
            return urlunsplit(url._replace(scheme=ours.scheme, netloc=ours.netloc))
        return urlunsplit(url)

    def _authorized(
        self, method: str, url: str, headers: dict[str, str], body: Body, length_bytes: int | None
    ) -> Answer:
        if not self.is_ours(url):
            return self._transport.ask(method, url, headers, body, length_bytes)
        used = self._authorization.header()
        answer = self._transport.ask(method, url, _with(headers, used), body, length_bytes)
        if answer.status != HTTPStatus.UNAUTHORIZED:
            return answer
        if not self._authorization.solve(challenge.parse(answer.header("WWW-Authenticate")), used):
            return answer
        return self._transport.ask(method, url, _with(headers, self._authorization.header()), body, length_bytes)

    def _ask_for_token(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Answer:
        return self._repeated(lambda: self._transport.ask(method, url, headers, body), url)

    def _repeated(self, send: Callable[[], Answer], url: str) -> Answer:
        failures = 0
        while True:
            try:
                answer = send()
            except ConnectionLost as lost:
                failures += 1
                self.pause(failures, f"the connection to `{urlsplit(url).netloc}` broke ({lost})", place_of=url)
                continue
            if answer.status not in TRANSIENT:
                return answer
            failures += 1
            self.pause_after(failures, answer)


def _with(headers: dict[str, str], authorization: str) -> dict[str, str]:
    return {**headers, "Authorization": authorization} if authorization else headers


def _endpoint(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or _DEFAULT_PORTS.get(parts.scheme)
