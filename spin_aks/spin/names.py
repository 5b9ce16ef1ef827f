"""The names a manifest gives to things: component ids, variables, store labels, packages.

An id is words with one delimiter between them; a word starts with a letter and is all in lower case or all in upper
case (crates/serde/src/id.rs of Spin 2.0 to 4.0).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from spin_aks.spin.versions import Version

if TYPE_CHECKING:
    from spin_aks.spin.shapes import Reading

_WORD = re.compile(r"[a-z][a-z0-9]*|[A-Z][A-Z0-9]*", re.ASCII)
_KEBAB = re.compile(r"(?:[a-z][a-z0-9]*|[A-Z][A-Z0-9]*)(?:-(?:[a-z][a-z0-9]*|[A-Z][A-Z0-9]*))*", re.ASCII)
_SNAKE = re.compile(_KEBAB.pattern.replace("-(?:", "_(?:"), re.ASCII)
_SEMVER = re.compile(
    r"(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)
_VARIABLE = re.compile(r"[a-z](?:_?[a-z0-9])*", re.ASCII)


def is_kebab(name: str) -> bool:
    return _KEBAB.fullmatch(name) is not None


def component_id(name: str, _reading: Reading) -> str:
    """A rule of shapes: an id such as `my-component`."""
    return "" if is_kebab(name) else f"`{name}` can't be a component's id: {_wrong(name, '-')}"


def variable_name(name: str, reading: Reading) -> str:
    """A rule of shapes: a name such as `my_variable`; before Spin 2.6 the parser let upper case pass."""
    if _SNAKE.fullmatch(name) is None:
        return f"`{name}` can't be a variable's name: {_wrong(name, '_')}"
    if name != name.lower() and reading.spin >= Version(2, 6):
        return f"`{name}` can't be a variable's name: it has to be in lower case"
    return ""


def store_label(name: str, reading: Reading) -> str:
    """A rule of shapes: the label of a key-value store or a database; before Spin 2.3 no `-` was allowed in it."""
    if _SNAKE.fullmatch(name) or (reading.spin >= Version(2, 3) and is_kebab(name)):
        return ""
    return f"`{name}` can't be a label: {_wrong(name, '_' if '_' in name or reading.spin < Version(2, 3) else '-')}"


def model_name(name: str, reading: Reading) -> str:
    """A rule of shapes: the name of a language model; from Spin 3.5 any."""
    if reading.spin >= Version(3, 5) or is_kebab(name):
        return ""
    return f"`{name}` can't be a model's name before Spin 3.5: {_wrong(name, '-')}"


def package_name(name: str, _reading: Reading) -> str:
    """A rule of shapes: a package of a registry, such as `fermyon:hello`."""
    namespace, colon, package = name.partition(":")
    if colon and is_kebab(namespace) and is_kebab(package):
        return ""
    return f"`{name}` is not a package: it is written `namespace:name`"


def dependency_name(name: str, _reading: Reading) -> str:
    """A rule of shapes: what a component imports: `foo-bar`, `foo:bar`, `foo:bar/baz@0.1.0`."""
    if ":" not in name and "/" not in name:
        return "" if is_kebab(name) else f"`{name}` can't be a dependency's name: {_wrong(name, '-')}"
    before, at, version = name.partition("@")
    package, slash, interface = before.partition("/")
    if package_name(package, _reading):
        return f"`{name}` can't be a dependency's name: `{package}` is not `namespace:name`"
    if slash and not is_kebab(interface):
        return f"`{name}` can't be a dependency's name: {_wrong(interface, '-')}"
    if at and not is_semver(version):
        return f"`{name}` can't be a dependency's name: `{version}` is not a version such as `0.1.0`"
    return ""


def is_semver(text: str) -> bool:
    """Whether it is an exact version by semver.org, such as `1.2.3`."""
    return _SEMVER.fullmatch(text) is not None


def resolvable_variable(name: str) -> bool:
    """Whether Spin can look a variable of this name up (`Key::validate` of crates/expressions, every version)."""
    return _VARIABLE.fullmatch(name) is not None


def _wrong(name: str, delimiter: str) -> str:
    """Why `name` is not words with `delimiter` between them; the first thing that is wrong."""
    if not name:
        return "it is empty"
    other = {"-": "_", "_": "-"}[delimiter]
    if other in name:
        return f"its words are separated with `{delimiter}`, not with `{other}`"
    for word in name.split(delimiter):
        if _WORD.fullmatch(word) is None:
            return _wrong_word(word, delimiter)
    return "it is not made of words"


def _wrong_word(word: str, delimiter: str) -> str:
    if not word:
        return f"a word before or after a `{delimiter}` is empty"
    if not (word[0].isascii() and word[0].isalpha()):
        return f"the word `{word}` starts with `{word[0]}`, not with a letter"
    strange = next((letter for letter in word if not (letter.isascii() and letter.isalnum())), "")
    if strange:
        return f"the word `{word}` has a `{strange}`; only letters and digits are allowed"
    return f"the word `{word}` mixes upper and lower case"
