"""ADD of an address: the same file, the same name, the same sentence as dockerd's.

dockerd lives in a network of its own, so the same site is served twice under one address.
"""

import hashlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.compat.allowlist import differences
from tests.compat.bakers import BUILDKIT, Baker, bakers
from tests.compat.dockerfiles import BASES, TREE, Case
from tests.minidock_cli import Minidock
from tests.reference import Reference, wait_until

pytestmark = pytest.mark.compat

CONTENT = b"content"
SUM = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


@pytest.fixture(scope="module")
def both(reference: Reference, minidock: Minidock) -> tuple[Baker, Baker]:
    pair = bakers(reference, minidock)
    for baker in pair:
        assert baker.build(BASES["rooted"].context, t="rooted").image
    return pair


@pytest.fixture(scope="module")
def site(reference: Reference, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a few files on one port of the loopback devices of both networks."""
    place = tmp_path_factory.mktemp("site")
    (place / "dir").mkdir()
    (place / "dir" / "index.html").write_text("index")
    (place / "dir" / "q name").write_text("q")
    (place / "file").write_bytes(CONTENT)
    os.utime(place / "file", (1_500_000_000, 1_500_000_000))
    (place / "a.tgz").write_bytes(bytes(TREE["a.tgz"]))  # type: ignore[arg-type]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    serve = (sys.executable, "-m", "http.server", port, "--bind", "127.0.0.1")
    inside = ("nsenter", "--net", "--target", str(reference.pid))
    question = f"import socket; socket.create_connection(('127.0.0.1', {port}))"
    ask = (sys.executable, "-c", question)
    with ExitStack() as undo:
        for prefix in ((), inside):
            server = undo.enter_context(subprocess.Popen(
                [*prefix, *serve], cwd=place, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            ))  # fmt: skip
            undo.callback(server.kill)
            wait_until(
                lambda words=(*prefix, *ask): not subprocess.run(  # type: ignore[misc]
                    words, stderr=subprocess.DEVNULL, check=False
                ).returncode,
                20, "the site to be served",
            )  # fmt: skip
        yield f"http://127.0.0.1:{port}"


CLASSIC = {
    "a file": "ADD {}/file /f",
    "several": "ADD {}/file {}/a.tgz a /d/e/",
    "an owner": "ADD --chown=5:6 {}/file /n/m/",
    "into a directory": "ADD {}/file /etc",
    "a name with a space": "ADD {}/dir/q%20name /d/",
    "a question": "ADD {}/file?x=y /d/",
    "a way to elsewhere": "ADD {}/dir /d/",
    "no name, but one is given": "ADD {}/dir/ /d",
    "no name, into a directory": "ADD {}/dir/ /etc",
    "a variable": "ARG F=file\nADD {}/$F /d",
}
KIT = {
    "a sum": f"ADD --checksum={SUM} {{}}/file /f",
    "a mode and an owner": "ADD --chmod=755 --chown=5 {}/file /n/m/",
    "a link": "ADD --link {}/file /f",
}
FAILING = {
    "no name": "ADD {}/dir/ /d/",
    "no path": "ADD {} /d/",
    "nobody": "ADD http://127.0.0.1:9/x /d",
    "not there": "ADD {}/nope /d",
    "copied": "COPY {}/file /d",
}
FAILING_KIT = {
    "another sum": f"ADD --checksum=sha256:{'0' * 64} {{}}/file /f",
    "a sum of a file": f"ADD --checksum={SUM} a /f",
    "a sum of another kind": "ADD --checksum=md5:x {}/file /f",
    "a sum of several": f"ADD --checksum={SUM} {{}}/file {{}}/file /f/",
    "a short sum": "ADD --checksum=sha256:abc {}/file /f",
    "no sum": "ADD --checksum=abc {}/file /f",
}


@pytest.mark.parametrize("name", [*CLASSIC, *KIT])
def test_what_is_fetched_is_the_same(
    both: tuple[Baker, Baker], site: str, name: str
) -> None:
    case = Case((CLASSIC | KIT)[name].replace("{}", site))
    case = case.on("rooted") if name in KIT else case
    asked = {"nocache": "1", **(BUILDKIT if name in KIT else {})}
    docker, ours = both
    theirs, mine = docker.build(case.context, **asked), ours.build(case.context)
    assert (theirs.message, mine.message) == ("", "")
    found = differences(docker.facts(theirs.image), ours.facts(mine.image))
    assert [str(each) for each in found] == []
    if name in CLASSIC:
        assert mine.text.count("\n") + 2 * ("ARG" in case.text) == theirs.text.count("\n")


@pytest.mark.parametrize("name", [*FAILING, *FAILING_KIT])
def test_what_cannot_be_fetched_is_told_in_the_same_words(
    both: tuple[Baker, Baker], site: str, name: str
) -> None:
    context = Case((FAILING | FAILING_KIT)[name].replace("{}", site)).context
    docker, ours = both
    theirs = docker.build(context, **(BUILDKIT if name in FAILING_KIT else {}))
    assert theirs.message != ""
    assert ours.build(context).message == theirs.message
