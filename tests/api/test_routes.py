"""Every route as Docker's clients know it: path, version, words, headers, statuses."""

import json
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyminidock.api.message import Request, Response
from pyminidock.api.routes import ROUTES, Router
from pyminidock.api.streams import Wire
from pyminidock.container.states import State
from pyminidock.events.journal import read_trace
from tests.api.studio import WAIT_S, Studio, studio, until


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Studio]:
    made = studio(tmp_path / "root")
    yield made
    made.house.close()


@pytest.fixture
def router(engine: Studio) -> Router:
    return Router(engine.house)


def ask(router: Router, method: str, target: str, body: object = None) -> Response:
    path, _, query = target.partition("?")
    pairs = dict(pair.partition("=")[::2] for pair in query.split("&") if pair)
    headers = {} if body is None else {"content-type": "application/json"}
    content = b"" if body is None else json.dumps(body).encode()
    return router.handle(Request(method, path, pairs, headers, content))


def told(response: Response) -> Any:
    assert isinstance(response.body, bytes)
    return json.loads(response.body)


def made(router: Router, name: str = "web", **config: Any) -> str:
    response = ask(
        router, "POST", f"/containers/create?name={name}",
        {"Image": "busybox", "Cmd": ["sleep", "9"], **config},
    )  # fmt: skip
    assert response.status == 201, response.body
    return str(told(response)["Id"])


# ── Paths, versions, headers ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize("prefix", ["", "/v1.24", "/v1.45"])
def test_a_route_answers_with_and_without_a_version(router: Router, prefix: str) -> None:
    response = ask(router, "GET", f"{prefix}/_ping")
    assert (response.status, response.body) == (200, b"OK")
    headers = dict(response.headers)
    assert headers["Api-Version"] == "1.45"
    assert headers["Docker-Experimental"] == "false"
    assert headers["Ostype"] == "linux"
    assert headers["Cache-Control"] == "no-cache, no-store, must-revalidate"
    assert headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("version", "what"),
    [
        ("1.23", "client version 1.23 is too old. Minimum supported API version is 1.24, "
                 "please upgrade your client to a newer version"),
        ("1.46", "client version 1.46 is too new. Maximum supported API version is 1.45"),
        ("2", "client version 2 is too new. Maximum supported API version is 1.45"),
    ],
)  # fmt: skip
def test_a_version_that_is_not_spoken_is_refused(
    router: Router, version: str, what: str
) -> None:
    response = ask(router, "GET", f"/v{version}/_ping")
    assert response.status == 400
    assert told(response)["message"] == what


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing"), ("PUT", "/_ping"), ("GET", "/"), ("GET", "/v1.45"),
        ("GET", "/vx/_ping"), ("GET", "/_ping/"), ("DELETE", "/containers/"),
        ("GET", "/v" + "1" * 5000 + "/_ping"),
        ("GET", "/minidock/nothing"), ("BREW", "/_ping"), ("GET", "/containers/web/kill"),
        ("PUT", "/containers/web/json"), ("POST", "/containers/web/nothing"),
    ],
)  # fmt: skip
def test_what_no_row_names_is_page_not_found(
    router: Router, method: str, path: str
) -> None:
    response = ask(router, method, path)
    assert response.status == 404
    assert told(response)["message"] == "page not found"
    assert dict(response.headers)["Content-Type"] == "application/json"


@pytest.mark.parametrize("path", ["/_ping", "/nothing"])
def test_options_are_answered_with_nothing(router: Router, path: str) -> None:
    response = ask(router, "OPTIONS", path)
    assert (response.status, response.body) == (200, b"")


@pytest.mark.parametrize("path", ["/grpc", "/session", "/v1.45/session"])
def test_buildkit_is_answered_with_the_way_out(router: Router, path: str) -> None:
    response = ask(router, "POST", path)
    assert response.status == 501
    assert "DOCKER_BUILDKIT=0" in told(response)["message"]
    assert told(response)["try_next"] == 'eval "$(minidock env)"'


