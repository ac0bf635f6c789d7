"""The order of a birth, as rules that hold for every wish; then the default plan, read."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pyminidock.container.asked import Worlds
from pyminidock.container.describe import describe, describe_plan
from pyminidock.container.devicefilter import device_program
from pyminidock.container.devicerules import DEVICES
from pyminidock.container.plan import end_plan, exec_plan, leave_plan, start_plan
from pyminidock.container.spec import ContainerSpec, ExecRequest, ExecSpec, Ulimit
from pyminidock.kernel import calls
from pyminidock.kernel.calls import Call, Plan
from pyminidock.kernel.model import ModelBody
from pyminidock.kernel.model.hosts import MACHINE as MODEL
from pyminidock.kernel.port import CgroupTree, Machine, Process
from tests.container.test_resolve import second
from tests.container.wishes import DIRECTORY, MACHINE, SINGLE, SNAPSHOT, V2, decide, wish

GOLDEN = Path(__file__).with_name("default_plan.txt")
SHM = "/dev/shm"  # noqa: S108  (a mount of the container's own)
PROCESS = Process(4321, 99, "boot", 4320, DIRECTORY)
MACHINES = {"v1": MACHINE, "v2": V2, "one user": SINGLE}
FLAGS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "user": {"user": "1000:1000", "group_add": ("5",), "working_directory": "/srv/x"},
    "no capabilities": {"cap_drop": ("ALL",)},
    "privileged": {"is_privileged": True},
    "read-only": {"is_root_readonly": True, "tmpfs": (("/run", ""), ("/etc/x/y", "exec"))},
    "terminal": {"has_terminal": True, "console_size": (24, 80)},
    "budget": {"memory_bytes": 64 << 20, "pids_limit": 50, "nano_cpus": 500_000_000},
    "no new privileges": {"security_options": ("no-new-privileges",)},
    "unconfined": {"security_options": ("seccomp=unconfined", "no-new-privileges")},
    "init": {"uses_init": True, "keeps_stdin": True, "ulimits": (Ulimit("nofile", 5, 6),)},
}


def _cases() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Every flag alone and every pair of flags, on every machine that can."""
    names = list(FLAGS)
    for machine, count in itertools.product(MACHINES, (1, 2)):
        for chosen in itertools.combinations(names, count):
            if machine == "one user" and {"user", "budget"} & set(chosen):
                continue
            yield machine, "+".join(chosen), chosen


def spec_of(machine: str, chosen: tuple[str, ...]) -> ContainerSpec:
    fields: dict[str, Any] = {}
    for name in chosen:
        options = fields.get("security_options", ()) + FLAGS[name].get(
            "security_options", ()
        )
        fields |= FLAGS[name] | ({"security_options": options} if options else {})
    return decide(wish(**fields), MACHINES[machine])


every_wish = pytest.mark.parametrize(
    ("machine", "chosen"),
    [pytest.param(m, chosen, id=f"{m}: {name}") for m, name, chosen in _cases()],
)


def places(plan: Plan, *kinds: type[Call], **facts: Any) -> list[int]:
    """Number the calls of these kinds that hold these facts."""
    return [
        number
        for number, call in enumerate(plan)
        if isinstance(call, kinds)
        and all(getattr(call, name) == value for name, value in facts.items())
    ]


def only(plan: Plan, kind: type[Call], **facts: Any) -> int:
    (place,) = places(plan, kind, **facts)
    return place


def assert_order(*numbers: list[int] | int) -> None:
    """Each group lies wholly behind the one before it; an empty group says nothing."""
    groups = [[n] if isinstance(n, int) else n for n in numbers]
    for before, after in itertools.pairwise([group for group in groups if group]):
        assert max(before) < min(after)


# ── Rules of every birth ─────────────────────────────────────────────────────────────────


