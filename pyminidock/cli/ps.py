"""`minidock ps`: which containers there are, a row for each.

Source: docker/cli, cli/command/formatter/container.go.
"""

import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from pyminidock.cli.failures import ERROR, WordsRefused
from pyminidock.cli.filters import FILTER, read_filters
from pyminidock.cli.human import ago, size
from pyminidock.cli.tables import show
from pyminidock.cli.words import Verb, invalid, switch, text
from pyminidock.client.connect import connect
from pyminidock.errors import MinidockError
from pyminidock.grammar.names import short_id
from pyminidock.grammar.numbers import parse_integer

_TABLE = ("table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t"
          "{{.Ports}}\t{{.Names}}")  # fmt: skip
_HEADINGS = {
    "ID": "CONTAINER ID", "Image": "IMAGE", "Command": "COMMAND", "RunningFor": "CREATED",
    "CreatedAt": "CREATED AT", "Status": "STATUS", "State": "STATE", "Ports": "PORTS",
    "Names": "NAMES", "Size": "SIZE", "Labels": "LABELS", "Mounts": "MOUNTS",
    "LocalVolumes": "LOCAL VOLUMES", "Networks": "NETWORKS",
}  # fmt: skip
_EXAMPLE = dict.fromkeys(_HEADINGS, "") | {"Label": lambda _: ""}
_COMMAND_WIDTH, _MOUNT_WIDTH = 20, 15


def ps(words: tuple[str, ...], **given: Any) -> int:
    """List the containers that run, or all."""
    filters = read_filters(given["filters"], "-f, --filter")
    last = _last(given["last"])
    limit = 1 if given["latest"] and last < 0 else max(last, 0)
    wants_size = given["size"] or _shows_size(given["format"] or "")
    with connect() as client:
        found = client.containers(
            all=given["all"], limit=limit, size=wants_size, filters=filters
        )
    now = time.time()
    rows = [container_row(each, now, is_whole=given["no_trunc"]) for each in found]
    table = _TABLE + ("\t{{.Size}}" if given["size"] else "")
    show(rows, given, table, of="*formatter.ContainerContext", heads=_HEADINGS)
    return 0


def _shows_size(template: str) -> bool:
    """Try a template, as Docker does: is the size asked for?  Raises WordsRefused.

    >>> _shows_size("{{.ID}} {{.Size}}"), _shows_size("{{.ID}}"), _shows_size("json")
    (True, False, False)
    """
    if template in ("", "json", "table"):
        return False
    from pyminidock.grammar.gotemplate import (  # noqa: PLC0415  (see tables.show)
        Struct,
        TemplateRefused,
        parse,
        run,
    )  # fmt: skip

    text = template.removeprefix("table")
    try:
        run(parse(text), Struct(_EXAMPLE, "*formatter.ContainerContext"))
    except TemplateRefused as refusal:
        verb = "execute" if "executing" in refusal.what else "parse"
        raise WordsRefused(
            f"failed to {verb} template: {refusal.what}", why=refusal.why,
            try_next=refusal.try_next, exit_code=ERROR,
        ) from refusal  # fmt: skip
    return ".Size" in text or bool(re.search(r"\{\{-?\s*json \.\s*-?\}\}", text))


def _last(typed: str) -> int:
    try:
        return parse_integer(typed, try_next="minidock ps --last 5")
    except MinidockError as refusal:
        raise invalid(
            typed, "-n, --last", refusal.what, why=refusal.why, try_next=refusal.try_next
        ) from refusal


def container_row(told: Mapping[str, Any], now: float, *, is_whole: bool) -> dict[str, Any]:
    """Give all that can be shown of one."""
    labels = told.get("Labels") or {}
    mounts = told.get("Mounts") or ()
    return {
        "ID": told["Id"] if is_whole else short_id(told["Id"]),
        "Image": _image(told, is_whole=is_whole),
        "Command": _quoted(_cut(told["Command"], None if is_whole else _COMMAND_WIDTH)),
        "CreatedAt": time.strftime(
            "%F %T %z %Z", time.localtime(told["Created"])
        ),
        "RunningFor": f"{ago(now - told['Created'])} ago",
        "Ports": shown_ports(told.get("Ports") or ()),
        "State": told.get("State", ""),
        "Status": told["Status"],
        "Names": _names(told["Names"], is_whole=is_whole),
        "Size": _size(told),
        "Labels": ",".join(f"{name}={labels[name]}" for name in sorted(labels)),
        "Label": lambda name: labels.get(name, ""),
        "Mounts": ",".join(
            _cut(each.get("Name") or each.get("Source", ""),
                 None if is_whole else _MOUNT_WIDTH)
            for each in mounts
        ),
        "LocalVolumes": str(sum(each.get("Driver") == "local" for each in mounts)),
        "Networks": ",".join(told.get("NetworkSettings", {}).get("Networks") or {}),
    }  # fmt: skip


