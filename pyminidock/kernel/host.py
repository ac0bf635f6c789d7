"""What a machine says of itself, where no plan depends on it: for `docker info`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Host:
    """One machine; sizes are bytes, and "" or 0 stands for what it does not say."""

    release: str = ""  # of its kernel, as uname(1) gives it
    system: str = ""  # the distribution, as people call it
    version: str = ""  # of the distribution
    memory_bytes: int = 0
    filesystem: str = ""  # on which the engine keeps what it keeps
    accounts: frozenset[str] = frozenset()  # files with which a cgroup can be limited
    forwards: frozenset[str] = frozenset()  # switches of the network that are on
