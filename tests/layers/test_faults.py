"""Every call of the applier and of the packer fails once: an error, and nothing is left.

The modules are lent an `os` that counts, and fails at the k-th call; k goes up until none
fails any more.  Only `close` never fails: there is nothing to be done about it.
"""

import errno
import io
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from pyminidock.errors import MinidockError
from pyminidock.layers import apply, diff, growing, publish
from pyminidock.layers.apply import ROOT, UNPRIVILEGED, Policy
from pyminidock.layers.archive import read_entries
from pyminidock.layers.publish import commit_copy, commit_tree, unpack
from pyminidock.store.opening import Store, open_store
from tests.layers.hostile.blocks import END
from tests.layers.hostile.cases import d, dev, f, hard, ln, opq, wh, x
from tests.layers.hostile.trial import facts

FAILING = frozenset({
    "open", "mkdir", "mknod", "link", "symlink", "unlink", "rmdir", "chown", "chmod",
    "fchmod", "utime", "setxattr", "getxattr", "listxattr", "removexattr", "stat", "fstat",
    "readlink", "read", "write", "scandir", "listdir", "dup", "fchown", "copy_file_range",
})  # fmt: skip
ERRORS = (errno.EIO, errno.ENOSPC, errno.ENOMEM, errno.EMFILE, errno.EDQUOT)
POLICIES = [
    pytest.param(UNPRIVILEGED, id="user"),
    pytest.param(ROOT, id="root", marks=pytest.mark.edge),
]
LAYER = (
    d(b".", b"0000755\0") + d(b"etc") + x(f(b"etc/passwd", b"root" * 99), user__a=b"1")
    + ln(b"lib", b"usr/lib") + f(b"lib/inside") + hard(b"second", b"etc/passwd")
    + wh(b"gone") + d(b"opaque") + wh(b"opaque/gone") + opq(b"opaque") + wh(b"gone2")
    + f(b"gone2/file") + d(b"tree/deep/er") + f(b"tree/deep/er/file") + f(b"tree", b"now")
    + x(d(b"twice"), user__b=b"1") + x(d(b"twice"), user__c=b"2") + f(b"tree", b"again")
    + dev(b"fifo", 0, 0, b"6") + hard(b"fifo2", b"fifo") + ln(b"lib", b"elsewhere") + END
)  # fmt: skip
DEVICES = dev(b"null", 1, 3) + dev(b"null", 1, 3)


LAYERS = (apply, growing, diff, publish)


class Failing:
    """The module `os`, one of whose calls fails."""

    def __init__(self, place: int, number: int) -> None:
        self.left, self.number, self.failed = place, number, ""

    def __getattr__(self, name: str) -> Any:
        found = getattr(os, name)
        return self._counted(name, found) if name in FAILING else found

    def _counted(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*words: Any, **more: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                self.failed = name
                raise OSError(self.number, os.strerror(self.number))
            return call(*words, **more)

        return called


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "root", mounts="")
    yield opened
    opened.close()


def each_fault(
    monkeypatch: pytest.MonkeyPatch, deed: Callable[[], object],
    after: Callable[[], object], *, modules: Sequence[object] = LAYERS,
) -> Sequence[str]:  # fmt: skip
    """Fail each call of `deed` in turn, looking at what is left; give the calls' names."""
    failed: list[str] = []
    for place in count(1):
        failing = Failing(place, ERRORS[place % len(ERRORS)])
        handles = len(os.listdir("/proc/self/fd"))  # noqa: PTH208  (names alone)
        with monkeypatch.context() as patch:
            for module in modules:
                patch.setattr(module, "os", failing)
            told: Exception | None = None
            try:
                deed()
            except (OSError, MinidockError) as refusal:
                told = refusal
        if told is None:
            assert not failing.failed, f"{failing.failed} failed and nobody noticed"
            return failed
        failed.append(failing.failed)
        if isinstance(told, OSError):
            assert told.errno == failing.number, failing.failed
        else:
            assert failing.number in (errno.ENOSPC, errno.EDQUOT), failing.failed
        assert len(os.listdir("/proc/self/fd")) == handles, failing.failed  # noqa: PTH208
        after()
    raise AssertionError("count ends")


@pytest.mark.parametrize("policy", POLICIES)
def test_a_layer_whose_unpacking_fails_anywhere_leaves_nothing(
    store: Store, tmp_path: Path, policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = LAYER if policy is UNPRIVILEGED else DEVICES + LAYER
    (tmp_path / "sentinel").write_text("precious")
    before = facts(tmp_path / "sentinel")

    def bring() -> None:
        unpack(store, io.BytesIO(layer), policy=policy, sync=lambda _: None)

    def nothing_is_left() -> None:
        assert store.layers.all() == ()
        assert list((store.root / "layers").iterdir()) == []
        assert list(store.blobs.directory.iterdir()) == []
        assert facts(tmp_path / "sentinel") == before

    failed = each_fault(monkeypatch, bring, nothing_is_left)
    wanted = {"open", "mkdir", "mknod", "link", "symlink", "unlink", "rmdir", "fchmod",
              "chmod", "utime", "setxattr", "listxattr", "removexattr", "stat", "readlink",
              "write", "scandir", "dup"}  # fmt: skip
    assert wanted <= set(failed)
    (row,) = store.layers.all()
    assert (store.layers.directory(row.chain_id) / "tree").read_text() == "again"


@pytest.mark.parametrize("policy", POLICIES)
def test_a_tree_whose_packing_fails_anywhere_stays_where_it_was(
    store: Store, policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a container wrote is lost to no error, not even to one after it was moved."""
    upper = store.root / "upper"
    upper.mkdir()
    entries = read_entries(io.BytesIO(LAYER))
    apply.apply(entries, upper, policy=policy)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(upper / "socket"))
    before = facts(upper)

    def commit() -> None:
        commit_tree(store, upper, policy=policy, sync=lambda _: None)

    def all_is_as_before() -> None:
        assert store.layers.all() == ()
        assert list((store.root / "layers").iterdir()) == []
        kept = facts(upper)
        assert {path for path in before if not path.endswith("/socket")} <= set(kept)

    failed = each_fault(monkeypatch, commit, all_is_as_before)
    wanted = {"open", "stat", "fstat", "listdir", "listxattr", "getxattr", "readlink",
              "read", "unlink", "utime"}  # fmt: skip
    assert wanted <= set(failed)
    assert not upper.exists()
    (row,) = store.layers.all()
    assert (store.layers.directory(row.chain_id) / "tree").read_text() == "again"


@pytest.mark.parametrize("policy", POLICIES)
def test_a_copy_that_fails_anywhere_is_not_there_and_its_container_is_whole(
    store: Store, policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    upper = store.root / "upper"
    upper.mkdir()
    apply.apply(read_entries(io.BytesIO(LAYER)), upper, policy=policy)
    before = facts(upper)

    def commit() -> None:
        commit_copy(store, upper, policy=policy, sync=lambda _: None)

    def nothing_is_left() -> None:
        assert store.layers.all() == ()
        assert list((store.root / "layers").iterdir()) == []
        assert list(store.blobs.directory.iterdir()) == []
        assert facts(upper) == before

    failed = each_fault(monkeypatch, commit, nothing_is_left)
    wanted = {"open", "stat", "fstat", "listdir", "listxattr", "getxattr", "readlink",
              "read", "mkdir", "link", "symlink", "fchmod", "utime", "setxattr",
              "write"}  # fmt: skip
    assert wanted <= set(failed)
    assert facts(upper) == before
    (row,) = store.layers.all()
    assert (store.layers.directory(row.chain_id) / "tree").read_text() == "again"
