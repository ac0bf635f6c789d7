"""The verbs of images say what `docker` says, and end with the same code.

One script runs three times, line by line, for what a line finds depends on those before it:
`docker` on Docker's engine, `minidock` on ours, and the stock `docker` on ours.  Ids are
numbered in the order in which they appear; of our refusals the first line counts, for the
reason and the advice are ours.
"""

import bz2
import gzip
import lzma
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import pytest

from tests.engine.archives import config, layer, old_docker, tar
from tests.minidock_cli import Minidock
from tests.reference import Reference, program

pytestmark = pytest.mark.compat

CREATED = {"one": "2019-03-01T10:00:00Z", "two": "2020-03-01T10:00:00.5Z",
           "bare": "2021-03-01T10:00:00Z"}  # fmt: skip

# What each line finds is in the comments; a line with $N sees the N-th id that was printed.
SCRIPT = (
    """
load -i one.tar
load -q -i two.tar
load -i bare.tar
load -i one.tar.gz
load -i two.tar.xz
load -i two.tar.bz2
<one.tar load
<two.tar load -q
load -i again.tar
load -i nowhere.tar
load -i text.txt
<empty load
load one.tar
images -f label=scene
images -q -f label=scene
images --no-trunc -f label=scene
images -q --no-trunc -f label=scene
images --digests -f label=scene
images -a -f label=scene
image ls -f label=scene
image list -q -f label=scene
images verbs/app
images verbs/app:1
images verbs/nothing
images verbs/*
images verbs/*:2
images */app
images -f reference=verbs/app -f label=scene
images -f reference=verbs/app:2 -f reference=verbs/other
images -f label=scene=verbs
images -f label=scene=nothing
images -f label=scene -f label=other
images -f label=scene -f dangling=true
images -f label=scene -f dangling=false
images -f label=scene -f dangling=maybe
images -f label=scene -f before=verbs/app:2
images -f label=scene -f since=verbs/app:1
images -f label=scene -f before=nobody
images -f label=scene -f until=24h
images -f label=scene -f until=2020-01-01
images -f label=scene -f until=2020-01-01T00:00:00
images -f label=scene -f until=nonsense
images -f nonsense=1
images -f nonsense
images -f label=scene --format json
images -f label=scene --format '{{json .}}'
images -f label=scene --format '{{.Repository}}:{{.ID}} {{.Size}} {{.CreatedSince}}'
images -f label=scene --format '{{.Tag}} {{.ID}} {{.Digest}} {{.CreatedAt}}'
images -f label=scene --format '{{.Containers}} {{.SharedSize}} {{.UniqueSize}}'
images -f label=scene --format 'table {{.ID}}\\t{{.Repository}}\\t{{.Tag}}'
images -f label=scene --format 'table {{.ID}} {{.Repository}} {{.CreatedSince}}'
images -f label=scene --format table
images -f label=scene --format '{{.Nope}}'
images -f label=scene --format '{{.ID'
images -q -f label=scene --format json
images verbs/app verbs/other
images --nonsense
history verbs/app:1
history --no-trunc verbs/app:2
history -q verbs/app:2
history -q --no-trunc verbs/app:2
history --human=false verbs/app:2
history -H=false --no-trunc verbs/app:2
history --format '{{.ID}} {{.CreatedAt}} {{.CreatedSince}} {{.Comment}}' verbs/app:2
history --format json verbs/app:2
history --format '{{.Nope}}' verbs/app:2
history --format 'table {{.CreatedBy}}\\t{{.Size}}' verbs/app:2
image history verbs/app:2
history nobody
history
history verbs/app:1 verbs/app:2
image inspect --format '{{.Id}} {{.RepoTags}} {{.Created}}' verbs/app:1
image inspect --format '{{json .Config}}' verbs/app:2
image inspect --format '{{.Config.Env}} {{.Config.Cmd}} {{.Config.Labels}}' verbs/app:2
image inspect --format '{{.Size}} {{.Architecture}} {{.Os}} {{.Author}}' verbs/app:2
image inspect --format '{{json .RootFS}}' verbs/app:2
image inspect --format '{{.RootFS.Layers}}' verbs/app:2 verbs/app:1
image inspect --format '{{.Id}}' verbs/app:1 nobody verbs/app:2
image inspect --format '{{.Nope}}' verbs/app:2
image inspect --format '{{.Config.Nope}}' verbs/app:2
image inspect --format 'x {{json .Nope}}' verbs/app:2
image inspect --format '{{.Config.Labels.nope}}|{{.Config.Labels.scene}}' verbs/app:2
image inspect --format '{{.Id' verbs/app:2
image inspect nobody
image inspect
inspect --format '{{.Id}}' verbs/app:2
inspect --type image --format '{{.Id}}' verbs/app:2
inspect --type image nobody
inspect --type nonsense verbs/app:2
tag verbs/app:1 verbs/new
tag verbs/app:1 verbs/new:2
tag verbs/new:2 localhost:5000/verbs/new
tag $1 verbs/by-id:1
tag sha256:$1 verbs/by-id:2
tag verbs/app:2 verbs/new:2
images verbs/new
images verbs/by-id
tag nobody verbs/x
tag verbs/app:1 verbs/UPPER
tag verbs/UPPER verbs/x
tag verbs/app:1 sha256:x
tag verbs/app:1 verbs/x@sha256:{HEX}
tag verbs/app:1 {HEX}
tag verbs/app:1 'verbs/x:!'
tag verbs/app:1
tag
rmi verbs/new:2
rmi verbs/by-id:1 verbs/by-id:2
rmi $1
rmi sha256:$1
rmi verbs/nobody
rmi verbs/nobody:1 verbs/new:latest
rmi verbs/UPPER
rmi ''
rmi -f verbs/nobody
rmi
rmi --nonsense x
rmi localhost:5000/verbs/new
rmi 0123456789ab
rmi sha256:0123456789ab
rmi verbs/app@sha256:{HEX}
create --name verbs-stopped verbs/app:2
rmi verbs/app:2
rmi -f verbs/other:1
images verbs/*
rmi -f verbs/app:2
images -f label=scene
rm verbs-stopped
load -i two.tar
rmi --no-prune verbs/other:1
image rm verbs/other:2
image remove verbs/app:2
load -i two.tar
save -o saved.tar verbs/app:2 verbs/app:1
save -o saved.tar nobody
save -o saved.tar verbs/app:1 nobody
save -o nowhere/saved.tar verbs/app:1
save -o saved.tar verbs/UPPER
save
load -i saved.tar
import tree.tar verbs/tree
import -m 'a comment' tree.tar verbs/tree:2
<tree.tar import - verbs/tree:3
import -c 'CMD ["sh"]' -c 'ENV A=1 B="2 3"' -c 'env C 4' tree.tar verbs/tree:4
image inspect --format '{{json .Config}}' verbs/tree:4
import -c 'EXPOSE 80' -c 'USER 1' -c 'VOLUME /v' -c 'ENTRYPOINT a b' tree.tar verbs/tree:5
image inspect --format '{{json .Config}}' verbs/tree:5
import -c 'WORKDIR w' -c 'WORKDIR x' -c 'LABEL x=y' -c 'ONBUILD RUN x' tree.tar verbs/tree:6
image inspect --format '{{json .Config}}' verbs/tree:6
import -c 'ENV A=1' -c 'ENV B=$A' -c 'STOPSIGNAL 9' --change '' tree.tar verbs/tree:7
image inspect --format '{{json .Config}}' verbs/tree:7
rmi verbs/tree:4 verbs/tree:5 verbs/tree:6 verbs/tree:7
import -c 'HEALTHCHECK CMD x' tree.tar verbs/tree:8
image inspect --format '{{json .Config}}' verbs/tree:8
rmi verbs/tree:8
import -c 'RUN x' tree.tar verbs/x
import -c 'run x' tree.tar verbs/x
import -c 'NONSENSE x' tree.tar verbs/x
import -c 'ENV' tree.tar verbs/x
import -c 'ENV A=1' -c 'STOPSIGNAL nonsense' tree.tar verbs/x
import -c 'ENV A=1 B' tree.tar verbs/x
images verbs/x
import tree.tar verbs/UPPER
import nowhere.tar verbs/tree
import text.txt verbs/tree:4
import
history --format '{{.CreatedBy}}|{{.Size}}|{{.Comment}}' verbs/tree:2
image inspect --format '{{json .Config}} {{.Comment}} {{.Size}}' verbs/tree:2
rmi verbs/tree:latest verbs/tree:2 verbs/tree:3
image prune -f --filter label=scene --filter nonsense=1
image prune --filter label=scene
image prune -f --filter label=scene
image prune -f --filter label=scene --filter until=1h
image prune -f --filter label=nothing
image prune -f --filter until=nonsense
image prune x
image prune -a -f --filter label=scene=verbs --filter until=2019-06-01
images -f label=scene
image prune -a -f --filter label=scene=verbs
images -f label=scene
image prune -a -f --filter label!=scene --filter label=nothing
load -i one.tar
rmi verbs/app:1
""".strip()
    .replace("{HEX}", "0123456789abcdef" * 4)
    .splitlines()
)


