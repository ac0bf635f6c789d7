"""Which steps are read as one where somebody asks only what happened.

A container gets nine accounts, six devices and eleven covered paths, one system call each.
At the first depth these are three things that happened; deeper, every call is one.  So a
step *joins* the step before it, where both belong to one part of the story and

    tell the same of another thing               /dev/null is made, /dev/random is made
    or the one before it only led to this one    layer 2 was asked, … , the answer

A group is told by its last step: of those that are alike it is one more, and of those that
lead somewhere it is where they led.  Nothing else knows of groups: a step keeps its number,
its picture and its address at every depth, and gates hold at steps.
"""

from pyminidock.viz.things import Step

ALIKE = frozenset({
    "bind.mounted", "cgroup.created", "cgroup.joined", "cgroup.limited", "cgroup.removed",
    "device.made", "file.changed", "file.copied", "link.made", "path.made.readonly",
    "path.masked", "resource.limited", "sysctl.written",
})  # fmt: skip
LEADS_TO = {"layer.probed": "path.resolved"}


def joins(before: Step | None, step: Step) -> bool:
    """Say whether a step is read as one with the step before it."""
    if before is None or before.part != step.part:
        return False
    kind, other = step.record.kind, before.record.kind
    if kind == other:
        return kind in ALIKE or kind in LEADS_TO
    return LEADS_TO.get(other) == kind
