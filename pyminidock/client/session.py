r"""An engine for scripts and notebooks: what it is asked to do goes on by itself.

    engine = pyminidock.start()                     found, or started
    handle = engine.run("busybox", "echo hi")       returns at once
    handle.wait(), handle.logs()                    (0, "hi\n")
    engine.step("busybox"), engine.step_build(".")  held: handle.step(), .resume(), .abort()
    engine.run_from("build-7f3a@12", "sh -c …")     another container begins at that moment
    engine.trace().records                          every step of it
    engine.image("busybox").layers                  what is in it, and who shares it
    engine.written("web").named                     what it wrote; .upper says where
    engine.survives("web").facts                    what is left of it, after what
    engine.client                                   docker.DockerClient, for all the rest

`pyminidock.run`, `.build` and `.start` are the same for the engine that MINIDOCK_ROOT and
MINIDOCK_HOST name.  Nothing here knows notebooks: a script and a grader use it as well.
"""

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from pyminidock.client.buildstory import BuildHandle
from pyminidock.client.connect import Place, connect, locate
from pyminidock.client.context import find_context
from pyminidock.client.handles import Client
from pyminidock.client.packing import send
from pyminidock.client.runbody import run_body
from pyminidock.client.runstory import RunHandle
from pyminidock.client.story import BEFORE_EACH
from pyminidock.client.watch import Watch
from pyminidock.errors import MinidockError
from pyminidock.events import Event
from pyminidock.events.journal import Trace
from pyminidock.viz import imagelayers, imagetree, networkmap
from pyminidock.viz.imagelayers import ImageLayers
from pyminidock.viz.imagetree import Grove
from pyminidock.viz.networkmap import Map
from pyminidock.viz.views import survives, written
from pyminidock.viz.views.survives import Survival
from pyminidock.viz.views.written import Writes

IN_MEMORY_BYTES = 32 << 20  # of a context; a larger one waits on the disk
Command = str | Iterable[str] | None


class SdkMissing(MinidockError):
    """The Docker SDK for Python is not installed."""

    status = 501


