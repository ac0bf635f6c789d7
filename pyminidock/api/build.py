r"""Builds as Docker's clients ask for them: a context comes in, lines go out.

The context is unpacked and the Dockerfile read before the answer begins, so that a mistake
in it is a status and a sentence.  What fails later is a line of the answer, whose status
was 200 long before:

    {"stream":"Step 1/2 : FROM busybox"}
    {"aux":{"ID":"sha256:…"}}
    {"errorDetail":{"code":3,"message":"…"},"error":"…"}

Each line ends in CR LF.  When the client goes away, the build is cancelled.

Source: measured on Docker Engine 26.1; moby, api/server/router/build/build_routes.go.
"""

import queue
import re
import threading
from collections.abc import Iterator, Mapping
from typing import Self

from pyminidock.api import buildlimits
from pyminidock.api.body import kind_of, read_json, read_object
from pyminidock.api.containers import answer, via
from pyminidock.api.failures import JSON, BadRequest, NotYet
from pyminidock.api.images import filters
from pyminidock.api.message import Request, Response
from pyminidock.api.streams import document
from pyminidock.build.options import DOCKERFILE, Options
from pyminidock.build.output import Failed, Message, StageDone, Text
from pyminidock.engine import build, explaincache
from pyminidock.engine.build import Building
from pyminidock.engine.house import House
from pyminidock.errors import MinidockError
from pyminidock.events import PathIgnored
from pyminidock.grammar.refs import ReferenceMalformed, parse
from pyminidock.layers.archive import ArchiveRefused

_WAITING = 1024  # messages that a slow client may be behind
_MOST_IGNORED = 200  # names of which a client may tell that it left them out
_LONGEST_TITLE = 200
_PAUSE_S = 0.2  # between two looks whether the client has gone


class BuildRefused(MinidockError):
    """As Docker has it, these mistakes of a client are the server's fault."""

    status = 500


def post(house: House, request: Request) -> Response:
    """Build an image of the context in the body."""
    number = request.query.get("buildid", "")
    if number and not re.fullmatch(r"[0-9a-f]{12,64}", number):
        number = ""
    try:
        options = _options(request)
    except MinidockError:
        build.close_story(house, number)
        raise
    building = build.start(house, options, number)
    try:
        building.begin(request.reader(), via(request))
    except ArchiveRefused as fault:
        raise BuildRefused(
            fault.what, why=fault.why, try_next=fault.try_next, lesson=fault.lesson
        ) from fault
    lines = _Lines(building, is_quiet=request.says("q"))
    story = ("Minidock-Story", building.story)
    return Response(200, (JSON, story), lines)


def open_story(house: House, request: Request) -> Response:
    """Open the story of a build to come, so that gates can be set in it.

    The body, if there is one, has its title and what the client left out of the context.
    """
    if not request.body.strip():
        return answer({"buildid": build.open_story(house)}, 201)
    told = read_object(request)
    left_out = [
        PathIgnored(
            each.text("path"), each.flag("is_directory"), each.text("ignore_file"),
            each.number("line"), each.text("pattern"),
        )
        for each in told.parts("ignored")[:_MOST_IGNORED]
    ]  # fmt: skip
    title = told.text("title")[:_LONGEST_TITLE] or "build"
    return answer({"buildid": build.open_story(house, title, left_out)}, 201)


def prune(house: House, request: Request) -> Response:
    """Forget what builds left for later builds; `all` forgets what named images need."""
    gone, size_bytes = build.prune(house, filters(request), everything=request.says("all"))
    return answer({"CachesDeleted": list(gone) or None, "SpaceReclaimed": size_bytes})


def explain(house: House, request: Request) -> Response:
    """Tell step by step how an image came about: from the cache, or why not."""
    return answer(explaincache.explain(house, request.query.get("image", "")))


# ── What is asked ────────────────────────────────────────────────────────────────────────


def _options(request: Request) -> Options:
    """Read the query.  Raises BadRequest, BuildRefused, NotYet with Docker's sentences."""
    query = request.query
    _refuse_what_is_not_built(request)
    return Options(
        query.get("dockerfile") or DOCKERFILE,
        tuple(dict.fromkeys(_tag(name) for name in request.every("t") if name)),
        _mapping(query.get("buildargs"), "error reading build args", "*string"),
        {name: value or "" for name, value in
         _mapping(query.get("labels"), "error reading labels", "string").items()},
        query.get("target", ""), query.get("platform", ""),
        query.get("networkmode") or "default", not request.says("nocache"),
        request.says("pull"), request.says("rm", "1") or request.says("forcerm"),
        request.says("forcerm"),
        request.query.get("stages") == "all", _cache_from(query.get("cachefrom")),
        request.every("extrahosts"), buildlimits.read(query),
    )  # fmt: skip


def _refuse_what_is_not_built(request: Request) -> None:
    query = request.query
    version = query.get("version") or "1"
    if version == "2":
        raise NotYet(
            "BuildKit is not spoken here: set DOCKER_BUILDKIT=0",
            why="version=2 asks for a BuildKit session, a protocol of its own",
            try_next='eval "$(minidock env)"',
        )
    if version != "1":
        raise _bad(f'invalid version "{version[:80]}"')
    if request.says("squash"):
        raise _bad("squash is only supported with experimental mode")
    if query.get("securityopt", "") not in ("", "[]", "null"):
        raise _bad("security options are not supported on linux")
    if query.get("session"):
        raise _bad("experimental session with v1 builder is no longer supported, use "
                   "builder version v2 (BuildKit) instead")  # fmt: skip
    if query.get("isolation", "").lower() not in ("", "default"):
        raise _bad(f'unsupported isolation: "{query["isolation"][:80]}"')
    if query.get("remote"):
        raise _remote(query["remote"])