# Images that both have built: with parents, children and containers.
BUILT = """
build -q -t verbs/built:1 built
history -q verbs/built:1
~images -f label=scene=built --format '{{.Repository}}:{{.Tag}}'
~images -a -f label=scene=built --format '{{.Repository}}:{{.Tag}}'
~images -f label=scene=built -f dangling=true --format '{{.Repository}}:{{.Tag}}'
image inspect --format '{{.Id}} {{.RepoTags}} {{.Config.Labels}}' $1 $2 $3
rmi $2
rmi -f $2
rmi $3
rmi -f $3
tag $2 verbs/middle:1
~images -f label=scene=built --format '{{.Repository}}:{{.Tag}}'
rmi verbs/middle:1
tag $2 verbs/middle:2
rmi verbs/built:1
~images -a -f label=scene=built --format '{{.Repository}}:{{.Tag}}'
rmi --no-prune verbs/middle:2
~images -a -f label=scene=built --format '{{.Repository}}:{{.Tag}}'
image prune -f --filter label=scene=built
build -q -t verbs/built:1 built
build -q -t verbs/built:1 --label more=1 built
~images -f label=scene=built --format '{{.Repository}}:{{.Tag}}'
~images -f label=scene=built -f dangling=true --format '{{.Repository}}:{{.Tag}}'
rmi verbs/built:1
image prune -f --filter label=scene=built
~images -a -f label=scene=built --format '{{.Repository}}:{{.Tag}}'
build -q -t verbs/runs:1 built
run -d --name verbs-runs verbs/runs:1 sleep 300
rmi verbs/runs:1
rmi -f verbs/runs:1
tag verbs/runs:1 verbs/runs:2
rmi verbs/runs:1
image prune -a -f --filter label=scene=built
kill verbs-runs
wait verbs-runs
image prune -a -f --filter label=scene=built
rmi verbs/runs:2
rm verbs-runs
rmi verbs/runs:2
~images -a -f label=scene=built --format '{{.Repository}}:{{.Tag}}'
""".strip().splitlines()