class Engine:
    """A container engine, and what can be begun there."""

    def __init__(self, api: Client, place: Place) -> None:
        self.api, self.place = api, place

    @property
    def client(self) -> Any:
        """Give a docker.DockerClient of this engine.  Raises SdkMissing."""
        try:
            import docker  # noqa: PLC0415  (half a second that few scripts need)
        except ImportError as absent:
            raise SdkMissing(
                "the Docker SDK for Python is not installed",
                why="engine.client is a docker.DockerClient; everything else needs none",
                try_next="pip install docker",
            ) from absent
        return docker.DockerClient(base_url=f"unix://{self.place.socket}", version="1.45")

    def run(
        self, image: str, command: Command = None, *, input: str | bytes | None = None,
        **flags: Any,
    ) -> RunHandle:  # fmt: skip
        """Run a program in a new container; `input` is what it reads.

        Flags are those of `docker run`: name=, rm=, env=, ports=, volumes=, memory= …
        Raises Refused at once where the container cannot be created.
        """
        return self._run(image, command, input, flags, ())

    def step(
        self, image: str, command: Command = None, *, breaks: Sequence[str] = ("*",),
        input: str | bytes | None = None, **flags: Any,
    ) -> RunHandle:  # fmt: skip
        """Run it, held at each event that one of `breaks` names; see RunHandle.step.

        It is removed at its end: it was made to be looked at.
        """
        return self._run(image, command, input, flags | {"rm": True}, tuple(breaks))

    def run_from(self, moment: str, command: Command = None, **flags: Any) -> RunHandle:
        """Run a new container that begins at a moment of a story, STORY@STEP.

        That is a step of a build, or one at which a container was held while it was looked
        through.  What began there stays as it is.  Flags as for `run`.
        """
        host = {"from": moment, **({"glass": "on"} if flags.pop("glass", False) else {})}
        given = dict(flags.pop("host_config", None) or {})
        return self.run("", command, host_config=given | {"StorageOpt": host}, **flags)

    def build(  # noqa: PLR0913  (what a build is asked for, one by one)
        self, path: str | Path = ".", *, tag: str | Sequence[str] = (),
        dockerfile: str = "", text: str | None = None, no_cache: bool = False,
        target: str = "", build_arg: Mapping[str, str] | None = None,
        breaks: Sequence[str] = (),
    ) -> BuildHandle:  # fmt: skip
        """Build an image of a folder; `text` is a Dockerfile that lies nowhere.

        With `breaks`, such as ("step.started",), it is held there.  Raises ContextRefused
        and DockerfileMalformed at once.
        """
        query: dict[str, Any] = {
            "t": [tag] if isinstance(tag, str) else list(tag), "rm": "1", "version": "1",
            "buildargs": json.dumps(dict(build_arg or {})), "labels": "{}",
        }  # fmt: skip
        query |= {"nocache": "1"} if no_cache else {}
        query |= {"target": target} if target else {}
        archive: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115
        left_out: list[Event] = []
        given = None if text is None else text.encode()
        context = find_context(str(path), "-" if given is not None else dockerfile, given)
        sent = send(context, archive.write, emit=left_out.append)
        archive.seek(0)
        return BuildHandle(
            self.api, query | {"dockerfile": context.dockerfile}, archive,
            sent=sent, left_out=left_out, breaks=breaks,
        )  # fmt: skip

    def step_build(
        self, path: str | Path = ".", *, breaks: Sequence[str] = (BEFORE_EACH,),
        **flags: Any,
    ) -> BuildHandle:  # fmt: skip
        """Build it, held before each instruction, or where `breaks` say; see build."""
        return self.build(path, breaks=tuple(breaks), **flags)

    def trace(self, story: str = "last") -> Trace:
        """Give what was recorded of a story; `last` is the one that began last."""
        return self.api.story(story)

    def image(self, name: str) -> ImageLayers:
        """Tell what is in an image, layer by layer, who shares it, and what is hidden."""
        return imagelayers.read(self.api.images.layers(name))

    def image_tree(self, name: str = "") -> Grove:
        """Tell which layers all images share, or those that share one with `name`."""
        return imagetree.read(self.api.images.tree(name))

    def written(self, container: str) -> Writes:
        """Tell what a container wrote, and where on the host it is."""
        return written.read(self.api.files.written(container))

    def survives(self, container: str) -> Survival:
        """Tell what is left of a container after an exit, a restart, an rm, a reboot."""
        return survives.read(self.api.files.survives(container))

    def network_map(self) -> Map:
        """Tell who hangs on what, and so who reaches whom."""
        return networkmap.read(self.api.networks.map())

    def watch(self, story: str = "") -> Watch:
        """Listen to events as they happen: of one story, or of all."""
        return self.api.events(story)

    def bootstrap(self, name: str = "busybox") -> str:
        """Make a base image from what this machine has; give its name."""
        self.api.bootstrap(name)
        return name

    def _run(
        self, image: str, command: Command, input: str | bytes | None,
        flags: dict[str, Any], breaks: Sequence[str],
    ) -> RunHandle:  # fmt: skip
        name = str(flags.pop("name", ""))
        if input is not None:
            flags = flags | {"interactive": True}
        stdin = input.encode() if isinstance(input, str) else input
        body = run_body(image, command, flags)
        return RunHandle(self.api, body, name=name, breaks=breaks, stdin=stdin)

    def __repr__(self) -> str:
        """Say the same wherever it lives: notebooks are compared."""
        return "<Engine>"


def start(
    root: Path | str | None = None, host: str | None = None, *, backend: str = ""
) -> Engine:
    """Find an engine, or start one.  Raises EngineSilent, EngineForeign, HostUnusable.

    Without arguments: the one that MINIDOCK_ROOT and MINIDOCK_HOST name, else this user's.
    """
    return Engine(connect(root, host, backend=backend), locate(root, host))


def run(image: str, command: Command = None, **flags: Any) -> RunHandle:
    """Run a program in a new container of the usual engine; see Engine.run."""
    return start().run(image, command, **flags)


def build(path: str | Path = ".", **flags: Any) -> BuildHandle:
    """Build an image at the usual engine; see Engine.build."""
    return start().build(path, **flags)
