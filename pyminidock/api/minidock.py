"""The routes that Docker does not have: seeing, holding and explaining.

    events, stories    what happened and what happens, as the recorder stamped it
    gates              hold a story; a gate lives as long as the connection that made it
    plan, flag         what a start would do, and what one flag changes in it
    isolation, doctor  what the kernel itself says
    image_layers       what is in an image, and whose bytes nobody sees
    image_tree         which layers the images share, and what each has alone
    written_by         what a container wrote, and where it is
    lookup             who answers for one path of a container, and what a write copies
    survives           what is left of it, after what
    network_map        who hangs on what, and what the devices counted

Events travel as lines of a trace, one record each, so that whatever reads a file reads a
live engine, too.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict

from pyminidock.api.body import read_object
from pyminidock.api.failures import JSON, BadRequest
from pyminidock.api.message import Request, Response
from pyminidock.api.shapes import create_request
from pyminidock.api.streams import LINES, Lines, document
from pyminidock.engine import (
    accounts,
    explain,
    imagelayers,
    images,
    imagetree,
    networkmap,
    surviving,
    written,
)
from pyminidock.engine.gates import Gate
from pyminidock.engine.house import House
from pyminidock.engine.rings import Ring
from pyminidock.events.journal import Record, to_line

# ── Stories and events ───────────────────────────────────────────────────────────────────


def stories(house: House, request: Request) -> Response:
    """List the stories in the order in which they began."""
    house.recorder.flush()
    entries = house.journals.entries()
    told = [asdict(entry.header) | {"size_bytes": entry.size_bytes} for entry in entries]
    return Response(200, (JSON,), document(told))


def story(house: House, request: Request, name: str) -> Response:
    """Give one story as the lines of a trace; "last" is the one that began last."""
    house.recorder.flush()
    lines = house.journals.lines(house.journals.last() if name == "last" else name)
    return Response(200, (_LINES,), "".join(f"{line}\n" for line in lines).encode())


def events(house: House, request: Request) -> Response:
    """Tell what happens from now on; with `since`, first what the journal has above it."""
    story, kind = request.query.get("story", ""), request.query.get("kind", "")
    if container := request.query.get("container"):
        story = house.life(container).story
    since = _number(request, "since")
    ring = house.recorder.listen(story=story, kind=kind)  # first, so that nothing is lost
    try:
        past = () if since is None else _journalled(house, story, is_open=not ring.is_over)
    except BaseException:
        ring.close()
        raise
    wanted = [
        record for record in past if record.seq > (since or 0) and kind in ("", record.kind)
    ]
    last = max((record.seq for record in past), default=0)
    return Response(200, (_LINES,), Lines(_told(wanted, ring, last), ring.close))


def _journalled(house: House, story: str, *, is_open: bool) -> list[Record]:
    """Give what was written of one story or of all, in order.  Raises NoSuchStory."""
    house.recorder.flush()
    names = [story] if story else [each.header.story for each in house.journals.entries()]
    if is_open:  # one that has begun may not have been written yet
        names = [name for name in names if house.journals.has(name)]
    records = [record for name in names for record in house.journals.read(name).records]
    return sorted(records, key=lambda record: record.seq)


def _told(past: list[Record], ring: Ring, last: int) -> Iterator[bytes]:
    """Give what was told, then what is told, nothing twice."""
    for record in past:
        yield _line(record)
    for record in ring:
        if record.seq > last:
            yield _line(record)


# ── Gates ────────────────────────────────────────────────────────────────────────────────


def gates(house: House, request: Request) -> Response:
    """List the gates of all clients, and the events that each holds."""
    return Response(
        200, (JSON,), document([_gate(gate) for gate in house.recorder.gates()])
    )


def gate(house: House, request: Request) -> Response:
    """Set a gate; it is gone when this connection ends, however it ends."""
    body = read_object(request)
    made = house.recorder.gate(body.text("story"), body.text("pattern"))
    return Response(200, (_LINES,), Lines(_held(made), made.close))


def _held(gate: Gate) -> Iterator[bytes]:
    yield document({"gate": gate.id})
    while record := gate.next_held():
        yield b'{"held":' + to_line(record).encode() + b"}\n"


def order(house: House, request: Request, name: str, word: str) -> Response:
    """Let go what a gate holds: step, continue or abort."""
    found = house.recorder.find_gate(name)
    orders: dict[str, Callable[[], None]] = {
        "step": found.step,
        "continue": found.resume,
        "abort": found.abort,
    }
    if word not in orders:
        raise BadRequest(
            f"no such order: {word[:80]}",
            why="what is held can step, continue or abort",
            try_next=f"POST /minidock/gates/{name}/step",
            lesson="live-pause",
        )
    orders[word]()
    return Response(204)


def remove_gate(house: House, request: Request, name: str) -> Response:
    """Open a gate for good."""
    house.recorder.find_gate(name).close()
    return Response(204)


def _gate(gate: Gate) -> dict[str, object]:
    fields = [f"{name}={text}" for name, text in gate.pattern.fields]
    pattern = " ".join([gate.pattern.kind, *fields])
    return {
        "id": gate.id, "story": gate.story, "pattern": pattern, "holding": gate.holding,
    }  # fmt: skip


# ── Reading requests, writing answers ────────────────────────────────────────────────────

_LINES = ("Content-Type", LINES)


def _line(record: Record) -> bytes:
    return to_line(record).encode() + b"\n"


def _number(request: Request, name: str) -> int | None:
    """Read a whole number of the query; None if it is not there."""
    text = request.query.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise BadRequest(
            f"{name} is no number: {text[:80]!r}",
            why="it counts something: events, layers or names",
            try_next=f"{name}=1",
        )
    return int(text)


# ── The machine ──────────────────────────────────────────────────────────────────────────


def doctor(house: House, request: Request) -> Response:
    """Tell what this machine can do, and why not more."""
    rows = [asdict(row) for row in house.kernel.probe()]
    told = {
        "backend": house.machine.backend,
        "root": str(house.root),
        "capabilities": rows,
    }
    return Response(200, (JSON,), document(told))


def bootstrap(house: House, request: Request) -> Response:
    """Make an image from what this machine has, or find it made."""
    name = read_object(request).text("name") or "busybox"
    made = images.make(house, name, via=(request.method, request.path))
    told = {"name": made.name, "id": made.row.id, "stand_in": made.row.stand_in}
    return Response(200, (JSON,), document(told))


# ── Looking into images and containers ───────────────────────────────────────────────────


def image_layers(house: House, request: Request, name: str) -> Response:
    """Tell what each layer of an image holds, who shares it, and what is hidden."""
    most = _bounded(request, "entries", 64)
    return Response(200, (JSON,), document(imagelayers.layers(house, name, most=most)))


def image_tree(house: House, request: Request) -> Response:
    """Tell the layers of all images, or of those that share one with `image`."""
    told = imagetree.tree(house, request.query.get("image", ""))
    return Response(200, (JSON,), document(told))


def image_diff(house: House, request: Request, name: str) -> Response:
    """Tell the names of one layer, a page at a time."""
    number, start = _number(request, "layer") or 0, _number(request, "start") or 0
    most = _bounded(request, "most", 1000)
    told = imagelayers.diff(house, name, number, start=start, most=most)
    return Response(200, (JSON,), document(told))


def written_by(house: House, request: Request, container: str) -> Response:
    """Tell what a container wrote, and where it is."""
    start, most = _number(request, "start") or 0, _bounded(request, "most", 1000)
    told = written.told(house, container, start=start, most=most)
    return Response(200, (JSON,), document(told))


def lookup(house: House, request: Request, container: str) -> Response:
    """Tell which layer answers for a path, and what a change of it copies."""
    path, rules = request.query.get("path", "/"), request.query.get("rules", "overlay")
    return Response(200, (JSON,), document(accounts.told(house, container, path, rules)))


def survives(house: House, request: Request, container: str) -> Response:
    """Tell what is left of a container, after what."""
    return Response(200, (JSON,), document(surviving.told(house, container)))


def network_map(house: House, request: Request) -> Response:
    """Tell who hangs on what, and what the devices counted."""
    return Response(200, (JSON,), document(networkmap.told(house)))


def _bounded(request: Request, name: str, usual: int) -> int:
    """Read how many names are wanted; more than one answer holds are not given."""
    asked = _number(request, name)
    return usual if asked is None else min(asked, imagelayers.MOST_ENTRIES)


# ── Explaining ───────────────────────────────────────────────────────────────────────────


def plan(house: House, request: Request) -> Response:
    """Tell the calls that a start would make; the body is that of create."""
    wish = create_request(
        read_object(request, is_needed=True), request.query.get("name", "")
    )
    told = explain.document(explain.plan(house, wish))
    return Response(200, (JSON,), document(told))


def flag(house: House, request: Request) -> Response:
    """Tell what differs between two create bodies, in the plan and as observed inside."""
    body = read_object(request)
    wishes = [create_request(body.part(name), "") for name in ("with", "without")]
    return Response(200, (JSON,), document(asdict(explain.flag(house, *wishes))))


def isolation(house: House, request: Request, container: str) -> Response:
    """Tell what separates a running container from its host, as observed now."""
    return Response(200, (JSON,), document(explain.isolation(house, container)))
