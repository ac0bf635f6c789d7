"""A wish becomes numbers, or a refusal that names the corrected command."""

from dataclasses import replace
from typing import Any

import pytest

from pyminidock.container.execs import resolve_exec
from pyminidock.container.resolve import MASKED, READONLY
from pyminidock.container.spec import (
    CreateRequest,
    ExecRequest,
    ExecSpec,
    Healthcheck,
    ImageConfig,
    TmpfsMount,
    Ulimit,
)
from pyminidock.container.words import DEFAULT_PATH
from pyminidock.errors import MinidockError
from pyminidock.events import Event, ShortfallFound, SpecResolved, UserResolved
from pyminidock.grammar.capabilities import mask_of
from pyminidock.kernel.port import CgroupTree, Machine
from tests.container.wishes import (
    ALL_CAPABILITIES,
    DEFAULT_MASK,
    FILES,
    IMAGE,
    MACHINE,
    SINGLE,
    V2,
    decide,
    wish,
)

PLAIN_IMAGE = ImageConfig()


def refusal_of(
    machine: Machine = MACHINE, image: ImageConfig = IMAGE, **fields: Any
) -> MinidockError:
    heard: list[Event] = []
    with pytest.raises(MinidockError) as refusal:
        decide(wish(**fields), machine, image, heard.append)
    assert heard == [], "a refused wish tells nothing"
    assert refusal.value.why
    assert refusal.value.try_next
    return refusal.value


# ── Words ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("entrypoint", "command", "image", "argv"),
    [
        (None, (), (("e",), ("c",)), "e c"),
        (None, ("x",), (("e",), ("c",)), "e x"),
        (None, ("x",), ((), ("c",)), "x"),
        (("y",), (), (("e",), ("c",)), "y"),
        (("y", "1"), ("x",), (("e",), ("c",)), "y 1 x"),
        (("",), ("x",), (("e",), ("c",)), "x"),
        ((), ("x",), (("e",), ("c",)), "x"),
        ((), (), (("e",), ("c",)), "c"),
    ],
)
def test_entrypoint_and_command_make_the_words(
    entrypoint: tuple[str, ...] | None,
    command: tuple[str, ...],
    image: tuple[tuple[str, ...], tuple[str, ...]],
    argv: str,
) -> None:
    config = ImageConfig(entrypoint=image[0], command=image[1])
    spec = decide(wish(entrypoint=entrypoint, command=command), image=config)
    assert spec.argv == tuple(argv.split())


@pytest.mark.parametrize("entrypoint", [None, (), ("",)])
def test_without_any_words_there_is_nothing_to_start(
    entrypoint: tuple[str, ...] | None,
) -> None:
    refusal = refusal_of(image=PLAIN_IMAGE, entrypoint=entrypoint, command=())
    assert (refusal.what, refusal.status) == ("no command specified", 400)
    assert refusal.try_next.endswith("busybox sh")


def test_init_goes_in_front_and_is_the_machine_s() -> None:
    spec = decide(wish(uses_init=True))
    assert spec.argv == ("/sbin/docker-init", "--", "echo", "hi")
    assert spec.init == "/usr/bin/tini-static"
    assert decide().init == ""


def test_init_is_refused_where_there_is_none() -> None:
    refusal = refusal_of(replace(MACHINE, init=""), uses_init=True)
    assert refusal.try_next == "minidock run busybox echo hi"


@pytest.mark.parametrize(
    ("fields", "environment"),
    [
        pytest.param({}, "PATH=/bin HOSTNAME=0123456789ab LANG=C HOME=/root", id="default"),
        pytest.param(
            {"has_terminal": True},
            "PATH=/bin HOSTNAME=0123456789ab TERM=xterm LANG=C HOME=/root", id="terminal",
        ),
        pytest.param(
            {"environment": ("B=2", "PATH=/x", "TERM", "HOSTNAME=h"), "has_terminal": True},
            "PATH=/x HOSTNAME=h B=2 LANG=C HOME=/root", id="asked for",
        ),
        pytest.param(
            {"user": "web", "hostname": "box"},
            "PATH=/bin HOSTNAME=box LANG=C HOME=/srv", id="of another user",
        ),
        pytest.param(
            {"environment": ("HOME=/x", "PATH")},
            "HOSTNAME=0123456789ab HOME=/x LANG=C", id="a home of one's own, no path",
        ),
    ],
)  # fmt: skip
def test_the_environment_has_docker_s_order(
    fields: dict[str, Any], environment: str
) -> None:
    assert decide(wish(**fields)).environment == tuple(environment.split())


