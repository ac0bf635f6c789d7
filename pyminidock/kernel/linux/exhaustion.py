"""What an engine does beforehand, so that it lasts when the machine is used up.

Descriptors: a shell hands on a low limit that may be raised, and an engine with many
clients needs it.  What containers get is what the engine was started with.

Memory: when there is none left the kernel ends the process with the highest badness.  An
engine that goes takes nobody with it, but a shim takes its container, and a container is
worth less than either:

    engine, spawner   -500        shim   -250        whatever runs in a container   0

Lowering takes CAP_SYS_RESOURCE; without it everybody stays where it is.
Source: man 5 proc_pid_oom_score_adj, man 2 setrlimit.
"""

import os
import resource

OF_ENGINE, OF_SHIM, OF_CONTAINER = -500, -250, 0


def adjust_badness(score: int) -> bool:
    """Take a badness of `score`; False where that is not permitted."""
    try:
        descriptor = os.open("/proc/self/oom_score_adj", os.O_WRONLY | os.O_CLOEXEC)
    except OSError:  # no procfs, or a read-only one
        return False
    try:
        os.write(descriptor, b"%d" % score)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def protect_engine() -> None:
    """Be ended late; who was started with an even lower badness keeps it."""
    with open("/proc/self/oom_score_adj", "rb") as file:
        if int(file.read()) > OF_ENGINE:
            adjust_badness(OF_ENGINE)


def raise_descriptors() -> None:
    """Let this process open as many files as it may."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
