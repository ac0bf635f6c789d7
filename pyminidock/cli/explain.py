"""What a start would do, what one flag changes in it, and what separates a live container.

    plan        the calls in their order, each with its number and the hand that does it
    flag        the calls in which two plans differ, and what is then different inside;
                alone: the same in short, for every flag
    port        one request on its way to a port: see `cli.port`
    isolation   one container beside its host, as the kernel reports it now
    cache       why each step of an image was done: see `cli.cache`
    written     what a container wrote, and where it is: see `cli.written`
    path        who answers for one path, and what a change copies: see `cli.path`
    survives    what is left of it, after what: see `cli.survives`
    union       AUFS's rules beside overlayfs's: see `cli.union`

All but the last ask the engine; nothing is worked out here.
"""

import json
import os
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

from pyminidock.cli.cache import cache
from pyminidock.cli.containers import meant
from pyminidock.cli.createbody import create_body
from pyminidock.cli.failures import WordsRefused
from pyminidock.cli.flags import container_flags
from pyminidock.cli.path import path
from pyminidock.cli.port import port
from pyminidock.cli.survives import survives
from pyminidock.cli.union import union
from pyminidock.cli.words import Verb, switch, text, verbs
from pyminidock.cli.written import written
from pyminidock.client.connect import connect
from pyminidock.client.handles import Client
from pyminidock.client.transport import Refused

_MARKS = {"-": "red", "+": "green", "~": "yellow"}
_PIPE_WIDTH = 100
EXAMPLES = (
    "--user 1000:1000", "--group-add 7", "--env A=1", "--workdir /srv", "--entrypoint sh",
    "--name web", "--hostname web", "--rm", "--interactive", "--tty", "--memory 64m",
    "--cpus 0.5", "--pids-limit 50", "--read-only", "--tmpfs /run", "--cap-add SYS_PTRACE",
    "--cap-drop ALL", "--privileged", "--init", "--ulimit nofile=128:128",
    "--security-opt no-new-privileges", "--security-opt seccomp=unconfined",
    "--network none",
)  # fmt: skip
"""One example of each flag that a plan could depend on, in the order of the help."""

_NOTHING_SEEN = (
    "  nothing: /proc/PID and the accounts show the same of both, seen from outside"
)
_TRIED = ("busybox", "true")  # whose start is compared, if no image is named


def plan(words: tuple[str, ...], **given: Any) -> int:
    """Print the calls that a start would make; none is made."""
    body = create_body(given, words, os.environ)
    with connect() as client:
        told = client.plan(body)
    if given["json"]:
        click.echo(json.dumps(told, indent=2))
        return 0
    for number, line in enumerate(told["text"], 1):
        click.echo(f"{number:>3}  {line}")
    return 0


def flag(words: tuple[str, ...], **given: Any) -> int:
    """Print what the flags change: in the plan, and as observed in two live containers."""
    if not words and given == unset(given) | {"json": given["json"]}:
        return _all_flags(is_json=given["json"])
    words = words or _TRIED
    with_flags = create_body(given, words, os.environ)
    without = create_body(unset(given), words, os.environ)
    if with_flags == without:
        raise WordsRefused(
            "no flag to explain",
            why="what is compared is a container with the flag and one without it",
            try_next="minidock explain flag --cap-drop ALL",
        )
    with connect() as client:
        told = client.flag(with_flags, without)
    if given["json"]:
        click.echo(json.dumps(told, indent=2))
        return 0
    click.echo("In the plan:")
    for line in told["calls"] or ["  nothing: the same calls"]:
        click.echo(click.style(f"  {line}".rstrip(), fg=_MARKS.get(line[:1])))
    click.echo("\nObserved in two live containers:")
    if told["observed"]:
        rows = [tuple(map(str, row)) for row in told["observed"]]
        _table(("fact", "without", "with"), rows)
    else:
        click.echo(_NOTHING_SEEN)
    return 0


