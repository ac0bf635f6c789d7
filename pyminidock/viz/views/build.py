"""The view that asks why a step of a build was done again.

The Dockerfile with how far it is and what each step cost; beside it the present step: what
the cache decided and which fact decided it, what changed in the configuration, which names
it put into its layer, and what its program said.
"""

from collections.abc import Iterator

from pyminidock.events import CacheMissed
from pyminidock.viz.building import Build, Cause, FileSeen, Instruction, Setting
from pyminidock.viz.buildwords import (
    GROWING,
    SETTINGS,
    cost,
    opening,
    reason,
    several,
    size,
)
from pyminidock.viz.remembering import remembered
from pyminidock.viz.scene import (
    Node,
    Scene,
    State,
    cell,
    group,
    line,
    log,
    row,
    stack,
    table,
    text,
)
from pyminidock.viz.sentences import short_ids
from pyminidock.viz.things import World

TITLE = "Why was this step done again?"
_LOG_LINES = 6
_MOST_NAMES = 16  # of the present step: its layer shows more
_STATES: dict[str, tuple[State, str]] = {
    "waiting": ("idle", ""),
    "going on": ("write", "now"),
    "cached": ("hit", "cached"),
    "done": ("miss", "done"),
    "skipped": ("hide", "skipped"),
    "failed": ("err", "failed"),
}
_CHANGES: dict[str, tuple[State, str]] = {
    "added": ("hit", "+"), "changed": ("write", "~"), "deleted": ("hide", "−"),
}  # fmt: skip


def build(world: World) -> Scene:
    """Answer the question of this view."""
    return stack("build", TITLE, instructions(world), decision(world))


def suits(world: World) -> bool:
    """Say whether this story built an image."""
    return bool(world.build.instructions)


def reads(world: World) -> tuple[object, ...]:
    """Give what this view looks at."""
    return world.build, world.failures


def instructions(world: World) -> Scene:
    """Show the Dockerfile: each line, how far it is, what it cost."""
    known = world.build.in_order()
    if not known:
        return group(
            "dockerfile",
            "Dockerfile",
            text("dockerfile.none", "not read yet: minidock build . reads one"),
        )
    seq = world.now.seq if world.now else 0
    here = 0 if world.build.state == "built" else world.build.step
    rows = [
        _instruction(each.number, each.first, each.text, each.state, each.milliseconds,
                     each.triggers, each.number == here, each.changed == seq)
        for each in known
    ]  # fmt: skip
    head = ("line", "", "step", "")
    shown = table("dockerfile.steps", "the steps of the build", head, *rows)
    return group("dockerfile", f"Dockerfile{_progress(world.build)}", shown)


def _progress(build: Build) -> str:
    if build.state == "failed":
        return f": failed at step {build.step} of {build.total}"
    if build.state == "built":
        return ": built"
    return f": step {build.step} of {build.total}" if build.step else ""


@remembered
def _instruction(  # noqa: PLR0913, PLR0917  (all that its row shows)
    number: int, first: int, said: str, state: str, milliseconds: int, triggers: int,
    is_here: bool, is_changed: bool,
) -> Node:  # fmt: skip
    mark, word = _STATES[state]
    is_base = said.upper().split(maxsplit=1)[:1] == ["FROM"] and not triggers
    if state == "done" and is_base:
        mark, word = "", "base"
    paid = state == "done" and word != "base"
    id_ = f"instruction.{number}"
    return row(
        id_,
        cell(f"{id_}.line", str(first or ""), is_changed=is_changed),
        cell(f"{id_}.state", "", mark),
        line(f"{id_}.text", opening(said, 400), "idle" if mark == "hide" else ""),
        cell(f"{id_}.cost", cost(milliseconds) if paid else word),
        name=f"step {number}, line {first}: {said}, {state}",
        is_marked=is_here,
    )


def decision(world: World) -> Scene:
    """Tell about the present step: why, what it set, what it wrote, what it said."""
    build = world.build
    current = build.current
    if current is None:
        return group("step", "This step", *_before(build))
    seq = world.now.seq if world.now else 0
    parts = [
        text("step.text", f"line {current.first}: {opening(current.text, 400)}"),
        *_verdict(world, current), *_settings(current, seq),
        *_files(current, build.files_of(current.number, _MOST_NAMES), seq),
        *_output(build, current.number),
    ]  # fmt: skip
    return group("step", _question(current), *parts)


def _before(build: Build) -> Iterator[Node]:
    if build.context_files:
        sent = f"{several(build.context_files, 'name')}, {size(build.context_bytes)}"
        yield text("step.context", f"The context is here: {sent}")
    if build.ignored:
        yield text(
            "step.ignored", f"{several(build.ignored, 'name')} stayed at home", "hide"
        )
    yield text("step.none", "no step has begun yet")


def _question(current: Instruction) -> str:
    number = f"step {current.number}"
    match current.state:
        case "cached":
            return f"Why was {number} not done?"
        case "skipped":
            return f"Why was {number} skipped?"
        case "failed":
            return f"Why did {number} fail?"
    return f"Why is {number} done?" if current.causes else f"What does {number} do?"