def _remote(url: str) -> MinidockError:
    if re.match(r"https?://|git://|git@|github\.com/", url):
        return NotYet(
            "a context from an address is not supported yet",
            why="the engine takes the context that a client sends",
            try_next=f"git clone {url}, then build in the folder",
        )
    return BuildRefused(
        f"remoteURL ({url[:200]}) could not be recognized as URL",
        why="remote= names a context by its address",
        try_next="send the context as the body of the request",
    )


def _tag(name: str) -> str:
    """Read a name to be given, canonical.  Raises BuildRefused."""
    try:
        wanted = parse(name).with_default_tag()
    except ReferenceMalformed as fault:
        raise BuildRefused(
            fault.what, why=fault.why, try_next=fault.try_next, lesson=fault.lesson
        ) from fault
    if wanted.digest:
        raise BuildRefused(
            "build tag cannot contain a digest",
            why="a digest follows from the content, which does not exist yet",
            try_next=f"-t {wanted.path}:latest",
        )
    return wanted.canonical


def _mapping(text: str | None, said: str, kind: str) -> Mapping[str, str | None]:
    """Read a JSON object of texts and nulls; `kind` is their type in Docker's words.

    Raises BadRequest.
    """
    if not text:
        return {}
    try:
        value = read_json(text.encode())
    except BadRequest as fault:
        raise _bad(f"{said}: {fault.what}") from fault
    if value is None:
        return {}
    cannot = f"{said}: json: cannot unmarshal"
    if not isinstance(value, dict):
        raise _bad(f"{cannot} {kind_of(value)} into Go value of type map[string]{kind}")
    for each in value.values():
        if each is not None and not isinstance(each, str):
            raise _bad(f"{cannot} {kind_of(each)} into Go value of type string")
    return value


def _cache_from(text: str | None) -> tuple[str, ...] | None:
    """Read the images whose steps may be taken; None if none was named.

    Raises BadRequest.
    """
    if not text:
        return None
    said = "error reading cache-from"
    try:
        value = read_json(text.encode())
    except BadRequest as fault:
        raise _bad(f"{said}: {fault.what}") from fault
    if value is None:
        return None
    cannot = f"{said}: json: cannot unmarshal"
    if not isinstance(value, list):
        raise _bad(f"{cannot} {kind_of(value)} into Go value of type []string")
    for each in value:
        if each is not None and not isinstance(each, str):
            raise _bad(f"{cannot} {kind_of(each)} into Go value of type string")
    return tuple(each or "" for each in value) or None


def _bad(what: str) -> BadRequest:
    return BadRequest(
        what,
        why="the query of a build has the fields that docker build sends",
        try_next="docker build --help",
    )


# ── What is said ─────────────────────────────────────────────────────────────────────────


class _Lines:
    """The lines of a build, which goes on in a thread of its own while they are read."""

    def __init__(self, building: Building, *, is_quiet: bool) -> None:
        self._building, self._is_quiet = building, is_quiet
        self._queue: queue.Queue[Message | None] = queue.Queue(_WAITING)
        self._is_closed = threading.Event()
        self._source = self._quiet() if is_quiet else map(line, self._messages())
        self._thread = threading.Thread(
            target=self._build, name=building.story, daemon=True
        )
        self._thread.start()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        return next(self._source)

    def close(self) -> None:
        """See Stream: whoever closes before the end cancels the build."""
        self._is_closed.set()
        if self._thread.is_alive():
            self._building.cancel()

    def _build(self) -> None:
        try:
            self._image = self._building.run(self._tell)
        finally:
            self._tell(None)

    def _tell(self, message: Message | None) -> None:
        """Hand on, and wait for a client that is slow, but not for one that is gone."""
        while not self._is_closed.is_set():
            try:
                self._queue.put(message, timeout=_PAUSE_S)
                return
            except queue.Full:
                continue

    def _messages(self) -> Iterator[Message]:
        while not self._is_closed.is_set():
            try:
                message = self._queue.get(timeout=_PAUSE_S)
            except queue.Empty:
                continue
            if message is None:
                return
            yield message

    def _quiet(self) -> Iterator[bytes]:
        """Say the image and nothing else; after a failure, everything."""
        said = list(self._messages())
        if any(isinstance(message, Failed) for message in said):
            yield from map(line, said)
        elif not self._is_closed.is_set():
            yield line(Text(f"{self._image}\n"))


def line(message: Message) -> bytes:
    r"""Write one message as Docker does.

    >>> line(Text(" ---> 1\n"))
    b'{"stream":" ---\\u003e 1\\n"}\r\n'
    """
    told: dict[str, object]
    match message:
        case Text(text):
            told = {"stream": text}
        case StageDone(image):
            told = {"aux": {"ID": image}}
        case Failed(what, code, why, try_next, caret):
            detail: dict[str, object] = {"code": code} if code else {}
            detail |= {"message": what, "why": why, "try_next": try_next, "caret": caret}
            told = {"errorDetail": detail, "error": what}
    return document(told).removesuffix(b"\n") + b"\r\n"
