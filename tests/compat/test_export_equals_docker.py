"""A container's files as a whole, and what it changed in them: alike on both engines."""

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compat.archives import headers, seen
from tests.compat.sides import Sides

pytestmark = pytest.mark.compat

SCRIPTS = {
    "nothing": "true",
    "new files": "mkdir -p /new/d /new/e; echo 1 > /new/f; ln -s a /zz; mkfifo /ff",
    "files that are gone": "rm /bin/ls /bin/cat; rm -r /home /usr",
    "a directory that was made anew": "rm -r /home; mkdir /home",
    "a full directory that was made anew": "rm -rf /etc 2>/dev/null; mkdir -p /etc/new",
    "a directory emptied": "cd /root; rm -r /var; mkdir /var; touch /var/x",
    "another mode": "chmod 600 /etc/group; chmod 700 /home",
    "another owner": "chown 7:8 /etc/group; chown 7 /home",
    "another time": "touch -d @1 /etc/group; touch -d @1 /home",
    "the same time and size": "m=$(stat -c %Y /etc/group); touch /etc/group; "
    "touch -d @$m /etc/group",
    "opened and not changed": "chmod 644 /etc/group",
    "another content": "echo more >> /etc/group",
    "moved": "mv /root /root2; mv /etc/group /etc/groups",
    "a file for a directory": "rm -r /home; echo file > /home",
    "a directory for a file": "rm /etc/group; mkdir /etc/group; touch /etc/group/x",
    "a link for a file": "rm /etc/group; ln -s passwd /etc/group",
    "made and gone": "mkdir /tmp/x; rmdir /tmp/x; touch /tmp/y; rm /tmp/y",
    "second names": "echo 1 > /tmp/one; ln /tmp/one /tmp/two; ln /bin/busybox /tmp/bb",
    "odd names": "touch '/tmp/a b' '/tmp/ä' '/tmp/<&>'; mkdir /tmp/.hidden",
}


@pytest.fixture(params=SCRIPTS)
def scene(request: pytest.FixtureRequest, sides: Sides) -> Iterator[Sides]:
    """One container in each engine, in which the same script ran."""
    for side in sides:
        side.remove("ex")
        side.make("ex", starts=True)
        side.inside("ex", SCRIPTS[request.param])
    yield sides
    for side in sides:
        side.remove("ex")


def test_what_was_changed_is_what_docker_says(scene: Sides) -> None:
    theirs, ours = (side.ask("GET", "/containers/ex/changes").json for side in scene)
    if theirs is not None:
        theirs = sorted(theirs, key=lambda row: str(row["Path"]))
        paths = [row["Path"] for row in ours]
        assert all(
            Path(path).parent == Path("/") or str(Path(path).parent) in paths[:place]
            for place, path in enumerate(paths)
        )
        ours = sorted(ours, key=lambda row: str(row["Path"]))
    assert ours == theirs


def test_an_export_has_the_same_entries_in_the_same_order(scene: Sides) -> None:
    theirs, ours = (side.ask("GET", "/containers/ex/export") for side in scene)
    assert ours.headers["Content-Type"] == theirs.headers["Content-Type"]
    assert seen(ours.body) == seen(theirs.body)
    assert headers(ours.body) == headers(theirs.body)


@pytest.mark.parametrize("verb", ["export", "changes"])
def test_nobody_is_refused_alike(sides: Sides, verb: str) -> None:
    theirs, ours = (side.ask("GET", f"/containers/nobody/{verb}") for side in sides)
    assert (ours.status, ours.json) == (theirs.status, theirs.json)


@pytest.mark.parametrize("starts", [False, True])
def test_the_command_line_exports_to_a_file_and_tells_what_changed(
    sides: Sides, tmp_path: Path, starts: bool
) -> None:
    found = []
    for side in sides:
        side.remove("ex-cli")
        side.make("ex-cli", starts=starts)
        target = tmp_path / f"{side.name}.tar"
        exported = side.docker("export", "-o", str(target), "ex-cli")
        diff = side.docker("diff", "ex-cli")
        refused = side.docker("export", "-o", "/dev/null", "ex-cli")
        with tarfile.open(target) as archive:
            names = archive.getnames()
        found.append((
            exported.returncode, exported.stderr, names, diff.stdout, diff.stderr,
            refused.returncode, refused.stderr,
        ))  # fmt: skip
        side.remove("ex-cli")
    assert found[1] == found[0]


def test_an_export_can_be_imported_and_run_again(sides: Sides) -> None:
    found = []
    for side in sides:
        side.remove("ex-round")
        side.make("ex-round", starts=True)
        side.inside("ex-round", "echo kept > /home/note")
        exported = side.docker("export", "ex-round")
        made = side.docker(
            *("import", "-c", "CMD cat /home/note", "-m", "a round", "-", "round:1"),
            input=exported.stdout,
        )
        ran = side.docker("run", "--rm", "--network", "none", "round:1")
        told = json.loads(side.docker("image", "inspect", "round:1").stdout)[0]
        history = side.ask("GET", "/images/round:1/history").json
        found.append((
            made.returncode, ran.returncode, ran.stdout, ran.stderr, told["Comment"],
            told["Config"]["Cmd"], [row["Comment"] for row in history],
        ))  # fmt: skip
        side.docker("rmi", "round:1")
        side.remove("ex-round")
    assert found[1] == found[0]


@pytest.mark.parametrize(
    "query",
    [
        "fromSrc=-&changes=FROM+x",
        "fromSrc=-&changes=RUN+x",
        "fromSrc=-&changes=ENV",
        "fromSrc=-&repo=Bad",
        "fromSrc=-&repo=ok&tag=b%20d",
        "fromSrc=-&repo=ok@sha256:" + 64 * "0",
    ],
)
def test_an_import_that_cannot_be_is_refused_alike(sides: Sides, query: str) -> None:
    body = io.BytesIO()
    tarfile.open(fileobj=body, mode="w").close()
    answers = [
        side.ask("POST", f"/images/create?{query}", body.getvalue()) for side in sides
    ]
    assert (answers[1].status, answers[1].json) == (answers[0].status, answers[0].json)
