"""What Spin refuses when it loads, beyond what its parser does."""

from __future__ import annotations

from pathlib import Path

import pytest

from spin_aks.spin import loader
from spin_aks.spin.dependencies import wrong_dependencies
from spin_aks.spin.manifest import parse

HEAD = 'spin_manifest_version = 2\napplication.name = "a"\n'
TRIGGER = '[[trigger.http]]\nroute = "/"\ncomponent = "c"\n'
COMPONENT = '[component.c]\nsource = "c.wasm"\n'


def problems(text: str, given: dict[str, str] | None = None, folder: Path = Path()) -> list[str]:
    return [str(problem) for problem in loader.check(parse(text, folder / "spin.toml"), given=given)]


def test_a_sound_application_has_no_problems() -> None:
    assert problems(HEAD + TRIGGER + COMPONENT) == []


@pytest.mark.parametrize(
    ("variable", "problem"),
    [
        ("x = {}", "variable `x` is neither `required` nor has a `default`"),
        ("x = { secret = true }", "variable `x` is neither `required` nor has a `default`"),
        ('x = { required = true, default = "" }', "variable `x` is `required` and has a `default`"),
        ("x = { required = false }", "variable `x` is neither `required` nor has a `default`"),
    ],
)
def test_a_variable_is_either_required_or_has_a_default(variable: str, problem: str) -> None:
    assert problems(HEAD + f"[variables]\n{variable}\n" + TRIGGER + COMPONENT) == [f"spin.toml:4: {problem}"]


def test_an_empty_default_is_a_default() -> None:
    assert problems(HEAD + '[variables]\nx = { default = "" }\n' + TRIGGER + COMPONENT) == []


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            'variables = { a = "{{ nope }}" }',
            "component `c`, variable `a` refers to `nope`, which is no variable of the application",
        ),
        ('variables = { a = "{{ nope" }', "component `c`, variable `a`: a `{{` is not closed by `}}`"),
        (
            'allowed_outbound_hosts = ["http://{{ nope }}"]',
            "component `c`, `allowed_outbound_hosts` refers to `nope`, which is no variable of the application",
        ),
        (
            'allowed_outbound_hosts = ["example.com"]',
            "component `c`: `example.com` has no scheme: it is written "
            "`SCHEME://HOST[:PORT]`, each of which may be `*`",
        ),
        (
            'allowed_outbound_hosts = ["insecure:allow-all"]',
            "component `c`: `insecure:allow-all` is not for `allowed_outbound_hosts`",
        ),
        ('allowed_http_hosts = ["a.b/c"]', "component `c`: `a.b/c` has a path; it may hold a host and a port only"),
        ('files = ["../x"]', "component `c`: `../x` is outside the application's folder"),
        ('files = ["/etc/passwd"]', "component `c`: `/etc/passwd` is outside the application's folder"),
        (
            'files = ["a/.."]',
            "component `c`: the file pattern `a/..` can't end in `..`: name the folder, or end in `**/*`",
        ),
        (
            'files = [{ source = "a/../../b", destination = "/" }]',
            "component `c`: `a/../../b` is outside the application's folder",
        ),
        (
            'files = [{ source = "a", destination = "/../b" }]',
            "component `c`: the destination `/../b` leaves the component's own folder",
        ),
        (
            'build = { command = "make", workdir = "/tmp" }',
            "component `c`: the workdir `/tmp` is not relative to spin.toml",
        ),
        ("build = { command = [] }", "component `c`: its `build` has no command"),
        (
            'dependencies = { "x" = "1.0" }',
            "component `c`: `x` is a plain name, so it has to say which `package` it comes from",
        ),
        (
            'dependencies = { "x:y" = { path = "p", export = "e" } }',
            "component `c`: `x:y` is a whole package, which no single `export` can satisfy",
        ),
    ],
)
def test_what_is_wrong_with_a_component(line: str, problem: str) -> None:
    assert problems(HEAD + TRIGGER + COMPONENT + line + "\n") == [f"spin.toml:8: {problem}"]


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (
            '{ url = "https://a/b", digest = "sha256:12" }',
            "the digest `sha256:12` is not `sha256:` and 64 hexadecimal digits",
        ),
        (f'{{ url = "file:///b", digest = "sha256:{"0" * 64}" }}', "`file:///b` is not an address with http or https"),
        ('{ package = "a:b", version = "^1" }', "`^1` is not an exact version of the package `a:b`"),
    ],
)
def test_what_is_wrong_with_a_source(source: str, problem: str) -> None:
    assert problems(f"{HEAD}{TRIGGER}[component.c]\nsource = {source}\n") == [f"spin.toml:7: component `c`: {problem}"]