# Where Docker names a file of its own, or nothing at all, we say what is wrong.
OTHER_WORDS = {
    "<empty load": "the archive holds no image that can be loaded",
}


@dataclass(frozen=True, slots=True)
class Said:
    """What one line printed, and how it ended."""

    code: int
    output: str
    error: str


class Engine:
    """One of the two; numbers the ids that it prints."""

    def __init__(
        self, engine: Reference | Minidock, folder: Path, *, is_stock: bool = False
    ) -> None:
        self.engine, self.folder, self.ids = engine, folder, list[str]()
        self.is_stock = is_stock

    def words(self, *words: str) -> tuple[list[str], dict[str, str]]:
        """Give the command and its variables."""
        engine = self.engine
        if isinstance(engine, Minidock) and not self.is_stock:
            return engine.words(*words), engine.environment
        socket = engine.host if isinstance(engine, Minidock) else engine.socket
        return [program("docker"), *words], {
            "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "DOCKER_BUILDKIT": "0",
            "DOCKER_HOST": f"unix://{socket}", "DOCKER_CONFIG": str(self.folder / "docker"),
        }  # fmt: skip

    def say(self, line: str) -> Said:
        """Run a line; `<FILE` in front is its input, after `~` its output has no order."""
        is_loose, line = line.startswith("~"), line.removeprefix("~")
        source = "/dev/null"
        if line.startswith("<"):
            source, _, line = line[1:].partition(" ")
        line = re.sub(r"\$(\d)", lambda found: self.ids[int(found[1]) - 1][:12], line)
        command, environment = self.words(*shlex.split(line))
        with (self.folder / source).open("rb") as file:
            done = subprocess.run(
                command, cwd=self.folder, stdin=file, capture_output=True, text=True,
                check=False, env=environment, timeout=60,
            )  # fmt: skip
        output = "".join(sorted(done.stdout.splitlines(True))) if is_loose else done.stdout
        return Said(done.returncode, self.plain(output), self.first(done.stderr))

    def plain(self, text: str) -> str:
        """Number the ids, and let times that go on stand still."""
        text = re.sub(r"\b(?:[0-9a-f]{64}|[0-9a-f]{12})\b", self._number, text)
        groups = groupby(text.splitlines(), lambda line: re.findall(r"<\d+>", line))
        # The names of one image come from Docker in any order.
        text = "\n".join(
            line for ids, group in groups for line in (sorted(group) if ids else group)
        )
        text = re.sub(r"(\d+|An?|Less than an?|About an?) (second|minute|hour)s? ago",
                      "just now", text)  # fmt: skip
        return re.sub(r" +$", "", text, flags=re.MULTILINE)

    def _number(self, found: re.Match[str]) -> str:
        for number, known in enumerate(self.ids, 1):
            if known.startswith(found[0]) or found[0].startswith(known):
                return f"<{number}>"
        self.ids.append(found[0])
        return f"<{len(self.ids)}>"

    def first(self, text: str) -> str:
        """Give what a refusal says, without who says it and what to do."""
        lines = []
        for said in self.plain(text).splitlines():
            if said.startswith(("  ", "DEPRECATED: ", "WARNING: the container has the")):
                continue  # our reason and advice; noise; what has another test
            line = re.sub(r"^(minidock: |Error response from daemon: |Error: )+", "", said)
            if line.startswith(("See '", "Usage:")) or not line:
                break
            line = re.sub(r": the archive ends inside a header \(byte \d+\)$", "", line)
            lines.append(re.sub(r"\bdocker\b", "minidock", line))
        return "\n".join(lines)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filled(tmp_path_factory.mktemp("verbs"))


