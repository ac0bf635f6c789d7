"""The life of a program that does not run: waited for, signalled, attached to, found."""

import errno
import select
import threading

import pytest

from pyminidock.kernel import calls
from pyminidock.kernel.model import ModelBody
from pyminidock.kernel.model.tree import Node
from pyminidock.kernel.netcalls import RemoveLink
from pyminidock.kernel.port import CallFailed, ExitStatus, ProcessGone, UnreadableFile
from tests.contract.plans import birth, bridging, joining, wiring
from tests.contract.stands import ModelStand, model_stand, start

SOON_S = 20.0


@pytest.fixture
def stand() -> ModelStand:
    """A machine of its own."""
    return model_stand()


def test_the_same_calls_give_the_same_machine() -> None:
    worlds = []
    for _ in range(2):
        stand = model_stand()
        start(stand, birth(stand.place))
        worlds.append((stand.body.world, stand.body.new_id(), stand.body.clock()))
    assert worlds[0] == worlds[1]


def test_identifiers_and_time_go_on(stand: ModelStand) -> None:
    body = stand.body
    first, second = body.new_id(), body.new_id()
    assert first[:12] != second[:12]
    assert all(
        len(word) == 64 and set(word) <= set("0123456789abcdef") for word in (first,)
    )
    assert body.clock() < body.clock()
    assert body.wall() < body.wall()


def test_waiting_ends_when_the_program_does(stand: ModelStand) -> None:
    process = start(stand, birth(stand.place))
    assert stand.body.wait(process, 0.0) is None
    ended: list[ExitStatus | None] = []
    waiter = threading.Thread(target=lambda: ended.append(stand.body.wait(process, SOON_S)))
    waiter.start()
    stand.body.finish(process.pid, 7)
    waiter.join(SOON_S)
    (status,) = ended
    assert status is not None
    assert (status.code, status.signal) == (7, 0)


@pytest.mark.parametrize(("number", "code"), [(9, 137), (15, 143), (2, 130)])
def test_a_signal_ends_it_with_128_and_its_number(
    stand: ModelStand, number: int, code: int
) -> None:
    process = start(stand, birth(stand.place))
    stand.body.signal(process, number)
    status = stand.body.wait(process, SOON_S)
    assert status is not None
    assert (status.code, status.signal) == (code, number)


@pytest.mark.parametrize("number", [0, 17, 28])
def test_a_harmless_signal_ends_nothing(stand: ModelStand, number: int) -> None:
    process = start(stand, birth(stand.place))
    stand.body.signal(process, number)
    assert stand.body.wait(process, 0.0) is None


def test_a_process_that_is_gone_can_be_asked_nothing_but_its_status(
    stand: ModelStand,
) -> None:
    process = start(stand, birth(stand.place))
    stand.body.finish(process.pid)
    for ask in (
        lambda: stand.body.signal(process, 9),
        lambda: stand.body.observe(process),
        lambda: stand.body.resize(process, 1, 1),
    ):
        with pytest.raises(ProcessGone):
            ask()
    assert stand.body.wait(process, SOON_S) is not None


def test_a_shim_is_found_until_it_is_dismissed(stand: ModelStand) -> None:
    process = start(stand, birth(stand.place))
    assert stand.body.find(process.directory) == process
    assert stand.body.find("/elsewhere") is None
    stand.body.finish(process.pid)
    assert stand.body.find(process.directory) == process
    stand.body.dismiss(process)
    assert stand.body.find(process.directory) is None
    assert stand.body.wait(process, SOON_S) is not None


def test_a_new_start_in_the_directory_forgets_how_the_last_one_ended(
    stand: ModelStand,
) -> None:
    first = start(stand, birth(stand.place))
    stand.body.finish(first.pid, 1)
    stand.body.dismiss(first)
    second = start(stand, birth(stand.place))
    assert stand.body.wait(second, 0.0) is None


def test_the_first_process_takes_its_namespace_along(stand: ModelStand) -> None:
    first = start(stand, birth(stand.place))
    second = start(stand, joining(stand.place, first, stand.second))
    stand.body.finish(first.pid, 0)
    assert stand.body.wait(second, SOON_S) == ExitStatus(137, 9)


