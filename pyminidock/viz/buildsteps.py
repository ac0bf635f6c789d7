"""What each event of a build changes: the fold of a build, one function for each idea.

    step.started ──► cache.hit ──────────────────────────► step.finished
                 └─► cache.missed ► file.… layer.… ────┘

An event does not say again what the one before it said: files and layers belong to the
step that was started last.  A FROM begins a new stack of layers.
"""

from dataclasses import replace
from typing import assert_never

from pyminidock import events as e
from pyminidock.events.journal import Record
from pyminidock.viz.building import (
    MOST_CAUSES,
    MOST_ENTRIES,
    MOST_LAYERS,
    MOST_SETTINGS,
    Build,
    Cause,
    FileSeen,
    Instruction,
    Layer,
    Printed,
    Setting,
)
from pyminidock.viz.things import bounded

BuildEvent = (
    e.PathIgnored | e.ContextReceived | e.InstructionParsed | e.StepStarted | e.StepSkipped
    | e.CacheHit | e.CacheMissed | e.ConfigChanged | e.FileCopied | e.FileChanged
    | e.FilesOmitted | e.StepPrinted | e.LayerFound | e.LayerCommitted | e.LayerUnpacked
    | e.LayerReused | e.StepFinished | e.ImageBuilt | e.ImageTagged | e.ImageLoaded
    | e.BuildFailed
)  # fmt: skip


def build_after(build: Build, record: Record, event: BuildEvent) -> Build:  # noqa: PLR0911, PLR0912  (one line per fact)
    """Give the build after an event."""
    match event:
        case e.PathIgnored():
            return replace(build, ignored=build.ignored + 1)
        case e.ContextReceived(files, size_bytes):
            return replace(
                build, state="going on", context_files=files, context_bytes=size_bytes
            )
        case e.InstructionParsed() | e.StepStarted() | e.StepSkipped():
            return _announced(build, record, event)
        case e.CacheHit() | e.CacheMissed() | e.ConfigChanged() | e.StepFinished():
            return _decided(build, record, event)
        case e.FileCopied() | e.FileChanged() | e.FilesOmitted():
            return _written(build, record, event)
        case e.StepPrinted(step, stream, text):
            said = Printed(record.seq, step, stream, text)
            return replace(build, printed=build.printed.add(said))
        case e.LayerFound() | e.LayerCommitted() | e.LayerUnpacked() | e.LayerReused():
            return _stacked(build, record, event)
        case e.ImageBuilt(_, image):
            return replace(build, image=image)
        case e.ImageTagged(image, name, _):
            return replace(build, state="built", image=image, names=(*build.names, name))
        case e.ImageLoaded(image, names, _):
            return replace(build, state="loaded", image=image, names=names)
        case e.BuildFailed(step, _, _, enter_command):
            known = build.instructions.get(str(step))
            if known is not None and known.state not in ("done", "cached"):
                build = _with(build, record, replace(known, state="failed"))
            return replace(build, state="failed", enter_command=enter_command)
        case _:
            assert_never(event)


def _with(build: Build, record: Record, instruction: Instruction) -> Build:
    instruction = replace(instruction, changed=record.seq)
    known = bounded(build.instructions, str(instruction.number), instruction)
    return replace(build, instructions=known)


def _announced(
    build: Build, record: Record, event: e.InstructionParsed | e.StepStarted | e.StepSkipped
) -> Build:
    """An instruction is known, begins, or is passed over."""
    number = str(event.step)
    known = build.instructions.get(number)
    if known is None:
        known = Instruction(event.step, record.seq, record.seq, event.stage, event.text)
    match event:
        case e.InstructionParsed(_, _, _, first, last):
            parsed = replace(known, first=first, last=last)
            return _with(replace(build, state="going on"), record, parsed)
        case e.StepSkipped():
            skipped = replace(known, state="skipped", first=known.first or event.line)
            return replace(_with(build, record, skipped), total=event.total)
        case e.StepStarted():
            is_new_stage = event.text.split(maxsplit=1)[:1] in (["FROM"], ["from"])
            begun = replace(known, state="going on", first=known.first or event.line)
            if known.keyword == "FROM" and event.text.startswith("ONBUILD "):
                begun = replace(begun, triggers=known.triggers + 1)
            return replace(
                _with(build, record, begun), step=event.step, total=event.total,
                stack=() if is_new_stage else build.stack, state="going on",
            )  # fmt: skip
        case _:
            assert_never(event)


