"""Words about a container and the programs in it."""

from collections.abc import Mapping

from pyminidock.viz.english.words import Words

CONTAINER: Mapping[str, Words] = {
    "container.created": (
        "Container {name} exists: a record and a writable layer, no process yet",
        "Creating and starting are two steps, so a container can be started again.",
        "id {container}, image {image}, command {command}",
    ),
    "user.resolved": (
        "The program will run as user {uid}, group {gid}",
        "Names are looked up in the image's own /etc/passwd, never in the host's.",
        "--user {asked!r} → uid {uid} gid {gid} groups {groups}, home {home} ({source})",
    ),
    "spec.resolved": (
        "Everything is decided: run {command}",
        "Flags, image defaults and the user are numbers now; from here nothing guesses.",
        "uid {uid} gid {gid}, {capabilities_count} capabilities, seccomp {seccomp}, "
        "cwd {working_directory}",
    ),
    "plan.made": (
        "The start is a plan now: {calls} calls to the kernel, in order",
        "A plan is a value: it can be printed, compared, and failed at any call in a test.",
        "{verbs}",
    ),
    "container.started": (
        "The container runs; the host sees it as process {pid}",
        "There is no machine inside: a container is a process that sees less.",
        "pid {pid} on the host, PID 1 inside",
    ),
    "container.start.failed": (
        "The start was refused: {reason}",
        "Every call has an undo beside it, so what had been done was taken back.",
        "{verb} failed; exit code {exit_code}",
    ),
    "isolation.observed": (
        "The kernel confirms what separates the process from the host",
        "Read back from outside, not taken from the plan. Shared with the host: {shared}",
        "/proc/{pid}: CapEff {capabilities_effective}, Seccomp {seccomp_mode}, "
        "NoNewPrivs {no_new_privileges:d}",
    ),
    "isolation.unobserved": (
        "The program ended before anyone could look at it",
        "Short programs are gone in a millisecond; what was planned still holds.",
        "/proc/PID could not be read: {reason}",
    ),
    "container.exited": (
        "The program ended with status {exit_code}",
        "PID 1 is the container: when it ends, the kernel ends everything else inside.",
        "waitid(2): status {exit_code}, signal {signal}",
    ),
    "container.exited/memory": (
        "The kernel killed the program: its memory budget was used up",
        "The account that ran out was the container's, not the machine's.",
        "OOM killer: signal {signal}, status {exit_code} = 128 + 9",
    ),
    "container.wrote": (
        "It wrote {count}: {listed}",
        "All of it lies in one directory of the host; the image below is as it was.",
        "overlayfs kept it in {upper}",
    ),
    "container.signalled": (
        "Signal {signal} was sent to the first process",
        "PID 1 ignores signals that it has no handler for, except KILL from outside.",
        "kill(2) by the shim, its parent: signal {signal}",
    ),
    "container.removed": (
        "Container {name} is gone: record, layer and log",
        "What was read from the image is untouched: it was never the container's own.",
        "{container} removed",
    ),
    "exec.created": (
        "A second program is asked for in the container: {command}",
        "It will join what already exists; nothing new is mounted or made.",
        "exec {exec} of {container}",
    ),
    "exec.started": (
        "The second program runs beside the first, as process {pid}",
        "It sees what the first one sees because it lives in the same namespaces.",
        "setns(2) into each namespace of PID 1, then clone and execve; pid {pid}",
    ),
    "exec.start.failed": (
        "The second program could not be started: {reason}",
        "The container does not notice: what had been begun beside it was taken back.",
        "exec {exec} of {container} refused; exit code {exit_code}",
    ),
    "exec.exited": (
        "The second program ended with status {exit_code}",
        "The container goes on: only the end of PID 1 ends it.",
        "waitid(2): status {exit_code} of exec {exec}",
    ),
}