def test_another_process_leaves_the_first_alone(stand: ModelStand) -> None:
    first = start(stand, birth(stand.place))
    second = start(stand, joining(stand.place, first, stand.second))
    stand.body.finish(second.pid, 4)
    assert stand.body.wait(first, 0.0) is None
    ended = stand.body.wait(second, SOON_S)
    assert ended is not None
    assert ended.code == 4


def test_what_it_says_is_heard_by_all_who_listen(stand: ModelStand) -> None:
    process = start(stand, birth(stand.place))
    stand.body.say(process.pid, b"early\n")
    first = stand.body.attach(process)
    second = stand.body.attach(process)
    stand.body.say(process.pid, b"oh\n", stream=2)
    assert select.select([first.fileno()], [], [], SOON_S)[0]
    assert [first.read(), first.read()] == [(1, b"early\n"), (2, b"oh\n")]
    assert second.read() == (2, b"oh\n")
    stand.body.finish(process.pid)
    assert first.read() is None
    first.close()
    second.close()
    first.close()


def test_a_bespoken_watcher_misses_nothing(stand: ModelStand) -> None:
    process = stand.body.perform(
        birth(stand.place), answer=lambda call, value, at: None, watchers=2
    )
    assert process is not None
    stand.body.say(process.pid, b"hi\n")
    stand.body.finish(process.pid)
    for watcher in (stand.body.attach(process), stand.body.attach(process)):
        assert watcher.read() == (1, b"hi\n")
        assert watcher.read() is None
        watcher.close()


def test_what_is_typed_arrives(stand: ModelStand) -> None:
    process = start(stand, birth(stand.place, keeps_stdin=True))
    streams = stand.body.attach(process)
    streams.write(b"one ")
    streams.write(b"two")
    streams.close_stdin()
    assert stand.body.typed(process.pid) == b"one two"
    streams.close()


def test_a_terminal_has_the_size_it_was_given(stand: ModelStand) -> None:
    process = start(stand, birth(stand.place, has_terminal=True))
    assert stand.body.world.tasks[process.pid].window == (24, 80)
    stand.body.resize(process, 50, 132)
    assert stand.body.world.tasks[process.pid].window == (50, 132)


@pytest.mark.parametrize(
    "node",
    [
        pytest.param(Node("char", device=(1, 3)), id="a device"),
        pytest.param(Node("directory"), id="a directory"),
        pytest.param(bytes((1 << 20) + 1), id="more than a mebibyte"),
    ],
)
def test_only_small_files_are_looked_at(node: bytes | Node) -> None:
    body = ModelBody(files={"etc/passwd": node})
    with pytest.raises(UnreadableFile):
        body.look(["/l"], "", "", ["etc/passwd"])


def test_a_look_follows_links_inside_the_root() -> None:
    body = ModelBody(
        files={
            "etc/passwd": Node("link", points_to="/../../home/people"),
            "home/people": b"x",
        }
    )
    assert body.look(["/l"], "", "", ["etc/passwd"]) == {"etc/passwd": b"x"}


@pytest.mark.parametrize(
    ("plan", "index"),
    [
        pytest.param((calls.Execute(("sh",), ()),), 0, id="a program without a process"),
        pytest.param((calls.ForkInit(),), 0, id="an init without a shim"),
        pytest.param((calls.ForkShim("/s", False, False),), 0, id="a shim and no program"),
    ],
)
def test_a_plan_without_sense_is_refused(plan: calls.Plan, index: int) -> None:
    body = ModelBody()
    before = body.world
    with pytest.raises(CallFailed) as refusal:
        body.perform(plan, answer=lambda call, value, at: None)
    assert (refusal.value.index, refusal.value.errno) == (index, errno.EINVAL)
    assert body.world == before


def test_it_says_that_it_is_a_simulation(stand: ModelStand) -> None:
    (row,) = stand.body.probe()
    assert (row.name, row.state) == ("programs", "no")
    assert stand.body.machine().backend == "simulated"


def test_a_cable_has_two_ends_or_none(stand: ModelStand) -> None:
    place = stand.place
    process = start(stand, birth(place, wires=(bridging(place), *wiring(place))))
    gone = (RemoveLink(place.cable(2)),)
    stand.body.perform(gone, answer=lambda call, value, at: None)
    assert [link.name for link in stand.body.netfacts(process).links] == ["lo"]
