"""`%load_ext pyminidock`: a notebook types the command line.

    %minidock run --rm busybox echo hi      a handle, at once; shown, it is a stepper
    %minidock step build .                  held between its steps
    %minidock ps -a                         what the command prints
    %%minidock run busybox sh               the cell is what the program reads
    %%dockerfile hello --build              the cell is a Dockerfile
    %%minidock context hello/app.py         the cell is a file beside it
    %%predict 00.left, %level 00.1          what a lesson asks

DOCKER_HOST and DOCKER_BUILDKIT=0 are set for the kernel and whatever it starts, so that
`!docker` and the SDK speak to the same engine.  A command that is refused says why on
standard error, with its exit code; it raises nothing, as `!` raises nothing.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import (
    Magics,
    cell_magic,
    line_cell_magic,
    magics_class,
    no_var_expand,
)

from pyminidock.cli import trace as cli_trace
from pyminidock.cli.failures import ERROR, exit_code, start_exit_code, tell
from pyminidock.client.buildstory import BuildHandle
from pyminidock.client.connect import locate
from pyminidock.client.runstory import RunHandle
from pyminidock.client.session import Engine, start
from pyminidock.client.story import StoryHandle
from pyminidock.client.transport import Refused
from pyminidock.course import sidebyside
from pyminidock.course.startwords import TITLE, StartWords
from pyminidock.errors import MinidockError
from pyminidock.events.journal import Trace
from pyminidock.viz.imagelayers import ImageLayers
from pyminidock.viz.imagetree import Grove
from pyminidock.viz.networkmap import Map
from pyminidock.viz.views import image as image_view
from pyminidock.viz.views import imagetree as imagetree_view
from pyminidock.viz.views import survives as survives_view
from pyminidock.viz.views import union as union_view
from pyminidock.viz.views import written as written_view
from pyminidock.viz.views.written import Writes
from pyminidock.widgets import ask, begun, typed
from pyminidock.widgets.contexts import Contexts
from pyminidock.widgets.networkpicture import NetworkPicture
from pyminidock.widgets.picture import Picture, show
from pyminidock.widgets.sender import SENDER
from pyminidock.widgets.stepper import Stepper

_CONFLICT = 409
_AGAIN = (
    "  note: a cell that is run again meets the container of the last time; "
    "with --rm it is gone by then\n"
)
_before: dict[str, str | None] = {}  # of the environment, before this was loaded


@magics_class
class MinidockMagics(Magics):
    """The magics of one notebook."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self.contexts = Contexts()

    @no_var_expand
    @line_cell_magic
    def minidock(self, line: str, cell: str | None = None) -> object:
        """Do what `minidock LINE` does; a cell is what it reads."""
        return self._answered(lambda words: self._perform(words, cell), line)

    @no_var_expand
    @cell_magic
    def dockerfile(self, line: str, cell: str) -> object:
        """Keep the cell as the Dockerfile of an image: TAG [--file PATH] [--build]."""

        def perform(words: Sequence[str]) -> object:
            asked = self.contexts.dockerfile(words, cell)
            if asked is None:
                return None
            return self._began(typed.build(start(), asked))

        return self._answered(perform, line)

    def _perform(self, words: Sequence[str], cell: str | None) -> object:
        verb, rest = typed.verb_of(words)
        if cell is not None and verb == ("context",):
            self.contexts.put(rest, cell)
            return None
        if cell is None or verb == ("run",):
            found = self._seen(verb, rest, cell)
            if found is not None:
                return found
        self._ended(typed.command(words, cell))
        return None

    def _seen(  # noqa: PLR0911, PLR0912  (one line per verb)
        self, verb: tuple[str, ...], rest: Sequence[str], cell: str | None
    ) -> object:
        """Perform what is more than printed lines; None for any other verb."""
        match verb:
            case ("run",):
                return self._began(typed.run(start(), rest, cell))
            case ("build",):
                return self._began(typed.build(start(), rest))
            case ("step", "run"):
                return typed.step_run(start(), rest)
            case ("step", "build"):
                return typed.step_build(start(), rest)
            case ("trace", "show") if not any(each.startswith("-") for each in rest):
                return Stepper(cli_trace.find(rest[0] if rest else "last"))
            case ("trace", "follow"):
                return _followed(start(), rest[0] if rest else "last")
            case ("image", "layers") if len(rest) == 1 and not rest[0].startswith("-"):
                return layers(start().image(rest[0]))
            case ("image", "tree") if not any(each.startswith("-") for each in rest[:2]):
                return grove(start().image_tree(*rest))
            case ("explain", "written") if len(rest) == 1 and not rest[0].startswith("-"):
                return writes(start().written(rest[0]))
            case ("explain", "survives") if len(rest) == 1 and not rest[0].startswith("-"):
                told = start().survives(rest[0])
                return Picture(survives_view.survives(told), survives_view.TITLE)
            case ("explain", "union") if "--json" not in rest and "--help" not in rest:
                compared = sidebyside.told(measured="--measure" in rest)
                return Picture(union_view.union(compared), union_view.TITLE)
            case ("network", "map") if not rest:
                return NetworkPicture(start().network_map())
            case _:
                return None

    def _began(self, handle: RunHandle | BuildHandle) -> StoryHandle:
        begun.await_before_next(handle)
        return handle

    def _answered(self, perform: Callable[[Sequence[str]], object], line: str) -> object:
        """Perform, and show a refusal as the command line does."""
        words: Sequence[str] = ()
        try:
            words = typed.words_of(line, self._names())
            return perform(words)
        except click.exceptions.Exit:
            return None  # its help was shown
        except click.ClickException as mistake:
            sys.stderr.write(f"minidock: {mistake.format_message()}\n")
            self._ended(1)
        except (MinidockError, OSError) as refusal:
            self._ended(_told(refusal, words))
        return None

    def _names(self) -> Mapping[str, object]:
        return dict(self.shell.user_ns) if self.shell is not None else {}

    def _ended(self, code: int) -> None:
        """Keep the exit code where `!` keeps it, and say one that is a failure."""
        if self.shell is not None:
            self.shell.user_ns["_exit_code"] = code
        if code:
            sys.stderr.write(f"  exit code: {code}\n")


