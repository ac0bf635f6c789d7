"""Why a step has to be done: compared with what it was in the last build of the name.

    the first miss of a stage    what differs about the step, or what it stands on
    each step behind it          "parent", and whatever differs about the step besides

Without a last build of this name, the latest one is taken that did the same on the same
image; where there is none, nothing like it was done before, and that is the cause.

A cause is told only if it is one: had it been as before, there would be a cause less.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import inf

from pyminidock.build.cachekey import (
    Cause,
    Files,
    Inputs,
    differences,
    inputs_of,
    seen_of,
)
from pyminidock.build.past import Counterpart, Past, beside
from pyminidock.image.digest import Digest
from pyminidock.store.cache import BuildCache, CacheRow, DoneStep

_LONGEST = 1024  # steps of one past


@dataclass(slots=True)
class StageDiary:
    """One stage of this build as it goes on, and what is known of its last time.

    `texts` are all its instructions after FROM; `done` grows with each of them.  Steps that
    were done since `began` (seconds since 1970) are of this build, and nothing's past.
    """

    cache: BuildCache
    names: Sequence[str]  # -t of this build, or one empty one
    stage: str
    texts: Sequence[str]
    began: float = inf
    done: list[DoneStep] = field(default_factory=list)
    _past: Past | None = None
    _offset: int = 0  # the instruction with which the past begins

    def note(self, step: DoneStep) -> None:
        """Note a step that is done, or was taken."""
        self.done.append(step)

    def close(self) -> None:
        """Keep this for the next build, under each name; also what was not come to."""
        left = (DoneStep("", "", "", text) for text in self.texts[len(self.done) :])
        steps = (*self.done, *left)
        for name in self.names if steps else ():
            self.cache.remember(name, self.stage, steps)

    # ── Why ──────────────────────────────────────────────────────────────────────────────

    def causes(
        self, parent: Digest, inputs: Inputs, *, was_redone: bool
    ) -> tuple[Cause, ...]:
        """Say why the next step has to be done, at least once."""
        number = len(self.done)
        if self._past is None:
            self._past = self._find_past(parent, inputs)
        known = self._past.of(number - self._offset)
        found = [*self._own(known, inputs)]
        if was_redone:
            found = [cause for cause in found if not _follows(cause)]
            return (Cause("parent", "step", after=parent), *found)
        if found and found[-1].cause in ("unfinished", "forgotten"):
            return tuple(found)
        if number and known.step and known.step.parent != parent and not known.lost:
            found.append(Cause("parent", "image", "", known.step.parent, parent))
        elif not number and (base := self._base(known, inputs)) not in ("", parent):
            found.append(Cause("parent", "base", "", base, parent))
        return tuple(found) or (Cause("first"),)

    def _own(self, known: Counterpart, inputs: Inputs) -> Iterator[Cause]:
        """Say what is different about the step itself, and about the way to it."""
        for lost, is_moved in known.lost:
            yield Cause("instruction", "moved" if is_moved else "removed", "", lost.text)
        if known.step is None:
            if self._past and self._past.steps:
                detail = "moved" if known.is_moved else "added"
                yield Cause("instruction", detail, after=inputs.text)
            return
        if not known.step.image:
            yield Cause("unfinished")
            return
        before = self._row(known.step)
        if before is not None:
            old = inputs_of(before.inputs)
            yield from differences(old, inputs, None if old.files else self._files(before))
        elif known.step.key == inputs.key():
            yield Cause("removed", before=known.step.image)
        elif known.step.text != inputs.text:
            yield Cause("instruction", "", "", known.step.text, inputs.text)
        else:
            yield Cause("forgotten")

    def _row(self, step: DoneStep) -> CacheRow | None:
        """Find what is known of a step of then, as long as its image is here."""
        row = self.cache.of_image(step.image)
        return row if row is not None and row.key == step.key else None

    def _files(self, row: CacheRow) -> Files:
        """Give what reads the files of a step of then, one by one."""
        return lambda: map(seen_of, self.cache.files(row))

    def _base(self, known: Counterpart, inputs: Inputs) -> Digest:
        """Give the image on which the stage stood then, or the same step elsewhere."""
        if self._past and self._past.steps and not self._offset:
            return self._past.steps[0].parent
        elsewhere = self.cache.anywhere(inputs.key())
        if elsewhere is None or known.step or elsewhere.created >= self.began:
            return ""
        return elsewhere.parent

    # ── The last time ────────────────────────────────────────────────────────────────────

    def _find_past(self, parent: Digest, inputs: Inputs) -> Past:
        """Find the last build of a name of this one, else the latest like it."""
        for name in self.names:
            steps = self.cache.last(name, self.stage)
            if steps and (name or steps[0].parent == self._first_parent(parent)):
                return beside(steps, self.texts)
        self._offset = len(self.done)
        same = (row for row in self.cache.after(parent) if _is_alike(row, inputs))
        return beside([*self._following(next(same, None))], self.texts[self._offset :])

    def _first_parent(self, parent: Digest) -> Digest:
        return self.done[0].parent if self.done else parent

    def _following(self, row: CacheRow | None) -> Iterator[DoneStep]:
        """Walk from a step to the latest one on top of it, and so on."""
        for _ in range(_LONGEST):
            if row is None:
                return
            yield DoneStep(row.parent, row.key, row.image, str(row.inputs["text"]))
            row = next(self.cache.after(row.image, 1), None)


def _follows(cause: Cause) -> bool:
    """Whether a cause goes without saying, behind a step that was missed."""
    left_here = cause.detail == "moved" and not cause.after
    return cause.cause in ("removed", "unfinished", "forgotten") or left_here


def _is_alike(row: CacheRow, inputs: Inputs) -> bool:
    """Whether a step did the same, but with other files or arguments."""
    return bool(row.inputs["effect"] == inputs.effect)
