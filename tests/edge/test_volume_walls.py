"""What lies in volumes and binds leads nowhere else: H-13, H-15, H-16, H-17 by id.

The programs inside are the enemy: they swap what the engine is about to mount on.
"""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyminidock.kernel.linux import syscalls
from tests.edge.test_stock_terminal import Stock
from tests.minidock_cli import Minidock

pytestmark = pytest.mark.edge

ALONE = ("--rm", "--network", "none")
RACES = 25  # of 500 at full length


@pytest.fixture
def docker(minidock: Minidock) -> Iterator[Stock]:
    made = Stock(minidock.host)
    yield made
    made.run("rm", "-fv", "walls", "other")
    made.run("volume", "rm", "-f", "walls-a", "walls-b", "walls-c")


def host_mounts() -> list[str]:
    text = Path("/proc/self/mountinfo").read_text(
        encoding="utf-8", errors="surrogateescape"
    )
    return [line.split(" ", 2)[2] for line in text.splitlines()]


def test_volumes_and_binds_show_on_no_mount_table_of_the_host(
    docker: Stock, tmp_path: Path
) -> None:
    """H-13: before, during and after."""
    before = host_mounts()
    docker.said(
        "run", "-d", *ALONE, "--name", "walls", "-v", "walls-a:/a", "-v", f"{tmp_path}:/b",
        "--tmpfs", "/c", "busybox", "sleep", "100",
    )  # fmt: skip
    assert host_mounts() == before
    docker.said("rm", "-fv", "walls")
    assert host_mounts() == before


def test_a_place_that_is_swapped_for_a_link_is_mounted_inside_or_not_at_all(
    docker: Stock, tmp_path: Path
) -> None:
    """H-15: CVE-2021-30465; the swapping is done from the host, faster than from inside."""
    docker.said("volume", "create", "walls-a")
    shared = Path(
        docker.said("volume", "inspect", "-f", "{{.Mountpoint}}", "walls-a").strip()
    )
    (shared / "dst").mkdir()
    (shared / "link").symlink_to(tmp_path)
    before, stop = host_mounts(), threading.Event()

    def swap() -> None:
        place = os.open(shared, os.O_PATH | os.O_DIRECTORY)
        exchange, number = 2, 276 if os.uname().machine == "aarch64" else 316
        while not stop.wait(0.0002):
            syscalls.enter(number, place, b"dst", place, b"link", exchange)
        os.close(place)

    racer = threading.Thread(target=swap)
    racer.start()
    try:
        for _ in range(RACES):
            docker.run(
                "run", *ALONE, "-v", "walls-a:/v", "-v", "walls-b:/v/dst", "busybox", "sh",
                "-c", "echo out > /v/dst/mark",
            )  # fmt: skip
            assert list(tmp_path.iterdir()) == []
            assert host_mounts() == before
    finally:
        stop.set()
        racer.join()


@pytest.mark.parametrize(
    "order", [("a:/x", "b:/x/y", "c:/x/y/z"), ("c:/x/y/z", "b:/x/y", "a:/x"),
              ("b:/x/y", "c:/x/y/z", "a:/x")],
    ids=" ".join,
)  # fmt: skip
def test_nested_places_are_all_seen_in_any_order(
    docker: Stock, order: tuple[str, ...]
) -> None:
    """H-16."""
    binds = [word for each in order for word in ("-v", f"walls-{each}")]
    seen = docker.said(
        "run", *ALONE, *binds, "busybox", "sh", "-c",
        "cut -d' ' -f5 /proc/self/mountinfo | grep ^/x",
    )  # fmt: skip
    assert seen.split() == ["/x", "/x/y", "/x/y/z"]


