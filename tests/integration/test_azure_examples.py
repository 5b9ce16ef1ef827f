"""What no traffic was recorded of: the sandbox's Azure answers as Microsoft's own examples say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from testbed import azure_examples, azure_examples_cluster, azure_recordings, azure_sandbox
from testbed.azure_recordings import WIRE

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.azure_examples import Example

EXAMPLES = (*azure_examples.EXAMPLES, *azure_examples_cluster.EXAMPLES)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.file)
def test_the_sandbox_answers_as_the_example_says(shared: Path, example: Example, tmp_path: Path) -> None:
    recording = azure_examples.load(shared / "azure-spec", example)
    with azure_sandbox.opened(tmp_path) as world:
        expected, actual = azure_recordings.same(example.story, recording, azure_sandbox.connected(world))

    # An example shows one of the ways in which a change is answered, and none of the headers.
    statuses = [int(change.split()[1]) for change in actual.pop(f"answer{WIRE}", ())]
    expected.pop(f"answer{WIRE}", None)
    assert expected == actual
    assert set(statuses) <= recording.exchanges.keys()
