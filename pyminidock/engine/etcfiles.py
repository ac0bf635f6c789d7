"""The three files of /etc that are the engine's: who am I, who are you, whom to ask.

They lie beside the container's layer and are bound over the image's, so that a container
which moves to another network does not carry an old address in its layer.

Source: the names and lines are those that dockerd 26.1 writes for `--network none`; servers
on the host's loopback are left out there, because the container's loopback is its own.
"""

import ipaddress
import os
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from pyminidock.container.asked import Reach

HOST_RESOLV = Path("/etc/resolv.conf")
_PLAIN = Reach()
_FALLBACK = ("8.8.8.8", "8.8.4.4")  # Docker's own, where the host names no usable server

_HOSTS = """\
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
ff00::0\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
"""
_RESOLV = """\
# Written by pyMiniDock.
# It may be edited: from then on the engine leaves it alone.

{directives}

# Based on host file: '{host}' (legacy)
# Overrides: {overrides}
"""


def write(directory: Path, hostname: str, reach: Reach = _PLAIN) -> None:
    """Write hostname, hosts and resolv.conf for a container without a network."""
    host = ""
    with suppress(OSError):  # a host without one has no servers to hand on
        host = HOST_RESOLV.read_text(encoding="utf-8", errors="replace")
    texts = {
        "hostname": f"{hostname}\n",
        "hosts": _HOSTS + extra_hosts(reach.extra_hosts),
        "resolv.conf": resolv_conf(host, reach),
    }
    place = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name, text in texts.items():
            _write(name, text.encode(), place)
    finally:
        os.close(place)


def _write(name: str, content: bytes, place: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    file = os.open(name, flags, 0o644, dir_fd=place)
    try:
        while content:
            content = content[os.write(file, content) :]
        os.fchmod(file, 0o644)  # whatever the umask says: everybody inside may read them
    finally:
        os.close(file)


def extra_hosts(entries: Iterable[str]) -> str:
    r"""Give the lines of --add-host; there is no gateway that `host-gateway` could be.

    >>> extra_hosts(["db:192.0.2.7", "v6:[::1]", "here:host-gateway"])
    '192.0.2.7\tdb\n::1\tv6\n<nil>\there\n'
    """
    rows = (entry.partition(":") for entry in entries)
    return "".join(f"{_address(address)}\t{name}\n" for name, _, address in rows)


def _address(text: str) -> str:
    return "<nil>" if text == "host-gateway" else text.strip("[]")


@lru_cache(maxsize=16)
def resolv_conf(host: str, reach: Reach = _PLAIN) -> str:
    r"""Hand on the host's name servers, search list and options; see man 5 resolv.conf.

    >>> print(resolv_conf("nameserver 127.0.0.53\nnameserver 192.0.2.1\nsearch a b"))
    # Written by pyMiniDock.
    # It may be edited: from then on the engine leaves it alone.
    <BLANKLINE>
    nameserver 192.0.2.1
    search a b
    <BLANKLINE>
    # Based on host file: '/etc/resolv.conf' (legacy)
    # Overrides: []
    <BLANKLINE>
    """
    lines = [line.split() for line in host.splitlines() if line[:1] not in ("#", ";")]
    servers = [words[1] for words in lines if words[:1] == ["nameserver"] and words[1:]]
    usable = [server for server in servers if not _is_loopback(server)] or _FALLBACK
    last = {words[0]: words for words in lines if words[:1] in (["search"], ["options"])}
    search = list(reach.dns_search) or last.get("search", ["search"])[1:]
    options = list(reach.dns_options) or last.get("options", ["options"])[1:]
    lines_of = [f"nameserver {server}" for server in reach.dns or usable]
    if search and search != ["."]:
        lines_of.append(f"search {' '.join(search)}")
    if options:
        lines_of.append(f"options {' '.join(options)}")
    overrides = _overrides(reach)
    text = _RESOLV.format(
        directives="\n".join(lines_of), host=HOST_RESOLV, overrides=f"[{overrides}]"
    )
    is_ndots = any(option.startswith("ndots:") for option in reach.dns_options)
    return f"{text}# Option ndots from: override\n" if is_ndots else text


def _overrides(reach: Reach) -> str:
    """Name what was not taken from the host."""
    said = (
        ("nameservers", reach.dns),
        ("search", reach.dns_search),
        ("options", reach.dns_options),
    )
    return " ".join(name for name, given in said if given)


def _is_loopback(server: str) -> bool:
    try:
        return ipaddress.ip_address(server.partition("%")[0]).is_loopback
    except ValueError:
        return True  # not an address: nobody could ask it
