"""Words that belong to no kind: unknown kinds, and how we know."""

from collections.abc import Mapping

from pyminidock.viz.english.words import Words

UNKNOWN: Words = (
    "{kind}: a step that this version has no words for",
    "It was recorded by a newer engine; its facts are kept: {facts}",
    "{facts}",
)
EVIDENCE: Mapping[str, tuple[str, str]] = {
    # evidence: the mark in pictures, what it means
    "": ("∴", "decided by the engine"),
    "acknowledged": ("✓", "the kernel answered"),
    "observed": ("◉", "read back from the kernel"),
    "explained": ("≡", "computed, not seen"),
    "planned": ("◌", "planned, and no failure heard"),
    "client": ("◂", "told by our client"),
    "remembered": ("↺", "seen before, and nothing has changed it since"),
}