def test_every_row_of_the_table_is_reached(router: Router) -> None:
    body: dict[str, object] = {}
    for method, path, _ in ROUTES:
        response = ask(router, method, re.sub(r"\{\w+\*?\}", "none", path), body)
        if response.upgrade:  # refused in words of no form
            assert response.body == b"No such container: none\r\n", path
            continue
        if method != "HEAD" and response.status >= 400:
            assert told(response)["message"] != "page not found", path
            assert "the engine failed" not in told(response)["message"], path


def test_version_tells_engine_backend_and_machine(router: Router, engine: Studio) -> None:
    version = told(ask(router, "GET", "/version"))
    assert version["ApiVersion"] == "1.45"
    assert version["MinAPIVersion"] == "1.24"
    assert version["Os"] == "linux"
    details = version["Components"][0]["Details"]
    assert details["Backend"] == "simulated"
    assert details["Root"] == str(engine.house.root)
    assert details["KernelVersion"] == version["KernelVersion"] == "6.12.0-simulated"


# ── The life of a container ──────────────────────────────────────────────────────────────


def test_a_container_is_made_started_signalled_and_removed(
    router: Router, engine: Studio
) -> None:
    container = made(router)
    assert len(container) == 64
    assert ask(router, "POST", "/containers/web/start").status == 204
    assert engine.house.life("web").state is State.RUNNING
    again = ask(router, "POST", "/containers/web/start")
    assert (again.status, again.body) == (304, b"")
    assert (
        ask(router, "POST", f"/containers/{container[:12]}/kill?signal=TERM").status == 204
    )
    until(lambda: engine.house.life("web").state is State.EXITED)
    assert ask(router, "DELETE", "/containers/web").status == 204
    assert ask(router, "DELETE", "/containers/web").status == 404


def test_the_story_tells_who_asked_for_what(router: Router, engine: Studio) -> None:
    container = made(router)
    ask(router, "POST", "/v1.45/containers/web/start")
    ask(router, "POST", "/containers/web/start")
    ask(router, "POST", "/containers/web/kill")
    engine.house.recorder.flush()
    records = engine.house.journals.read(f"run-{container[:12]}").records
    asked = [record.data["path"] for record in records if record.kind == "request.received"]
    assert asked == [
        "/containers/create", "/containers/web/start", "/containers/web/start",
        "/containers/web/kill",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "target", "status", "what"),
    [
        ("POST", "/containers/nope/start", 404, "No such container: nope"),
        ("POST", "/containers/nope/attach?refusals=status", 404,
         "No such container: nope"),
        ("GET", "/containers/nope/attach/ws", 404, "No such container: nope"),
        ("POST", "/containers/nope/wait", 404, "No such container: nope"),
        ("GET", "/containers/nope/json", 404, "No such container: nope"),
        ("POST", "/containers/nope/resize?h=1&w=1", 404, "No such container: nope"),
        ("DELETE", "/containers/nope", 404, "No such container: nope"),
        ("POST", "/containers/nope/kill", 404,
         "cannot kill container: nope: No such container: nope"),
        ("POST", "/containers/web/kill?signal=NOPE", 400,
         "cannot kill container: web: invalid signal: NOPE"),
        ("POST", "/containers/web/kill?signal=0", 400,
         "cannot kill container: web: invalid signal: 0"),
        ("POST", "/containers/web/kill?signal=65", 400,
         "cannot kill container: web: the linux daemon does not support signal 65"),
        ("POST", "/containers/web/kill?signal=" + "9" * 30, 400, "invalid signal: 9"),
        ("POST", "/containers/web/wait?condition=zz", 400, 'invalid condition: "zz"'),
        ("POST", "/containers/web/resize?h=x&w=1", 400, 'parsing "x": invalid syntax'),
        ("POST", "/containers/web/resize?h=1", 400, 'parsing "": invalid syntax'),
        ("POST", "/containers/web/resize?h=-&w=1", 400, 'parsing "-": invalid syntax'),
        ("POST", "/containers/web/resize?w=1&h=" + "9" * 20, 400, "value out of range"),
        ("POST", "/containers/web/resize?h=1&w=1", 409, "is not running"),
        ("POST", "/containers/web/kill", 409, "is not running"),
        ("POST", "/containers/create", 400, "got EOF while reading request body"),
    ],
)  # fmt: skip
def test_refusals_have_dockers_status_and_words(
    router: Router, method: str, target: str, status: int, what: str
) -> None:
    made(router)
    response = ask(router, method, target)
    assert response.status == status
    error = told(response)
    assert what in error["message"]
    assert error["why"]
    assert error["why"] != error["message"]
    assert error["try_next"]


