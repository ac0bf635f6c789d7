"""Secrets are planted in every channel of a build and a run, and looked for everywhere.

What an image or a container has to hold, so that it can be run and inspected, is in its own
documents; what tells of it, and may be taken elsewhere, holds none.
"""

import gzip
import json
import os
import re
import stat
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyminidock.events.journal import read_trace
from pyminidock.viz.film import Reel, header
from tests.minidock_cli import Minidock

pytestmark = pytest.mark.edge

DOCKERFILE = """\
ARG FIRST=canary-arg-first
FROM busybox AS base
ARG GIVEN=canary-arg-default
ARG UNUSED
ARG NPM_TOKEN
ENV DB_PASSWORD=canary-env-password
LABEL org.example.key="canary-label" other=canary-label-other
RUN echo "$GIVEN" >/given && wc -c </given
RUN echo "$GIVEN"; env; echo "$DB_PASSWORD" >&2; echo "$NPM_TOKEN" | tee /token
RUN echo -H "Authorization: Bearer canary-argv-header" https://me:canary-argv-user@host/ \\
    --password canary-argv-option 'API_KEY=canary-argv-assigned' >/dev/null
RUN : curl --user me:canary-argv-curl http://host/
RUN ["sh", "-c", ": -H 'X-Auth-Token: canary-argv-exec'", "--token", "canary-argv-next"]
ENV LAST_OLD canary-env-old three words
ENV PLAIN=canary-env-plain QUOTED="canary-env two words"
ENV DERIVED=$GIVEN-$NPM_TOKEN
COPY secret.txt /etc/
HEALTHCHECK CMD curl -H "Authorization: Basic canary-health" localhost
ONBUILD ENV LATER=canary-onbuild
CMD ["login", "--password", "canary-cmd-option"]
FROM busybox AS never
ENV SKIPPED=canary-skipped
FROM base
ENV LAST=canary-env-last
"""
FAILING = """\
FROM busybox
ARG GIVEN
ENV TOKEN=canary-fail-env
RUN echo "$GIVEN" >/dev/null; : "Authorization: Bearer canary-fail-header"; exit 3
"""
ARGUMENTS = {
    "GIVEN": "canary-build-argument", "UNUSED": "canary-build-unused",
    "NPM_TOKEN": "canary-build-token", "HTTPS_PROXY": "http://me:canary-build-proxy@h/",
}  # fmt: skip


