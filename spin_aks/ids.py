"""What of an id may be written down: addresses without the secrets that people put into them."""

from __future__ import annotations

MOST_CHARACTERS = 4096


def address(text: str) -> str:
    """`HOST/PATH` or `SCHEME://HOST/PATH` without user name, password, query and fragment (RFC 3986, 3.2.1).

    "" where it can't be told for certain which part is which.
    """
    scheme, separator, rest = text.rpartition("://")
    authority, slash, path = rest.partition("/")
    if "@" in path or set(":/@") & set(scheme) or ("@" in authority and set("?#") & set(authority)):
        return ""
    host = authority.rpartition("@")[2]
    return plain(scheme + separator + _before_query(f"{host}{slash}{path}"))


def cluster(text: str) -> str:
    """A cluster's address as above, or its name: `admin@cluster` is one, `user:password@host` is not, and gives ""."""
    if "://" in text:
        return address(text)
    return "" if ":" in text.rpartition("@")[0] else plain(text)


def path(text: str) -> str:
    """A file's path, or the address of what is no file."""
    return address(text) if "://" in text else plain(text)


def word(text: str) -> str:
    """A tag or a digest, which hold no `@`."""
    return "" if "@" in text else plain(text)


def plain(text: str) -> str:
    """`text`, or "" if it is no UTF-8 (a file name may be none), or longer than any path."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return ""
    return text if len(text) <= MOST_CHARACTERS else ""


def _before_query(text: str) -> str:
    return text.partition("?")[0].partition("#")[0]
