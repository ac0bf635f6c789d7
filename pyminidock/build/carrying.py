"""One step: filled in, looked up, and done if it has to be.

    instruction ─► words filled in ─► outcome ─► key ─┬─ known ─► its image
                                                      └─ not ──► why not; do it; commit

Nothing that a step would do to files happens before the cache was asked.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from operator import attrgetter

from pyminidock.build import output, steps
from pyminidock.build.bench import Bench
from pyminidock.build.cachekey import Cause, Inputs, fingerprint
from pyminidock.build.foresight import Foreseen, is_settled
from pyminidock.build.runs import run
from pyminidock.build.stage import Make, Outcome, Standing
from pyminidock.build.transfer import transfer
from pyminidock.build.workdirs import make_directory
from pyminidock.dockerfile import instructions as said
from pyminidock.dockerfile.instructions import Instruction, Span
from pyminidock.dockerfile.substitute import means_itself, substitute
from pyminidock.events import CacheHit, CacheMissed, ConfigChanged, StepFinished
from pyminidock.image.config import ImageConfig
from pyminidock.image.manifest import Platform
from pyminidock.image.platform import familiar
from pyminidock.store.cache import DoneStep
from pyminidock.store.failpoints import reach
from pyminidock.store.images import ImageRow, NoSuchImage

_FIELDS = (  # of a configuration, in the order in which they are told
    "command", "entrypoint", "environment", "user", "working_directory", "exposed_ports",
    "volumes", "labels", "stop_signal", "shell", "healthcheck", "on_build",
)  # fmt: skip
_all_fields = attrgetter(*_FIELDS)
_NO_SPAN = Span(0, 0)
_VARIABLE = re.compile(r"\$\{?(\w+)")


class _Deeds:
    """Those who work on files, for the instructions of one step."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def transfer(self, standing: Standing, step: said.Copy | said.Add) -> Outcome:
        return transfer(self._bench, standing, step)

    def run(self, standing: Standing, step: said.Run) -> Outcome:
        return run(self._bench, standing, step)

    def directory(self, standing: Standing, path: str) -> Make:
        return lambda: make_directory(self._bench, standing, path)


def carry_out(bench: Bench, standing: Standing, step: Instruction) -> Standing:
    """Carry out one instruction; give what is true after it.  Raises a MinidockError."""
    foreseen = bench.foresight.of(bench.step, standing, step)
    if foreseen is not None and (after := _found_again(bench, foreseen)):
        return after
    began = bench.clock()
    filled = step
    is_given = isinstance(step, said.Label) and step.span == _NO_SPAN  # --label: as it is
    if not is_given and not means_itself(step):
        words = standing.arguments.for_words(standing.environment)
        filled = substitute(step, words, standing.escape)
    outcome = steps.outcome(standing, filled, _Deeds(bench))
    for note in outcome.notes:
        bench.tell(output.Text(note))
    inputs = _inputs(standing, step, outcome)
    key = inputs.key()
    reach("build.probe")
    taken = _taken(bench, standing, outcome, DoneStep(standing.image, key, "", step.text))
    if taken is not None:
        seen = _arrived(bench, standing, outcome, step, taken)
        if is_settled(filled):
            bench.foresight.note(bench.step, seen)
        return _go_on(bench, seen, taken)
    for cause in _causes(bench, standing, inputs):
        bench.emit(CacheMissed(
            bench.step, cause.cause, cause.detail, cause.path, cause.before, cause.after
        ))  # fmt: skip
    bench.check(standing.image)
    layer = outcome.make() if outcome.make else None
    after = bench.commit(standing, outcome, layer, inputs, began)
    bench.diary.note(DoneStep(standing.image, key, after.image, step.text))
    for change in _changes(bench.step, standing.config, after.config):
        bench.emit(change)
    spent = round((bench.clock() - began) * 1000)
    written = layer.size_bytes if layer else 0
    bench.emit(
        StepFinished(bench.step, after.image, spent, was_cached=False, size_bytes=written)
    )
    return replace(after, was_redone=True)


def _inputs(standing: Standing, step: Instruction, outcome: Outcome) -> Inputs:
    document = standing.document
    platform = Platform(document.os, document.architecture, document.variant)
    settings = {**outcome.settings, "platform": familiar(platform)}
    return Inputs(
        step.text, outcome.effect, outcome.arguments, settings, outcome.files,
        outcome.sources, _named_in(step, standing),
    )  # fmt: skip


# ── The cache ────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Taken:
    """An image that is the result of a step, what that had cost, and whose it is."""

    step: DoneStep
    row: ImageRow
    milliseconds: int
    size_bytes: int
    source: str = ""  # of --cache-from


