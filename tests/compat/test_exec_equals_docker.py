"""Second processes are Docker's: their statuses, shapes, streams and events."""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.compat.hijack import UPGRADE, Given, equal, given, line, unframed
from tests.compat.sides import Side, Sides
from tests.reference import wait_until

pytestmark = pytest.mark.compat

PATIENCE_S = 60
OUT = {"AttachStdout": True, "AttachStderr": True}
SAY = ["sh", "-c", "echo out; sleep 0.2; echo err >&2; exit 3"]


@pytest.fixture
def both(sides: Sides) -> Iterator[Sides]:
    for side in sides:
        side.make("web", starts=True)
    yield sides
    for side in sides:
        side.remove("web")


def create(side: Side, **wish: Any) -> str:
    told = side.ask("POST", "/containers/web/exec", wish)
    assert told.status == 201, told
    return str(told.json["Id"])


def inspect(side: Side, exec_id: str) -> dict[str, Any]:
    told = dict(side.ask("GET", f"/exec/{exec_id}/json").json)
    return {key: told[key] for key in told if key not in ("ID", "ContainerID", "Pid")}


def over(side: Side, exec_id: str) -> None:
    """Wait for its end."""
    wait_until(
        lambda: inspect(side, exec_id)["ExitCode"] is not None, PATIENCE_S, "its end"
    )


def refused(side: Side, path: str, body: Mapping[str, Any]) -> tuple[int, str]:
    told = side.ask("POST", path, body)
    ids = [each["Id"] for each in side.ask("GET", "/containers/json?all=1").json]
    words = str(told.json.get("message", "")) if told.body else ""
    for each in ids:
        words = words.replace(each, "ID")
    return told.status, words


