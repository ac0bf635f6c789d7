"""What a container does when it is told to: the same answers, states and events as Docker.

Every verb is tried in every state, by the raw API; then stories of several verbs are told
to both engines, and what they announce is compared in its order.
"""

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest

from tests.compat.sides import Side, Sides, together
from tests.reference import wait_until

pytestmark = pytest.mark.compat

PATIENCE_S = 60.0
PATIENCE_WITH_ALL_S = 240.0  # five hundred starts on a machine that has others to serve
# Ends at TERM with 5, says so at HUP, and looks for signals every twentieth of a second.
POLITE = "trap 'exit 5' TERM; trap 'echo hup' HUP; echo up; while :; do sleep 0.05; done"
SLOW = "trap 'sleep 1; exit 5' TERM; echo up; while :; do sleep 0.05; done"
DEAF = "trap '' TERM; echo up; while :; do sleep 0.05; done"


# ── The table: each verb in each state ───────────────────────────────────────────────────

REQUESTS = [
    "POST start", "POST stop", "POST stop?t=0", "POST stop?signal=NONSENSE",
    "POST stop?signal=99", "POST stop?t=soon", "POST kill", "POST kill?signal=WINCH",
    "POST kill?signal=SIGRTMIN%2B3", "POST kill?signal=rtmax-1",
    "POST kill?signal=NONSENSE",
    "POST kill?signal=0", "POST kill?signal=-1", "POST kill?signal=33",
    "POST kill?signal=65", "POST kill?signal=", "POST pause", "POST unpause",
    "POST restart?t=0", "POST restart?signal=NONSENSE", "POST restart?t=soon",
    "POST exec", "DELETE", "DELETE?link=1", "DELETE?v=1", "DELETE?force=1",
    "POST rename", "POST rename?name=", "POST rename?name=b@d", "POST rename?name=x",
    "POST rename?name=SELF", "POST rename?name=/SELF", "POST rename?name=taken",
    "POST rename?name=/SELF-2", "POST wait?condition=never",
]  # fmt: skip
STATES = ["created", "running", "paused", "restarting", "exited", "missing"]
# Docker's rename forgets a sandbox that a container between two runs does not have.
UNLIKE = {("restarting", "POST rename?name=/SELF-2")}
TABLE = [
    (state, request)
    for state in STATES
    for request in REQUESTS
    if (state, request) not in UNLIKE
]


def name_of(state: str, request: str) -> str:
    return re.sub("[^a-z0-9]+", "-", f"t-{state}-{REQUESTS.index(request)}")


@pytest.fixture(scope="module")
def stage(sides: Sides) -> Iterator[Sides]:
    """Both engines, with a container for each cell of the table that is between two runs.

    All go round and round together, so that after some turns each rests for long enough.
    """
    names = [name_of(state, request) for state, request in TABLE if state == "restarting"]
    for side in sides:
        side.make("taken")
        for name in names:
            side.make(
                name, starts=True, Cmd=["false"],
                HostConfig={"RestartPolicy": {"Name": "always"}},
            )  # fmt: skip
    for side in sides:
        for name in names:
            wait_until(partial(rests, side, name), PATIENCE_WITH_ALL_S, f"{name} to rest")
    yield sides
    for side in sides:
        side.remove("taken", *names)


def rests(side: Side, name: str) -> bool:
    """Say whether a container has been started so often that it rests for seconds."""
    told = side.ask("GET", f"/containers/{name}/json").json
    return bool(told["State"]["Restarting"]) and told["RestartCount"] >= 7


@pytest.mark.parametrize(("state", "request_"), TABLE)
def test_a_verb_in_a_state_is_answered_as_by_docker(
    stage: Sides, state: str, request_: str
) -> None:
    theirs, ours = together(lambda side: in_state(side, state, request_), stage)
    if (state, request_) == ("restarting", "POST restart?t=0"):
        theirs, ours = theirs[:2], ours[:2]  # the run that follows ends at once
    assert ours == theirs


