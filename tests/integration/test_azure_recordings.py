"""The sandbox's Azure answers as the real one was recorded to: the same SDK calls, the same typed results."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from testbed import azure_recordings, azure_results, azure_sandbox, recorded_blobs, recorded_cluster, recorded_stores
from testbed.azure_recordings import WIRE

from spin_aks.sandbox.azure import redis

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.azure_recordings import Story

STORIES = (*recorded_cluster.STORIES, *recorded_blobs.STORIES, *recorded_stores.STORIES)
NOT_COVERED = {**recorded_cluster.NOT_COVERED, **recorded_stores.NOT_COVERED}


@pytest.fixture
def recordings(shared: Path) -> Path:
    return shared / "azure-recorded"


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.title)
def test_the_sdk_understands_the_recording(recordings: Path, story: Story) -> None:
    results = azure_recordings.recorded(story, recordings)

    assert [step.title for step in story.steps] == [title for title in results if not title.endswith(WIRE)]
    assert not [result for result in results.values() if result == {}]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.title)
def test_the_sandbox_answers_as_azure_did(recordings: Path, story: Story, tmp_path: Path) -> None:
    with azure_sandbox.opened(tmp_path) as world:
        expected, actual = azure_recordings.same(story, recordings, azure_sandbox.connected(world))

    assert expected == actual


def test_a_sandbox_that_answers_otherwise_is_found_out(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = next(story for story in STORIES if story.recording == "redis-create-lro")
    monkeypatch.setattr(redis, "TLS_PORT", 6381)
    followed = redis._followed
    monkeypatch.setattr(redis, "_followed", lambda *given: [one for one in followed(*given) if one[0] != "Location"])
    with azure_sandbox.opened(tmp_path) as world:
        expected, actual = azure_recordings.same(story, recordings, azure_sandbox.connected(world))

    differs = {title for title in expected if expected[title] != actual[title]}
    assert {"the cache is made", f"the cache is made{WIRE}"} == differs


@pytest.mark.parametrize(
    ("index", "known"),
    [
        (5, 'known = "AuthorizationFailed"'),
        (1, 'known = "MissingSubscriptionRegistration"'),
        (0, 'known = "MissingSubscriptionRegistration"'),
        (1001, ""),
    ],
)
def test_what_any_service_refuses_has_the_recorded_words(
    recordings: Path, tmp_path: Path, index: int, known: str
) -> None:
    """The request itself, since its service is none that the sandbox plays; a vault stands in where it has to."""
    exchange = azure_recordings.load(recordings, "errors").exchanges[index]
    (tmp_path / "trouble.toml").write_text(f"[[rule]]\n{known}\n" if known else "")
    url = (
        exchange.url
        if known
        else exchange.url.replace("Microsoft.App/managedEnvironments", "Microsoft.KeyVault/vaults")
    )
    with azure_sandbox.opened(tmp_path) as world:
        azure = azure_sandbox.connected(world)
        token = azure.credential.get_token(f"{azure_recordings.MANAGEMENT}/.default").token
        headers = {"Authorization": f"Bearer {token}"}
        answer = azure.session.request(exchange.method, url, json=exchange.sent, headers=headers, timeout=5)

    assert exchange.status == answer.status_code
    assert _of_somebody(exchange.body) == _of_somebody(answer.json())


def _of_somebody(body: object) -> object:
    return json.loads(re.sub(r"The client '[^']*'", "The client", json.dumps(azure_results.masked(body))))


def test_each_exchange_is_in_a_story_or_listed_with_the_reason_why_not(recordings: Path) -> None:
    recorded = {
        (name, index)
        for name in azure_recordings.names(recordings)
        for index in azure_recordings.load(recordings, name).exchanges
    }
    told = [(story.recording, index) for story in STORIES for index in story.exchanges]
    listed = {(name, index) for name, reasons in NOT_COVERED.items() for index in reasons}

    assert sorted(set(told)) == sorted(told), "an exchange is in two stories"
    assert set(told) & listed == set(), "covered, and listed as not covered"
    assert recorded == set(told) | listed


def test_what_is_not_covered_has_a_reason_that_a_reader_understands() -> None:
    reasons = [reason for listed in NOT_COVERED.values() for reason in listed.values()]
    reasons += [reason for story in STORIES for reason in story.differs.values()]

    assert [reason for reason in reasons if len(reason.split()) < 4] == []


def test_a_playback_answers_in_the_recorded_order_and_nothing_else(recordings: Path) -> None:
    recording = azure_recordings.load(recordings, "kv-secret-soft-delete-conflict")
    playback = azure_recordings.Playback(recording, (3, 6))
    with azure_recordings.playing(playback) as session:
        put = [session.put(recording.exchanges[3].url, timeout=1).status_code for _ in range(2)]
        with pytest.raises(AssertionError, match="no answer to PUT"):
            session.put(recording.exchanges[3].url, timeout=1)

    assert [200, 409] == put
    assert [] == playback.unused


def test_ids_times_etags_and_keys_are_masked_and_nothing_else_is() -> None:
    seen = {
        "etag": 'W/"1"',
        "id": "/subscriptions/0b1f6471-1bf0-4dda-aec3-cb9272f09590/resourceGroups/rg",
        "createdAt": "2024-02-28T08:50:14.631Z",
        "primaryKey": "secret",
        "primary_master_key": "secret",
        "version": "14efebbad7bf49c481a9a638bc56160b",
        "created": 1690270834,
        "count": 3,
        "enabled": False,
        "name": "vault-1",
    }

    assert {
        "etag": "<etag>",
        "id": "/subscriptions/<guid>/resourceGroups/rg",
        "createdAt": "<time>",
        "primaryKey": "<primaryKey>",
        "primary_master_key": "<primary_master_key>",
        "version": "<id>",
        "created": "<created>",
        "count": 3,
        "enabled": False,
        "name": "vault-1",
    } == azure_results.masked(seen)
