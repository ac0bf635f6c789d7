"""Whether a program's files can be shown here, and by whom: two rows of `minidock doctor`.

    watch   the kernel tells what was done: fanotify, which takes real root, or, before each
            call and for anybody, seccomp's notification
    glass   we are the file system, and the kernel asks us: FUSE

Source: man 7 fanotify, man 2 seccomp_unotify, man 4 fuse; Linux, Documentation/admin-guide/
sysctl/fs.rst: max_request_timeout.
"""

from collections.abc import Sequence

from pyminidock.kernel.port import Capability

_NOTIFICATION = "user_notif"  # among /proc/sys/kernel/seccomp/actions_avail


def watch(fanotify_error: str, seccomp_actions: Sequence[str]) -> Capability:
    """Say who can watch; `fanotify_error` is empty where fanotify answers."""
    is_notified = _NOTIFICATION in seccomp_actions
    if not fanotify_error:
        other = "; --storage-opt watch=seccomp tells stat and absent names, too"
        return Capability("watch", "yes", "fanotify" + other * is_notified, "", "")
    if is_notified:
        return Capability(
            "watch", "limited", f"seccomp's notification, for fanotify: {fanotify_error}",
            "a watched program stops at each call that names a file, and what the call did "
            "is not seen", "run the engine as root, with CAP_SYS_ADMIN",
        )  # fmt: skip
    return Capability(
        "watch", "no", f"fanotify: {fanotify_error}; and seccomp notifies nobody",
        "--watch is refused; --glass shows lookups, too",
        "boot Linux 5.12 or newer, built with CONFIG_FANOTIFY_ACCESS_PERMISSIONS",
    )  # fmt: skip


def glass(fuse_error: str, longest_s: int) -> Capability:
    """Say whether glass can be mounted; `longest_s`: the kernel's patience, 0: for ever."""
    if fuse_error:
        return Capability(
            "glass", "no", f"/dev/fuse: {fuse_error}",
            "--glass and glass-mount are refused; --watch shows what is opened",
            "sudo modprobe fuse",
        )  # fmt: skip
    if longest_s:
        return Capability(
            "glass", "limited", f"the kernel waits {longest_s} s for an answer of ours",
            "whoever is held longer gets an error, and the file system is gone",
            "sudo sysctl fs.fuse.max_request_timeout=0",
        )  # fmt: skip
    return Capability("glass", "yes", "FUSE, spoken by ourselves", "", "")
