"""Words about what is behind a wall: the kinds of namespaces and of filesystems."""

from collections.abc import Mapping

from pyminidock.viz.english.words import Words

GAINS: Mapping[str, Words] = {
    # namespace: what it gains, why, the flag
    "pid": (
        "its processes are counted from 1",
        "Who lives in it cannot see or signal the host's processes; the host sees all.",
        "CLONE_NEWPID (0x20000000)",
    ),
    "mount": (
        "its mounts are its own",
        "It starts as a copy of the host's table; what is mounted now shows only here.",
        "CLONE_NEWNS (0x00020000)",
    ),
    "network": (
        "no network devices but its own lo",
        "Own devices, addresses, ports and firewall: port 80 is free in each.",
        "CLONE_NEWNET (0x40000000)",
    ),
    "uts": (
        "it may have a name of its own",
        "Host name and domain name, nothing else: the smallest of the namespaces.",
        "CLONE_NEWUTS (0x04000000)",
    ),
    "ipc": (
        "no shared memory with the host",
        "System V segments, semaphores and message queues are its own.",
        "CLONE_NEWIPC (0x08000000)",
    ),
    "cgroup": (
        "it sees its own account as the root",
        "The budget is the same; only the view of the tree above it is cut off.",
        "CLONE_NEWCGROUP (0x02000000)",
    ),
    "user": (
        "its root is nobody outside",
        "Ids are translated at the border: 0 inside is an ordinary user of the host.",
        "CLONE_NEWUSER (0x10000000)",
    ),
}

ANY_NAMESPACE: Words = (
    "what it names is its own",
    "A wall of a kind that this version has no words for.",
    "of a kind that has no name here",
)

FILESYSTEMS: Mapping[str, tuple[str, str]] = {
    # filesystem: what it is, why it is there
    "proc": (
        "a fresh view of processes",
        "It shows the PID namespace it was mounted in: here, only the container's own.",
    ),
    "sysfs": (
        "the kernel's view of devices",
        "Read-only as a rule: what it shows belongs to the whole machine.",
    ),
    "devpts": (
        "a set of terminals of its own",
        "A new instance: its pts/0 is not the host's pts/0.",
    ),
    "mqueue": (
        "its message queues",
        "They belong to the IPC namespace; this makes them visible as files.",
    ),
    "tmpfs": (
        "memory that looks like a directory",
        "Empty at every start, gone at the end, and it counts as used memory.",
    ),
    "cgroup": (
        "its account, to be read",
        "A program may ask what its limits are; changing them is not for it.",
    ),
}
FILESYSTEMS = {**FILESYSTEMS, "cgroup2": FILESYSTEMS["cgroup"]}
ANY_FILESYSTEM = ("a filesystem", "It is mounted in the container's namespace only.")