def _names(names: Sequence[str], *, is_whole: bool) -> str:
    """Give its names; those by which others link to it only in whole."""
    bare = [name.removeprefix("/") for name in names]
    return ",".join(name for name in bare if is_whole or "/" not in name)


def _image(told: Mapping[str, Any], *, is_whole: bool) -> str:
    image = str(told["Image"])
    if not image:
        return "<no image>"
    bare = told.get("ImageID", "").removeprefix("sha256:")
    if not is_whole and bare and image.removeprefix("sha256:") == bare:
        return short_id(bare)
    return image


def _cut(text: str, width: int | None) -> str:
    """Shorten a text to so many characters, the last of them dots.

    >>> _cut("a long command line here", 10)
    'a long co…'
    """
    return text if width is None or len(text) <= width else text[: width - 1] + "…"


def _quoted(text: str) -> str:
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return '"' + "".join(escapes.get(each, each) for each in text) + '"'


def _size(told: Mapping[str, Any]) -> str:
    written = size(told.get("SizeRw") or 0)
    whole = told.get("SizeRootFs") or 0
    return f"{written} (virtual {size(whole)})" if whole else written


def shown_ports(ports: Sequence[Mapping[str, Any]]) -> str:
    """Show ports as `0.0.0.0:8080->80/tcp`.

    Runs of ports that are the same number on the host, or on no host, are shown as one;
    those with another number come last, each by itself.

    >>> shown_ports([{"PrivatePort": port, "Type": "tcp"} for port in (81, 80)])
    '80-81/tcp'
    >>> shown_ports([{"IP": "::", "PublicPort": 8080, "PrivatePort": 80, "Type": "tcp"}])
    ':::8080->80/tcp'
    """
    ended: list[str] = []
    moved: list[str] = []
    runs: dict[tuple[str, str], tuple[int, int]] = {}
    order = sorted(ports, key=lambda p: (
        p["PrivatePort"], p.get("IP", ""), p.get("PublicPort", 0), p["Type"],
    ))  # fmt: skip
    for each in order:
        host, inside, kind = each.get("IP", ""), each["PrivatePort"], each["Type"]
        if host and each.get("PublicPort") != inside:
            moved.append(f"{host}:{each.get('PublicPort')}->{inside}/{kind}")
            continue
        first, last = runs.get((host, kind), (inside, inside))
        if inside > last + 1:
            ended.append(_run(host, kind, first, last))
            first = inside
        runs[host, kind] = first, inside
    rest = [_run(host, kind, *bounds) for (host, kind), bounds in runs.items()]
    return ", ".join((*ended, *rest, *moved))


def _run(host: str, kind: str, first: int, last: int) -> str:
    numbers = _between(first, last)
    return f"{host}:{numbers}->{numbers}/{kind}" if host else f"{numbers}/{kind}"


def _between(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def _verb(name: str) -> Verb:
    return Verb(
        name, ps, help="List the containers that run.",
        params=[
            switch("--all", "-a", help="and those that do not"), FILTER,
            text("--format", help="json, table …, or a template", metavar="TEMPLATE"),
            switch("--json", help="each row as JSON"),
            text("--last", "-n", help="the last so many", metavar="N", default="-1"),
            switch("--latest", "-l", help="the last one"),
            switch("--no-trunc", help="ids and commands whole"),
            switch("--quiet", "-q", help="ids only"),
            switch("--size", "-s", help="how much they have written"),
        ],
    )  # fmt: skip


PS, LS = _verb("ps"), _verb("ls")
