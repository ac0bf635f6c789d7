"""What the containers of a network call each other.

On a network that somebody made a container is known by its name, its aliases, its short id
and its host name, each also with the network behind it (`db.back`); a link is one more word
for it, which only the container that asked for the link knows.  Large and small letters are
one.  A name that several containers share is all of theirs: each answer begins with another
one, so that those who take the first share the work.  Who is not on a network with you has
no name, and your own has none for it.

Source: measured on Docker Engine 26.1; moby, libnetwork/network.go: addSvcRecords(), and
libnetwork/sandbox.go: ResolveName().
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pyminidock.network.resolvconf import Server


@dataclass(frozen=True, slots=True)
class Place:
    """A running container on one network: what it is called there, and where it is."""

    container: str
    network: str  # its id
    network_name: str
    names: tuple[str, ...]  # the first one is what a pointer gives
    address: str
    address6: str = ""
    links: tuple[tuple[str, str], ...] = ()  # (alias, name of the other container)


@dataclass(frozen=True, slots=True)
class Book:
    """Who is where: by network and name, and by address."""

    by_name: Mapping[tuple[str, str], tuple[Place, ...]] = field(default_factory=dict)
    by_address: Mapping[tuple[str, str], Place] = field(default_factory=dict)
    of: Mapping[str, tuple[Place, ...]] = field(default_factory=dict)  # of a container


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and whom it may ask beyond its networks."""

    container: str
    servers: tuple[Server, ...] = ()
    is_ndots_said: bool = False  # then single words stay at home
    has_way_out: bool = True


def book_of(places: Iterable[Place]) -> Book:
    """Index the places, in the order in which each container chooses among networks."""
    by_name: dict[tuple[str, str], list[Place]] = {}
    by_address: dict[tuple[str, str], Place] = {}
    of: dict[str, list[Place]] = {}
    for place in places:
        of.setdefault(place.container, []).append(place)
        for name in dict.fromkeys(map(str.lower, place.names)):
            by_name.setdefault((place.network, name), []).append(place)
        for address in (place.address, place.address6):
            if address:
                by_address[place.network, address] = place
    return Book(
        {key: tuple(found) for key, found in by_name.items()},
        by_address,
        {container: tuple(found) for container, found in of.items()},
    )


def find(book: Book, asker: str, name: str) -> tuple[Place, ...]:
    """Find whom `name` means to a container: on the first of its networks that knows it.

    >>> web = Place("w", "n1", "back", ("web",), "172.18.0.2", links=(("store", "db"),))
    >>> db = Place("d", "n1", "back", ("db", "sql"), "172.18.0.3")
    >>> book = book_of([web, db])
    >>> [place.address for place in find(book, "w", "SQL.back")]
    ['172.18.0.3']
    >>> [place.address for place in find(book, "w", "store")]
    ['172.18.0.3']
    >>> find(book, "d", "store"), find(book, "nobody", "web")
    ((), ())
    """
    wanted = name.rstrip(".").lower()
    for own in book.of.get(asker, ()):
        suffix = f".{own.network_name.lower()}"
        words = [wanted]
        if wanted.endswith(suffix):
            words.append(wanted.removesuffix(suffix))
        for word in words:
            meant = _meant(own.links, word)
            if found := book.by_name.get((own.network, meant)):
                return found
    return ()


def pointer(book: Book, asker: str, address: str) -> str:
    """Name the container at an address, with its network; "": no neighbour has it.

    >>> book = book_of([Place("w", "n1", "back", ("web", "www"), "172.18.0.2")])
    >>> pointer(book, "w", "172.18.0.2")
    'web.back'
    """
    for own in book.of.get(asker, ()):
        if found := book.by_address.get((own.network, address)):
            return f"{found.names[0]}.{found.network_name}"
    return ""


def turned(addresses: Sequence[str], turn: int) -> tuple[str, ...]:
    """Begin with another one each time.

    >>> turned(["a", "b", "c"], 4)
    ('b', 'c', 'a')
    """
    first = turn % len(addresses) if addresses else 0
    return (*addresses[first:], *addresses[:first])


def address_of_pointer(name: str) -> str:
    """Read the address that a question for a pointer is about; "": it is about none.

    >>> address_of_pointer("2.0.18.172.in-addr.arpa.")
    '172.18.0.2'
    >>> address_of_pointer("1." + 29 * "0." + "d.f.ip6.arpa"), address_of_pointer("x.arpa")
    ('fd00::1', '')
    """
    labels = name.rstrip(".").lower().split(".")
    match labels[-2:]:
        case ["in-addr", "arpa"] if len(labels) == 6:
            text = ".".join(reversed(labels[:4]))
        case ["ip6", "arpa"] if len(labels) == 34:
            digits = "".join(reversed(labels[:32]))
            text = ":".join(digits[at : at + 4] for at in range(0, 32, 4))
        case _:
            return ""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def _meant(links: Iterable[tuple[str, str]], word: str) -> str:
    """Follow a link: the word of the asker, to the name of the other."""
    return next((name.lower() for alias, name in links if alias.lower() == word), word)
