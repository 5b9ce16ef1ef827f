"""Reading a configuration file: its values, or all that is wrong with it, each with its line and the way out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spin_aks.errors import Problem, UsageError
from spin_aks.settings import file, unknown
from spin_aks.settings.table import EVERY_ROW

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from spin_aks.settings.layers import Layer

SYNTAX = "strings stand in quotes, a key stands once, and each on a line of its own: https://toml.io has the rules"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "aks-spin.toml"


def read(path: Path, content: str | bytes) -> Layer:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return file.read(path, "file", "aks-spin.toml")


def raw(path: Path, content: str | bytes) -> Mapping[str, object]:
    return read(path, content).raw


def refusal(path: Path, content: str | bytes) -> list[tuple[str, str]]:
    """Each problem and its hint; their place is asserted to begin with the file's name."""
    with pytest.raises(UsageError) as caught:
        read(path, content)
    assert all(problem.where.startswith("aks-spin.toml") for problem in caught.value.problems)
    return [(str(problem).removeprefix("aks-spin.toml:"), problem.hint) for problem in caught.value.problems]


def refused(path: Path, content: str | bytes) -> str:
    found = refusal(path, content)
    assert 1 == len(found), found
    assert found[0][1]
    return found[0][0]


# What is accepted


@pytest.mark.parametrize(
    "text", ["", "\n\n", "# nothing\n", "schema = 1\n", "[image]\n", "[store.orders]\n", "variables = {}"]
)
def test_a_file_without_values_gives_none_and_the_schemas_version_may_be_left_out(path: Path, text: str) -> None:
    assert {"schema"} >= set(raw(path, text))


@pytest.mark.parametrize(
    "text",
    [
        '[kubernetes.resources]\nmemory_limit = "64Mi"',
        '[kubernetes]\nresources.memory_limit = "64Mi"',
        '[kubernetes]\nresources = { memory_limit = "64Mi" }',
        'kubernetes.resources.memory_limit = "64Mi"',
        '["kubernetes"."resources"]\n\'memory_limit\' = """64Mi"""',
    ],
)
def test_a_key_may_be_written_in_any_way_that_toml_has(path: Path, text: str) -> None:
    assert {"kubernetes.resources.memory_limit": "64Mi"} == raw(path, text)


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_marks_and_line_ends_are_as_the_editor_likes_them(path: Path, mark: str, end: str) -> None:
    layer = read(path, f'{mark}[image]{end}# x{end}tag = "a"{end}')

    assert ({"image.tag": "a"}, "aks-spin.toml:3") == (layer.raw, layer.where("image.tag"))


@pytest.mark.parametrize("row", [row for row in EVERY_ROW if row.kind == "choice"], ids=lambda row: str(row.key))
def test_a_choice_may_be_written_in_any_case(path: Path, row: object) -> None:
    choice = getattr(row, "choices")[0].upper()  # noqa: B009 - a parametrised row has no type
    key = getattr(row, "key").replace("<label>", "a")  # noqa: B009
    layer = read(path, f'{key} = "{choice}"\n')

    assert choice.lower() == layer.read(row, layer.raw[key], layer.folder)  # type: ignore[arg-type]


def test_a_file_of_a_megabyte_is_read(path: Path) -> None:
    text = "".join(f'variables.a{number} = "x"\n' for number in range(40_000))

    assert 40_000 == len(raw(path, text))


# Unknown keys and tables

