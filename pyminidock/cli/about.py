"""`minidock version` and `info`: who speaks to whom, and what it has.

Source: docker/cli, cli/command/system/version.go and info.go.
"""

import platform
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import click

import pyminidock
from pyminidock.cli.documents import as_struct
from pyminidock.cli.failures import ERROR, WordsRefused, tell
from pyminidock.cli.format import value_shower
from pyminidock.cli.human import binary_size
from pyminidock.cli.words import Verb, switch, text
from pyminidock.client.connect import connect
from pyminidock.errors import MinidockError
from pyminidock.grammar.gotemplate.values import json_text

_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
_API = "1.45"
_WIDTH = 19
_UNREADABLE = 64
_MACHINE = (
    ("Kernel Version", "KernelVersion"), ("Operating System", "OperatingSystem"),
    ("OSType", "OSType"), ("Architecture", "Architecture"), ("CPUs", "NCPU"),
)  # fmt: skip
_ROWS = (
    ("Version", "Version"), ("API version", "ApiVersion"), ("Go version", "GoVersion"),
    ("Git commit", "GitCommit"), ("Built", "BuildTime"),
)  # fmt: skip


def version(words: tuple[str, ...], **given: Any) -> int:
    """Tell the versions of this client and of the engine."""
    template = "json" if given["json"] else given["format"]
    write = _shower(template, "version") if template else None
    told: dict[str, Any] = {"Client": _client(), "Server": None}
    refusal: MinidockError | None = None
    try:
        with connect() as client:
            told["Server"] = _dated(client.version())
    except MinidockError as fault:
        refusal = fault
    if template == "json":
        click.echo(json_text(as_struct(told)))
    elif write:
        seen = as_struct(told)
        seen.go_type = "system.versionInfo"
        seen["Client"].go_type = "system.clientVersion"
        click.echo(write(seen))
    else:
        for line in _versions(told):
            click.echo(line)
    if refusal:
        tell(refusal)
    return 1 if refusal else 0


def _shower(template: str, name: str) -> Callable[[Any], str]:
    """Give what shows a value as a template called `name` says.  Raises WordsRefused.

    As with Docker, what was shown before a fault stays shown.
    """
    try:
        write = value_shower(template)
    except WordsRefused as refusal:
        raise WordsRefused(
            refusal.what.replace("template: :", f"template: {name}:", 1),
            why=refusal.why, try_next=refusal.try_next, exit_code=_UNREADABLE,
        ) from refusal  # fmt: skip

    def named(value: Any) -> str:
        try:
            return write(value)
        except WordsRefused as refusal:
            click.echo(getattr(refusal.__cause__, "written", ""))
            what = refusal.what.removeprefix("template parsing error: ")
            what = what.replace("template: :", f"template: {name}:", 1)
            raise WordsRefused(
                what.replace('executing ""', f'executing "{name}"', 1),
                why=refusal.why, try_next=refusal.try_next, exit_code=ERROR,
            ) from refusal  # fmt: skip

    return named


def _dated(told: dict[str, Any]) -> dict[str, Any]:
    """Write the dates of components as people read them."""
    for component in told.get("Components") or ():
        details = component.get("Details") or {}
        if built := details.get("BuildTime"):
            with suppress(ValueError):
                moment = datetime.fromisoformat(re.sub(r"\.\d+", "", built))
                details["BuildTime"] = moment.strftime("%a %b %e %H:%M:%S %Y")
    return told


def _client() -> dict[str, str]:
    machine = platform.machine()
    return {
        "Version": pyminidock.__version__, "ApiVersion": _API, "DefaultAPIVersion": _API,
        "GitCommit": "", "GoVersion": "", "PythonVersion": platform.python_version(),
        "Os": platform.system().lower(), "Arch": _MACHINES.get(machine, machine),
        "BuildTime": "", "Context": "default",
    }  # fmt: skip


def _versions(told: Mapping[str, Any]) -> Iterator[str]:
    """Write both as Docker lays them out; what has no value has no line."""
    yield "Client:"
    mine = told["Client"]
    for label, name in (*_ROWS, ("Python version", "PythonVersion")):
        if mine[name]:
            yield f" {label + ':':{_WIDTH}}{mine[name]}"
    yield f" {'OS/Arch:':{_WIDTH}}{mine['Os']}/{mine['Arch']}"
    yield f" {'Context:':{_WIDTH}}{mine['Context']}"
    server = told["Server"]
    if server is None:
        return
    yield ""
    yield "Server:" + (f" {name}" if (name := server["Platform"]["Name"]) else "")
    for component in server["Components"]:
        details = dict(component.get("Details") or {})
        yield f" {component['Name']}:"
        yield f"  {'Version:':{_WIDTH - 1}}{component['Version']}"
        if component["Name"] == "Engine":
            api = f"{details['ApiVersion']} (minimum version {details['MinAPIVersion']})"
            rows = [("API version", api)]
            rows += [(label, details.get(name, "")) for label, name in _ROWS[2:]]
            rows += [("OS/Arch", f"{details['Os']}/{details['Arch']}"),
                     ("Experimental", details.get("Experimental", "false"))]  # fmt: skip
            rows = [row for row in rows if row[1]]
        else:
            rows = list(details.items())
        for label, value in rows:
            yield f"  {label + ':':{_WIDTH - 1}}{value}"


