from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spin_aks.errors import ManifestError
from spin_aks.spin.manifest import MAX_BYTES, parse, read
from spin_aks.spin.model import (
    Build,
    FilePattern,
    FilePlacement,
    LocalSource,
    PackageSource,
    Profile,
    RemoteSource,
)
from spin_aks.spin.versions import NEWEST_SPIN, Version

if TYPE_CHECKING:
    from collections.abc import Callable

PATH = Path("spin.toml")
DIGEST = "sha256:" + "a" * 64
V2 = 'spin_manifest_version = 2\n[application]\nname = "a"\n'
V1 = 'spin_manifest_version = "1"\nname = "a"\nversion = "1"\ntrigger = { type = "http", base = "/" }\n'


def refusal(text: str, spin: Version = NEWEST_SPIN) -> list[str]:
    with pytest.raises(ManifestError) as refused:
        parse(text, PATH, spin=spin)
    return [str(problem) for problem in refused.value.problems]


def hints(text: str, spin: Version = NEWEST_SPIN) -> list[str]:
    with pytest.raises(ManifestError) as refused:
        parse(text, PATH, spin=spin)
    return [problem.hint for problem in refused.value.problems]


def test_everything_of_version_2_is_read() -> None:
    app = parse(
        f'''\
spin_manifest_version = 2
[application]
name = "shop"
version = "1.2.3"
description = "sells"
authors = ["A <a@example.com>"]
[application.trigger.redis]
address = "redis://{{{{ host }}}}"
[variables]
host = {{ default = "localhost" }}
key = {{ required = true, secret = true, description = "of the shop" }}
[[trigger.http]]
route = "/..."
component = "front"
[[trigger.redis]]
id = "orders"
channel = "orders"
component = {{ source = {{ url = "https://example.com/x.wasm", digest = "{DIGEST}" }} }}
[[trigger.http]]
route = "/old"
static_response = {{ status_code = 404 }}
[component.front]
source = "front.wasm"
files = ["a/*", {{ source = "b", destination = "/b" }}]
exclude_files = ["*.tmp"]
allowed_http_hosts = ["example.com"]
allowed_outbound_hosts = ["http://other"]
key_value_stores = ["default"]
sqlite_databases = ["db"]
ai_models = ["llama2-chat"]
variables = {{ host = "{{{{ host }}}}" }}
environment = {{ A = "1" }}
build = {{ command = ["one", "two"], workdir = "w", watch = ["*.rs"] }}
profile.debug = {{ source = "debug.wasm", environment = {{ B = "2" }}, build.command = "make debug" }}
dependencies = {{ "a:b/c" = ">=1.0" }}
[component.pack]
source = {{ package = "a:b", version = "1.2.3", registry = "r.example" }}
''',
        PATH,
    )

    front, pack, inline = app.components
    line = app.lines.line
    assert (app.name, app.version, app.description, app.authors) == ("shop", "1.2.3", "sells", ("A <a@example.com>",))
    assert app.trigger_settings == {"redis": {"address": "redis://{{ host }}"}}
    assert [(v.name, v.required, v.default, v.secret, line(v.place)) for v in app.variables] == [
        ("host", False, "localhost", False, 10),
        ("key", True, None, True, 11),
    ]
    assert [(t.type, t.id, t.component, line(t.place)) for t in app.triggers] == [
        ("http", "front-http-trigger", "front", 12),
        ("http", "http-trigger1", None, 19),
        ("redis", "orders", "orders-component", 15),
    ]
    assert app.triggers[0].config == {"route": "/..."}
    assert front.source == LocalSource("front.wasm")
    assert front.files == (FilePattern("a/*"), FilePlacement("b", "/b"))
    assert front.allowed_outbound_hosts == ("http://other", "http://example.com", "https://example.com")
    assert front.build == Build(("one", "two"), "w", ("*.rs",))
    assert front.profiles == {
        "debug": Profile(LocalSource("debug.wasm"), {"B": "2"}, ("make debug",)),
    }
    assert (line(front.place), front.variables, front.environment) == (22, {"host": "{{ host }}"}, {"A": "1"})
    assert pack.source == PackageSource("a:b", "1.2.3", "r.example")
    assert (inline.id, inline.source, line(inline.place)) == (
        "orders-component",
        RemoteSource("https://example.com/x.wasm", DIGEST),
        18,
    )
    assert app.trigger_types == ("http", "redis")


