"""What every kernel refuses: which call, with which errno; nothing stays of the rest."""

import errno
from collections.abc import Callable

import pytest

from pyminidock.kernel import calls
from pyminidock.kernel.calls import Call, Plan
from pyminidock.kernel.port import CallFailed
from tests import leaks
from tests.contract.plans import (
    ALLOW_ALL,
    ANY_DEVICE,
    PATH,
    Place,
    birth,
    filtering,
    joining,
)
from tests.contract.stands import Stand, assert_as_before, end, start

Bad = Callable[[Place], Plan]


def extra(*added: Call) -> Bad:
    """A usual start with one call more, after the pivot."""
    return lambda place: birth(place, extra=added)


def swapped(first: type[Call], second: type[Call]) -> Bad:
    """A usual start in which two calls change places."""

    def plan(place: Place) -> Plan:
        usual = list(birth(place, uid=1000, gid=1000))
        a, b = (
            next(n for n, call in enumerate(usual) if isinstance(call, kind))
            for kind in (first, second)
        )
        usual[a], usual[b] = usual[b], usual[a]
        return tuple(usual)

    return plan


def before_pivot(added: Call) -> Bad:
    """A usual start with one call more, before the pivot."""

    def plan(place: Place) -> Plan:
        usual = birth(place)
        at = usual.index(calls.PivotRoot())
        return (*usual[:at], added, *usual[at:])

    return plan


def without(verb: type[Call]) -> Bad:
    """A usual start that leaves one verb out."""
    return lambda place: tuple(c for c in birth(place) if not isinstance(c, verb))


def runs(*argv: str, directory: str = "/", uid: int = 0) -> Bad:
    """A usual start of another program."""
    return lambda place: birth(place, argv=argv, directory=directory, uid=uid, gid=uid)


def bad_account(file: str, value: str) -> Bad:
    """A start with one limit more, in the memory hierarchy."""

    def plan(place: Place) -> Plan:
        usual = birth(place)
        at = next(n for n, c in enumerate(usual) if isinstance(c, calls.PrepareOverlay))
        (path,) = place.accounts("memory")
        return (*usual[:at], calls.LimitCgroup(path, file, value), *usual[at:])

    return plan


