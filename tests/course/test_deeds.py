"""Par counts what changed the world, whoever asked for it."""

import pytest

from pyminidock.course.deeds import deeds
from pyminidock.events import ContainerCreated, RequestReceived
from pyminidock.events.journal import Record, record_of


def asked(*requests: str) -> list[Record]:
    """Make the records of requests, one second after the other from second 1 on."""
    return [
        record_of(RequestReceived(*request.split(" ", 1)), seq=n, story="s", wall=float(n))
        for n, request in enumerate(requests, start=1)
    ]


@pytest.mark.parametrize(
    ("requests", "counted"),
    [
        (["POST /v1.45/containers/create", "POST /containers/a/attach",
          "POST /containers/a/wait", "POST /containers/a/start"], ("run",)),
        (["POST /containers/create"], ("create",)),
        (["POST /containers/create", "POST /containers/a/start", "POST /containers/a/stop",
          "POST /containers/a/start"], ("run", "stop", "start")),
        (["GET /containers/json", "GET /images/h/json", "HEAD /containers/a/archive"], ()),
        (["POST /build"], ("build",)),
        (["DELETE /images/a/b:1", "POST /images/a/b/tag"], ("rmi", "tag")),
        (["PUT /containers/a/archive", "POST /exec/1/start"], ("cp", "exec")),
        (["POST /minidock/gates", "POST /containers/a/resize"], ()),
    ],
)  # fmt: skip
def test_what_changes_something_counts(
    requests: list[str], counted: tuple[str, ...]
) -> None:
    assert deeds(asked(*requests), since=0) == counted


def test_what_was_done_before_the_level_began_does_not_count() -> None:
    records = asked(
        "POST /containers/create", "POST /containers/a/start", "DELETE /containers/a"
    )
    assert deeds(records, since=2) == ("rm",)


def test_what_a_check_runs_for_itself_does_not_count() -> None:
    made = ContainerCreated("id", "course-check-17", "h", ())
    records = asked("POST /containers/create", "POST /containers/a/start")
    assert deeds([*records, record_of(made, seq=9, story="s")], since=0) == ()