def test_without_a_path_of_the_image_the_engine_s_applies() -> None:
    assert decide(image=ImageConfig(("sh",))).environment[0] == DEFAULT_PATH


def test_a_variable_without_a_name_is_refused() -> None:
    assert refusal_of(environment=("=x",)).what == "invalid environment variable: =x"


@pytest.mark.parametrize(
    ("asked", "image", "directory"),
    [
        ("", "", "/"),
        ("", "/srv", "/srv"),
        ("/a//b/../c/", "/srv", "/a/c"),
        ("//x", "", "/x"),
    ],
)
def test_the_working_directory_is_asked_for_or_the_image_s(
    asked: str, image: str, directory: str
) -> None:
    config = ImageConfig(("sh",), working_directory=image)
    assert (
        decide(wish(working_directory=asked), image=config).working_directory == directory
    )


def test_a_relative_working_directory_is_refused() -> None:
    refusal = refusal_of(working_directory="rel")
    assert refusal.what == (
        "the working directory 'rel' is invalid, it needs to be an absolute path"
    )
    assert refusal.try_next == "minidock run --workdir /rel busybox echo hi"


@pytest.mark.parametrize(
    "fields",
    [{"command": ("a\0b",)}, {"environment": ("A=\0",)}, {"user": "\0"}, {"hostname": "\0"},
     {"working_directory": "/\0"}, {"entrypoint": ("\0",)}, {"group_add": ("\0",)}],
)  # fmt: skip
def test_no_nul_reaches_the_kernel(fields: dict[str, Any]) -> None:
    assert "NUL" in refusal_of(**fields).what


# ── Powers ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("fields", "bounding", "held"),
    [
        pytest.param({}, DEFAULT_MASK, DEFAULT_MASK, id="root"),
        pytest.param({"user": "1000"}, DEFAULT_MASK, 0, id="anybody else"),
        pytest.param({"user": "1000", "cap_add": ("NET_ADMIN",)}, 0xA80435FB, 0, id="add"),
        pytest.param({"cap_add": ("ALL",)}, ALL_CAPABILITIES, ALL_CAPABILITIES, id="all"),
        pytest.param({"cap_drop": ("all",)}, 0, 0, id="none"),
        pytest.param({"cap_drop": ("ALL",), "cap_add": ("CHOWN",)}, 1, 1, id="only one"),
        pytest.param({"cap_drop": ("MKNOD",), "cap_add": ("SYS_ADMIN",)},
                     0xA02425FB, 0xA02425FB, id="exchange"),
        pytest.param({"is_privileged": True}, ALL_CAPABILITIES, ALL_CAPABILITIES,
                     id="privileged"),
        pytest.param({"is_privileged": True, "user": "1000"}, ALL_CAPABILITIES, 0,
                     id="privileged, but not root"),
    ],
)  # fmt: skip
def test_capabilities(fields: dict[str, Any], bounding: int, held: int) -> None:
    spec = decide(wish(**fields))
    assert mask_of(spec.bounding) == bounding
    assert mask_of(spec.capabilities) == held


def test_an_unknown_capability_is_refused_with_the_command_without_it() -> None:
    refusal = refusal_of(cap_add=("nope",))
    assert refusal.what == 'invalid CapAdd: unknown capability: "CAP_NOPE"'
    assert refusal.try_next == "minidock run busybox echo hi"


def test_a_capability_the_engine_lacks_is_refused_if_named_and_told_if_not() -> None:
    poor = replace(MACHINE, capabilities=ALL_CAPABILITIES & ~(1 << 27))  # no MKNOD
    assert "CAP_MKNOD" in refusal_of(poor, cap_add=("MKNOD",)).what
    heard: list[Event] = []
    spec = decide(machine=poor, emit=heard.append)
    assert mask_of(spec.bounding) == DEFAULT_MASK & ~(1 << 27)
    assert any("CAP_MKNOD" in warning for warning in spec.warnings)
    assert [event for event in heard if isinstance(event, ShortfallFound)] == [
        ShortfallFound("capabilities", "CAP_MKNOD", "none of them",
                       "the engine does not have them itself")
    ]  # fmt: skip