def test_version_1_comes_out_in_version_2s_form() -> None:
    app = parse(
        V1 + '[variables]\nx = { default = "" }\n[[component]]\nid = "My_App"\nsource = "a.wasm"\n'
        'config = { x = "{{ x }}" }\nallowed_http_hosts = ["a.b"]\n[component.trigger]\nroute = "/"\n',
        PATH,
    )

    assert app.manifest_version == 1
    assert app.components[0].id == "my-app"
    assert app.lines.line(app.components[0].place) == 7
    assert app.components[0].variables == {"x": "{{ x }}"}
    assert app.components[0].allowed_outbound_hosts[:3] == ("redis://*:*", "mysql://*:*", "postgres://*:*")
    assert app.components[0].allowed_outbound_hosts[3:] == ("http://a.b", "https://a.b")
    assert (app.triggers[0].id, app.lines.line(app.triggers[0].place)) == ("trigger-my-app", 12)
    assert app.normalised["spin_manifest_version"] == 2


def test_spin_one_keeps_ids_and_takes_a_namespace() -> None:
    text = V1 + 'namespace = "n"\n[[component]]\nid = "a_001"\nsource = "a.wasm"\ntrigger = { route = "/" }\n'

    assert [component.id for component in parse(text, PATH, spin=Version(1, 5, 1)).components] == ["a_001"]
    assert refusal(text) == ["spin.toml:5: unknown key `namespace`"]
    assert hints(text) == ["Spin 2.0 dropped it; this is judged as Spin 4.0.2"]


def test_several_problems_are_told_at_once_each_with_its_line() -> None:
    text = V2 + '[[trigger.http]]\nroute = "/"\ncomponent = "a_b"\n[component.x]\nsorce = "x.wasm"\nfiles = "a"\n'

    assert refusal(text) == [
        "spin.toml:6: `a_b` can't be a component's id: its words are separated with `-`, not with `_`",
        "spin.toml:7: `source` is missing in `component.x`",
        "spin.toml:8: unknown key `sorce` in `component.x`",
        "spin.toml:9: `files` has to be an array, not a string",
    ]
    assert "did you mean `source`?" in hints(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "spin.toml:1: `spin_manifest_version` is missing"),
        ("spin_manifest_version = 1\n", "spin.toml:1: invalid manifest version 1"),
        ('\nspin_version = "2"\n', 'spin.toml:2: invalid manifest version "2"'),
        (
            'spin_version = "1"\nspin_manifest_version = "1"\n',
            "spin.toml:1: `spin_manifest_version` and `spin_version` are the same key",
        ),
        ("spin_manifest_version = true\n", "spin.toml:1: invalid manifest version true"),
        ("a = ", "spin.toml:1: not valid TOML: invalid value"),
        ("a = 1\n\na = 2\n", "spin.toml:3: not valid TOML: cannot overwrite a value"),
        ("[component.{{project-name}}]\n", "spin.toml:1: not valid TOML: invalid initial character for a key part"),
        ("a = " + "[" * 5000, "spin.toml:1: is nested too deeply"),
        (V2 + '[[trigger.x]]\ncomponent = "b"\nid = 3\n', "spin.toml:6: `id` has to be a string, not an integer"),
        (V2 + "[trigger.http]\n", "spin.toml:4: `http` has to be an array, not a table"),
        (V2 + "trigger.x = [1]\n", "spin.toml:4: `x` has to be a table, not an array"),
        (V2 + "[trigger]\nx = [1]\n", "spin.toml:5: `x` has to be a table, not an integer"),
        (
            V2 + "[[trigger.x]]\ncomponent = 1\n",
            "spin.toml:5: `component` has to be a component's id, or a table that is a component, not an integer",
        ),
        (
            V2 + "[component.a]\nsource = 1.5\n",
            "spin.toml:5: `source` has to be a path, or a table with `url` and `digest`, not a float",
        ),
    ],
)
def test_what_is_wrong_is_said_at_its_line(text: str, problem: str) -> None:
    assert problem in refusal(text)


