"""The engine itself: can it run here, start it, end it, leave nothing of it.

doctor      what this machine can do, with or without an engine, root or not
bootstrap   an image from what the machine has
daemon      the engine in the foreground; commands start one by themselves
env         what other Docker clients need to know
"""

import ipaddress
import json
import os
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import click

from pyminidock.cli.failures import WordsRefused
from pyminidock.cli.words import Verb, switch, text
from pyminidock.client.connect import EngineAbsent, EngineForeign, Place, connect, locate
from pyminidock.client.survey import survey

_MARKS = {"yes": "✓", "limited": "~", "no": "✗"}
_LEVELS = ("debug", "info", "warn", "error")  # dockerd's


# ── doctor ────────────────────────────────────────────────────────────────────────────────


def doctor(words: tuple[str, ...], **given: bool) -> int:
    """Tell what this machine can do, and why not more."""
    told = diagnosis()
    if given["json"]:
        click.echo(json.dumps(told, indent=2))
    elif given["short"]:
        click.echo(in_short(told))
    else:
        _show(told)
    return 0


def diagnosis() -> dict[str, Any]:
    """Ask the engine that runs, or look ourselves with the same eyes."""
    place = locate()
    try:
        with connect(start=False) as client:
            return client.doctor()
    except (EngineAbsent, EngineForeign):
        return survey(place.root)


def in_short(told: Mapping[str, Any]) -> str:
    """Say it in one line.

    >>> in_short({"backend": "linux-root", "capabilities": [
    ...     {"name": "overlay", "state": "yes"}, {"name": "limits", "state": "no"}]})
    'linux-root: 1 yes, 1 no (limits)'
    """
    states: Counter[str] = Counter(row["state"] for row in told["capabilities"])
    parts = []
    for state, number in sorted(
        states.items(), key=lambda pair: list(_MARKS).index(pair[0])
    ):
        names = [row["name"] for row in told["capabilities"] if row["state"] == state]
        parts.append(
            f"{number} {state}" + ("" if state == "yes" else f" ({', '.join(names)})")
        )
    return f"{told['backend']}: {', '.join(parts)}"


def _show(told: Mapping[str, Any]) -> None:
    """One capability a paragraph: what, why, what it costs, how to get it."""
    width = max(len(row["name"]) for row in told["capabilities"])
    for row in told["capabilities"]:
        click.echo(f"{_MARKS[row['state']]} {row['name'].ljust(width)}  {row['reason']}")
        for label, said in (("costs", row["costs"]), ("get it", row["fix"])):
            if said:
                click.echo(f"  {'':{width}}  {label}: {said}")


# ── bootstrap, daemon ─────────────────────────────────────────────────────────────────────


def bootstrap(words: tuple[str, ...]) -> int:
    """Make an image from what this machine has; print its name."""
    name = words[0] if words else "busybox"
    with connect() as client:
        click.echo(client.bootstrap(name).get("name", name))
    return 0


def daemon(words: tuple[str, ...], **given: str | None) -> NoReturn:
    """Become the engine, in the foreground."""
    place = locate(given["root"], _address(given["socket"]))
    backend = given["backend"] or os.environ.get("MINIDOCK_BACKEND", "")
    engine = [sys.executable, "-I", "-m", "pyminidock.api.daemon"]
    engine += ["--root", str(place.root), "--socket", str(place.socket)]
    engine += ["--backend", backend] if backend else []
    if on := given["publish_on"] or os.environ.get("MINIDOCK_PUBLISH_ON", ""):
        engine += ["--publish-on", _host_address(on)]
    engine += ["--log-level", _level(given["log_level"] or "info")]
    os.execv(sys.executable, engine)  # noqa: S606  (this interpreter, our own module)


def _address(typed: str | None) -> str | None:
    """Read --socket: a path, or unix:// and one."""
    if not typed or "://" in typed:
        return typed
    return f"unix://{Path(typed).absolute()}"


def _host_address(typed: str) -> str:
    try:
        return str(ipaddress.ip_address(typed))
    except ValueError as fault:
        raise WordsRefused(
            f'invalid argument "{typed}" for "--publish-on" flag: no IP address',
            why="ports are bound at an address of this host, or at all: 0.0.0.0",
            try_next="minidock daemon --publish-on 127.0.0.1",
        ) from fault


def _level(typed: str) -> str:
    if typed not in _LEVELS:
        raise WordsRefused(
            f'invalid argument "{typed}" for "--log-level" flag: unknown level',
            why=f"an engine says so much or so little: {', '.join(_LEVELS)}",
            try_next="minidock daemon --log-level info",
        )
    return typed


# ── env, completion ───────────────────────────────────────────────────────────────────────


def env(words: tuple[str, ...], *, fish: bool, json: bool) -> int:
    """Print what makes a stock Docker client speak to this engine."""
    for line in settings(locate(), is_fish=fish, is_json=json):
        click.echo(line)
    return 0


def settings(place: Place, *, is_fish: bool, is_json: bool) -> list[str]:
    """Write the two variables for a shell."""
    values = {"DOCKER_HOST": f"unix://{place.socket}", "DOCKER_BUILDKIT": "0"}
    if is_json:
        return [json.dumps(values)]
    form = "set -gx {} '{}';" if is_fish else "export {}='{}'"
    quote = "\\'" if is_fish else "'\\''"
    return [form.format(name, value.replace("'", quote)) for name, value in values.items()]


def completion(words: tuple[str, ...]) -> int:
    """Print the script that completes our words in a shell."""
    from click.shell_completion import get_completion_class  # noqa: PLC0415  (seldom needed)

    from pyminidock.cli.main import GROUP  # noqa: PLC0415  (it loads this module)

    shell = words[0] if words else "bash"
    found = get_completion_class(shell)
    if found is None:
        raise WordsRefused(
            f"no completion for {shell}",
            why="the shells are bash, zsh and fish",
            try_next="minidock completion bash",
            exit_code=1,
        )
    click.echo(found(GROUP, {}, "minidock", "_MINIDOCK_COMPLETE").source())
    return 0


DOCTOR = Verb(
    "doctor", doctor, help="Tell what this machine can do, and why not more.",
    params=[switch("--json", help="for programs"), switch("--short", help="in one line")],
)  # fmt: skip
BOOTSTRAP = Verb(
    "bootstrap", bootstrap, help="Make an image from what this machine has.",
    usage="[busybox|alpine|python|debian]", most=1,
)  # fmt: skip
DAEMON = Verb(
    "daemon", daemon, help="Be the engine, in the foreground.",
    params=[
        text("--root", help="where it keeps everything", metavar="DIR"),
        text("--socket", help="where it listens", metavar="PATH"),
        text("--backend", help="which kernel it uses", metavar="NAME"),
        text("--publish-on", help="where -p binds ports (127.0.0.1)", metavar="ADDRESS"),
        text("--log-level", help="debug, info, warn or error", metavar="LEVEL"),
    ],
)  # fmt: skip
ENV = Verb(
    "env", env, help='For eval "$(minidock env)": other Docker clients find us.',
    params=[switch("--fish", help="for fish"), switch("--json", help="for programs")],
)  # fmt: skip
COMPLETION = Verb(
    "completion", completion, help="Print the script for bash, zsh or fish.",
    usage="[SHELL]", most=1,
)  # fmt: skip
