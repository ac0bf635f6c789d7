"""Docker's names for the parts of a request, in Docker's order: one table for both ways.

    {"HostConfig": {"ShmSize": 1}}  ── api.structs ──►  CreateRequest(shm_bytes=1)
    {"HostConfig": {"ShmSize": 1}}  ◄── written ──────  CreateRequest(shm_bytes=1)

A row is what Go writes as one line of a struct: a name, a type, `omitempty` (see
`structs`).  A request notes in `given_empty` which lists were sent empty, and inspect
answers with the same word.

Source: moby v26.1, api/types/container/{config,hostconfig}.go, api/types/mount/mount.go.
"""

from pyminidock.container import asked
from pyminidock.container.structs import Struct, read_rows
from pyminidock.grammar.ulimits import Ulimit
from pyminidock.image.config import Healthcheck

_WEIGHT = Struct(
    "WeightDevice", asked.DeviceRate, read_rows("Path path TEXT\nWeight rate SMALL")
)
_RATE = Struct(
    "ThrottleDevice", asked.DeviceRate, read_rows("Path path TEXT\nRate rate RATE")
)
ULIMIT = Struct(
    "Ulimit", Ulimit, read_rows("Name name TEXT\nHard hard NUMBER\nSoft soft NUMBER")
)
_DEVICE = Struct(
    "DeviceMapping",
    asked.DeviceMapping,
    read_rows("""
        PathOnHost        host_path   TEXT
        PathInContainer   path        TEXT
        CgroupPermissions permissions TEXT
    """),
)
_REQUEST = Struct(
    "DeviceRequest",
    asked.DeviceRequest,
    read_rows("""
        Driver       driver       TEXT
        Count        count        INT
        DeviceIDs    ids          TEXTS pointer
        Capabilities capabilities LISTS pointer
        Options      options      TABLE pointer
    """),
)
_BIND = Struct(
    "BindOptions",
    asked.BindOptions,
    read_rows("""
        Propagation            propagation      TEXT omit mount.Propagation
        NonRecursive           is_flat          FLAG omit
        CreateMountpoint       makes_source     FLAG omit
        ReadOnlyNonRecursive   is_flat_readonly FLAG omit
        ReadOnlyForceRecursive forces_readonly  FLAG omit
    """),
)
_DRIVER = Struct(
    "Driver", asked.Driver, read_rows("Name name TEXT omit\nOptions options TABLE omit")
)
_VOLUME = Struct(
    "VolumeOptions",
    asked.VolumeOptions,
    read_rows(
        """
        NoCopy       is_left_empty FLAG   omit
        Labels       labels        TABLE  omit
        Subpath      subpath       TEXT   omit
        DriverConfig driver        STRUCT omit pointer
        """,
        DriverConfig=_DRIVER,
    ),
)
_TMPFS = Struct(
    "TmpfsOptions",
    asked.TmpfsOptions,
    read_rows("SizeBytes size_bytes NUMBER omit\nMode mode MODE omit"),
)
MOUNT = Struct(
    "Mount",
    asked.MountWish,
    read_rows(
        """
        Type          kind        TEXT   omit mount.Type
        Source        source      TEXT   omit
        Target        target      TEXT   omit
        ReadOnly      is_readonly FLAG   omit
        Consistency   consistency TEXT   omit mount.Consistency
        BindOptions   bind        STRUCT omit pointer
        VolumeOptions volume      STRUCT omit pointer
        TmpfsOptions  tmpfs       STRUCT omit pointer
        """,
        BindOptions=_BIND,
        VolumeOptions=_VOLUME,
        TmpfsOptions=_TMPFS,
    ),
)
HEALTHCHECK = Struct(
    "HealthcheckConfig",
    Healthcheck,
    read_rows("""
        Test          test              TEXTS  omit
        Interval      interval_ns       NUMBER omit time.Duration
        Timeout       timeout_ns        NUMBER omit time.Duration
        StartPeriod   start_period_ns   NUMBER omit time.Duration
        StartInterval start_interval_ns NUMBER omit time.Duration
        Retries       retries           INT    omit
    """),
)

