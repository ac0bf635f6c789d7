"""The verbs about the engine and about what was recorded, on the real kernel."""

import json
import os
import re
import resource
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from pyminidock.cli.explain import EXAMPLES
from pyminidock.cli.flags import container_flags
from tests.minidock_cli import Minidock, parent_cgroups
from tests.reference import wait_until

pytestmark = pytest.mark.edge

PATIENCE_S = 30


def said(minidock: Minidock, *args: str) -> str:
    """Run a command that must succeed without a word on standard error."""
    ran = minidock.run(*args)
    assert (ran.returncode, ran.stderr) == (0, ""), ran
    return ran.stdout


@pytest.fixture
def own() -> Iterator[Minidock]:
    """Give an engine of its own; whatever the test does to it, it is reset at the end."""
    with tempfile.TemporaryDirectory(prefix="minidock-own-") as scratch:
        engine = Minidock(Path(scratch) / "root", Path(scratch) / "minidock.sock")
        try:
            said(engine, "bootstrap", "busybox")
            yield replace(engine, cgroups=parent_cgroups(engine))
        finally:
            engine.run("system", "reset", "--force")


# ── system ───────────────────────────────────────────────────────────────────────────────


def test_after_a_shutdown_containers_go_on_and_are_found_again(own: Minidock) -> None:
    said(own, "run", "-d", "--name", "web", "busybox", "sleep", "1000")
    pid = json.loads(said(own, "inspect", "web"))[0]["State"]["Pid"]
    said(own, "system", "shutdown")
    assert not own.host.exists()
    assert "sleep" in Path(f"/proc/{pid}/cmdline").read_text()
    assert said(own, "ps", "-q").count("\n") == 1
    assert said(own, "exec", "web", "echo", "hi") == "hi\n"


def test_a_reset_leaves_nothing_and_says_what_it_took(own: Minidock) -> None:
    said(own, "run", "-d", "--name", "web", "busybox", "sleep", "1000")
    said(own, "create", "--name", "idle", "busybox", "true")
    foreseen = said(own, "system", "reset", "--dry-run")
    assert said(own, "ps", "-aq").count("\n") == 2
    told = said(own, "system", "reset", "-f")
    assert told == foreseen
    assert re.search(r"^container [0-9a-f]{12} \(web\)$", told, re.MULTILINE)
    assert not own.root.exists()
    with suppress(TimeoutError):
        wait_until(lambda: not own.remains(), PATIENCE_S, "the rest to go")
    assert own.remains() == []


def test_a_reset_ends_what_is_held_or_starts_again(own: Minidock) -> None:
    said(own, "run", "-d", "--name", "held", "busybox", "sleep", "1000")
    said(own, "pause", "held")
    said(own, "run", "-d", "--name", "again", "--restart", "always", "busybox", "false")
    said(own, "run", "-dt", "--name", "tty", "busybox", "sleep", "1000")
    said(own, "exec", "-d", "tty", "sleep", "1001")
    said(own, "system", "reset", "--force")
    assert not own.root.exists()
    with suppress(TimeoutError):
        wait_until(lambda: not own.remains(), PATIENCE_S, "the rest to go")
    assert own.remains() == []


def test_a_reset_asks_first(own: Minidock) -> None:
    said(own, "create", "--name", "idle", "busybox", "true")
    asked = own.run("system", "reset", input="n\n")
    assert asked.stdout.startswith(f"WARNING! This ends all containers of {own.root}")
    assert said(own, "ps", "-aq").count("\n") == 1
    assert own.run("system", "reset", input="y\n").returncode == 0
    assert not own.root.exists()


def test_a_reset_spares_what_no_engine_made(own: Minidock) -> None:
    (own.root / "thesis.txt").write_text("three years of work")
    said(own, "system", "reset", "--force")
    assert [path.name for path in own.root.iterdir()] == ["thesis.txt"]


def test_a_shutdown_of_nothing_is_no_error(own: Minidock) -> None:
    said(own, "system", "shutdown")
    assert said(own, "system", "shutdown") == ""


def test_a_daemon_in_the_foreground_says_where_it_is_and_ends_by_a_signal(
    own: Minidock,
) -> None:
    said(own, "system", "shutdown")
    daemon = subprocess.Popen(
        own.words("daemon"), stderr=subprocess.PIPE, env=own.environment, text=True
    )
    with daemon:
        assert daemon.stderr is not None
        first = daemon.stderr.readline()
        assert first == (
            f"minidock daemon: the engine of {own.root} listens at {own.host} "
            "(linux-root)\n"
        )
        assert said(own, "run", "--rm", "busybox", "echo", "hi") == "hi\n"
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(PATIENCE_S) == 0
        assert (
            daemon.stderr.read() == "minidock daemon: the engine ends; containers go on\n"
        )


