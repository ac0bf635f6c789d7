"""What a new engine does first: look after everything that an earlier one left.

    record      shim    so the container                     and therefore
    any         yes     lives, or its exit record waits      is adopted
    running     no      lost its shim with the last engine   has exited, 137
    starting    no      was half-born                        is as it was before; told
                                                             (--rm: removed)
    exited      no      has ended                            started, if its policy says so
    created     no      never began                          nothing
    of a build  either  works for nobody any more            killed and removed
    damaged     –       cannot be known                      quarantine, with the reason
    none        –       was being created or removed         removed
    (store)     –       blobs, trees, rows half there        as `store.opening` says
    (network)   –       a bridge that is gone, of one who lives     made again
    (network)   –       a device of ours that nobody owns           removed
    (no more)   –       an account above those of containers closed

Doing it twice does nothing the second time.  Each deed is an event, of the story to which
it belongs or of the story `engine`.
"""

from contextlib import suppress
from dataclasses import astuple, replace
from pathlib import Path
from signal import SIGKILL
from threading import Thread

from pyminidock.container.plan import end_plan, leave_plan, thaw_plan
from pyminidock.container.spec import RecordDamaged, from_json
from pyminidock.container.states import Verb
from pyminidock.engine import (
    execs,
    introducing,
    publishing,
    replugging,
    rulekeeping,
    volumemounts,
    watch,
)
from pyminidock.engine.burying import bury
from pyminidock.engine.ending import attend
from pyminidock.engine.filling import finish_fills
from pyminidock.engine.house import House, Kept
from pyminidock.engine.lives import Life
from pyminidock.engine.restarts import wants_again
from pyminidock.engine.starting import start_again, start_anew
from pyminidock.engine.stillness import stands_for_a_copy
from pyminidock.engine.voice import Voice
from pyminidock.errors import MinidockError
from pyminidock.events import ContainerExited, Event, OrphanRemoved, StoreRepaired, ignore
from pyminidock.kernel.port import SHIM_LOST, CallFailed, ExitStatus, Process, ProcessGone
from pyminidock.layers import snapshots

STORY = "engine"
_SHIM_FILES = ("shim.sock", "shim.json", "shim.json.tmp", "shim.log", "exit.json")


def reconcile(house: House) -> None:
    """Adopt what lives, finish what was begun, remove what nobody owns."""
    told = _Told(house)
    wall = house.kernel.wall()
    for repair in house.store.repairs:
        told.say(StoreRepaired(*astuple(repair)))
    for name in finish_fills(house):
        why = "the image's files were on their way into it"
        told.say(StoreRepaired("ended", "volume", name, why))
    for aside in house.records.load(wall):
        told.orphan("record", f"{aside.path}: {aside.reason}")
    for path in house.records.strays():  # first: nobody is writing yet
        snapshots.remove_tree(path)
        told.orphan("file", path.name)
    found: list[Kept] = []
    for content in house.records.all():
        try:
            kept = from_json(Kept, {key: content[key] for key in content if key != "v"})
        except RecordDamaged as damage:
            aside = house.records.set_aside(content["id"], damage.what, wall)
            told.orphan("record", f"{aside.path}: {aside.reason}")
        else:
            found.append(kept)
    for kept in found:  # before anything is started that might take their addresses
        replugging.expect(house, kept)
    volumemounts.take_over(house, found)
    over = [each for kept in found if (each := _take_over(house, kept))]
    for life, voice in over:  # by now it is known who else has their volumes
        bury(house, life, voice, has_volumes=True)
    for name in replugging.tidy(house):
        told.orphan("network device", name)
    rulekeeping.take_over(house)
    if not house.lives():
        # The last engine may have died between the end of its last container and its own.
        with suppress(CallFailed):  # it stays until the next start of an engine
            house.kernel.perform(leave_plan(str(house.root), house.machine), emit=ignore)
    told.end()


class _Told:
    """The story of the engine itself; it begins when there is something to tell."""

    def __init__(self, house: House) -> None:
        self._house, self._voice = house, None

    _voice: Voice | None

    def orphan(self, what: str, name: str) -> None:
        """Tell that something of ours was found without an owner."""
        self.say(OrphanRemoved(what, name))

    def say(self, event: Event) -> None:
        """Tell what was put in order."""
        if self._voice is None:
            self._house.recorder.story(STORY, "the engine began")
            self._voice = self._house.recorder.operation(STORY, "reconcile")
        self._voice(event)

    def end(self) -> None:
        if self._voice is not None:
            self._house.recorder.end(STORY)


