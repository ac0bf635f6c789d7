"""Archives of layers: a real engine's read and packed again, and ours read by it."""

import io
import json
import os
import struct
import tarfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from pyminidock.events import Event
from pyminidock.layers.archive import Entry, Kind, read_entries
from pyminidock.layers.tarwriter import Writer
from tests.reference import Reference

pytestmark = pytest.mark.compat

SCRIPT = """
set -e
P=$(printf 'p%.0s' $(seq 1 96)); L=$(printf 'l%.0s' $(seq 1 120))
mkdir -p /d/sub /d/$L/sub /d/$P /d/é
echo hi > /d/f; chmod 4755 /d/f; ln /d/f /d/hard; ln -s f /d/sym
mkfifo /d/fifo; mknod /d/null c 1 3; mknod /d/disk b 8 0
echo x > /d/café; echo x > /d/é/x; touch /d/$P/x /d/$P/xx
echo long > /d/$L/$L; ln /d/$L/$L /d/$L/again; ln -s $L/$L/$L /d/longlink
echo o > /d/owned; chown 3000000:2097151 /d/owned; chown 5:6 /d/sub; chmod 1777 /d/sub
touch -d "2001-01-01 00:00:00" /d/old; touch -d "1960-01-01 00:00:00" /d/older
head -c 100000 /dev/zero > /d/zeros
rm /etc/group; rm -r /var; mkdir /var; echo n > /var/new
"""
CAPABILITY = struct.pack("<5I", 0x02000001, 1 << 10, 0, 0, 0)  # net_bind_service, effective


def layers_of(reference: Reference, image: str, place: Path) -> Iterator[bytes]:
    """Save an image and give the archives of its layers, lowest first."""
    saved = reference.docker("save", "--output", f"{place}/saved.tar", image)
    assert saved.stderr == ""
    with tarfile.open(place / "saved.tar") as archive:

        def content(name: str) -> bytes:
            file = archive.extractfile(name)
            assert file is not None
            return file.read()

        for name in json.loads(content("manifest.json"))[0]["Layers"]:
            yield content(name)


def packed_again(archive: bytes) -> bytes:
    heard: list[Event] = []
    out: list[bytes] = []
    writer = Writer(out.append)
    for entry in read_entries(io.BytesIO(archive), emit=heard.append):
        writer.add(entry)
    writer.close()
    assert heard == []
    return b"".join(out)


def test_a_layer_of_docker_is_packed_again_byte_for_byte(
    reference: Reference, tmp_path: Path
) -> None:
    """All kinds of entries, and all that needs a pax header."""
    capable = tmp_path / "capable"
    capable.write_bytes(b"program")
    os.setxattr(capable, "security.capability", CAPABILITY)
    run = ("run", "--name", "packer", "--network", "none", reference.image)
    ran = reference.docker(*run, "sh", "-c", SCRIPT)
    assert ran.stderr == ""
    try:
        assert reference.docker("cp", str(capable), "packer:/d/capable").returncode == 0
        assert reference.docker("commit", "packer", "layers/packed").returncode == 0
        *_, layer = layers_of(reference, "layers/packed", tmp_path)
    finally:
        reference.docker("rm", "packer")
        reference.docker("rmi", "layers/packed")
    entries = {entry.name: entry for entry in read_entries(io.BytesIO(layer))}
    assert {entry.kind for entry in entries.values()} == set(Kind)
    assert entries[b"d/capable"].xattrs == {b"security.capability": CAPABILITY}
    assert entries[b"d/older"].mtime < 0
    assert {b"etc/.wh.group", b"var/.wh..wh..opq"} < set(entries)
    assert packed_again(layer) == layer


def ours() -> tuple[tuple[Entry, bytes], ...]:
    """Give what a layer can hold."""
    text, long = b"some text\n" * 100, b"long" * 40
    return (
        (Entry(b"d", Kind.DIRECTORY, 0o1777, 5, 6, mtime=10**9), b""),
        (Entry(b"d/f", Kind.FILE, 0o4755, 0, 7, len(text), 10**9), text),
        (Entry(b"d/hard", Kind.HARD_LINK, 0o4755, 0, 7, 0, 10**9, link=b"d/f"), b""),
        (Entry(b"d/sym", Kind.SYMLINK, 0o777, 8, 8, 0, 5, link=b"/nowhere/" + long), b""),
        (Entry(b"d/null", Kind.CHARACTER, 0o666, device=(1, 3), mtime=7), b""),
        (Entry(b"d/disk", Kind.BLOCK, 0o660, device=(8, 1), mtime=7), b""),
        (Entry(b"d/fifo", Kind.FIFO, 0o600, mtime=7), b""),
        (Entry(b"d/" + long, Kind.DIRECTORY, 0o700, mtime=8), b""),
        (Entry(b"d/%b/%b" % (long, long), Kind.FILE, 0o400, 3_000_000, 1, mtime=9), b""),
        (Entry("d/café".encode(), Kind.FILE, 0o640, 1, 3_000_000, 2, 10), b"hi"),
        (
            Entry(
                b"d/capable", Kind.FILE, 0o755, size=2, mtime=11,
                xattrs={b"security.capability": CAPABILITY},
            ),
            b"hi",
        ),
    )  # fmt: skip


def test_docker_unpacks_what_we_pack(reference: Reference, tmp_path: Path) -> None:
    """It names our archive by our digest, and gives the same tree back."""
    packed = tmp_path / "ours.tar"
    with packed.open("wb") as file:
        writer = Writer(file.write)
        for entry, content in ours():
            writer.add(entry, io.BytesIO(content))
        writer.close()
    made = reference.docker("import", "--change", 'CMD ["x"]', str(packed), "layers/ours")
    assert made.stderr == ""
    try:
        image = reference.api("GET", "/v1.45/images/layers/ours/json").body
        digest = "sha256:" + sha256(packed.read_bytes()).hexdigest()
        assert image["RootFS"]["Layers"] == [digest]
        assert reference.docker("create", "--name", "ours", "layers/ours").returncode == 0
        exported = tmp_path / "exported.tar"
        assert reference.docker("export", "-o", str(exported), "ours").returncode == 0
    finally:
        reference.docker("rm", "ours")
        reference.docker("rmi", "layers/ours")
    with exported.open("rb") as file:
        found = {
            entry.name: (entry, entry.body.read(entry.size))
            for entry in read_entries(file)
            if entry.name.startswith(b"d")
        }
    ours_by_name = {entry.name: (entry, content) for entry, content in ours()}
    assert set(ours_by_name) == set(found) - {name for name in found if name[:3] == b"dev"}
    # Of two names of one file, the export meets the longer one later: as we packed them.
    for name, pair in ours_by_name.items():
        assert found[name] == pair, name
