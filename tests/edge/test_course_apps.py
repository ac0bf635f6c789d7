"""The course's two images as people make them: typed, run, edited, rebuilt, explained."""

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pyminidock.client.connect import connect
from tests.minidock_cli import Minidock

pytestmark = pytest.mark.edge

HELLO = 'FROM alpine\nENTRYPOINT ["echo"]\nCMD ["Hello World"]\n'
APP = """\
FROM python
WORKDIR /app
COPY requirements.txt .
RUN python3 -Bc "print(open('requirements.txt').read().upper())" >installed
COPY sample.py .
CMD ["python3", "sample.py"]
"""
WORK = {
    "snapshot.prepared", "mounted", "container.created", "plan.made", "layer.committed",
    "file.copied", "cache.missed",
}  # fmt: skip
"""What is told where a container or a mount is made, or a layer written."""


@pytest.fixture(scope="module")
def bases(minidock: Minidock) -> Minidock:
    """Give an engine that has alpine and python, both of what this machine has."""
    for name in ("alpine", "python"):
        made = minidock.run("bootstrap", name)
        assert made.returncode == 0, made.stderr
    return minidock


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text(APP)
    (tmp_path / "requirements.txt").write_text("flask\n")
    (tmp_path / "sample.py").write_text("print('one')\n")
    for path in tmp_path.iterdir():
        path.chmod(0o644)
    return tmp_path


def built(minidock: Minidock, folder: Path, tag: str, *flags: str) -> str:
    made = minidock.run("build", *flags, "-t", tag, str(folder))
    assert made.returncode == 0, made.stdout + made.stderr
    return made.stdout


def explained(minidock: Minidock, image: str) -> dict[str, Any]:
    """Give what `explain cache` tells to programs."""
    told = minidock.run("explain", "cache", "--json", image)
    assert told.returncode == 0, told.stderr
    return dict(json.loads(told.stdout))


def verdicts(told: dict[str, Any]) -> list[str]:
    return [step["verdict"] for step in told["steps"]]


def kinds(minidock: Minidock, story: str) -> set[str]:
    """Give the kinds of everything that was told in a story."""
    shown = minidock.run("trace", "show", story, "--json")
    assert shown.returncode == 0, shown.stderr
    records = (json.loads(line) for line in shown.stdout.splitlines())
    return {record["kind"] for record in records if "kind" in record}


def words(minidock: Minidock, image: str) -> str:
    """Give what `explain cache` tells to people."""
    told = minidock.run("explain", "cache", image)
    assert told.returncode == 0, told.stderr
    return told.stdout


# ── Built and run ────────────────────────────────────────────────────────────────────────


