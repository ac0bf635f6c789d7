"""The lives of a container, as a table: from which state which verb leads where.

    created ── start ──► running ── exit ──► exited ── start ──► running …
       │                                        │
       └────────────── remove ───────┬──────────┘
                                     ▼
                                 removing ──► (gone), or dead if something stays behind

A verb that a state does not know is refused, in Docker's words and with Docker's status;
two verbs that ask for what is already so are answered "nothing to do" (304), which clients
take for success.  The picture in the lesson is drawn from this table.

Source: moby, container/state.go and daemon/{start,kill,delete,exec}.go; the statuses and
texts were measured with dockerd 26.1.5.
"""

from collections.abc import Mapping
from enum import Enum

from pyminidock.errors import MinidockError


class State(Enum):
    """What a container is; the value is Docker's word."""

    CREATED = "created"
    RUNNING = "running"
    EXITED = "exited"
    REMOVING = "removing"
    DEAD = "dead"


class Verb(Enum):
    """What is done to a container, or, in the last two, what it does by itself."""

    START = "start"
    EXEC = "exec"
    ATTACH = "attach"
    KILL = "kill"
    STOP = "stop"
    REMOVE = "remove"
    EXIT = "exit"
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
        Verb.KILL: State.RUNNING,  # it ends when it ends: EXIT follows
        Verb.STOP: State.RUNNING,
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

_ALREADY_SO = {(State.RUNNING, Verb.START), (State.CREATED, Verb.STOP),
               (State.EXITED, Verb.STOP)}  # fmt: skip


class VerbRefused(MinidockError):
    """The container is in a state that does not know this verb."""

    status = 409


class NothingToDo(MinidockError):
    """What was asked for is so already."""

    status = 304


def after(state: State, verb: Verb, *, name: str, container_id: str) -> State:
    """Give the state that `verb` leads to.  Raises VerbRefused, NothingToDo.

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
    raise VerbRefused(
        _refusal(state, verb, name, container_id),
        why=f"a container that is {state.value} knows "
        f"{', '.join(known.value for known in TABLE[state])} only",
        try_next=_way_out(state, verb, name),
        lesson="lifecycle",
    )


def _refusal(state: State, verb: Verb, name: str, container_id: str) -> str:
    """Word it as Docker does."""
    if state is State.RUNNING and verb is Verb.REMOVE:
        return (
            f'cannot remove container "/{name}": container is running: stop the container '
            "before removing or force remove"
        )
    if state is State.REMOVING and verb is Verb.REMOVE:
        return f"removal of container {name} is already in progress"
    if state in (State.REMOVING, State.DEAD) and verb is Verb.START:
        return "container is marked for removal and cannot be started"
    if verb is Verb.ATTACH:
        return "You cannot attach to a stopped container, start it first"
    running = f"container {container_id} is not running"
    return f"cannot kill container: {name}: {running}" if verb is Verb.KILL else running


def _way_out(state: State, verb: Verb, name: str) -> str:
    if state is State.RUNNING:
        return f"minidock rm --force {name}"
    if state in (State.REMOVING, State.DEAD):
        return "minidock ps --all"
    if verb is Verb.EXEC:
        return f"minidock start {name} && minidock exec {name} sh"
    return f"minidock start {name}"