@pytest.mark.parametrize(
    ("trigger", "problem"),
    [
        (
            '[[trigger.http]]\ncomponent = "d"\n',
            "spin.toml:4: the trigger `d-http-trigger` runs the component `d`, and there is none of that id",
        ),
        ("[[trigger.http]]\n", "spin.toml:3: the trigger `http-trigger1` runs no component"),
        (
            '[[trigger.http]]\ncomponent = "c"\nstatic_response = {}\n',
            "spin.toml:4: the trigger `c-http-trigger` has both a `component` and a `static_response`",
        ),
        (
            '[[trigger.redis]]\ncomponent = "c"\naddress = "redis://a"\n',
            "spin.toml:3: the redis trigger `c-redis-trigger` has no `channel`",
        ),
        (
            '[[trigger.redis]]\ncomponent = "c"\nchannel = "x"\n',
            "spin.toml:3: the redis trigger `c-redis-trigger` has no address to connect to",
        ),
        (
            '[[trigger.redis]]\ncomponent = "c"\nchannel = "{{ x }}"\naddress = "redis://a"\n',
            "spin.toml:5: the trigger `c-redis-trigger`, `channel` refers to `x`, "
            "which is no variable of the application",
        ),
        ('[[trigger.sqs]]\ncomponent = "c"\n', "spin.toml:3: the sqs trigger `c-sqs-trigger` has no `queue_url`"),
    ],
)
def test_what_is_wrong_with_a_trigger(trigger: str, problem: str) -> None:
    assert problems(HEAD + trigger + COMPONENT) == [problem]


def test_a_static_response_needs_no_component() -> None:
    assert problems(HEAD + '[[trigger.http]]\nroute = "/"\nstatic_response = { status_code = 404 }\n') == []


def test_expressions_in_trigger_settings_are_looked_up_too() -> None:
    text = (
        HEAD + '[application.trigger.redis]\naddress = "{{ x }}"\n[[trigger.redis]]\nchannel = "a"\ncomponent = "c"\n'
    )

    assert problems(text.replace('application.name = "a"', '[application]\nname = "a"') + COMPONENT) == [
        "spin.toml:5: the redis triggers' `address` refers to `x`, which is no variable of the application"
    ]


def test_a_host_is_judged_by_what_its_variables_come_to() -> None:
    text = (
        HEAD
        + '[variables]\nh = { default = "a b/c" }\n'
        + TRIGGER
        + COMPONENT
        + 'allowed_outbound_hosts = ["http://{{ h }}"]\n'
    )

    assert problems(text) == [
        "spin.toml:10: component `c`: `http://a b/c` has a path, which is not allowed (what `http://{{ h }}` comes to)"
    ]
    assert problems(text, given={"h": "example.com"}) == []


def test_two_components_of_one_id_are_refused_in_version_1() -> None:
    component = '[[component]]\nid = "c"\nsource = "c"\n[component.trigger]\nroute = "/"\n'
    text = 'spin_version = "1"\nname = "a"\ntrigger = { type = "http" }\n' + component * 2

    assert problems(text) == ["spin.toml:10: there are two components of the id `c`"]


def test_a_near_name_is_offered() -> None:
    text = (
        HEAD
        + '[variables]\napi_host = { default = "" }\n'
        + TRIGGER
        + COMPONENT
        + 'variables = { a = "{{ api_hots }}" }\n'
    )

    assert [problem.hint for problem in loader.check(parse(text, Path("spin.toml")))] == ["did you mean `api_host`?"]


def test_a_link_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "app"
    root.mkdir()
    (tmp_path / "outside").mkdir()
    (root / "link").symlink_to("../outside")
    (root / "inside").mkdir()
    (root / "fine").symlink_to("inside")

    found = problems(HEAD + TRIGGER + COMPONENT + 'files = ["link", "fine"]\n', folder=root)

    assert found == [
        f"{root}/spin.toml:8: component `c`: `link` leads out of the application's folder through a symbolic link"
    ]


def test_a_missing_source_matters_before_the_build_only_where_nothing_builds_it(tmp_path: Path) -> None:
    text = HEAD + TRIGGER + COMPONENT + '[component.d]\nsource = "d.wasm"\nbuild.command = "make"\n'
    app = parse(text, tmp_path / "spin.toml")

    before = [str(problem) for problem in loader.missing_sources(app)]
    after = [problem.what for problem in loader.missing_sources(app, built=True)]
    (tmp_path / "c.wasm").touch()
    (tmp_path / "d.wasm").touch()

    assert before == [f"{tmp_path}/spin.toml:7: component `c`: there is no `c.wasm`"]
    assert after == ["component `c`: there is no `c.wasm`", "component `d`: there is no `d.wasm`"]
    assert loader.missing_sources(app, built=True) == ()


@pytest.mark.parametrize(
    ("one", "other", "conflict"),
    [
        ("a:b", "a:b/c", True),
        ("a:b/c", "a:b/d", False),
        ("a:b@1.0.0", "a:b@1.2.0", True),
        ("a:b@1.0.0", "a:b@2.0.0", False),
        ("a:b@0.1.0", "a:b@0.2.0", False),
        ("a:b@0.1.0", "a:b@0.1.9", True),
        ("a:b@1.0.0-rc.1", "a:b@1.0.0", False),
        ("a:b", "x:b", False),
    ],
)
def test_dependencies_on_one_package_have_to_be_told_apart(one: str, other: str, conflict: bool) -> None:
    found = list(wrong_dependencies({one: "1", other: "1"}))

    assert conflict == bool(found)
