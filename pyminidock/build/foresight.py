"""What the steps of a build came to, kept for the next build of the same thing.

    same Dockerfile ─┐
    same context ────┼──► Foresight:  a step, where it stood ──► its key, its image
    same options ────┘

Most builds repeat the one before.  What a step comes to, with its words filled in, was
worked out then, and nothing but the above can change it.  So the way to the key is not
gone again; the cache is still asked, and whatever it says counts.

Only what these decide is foreseen: what an address, another image or a stage gives is not.
And what a client gave besides, arguments and labels, may be secret: such a build leaves no
foresight.
"""

from dataclasses import dataclass
from functools import lru_cache

from pyminidock.build.contents import Contents
from pyminidock.build.downloads import is_address
from pyminidock.build.options import Options
from pyminidock.build.stage import Standing
from pyminidock.dockerfile.instructions import Add, Copy, Instruction, Run
from pyminidock.events import ConfigChanged
from pyminidock.image.digest import Digest
from pyminidock.store.cache import DoneStep

_MOST = 1024  # steps of one foresight; a base that changes leaves some behind


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A step that was found in the cache: what it had said, and what was true after it."""

    step: Instruction
    standing: Standing
    notes: tuple[str, ...]
    done: DoneStep
    after: Standing
    changes: tuple[ConfigChanged, ...]


class Foresight:
    """The steps of one build, and the stages, as they were the last time."""

    def __init__(self) -> None:
        self._steps: dict[tuple[int, Digest], Foreseen] = {}
        self._entered: dict[int, tuple[Standing, Standing]] = {}

    def of(self, number: int, standing: Standing, step: Instruction) -> Foreseen | None:
        """Tell what is known of a step that stands here."""
        known = self._steps.get((number, standing.image))
        # Tuples look first whether it is the very same thing, and it mostly is.
        if known and (known.standing, known.step) == (standing, step):
            return known
        return None

    def note(self, number: int, found: Foreseen) -> None:
        """Keep what a step came to; `is_settled` holds for it."""
        if len(self._steps) >= _MOST:
            self._steps.clear()
        self._steps[number, found.standing.image] = found

    def entered(self, stage: int, base: Standing) -> Standing | None:
        """Tell how a stage began the last time, if it was on the same base."""
        known = self._entered.get(stage)
        return known[1] if known and known[0] == base else None

    def note_entered(self, stage: int, base: Standing, standing: Standing) -> None:
        """Keep how a stage begins."""
        self._entered[stage] = base, standing


def is_settled(step: Instruction) -> bool:
    """Whether nothing from elsewhere has a part in a step whose words are filled in."""
    if isinstance(step, Copy):
        return not step.from_name
    if isinstance(step, Run):
        return not step.mounts
    return not isinstance(step, Add) or not any(map(is_address, step.sources))


def foresight(plan: object, contents: Contents | None, options: Options) -> Foresight:
    """Find what is known of a build; `contents` are those that its context shares.

    Both are compared by identity: equal texts have one plan, equal archives one contents.
    """
    is_secret = bool(options.arguments or options.labels)
    has_others = not options.uses_cache or options.cache_from is not None
    if contents is None or is_secret or has_others:
        return Foresight()
    return _kept(plan, contents, options.network)


@lru_cache(maxsize=32)
def _kept(*_: object) -> Foresight:
    return Foresight()
