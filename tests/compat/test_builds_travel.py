"""What we build is the same image to skopeo, umoci and Docker, and Docker's is to us."""

import hashlib
import io
import json
import os
import struct
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.minidock_cli import Minidock
from tests.reference import Reference, program

pytestmark = pytest.mark.compat

MAY_BIND = struct.pack("<5I", 0x02000001, 1 << 10, 0, 0, 0)  # cap_net_bind_service=ep
MARKS = {
    "server": {"security.capability": MAY_BIND},
    "noted": {"user.note": b"kept", "user.other": b"t\xc3\xa9"},
}
DOCKERFILE = """\
FROM busybox
RUN mkdir -p /srv/gone/deep /srv/kept && echo one >/srv/kept/one && echo x >/srv/gone/deep/x
RUN ln /srv/kept/one /srv/kept/again && ln -s one /srv/kept/link && chmod 4755 /srv/kept/one
COPY --chown=12:34 a.txt *.py /app/
ADD marked.tar /marked/
RUN rm /srv/kept/again && rm -r /srv/gone && mkdir -m 1777 /srv/gone && echo y >/srv/gone/y
RUN rm -r /marked/left && echo over >/app/a.txt && touch "/srv/sp ace" /srv/é
RUN for n in $(seq 1 200); do mkdir -p /many/d$n; echo $n >/many/d$n/f; done
RUN rm -r /many && mkdir /many
ENV GREETING="<hi & bye>" EMPTY=""
LABEL "org.example.note"="a \\"quoted\\" one"
EXPOSE 80/tcp
WORKDIR /srv
CMD ["sh", "-c", "cat kept/one /app/a.txt; ls gone"]
"""
NAMES = ("travel/built:1", "travel/built:2", "localhost:5000/deep/built:x")
PRINTED = "one\nover\ny\n"
# Every name of the image with all that counts, by a program inside it.
LIST = r"""
find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /etc/hosts \
    -o -path /etc/hostname -o -path /etc/resolv.conf \) -prune -o -print | sort |
while read -r name; do
    echo "$(stat -c '%n %f %u %g %h' "$name") $(readlink "$name")" \
        "$([ -f "$name" ] && [ ! -L "$name" ] && sha256sum <"$name")"
done
"""