@pytest.mark.parametrize(
    ("body", "spin", "hint"),
    [
        ('[component.a]\nsource = "a"\nprofile = {}', "3.6.3", "Spin 4.0 brought it; this is judged as Spin 3.6.3"),
        (
            '[component.a]\nsource = "a"\ndependencies = {}',
            "2.7.0",
            "Spin 3.0 brought it; this is judged as Spin 2.7.0",
        ),
        (
            '[component.a]\nsource = { package = "a:b", version = "1.0.0" }',
            "2.5.0",
            "Spin 2.6 brought it; this is judged as Spin 2.5.0",
        ),
        (
            '[component.a]\nsource = "a"\nbuild.command = ["x"]',
            "2.7.0",
            "Spin 3.0 brought lists of commands; this is judged as Spin 2.7.0: join them with `&&`",
        ),
        ('[variables]\na = { description = "" }', "3.3.0", "Spin 3.4 brought it; this is judged as Spin 3.3.0"),
    ],
)
def test_what_an_older_spin_does_not_know_is_named_with_the_one_that_brought_it(
    body: str, spin: str, hint: str
) -> None:
    text = "spin_manifest_version = 2\napplication.name = 'a'\n[[trigger.http]]\n" + body

    assert parse(text, PATH).name == "a"
    assert hints(text, Version.parse(spin)) == [hint]


def test_version_2_is_news_to_spin_one() -> None:
    assert refusal(V2 + "[[trigger.http]]\n", Version(1, 5, 1)) == ["spin.toml:1: manifest version 2 is unknown"]


def test_a_struct_may_be_written_as_an_array_of_its_values() -> None:
    text = V2 + '[[trigger.command]]\ncomponent = "a"\n[component.a]\nsource = "a"\nbuild = ["make", "w"]\n'

    assert parse(text, PATH).components[0].build == Build(("make",), "w")


def test_a_dependency_on_a_component_becomes_one_on_its_source() -> None:
    depending = '[component.a]\nsource = "a"\ndependencies."x:y" = { component = "b" }\n'
    text = V2 + "[[trigger.http]]\n" + depending + '[component.b]\nsource = "b.wasm"\n'

    assert parse(text, PATH).components[0].dependencies == {"x:y": {"path": "b.wasm"}}
    assert refusal(text.replace('component = "b"', 'component = "c"')) == [
        "spin.toml:7: component `a` depends on a component `c`, and there is none of that id"
    ]
    assert refusal(text + 'files = ["x"]\nenvironment = { A = "" }\n') == [
        "spin.toml:7: component `a` can't depend on `b`, which has its own `environment`, `files`"
    ]


def test_what_all_dependencies_inherit_is_spread_over_each_from_spin_4() -> None:
    text = (
        V2 + '[[trigger.http]]\n[component.a]\nsource = "a"\ndependencies_inherit_configuration = true\n'
        'dependencies."x:y" = { path = "p" }\n'
    )

    assert parse(text, PATH).components[0].dependencies == {"x:y": {"path": "p", "inherit_configuration": True}}
    assert parse(text, PATH, spin=Version(3, 6, 3)).components[0].dependencies == {"x:y": {"path": "p"}}


def test_dates_and_odd_numbers_in_a_trigger_still_make_json() -> None:
    text = V2 + "[[trigger.cron]]\nat = 2024-01-01T00:00:00Z\nday = 2024-01-01\nnever = inf\nfar = nan\n"

    config = parse(text, PATH).triggers[0].config
    assert config == {"at": "2024-01-01T00:00:00+00:00", "day": "2024-01-01", "never": None, "far": None}