def filled(place: Path) -> Path:
    """Fill a folder with the archives that the script takes in."""
    trees = [layer(), layer("two"), layer("again", b"x" * 4000),
             layer("gone", b"y" * 1_234_567)]  # fmt: skip
    story = [
        {"created": CREATED["one"], "created_by": "ADD file in /", "comment": "first"},
        {"created": CREATED["one"], "created_by": "ENV A=1 " + "and so on " * 12,
         "empty_layer": True},
        {"created": CREATED["two"], "created_by": "/bin/sh -c\\techo\\n hi"},
        {"created": CREATED["two"], "created_by": "COPY a /", "comment": "a note"},
    ]  # fmt: skip
    labels = {"Labels": {"scene": "verbs", "b": "2", "a": "1"}, "Cmd": ["sh", "-c", "a b"],
              "Env": ["A=1", "B=two words"]}  # fmt: skip
    one = config(trees[0], created=CREATED["one"], history=story[:2], config=labels)
    two = config(
        *trees[1:], created=CREATED["two"], history=story, config=labels, author="me"
    )
    bare = config(created=CREATED["bare"], config={"Labels": {"scene": "bare"}})
    archives = {
        "one": tar(old_docker(trees[:1], one, "verbs/app:1")),
        "two": tar(
            old_docker(trees[1:], two, "verbs/app:2", "verbs/other:1", "verbs/other:2")
        ),
        "bare": tar(old_docker([], bare)),
        "again": tar(old_docker(trees[:1], one, "verbs/other:2")),
        "tree": layer("in/a/tree", b"here\n"),
    }
    for name, content in archives.items():
        (place / f"{name}.tar").write_bytes(content)
    (place / "one.tar.gz").write_bytes(gzip.compress(archives["one"]))
    (place / "two.tar.xz").write_bytes(lzma.compress(archives["two"]))
    (place / "two.tar.bz2").write_bytes(bz2.compress(archives["two"]))
    (place / "built").mkdir()
    (place / "built/Dockerfile").write_text(
        "FROM busybox\nLABEL scene=built\nENV A=1\nCOPY file /\nCMD true\n"
    )
    (place / "built/file").write_text("here\n")
    (place / "text.txt").write_text("this is no archive\n")
    (place / "empty").touch()
    return place


LINES = (*SCRIPT, *BUILT)


class Told:
    """What one engine says to the lines, each said when it is asked for and not before."""

    def __init__(
        self, engine: Reference | Minidock, folder: Path, *, is_stock: bool
    ) -> None:
        self._speakers = [Engine(engine, folder, is_stock=is_stock) for _ in range(2)]
        self._said: list[Said] = []

    def upto(self, number: int) -> Said:
        """Say the lines that were not said yet; give what the last one heard."""
        for at in range(len(self._said), number + 1):
            speaker = self._speakers[at >= len(SCRIPT)]
            self._said.append(speaker.say(LINES[at]))
        return self._said[number]

    def clear(self) -> None:
        """Leave nothing."""
        self._speakers[1].say("rm -f verbs-stopped verbs-runs")
        self._speakers[1].say("image prune -a -f --filter label=scene")


@pytest.fixture(scope="module")
def expected(reference: Reference, folder: Path) -> Iterator[Told]:
    """What Docker says."""
    told = Told(reference, folder, is_stock=True)
    yield told
    told.clear()


@pytest.fixture(scope="module", params=["minidock", "docker"])
def found(
    request: pytest.FixtureRequest, minidock: Minidock, folder: Path
) -> Iterator[Told]:
    """What is said on our engine."""
    told = Told(minidock, folder, is_stock=request.param == "docker")
    yield told
    told.clear()


@pytest.mark.parametrize("number", range(len(LINES)), ids=lambda n: f"{n}: {LINES[n]}")
def test_a_verb_says_what_docker_says(expected: Told, found: Told, number: int) -> None:
    theirs, ours = expected.upto(number), found.upto(number)
    if LINES[number] in OTHER_WORDS:
        assert (ours.code, ours.error) == (theirs.code, OTHER_WORDS[LINES[number]])
    else:
        assert ours == theirs
