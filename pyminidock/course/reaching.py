"""What conditions ask about data and networks, looked up or tried out.

volume("n").lines("/n") == 3            a container of our own reads the volume
volumes.anonymous == 0
container("c").mount("/src").readonly
container("web").networks == ["app"]
port(8080).addresses == ["127.0.0.1"]   where it is published, and whose it is
http("localhost:8080").body has "hi"    a real request, from here
http("db:80", "web").fails              the same, from inside web
"""

import errno
import http.client
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pyminidock.client.attach import STDERR, STDOUT, Attached
from pyminidock.client.handles import Client
from pyminidock.client.transport import Refused
from pyminidock.course.goal import Absent, Fact, Field, Value, unknown
from pyminidock.course.trial import run

PATIENCE_S = 2.0  # for an answer to a request
_MOST_BYTES = 1 << 16
_READER = "busybox"  # whoever looks into a volume
_ANONYMOUS = "com.docker.volume.anonymous"

Fields = Mapping[str, Callable[..., Fact]]


# ── Mounts, networks, ports ──────────────────────────────────────────────────────────────


def mount(name: str, told: Mapping[str, Any], path: tuple[Field, ...]) -> Fact:
    """Tell of what is mounted at one place of a container."""
    at = str(path[0].arguments[0])
    found = next((each for each in told["Mounts"] if each["Destination"] == at), None)
    asked = path[1] if len(path) > 1 else Field("exists")
    if asked.name == "exists":
        nothing = f"nothing is mounted at {at} in {name}"
        return Fact(f"something is at {at} in {name}", found is not None, nothing)
    if found is None:
        raise Absent(f"nothing is mounted at {at} in {name}")
    fields: Fields = {
        "type": lambda: Fact(f"the mount at {at} in {name}", found["Type"]),
        "name": lambda: Fact(f"the volume at {at} in {name}", found.get("Name", "")),
        "readonly": lambda: Fact(
            f"{at} in {name} can only be read", not found["RW"],
            f"{at} in {name} can be written to",
        ),
    }  # fmt: skip
    return one(asked, fields)


def networks(name: str, told: Mapping[str, Any]) -> Fact:
    """Give the networks of a container, in the order of their names."""
    found = sorted(told["NetworkSettings"]["Networks"] or ())
    return Fact(f"the networks of {name}", tuple(found))


def published(name: str, told: Mapping[str, Any]) -> Fact:
    """Give the ports of a container to which a port of the host leads, in order."""
    ports = told["NetworkSettings"].get("Ports") or {}
    found = tuple(sorted(port for port, rows in ports.items() if rows))
    return Fact(f"the published ports of {name}", found or None)


def port(client: Client, number: Value, path: tuple[Field, ...]) -> Fact:
    """Tell of one port of the host: who has it, and on which addresses."""
    found = [
        (str(row.get("IP") or ""), str(told["Names"][0]).lstrip("/"))
        for told in client.containers()
        for row in told["Ports"] or ()
        if row.get("PublicPort") == number
    ]
    fields: Fields = {
        "addresses": lambda: Fact(
            f"where port {number} is published",
            tuple(sorted({address for address, _ in found})),
        ),
        "container": lambda: Fact(
            f"the container behind port {number}", ", ".join(sorted({n for _, n in found}))
        ),
    }
    if not found:
        raise Absent(f"no container has port {number} of the host")
    return one(path[0] if path else Field("container"), fields)


# ── Volumes ──────────────────────────────────────────────────────────────────────────────


def volume(client: Client, name: str, path: tuple[Field, ...]) -> Fact:
    """Tell of a named volume, and of the files in it."""
    asked = path[0] if path else Field("exists")
    exists = client.request("GET", f"/volumes/{name}").status == 200
    missing = f"no volume is called {name}"
    if asked.name == "exists":
        return Fact(f"volume {name} exists", exists, missing)
    if not exists:
        raise Absent(missing)

    def lines(at: str) -> list[str]:
        return _read(client, name, at).splitlines()

    fields: Fields = {
        "file": lambda at: Fact(
            f"{at} in volume {name}", _read(client, name, str(at)).removesuffix("\n")
        ),
        "lines": lambda at: Fact(
            f"the number of lines of {at} in volume {name}", len(lines(str(at)))
        ),
        "different_lines": lambda at: Fact(
            f"the number of different lines of {at} in volume {name}",
            len(set(lines(str(at)))),
        ),
    }
    return one(asked, fields)


def _read(client: Client, name: str, at: str) -> str:
    """Read a file of a volume in a container of our own.  Raises Absent."""
    config = {"NetworkMode": "none", "Binds": [f"{name}:/look:ro"]}
    ran = run(client, _READER, ["cat", f"/look/{at.lstrip('/')}"], HostConfig=config)
    if ran.exit_code:
        raise Absent(f"there is no {at} in volume {name}")
    return ran.output


