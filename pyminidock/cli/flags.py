"""The flags of `docker run`: what can be said about a container before it exists.

Here they are declared, in groups; what they become is `createbody`, `hostconfig` and
`endpoints`.  No flag has a default here: what is not typed is not asked for.

Source: docker/cli, cli/command/container/opts.go, addFlags().
"""

import click

from pyminidock.cli.words import switch, text, texts


def container_flags() -> list[click.Parameter]:
    """Declare the flags that make a container what it is."""
    return [
        *process_flags(), *_identity_flags(), *_wall_flags(), *_limit_flags(),
        *_file_flags(), *_network_flags(), *_later_flags(),
    ]  # fmt: skip


def process_flags() -> list[click.Parameter]:
    """Declare the flags of any process, the first of a container or a second one."""
    return [
        text("--user", "-u", help="who it is", metavar="USER[:GROUP]"),
        texts("--env", "-e", help="a variable", metavar="NAME=VALUE"),
        texts("--env-file", help="a file of variables", metavar="FILE"),
        text("--workdir", "-w", help="where it stands at first", metavar="PATH"),
        switch("--interactive", "-i", help="it reads what you type"),
        switch("--tty", "-t", help="it has a terminal"),
    ]


def _identity_flags() -> list[click.Parameter]:
    return [
        texts("--attach", "-a", help="which streams are ours", metavar="STREAM"),
        texts("--group-add", help="one more group", metavar="GROUP"),
        text("--entrypoint", help="the program instead of the image's", metavar="PROGRAM"),
        text("--name", help="what the container is called", metavar="NAME"),
        text("--hostname", "-h", help="what it calls itself", metavar="NAME"),
        text("--domainname", help="and its domain", metavar="NAME"),
        texts("--label", "-l", help="a note on it", metavar="NAME=VALUE"),
        texts("--label-file", help="a file of notes", metavar="FILE"),
        texts("--annotation", help="a note for the runtime", metavar="NAME=VALUE"),
        text(
            "--from",
            help="in place of IMAGE: begin at a moment of a story",
            metavar="STORY@STEP",
        ),
        text("--cidfile", help="write the id into a file", metavar="FILE"),
        text("--platform", help="of which machine the image is", metavar="OS/ARCH"),
        text("--pull", help="always, missing or never", metavar="WHEN"),
        switch("--quiet", "-q", help="say nothing of the pull"),
        switch("--disable-content-trust", help="as Docker has it; nothing is signed here"),
        text("--runtime", help="which runtime starts it", metavar="NAME"),
        text("--isolation", help="as Docker has it, for Windows", metavar="NAME"),
    ]


def _wall_flags() -> list[click.Parameter]:
    return [
        texts("--cap-add", help="one more capability", metavar="NAME"),
        texts("--cap-drop", help="one capability less, or ALL", metavar="NAME"),
        switch("--privileged", help="all capabilities and devices, no filter, no masks"),
        texts("--security-opt", help="no-new-privileges, seccomp=FILE", metavar="OPTION"),
        text("--userns", help="host: no user namespace of its own", metavar="MODE"),
        text("--ipc", help="whose shared memory: private, host …", metavar="MODE"),
        text("--pid", help="whose processes: host, container:NAME", metavar="MODE"),
        text("--uts", help="whose host name: host", metavar="MODE"),
        text("--cgroupns", help="whose cgroups: host or private", metavar="MODE"),
        texts("--sysctl", help="a setting of the kernel", metavar="NAME=VALUE"),
    ]


def _limit_flags() -> list[click.Parameter]:
    size, number = "SIZE", "N"
    return [
        text("--memory", "-m", help="the most memory: 64m", metavar=size),
        text("--memory-reservation", help="memory when it gets scarce", metavar=size),
        text("--memory-swap", help="memory and swap together; -1: any", metavar=size),
        text("--memory-swappiness", help="0 to 100", metavar=number),
        text("--kernel-memory", help="as Docker has it; kernels know it no more",
             metavar=size),
        switch("--oom-kill-disable", help="out of memory, it waits"),
        text("--oom-score-adj", help="how soon it is killed: -1000 to 1000",
             metavar=number),
        text("--cpus", help="the most processors: 0.5", metavar="NUMBER"),
        text("--cpu-shares", "-c", help="its share among others", metavar=number),
        text("--cpu-period", help="microseconds of a period", metavar=number),
        text("--cpu-quota", help="microseconds it has of a period", metavar=number),
        text("--cpu-rt-period", help="the same, for real time", metavar=number),
        text("--cpu-rt-runtime", help="the same, for real time", metavar=number),
        text("--cpuset-cpus", help="on which processors: 0-3", metavar="LIST"),
        text("--cpuset-mems", help="on which memory nodes", metavar="LIST"),
        text("--pids-limit", help="the most processes; -1 for any number", metavar=number),
        texts("--ulimit", help="a limit of one process", metavar="NAME=SOFT[:HARD]"),
        text("--blkio-weight", help="its share of disks: 10 to 1000", metavar=number),
        texts("--blkio-weight-device", help="its share of one disk", metavar="DEVICE:N"),
        texts("--device-read-bps", help="bytes read a second", metavar="DEVICE:SIZE"),
        texts("--device-write-bps", help="bytes written a second", metavar="DEVICE:SIZE"),
        texts("--device-read-iops", help="reads a second", metavar="DEVICE:N"),
        texts("--device-write-iops", help="writes a second", metavar="DEVICE:N"),
        text("--cgroup-parent", help="the cgroup above its own", metavar="PATH"),
        text("--shm-size", help="the size of /dev/shm", metavar=size),
        *(text(f"--{name}", help="for Windows only", metavar=number) for name in WINDOWS),
    ]  # fmt: skip


