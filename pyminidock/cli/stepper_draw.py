"""What each part of the stepper's screen says: a walk and a size in, painted lines out."""

from collections.abc import Callable

from pyminidock.cli.stepper_walk import Walk, living
from pyminidock.client.pagefiles import read_source
from pyminidock.events.journal import Record
from pyminidock.viz import english
from pyminidock.viz.captions import caption as caption_of
from pyminidock.viz.painters.text import Line, Span, columns, cut, paint_lines, wrap
from pyminidock.viz.scene import Scene
from pyminidock.viz.seeking import CHANGES, LOOKS
from pyminidock.viz.sentences import visible
from pyminidock.viz.things import Process, World
from pyminidock.viz.views.birth import mounts, powers, processes
from pyminidock.viz.views.build import decision, instructions
from pyminidock.viz.views.compare import compare
from pyminidock.viz.views.copyup import copyup
from pyminidock.viz.views.layers import layers
from pyminidock.viz.views.lookup import lookup
from pyminidock.viz.views.source import source
from pyminidock.viz.views.steps import label, steps

_BAD_NEWS = ("request.refused", "container.start.failed", "build.failed")
KEY_LINE = "←→ step  ⇧←→ part  1 2 3 depth  s source  l linux  t table  x compare  ? keys"


def title(walk: Walk, story: str, recorded_on: str, *, is_live: bool, width: int) -> Line:
    """Name the story, the backend it is true on, and the step."""
    backend = label(walk.records[-1].backend if walk.records else "")
    day = recorded_on[:10]
    badge = backend if is_live else f"REPLAY of {backend}" + (f", {day}" if day else "")
    first, here = walk.group()[0] if walk.depth == 1 else walk.position, walk.position
    steps_here = f"step {here}" if first == here else f"steps {first} to {here}"
    right = f" {steps_here}/{walk.last} "
    left = f" {visible(story)} "
    room = width - columns(right) - columns(badge) - 4
    left = cut(left, max(room, 4))
    gap = " " * max(room - columns(left), 0)
    return (
        Span(left, "title"), Span(gap), Span(f"[{visible(badge)}]", "badge"),
        Span(" "), Span(right, "title"),
    )  # fmt: skip


def caption(walk: Walk, width: int, *, shows_linux: bool) -> list[Line]:
    """Say what happened, how we know, and what plain Linux would have been asked."""
    record = walk.record
    if record is None:
        return [
            (Span("Before the first step.", "title"),),
            (Span(f"→ goes on{'' if walk.last else ' as soon as something happens'}."),),
        ]
    mark, meaning = english.EVIDENCE.get(record.evidence, ("?", record.evidence))
    stop = "  ■ stops here" if walk.is_break() else ""
    parts = (
        f"{mark} {meaning} · {visible(record.kind)} · {visible(record.phase or 'story')}"
    )
    head = cut(f"{parts} · {record.t:.3f} s{stop}", width)
    style = "err" if record.kind in _BAD_NEWS else "title"
    words = caption_of(walk.world, record, walk.depth)
    said = [(Span(line, style),) for line in wrap(words, width)[:2]]
    lines: list[Line] = [(Span(head, "dim"),), *said]
    return [*lines, *_linux(walk, record, width, 4 - len(lines))] if shows_linux else lines


def _linux(walk: Walk, record: Record, width: int, room: int) -> list[Line]:
    """Show what a root shell would be asked, in as many lines as are left."""
    if not record.linux:
        is_call = record.evidence and (record.phase != "step" or not walk.is_build)
        silent = "plain Linux has no command for this" if is_call else ""
        return [(Span(silent, "dim"),)]
    lines = wrap(f"# {visible(record.linux)}", width)
    if len(lines) > room:
        lines = [*lines[: room - 1], cut(" ".join(lines[room - 1 :]), width)]
    return [(Span(line, "command"),) for line in lines]


def status(walk: Walk, note: str, *, width: int) -> Line:
    """Say whether something is held, where, and how to look at it from outside."""
    if walk.held is None:
        return (Span(cut(note or KEY_LINE, width), "" if note else "dim"),)
    world = walk.newest()
    process = living(world)
    said = f"held live at step {walk.held_at or '…'}: "
    if walk.held.kind == "step.started":
        said = f"held before instruction {world.build.step}: ⇧→ do it  → one event"
        said += "  ! shell  Enter go on"
    elif walk.is_build and process is None:
        said += "→ one event  ⇧→ to the next instruction  Enter go on"
    elif process:
        place = f"PID {process.pid} — look at /proc/{process.pid}/root"
        where = f"{said}{place} from another terminal"
        said = where if columns(where) <= width else f"{said}{place}, elsewhere"
    else:
        said += "no process yet — → step, Enter go on"
    if note:
        said = f"{note} ({said})"
    return (Span(cut(said, width), "badge"),)


def table(walk: Walk, width: int) -> list[Line]:
    """List the story so far."""
    return paint_lines(steps(walk.world, walk.depth), width)


def comparison(walk: Walk, width: int) -> list[Line]:
    """Say what is different between the two positions, the earlier one first."""
    here, other = walk.position, walk.compared or 0
    old, new = (walk.other(), walk.world) if other <= here else (walk.world, walk.other())
    first, second = sorted((other, here))
    head = f"What is different: step {first} → step {second}"
    return [(Span(head, "title"),), *paint_lines(compare(old, new), width)]


def source_lines(walk: Walk, width: int, height: int) -> list[Line]:
    """Show the engine's lines around the one that told this step."""
    return paint_lines(source(walk.world, read_source, max(height - 1, 1)), width)


View = Callable[[World], Scene]
Columns = tuple[tuple[View, ...], tuple[View, ...]]
BIRTH: Columns = ((processes,), (mounts, powers))
BUILD: Columns = ((instructions, layers), (decision,))
IMAGE: Columns = ((layers,), ())
LOOKUP: Columns = ((lookup,), ())
COPYUP: Columns = ((copyup,), ())


def panes(walk: Walk) -> Columns:
    """Choose what is shown in the left and in the right column, from the top.

    A build shows its Dockerfile; at the third depth, where a RUN's container is being born,
    its birth.  Where an image is loaded, its layers are all there is to see; so they are
    where a program looks for a file, and where it changes one.
    """
    if walk.is_image:
        return IMAGE
    record = walk.record
    if record is not None and record.kind in LOOKS | CHANGES:
        return LOOKUP if record.kind in LOOKS else COPYUP
    is_birth = record is not None and record.phase in ("birth", "clear up")
    return BUILD if walk.is_build and not (walk.depth == 3 and is_birth) else BIRTH


def pane(view: Callable[..., Scene], walk: Walk, width: int) -> list[Line]:
    """Draw one view of the world."""
    return paint_lines(view(walk.world), width)


def image_shell(image: str) -> list[str]:
    """Give the command that opens a shell in the image after a step of a build."""
    name = image.removeprefix("sha256:")[:12]
    return ["minidock", "run", "--rm", "-it", "--entrypoint", "sh", name]


def shell_command(process: Process, *, is_pivoted: bool) -> list[str]:
    """Give the command that opens a shell as far inside as the process has been born."""
    options = {"mount": "--mount", "uts": "--uts", "ipc": "--ipc", "network": "--net",
               "pid": "--pid", "cgroup": "--cgroup", "user": "--user"}  # fmt: skip
    own = [kind for kind, each in process.namespaces.items() if each.owner != "host"]
    entered = [option for kind, option in options.items() if kind in own]
    shell = "/bin/sh" if is_pivoted else "sh"
    return ["nsenter", "--target", str(process.pid), *entered, "--", shell]