def _taken(
    bench: Bench, standing: Standing, outcome: Outcome, step: DoneStep
) -> _Taken | None:
    """Take the image of the same step, if it was done before, here or in a source.

    `step` is what is known of it: all but its image.
    """
    if standing.was_redone or not bench.options.uses_cache:
        return None
    found = bench.store.cache.probe(step.parent, step.key)
    sources = bench.sources_of_cache
    if found is not None and (sources is None or sources.lead_from(found.image)):
        try:
            row = bench.store.images.get(found.image)
        except NoSuchImage:  # removed at this moment
            return None
        done = DoneStep(step.parent, step.key, row.id, step.text)
        return _Taken(done, row, found.milliseconds, found.size_bytes)
    cut = sources.cut(standing, outcome) if sources else None
    if cut is None:
        return None
    row = cut.row or bench.cut_out(standing, cut.document, cut.layers)
    written = row.size_bytes - standing.size_bytes
    done = DoneStep(step.parent, step.key, row.id, step.text)
    return _Taken(done, row, 0, written, cut.source.name)


def _arrived(
    bench: Bench, standing: Standing, outcome: Outcome, step: Instruction, taken: _Taken
) -> Foreseen:
    """Say where a step leads whose image was taken."""
    row, then = taken.row, outcome.after(standing)
    after = Standing(
        row.id, bench.recall(row.id), row.layers, row.size_bytes, then.arguments,
        then.escape, then.has_command, then.was_redone, then.author,
    )  # fmt: skip
    changes = tuple(_changes(bench.step, standing.config, after.config))
    return Foreseen(step, standing, outcome.notes, taken.step, after, changes)


def _found_again(bench: Bench, foreseen: Foreseen) -> Standing | None:
    """Look whether a step is where it was the last time; None if that is not so any more.

    Nothing is told before that is known.
    """
    done = foreseen.done
    hit = bench.store.cache.probe(done.parent, done.key)
    if hit is None or hit.image != done.image:
        return None
    try:
        row = bench.store.images.get(done.image)
    except NoSuchImage:  # removed at this moment
        return None
    for note in foreseen.notes:
        bench.tell(output.Text(note))
    reach("build.probe")
    taken = _Taken(done, row, hit.milliseconds, hit.size_bytes)
    return _go_on(bench, foreseen, taken)


def _go_on(bench: Bench, seen: Foreseen, taken: _Taken) -> Standing:
    """Go on from an image that was taken, and tell so."""
    after, image = seen.after, taken.row.id
    bench.diary.note(taken.step)
    bench.emit(CacheHit(bench.step, image, taken.source))
    bench.tell(output.CACHED)
    bench.tell_layers(taken.row.layers[len(seen.standing.layers) :])
    for change in seen.changes:
        bench.emit(change)
    bench.emit(StepFinished(
        bench.step, image, taken.milliseconds, was_cached=True,
        size_bytes=taken.size_bytes,
    ))  # fmt: skip
    return after


def _causes(bench: Bench, standing: Standing, inputs: Inputs) -> tuple[Cause, ...]:
    """Say why a step has to be done, at least once."""
    if not bench.options.uses_cache:
        return (Cause("disabled"),)
    if bench.sources_of_cache is not None and not standing.was_redone:
        known = bench.store.cache.probe(standing.image, inputs.key())
        if known is not None:
            return (Cause("source", before=known.image),)
    return bench.diary.causes(standing.image, inputs, was_redone=standing.was_redone)


def _named_in(step: Instruction, standing: Standing) -> dict[str, str]:
    """Give the variables that an instruction names and that are filled in, as digests.

    In a RUN they are the shell's.
    """
    if isinstance(step, said.Run) or "$" not in step.text:
        return {}
    values = standing.arguments.for_words(standing.environment)
    names = set(_VARIABLE.findall(step.text))
    return {name: fingerprint(values.get(name, "")) for name in sorted(names)}


# ── The configuration ────────────────────────────────────────────────────────────────────


def _changes(number: int, old: ImageConfig, new: ImageConfig) -> Iterator[ConfigChanged]:
    """Say what a step changed, field by field."""
    was, is_ = _all_fields(old), _all_fields(new)
    if was == is_:
        return
    for name, before, after in zip(_FIELDS, was, is_, strict=True):
        if before != after:
            yield ConfigChanged(number, name, tuple(_words(before)), tuple(_words(after)))


def _words(value: object) -> Iterator[str]:
    """Give a field as words."""
    if isinstance(value, str):
        yield from [value] if value else []
    elif isinstance(value, tuple):
        for item in value:
            yield item if isinstance(item, str) else "=".join(item)
    elif value is not None:
        yield from (f"{name}={getattr(value, name)}" for name in value.__slots__)  # type: ignore[attr-defined]