@pytest.mark.parametrize(
    "place", ["/proc", "/proc/sys", "/proc/self", "/proc/1/root", "/proc/../proc/kcore"]
)
@pytest.mark.parametrize("source", ["/tmp", "walls-a"])  # noqa: S108  (a bind, a volume)
def test_nothing_is_hung_over_proc(docker: Stock, place: str, source: str) -> None:
    """H-17: refused by name, before the program."""
    done = docker.run("run", *ALONE, "-v", f"{source}:{place}", "busybox", "echo", "ran")
    assert done.returncode != 0
    assert b"ran" not in done.stdout
    assert b"cannot be mounted because it is" in done.stderr


def test_a_link_of_the_image_that_leads_to_proc_is_no_place(docker: Stock) -> None:
    """H-17: the link is followed inside, and what it leads to is guarded."""
    docker.said(
        "run", "--network", "none", "--name", "walls", "busybox", "sh", "-c",
        "ln -s /proc/sys /sneaky; ln -s / /top",
    )  # fmt: skip
    docker.said("commit", "walls", "walls-image")
    for place in ("/sneaky", "/top"):
        done = docker.run(
            "run", *ALONE, "-v", f"walls-a:{place}", "walls-image", "echo", "ran"
        )
        assert done.returncode != 0
        assert b"ran" not in done.stdout
    docker.said("rmi", "-f", "walls-image")


def test_a_part_of_a_volume_is_a_part_of_it_whatever_its_links_say(docker: Stock) -> None:
    """CVE-2023-5528 in Docker's words: a link in the volume must not lead out."""
    docker.said("run", *ALONE, "-v", "walls-a:/v", "busybox", "ln", "-s", "/etc", "/v/out")
    done = docker.run(
        "run", *ALONE, "--mount", "src=walls-a,dst=/v,volume-subpath=out", "busybox", "ls",
        "/v",
    )  # fmt: skip
    assert done.returncode != 0
    assert b"passwd" not in done.stdout


def test_two_writers_see_each_other_and_nothing_is_lost(docker: Stock) -> None:
    docker.said("volume", "create", "walls-a")
    script = "i=0; while [ $i -lt 300 ]; do echo $0 >> /v/log; i=$((i+1)); done"
    for name in ("walls", "other"):
        docker.said(
            "run", "-d", "--network", "none", "--name", name, "-v", "walls-a:/v", "busybox",
            "sh", "-c", script, name,
        )  # fmt: skip
    docker.said("wait", "walls", "other")
    lines = docker.said(
        "run", *ALONE, "-v", "walls-a:/v", "busybox", "cat", "/v/log"
    ).split()
    assert (lines.count("walls"), lines.count("other")) == (300, 300)


def test_a_shared_bind_hands_mounts_on_and_a_private_one_does_not(
    docker: Stock, tmp_path: Path
) -> None:
    """A mount that the host makes later is seen in the one and not in the other."""
    shared = tmp_path / "shared"
    (shared / "later").mkdir(parents=True)
    handle = syscalls.open_tree_clone(
        syscalls.AT_FDCWD, os.fsencode(shared), recursive=False
    )
    syscalls.move_mount(handle, syscalls.AT_FDCWD, os.fsencode(shared))
    os.close(handle)
    later = os.fsencode(shared / "later")
    syscalls.mount_setattr(
        syscalls.AT_FDCWD, os.fsencode(shared), propagation=syscalls.MS_SHARED
    )
    try:
        for name, mode in (("walls", "rslave"), ("other", "private")):
            docker.said(
                "run", "-d", "--network", "none", "--name", name,
                "-v", f"{shared}:/m:{mode}", "busybox", "sleep", "100",
            )  # fmt: skip
        context = syscalls.fsopen(b"tmpfs")
        syscalls.fscreate(context)
        mount = syscalls.fsmount(context, 0)
        os.close(context)
        syscalls.move_mount(mount, syscalls.AT_FDCWD, later)
        os.close(mount)
        (shared / "later/file").touch()
        assert docker.run("exec", "walls", "ls", "/m/later/file").returncode == 0
        assert docker.run("exec", "other", "ls", "/m/later/file").returncode != 0
    finally:
        docker.run("rm", "-f", "walls", "other")
        syscalls.umount_detach(os.fsencode(shared))  # and what hangs in it
