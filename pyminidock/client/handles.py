"""Everything that can be asked of an engine, one method each.

Bodies are Docker's own JSON, as API 1.45 has them; `cli` and notebooks make them.  Whatever
the engine refuses is raised as Refused, with Docker's sentence and ours.
"""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from pyminidock.client.attach import Attached
from pyminidock.client.transport import Live, Question, Reply, Transport, lines, refusal

# The vocabulary of events costs 60 ms to load; `minidock run` needs none of it.
if TYPE_CHECKING:
    from pyminidock.client.builds import Builds
    from pyminidock.client.files import Files
    from pyminidock.client.images import Images
    from pyminidock.client.life import Life
    from pyminidock.client.networks import Networks
    from pyminidock.client.system import System
    from pyminidock.client.volumes import Volumes
    from pyminidock.client.watch import GateHandle, Watch
    from pyminidock.events.journal import Trace


class Client:
    """A way to one engine, and all its verbs."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def request(
        self, method: str, path: str, query: Mapping[str, str] | None = None,
        body: object = None,
    ) -> Reply:  # fmt: skip
        """Ask anything; the reply is given whatever its status."""
        return self._transport.ask(Question(method, path, query or {}, body))

    @property
    def images(self) -> "Images":
        """Ask about images."""
        from pyminidock.client.images import Images  # noqa: PLC0415  (`run` needs none)

        return Images(self._transport)

    @property
    def builds(self) -> "Builds":
        """Ask about builds."""
        from pyminidock.client.builds import Builds  # noqa: PLC0415  (as above)

        return Builds(self._transport)

    @property
    def life(self) -> "Life":
        """Ask about the life of containers after their start."""
        from pyminidock.client.life import Life  # noqa: PLC0415  (as above)

        return Life(self._transport)

    @property
    def files(self) -> "Files":
        """Ask about the files of containers."""
        from pyminidock.client.files import Files  # noqa: PLC0415  (as above)

        return Files(self._transport)

    @property
    def system(self) -> "System":
        """Ask about the engine as a whole."""
        from pyminidock.client.system import System  # noqa: PLC0415  (as above)

        return System(self._transport)

    @property
    def networks(self) -> "Networks":
        """Ask about networks."""
        from pyminidock.client.networks import Networks  # noqa: PLC0415  (as above)

        return Networks(self._transport)

    @property
    def volumes(self) -> "Volumes":
        """Ask about volumes."""
        from pyminidock.client.volumes import Volumes  # noqa: PLC0415  (as above)

        return Volumes(self._transport)

    # ── Containers ───────────────────────────────────────────────────────────────────────

    def create(self, body: Mapping[str, object], name: str = "", platform: str = "") -> str:
        """Make a container and give its id; `created` tells the warnings too."""
        return str(self.created(body, name, platform)["Id"])

    def created(
        self, body: Mapping[str, object], name: str = "", platform: str = ""
    ) -> dict[str, Any]:
        """Make a container; give Docker's answer: Id and Warnings."""
        query = {"name": name} if name else {}
        query |= {"platform": platform} if platform else {}
        made = self._ask("POST", "/containers/create", query, body).json()
        return dict(made)

    def start(self, container: str) -> None:
        """Start it; one that runs is left alone."""
        self._ask("POST", f"/containers/{container}/start")

    def attach(self, container: str, *, stdin: bool = False) -> Attached:
        """Connect to its streams; before `start`, to miss nothing."""
        query = {"stream": "1", "stdout": "1", "stderr": "1", "stdin": str(int(stdin))}
        query["refusals"] = "status"  # and not in place of the program's output
        path = f"/containers/{container}/attach"
        return Attached(*self._transport.talk(Question("POST", path, query)))

    def wait(self, container: str, condition: str = "not-running") -> int:
        """Wait for its end and give its exit status."""
        return self.waiting(container, condition).result()

    def waiting(self, container: str, condition: str = "not-running") -> "Waiting":
        """Begin to wait: for "not-running", for "next-exit", or for "removed"."""
        path = f"/containers/{container}/wait"
        question = Question("POST", path, {"condition": condition})
        return Waiting(self._transport.listen(question))

    def kill(self, container: str, signal: str = "") -> None:
        """Send it a signal; unsaid, KILL."""
        query = {"signal": signal} if signal else {}
        self._ask("POST", f"/containers/{container}/kill", query)

    def resize(self, container: str, rows: int, columns: int) -> None:
        """Change the size of its terminal."""
        self._ask("POST", f"/containers/{container}/resize", _size(rows, columns))

    def remove(
        self, container: str, *, force: bool = False, volumes: bool = False,
        link: bool = False,
    ) -> None:  # fmt: skip
        """Remove it; `force` kills it first.  `volumes` go with it; or only a link."""
        asked = {"force": force, "v": volumes, "link": link}
        query = {name: "1" for name, is_asked in asked.items() if is_asked}
        self._ask("DELETE", f"/containers/{container}", query)

    def containers(
        self, *, all: bool = False, limit: int = 0, size: bool = False,
        filters: Mapping[str, Sequence[str]] | None = None,
    ) -> list[dict[str, Any]]:  # fmt: skip
        """List those that run, or all, or the last that were made."""
        query = {"all": str(int(all))} | ({"limit": str(limit)} if limit else {})
        query |= {"size": "1"} if size else {}
        query |= {"filters": json.dumps(filters)} if filters else {}
        return list(self._ask("GET", "/containers/json", query).json())

    def inspect(self, container: str, *, size: bool = False) -> dict[str, Any]:
        """Tell everything about one; `size` counts its files."""
        query = {"size": "1"} if size else {}
        return dict(self._ask("GET", f"/containers/{container}/json", query).json())

    # ── Second processes ─────────────────────────────────────────────────────────────────

    def exec_create(self, container: str, body: Mapping[str, object]) -> str:
        """Prepare a second process in a running container; give its id."""
        made = self._ask("POST", f"/containers/{container}/exec", {}, body).json()
        return str(made["Id"])

    def exec_start(
        self, exec_id: str, *, tty: bool = False, refuses: bool = False
    ) -> Attached:
        """Start it and connect to its streams.

        What cannot be started says so on its stream, as with Docker; with `refuses` it
        raises Refused instead.
        """
        query = {"refusals": "status"} if refuses else {}
        question = Question(
            "POST", f"/exec/{exec_id}/start", query, {"Detach": False, "Tty": tty}
        )
        return Attached(*self._transport.talk(question))

    def exec_start_detached(self, exec_id: str) -> None:
        """Start it and leave it alone."""
        self._ask("POST", f"/exec/{exec_id}/start", {}, {"Detach": True})

    def exec_resize(self, exec_id: str, rows: int, columns: int) -> None:
        """Change the size of its terminal."""
        self._ask("POST", f"/exec/{exec_id}/resize", _size(rows, columns))

    def exec_inspect(self, exec_id: str) -> dict[str, Any]:
        """Tell everything about it; ExitCode is null until it ends."""
        return dict(self._ask("GET", f"/exec/{exec_id}/json").json())

    # ── Seeing ───────────────────────────────────────────────────────────────────────────

    def events(
        self, story: str = "", since: int = -1, kind: str = "", *, container: str = ""
    ) -> "Watch":
        """Listen to live events; with `since`, first to those numbered above it.

        Of one story, or of a container's, and one kind, or of all; ends with the story.
        """
        from pyminidock.client.watch import Watch  # noqa: PLC0415  (see above)

        asked = {
            "story": story, "container": container, "kind": kind,
            "since": str(since) if since >= 0 else "",
        }  # fmt: skip
        query = {name: value for name, value in asked.items() if value}
        return Watch(self._transport.listen(Question("GET", "/minidock/events", query)))

    def gate(self, story: str, pattern: str) -> "GateHandle":
        """Hold a story at every event that `pattern` names, while the handle lives."""
        from pyminidock.client.watch import GateHandle  # noqa: PLC0415  (see above)

        body = {"story": story, "pattern": pattern}
        live = self._transport.listen(Question("POST", "/minidock/gates", {}, body))
        return GateHandle(live, self._checked)

    def gates(self) -> list[dict[str, Any]]:
        """List the gates of all clients."""
        return list(self._ask("GET", "/minidock/gates").json())

    def stories(self) -> list[dict[str, Any]]:
        """List what the journal holds, in the order in which it began."""
        return list(self._ask("GET", "/minidock/stories").json())

    def story(self, name: str = "last") -> "Trace":
        """Give a story as a trace; raises TraceUnreadable."""
        from pyminidock.events.journal import read_trace  # noqa: PLC0415  (see above)

        reply = self._ask("GET", f"/minidock/stories/{name}")
        return read_trace(reply.body.decode("ascii", errors="replace").splitlines())

    def doctor(self) -> dict[str, Any]:
        """Tell what this machine can do, and why not more."""
        return dict(self._ask("GET", "/minidock/doctor").json())

    def plan(self, body: Mapping[str, object]) -> dict[str, Any]:
        """Tell the calls that a start would make, without making any."""
        return dict(self._ask("POST", "/minidock/plan", {}, body).json())

    def flag(
        self, with_flag: Mapping[str, object], without: Mapping[str, object]
    ) -> dict[str, Any]:
        """Tell what a flag changes: the calls, and what can be observed inside."""
        body = {"with": with_flag, "without": without}
        return dict(self._ask("POST", "/minidock/flag", {}, body).json())

    def isolation(self, container: str) -> dict[str, Any]:
        """Tell what separates a running container from its host, as observed."""
        return dict(self._ask("GET", f"/minidock/containers/{container}/isolation").json())

    def trace_request(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Follow one request: port, container, protocol, from, address, prove."""
        return dict(self._ask("POST", "/minidock/network/trace", {}, asked).json())

    # ── The engine ───────────────────────────────────────────────────────────────────────

    def ping(self) -> Reply:
        """Ask whether anybody is there."""
        return self._ask("GET", "/_ping")

    def version(self) -> dict[str, Any]:
        """Tell which engine this is."""
        return dict(self._ask("GET", "/version").json())

    def bootstrap(self, name: str = "busybox") -> dict[str, Any]:
        """Make an image from what this machine has."""
        return dict(self._ask("POST", "/minidock/bootstrap", {}, {"name": name}).json())

    def shutdown(self) -> None:
        """End the engine; containers go on."""
        self._ask("POST", "/minidock/shutdown")

    def close(self) -> None:
        """Be done with it; a way over a socket keeps nothing open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(
        self, method: str, path: str, query: Mapping[str, str] | None = None,
        body: object = None,
    ) -> Reply:  # fmt: skip
        return self._checked(Question(method, path, query or {}, body))

    def _checked(self, question: Question) -> Reply:
        reply = self._transport.ask(question)
        if reply.status >= 400:
            raise refusal(reply)
        return reply


class Waiting:
    """A wait that was begun; its result comes with the end of the container."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def result(self) -> int:
        """Wait, and give the exit status; -1 if the engine gave up waiting."""
        told = json.loads(next(lines(self._live)))
        self._live.close()
        return int(told["StatusCode"])

    def close(self) -> None:
        """Wait no more."""
        self._live.close()


def _size(rows: int, columns: int) -> dict[str, str]:
    return {"h": str(rows), "w": str(columns)}
