"""A layer exists whole or not at all: blob, tree and row."""

import gzip
import hashlib
import socket
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from pyminidock.events import Event, LayerCommitted, LayerReused, LayerUnpacked
from pyminidock.image.chain import extend
from pyminidock.layers.apply import UNPRIVILEGED, apply
from pyminidock.layers.archive import ArchiveRefused, read_entries
from pyminidock.layers.diff import TreeNotPortable
from pyminidock.layers.publish import LayerMismatch, commit_copy, commit_tree, unpack
from pyminidock.store.blobs import BlobMismatch
from pyminidock.store.layers import LayerRow
from pyminidock.store.opening import Store, open_store
from tests.layers.hostile.trial import facts


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "root", mounts="")
    yield opened
    opened.close()


def archive(**files: bytes) -> bytes:
    out = BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, BytesIO(content))
    return out.getvalue()


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def bring(store: Store, content: bytes, parent: str = "", **promised: object) -> LayerRow:
    return unpack(
        store, BytesIO(content), parent, policy=UNPRIVILEGED, sync=lambda _: None,
        **promised,  # type: ignore[arg-type]
    )  # fmt: skip


def is_empty(store: Store) -> bool:
    places = [store.root / "layers", store.blobs.directory]
    return not store.layers.all() and not any(any(place.iterdir()) for place in places)


def test_a_layer_is_hashed_stored_and_unpacked_in_one_pass(store: Store) -> None:
    plain = archive(motd=b"hello")
    packed = gzip.compress(plain, mtime=0)
    heard: list[Event] = []
    synced: list[Path] = []
    row = unpack(store, BytesIO(packed), policy=UNPRIVILEGED, sync=synced.append,
                 emit=heard.append)  # fmt: skip
    assert row == LayerRow(digest(plain), digest(plain), "", digest(packed), 5, 1)
    assert store.layers.get(row.chain_id) == row
    assert store.blobs.read(row.blob) == packed
    tree = store.layers.directory(row.chain_id)
    assert (tree / "motd").read_bytes() == b"hello"
    assert heard == [LayerUnpacked(row.chain_id, row.diff_id, 5, 1)]
    assert [path.parent for path in synced] == [store.root / "layers"]
    assert [path.name for path in (store.root / "layers").iterdir()] == [tree.parent.name]


def test_a_layer_above_another_is_named_by_both(store: Store) -> None:
    below = bring(store, archive(a=b"1"))
    above = bring(store, archive(b=b"2"), below.chain_id)
    assert above.chain_id == extend(below.chain_id, above.diff_id)
    assert above.parent == below.chain_id


def test_a_layer_that_is_here_is_reused(store: Store) -> None:
    first = bring(store, archive(a=b"1"))
    before = store.layers.directory(first.chain_id).stat().st_ino
    heard: list[Event] = []
    again = unpack(store, BytesIO(archive(a=b"1")), policy=UNPRIVILEGED, emit=heard.append,
                   sync=lambda _: None)  # fmt: skip
    assert again == first
    assert heard == [LayerReused(first.chain_id)]
    assert store.layers.directory(first.chain_id).stat().st_ino == before
    assert len(list((store.root / "layers").iterdir())) == 1