E = errno
CASES = [
    pytest.param(runs("nope"), "Execute", E.ENOENT, id="a program on no PATH"),
    pytest.param(runs(""), "Execute", E.ENOENT, id="a program without a name"),
    pytest.param(runs("/bin/nope"), "Execute", E.ENOENT, id="a path to nothing"),
    pytest.param(runs("/bin"), "Execute", E.EISDIR, id="a directory as program"),
    pytest.param(runs("/bin/notes"), "Execute", E.EACCES, id="a file without the x bit"),
    pytest.param(runs("notes"), "Execute", E.ENOENT, id="PATH passes over what cannot run"),
    pytest.param(
        runs("/bin/private", uid=1000), "Execute", E.EACCES, id="a program of another's"
    ),
    pytest.param(
        runs("sleep", "9", directory="/nope"), "ChangeDirectory", E.ENOENT, id="no workdir"
    ),
    pytest.param(
        runs("sleep", "9", directory="/etc/passwd"),
        "ChangeDirectory",
        E.ENOTDIR,
        id="a file as workdir",
    ),
    pytest.param(
        extra(calls.MakeDirectory("/etc/passwd")),
        "MakeDirectory",
        E.ENOTDIR,
        id="a directory where a file is",
    ),
    pytest.param(
        extra(calls.MakeDirectory("/etc/passwd/sub")),
        "MakeDirectory",
        E.ENOTDIR,
        id="a directory below a file",
    ),
    pytest.param(
        extra(calls.MakeDirectory("/sys/sub")),
        "MakeDirectory",
        E.EROFS,
        id="a directory on what is read-only",
    ),
    pytest.param(
        extra(calls.Mount("nofs", "nofs", "/mnt")),
        "Mount",
        E.ENODEV,
        id="no such filesystem",
    ),
    pytest.param(
        extra(calls.Mount("tmpfs", "tmpfs", "/etc/passwd")),
        "Mount",
        E.EINVAL,
        id="a mount on a file",
    ),
    pytest.param(
        extra(calls.Mount("tmpfs", "tmpfs", "/mnt", (), "colour=red")),
        "Mount",
        E.EINVAL,
        id="no such mount option",
    ),
    pytest.param(
        before_pivot(calls.Mount("proc", "proc", "/trap", (), must_be_plain=True)),
        "Mount",
        E.ENOTDIR,
        id="a link where proc should be",
    ),
    pytest.param(
        before_pivot(calls.Bind("/dev/null", "/root")),
        "Bind",
        E.ENOTDIR,
        id="a file bound over a directory",
    ),
    pytest.param(
        extra(calls.Bind("/sys/kernel/nothing", "/mnt")),
        "Bind",
        E.ENOENT,
        id="a bind of what the host does not have",
    ),
    pytest.param(
        before_pivot(calls.MakeDevice("/etc/null", 1, 3)),
        "MakeDevice",
        E.EXDEV,
        id="a device that is not on our own tmpfs",
    ),
    pytest.param(
        before_pivot(calls.MakeDevice("/dev/null", 1, 3)),
        "MakeDevice",
        E.EEXIST,
        id="a device twice",
    ),
    pytest.param(
        before_pivot(calls.MakeLink("/dev/fd", "/")),
        "MakeLink",
        E.EEXIST,
        id="a link twice",
    ),
    pytest.param(
        without(calls.MakeDevice), "ReopenStreams", E.ENOENT, id="streams without /dev/null"
    ),
    pytest.param(
        extra(calls.RemountReadonly("/etc")),
        "RemountReadonly",
        E.EINVAL,
        id="a remount where nothing is mounted",
    ),
    pytest.param(
        extra(calls.RemountReadonly("/nope")),
        "RemountReadonly",
        E.ENOENT,
        id="a remount of nothing",
    ),
    pytest.param(
        extra(calls.MakeReadonly("/etc/passwd/sub")),
        "MakeReadonly",
        E.ENOTDIR,
        id="a read-only path below a file",
    ),
    pytest.param(extra(calls.PivotRoot()), "PivotRoot", E.EBUSY, id="a pivot twice"),
    pytest.param(
        extra(calls.WriteSysctl("net.nothing", "1")),
        "WriteSysctl",
        E.ENOENT,
        id="no such setting",
    ),
    pytest.param(
        extra(calls.AdjustOomScore(1001)), "AdjustOomScore", E.EINVAL, id="a score too high"
    ),
    pytest.param(
        extra(calls.JoinCgroup("/sys/fs/cgroup/memory/nope-nope")),
        "JoinCgroup",
        E.ENOENT,
        id="an account that nobody made",
    ),
    pytest.param(
        swapped(calls.DropBoundingSet, calls.BecomeUser),
        "DropBoundingSet",
        E.EPERM,
        id="the bounding set after the user",
    ),
    pytest.param(
        lambda place: (
            *birth(place, uid=1000, gid=1000, program=b"")[:-1],
            calls.InstallSeccomp(ALLOW_ALL),
            calls.Execute(("sleep", "9"), PATH),
        ),
        "InstallSeccomp",
        E.EACCES,
        id="a filter after the powers are gone",
    ),
    pytest.param(
        lambda place: birth(place, program=ALLOW_ALL[:-1]),
        "InstallSeccomp",
        E.EINVAL,
        id="half an instruction",
    ),
    pytest.param(
        lambda place: birth(place, program=bytes(8)),
        "InstallSeccomp",
        E.EINVAL,
        id="a filter without an end",
    ),
    pytest.param(
        extra(calls.BecomeUser(1000, 1000, ()), calls.SetHostname("late")),
        "SetHostname",
        E.EPERM,
        id="the name after the user",
    ),
    pytest.param(
        extra(
            calls.SetCapabilities(("CAP_CHOWN",)),
            calls.SetCapabilities(("CAP_CHOWN", "CAP_KILL")),
        ),
        "SetCapabilities",
        E.EPERM,
        id="powers given away and taken back",
    ),
    pytest.param(
        lambda place: (calls.SetHostname("early"), *birth(place)),
        "SetHostname",
        E.EINVAL,
        id="a call of the child's before there is one",
    ),
    pytest.param(
        bad_account("memory.limit_in_bytes", "many"),
        "LimitCgroup",
        E.EINVAL,
        id="a limit that is no number",
    ),
    pytest.param(
        bad_account("memory.nothing", "1"),
        "LimitCgroup",
        E.ENOENT,
        id="no such limit",
    ),
    pytest.param(
        lambda place: filtering(place, ANY_DEVICE[:-1]),
        "FilterDevices",
        E.EINVAL,
        id="half an instruction",
    ),
    pytest.param(
        lambda place: filtering(place, ANY_DEVICE[:8]),
        "FilterDevices",
        E.EINVAL,
        id="a device program without an end",
    ),
    pytest.param(
        lambda place: filtering(place)[len(place.accounts()) :],
        "FilterDevices",
        E.ENOENT,
        id="a device program for no account",
    ),
    pytest.param(
        lambda place: (
            calls.PrepareOverlay((place.lower,), place.upper, ""),
            *birth(place),
        ),
        "PrepareOverlay",
        E.EINVAL,
        id="an upper layer without work",
    ),
]