@pytest.fixture(scope="module")
def told(
    minidock: Minidock, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """Everything that the engine told of builds and runs full of secrets, by where."""
    folder = tmp_path_factory.mktemp("secrets")
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "secret.txt").write_text("canary-content\n")
    words = [
        w for name, value in ARGUMENTS.items() for w in ("--build-arg", f"{name}={value}")
    ]
    build = ("build", "--tag", "secrets:1", "--label", "given=canary-build-label", *words)
    before = {path.name for path in (minidock.root / "journal").iterdir()}
    for change in ("", "\n# another comment\nENV MORE=canary-more\n"):
        (folder / "Dockerfile").write_text(DOCKERFILE + change)
        done = minidock.run(*build, str(folder))
        assert done.returncode == 0, done.stderr
    edited = DOCKERFILE.replace("canary-env-plain", "canary-env-other")
    (folder / "Dockerfile").write_text(edited)
    explained = [
        minidock.run(*build, str(folder)),
        minidock.run("explain", "cache", "secrets:1"),
    ]
    (folder / "Dockerfile").write_text(FAILING)
    failed = minidock.run(*build, str(folder))
    assert failed.returncode == 3
    for text in (
        "ENV TOKEN=canary-wrong-env and-canary-wrong-rest",
        "ENV canary-wrong-alone",
    ):
        (folder / "Dockerfile").write_text(f"FROM busybox\n{text}\n")
        assert minidock.run(*build, str(folder)).returncode == 1
    ran = minidock.run(
        "run", "--rm", "--env", "PLAIN=canary-run-env", "--env", "API_KEY=canary-run-key",
        "secrets:1",
        "sh", "-c", ": -H 'Authorization: Bearer canary-run-header'", "--password",
        "canary-run-option", "ftp://me:canary-run-user@host/",
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    minidock.run("run", "--rm", "--env", "A=canary-refused", "nobody:tag", "true")
    new = sorted(
        path for path in (minidock.root / "journal").iterdir() if path.name not in before
    )
    found = {str(path.name): path.read_text() for path in new}
    for story in (path.stem for path in new):
        for form in ("--json", "--text"):
            done = minidock.run("trace", "export", form, story)
            assert done.returncode == 0, done.stderr
            found[f"export {form} {story}"] = done.stdout
        found[f"page {story}"] = _page(minidock, story, folder / "page.html")
        found[f"film {story}"] = _film(found[f"export --json {story}"])
        done = minidock.run("trace", "show", "--text", "--depth", "3", "--linux", story)
        found[f"show {story}"] = done.stdout
    found["trace ls"] = minidock.run("trace", "ls", "--json").stdout
    found["explain cache"] = explained[1].stdout + explained[1].stderr
    layers = minidock.run("image", "layers", "--json", "secrets:1")
    assert layers.returncode == 0, layers.stderr
    found["image layers"] = layers.stdout
    found["daemon.log"] = (minidock.root / "daemon.log").read_text()
    yield found
    minidock.run("rmi", "--force", "secrets:1")


def _page(minidock: Minidock, story: str, path: Path) -> str:
    """Give a page that replays it, its film unpacked."""
    done = minidock.run("trace", "export", "--html", str(path), story)
    assert done.returncode == 0, done.stderr
    page = path.read_text()
    packed = re.search(r'<script type="application/gzip"[^>]*>([^<]*)<', page)
    film = "" if packed is None else gzip.decompress(b64decode(packed[1])).decode()
    assert '"minidock-film"' in page + film
    return page + "\n" + film


def _film(lines: str) -> str:
    """Give all that a page is told of a story, in a notebook or as one file."""
    trace = read_trace(lines.splitlines())
    frames = Reel().frames(trace.records)
    return "\n".join(map(json.dumps, (header(trace.header), *frames)))


def leaks(told: dict[str, str]) -> list[str]:
    """Give the kinds of events, or the outputs, that hold a canary, and which."""
    found = set()
    for where, text in told.items():
        for line in text.splitlines():
            kind = re.search(r'"kind":"([a-z.]+)"', line)
            for word in re.findall(r"canary[a-z-]*", line):
                found.add(f"{kind[1] if kind else where.rpartition(' ')[0]}: {word}")
    return sorted(found)


def test_nothing_that_tells_of_it_holds_a_secret(told: dict[str, str]) -> None:
    """H-45: journal, exports, replay pages, films, explanations and the engine's log."""
    assert len(told) > 20
    assert "\n".join(leaks(told)) == ""


def test_what_was_told_is_told_all_the_same(told: dict[str, str]) -> None:
    """The test above would also hold of an engine that tells nothing."""
    everything = "\n".join(text for where, text in told.items() if "--json" in where)
    for kind in ("instruction.parsed", "step.started", "step.skipped", "config.changed",
                 "cache.missed", "cache.hit", "build.failed", "spec.resolved"):  # fmt: skip
        assert f'"{kind}"' in everything
    films = [text for where, text in told.items() if where.startswith("film")]
    assert all(len(film.splitlines()) > 1 for film in films)
    assert "DB_PASSWORD" in "".join(films)
    for word in ("DB_PASSWORD", "NPM_TOKEN", "org.example.key", "secret.txt", "redacted"):
        assert word in everything


def test_the_owner_alone_can_read_what_the_engine_keeps(
    minidock: Minidock, told: dict[str, str]
) -> None:
    assert told
    assert stat.S_IMODE(minidock.root.stat().st_mode) & 0o077 == 0
    open_files = [
        str(path)
        for pattern in ("journal", "journal/*", "daemon.log", "state.db*", "lock")
        for path in minidock.root.glob(pattern)
        if path.stat().st_mode & 0o077
    ]
    assert open_files == []


def test_the_image_has_what_it_was_given(minidock: Minidock, told: dict[str, str]) -> None:
    assert told
    shown = minidock.run("inspect", "secrets:1").stdout
    assert "canary-env-password" in shown
    assert os.linesep in shown
