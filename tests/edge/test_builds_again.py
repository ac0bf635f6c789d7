"""A build that repeats one goes a shorter way, and tells the same."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pyminidock.engine import images, removing
from tests.builder import Built, Context, Kitchen, kitchen

pytestmark = pytest.mark.edge

TEXT = """FROM busybox
ARG WHO=me
ENV GREETING=hello-$WHO
HEALTHCHECK CMD true
HEALTHCHECK CMD false
WORKDIR /app
COPY data $GREETING/
ONBUILD ENV LATER=1
RUN cat hello-me/x >seen
EXPOSE 80
CMD ["cat", "seen"]
"""
CONTEXT: Context = {"Dockerfile": TEXT, "data/x": "1\n", ".dockerignore": "data/y\n"}


@pytest.fixture(scope="module")
def cook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kitchen]:
    with kitchen(tmp_path_factory.mktemp("again") / "root") as cook:
        yield cook
        assert cook.remains() == []


def told(built: Built) -> list[tuple[str, str, dict[str, Any]]]:
    """Give all that was told and where, but for what each build has of its own.

    Those are the place that its context would get, and the milliseconds of FROM.
    """
    found = [
        (each.kind, each.src.partition(":")[0], dict(each.data)) for each in built.records
    ]
    for kind, _, data in found:
        if kind == "context.received":
            data.pop("path")
        if kind == "step.finished" and not data["was_cached"]:
            data.pop("milliseconds")
    return found


def test_what_is_told_is_the_same_each_time(cook: Kitchen) -> None:
    cook.build(CONTEXT)
    first, *others = [cook.build(CONTEXT) for _ in range(3)]
    assert {how for _, how in first.steps()} == {"hit"}
    assert "overriding previous HEALTHCHECK" in first.text
    assert "config.changed" in first.kinds()
    for again in others:
        assert again.messages == first.messages
        assert told(again) == told(first)


def test_another_context_for_the_same_text_is_another_build(cook: Kitchen) -> None:
    cook.build(CONTEXT)
    cook.build(CONTEXT)
    edited = cook.build({**CONTEXT, "data/x": "2\n"})
    assert (7, "file content data/x") in edited.steps()
    assert all(how == "hit" for _, how in cook.build(CONTEXT).steps())


def test_another_base_of_the_same_name_is_seen(cook: Kitchen) -> None:
    steps = {"Dockerfile": "FROM ground\nENV A=1\nENV B=2\n"}
    cook.build({"Dockerfile": "FROM busybox\nLABEL a=1\n"}, tags=("ground:latest",))
    first = [cook.build(steps) for _ in range(2)][-1]
    cook.build({"Dockerfile": "FROM busybox\nLABEL a=2\n"}, tags=("ground:latest",))
    moved = cook.build(steps)
    assert moved.steps()[0][1] == "parent base"
    assert moved.image != first.image


def test_a_result_that_was_removed_is_made_again(cook: Kitchen) -> None:
    steps = {"Dockerfile": "FROM busybox\nENV GONE=1\n"}
    for _ in range(2):
        cook.build(steps, tags=("gone:latest",))
    removing.remove(cook.house, "gone", force=True)
    again = cook.build(steps, tags=("gone:latest",))
    assert [how for _, how in again.steps()] != ["hit"]
    assert images.find(cook.house, "gone").row.id == again.image


def test_triggers_of_a_base_are_found_again(cook: Kitchen) -> None:
    cook.build(CONTEXT)
    child = {"Dockerfile": "FROM app\nLABEL child=1\n"}
    built = [cook.build(child, tags=("child:latest",)) for _ in range(3)]
    assert built[1].messages == built[2].messages
    assert told(built[1]) == told(built[2])
    assert "trigger" in built[2].text


@contextmanager
def serving(answers: list[bytes]) -> Iterator[str]:
    """Give the address of a server that gives one answer after the other."""

    class Desk(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = answers.pop(0)
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            return

    with http.server.HTTPServer(("127.0.0.1", 0), Desk) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/f"
        finally:
            server.shutdown()
            thread.join()


def test_what_an_address_gives_is_asked_for_each_time(cook: Kitchen) -> None:
    """Also where it stands in a variable."""
    answers = [b"1", b"1", b"1", b"2"]
    with serving(answers) as address:
        text = f"FROM busybox\nENV FROM_THERE={address}\nADD $FROM_THERE /f\n"
        built = [cook.build({"Dockerfile": text}) for _ in range(4)]
    assert [each.steps()[-1][1] for each in built[1:3]] == ["hit", "hit"]
    assert built[3].steps()[-1][1] != "hit"
    assert answers == []


def test_what_another_image_gives_is_looked_at_each_time(cook: Kitchen) -> None:
    taker = {"Dockerfile": "FROM busybox\nCOPY --from=giver /g /g\n"}
    found = []
    for content in ("1", "1", "2"):
        giver = {"Dockerfile": "FROM busybox\nCOPY g /\n", "g": content}
        cook.build(giver, tags=("giver:latest",))
        found.append(cook.build(taker, tags=("taker:latest",)).steps()[-1][1])
    assert found[1] == "hit"
    assert found[2] != "hit"