def volumes(client: Client, path: tuple[Field, ...]) -> Fact:
    """Count the volumes of the engine."""
    told = client.request("GET", "/volumes").json()["Volumes"] or ()
    nameless = [each for each in told if _ANONYMOUS in (each.get("Labels") or {})]
    fields: Fields = {
        "anonymous": lambda: Fact("the number of anonymous volumes", len(nameless)),
    }
    return one(path[0] if path else Field("anonymous"), fields)


# ── Requests ─────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Got:
    """What came of a request: a status and a body, or why there is neither."""

    status: int = 0
    body: str = ""
    why: str = ""


def request(client: Client, url: str, source: str, path: tuple[Field, ...]) -> Fact:
    """Ask for a page, from here or from inside a container, and tell what came."""
    got = _from_inside(client, url, source) if source else _from_here(url)
    asked = path[0] if path else Field("answers")
    whence = f" from {source}" if source else ""
    what = f"http://{url}{whence}"
    if asked.name == "fails":
        return Fact(f"{what} fails", not got.status, f"{what} answers")
    if asked.name == "answers":
        return Fact(
            f"{what} answers", bool(got.status), f"{what} does not answer: {got.why}"
        )
    if not got.status:
        raise Absent(f"{what} does not answer: {got.why}")
    fields: Fields = {
        "status": lambda: Fact(f"the status of {what}", got.status),
        "body": lambda: Fact(f"what {what} gives", got.body.removesuffix("\n")),
    }
    return one(asked, fields)


def _from_here(url: str) -> Got:
    address, _, rest = url.partition("/")
    asked = http.client.HTTPConnection(address, timeout=PATIENCE_S)
    try:
        asked.request("GET", f"/{rest}")
        reply = asked.getresponse()
        body = reply.read(_MOST_BYTES).decode("utf-8", errors="replace")
        return Got(reply.status, body)
    except (OSError, http.client.HTTPException) as mistake:
        return Got(why=in_words(mistake))
    finally:
        asked.close()


def in_words(mistake: Exception) -> str:
    """Say what became of a request, as somebody who learns networks would ask for it."""
    match mistake:
        case ConnectionRefusedError():
            said = "connection refused: nobody listens there"
        case http.client.RemoteDisconnected() | ConnectionError():
            said = "somebody listens, but it was closed without an answer"
        case TimeoutError():
            said = f"no answer came within {PATIENCE_S:.0f} seconds: it was lost on the way"
        case socket.gaierror():
            said = "nobody knows this name"
        case OSError(errno=errno.EHOSTUNREACH | errno.ENETUNREACH):
            said = "no way leads there"
        case OSError():
            said = (mistake.strerror or "it could not be asked").lower()
        case _:
            said = "what answers there is no web server"
    return said


def _from_inside(client: Client, url: str, source: str) -> Got:
    """Ask with the container's own wget.  Raises Absent where nothing can be asked."""
    words = ["wget", "-q", "-O", "-", "-T", str(int(PATIENCE_S)), f"http://{url}"]
    code, said, complained = _carried_out(client, source, words)
    if code:
        return Got(why=(complained.strip().splitlines() or [f"wget ended with {code}"])[-1])
    return Got(200, said)


def sees(client: Client, container: str, at: str) -> Fact:
    """Give a file as the program inside sees it, through all mounts.  Raises Absent."""
    code, said, _ = _carried_out(client, container, ["cat", at])
    if code:
        raise Absent(f"{container} sees no {at}")
    return Fact(f"what {container} sees in {at}", said.removesuffix("\n"))


def _carried_out(client: Client, container: str, words: list[str]) -> tuple[int, str, str]:
    """Run a program in a container; give its exit code and both of its streams.

    Raises Absent.
    """
    body = {"Cmd": words, "AttachStdout": True, "AttachStderr": True}
    try:
        id = client.exec_create(container, body)
        with client.exec_start(id, refuses=True) as streams:
            said, complained = _heard(streams)
        return int(client.exec_inspect(id)["ExitCode"] or 0), said, complained
    except Refused as refusal:
        what = f"nothing can be asked from {container}: {refusal.what}"
        raise Absent(what) from refusal


def _heard(streams: Attached) -> tuple[str, str]:
    pieces: dict[int, list[bytes]] = {STDOUT: [], STDERR: []}
    while piece := streams.read():
        if piece[0] in pieces:
            pieces[piece[0]].append(piece[1])
    said, complained = (b"".join(pieces[each]) for each in (STDOUT, STDERR))
    return said.decode("utf-8", "replace"), complained.decode("utf-8", "replace")


def one(field: Field, fields: Fields) -> Fact:
    """Give the fact that a field names.  Raises GoalMalformed where there is none."""
    if field.name not in fields:
        raise unknown(field, fields)
    return fields[field.name](*field.arguments)
