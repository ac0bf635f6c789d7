"""Odd requests, byte for byte: both engines give the same status and the same words."""

import json
import re
import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import pytest

from tests.compat.sides import Side, Sides, together

pytestmark = pytest.mark.compat

NAME = '{"Name":"odd"}'
JSON = "Content-Type: application/json\r\n"
CREATE = "/v1.45/volumes/create"
ROUTES = (CREATE, "/v1.45/containers/create", "/v1.45/containers/odd/exec",
          "/v1.45/containers/odd/update", "/v1.45/networks/create",
          "/v1.45/exec/nobody/start")  # fmt: skip
BODIES = ("", "null", "[]", "1", '"x"', "{", "{}{}", "{} x", "nul", "nulx", "\ufeff{}",
          "{'a':1}", '{"a":1,}', '{"a" 1}', '{"a":[1 2]}', '{"a":1 "b":2}',
          '{"Name":null}')  # fmt: skip
KINDS = ("", "Content-Type:\r\n", "Content-Type: text/plain\r\n",
         "Content-Type: application/JSON; charset=utf-8\r\n",
         "Content-Type: application/json;\r\n",
         "Content-Type: application/json; charset\r\n")  # fmt: skip
TARGETS = ("http://docker/v1.45/_ping", "http://other.example/_ping", "//_ping",
           "/containers//odd/json?x=1", "/containers/../_ping", "/v1.45/./_ping",
           "/containers/%2Fodd/json", "/containers/o%64d/json", "/containers/a/b/json",
           "/v1.45/containers/nobody/checkpoints")  # fmt: skip


def ask(side: Side, request: str) -> tuple[int, str]:
    """Say `request` as it is; give the status, and what was said or where to go."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(30)
        line.connect(str(side.socket))
        line.sendall(request.encode())
        with line.makefile("rb") as file:
            answer = file.read()
    head, _, body = answer.partition(b"\r\n\r\n")
    fields = dict(each.split(": ", 1) for each in head.decode().split("\r\n")[1:])
    status = int(head.split()[1])
    if status < 300:
        return status, ""
    said = json.loads(body or b"{}")
    words = re.sub("[0-9a-f]{64}", "ID", said.get("message", ""))
    return status, fields.get("Location") or words


def post(target: str, body: str, kind: str = JSON) -> str:
    """Make a request with a length."""
    length = len(body.encode())
    head = f"POST {target} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n"
    return f"{head}{kind}Content-Length: {length}\r\n\r\n{body}"


def chunked(*pieces: str) -> str:
    """Make a request in chunks, the last of them empty."""
    head = f"POST {CREATE} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n{JSON}"
    sent = "".join(f"{len(each):X};a=b\r\n{each}\r\n" for each in (*pieces, ""))
    return f"{head}Transfer-Encoding: chunked\r\n\r\n{sent}"


# Values that mean nothing, or too much: target, and what stands in its query.
QUERIES = (
    ("GET", "/v1.45/volumes?filters={"),
    ("GET", '/v1.45/volumes?filters={"label":"a"}'),
    ("GET", "/v1.45/containers/json?limit=99999999999999999999"),
    ("GET", "/v1.45/containers/json?limit=x"),
    ("POST", "/v1.45/containers/odd/stop?t=99999999999999999999"),
    *(("POST", f"/v1.45/{kind}/prune?filters={said}")
      for kind in ("images", "networks", "containers", "build")
      for said in ("{", '{"nope":["x"]}', '{"until":["x"]}', '{"until":["1h","2h"]}')),
)  # fmt: skip


def bare(verb: str, target: str) -> str:
    """Make a request without a body."""
    line = f"{verb} {quote(target, safe='/?=')} HTTP/1.1\r\n"
    return f"{line}Host: docker\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


REQUESTS = {
    **{f"{verb} {target}": bare(verb, target) for verb, target in QUERIES},
    **{f"{target} {body}": post(target, body) for target in ROUTES for body in BODIES},
    **{f"{kind!r} {target}": post(target, NAME, kind) for kind in KINDS
       for target in ROUTES[:4]},
    **{f"{kind!r} without a body": post("/v1.45/containers/odd/pause", "", kind)
       for kind in KINDS},
    **{target: f"GET {target} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n"
       for target in TARGETS},
    **{f"host {host}": f"GET /_ping HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
       for host in ("d", "v1.41", "docker.sock", "")},
    "chunks": chunked(NAME[:5], NAME[5:]),
    "no chunk": chunked(),
}  # fmt: skip


def test_odd_requests_have_dockers_answers(sides: Sides) -> None:
    def answers(side: Side) -> Mapping[str, Any]:
        side.make("odd")
        try:
            return {name: ask(side, request) for name, request in REQUESTS.items()}
        finally:
            side.remove("odd")
            for each in side.ask("GET", "/volumes").json["Volumes"] or ():
                side.ask("DELETE", f"/volumes/{each['Name']}")

    docker, ours = together(answers, sides)
    differing = {name: (docker[name], ours[name]) for name in docker
                 if docker[name] != ours[name]}  # fmt: skip
    assert not differing, "\n".join(f"{name}: {each}" for name, each in differing.items())