@pytest.mark.parametrize(("bad", "verb", "code"), CASES)
def test_a_bad_plan_is_refused_at_its_call_and_leaves_nothing(
    stand: Stand, bad: Bad, verb: str, code: int
) -> None:
    before = stand.picture()
    with pytest.raises(CallFailed) as refusal:
        start(stand, bad(stand.place))
    failed = refusal.value
    assert (type(failed.call).__name__, errno.errorcode[failed.errno]) == (
        verb, errno.errorcode[code],
    )  # fmt: skip
    assert bad(stand.place)[failed.index] == failed.call
    assert len(stand.heard) <= failed.index
    assert failed.why not in failed.what
    assert_as_before(stand, before)


@pytest.mark.parametrize(
    ("argv", "was_searched"), [("nope", 1), ("", 1), ("/nope", 0), ("/bin/notes", 0)]
)
def test_the_error_says_whether_PATH_was_searched(  # noqa: N802
    stand: Stand, argv: str, was_searched: int
) -> None:
    with pytest.raises(CallFailed) as refusal:
        start(stand, birth(stand.place, argv=(argv,)))
    assert refusal.value.value == was_searched


@pytest.mark.parametrize(
    ("argv", "code"), [("/bin/broken", errno.ENOEXEC), ("/bin/lost", errno.ENOENT)]
)
def test_a_program_that_is_found_and_cannot_run_has_started(
    stand: Stand, argv: str, code: int
) -> None:
    process = start(stand, birth(stand.place, argv=(argv,)))
    assert stand.heard[-1][1] == code
    status = stand.body.wait(process, 20.0)
    assert status is not None
    assert (status.code, status.signal) == (1, 0)
    stand.body.dismiss(process)
    stand.clear()


def test_an_exec_into_a_process_that_is_gone_is_refused(stand: Stand) -> None:
    first = start(stand, birth(stand.place))
    plan = joining(stand.place, first, stand.second)
    stand.body.signal(first, 9)
    assert stand.body.wait(first, 20.0) is not None
    before = leaks.at_rest(stand.picture)
    with pytest.raises(CallFailed) as refusal:
        start(stand, plan)
    assert refusal.value.errno == errno.ENOENT
    assert isinstance(refusal.value.call, calls.JoinNamespace)
    assert_as_before(stand, before)
    stand.body.dismiss(first)
    stand.clear()


def test_an_exec_into_a_number_that_was_given_to_another_is_refused(stand: Stand) -> None:
    first = start(stand, birth(stand.place))
    plan = tuple(
        calls.JoinNamespace(c.namespace, c.pid, c.start_time + 1)
        if isinstance(c, calls.JoinNamespace)
        else c
        for c in joining(stand.place, first, stand.second)
    )
    try:
        with pytest.raises(CallFailed) as refusal:
            start(stand, plan)
        assert refusal.value.errno == errno.ESRCH
    finally:
        end(stand, first)
