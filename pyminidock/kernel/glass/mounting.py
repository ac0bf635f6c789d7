"""How a program becomes a filesystem: a descriptor of /dev/fuse, handed to the kernel.

    open("/dev/fuse") ─► fd ── fsconfig fd= ─► superblock ── fsmount ─► handle ─► a place

Whoever reads from that descriptor is asked everything.  No helper program is needed: root
may mount anywhere, and an unprivileged person in a mount namespace of its own user
namespace, if the device was opened in there too.

Source: Documentation/filesystems/fuse.rst, "Mount options"; fs/fuse/inode.c.
"""

import os
from contextlib import suppress

from pyminidock.kernel.glass import wire
from pyminidock.kernel.linux import syscalls

DEVICE = "/dev/fuse"


def open_device() -> int:
    """Open the line on which the kernel asks.  Raises OSError where it is forbidden."""
    return os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC)


def prepare(device: int, name: str, flags: tuple[str, ...] = ()) -> int:
    """Make a filesystem that asks at `device`; give a handle, it is mounted nowhere yet.

    `flags` as in syscalls.MOUNT_ATTR.  The kernel checks permissions by mode and owner
    (default_permissions), for everybody (allow_other).
    """
    context = syscalls.fsopen(b"fuse")
    try:
        for key, value in (
            (b"source", os.fsencode(name)),
            (b"subtype", b"minidock"),
            (b"fd", b"%d" % device),
            (b"rootmode", b"40000"),
            (b"user_id", b"%d" % os.geteuid()),
            (b"group_id", b"%d" % os.getegid()),
        ):
            syscalls.fsconfig_string(context, key, value)
        for flag in (b"default_permissions", b"allow_other"):
            syscalls.fsconfig_flag(context, flag)
        syscalls.fscreate(context)
        mount = syscalls.fsmount(context, sum(syscalls.MOUNT_ATTR[each] for each in flags))
    finally:
        os.close(context)
    with suppress(OSError):  # only root may
        _read_far_ahead(mount)
    return mount


def _read_far_ahead(mount: int) -> None:
    """Let the kernel ask for as much at a time as we can answer, not for 128 kB.

    Source: Documentation/ABI/testing/sysfs-class-bdi, read_ahead_kb.
    """
    major, minor = syscalls.device_of(mount)
    with open(f"/sys/class/bdi/{major}:{minor}/read_ahead_kb", "w") as wish:
        wish.write(str(wire.MAX_WRITE >> 10))


def attach(mount: int, place: str) -> None:
    """Let a handle be seen at a directory."""
    syscalls.move_mount(mount, syscalls.AT_FDCWD, os.fsencode(place))


def detach(place: str) -> None:
    """Take the mount at a directory away, also while it is in use.  Raises OSError."""
    syscalls.umount_detach(os.fsencode(place))
