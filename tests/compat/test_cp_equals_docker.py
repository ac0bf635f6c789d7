"""What goes in and out of a container: asked raw of both engines, answered alike."""

import bz2
import gzip
import lzma
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.compat.archives import CHAR, DIR, FIFO, HARD, LINK, Wish, headers, seen, tar
from tests.compat.sides import Side, Sides, Told

pytestmark = pytest.mark.compat

SCENE = """
mkdir -p /d/sub/deep /d/full /real; echo one > /d/f; echo two > /d/sub/deep/two
ln /d/f /d/hard; ln -s /real /d/abs; ln -s ../real /d/rel; ln -s /nowhere /d/broken
ln -s loop /d/loop; mkfifo /d/fifo; mknod /d/null c 1 3; chmod 4755 /d/f; chmod 1777 /d/sub
echo y > /d/full/y; touch '/d/ä b'; chown 7:8 /d/sub/deep/two
"""
STATES = ("created", "running", "paused", "ended")


@pytest.fixture(scope="module", params=STATES)
def scene(request: pytest.FixtureRequest, sides: Sides) -> Iterator[tuple[Sides, str]]:
    """One container in each engine, with the same files, in one of its states."""
    state: str = request.param
    name = f"cp-{state}"
    for side in sides:
        side.remove(name)
        side.make(name, starts=state != "created")
        if state != "created":
            side.inside(name, SCENE)
        if state == "ended":
            side.ask("POST", f"/containers/{name}/kill")
            side.ask("POST", f"/containers/{name}/wait")
        if state == "paused":
            assert side.ask("POST", f"/containers/{name}/pause").status == 204
    yield sides, name
    for side in sides:
        side.remove(name)


def at(  # noqa: PLR0913, PLR0917  (an HTTP request has so many parts)
    side: Side, name: str, path: str, method: str = "GET", query: str = "",
    body: bytes | None = None, **more: str,
) -> Told:  # fmt: skip
    return side.ask(
        method, f"/containers/{name}/archive?path={quote(path)}{query}", body, **more
    )


def told_of(answer: Told) -> object:
    """What two engines must agree on: not when, nor how large a directory's inode is."""
    what = dict(answer.path_stat or {})
    if what.get("mode", 0) & 1 << 31:
        what["size"] = 0
    what.pop("mtime", None)
    kind = answer.headers.get("Content-Type", "")
    if kind == "application/json":
        return answer.status, answer.json if answer.body else ""
    both = zip(seen(answer.body), headers(answer.body), strict=True) if kind else ()
    names = [pair[0].name if _OWN.search(pair[0].name) else pair for pair in both]
    return answer.status, kind, what, names


_OWN = re.compile(r"(^|/)(hosts|hostname|resolv\.conf)$")  # each engine writes its own

PATHS = (
    "/", "/.", ".", "..", "/d", "/d/", "/d/.", "d/sub", "/d/sub/../f", "/d/f", "/d/f/",
    "/d/f/.", "/d/f/x", "/d/hard", "/d/abs", "/d/abs/", "/d/abs/.", "/d/rel", "/d/broken",
    "/d/broken/", "/d/loop", "/d/loop/", "/d/fifo", "/d/null", "/d/ä b", "/nope", "/nope/x",
    "/../../etc", "/bin/sh", "/etc", "/etc/mtab", "/proc", "/proc/version", "/dev",
    "/dev/null", "/dev/console", "/sys", "/.dockerenv", "/etc/passwd",
)  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_a_path_is_what_docker_says_and_comes_as_docker_packs_it(
    scene: tuple[Sides, str], method: str, path: str
) -> None:
    sides, name = scene
    theirs, ours = (told_of(at(side, name, path, method)) for side in sides)
    assert ours == theirs


