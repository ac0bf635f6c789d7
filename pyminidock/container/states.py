"""The lives of a container, as a table: from which state which verb leads where.

    created ── start ──► running ◄── pause, unpause ──► paused
       │                  │   ▲ again                     │
       │             exit │   │                  retry    │ exit
       │                  ▼   └── restarting ◄── running ─┘
       │               exited ◄── exit, stop, kill ── restarting
       │                  │
       └───── remove ─────┴──► removing ──► (gone), or dead if something stays behind

What is paused or restarting counts as running: it is asked to end before it is removed.  A
verb that a state does not know is refused, in Docker's words and with Docker's status; two
verbs that ask for what is already so are answered "nothing to do" (304), which clients take
for success.  The picture in the lesson is drawn from this table.

Source: moby, container/state.go and daemon/{start,stop,kill,pause,delete,exec}.go; the
statuses and texts were measured with dockerd 26.1.5.
"""

from collections.abc import Mapping
from enum import Enum

from pyminidock.errors import MinidockError


class State(Enum):
    """What a container is; the value is Docker's word."""

    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    RESTARTING = "restarting"
    EXITED = "exited"
    REMOVING = "removing"
    DEAD = "dead"


class Verb(Enum):
    """What is done to a container, or, from AGAIN on, what it does by itself."""

    START = "start"
    EXEC = "exec"
    ATTACH = "attach"
    RESIZE = "resize"
    KILL = "kill"
    STOP = "stop"
    PAUSE = "pause"
    UNPAUSE = "unpause"
    REMOVE = "remove"
    AGAIN = "again"  # its restart policy starts it
    RETRY = "retry"  # its program ended, and its restart policy will start it again
    EXIT = "exit"  # its program ended, or its restart policy gave up
    FAIL = "fail"  # a start that was undone, or a removal that could not be finished


TABLE: Mapping[State, Mapping[Verb, State]] = {
    State.CREATED: {
        Verb.START: State.RUNNING,
        Verb.FAIL: State.CREATED,
        Verb.REMOVE: State.REMOVING,
    },
    State.RUNNING: {
        Verb.EXEC: State.RUNNING,
        Verb.ATTACH: State.RUNNING,
        Verb.RESIZE: State.RUNNING,
        Verb.KILL: State.RUNNING,  # it ends when it ends: EXIT follows
        Verb.STOP: State.RUNNING,
        Verb.PAUSE: State.PAUSED,
        Verb.EXIT: State.EXITED,
        Verb.RETRY: State.RESTARTING,
    },
    State.PAUSED: {
        Verb.RESIZE: State.PAUSED,
        Verb.KILL: State.PAUSED,  # the signal waits until it is thawed
        Verb.STOP: State.PAUSED,
        Verb.UNPAUSE: State.RUNNING,
        Verb.EXIT: State.EXITED,
        Verb.RETRY: State.RESTARTING,
    },
    State.RESTARTING: {
        Verb.KILL: State.RESTARTING,  # no program is there to hear it; EXIT follows
        Verb.STOP: State.RESTARTING,
        Verb.AGAIN: State.RUNNING,
        Verb.EXIT: State.EXITED,
    },
    State.EXITED: {
        Verb.START: State.RUNNING,
        Verb.FAIL: State.EXITED,
        Verb.REMOVE: State.REMOVING,
    },
    State.REMOVING: {Verb.FAIL: State.DEAD},
    State.DEAD: {Verb.REMOVE: State.REMOVING},
}

ALIVE = frozenset({State.RUNNING, State.PAUSED, State.RESTARTING})
"""What Docker calls running."""

_ALREADY_SO = {
    *((state, Verb.START) for state in (State.RUNNING, State.RESTARTING)),
    *((state, Verb.STOP) for state in State if state not in ALIVE),
}


class VerbRefused(MinidockError):
    """The container is in a state that does not know this verb."""

    status = 409


class NothingToDo(MinidockError):
    """What was asked for is so already."""

    status = 304


_WAIT = "wait until the container is running"
_STOP_FIRST = ": stop the container before removing or force remove"


class NotPaused(MinidockError):
    """Only what was paused can go on; to Docker that is no conflict but a fault."""

    status = 500


def after(state: State, verb: Verb, *, name: str, container_id: str) -> State:
    """Give the state that `verb` leads to; `name` is how the client calls the container.

    Raises VerbRefused, NotPaused, NothingToDo.

    >>> after(State.CREATED, Verb.START, name="web", container_id="ab").value
    'running'
    >>> after(State.EXITED, Verb.EXEC, name="web", container_id="ab")
    Traceback (most recent call last):
    ...
    pyminidock.container.states.VerbRefused: container ab is not running
    """
    if verb in TABLE[state]:
        return TABLE[state][verb]
    if (state, verb) in _ALREADY_SO:
        raise NothingToDo(
            f"container {name} is {state.value}",
            why=f"{verb.value} leads to where it is",
            try_next="minidock ps --all",
            lesson="lifecycle",
        )
    refusal = NotPaused if verb is Verb.UNPAUSE else VerbRefused
    raise refusal(
        _refusal(state, verb, name, container_id),
        why=f"a container that is {state.value} knows "
        f"{', '.join(known.value for known in TABLE[state])} only",
        try_next=_way_out(state, verb, name),
        lesson="lifecycle",
    )


def _refusal(  # noqa: PLR0911  (one sentence per line)
    state: State, verb: Verb, name: str, container_id: str
) -> str:
    """Word it as Docker does."""
    match verb:
        case Verb.REMOVE if state is State.REMOVING:
            return f"removal of container {name} is already in progress"
        case Verb.REMOVE:
            way = " and must be unpaused first" if state is State.PAUSED else _STOP_FIRST
            return f'cannot remove container "/{name}": container is {state.value}{way}'
        case Verb.START if state is State.PAUSED:
            return "cannot start a paused container, try unpause instead"
        case Verb.START:
            return "container is marked for removal and cannot be started"
        case Verb.UNPAUSE:
            return f"Container {container_id} is not paused"
        case Verb.PAUSE if state is State.PAUSED:
            return f"Container {container_id} is already paused"
        case Verb.EXEC if state is State.PAUSED:
            return f"Container {name} is paused, unpause the container before exec"
        case Verb.ATTACH if state is State.PAUSED:
            return f"container {name} is paused, unpause the container before attach"
        case Verb.ATTACH if state is State.RESTARTING:
            return f"container {name} is restarting, {_WAIT}"
        case Verb.PAUSE | Verb.EXEC if state is State.RESTARTING:
            return f"Container {container_id} is restarting, {_WAIT}"
        case Verb.ATTACH:
            return "You cannot attach to a stopped container, start it first"
        case _:
            return f"container {container_id} is not running"


def _way_out(state: State, verb: Verb, name: str) -> str:
    if state is State.PAUSED:
        return f"minidock unpause {name}"
    if state in (State.RUNNING, State.RESTARTING):
        return f"minidock {'stop' if verb is Verb.PAUSE else 'rm --force'} {name}"
    if state in (State.REMOVING, State.DEAD):
        return "minidock ps --all"
    if verb is Verb.EXEC:
        return f"minidock start {name} && minidock exec {name} sh"
    return f"minidock start {name}"
