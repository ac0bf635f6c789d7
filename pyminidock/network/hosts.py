"""Who is who without asking anybody: a container's /etc/hosts.

    127.0.0.1 …                     what every machine says of itself
    192.0.2.7<TAB>db                --add-host, in order
    172.17.0.2<TAB>alias id name    links on the default bridge, the old way of names
    172.18.0.3<TAB>hostname         itself, once for each network, in order of joining

The file is written anew at each start, and a line comes or goes as networks do.  On the
host's network it has no lines of the container's own; that of `container:X` is X's.

Source: measured on Docker Engine 26.1; moby, libnetwork/etchosts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HOST_GATEWAY = "host-gateway"  # a word in place of an address: the host, seen from inside
_BASE = """\
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
ff00::0\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
"""


@dataclass(frozen=True, slots=True)
class Linked:
    """Another container by an alias, its short id and its name."""

    address: str
    alias: str
    id: str
    name: str


def hosts(  # noqa: PLR0913  (the parts of the file, from top to bottom)
    addresses: Sequence[str],
    hostname: str,
    domain: str = "",
    *,
    extra: Iterable[str] = (),
    links: Iterable[Linked] = (),
    gateway: str = "",
) -> str:
    r"""Write the file; `addresses` are the container's own, `extra` its --add-host.

    `gateway` is what `host-gateway` means here; "" where nothing does.

    >>> text = hosts(["172.17.0.3"], "web", extra=["db:192.0.2.7", "h:host-gateway"],
    ...     links=[Linked("172.17.0.2", "lk", "d225ff338c5f" + "0" * 52, "xc")],
    ...     gateway="172.17.0.1")
    >>> print(text.partition("allrouters\n")[2].expandtabs(12))
    192.0.2.7   db
    172.17.0.1  h
    172.17.0.2  lk d225ff338c5f xc
    172.17.0.3  web
    <BLANKLINE>
    """
    return "".join((
        _BASE,
        *(_extra(entry, gateway) for entry in extra),
        *(f"{one.address}\t{_called(one)}\n" for one in links),
        *(own_line(address, hostname, domain) for address in addresses),
    ))  # fmt: skip


def own_line(address: str, hostname: str, domain: str = "") -> str:
    r"""Write what a container calls itself: the full name first, then the first word.

    >>> own_line("172.17.0.2", "a.b.c")
    '172.17.0.2\ta.b.c a\n'
    >>> own_line("172.17.0.2", "web", "example.org")
    '172.17.0.2\tweb.example.org web\n'
    """
    full = f"{hostname}.{domain}" if domain else hostname
    short, dot, _ = full.partition(".")
    return f"{address}\t{full}{f' {short}' if dot else ''}\n"


def without(text: str, address: str, hostname: str, domain: str = "") -> str:
    r"""Take the container's own line for one address away, and nobody else's.

    >>> without("1.2.3.4\tx\n172.18.0.2\tweb\n172.19.0.2\tweb\n", "172.18.0.2", "web")
    '1.2.3.4\tx\n172.19.0.2\tweb\n'
    """
    gone = own_line(address, hostname, domain)
    return "".join(line for line in text.splitlines(keepends=True) if line != gone)


def relinked(text: str, one: Linked) -> str:
    r"""Let a line about a link lead to where the other container is now.

    >>> relinked("192.0.2.7\tdb\n172.17.0.2\tlk 0123456789ab db\n",
    ...     Linked("172.17.0.9", "lk", "0123456789ab" + "0" * 52, "db"))
    '192.0.2.7\tdb\n172.17.0.9\tlk 0123456789ab db\n'
    """
    lines = text.splitlines(keepends=True)
    is_it = f"\t{_called(one)}\n"
    return "".join(
        f"{one.address}{is_it}" if line.endswith(is_it) else line for line in lines
    )


def unlinked(text: str, alias: str, container: str) -> str:
    r"""Take out the line about a link to a container, whatever its name was.

    >>> unlinked("192.0.2.7\tdb\n172.17.0.2\tlk 0123456789ab db\n", "lk", "0123456789ab")
    '192.0.2.7\tdb\n'
    """
    lines = text.splitlines(keepends=True)
    is_it = f"\t{alias} {container[:12]}"
    return "".join(each for each in lines if f"{is_it} " not in f"{each.rstrip()} ")


def _called(one: Linked) -> str:
    return " ".join(dict.fromkeys((one.alias, one.id[:12], one.name)))


def _extra(entry: str, gateway: str) -> str:
    name, _, address = entry.partition(":")
    if address == HOST_GATEWAY:
        address = gateway or "<nil>"
    return f"{address.strip('[]')}\t{name}\n"
