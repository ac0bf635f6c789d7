"""A child gets ready while its accounts are opened; who gives it up finds nothing left."""

import errno
import select
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from pyminidock.kernel import calls
from pyminidock.kernel.linux.filesystems import USUAL
from pyminidock.kernel.linux.labour import Labour, Order, spell_order
from pyminidock.kernel.linux.nursery import Nursery
from pyminidock.kernel.linux.proc import start_time
from pyminidock.kernel.port import CallFailed
from tests.reference import wait_until

SOON_S = 30.0


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    """Start no spawner yet; end it afterwards."""
    with closing(Nursery()) as nursery:
        yield nursery


def labour_in(
    directory: Path, fail_at: tuple[int, int] | None = None
) -> tuple[Labour, Order]:
    """Plan a birth whose root nobody stacks."""
    plan = (
        calls.PrepareOverlay((), "", ""),
        calls.ForkShim(str(directory), has_terminal=False, keeps_stdin=False),
        calls.EnterNamespace("pid"),
        calls.ForkInit(),
        calls.EnterNamespace("uts"),
        calls.AttachRoot("/"),
        calls.AnnounceReady(),
        calls.Execute(("true",), ()),
    )
    order = spell_order(plan, 1, lockstep=False, last_capability=0, fail_at=fail_at)
    return Labour(plan, 1, lambda *_: None, lockstep=False), order


def test_a_child_gets_ready_before_its_accounts_are_open(
    nursery: Nursery, tmp_path: Path
) -> None:
    labour, order = labour_in(tmp_path)
    labour.call(nursery, order, watchers=0)
    wait_until((tmp_path / "shim.json").exists, SOON_S, "the shim to be found")
    labour.give_up()


@pytest.mark.parametrize("has_accounts", [False, True])
def test_who_gives_a_birth_up_in_the_middle_leaves_no_file_and_no_process(
    nursery: Nursery, tmp_path: Path, *, has_accounts: bool
) -> None:
    labour, order = labour_in(tmp_path)
    labour.call(nursery, order, watchers=0)
    if has_accounts:
        labour.open_accounts()
    wait_until((tmp_path / "shim.json").exists, SOON_S, "the shim to be found")
    shim = children_of(nursery.pid)
    assert shim
    labour.give_up()
    assert list(tmp_path.iterdir()) == []
    assert not shim & children_of(nursery.pid)


def test_a_child_that_has_failed_by_the_time_it_is_let_go_has_said_why(
    nursery: Nursery, tmp_path: Path
) -> None:
    labour, order = labour_in(tmp_path, fail_at=(4, errno.EBUSY))
    labour.call(nursery, order, watchers=0)
    labour.open_accounts()
    gone = select.poll()
    gone.register(labour.conversation._socket, 0)
    assert gone.poll(SOON_S * 1000)
    labour.begin(-1, -1)
    with pytest.raises(CallFailed) as refusal:
        labour.follow()
    assert (refusal.value.index, refusal.value.errno) == (4, errno.EBUSY)
    labour.give_up()


def children_of(pid: int) -> set[tuple[int, int]]:
    """Name the children of a process, by number and start."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    found = set()
    for each in text.split():
        with suppress(ProcessLookupError):  # gone meanwhile
            found.add((int(each), start_time(int(each))))
    return found


def test_a_newborn_makes_no_network_where_the_one_before_got_another(
    nursery: Nursery, tmp_path: Path
) -> None:
    ours = Path("/proc/self/ns/net").readlink()
    conversation, line, _ = nursery.begin(is_birth=False)  # a spawner, and its first pair
    conversation.hang_up()
    line.close()
    wait_until(lambda: next_network(nursery) not in (ours, None), SOON_S, "a network")
    labour, order = labour_in(tmp_path)
    labour.call(nursery, order, watchers=0)
    labour.give_up()
    wait_until(lambda: next_network(nursery) == ours, SOON_S, "a newborn without one")


def next_network(nursery: Nursery) -> Path | None:
    """Name the network of the newborn that waits; None: none has everything ready."""
    for shim, _ in children_of(nursery.pid):
        with suppress(OSError):
            for newborn, _ in children_of(shim):
                held = [each.readlink() for each in Path(f"/proc/{newborn}/fd").iterdir()]
                if held.count(Path("anon_inode:[fscontext]")) == len(USUAL):
                    return Path(f"/proc/{newborn}/ns/net").readlink()
    return None