@pytest.mark.parametrize(
    ("target", "body", "status", "what"),
    [
        ("", {}, 400, "config cannot be empty in order to create a container"),
        ("", {"Image": "nope:1"}, 404, "No such image: nope:1"),
        ("?name=web", {"Image": "busybox"}, 409, 'The container name "/web" is already in'),
        ("?name=b@d", {"Image": "busybox"}, 400,
         "Invalid container name (b@d), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"),
        ("", {"Image": 5}, 400, "ContainerConfigWrapper.Config.Image of type string"),
        ("", {"Image": "busybox", "HostConfig": {"Binds": ["/:/"]}}, 500,
         "invalid volume specification: '/:/'"),
        ("", {"Image": "busybox", "HostConfig": {"PidMode": "container:no"}}, 400,
         "No such container: no"),
        ("", {"Image": "nope:1", "HostConfig": {"Memory": 5}}, 400,
         "Minimum memory limit allowed is 6MB"),
    ],
)  # fmt: skip
def test_a_create_that_is_refused_leaves_nothing(  # noqa: PLR0913, PLR0917  (a table)
    router: Router, engine: Studio, target: str, body: object, status: int, what: str
) -> None:
    made(router)
    before = sorted(engine.house.root.glob("containers/*"))
    response = ask(router, "POST", f"/containers/create{target}", body)
    assert response.status == status
    assert what in told(response)["message"]
    assert sorted(engine.house.root.glob("containers/*")) == before


def test_removing_what_runs_needs_force(router: Router) -> None:
    made(router)
    ask(router, "POST", "/containers/web/start")
    response = ask(router, "DELETE", "/containers/web?force=0")
    assert response.status == 409
    assert told(response)["message"] == (
        'cannot remove container "/web": container is running: '
        "stop the container before removing or force remove"
    )
    assert ask(router, "DELETE", "/containers/web?force=1").status == 204


def test_resizing_reaches_the_terminal(router: Router, engine: Studio) -> None:
    container = made(router, Tty=True)
    ask(router, "POST", "/containers/web/start")
    assert ask(router, "POST", "/containers/web/resize?h=24&w=80").status == 200
    process = engine.house.life(container).process
    assert process is not None
    assert engine.body.world.tasks[process.pid].window == (24, 80)


# ── Wait ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("condition", ["", "not-running", "next-exit"])
def test_waiting_gives_the_status_of_a_run(
    router: Router, engine: Studio, condition: str
) -> None:
    made(router)
    ask(router, "POST", "/containers/web/start")
    body = ask(router, "POST", f"/containers/web/wait?condition={condition}").body
    engine.finish("web", 7)
    assert not isinstance(body, bytes)
    assert [json.loads(line) for line in body] == [{"StatusCode": 7}]


def test_next_exit_waits_for_a_run_that_has_not_begun_and_not_running_does_not(
    router: Router, engine: Studio
) -> None:
    made(router)
    next_exit = ask(router, "POST", "/containers/web/wait?condition=next-exit").body
    not_running = ask(router, "POST", "/containers/web/wait").body
    assert not isinstance(next_exit, bytes)
    assert not isinstance(not_running, bytes)
    assert json.loads(next(not_running)) == {"StatusCode": 0}
    ask(router, "POST", "/containers/web/start")
    engine.finish("web", 3)
    assert json.loads(next(next_exit)) == {"StatusCode": 3}


def test_next_exit_of_a_second_run_is_not_the_first_ones(
    router: Router, engine: Studio
) -> None:
    made(router)
    for code in (3, 4):
        body = ask(router, "POST", "/containers/web/wait?condition=next-exit").body
        assert ask(router, "POST", "/containers/web/start").status == 204
        engine.finish("web", code)
        assert not isinstance(body, bytes)
        assert json.loads(next(body)) == {"StatusCode": code}
        until(lambda: engine.house.life("web").busy == "")