def in_state(side: Side, state: str, request: str) -> tuple[object, ...]:
    """Ask for something in a state; give the answer, and what became of the container."""
    name = name_of(state, request)
    made = brought(side, name, state)
    verb, _, rest = request.partition(" ")
    method, _, query = verb.partition("?")
    path = f"/{rest}" if rest else f"?{query}" if query else ""
    body = {"Cmd": ["true"]} if rest == "exec" else None
    told = side.ask(method, f"/containers/{name}{path.replace('SELF', name)}", body)
    if state == "paused" and request.startswith("POST kill") and told.status < 400:
        thaws(side, name)
    if (state, request) == ("paused", "POST unpause"):
        side.hears(name)
    after = side.ask("GET", f"/containers/{made or name}/json")
    became = after.json.get("State", {}) if after.status == 200 else {}
    shown = [became.get(key) for key in ("Status", "Running", "Paused", "Restarting")]
    if became.get("Restarting") is False and became.get("Running") is True:
        shown.append("with a program" if became["Pid"] else "without one")
    side.remove(made or name)
    words = told.body.decode()
    if words.startswith("{"):
        words = str({k: v for k, v in told.json.items() if k != "Id"})
    return told.status, re.sub("[0-9a-f]{64}", "ID", words), shown, after.status


def thaws(side: Side, name: str) -> None:
    """Wait until it stands still no longer: Docker hears of it from containerd, later."""

    def goes_on() -> bool:
        return not side.ask("GET", f"/containers/{name}/json").json["State"]["Paused"]

    wait_until(goes_on, PATIENCE_S, f"{name} to go on")


def brought(side: Side, name: str, state: str) -> str:
    """Bring a container into a state; give its id."""
    match state:
        case "missing":
            return ""
        case "restarting":
            wait_until(lambda: rests(side, name), PATIENCE_S, f"{name} to rest")
            return str(side.ask("GET", f"/containers/{name}/json").json["Id"])
        case "created":
            return side.make(name)
        case "exited":
            made = side.make(name, starts=True)
            assert side.ask("POST", f"/containers/{name}/kill").status == 204
            return made
        case _:
            made = side.make(name, starts=True)
            if state == "paused":
                assert side.ask("POST", f"/containers/{name}/pause").status == 204
            return made


# ── Stories: what is announced, in which order ───────────────────────────────────────────


class Told:
    """One container of one engine, and what its engine announces of it."""

    def __init__(self, side: Side, name: str) -> None:
        self.side, self.name = side, name

    def make(self, script: str = POLITE, **config: Any) -> None:
        """Make it and start it; a script that lives has said so before this returns."""
        self.side.make(self.name, starts=True, Cmd=["sh", "-c", script], **config)
        if "echo up" in script:
            self.is_up()

    def is_up(self, times: int = 1) -> None:
        """Wait until its program has said so many times that it can hear signals."""
        wait_until(
            lambda: self.docker("logs").stdout.count(b"up\n") >= times, PATIENCE_S, "it"
        )

    def ask(self, path: str, method: str = "POST") -> int:
        """Ask for something; give the status."""
        return self.side.ask(method, f"/containers/{self.name}{path}").status

    def docker(self, verb: str, *words: str) -> Any:
        """Do something by the command line."""
        return self.side.docker(verb, *words, self.name)

    def inspect(self) -> Any:
        """Give what is known of it."""
        return self.side.ask("GET", f"/containers/{self.name}/json").json

    def becomes(self, status: str) -> None:
        """Wait until it is so."""
        wait_until(lambda: self.inspect()["State"]["Status"] == status, PATIENCE_S, status)

    def together(self, *deeds: Callable[[], object]) -> None:
        """Do several things at once."""
        threads = [threading.Thread(target=deed) for deed in deeds]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()

    def announced(self, *, past: str = "") -> list[str]:
        """Give the events; a `stop` is before the `die` that it brought.

        Docker tells them from two threads, and now and then the other way round.  It wakes
        who waits for an end before it tells the end, both under the container's lock, which
        an inspect has to wait for.
        """
        self.ask("/json", "GET")
        filters = quote(json.dumps({"container": [self.name]}))
        told = self.side.ask(
            "GET", f"/events?since=1&until={now(self.side)}&filters={filters}"
        )
        rows = [json.loads(line) for line in told.body.decode().splitlines()]
        words = [word(row) for row in rows if row["Type"] == "container"]
        return in_order([each for each in words if each != past])


