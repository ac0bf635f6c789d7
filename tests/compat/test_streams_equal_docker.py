"""The streams of a container are Docker's, byte for byte: attach, its refusals, resize."""

import json
import os
import threading
import time
from collections.abc import Iterator

import pytest

from tests.compat.hijack import Given, equal, given, line, unframed
from tests.compat.sides import Side, Sides
from tests.reference import wait_until

pytestmark = pytest.mark.compat

ALL = "stream=1&stdin=1&stdout=1&stderr=1"
PATIENCE_S = 60
CAT = {"Cmd": ["cat"], "OpenStdin": True}
ONCE = {**CAT, "AttachStdin": True, "StdinOnce": True}
TALK = ["sh", "-c", "echo out; sleep 0.2; echo err >&2"]
KEYS = b"\x10\x11"


@pytest.fixture
def both(sides: Sides) -> Iterator[Sides]:
    yield sides
    for side in sides:
        side.remove("web", "cat", "tty", "talk")


def status(side: Side, name: str) -> str:
    return str(side.ask("GET", f"/containers/{name}/json").json["State"]["Status"])


def printed(side: Side, name: str) -> bytes:
    return side.ask("GET", f"/containers/{name}/logs?stdout=1").body


def ended(side: Side, name: str) -> bool:
    return status(side, name) == "exited"


# ── Refusals ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("headers", [{}, {"Connection": "Upgrade", "Upgrade": "tcp"}])
@pytest.mark.parametrize("version", ["v1.45", "v1.41"])
def test_who_attaches_to_nothing_is_told_on_the_bare_connection(
    both: Sides, version: str, headers: dict[str, str]
) -> None:
    def ask(side: Side) -> Given:
        path = "/containers/nope/attach?stream=1&stdout=1"
        return given(side, path, version=version, headers=headers)

    told = equal(both, ask)
    assert told.body == b"No such container: nope\r\n"


@pytest.mark.parametrize("keys", ["bogus", "ctrl-", "ctrl-%2C", "a,,b", "ctrl-A", "DEL2"])
def test_keys_that_are_none_are_refused_before_anything_else(
    both: Sides, keys: str
) -> None:
    path = f"/containers/nope/attach?stream=1&stdout=1&detachKeys={keys}"
    told = equal(both, lambda side: given(side, path))
    assert told.status == "HTTP/1.1 400 Bad Request"


def test_a_paused_container_cannot_be_attached_to(both: Sides) -> None:
    for side in both:
        side.make("web", starts=True)
        assert side.ask("POST", "/containers/web/pause").status == 204
    told = equal(both, lambda side: given(side, f"/containers/web/attach?{ALL}"))
    assert told.status == "HTTP/1.1 409 Conflict"
    for side in both:
        side.ask("POST", "/containers/web/unpause")


# ── What is chosen is sent ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize("query", ["", "stream=1", "stream=1&stdin=1", "stdout=1"])
def test_who_chooses_nothing_is_sent_nothing_at_once(both: Sides, query: str) -> None:
    for side in both:
        side.make("web", starts=True)
    assert equal(
        both, lambda side: given(side, f"/containers/web/attach?{query}")
    ).body == (b"")


@pytest.mark.parametrize("headers", [{}, {"Connection": "Upgrade", "Upgrade": "tcp"}])
@pytest.mark.parametrize("version", ["v1.45", "v1.41"])
@pytest.mark.parametrize(
    "query",
    ["logs=1&stdout=1", "logs=1&stderr=1", "logs=1&stdout=1&stderr=1", "logs=1",
     "logs=1&stream=0&stdout=True"],
)  # fmt: skip
def test_what_was_printed_is_sent_as_far_as_it_was_chosen(
    both: Sides, query: str, version: str, headers: dict[str, str]
) -> None:
    for side in both:
        side.make("talk", starts=True, Cmd=TALK)
        wait_until(lambda side=side: ended(side, "talk"), PATIENCE_S, "its end")  # type: ignore[misc]
    path = f"/containers/talk/attach?{query}"
    equal(both, lambda side: given(side, path, version=version, headers=headers))


@pytest.mark.parametrize("query", ["stream=1&stdout=1", "stream=1&stderr=1"])
@pytest.mark.parametrize("tty", [False, True])
def test_what_is_printed_is_sent_as_far_as_it_was_chosen(
    both: Sides, query: str, tty: bool
) -> None:
    def ask(side: Side) -> Given:
        side.make("talk", Cmd=TALK, Tty=tty)
        with line(side, f"/containers/talk/attach?{query}") as made:
            first, headers = made.head()
            side.ask("POST", "/containers/talk/start")
            if tty and "stderr" in query:
                return Given(first, headers, b"")  # Docker's ends with its next run only
            return Given(first, headers, made.rest())

    equal(both, ask)