V1_WITHOUT_DEVICES = replace(
    MACHINE, cgroups=CgroupTree(1, (("memory", "/sys/fs/cgroup/memory"),))
)
V2_WITHOUT_PROGRAMS = replace(V2, filters_devices=False)
UNGUARDED_MACHINES = pytest.mark.parametrize(
    "machine",
    [
        pytest.param(V1_WITHOUT_DEVICES, id="v1 without devices"),
        pytest.param(V2_WITHOUT_PROGRAMS, id="v2 that takes no program"),
        pytest.param(replace(MACHINE, cgroups=None), id="no cgroups at all"),
    ],
)


@UNGUARDED_MACHINES
def test_where_nothing_guards_devices_no_node_can_be_made_and_it_is_told(
    machine: Machine,
) -> None:
    """Hardening H.4: no CAP_MKNOD where the program cannot be attached."""
    heard: list[Event] = []
    spec = decide(machine=machine, emit=heard.append)
    assert mask_of(spec.bounding) == DEFAULT_MASK & ~(1 << 27)
    assert any("CAP_MKNOD is not given" in warning for warning in spec.warnings)
    (told,) = [event for event in heard if isinstance(event, ShortfallFound)]
    assert (told.asked, told.given) == ("CAP_MKNOD", "none of them")
    assert "devices" in told.why
    everything = decide(wish(cap_add=("ALL",)), machine=machine)
    assert mask_of(everything.bounding) == ALL_CAPABILITIES & ~(1 << 27)


@UNGUARDED_MACHINES
def test_where_nothing_guards_devices_mknod_is_refused_by_name_and_not_for_the_privileged(
    machine: Machine,
) -> None:
    refusal = refusal_of(machine, cap_add=("MKNOD",))
    assert refusal.what == "CAP_MKNOD is not given on this machine"
    assert refusal.try_next == "minidock run busybox echo hi"
    spec = decide(wish(is_privileged=True), machine=machine)
    assert mask_of(spec.bounding) == ALL_CAPABILITIES
    assert spec.warnings == decide(wish(is_privileged=True)).warnings


def test_one_user_alone_makes_no_node_anyway_so_nothing_is_said() -> None:
    spec = decide(machine=replace(SINGLE, cgroups=None))
    assert "CAP_MKNOD" in spec.bounding


def test_the_filter_follows_the_capabilities_and_the_machine() -> None:
    default = decide().seccomp_program
    assert decide(wish(cap_add=("SYS_ADMIN",))).seccomp_program != default
    assert decide(machine=replace(MACHINE, arch="aarch64")).seccomp_program != default
    assert (decide().seccomp, len(default) > 100) == ("default", True)


@pytest.mark.parametrize(
    ("options", "is_privileged", "seccomp", "no_new_privileges"),
    [
        ((), False, "default", False),
        ((), True, "unconfined", False),
        (("seccomp=unconfined",), False, "unconfined", False),
        (("seccomp:unconfined",), False, "unconfined", False),
        (("seccomp=builtin",), True, "default", False),
        (('seccomp={"defaultAction": "SCMP_ACT_ALLOW"}',), True, "custom", False),
        (("no-new-privileges",), False, "default", True),
        (("no-new-privileges=true",), False, "default", True),
        (("no-new-privileges:false",), False, "default", False),
        (("apparmor=unconfined", "label=disable"), False, "default", False),
    ],
)
def test_security_options(
    options: tuple[str, ...], is_privileged: bool, seccomp: str, no_new_privileges: bool
) -> None:
    spec = decide(wish(security_options=options, is_privileged=is_privileged))
    assert (spec.seccomp, spec.no_new_privileges) == (seccomp, no_new_privileges)
    assert (spec.seccomp_program == b"") == (seccomp == "unconfined")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("foo", 'invalid --security-opt 1: "foo"'),
        ("seccomp", 'invalid --security-opt 1: "seccomp"'),
        ("foo=bar", 'invalid --security-opt 2: "foo=bar"'),
        ("no-new-privileges=maybe", 'invalid --security-opt 2: "no-new-privileges=maybe"'),
        ("apparmor=mine", 'invalid --security-opt 2: "apparmor=mine"'),
    ],
)
def test_a_wall_that_is_not_built_is_refused(option: str, message: str) -> None:
    refusal = refusal_of(security_options=(option,))
    assert (refusal.what, refusal.status) == (message, 500)
    assert refusal.try_next == "minidock run busybox echo hi"