def _all_flags(*, is_json: bool) -> int:
    """Print one table of all flags, each with the value of an example."""
    with connect() as client:
        told = {typed: _example(client, typed) for typed in EXAMPLES}
    if is_json:
        click.echo(json.dumps(told, indent=2))
        return 0
    rows = [
        (
            typed,
            "\n".join(re.sub(" +", " ", line) for line in each["calls"]) or "the same",
            in_fact(each["observed"]),
        )
        for typed, each in told.items()
    ]
    _table(("flag", "in the plan", "observed in two live containers"), rows, is_ruled=True)
    return 0


def _example(client: Client, typed: str) -> dict[str, Any]:
    """Compare a container with an example's flag and one without; or say why not here."""
    given = FLAG.make_context("flag", shlex.split(typed)).params
    given.pop("words")
    bodies = (create_body(each, _TRIED, {}) for each in (given, unset(given)))
    try:
        return client.flag(*bodies)
    except Refused as refusal:  # --init without an init, limits without cgroups
        return {"calls": [f"refused here: {refusal.what}"], "observed": []}


def in_fact(rows: Iterable[Sequence[object]]) -> str:
    r"""Word what was observed, a line for each fact.

    >>> in_fact([("uid", "0 0", "1 1"), ("groups", "0", "1")]), in_fact([])
    ('uid: 0 0 → 1 1\ngroups: 0 → 1', 'the same')
    """
    lines = (f"{fact}: {without} → {with_}" for fact, without, with_ in rows)
    return "\n".join(lines) or "the same"


def unset(given: Mapping[str, Any]) -> dict[str, Any]:
    """Give the same flags as if none had been typed.

    >>> unset({"cap_drop": ("ALL",), "rm": True, "memory": "64m"})
    {'cap_drop': (), 'rm': False, 'memory': None}
    """
    empty: dict[type, object] = {tuple: (), bool: False}
    return {name: empty.get(type(value)) for name, value in given.items()}


def isolation(words: tuple[str, ...], **given: Any) -> int:
    """Print one container beside its host."""
    with connect() as client:
        try:
            told = client.isolation(words[0])
        except Refused as refusal:
            raise meant(client, words[0], refusal) from refusal
    if given["json"]:
        click.echo(json.dumps(told, indent=2))
        return 0
    click.echo(f"{told['name']} [{told['backend']}], PID {told['pid']} on the host\n")
    _table(
        ("namespace", "of the container", "of the host", ""),
        [
            (row["kind"], str(row["number"]), str(row["host"] or "–"),
             "shared" if row["is_shared"] else "private")
            for row in told["namespaces"]
        ],
    )  # fmt: skip
    _table(
        ("capabilities", "mask", "names"),
        [
            (kind, row["mask"], short_names(row["names"]))
            for kind, row in told["capabilities"].items()
        ],
    )
    _table(("who and what", ""), list(_facts(told)))
    _table(("limit", "value"), list(_limits(told)))
    if told["denied"]:
        click.echo("What the filter denies:\n")
    for lesson in told["denied"]:
        click.echo(f"{lesson['title']}: {lesson['why']}.")
        for line in denials(lesson["denials"]):
            click.echo(f"  {line}")
    if told["stricter"]:
        click.echo("\nWhere it is stricter than Docker's:\n")
    for row in told["stricter"]:
        click.echo(f"{row['name']}: Docker {row['docker']}, here {row['here']}.")
        click.echo(f"  {row['why']}")
    return 0


def short_names(names: Sequence[str]) -> str:
    """List capabilities without the part that all share.

    >>> short_names(["CAP_CHOWN", "CAP_KILL"]), short_names([])
    ('CHOWN KILL', 'none')
    """
    return " ".join(name.removeprefix("CAP_") for name in names) or "none"