# ── Create ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "wish",
    [
        {}, {"Cmd": []}, {"Cmd": None}, {"Cmd": "true"}, {"Cmd": [1]},
        {"Cmd": ["true"], "DetachKeys": "bogus"}, {"Cmd": ["true"], "DetachKeys": "a,,b"},
        {"Cmd": ["true"], "Tty": 1}, {"Cmd": ["true"], "Env": "A"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["web", "nope"])
def test_a_wish_that_makes_no_sense_is_refused(
    both: Sides, name: str, wish: dict[str, Any]
) -> None:
    equal(both, lambda side: refused(side, f"/containers/{name}/exec", wish))


@pytest.mark.parametrize(
    "wish",
    [
        {"Cmd": ["true"]},
        {"Cmd": ["ls", "-l", "/"], **OUT},
        {"Cmd": ["cat"], "AttachStdin": True, "Tty": True, "DetachKeys": "a,ctrl-b"},
        {"Cmd": ["id"], "User": "1:2", "Privileged": True, "WorkingDir": "/var"},
    ],
)
def test_what_was_asked_for_is_shown(both: Sides, wish: dict[str, Any]) -> None:
    def ask(side: Side) -> tuple[dict[str, Any], int]:
        exec_id = create(side, **wish)
        ids = side.ask("GET", "/containers/web/json").json["ExecIDs"]
        assert ids == [exec_id]
        return inspect(side, exec_id), len(ids)

    equal(both, ask)


def test_the_user_of_the_container_is_shown(sides: Sides) -> None:
    def ask(side: Side) -> dict[str, Any]:
        side.make("web", starts=True, User="65534")
        told = inspect(side, create(side, Cmd=["true"]))
        side.remove("web")
        return told

    assert equal(sides, ask)["ProcessConfig"]["user"] == "65534"


@pytest.mark.parametrize("by_id", [False, True])
def test_neither_a_paused_nor_a_stopped_container_can_have_one(
    both: Sides, by_id: bool
) -> None:
    def ask(side: Side) -> list[tuple[int, str]]:
        container = side.ask("GET", "/containers/web/json").json["Id"]
        path = f"/containers/{container if by_id else 'web'}/exec"
        exec_id = create(side, Cmd=["true"])
        side.ask("POST", "/containers/web/pause")
        told = [refused(side, path, {"Cmd": ["true"]})]
        told.append(refused(side, f"/exec/{exec_id}/start", {"Detach": True}))
        side.ask("POST", "/containers/web/unpause")
        side.ask("POST", "/containers/web/kill")
        wait_until(
            lambda: not side.ask("GET", "/containers/web/json").json["State"]["Running"],
            PATIENCE_S, "its end",
        )  # fmt: skip
        return [*told, refused(side, path, {"Cmd": ["true"]})]

    equal(both, ask)


# ── Start ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("headers", [{}, UPGRADE])
@pytest.mark.parametrize("version", ["v1.45", "v1.41"])
@pytest.mark.parametrize("start_tty", [False, True])
@pytest.mark.parametrize("tty", [False, True])
def test_its_output_comes_as_whoever_starts_it_says(
    both: Sides, tty: bool, start_tty: bool, version: str, headers: dict[str, str]
) -> None:
    def ask(side: Side) -> Given:
        exec_id = create(side, Cmd=SAY, Tty=tty, **OUT)
        path, body = f"/exec/{exec_id}/start", {"Tty": start_tty}
        return given(side, path, body, version=version, headers=headers)

    equal(both, ask)


@pytest.mark.parametrize(
    "chosen", [{}, {"AttachStdout": True}, {"AttachStderr": True}, OUT]
)
def test_what_was_chosen_is_sent(both: Sides, chosen: dict[str, bool]) -> None:
    def ask(side: Side) -> tuple[Given, dict[str, Any]]:
        exec_id = create(side, Cmd=SAY, **chosen)
        told = given(side, f"/exec/{exec_id}/start", {})
        over(side, exec_id)
        return told, inspect(side, exec_id)

    equal(both, ask)


@pytest.mark.parametrize("detach", [False, True])
@pytest.mark.parametrize(
    "wish",
    [
        {"Cmd": ["nope"]}, {"Cmd": ["/nope"]}, {"Cmd": ["/etc/passwd"]}, {"Cmd": ["/etc"]},
        {"Cmd": ["true"], "User": "nobodyx"}, {"Cmd": ["true"], "User": "0:nogroupx"},
        {"Cmd": ["true"], "WorkingDir": "/nowhere"}, {"Cmd": [""]},
        {"Cmd": ["nope"], "Tty": True},
    ],
)  # fmt: skip
def test_what_cannot_be_started_says_so_and_is_126(
    both: Sides, wish: dict[str, Any], detach: bool
) -> None:
    def ask(side: Side) -> tuple[object, dict[str, Any]]:
        exec_id = create(side, **wish, **OUT)
        body = {"Detach": detach, "Tty": wish.get("Tty", False)}
        path = f"/exec/{exec_id}/start"
        told = refused(side, path, body) if detach else given(side, path, body)
        return told, inspect(side, exec_id)

    _, shown = equal(both, ask)
    assert shown["ExitCode"] == 126


@pytest.mark.parametrize("detach", [False, True])
def test_it_is_started_once(both: Sides, detach: bool) -> None:
    def ask(side: Side) -> list[object]:
        exec_id = create(side, Cmd=["sleep", "1000"], **OUT)
        path, body = f"/exec/{exec_id}/start", {"Detach": detach}
        side.ask("POST", path, {"Detach": True})
        again = refused(side, path, body) if detach else given(side, path, body).body
        done = create(side, Cmd=["true"], **OUT)
        given(side, f"/exec/{done}/start", {})
        over(side, done)
        path = f"/exec/{done}/start"
        rerun = refused(side, path, body) if detach else given(side, path, body).body
        return [
            str(each).replace(exec_id, "ID").replace(done, "ID") for each in (again, rerun)
        ]

    equal(both, ask)


@pytest.mark.parametrize("verb", ["start", "resize?h=1&w=1", "json"])
def test_an_unknown_one_is_not_found(both: Sides, verb: str) -> None:
    def ask(side: Side) -> tuple[int, Any]:
        method = "GET" if verb == "json" else "POST"
        told = side.ask(method, f"/exec/nope/{verb}", {} if method == "POST" else None)
        return told.status, told.json

    assert equal(both, ask) == (404, {"message": "No such exec instance: nope"})


def test_a_start_needs_no_body(both: Sides) -> None:
    def ask(side: Side) -> Given:
        return given(side, f"/exec/{create(side, Cmd=['echo', 'hi'], **OUT)}/start")

    assert unframed(equal(both, ask).body) == {1: b"hi\n"}


@pytest.mark.parametrize("body", [{"Detach": 1}, {"Tty": "a"}, {"ConsoleSize": [1, "a"]}])
def test_a_start_that_cannot_be_read_is_refused(both: Sides, body: dict[str, Any]) -> None:
    equal(
        both, lambda side: refused(side, f"/exec/{create(side, Cmd=['true'])}/start", body)
    )


@pytest.mark.parametrize("at_start", [None, [13, 14]])
@pytest.mark.parametrize("at_create", [None, [11, 22]])
def test_its_terminal_has_the_size_that_was_said_last(
    both: Sides, at_create: list[int] | None, at_start: list[int] | None
) -> None:
    def ask(side: Side) -> bytes:
        wish = {"Cmd": ["stty", "size"], "Tty": True, "ConsoleSize": at_create, **OUT}
        body = {"Tty": True, "ConsoleSize": at_start}
        return given(side, f"/exec/{create(side, **wish)}/start", body).body

    equal(both, ask)


# ── Streams, and the end ─────────────────────────────────────────────────────────────────


def test_what_is_typed_reaches_it_and_ends(both: Sides) -> None:
    data = b"x" * (2 << 20)

    def ask(side: Side) -> tuple[dict[int, bytes], dict[str, Any]]:
        exec_id = create(side, Cmd=["cat"], AttachStdin=True, **OUT)
        told = given(side, f"/exec/{exec_id}/start", {}, stdin=data)
        over(side, exec_id)
        return unframed(told.body), inspect(side, exec_id)

    assert equal(both, ask)[0] == {1: data}


def test_the_end_of_what_is_typed_on_a_terminal_ends_the_visit_only(both: Sides) -> None:
    def ask(side: Side) -> tuple[bytes, bool]:
        wish = {"Cmd": ["cat"], "AttachStdin": True, "Tty": True, **OUT}
        exec_id = create(side, **wish)
        with line(side, f"/exec/{exec_id}/start", {"Tty": True}) as made:
            made.head()
            made.send(b"a\n")
            seen = made.await_bytes(b"a\r\na\r\n")
            made.end_input()
            return seen + made.rest(), inspect(side, exec_id)["Running"]

    assert equal(both, ask)[1] is True


def test_its_end_is_told_with_that_of_its_container(both: Sides) -> None:
    def ask(side: Side) -> list[object]:
        running = create(side, Cmd=["sleep", "1000"], **OUT)
        side.ask("POST", f"/exec/{running}/start", {"Detach": True})
        waiting = create(side, Cmd=["true"])
        shown = [len(side.ask("GET", "/containers/web/json").json["ExecIDs"])]
        side.ask("POST", "/containers/web/kill")
        over(side, running)
        wait_until(
            lambda: not side.ask("GET", "/containers/web/json").json["State"]["Running"],
            PATIENCE_S, "its end",
        )  # fmt: skip
        told = side.ask("GET", f"/exec/{waiting}/json")
        return [
            *shown, inspect(side, running), told.status,
            refused(side, f"/exec/{running}/resize?h=1&w=1", {}),
            side.ask("GET", "/containers/web/json").json["ExecIDs"],
        ]  # fmt: skip

    equal(both, ask)


def test_docker_events_tell_the_same(both: Sides) -> None:
    def ask(side: Side) -> list[str]:
        since = f"{time.time():.3f}"
        exec_id = create(side, Cmd=["sh", "-c", "exit 3"], **OUT)
        given(side, f"/exec/{exec_id}/start", {})
        over(side, exec_id)
        failing = create(side, Cmd=["nope"], **OUT)
        given(side, f"/exec/{failing}/start", {})
        filters = json.dumps({"container": ["web"]}).replace('"', "%22").replace(" ", "")
        path = f"/events?since={since}&until={time.time() + 1:.3f}&filters={filters}"
        rows = [json.loads(row) for row in side.ask("GET", path).body.splitlines()]
        names = {exec_id: "first", failing: "second"}
        facts = [(row["Action"], row["Actor"]["Attributes"]) for row in rows]
        return [
            f"{action} {names[what['execID']]} {what.get('exitCode', '')}"
            for action, what in facts
            if action.startswith("exec")
        ]

    assert equal(both, ask) == [
        "exec_create: sh -c exit 3 first ", "exec_start: sh -c exit 3 first ",
        "exec_die first 3", "exec_create: nope  second ", "exec_start: nope  second ",
    ]  # fmt: skip
