"""The examples, built from source as their manifests say, and run: core modules as Spin's wagi executor does it."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import wasmtime
from wasmtime import component as wasm_component

from spin_aks.spin import assets, manifest
from spin_aks.spin.versions import Version

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NAMES = ("hello-python", "legacy-v1", "shop")
CORE_MODULE = b"\0asm\1\0\0\0"
COMPONENT = b"\0asm\x0d\0\1\0"


@dataclass(frozen=True)
class Answer:
    status: str
    headers: Mapping[str, str]
    body: str


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A copy of an example without any output, built by its own commands; each once a session."""
    built: dict[str, Path] = {}

    def build(name: str) -> Path:
        if name not in built:
            built[name] = tmp_path_factory.mktemp(name) / name
            shutil.copytree(EXAMPLES / name, built[name], ignore=shutil.ignore_patterns("*.wasm", ".spin-aks"))
            for command, workdir in build_commands(built[name]):
                run(command, built[name] / workdir)
        return built[name]

    return build


def components(root: Path) -> list[dict[str, Any]]:
    found = tomllib.loads((root / "spin.toml").read_text())["component"]
    return found if isinstance(found, list) else [{"id": name, **table} for name, table in found.items()]


def build_commands(root: Path) -> list[tuple[str, str]]:
    return [(found["build"]["command"], found["build"].get("workdir", "")) for found in components(root)]


def run(command: str, folder: Path) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True
    )
    assert 0 == done.returncode, done.stdout + done.stderr


def mount(root: Path, component: str, folder: Path) -> Path:
    """The files of a component where it finds them when it runs, in `folder`."""
    app = manifest.read(root)
    for asset in assets.resolve(app, app.component(component)):
        (folder / asset.path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / asset.source, folder / asset.path)
    return folder


def request(wasm: Path, mounted: Path | None = None, body: bytes = b"", **environment: str) -> Answer:
    """One request to a core module: CGI's variables in, CGI's response out (Spin's crates/http/src/wagi)."""
    answer = wasm.parent / "answer"
    asked = wasm.parent / "request"
    asked.write_bytes(body)
    store = wasmtime.Store()
    wasi = wasmtime.WasiConfig()
    wasi.env = list({"PATH_INFO": "", "REQUEST_METHOD": "GET", **environment}.items())
    wasi.stdin_file = str(asked)
    wasi.stdout_file = str(answer)
    if mounted:
        wasi.preopen_dir(str(mounted), "/", fs_mutable=False)
    store.set_wasi(wasi)
    linker = wasmtime.Linker(store.engine)
    linker.define_wasi()
    instance = linker.instantiate(store, wasmtime.Module.from_file(store.engine, str(wasm)))
    start = instance.exports(store)["_start"]
    assert isinstance(start, wasmtime.Func)
    start(store)
    return parse(answer.read_text())


def parse(response: str) -> Answer:
    head, body = response.split("\n\n", 1)
    headers = dict(line.split(": ", 1) for line in head.splitlines())
    return Answer(headers.pop("Status", "200 OK"), headers, body)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_holds_no_output(name: str) -> None:
    listed = subprocess.run(["git", "ls-files", name], cwd=EXAMPLES, capture_output=True, text=True, check=True)

    assert [] == [path for path in listed.stdout.splitlines() if path.endswith(".wasm")]


@pytest.mark.parametrize(
    ("name", "manifest_version", "component_ids"),
    [
        ("hello-python", 2, ["hello"]),
        ("legacy-v1", 1, ["hello", "env-page"]),
        ("shop", 2, ["storefront", "catalogue", "orders", "banner"]),
    ],
)
def test_a_manifest_is_read_by_the_newest_spin_and_by_the_first_that_has_its_version(
    name: str, manifest_version: int, component_ids: list[str]
) -> None:
    oldest = {1: "1.1.0", 2: "2.0.0"}[manifest_version]

    apps = [manifest.read(EXAMPLES / name), manifest.read(EXAMPLES / name, spin=Version.parse(oldest))]

    assert [manifest_version] * 2 == [app.manifest_version for app in apps]
    assert sorted(component_ids) == sorted(component.id for component in apps[0].components)