UNKNOWN = [
    ("[image]\nfrom = 'x'", "2: there is no key `image.from`", "did you mean `image.form`?"),
    ("[imag]\nform = 'x'", "1: there is no table `imag`", "did you mean `[image]`?"),
    ("[kubernets.resources]\na = 1", "1: there is no table `kubernets`", "did you mean `[kubernetes]`?"),
    ("[store.a.b]\nc = 1", "1: there is no table `store.a.b`", "`[store.LABEL]` has kind"),
    ("[kubernetes.resource]\na = 1", "1: there is no table `kubernetes.resource`", "did you mean `[kubernetes.resou"),
    ("replicas = 3", "1: there is no key `replicas`", "did you mean `kubernetes.replicas`?"),
    ("[resources]\na = 1", "1: there is no table `resources`", "did you mean `[kubernetes.resources]`?"),
    ("shema = 1", "1: there is no key `shema`", "did you mean `schema`?"),
    ("[image]\nzzzzzzzzz = 1", "2: there is no key `image.zzzzzzzzz`", "`[image]` has builder, form, platform"),
    ("zzzzzzzz = 1", "1: there is no key `zzzzzzzz`", "there are the tables app, build, cluster, container_registry"),
    ("'image.form' = 'x'", '1: there is no key `"image.form"`', "write `image.form` without quotes, or the key below"),
    ("[store.a]\ntyp = 'x'", "2: there is no key `store.a.typ`", "`[store.LABEL]` has kind, subscription"),
    ("[store.a]\nkin = 'x'", "2: there is no key `store.a.kin`", "did you mean `store.a.kind`?"),
    ("[store.a]\nzzzzzz = 'x'", "2: there is no key `store.a.zzzzzz`", "`[store.LABEL]` has kind, subscription"),
    ("store = 'x'", "1: `store` is a table", "write `[store.LABEL]` once, and its keys below it"),
    ("[store]\na = 'x'", "2: there is no key `store.a`", "`[store.LABEL]` has kind"),
    ("image = 'x'", "1: `image` is a table", "write `[image]` once, and its keys below it"),
    ("[[image]]\nform = 'x'", "1: `image` is a table", "write `[image]` once, and its keys below it"),
    ("[[store.a]]\nkind = 'x'", "1: there is no key `store.a`", ""),
    ("[image.form]\nx = 1", "1: `image.form`: has to be text, not a table", unknown.REFERENCE),
    ("[variables.a]\nx = 'y'", "1: `variables.a`: has to be text, not a table", unknown.REFERENCE),
    ("[image]\n\"fo\\nrm\" = 1", '2: there is no key `image."fo\\nrm"`', "did you mean `image.form`?"),
    ("[image]\n\"\" = 1", '2: there is no key `image.""`', "`[image]` has"),
    ("app.\"\\u001b[2J\" = 1", '1: there is no key `app."\\u001b[2J"`', "`[app]` has manifest, name"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "what", "hint"), UNKNOWN, ids=[row[0] for row in UNKNOWN])
def test_what_nobody_knows_is_refused_with_the_nearest(path: Path, text: str, what: str, hint: str) -> None:
    ((said, way_out),) = refusal(path, text)

    assert what == said
    assert way_out.startswith(hint)


def test_a_table_that_nobody_knows_is_one_problem_whatever_is_in_it(path: Path) -> None:
    assert "2: there is no table `other`" == refused(path, "\n[other]\na = 1\nb = 2\n[other.c]\nd = [{e = 1}]\n")


def test_a_very_long_key_is_cut(path: Path) -> None:
    said = refused(path, f"{'k' * 3000} = 1")

    assert f"1: there is no key `{'k' * 80}...`" == said


def test_of_very_many_problems_the_first_are_said_and_the_rest_counted(path: Path) -> None:
    found = refusal(path, "".join(f"line{number} = 1\n" for number in range(20_000)))

    assert [f"{line}: there is no key `line{line - 1}`" for line in range(1, 51)] == [what for what, _ in found[:-1]]
    assert (" 19950 more lines are wrong", "is it another program's file?") == found[-1]


# Types and values

