"""What a client asks of a build, besides the context and the Dockerfile."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pyminidock.grammar.ulimits import Ulimit

DOCKERFILE = "Dockerfile"


@dataclass(frozen=True, slots=True)
class Limits:
    """What each RUN of a build may use up; 0, "" and () are "not said"."""

    memory_bytes: int = 0
    memory_swap_bytes: int = 0  # memory and swap together; -1: no limit
    cpu_shares: int = 0
    cpu_period_us: int = 0
    cpu_quota_us: int = 0
    cpuset_cpus: str = ""  # 0-3,5
    cpuset_mems: str = ""
    cgroup_parent: str = ""
    shm_bytes: int = 0
    ulimits: tuple[Ulimit, ...] = ()


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Options:
    """The flags of `docker build`, decided; "" is "not said".

    `tags` are canonical names.  A build argument that is None was named without a value.
    """

    dockerfile: str = DOCKERFILE
    tags: tuple[str, ...] = ()
    arguments: Mapping[str, str | None] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    platform: str = ""
    network: str = "default"
    uses_cache: bool = True
    pulls: bool = False
    removes: bool = True  # the container of a RUN that succeeded
    removes_always: bool = False  # also of one that failed
    builds_all_stages: bool = False  # also those that the target does not need
    cache_from: tuple[str, ...] | None = None  # None: the steps of this machine
    added_hosts: tuple[str, ...] = ()  # name:address
    limits: Limits = NO_LIMITS
