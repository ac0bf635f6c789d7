"""What a started process is separated from, and by what: the same on every kernel."""

import signal
from dataclasses import fields

import pytest

from pyminidock.grammar.capabilities import DEFAULT, NAMES, mask_of
from pyminidock.kernel.calls import AdjustOomScore, LimitResource, Mount, SetHostname
from tests.contract.plans import (
    MASKED,
    READONLY,
    SHM,
    birth,
    ending,
    joining,
    sharing,
)
from tests.contract.stands import KINDS, WAIT_S, Stand, beside, end, seen, start

DEFAULT_MASK = 0xA80425FB  # what Docker gives


@pytest.mark.parametrize(
    ("kept", "uid", "held", "bounding"),
    [
        pytest.param(DEFAULT, 0, DEFAULT_MASK, DEFAULT_MASK, id="root has fourteen"),
        pytest.param(DEFAULT, 1000, 0, DEFAULT_MASK, id="a user has none, and could gain"),
        pytest.param((), 0, 0, 0, id="all dropped"),
        pytest.param((), 1000, 0, 0, id="a user with all dropped"),
        pytest.param(("CAP_CHOWN",), 0, 1, 1, id="one kept"),
        pytest.param(("CAP_CHOWN", "CAP_SYS_ADMIN"), 0, 0x200001, 0x200001, id="one added"),
    ],
)
def test_a_program_holds_what_its_bounding_set_leaves_root(
    stand: Stand, kept: tuple[str, ...], uid: int, held: int, bounding: int
) -> None:
    found = seen(stand, birth(stand.place, kept=kept, uid=uid, gid=uid, groups=(uid,)))
    assert found.capabilities == {
        "effective": held,
        "permitted": held,
        "bounding": bounding,
        "inheritable": 0,
        "ambient": 0,
    }


def test_privileged_means_all_that_the_engine_has(stand: Stand) -> None:
    everything = stand.place.machine.capabilities
    names = tuple(name for name in NAMES if mask_of([name]) & everything)
    found = seen(stand, birth(stand.place, kept=names, program=b""))
    assert found.capabilities["effective"] == found.capabilities["bounding"] == everything
    assert (found.seccomp_mode, found.seccomp_filters) == (0, 0)


@pytest.mark.parametrize("no_new_privileges", [False, True])
@pytest.mark.parametrize("uid", [0, 1000])
def test_one_filter_judges_every_call(
    stand: Stand, uid: int, no_new_privileges: bool
) -> None:
    found = seen(
        stand, birth(stand.place, uid=uid, gid=uid, no_new_privileges=no_new_privileges)
    )
    assert (found.seccomp_mode, found.seccomp_filters) == (2, 1)
    assert found.no_new_privileges is no_new_privileges


def test_user_group_and_groups_are_taken(stand: Stand) -> None:
    found = seen(stand, birth(stand.place, uid=1000, gid=50, groups=(50, 77)))
    assert found.uids == (1000,) * 4
    assert found.gids == (50,) * 4
    assert found.groups == (50, 77)


def test_five_namespaces_are_new_and_the_rest_the_hosts(stand: Stand) -> None:
    found = seen(stand, birth(stand.place))
    own = {k for k in found.namespaces if found.namespaces[k] != found.host_namespaces[k]}
    assert own == set(KINDS)


def test_namespaces_not_asked_for_stay_shared(stand: Stand) -> None:
    found = seen(stand, birth(stand.place, namespaces=("mount", "uts", "network")))
    assert found.namespaces["ipc"] == found.host_namespaces["ipc"]
    assert found.namespaces["uts"] != found.host_namespaces["uts"]


def test_two_containers_share_nothing_new(stand: Stand) -> None:
    first = seen(stand, birth(stand.place))
    second = seen(stand, birth(stand.place))
    assert first.namespaces["cgroup"] == second.namespaces["cgroup"]
    assert first.host_namespaces == second.host_namespaces


def test_the_mount_table_is_dockers_in_dockers_order(stand: Stand) -> None:
    process = start(stand, birth(stand.place))
    covered = {call.path for call, value in stand.heard if value and hasattr(call, "path")}
    try:
        table = stand.body.observe(process).mounts
    finally:
        end(stand, process)
    shut = ("rw", "nosuid", "nodev", "noexec", "relatime")
    expected = [
        ("/", "overlay", ("rw", "relatime")),
        ("/proc", "proc", shut),
        ("/dev", "tmpfs", ("rw", "nosuid")),
        ("/dev/pts", "devpts", ("rw", "nosuid", "noexec", "relatime")),
        ("/sys", "sysfs", ("ro", *shut[1:])),
        ("/dev/mqueue", "mqueue", shut),
        ("/dev/shm", "tmpfs", shut),  # noqa: S108
    ]
    rows = [(row.target, row.filesystem, row.flags) for row in table]
    assert rows[:7] == expected
    assert [row.target for row in table[7:]] == [
        "/etc/hosts",
        *(path for path in (*READONLY, *MASKED) if path in covered),
    ]


