"""What /proc says of one process: read here, once, for daemon and shim alike.

Source: man 5 proc_pid_stat, proc_sys_kernel_random_boot_id.
"""

import os


def start_time(pid: int, proc: int | None = None) -> int:
    """Give the clock ticks after boot at which a process began (field 22 of stat).

    With the boot id it tells a process from a later one of the same number.  The command
    name may hold spaces and brackets, so fields count from the last ")".  `proc` is a
    handle on the procfs to ask, where another one may lie over /proc.
    Raises ProcessLookupError when there is none.
    """
    return int(_fields(pid, proc)[19])


def has_executed(pid: int, started: int = 0) -> bool:
    """Tell whether a process has become a program since it was forked.

    The kernel keeps a flag until execve(2) cannot fail any more (field 9 of stat,
    PF_FORKNOEXEC), also of the dead who were not yet waited for.
    Raises ProcessLookupError when there is none, or none that began at `started`.
    """
    fields = _fields(pid, None)
    if started not in (0, int(fields[19])):
        raise ProcessLookupError(3, f"no process {pid} any more")
    return not int(fields[6]) & _FORKED_NOT_EXECUTED


_FORKED_NOT_EXECUTED = 0x40


def _fields(pid: int, proc: int | None) -> list[bytes]:
    """Give what stat says from field 3 (the state) on."""
    try:
        name = f"{pid}/stat" if proc is not None else f"/proc/{pid}/stat"
        descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=proc)
        try:  # who ends between the two is ESRCH
            return os.read(descriptor, 4096).rpartition(b")")[2].split()
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise ProcessLookupError(3, f"no process {pid}") from None


def boot_id() -> str:
    """Give the random name of this run of the kernel."""
    descriptor = os.open("/proc/sys/kernel/random/boot_id", os.O_RDONLY | os.O_CLOEXEC)
    name = os.read(descriptor, 64).strip().decode()
    os.close(descriptor)
    return name


def name_process(name: bytes) -> None:
    """Choose what `ps` shows of this process; 15 bytes at most."""
    descriptor = os.open("/proc/self/comm", os.O_WRONLY | os.O_CLOEXEC)
    os.write(descriptor, name)
    os.close(descriptor)