def now(side: Side) -> str:
    """Give a moment that is later than everything so far."""
    import time  # noqa: PLC0415  (here alone)

    return f"{time.time():.9f}"


def word(row: Any) -> str:
    """Spell an event."""
    extra = [row["Actor"]["Attributes"].get(key) for key in ("signal", "exitCode")]
    return " ".join([row["Action"], *(each for each in extra if each)])


def in_order(words: list[str]) -> list[str]:
    """Let each `die` come after the stops that stand right behind it."""
    for place in range(len(words) - 1):
        if words[place].startswith("die") and words[place + 1] == "stop":
            words[place : place + 2] = reversed(words[place : place + 2])
    return words


def stopped(told: Told) -> object:
    told.make()
    return told.ask("/stop")


def stopped_though_deaf(told: Told) -> object:
    told.make(DEAF)
    return told.ask("/stop?t=1"), told.inspect()["State"]["ExitCode"]


def stopped_at_once(told: Told) -> object:
    told.make(DEAF)
    return told.ask("/stop?t=0"), told.inspect()["State"]["ExitCode"]


def stopped_in_its_own_way(told: Told) -> object:
    told.make(POLITE.replace("TERM", "USR1"), StopSignal="USR1", StopTimeout=1)
    return told.ask("/stop"), told.inspect()["State"]["ExitCode"]


def stopped_in_another_way(told: Told) -> object:
    told.make(POLITE.replace("TERM", "USR1"), StopTimeout=1)
    return told.ask("/stop?signal=SIGUSR1"), told.inspect()["State"]["ExitCode"]


def stopped_with_no_signal(told: Told) -> object:
    told.make()
    return told.ask("/stop?signal=99"), told.inspect()["State"]["ExitCode"]


def stopped_by_many(told: Told) -> object:
    told.make(SLOW)  # all have asked before it ends
    answers: list[int] = []
    told.together(*[lambda: answers.append(told.ask("/stop"))] * 4)
    return answers, len(set(told.announced()) & {"kill 15", "stop", "die 5"})


def killed_while_stopping(told: Told) -> object:
    told.make(DEAF)
    answers: list[int] = []

    def kill() -> None:
        wait_until(lambda: "kill 15" in told.announced(), PATIENCE_S, "the stop")
        answers.append(told.ask("/kill"))

    told.together(lambda: answers.append(told.ask("/stop?t=-1")), kill)
    return answers


def removed_while_stopping(told: Told) -> object:
    told.make(DEAF)
    answers: list[int] = []

    def remove() -> None:
        wait_until(lambda: "kill 15" in told.announced(), PATIENCE_S, "the stop")
        answers.append(told.ask("?force=1", "DELETE"))

    told.together(lambda: answers.append(told.ask("/stop?t=-1")), remove)
    return sorted(answers)


def paused_and_stopped(told: Told) -> object:
    told.make()
    return told.ask("/pause"), told.ask("/stop")


def paused_and_killed(told: Told) -> object:
    told.make()
    return told.ask("/pause"), told.ask("/kill"), told.inspect()["State"]["ExitCode"]


def paused_and_spoken_to(told: Told) -> object:
    told.make()
    answers = told.ask("/pause"), told.ask("/kill?signal=HUP")
    told.becomes("running")
    return *answers, told.ask("/stop")


def paused_and_spoken_to_with_another_signal(told: Told) -> object:
    told.make(StopSignal="TERM")
    answers = told.ask("/pause"), told.ask("/kill?signal=HUP"), told.inspect()["State"]
    return *answers[:2], answers[2]["Paused"], told.ask("/unpause"), told.ask("/stop")


def paused_and_restarted(told: Told) -> object:
    told.make()
    answers = told.ask("/pause"), told.ask("/restart")
    told.is_up(2)
    return answers


def paused_and_removed(told: Told) -> object:
    told.make()
    return told.ask("/pause"), told.ask("", "DELETE"), told.ask("?force=1", "DELETE")


def restarted_twice_at_once(told: Told) -> object:
    told.make()
    answers: list[int] = []
    told.together(*[lambda: answers.append(told.ask("/restart"))] * 2)
    told.is_up(2)
    return answers