def test_a_readonly_path_and_a_mask_keep_the_flags_below(stand: Stand) -> None:
    found = seen(stand, birth(stand.place))
    rows = {row.target: row for row in found.mounts}
    shut = ("nosuid", "nodev", "noexec", "relatime")
    assert rows["/proc/sys"].flags == ("ro", *shut)
    assert rows["/proc/sys"].root == "/sys"
    assert (rows["/proc/keys"].filesystem, rows["/proc/keys"].root) == ("tmpfs", "/null")
    assert rows["/proc/keys"].flags == ("rw", "nosuid")
    assert rows["/sys/firmware"].filesystem == "tmpfs"
    assert rows["/sys/firmware"].flags == ("ro", "relatime")


@pytest.mark.parametrize("is_readonly", [False, True])
def test_a_readonly_root_refuses_writes_and_tmpfs_on_it_does_not(
    stand: Stand, is_readonly: bool
) -> None:
    plan = birth(stand.place, is_readonly=is_readonly)
    at = next(n for n, call in enumerate(plan) if type(call).__name__ == "MakeLink")
    tmpfs = Mount("tmpfs", "tmpfs", "/run", ("nosuid", "nodev", "noexec"))
    rows = {row.target: row for row in seen(stand, (*plan[:at], tmpfs, *plan[at:])).mounts}
    assert rows["/"].flags[0] == ("ro" if is_readonly else "rw")
    assert rows["/run"].flags == ("rw", "nosuid", "nodev", "noexec", "relatime")


def test_the_name_is_the_containers_and_the_host_keeps_its_own(stand: Stand) -> None:
    process = start(stand, birth(stand.place, extra=(SetHostname("web"),)))
    try:
        assert stand.hostname(process) == "web"
    finally:
        end(stand, process)
    unnamed = birth(stand.place)
    plan = tuple(call for call in unnamed if not isinstance(call, SetHostname))
    process = start(stand, plan)
    try:
        assert stand.hostname(process) not in ("web", "contract")
    finally:
        end(stand, process)


def test_limits_are_what_was_asked(stand: Stand) -> None:
    found = seen(stand, birth(stand.place, extra=(LimitResource("core", 0, 0),)))
    assert found.limits["nofile"] == (256, 512)
    assert found.limits["core"] == (0, 0)


def test_a_badness_is_what_was_asked(stand: Stand) -> None:
    found = seen(stand, birth(stand.place, extra=(AdjustOomScore(500),)))
    assert found.oom_score_adjustment == 500


def test_the_process_lives_in_its_cgroups_within_their_limits(stand: Stand) -> None:
    found = seen(stand, birth(stand.place))
    tree = stand.place.machine.cgroups
    assert tree is not None
    for names, _ in tree.hierarchies:
        assert found.cgroups[names].endswith("/" + stand.place.cgroup)
    for file, value in stand.place.limits().items():
        assert found.cgroup_limits[file] == value


def test_a_brief_look_tells_the_same_and_leaves_the_tables_out(stand: Stand) -> None:
    process = start(stand, birth(stand.place))
    try:
        brief, whole = (
            stand.body.observe(process, briefly=True),
            stand.body.observe(process),
        )
    finally:
        end(stand, process)
    left_out = {"mounts", "limits", "cgroups", "cgroup_limits", "oom_score_adjustment"}
    left_out.add("hostname")
    for name in {each.name for each in fields(whole)} - left_out:
        assert getattr(brief, name) == getattr(whole, name), name
    assert not any(getattr(brief, name) for name in left_out)
    assert whole.mounts


def test_an_exec_is_where_the_first_process_is(stand: Stand) -> None:
    first = start(stand, birth(stand.place))
    second = start(stand, joining(stand.place, first, stand.second))
    try:
        one, other = stand.body.observe(first), stand.body.observe(second)
        assert other.namespaces == one.namespaces
        assert other.capabilities == one.capabilities
        assert other.mounts == one.mounts
        assert other.cgroups == one.cgroups
        assert other.seccomp_mode == 2
        assert stand.hostname(second) == "contract"
    finally:
        end(stand, first)
    ended = stand.body.wait(second, 20.0)
    assert ended is not None
    assert ended.code == 137  # PID 1 took it along
    stand.body.dismiss(second)


def test_one_that_shares_lives_among_the_other_s_processes_and_on_its_own_root(
    stand: Stand,
) -> None:
    donor = start(stand, birth(stand.place))
    guest = start(stand, sharing(beside(stand), donor))
    try:
        theirs, its = stand.body.observe(donor), stand.body.observe(guest)
        shared = {kind for kind in KINDS if theirs.namespaces[kind] == its.namespaces[kind]}
        assert shared == {"pid", "ipc"}
        memories = [{row.target: row for row in each.mounts}[SHM] for each in (theirs, its)]
        assert memories[0] == memories[1]
        assert its.namespaces["mount"] != theirs.namespaces["mount"]
    finally:
        stand.body.signal(guest, signal.SIGKILL)
        stand.body.wait(guest, WAIT_S)
        stand.body.dismiss(guest)
        end(stand, donor)


def test_one_that_shares_ends_with_the_first_process(stand: Stand) -> None:
    donor = start(stand, birth(stand.place))
    guest = start(stand, sharing(beside(stand), donor))
    stand.body.signal(donor, signal.SIGKILL)
    for process in (guest, donor):
        status = stand.body.wait(process, WAIT_S)
        assert status is not None
        assert (status.code, status.signal) == (137, 9)
        stand.body.dismiss(process)
    stand.body.perform(ending(stand.place), answer=lambda call, value, at: None)