# ── doctor, env ──────────────────────────────────────────────────────────────────────────


def test_an_engine_takes_all_descriptors_it_may_and_hands_on_what_it_was_given(
    own: Minidock,
) -> None:
    """Hardening D.7 and H.4: whoever started it chose the limit of the containers."""
    said(own, "system", "shutdown")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    low = ("sh", "-c", 'ulimit -Sn 300; exec "$@"', "sh")
    daemon = subprocess.Popen(
        [*low, *own.words("daemon")], stderr=subprocess.PIPE, env=own.environment
    )
    with daemon:
        assert daemon.stderr is not None
        assert b"listens" in daemon.stderr.readline()
        ran = own.run("run", "--rm", "busybox", "sh", "-c", "ulimit -Sn; ulimit -Hn")
        limits = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(PATIENCE_S) == 0
    assert (ran.stdout, limits) == (f"300\n{hard}\n", (hard, hard)), ran


def test_the_doctor_says_the_same_with_and_without_an_engine(own: Minidock) -> None:
    with_engine = json.loads(said(own, "doctor", "--json"))
    said(own, "system", "shutdown")
    without = json.loads(said(own, "doctor", "--json"))
    assert not own.host.exists()  # and it started none
    assert with_engine["backend"] == without["backend"] == "linux-root"
    assert with_engine["capabilities"] == without["capabilities"]
    assert said(own, "doctor", "--short").startswith("linux-root: ")
    for row in without["capabilities"]:
        assert row["name"] in said(own, "doctor")


def test_the_doctor_needs_no_root(own: Minidock) -> None:
    line = shlex.join([sys.executable, "-m", "pyminidock", "doctor", "--json"])
    asked = subprocess.run(
        ["unshare", "--user", "--map-user=1000", "sh", "-c", line],
        capture_output=True, text=True, check=False,
        env=own.environment | {"MINIDOCK_ROOT": "/nowhere", "MINIDOCK_HOST": "unix:///no/s"},
    )  # fmt: skip
    assert asked.returncode == 0, asked.stderr
    told = json.loads(asked.stdout)
    assert told["backend"] != "linux-root"
    rows = {row["name"]: row for row in told["capabilities"]}
    assert rows["backend"]["state"] == "limited"
    assert rows["backend"]["fix"]


def test_the_settings_lead_a_stranger_to_our_socket(minidock: Minidock) -> None:
    told = json.loads(said(minidock, "env", "--json"))
    assert told == {"DOCKER_HOST": f"unix://{minidock.host}", "DOCKER_BUILDKIT": "0"}


def test_a_shell_completes_our_verbs(minidock: Minidock) -> None:
    assert "_MINIDOCK_COMPLETE=bash_complete" in said(minidock, "completion", "bash")
    asked = subprocess.run(
        [sys.executable, "-m", "pyminidock"], capture_output=True, text=True, check=True,
        env=os.environ
        | {"_MINIDOCK_COMPLETE": "bash_complete", "COMP_WORDS": "minidock expl",
           "COMP_CWORD": "1"},
    )  # fmt: skip
    assert asked.stdout == "plain,explain\n"


# ── explain ──────────────────────────────────────────────────────────────────────────────


def test_a_plan_is_printed_and_nothing_is_done(minidock: Minidock) -> None:
    before = sorted((minidock.root / "containers").iterdir())
    lines = said(minidock, "explain", "plan", "--memory", "64m", "busybox", "echo", "hi")
    rows = [line.split(None, 3) for line in lines.splitlines()]
    assert [int(row[0]) for row in rows] == list(range(1, len(rows) + 1))
    hands = [row[1] for row in rows]
    assert [hand for at, hand in enumerate(hands) if hands[:at].count(hand) == 0] == [
        "engine", "shim", "child",
    ]  # fmt: skip
    assert any("= 67108864" in line for line in lines.splitlines())
    assert rows[-1][2] == "execute"
    assert sorted((minidock.root / "containers").iterdir()) == before