def test_waiting_for_removal_ends_with_the_container(
    router: Router, engine: Studio
) -> None:
    made(router, HostConfig={"AutoRemove": True})
    body = ask(router, "POST", "/containers/web/wait?condition=removed").body
    ask(router, "POST", "/containers/web/start")
    engine.finish("web", 5)
    assert not isinstance(body, bytes)
    assert json.loads(next(body)) == {"StatusCode": 5}
    assert ask(router, "GET", "/containers/web/json").status == 404


def test_closing_a_wait_ends_it_in_whatever_thread(router: Router) -> None:
    made(router)
    body = ask(router, "POST", "/containers/web/wait?condition=next-exit").body
    assert not isinstance(body, bytes)
    heard: list[bytes] = []
    waiter = threading.Thread(target=lambda: heard.extend(body))
    waiter.start()
    body.close()
    waiter.join(WAIT_S)
    assert not waiter.is_alive()
    assert heard == []


# ── Lists, second processes ──────────────────────────────────────────────────────────────


def test_lists_hold_those_that_run_or_all_or_the_youngest(router: Router) -> None:
    for name in ("one", "two", "three"):
        made(router, name)
    ask(router, "POST", "/containers/two/start")

    def names(query: str) -> list[str]:
        rows = told(ask(router, "GET", f"/containers/json{query}"))
        return [row["Names"][0] for row in rows]

    assert names("") == ["/two"]
    assert names("?all=True") == ["/three", "/two", "/one"]
    assert names("?all=0&limit=2") == ["/three", "/two"]
    assert names("?limit=-1&filters={}") == ["/two"]
    assert names("?limit=") == ["/two"]


@pytest.mark.parametrize(
    ("query", "status", "what"),
    [
        ("limit=abc", 500, 'strconv.Atoi: parsing "abc": invalid syntax'),
        ('filters={"status":["x"]}', 400, "invalid filter 'status=x'"),
        ('filters={"zz":["x"]}', 400, "invalid filter 'zz'"),
        ('filters={"name":{"x":1}}', 400, "invalid filter"),
        ("filters=x", 400, "invalid filter"),
        ('filters={"before":["nope"]}', 404, "No such container: nope"),
        (
            'filters={"exited":["x"]}',
            400,
            "invalid filter 'exited=x': strconv.Atoi: parsing \"x\": invalid syntax",
        ),
        ('filters={"health":["x"]}', 400, "unrecognized filter value for health: x"),
        (
            'filters={"publish":["x"]}',
            500,
            'error while looking up for publish x: strconv.ParseUint: parsing "x": '
            "invalid syntax",
        ),
    ],
)
def test_a_list_is_never_a_guess(
    router: Router, query: str, status: int, what: str
) -> None:
    response = ask(router, "GET", f"/containers/json?{query}")
    assert response.status == status
    assert told(response)["message"] == what


def test_inspect_tells_of_one_container(router: Router) -> None:
    container = made(router, User="7")
    document = told(ask(router, "GET", f"/containers/{container[:5]}/json?size=0"))
    assert document["Id"] == container
    assert document["Name"] == "/web"
    assert document["State"]["Status"] == "created"
    assert document["Config"]["User"] == "7"


def test_a_second_process_is_made_started_detached_and_inspected(
    router: Router, engine: Studio
) -> None:
    made(router)
    ask(router, "POST", "/containers/web/start")
    response = ask(router, "POST", "/containers/web/exec", {"Cmd": ["ls", "/"]})
    assert response.status == 201
    exec_id = told(response)["Id"]
    assert told(ask(router, "GET", f"/exec/{exec_id}/json"))["ExitCode"] is None
    assert ask(router, "POST", f"/exec/{exec_id}/start", {"Detach": True}).status == 200
    inspected = told(ask(router, "GET", f"/exec/{exec_id}/json"))
    assert inspected["Running"] is True
    assert inspected["ProcessConfig"]["entrypoint"] == "ls"
    assert ask(router, "POST", f"/exec/{exec_id}/resize?h=2&w=3").status == 200
    assert engine.body.world.tasks[inspected["Pid"]].window == (2, 3)
    engine.body.finish(inspected["Pid"], 4)
    until(lambda: told(ask(router, "GET", f"/exec/{exec_id}/json"))["ExitCode"] == 4)
    again = ask(router, "POST", f"/exec/{exec_id}/start", {"Detach": True})
    assert again.status == 409


