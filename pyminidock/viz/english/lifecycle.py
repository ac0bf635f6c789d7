"""Words about a container that lives on: stopped, paused, renamed, probed, copied from."""

from collections.abc import Mapping

from pyminidock.viz.english.words import Words

LIFECYCLE: Mapping[str, Words] = {
    "container.stopped": (
        "The container was stopped",
        "It was asked politely first; only who does not listen in time is killed.",
        "the stop signal, then after the grace period SIGKILL; {container}",
    ),
    "container.paused": (
        "Every process of the container stands still",
        "A frozen process gets no turn on a processor; it does not even notice.",
        "freezer.state FROZEN, on cgroup v2 cgroup.freeze 1; {container}",
    ),
    "container.unpaused": (
        "The processes of the container go on",
        "They continue at the very instruction where they were frozen.",
        "freezer.state THAWED, on cgroup v2 cgroup.freeze 0; {container}",
    ),
    "container.restarted": (
        "The container was stopped and started again",
        "Its writable layer stayed: what it had written before is still there.",
        "POST /containers/{container}/restart",
    ),
    "restart.scheduled": (
        "It will be started again in {delay_ms} ms, for the {attempt}. time",
        "The wait doubles with every failure, so a broken program leaves room for others.",
        "restart policy of {container}: attempt {attempt}, after {delay_ms} ms",
    ),
    "container.renamed": (
        "Container {before} is called {after} now",
        "A name is a label; the id, and everything that was mounted, stays.",
        "{container}: /{before} → /{after}",
    ),
    "container.updated": (
        "Limits of the container were changed",
        "A limit is a number in a file of the kernel: it can change while programs run.",
        "POST /containers/{container}/update",
    ),
    "container.attached": (
        "A client is connected with the program's input and output",
        "What the program prints goes to everybody attached, and into the log as well.",
        "POST /containers/{container}/attach",
    ),
    "container.detached": (
        "A client let go; the program goes on",
        "The detach keys are for the client alone: the program never sees them.",
        "the connection to {container} is closed, its streams stay open",
    ),
    "terminal.resized": (
        "The terminal is {columns} columns wide and {rows} rows high",
        "Whoever draws on a terminal is told of its size with a signal.",
        "ioctl(2) TIOCSWINSZ {rows}x{columns}; SIGWINCH follows",
    ),
    "memory.exhausted": (
        "The kernel killed a process of the container: its memory was used up",
        "The account that ran out was the container's; the machine may have plenty.",
        "memory cgroup of {container}: oom_kill",
    ),
    "exec.detached": (
        "A client let go of the second program, which goes on",
        "Leaving is not ending: only the program itself, or a signal, ends it.",
        "the connection to exec {exec} is closed, its streams stay open",
    ),
    "health.probed": (
        "The health check ended with status {exit_code}",
        "It is a second program inside that looks at the first: 0 means well, 1 means ill.",
        "health check of {container}: status {exit_code}, {output_bytes} bytes of output",
    ),
    "health.changed": (
        "The container is {status} now",
        "One failed probe proves little, so it takes several in a row to change the word.",
        "health of {container}: {status}",
    ),
    "container.exported": (
        "The container's tree was written into an archive",
        "All layers are seen as one tree here: what they hide is not in the archive.",
        "GET /containers/{container}/export",
    ),
    "path.archived": (
        "{path} was read out of the container",
        "The path is looked up inside the container's root, so no link can lead outside.",
        "openat2(2) {path}, RESOLVE_IN_ROOT, in {container}",
    ),
    "path.extracted": (
        "Files were put into {path} of the container",
        "They land in the writable layer: the image below stays as it is.",
        "openat2(2) {path}, RESOLVE_IN_ROOT, in {container}; tar -x",
    ),
    "container.committed": (
        "What the container changed became a layer of a new image",
        "The writable layer is copied; the container keeps its own and goes on.",
        "{container} → {image} {reference!r}, comment {comment!r}",
    ),
    "processes.listed": (
        "Somebody asked which processes run inside",
        "The host sees them all: they are ordinary processes with numbers of its own.",
        "ps {arguments}, its lines kept whose pid is in the cgroup of {container}",
    ),
    "containers.pruned": (
        "The stopped containers are gone: {reclaimed} bytes came back",
        "What comes back is what they had written; images stay until they are pruned too.",
        "POST /containers/prune: {reclaimed} bytes",
    ),
}
