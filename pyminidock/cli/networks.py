"""`minidock network`: create, ls, inspect, rm, connect, disconnect and prune.

Source: docker/cli, cli/command/network.
"""

import re
from collections.abc import Mapping
from typing import Any

import click

from pyminidock.cli.failures import exit_code, tell
from pyminidock.cli.filters import FILTER, LONG_FILTER, is_sure, read_filters
from pyminidock.cli.inspecting import FORMAT, looked_at
from pyminidock.cli.networkpools import pools
from pyminidock.cli.tables import show
from pyminidock.cli.words import Verb, invalid, switch, text, texts
from pyminidock.client.connect import connect as connected
from pyminidock.client.transport import Refused
from pyminidock.errors import MinidockError
from pyminidock.grammar.names import short_id

_TABLE = "table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}"
_HEADINGS = {
    "ID": "NETWORK ID", "Name": "NAME", "Driver": "DRIVER", "Scope": "SCOPE",
    "IPv6": "IPV6", "Internal": "INTERNAL", "Labels": "LABELS", "CreatedAt": "CREATED AT",
}  # fmt: skip


def create(words: tuple[str, ...], **given: Any) -> int:
    """Make a network."""
    body = {
        "Name": words[0], "Driver": given["driver"], "Scope": given["scope"] or "",
        "Options": _pairs(given["opt"]), "Labels": _labels(given["label"]),
        "IPAM": {
            "Driver": given["ipam_driver"], "Options": _pairs(given["ipam_opt"]),
            "Config": pools(
                given["subnet"], given["ip_range"], given["gateway"],
                _pairs(given["aux_address"]),
            ),
        },
        "EnableIPv6": given["ipv6"], "Internal": given["internal"],
        "Ingress": given["ingress"], "Attachable": given["attachable"],
        "ConfigOnly": given["config_only"],
    }  # fmt: skip
    if pattern := given["config_from"]:
        body["ConfigFrom"] = {"Network": pattern}
    with connected() as client:
        click.echo(client.networks.create(body))
    return 0


def _pairs(words: tuple[str, ...]) -> dict[str, str]:
    return dict(word.partition("=")[::2] for word in words)


def _labels(words: tuple[str, ...]) -> dict[str, str]:
    for word in words:
        if word.startswith("="):
            raise invalid(
                word, "--label", f"invalid label '{word}': empty name",
                why="a label is NAME=VALUE, or NAME alone",
                try_next="minidock network create --label role=web NAME",
            )  # fmt: skip
    return _pairs(words)


def ls(words: tuple[str, ...], **given: Any) -> int:
    """List networks."""
    filters = read_filters(given["filters"], "-f, --filter")
    with connected() as client:
        found = client.networks.listed(filters)
    found.sort(key=lambda told: _natural(told["Name"]))
    rows = [_row(told, is_whole=given["no_trunc"]) for told in found]
    show(rows, given, _TABLE, of="*network.networkContext", heads=_HEADINGS)
    return 0


def _natural(name: str) -> list[tuple[int, str]]:
    """Let numbers in names count as numbers: n2 comes before n10."""
    return [
        (int(part), "") if part.isdigit() else (-1, part)
        for part in re.split("([0-9]+)", name)
    ]


def _row(told: Mapping[str, Any], *, is_whole: bool) -> dict[str, Any]:
    said = told.get("Labels") or {}
    return {
        "CreatedAt": told["Created"].replace("T", " ").replace("Z", " +0000 UTC"),
        "Driver": told["Driver"],
        "ID": told["Id"] if is_whole else short_id(told["Id"]),
        "IPv6": str(told["EnableIPv6"]).lower(),
        "Internal": str(told["Internal"]).lower(),
        "Label": lambda name: said.get(name, ""),
        "Labels": ",".join(f"{name}={said[name]}" for name in sorted(said)),
        "Name": told["Name"],
        "Scope": told["Scope"],
    }


def inspect(words: tuple[str, ...], *, format: str | None, verbose: bool) -> int:
    """Tell everything about networks."""
    return looked_at(
        words, format, lambda client, name: client.networks.inspect(name, verbose=verbose)
    )


def rm(words: tuple[str, ...], *, force: bool) -> int:
    """Remove networks."""
    code = 0
    with connected() as client:
        for name in words:
            try:
                client.networks.remove(name)
                click.echo(name)
            except MinidockError as refusal:
                is_gone = isinstance(refusal, Refused) and refusal.status == 404
                if not (force and is_gone):
                    tell(refusal)
                    code = exit_code(refusal)
    return code