def restarted_and_kept(told: Told) -> object:
    told.make(HostConfig={"AutoRemove": True})
    answers = [told.ask("/restart")]
    told.is_up(2)
    answers.append(told.ask("/stop"))
    wait_until(lambda: "destroy" in told.announced(), PATIENCE_S, "it to go")
    return *answers, told.ask("/json", "GET")


def renamed(told: Told) -> object:
    told.make()
    answers = told.ask(f"/rename?name={told.name}-2"), told.ask("/json", "GET")
    told.name += "-2"
    return *answers, told.inspect()["Name"] == f"/{told.name}", told.ask("/kill")


def looped(told: Told, **policy: object) -> None:
    told.make("exit 3", HostConfig={"RestartPolicy": policy})


def tried_three_times(told: Told) -> object:
    looped(told, Name="on-failure", MaximumRetryCount=2)
    told.becomes("exited")
    return told.inspect()["RestartCount"], told.inspect()["State"]["ExitCode"]


def not_tried_after_success(told: Told) -> object:
    told.make("exit 0", HostConfig={"RestartPolicy": {"Name": "on-failure"}})
    told.becomes("exited")
    return told.inspect()["RestartCount"]


def started_by_hand_after_it_gave_up(told: Told) -> object:
    looped(told, Name="on-failure", MaximumRetryCount=1)
    told.becomes("exited")
    answer = told.ask("/start")
    told.becomes("exited")
    return answer, told.inspect()["RestartCount"]


def stopped_for_good(told: Told) -> object:
    told.make(HostConfig={"RestartPolicy": {"Name": "always"}})
    return told.ask("/stop"), told.inspect()["State"]["Status"]


def spoken_to_and_killed_from_inside(told: Told, **config: Any) -> str:
    """Send HUP, which is no stop, and let the program end by itself afterwards."""
    told.make(POLITE.replace("echo hup", "exit 6"), **config)
    assert told.ask("/kill?signal=HUP") == 204
    wait_until(lambda: "die 6" in told.announced(), PATIENCE_S, "its end")
    if (
        config.get("StopSignal")
        and config["HostConfig"]["RestartPolicy"]["Name"] == "always"
    ):
        told.is_up(2)
    return str(told.inspect()["State"]["Status"])


def always(told: Told) -> object:
    return spoken_to_and_killed_from_inside(
        told, HostConfig={"RestartPolicy": {"Name": "always"}}
    )


def always_with_a_stop_signal(told: Told) -> object:
    return spoken_to_and_killed_from_inside(
        told, StopSignal="TERM", HostConfig={"RestartPolicy": {"Name": "always"}}
    )


def unless_stopped_with_a_stop_signal(told: Told) -> object:
    return spoken_to_and_killed_from_inside(
        told, StopSignal="TERM", HostConfig={"RestartPolicy": {"Name": "unless-stopped"}}
    )


def refused_to_start_and_to_start_again(told: Told) -> object:
    told.side.make(
        told.name, Cmd=["nosuch"], HostConfig={"RestartPolicy": {"Name": "always"}}
    )
    answer, state = told.ask("/start"), told.inspect()["State"]
    return answer, state["Status"], state["ExitCode"], told.inspect()["RestartCount"]


def out_of_memory(told: Told) -> object:
    told.make(
        "exec tail /dev/zero", HostConfig={"Memory": 16 << 20, "MemorySwap": 16 << 20}
    )
    told.becomes("exited")
    state = told.inspect()["State"]
    return state["ExitCode"], state["OOMKilled"]


def out_of_memory_and_going_on(told: Told) -> object:
    told.make(
        "tail /dev/zero; exit 4", HostConfig={"Memory": 16 << 20, "MemorySwap": 16 << 20}
    )
    told.becomes("exited")
    state = told.inspect()["State"]
    return state["ExitCode"], state["OOMKilled"]


