"""Real manifests of 30 repositories, and what Spin's own parser of three versions says of each."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

import pytest

from spin_aks.errors import ManifestError
from spin_aks.spin.manifest import read
from spin_aks.spin.versions import Version

if TYPE_CHECKING:
    from pathlib import Path

    from spin_aks.spin.model import Application


@cache
def verdicts(folder: Path) -> list[dict[str, object]]:
    text = (folder / "SPIN-PARSER.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def judged(path: Path, spin: Version) -> Application | ManifestError:
    try:
        return read(path, spin=spin)
    except ManifestError as error:
        return error


@pytest.mark.parametrize("version", ["2.7.0", "3.6.3", "4.0.2"])
def test_we_accept_and_refuse_what_that_spin_does(shared: Path, version: str) -> None:
    folder = shared / "spin-manifests"

    differing = [
        row["file"]
        for row in verdicts(folder)
        if (row[version] == "ok")
        == isinstance(judged(folder / str(row["file"]), Version.parse(version)), ManifestError)
    ]

    assert len(verdicts(folder)) == 415
    assert differing == []


def test_what_spin_accepts_is_normalised_as_spin_does_it(shared: Path) -> None:
    folder = shared / "spin-manifests"
    accepted = [row for row in verdicts(folder) if row["4.0.2"] == "ok"]

    for row in accepted:
        application = read(folder / str(row["file"]))
        expected = json.dumps(row["manifest"], sort_keys=True)
        assert expected == json.dumps(application.normalised, sort_keys=True), row["file"]

    assert len(accepted) == 324


def test_each_refusal_names_a_line_of_the_file(shared: Path) -> None:
    folder = shared / "spin-manifests"

    for row in verdicts(folder):
        path = folder / str(row["file"])
        verdict = judged(path, Version(4, 0, 2))
        if isinstance(verdict, ManifestError):
            for problem in verdict.problems:
                name, _, line = problem.where.rpartition(":")
                assert name == str(path)
                assert 1 <= int(line) <= len(path.read_text(encoding="utf-8").splitlines())


def test_toml_errors_are_on_the_line_that_spin_names(shared: Path) -> None:
    folder = shared / "spin-manifests"
    spins = {
        str(row["file"]): int(str(row["4.0.2"]).split("at line ")[1].split(",")[0])
        for row in verdicts(folder)
        if "invalid table header" in str(row["4.0.2"]) or "expected `.`, `=`" in str(row["4.0.2"])
    }

    ours = {}
    for name in spins:
        with pytest.raises(ManifestError) as refused:
            read(folder / name)
        ours[name] = int(refused.value.problems[0].where.rpartition(":")[2])

    assert spins == ours


def test_spin_one_accepts_the_ids_of_its_time(shared: Path) -> None:
    folder = shared / "spin-manifests"
    names = [
        "spinframework__spin@v1.0.0/docs__spin.toml",
        "spinframework__spin@v1.5.1/tests__watch__static-fileserver__spin.toml",
    ]

    ids = [{component.id for component in read(folder / name, spin=Version(1, 5, 1)).components} for name in names]

    assert "redirect-sip-001" in ids[0]
    assert "static-fileserver-2" in ids[1]


def test_spin_one_refuses_of_its_own_manifests_only_those_made_to_be_refused(shared: Path) -> None:
    folder = shared / "spin-manifests"
    own = [str(row["file"]) for row in verdicts(folder) if "spin@v1.5.1/" in str(row["file"])]

    refused = [name for name in own if isinstance(judged(folder / name, Version(1, 5, 1)), ManifestError)]

    prefix = "spinframework__spin@v1.5.1/"
    assert [
        "crates__doctor__tests__data__manifest_version_wrong_value.toml",
        "crates__loader__tests__invalid-manifest.toml",
        "crates__loader__tests__invalid-url-in-allowed-http-hosts.toml",
        "crates__loader__tests__invalid-version.toml",
        "crates__loader__tests__missing-http-base.toml",
        "templates__http-empty__content__spin.toml",  # a template without a component, completed by `spin new`
        "tests__testcases__error__spin.toml",
    ] == [name.removeprefix(prefix) for name in refused]
