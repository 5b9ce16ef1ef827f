"""Applications that can't be built or run: named with their line before anything is built; secrets stay secret."""

from __future__ import annotations

import hashlib
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from testbed.tiny import MANIFEST, WASM, add_to_component, add_variables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.application import App

CANARY = "canary-5e1f0a"
HTTP = '[[trigger.http]]\nroute = "/..."\ncomponent = "a"\nexecutor = { type = "wagi" }\n'
LOCAL = MANIFEST[MANIFEST.index("source = ") :]

MALFORMED = {
    "": "spin.toml:1: `spin_manifest_version` is missing",
    "x = [": "spin.toml:1: not valid TOML",
    "spin_manifest_version = 3": "spin.toml:1:",
    MANIFEST.replace('name = "tiny"', ""): "spin.toml:3:",
    MANIFEST.replace('name = "tiny"', "name = 3"): "spin.toml:4:",
    MANIFEST + 'surprise = "x"\n': "spin.toml:17:",
    MANIFEST + 'workdir = "b"\n': "spin.toml:17:",
}


@pytest.mark.parametrize("text", MALFORMED)
def test_a_malformed_manifest_is_refused_by_every_command_with_its_line(tiny: App, text: str) -> None:
    (tiny.root / "spin.toml").write_text(text)

    for command in ("up", "list", "validate", "scaffold"):
        done = tiny.run(command)
        assert 3 == done.code
        assert f"error: {MALFORMED[text]}" in done.err
        assert "hint: " in done.err
        assert "" == done.out
    assert not (tiny.root / "a/a.wasm").exists()


@pytest.mark.parametrize("content", [b"\xff\xfe\0n\0o", b"\0" * 100, b"name = '\xe9'"])
def test_a_manifest_that_is_no_text_is_refused(tiny: App, content: bytes) -> None:
    (tiny.root / "spin.toml").write_bytes(content)

    done = tiny.run("up")

    assert 3 == done.code
    assert done.err.startswith("error: spin.toml:1: ")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('files = ["../x"]', "spin.toml:13: component `a`: `../x` is outside the application's folder"),
        ('files = ["/etc/passwd"]', "spin.toml:13: component `a`: `/etc/passwd` is outside the application's folder"),
        ('files = [{ source = "a", destination = "../../x" }]', "leaves the component's own folder"),
        ('files = ["away"]', "spin.toml:13: component `a`: `away` leads out of the application's folder"),
        ('files = ["a/**/*.link"]', "`a/b.link` leads out of the application's folder through a symbolic link"),
        ('files = ["gone.txt"]', "spin.toml:13: component `a`: `gone.txt` does not exist and is no glob"),
        ('files = [{ source = "gone", destination = "/x" }]', "the file or folder `gone` does not exist"),
        ('files = ["round/**/*"]', "the symbolic link `round/again` leads back to a folder above it"),
    ],
)
@pytest.mark.parametrize("form", ["artifact", "rootfs"])
def test_files_that_are_not_the_applications_own_are_refused(tiny: App, form: str, line: str, what: str) -> None:
    (tiny.root / "away").symlink_to("/etc")
    (tiny.root / "a/b.link").symlink_to("/etc/passwd")
    (tiny.root / "round").mkdir()
    (tiny.root / "round/again").symlink_to(".")
    add_to_component(tiny.root, line)

    done = tiny.run("up", "--form", form)

    assert 3 == done.code
    assert what in done.err
    assert "hint: " in done.err or "leads back" in what
    assert [] == [stage for stage in done.stages("done") if stage in ("bundle", "push")]
    assert not (tiny.root / ".spin-aks/default/bundle.json").exists()


@pytest.mark.parametrize(
    ("shim", "old", "new", "what"),
    [
        ("0.8.0", "", "", "manifest version 2: Spin 2.0 has it, the target shim 0.8.0 runs Spin 1.4.0"),
        ("0.10.0", HTTP, '[[trigger.sqs]]\nqueue_url = "x"\ncomponent = "a"\n', "is of the type `sqs`"),
        ("0.13.0", HTTP, '[[trigger.command]]\ncomponent = "a"\n', "is of the type `command`"),
        ("0.24.0", 'component = "a"', 'component = "b"', "runs the component `b`"),
        ("0.24.0", HTTP, '[[trigger.cron]]\nschedule = "x"\ncomponent = "a"\n', "is of the type `cron`"),
        ("0.24.0", LOCAL, 'sqlite_databases = ["other"]\n' + LOCAL, "uses `other` in `sqlite_databases`"),
        ("0.24.0", LOCAL, 'key_value_stores = ["cache"]\n' + LOCAL, "uses `cache` in `key_value_stores`"),
    ],
)
def test_what_the_target_can_not_run_is_refused_by_name(tiny: App, shim: str, old: str, new: str, what: str) -> None:
    manifest = tiny.root / "spin.toml"
    manifest.write_text(manifest.read_text().replace(old, new))

    done = tiny.run("build", "--shim", shim)

    assert 3 == done.code
    assert "error: spin.toml:" in done.err
    assert what in done.err
    assert "hint: " in done.err
    assert ["validate"] == done.stages("run")