@pytest.mark.parametrize(("promised", "refusal"), [
    ({"expected_diff": "sha256:" + "0" * 64}, LayerMismatch),
    ({"expected_blob": "sha256:" + "0" * 64}, BlobMismatch),
    ({"size_bytes": 5}, BlobMismatch),
])  # fmt: skip
def test_a_layer_that_is_not_what_was_promised_leaves_nothing(
    store: Store, promised: dict[str, object], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        bring(store, archive(a=b"1"), "", **promised)
    assert is_empty(store)


def test_a_layer_cut_short_leaves_nothing(store: Store) -> None:
    with pytest.raises(ArchiveRefused, match="unexpected EOF"):
        bring(store, archive(a=b"1" * 2000)[:1000])
    assert is_empty(store)


def test_a_directory_becomes_a_layer_and_its_archive(store: Store) -> None:
    upper = store.root / "upper"
    (upper / "etc").mkdir(parents=True)
    (upper / "etc" / "motd").write_bytes(b"built")
    heard: list[Event] = []
    row = commit_tree(store, upper, policy=UNPRIVILEGED, sync=lambda _: None,
                      emit=heard.append)  # fmt: skip
    assert not upper.exists()
    assert (store.layers.directory(row.chain_id) / "etc" / "motd").read_bytes() == b"built"
    assert row.blob == row.diff_id == digest(store.blobs.read(row.blob))
    assert heard == [LayerCommitted(row.chain_id, row.diff_id, 5, 2)]
    with store.blobs.open(row.blob) as blob, tarfile.open(fileobj=blob) as tar:
        assert tar.getnames() == ["etc", "etc/motd"]


def test_a_socket_stays_behind_in_tree_and_archive(store: Store) -> None:
    upper = store.root / "upper"
    (upper / "run").mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(upper / "run" / "s"))
    before = (upper / "run").stat().st_mtime_ns
    row = commit_tree(store, upper, policy=UNPRIVILEGED, sync=lambda _: None)
    tree = store.layers.directory(row.chain_id)
    assert list((tree / "run").iterdir()) == []
    assert (tree / "run").stat().st_mtime_ns == before
    assert row.files == 1


def test_a_tree_that_cannot_be_packed_stays_where_it_is(store: Store) -> None:
    upper = store.root / "upper"
    upper.mkdir()
    here = upper
    for _ in range(600):
        here = here / "d"
    here.mkdir(parents=True)
    with pytest.raises(TreeNotPortable):
        commit_tree(store, upper, policy=UNPRIVILEGED, sync=lambda _: None)
    assert (upper / "d").is_dir()
    assert is_empty(store)


def test_what_was_committed_here_unpacks_elsewhere_to_the_same_layer(store: Store) -> None:
    upper = store.root / "upper"
    (upper / "d").mkdir(parents=True)
    (upper / "d" / "f").write_bytes(b"x")
    row = commit_tree(store, upper, policy=UNPRIVILEGED, sync=lambda _: None)
    with store.blobs.open(row.blob) as blob:
        again = bring(store, blob.read())
    assert again == row


def test_a_copy_is_the_tree_that_its_archive_unpacks_to(
    store: Store, tmp_path: Path
) -> None:
    upper = store.root / "upper"
    (upper / "d/empty").mkdir(parents=True)
    (upper / "d/large").write_bytes(bytes(range(256)) * 4000)
    (upper / "d/small").write_bytes(b"x")
    (upper / "again").hardlink_to(upper / "d/small")
    (upper / "link").symlink_to("d/large")
    copied = commit_copy(store, upper, policy=UNPRIVILEGED, sync=lambda _: None)
    (tmp_path / "tree").mkdir()
    with store.blobs.open(copied.blob) as blob:
        apply(read_entries(blob), tmp_path / "tree", policy=UNPRIVILEGED)
    tree = store.layers.directory(copied.chain_id)
    assert [*facts(tree).values()] == [*facts(tmp_path / "tree").values()]
    names = [path.relative_to(tree).as_posix() for path in sorted(tree.rglob("*"))]
    assert names == ["again", "d", "d/empty", "d/large", "d/small", "link"]


def test_a_container_keeps_what_is_committed_of_it(store: Store) -> None:
    upper = store.root / "upper"
    (upper / "d").mkdir(parents=True)
    (upper / "d" / "f").write_bytes(b"x")
    heard: list[Event] = []
    copied = commit_copy(store, upper, policy=UNPRIVILEGED, sync=lambda _: None,
                         emit=heard.append)  # fmt: skip
    assert (upper / "d" / "f").read_bytes() == b"x"
    tree = store.layers.directory(copied.chain_id)
    assert (tree / "d" / "f").stat().st_ino != (upper / "d" / "f").stat().st_ino
    assert heard == [LayerCommitted(copied.chain_id, copied.diff_id, 1, 2)]
    assert commit_tree(store, upper, policy=UNPRIVILEGED, sync=lambda _: None) == copied
