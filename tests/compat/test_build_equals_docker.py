"""The same Dockerfile built by dockerd and by us: one configuration, one list of files.

What only the classic builder can say, its text, is compared with it; what only BuildKit
understands is built by dockerd's own BuildKit.  Whatever differs needs a rule.
"""

import difflib
import http.client
import io
import random
import re
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.builder import Context, extract, packed
from tests.compat import dockerfiles
from tests.compat.allowlist import AllowList, Difference, differences, standing
from tests.compat.any_build import any_dockerfile
from tests.compat.bakers import BUILDKIT, Baker, Outcome, bakers
from tests.compat.dockerfiles import Case
from tests.minidock_cli import Minidock
from tests.reference import PREFIX, Reference

pytestmark = pytest.mark.compat

DAEMON = "Error response from daemon: "


@dataclass(slots=True)
class Contest:
    """Both engines, and what was found so far; each case is built once."""

    docker: Baker
    ours: Baker
    rules: AllowList
    found: dict[str, list[Difference]] = field(default_factory=dict)

    @property
    def both(self) -> tuple[Baker, Baker]:
        """Docker's, then ours."""
        return self.docker, self.ours

    def differences(self, group: str, name: str) -> list[Difference]:
        """Build a case with both; give all in which they differ."""
        key = f"{group}: {name}"
        if key not in self.found:
            case = getattr(dockerfiles, group)[name]
            with_kit = BUILDKIT if group == "BUILDKIT" else {}
            asked = {"nocache": "1", **case.query}
            theirs = self.docker.build(case.context, **{**asked, **with_kit})
            mine = self.ours.build(case.context, **asked)
            self.found[key] = [*self._differing(theirs, mine, name, has_text=not with_kit)]
        return self.found[key]

    def _differing(
        self, theirs: Outcome, mine: Outcome, name: str, *, has_text: bool
    ) -> Iterator[Difference]:
        if theirs.image and mine.image:
            yield from differences(
                self.docker.facts(theirs.image), self.ours.facts(mine.image)
            )
        elif theirs.image or mine.image:
            yield Difference("build failure", name, theirs.message, mine.message)
        if has_text:
            yield from differing_lines(name, lines_of(theirs), lines_of(mine))


def lines_of(outcome: Outcome) -> list[str]:
    """Give the lines of a build with the ids gone."""
    return without_ids(outcome.text).splitlines()


def without_ids(text: str) -> str:
    return re.sub(r"\b(sha256:[0-9a-f]{64}|[0-9a-f]{12})\b", "ID", text)


def differing_lines(
    name: str, docker: Sequence[str], ours: Sequence[str]
) -> Iterator[Difference]:
    """Give a Difference for each run of lines that only one of them has."""
    matcher = difflib.SequenceMatcher(None, docker, ours, autojunk=False)
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind != "equal":
            said = (" / ".join(docker[i:j]), " / ".join(ours[k:m]))
            yield Difference("build text", name, *said)


def report(found: Sequence[object]) -> str:
    return "\n".join(str(one) for one in found)


@pytest.fixture(scope="module")
def contest(reference: Reference, minidock: Minidock) -> Contest:
    docker, ours = bakers(reference, minidock)
    for case in dockerfiles.BASES.values():
        for baker in (docker, ours):
            assert baker.build(case.context, **case.query).image
    return Contest(docker, ours, standing(about_builds=True))


@pytest.mark.parametrize("name", dockerfiles.CLASSIC)
def test_an_image_is_the_classic_builders(contest: Contest, name: str) -> None:
    found = contest.differences("CLASSIC", name)
    assert report(contest.rules.unexplained(found)) == ""


@pytest.mark.parametrize("name", dockerfiles.BUILDKIT)
def test_an_image_is_buildkits(contest: Contest, name: str) -> None:
    found = contest.differences("BUILDKIT", name)
    assert report(contest.rules.unexplained(found)) == ""


@pytest.mark.parametrize("name", dockerfiles.FAILING)
def test_what_fails_says_the_same_over_the_api(contest: Contest, name: str) -> None:
    case = Case(dockerfiles.FAILING[name][0])
    theirs, mine = (baker.build(case.context) for baker in contest.both)
    told = (without_root(theirs.message), theirs.code, theirs.status)
    assert told == (mine.message, mine.code, mine.status)
    assert mine.message


@pytest.mark.parametrize("name", dockerfiles.FAILING)
def test_what_fails_ends_the_command_in_the_same_way_and_is_marked(
    contest: Contest, tmp_path: Path, name: str
) -> None:
    text, marked = dockerfiles.FAILING[name]
    laid_out(Case(text).context, tmp_path)
    words = ("build", "--force-rm", str(tmp_path))
    theirs, mine = (baker.typed(*words) for baker in contest.both)
    told = without_root(theirs.stderr.strip().splitlines()[-1])
    (said,) = [line for line in mine.stderr.splitlines() if line.startswith("minidock: ")]
    assert said.removeprefix("minidock: ") == told.removeprefix(DAEMON)
    assert (mine.returncode, mine.returncode > 0) == (theirs.returncode, True)
    assert under_the_mark(mine.stderr) == marked