def test_numbers_and_depths_that_spin_can_not_hold_are_refused() -> None:
    assert refusal(V2 + "[[trigger.x]]\na = 9223372036854775808\n") == ["spin.toml:5: `a` does not fit into 64 bits"]
    assert "nested more than 80 levels deep" in refusal(V2 + f"[[trigger.x]]\n{'a.' * 300}a = 1\n")[0]


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(tmp_path: Path) -> None:
    text = V2 + '[[trigger.http]]\ncomponent = "a"\n[component.a]\nsource = "a.wasm"\n'
    path = tmp_path / "spin.toml"
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())

    app = read(tmp_path)

    assert app.normalised == parse(text, PATH).normalised
    assert app.lines.line(app.components[0].place) == 6
    assert app.path == path
    assert app.root == tmp_path


def test_a_manifest_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(ManifestError) as refused:
        read(tmp_path / "nope.toml")

    assert str(refused.value) == f"{tmp_path / 'nope.toml'}: there is no such file"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.mkdir(), "there is no such file"),
        (lambda path: path.write_bytes(b"name = 1\n\xff\xfe"), ":2: is not UTF-8"),
        (lambda path: path.write_bytes(b"#" * (MAX_BYTES + 1)), "has 8 MB: that is no manifest of Spin's"),
        (lambda path: path.write_bytes(b"\0"), ":1: not valid TOML: invalid statement"),
        (lambda path: path.symlink_to(path), "can't be read: Too many levels of symbolic links"),
        (lambda path: path.symlink_to("/dev/null"), "not a file"),
    ],
)
def test_a_file_that_is_no_manifest_is_an_error_and_no_traceback(
    tmp_path: Path, make: Callable[[Path], object], message: str
) -> None:
    path = tmp_path / "spin.toml"
    make(path)

    with pytest.raises(ManifestError) as refused:
        read(path)

    assert message in str(refused.value)
    assert refused.value.exit_code == 3


TOMLISH = st.text(alphabet="[]{}\"'#=.,\n abspincometrg_12", max_size=80)


@given(
    st.one_of(st.text(max_size=60), TOMLISH, TOMLISH.map(lambda text: V2 + text), TOMLISH.map(lambda text: V1 + text))
)
def test_any_text_is_an_application_or_refused(text: str) -> None:
    try:
        told = json.dumps(parse(text, PATH).normalised, allow_nan=False)
    except ManifestError as error:
        told = str(error)

    assert told.startswith(("{", "spin.toml:"))


KEYS = st.sampled_from(
    [
        *("application", "name", "version", "trigger", "http", "redis", "route", "channel", "component", "components"),
        *("source", "url", "digest", "package", "build", "command", "workdir", "files", "destination", "variables"),
        *("default", "required", "secret", "profile", "dependencies", "targets", "tool", "id", "config", "path"),
        *("inherit_configuration", "allowed_http_hosts", "key_value_stores", "a", "a-b", "a_b", "1"),
    ]
)
SCALARS = st.one_of(
    st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.datetimes(), st.dates(), st.times(),
    st.sampled_from(["a", "a:b", "http", "1.0.0", "x.wasm", DIGEST]),
)  # fmt: skip
NESTED = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=20,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(KEYS, NESTED, max_size=5),
    st.sampled_from([2, "1", 1, None]),
    st.sampled_from(["1.5.1", "2.0.0", "4.0.2"]),
)
def test_any_document_is_an_application_or_refused(document: dict[str, object], version: object, spin: str) -> None:
    if version is not None:
        document = {"spin_manifest_version": version, **document}
    text = tomlkit.dumps(document)

    try:
        told = json.dumps(parse(text, PATH, spin=Version.parse(spin)).normalised, allow_nan=False)
    except ManifestError as error:
        told = str(error)

    assert told.startswith(("{", "spin.toml:"))
