"""Secrets where plain text is meant: found by their form, and by the names that people give them.

What is said here stops somebody who mostly means no harm, so only what is hardly ever anything else counts.
spin/runtime_secrets.py judges files that go where others read them, and is stricter. No function here returns any part
of a value.

Forms: https://github.com/microsoft/security-utilities for Azure's keys, which have letters in their midst to be found
by; https://docs.github.com/code-security/secret-scanning/introduction/supported-secret-scanning-patterns for those of
others.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class _Form(NamedTuple):
    """A kind of secret. A text in which `pattern` is looked for has one of `marks`, which are in lower case, in any
    case; what its group `secret` matches is none if it is a placeholder.
    """

    kind: str
    marks: tuple[str, ...]
    pattern: str


_64 = "[A-Za-z0-9+/]"
_ALONE = "(?<![A-Za-z0-9+/_-])"
_TEMPLATE = r"\{\{[^}]{0,256}\}\}"
_PASSWORDS = "(?i:passw(?:or)?d|passphrase|pwd)"
_KEYS = (
    "(?i:(?:api|account|(?:primary|secondary)(?:[_-]?master)?|shared|secret|(?:shared[_-]?|secret[_-]?)?access)[_-]?key"
    "|client[_-]?secret|(?:access|refresh|id)[_-]?token)"
)

# Repetitions have an end, so that each place in a long text is looked at once, and not all the rest from each.
_FORMS = (
    _Form(
        "a private key",
        ("-----begin", "putty-user-key-file", "age-secret-key-"),
        "-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY|PuTTY-User-Key-File-[0-9]|AGE-SECRET-KEY-1[A-Z0-9]{50}",
    ),
    _Form(
        "a private key",
        ("client-key-data",),
        rf"client-key-data[\"']?\s{{0,9}}:\s{{0,9}}[\"']?{_64}{{40}}",
    ),
    _Form(
        "an account key",
        ("key=",),
        rf"(?i:account|shared|sharedaccess|primary|secondary|access)(?i:key)=(?P<secret>{_64}{{20,512}})",
    ),
    _Form(
        "an account key",
        ("acdb", "+ast", "+amc", "+aba", "apim"),
        rf"{_ALONE}{_64}{{76}}(?:ACDb|\+ASt|\+AMC|\+ABa|APIM){_64}{{5}}[AQgw]==",
    ),
    _Form(
        "an account key",
        ("azca", "aiot", "azeg", "+asb", "+aeh", "+arm"),
        rf"{_ALONE}{_64}{{33}}(?:AzCa|AIoT|AZEG|\+ASb|\+AEh|\+ARm)[A-P]{_64}{{5}}=",
    ),
    _Form(
        "an account key",
        ("azfu", "azse"),
        rf"{_ALONE}(?:[A-Za-z0-9_-]{{44}}AzFu[A-Za-z0-9_-]{{5}}[AQgw]==|[A-Za-z0-9]{{42}}AzSe[A-D][A-Za-z0-9]{{5}}\b)",
    ),
    _Form(
        "a registry's password",
        ("+acr", "dckr_pat_"),
        rf"{_ALONE}(?:{_64}{{42}}\+ACR[A-D]{_64}{{5}}(?!{_64})|dckr_pat_[A-Za-z0-9_-]{{20}})",
    ),
    _Form(
        "a registry's password",
        ("auth",),
        rf"[\"']auth[\"']\s{{0,9}}:\s{{0,9}}[\"']{_64}{{12,2048}}={{0,2}}[\"']",
    ),
    _Form(
        "a client secret of Entra ID",
        ("q~",),
        r"(?<![A-Za-z0-9_~.-])[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}(?![A-Za-z0-9_~.-])",
    ),
    _Form(
        "a shared access signature",
        ("sig=",),
        r"(?:\A|[?&;\s\"'])sig=[A-Za-z0-9%+/=_-]{40}",
    ),
    _Form(
        "a JSON web token",
        ("eyj",),
        r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,4096}\.eyJ[A-Za-z0-9_-]{8,65536}\.[A-Za-z0-9_-]{16}",
    ),
    _Form(
        "a GitHub token",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        "(?<![A-Za-z0-9_])(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{59})",
    ),
    _Form("a GitLab token", ("glpat-",), "(?<![A-Za-z0-9_])glpat-[A-Za-z0-9_-]{20}"),
    _Form("an AWS key", ("akia", "asia"), rf"{_ALONE}(?:AKIA|ASIA)[A-Z2-7]{{16}}(?![A-Za-z0-9+/_-])"),
    _Form("a Google key", ("aiza",), "(?<![A-Za-z0-9_-])AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
    _Form("a Slack token", ("xox",), "(?<![A-Za-z0-9])xox[abeoprs]-[A-Za-z0-9-]{20}"),
    _Form("a Stripe key", ("k_live_",), "(?<![A-Za-z0-9])[rs]k_live_[A-Za-z0-9]{20}"),
    _Form(
        "an API key",
        ("sk-",),
        "(?<![A-Za-z0-9-])sk-(?:(?:ant|proj|svcacct)-[A-Za-z0-9_-]{32}|[A-Za-z0-9]{48}(?![A-Za-z0-9]))",
    ),
    _Form(
        "a package index's token",
        ("npm_", "pypi-ageichlwas"),
        "(?<![A-Za-z0-9_-])(?:npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])|pypi-AgEIcHlwaS[A-Za-z0-9_-]{50})",
    ),
    # What follows `//HOST:` may be a port, and an `@` may stand in a path.
    _Form(
        "a password in a URL",
        ("://",),
        r"://[^\s/?#@:\[\]\"'<>]{0,256}:(?![0-9]{1,5}(?:[/?#,;|&)\]}]|\Z))(?P<secret>[^\s@\"'<>]{1,512})@[^\s/@]",
    ),
    _Form(
        "a password in a URL",
        ("?", "&"),
        rf"[?&](?:{_PASSWORDS}=(?P<secret>{_TEMPLATE}|[^\s&#\"'<>]{{1,512}})|{_KEYS}=[^\s&#\"'<>{{$]{{16}})",
    ),
    _Form(
        "a password in a connection string",
        ("passw", "pwd"),
        rf"(?:\A|[\s;,\"']){_PASSWORDS}\s{{0,9}}=\s{{0,9}}(?P<secret>{_TEMPLATE}|[^\s;,\"'<>]{{1,512}})",
    ),
    _Form(
        "a password",
        ("passw", "passphrase", "pwd"),
        rf"[\"']{_PASSWORDS}[\"']\s{{0,9}}:\s{{0,9}}[\"'](?P<secret>[^\"'\n]{{1,512}})[\"']",
    ),
    _Form(
        "an access key",
        ("key", "secret", "token"),
        rf"[\"']{_KEYS}[\"']\s{{0,9}}:\s{{0,9}}[\"'][^\"'\s{{}}<>$]{{16}}",
    ),
    _Form(
        "credentials of an HTTP header",
        ("bearer", "basic"),
        r"\A\s{0,9}(?i:authorization\s{0,9}:\s{0,9})?(?i:bearer|basic)\s{1,9}[A-Za-z0-9._~+/-]{16,65536}={0,2}\s{0,9}\Z",
    ),
)
# 64 bytes and nothing else: a key of Storage or Cosmos DB from before they were marked, or a SHA-512.
_BARE_ACCOUNT_KEY = _Form("an account key", ("==",), rf"\A\s{{0,9}}{_64}{{85}}[AQgw]==\s{{0,9}}\Z")
_DIGESTS = frozenset({"hash", "digest", "checksum", "checksums", "integrity", "sha", "sha512", "sum", "fingerprint"})

# What stands for a value that comes from elsewhere: with Spin, a shell, pipelines, Windows, Key Vault, in a document.
_PLACEHOLDER = (
    r"\{\{.*\}\}|\$\{[^}]*\}|\$\([^)]*\)|\$\w+|#\{[^}]*\}#|__\w+__|%\w+%|@Microsoft\.KeyVault\(.*\)|<[^>]*>|\{\w*\}"
    r"|[*.\u2026]{1,}|[xX]{3,}|(?i:redacted|none|null|nil|true|false|yes|no|on|off)"
)

_PASSWORD_WORDS = frozenset({"password", "passwd", "passphrase", "passcode", "pwd"})
_SECRET_WORDS = frozenset({"secret", "token", "credential", "credentials", "sas", "connstr", "passwords"})
_SECRET_PAIRS = frozenset(
    {f"{first}key" for first in ("access", "account", "admin", "api", "auth", "client", "encryption", "function")}
    | {f"{first}key" for first in ("master", "primary", "private", "secondary", "secret", "shared", "signing")}
    | {f"{first}keys" for first in ("access", "account", "api", "private", "secret")}
    | {f"{first}token" for first in ("access", "api", "auth", "bearer", "github", "id", "refresh")}
    | {f"{first}pass" for first in ("admin", "database", "db", "mail", "postgres", "redis", "root", "smtp", "user")}
    | {"clientsecret", "clientsecrets", "connectionstring", "connectionstrings", "sasurl", "sasuri", "storagekey"}
)
_ADDRESSES = frozenset({"connstr", "connectionstring", "connectionstrings", "sasurl", "sasuri"})
_OPEN_KEYS = frozenset(
    {"cache", "column", "composite", "feature", "foreign", "group", "hash", "idempotency", "index", "item", "json"}
    | {"label", "lookup", "map", "message", "object", "partition", "public", "range", "routing", "row", "sort", "table"}
    | {"translation", "unique"}
)
_QUESTIONS = frozenset(
    {"allow", "ask", "disable", "enable", "forgot", "has", "hide", "is", "needs", "no", "require", "requires", "reset"}
    | {"show", "use"}
)

_BY_NAME = ", going by its name"


def secret_in(key: str, value: str) -> str:
    """In words what kind of secret `value` holds, such as "an account key"; empty if none that is known.

    `key` is where it stands, with dots: a variable's value (`variables.db_password`) is judged by the name as well,
    any other by itself. What names a secret, or stands for one, holds none.
    """
    lower = value.lower()
    kind = next((form.kind for form in _FORMS if _has(form, value, lower)), "")
    words = _words(key)
    if not kind and _has(_BARE_ACCOUNT_KEY, value, lower) and not _DIGESTS.intersection(words):
        kind = _BARE_ACCOUNT_KEY.kind
    return kind or (_kind_by_name(words, value) if key.startswith("variables.") else "")


def secret_key_name(name: str) -> bool:
    """Whether what stands behind a key of this name (`password`, `client_secret`, `cosmosKey`) would be a secret.

    Names of something about one (`secret_name`, `token_url`, `partition_key`, `use_password`) are none.
    """
    words = _words(name)
    if not words or words[0] in _QUESTIONS:
        return False
    if words[-1] == "key":
        return len(words) == 1 or words[-2] not in _OPEN_KEYS
    return _names_secret(words) or words == ["pass"]


def _has(form: _Form, value: str, lower: str) -> bool:
    if not any(mark in lower for mark in form.marks):
        return False
    for match in re.finditer(form.pattern, value):
        secret = match.groupdict().get("secret")
        # Behind a placeholder and a `/` there is a path, so that it was a port.
        if secret is None or not re.fullmatch(f"(?:{_PLACEHOLDER})(?:/.*)?", secret):
            return True
    return False


def _kind_by_name(words: list[str], value: str) -> str:
    if not words or words[0] in _QUESTIONS or not _names_secret(words) or _ending(words) in _ADDRESSES:
        return ""
    if not value.strip() or "://" in value or re.fullmatch(_PLACEHOLDER, value.strip(), re.DOTALL):
        return ""
    if re.fullmatch(r"(?:\.{0,2}/[a-z0-9._-]{1,64}){2,32}", value):
        return ""
    if words[-1] in _PASSWORD_WORDS:
        return f"a password{_BY_NAME}"
    return f"a secret{_BY_NAME}" if _looks_random(value) else ""


def _looks_random(value: str) -> bool:
    """Whether a value is long, of one piece, and not made of words, as names of things are."""
    if len(value) < 16 or re.search(r"\s", value):
        return False
    words = r"[A-Za-z]{1,40}[0-9]{0,3}(?:[-_./:](?:[A-Za-z]{1,40}[0-9]{0,3}|[0-9]{1,4})){0,20}"
    return re.search("[0-9]", value) is not None and re.fullmatch(words, value) is None


def _names_secret(words: list[str]) -> bool:
    return words[-1] in _PASSWORD_WORDS | _SECRET_WORDS | _SECRET_PAIRS or _ending(words) in _SECRET_PAIRS


def _ending(words: list[str]) -> str:
    return "".join(words[-2:])


def _words(key: str) -> list[str]:
    """The words of the key's last part in lower case, from `camelCase`, `snake_case` or `kebab-case`; numbers at the
    end are none.
    """
    name = key.rpartition(".")[2]
    spaced = re.sub("(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name).lower()
    return [word for word in re.split("[^a-z0-9]+", spaced.rstrip("0123456789_- ")) if word]
