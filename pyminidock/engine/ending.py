"""How a program ends: one thread waits for it, tells it, clears up, and may start it again.

    observe ─► wait ─► told, and everybody who waits is answered ─► accounts closed,
                       record written, shim dismissed ─► removed, if it was to remove itself
                                                     └─► started again, after a while, if
                                                         its restart policy wants that

Who waits for the program gets the answer at its end and not after the clearing up; who
wants to start or remove the container afterwards waits for that too (`Life.only`).
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from pyminidock.container.plan import end_plan, thaw_plan
from pyminidock.container.states import State
from pyminidock.engine import furnishing, introducing, plugging, volumemounts, written
from pyminidock.engine.burying import RemovalFailed, bury
from pyminidock.engine.house import House, Kept
from pyminidock.engine.lives import Life
from pyminidock.engine.plugging import Reach
from pyminidock.engine.restarts import next_delay_s, wants_again
from pyminidock.engine.voice import Voice
from pyminidock.errors import MinidockError
from pyminidock.events import (
    ContainerExited,
    IsolationObserved,
    IsolationUnobserved,
    MemoryExhausted,
    RestartScheduled,
    ignore,
)
from pyminidock.kernel.port import CallFailed, ExitStatus, Isolation, Process, ProcessGone

BRIEF_S = 0.02  # a life as short as this ends before a record could say that it goes on
EXECS_S = 2.0  # for second processes, which the kernel has killed: their ends come first
WATCHERS_S = 10.0  # for those who wanted to attach and have not done so yet

Again = Callable[[House, Life], bool]
"""Starts a container once more; False: it could not, or somebody does not want that."""


def attend(house: House, life: Life, again: Again) -> None:
    """Wait for the end of a container's program, in a thread of its own.

    `again` starts it once more, should its policy want that.
    """
    from pyminidock.engine.health import watch  # noqa: PLC0415  (it starts what ends here)

    watch(house, life)
    house.attendants.send(f"end-{life.name}", partial(_attend, house, life, again))


def _attend(house: House, life: Life, again: Again) -> None:
    process = life.process
    assert process is not None  # noqa: S101  (whoever calls has just started it)
    voice = house.recorder.operation(life.story, "life")
    _observe(house, life, process, voice)
    status = house.kernel.wait(process, BRIEF_S)
    if status is None and not house.is_closed:
        house.note(life, state="running", pid=process.pid, is_durable=False)
        life.is_written()
        status = house.kernel.wait(process)
    if status is None or house.is_closed:  # another engine will find the exit record
        return
    if settle(house, life, process, status, voice):
        wait_and_start(house, life, again)


def _observe(house: House, life: Life, process: Process, voice: Voice) -> None:
    """Tell what the kernel says of the process, if it still lives."""
    try:
        voice(observed(life.id, house.kernel.observe(process, briefly=True)))
    except ProcessGone as gone:
        voice(IsolationUnobserved(life.id, gone.what))


def settle(
    house: House, life: Life, process: Process, status: ExitStatus, voice: Voice
) -> bool:
    """Tell the end of a program, answer who waits, clear up; say whether it starts again.

    It is told after the signal that brought it, and after the stop that waited for it.
    """
    try:
        return _settle(house, life, process, status, voice)
    finally:
        life.settles()


def _settle(
    house: House, life: Life, process: Process, status: ExitStatus, voice: Voice
) -> bool:
    life.until(lambda: not _has_execs(house, life), EXECS_S)
    life.until(lambda: not life.is_being_signalled)  # who sent a signal tells that first
    reach = plugging.unplug(house, life, voice)
    spec = house.kept(life.id).spec
    furnishing.tell_unmounted(spec, voice)
    volumemounts.release(house, spec.points, life.id)
    introducing.gone(house, life.id, reach.before)
    life.ceases(voice)
    kept = house.kept(life.id)
    goes_on = _goes_on(life, kept, status)
    if status.was_out_of_memory:
        voice(MemoryExhausted(life.id))
    voice(ContainerExited(life.id, status.code, status.signal, status.was_out_of_memory))
    house.execs.forget_unstarted(life.id)
    was_paused = life.state is State.PAUSED
    life.ends(status, will_restart=goes_on)
    written.tell(house, life, voice)
    is_to_go = kept.spec.auto_remove and not goes_on and not life.is_being_restarted
    with voice.step("clear up"):
        if was_paused:  # its shim was killed; who is frozen cannot die
            with suppress(MinidockError):
                house.kernel.perform(thaw_plan(kept.spec, house.machine), emit=ignore)
        with suppress(CallFailed):  # it stays until the next start of the engine
            house.kernel.perform(end_plan(kept.spec, house.machine), emit=voice)
        plugging.cut(house, reach)
        if not is_to_go:
            _note_end(house, life, status, reach, goes_on=goes_on)
        life.until(lambda: life.watchers == 0, WATCHERS_S)
        house.kernel.dismiss(process)
        if is_to_go and not life.is_being_removed:
            life.until(lambda: not life.guests)
            with suppress(RemovalFailed):  # it is dead, and whoever waits has been told
                bury(house, life, voice, has_volumes=True)
    if goes_on:
        attempt = house.kept(life.id).restarts
        voice(RestartScheduled(life.id, attempt, round(1000 * life.delay_s)))
    return goes_on


def _note_end(
    house: House, life: Life, status: ExitStatus, reach: Reach, *, goes_on: bool
) -> None:
    house.note(
        life, state="exited", pid=0, exit_code=status.code,
        finished=status.finished, was_out_of_memory=status.was_out_of_memory,
        error=status.error, restarts=house.kept(life.id).restarts + goes_on,
        endpoints=reach.after, ports=(),
    )  # fmt: skip


def _has_execs(house: House, life: Life) -> bool:
    return any(each.is_running for each in house.execs.unfinished(life.id))


def _goes_on(life: Life, kept: Kept, status: ExitStatus) -> bool:
    """Decide whether its policy starts it again, and note after how long."""
    policy, retries = kept.spec.restart_policy, kept.spec.restart_retries
    if life.gave_up or life.is_being_removed or not wants_again(
        policy, retries, exit_code=status.code, restarts=kept.restarts,
        was_stopped=kept.was_stopped,
    ):  # fmt: skip
        return False
    life.delay_s = next_delay_s(life.delay_s, status.finished - kept.started)
    return True


def wait_and_start(house: House, life: Life, again: Again) -> None:
    """Let the delay pass, and start it; or let it be, if somebody does not want that."""
    life.until(lambda: life.gave_up or life.is_gone or house.is_closed, life.delay_s)
    if house.is_closed or life.is_gone:
        return
    if not life.gave_up and again(house, life):
        return  # it has begun another run, which may be over by now
    if life.state is State.RESTARTING:
        _stay_down(house, life)


def _stay_down(house: House, life: Life) -> None:
    life.stays_down()
    if house.kept(life.id).spec.auto_remove and not life.is_being_removed:
        voice = house.recorder.operation(life.story, "life")
        with life.only("remove", voice):
            bury(house, life, voice, has_volumes=True)


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