@pytest.mark.parametrize("path", ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf"])
def test_the_files_of_the_engine_are_seen_as_the_program_sees_them(
    scene: tuple[Sides, str], path: str
) -> None:
    sides, name = scene
    theirs, ours = (at(side, name, path) for side in sides)
    assert ours.path_stat["mode"] == theirs.path_stat["mode"]
    assert bool(seen(ours.body)[0].size) == bool(seen(theirs.body)[0].size)


@pytest.mark.parametrize("query", ["", "?path=", "?noOverwriteDirNonDir=1"])
@pytest.mark.parametrize("method", ["HEAD", "GET", "PUT"])
def test_a_path_has_to_be_said(sides: Sides, method: str, query: str) -> None:
    answers = [side.ask(method, f"/containers/nobody/archive{query}") for side in sides]
    assert answers[1].status == answers[0].status == 400
    if method != "HEAD":
        assert answers[1].json == answers[0].json


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_nobody_s_files_are_refused_alike(sides: Sides, method: str) -> None:
    theirs, ours = (at(side, "nobody", "/", method) for side in sides)
    assert (ours.status, ours.json) == (theirs.status, theirs.json)


@pytest.mark.parametrize("accepted", ["gzip", "gzip, deflate", "deflate", "identity", "br"])
def test_an_archive_is_compressed_for_whoever_says_so(sides: Sides, accepted: str) -> None:
    codings = []
    for side in sides:
        side.remove("cp-gz")
        side.make("cp-gz")
        answer = at(side, "cp-gz", "/etc/passwd", Accept_Encoding=accepted)
        codings.append(answer.headers.get("Content-Encoding"))
        side.remove("cp-gz")
    assert codings[1] == codings[0]


# ── Into a container ─────────────────────────────────────────────────────────────────────

ONE = tar(Wish("a"))
UPLOADS: dict[str, tuple[str, bytes, str]] = {
    "a file": ("/d", ONE, ""),
    "onto a file": ("/d/f", ONE, ""),
    "onto a file with a slash": ("/d/f/", ONE, ""),
    "below a file": ("/d/f/x", ONE, ""),
    "into nothing": ("/d/none", ONE, ""),
    "into nothing with a slash": ("/d/none/", ONE, ""),
    "through a link": ("/d/abs", ONE, ""),
    "through a link that leads nowhere": ("/d/broken", ONE, ""),
    "through a link to itself": ("/d/loop", ONE, ""),
    "with parents that are missing": ("/d", tar(Wish("n1/n2/f")), ""),
    "below a link of the container": ("/d", tar(Wish("abs/thru")), ""),
    "climbing out": ("/d", tar(Wish("../esc")), ""),
    "climbing out in the middle": ("/d", tar(Wish("x/../../esc")), ""),
    "climbing above the root": ("/", tar(Wish("../../esc")), ""),
    "a name from the root": ("/d", tar(Wish("/absname")), ""),
    "a link out of the place": ("/d", tar(Wish("lo", LINK, "../../../etc/passwd")), ""),
    "a link to a place from the root": ("/d", tar(Wish("la", LINK, "/etc/passwd")), ""),
    "a second name": ("/d", tar(Wish("hf"), Wish("hl", HARD, "hf")), ""),
    "a second name for what is outside": ("/d", tar(Wish("h", HARD, "../etc/passwd")), ""),
    "a second name for nothing": ("/d", tar(Wish("h", HARD, "nothere")), ""),
    "a device and a fifo": ("/d", tar(Wish("n", CHAR), Wish("ff", FIFO)), ""),
    "a directory over a file": ("/d", tar(Wish("f", DIR, mode=0o750)), ""),
    "a file over a directory": ("/d", tar(Wish("full")), ""),
    "a directory over a file, if not": (
        "/d", tar(Wish("f", DIR)), "&noOverwriteDirNonDir=true"
    ),
    "a file over a directory, if not": (
        "/d", tar(Wish("full")), "&noOverwriteDirNonDir=1"
    ),
    "a directory over a directory": ("/d", tar(Wish("full", DIR, mode=0o711)), ""),
    "the place itself": ("/d/full", tar(Wish("./", DIR, mode=0o700), Wish("./k")), ""),
    "over a link": ("/d", tar(Wish("abs")), ""),
    "a program with the set-uid bit": ("/d", tar(Wish("su", mode=0o4755)), ""),
    "no archive": ("/d", b"garbage, not a tar" * 100, ""),
    "nothing at all": ("/d", b"", ""),
    "three bytes": ("/d", b"abc", ""),
    "half an archive": ("/d", tar(Wish("cut", said="k" * 5000))[:2000], ""),
    "gzip": ("/d", gzip.compress(tar(Wish("gz"))), ""),
    "bzip2": ("/d", bz2.compress(tar(Wish("bz"))), ""),
    "xz": ("/d", lzma.compress(tar(Wish("xz"))), ""),
    "half of a gzip": ("/d", gzip.compress(tar(Wish("cgz", said="k" * 3000)))[:60], ""),
    "over a file of the engine": ("/etc", tar(Wish("hosts")), ""),
    "below /proc": ("/proc", tar(Wish("version")), ""),
    "below /dev": ("/dev", tar(Wish("null"), Wish("x")), ""),
    "below /sys": ("/sys", tar(Wish("kernel")), ""),
}  # fmt: skip
TREE = (
    "cd /; find d real etc root tmp proc/version dev/x esc 2>/dev/null | sort | "
    "grep -vE '^etc/(hosts|hostname|resolv.conf)$' | "
    "while read -r p; do "
    'stat -c "%n %F %a %u %g" "$p"; test -L "$p" && readlink "$p" || '
    'test ! -f "$p" || md5sum < "$p"; done'
)


@pytest.mark.parametrize("case", UPLOADS)
def test_what_comes_in_lies_where_docker_puts_it(sides: Sides, case: str) -> None:
    path, body, query = UPLOADS[case]
    found = []
    for side in sides:
        side.remove("cp-in")
        side.make("cp-in", starts=True)
        side.inside("cp-in", SCENE)
        answer = at(side, "cp-in", path, "PUT", query, body)
        tree = side.inside("cp-in", TREE) if case != _HALF else ""
        found.append(
            (answer.status, answer.json if answer.body else "", *tree.splitlines())
        )
        side.remove("cp-in")
    assert found[1] == found[0]


_HALF = "half an archive"  # where Docker leaves half a file, and we leave none


def test_the_directory_of_the_engine_s_files_stays(sides: Sides) -> None:
    """Which of the files is met first is up to the disk."""
    for side in sides:
        side.remove("cp-etc")
        side.make("cp-etc", starts=True)
        answer = at(side, "cp-etc", "/", "PUT", body=tar(Wish("etc")))
        said = (
            answer.json["message"]
            .replace("hostname", "hosts")
            .replace("resolv.conf", "hosts")
        )
        assert (answer.status, said) == (
            500, "unlinkat //etc/hosts: device or resource busy"
        )  # fmt: skip
        assert side.inside("cp-etc", "ls /etc/hosts") == "/etc/hosts\n"
        side.remove("cp-etc")


def test_half_a_file_gets_no_name(sides: Sides) -> None:
    ours = sides[1]
    ours.remove("cp-half")
    ours.make("cp-half", starts=True)
    path, body, _ = UPLOADS[_HALF]
    ours.inside("cp-half", "mkdir /d")
    assert at(ours, "cp-half", path, "PUT", body=body).json == {"message": "unexpected EOF"}
    assert ours.inside("cp-half", "ls -A /d") == ""
    ours.remove("cp-half")


@pytest.mark.parametrize("path", ["/", "/home", "/none", "/etc/passwd", "/dev"])
@pytest.mark.parametrize("starts", [False, True])
def test_a_root_that_is_read_only_takes_nothing(
    sides: Sides, path: str, starts: bool
) -> None:
    found = []
    for side in sides:
        side.remove("cp-ro")
        side.make("cp-ro", starts=starts, HostConfig={"ReadonlyRootfs": True})
        answer = at(side, "cp-ro", path, "PUT", body=ONE)
        found.append((answer.status, answer.json))
        side.remove("cp-ro")
    assert found[1] == found[0]


@pytest.mark.parametrize("starts", [False, True])
def test_a_tmpfs_is_not_seen_from_outside(sides: Sides, starts: bool) -> None:
    found = []
    for side in sides:
        side.remove("cp-tmpfs")
        side.make("cp-tmpfs", starts=starts, HostConfig={"Tmpfs": {"/var": ""}})
        put = at(side, "cp-tmpfs", "/var", "PUT", body=ONE)
        got = at(side, "cp-tmpfs", "/var/a")
        within = side.inside("cp-tmpfs", "ls /var") if starts else ""
        found.append((put.status, got.status, seen(got.body), within))
        side.remove("cp-tmpfs")
    assert found[1] == found[0]


@pytest.mark.parametrize("user", ["", "nobody"])
def test_copies_can_belong_to_the_user_of_the_container(sides: Sides, user: str) -> None:
    found = []
    for side in sides:
        side.remove("cp-user")
        side.make("cp-user", User=user)
        put = at(side, "cp-user", "/home", "PUT", "&copyUIDGID=1", ONE)
        found.append((put.status, seen(at(side, "cp-user", "/home/a").body)))
        side.remove("cp-user")
    assert found[1] == found[0]


def test_what_was_put_in_before_the_first_start_is_there_after_it(sides: Sides) -> None:
    found = []
    for side in sides:
        side.remove("cp-first")
        side.make("cp-first")
        at(side, "cp-first", "/home", "PUT", body=ONE)
        side.ask("POST", "/containers/cp-first/start")
        found.append(side.inside("cp-first", "cat /home/a"))
        side.remove("cp-first")
    assert found == ["new", "new"]


def test_a_start_that_fails_takes_nothing_of_it_away(sides: Sides) -> None:
    found = []
    for side in sides:
        side.remove("cp-fails")
        side.make("cp-fails", Cmd=["nosuch"])
        at(side, "cp-fails", "/home", "PUT", body=ONE)
        started = side.ask("POST", "/containers/cp-fails/start")
        found.append((started.status, seen(at(side, "cp-fails", "/home/a").body)))
        side.remove("cp-fails")
    assert found[1] == found[0]