def test_a_bad_profile_is_refused_with_the_command_without_it() -> None:
    refusal = refusal_of(security_options=("seccomp={",))
    assert (refusal.status, refusal.try_next) == (400, "minidock run busybox echo hi")


def test_privileged_means_nothing_is_hidden() -> None:
    assert (decide().masked_paths, decide().readonly_paths) == (MASKED, READONLY)
    spec = decide(wish(is_privileged=True))
    assert (spec.masked_paths, spec.readonly_paths) == ((), ())


# ── Budgets ──────────────────────────────────────────────────────────────────────────────


def test_without_words_there_is_one_limit_no_core_files() -> None:
    assert decide().ulimits == (Ulimit("core", 0, 0),)


def test_an_asked_limit_replaces_ours_and_the_last_one_wins() -> None:
    asked = (Ulimit("nofile", 5, 6), Ulimit("core", -1, -1), Ulimit("nofile", 7, 8))
    assert decide(wish(ulimits=asked)).ulimits == (
        Ulimit("core", -1, -1), Ulimit("nofile", 7, 8),
    )  # fmt: skip


def test_a_bad_limit_from_the_api_is_refused() -> None:
    assert "invalid ulimit type: foo" in refusal_of(ulimits=(Ulimit("foo", 1, 1),)).what


def test_swap_is_as_much_again() -> None:
    spec = decide(wish(memory_bytes=64 << 20, nano_cpus=500_000_000, pids_limit=50))
    assert spec.memory_swap_bytes == 128 << 20
    assert (spec.nano_cpus, spec.pids_limit) == (500_000_000, 50)
    assert decide(wish(pids_limit=-1)).pids_limit == 0


def test_six_megabytes_and_all_processors_are_allowed() -> None:
    spec = decide(wish(memory_bytes=6 << 20, nano_cpus=2 * 10**9))
    assert (spec.memory_bytes, spec.nano_cpus) == (6 << 20, 2 * 10**9)


def test_the_corrected_command_names_variables_and_keeps_their_values_back() -> None:
    refusal = refusal_of(memory_bytes=1, environment=("TOKEN=hunter2", "A"), user="web")
    assert refusal.try_next == (
        "minidock run --user web --env TOKEN --env A --memory 6m busybox echo hi"
    )


def test_the_corrected_command_keeps_every_other_flag() -> None:
    refusal = refusal_of(
        name="n", hostname="h", group_add=("5",), auto_remove=True, keeps_stdin=True,
        has_terminal=True, uses_init=True, memory_bytes=1, nano_cpus=10**9, pids_limit=5,
        ulimits=(Ulimit("core", 1, 2),), is_root_readonly=True,
        tmpfs=(("/a", "ro"), ("/b", "")), cap_add=("CHOWN",), cap_drop=("ALL",),
        is_privileged=True, network_mode="none", entrypoint=("sh", "-c"),
        security_options=("no-new-privileges", 'seccomp={"defaultAction": "x"}'),
    )  # fmt: skip
    assert refusal.try_next == (
        "minidock run --name n --hostname h --group-add 5 --rm -i -t --init --memory 6m "
        "--cpus 1 --pids-limit 5 --ulimit core=1:2 --read-only --tmpfs /a:ro --tmpfs /b "
        "--cap-add CHOWN --cap-drop ALL --privileged --security-opt no-new-privileges "
        "--network none --entrypoint sh busybox -c echo hi"
    )


