"""A request, spelled as the command that would make it.

Errors use this to answer with the corrected command instead of advice about one.  Values of
variables are secrets more often than not, so they are named and not repeated: `--env NAME`
copies the value from the shell of whoever runs the line.

Source: docker run --help; the same words are read by `pyminidock.cli`.
"""

import shlex
from collections.abc import Iterator

from pyminidock.container.spec import CreateRequest, ExecRequest
from pyminidock.grammar.environment import name_of
from pyminidock.grammar.sizes import show_cpus, show_memory


def spell_run(request: CreateRequest) -> str:
    """Give the `minidock run` line of a request.

    A seccomp profile is left out: its text came out of a file whose name is not known here,
    and without one the default filter applies, which is the stricter choice.

    >>> asked = CreateRequest("busybox", command=("echo", "a b"), memory_bytes=64 << 20,
    ...                       environment=("TOKEN=secret",), user="web")
    >>> spell_run(asked)
    "minidock run --user web --env TOKEN --memory 64m busybox echo 'a b'"
    """
    words = ["minidock", "run", *_about_process(request), *_about_powers(request)]
    entrypoint, command = request.entrypoint, request.command
    if entrypoint is not None:
        words += ["--entrypoint", entrypoint[0] if entrypoint else ""]
        command = (*entrypoint[1:], *command)
    return shlex.join([*words, request.image, *command])


def spell_exec(request: ExecRequest, container: str) -> str:
    """Give the `minidock exec` line of a request.

    >>> spell_exec(ExecRequest(("id",), user="root"), "web")
    'minidock exec --user root web id'
    """
    words = ["minidock", "exec"]
    words += ["--user", request.user] if request.user else []
    words += ["--workdir", request.working_directory] if request.working_directory else []
    for entry in request.environment:
        words += ["--env", name_of(entry)]
    words += ["--privileged"] if request.is_privileged else []
    words += ["-i"] if request.keeps_stdin else []
    words += ["-t"] if request.has_terminal else []
    return shlex.join([*words, container, *request.command])


def _about_process(request: CreateRequest) -> Iterator[str]:
    """Who and where, streams and names."""
    for flag, text in (
        ("--name", request.name),
        ("--hostname", request.hostname),
        ("--user", request.user),
        ("--workdir", request.working_directory),
    ):
        yield from (flag, text) if text else ()
    for group in request.group_add:
        yield from ("--group-add", group)
    for entry in request.environment:
        yield from ("--env", name_of(entry))
    yield from ("--rm",) if request.auto_remove else ()
    yield from ("-i",) if request.keeps_stdin else ()
    yield from ("-t",) if request.has_terminal else ()
    yield from ("--init",) if request.uses_init else ()


def _about_powers(request: CreateRequest) -> Iterator[str]:
    """Budgets, capabilities and what else narrows or widens the walls."""
    if request.memory_bytes:
        yield from ("--memory", show_memory(request.memory_bytes))
    if request.nano_cpus:
        yield from ("--cpus", show_cpus(request.nano_cpus))
    if request.pids_limit:
        yield from ("--pids-limit", str(request.pids_limit))
    for limit in request.ulimits:
        yield from ("--ulimit", str(limit))
    yield from ("--read-only",) if request.is_root_readonly else ()
    for place, options in request.tmpfs:
        yield from ("--tmpfs", f"{place}:{options}" if options else place)
    for name in request.cap_add:
        yield from ("--cap-add", name)
    for name in request.cap_drop:
        yield from ("--cap-drop", name)
    yield from ("--privileged",) if request.is_privileged else ()
    yield from _about_limits(request)
    for option in request.security_options:
        if "{" not in option:
            yield from ("--security-opt", option)
    if request.network_mode not in ("", "default"):
        yield from ("--network", request.network_mode)


def _about_limits(request: CreateRequest) -> Iterator[str]:
    """Give the rarer limits and shared worlds, as `docker run` has them."""
    asked, worlds = request.resources, request.worlds
    for flag, size in (
        ("--memory-swap", asked.memory_swap_bytes),
        ("--memory-reservation", asked.memory_reservation_bytes),
        ("--shm-size", request.shm_bytes),
    ):
        if size:
            yield from (flag, show_memory(size) if size > 0 else str(size))
    for flag, number in (
        ("--cpu-shares", asked.cpu_shares),
        ("--cpu-period", asked.cpu_period_us),
        ("--cpu-quota", asked.cpu_quota_us),
        ("--oom-score-adj", request.oom_score),
    ):
        yield from (flag, str(number)) if number else ()
    for flag, text in (
        ("--cpuset-cpus", asked.cpuset_cpus),
        ("--cpuset-mems", asked.cpuset_mems),
        ("--domainname", request.domainname),
        ("--ipc", worlds.ipc),
        ("--pid", worlds.pid),
        ("--uts", worlds.uts),
        ("--cgroupns", worlds.cgroup),
        ("--restart", request.restart_policy if request.restart_policy != "no" else ""),
        ("--stop-signal", request.stop_signal),
    ):
        yield from (flag, text) if text else ()
    for key, value in request.sysctls:
        yield from ("--sysctl", f"{key}={value}")
