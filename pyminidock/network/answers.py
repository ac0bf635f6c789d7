"""A question about a name becomes an answer, or an errand to somebody who may know.

    known here            answered at once: A, AAAA, PTR with a time to live of ten minutes;
                          of another family, or MX: an empty answer, so nobody asks on
    a word without a dot  stays at home where the options say ndots:N
    no way out            SERVFAIL: an internal network has nobody outside to ask
    else                  an errand: the servers are asked one after the other, the first
                          that answers is believed; if none does, SERVFAIL

An answer that does not fit into a datagram is cut short and says so; who cares asks again
by TCP.  The bytes come from a program in a container: whatever is no question is dropped.

Source: RFC 1035, 6891; measured on Docker Engine 26.1; moby, libnetwork/resolver.go.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dnslib import AAAA, CLASS, PTR, QTYPE, RCODE, RR, A, DNSError, DNSRecord

from pyminidock.network import names
from pyminidock.network.names import Asker, Book
from pyminidock.network.resolvconf import Server

TTL_S = 600
PLAIN_BYTES = 512  # what a datagram may have if the question does not offer more
LARGE_BYTES = 1232  # … and the most that we send: it is not cut on its way (hardening E.8)
SERVERS = 3  # of which are asked
_HEADER_BYTES = 12
_IS_ANSWER = 0x80  # a bit in the third byte of a header


Turn = Callable[[str], int]
"""Gives the next number for questions of a kind: with which answer to begin."""


@dataclass(frozen=True, slots=True)
class Errand:
    """A question for somebody else, and what to say if nobody knows."""

    servers: tuple[Server, ...]
    query: bytes
    failure: bytes

    @property
    def whom(self) -> tuple[tuple[str, bool], ...]:
        """Addresses to ask, and whether from the host's own network."""
        return tuple((one.address, one.is_host) for one in self.servers)

    def question(self, number: int) -> bytes:
        """Give the question under another number, which a forger would have to guess."""
        return number.to_bytes(2, "big") + self.query[2:]

    def reply(self, told: bytes, number: int) -> bytes:
        """Give what a server told as an answer to the asker; b"": it is none to this."""
        is_ours = (
            len(told) >= _HEADER_BYTES
            and told[:2] == number.to_bytes(2, "big")
            and told[2] & _IS_ANSWER
            and (not int.from_bytes(told[4:6], "big") or _same_question(told, self.query))
        )
        return self.query[:2] + told[2:] if is_ours else b""

    def is_helpful(self, reply: bytes) -> bool:
        """Say whether the next server need not be asked: it is there, or it is not."""
        return reply[3] & 0x0F in (RCODE.NOERROR, RCODE.NXDOMAIN)

    def ended(self, server: str) -> None:
        """Hear who has answered."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a question was, and what becomes of it."""

    name: str
    kind: str  # A, AAAA, PTR …
    outcome: str  # known, empty, home, no way out, forwarded
    answers: tuple[str, ...] = ()
    reply: bytes = b""
    errand: Errand | None = None


def judge(
    query: bytes, book: Book, asker: Asker, *, turn: Turn = lambda kind: 0,
    is_datagram: bool = True,
) -> Judged | None:  # fmt: skip
    """Answer a question, or say whom to ask; None: it is none, and gets no answer.

    >>> from pyminidock.network.names import Place, book_of
    >>> book = book_of([Place("w", "n1", "back", ("web",), "172.18.0.2")])
    >>> asked = DNSRecord.question("web.back").pack()
    >>> judge(asked, book, Asker("w")).answers
    ('172.18.0.2',)
    >>> judge(DNSRecord.question("db").pack(), book, Asker("w")).outcome
    'no way out'
    """
    try:
        record = DNSRecord.parse(query)
    except (DNSError, ValueError, IndexError, UnicodeError):
        return None
    if record.header.qr or record.header.opcode or len(record.questions) != 1:
        return None
    question = record.questions[0]
    name = str(question.qname).removesuffix(".")
    kind = str(QTYPE.get(question.qtype, question.qtype))
    known = None
    if question.qclass == CLASS.IN:
        known = _known(book, asker.container, name, kind, turn)
    if known is not None:
        return _told(record, name, kind, "known" if known else "empty", known, is_datagram)
    is_address = kind in ("A", "AAAA")
    if is_address and asker.is_ndots_said and asker.has_way_out and "." not in name:
        return _told(record, name, kind, "home", (), is_datagram)
    failure = _failure(record)
    servers = asker.servers[:SERVERS] if asker.has_way_out else ()
    if not servers:
        return Judged(name, kind, "no way out", reply=failure)
    errand = Errand(servers, bytes(query), failure)
    return Judged(name, kind, "forwarded", errand=errand)


def _known(
    book: Book, asker: str, name: str, kind: str, turn: Turn
) -> tuple[str, ...] | None:
    """Give the answers that we have; None: we know nothing of it."""
    if kind == "PTR":
        address = names.address_of_pointer(name)
        found = names.pointer(book, asker, address) if address else ""
        return (found,) if found else None
    if kind not in ("A", "AAAA", "MX"):
        return None
    places = names.find(book, asker, name)
    if not places:
        return None
    addresses = {
        "A": [place.address for place in places if place.address],
        "AAAA": [place.address6 for place in places if place.address6],
    }
    listed = addresses.get(kind, [])
    return names.turned(listed, turn(kind) if len(listed) > 1 else 0)


_DATA: dict[str, tuple[int, Callable[[str], object]]] = {
    "A": (QTYPE.A, A), "AAAA": (QTYPE.AAAA, AAAA), "PTR": (QTYPE.PTR, PTR),
}  # fmt: skip


def _told(  # noqa: PLR0913, PLR0917  (the parts of one answer)
    record: DNSRecord, name: str, kind: str, outcome: str, answers: Sequence[str],
    is_datagram: bool,
) -> Judged:  # fmt: skip
    reply = record.reply(aa=0, ra=1)
    for text in answers:
        number, data = _DATA[kind]
        reply.add_answer(RR(record.q.qname, number, ttl=TTL_S, rdata=data(text)))
    packed = bytes(reply.pack())
    room = _room(record) if is_datagram else 0xFFFF
    while len(packed) > room and reply.rr:
        reply.rr.pop()
        reply.header.tc = 1
        packed = bytes(reply.pack())
    return Judged(name, kind, outcome, tuple(answers), packed)


def _room(record: DNSRecord) -> int:
    """Tell how many bytes a datagram may have: what the asker offers, within reason."""
    offers = [one.edns_len for one in record.ar if one.rtype == QTYPE.OPT]
    return min(max(PLAIN_BYTES, *offers), LARGE_BYTES) if offers else PLAIN_BYTES


def _failure(record: DNSRecord) -> bytes:
    reply = record.reply(aa=0, ra=0)
    reply.header.rcode = RCODE.SERVFAIL
    return bytes(reply.pack())


def _same_question(told: bytes, query: bytes) -> bool:
    """Compare what was asked byte by byte, letters of either size; names are not folded.

    The first question of a message cannot point anywhere, so its bytes are its name.
    """
    end = query.find(b"\0", _HEADER_BYTES) + 5
    return told[_HEADER_BYTES:end].lower() == query[_HEADER_BYTES:end].lower()