def without_root(message: str) -> str:
    """Take out where dockerd has mounted the container; a client cannot do with it."""
    return re.sub(
        rf"/\S*/{PREFIX}\w+/private/data/overlay2/\w+/(?:merged|diff)", "", message
    )


def laid_out(context: Context, folder: Path) -> None:
    """Write a context as files."""
    with tarfile.open(fileobj=io.BytesIO(packed(context))) as archive:
        extract(archive, folder)


def under_the_mark(text: str) -> str:
    """Give the words of the line before a mark that stand above it."""
    (found,) = re.finditer(r"^ *\d+ \| (.*)\n +\| ([ \t]*)(\^+)$", text, re.MULTILINE)
    line, before, marks = found.groups()
    return line[len(before) :][: len(marks)]


STEPS = "FROM busybox\nENV A={}\nRUN echo out\nCOPY a /\nRUN echo err >&2\n"
PRINTED: dict[str, tuple[str, dict[str, Any]]] = {
    "as usual": ("", {"rm": "1"}),
    "containers stay": ("", {"rm": "0", "forcerm": "0"}),
    "they do not, by force": ("", {"rm": "0", "forcerm": "1"}),
    "names": ("", {"t": ["printed:1", "printed:2", "h.example/x/printed"]}),
    "quietly": ("", {"q": "1"}),
    "labels": ("", {"labels": {"b": "1", "a": "2 x"}}),
    "unused arguments": ("", {"buildargs": {"Z": "1", "Y": None, "A": "x"}}),
    "a failure": ("RUN exit 3", {"forcerm": "1"}),
    "a failure whose container stays": ("RUN exit 3", {"rm": "1", "forcerm": "0"}),
    "a failure of files": ("COPY nope /", {}),
    "a failure, quietly": ("RUN exit 3", {"q": "1"}),
    "two health checks": ("HEALTHCHECK CMD a\nHEALTHCHECK CMD b", {}),
    "blank lines": ("RUN echo a \\\n\n  b\nRUN echo c \\\n\n d", {}),
    "all stages": ("FROM busybox\nENV B=1", {"stages": "all"}),
    "no such stage": ("", {"target": "zz"}),
    "no such file": ("", {"dockerfile": "nope"}),
    "a file outside": ("", {"dockerfile": "../x"}),
    "an empty file": ("", {"dockerfile": "empty-file"}),
    "a name in capitals": ("", {"t": "UP:1"}),
    "a name with a digest": ("", {"t": f"a@sha256:{'0' * 64}"}),
    "a version": ("", {"version": "3"}),
    "squashing": ("", {"squash": "1"}),
    "a platform": ("", {"platform": "zz"}),
    "labels that are a list": ("", {"labels": "[]"}),
    "a label that is a number": ("", {"labels": '{"a": 1}'}),
    "arguments that are a text": ("", {"buildargs": '"a"'}),
    "an address that is none": ("", {"remote": "foo"}),
}  # fmt: skip


@pytest.mark.parametrize("name", PRINTED)
def test_each_piece_of_the_answer_is_dockers(contest: Contest, name: str) -> None:
    """The first time, and again, when the steps are known."""
    more, query = PRINTED[name]
    context = {
        **dockerfiles.TREE, "Dockerfile": STEPS.format(name.replace(" ", "-")) + more,
    }  # fmt: skip
    for _ in range(2):
        outcomes = [baker.build(context, **query) for baker in contest.both]
        for baker, outcome in zip(contest.both, outcomes, strict=True):
            for container in containers_left(outcome.text):
                baker.run("rm", container)
        theirs, mine = outcomes
        assert mine.status == theirs.status
        found = differing_lines(name, pieces_of(theirs), pieces_of(mine))
        assert report(contest.rules.unexplained(found)) == ""


def containers_left(text: str) -> set[str]:
    """Name the containers that a build said it began, and not that it removed."""
    begun, gone = (
        set(re.findall(rf"{words} (\w{{12}})\n", text))
        for words in ("Running in", "intermediate container")
    )
    return begun - gone


def pieces_of(outcome: Outcome) -> list[str]:
    """Give what was said piece by piece, without ids and ends of lines."""
    return [without_ids(piece).removesuffix("\n") for piece in outcome.pieces]


TYPED = {
    "a folder": (("FOLDER",), "Dockerfile"),
    "a file in it": (("-f", "FOLDER/d/other", "FOLDER"), "d/other"),
    "a file outside": (("--file", "OUTSIDE", "FOLDER"), "OUTSIDE"),
    "a file that is typed": (("-f", "-", "FOLDER"), "-"),
    "no context": (("-",), "-"),
    "all that can be said": (
        ("-t", "typed:1", "--tag", "typed:2", "--build-arg", "V=2", "--label", "l=m n",
         "--target", "one", "--no-cache", "--force-rm", "FOLDER"), "Dockerfile",
    ),
    "quietly": (("-q", "FOLDER"), "Dockerfile"),
}  # fmt: skip


