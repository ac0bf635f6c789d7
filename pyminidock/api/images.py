"""Images as Docker's clients ask for them: each function answers one route.

Names hold slashes and colons, unescaped, so the table of routes lets them.  What takes long
answers as a stream of JSON lines, and a failure behind the first of them is one more line,
`errorDetail`: the status is gone by then.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from pyminidock.api.body import read_json
from pyminidock.api.containers import answer, via
from pyminidock.api.failures import JSON, BadRequest, NotYet, no_buildkit
from pyminidock.api.message import Request, Response
from pyminidock.api.streams import Lines, document
from pyminidock.engine import defaults, images, loading, removing, saving
from pyminidock.engine.house import House
from pyminidock.errors import MinidockError
from pyminidock.grammar.refs import Reference, parse

TAR = ("Content-Type", "application/x-tar")
_ONE_SIZE_SINCE = (1, 44)  # before, VirtualSize says the size once more
_NO_ORIGIN_SINCE = (1, 45)
_FILTERS_WHY = 'filters are {"name": ["value"]} or {"name": {"value": true}}'


def list_(house: House, request: Request) -> Response:
    """List those that have a name or no children, or all."""
    found = images.list_(house, everything=request.says("all"), filters=filters(request))
    if request.says("shared-size"):
        for each in found:
            each["SharedSize"] = 0
    sized_twice(request, found)
    return answer(found)


def sized_twice(request: Request, told: Sequence[dict[str, Any]]) -> None:
    """Tell old clients the size of each image under its second name, too."""
    if request.version < _ONE_SIZE_SINCE:
        for each in told:
            each["VirtualSize"] = each["Size"]


def inspect_(house: House, request: Request, name: str) -> Response:
    """Tell everything about one."""
    told = images.inspect(house, name)
    if request.version < _NO_ORIGIN_SINCE:
        told |= images.origin(house, name)
    sized_twice(request, [told])
    return answer(told)


def history(house: House, request: Request, name: str) -> Response:
    """Tell how it came about."""
    return answer(images.history(house, name))


def tag(house: House, request: Request, name: str) -> Response:
    """Give it one more name."""
    wanted = _named(request)
    if wanted is None:  # as Docker: nothing asked, nothing done
        return Response(200)
    images.tag(house, name, wanted.familiar, via=via(request))
    return Response(201)


def remove(house: House, request: Request, name: str) -> Response:
    """Remove a name, or all of it."""
    if not name.strip():
        raise BadRequest(
            "image name cannot be blank",
            why="something has to be removed",
            try_next="minidock images",
        )
    done = removing.remove(
        house, name, force=request.says("force"), prune=not request.says("noprune"),
        via=via(request),
    )  # fmt: skip
    return answer(done)


def prune(house: House, request: Request) -> Response:
    """Remove what has no name, or what no container uses."""
    done = removing.prune(house, filters(request), via=via(request))
    told = {"ImagesDeleted": list(done.records) or None, "SpaceReclaimed": done.size_bytes}
    return answer(told)


def load(house: House, request: Request) -> Response:
    """Take in an archive of images, and tell what came."""
    lines: list[bytes] = []
    try:
        loading.load(
            house, request.reader(), lambda one: lines.extend(_told(one)), via=via(request)
        )
    except MinidockError as refusal:
        lines.append(failed(refusal))
    return Response(200, (JSON,), _lines(lines))


def _lines(lines: Sequence[bytes]) -> Lines:
    """Give lines as a stream: clients of Docker tell one from a document by its chunks."""
    return Lines(iter(lines), lambda: None)


def _told(one: loading.Loaded) -> Iterator[bytes]:
    renamed = dict(one.renamed)
    for name in one.names:
        if name in renamed:
            yield _said(
                f"The image {name.familiar} already exists, renaming the old one with ID"
                f" {renamed[name]} to empty string\n"
            )
        yield _said(f"Loaded image: {name.familiar}\n")
    if not one.names:
        yield _said(f"Loaded image ID: {one.id}\n")


def _said(text: str) -> bytes:
    return document({"stream": text})


def failed(refusal: MinidockError) -> bytes:
    """Word a refusal as a line of a stream; our own fields stand beside Docker's."""
    ours = {"why": refusal.why, "try_next": refusal.try_next, "lesson": refusal.lesson}
    return document({
        "errorDetail": {"message": refusal.what}, "error": refusal.what, **ours
    })  # fmt: skip


def save(house: House, request: Request, name: str = "") -> Response:
    """Give images as one archive: of the path, or of the query's names."""
    names = [name] if name else request.every("names")
    return Response(200, (TAR,), saving.Saving(house, names, via(request)))


def create(house: House, request: Request) -> Response:
    """Make an image of an archive of files; pulling one is not done yet."""
    source = request.query.get("fromSrc", "")
    if not source or request.query.get("fromImage"):
        name = request.query.get("fromImage", "")
        if name.startswith("moby/buildkit"):  # buildx wants to run it
            raise no_buildkit()
        raise NotYet(
            f"pull access denied for {name[:80]}: images are not pulled yet",
            why="this engine has no way to a registry so far",
            try_next="minidock bootstrap busybox, or minidock load an archive of it",
        )
    if source != "-":
        raise NotYet(
            "images are not imported from an address yet",
            why="the engine would have to fetch it, and follow where it leads",
            try_next="minidock import FILE NAME",
        )
    changes = request.every("changes")
    image = loading.import_tree(
        house, request.reader(), name=new_named(request),
        message=request.query.get("message") or "Imported from -",
        change=lambda config: defaults.changed(config, changes), via=via(request),
    )  # fmt: skip
    return Response(200, (JSON,), _lines([document({"status": image})]))


# ── Reading requests ─────────────────────────────────────────────────────────────────────


def _named(request: Request) -> Reference | None:
    """Read the name in `repo` and `tag`, of which the second counts."""
    repository, word = request.query.get("repo", ""), request.query.get("tag", "")
    if not repository:
        return None
    named = parse(repository)
    if named.digest:
        return images.new_name(repository)  # which refuses it
    return images.new_name((named.with_tag(word) if word else named).familiar)


def new_named(request: Request) -> Reference | None:
    """Read the name for an image that is being made.  Raises BadRequest."""
    if parse(request.query.get("repo") or "none").digest:
        raise BadRequest(
            "cannot import digest reference",
            why="a digest is worked out from what comes, and cannot be wished for",
            try_next="repo=NAME&tag=TAG",
        )
    return _named(request)


def filters(request: Request) -> dict[str, Any]:
    """Read the query's filters.  Raises BadRequest."""
    text = request.query.get("filters") or "{}"
    try:
        found = read_json(text.encode())
    except BadRequest:
        found = ()
    if found is None:  # null: none were given
        return {}
    if not isinstance(found, dict):
        raise BadRequest("invalid filter", why=_FILTERS_WHY, try_next="filters={}")
    return found