@every_wish
def test_the_order_of_a_birth(machine: str, chosen: tuple[str, ...]) -> None:
    spec = spec_of(machine, chosen)
    plan = start_plan(spec, SNAPSHOT, MACHINES[machine])
    pivot = only(plan, calls.PivotRoot)
    assert_order(
        places(plan, calls.MakeCgroup),
        places(plan, calls.FilterDevices),
        places(plan, calls.LimitCgroup),
        only(plan, calls.PrepareOverlay),
        only(plan, calls.ForkShim),
        only(plan, calls.EnterNamespace, namespace="pid"),
        only(plan, calls.ForkInit),
        places(plan, calls.JoinCgroup),
        only(plan, calls.EnterNamespace, namespace="mount"),
        only(plan, calls.RefuseTracers),
        only(plan, calls.DieWithParent),
        only(plan, calls.JoinKeyring),
        only(plan, calls.SetPropagation, target="/"),
        only(plan, calls.AttachRoot),
        places(plan, calls.Mount),
        places(plan, calls.MakeDevice),
        places(plan, calls.OpenConsole),
        pivot,
        places(plan, calls.MakeDirectory),
        only(plan, calls.ReopenStreams),
        places(plan, calls.RemountReadonly),
        places(plan, calls.WriteSysctl),
        places(plan, calls.MakeReadonly),
        places(plan, calls.Mask),
        places(plan, calls.LimitResource),
        only(plan, calls.AnnounceReady),
        only(plan, calls.CloseDescriptors),
        only(plan, calls.ChangeDirectory),
        only(plan, calls.DropBoundingSet),
        only(plan, calls.BecomeUser),
        only(plan, calls.SetCapabilities),
        only(plan, calls.Execute),
    )
    assert places(plan, calls.Bind)[-1] < pivot, "host paths lead nowhere after the pivot"
    assert only(plan, calls.Execute) == len(plan) - 1, "nothing happens after the program"


@every_wish
def test_a_filter_without_no_new_privileges_is_loaded_while_there_is_power(
    machine: str, chosen: tuple[str, ...]
) -> None:
    spec = spec_of(machine, chosen)
    plan = start_plan(spec, SNAPSHOT, MACHINES[machine])
    filters = places(plan, calls.InstallSeccomp)
    assert len(filters) == (spec.seccomp != "unconfined")
    forbidden = places(plan, calls.ForbidNewPrivileges)
    assert len(forbidden) == spec.no_new_privileges
    if filters and spec.no_new_privileges:
        assert filters == [len(plan) - 2] == [forbidden[0] + 1]
    elif filters:
        assert_order(
            places(plan, calls.ChangeDirectory), filters, only(plan, calls.DropBoundingSet)
        )


@every_wish
def test_every_mount_comes_after_the_mounts_it_lies_on(
    machine: str, chosen: tuple[str, ...]
) -> None:
    plan = start_plan(spec_of(machine, chosen), SNAPSHOT, MACHINES[machine])
    targets = [call.target for call in plan if isinstance(call, calls.Mount | calls.Bind)]
    assert len(set(targets)) == len(targets), "nothing is covered by a second mount"
    for earlier, later in itertools.combinations(targets, 2):
        assert not f"{earlier}/".startswith(f"{later}/"), (earlier, later)


@every_wish
def test_the_simulated_kernel_can_carry_it_out(
    machine: str, chosen: tuple[str, ...]
) -> None:
    # Its hierarchies are apart, so no link from one name to another has to be made.
    facts = (
        replace(MACHINE, cgroups=MODEL.cgroups) if machine == "v1" else MACHINES[machine]
    )
    # Its disk is unknown to it, so a program that comes from the host cannot be run there.
    spec = replace(spec_of(machine, chosen), argv=("echo", "hi"))
    body = ModelBody(facts)
    answered: list[Call] = []
    plan = start_plan(spec, SNAPSHOT, facts)
    process = body.perform(plan, answer=lambda call, value, at: answered.append(call))
    assert process is not None
    assert tuple(answered) == plan
    isolation = body.observe(process)
    assert (isolation.uids[0], isolation.gids[0]) == (spec.uid, spec.gid)
    assert isolation.no_new_privileges == spec.no_new_privileges
    assert bool(isolation.seccomp_filters) == (spec.seccomp != "unconfined")


@every_wish
def test_the_same_wish_makes_the_same_plan(machine: str, chosen: tuple[str, ...]) -> None:
    first, again = (
        start_plan(spec_of(machine, chosen), SNAPSHOT, MACHINES[machine]) for _ in range(2)
    )
    assert first == again