def said(engine: Reference | Minidock, *words: str) -> str:
    done = engine.docker(*words) if isinstance(engine, Reference) else engine.run(*words)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def asked(*words: str | Path) -> bytes:
    done = subprocess.run(words, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def seen(engine: Reference | Minidock, name: str) -> dict[str, Any]:
    """Give what has to be equal wherever the image is."""
    told = json.loads(said(engine, "image", "inspect", name))[0]
    return {key: told[key] for key in (
        "Id", "RepoTags", "Comment", "Created", "Author", "Config", "Architecture", "Os",
        "Size", "RootFS",
    )}  # fmt: skip


def stories(engine: Reference | Minidock, name: str) -> list[str]:
    template = "{{.CreatedAt}} {{.CreatedBy}} {{.Size}} {{.Comment}}"
    told = said(
        engine, "history", "--no-trunc", "--human=false", "--format", template, name
    )
    return told.splitlines()


def packed() -> bytes:
    """Pack a file that may bind low ports, one with two marks, and one to be removed."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in ("server", "noted", "left/over"):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = 4, 0o755, 1_600_000_000
            entry.pax_headers = {
                f"SCHILY.xattr.{mark}": os.fsdecode(value)
                for mark, value in MARKS.get(name, {}).items()
            }
            archive.addfile(entry, io.BytesIO(b"file"))
    return out.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("builds") / "context"
    place.mkdir()
    (place / "Dockerfile").write_text(DOCKERFILE)
    (place / "a.txt").write_text("a\n")
    for name in ("b.py", "c.py"):
        (place / name).write_text(f"print('{name}')\n")
        (place / name).chmod(0o640)
    (place / "marked.tar").write_bytes(packed())
    return place


@pytest.fixture(scope="module")
def built(minidock: Minidock, folder: Path) -> Iterator[Minidock]:
    """Our engine, which has built the image."""
    names = [word for name in NAMES for word in ("--tag", name)]
    said(minidock, "build", *names, str(folder))
    yield minidock
    minidock.run("rmi", "--force", *NAMES)


@pytest.fixture(scope="module")
def archive(built: Minidock, folder: Path) -> Path:
    said(built, "save", "--output", f"{folder.parent}/ours.tar", *NAMES)
    return folder.parent / "ours.tar"


@pytest.fixture(scope="module")
def taken(reference: Reference, archive: Path) -> Iterator[Reference]:
    """Docker, which has loaded what we saved."""
    told = said(reference, "load", "--input", str(archive))
    assert sorted(told.splitlines()) == sorted(f"Loaded image: {name}" for name in NAMES)
    yield reference
    reference.docker("rmi", "--force", *NAMES)


def test_docker_loads_what_we_built_as_the_same_image(
    built: Minidock, taken: Reference
) -> None:
    ours = seen(built, NAMES[0])
    assert seen(taken, NAMES[0]) == ours | {"RepoTags": seen(taken, NAMES[0])["RepoTags"]}
    assert sorted(seen(taken, NAMES[2])["RepoTags"]) == sorted(NAMES)
    assert sorted(ours["RepoTags"]) == sorted(NAMES)
    assert len(ours["RootFS"]["Layers"]) == 9
    assert stories(taken, NAMES[1]) == stories(built, NAMES[1])


def test_docker_sees_the_same_files_and_runs_them(
    built: Minidock, taken: Reference
) -> None:
    assert said(taken, "run", "--rm", NAMES[0]) == PRINTED == said(
        built, "run", "--rm", NAMES[0]
    )  # fmt: skip
    theirs = said(taken, "run", "--rm", NAMES[0], "sh", "-c", LIST).splitlines()
    ours = said(built, "run", "--rm", NAMES[0], "sh", "-c", LIST).splitlines()
    assert [line for line in ours if line not in theirs] == []
    assert ours == theirs
    assert any(line.startswith("/srv/gone 43ff") for line in ours)
    assert not any("/many/" in line or "/marked/left" in line for line in ours)


def marks_in(tree: Path) -> dict[str, dict[str, bytes]]:
    return {
        name: {mark: os.getxattr(tree / name, mark) for mark in os.listxattr(tree / name)}
        for name in ("server", "noted")
    }


def test_docker_finds_the_same_marks_on_the_files(taken: Reference) -> None:
    container = said(taken, "run", "--detach", NAMES[0], "sleep", "600").strip()
    try:
        pid = said(taken, "inspect", "--format", "{{.State.Pid}}", container).strip()
        assert marks_in(Path(f"/proc/{pid}/root/marked")) == MARKS
    finally:
        said(taken, "rm", "--force", container)


def test_umoci_unpacks_what_we_built(built: Minidock, tmp_path: Path) -> None:
    """Straight from the store, which is an image layout."""
    copy = f"{tmp_path}/copy:app"
    source = f"oci:{built.root}/oci:localhost:5000/deep/built:x"
    asked("skopeo", "--insecure-policy", "copy", source, f"oci:{copy}")
    asked("umoci", "unpack", "--image", copy, f"{tmp_path}/bundle")
    tree = tmp_path / "bundle/rootfs"
    assert (tree / "srv/kept/one").stat().st_mode & 0o7777 == 0o4755
    assert (tree / "srv/kept/one").stat().st_nlink == 1
    assert (tree / "srv/kept/link").readlink() == Path("one")
    assert (tree / "srv/gone").stat().st_mode & 0o7777 == 0o1777
    assert [path.name for path in (tree / "srv/gone").iterdir()] == ["y"]
    assert [*(tree / "many").iterdir()] == []
    found = (tree / "app/b.py").stat()
    assert (found.st_mode & 0o7777, found.st_uid, found.st_gid) == (0o640, 12, 34)
    assert sorted(path.name for path in (tree / "marked").iterdir()) == ["noted", "server"]
    assert marks_in(tree / "marked") == MARKS


@pytest.mark.parametrize("kind", ["oci", "docker-archive", "oci-archive"])
def test_skopeo_finds_the_same_digests(built: Minidock, archive: Path, kind: str) -> None:
    """The id is the digest of the config; every layer is what its digest says."""
    place = {
        "oci": f"oci:{built.root}/oci:docker.io/travel/built:2",
        "docker-archive": f"docker-archive:{archive}:{NAMES[1]}",
        "oci-archive": f"oci-archive:{archive}:2",  # as Docker: a name is its tag
    }[kind]
    told = seen(built, NAMES[1])
    config = asked("skopeo", "inspect", "--config", "--raw", place)
    assert f"sha256:{hashlib.sha256(config).hexdigest()}" == told["Id"]
    assert json.loads(config)["rootfs"]["diff_ids"] == told["RootFS"]["Layers"]
    manifest = json.loads(asked("skopeo", "inspect", "--raw", place))
    assert manifest["config"]["digest"] == told["Id"]
    assert len(manifest["layers"]) == len(told["RootFS"]["Layers"])


def test_every_blob_of_an_archive_is_what_its_name_says(archive: Path) -> None:
    names = []
    with tarfile.open(archive) as members:
        for entry in members:
            if entry.name.startswith("blobs/sha256/") and entry.isreg():
                file = members.extractfile(entry)
                assert file is not None
                names.append(entry.name)
                digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
                assert entry.name == f"blobs/sha256/{digest}"
    assert len(names) == len(set(names)) == 11


def test_saved_twice_it_is_the_same_archive(
    built: Minidock, archive: Path, tmp_path: Path
) -> None:
    said(built, "save", "--output", f"{tmp_path}/again.tar", *reversed(NAMES))
    said(built, "save", "--output", f"{tmp_path}/third.tar", *reversed(NAMES))
    assert (tmp_path / "again.tar").read_bytes() == (tmp_path / "third.tar").read_bytes()
    assert len(archive.read_bytes()) == len((tmp_path / "again.tar").read_bytes())


def test_what_docker_saved_of_it_is_the_same_image_again_here(
    built: Minidock, taken: Reference, tmp_path: Path
) -> None:
    """There and back: the digests do not change on the way."""
    before = seen(built, NAMES[0])
    said(taken, "save", "--output", f"{tmp_path}/theirs.tar", *NAMES)
    said(built, "rmi", *NAMES)
    told = said(built, "load", "--input", f"{tmp_path}/theirs.tar")
    assert sorted(told.splitlines()) == sorted(f"Loaded image: {name}" for name in NAMES)
    assert seen(built, NAMES[0]) == before
    assert said(built, "run", "--rm", NAMES[1]) == PRINTED


# ── Docker's images here ──────────────────────────────────────────────────────────────────


def docker_build(reference: Reference, folder: Path, *words: str) -> None:
    made = subprocess.run(
        [program("docker"), "build", *words, str(folder)], capture_output=True, text=True,
        check=False, env={
            "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "DOCKER_BUILDKIT": "0",
            "DOCKER_HOST": f"unix://{reference.socket}",
            "DOCKER_CONFIG": str(reference.state),
        },
    )  # fmt: skip
    assert made.returncode == 0, made.stderr


@pytest.fixture(scope="module")
def fleet(reference: Reference, minidock: Minidock, folder: Path) -> Iterator[list[str]]:
    """Several images with several names, which Docker built and saved in one archive."""
    docker_build(reference, folder, "--tag", "fleet/base:1", "--tag", "fleet/base:2")
    above = folder.parent / "above"
    above.mkdir()
    (above / "Dockerfile").write_text(
        "FROM fleet/base:1\nRUN rm -r /srv/gone && echo top >/srv/top\nONBUILD ENV A=1\n"
        'CMD ["cat", "/srv/top"]\n'
    )
    docker_build(reference, above, "--tag", "fleet/top:1")
    (above / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    docker_build(reference, above, "--tag", "fleet/none:1")
    names = ["fleet/base:1", "fleet/base:2", "fleet/top:1", "fleet/none:1"]
    said(reference, "save", "--output", f"{folder.parent}/fleet.tar", *names)
    told = said(minidock, "load", "--input", f"{folder.parent}/fleet.tar")
    assert sorted(told.splitlines()) == sorted(f"Loaded image: {name}" for name in names)
    yield names
    for engine in (reference, minidock):
        (engine.docker if isinstance(engine, Reference) else engine.run)(
            "rmi", "--force", *reversed(names)
        )


def test_many_images_of_one_archive_are_each_the_same(
    reference: Reference, minidock: Minidock, fleet: list[str]
) -> None:
    for name in fleet:
        assert seen(minidock, name) == seen(reference, name)
        assert stories(minidock, name) == stories(reference, name)
    for name in fleet[1:3]:
        assert said(minidock, "run", "--rm", name) == said(reference, "run", "--rm", name)
        ours = said(minidock, "run", "--rm", name, "sh", "-c", LIST).splitlines()
        theirs = said(reference, "run", "--rm", name, "sh", "-c", LIST).splitlines()
        assert ours == theirs


def test_many_images_of_ours_are_each_the_same_in_docker(
    reference: Reference, minidock: Minidock, fleet: list[str], tmp_path: Path
) -> None:
    expected = {name: seen(reference, name) for name in fleet}
    said(minidock, "save", "--output", f"{tmp_path}/fleet.tar", *fleet)
    said(reference, "rmi", "--force", *reversed(fleet))
    said(reference, "load", "--input", f"{tmp_path}/fleet.tar")
    assert {name: seen(reference, name) for name in fleet} == expected


def test_the_documents_of_an_archive_are_docker_s_to_the_byte(
    reference: Reference, minidock: Minidock, fleet: list[str], tmp_path: Path
) -> None:
    """All but configurations of 2014, which nothing has read for ten years.

    Of several images dockerd says by chance which comes first.
    """
    for engine, name in ((reference, "theirs"), (minidock, "ours")):
        said(engine, "save", "--output", f"{tmp_path}/{name}.tar", *fleet)
    theirs, ours = documents(tmp_path / "theirs.tar"), documents(tmp_path / "ours.tar")
    assert [name for name in ours if ours[name] != theirs.get(name)] == []
    surplus = theirs.keys() - ours.keys()
    assert all(b'"container_config"' in theirs[name] for name in surplus)
    assert len(ours) >= 14


def documents(archive: Path) -> dict[str, bytes]:
    """Give every member that is a file; the lists of images in an order of their own."""
    with tarfile.open(archive) as members:
        found = {
            entry.name: file.read()
            for entry in members
            if (file := members.extractfile(entry))
        }
    listed, manifests = json.loads(found["manifest.json"]), json.loads(found["index.json"])
    listed.sort(key=json.dumps)
    manifests["manifests"].sort(key=json.dumps)
    return found | {
        "manifest.json": json.dumps(listed).encode(),
        "index.json": json.dumps(manifests).encode(),
    }


def test_what_docker_saved_can_be_built_upon(
    reference: Reference, minidock: Minidock, fleet: list[str], tmp_path: Path
) -> None:
    """The triggers of the base run, its settings are kept, its files can be removed."""
    (tmp_path / "Dockerfile").write_text(
        "FROM fleet/top:1\nRUN rm -r /srv/kept /app/b.py && echo $A$GREETING >/srv/new\n"
        'CMD ["sh", "-c", "cat /srv/new; ls /srv /app"]\n'
    )
    said(minidock, "build", "--tag", "fleet/upon:1", str(tmp_path))
    docker_build(reference, tmp_path, "--tag", "fleet/upon:2")
    try:
        ours, theirs = seen(minidock, "fleet/upon:1"), seen(reference, "fleet/upon:2")
        assert ours["Config"]["Env"] == theirs["Config"]["Env"]
        assert ours["RootFS"]["Layers"][:-1] == theirs["RootFS"]["Layers"][:-1]
        assert said(minidock, "run", "--rm", "fleet/upon:1") == said(
            reference, "run", "--rm", "fleet/upon:2"
        )
        said(minidock, "save", "--output", f"{tmp_path}/upon.tar", "fleet/upon:1")
        said(reference, "load", "--input", f"{tmp_path}/upon.tar")
        assert seen(reference, "fleet/upon:1") == ours
    finally:
        said(minidock, "rmi", "fleet/upon:1")
        reference.docker("rmi", "fleet/upon:1", "fleet/upon:2")
