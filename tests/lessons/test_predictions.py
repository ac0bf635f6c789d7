"""Each prediction is answered by the engine, and by one option only."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from pyminidock.client.connect import connect
from pyminidock.client.handles import Client
from pyminidock.course import predict, progress
from pyminidock.course.lesson import find_prediction
from pyminidock.course.predict import CommandUnknown
from tests.minidock_cli import Minidock


@pytest.fixture
def client(minidock: Minidock) -> Iterator[Client]:
    with connect(minidock.root, f"unix://{minidock.host}", start=False) as found:
        yield found


def revealed(
    client: Client, environment: Mapping[str, str], id: str, body: str
) -> predict.Revealed:
    return predict.reveal(client, find_prediction(id), body, environment=environment)


def test_what_was_done_decides(client: Client, minidock: Minidock) -> None:
    found = revealed(
        client, minidock.environment, "00.left", "minidock run --rm busybox echo hi"
    )
    assert found.answer is not None
    assert found.answer.id == "nothing"
    assert found.output == "hi\n"
    assert found.evidence is not None
    assert "is gone" in found.evidence.sentence
    records = client.story(found.evidence.story).records
    assert records[found.evidence.step - 1].kind == "container.removed"


def test_another_deed_has_another_answer(client: Client, minidock: Minidock) -> None:
    body = "%minidock run --name stays busybox echo hi"
    found = revealed(client, minidock.environment, "00.left", body)
    client.remove("stays")
    assert found.answer is not None
    assert found.answer.id == "stopped"


def test_a_world_that_the_lesson_does_not_know_has_no_answer(
    client: Client, minidock: Minidock
) -> None:
    body = "minidock run --rm no-such-image"
    found = revealed(client, minidock.environment, "10.both", body)
    assert found.answer is None
    assert "no-such-image" in found.output
    assert found.exit_code == 125


@pytest.mark.parametrize("body", ["rm -rf /", "minidock2 ps", "echo hi"])
def test_a_prediction_does_nothing_but_minidock(client: Client, body: str) -> None:
    with pytest.raises(CommandUnknown):
        revealed(client, {}, "00.left", body)


def test_the_first_and_the_last_answer_are_kept(
    client: Client, minidock: Minidock, tmp_path: Path
) -> None:
    path = tmp_path / "progress.json"
    body = "minidock run --rm busybox echo hi"
    found = revealed(client, minidock.environment, "00.left", body)
    assert not predict.answered(found, "stopped", "high", path)
    assert predict.answered(found, "nothing", "", path)
    kept = progress.load(path)["predictions"]["00.left"]
    assert kept == {
        "tries": 2, "first": "stopped", "first_is_right": False, "last": "nothing",
        "is_right": True, "confidence": "high",
    }  # fmt: skip