def test_every_variable_without_a_value_is_named_at_once_before_anything_is_built(tiny: App) -> None:
    add_variables(tiny.root, "one = { required = true }", "two = { required = true }", 'three = { default = "x" }')

    done = tiny.run("up")

    assert (3, []) == (done.code, done.stages("run"))
    assert "error: spin.toml:19: the variable `one` is required" in done.err
    assert "error: spin.toml:20: the variable `two` is required" in done.err
    assert "`three`" not in done.err
    for way in ("--variable two=VALUE", "SPIN_AKS_VARIABLES_TWO", "variables.two"):
        assert f"`{way}`" in done.err
    assert 0 == tiny.run("up", "--variable", "one=1", SPIN_AKS_VARIABLES_TWO="2").code


def test_a_variable_that_there_is_not_is_refused(tiny: App) -> None:
    done = tiny.run("up", "--variable", "nope=1")

    assert 3 == done.code
    assert "error: --variable: the application has no variable `nope`" in done.err


@pytest.mark.parametrize("way", ["--variable", "SPIN_AKS_VARIABLES_KEY", "aks-spin.toml:1", "aks-spin.stage.toml:1"])
@pytest.mark.parametrize("line", ["key = { required = true, secret = true }", 'key = { default = "", secret = true }'])
def test_a_secret_is_refused_and_its_value_is_kept_and_shown_nowhere(tiny: App, line: str, way: str) -> None:
    add_variables(tiny.root, line, 'plain = { default = "x" }')
    file = tiny.root / way.partition(":")[0]
    if way.endswith(":1"):
        file.write_text(f'variables.key = "{CANARY}"\n')
    flags = ("-e", "stage", *(("--variable", f"key={CANARY}") if way == "--variable" else ()))
    environment = {way: CANARY} if way.startswith("SPIN_") else {}
    commands = (
        *(("up",), ("build",), ("run", "render"), ("validate",), ("list",), ("why", "validate"), ("scaffold",)),
        *(("config", "show"), ("config", "show", "--output", "json"), ("config", "get", "variables.key")),
    )
    runs = [tiny.run(*command, *flags, **environment) for command in commands]

    assert {3} == {done.code for done in runs if "error" in done.err}
    assert f"error: {way}: the variable `key` is a secret, and what is given for it would be a plain one" in runs[0].err
    assert f"error: {way}: `variables.key` is a secret of spin.toml, which is not shown" in runs[-1].err
    assert [] == [done for done in runs if CANARY in done.out + done.err]
    found = (path for path in tiny.root.parent.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes())
    assert ([file] if way.endswith(":1") else []) == list(found)
    assert (tiny.root / ".spin-aks/stage/doit.db").is_file()


class Files(ThreadingHTTPServer):
    """Gives the same bytes for every path; `asked` counts."""

    content = WASM
    asked = 0


@contextmanager
def serving() -> Iterator[Files]:
    class Handler(BaseHTTPRequestHandler):
        server: Files

        def do_GET(self) -> None:
            self.server.asked += 1
            self.send_response(200)
            self.send_header("Content-Length", str(len(self.server.content)))
            self.end_headers()
            self.wfile.write(self.server.content)

        def log_message(self, *args: object) -> None:
            return

    server = Files(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def remote(app: App, url: str, content: bytes) -> None:
    text = MANIFEST[: MANIFEST.index("[component.a.build]")]
    source = f'{{ url = "{url}", digest = "sha256:{hashlib.sha256(content).hexdigest()}" }}'
    (app.root / "spin.toml").write_text(text.replace('"a/a.wasm"', source))


def test_a_remote_source_is_fetched_once_and_checked(tiny: App) -> None:
    tiny.environment["XDG_CACHE_HOME"] = str(tiny.root.parent / "cache")
    with serving() as server:
        remote(tiny, f"http://127.0.0.1:{server.server_port}/a.wasm", WASM)
        tiny.ok("up")
        again = tiny.ok("up", "--refresh")
        (cached,) = (tiny.root.parent / "cache").rglob("*.wasm")
        cached.unlink()
        refetched = tiny.ok("up")
        server.content = WASM + b"\0\1x"
        wrong = tiny.run("up", XDG_CACHE_HOME=str(tiny.root.parent / "other"), SPIN_AKS_ENVIRONMENT="other")

    assert ([], ["bundle"], 3) == (again.stages("run"), refetched.stages("run"), server.asked)
    assert 1 == wrong.code
    assert "digest" in wrong.err
    assert hashlib.sha256(WASM).hexdigest()[:12] in wrong.err
    assert [] == [*(tiny.root.parent / "other").rglob("*.wasm")]


def test_a_remote_source_that_can_not_be_reached_is_named(tiny: App) -> None:
    tiny.environment["XDG_CACHE_HOME"] = str(tiny.root.parent / "cache")
    with serving() as server:
        url = f"http://127.0.0.1:{server.server_port}/a.wasm"
    remote(tiny, url, WASM)

    done = tiny.run("up")

    assert 1 == done.code
    assert f"error: spin.toml:12: component `a`: can't fetch `{url}`: Connection refused" in done.err
    assert "hint: check `url` in spin.toml and your network" in done.err