def connect(words: tuple[str, ...], **given: Any) -> int:
    """Let a container into a network."""
    addresses = {
        "IPv4Address": given["ip"], "IPv6Address": given["ip6"],
        "LinkLocalIPs": list(given["link_local_ip"]),
    }  # fmt: skip
    endpoint = {
        "IPAMConfig": {name: value for name, value in addresses.items() if value},
        "Links": list(given["link"]), "Aliases": list(given["alias"]),
        "DriverOpts": _pairs(given["driver_opt"]),
    }  # fmt: skip
    with connected() as client:
        client.networks.connect(words[0], words[1], endpoint)
    return 0


def disconnect(words: tuple[str, ...], *, force: bool) -> int:
    """Take a container out of a network."""
    with connected() as client:
        client.networks.disconnect(words[0], words[1], force=force)
    return 0


def prune(words: tuple[str, ...], **given: Any) -> int:
    """Remove networks that nobody uses."""
    filters = read_filters(given["filters"], "--filter")
    warning = "This will remove all custom networks not used by at least one container."
    if not given["force"] and not is_sure(warning):
        return 0
    with connected() as client:
        gone = client.networks.prune(filters)["NetworksDeleted"]
    if gone:
        click.echo("\n".join(("Deleted Networks:", *gone, "")))
    return 0


_CREATE_FLAGS = [
    text("--driver", "-d", help="how it is made: bridge", metavar="NAME", default="bridge"),
    texts("--subnet", help="its addresses", metavar="10.89.0.0/24"),
    texts("--ip-range", help="the part of them that is given out", metavar="10.89.0.0/26"),
    texts("--gateway", help="the host's own", metavar="ADDRESS"),
    texts("--aux-address", help="kept for somebody else", metavar="NAME=ADDRESS"),
    switch("--internal", help="without a way out"),
    switch("--ipv6", help="with IPv6; its subnet has to be said"),
    texts("--opt", "-o", help="an option of the bridge", metavar="NAME=VALUE"),
    texts("--label", help="a note on it", metavar="NAME=VALUE"),
    switch("--attachable", help="as Docker has it, for swarms"),
    switch("--ingress", help="as Docker has it, for swarms"),
    text("--scope", help="as Docker has it, for swarms", metavar="SCOPE"),
    switch("--config-only", help="a pattern for others"),
    text("--config-from", help="after this pattern", metavar="NETWORK"),
    text("--ipam-driver", help="who gives addresses out", metavar="NAME",
         default="default"),
    texts("--ipam-opt", help="an option of that", metavar="NAME=VALUE"),
]  # fmt: skip
CREATE = Verb(
    "create", create, help="Make a network.", params=_CREATE_FLAGS, usage="NETWORK",
    least=1, most=1,
)  # fmt: skip
LS = Verb(
    "ls", ls, help="List networks.",
    params=[
        FILTER, switch("--quiet", "-q", help="ids only"),
        switch("--no-trunc", help="ids whole"),
        text("--format", help="table, json, or a template", metavar="TEMPLATE"),
    ],
)  # fmt: skip
INSPECT = Verb(
    "inspect", inspect, help="Tell everything about networks.",
    params=[FORMAT, switch("--verbose", "-v", help="as Docker has it, for swarms")],
    usage="NETWORK…", least=1,
)  # fmt: skip
RM = Verb(
    "rm", rm, help="Remove networks in which nobody runs.",
    params=[switch("--force", "-f", help="one that is not there is no mistake")],
    usage="NETWORK…", least=1,
)  # fmt: skip
CONNECT = Verb(
    "connect", connect, help="Let a container into a network.",
    params=[
        text("--ip", help="its address there", metavar="ADDRESS"),
        text("--ip6", help="the same, IPv6", metavar="ADDRESS"),
        texts("--alias", help="one more name there", metavar="NAME"),
        texts("--link", help="a container that it can name", metavar="NAME[:ALIAS]"),
        texts("--link-local-ip", help="a link-local address", metavar="ADDRESS"),
        texts("--driver-opt", help="an option of its cable", metavar="NAME=VALUE"),
    ],
    usage="NETWORK CONTAINER", least=2, most=2,
)  # fmt: skip
DISCONNECT = Verb(
    "disconnect", disconnect, help="Take a container out of a network.",
    params=[switch("--force", "-f", help="whatever it does")],
    usage="NETWORK CONTAINER", least=2, most=2,
)  # fmt: skip
PRUNE = Verb(
    "prune", prune, help="Remove networks that nobody uses.",
    params=[LONG_FILTER, switch("--force", "-f", help="do not ask")],
)  # fmt: skip
