"""A build that was begun: packed here and now, sent and followed on a thread.

    pack ─► open its story ─► gates ─► build (its thread) ─► image, or what failed
      │
      a mistake in the Dockerfile is raised here

The build ends with whoever asked for it: `stop`, or the end of this process, cancels it.
What was finished stays for the cache.
"""

from collections.abc import Generator, Mapping, Sequence
from typing import IO, Any

from pyminidock.client.following import BuildFailed, explained, follow
from pyminidock.client.handles import Client
from pyminidock.client.packing import Sent, total_line
from pyminidock.client.story import STDOUT, StoryHandle
from pyminidock.client.transport import Live, lost
from pyminidock.errors import MinidockError
from pyminidock.events import Event


class BuildHandle(StoryHandle):
    """A build; `id` is its number, `image` the image once there is one."""

    def __init__(  # noqa: PLR0913  (what is built, what was left out, where it is held)
        self, client: Client, query: dict[str, Any], archive: IO[bytes], *,
        sent: Sent | None = None, left_out: Sequence[Event] = (),
        breaks: Sequence[str] = (),
    ) -> None:  # fmt: skip
        title = " ".join(["build", *(f"-t {name}" for name in query.get("t") or ())])
        self.id = client.builds.opened(title, left_out)
        self.image = ""
        self.query: Mapping[str, Any] = query | {"buildid": self.id}
        self._archive, self._sent = archive, sent
        self._live: Live | None = None
        self._was_stopped = False
        super().__init__(client, title, f"build-{self.id}", breaks)
        if sent is not None:
            self._say(STDOUT, f"{total_line(sent.size_bytes)}\n".encode())
        self._in_background(self._build)

    @property
    def state(self) -> str:
        """One of building, held, built, failed, stopped."""
        if self.is_over:
            if self.refusal is None:
                return "built"
            return "stopped" if self._was_stopped else "failed"
        return "building" if self.holding is None else "held"

    def wait(self, timeout: float | None = None) -> str:
        """Wait for its end and give the image.

        Raises BuildFailed, what refused it, and NotOver after `timeout` seconds.
        """
        self._or_raise(timeout)
        return self.image

    def __await__(self) -> Generator[Any, None, str]:
        """Wait for its end without holding up the loop."""
        yield from self.joined().__await__()
        return self.wait()

    def stop(self) -> None:
        """Cancel it, as a client that goes away does."""
        self._was_stopped = True
        self.release()
        if self._live is not None:
            self._live.close()

    def _build(self) -> None:
        def say(text: str) -> None:
            self._say(STDOUT, text.encode())

        try:
            self.image = follow(self.client, self.query, self._archive, say, self._begun)
        except BuildFailed as failure:
            self.refusal = explained(failure, self._sent)
            if self._was_stopped:
                self.refusal = _cancelled()
        except (MinidockError, OSError) as refusal:
            self.refusal = refusal
        except ValueError:  # it broke off within a line
            self.refusal = lost("the build broke off")
        finally:
            self._archive.close()
            self.release()
            self._end()

    def _begun(self, live: Live) -> None:
        self._live = live
        if self._was_stopped:  # before there was anything to stop
            live.close()


def _cancelled() -> BuildFailed:
    return BuildFailed({
        "message": "the build was cancelled",
        "why": "stop() ended it, as a client that goes away does",
        "try_next": "build again: the steps that were finished come from the cache",
    })  # fmt: skip