def _take_over(house: House, kept: Kept) -> tuple[Life, Voice] | None:
    """Look after one container; give it if it removes itself, as its program is over."""
    life = Life(kept.id, kept.name)
    life.story = kept.build or life.story
    verb = "build" if kept.build else f"run {kept.request.image}"
    house.recorder.story(life.story, verb)
    house.admit(kept, life)
    voice = house.recorder.operation(life.story, "reconcile")
    process = house.kernel.find(kept.spec.directory)
    if kept.build:
        replugging.forget(house, kept)
        _end_with_its_build(house, kept, process, voice)
        bury(house, life, voice)
        return None
    if process is not None:
        _adopt(house, life, process, voice)
        return None
    volumemounts.release(house, kept.spec.points, life.id)  # it may just have ended
    kept = replugging.forget(house, kept)
    _adopt_execs(house, life, voice)
    was_starting = kept.state == "starting"
    match kept.state:
        case "starting":
            kept = _undo_birth(house, kept, voice)
        case "running":
            kept = _note_end(house, kept, voice)
    if kept.finished:
        life.begins()
        life.ends(ExitStatus(kept.exit_code, finished=kept.finished, error=kept.error))
    elif kept.error:
        life.fails(kept.error, kept.exit_code)
    if kept.spec.auto_remove and (kept.finished or was_starting):
        return life, voice
    if kept.finished and wants_again(
        kept.spec.restart_policy, kept.spec.restart_retries, exit_code=kept.exit_code,
        restarts=kept.restarts, was_stopped=kept.was_stopped,
    ):  # fmt: skip
        Thread(
            target=start_anew, args=(house, life), name=f"again-{life.name}", daemon=True
        ).start()
    return None


def _adopt(house: House, life: Life, process: Process, voice: Voice) -> None:
    """Go on with a container that lives, whatever its policy is."""
    life.begins()
    life.lives(process)
    with suppress(ProcessGone):
        was_copied = stands_for_a_copy(house, life)
        if house.kernel.is_frozen(process):
            if was_copied:  # by a commit that died with its engine
                _thaw(house, house.kept(life.id))
            else:
                life.becomes(Verb.PAUSE)
    _adopt_execs(house, life, voice)
    publishing.restore(house, house.kept(life.id))
    replugging.repair(house, life, voice)
    introducing.adopted(house, life, process, voice)
    if house.kept(life.id).spec.watch:
        watch.adopt(house, life, house.kept(life.id).spec.directory)
    attend(house, life, start_again)


def _thaw(house: House, kept: Kept) -> None:
    """Let everybody go on: who is frozen cannot die."""
    with suppress(MinidockError):  # there is no such account any more
        house.kernel.perform(thaw_plan(kept.spec, house.machine), emit=ignore)


def _adopt_execs(house: House, life: Life, voice: Voice) -> None:
    """Look after second processes, whether their container lives or not."""
    for directory in sorted(house.directory(life.id).glob("exec-*")):
        execs.adopt(house, life, directory, voice)


def _end_with_its_build(
    house: House, kept: Kept, process: Process | None, voice: Voice
) -> None:
    """End a container of a RUN: the build that waited for it went with the last engine."""
    if process is not None:
        with suppress(ProcessGone):
            house.kernel.signal(process, SIGKILL)
        _thaw(house, kept)
        status = house.kernel.wait(process) or ExitStatus(137, SIGKILL)
        voice(ContainerExited(
            kept.id, status.code, status.signal, status.was_out_of_memory
        ))  # fmt: skip
        house.kernel.dismiss(process)
    house.kernel.perform(end_plan(kept.spec, house.machine), emit=voice)
    voice(OrphanRemoved("container of a build", kept.name))


def _undo_birth(house: House, kept: Kept, voice: Voice) -> Kept:
    """Take back what the last engine had begun; the newborn died with it."""
    house.kernel.perform(end_plan(kept.spec, house.machine), emit=voice)
    directory = Path(kept.spec.directory)
    for name in _SHIM_FILES:
        (directory / name).unlink(missing_ok=True)
    before = replace(kept, state="exited", pid=0)
    if not kept.finished:
        before = replace(before, state="created", started=0.0)
    if before.state == "created":
        snapshots.renew(directory, tuple(map(Path, kept.roots)), kept.snapshot)
    voice(OrphanRemoved("birth", kept.name))
    house.keep(before)
    return before


def _note_end(house: House, kept: Kept, voice: Voice) -> Kept:
    """Note the end of a container that no shim answers for any more.

    Its exit record may be there; without one its shim was killed, and it with its shim.
    """
    ghost = Process(kept.pid, 0, "", 0, kept.spec.directory)
    status = house.kernel.wait(ghost, 0.0) or ExitStatus(137, SIGKILL, error=SHIM_LOST)
    _thaw(house, kept)
    house.kernel.perform(end_plan(kept.spec, house.machine), emit=voice)
    voice(ContainerExited(kept.id, status.code, status.signal, status.was_out_of_memory))
    after = replace(
        kept, state="exited", pid=0, exit_code=status.code,
        finished=status.finished or house.kernel.wall(), error=status.error,
        was_out_of_memory=status.was_out_of_memory,
    )  # fmt: skip
    house.keep(after)
    return after
