"""A kernel made of values: what each verb of a plan does, written so that it can be read.

    World ── apply(stage, call) ──► World ── apply ──► …        pure, one verb at a time
                                      └── isolation_of ──► what /proc/PID would say

Modules, in reading order: `world` the tables, `tree` files and paths, `hosts` the machine
to begin with, `stage` a world in the middle of a plan, `effects` one line per verb, then
the verbs by subject: `tasks`, `powers`, `mounts`, `devices`, `budgets`; `endings` and undo;
`observe`; `streams`; and the `body`, which keeps the one current world.  They are more than
a room should have, because Linux has that many subjects.
"""

from pyminidock.kernel.model.body import ModelBody
from pyminidock.kernel.model.world import World

__all__ = ["ModelBody", "World"]