def test_a_log_that_cannot_be_read_is_told_among_the_output(both: Sides) -> None:
    for side in both:
        side.make("web", starts=True, HostConfig={"LogConfig": {"Type": "none"}})
    told = equal(
        both, lambda side: given(side, "/containers/web/attach?logs=1&stream=1&stdout=1")
    )
    assert b"Error attaching: failed to get logging factory: " in told.body


def test_several_clients_get_the_same(both: Sides) -> None:
    def ask(side: Side) -> list[dict[int, bytes]]:
        side.make("talk", Cmd=TALK)
        path = "/containers/talk/attach?stream=1&stdout=1&stderr=1"
        with line(side, path) as one, line(side, path) as two:
            one.head(), two.head()
            side.ask("POST", "/containers/talk/start")
            return [unframed(one.rest()), unframed(two.rest())]

    assert equal(both, ask) == [{1: b"out\n", 2: b"err\n"}] * 2


# ── What is typed ────────────────────────────────────────────────────────────────────────


def test_the_end_of_what_is_typed_is_the_end_of_a_program_that_is_attached_once(
    both: Sides,
) -> None:
    def ask(side: Side) -> tuple[Given, str]:
        side.make("cat", starts=True, **ONCE)
        told = given(side, f"/containers/cat/attach?{ALL}", stdin=b"hello\n")
        wait_until(lambda: ended(side, "cat"), PATIENCE_S, "its end")
        return told, status(side, "cat")

    told, _ = equal(both, ask)
    assert unframed(told.body) == {1: b"hello\n"}


def test_it_is_the_end_of_the_visit_otherwise_and_the_next_may_type(both: Sides) -> None:
    def ask(side: Side) -> tuple[bytes, str]:
        side.make("cat", starts=True, **CAT)
        path = f"/containers/cat/attach?{ALL}"
        with line(side, path) as made:
            made.head()
            made.send(b"first\n")
            made.await_bytes(b"first\n")
            made.end_input()
            assert made.rest() == b""
        with line(side, path) as made:
            made.head()
            made.send(b"second\n")
            return made.await_bytes(b"second\n"), status(side, "cat")

    assert equal(both, ask)[1] == "running"


def test_keys_leave_a_terminal_and_nothing_else(both: Sides) -> None:
    def ask(side: Side) -> tuple[bytes, str]:
        side.make("cat", starts=True, **CAT)
        with line(side, f"/containers/cat/attach?{ALL}") as made:
            made.head()
            made.send(b"a" + KEYS + b"b\n")
            return made.await_bytes(b"b\n"), status(side, "cat")

    assert KEYS in equal(both, ask)[0]


@pytest.mark.parametrize(
    ("keys", "typed", "echo", "leave"),
    [
        ("", b"a\x10b", b"a^Pb", b"\x10\x11rest"),
        ("", b"a\x10\x10\x11b", b"a^P^P^Qb", b"\x10\x11"),
        ("a,b", b"xa\x10\x11y", b"xa^P^Qy", b"ab"),
        ("ctrl-x", b"ab", b"ab", b"\x18"),
        ("DEL", b"ab", b"ab", b"\x7f"),
    ],
)
def test_a_client_leaves_a_terminal_by_its_keys_and_they_are_not_passed_on(
    both: Sides, keys: str, typed: bytes, echo: bytes, leave: bytes
) -> None:
    def ask(side: Side) -> tuple[bytes, bytes, str]:
        # stty stops the terminal from taking ^Q for itself
        script = "stty -ixon; echo ready; exec cat"
        side.make("tty", starts=True, Cmd=["sh", "-c", script], OpenStdin=True, Tty=True)
        wait_until(lambda: b"ready" in printed(side, "tty"), PATIENCE_S, "its first word")
        path = f"/containers/tty/attach?{ALL}"
        with line(side, path + (f"&detachKeys={keys}" if keys else "")) as made:
            made.head()
            made.send(typed)
            seen = made.await_bytes(echo)
            made.send(leave)
            return seen, made.rest(), status(side, "tty")

    equal(both, ask)
    for side in both:
        side.remove("tty")