def _decided(
    build: Build, record: Record,
    event: e.CacheHit | e.CacheMissed | e.ConfigChanged | e.StepFinished,
) -> Build:  # fmt: skip
    """What the cache said, what the step left in the configuration, and how it ended."""
    known = build.instructions.get(str(event.step))
    if known is None:  # a story that is cut at its head
        known = Instruction(event.step, record.seq, record.seq)
    match event:
        case e.CacheHit(_, image):
            return _with(build, record, replace(known, is_hit=True, image=image))
        case e.CacheMissed(_, cause, detail, path, before, after):
            causes = (*known.causes, Cause(cause, detail, path, before, after))
            return _with(build, record, replace(known, causes=causes[:MOST_CAUSES]))
        case e.ConfigChanged(_, name, before, after):
            settings = (*known.settings, Setting(name, before, after))[-MOST_SETTINGS:]
            return _with(build, record, replace(known, settings=settings))
        case e.StepFinished(_, image, milliseconds, was_cached):
            ended = replace(
                known, image=image, milliseconds=milliseconds,
                state="cached" if was_cached else "done",
            )  # fmt: skip
            return _with(build, record, ended)
        case _:
            assert_never(event)


def _written(
    build: Build, record: Record, event: e.FileCopied | e.FileChanged | e.FilesOmitted
) -> Build:
    """A name is in the layer that is being made, or many more are."""
    current = build.current or Instruction(build.step, record.seq, record.seq)
    if isinstance(event, e.FilesOmitted):
        names = current.names + max(event.count, 0)
        return _with(build, record, replace(current, names=names))
    source = event.source if isinstance(event, e.FileCopied) else ""
    seen = FileSeen(
        record.seq, build.step, event.change, event.path, event.kind, event.mode, event.uid,
        event.gid, event.size_bytes, source,
    )  # fmt: skip
    build = _with(build, record, replace(current, names=current.names + 1))
    return replace(build, files=build.files.add(seen))


def _stacked(
    build: Build, record: Record,
    event: e.LayerFound | e.LayerCommitted | e.LayerUnpacked | e.LayerReused,
) -> Build:  # fmt: skip
    """One more layer lies on the stack."""
    seq, current = record.seq, build.current
    chain = event.chain_id
    layer = build.layers.get(chain) or Layer(
        chain, seq, seq, "base", build.step, text=current.text if current else ""
    )
    match event:
        case e.LayerFound(_, diff_id, size_bytes, files, names):
            is_base = current is None or (
                current.keyword == "FROM" and not current.triggers
            )
            origin = layer.origin if chain in build.layers else "base"
            layer = replace(
                layer, diff_id=diff_id, size_bytes=size_bytes, files=files, names=names,
                origin=origin if is_base else "cache",
            )  # fmt: skip
        case e.LayerCommitted(_, diff_id, size_bytes, files):
            entries = build.files_of(build.step, MOST_ENTRIES)
            layer = replace(
                layer, diff_id=diff_id, size_bytes=size_bytes, files=files, origin="new",
                entries=entries or layer.entries,
            )  # fmt: skip
        case e.LayerUnpacked(_, diff_id, size_bytes, files):
            layer = replace(
                layer, diff_id=diff_id, size_bytes=size_bytes, files=files, origin="new"
            )
        case e.LayerReused():
            layer = replace(layer, origin="cache")
        case _:
            assert_never(event)
    stack = () if build.state == "loaded" else build.stack
    build = replace(
        build,
        layers=bounded(build.layers, chain, replace(layer, changed=seq)),
        stack=stack if chain in stack else (*stack, chain)[-MOST_LAYERS:],
        state="" if build.state == "loaded" else build.state,
    )
    if current is None or (current.keyword == "FROM" and not current.triggers):
        return build
    return _with(build, record, replace(current, layer=chain))