def test_hello_world_greets_whom_it_is_told_to(bases: Minidock, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(HELLO)
    said = built(bases, tmp_path, "hello")
    assert said.splitlines()[-1] == "Successfully tagged hello:latest"
    assert bases.run("run", "--rm", "hello").stdout == "Hello World\n"
    assert bases.run("run", "--rm", "hello", "you", "there").stdout == "you there\n"


def test_the_app_runs_and_each_step_of_it_can_be_entered(
    bases: Minidock, app: Path
) -> None:
    said = built(bases, app, "course-app")
    assert bases.run("run", "--rm", "course-app").stdout == "one\n"
    steps = re.findall(r"(?m)^ ---> ([0-9a-f]{12})$", said)
    assert len(steps) == 6
    there = [
        set(bases.run("run", "--rm", step, "ls", "/app").stdout.split()) for step in steps
    ]
    assert there == [
        set(), set(), {"requirements.txt"}, {"requirements.txt", "installed"},
        {"requirements.txt", "installed", "sample.py"},
        {"requirements.txt", "installed", "sample.py"},
    ]  # fmt: skip
    assert bases.run("run", "--rm", steps[3], "cat", "installed").stdout == "FLASK\n\n"
    told = explained(bases, steps[3])  # the way to this step, and no further
    assert [step["step"] for step in told["steps"]] == [1, 2, 3, 4]


# ── Built again ──────────────────────────────────────────────────────────────────────────


@pytest.fixture
def again(bases: Minidock, app: Path, request: pytest.FixtureRequest) -> str:
    """Build the app under a name of this test's own."""
    tag = "again-" + re.sub("[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    built(bases, app, tag, "--label", f"of={tag}")
    return tag


def rebuilt(bases: Minidock, app: Path, tag: str) -> dict[str, Any]:
    built(bases, app, tag, "--label", f"of={tag}")
    return explained(bases, tag)


def test_a_rebuild_makes_no_container_no_mount_and_no_layer(
    bases: Minidock, app: Path, again: str
) -> None:
    before = explained(bases, again)
    assert "cache.missed" in kinds(bases, before["story"])
    after = rebuilt(bases, app, again)
    assert verdicts(after) == ["base", *["hit"] * 6]
    assert after["image"] == before["image"]
    assert after["story"] != before["story"]
    told = kinds(bases, after["story"])
    assert "cache.hit" in told
    assert told & WORK == set()


def test_an_edit_of_the_program_leaves_all_that_stands_before_it(
    bases: Minidock, app: Path, again: str
) -> None:
    before = {step["step"]: step["image"] for step in explained(bases, again)["steps"]}
    (app / "sample.py").write_text("print('two')\n")
    after = rebuilt(bases, app, again)
    assert verdicts(after) == ["base", "hit", "hit", "hit", "miss", "miss", "miss"]
    assert [after["steps"][n]["image"] for n in range(4)] == [
        before[n] for n in range(1, 5)
    ]
    (cause,) = after["steps"][4]["causes"]
    assert (cause["cause"], cause["detail"], cause["path"]) == (
        "file", "content", "sample.py",
    )  # fmt: skip
    assert cause["before"] != cause["after"]
    assert {len(cause["before"]), len(cause["after"])} == {64}
    assert [[c["cause"] for c in step["causes"]] for step in after["steps"][5:]] == [
        ["parent"], ["parent"],
    ]  # fmt: skip
    said = words(bases, again)
    short = (cause["before"][:12], cause["after"][:12])
    assert f"because sample.py has another content: {short[0]} → {short[1]}\n" in said
    assert bases.run("run", "--rm", again).stdout == "two\n"


def test_a_touch_is_no_miss_and_a_chmod_is_one_of_mode(
    bases: Minidock, app: Path, again: str
) -> None:
    os.utime(app / "sample.py", (1, 1))
    assert "miss" not in verdicts(rebuilt(bases, app, again))
    (app / "sample.py").chmod(0o755)
    assert verdicts(rebuilt(bases, app, again))[4:] == ["miss"] * 3
    said = words(bases, again)
    assert "because sample.py has another mode: 0644 → 0755\n" in said
    assert "Hint: `chmod 0644 sample.py` brings the cached step back." in said
    (app / "sample.py").chmod(0o644)
    assert "miss" not in verdicts(rebuilt(bases, app, again))


def test_two_causes_are_both_named_also_behind_the_first_miss(
    bases: Minidock, app: Path, again: str
) -> None:
    (app / "requirements.txt").write_text("django\n")
    (app / "sample.py").write_text("print('two')\n")
    steps = rebuilt(bases, app, again)["steps"]
    told = [[(c["cause"], c["path"]) for c in step["causes"]] for step in steps]
    assert told[2:5] == [
        [("file", "requirements.txt")], [("parent", "")],
        [("parent", ""), ("file", "sample.py")],
    ]  # fmt: skip


# ── What it cost ─────────────────────────────────────────────────────────────────────────


def test_what_a_step_cost_is_told_when_it_is_done_and_when_it_is_saved(
    bases: Minidock, app: Path, again: str
) -> None:
    done = explained(bases, again)["steps"]
    saved = rebuilt(bases, app, again)["steps"]
    sizes = [0, 0, 6, 7, 13, 0, 0]
    assert [step["size_bytes"] for step in done] == sizes
    assert [step["size_bytes"] for step in saved] == sizes
    assert done[3]["milliseconds"] >= saved[3]["milliseconds"] > 0
    said = words(bases, again)
    assert re.search(r"(?m)^  from the cache: \d+ ms and 13 B saved$", said)
    assert re.search(r"(?m)^6 steps from the cache: .+ 26 B saved$", said)


# ── Who cannot be asked any more ─────────────────────────────────────────────────────────


def test_an_image_that_came_from_elsewhere_says_that_no_cache_was_asked(
    bases: Minidock, app: Path, again: str, tmp_path: Path
) -> None:
    said = words(bases, "python")
    assert "It was not built here but came as a whole, so no cache was asked" in said
    assert "(stand-in: host python" in said
    archive = tmp_path / "image.tar"
    assert bases.run("save", "-o", str(archive), again).returncode == 0
    assert bases.run("rmi", again).returncode == 0
    assert bases.run("load", "-i", str(archive)).returncode == 0
    told = explained(bases, again)
    assert (told["is_built_here"], told["told_by"], told["story"]) == (
        False, "history", "",
    )  # fmt: skip
    assert any("COPY" in step["text"] for step in told["steps"])


def test_when_the_story_is_gone_the_cache_tells_and_then_the_image_itself(
    bases: Minidock, app: Path, again: str
) -> None:
    told = explained(bases, again)
    (bases.root / "journal" / f"{told['story']}.jsonl").unlink()
    by_cache = explained(bases, again)
    assert by_cache["told_by"] == "cache"
    assert [step["text"] for step in by_cache["steps"]] == [
        step["text"] for step in told["steps"][1:]
    ]
    assert [step["size_bytes"] for step in by_cache["steps"]] == [0, 6, 7, 13, 0, 0]
    assert "The record of its build is no longer kept" in words(bases, again)
    with _client(bases) as client:
        client.builds.prune(all=True)
    assert explained(bases, again)["told_by"] == "history"
    assert "neither the record of that nor its steps are kept" in words(bases, again)
    after = rebuilt(bases, app, again)
    assert after["steps"][1]["causes"][0]["cause"] == "removed"


def _client(minidock: Minidock) -> Any:
    os.environ |= minidock.environment
    return connect()


def test_an_unknown_image_is_refused_with_those_that_are_here(bases: Minidock) -> None:
    refused = bases.run("explain", "cache", "nope")
    assert refused.returncode == 1
    assert "No such image: nope:latest" in refused.stderr


# ── The way in ───────────────────────────────────────────────────────────────────────────


def entered(minidock: Minidock, said: str, script: str) -> str:
    """Run the command that was printed, in a pipe instead of a terminal."""
    line = next(row for row in said.splitlines() if "just before this step:" in row)
    typed = line.partition(": ")[2].removeprefix("minidock run -it").split()
    ran = minidock.run("run", "-i", "--rm", *typed, input=script)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param("", id="of a plain image"),
        pytest.param('ENTRYPOINT ["echo"]\n', id="whose entrypoint is something else"),
        pytest.param('SHELL ["/bin/busybox", "ash", "-c"]\n', id="with another shell"),
        pytest.param("USER 7\n", id="as somebody else"),
    ],
)
def test_the_way_in_leads_to_just_before_the_step_that_failed(
    bases: Minidock, app: Path, settings: str
) -> None:
    text = f"FROM alpine\nWORKDIR /app\nENV A=1\n{settings}RUN touch late; cat nothing\n"
    (app / "Dockerfile").write_text(text)
    failed = bases.run("build", "--force-rm", str(app))
    assert failed.returncode == 1
    assert "cat: can't open 'nothing'" in failed.stdout
    assert entered(bases, failed.stdout, "pwd; echo $A; ls; id -u\n") == (
        f"/app\n1\n{7 if 'USER' in settings else 0}\n"
    )


