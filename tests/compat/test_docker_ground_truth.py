"""Facts about Docker that our tables rely on, asked of Docker itself.

If one of these fails, Docker has changed or a table was wrong: correct the table first.
The numbers in the names of the groups are sections of docker-runtime.
"""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reference import Reference, busybox_root, inhabitants, sweep

pytestmark = pytest.mark.compat

MASKED = (
    "/proc/asound /proc/acpi /proc/kcore /proc/keys /proc/latency_stats /proc/timer_list "
    "/proc/timer_stats /proc/sched_debug /proc/scsi /sys/firmware "
    "/sys/devices/virtual/powercap"
)
READ_ONLY = "/proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger"
RUNTIME = (
    "failed to create task for container: failed to create shim task: OCI runtime create "
    "failed: runc create failed: unable to start container process: "
)
ACCOUNTS = """\
root:x:0:0:root:/root:/bin/sh
student:x:1000:1000::/home/student:/bin/sh
2000:x:1500:1500::/home/number:/bin/sh
"""
GROUPS = """\
root:x:0:
staff:x:50:
wheel:x:10:student
docker:x:998:student
student:x:1000:
"""


def run(reference: Reference, *words: str) -> subprocess.CompletedProcess[str]:
    return reference.docker("run", "--rm", "--network", "none", *words)