WRONG = [
    ("image.form = 1", "`image.form`: has to be text, not a whole number: write it in quotes"),
    ("image.form = true", "`image.form`: has to be text, not true or false: write it in quotes"),
    ("image.form = 1.5", "`image.form`: has to be text, not a number that is not whole: write it in quotes"),
    ("image.form = inf", "`image.form`: has to be text, not a number that is not whole: write it in quotes"),
    ("image.form = 1979-05-27", "`image.form`: has to be text, not a date or time: write it in quotes"),
    ("image.form = 07:32:00", "`image.form`: has to be text, not a date or time: write it in quotes"),
    ("image.form = ['rootfs']", "`image.form`: has to be text, not a list"),
    ("image.form = {}", "`image.form`: has to be text, not a table"),
    ("image.form = 'square'", "`image.form`: `square` is none of auto, artifact, rootfs"),
    ("image.form = ''", "`image.form`: an empty text is none of auto, artifact, rootfs"),
    ("image.dockerfile = ''", "`image.dockerfile`: names no file"),
    ("image.dockerfile = 'a\\u0000b'", None),
    ('image.dockerfile = "a\\u0000b"', "`image.dockerfile`: holds a NUL character"),
    ('variables.a = "a\\u0000b"', "`variables.a`: holds a NUL character"),
    ("variables.a = 3", "`variables.a`: has to be text, not a whole number: write it in quotes"),
    ("kubernetes.replicas = '3'", "`kubernetes.replicas`: has to be a whole number, not text: write it without quotes"),
    ("kubernetes.replicas = 3.0", "`kubernetes.replicas`: has to be a whole number, not a number that is not whole"),
    ("kubernetes.replicas = true", "`kubernetes.replicas`: has to be a whole number, not true or false"),
    ("kubernetes.replicas = 0", "`kubernetes.replicas`: `0` is no whole number from 1 to 999999999"),
    ("kubernetes.replicas = -1", "`kubernetes.replicas`: `-1` is no whole number from 1 to 999999999"),
    (f"kubernetes.replicas = {10**18}", "`kubernetes.replicas`: what is given is no whole number from 1 to 999999999"),
    (f"kubernetes.replicas = 0x{'f' * 3900}", "`kubernetes.replicas`: what is given is no whole number from 1 to"),
    ("require_environment = 'yes'", "`require_environment`: has to be true or false, not text: write it"),
    ("require_environment = 1", "`require_environment`: has to be true or false, not a whole number"),
    ("schema = '1'", "`schema`: has to be a whole number, not text: write it without quotes"),
    ("schema = true", "`schema`: has to be a whole number, not true or false"),
    ("schema = 0", "there is no such `schema`"),
    ("schema = -1", "there is no such `schema`"),
    ("kubernetes.namespace = 'Shop'", "`kubernetes.namespace`: `Shop` is not a namespace's name: 1 to 63 lower-case"),
    ("image.repository = 'Shop'", "`image.repository`: `Shop` is not an image's repository: lower-case letters"),
    ("image.tag = 'a:b'", "`image.tag`: `a:b` is not an image's tag: 1 to 128 letters"),
    ("keyvault.name = 'a--b'", "`keyvault.name`: `a--b` is not a Key Vault's name: 3 to 24"),
    ("cluster.subscription = 'Visual Studio'", "`cluster.subscription`: `Visual Studio` is not a subscription's id"),
    ("container_registry.name = 'a.b'", "`container_registry.name`: `a.b` is not a registry's name in Azure"),
    ("kubernetes.resources.cpu_limit = '1M1'", "`kubernetes.resources.cpu_limit`: `1M1` is not an amount of CPU"),
    ("variables.Greeting = 'x'", "`Greeting` is not a variable's name in Spin"),
    ("variables.'a.b' = 'x'", "`a.b` is not a variable's name in Spin"),
    ("variables.'' = 'x'", "an empty text is not a variable's name in Spin"),
    ("secrets.A-b = 'x'", "`A-b` is not a variable's name in Spin"),
    ("store.'my store'.kind = 'redis'", "`my store` is not a store's label in Spin"),
    ("store.'a.b'.kind = 'redis'", "`a.b` is not a store's label in Spin"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "what"), [row for row in WRONG if row[1]], ids=lambda text: str(text)[:60])
def test_a_value_that_can_not_be_is_refused_with_its_line(path: Path, text: str, what: str) -> None:
    said = refused(path, f"# a comment\n\n{text}\n")

    assert said.startswith(f"3: {what}")


def test_a_schema_that_is_later_is_all_that_is_said(path: Path) -> None:
    ((said, hint),) = refusal(path, "[imag]\na = 1\n[other]\n")[:1]
    later = refusal(path, "schema = 2\nnew = 1\n[other]\na = 1\n")

    assert [("1: its `schema` is later than 1, and this version knows no later one", later[0][1])] == later
    assert "a later version of spin-aks wrote it: install that one" == later[0][1]
    assert ("1: there is no table `imag`", "did you mean `[image]`?") == (said, hint)


def test_several_problems_are_said_in_the_order_of_their_lines(path: Path) -> None:
    text = (
        "[kubernetes]\nreplicas = 'x'\nnamespac = 'x'\n[image]\nform = 'y'\n[app]\nnam = 'z'\n" + "\n" * 4 + "tag = 1\n"
    )

    found = [what.partition(":")[0] for what, _ in refusal(path, text)]

    assert ["2", "3", "5", "7", "12"] == found


