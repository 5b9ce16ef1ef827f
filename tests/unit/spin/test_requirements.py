"""Refusals by name: what the target can't run is said before anything is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from spin_aks.errors import ManifestError, Problem
from spin_aks.spin.features import FEATURES
from spin_aks.spin.manifest import parse
from spin_aks.spin.requirements import Form, Target, notices, refusals, without_value
from spin_aks.spin.runtime_config import RuntimeConfig
from spin_aks.spin.versions import NEWEST_RUNTIME, Version, runtime

HEAD = 'spin_manifest_version = 2\n[application]\nname = "a"\n'
TRIGGER = '[[trigger.http]]\nroute = "/"\ncomponent = "c"\n'
COMPONENT = '[component.c]\nsource = "c.wasm"\n'
APP = HEAD + TRIGGER + COMPONENT


def refused(text: str, shim: str = "0.24.0", form: Form = "artifact", **given: str) -> list[str]:
    found = refusals(parse(text, Path("spin.toml")), Target(runtime(shim), form, given))
    return [str(problem) for problem in found]


def hints(text: str, shim: str = "0.24.0", form: Form = "artifact", **given: str) -> list[str]:
    return [problem.hint for problem in refusals(parse(text, Path("spin.toml")), Target(runtime(shim), form, given))]


@pytest.mark.parametrize("form", ["artifact", "rootfs"])
def test_a_plain_application_runs_wherever_its_manifest_is_known(form: Form) -> None:
    assert refused(APP, "0.24.0", form) == []
    assert refused(APP, "0.13.0", form) == []


@pytest.mark.parametrize(
    ("text", "shim", "form", "problem"),
    [
        (
            HEAD + '[[trigger.http]]\nroute = "/"\nstatic_response = {}\n',
            "0.21.0",
            "artifact",
            "spin.toml:6: the trigger `http-trigger1` uses `static_response`: "
            "Spin 3.5 has it, the target shim 0.21.0 runs Spin 3.4.0",
        ),
        (
            HEAD + '[[trigger.http]]\nroute = { private = true }\ncomponent = "c"\n' + COMPONENT,
            "0.14.1",
            "artifact",
            "spin.toml:5: the trigger `c-http-trigger` uses private routes: "
            "Spin 2.5 has it, the target shim 0.14.1 runs Spin 2.4.3",
        ),
        (
            APP + 'allowed_outbound_hosts = ["http://x", "http://back.spin.internal"]\n',
            "0.13.0",
            "artifact",
            "spin.toml:9: component `c` uses calling another component by `NAME.spin.internal`: "
            "Spin 2.4 has it, the target shim 0.13.0 runs Spin 2.3.1",
        ),
        (
            HEAD + TRIGGER + 'dependencies.middleware = [{ path = "m.wasm" }]\n' + COMPONENT,
            "0.24.0",
            "artifact",
            "spin.toml:7: the trigger `c-http-trigger` uses a trigger's `dependencies` (middleware): "
            "Spin 4.0 has it, the target shim 0.24.0 runs Spin 3.6.3",
        ),
        (
            APP + 'dependencies = { "x:y" = "1.0" }\n',
            "0.16.0",
            "rootfs",
            "spin.toml:9: component `c` uses component `dependencies`: "
            "Spin 3.0 has it, the target shim 0.16.0 runs Spin 2.6.0",
        ),
        (
            APP + '[variables]\nv = { default = "", description = "d" }\n',
            "0.17.0",
            "rootfs",
            "spin.toml:10: variable `v` uses a variable's `description`: "
            "Spin 3.4 has it, the target shim 0.17.0 runs Spin 3.0.0",
        ),
    ],
)
def test_a_feature_the_target_does_not_have_is_refused_by_name(text: str, shim: str, form: Form, problem: str) -> None:
    assert refused(text, shim, form) == [problem]


def test_the_hint_names_the_shim_that_has_it_and_the_way_around() -> None:
    text = HEAD + '[[trigger.http]]\nroute = "/"\nstatic_response = {}\n'

    assert hints(text, "0.21.0") == ["install shim 0.22.0 or later on the nodes, or do without `static_response`"]


@pytest.mark.parametrize(
    "lines",
    [
        'profile.debug.environment = { A = "1" }\n',
        'tool.x = { y = "z" }\n',
        'targets = ["spin-up:3.6"]\n',
        'build.command = ["a", "b"]\n',
    ],
)
@pytest.mark.parametrize("form", ["artifact", "rootfs"])
def test_what_only_the_build_reads_keeps_no_runtime_from_running_it(lines: str, form: Form) -> None:
    assert refused(APP + lines, "0.12.0", form) == []


def test_a_manifest_that_an_old_parser_refuses_is_refused_in_a_root_file_system() -> None:
    text = (
        'spin_manifest_version = "1"\nname = "a"\ntrigger = { type = "http" }\n[[component]]\nid = "c"\nsource = "c"\n'
    )
    text += '[component.trigger]\nroute = "/"\n'

    assert refused(text, "0.9.2", "rootfs") == [
        "spin.toml:3: shim 0.9.2 runs Spin 1.5.0, which can't read the manifest: "
        "`base` is missing in `trigger`, which has to be a string in Spin 1.x",
        "spin.toml:1: shim 0.9.2 runs Spin 1.5.0, which can't read the manifest: `version` is missing",
    ]


def test_version_2_does_not_run_on_the_old_node_pools() -> None:
    assert refused(APP, "0.8.0", "rootfs")[0] == (
        "spin.toml:1: the application uses manifest version 2: Spin 2.0 has it, the target shim 0.8.0 runs Spin 1.4.0"
    )


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_each_feature_is_found_where_it_is_used_and_only_there(feature: object) -> None:
    text = """
