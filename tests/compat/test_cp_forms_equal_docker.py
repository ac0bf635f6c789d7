"""`docker cp` in every form it has, with both engines behind the stock command line."""

import os
import stat
import tarfile
from pathlib import Path

import pytest

from tests.compat.archives import Wish, tar
from tests.compat.sides import Side, Sides, together

pytestmark = pytest.mark.compat

INSIDE = """
mkdir -p /d/sub /into /full/x; echo one > /d/f; echo two > /d/sub/g; ln -s f /d/l
ln -s /d /dl; ln -s /nowhere /broken; echo file > /file; chown 7:8 /d/f; chmod 4750 /d/sub/g
echo y > /full/x/y; ln -s / /root-link; mkfifo /d/fifo
"""
FORMS = (
    # into the container
    "f C:/", "f C:/new", "f C:/into", "f C:/into/", "f C:/into/.", "f C:/file",
    "f C:/none/", "f C:/none/x", "f C:/file/", "f C:/file/x", "f C:/dl", "f C:/dl/",
    "f C:/broken",
    "f C:/broken/", "f C:relative", "f C:", "d C:/", "d C:/into", "d C:/new", "d C:/new/",
    "d/ C:/into", "d/. C:/into", "d/. C:/new", "d C:/file", "d/. C:/file", "d C:/dl",
    "d/. C:/dl", "full C:/", "full C:/d", "l C:/into", "-L l C:/into", "dl C:/into",
    "-L dl C:/into", "dl/ C:/into", "dl/. C:/into", "broken C:/into", "-L broken C:/into",
    "none C:/into", "none/ C:/", "f/ C:/into", "f C:/etc/passwd", "f C:/dev/x",
    "f C:/proc/x", "-a f C:/into", "-a d C:/into", "-q f C:/into", "f C:/etc/hosts",
    # out of it
    "C:/file out", "C:/file .", "C:/file none/", "C:/file none/x", "C:/file f", "C:/file d",
    "C:/file f/", "C:/d .", "C:/d out", "C:/d out/", "C:/d/ out", "C:/d/. out", "C:/d/. .",
    "C:/d f", "C:/d/. f", "C:/d d", "C:/d/l out", "-L C:/d/l out", "C:/dl out",
    "-L C:/dl out", "C:/dl/ out", "C:/dl/. out", "C:/broken out", "-L C:/broken out",
    "C:/none out", "C:/none/ out", "C:/file/ out", "C:/file/. out", "C:/proc/version out",
    "C:/etc/mtab out", "C:/root-link/file out", "-a C:/d out", "-q C:/d out", "C:file out",
    "C:/d/fifo out", "C:. out", "C:/ out",
    # neither
    "f d", "C:/file C:/x", "nobody:/x .", "f nobody:/x", "- d", "f -",
)  # fmt: skip


def lay_out(place: Path) -> None:
    """Make the same files on the host as are in the container, and a few more."""
    (place / "d/sub").mkdir(parents=True)
    (place / "full/x").mkdir(parents=True)
    (place / "f").write_text("host\n", encoding="ascii")
    (place / "d/f").write_text("in d\n", encoding="ascii")
    (place / "d/sub/g").write_text("deep\n", encoding="ascii")
    (place / "full/x/z").write_text("z\n", encoding="ascii")
    os.chown(place / "f", 1234, 1235)
    (place / "d/sub/g").chmod(0o4751)
    (place / "d/sub").chmod(0o1770)
    for link, target in (("l", "f"), ("dl", "d"), ("broken", "nowhere"), ("d/up", "../f")):
        (place / link).symlink_to(target)


def listed(place: Path) -> list[tuple[str, int, int, int, str]]:
    """Tell all that is there, but when it came."""
    found = []
    for path in sorted(place.rglob("*")):
        status = path.lstat()
        is_file, is_link = stat.S_ISREG(status.st_mode), path.is_symlink()
        said = (
            str(path.readlink())
            if is_link
            else path.read_text("latin-1")
            if is_file
            else ""
        )
        name = path.relative_to(place).as_posix()
        said = "" if name.endswith(("hosts", "hostname", "resolv.conf")) else said[:200]
        found.append((name, status.st_mode, status.st_uid, status.st_gid, said))
    return found


TREE = (
    "cd /; for top in *; do case $top in proc|sys|dev|bin|etc) ;; "
    '*) find "$top" -exec stat -c "%n %F %a %u %g %N" {} +; '
    'find "$top" -type f -exec md5sum {} +; esac; done | sort; cat /etc/passwd'
)


def asked(side: Side, form: str, place: Path) -> tuple[object, ...]:
    name = "cp-form"
    side.remove(name)
    side.make(name, starts=True)
    side.inside(name, INSIDE)
    place.mkdir()
    lay_out(place)
    words = [word.replace("C:", f"{name}:") for word in form.split()]
    done = side.docker("cp", *words, cwd=place, input=tar(Wish("from-stdin")))
    said = done.stderr.replace(os.fsencode(place), b"PLACE")
    output = b"" if form.endswith(" -") else done.stdout
    inside = side.inside(name, TREE)
    side.remove(name)
    return done.returncode, output, said, listed(place), inside.splitlines()


@pytest.mark.parametrize("form", FORMS)
def test_a_form_does_and_says_what_it_does_with_docker(
    sides: Sides, tmp_path: Path, form: str
) -> None:
    theirs, ours = together(lambda side: asked(side, form, tmp_path / side.name), sides)
    assert ours == theirs


def test_archives_go_through_pipes_both_ways(sides: Sides, tmp_path: Path) -> None:
    found = []
    for side in sides:
        side.remove("cp-pipe")
        side.make("cp-pipe", starts=True)
        came = side.docker("cp", "-", "cp-pipe:/home", input=tar(Wish("a"), Wish("b/c")))
        gone = side.docker("cp", "cp-pipe:/home", "-")
        path = tmp_path / f"{side.name}.tar"
        path.write_bytes(gone.stdout)
        with tarfile.open(path) as archive:
            names = [(entry.name, entry.mode, entry.uid) for entry in archive]
        bad = side.docker("cp", "-", "cp-pipe:/home", input=b"no archive" * 100)
        file = side.docker("cp", "-", "cp-pipe:/etc/passwd", input=tar(Wish("a")))
        found.append((came.returncode, came.stderr, names, bad.returncode, bad.stderr,
                      file.returncode, file.stderr))  # fmt: skip
        side.remove("cp-pipe")
    assert found[1] == found[0]


def test_copies_are_told_in_docker_s_order(sides: Sides, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x", encoding="ascii")
    found = []
    for side in sides:
        side.remove("cp-told")
        side.make("cp-told", starts=True)
        side.docker("cp", "f", "cp-told:/home", cwd=tmp_path)
        side.docker("cp", "cp-told:/home/f", "out", cwd=tmp_path)
        side.docker("export", "cp-told", "-o", "e.tar", cwd=tmp_path)
        side.docker("top", "cp-told")
        side.docker("diff", "cp-told")
        side.docker("stats", "--no-stream", "cp-told")
        told = side.docker(
            "events", "--since", "10m", "--until", "0s", "--format", "{{.Action}}",
            "--filter", "container=cp-told",
        )  # fmt: skip
        found.append(told.stdout.splitlines())
        side.remove("cp-told")
    assert found[1] == found[0]
    assert b"extract-to-dir" in found[1]