# Texts that are no TOML, and no text

SYNTAX_ERRORS = [
    ('[image]\nform = "a"\nform = "b"\n', "3: `form` stands here again", "keep one of them"),
    ("[image]\n[app]\n[image]\n", "3: `image` stands here again", "keep one of them"),
    ("[a]\nb = 1\n[a.b]\n", "3: ", ""),
    ("a = {b = 1, b = 2}\n", "1: `b` stands here again", "keep one of them"),
    ("a = {b = 1}\n[a]\n", "2: `a` stands here again", "keep one of them"),
    ("a = 1\na.b = 2\n", "2: ", ""),
    ("[image\nform = 1\n", "1: not valid TOML: expected ']' at the end of a table declaration", SYNTAX),
    ("form = rootfs\n", "1: not valid TOML: invalid value", SYNTAX),
    ('[image]\n\nform = "root\n', "3: not valid TOML: illegal character '\\n'", SYNTAX),
    ("form\n", "1: not valid TOML: expected '=' after a key in a key/value pair", SYNTAX),
    ("a = 1 b = 2\n", "1: not valid TOML: expected newline or end of document after a statement", SYNTAX),
    ("a = 'x\0'\n", "1: not valid TOML: ", SYNTAX),
    (
        '[image]\rform = "a"\r',
        "1: its lines end as in no text of today (CR alone)",
        "save it with line ends LF or CRLF",
    ),
    ("a = " + "[" * 3000, "1: is nested too deeply", SYNTAX),
    ("a = " + "1" * 5000, "1: a number has more than 64 bits", SYNTAX),
]


@pytest.mark.parametrize(("text", "what", "hint"), SYNTAX_ERRORS, ids=[repr(row[0][:40]) for row in SYNTAX_ERRORS])
def test_what_is_no_toml_is_said_with_its_line(path: Path, text: str, what: str, hint: str) -> None:
    ((said, way_out),) = refusal(path, text)

    assert said.startswith(what)
    assert way_out.startswith(hint)


def test_a_key_of_very_many_parts_is_one_that_nobody_knows(path: Path) -> None:
    assert "1: there is no table `a`" == refused(path, ".".join("a" * 1500) + " = 1")


@pytest.mark.parametrize("content", ["[image]\nform = 'x'\n".encode("utf-16"), b"\xff"])
def test_another_encoding_is_refused(path: Path, content: bytes) -> None:
    assert [("1: is no UTF-8 text", "save it as UTF-8")] == refusal(path, content)


def test_the_line_of_a_byte_that_is_no_utf_8_is_named(path: Path) -> None:
    assert "3: is no UTF-8 text" == refused(path, b"\n\nname = '\xe9'\n")


def test_ten_megabytes_are_refused_and_not_read(path: Path) -> None:
    ((said, hint),) = refusal(path, b"#" * (10 << 20))

    assert "aks-spin.toml: has more than 1 MiB" == f"aks-spin.toml:{said}"
    assert "is it another file? A configuration is some hundred lines" == hint


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="this system has no users to become")
def test_a_file_that_may_not_be_read_is_refused(path: Path) -> None:
    path.touch(0)
    path.chmod(0)
    is_root = os.geteuid() == 0
    if is_root:
        for folder in (path.parent, path.parent.parent, path.parent.parent.parent):
            folder.chmod(0o755)
        os.seteuid(65534)
    try:
        with pytest.raises(UsageError) as caught:
            file.read(path, "file", "aks-spin.toml")
    finally:
        if is_root:
            os.seteuid(0)

    assert "aks-spin.toml: can't be read: Permission denied" == str(caught.value)
    assert "give yourself the right to read it, or name another with `-c PATH`" == caught.value.problems[0].hint


# Secrets