@pytest.fixture(scope="module")
def people(reference: Reference, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image with users and groups, and with files that cannot be executed."""
    root = busybox_root(tmp_path_factory.mktemp("people") / "root")
    (root / "etc/passwd").write_text(ACCOUNTS)
    (root / "etc/group").write_text(GROUPS)
    (root / "not-executable").write_text("#!/bin/sh\n")
    for name, text in (("no-shebang", "true\n"), ("bad-interpreter", "#!/nowhere\n")):
        (root / name).write_text(text)
        (root / name).chmod(0o755)
    return reference.import_tree(root, "people:latest")


# 1.5 Masked and read-only paths, 1.4 devices


def test_docker_masks_these_paths(reference: Reference) -> None:
    made = reference.docker("create", "--network", "none", reference.image)
    host = reference.api("GET", f"/containers/{made.stdout.strip()}/json").body[
        "HostConfig"
    ]
    reference.docker("rm", made.stdout.strip())
    assert " ".join(host["MaskedPaths"]) == MASKED
    assert " ".join(host["ReadonlyPaths"]) == READ_ONLY


def test_privileged_docker_masks_nothing(reference: Reference) -> None:
    made = reference.docker("create", "--privileged", reference.image)
    host = reference.api("GET", f"/containers/{made.stdout.strip()}/json").body[
        "HostConfig"
    ]
    reference.docker("rm", made.stdout.strip())
    assert (host["MaskedPaths"], host["ReadonlyPaths"]) == (None, None)


def test_docker_makes_these_nodes_and_links(reference: Reference) -> None:
    asked = run(reference, reference.image, "sh", "-c", "cd /dev; stat -c '%N %a %t:%T' *")
    assert asked.stdout.replace("'", "").splitlines() == [
        "fd -> /proc/self/fd 777 0:0",
        "full 666 1:7",
        "mqueue 1777 0:0",
        "null 666 1:3",
        "ptmx -> pts/ptmx 777 0:0",
        "pts 755 0:0",
        "random 666 1:8",
        "shm 1777 0:0",
        "stderr -> /proc/self/fd/2 777 0:0",
        "stdin -> /proc/self/fd/0 777 0:0",
        "stdout -> /proc/self/fd/1 777 0:0",
        "tty 666 5:0",
        "urandom 666 1:9",
        "zero 666 1:5",
    ]


def test_a_read_only_root_makes_the_engines_own_files_read_only(
    reference: Reference,
) -> None:
    asked = run(reference, "--read-only", reference.image, "grep", " /etc/", "/proc/mounts")
    flags = {line.split()[1]: line.split()[3] for line in asked.stdout.splitlines()}
    assert sorted(flags) == ["/etc/hostname", "/etc/hosts", "/etc/resolv.conf"]
    assert {words.split(",")[0] for words in flags.values()} == {"ro"}


# 1.6 Limits


def test_docker_hands_on_its_own_limits(reference: Reference) -> None:
    asked = run(
        reference, reference.image, "sh", "-c", "ulimit -Sn; ulimit -Hn; ulimit -Hc"
    )
    limits = (
        *resource.getrlimit(resource.RLIMIT_NOFILE),
        resource.getrlimit(resource.RLIMIT_CORE)[1],
    )
    words = [
        "unlimited" if limit == resource.RLIM_INFINITY else str(limit) for limit in limits
    ]
    assert asked.stdout.split() == words


# 1.7 Capabilities: permitted, effective, bounding; inheritable and ambient stay empty


@pytest.mark.parametrize(
    ("flags", "effective", "bounding"),
    [
        ("", 0xA80425FB, 0xA80425FB),
        ("--user 1000", 0, 0xA80425FB),
        ("--user 1000 --cap-add NET_ADMIN", 0, 0xA80435FB),
        ("--cap-drop ALL", 0, 0),
        ("--cap-drop ALL --cap-add CHOWN", 1, 1),
        ("--cap-drop MKNOD --cap-add SYS_ADMIN", 0xA02425FB, 0xA02425FB),
        ("--cap-drop CHOWN --cap-add CHOWN", 0xA80425FB, 0xA80425FB),
        ("--cap-add net_admin", 0xA80435FB, 0xA80435FB),
        ("--cap-add CAP_NET_ADMIN", 0xA80435FB, 0xA80435FB),
    ],
)
def test_docker_grants_these_capabilities(
    reference: Reference, flags: str, effective: int, bounding: int
) -> None:
    asked = run(
        reference, *flags.split(), reference.image, "grep", "Cap", "/proc/self/status"
    )
    sets = dict(line.split(":\t") for line in asked.stdout.splitlines())
    assert {name: int(mask, 16) for name, mask in sets.items()} == {
        "CapInh": 0,
        "CapPrm": effective,
        "CapEff": effective,
        "CapBnd": bounding,
        "CapAmb": 0,
    }


@pytest.mark.parametrize(
    ("flags", "dropped"),
    [
        ("--cap-add ALL", 0),
        ("--privileged", 0),
        ("--cap-add ALL --cap-drop MKNOD", 1 << 27),
    ],
)
def test_all_capabilities_are_those_that_dockerd_has(
    reference: Reference, flags: str, dropped: int
) -> None:
    asked = run(
        reference, *flags.split(), reference.image, "grep", "Eff", "/proc/self/status"
    )
    own = Path(f"/proc/{reference.pid}/status").read_text().split("CapEff:\t")[1].split()[0]
    assert int(asked.stdout.split()[1], 16) == int(own, 16) & ~dropped


@pytest.mark.parametrize("flag", ["add", "drop"])
def test_docker_refuses_an_unknown_capability(reference: Reference, flag: str) -> None:
    asked = run(reference, f"--cap-{flag}", "NOPE", reference.image, "true")
    text = f'invalid Cap{flag.title()}: unknown capability: "CAP_NOPE"'
    assert (asked.returncode, text in asked.stderr) == (125, True)


# 1.10 Environment


@pytest.mark.parametrize(
    ("flags", "environ"),
    [
        ("", "PATH HOSTNAME=h HOME=/root"),
        ("-t", "PATH HOSTNAME=h TERM=xterm HOME=/root"),
        ("-e A=1", "PATH HOSTNAME=h A=1 HOME=/root"),
        ("-e HOSTNAME=mine", "PATH HOSTNAME=mine HOME=/root"),
        ("-e HOSTNAME", "PATH HOME=/root"),
        ("-e HOME=/else", "PATH HOSTNAME=h HOME=/else"),
        ("-e HOME=", "PATH HOSTNAME=h HOME=/root"),
        ("--user 4321", "PATH HOSTNAME=h HOME=/"),
        ("-t -e TERM=dumb -e PATH=/bin", "PATH=/bin HOSTNAME=h TERM=dumb HOME=/root"),
    ],
)
def test_docker_orders_the_environment_like_this(
    reference: Reference, flags: str, environ: str
) -> None:
    words = ["--hostname", "h", *flags.split(), reference.image]
    asked = run(reference, *words, "sh", "-c", "tr '\\0' ' ' </proc/$$/environ; true")
    default = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    assert asked.stdout.replace(default, "PATH").strip() == environ


# 1.11 Users


@pytest.mark.parametrize(
    ("user", "ids"),
    [
        ("", "0 0 | 0 | /root"),
        ("student", "1000 1000 | 10 998 1000 | /home/student"),
        ("1000", "1000 1000 | 10 998 1000 | /home/student"),
        ("4321", "4321 0 | 0 | /"),
        ("2000", "2000 0 | 0 | /"),  # a number is never looked up as a name
        ("student:staff", "1000 50 | 50 | /home/student"),
        ("1000:50", "1000 50 | 50 | /home/student"),
        (":50", "0 50 | 50 | /root"),
        ("student:", "1000 1000 | 10 998 1000 | /home/student"),
    ],
)
def test_docker_resolves_a_user_to_these_ids(
    reference: Reference, people: str, user: str, ids: str
) -> None:
    script = "grep -E 'Uid|Gid|Groups' /proc/self/status; echo $HOME"
    asked = run(reference, "--user", user, people, "sh", "-c", script)
    uids, gids, groups, home = asked.stdout.splitlines()
    found = f"{uids.split()[1]} {gids.split()[1]} | {' '.join(groups.split()[1:])} | {home}"
    assert found == ids


def test_docker_appends_the_groups_that_are_asked_for(
    reference: Reference, people: str
) -> None:
    words = ["--user", "1000", "--group-add", "77", "--group-add", "staff", people]
    asked = run(reference, *words, "grep", "Groups", "/proc/self/status")
    assert asked.stdout.split() == ["Groups:", "10", "50", "77", "998", "1000"]


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (
            "--user nobodyx",
            "unable to find user nobodyx: no matching entries in passwd file",
        ),
        ("--user 0:nogrp", "unable to find group nogrp: no matching entries in group file"),
        ("--group-add nog", "Unable to find group nog: no matching entries in group file"),
        ("--user 2147483648", "uids and gids must be in range 0-2147483647"),
    ],
)
def test_docker_refuses_a_user_in_these_words(
    reference: Reference, people: str, flags: str, text: str
) -> None:
    asked = run(reference, *flags.split(), people, "true")
    assert asked.returncode == 125
    assert f"Error response from daemon: {text}." in asked.stderr


# 1.13 Commands and exit codes


@pytest.mark.parametrize(
    ("command", "code", "text"),
    [
        ("/nonexist", 127, 'exec: "/nonexist": stat /nonexist: no such file or directory'),
        ("nonexist", 127, 'exec: "nonexist": executable file not found in $PATH'),
        ("", 127, 'exec: "": executable file not found in $PATH'),
        ("/not-executable", 126, 'exec: "/not-executable": permission denied'),
        ("/etc", 126, 'exec: "/etc": is a directory: unknown: permission denied'),
    ],
)
def test_docker_cannot_start_a_command_in_these_words(
    reference: Reference, people: str, command: str, code: int, text: str
) -> None:
    asked = run(reference, people, command)
    assert asked.returncode == code
    assert RUNTIME + text in asked.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("IMAGE sh -c 'exit 0'", 0),
        ("IMAGE sh -c 'exit 7'", 7),
        ("IMAGE sh -c 'exit 255'", 255),
        ("--init IMAGE sh -c 'kill -KILL $$'", 137),
        ("--init IMAGE sh -c 'kill -TERM $$'", 143),
        ("--init IMAGE sh -c 'kill -SEGV $$'", 139),
        ("IMAGE sh -c 'kill -KILL $$'", 0),
        ("IMAGE /bad-interpreter", 1),
        ("IMAGE /no-shebang", 1),
        ("no-such-image:latest true", 125),
        ("--no-such-flag IMAGE true", 125),
        ("--workdir relative IMAGE true", 125),
        ("--workdir /not-executable IMAGE true", 125),
        ("--memory 5m IMAGE true", 125),
    ],
)
def test_docker_exits_with_this_code(
    reference: Reference, people: str, words: str, code: int
) -> None:
    before, _, script = words.replace("IMAGE", people).partition(" sh -c ")
    ending = ["sh", "-c", script.strip("'")] if script else []
    assert run(reference, *before.split(), *ending).returncode == code


def test_a_container_killed_from_outside_answers_128_and_the_signal(
    reference: Reference,
) -> None:
    made = reference.docker(
        "run", "-d", "--network", "none", reference.image, "sleep", "99"
    )
    reference.docker("kill", made.stdout.strip())
    assert reference.docker("wait", made.stdout.strip()).stdout.strip() == "137"
    reference.docker("rm", made.stdout.strip())


# The reference itself


CRASH = """
import os, signal
from tests.reference import running_reference
with running_reference() as engine:
    engine.docker("run", "-d", "--network", "none", engine.image, "sleep", "99")
    print(engine.state, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_run_is_cleaned_by_the_next() -> None:
    crashed = subprocess.run(
        [sys.executable, "-c", CRASH],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert crashed.returncode == -signal.SIGKILL, crashed.stderr
    state = Path(crashed.stdout.strip())
    assert state.exists()
    sweep()
    assert not state.exists()
    assert inhabitants(state) == set()
    assert list(Path("/sys/fs/cgroup").glob(f"*/{state.name}")) == []
