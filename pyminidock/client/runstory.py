"""A container that was begun: created here and now, started on a thread.

create ─► attach ─► wait ─► gates ─► start (its thread) ─► exit code
   │        │                          │
   │        before the start,          blocks while a gate holds it
   │        or its first words are lost
   what is refused here is raised at once; what refuses the start, by `wait`
"""

from collections.abc import Generator, Sequence
from contextlib import suppress
from threading import Event
from typing import Any

from pyminidock.client.handles import Client
from pyminidock.client.story import StoryHandle
from pyminidock.client.transport import lost
from pyminidock.errors import MinidockError

_LAST_WORDS_S = 2.0  # of a program that ended; a child of it may hold the stream open


class RunHandle(StoryHandle):
    """A container that was begun; `id` is the container's."""

    def __init__(  # noqa: PLR0913  (what is run, and where it is held)
        self, client: Client, body: dict[str, Any], *, name: str = "",
        breaks: Sequence[str] = (), stdin: bytes | None = None, platform: str = "",
    ) -> None:  # fmt: skip
        made = client.created(body, name, platform)
        self.id, self.warnings = str(made["Id"]), list(made.get("Warnings") or ())
        self.exit_code: int | None = None
        self.environment: tuple[str, ...] = tuple(body.get("Env") or ())
        self._removes = bool(body["HostConfig"].get("AutoRemove"))
        self.is_seen_through = bool(body["HostConfig"].get("StorageOpt"))
        self.is_detached = not (body.get("AttachStdout") or body.get("AttachStderr"))
        self._was_begun = False
        story = f"run-{self.id[:12]}"
        try:
            # Attach first: whoever waits to be connected could not let go what holds it.
            self._attached = client.attach(self.id, stdin=stdin is not None)
            self._waiting = client.waiting(
                self.id, "removed" if self._removes else "next-exit"
            )
            # What was typed, as the engine tells it: without the secrets that it found.
            title = client.story(story).header.title
            super().__init__(client, title, story, breaks)
        except BaseException:
            _remove(client, self.id)
            raise
        self._is_collected = Event()
        self._in_background(self._collect)
        self._in_background(self._start)
        if stdin is not None:
            self._in_background(lambda: self._type(stdin))

    @property
    def state(self) -> str:
        """One of starting, running, held, paused, refused, exited (N)."""
        if self.refusal is not None:
            return "refused"
        if self.exit_code is not None:
            return f"exited ({self.exit_code})"
        if self.holding is not None:
            return "held"
        if self._is_paused:
            return "paused"
        return "running" if self._was_begun else "starting"

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and give its exit code.

        Raises what refused its start, and NotOver after `timeout` seconds.
        """
        self._or_raise(timeout)
        return -1 if self.exit_code is None else self.exit_code

    def __await__(self) -> Generator[Any, None, int]:
        """Wait for its end without holding up the loop."""
        yield from self.joined().__await__()
        return self.wait()

    def stop(self, timeout: int | None = None) -> None:
        """Ask it to end; after `timeout` seconds it is killed."""
        self.release()
        self.client.life.stop(self.id, seconds=timeout)

    def pause(self) -> None:
        """Hold all its processes where they are, as `docker pause` does."""
        self.client.life.pause(self.id)
        self._tell()

    def resume(self) -> None:
        """Let it go on, whether a gate or `pause` holds it."""
        if not self._is_paused:
            super().resume()
            return
        self.client.life.unpause(self.id)
        self._tell()

    @property
    def _is_paused(self) -> bool:
        """Ask the engine: anybody may have paused it."""
        with suppress(MinidockError, OSError):  # gone meanwhile, or the engine is
            return bool(self.client.inspect(self.id)["State"]["Paused"])
        return False

    def _start(self) -> None:
        try:
            self.client.start(self.id)
            self._was_begun = True
            self._tell()
            self.exit_code = self._waiting.result()
        except (MinidockError, OSError, StopIteration) as refusal:
            self.refusal = refusal if not isinstance(refusal, StopIteration) else _gone()
            self.release()
            self._waiting.close()
            self._attached.close()
            if self._removes:
                _remove(self.client, self.id)
        self._is_collected.wait(_LAST_WORDS_S)
        self.release()
        self._end()

    def _collect(self) -> None:
        """Take what it says, to the end."""
        try:
            while piece := self._attached.read():
                self._say(*piece)
        except (MinidockError, OSError):  # the engine ended; `_start` tells of it
            pass
        finally:
            self._is_collected.set()
            self._attached.close()

    def _type(self, data: bytes) -> None:
        """Give it its standard input; a program that does not read it all is free to."""
        with suppress(OSError):
            self._attached.write(data)
        self._attached.close_stdin()


def _gone() -> MinidockError:
    return lost("the engine is gone")


def _remove(client: Client, container: str) -> None:
    """Remove it unless it removed itself, as it was told to."""
    with suppress(MinidockError, OSError):
        client.remove(container, force=True)
