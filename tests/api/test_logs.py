"""GET /containers/N/logs: what is asked first, what it is called, and how it is framed."""

import json
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from pyminidock.api.message import Request, Response, Stream
from pyminidock.api.routes import Router
from tests.api.studio import WAIT_S, Studio, studio, until


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Studio]:
    stage = studio(tmp_path / "root")
    yield stage
    stage.house.close()


def asked(stage: Studio, container: str, version: str = "", **query: str) -> Response:
    """Ask for a log."""
    path = f"{version}/containers/{container}/logs"
    return Router(stage.house).handle(Request("GET", path, query=query))


def container_of(stage: Studio, **wish: object) -> str:
    """Make a container and start it."""
    router = Router(stage.house)
    body = json.dumps({"Image": "busybox", "Cmd": ["sh"], **wish}).encode()
    headers = {"content-type": "application/json"}
    request = Request("POST", "/containers/create", headers=headers, body=body)
    answer = router.handle(request)
    assert isinstance(answer.body, bytes)
    container: str = json.loads(answer.body)["Id"]
    router.handle(Request("POST", f"/containers/{container}/start"))
    return container


def body_of(answer: Response) -> bytes:
    """Read an answer to its end."""
    return answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)


def message_of(answer: Response) -> str:
    """Give the sentence of a refusal."""
    told: str = json.loads(body_of(answer))["message"]
    return told


def kind_of(answer: Response) -> str:
    """Give the content type."""
    return dict(answer.headers)["Content-Type"]


def test_the_streams_are_looked_at_first_then_the_container_then_the_times(
    stage: Studio,
) -> None:
    nobody = asked(stage, "nobody", since="abc")
    assert (nobody.status, message_of(nobody)) == (
        400, "Bad parameters: you must choose at least one stream",
    )  # fmt: skip
    nobody = asked(stage, "nobody", stdout="1", since="abc")
    assert (nobody.status, message_of(nobody)) == (404, "No such container: nobody")
    mute = container_of(stage, HostConfig={"LogConfig": {"Type": "none"}})
    refused = asked(stage, mute, stdout="1", since="abc")
    assert (refused.status, message_of(refused)) == (
        501, "configured logging driver does not support reading",
    )  # fmt: skip
    refused = asked(stage, container_of(stage), stdout="1", since="abc")
    assert (refused.status, message_of(refused)) == (
        500, 'strconv.ParseInt: parsing "abc": invalid syntax',
    )  # fmt: skip


def test_frames_have_a_name_for_who_knows_them(stage: Studio) -> None:
    container = container_of(stage)
    stage.say(container, b"out\n")
    stage.say(container, b"err\n", stream=2)
    new = asked(stage, container, stdout="1", stderr="True")
    old = asked(stage, container, "/v1.41", stdout="1", stderr="1")
    assert kind_of(new) == "application/vnd.docker.multiplexed-stream"
    assert kind_of(old) == "application/vnd.docker.raw-stream"
    frames = b"\1\0\0\0\0\0\0\4out\n\2\0\0\0\0\0\0\4err\n"
    assert body_of(new) == body_of(old) == frames


def test_a_terminal_has_no_frames(stage: Studio) -> None:
    container = container_of(stage, Tty=True)
    stage.say(container, b"out\r\n")
    answer = asked(stage, container, stdout="1", stderr="1")
    assert kind_of(answer) == "application/vnd.docker.raw-stream"
    assert body_of(answer) == b"out\r\n"


def test_a_log_that_is_followed_comes_bit_by_bit_until_nobody_listens(
    stage: Studio,
) -> None:
    container = container_of(stage)
    answer = asked(stage, container, stdout="1", follow="1")
    assert not isinstance(answer.body, bytes)
    heard, stream = list[bytes](), answer.body
    thread = threading.Thread(target=_listen, args=(stream, heard))
    thread.start()
    for number in range(3):
        stage.say(container, b"%d\n" % number)
        until(partial(_have, heard, 10 * (number + 1)))
    stream.close()
    thread.join(WAIT_S)
    assert not thread.is_alive()


def _have(heard: list[bytes], size: int) -> bool:
    return len(b"".join(heard)) == size


def _listen(stream: Stream, heard: list[bytes]) -> None:
    heard.extend(stream)


@pytest.mark.parametrize(
    ("tail", "shown"),
    [("0", b""), ("2", b"1\n2\n"), ("99", b"0\n1\n2\n"), ("x", b"0\n1\n2\n"),
     ("-1", b"0\n1\n2\n"), ("", b"0\n1\n2\n"), ("+1", b"2\n")],
)  # fmt: skip
def test_so_many_records_from_the_end(stage: Studio, tail: str, shown: bytes) -> None:
    container = container_of(stage, Tty=True)
    stage.say(container, b"0\n1\n2\n")
    assert body_of(asked(stage, container, stdout="1", tail=tail)) == shown