# ── What single flags change ─────────────────────────────────────────────────────────────


def plan_of(machine: Machine = MACHINE, **fields: Any) -> Plan:
    return start_plan(decide(wish(**fields), machine), SNAPSHOT, machine)


def test_the_default_plan_reads_as_written_down() -> None:
    spec = replace(decide(), seccomp_program=bytes(8 * 96))  # its room has its own tests
    lines = list(describe_plan(start_plan(spec, SNAPSHOT, MACHINE)))
    assert lines == GOLDEN.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    ("fields", "less", "more"),
    [
        pytest.param({"cap_drop": ("ALL",)}, ["DropBoundingSet", "SetCapabilities",
                     "InstallSeccomp"], ["InstallSeccomp", "DropBoundingSet",
                     "SetCapabilities"], id="--cap-drop ALL"),
        pytest.param({"security_options": ("no-new-privileges",)}, [],
                     ["ForbidNewPrivileges"], id="no-new-privileges"),
        pytest.param({"working_directory": "/srv"}, ["ChangeDirectory"],
                     ["MakeDirectory", "ChangeDirectory"], id="--workdir"),
        pytest.param({"pids_limit": 50}, [], ["LimitCgroup"], id="--pids-limit"),
        pytest.param({"tmpfs": (("/run", ""),)}, [], ["Mount"], id="--tmpfs"),
        pytest.param({"tmpfs": (("/dev/shm", "size=1m"),)}, ["Mount"], ["Mount"],  # noqa: S108
                     id="--tmpfs in place of a default"),
        pytest.param({"ulimits": (Ulimit("nofile", 1, 2),)}, [], ["LimitResource"],
                     id="--ulimit"),
        pytest.param({"is_root_readonly": True}, ["Bind"] * 3,
                     ["Bind"] * 3 + ["RemountReadonly"], id="--read-only"),
        pytest.param({"uses_init": True}, ["Execute"], ["Bind", "Execute"], id="--init"),
    ],
)  # fmt: skip
def test_a_flag_changes_these_calls_and_no_others(
    fields: dict[str, Any], less: list[str], more: list[str]
) -> None:
    before, after = plan_of(), plan_of(**fields)
    assert sorted(type(c).__name__ for c in before if c not in after) == sorted(less)
    assert sorted(type(c).__name__ for c in after if c not in before) == sorted(more)


def test_what_was_asked_for_and_the_engine_s_files_are_sorted_by_depth() -> None:
    plan = plan_of(tmpfs=(("/x/y", ""), ("/etc/hosts/x", ""), ("/z", "")))
    targets = [call.target for call in plan if isinstance(call, calls.Mount | calls.Bind)]
    assert targets[targets.index("/z") :] == [
        "/z", "/x/y", "/etc/resolv.conf", "/etc/hostname", "/etc/hosts", "/etc/hosts/x",
    ]  # fmt: skip


def test_a_read_only_root_keeps_the_kernel_s_own_trees_writable() -> None:
    plan = plan_of(is_root_readonly=True)
    assert places(plan, calls.RemountReadonly) == [only(plan, calls.RemountReadonly,
                                                        target="/")]  # fmt: skip
    flags = {c.target: c.flags for c in plan if isinstance(c, calls.Mount | calls.Bind)}
    assert "ro" not in flags["/dev"] + flags["/dev/shm"] + flags["/proc"]  # noqa: S108
    assert flags["/etc/hosts"] == ("ro",)


def test_privileged_gets_the_host_s_devices_and_no_masks() -> None:
    plan = plan_of(is_privileged=True)
    assert places(plan, calls.Mask, calls.MakeReadonly) == []
    devices = [call for call in plan if isinstance(call, calls.MakeDevice)]
    assert calls.MakeDevice("/dev/sda", 8, 0, 0o660, 0, 6, is_block=True) in devices
    assert [d.path for d in devices].count("/dev/null") == 1
    flags = {c.target: c.flags for c in plan if isinstance(c, calls.Mount | calls.Bind)}
    assert not any("ro" in flags[t] for t in flags if t.startswith("/sys"))
    assert only(plan, calls.LimitCgroup, file="devices.allow", value="a")


