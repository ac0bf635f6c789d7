"""What /proc says of one process: read here, once, for daemon and shim alike.

Source: man 5 proc_pid_stat, proc_sys_kernel_random_boot_id.
"""


def start_time(pid: int) -> int:
    """Give the clock ticks after boot at which a process began (field 22 of stat).

    With the boot id it tells a process from a later one of the same number.  The command
    name may hold spaces and brackets, so fields count from the last ")".
    Raises ProcessLookupError when there is none.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except FileNotFoundError:
        raise ProcessLookupError(3, f"no process {pid}") from None
    return int(fields[19])


def boot_id() -> str:
    """Give the random name of this run of the kernel."""
    # Bytes: a codec other than UTF-8 would be imported at its first use.
    with open("/proc/sys/kernel/random/boot_id", "rb") as file:
        return file.read().strip().decode()


def name_process(name: bytes) -> None:
    """Choose what `ps` shows of this process; 15 bytes at most."""
    with open("/proc/self/comm", "wb", buffering=0) as file:
        file.write(name)