@pytest.mark.parametrize(
    ("flags", "call", "fact"),
    [
        (["--cap-drop", "ALL"], "set capabilities", "capabilities effective"),
        (["--read-only"], "remount readonly", "mount /"),
        (["--user", "1000:1000"], "become user", "uid"),
        (["--ulimit", "nofile=99:99"], "limit resource", "limit nofile"),
        (["--security-opt", "no-new-privileges"], "forbid new privileges",
         "no new privileges"),
        (["--tmpfs", "/run"], "mount", "mount /run"),
    ],
)  # fmt: skip
def test_what_a_flag_changes_is_shown_in_plan_and_in_fact(
    minidock: Minidock, flags: list[str], call: str, fact: str
) -> None:
    told = json.loads(said(minidock, "explain", "flag", "--json", *flags))
    assert any(line[2:].startswith(call) for line in told["calls"]), told["calls"]
    assert fact in [row[0] for row in told["observed"]], told["observed"]
    text = said(minidock, "explain", "flag", *flags)
    assert call in text
    assert fact in text


def test_what_cannot_be_seen_from_outside_is_not_called_the_same(
    minidock: Minidock,
) -> None:
    text = said(minidock, "explain", "flag", "--hostname", "web")
    assert "set hostname" in text
    assert "/proc/PID and the accounts show the same of both" in text


def test_one_table_says_it_of_every_flag(minidock: Minidock) -> None:
    told = json.loads(said(minidock, "explain", "flag", "--json"))
    assert list(told) == list(EXAMPLES)
    silent = {"--name web", "--rm"}  # what a plan does not depend on
    assert {typed for typed, each in told.items() if not each["calls"]} == silent
    observed = {typed for typed, each in told.items() if each["observed"]}
    assert {"--user 1000:1000", "--memory 64m", "--privileged", "--read-only"} <= observed


def test_every_example_in_the_table_is_a_flag_of_run() -> None:
    shown = {typed.split()[0] for typed in EXAMPLES}
    assert shown <= {max(option.opts, key=len) for option in container_flags()}
    assert len(shown) > 20


def test_isolation_is_what_the_kernel_says(minidock: Minidock) -> None:
    said(minidock, "run", "-d", "--name", "web", "busybox", "sleep", "1000")
    try:
        told = json.loads(said(minidock, "explain", "isolation", "--json", "web"))
        text = said(minidock, "explain", "isolation", "web")
        files = {"mount": "mnt", "network": "net"}
        for row in told["namespaces"]:
            file = files.get(row["kind"], row["kind"])
            theirs = Path(f"/proc/{told['pid']}/ns/{file}").stat().st_ino
            ours = Path(f"/proc/self/ns/{file}").stat().st_ino
            assert (row["number"], row["host"]) == (theirs, ours)
            assert row["is_shared"] == (theirs == ours)
            assert str(theirs) in text
        status = Path(f"/proc/{told['pid']}/status").read_text()
        effective = told["capabilities"]["effective"]["mask"]
        assert f"CapEff:\t{effective}\n" in status
        assert "00000000a80425fb" in text
        assert "CHOWN" in text
        assert "a filter (1 installed)" in text
        denied = {row["call"] for theme in told["denied"] for row in theme["denials"]}
        assert {"mount", "unshare", "bpf", "keyctl"} <= denied
        assert "New namespaces: " in text
        assert "stricter than Docker's" in text
    finally:
        said(minidock, "rm", "-f", "web")


# ── trace ────────────────────────────────────────────────────────────────────────────────


def test_a_trace_can_be_listed_shown_and_taken_along(
    minidock: Minidock, tmp_path: Path
) -> None:
    said(minidock, "run", "--rm", "busybox", "echo", "traced")
    last = said(minidock, "trace", "ls").splitlines()[-1]
    assert "run busybox echo traced" in last
    story = last.split()[0]
    text = said(minidock, "trace", "show", "last")
    assert text == said(minidock, "trace", "show", story, "--text")
    assert "run busybox echo traced" in text.splitlines()[0]
    exported = said(minidock, "trace", "export", story)
    kinds = [json.loads(line).get("kind") for line in exported.splitlines()[1:]]
    assert kinds[-1] == "container.removed"
    assert {"image.found", "plan.made", "root.pivoted", "container.exited"} <= set(kinds)
    (tmp_path / "trace.jsonl").write_text(exported)
    assert said(minidock, "trace", "show", str(tmp_path / "trace.jsonl")) == text


def test_a_story_becomes_a_page_of_one_file(minidock: Minidock, tmp_path: Path) -> None:
    page = tmp_path / "out.html"
    ran = minidock.run("trace", "export", "last", "--html", str(page))
    assert ran.returncode == 0, ran.stderr
    assert "any browser opens it" in ran.stderr
    assert "Content-Security-Policy" in page.read_text(encoding="utf-8")
    again = minidock.run("trace", "show", "last", "--html", "-")
    assert again.stdout == page.read_text(encoding="utf-8")