@pytest.mark.parametrize(
    ("fields", "message", "advice"),
    [
        ({"memory_bytes": 5 << 20}, "Minimum memory limit allowed is 6MB", "--memory 6m"),
        ({"memory_bytes": -1}, "Minimum memory limit allowed is 6MB", "--memory 6m"),
        ({"nano_cpus": 5 * 10**9}, "Range of CPUs is from 0.01 to 2.00, as there are only "
         "2 CPUs available", "--cpus 2"),
        ({"nano_cpus": -(10**9)}, "Range of CPUs is from 0.01 to 2.00, as there are only "
         "2 CPUs available", "--cpus 0.01"),
    ],
)  # fmt: skip
def test_a_limit_out_of_range_is_refused_in_docker_s_words(
    fields: dict[str, Any], message: str, advice: str
) -> None:
    refusal = refusal_of(**fields)
    assert (refusal.what, refusal.status) == (message, 400)
    assert refusal.try_next == f"minidock run {advice} busybox echo hi"


@pytest.mark.parametrize(
    "fields", [{"memory_bytes": 64 << 20}, {"nano_cpus": 10**9}, {"pids_limit": 9}]
)
def test_a_limit_that_cannot_be_kept_is_refused_and_not_forgotten(
    fields: dict[str, Any],
) -> None:
    refusal = refusal_of(replace(MACHINE, cgroups=None), **fields)
    assert "needs the cgroup controller" in refusal.what
    assert refusal.try_next == "minidock run busybox echo hi"
    assert decide(wish(**fields), V2).cgroup


def test_two_engines_never_share_an_account() -> None:
    spec = decide()
    assert spec.cgroup.startswith("minidock-")
    assert spec.cgroup.endswith(f"/{spec.id}")
    assert decide(machine=SINGLE).cgroup == ""


# ── Users, trees, network ────────────────────────────────────────────────────────────────


def test_an_unknown_user_hinders_a_start_and_the_nearest_one_is_in_the_command() -> None:
    spec = decide(wish(user="wbe", memory_bytes=64 << 20))
    assert spec.hindrance
    assert spec.hindrance.what.startswith("unable to find user wbe:")
    assert spec.hindrance.status == 500
    assert spec.hindrance.try_next == (
        "minidock run --user web --memory 64m busybox echo hi"
    )
    assert (spec.uid, spec.capabilities) == (65534, ()), "never root by accident"


def test_one_user_alone_cannot_become_another() -> None:
    refusal = refusal_of(SINGLE, user="web")
    assert refusal.try_next == "minidock run --user 0:0 busybox echo hi"
    assert refusal_of(SINGLE, group_add=("5",)).status == 400
    assert decide(machine=SINGLE).no_new_privileges, "always, where root is not root"


def test_trees_in_memory_are_sorted_by_depth_and_otherwise_as_asked() -> None:
    asked = (("/a/b", ""), ("/c", "ro"), ("/b", "size=1m"), ("/c", "exec"))
    assert decide(wish(tmpfs=asked)).tmpfs == (
        TmpfsMount("/c", ("nosuid", "nodev")),
        TmpfsMount("/b", ("nosuid", "nodev", "noexec"), "size=1m"),
        TmpfsMount("/a/b", ("nosuid", "nodev", "noexec")),
    )


def test_a_spec_knows_its_network_and_who_cannot_lay_cables_is_alone() -> None:
    for mode, known in (("", "bridge"), ("none", "none"), ("host", "host"), ("n", "n")):
        spec = decide(wish(network_mode=mode or "default"))
        assert (spec.network_mode, spec.warnings) == (known, ())


def test_the_story_of_a_decision_is_who_and_what() -> None:
    heard: list[Event] = []
    spec = decide(wish(user="web"), emit=heard.append)
    source = "etc/passwd line 2, etc/group line 3"
    assert heard == [
        UserResolved("web", 1000, 1000, (1000, 29), "/srv", source),
        SpecResolved(
            spec.id, ("echo", "hi"), spec.environment, "/", 1000, 1000, (1000, 29), (),
            "default", False, False, False,
        ),
    ]  # fmt: skip


# ── A second process ─────────────────────────────────────────────────────────────────────