def test_one_user_shows_the_host_s_devices_and_keeps_no_accounts() -> None:
    plan = plan_of(SINGLE)
    assert places(plan, calls.MakeDevice, calls.MakeCgroup, calls.JoinCgroup) == []
    assert only(plan, calls.Bind, source="/dev/null", target="/dev/null")
    pts = plan[only(plan, calls.Mount, target="/dev/pts")]
    assert isinstance(pts, calls.Mount)
    assert pts.options == "mode=620,ptmxmode=666"


@pytest.mark.parametrize(
    ("machine", "written"),
    [
        (MACHINE, {
            "memory/memory.limit_in_bytes": "67108864",
            "memory/memory.memsw.limit_in_bytes": "134217728",
            "cpu,cpuacct/cpu.cfs_period_us": "100000",
            "cpu,cpuacct/cpu.cfs_quota_us": "50000",
            "pids/pids.max": "50",
        }),
        (V2, {"memory.max": "67108864", "memory.swap.max": "67108864",
              "cpu.max": "50000 100000", "pids.max": "50"}),
    ],
)  # fmt: skip
def test_a_budget_is_written_where_linux_reads_it(
    machine: Machine, written: dict[str, str]
) -> None:
    spec = decide(wish(**FLAGS["budget"]), machine)
    plan = start_plan(spec, SNAPSHOT, machine)
    found = {}
    for call in plan:
        if isinstance(call, calls.LimitCgroup) and not call.file.startswith("devices."):
            hierarchy = call.path.removeprefix("/sys/fs/cgroup").removesuffix(spec.cgroup)
            found[f"{hierarchy.lstrip('/')}{call.file}"] = call.value
    assert found == written


def test_on_v1_the_container_sees_its_own_accounts_and_docker_s_links() -> None:
    plan = plan_of()
    binds = {c.target: c.source for c in plan if isinstance(c, calls.Bind)}
    assert binds["/sys/fs/cgroup/memory"].startswith("/sys/fs/cgroup/memory/minidock-")
    assert "/sys/fs/cgroup/systemd" in binds
    assert calls.MakeLink("/sys/fs/cgroup/cpu", "cpu,cpuacct") in plan
    assert calls.MakeLink("/sys/fs/cgroup/cpuacct", "cpu,cpuacct") in plan
    assert places(plan, calls.EnterNamespace, namespace="cgroup") == []


def test_on_v2_there_is_one_tree_and_a_namespace_for_it() -> None:
    plan = plan_of(V2)
    assert only(plan, calls.Mount, filesystem="cgroup2", target="/sys/fs/cgroup")
    assert_order(
        places(plan, calls.JoinCgroup), only(plan, calls.EnterNamespace, namespace="cgroup")
    )


def test_on_v2_a_program_keeps_the_list_of_devices_that_v1_has_a_file_for() -> None:
    plan = plan_of(V2)
    filtering = plan[only(plan, calls.FilterDevices)]
    (path,) = (call.path for call in plan if isinstance(call, calls.MakeCgroup))
    assert filtering == calls.FilterDevices(path, device_program(DEVICES))
    assert describe(filtering).startswith(f"filter devices      {path} by ")
    assert places(plan_of(V2, is_privileged=True), calls.FilterDevices) == []
    assert places(plan_of(replace(V2, is_single_user=True)), calls.FilterDevices) == []
    assert places(plan_of(), calls.FilterDevices) == []


def test_where_nothing_guards_devices_no_node_of_the_root_opens() -> None:
    """An image may hold one; and no program is tied that this kernel would refuse."""
    bare = replace(V2, filters_devices=False)
    for machine, wishes, flags in (
        (bare, {}, ("nodev",)), (bare, {"is_privileged": True}, ()), (V2, {}, ()),
        (replace(MACHINE, cgroups=None), {}, ("nodev",)), (MACHINE, {}, ()),
    ):  # fmt: skip
        plan = plan_of(machine, **wishes)
        stacking = plan[only(plan, calls.PrepareOverlay)]
        assert isinstance(stacking, calls.PrepareOverlay)
        assert stacking.flags == flags
        assert ("nodev" in describe(stacking)) == bool(flags)
        if machine is bare:
            assert places(plan, calls.FilterDevices) == []