spin_manifest_version = 2
[application]
name = "a"
targets = ["x"]
[application.tool.x]
[application.trigger.redis]
address = "redis://{{ v }}"
[variables]
v = { default = "", description = "d" }
[[trigger.http]]
route = { private = true }
component = "c"
[[trigger.http]]
route = "/"
static_response = {}
dependencies.middleware = [{ path = "p" }]
[[trigger.redis]]
address = "redis://own"
channel = "x"
component = "c"
[component.c]
source = "c.wasm"
allowed_outbound_hosts = ["http://{{ v }}", "http://b.spin.internal"]
key_value_stores = ["a-b"]
sqlite_databases = ["x"]
ai_models = ["m"]
targets = ["x"]
build.command = ["a", "b"]
profile.p.environment = { A = "1" }
dependencies = { "x:y" = { path = "p", inherit_configuration = true } }
tool.x.y = 1
""".lstrip()
    used = [item for item in FEATURES if item is feature]
    everything = parse(text, Path("spin.toml"))
    nothing = parse('spin_version = "1"\nname = "a"\ntrigger.type = "http"\n', Path("spin.toml"))

    lines = [everything.lines.line(place) for _, place in used[0].uses(everything)]

    assert lines
    assert all(line >= 1 for line in lines)
    assert list(used[0].uses(nothing)) == []


def test_an_unsupported_trigger_is_named() -> None:
    text = HEAD + '[[trigger.cron]]\ncomponent = "c"\ncron_expression = "* * * * *"\n' + COMPONENT

    assert refused(text) == [
        "spin.toml:4: the trigger `c-cron-trigger` is of the type `cron`, which shim 0.24.0 (Spin 3.6.3) does not have"
    ]
    assert hints(text) == ["no shim has it: they run command, http, mqtt, redis, sqs"]


def test_a_trigger_that_a_later_shim_has_is_named_with_it() -> None:
    text = (
        HEAD
        + '[application.trigger.mqtt]\naddress = "mqtt://a"\n[[trigger.mqtt]]\ntopic = "t"\ncomponent = "c"\n'
        + COMPONENT
    )

    assert hints(text, "0.15.0") == [
        "shim 0.16.0 brought it: install it or a later one on the nodes (this one runs command, http, redis, sqs)"
    ]


def test_several_types_of_trigger_need_shim_0_14() -> None:
    text = HEAD + TRIGGER + '[[trigger.redis]]\nchannel = "x"\ncomponent = "c"\n' + COMPONENT

    assert refused(text, "0.14.0") == []
    assert refused(text, "0.13.1") == [
        "spin.toml:7: the application has triggers of http and redis, and shim 0.13.1 (Spin 2.3.1) runs only one type"
    ]


def test_an_application_without_a_trigger_does_nothing() -> None:
    assert refused("spin_manifest_version = 2\napplication.name = 'a'\n[trigger]\n") == [
        "spin.toml:1: the application has no trigger, so it would do nothing"
    ]


@pytest.mark.parametrize(
    ("shim", "lines", "problem"),
    [
        ("0.9.3", "", "spin.toml: shim 0.9.3 (Spin 2.0.0) runs no Spin artifact"),
        (
            "0.11.1",
            'files = ["a"]\n',
            "spin.toml:9: component `c` has `files`, and shim 0.11.1 (Spin 2.2.0) reads no files from a Spin artifact",
        ),
    ],
)
def test_old_shims_run_no_artifacts_or_none_with_files(shim: str, lines: str, problem: str) -> None:
    assert refused(APP + lines, shim) == [problem]
    assert refused(APP + lines, shim, "rootfs") == []


VARIABLES = APP + '[variables]\na = { required = true }\nb = { required = true }\nc = { default = "" }\n'


def lacking(target: Target) -> list[str]:
    return [variable.name for variable in without_value(parse(VARIABLES, Path("spin.toml")), target)]


def test_all_variables_without_a_value_are_known() -> None:
    assert lacking(Target(NEWEST_RUNTIME)) == ["a", "b"]
    assert lacking(Target(NEWEST_RUNTIME, variables={"a": "1", "b": ""})) == []


def test_a_provider_may_supply_what_is_not_given() -> None:
    static = RuntimeConfig(providers=("static",), static_variables=frozenset({"a"}))

    assert lacking(Target(NEWEST_RUNTIME, configuration=RuntimeConfig(providers=("vault",)))) == []
    assert lacking(Target(NEWEST_RUNTIME, configuration=static)) == ["b"]


def test_a_variable_that_is_not_there_is_refused_with_the_nearest() -> None:
    assert refused(APP + '[variables]\nhost = { default = "" }\n', hots="x") == [
        "--variable: the application has no variable `hots`"
    ]
    assert hints(APP + '[variables]\nhost = { default = "" }\n', hots="x") == ["did you mean `host`?"]


def test_a_secret_is_refused_where_it_needs_a_value_and_where_it_is_given_one() -> None:
    needed = APP + "[variables]\ns = { required = true, secret = true }\n"
    defaulted = APP + '[variables]\ns = { default = "x", secret = true }\n'

    lacking = (
        "spin.toml:10: the variable `s` is a secret that needs a value, and there is no safe way yet to hand one to the"
        " pod: everybody who may read the Deployment could read a plain variable"
    )
    given = (
        "--variable: the variable `s` is a secret, and what is given for it would be a plain one: everybody who may"
        " read the Deployment could read it"
    )
    assert refused(needed) == [lacking]
    assert refused(needed, s="x") == [given]
    assert refused(defaulted) == []
    assert refused(defaulted, s="y") == [given]


def test_the_first_shims_hand_no_variables_on() -> None:
    text = 'spin_version = "1"\nname = "a"\nversion = "1"\ntrigger = { type = "http", base = "/" }\n[variables]\nv = { default = "" }\n[[component]]\nid = "c"\nsource = "c"\ntrigger = { route = "/" }\n'  # noqa: E501

    assert refused(text, "0.8.0", "rootfs", v="1") == [
        "--variable: shim 0.8.0 (Spin 1.4.0) hands no variables on to Spin"
    ]
    assert refused(text, "0.9.0", "rootfs", v="1") == []


def test_labels_that_nobody_configured_are_refused() -> None:
    text = APP + 'key_value_stores = ["default", "cache"]\nsqlite_databases = ["default", "db"]\n'
    app = parse(text, Path("spin.toml"))
    configured = RuntimeConfig(frozenset({"cache"}), frozenset({"db"}))

    assert refused(text) == [
        "spin.toml:9: component `c` uses `cache` in `key_value_stores`, and runtime-config.toml has none of it",
        "spin.toml:10: component `c` uses `db` in `sqlite_databases`, and runtime-config.toml has none of it",
    ]
    assert refusals(app, Target(NEWEST_RUNTIME, configuration=configured)) == ()
    assert "reads no runtime-config.toml" in hints(text, "0.9.3", "rootfs")[0]


def test_a_file_that_the_runtime_does_not_read_is_refused_only_where_it_is_needed() -> None:
    uses_default = parse(APP + 'key_value_stores = ["default"]\n', Path("spin.toml"))
    needs_nothing = parse(APP, Path("spin.toml"))
    needs_a_variable = parse(APP + "[variables]\nv = { required = true }\n", Path("spin.toml"))
    configured = RuntimeConfig(frozenset({"default"}), providers=("azure_key_vault",), text="state_dir = '/s'\n")
    target = Target(runtime("0.9.3"), "rootfs", configuration=configured)

    assert [str(problem) for problem in refusals(uses_default, target)] == [
        "spin.toml:9: component `c` uses `default` in `key_value_stores`, and shim 0.9.3 (Spin 2.0.0)"
        " does not read the runtime-config.toml that has it"
    ]
    assert refusals(needs_nothing, target) == ()
    assert [str(notice) for notice in notices(needs_nothing, target)] == [
        "runtime-config.toml: shim 0.9.3 (Spin 2.0.0) reads no runtime-config.toml:"
        " what it configures is without effect"
    ]
    assert [variable.name for variable in without_value(needs_a_variable, target)] == ["v"]


def test_a_secret_is_refused_only_where_its_file_would_go_to_the_pod() -> None:
    app = parse(APP, Path("spin.toml"))
    configured = RuntimeConfig(secrets=(Problem("`key` is a secret", "runtime-config.toml:2"),))

    assert refusals(app, Target(runtime("0.9.3"), "rootfs", configuration=configured)) == ()
    assert refusals(app, Target(NEWEST_RUNTIME, configuration=configured)) == configured.secrets


def test_of_a_broken_file_nobody_says_what_it_lacks() -> None:
    text = APP + 'key_value_stores = ["cache", "default"]\n[variables]\nv = { required = true }\n'

    target = Target(NEWEST_RUNTIME, configuration=None)

    assert refusals(parse(text, Path("spin.toml")), target) == ()
    assert notices(parse(text, Path("spin.toml")), target) == ()


def test_a_bare_folder_that_lands_twice_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    app = parse(APP + 'files = ["assets", "other/*"]\n', tmp_path / "spin.toml")

    assert [str(notice) for notice in notices(app, Target(NEWEST_RUNTIME))] == [
        f"{tmp_path}/spin.toml:9: component `c` sees the folder `assets` as `assets/assets` (Spin's own doing)"
    ]
    assert notices(app, Target(NEWEST_RUNTIME, "rootfs")) == ()


def test_data_that_goes_with_the_pod_is_noticed() -> None:
    app = parse(APP + 'key_value_stores = ["default"]\n', Path("spin.toml"))
    configured = RuntimeConfig(key_value_stores=frozenset({"default"}))

    assert ["goes when the pod goes" in notice.what for notice in notices(app, Target(NEWEST_RUNTIME))] == [True]
    assert notices(app, Target(NEWEST_RUNTIME, configuration=configured)) == ()


def test_every_shim_judges_every_real_manifest(shared: Path) -> None:
    paths = sorted((shared / "spin-manifests").glob("spinframework__spin/*.toml"))[:60]
    judged = 0
    for path in paths:
        text = path.read_text(encoding="utf-8")
        try:
            app = parse(text, path)
        except ManifestError:
            continue
        for shim in ("0.3.0", "0.9.3", "0.15.1", "0.24.0"):
            for form in ("artifact", "rootfs"):
                found = refusals(app, Target(runtime(shim), form))  # type: ignore[arg-type]
                judged += 1
                assert all(problem.what and problem.where for problem in found)

    assert judged > 100


def test_features_are_in_the_order_of_their_spins() -> None:
    assert [feature.since for feature in FEATURES] == sorted(feature.since for feature in FEATURES)
    assert FEATURES[0].since >= Version(1)
