"""How a container ends: one thread waits for its program, then clears up.

    observe ─► wait ─► told, and everybody who waits is answered ─► accounts closed,
                       record written, shim dismissed ─► removed, if it was to remove itself

Who waits for the program gets the answer at its end and not after the clearing up; who
wants to start or remove the container afterwards waits for that too (`Life.busy`).
"""

from contextlib import suppress
from dataclasses import replace
from threading import Thread

from pyminidock.container.plan import end_plan
from pyminidock.engine.house import House
from pyminidock.engine.lives import Life
from pyminidock.engine.recorder import Voice
from pyminidock.events import (
    ContainerExited,
    ContainerRemoved,
    IsolationObserved,
    IsolationUnobserved,
)
from pyminidock.kernel.port import CallFailed, ExitStatus, Isolation, Process, ProcessGone
from pyminidock.layers import snapshots

WATCHERS_S = 10.0  # for those who wanted to attach and have not done so yet


def attend(house: House, life: Life) -> None:
    """Wait for the end of a container's program, in a thread of its own."""
    Thread(target=_attend, args=(house, life), name=f"end-{life.name}", daemon=True).start()


def _attend(house: House, life: Life) -> None:
    process = life.process
    assert process is not None  # noqa: S101  (whoever calls has just started it)
    voice = house.recorder.operation(life.story, "life")
    _observe(house, life, process, voice)
    kept = house.kept(life.id)
    house.keep(replace(kept, state="running", pid=process.pid), is_durable=False)
    life.is_written()
    status = house.kernel.wait(process)
    if status is None or house.is_closed:  # another engine will find the exit record
        return
    settle(house, life, process, status, voice)


def _observe(house: House, life: Life, process: Process, voice: Voice) -> None:
    """Tell what the kernel says of the process, if it still lives."""
    try:
        voice(observed(life.id, house.kernel.observe(process)))
    except ProcessGone as gone:
        voice(IsolationUnobserved(life.id, gone.what))


def settle(
    house: House, life: Life, process: Process, status: ExitStatus, voice: Voice
) -> None:
    """Tell the end of a program, answer who waits, and clear up."""
    voice(ContainerExited(life.id, status.code, status.signal, status.was_out_of_memory))
    kept = house.kept(life.id)
    life.ends(status)
    with voice.step("clear up"):
        with suppress(CallFailed):  # it stays until the next start of the engine
            house.kernel.perform(end_plan(kept.spec, house.machine), emit=voice)
        if not kept.spec.auto_remove:
            house.keep(
                replace(
                    kept, state="exited", pid=0, exit_code=status.code,
                    finished=status.finished, was_out_of_memory=status.was_out_of_memory,
                )
            )  # fmt: skip
        life.until(lambda: life.watchers == 0, WATCHERS_S)
        house.kernel.dismiss(process)
        if kept.spec.auto_remove:
            bury(house, life, voice)
    life.settles()


def bury(house: House, life: Life, voice: Voice) -> None:
    """Take away all of a container that is not running, and close its story."""
    directory = house.directory(life.id)
    snapshots.remove(directory, emit=voice)
    house.records.remove(life.id)
    house.forget(life.id)
    voice(ContainerRemoved(life.id, life.name))
    life.goes()
    house.recorder.end(life.story)


def observed(container: str, isolation: Isolation) -> IsolationObserved:
    """Make the event of what was observed."""
    hosts = isolation.host_namespaces
    numbers = isolation.namespaces
    return IsolationObserved(
        container=container,
        pid=isolation.pid,
        namespaces=tuple((kind, str(number)) for kind, number in numbers.items()),
        shared_with_host=tuple(
            kind for kind in numbers if numbers[kind] == hosts.get(kind)
        ),
        capabilities_effective=f"{isolation.capabilities['effective']:016x}",
        capabilities_bounding=f"{isolation.capabilities['bounding']:016x}",
        seccomp_mode=isolation.seccomp_mode,
        no_new_privileges=isolation.no_new_privileges,
        uid=isolation.uids[1],
        gid=isolation.gids[1],
    )