CONFIG = Struct(
    "ContainerConfigWrapper",
    dict,
    read_rows(
        """
        @Config@
        Hostname        hostname          TEXT
        Domainname      domainname        TEXT
        User            user              TEXT
        ExposedPorts    reach.exposed     NAMES  omit nat.PortSet
        Tty             has_terminal      FLAG
        OpenStdin       keeps_stdin       FLAG
        StdinOnce       stdin_once        FLAG
        Env             environment       TEXTS
        Cmd             command           WORDS
        Healthcheck     healthcheck       STRUCT omit pointer v1.HealthcheckConfig
        ArgsEscaped     args_escaped      FLAG   omit
        Image           image             TEXT
        Volumes         places.volumes    NAMES
        WorkingDir      working_directory TEXT
        Entrypoint      entrypoint        WORDS  pointer
        NetworkDisabled reach.is_disabled FLAG   omit
        MacAddress      reach.mac_address TEXT   omit
        OnBuild         on_build          TEXTS
        Labels          labels            TABLE
        StopSignal      stop_signal       TEXT   omit
        StopTimeout     stop_timeout      INT    omit pointer
        Shell           shell             WORDS  omit
        """,
        Healthcheck=HEALTHCHECK,
    ),
)
_RESOURCES = """
        @Resources@
        CpuShares            resources.cpu_shares               NUMBER
        Memory               memory_bytes                       NUMBER
        NanoCpus             nano_cpus                          NUMBER
        CgroupParent         resources.cgroup_parent            TEXT
        BlkioWeight          resources.blkio_weight             SMALL
        BlkioWeightDevice    resources.blkio_weights            STRUCTS
        BlkioDeviceReadBps   resources.blkio_read_bps           STRUCTS
        BlkioDeviceWriteBps  resources.blkio_write_bps          STRUCTS
        BlkioDeviceReadIOps  resources.blkio_read_iops          STRUCTS
        BlkioDeviceWriteIOps resources.blkio_write_iops         STRUCTS
        CpuPeriod            resources.cpu_period_us            NUMBER
        CpuQuota             resources.cpu_quota_us             NUMBER
        CpuRealtimePeriod    resources.cpu_realtime_period_us   NUMBER
        CpuRealtimeRuntime   resources.cpu_realtime_runtime_us  NUMBER
        CpusetCpus           resources.cpuset_cpus              TEXT
        CpusetMems           resources.cpuset_mems              TEXT
        Devices              resources.devices                  STRUCTS
        DeviceCgroupRules    resources.device_rules             TEXTS
        DeviceRequests       resources.device_requests          STRUCTS
        KernelMemory         resources.kernel_memory_bytes      NUMBER omit
        KernelMemoryTCP      resources.kernel_memory_tcp_bytes  NUMBER omit
        MemoryReservation    resources.memory_reservation_bytes NUMBER
        MemorySwap           resources.memory_swap_bytes        NUMBER
        MemorySwappiness     resources.memory_swappiness        NUMBER pointer
        OomKillDisable       resources.disables_oom_killer      FLAG   pointer
        PidsLimit            pids_limit                         NUMBER
        Ulimits              ulimits                            STRUCTS
        CpuCount             resources.cpu_count                NUMBER
        CpuPercent           resources.cpu_percent              NUMBER
        IOMaximumIOps        resources.io_maximum_iops          RATE
        IOMaximumBandwidth   resources.io_maximum_bandwidth     RATE
        @@
"""
_OF_RESOURCES = {
    "BlkioWeightDevice": _WEIGHT, "BlkioDeviceReadBps": _RATE,
    "BlkioDeviceWriteBps": _RATE, "BlkioDeviceReadIOps": _RATE,
    "BlkioDeviceWriteIOps": _RATE, "Devices": _DEVICE, "DeviceRequests": _REQUEST,
    "Ulimits": ULIMIT,
}  # fmt: skip
HOST = Struct(
    "HostConfig",
    dict,
    read_rows(
        f"""
        Binds           places.binds           TEXTS
        ContainerIDFile id_file                TEXT
        NetworkMode     network_mode           TEXT  container.NetworkMode
        PortBindings    reach.published        PORTS
        AutoRemove      auto_remove            FLAG
        VolumeDriver    places.volume_driver   TEXT
        VolumesFrom     places.volumes_from    TEXTS
        ConsoleSize     console_size           SIZE
        Annotations     annotations            TABLE omit
        CapAdd          cap_add                WORDS
        CapDrop         cap_drop               WORDS
        CgroupnsMode    worlds.cgroup          TEXT  container.CgroupnsMode
        Dns             reach.dns              TEXTS
        DnsOptions      reach.dns_options      TEXTS
        DnsSearch       reach.dns_search       TEXTS
        ExtraHosts      reach.extra_hosts      TEXTS
        GroupAdd        group_add              TEXTS
        IpcMode         worlds.ipc             TEXT  container.IpcMode
        Cgroup          worlds.cgroup_of       TEXT  container.CgroupSpec
        Links           reach.links            TEXTS
        OomScoreAdj     oom_score              INT
        PidMode         worlds.pid             TEXT  container.PidMode
        Privileged      is_privileged          FLAG
        PublishAllPorts reach.publishes_all    FLAG
        ReadonlyRootfs  is_root_readonly       FLAG
        SecurityOpt     security_options       TEXTS
        StorageOpt      places.storage_options TABLE omit
        Tmpfs           tmpfs                  TABLE omit
        UTSMode         worlds.uts             TEXT  container.UTSMode
        UsernsMode      worlds.user            TEXT  container.UsernsMode
        ShmSize         shm_bytes              NUMBER
        Sysctls         sysctls                TABLE omit
        Runtime         worlds.runtime         TEXT  omit
        Isolation       worlds.isolation       TEXT  container.Isolation
        {_RESOURCES}
        Mounts          places.mounts          STRUCTS omit
        MaskedPaths     masked_paths           TEXTS pointer
        ReadonlyPaths   readonly_paths         TEXTS pointer
        Init            uses_init              FLAG  omit pointer
        """,
        Mounts=MOUNT,
        **_OF_RESOURCES,
    ),
)
UPDATE = Struct("UpdateConfig", dict, read_rows(_RESOURCES, **_OF_RESOURCES))
