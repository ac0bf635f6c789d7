"""What was done to the world, counted as people count.

Par counts operations that change something, not letters and not calls: `run` is one deed
although it is create, attach, start and wait; a build is one, whatever is in it; looking is
free.  The engine's own records are counted, so it does not matter who asked: the docker
command line, ours, a notebook, a program.
"""

import re
from collections.abc import Iterable

from pyminidock.course.trial import CHECK
from pyminidock.events.journal import Record

_CHANGING = tuple(
    (method, re.compile(path), word)
    for method, path, word in (
        ("POST", r"/containers/create", "create"),
        ("POST", r"/containers/([^/]+)/(start|stop|restart|kill|pause|unpause|rename)", ""),
        ("POST", r"/containers/([^/]+)/update", "update"),
        ("POST", r"/containers/prune", "container prune"),
        ("DELETE", r"/containers/([^/]+)", "rm"),
        ("PUT", r"/containers/([^/]+)/archive", "cp"),
        ("POST", r"/exec/([^/]+)/start", "exec"),
        ("POST", r"/build", "build"),
        ("POST", r"/build/prune", "builder prune"),
        ("POST", r"/commit", "commit"),
        ("POST", r"/images/create", "import"),
        ("POST", r"/images/load", "load"),
        ("POST", r"/images/prune", "image prune"),
        ("POST", r"/images/(.+)/tag", "tag"),
        ("DELETE", r"/images/(.+)", "rmi"),
        ("POST", r"/volumes/create", "volume create"),
        ("POST", r"/volumes/prune", "volume prune"),
        ("DELETE", r"/volumes/(.+)", "volume rm"),
        ("POST", r"/networks/create", "network create"),
        ("POST", r"/networks/prune", "network prune"),
        ("POST", r"/networks/[^/]+/connect", "network connect"),
        ("POST", r"/networks/[^/]+/disconnect", "network disconnect"),
        ("DELETE", r"/networks/(.+)", "network rm"),
    )
)


def deeds(records: Iterable[Record], since: float) -> tuple[str, ...]:
    """Name what the records of one story, later than `since`, changed; in order.

    `since` is in seconds since 1970.

    The first start after a create belongs to it: the two are `run`.
    """
    records = tuple(records)
    if any(_is_ours(record) for record in records):
        return ()
    found: list[str] = []
    for record in records:
        word = _word(record)
        if not word:
            continue
        if word == "start" and found and found[-1] == "create":
            found[-1] = "run" if record.wall > since else "create"
        else:
            found.append(word if record.wall > since else "")
    return tuple(word for word in found if word)


def _word(record: Record) -> str:
    """Name the change that a record asks for; empty for a look."""
    if record.kind != "request.received":
        return ""
    method, path = str(record.data.get("method")), str(record.data.get("path"))
    path = re.sub(r"^/v\d+\.\d+(?=/)", "", path)
    for wanted, pattern, word in _CHANGING:
        if method == wanted and (found := pattern.fullmatch(path)):
            return word or found[2]
    return ""


def _is_ours(record: Record) -> bool:
    """Whether a story is a look's own container."""
    name = record.data.get("name") if record.kind == "container.created" else ""
    return str(name).startswith(CHECK)