def test_hierarchies_that_share_a_mount_get_one_account() -> None:
    shared = CgroupTree(1, (("cpu,cpuacct", "/cg/cpu,cpuacct"),))
    plan = plan_of(replace(MACHINE, cgroups=shared))
    assert len(places(plan, calls.MakeCgroup)) == 1


# ── exec and end ─────────────────────────────────────────────────────────────────────────


def exec_of(machine: Machine, **fields: Any) -> tuple[ContainerSpec, ExecSpec, Plan]:
    spec = decide(machine=machine)
    other = second(replace(ExecRequest(("id",)), **fields))
    return spec, other, exec_plan(spec, PROCESS, other, machine)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("has_terminal", [False, True])
def test_the_order_of_an_exec(machine: str, has_terminal: bool) -> None:
    _, _, plan = exec_of(MACHINES[machine], has_terminal=has_terminal)
    assert_order(
        only(plan, calls.ForkShim),
        places(plan, calls.JoinCgroup),
        places(plan, calls.JoinNamespace, namespace="cgroup"),
        only(plan, calls.JoinNamespace, namespace="ipc"),
        only(plan, calls.JoinNamespace, namespace="uts"),
        only(plan, calls.JoinNamespace, namespace="network"),
        only(plan, calls.JoinNamespace, namespace="mount"),
        only(plan, calls.JoinNamespace, namespace="pid"),
        only(plan, calls.ForkInit),
        only(plan, calls.RefuseTracers),
        only(plan, calls.DieWithParent),
        only(plan, calls.JoinKeyring),
        places(plan, calls.OpenConsole),
        only(plan, calls.ReopenStreams),
        only(plan, calls.AnnounceReady),
        only(plan, calls.CloseDescriptors),
        only(plan, calls.ChangeDirectory),
        only(plan, calls.DropBoundingSet),
        only(plan, calls.BecomeUser),
        only(plan, calls.SetCapabilities),
        only(plan, calls.Execute),
    )
    assert only(plan, calls.Execute) == len(plan) - 1
    assert len(places(plan, calls.OpenConsole)) == has_terminal


def test_an_exec_is_the_same_tail_behind_open_doors() -> None:
    spec, _, plan = exec_of(MACHINE)
    born = start_plan(spec, SNAPSHOT, MACHINE)
    tail, other = ([type(call) for call in p[only(p, calls.AnnounceReady) :]]
                   for p in (born, plan))  # fmt: skip
    assert tail == other
    for kind in (calls.EnterNamespace, calls.Mount, calls.MakeCgroup, calls.PivotRoot):
        assert places(plan, kind) == []
    joined = [call for call in plan if isinstance(call, calls.JoinNamespace)]
    assert {(call.pid, call.start_time) for call in joined} == {(4321, 99)}


def test_an_exec_is_filtered_like_the_container_even_if_privileged() -> None:
    spec, other, plan = exec_of(MACHINE, is_privileged=True)
    install = plan[only(plan, calls.InstallSeccomp)]
    assert install == calls.InstallSeccomp(spec.seccomp_program)
    assert plan[only(plan, calls.SetCapabilities)] == calls.SetCapabilities(
        other.capabilities
    )
    assert len(other.capabilities) > len(spec.capabilities)


@pytest.mark.parametrize("machine", MACHINES)
def test_the_end_closes_every_account_that_the_start_opened(machine: str) -> None:
    facts = MACHINES[machine]
    spec = decide(machine=facts)
    plan = start_plan(spec, SNAPSHOT, facts)
    opened = [call.path for call in plan if isinstance(call, calls.MakeCgroup)]
    assert end_plan(spec, facts) == tuple(map(calls.RemoveCgroup, reversed(opened)))


@pytest.mark.parametrize("machine", MACHINES)
def test_an_engine_that_leaves_closes_the_accounts_above_its_containers(
    machine: str,
) -> None:
    facts = MACHINES[machine]
    plan = end_plan(decide(machine=facts), facts)
    above = {call.path.rpartition("/")[0] for call in plan if hasattr(call, "path")}
    left = leave_plan("/r", facts)
    assert {call.path for call in left if isinstance(call, calls.RemoveCgroup)} == above


