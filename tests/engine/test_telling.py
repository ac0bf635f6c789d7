"""Words that are found again are the words that would be made."""

import pytest

from pyminidock import events
from pyminidock.engine.telling import Told, new_told
from pyminidock.events import redaction
from pyminidock.events.journal import data_of, from_line
from pyminidock.viz.plain import plain_linux

ONE, OTHER = "0123456789abcdef" * 4, "fedcba9876543210" * 4
NOBODY = "0" * 64


def told(event: events.Event) -> Told:
    """Tell an event, as the first of a story."""
    return new_told((1, event, "run-1", "start-1", 0, "", 0.5, 1.25, "a.py", 7, "", ""))


def facts(name: str) -> tuple[events.Event, ...]:
    """Give what a start tells of one container, whatever that is called."""
    group, place = f"/cg/memory/m-1/{name}", f"/var/lib/m/containers/{name}/rootfs"
    return (
        events.CgroupCreated(group),
        events.CgroupLimited(group, "devices.allow", "c 1:3 rwm"),
        events.CgroupJoined(group),
        events.CgroupRemoved(group),
        events.BindMounted(f"{place}/hosts", "/etc/hosts", ("ro",), ""),
        events.PropagationSet(place, "private", is_recursive=False),
        events.RootAttached(place),
        events.KeyringJoined(f"_ses.{name}", has_keys=True),
    )


@pytest.mark.parametrize(
    "name", [ONE, OTHER, NOBODY, "short", f"{ONE}0", f"{NOBODY}/{ONE}", f"{ONE}/{ONE}",
             f"it's {ONE}", f"{ONE}/{OTHER}", f"key={ONE}"]
)  # fmt: skip
def test_the_journal_says_of_each_container_what_is_true_of_it(name: str) -> None:
    for event in (*facts(OTHER), *facts(name)):
        line, shown = from_line(told(event).journal_line()), redaction.for_journal(event)
        assert (line.data, line.linux) == (data_of(shown), plain_linux(shown))