WINDOWS = ("cpu-count", "cpu-percent", "io-maxbandwidth", "io-maxiops")
"""Limits that only Docker on Windows has."""


def _file_flags() -> list[click.Parameter]:
    return [
        switch("--read-only", help="nothing in its root can be written"),
        texts("--tmpfs", help="a tree in memory", metavar="PATH[:OPTIONS]"),
        texts("--volume", "-v", help="a place of the host, or a volume",
              metavar="[SOURCE:]PATH[:ro]"),
        texts("--mount", help="the same, at length", metavar="type=…,src=…,dst=…"),
        texts("--volumes-from", help="those of another container", metavar="NAME[:ro]"),
        text("--volume-driver", help="who makes its volumes", metavar="NAME"),
        switch("--glass", help="show every lookup in its layers, and let gates hold it"),
        switch("--watch", help="show which files it uses, and let gates hold it"),
        texts("--storage-opt", help="an option of the storage", metavar="NAME=VALUE"),
        texts("--device", help="a device of the host", metavar="PATH[:PATH][:rwm]"),
        texts("--device-cgroup-rule", help="which devices it may use", metavar="RULE"),
        texts("--gpus", help="graphics cards, or all", metavar="REQUEST"),
    ]  # fmt: skip


def _network_flags() -> list[click.Parameter]:
    return [
        texts("--network", "--net", help="which: a name, none, host …", metavar="NAME"),
        texts("--network-alias", "--net-alias", help="one more name there", metavar="NAME"),
        text("--ip", help="its address there", metavar="ADDRESS"),
        text("--ip6", help="the same, IPv6", metavar="ADDRESS"),
        texts("--link-local-ip", help="a link-local address", metavar="ADDRESS"),
        text("--mac-address", help="its hardware address", metavar="ADDRESS"),
        texts("--link", help="a container that it can name", metavar="NAME[:ALIAS]"),
        texts("--publish", "-p", help="a port of the host leads to one of its own",
              metavar="[HOST:]PORT"),
        switch("--publish-all", "-P", help="all that the image exposes"),
        texts("--expose", help="a port that it offers", metavar="PORT"),
        texts("--add-host", help="a name and its address", metavar="NAME:ADDRESS"),
        texts("--dns", help="who resolves names", metavar="ADDRESS"),
        texts("--dns-option", "--dns-opt", help="how", metavar="OPTION"),
        texts("--dns-search", help="in which domains", metavar="DOMAIN"),
    ]  # fmt: skip


def _later_flags() -> list[click.Parameter]:
    """Declare what concerns its life and its end."""
    when = "TIME"
    return [
        switch("--rm", help="remove it at its end"),
        text("--restart", help="no, always, unless-stopped, on-failure[:N]",
             metavar="POLICY"),
        text("--stop-signal", help="what asks it to end", metavar="SIGNAL"),
        text("--stop-timeout", help="seconds until it is killed", metavar="N"),
        switch("--init", help="a small init as PID 1: forwards signals, reaps"),
        text("--health-cmd", help="what tells whether it is well", metavar="COMMAND"),
        text("--health-interval", help="how often that is asked", metavar=when),
        text("--health-timeout", help="how long it may take", metavar=when),
        text("--health-retries", help="how many failures are too many", metavar="N"),
        text("--health-start-period", help="how long failures do not count", metavar=when),
        text("--health-start-interval", help="how often it is asked then", metavar=when),
        switch("--no-healthcheck", help="do not ask, whatever the image says"),
        text("--log-driver", help="what keeps its output", metavar="NAME"),
        texts("--log-opt", help="and how", metavar="NAME=VALUE"),
    ]  # fmt: skip
