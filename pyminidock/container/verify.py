"""A request is looked over before anything is made: in Docker's order, with its words.

    1  what contradicts itself          netmode.check_mode, isolation, quality of service
    2  the process                      signal, variables, directory, health check
    3  the host's side                  --rm and --restart, mounts, hosts, ports, policy
    4  what it may use up               budget
    5  which worlds it shares           namespaces, runtime, log
    6  places in networks               netmode.check_endpoints

Image and name come later: a request that cannot be is refused even if its image is unknown.

Source: moby, runconfig/config.go, validate(); daemon/container.go,
verifyContainerSettings(); daemon/daemon_unix.go, verifyPlatformContainerSettings().
"""

import re
import signal as signals
from dataclasses import replace

from pyminidock.container import budget, mountpoints, netmode
from pyminidock.container.faults import FAULT, refusal
from pyminidock.container.spec import CreateRequest, Healthcheck
from pyminidock.grammar.logoptions import JSON_FILE, check_names
from pyminidock.kernel.port import Machine

POLICIES = ("no", "always", "on-failure", "unless-stopped")
RUNTIMES = ("", "runc", "io.containerd.runc.v2")
_MILLISECOND_NS = 1_000_000
_HIGHEST_SIGNAL = 64


def verify(request: CreateRequest, machine: Machine) -> None:
    """Refuse what cannot be.  Raises a MinidockError; nothing has been done."""
    netmode.check_mode(request)
    _check_isolation(request)
    _check_process(request)
    if request.healthcheck:
        _check_health(request, request.healthcheck)
    if request.auto_remove and request.restart_policy not in ("", "no"):
        raise refusal(
            request, "can't create 'AutoRemove' container with restart policy",
            "what is removed at its end cannot be started again",
            lesson="lifecycle", auto_remove=False,
        )  # fmt: skip
    mountpoints.check_places(request)
    netmode.check_reach(request)
    check_policy(request)
    if ("", "") in [(name, "") for name, _ in request.annotations]:
        raise refusal(
            request,
            "invalid Annotations: the empty string is not permitted as an annotation key",
            "an annotation is NAME=VALUE", annotations=(),
        )  # fmt: skip
    budget.check_budget(request, machine)
    _check_worlds(request)
    _check_storage(request)
    check_names(request.log_driver or JSON_FILE, dict(request.log_options))
    netmode.check_endpoints(request)


def _check_isolation(request: CreateRequest) -> None:
    isolation = request.worlds.isolation
    if isolation not in ("", "default"):
        raise refusal(
            request, f'Invalid isolation: "{isolation}" - linux only supports \'default\'',
            "the others are Windows's", status=FAULT,
            worlds=replace(request.worlds, isolation=""),
        )  # fmt: skip


def _check_process(request: CreateRequest) -> None:
    if request.stop_signal and not is_signal(request.stop_signal):
        raise refusal(
            request, f"invalid signal: {request.stop_signal}",
            "a signal is TERM, SIGTERM or 15", lesson="signals", stop_signal="TERM",
        )  # fmt: skip
    for entry in request.environment:
        if not entry.partition("=")[0]:
            raise refusal(
                request, f"invalid environment variable: {entry}",
                "a variable has a name", lesson="environment",
                environment=tuple(e for e in request.environment if e.partition("=")[0]),
            )  # fmt: skip


def is_signal(text: str) -> bool:
    """Say whether Docker takes a text for a signal: any number, or a known name.

    >>> is_signal("99"), is_signal("sigint"), is_signal("RTMIN+3"), is_signal("FOO")
    (True, True, True, False)
    """
    if re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        return int(text) != 0
    name = text.upper().removeprefix("SIG")
    if found := re.fullmatch(r"RTM(?:IN(?:\+([0-9]{1,2}))?|AX(?:-([0-9]{1,2}))?)", name):
        return max(int(found[1] or 0), int(found[2] or 0)) <= 15
    return f"SIG{name}" in signals.Signals.__members__ or name == "STKFLT"


def _check_health(request: CreateRequest, check: Healthcheck) -> None:
    for name, value in (
        ("Interval", check.interval_ns),
        ("Timeout", check.timeout_ns),
        ("StartPeriod", check.start_period_ns),
        ("StartInterval", check.start_interval_ns),
    ):
        if value and value < _MILLISECOND_NS:
            raise refusal(
                request, f"{name} in Healthcheck cannot be less than 1ms",
                "times are counted in nanoseconds", lesson="health", healthcheck=None,
            )  # fmt: skip
    if check.retries < 0:
        raise refusal(
            request, "Retries in Healthcheck cannot be negative",
            "so many failures in a row make it unhealthy", lesson="health",
            healthcheck=None,
        )  # fmt: skip


def check_policy(request: CreateRequest) -> None:
    """Refuse a restart policy that is none.  Raises RequestRefused."""
    name, retries = request.restart_policy, request.restart_retries
    if name not in ("", *POLICIES):
        fault = (
            f"unknown policy '{name}'; use one of 'no', 'always', 'on-failure', or "
            "'unless-stopped'"
        )
    elif retries and name != "on-failure":
        fault = "maximum retry count can only be used with 'on-failure'"
        if retries < 0:
            fault += " and cannot be negative"
    elif retries < 0:
        fault = "maximum retry count cannot be negative"
    else:
        return
    raise refusal(
        request, f"invalid restart policy: {fault}",
        "a policy says after which ends the container is started again",
        lesson="lifecycle", restart_policy="", restart_retries=0,
    )  # fmt: skip


# ── Which worlds it shares ───────────────────────────────────────────────────────────────


def _check_worlds(request: CreateRequest) -> None:
    worlds = request.worlds
    if request.shm_bytes < 0:
        raise refusal(
            request, "SHM size can not be less than 0", "it is the size of /dev/shm",
            lesson="mounts", shm_bytes=0,
        )  # fmt: skip
    for what, text, known in (
        ("IPC mode", worlds.ipc, ("", "none", "private", "shareable", "host")),
        ("PID mode", worlds.pid, ("", "host")),
        ("UTS mode", worlds.uts, ("", "host")),
        ("cgroup namespace mode", worlds.cgroup, ("", "host", "private")),
    ):
        is_other = text.startswith("container:") and what in ("IPC mode", "PID mode")
        if text in known or (is_other and (text != "container:" or what == "IPC mode")):
            continue
        raise refusal(
            request, f"invalid {what}: {text}",
            "a namespace is the container's own, the host's, or another container's",
            lesson="namespaces", worlds=_alone(request),
        )  # fmt: skip
    if worlds.runtime not in RUNTIMES:
        raise refusal(
            request, f"unknown or invalid runtime name: {worlds.runtime}",
            "this engine starts containers itself", worlds=_alone(request),
        )  # fmt: skip


def _alone(request: CreateRequest) -> object:
    return type(request.worlds)()


SHOWN = (("glass", "on"), ("watch", "on"), ("watch", "fanotify"), ("watch", "seccomp"))
"""Options of our own: how the layers are shown to whoever looks."""


def _check_storage(request: CreateRequest) -> None:
    for name, value in request.places.storage_options:
        if (name, value) in SHOWN or name == "from":
            continue
        what = (
            "--storage-opt is supported only for overlay over xfs with 'pquota' mount "
            "option"
            if name.lower() == "size"
            else f"Unknown option {name}"
        )
        raise refusal(
            request, what, "the size of a layer is the file system's affair",
            lesson="layers", status=FAULT,
            places=replace(request.places, storage_options=()),
        )  # fmt: skip