@pytest.mark.parametrize(
    ("target", "body", "status", "what"),
    [
        ("/containers/nope/exec", {"Cmd": ["ls"]}, 404, "No such container: nope"),
        ("/containers/web/exec", {"Cmd": ["ls"]}, 409, "is not running"),
        ("/containers/web/exec", {"Cmd": []}, 400, "No exec command specified"),
        ("/containers/web/exec", {"Cmd": [1]}, 400, "field ExecConfig.Cmd of type string"),
        ("/exec/nope/start", {"Detach": True}, 404, "No such exec instance: nope"),
        ("/exec/nope/start", {}, 404, "No such exec instance: nope"),
        ("/exec/nope/resize?h=1&w=1", {}, 404, "No such exec instance: nope"),
    ],
)
def test_second_processes_are_refused_as_docker_does(
    router: Router, target: str, body: object, status: int, what: str
) -> None:
    made(router)
    response = ask(router, "POST", target, body)
    assert response.status == status
    assert what in told(response)["message"]


@pytest.mark.parametrize(
    ("version", "tty", "kind"),
    [
        ("", False, "application/vnd.docker.multiplexed-stream"),
        ("/v1.42", False, "application/vnd.docker.multiplexed-stream"),
        ("/v1.41", False, "application/vnd.docker.raw-stream"),
        ("", True, "application/vnd.docker.raw-stream"),
    ],
)
def test_the_kind_of_stream_depends_on_terminal_and_version(
    router: Router, version: str, tty: bool, kind: str
) -> None:
    made(router, Tty=tty)
    attached = router.handle(Request(
        "POST", f"{version}/containers/web/attach", {"stream": "1", "stdout": "1"},
        {"upgrade": "tcp"},
    ))  # fmt: skip
    assert dict(attached.headers)["Content-Type"] == kind
    ours, theirs = socket.socketpair()
    ours.close()
    assert attached.upgrade is not None
    with theirs:
        attached.upgrade(Wire(theirs))  # its client has gone: it returns at once


# ── What Docker does not have ────────────────────────────────────────────────────────────


def test_stories_are_listed_and_given_as_traces(router: Router) -> None:
    container = made(router)
    rows = told(ask(router, "GET", "/minidock/stories"))
    assert [row["story"] for row in rows] == [f"run-{container[:12]}"]
    for name in ("last", f"run-{container[:12]}"):
        body = ask(router, "GET", f"/minidock/stories/{name}").body
        assert isinstance(body, bytes)
        trace = read_trace(body.decode().splitlines())
        assert trace.damage is None
        assert trace.header.story == f"run-{container[:12]}"
        assert trace.records[-1].kind == "container.created"