STORIES = [
    out_of_memory, out_of_memory_and_going_on,
    stopped, stopped_though_deaf, stopped_at_once, stopped_in_its_own_way,
    stopped_in_another_way, stopped_with_no_signal, stopped_by_many, killed_while_stopping,
    removed_while_stopping, paused_and_stopped, paused_and_killed, paused_and_spoken_to,
    paused_and_spoken_to_with_another_signal, paused_and_restarted, paused_and_removed,
    restarted_twice_at_once, restarted_and_kept, renamed, tried_three_times,
    not_tried_after_success, started_by_hand_after_it_gave_up, stopped_for_good, always,
    always_with_a_stop_signal, unless_stopped_with_a_stop_signal,
    refused_to_start_and_to_start_again,
]  # fmt: skip
# Whose signals come too late depends on the moment, so how many there are may differ.
UNCOUNTED = (stopped_by_many, restarted_twice_at_once)


@pytest.mark.parametrize("story", STORIES)
def test_a_story_is_told_as_docker_tells_it(
    sides: Sides, story: Callable[[Told], object]
) -> None:
    outcomes = []
    for side in sides:
        told = Told(side, f"s-{story.__name__.replace('_', '-')}")
        try:
            outcomes.append((story(told), told.announced(past="top")))
        finally:
            side.remove(told.name, told.name.removesuffix("-2"))
    (theirs, announced), (ours, heard) = outcomes
    assert ours == theirs
    if story in UNCOUNTED:
        announced, heard = list(dict.fromkeys(announced)), list(dict.fromkeys(heard))
    if story is paused_and_spoken_to_with_another_signal:
        # Docker may hear from containerd of a pause that is over, and take it for a new one
        announced = list(dict.fromkeys(announced))
    assert heard == announced


# ── Waiting ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("condition", ["", "not-running", "next-exit"])
def test_waiting_is_answered_at_the_end_with_its_status(
    sides: Sides, condition: str
) -> None:
    outcomes = []
    for side in sides:
        told, answers = Told(side, "w-end"), list[Any]()
        told.make()
        path = f"/containers/w-end/wait?condition={condition}"
        told.together(
            lambda s=side, p=path, a=answers: a.append(s.ask("POST", p).json),  # type: ignore[misc]
            lambda t=told: t.ask("/stop"),  # type: ignore[misc]
        )
        side.remove("w-end")
        outcomes.append(answers)
    assert outcomes[0] == outcomes[1]


def test_waiting_for_what_runs_again_is_answered_at_each_end(sides: Sides) -> None:
    outcomes = []
    for side in sides:
        told = Told(side, "w-loop")
        told.make("exit 3", HostConfig={"RestartPolicy": {"Name": "always"}})
        outcomes.append([
            side.ask("POST", "/containers/w-loop/wait?condition=next-exit").json,
            side.ask("POST", "/containers/w-loop/wait").json,
        ])  # fmt: skip
        side.remove("w-loop")
    assert outcomes[0] == outcomes[1]


def test_waiting_for_a_removal_ends_with_it(sides: Sides) -> None:
    outcomes = []
    for side in sides:
        told, answers = Told(side, "w-gone"), list[Any]()
        told.make()
        told.together(
            lambda s=side, a=answers: a.append(  # type: ignore[misc]
                s.ask("POST", "/containers/w-gone/wait?condition=removed").json
            ),
            lambda t=told: t.ask("?force=1", "DELETE"),  # type: ignore[misc]
        )
        outcomes.append(answers)
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("condition", ["not-running", "next-exit", "removed"])
def test_who_says_that_no_more_will_come_is_let_go(sides: Sides, condition: str) -> None:
    outcomes = []
    for side in sides:
        side.make("w-half", starts=True)
        line = socket.socket(socket.AF_UNIX)
        line.settimeout(PATIENCE_S)
        line.connect(str(side.socket))
        line.sendall(
            f"POST /v1.45/containers/w-half/wait?condition={condition} HTTP/1.1\r\n"
            "Host: docker\r\nContent-Length: 0\r\n\r\n".encode()
        )
        line.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: line.recv(4096), b""))  # noqa: B023  (this turn's)
        line.close()
        side.remove("w-half")
        outcomes.append(answer.partition(b"\r\n\r\n")[2])
    assert outcomes[0] == outcomes[1]
    assert b"context canceled" in outcomes[1]