def layers(told: ImageLayers) -> Picture:
    """Draw what is in an image, and who shares it."""
    return Picture(image_view.image(told), image_view.TITLE)


def grove(told: Grove) -> Picture:
    """Draw which layers the images share."""
    return Picture(imagetree_view.imagetree(told), imagetree_view.TITLE)


def writes(told: Writes) -> Picture:
    """Draw what a container wrote, and where it is."""
    return Picture(written_view.written(told), written_view.TITLE)


def _followed(engine: Engine, name: str) -> Stepper:
    """Follow a story as it goes on."""
    header = engine.trace(name).header
    return Stepper(StoryHandle(engine.api, header.title, header.story))


def _told(refusal: Exception, words: Sequence[str]) -> int:
    """Show a refusal; give the exit code that the command would have ended with."""
    if not isinstance(refusal, MinidockError):
        sys.stderr.write(f"minidock: {refusal}\n")
        return ERROR
    tell(refusal)
    if not isinstance(refusal, Refused):
        return exit_code(refusal)
    if refusal.status == _CONFLICT and "name" in refusal.what:
        sys.stderr.write(_AGAIN)
    return start_exit_code(refusal.what) if list(words[:1]) == ["run"] else ERROR


# ── Loading ──────────────────────────────────────────────────────────────────────────────


def _reaching(path: str, folder: Path) -> str:
    """Let `!minidock` be found where nobody has activated the environment it lies in.

    >>> _reaching("/usr/bin:/bin", Path("/venv/bin"))
    '/usr/bin:/bin:/venv/bin'
    >>> _reaching("/venv/bin:/bin", Path("/venv/bin"))
    '/venv/bin:/bin'
    """
    known = path.split(os.pathsep)
    return path if str(folder) in known else os.pathsep.join((*known, str(folder)))


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Teach a notebook the command line, and find or start an engine."""
    place = locate()
    news = {"DOCKER_HOST": f"unix://{place.socket}", "DOCKER_BUILDKIT": "0"}
    news["PATH"] = _reaching(
        os.environ.get("PATH", os.defpath), Path(sys.executable).parent
    )
    for name, text in news.items():
        _before.setdefault(name, os.environ.get(name))
        os.environ[name] = text
    shell.register_magics(MinidockMagics(shell))
    ask.register(shell)
    formatter = _formatter(shell)
    formatter.for_type(StoryHandle, begun.show)
    formatter.for_type(Trace, lambda trace: Stepper(trace)._ipython_display_())
    formatter.for_type(Map, lambda told: NetworkPicture(told)._ipython_display_())
    formatter.for_type(ImageLayers, lambda told: layers(told)._ipython_display_())
    formatter.for_type(Grove, lambda told: grove(told)._ipython_display_())
    formatter.for_type(Writes, lambda told: writes(told)._ipython_display_())
    formatter.for_type(StartWords, lambda tried: show(tried.scene(), TITLE))
    shell.events.register("pre_run_cell", begun.settle)
    try:
        start()
    except MinidockError as refusal:
        tell(refusal)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take every widget off its page, and leave nothing behind."""
    begun.close_all()
    SENDER.close()
    for name, text in _before.items():
        if text is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = text
    _before.clear()
    formatter = _formatter(shell)
    for shown in (StoryHandle, Trace, ImageLayers, Grove, Writes, StartWords):
        formatter.pop(shown, None)
    shell.events.unregister("pre_run_cell", begun.settle)
    for kind in ("line", "cell"):
        for name in ("minidock", "dockerfile", "level", "predict"):
            shell.magics_manager.magics[kind].pop(name, None)


def _formatter(shell: InteractiveShell) -> Any:
    formatter = shell.display_formatter
    assert formatter is not None  # noqa: S101  (an InteractiveShell has one)
    return formatter.ipython_display_formatter