CANARY = "Xq7canaryZ9"
PEM = f'"""-----BEGIN RSA PRIVATE KEY-----\n{CANARY}\n-----END RSA PRIVATE KEY-----"""'
SECRETS = [
    (f"password = '{CANARY}'", "`password` would hold a secret"),
    (f"[cluster]\nclient_secret = '{CANARY}'", "`cluster.client_secret` would hold a secret"),
    (f"[redis_trigger]\nconnection_string = '{CANARY}'", "`redis_trigger.connection_string` would hold a secret"),
    (f"[store.orders]\nkey = '{CANARY}'", "`store.orders.key` would hold a secret"),
    (f"[azure]\nclient_secret = '{CANARY}'", "there is no table `azure`, and it holds a secret"),
    (f"[variables]\nurl = 'redis://user:{CANARY}@host:6379'", "`variables.url` holds a password in a URL"),
    (f"[variables]\ndb_password = '{CANARY}'", "`variables.db_password` holds a password, going by its name"),
    (f"[variables]\ncosmos = 'AccountEndpoint=https://a;AccountKey={CANARY * 8}=='", "`variables.cosmos` holds an acc"),
    (f"[variables]\ncertificate = {PEM}", "`variables.certificate` holds a private key"),
    (f"[app]\nname = 'https://u:{CANARY}@h'", "`app.name` holds a password in a URL"),
    (f"[build]\nprofile = 'https://u:{CANARY}@h'", "`build.profile` holds a password in a URL"),
    (f"[image]\nform = 'https://u:{CANARY}@h'", "`image.form`: what is given, which looks like a password in a URL"),
    (f"[cluster]\nkubeconfig = 'https://u:{CANARY}@h'", "`cluster.kubeconfig` holds a password in a URL"),
    (f"[secrets]\napi = '{CANARY}!'", "`secrets.api`: what is given is not the name of a secret in a Key Vault"),
    (f"[secrets]\napi = ['{CANARY}']", "`secrets.api`: has to be text, not a list"),
    (f"[kubernetes]\nreplicas = '{CANARY}'", "`kubernetes.replicas`: has to be a whole number, not text"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "what"), SECRETS, ids=[row[1] for row in SECRETS])
def test_a_secret_is_refused_and_not_shown(path: Path, text: str, what: str) -> None:
    ((said, hint),) = refusal(path, text)

    assert said.partition(": ")[2].startswith(what)
    assert hint in (unknown.SECRETS_GO, unknown.REFERENCE)
    assert CANARY not in said + hint


# Anything at all

TEXTS = st.text(alphabet=st.characters(codec="utf-8"), max_size=200)
PARTS = st.sampled_from(
    [*"[]=\n\r\"'#{},. 1\0\\é", "[[", "]]", '"""', "true", "1979-05-27", "inf", "a"]
) | st.sampled_from(["image", "form", "variables", "store", "schema", "kubernetes", "resources", "secrets"])


def simple(value: object) -> str:
    """A value as TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(key)} = {simple(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(simple, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return quoted(value) if isinstance(value, str) else str(value)


def quoted(text: object) -> str:
    return '"' + "".join(f"\\U{ord(letter):08x}" for letter in str(text)) + '"'


KEYS = st.sampled_from(
    sorted({part for row in EVERY_ROW for part in row.key.split(".") if part and not part.startswith("<")})
) | st.text(alphabet=st.characters(codec="utf-8"), max_size=8)
VALUES = st.recursive(
    st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | TEXTS | st.sampled_from(["rootfs", "kube", "redis"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def unexplained(path: Path, content: bytes) -> list[Problem]:
    """What is said of it without a sentence, a hint and a place; also of what it gives, without a place."""
    try:
        layer = read(path, content)
    except UsageError as error:
        said = error.problems
    else:
        said = tuple(Problem("given", layer.where(key), "-") for key in layer.raw)
    return [one for one in said if not (one.what and one.hint and one.where.startswith("aks-spin.toml"))]


@given(st.binary(max_size=300))
def test_any_bytes_give_a_layer_or_a_refusal(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    assert [] == unexplained(tmp_path_factory.getbasetemp() / "any-bytes.toml", content)


@given(st.lists(PARTS, max_size=40).map("".join))
def test_anything_that_looks_like_toml_gives_a_layer_or_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    assert [] == unexplained(tmp_path_factory.getbasetemp() / "near-toml.toml", text.encode())


@given(st.dictionaries(KEYS, VALUES, max_size=6))
def test_any_document_gives_a_layer_or_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, document: dict[str, object]
) -> None:
    text = "".join(f"{quoted(key)} = {simple(value)}\n" for key, value in document.items())
    assert [] == unexplained(tmp_path_factory.getbasetemp() / "documents.toml", text.encode())
