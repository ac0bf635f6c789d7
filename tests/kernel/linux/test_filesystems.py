"""What a newborn makes ahead is what the plan of an ordinary container asks for."""

from pyminidock.container.plan import start_plan
from pyminidock.kernel.calls import Mount
from pyminidock.kernel.linux.filesystems import USUAL
from pyminidock.kernel.linux.wire import spell
from tests.container.wishes import MACHINE, SNAPSHOT, decide, wish


def test_the_usual_filesystems_are_those_of_the_default_plan() -> None:
    plan = start_plan(decide(wish()), SNAPSHOT, MACHINE)
    wanted = []
    for call in plan:
        if isinstance(call, Mount):
            _, (filesystem, source, _, _, is_readonly, options, _) = spell(call, {})
            wanted.append((filesystem, source, options, is_readonly))
    others = {filesystem for filesystem, *_ in set(wanted) - set(USUAL)}
    assert set(USUAL) <= set(wanted)
    assert len(wanted) == len(set(wanted))
    assert others == {b"mqueue", b"sysfs"}  # of namespaces, not of a mount