@pytest.mark.parametrize(
    ("method", "target", "body", "status", "what"),
    [
        ("GET", "/minidock/stories/nope", None, 404, "no such story: nope"),
        ("GET", "/minidock/events?story=nope&since=0", None, 404, "no such story: nope"),
        ("GET", "/minidock/events?since=x", None, 400, "since is no number: 'x'"),
        (
            "POST",
            "/minidock/gates",
            {"story": "nope", "pattern": "*"},
            404,
            "no such story",
        ),
        ("POST", "/minidock/gates", {"story": 1}, 400, "field story of type string"),
        ("POST", "/minidock/gates/nope/step", None, 404, "no such gate: nope"),
        ("DELETE", "/minidock/gates/nope", None, 404, "no such gate: nope"),
        ("POST", "/minidock/bootstrap", {"name": "windows"}, 400, "windows"),
        ("POST", "/minidock/plan", {"Image": "nope"}, 404, "No such image: nope"),
        ("POST", "/minidock/flag", {"with": {}}, 400, "config cannot be empty"),
        ("POST", "/minidock/network/trace", {"port": 0}, 400, "0 is no port"),
        ("POST", "/minidock/network/trace", {"port": "80"}, 400, "field port of type"),
        (
            "POST",
            "/minidock/network/trace",
            {"port": 80, "protocol": "sctp"},
            400,
            "'sctp' is no protocol",
        ),
        (
            "POST",
            "/minidock/network/trace",
            {"port": 80, "address": "here"},
            400,
            "'here' is no address",
        ),
        (
            "POST",
            "/minidock/network/trace",
            {"port": 80, "from": "nope"},
            404,
            "No such container: nope",
        ),
        (
            "GET",
            "/minidock/containers/nope/isolation",
            None,
            404,
            "No such container: nope",
        ),
    ],
)
def test_our_own_routes_refuse_before_they_stream(  # noqa: PLR0913, PLR0917  (a table)
    router: Router, method: str, target: str, body: object, status: int, what: str
) -> None:
    response = ask(router, method, target, body)
    assert response.status == status
    assert what in told(response)["message"]


def test_a_gate_refuses_words_that_name_no_event(router: Router) -> None:
    container = made(router)
    body = {"story": f"run-{container[:12]}", "pattern": "no.such.event"}
    response = ask(router, "POST", "/minidock/gates", body)
    assert response.status == 400
    assert told(response)["message"] == "no event is called 'no.such.event'"
    assert told(ask(router, "GET", "/minidock/gates")) == []


def test_doctor_tells_the_backend_and_what_it_lacks(router: Router) -> None:
    doctor = told(ask(router, "GET", "/minidock/doctor"))
    assert doctor["backend"] == "simulated"
    assert doctor["capabilities"][0]["name"] == "programs"
    assert set(doctor["capabilities"][0]) == {"name", "state", "reason", "costs", "fix"}


def test_a_plan_is_told_as_calls_and_as_text_and_nothing_is_made(
    router: Router, engine: Studio
) -> None:
    plan = told(ask(router, "POST", "/minidock/plan", {"Image": "busybox"}))
    assert len(plan["calls"]) == len(plan["text"]) > 20
    assert plan["calls"][-1]["verb"] == "Execute"
    assert engine.house.lives() == ()


def test_a_flag_is_told_as_calls_that_differ_and_as_observed(router: Router) -> None:
    body = {
        "with": {"Image": "busybox", "HostConfig": {"CapDrop": ["ALL"]}},
        "without": {"Image": "busybox"},
    }
    told_ = told(ask(router, "POST", "/minidock/flag", body))
    assert any(line.startswith("+ set capabilities") for line in told_["calls"])
    facts = {fact: (before, after) for fact, before, after in told_["observed"]}
    assert facts["capabilities effective"][1] == "none"
    assert told(ask(router, "GET", "/containers/json?all=1")) == []


def test_isolation_is_observed_on_a_running_container(router: Router) -> None:
    container = made(router)
    assert ask(router, "GET", "/minidock/containers/web/isolation").status == 409
    ask(router, "POST", "/containers/web/start")
    seen = told(ask(router, "GET", "/minidock/containers/web/isolation"))
    assert seen["container"] == container
    assert {row["kind"] for row in seen["namespaces"]} >= {"mount", "pid", "network"}


def test_shutdown_is_passed_on(engine: Studio) -> None:
    called: list[bool] = []
    router = Router(engine.house, shutdown=lambda: called.append(True))
    assert ask(router, "POST", "/minidock/shutdown").status == 200
    assert called == [True]


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ("/containers//web/json?size=1", "/containers/web/json?size=1"),
        ("//_ping", "/_ping"),
        ("/v1.45/./images/../_ping/", "/v1.45/_ping/"),
    ],
)
def test_a_path_that_goes_astray_is_sent_where_it_should_go(
    router: Router, target: str, place: str
) -> None:
    response = ask(router, "GET", target)
    assert (response.status, dict(response.headers)["Location"]) == (301, place)