def info(words: tuple[str, ...], **given: Any) -> int:
    """Tell what the engine has and can."""
    template = "json" if given["json"] else given["format"]
    write = _shower(template, "") if template else None
    with connect() as client:
        told = client.system.info()
    mine = {"ID": "", "ClientInfo": {"Debug": False, "Context": "default", "Plugins": [],
            "Warnings": None, "Version": pyminidock.__version__}}  # fmt: skip
    if write:
        seen = as_struct({**told, **{name: mine[name] for name in ("ClientInfo",)}})
        seen.go_type = "system.dockerInfo"
        click.echo(json_text(seen) if template == "json" else write(seen))
        return 0
    for line in _information(told):
        click.echo(line)
    for warning in told.get("Warnings") or ():
        click.echo(warning, err=True)
    return 0


def _information(told: Mapping[str, Any]) -> Iterator[str]:
    """Write it as Docker lays it out; what the engine does not tell has no line."""
    yield from ("Client:", f" Version:    {pyminidock.__version__}", " Context:    default",
                " Debug Mode: false", "", "Server:")  # fmt: skip
    for label, name in (("Containers", "Containers"), (" Running", "ContainersRunning"),
                        (" Paused", "ContainersPaused"), (" Stopped", "ContainersStopped"),
                        ("Images", "Images"), ("Server Version", "ServerVersion"),
                        ("Storage Driver", "Driver")):  # fmt: skip
        yield f" {label}: {told[name]}"
    for label, value in told.get("DriverStatus") or ():
        yield f"  {label}: {value}"
    yield from _lines(told, (("Logging Driver", "LoggingDriver"),
                             ("Cgroup Driver", "CgroupDriver"),
                             ("Cgroup Version", "CgroupVersion")))  # fmt: skip
    plugins = told.get("Plugins") or {}
    yield " Plugins:"
    for kind in ("Volume", "Network", "Log"):
        yield f"  {kind}: {' '.join(plugins.get(kind) or ())}"
    yield f" Swarm: {(told.get('Swarm') or {}).get('LocalNodeState') or 'inactive'}"
    if told.get("Runtimes"):
        yield f" Runtimes: {' '.join(sorted(told['Runtimes']))}"
        yield f" Default Runtime: {told['DefaultRuntime']}"
    yield f" Init Binary: {told.get('InitBinary', '')}"
    for label, name in (("containerd", "ContainerdCommit"), ("runc", "RuncCommit"),
                        ("init", "InitCommit")):  # fmt: skip
        if (told.get(name) or {}).get("ID") is not None:
            yield f" {label} version: {told[name]['ID']}"
    yield from _security(told.get("SecurityOptions") or ())
    yield from _lines(told, _MACHINE)
    yield f" Total Memory: {binary_size(told['MemTotal'])}"
    yield from _lines(told, (("Name", "Name"), ("ID", "ID"),
                             ("Docker Root Dir", "DockerRootDir"),
                             ("Debug Mode", "Debug"),
                             ("Experimental", "ExperimentalBuild")))  # fmt: skip
    registries = (told.get("RegistryConfig") or {}).get("InsecureRegistryCIDRs") or ()
    if registries:
        yield " Insecure Registries:"
        yield from (f"  {each}" for each in registries)
    yield from _lines(told, (("Live Restore Enabled", "LiveRestoreEnabled"),))
    yield ""


def _lines(told: Mapping[str, Any], rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    for label, name in rows:
        value = told.get(name)
        if value is not None and value != "":
            said = str(value).lower() if isinstance(value, bool) else value
            yield f" {label}: {said}"


def _security(options: Sequence[str]) -> Iterator[str]:
    if options:
        yield " Security Options:"
    for option in options:
        fields = dict(field.partition("=")[::2] for field in option.split(","))
        yield f"  {fields.pop('name', option)}"
        for name, value in fields.items():
            yield f"   {name.capitalize()}: {value}"


def _verb(name: str, run: Any, help: str) -> Verb:
    params = [
        text("--format", "-f", help="json, or a template", metavar="TEMPLATE"),
        switch("--json", help="for programs"),
    ]
    return Verb(name, run, help=help, params=params)


VERSION = _verb("version", version, "Tell the versions of client and engine.")
INFO = _verb("info", info, "Tell what the engine has and can.")