def test_after_a_failure_the_step_behind_it_says_that_it_was_not_reached(
    bases: Minidock, app: Path
) -> None:
    text = APP.replace("RUN ", "RUN test -e allowed && ").replace(
        "COPY requirements.txt", "COPY requirements.txt allowe[d]"
    )
    tag = "reached-at-last"
    (app / "Dockerfile").write_text(text)
    assert bases.run("build", "-t", tag, str(app)).returncode == 1
    (app / "Dockerfile").write_text(text.replace("test -e allowed", "true"))
    built(bases, app, tag)
    causes: Sequence[Any] = explained(bases, tag)["steps"][3]["causes"]
    assert [cause["cause"] for cause in causes] == ["unfinished"]


# ── Steps from elsewhere ─────────────────────────────────────────────────────────────────


def test_the_steps_of_a_loaded_image_are_taken_where_it_is_named(
    bases: Minidock, app: Path, again: str
) -> None:
    archive = app.parent / "travelling.tar"
    for words_ in (
        ("save", "-o", str(archive), again), ("rmi", again), ("load", "-i", str(archive)),
    ):  # fmt: skip
        assert bases.run(*words_).returncode == 0
    (app / "sample.py").write_text("print('two')\n")
    flags = ("--label", f"of={again}", "--cache-from", f"nowhere,{again}")
    built(bases, app, f"{again}-on", *flags)
    told = explained(bases, f"{again}-on")
    assert verdicts(told) == ["base", "hit", "hit", "hit", "miss", "miss", "miss"]
    assert [step["source"] for step in told["steps"]] == ["", *[again] * 3, "", "", ""]
    assert f"from {again}, which --cache-from names: 7 B saved" in words(
        bases, f"{again}-on"
    )
    assert bases.run("run", "--rm", f"{again}-on").stdout == "two\n"