def second(request: ExecRequest, container: CreateRequest | None = None) -> ExecSpec:
    return resolve_exec(
        request, decide(container), FILES, MACHINE, exec_id="e" * 64, directory="/x"
    )


def test_a_privileged_second_process_makes_no_node_where_nothing_guards_devices() -> None:
    for machine, privileged, has_it in (
        (V2_WITHOUT_PROGRAMS, False, False), (V2_WITHOUT_PROGRAMS, True, True),
        (V2, False, True),
    ):  # fmt: skip
        first = decide(wish(is_privileged=privileged), machine)
        asked = ExecRequest(("id",), is_privileged=True)
        spec = resolve_exec(asked, first, FILES, machine, exec_id="e" * 64, directory="/x")
        assert ("CAP_MKNOD" in spec.bounding) == has_it
        assert "CAP_SYS_ADMIN" in spec.bounding


def test_a_second_process_is_like_the_first_one() -> None:
    first = wish(user="web", environment=("A=1",), working_directory="/srv",
                 group_add=("7",))  # fmt: skip
    spec = second(ExecRequest(("id",)), first)
    assert (spec.uid, spec.gid, spec.groups) == (1000, 1000, (1000, 29, 7))
    assert spec.working_directory == "/srv"
    assert spec.environment == (
        "PATH=/bin", "HOSTNAME=0123456789ab", "A=1", "LANG=C", "HOME=/srv",
    )  # fmt: skip


def test_a_second_process_may_be_somebody_else_somewhere_else() -> None:
    request = ExecRequest(("id",), ("A=2", "LANG"), "0", "/usr", has_terminal=True)
    spec = second(request, wish(user="web", environment=("A=1",), group_add=("7",)))
    assert (spec.uid, spec.groups, spec.working_directory) == (0, (0,), "/usr")
    assert spec.environment == (
        "PATH=/bin", "HOSTNAME=0123456789ab", "TERM=xterm", "A=2", "HOME=/root",
    )  # fmt: skip


def test_a_second_process_never_holds_more_unless_it_is_privileged() -> None:
    narrow = wish(user="web", cap_drop=("ALL",), cap_add=("CHOWN",))
    assert second(ExecRequest(("id",), user="root"), narrow).capabilities == ("CAP_CHOWN",)
    assert second(ExecRequest(("id",)), narrow).capabilities == ()
    wide = second(ExecRequest(("id",), user="root", is_privileged=True), narrow)
    assert mask_of(wide.bounding) == mask_of(wide.capabilities) == ALL_CAPABILITIES


@pytest.mark.parametrize(
    ("request_", "message", "advice"),
    [
        (ExecRequest(()), "No exec command specified", "minidock exec web sh"),
        (ExecRequest(("id",), user="wbe"),
         "unable to find user wbe: no matching entries in passwd file",
         "minidock exec --user web web id"),
        (ExecRequest(("i\0d",)), "a word of the request holds a NUL byte",
         "minidock exec web true"),
    ],
)  # fmt: skip
def test_a_second_process_is_refused_with_the_corrected_command(
    request_: ExecRequest, message: str, advice: str
) -> None:
    with pytest.raises(MinidockError) as refusal:
        second(request_)
    assert (refusal.value.what, refusal.value.try_next) == (message, advice)


def test_what_the_request_leaves_open_comes_from_the_image() -> None:
    image = replace(
        IMAGE, labels=(("a", "image"), ("b", "image")), stop_signal="QUIT",
        healthcheck=Healthcheck(("CMD", "true"), 1, 2, 3, 4, 5),
    )  # fmt: skip
    spec = decide(
        wish(labels=(("b", "mine"),), healthcheck=Healthcheck(retries=9)), image=image
    )
    assert spec.labels == (("a", "image"), ("b", "mine"))
    assert spec.stop_signal == "QUIT"
    assert spec.healthcheck == Healthcheck(("CMD", "true"), 1, 2, 3, 4, 9)


def test_what_nobody_says_about_its_end_is_dockers_default() -> None:
    spec = decide()
    assert (spec.restart_policy, spec.stop_signal, spec.stop_timeout) == ("no", "", None)
    assert (spec.log_driver, spec.healthcheck) == ("json-file", None)
