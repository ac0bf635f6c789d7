"""Small blobs are kept in memory, and only as long as they are on the disk too."""

from pathlib import Path

import pytest

from pyminidock.store.blobs import BlobMismatch, BlobMissing
from pyminidock.store.opening import Store

CONTENT = b'{"os":"linux"}'


def test_a_document_that_was_put_is_not_read_from_the_disk(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = store.blobs.put(CONTENT)
    opened: list[Path] = []
    monkeypatch.setattr(Path, "open", lambda path, *_: opened.append(path))
    assert store.blobs.read(digest) == CONTENT
    assert not opened


def test_a_document_that_was_removed_is_missing(store: Store) -> None:
    digest = store.blobs.put(CONTENT)
    store.blobs.read(digest)
    store.blobs.remove(digest)
    with pytest.raises(BlobMissing):
        store.blobs.read(digest)


def test_a_document_that_somebody_took_away_is_missing(store: Store) -> None:
    digest = store.blobs.put(CONTENT)
    store.blobs.read(digest)
    store.blobs.path(digest).unlink()
    with pytest.raises(BlobMissing):
        store.blobs.read(digest)


def test_a_limit_holds_for_what_is_known_too(store: Store) -> None:
    digest = store.blobs.put(CONTENT)
    store.blobs.read(digest)
    with pytest.raises(BlobMismatch):
        store.blobs.read(digest, len(CONTENT) - 1)


def test_whoever_reads_a_known_document_under_a_lease_keeps_it(store: Store) -> None:
    digest = store.blobs.put(CONTENT)
    store.blobs.read(digest)
    with store.leases.lease("build"):
        assert not store.leases.protects(digest)
        store.blobs.read(digest)
        assert store.leases.protects(digest)


def test_many_and_large_blobs_are_read_as_they_are(store: Store) -> None:
    contents = [b"%d" % number for number in range(300)]
    contents.append(bytes(100 << 10))
    digests = [store.blobs.put(content) for content in contents]
    for _ in range(2):
        assert [store.blobs.read(digest) for digest in digests] == contents
