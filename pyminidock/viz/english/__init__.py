"""The words for every event, three deep: what happened, how or why, which kernel call.

One entry per kind, `kind/variant` where one fact has two faces.  An entry is a template;
`sentences` fills its fields, and facts (paths, numbers, names) stay as they are in every
language.  The first sentence uses plain words and fits into a line; the second says why
an engine does this at all; the third is for whoever has a manual page open.

One module per idea: door, images, build, container, lifecycle, birth, wiring, sifting,
volumes, watch; `walls` has the words about namespaces and filesystems, `instructions`
those about a Dockerfile, `marks` those that belong to no kind.
"""

from collections.abc import Mapping

from pyminidock.viz.english.birth import BIRTH
from pyminidock.viz.english.build import BUILD
from pyminidock.viz.english.container import CONTAINER
from pyminidock.viz.english.door import DOOR
from pyminidock.viz.english.images import IMAGES
from pyminidock.viz.english.instructions import ANY_INSTRUCTION, INSTRUCTIONS
from pyminidock.viz.english.lifecycle import LIFECYCLE
from pyminidock.viz.english.marks import EVIDENCE, UNKNOWN
from pyminidock.viz.english.networks import NETWORKS
from pyminidock.viz.english.requests import REQUESTS
from pyminidock.viz.english.sifting import SIFTING
from pyminidock.viz.english.volumes import VOLUMES
from pyminidock.viz.english.walls import (
    ANY_FILESYSTEM,
    ANY_NAMESPACE,
    FILESYSTEMS,
    GAINS,
)
from pyminidock.viz.english.watch import WATCH
from pyminidock.viz.english.wiring import WIRING
from pyminidock.viz.english.words import Words

CATALOGUE: Mapping[str, Words] = {
    **DOOR, **IMAGES, **BUILD, **CONTAINER, **LIFECYCLE, **BIRTH, **WIRING,
    **SIFTING, **VOLUMES, **NETWORKS, **REQUESTS, **WATCH,
}  # fmt: skip

__all__ = [
    "ANY_FILESYSTEM",
    "ANY_INSTRUCTION",
    "ANY_NAMESPACE",
    "CATALOGUE",
    "EVIDENCE",
    "FILESYSTEMS",
    "GAINS",
    "INSTRUCTIONS",
    "UNKNOWN",
]