# ── In words ─────────────────────────────────────────────────────────────────────────────


@every_wish
def test_a_plan_in_words_is_one_line_a_call_without_values_of_variables(
    machine: str, chosen: tuple[str, ...]
) -> None:
    spec = spec_of(machine, chosen)
    secret = replace(spec, environment=("TOKEN=hunter2",))
    plan = start_plan(secret, SNAPSHOT, MACHINES[machine])
    lines = list(describe_plan(plan))
    assert len(lines) == len(plan)
    assert not any("\n" in line or "hunter2" in line for line in lines)
    hands = [line.split()[0] for line in lines]
    assert [hand for hand, _ in itertools.groupby(hands)] == ["engine", "shim", "child"]


def test_two_plans_that_differ_differ_in_words() -> None:
    for name, machine in MACHINES.items():
        for chosen in FLAGS:
            if machine is SINGLE and chosen in ("user", "budget"):
                continue
            plan = start_plan(spec_of(name, (chosen,)), SNAPSHOT, machine)
            worded: dict[str, Call] = {}
            for call in plan:
                assert worded.setdefault(describe(call), call) == call


@pytest.mark.parametrize(
    ("call", "field", "other"),
    [
        (calls.ForkShim("/c", False, False), "log", calls.LogFile("log")),
        (calls.ForkShim("/c", False, False), "keeps_stdin", True),
        (calls.Mount("tmpfs", "tmpfs", "/x"), "must_be_plain", True),
        (calls.MakeDevice("/dev/x", 1, 2), "is_block", True),
        (calls.MakeDevice("/dev/x", 1, 2), "gid", 5),
        (calls.InstallSeccomp(b"12345678"), "program", b"87654321"),
        (calls.SetPropagation("/", "slave", True), "is_recursive", False),
        (calls.PrepareOverlay(("/a",), "/u", "/w"), "work", "/v"),
        (calls.LimitResource("core", 0, 0), "hard", -1),
        (calls.OpenConsole(), "rows", 24),
        (calls.BecomeUser(0, 0, (0,)), "groups", (0, 5)),
    ],
)
def test_words_tell_every_difference(call: Call, field: str, other: object) -> None:
    assert describe(replace(call, **{field: other})) != describe(call)  # type: ignore[arg-type]


def test_words_of_a_program_stay_on_their_line() -> None:
    line = describe(calls.Execute(("sh", "-c", "echo a\nb"), ("A=1", "B=2")))
    assert line == r"execute             sh -c 'echo a\nb' with A B"


# ── Shared worlds ────────────────────────────────────────────────────────────────────────


def doors(plan: Plan) -> list[Call]:
    """Give what happens between the two forks."""
    kinds = [type(call) for call in plan]
    return list(plan[kinds.index(calls.ForkShim) + 1 : kinds.index(calls.ForkInit)])


def test_among_the_host_s_processes_it_enters_no_pid_namespace() -> None:
    spec = decide(wish(worlds=Worlds(pid="host")))
    assert doors(start_plan(spec, SNAPSHOT, MACHINE)) == []


def test_it_joins_the_processes_of_another_container_before_it_is_forked() -> None:
    spec = decide(wish(worlds=Worlds(pid="container:x")))
    plan = start_plan(spec, SNAPSHOT, MACHINE, donors={"pid": PROCESS})
    assert doors(plan) == [calls.JoinNamespace("pid", PROCESS.pid, PROCESS.start_time)]


def test_it_takes_the_shared_memory_of_another_container_along() -> None:
    spec = decide(wish(worlds=Worlds(ipc="container:x")))
    plan = start_plan(spec, SNAPSHOT, MACHINE, donors={"ipc": PROCESS})
    assert doors(plan) == [
        calls.JoinNamespace("ipc", PROCESS.pid, PROCESS.start_time),
        calls.BorrowTree(PROCESS.pid, PROCESS.start_time, SHM),
        calls.EnterNamespace("pid"),
    ]
    assert calls.EnterNamespace("ipc") not in plan
    assert calls.Bind(f"/proc/{PROCESS.pid}/root{SHM}", SHM) in plan