def test_attaching_and_leaving_are_told_in_dockers_events(both: Sides) -> None:
    def ask(side: Side) -> list[str]:
        since = f"{time.time():.3f}"
        side.make("tty", starts=True, Cmd=["cat"], OpenStdin=True, Tty=True)
        with line(side, f"/containers/tty/attach?{ALL}") as made:
            made.head()
            made.send(KEYS)
            made.rest()
        side.ask("POST", "/containers/tty/resize?h=20&w=-1")
        with line(side, f"/containers/tty/attach?{ALL}") as made:
            made.head()
        filters = json.dumps({"container": ["tty"]})
        path = f"/events?since={since}&until={time.time() + 1:.3f}&filters={filters}"
        rows = side.ask("GET", path.replace('"', "%22").replace(" ", "")).body
        told = [json.loads(row) for row in rows.splitlines()]
        return [
            f"{row['Action']} {row['Actor']['Attributes'].get('width', '')}" for row in told
        ]

    assert "resize -1" in equal(both, ask)


def test_a_file_goes_in_and_comes_out_through_the_stock_command(both: Sides) -> None:
    data = os.urandom(3 << 20)

    def ask(side: Side) -> tuple[bytes, bytes, int]:
        words = ("run", "--rm", "-i", "--network", "none", "twin", "cat")
        done = side.docker(*words, input=data)
        return done.stdout, done.stderr, done.returncode

    assert equal(both, ask) == (data, b"", 0)


def test_a_program_that_closes_its_input_ends_what_is_typed(both: Sides) -> None:
    def ask(side: Side) -> tuple[bytes, int]:
        words = ("run", "--rm", "-i", "--network", "none", "twin", "head", "-c", "5")
        done = side.docker(*words, input=b"x" * (1 << 20))
        return done.stdout, done.returncode

    assert equal(both, ask) == (b"xxxxx", 0)


# ── Terminals ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "query",
    ["h=20&w=30", "", "h=20", "w=20", "h=a&w=1", "h=70000&w=1", "h=-1&w=5", "h=%2B5&w=5",
     "h=99999999999999999999&w=5", "h=5.0&w=5", "h=0&w=0"],
)  # fmt: skip
@pytest.mark.parametrize("name", ["web", "tty", "stopped", "nope"])
def test_sizes_are_taken_and_refused_as_docker_does(
    both: Sides, name: str, query: str
) -> None:
    def ask(side: Side) -> tuple[int, bytes]:
        if name in ("web", "tty"):
            side.make(name, starts=True, Tty=name == "tty")
        if name == "stopped":
            side.make("web")
        asked = "web" if name == "stopped" else name
        told = side.ask("POST", f"/containers/{asked}/resize?{query}")
        side.remove("web", "tty")
        words = told.json["message"] if told.body else ""
        return told.status, words.split("container ")[0].encode()

    equal(both, ask)


def test_the_settings_of_a_terminal_are_dockers(both: Sides) -> None:
    def ask(side: Side) -> tuple[bytes, bytes]:
        run = ("run", "--rm", "-t", "--network", "none", "twin", "stty", "-a")
        side.make("web", starts=True)
        inside = side.docker("exec", "-t", "web", "stty", "-a").stdout
        return side.docker(*run).stdout, inside

    first, second = equal(both, ask)
    assert b"onlcr" in first
    assert b"onlcr" in second


def test_a_reader_that_stands_still_holds_up_neither_logs_nor_others(both: Sides) -> None:
    """Docker's would: everybody waits for the slowest.  Ours does not."""
    ours = both[1]
    size = 20 << 20
    script = f"read a; head -c {size} /dev/zero | tr '\\0' x; echo; echo done; sleep 1000"
    ours.make("web", starts=True, Cmd=["sh", "-c", script], OpenStdin=True)
    path = "/containers/web/attach?stream=1&stdout=1"
    with line(ours, path) as still, line(ours, path) as good, line(ours, path) as starter:
        still.head(), good.head(), starter.head()
        with line(ours, "/containers/web/attach?stream=1&stdin=1") as typist:
            typist.head()
            typist.send(b"go\n")
            seen: list[bytes] = []
            reading = threading.Thread(
                target=lambda: seen.append(good.await_bytes(b"done\n"))
            )
            reading.start()
            reading.join(PATIENCE_S)
            assert len(unframed(seen[0])[1]) == size + len("\ndone\n")
        logged = ours.ask("GET", "/containers/web/logs?stdout=1&tail=1")
        assert logged.body.endswith(b"done\n")
        assert len(unframed(still.await_bytes(b"done\n"))[1]) == size + len("\ndone\n")
