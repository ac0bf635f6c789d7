"""The parts of a request that few people use, by what they are about.

    Resources    what it may use up, beyond memory, processors and processes
    Worlds       which namespaces it has for itself, and which of its own
    Places       trees of the host, of other containers and of volumes
    Reach        names, addresses and ports

Empty and 0 mean "not said", as in `spec`.  The names are ours; `fields` knows Docker's.

Source: Docker Engine API v1.45, ContainerCreate; moby, api/types/container/hostconfig.go
and api/types/mount/mount.go.
"""

from dataclasses import dataclass

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DeviceRate:
    """A number for one disk: a weight, or bytes or operations per second."""

    path: str = ""  # host
    rate: int = 0


@dataclass(frozen=True, slots=True)
class DeviceMapping:
    """A device of the host that shall be there inside, too."""

    host_path: str = ""
    path: str = ""  # inside
    permissions: str = ""  # out of r, w, m


@dataclass(frozen=True, slots=True)
class DeviceRequest:
    """Devices that a driver would have to find."""

    driver: str = ""
    count: int = 0
    ids: tuple[str, ...] | None = None
    capabilities: tuple[tuple[str, ...], ...] | None = None
    options: Pairs | None = None


@dataclass(frozen=True, slots=True)
class Resources:
    """What it may use up, and what belongs into its accounts."""

    cpu_shares: int = 0
    cpu_period_us: int = 0
    cpu_quota_us: int = 0
    cpu_realtime_period_us: int = 0
    cpu_realtime_runtime_us: int = 0
    cpuset_cpus: str = ""  # 0-3,5
    cpuset_mems: str = ""
    cpu_count: int = 0  # these four are Windows's
    cpu_percent: int = 0
    io_maximum_iops: int = 0
    io_maximum_bandwidth: int = 0
    cgroup_parent: str = ""
    memory_reservation_bytes: int = 0
    memory_swap_bytes: int = 0  # memory and swap together; -1: no limit
    memory_swappiness: int | None = None  # percent; None and -1: the host's
    kernel_memory_bytes: int = 0  # no kernel keeps it any more
    kernel_memory_tcp_bytes: int = 0
    disables_oom_killer: bool | None = None
    blkio_weight: int = 0
    blkio_weights: tuple[DeviceRate, ...] = ()
    blkio_read_bps: tuple[DeviceRate, ...] = ()
    blkio_write_bps: tuple[DeviceRate, ...] = ()
    blkio_read_iops: tuple[DeviceRate, ...] = ()
    blkio_write_iops: tuple[DeviceRate, ...] = ()
    devices: tuple[DeviceMapping, ...] = ()
    device_rules: tuple[str, ...] = ()  # c 1:3 rwm
    device_requests: tuple[DeviceRequest, ...] = ()


@dataclass(frozen=True, slots=True)
class Worlds:
    """Which namespaces are the container's own: "" as by default, or a word of Docker's."""

    ipc: str = ""  # none, private, shareable, host, container:NAME
    pid: str = ""  # host, container:NAME
    uts: str = ""  # host
    user: str = ""  # host
    cgroup: str = ""  # host, private
    cgroup_of: str = ""  # Docker's "Cgroup", which nothing reads
    isolation: str = ""
    runtime: str = ""


@dataclass(frozen=True, slots=True)
class BindOptions:
    """How a tree of the host is shown."""

    propagation: str = ""
    is_flat: bool = False  # without what is mounted below
    makes_source: bool = False
    is_flat_readonly: bool = False
    forces_readonly: bool = False


@dataclass(frozen=True, slots=True)
class Driver:
    """Who keeps a volume."""

    name: str = ""
    options: Pairs = ()


@dataclass(frozen=True, slots=True)
class VolumeOptions:
    """How a volume is made and shown."""

    is_left_empty: bool = False  # the image's files are not copied into it
    labels: Pairs = ()
    subpath: str = ""
    driver: Driver | None = None


@dataclass(frozen=True, slots=True)
class TmpfsOptions:
    """How large a tree in memory may grow, and the mode of its root."""

    size_bytes: int = 0
    mode: int = 0


@dataclass(frozen=True, slots=True)
class MountWish:
    """One `--mount`."""

    kind: str = ""  # bind, volume, tmpfs
    source: str = ""
    target: str = ""
    is_readonly: bool = False
    consistency: str = ""
    bind: BindOptions | None = None
    volume: VolumeOptions | None = None
    tmpfs: TmpfsOptions | None = None
    has_cluster_options: bool = False


@dataclass(frozen=True, slots=True)
class Places:
    """Trees from elsewhere; `volumes` are the request's own, without the image's."""

    volumes: tuple[str, ...] = ()
    binds: tuple[str, ...] = ()
    mounts: tuple[MountWish, ...] = ()
    volumes_from: tuple[str, ...] = ()
    volume_driver: str = ""
    storage_options: Pairs = ()


@dataclass(frozen=True, slots=True)
class PortBinding:
    """Where on the host a port can be reached: (address, port) each; None: null."""

    port: str  # 80/tcp
    hosts: tuple[tuple[str, str], ...] | None = ()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A place in a network that was asked for."""

    network: str
    address: str = ""  # IPv4
    address6: str = ""
    link_local: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    mac_address: str = ""
    options: Pairs = ()
    is_null: bool = False


@dataclass(frozen=True, slots=True)
class Reach:
    """Names, addresses and ports."""

    exposed: tuple[str, ...] = ()  # 80/tcp; the request's own, without the image's
    published: tuple[PortBinding, ...] = ()
    publishes_all: bool = False
    mac_address: str = ""
    is_disabled: bool = False
    dns: tuple[str, ...] = ()
    dns_options: tuple[str, ...] = ()
    dns_search: tuple[str, ...] = ()
    extra_hosts: tuple[str, ...] = ()  # name:address
    links: tuple[str, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()

    @property
    def linked(self) -> tuple[tuple[str, str], ...]:
        """Give the links as pairs: the other's name as it was typed, and the alias.

        >>> Reach(links=("db:store", "/cache")).linked
        (('db', 'store'), ('cache', 'cache'))
        """
        pairs = (link.lstrip("/").partition(":") for link in self.links)
        return tuple((name, alias or name) for name, _, alias in pairs)