@pytest.mark.parametrize("name", TYPED)
def test_what_is_typed_builds_and_prints_the_same(
    contest: Contest, tmp_path: Path, name: str
) -> None:
    words, place = TYPED[name]
    copy = "" if words == ("-",) else "COPY a d /x/\n"
    text = f"FROM busybox AS one\nARG V=1\nENV N={name!r}\n{copy}RUN echo $V >/v\n"
    folder, outside = tmp_path / "folder", tmp_path / "outside"
    folder.mkdir()
    laid_out(dockerfiles.TREE, folder)
    given = text if place == "-" else None
    if given is None:
        (outside if place == "OUTSIDE" else folder / place).write_text(text)
    places = {"FOLDER": str(folder), "OUTSIDE": str(outside)}
    told = []
    for baker in contest.both:
        id_file = tmp_path / "id"
        typed = [re.sub("FOLDER|OUTSIDE", lambda at: places[at[0]], word) for word in words]
        done = baker.typed("build", "--iidfile", str(id_file), *typed, given=given)
        assert done.returncode == 0, done.stderr
        lines = [line for line in without_ids(done.stdout).splitlines() if line]
        told.append((lines, baker.facts(id_file.read_text().strip())))
    (docker_lines, docker_facts), (our_lines, our_facts) = told
    assert report(differences(docker_facts, our_facts)) == ""
    found = differing_lines(name, docker_lines, our_lines)
    assert report(contest.rules.unexplained(found)) == ""


def test_the_history_is_dockers_to_the_letter(contest: Contest) -> None:
    text = (
        "FROM busybox\nARG V=1\nENV A=b c=d\nRUN echo $V >/v\nCOPY a d/e /x/\n"
        'COPY --chown=1:2 a /y\nWORKDIR /w\nSHELL ["/bin/sh", "-xc"]\n'
        'EXPOSE 80 53/udp\nLABEL l="m n"\nCMD echo hi\nENTRYPOINT ["/bin/echo"]\nUSER 7\n'
        "RUN true\nVOLUME /v1 /v2\nHEALTHCHECK --interval=5s CMD true\nSTOPSIGNAL 9\n"
        "ONBUILD RUN x\n"
        "ADD a a.tgz /\nMAINTAINER me\n"
    )
    context = {**dockerfiles.TREE, "Dockerfile": f"{text}COPY empty /etc\n"}
    told = [baker.history(baker.build(context).image) for baker in contest.both]
    assert told[0] == told[1]
    assert len(told[0]) == 21


@pytest.mark.timeout(1800)  # at full length
def test_any_build_ends_as_dockers(
    contest: Contest, at_length: Callable[[int], int]
) -> None:
    """Without the cache: Docker's takes a link for what it leads to."""
    for seed in range(at_length(300)):
        text = any_dockerfile(random.Random(seed))
        context = {**dockerfiles.TREE, "Dockerfile": text}
        theirs, mine = (
            baker.build(context, stages="all", nocache="1") for baker in contest.both
        )
        assert without_root(theirs.message) == mine.message, (seed, text)
        if theirs.image:
            found = differences(
                contest.docker.facts(theirs.image), contest.ours.facts(mine.image)
            )
            assert report(found) == "", (seed, text)


def only_arguments(contest: Contest) -> Difference:
    """Build a file that has nothing but ARG: dockerd's own thread dies of it."""
    context: Context = {"Dockerfile": "ARG A=1\n"}
    with pytest.raises(http.client.IncompleteRead):
        contest.docker.build(context)
    message = contest.ours.build(context).message
    return Difference("build failure", "only arguments", "the line is cut", message)


def session_of_buildkit(contest: Contest) -> Difference:
    """Ask for what buildx begins with."""
    answers = [str(baker.upgrade("/grpc", "h2c")) for baker in contest.both]
    return Difference("build api", "POST /grpc", *answers)


@pytest.mark.parametrize("ask", [only_arguments, session_of_buildkit])
def test_what_only_one_of_them_can_is_meant(
    contest: Contest, ask: Callable[[Contest], Difference]
) -> None:
    assert report(contest.rules.unexplained([ask(contest)])) == ""


def test_every_rule_about_builds_is_needed(contest: Contest) -> None:
    """Some are needed by what is printed when a step fails, or when it is typed."""
    for group in ("CLASSIC", "BUILDKIT"):
        for name in getattr(dockerfiles, group):
            contest.rules.unexplained(contest.differences(group, name))
    contest.rules.unexplained([only_arguments(contest), session_of_buildkit(contest)])
    test_each_piece_of_the_answer_is_dockers(contest, "a failure")
    assert [rule for rule in contest.rules.stale if rule != "tail-of-the-context"] == []


def test_a_hundred_dockerfiles_are_compared() -> None:
    assert len(dockerfiles.CLASSIC) + len(dockerfiles.BUILDKIT) >= 100
    assert len(dockerfiles.FAILING) >= 30
