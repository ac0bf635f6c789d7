"""A WebSocket client at a container's streams sees the same on both engines."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import websocket as ws

from tests.compat.sides import Side, Sides, together

pytestmark = pytest.mark.compat

EVERYTHING = "stream=1&stdin=1&stdout=1&stderr=1"
LOOP = "while read line; do echo got $line; done; echo over >&2; exit 3"


@contextmanager
def knock(side: Side, path: str, version: str = "v1.45") -> Iterator[ws.WebSocket]:
    """Attach by a client that is not ours, on a Unix socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(30)
        line.connect(str(side.socket))
        url = f"ws://docker/{version}/containers/{path}"
        yield ws.create_connection(url, socket=line, suppress_origin=True)


def heard_next(client: ws.WebSocket) -> tuple[int, bytes]:
    """Give the kind and the bytes of one frame, without an answer to it."""
    frame = client.recv_frame()  # type: ignore[no-untyped-call]
    return frame.opcode, frame.data


def talk(side: Side) -> list[Any]:
    """Type, ping, close, come back: the container outlives the visit."""
    heard: list[Any] = []
    side.make("wsa", starts=True, Cmd=["sh", "-c", LOOP], OpenStdin=True)
    try:
        for version in ("v1.45", "v1.41", "v1.27"):
            with knock(side, f"wsa/attach/ws?{EVERYTHING}", version) as client:
                client.send("one\n")
                heard.append(heard_next(client))
                client.send_binary(b"x" * 300 + b"\n")
                heard.append(heard_next(client))
                client.ping("well?")
                heard.append(heard_next(client))
                client.send_close(1000, b"bye")
                heard.append(heard_next(client))
        heard.append(side.ask("GET", "/containers/wsa/json").json["State"]["Status"])
    finally:
        side.remove("wsa")
    return heard


def end(side: Side) -> list[Any]:
    """The end of input that is given once ends the program, whose last words still come."""
    side.make("wsb", Cmd=["sh", "-c", LOOP], OpenStdin=True, StdinOnce=True)
    try:
        with knock(side, f"wsb/attach/ws?{EVERYTHING}") as client:
            side.ask("POST", "/containers/wsb/start")
            client.send_close()
            heard = [heard_next(client) for _ in range(2)]
        code = side.ask("POST", "/containers/wsb/wait").json["StatusCode"]
        return [*heard, code]
    finally:
        side.remove("wsb")


def refuse(side: Side) -> list[Any]:
    """What cannot be attached to, or is no offer of a WebSocket, is refused as HTTP."""
    offer = {"Connection": "Upgrade", "Upgrade": "websocket"}
    side.make("wsc", starts=True)
    try:
        told = [
            side.ask("GET", "/containers/nobody/attach/ws", None, **offer),
            side.ask("GET", "/containers/wsc/attach/ws?detachKeys=zzz", None, **offer,
                     Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==",
                     Sec_WebSocket_Version="13"),
        ]  # fmt: skip
        side.ask("POST", "/containers/wsc/pause")
        told.append(
            side.ask("GET", "/containers/wsc/attach/ws", None, **offer,
                     Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==",
                     Sec_WebSocket_Version="13")
        )  # fmt: skip
        side.ask("POST", "/containers/wsc/unpause")
        return [(each.status, each.json) for each in told]
    finally:
        side.remove("wsc")


@pytest.mark.parametrize("scene", [talk, end, refuse])
def test_a_websocket_carries_a_program_as_dockers_does(scene: Any, sides: Sides) -> None:
    docker, ours = together(scene, sides)
    assert ours == docker