@pytest.mark.parametrize("name", NAMES)
def test_every_component_is_built_by_its_own_command(example: Callable[[str], Path], name: str) -> None:
    root = example(name)

    kinds = {found["id"]: (root / found["source"]).read_bytes()[:8] for found in components(root)}

    components_of_the_model = {"hello-python": {"hello"}, "shop": {"banner"}, "legacy-v1": set()}[name]
    assert {id_: COMPONENT if id_ in components_of_the_model else CORE_MODULE for id_ in kinds} == kinds


def test_the_builds_in_webassembly_text_are_reproducible(example: Callable[[str], Path], tmp_path: Path) -> None:
    again = tmp_path / "shop"
    shutil.copytree(EXAMPLES / "shop", again, ignore=shutil.ignore_patterns("*.wasm", ".spin-aks"))
    for command, workdir in build_commands(again):
        run(command, again / workdir)

    for found in components(again):
        assert (example("shop") / found["source"]).read_bytes() == (again / found["source"]).read_bytes()


def test_a_mistake_in_webassembly_text_names_its_file_and_fails(tmp_path: Path) -> None:
    (tmp_path / "wrong.wat").write_text("(module (func $f (call $nobody)))")

    done = subprocess.run(
        [sys.executable, EXAMPLES / "shop" / "wat.py", "wrong.wat", "wrong.wasm"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    assert 1 == done.returncode
    assert "wrong.wat" in done.stderr
    assert "$nobody" in done.stderr
    assert not (tmp_path / "wrong.wasm").exists()


def test_the_two_compilers_of_text_are_the_same() -> None:
    assert (EXAMPLES / "shop" / "wat.py").read_text() == (EXAMPLES / "legacy-v1" / "wat.py").read_text()


def test_the_python_example_is_a_component_for_http(example: Callable[[str], Path]) -> None:
    configuration = wasmtime.Config()
    configuration.cranelift_opt_level = "none"
    engine = wasmtime.Engine(configuration)

    kind = wasm_component.Component.from_file(engine, str(example("hello-python") / "app.wasm")).type

    assert "wasi:http/incoming-handler@0.2.0" in kind.exports(engine)
    assert "fermyon:spin/variables@2.0.0" in kind.imports(engine)


def test_the_python_example_greets_whom_the_path_names(monkeypatch: pytest.MonkeyPatch) -> None:
    from spin_sdk import variables
    from spin_sdk.http import Request

    monkeypatch.syspath_prepend(str(EXAMPLES / "hello-python"))
    monkeypatch.setattr(variables, "get", {"greeting": "Good day"}.__getitem__)
    monkeypatch.delitem(sys.modules, "app", raising=False)
    handler = importlib.import_module("app").IncomingHandler()

    bodies = [handler.handle_request(Request("GET", uri, {}, None)).body for uri in ("/", "/J%C3%BCrgen?a=b")]

    assert [b"Good day, World!\n", "Good day, Jürgen!\n".encode()] == bodies


@pytest.fixture
def storefront(example: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Answer]:
    root = example("shop")
    mounted = mount(root, "storefront", tmp_path / "mounted")
    return lambda path: request(root / "storefront/storefront.wasm", mounted, PATH_INFO=path)


@pytest.mark.parametrize(
    ("path", "file", "media_type"),
    [
        ("", "storefront/assets/index.html", "text/html; charset=utf-8"),
        ("/", "storefront/assets/index.html", "text/html; charset=utf-8"),
        ("/css/shop.css", "storefront/assets/css/shop.css", "text/css; charset=utf-8"),
        ("/shop.js", "storefront/assets/shop.js", "text/javascript; charset=utf-8"),
        ("/logo.svg", "storefront/assets/logo.svg", "image/svg+xml"),
        ("/legal/terms.txt", "legal/terms.txt", "text/plain; charset=utf-8"),
        ("/legal/licence.txt", "LICENCE.txt", "text/plain; charset=utf-8"),
    ],
)
def test_the_storefront_serves_its_mounted_files(
    storefront: Callable[[str], Answer], path: str, file: str, media_type: str
) -> None:
    answer = storefront(path)

    assert Answer("200 OK", {"Content-Type": media_type}, (EXAMPLES / "shop" / file).read_text()) == answer


@pytest.mark.parametrize(
    "path",
    ["/none", "/css", "/css/", "/../LICENCE.txt", "/sale.draft.html", "/legal/privacy.draft.txt", "/x" * 40_000],
)
def test_the_storefront_has_nothing_but_its_files(storefront: Callable[[str], Answer], path: str) -> None:
    expected = (EXAMPLES / "shop/storefront/assets/404.html").read_text()

    answer = storefront(path)

    assert Answer("404 Not Found", {"Content-Type": "text/html; charset=utf-8"}, expected) == answer


def test_the_storefront_serves_files_larger_than_its_buffer(example: Callable[[str], Path], tmp_path: Path) -> None:
    text = "".join(f"line {number}\n" for number in range(40_000))
    (tmp_path / "large.txt").write_text(text)

    answer = request(example("shop") / "storefront/storefront.wasm", tmp_path, PATH_INFO="/large.txt")

    assert text == answer.body


def test_the_storefront_without_any_file_says_not_found_in_text(example: Callable[[str], Path], tmp_path: Path) -> None:
    answer = request(example("shop") / "storefront/storefront.wasm", tmp_path, PATH_INFO="/")

    assert Answer("404 Not Found", {"Content-Type": "text/plain; charset=utf-8"}, "There is no such page.\n") == answer


def test_the_catalogue_lists_every_product_but_the_drafts(example: Callable[[str], Path], tmp_path: Path) -> None:
    root = example("shop")

    answer = request(root / "catalogue/catalogue.wasm", mount(root, "catalogue", tmp_path / "mounted"))

    assert {"Content-Type": "application/json"} == answer.headers
    assert ["Kite", "Spinning top", "Yo-yo"] == [product["name"] for product in json.loads(answer.body)]


def test_the_catalogue_of_an_empty_shop_is_empty(example: Callable[[str], Path], tmp_path: Path) -> None:
    (tmp_path / "catalogue/products").mkdir(parents=True)

    answer = request(example("shop") / "catalogue/catalogue.wasm", tmp_path)

    assert "[]\n" == answer.body


@pytest.mark.parametrize("size", [0, 20, 200_000])
def test_an_order_is_confirmed_in_the_currency_of_the_environment(example: Callable[[str], Path], size: int) -> None:
    wasm = example("shop") / "orders/orders.wasm"

    answer = request(wasm, body=b"o" * size, REQUEST_METHOD="POST", CURRENCY="EUR")

    assert f"Thank you! Payable in EUR:\n{'o' * size}" == answer.body


@pytest.mark.parametrize("method", ["GET", "POSTS", "POS"])
def test_only_a_post_is_an_order(example: Callable[[str], Path], method: str) -> None:
    answer = request(example("shop") / "orders/orders.wasm", body=b"a kite", REQUEST_METHOD=method)

    assert (
        Answer("405 Method Not Allowed", {"Allow": "POST", "Content-Type": "text/plain"}, "POST an order here.\n")
        == answer
    )


def ask_banner(wasm: Path, get: Callable[[object, str], object]) -> Any:
    """One request to the banner as Spin makes it (WIT package `fermyon:spin`, interface `inbound-http`)."""
    engine = wasmtime.Engine()
    linker = wasm_component.Linker(engine)
    with linker.root() as root, root.add_instance("fermyon:spin/variables@2.0.0") as variables:
        variables.add_func("get", get)
    store = wasmtime.Store(engine)
    instance = linker.instantiate(store, wasm_component.Component.from_file(engine, str(wasm)))
    interface = instance.get_export_index(store, "fermyon:spin/inbound-http")
    handle = instance.get_func(store, instance.get_export_index(store, "handle-request", interface))
    assert handle is not None
    asked = wasm_component.Record()
    headers = [(f"name-{number}", "value" * 20) for number in range(2_000)]
    vars(asked).update(method="get", uri="/api/banner", headers=headers, params=[], body=b"")
    return handle(store, asked)


def test_the_banner_is_the_variable_that_its_component_is_given(example: Callable[[str], Path]) -> None:
    response = ask_banner(example("shop") / "banner/banner.wasm", lambda store, name: f"the value of {name}")

    assert 200 == response.status
    assert [("content-type", "text/plain; charset=utf-8")] == response.headers
    assert b"the value of text" == response.body


def test_the_banner_without_its_variable_is_an_error_of_the_server(example: Callable[[str], Path]) -> None:
    response = ask_banner(
        example("shop") / "banner/banner.wasm", lambda store, name: wasm_component.Variant("undefined", name)
    )

    assert 500 == response.status


@pytest.mark.parametrize(("language", "greeting"), [("de-AT", "Hallo!\n"), ("fr", "Bonjour !\n"), ("en", "Hello!\n")])
def test_the_v1_example_greets_in_the_language_asked_for(
    example: Callable[[str], Path], language: str, greeting: str
) -> None:
    answer = request(example("legacy-v1") / "hello.wasm", HTTP_ACCEPT_LANGUAGE=language)

    assert Answer("200 OK", {"Content-Type": "text/plain; charset=utf-8"}, greeting) == answer


def test_the_v1_example_serves_the_page_that_its_environment_names(
    example: Callable[[str], Path], tmp_path: Path
) -> None:
    root = example("legacy-v1")
    mounted = mount(root, "env-page", tmp_path / "mounted")

    served = request(root / "page/page.wasm", mounted, PAGE="index.html")
    excluded = request(root / "page/page.wasm", mounted, PAGE="index.html.bak")

    page = (EXAMPLES / "legacy-v1/www/index.html").read_text()
    assert Answer("200 OK", {"Content-Type": "text/html; charset=utf-8"}, page) == served
    assert "404 Not Found" == excluded.status


@pytest.mark.parametrize(
    ("name", "flags"), [("hello-python", []), ("legacy-v1", []), ("shop", ["--variable", "greeting=Welcome"])]
)
def test_an_example_comes_up_in_the_sandbox_and_is_fresh_after_that(
    tmp_path: Path, name: str, flags: list[str]
) -> None:
    app = tmp_path / name
    shutil.copytree(
        EXAMPLES / name,
        app,
        ignore=shutil.ignore_patterns("*.wasm", ".spin-aks*", "aks-spin*", "Dockerfile", "manifests"),
    )

    first = in_sandbox(tmp_path, "up", "-f", str(app), *flags)
    second = in_sandbox(tmp_path, "up", "-f", str(app), *flags)
    listed = in_sandbox(tmp_path, "list", "-f", str(app), *flags, "--output", "json")

    assert (0, 0) == (first.returncode, second.returncode), first.stderr + second.stderr
    assert "done    apply" in first.stderr
    assert [] == [line for line in second.stderr.splitlines() if line.startswith(("run ", "done ", "failed "))]
    assert {"fresh"} == {stage["state"] for stage in json.loads(listed.stdout)["stages"]}


def test_the_shop_without_its_required_variable_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    app = tmp_path / "shop"
    shutil.copytree(EXAMPLES / "shop", app, ignore=shutil.ignore_patterns("*.wasm", ".spin-aks*", "aks-spin*"))

    refused = in_sandbox(tmp_path, "up", "-f", str(app))

    assert 3 == refused.returncode
    assert "spin.toml:11: the variable `greeting` is required, and nothing gives it a value" in refused.stderr
    assert [] == list(app.rglob("*.wasm"))


def in_sandbox(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SPIN_AKS_")}
    return subprocess.run(
        ["spin-aks", "sandbox", "--", "spin-aks", *arguments],
        cwd=folder,
        env={
            **environment,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "SPIN_AKS_SANDBOX_DIR": str(folder / "sandbox"),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