# ── Why ──────────────────────────────────────────────────────────────────────────────────


def _verdict(world: World, current: Instruction) -> Iterator[Node]:
    changed = world.now is not None and current.changed == world.now.seq
    if current.is_hit:
        yield text("step.hit", "It was done before: the cache has its image", "hit",
                   is_changed=changed and current.state == "going on")  # fmt: skip
        yield text("step.why", "same image before it, same words, same files", "idle")
        if current.state == "cached":
            yield text("step.saved", f"It would have taken {cost(current.milliseconds)}")
        return
    if current.triggers:
        left = several(current.triggers, "instruction")
        yield text("step.triggers", f"Its base left {left} to be done here (ONBUILD)")
    elif current.keyword == "FROM" and not current.causes:
        yield text("step.base", "It chooses what the image stands on")
    for number, cause in enumerate(current.causes):
        is_last = number == len(current.causes) - 1
        yield from _cause(number, cause, is_changed=changed and is_last and
                          current.state == "going on")  # fmt: skip
    yield from _beginning(world.build, current)
    if current.state == "done" and (current.keyword != "FROM" or current.triggers):
        took = f"It took {cost(current.milliseconds)}"
        yield text("step.cost", took, is_changed=changed)
    if current.state == "failed":
        for failure in world.failures.items[-1:]:
            yield text("step.failed", failure.what, "err")
        yield text("step.kept", "The steps before it are kept. To look around there:")
        yield text("step.enter", world.build.enter_command or "no image yet", "net")


def _beginning(build: Build, current: Instruction) -> Iterator[Node]:
    """Name the step with which it began, for one that only follows from others."""
    if not any(each.cause == "parent" for each in current.causes):
        return
    for first in build.in_order():
        if first.stage == current.stage and first.causes and first is not current:
            cause = first.causes[0]
            why = reason(CacheMissed(0, cause.cause, cause.detail, cause.path,
                                     cause.before, cause.after))  # fmt: skip
            yield text("step.began", f"It began with step {first.number}: {why}", "miss")
            return


def _cause(number: int, cause: Cause, *, is_changed: bool) -> Iterator[Node]:
    event = CacheMissed(0, cause.cause, cause.detail, cause.path, cause.before, cause.after)
    id_ = f"cause.{number}"
    yield text(id_, _capital(reason(event)), "miss", is_changed=is_changed)
    if cause.before or (cause.after and cause.cause != "parent"):
        before, after = (short_ids(each) or "–" for each in (cause.before, cause.after))
        yield text(f"{id_}.facts", f"  {before} → {after}")


def _capital(clause: str) -> str:
    """Begin a sentence, unless it begins with a name."""
    return clause[:1].upper() + clause[1:] if clause.startswith(_OPENINGS) else clause


_OPENINGS = ("nothing", "the ", "an ", "what ")


# ── What ─────────────────────────────────────────────────────────────────────────────────


def _settings(current: Instruction, seq: int) -> Iterator[Node]:
    for setting in current.settings:
        id_ = f"setting.{setting.field}"
        changed = current.changed == seq and setting is current.settings[-1]
        word = SETTINGS.get(setting.field, setting.field)
        is_new = current.state == "going on" and changed
        yield text(id_, f"{word}: {_both(setting)}", "write", is_changed=is_new)


def _both(setting: Setting) -> str:
    """Write before → after; of a set of things only what went and what came."""
    before, after = setting.before, setting.after
    if setting.field in GROWING:
        before = tuple(each for each in setting.before if each not in setting.after)
        after = tuple(each for each in setting.after if each not in setting.before)
    return f"{' '.join(before) or '–'} → {' '.join(after) or '–'}"


def _files(current: Instruction, known: tuple[FileSeen, ...], seq: int) -> Iterator[Node]:
    if not known:
        return
    rows = [_file(each, each.order == seq) for each in known]
    head = ("", "name", "mode", "size")
    if current.names > len(known):
        more = several(current.names - len(known), "name")
        yield text("step.more", f"{more} more, and these:")
    yield table("step.files", f"names in the layer of step {current.number}", head, *rows)


@remembered
def _file(each: FileSeen, is_changed: bool) -> Node:
    id_ = f"file.{each.order}"
    state, sign = _CHANGES.get(each.change, ("", "~"))
    is_directory = each.kind == "directory"
    path = each.path.rstrip("/") + ("/" if is_directory else "")
    mode = f"{each.mode:04o}" if each.kind != "symlink" else "link"
    return row(
        id_,
        cell(f"{id_}.sign", sign, is_changed=is_changed),
        cell(f"{id_}.path", path, state if state == "hide" else ""),
        cell(f"{id_}.mode", mode),
        cell(f"{id_}.size", "" if is_directory else size(each.size_bytes)),
        name=f"{each.change} {path}, mode {each.mode:04o}, {size(each.size_bytes)}",
    )


def _output(build: Build, step: int) -> Iterator[Node]:
    said = "".join(each.text for each in build.printed.items if each.step == step)
    lines = said.rstrip("\n").split("\n")[-_LOG_LINES:]
    if said.strip():
        yield log("step.output", "what its program said", "\n".join(lines))