def denials(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Word what a filter denies: calls with the same answer share a line.

    >>> denials([{"call": "bpf", "answer": "EPERM", "unless": "", "opened_by": ["CAP_BPF"]},
    ...          {"call": "acct", "answer": "EPERM", "unless": "", "opened_by": []}])
    ['EPERM: bpf (unless CAP_BPF)', 'EPERM: acct']
    """
    lines: dict[str, list[str]] = {}
    for row in rows:
        exceptions = [row["unless"]] if row["unless"] else []
        exceptions += [" or ".join(row["opened_by"])] if row["opened_by"] else []
        end = f" (unless {', or '.join(exceptions)})" if exceptions else ""
        lines.setdefault(f"{row['answer']}: {{}}{end}", []).append(row["call"])
    return [line.replace("{}", " ".join(calls)) for line, calls in lines.items()]


def _facts(told: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Give what is one value each."""
    modes = {0: "none", 1: "strict", 2: "a filter"}
    seccomp = told["seccomp"]
    if told["hostname"]:
        yield "hostname", told["hostname"]
    yield "user", " ".join(map(str, told["uids"])) + "  (real, effective, saved, files)"
    yield "group", " ".join(map(str, told["gids"]))
    yield "groups", " ".join(map(str, told["groups"])) or "none"
    yield "seccomp", f"{modes[seccomp['mode']]} ({seccomp['filters']} installed)"
    yield "no new privileges", "yes" if told["no_new_privileges"] else "no"
    yield "masked", " ".join(told["masked"]) or "nothing"
    yield "read-only", " ".join(told["readonly"]) or "nothing"
    yield "oom score", str(told["oom_score_adjustment"])


def _limits(told: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Give the limits of one process, then those of all together."""
    for name, (soft, hard) in told["limits"].items():
        words = ["unlimited" if number < 0 else str(number) for number in (soft, hard)]
        yield (
            f"each process: {name}",
            words[0] if soft == hard else f"{words[0]} of {words[1]}",
        )
    for file, value in told["cgroup_limits"].items():
        yield f"all together: {file}", re.sub(r"\s+", " ", value).strip()


def _table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], *, is_ruled: bool = False
) -> None:
    """Print a table; without a terminal it has no colours and a fixed width."""
    from rich import box  # noqa: PLC0415  (a tenth of a second, for tables only)
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _PIPE_WIDTH
    table = Table(*headings, box=box.SIMPLE_HEAD, pad_edge=False, show_lines=is_ruled)
    for row in rows:
        table.add_row(*(Text(cell, overflow="fold") for cell in row))
    console.print(table)


_JSON = switch("--json", help="for programs")

FLAG = Verb(
    "flag", flag, help="Print what flags change, in plan and in fact; alone: of all.",
    params=[_JSON, *container_flags()], usage="[IMAGE [COMMAND]…]", is_open=False,
)  # fmt: skip
EXPLAIN = verbs(
    "explain",
    [
        Verb(
            "cache", cache, help="Print why each step of an image was done, or not.",
            params=[_JSON], usage="IMAGE", least=1, most=1,
        ),
        Verb(
            "plan", plan, help="Print the calls that a start would make.",
            params=[_JSON, *container_flags()], usage="IMAGE [COMMAND]…", least=1,
            is_open=False,
        ),
        FLAG,
        Verb(
            "written", written, help="Print what a container wrote, and where it is.",
            params=[_JSON], usage="CONTAINER", least=1, most=1,
        ),
        Verb(
            "path", path, help="Print which layer answers for a path; what a write copies.",
            params=[
                text("--rules", help="whose rules: overlay or aufs", metavar="RULES"),
                _JSON,
            ],
            usage="CONTAINER PATH", least=2, most=2,
        ),
        Verb(
            "port", port, help="Print the way of one request, and where it dies.",
            params=[
                text("--from", help="who asks: host, outside, or a container",
                     metavar="WHO"),
                text("--at", help="which address is asked", metavar="ADDRESS"),
                switch("--prove", help="undo the cause in a copy, and ask again"), _JSON,
            ],
            usage="[CONTAINER] PORT", least=1, most=2,
        ),
        Verb(
            "survives", survives, help="Print what is left of a container, after what.",
            params=[_JSON], usage="CONTAINER", least=1, most=1,
        ),
        Verb(
            "union", union, help="Print what one look costs, under two sets of rules.",
            params=[
                switch("--measure", help="look twice at the kernel's own overlay, too"),
                _JSON,
            ],
        ),
        Verb(
            "isolation", isolation, help="Print what separates a container from its host.",
            params=[_JSON], usage="CONTAINER", least=1, most=1,
        ),
    ],
    help="What would happen, what a flag changes, what separates.",
)  # fmt: skip
