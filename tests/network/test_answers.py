"""Questions to the name server, each answered as dockerd 26.1 answers it."""

import random
import secrets
from itertools import count

import pytest
from dnslib import EDNS0, QTYPE, RCODE, RR, A, DNSRecord

from pyminidock.network.answers import Judged, judge
from pyminidock.network.names import Asker, Book, Place, book_of
from pyminidock.network.resolvconf import Server

A_ID, B_ID = "ba3396857fee" + "0" * 52, "bf799a439a91" + "0" * 52
SERVERS = (Server("192.0.2.1"), Server("127.0.0.53", is_host=True))


@pytest.fixture(scope="module")
def book() -> Book:
    """`xa` is on two networks, `xb` on one of them with a link, `xc` on a third."""
    return book_of([
        Place("a", "n1", "back", ("xa", "al", "AL2", A_ID[:12], "hosty"), "172.18.0.2"),
        Place("a", "n2", "front", ("xa", "wx", "hosty"), "172.19.0.2", "fd00::2"),
        Place("b", "n1", "back", ("xb", "al", B_ID[:12]), "172.18.0.3",
              links=(("lk", "xa"),)),
        Place("c", "n3", "away", ("xc",), "172.20.0.2"),
    ])  # fmt: skip


def ask(
    book: Book, name: str, kind: str = "A", asker: str = "b", **asked: object
) -> Judged:
    judged = judge(
        DNSRecord.question(name, kind).pack(), book,
        Asker(asker, SERVERS, **asked),  # type: ignore[arg-type]
    )  # fmt: skip
    assert judged is not None
    return judged


def rows(judged: Judged) -> list[str]:
    return [str(row.rdata) for row in DNSRecord.parse(judged.reply).rr]


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("xa", "172.18.0.2"), ("XA", "172.18.0.2"), ("al2", "172.18.0.2"),
        ("hosty", "172.18.0.2"), ("lk", "172.18.0.2"), ("LK.BACK", "172.18.0.2"),
        ("xa.back", "172.18.0.2"), ("xb", "172.18.0.3"), (B_ID[:12], "172.18.0.3"),
        ("xa.", "172.18.0.2"),
    ],
)  # fmt: skip
def test_a_neighbour_is_known_by_every_name(book: Book, name: str, address: str) -> None:
    judged = ask(book, name)
    assert (judged.outcome, rows(judged)) == ("known", [address])
    reply = DNSRecord.parse(judged.reply)
    assert (reply.header.aa, reply.header.ra, reply.header.rd) == (0, 1, 1)
    assert str(reply.rr[0].rname).rstrip(".") == name.rstrip(".")  # letters as asked
    assert reply.rr[0].ttl == 600


@pytest.mark.parametrize(
    "name",
    ["wx", "xa.front", "xc", "xa.away", "ba339", "nope", "xa.back.back", "localhost"],
)
def test_who_is_no_neighbour_is_asked_for_elsewhere(book: Book, name: str) -> None:
    judged = ask(book, name)
    assert judged.outcome == "forwarded"
    assert judged.errand is not None
    assert judged.errand.whom == (("192.0.2.1", False), ("127.0.0.53", True))


def test_a_link_is_a_word_of_one_container_alone(book: Book) -> None:
    assert ask(book, "lk", asker="a").outcome == "forwarded"


@pytest.mark.parametrize(("kind", "outcome"), [("AAAA", "empty"), ("MX", "empty")])
def test_a_known_name_without_that_is_answered_empty(
    book: Book, kind: str, outcome: str
) -> None:
    judged = ask(book, "xb", kind)
    assert (judged.outcome, rows(judged)) == (outcome, [])
    assert DNSRecord.parse(judged.reply).header.rcode == RCODE.NOERROR


@pytest.mark.parametrize("kind", ["TXT", "ANY", "SRV"])
def test_other_kinds_are_asked_for_elsewhere(book: Book, kind: str) -> None:
    assert ask(book, "xa", kind).outcome == "forwarded"


def test_both_families_are_known(book: Book) -> None:
    assert rows(ask(book, "wx", "AAAA", "a")) == ["fd00::2"]


@pytest.mark.parametrize(
    ("name", "asker", "said"),
    [
        ("2.0.18.172.in-addr.arpa", "b", "xa.back."),
        ("2.0.19.172.in-addr.arpa", "a", "xa.front."),
        ("3.0.18.172.in-addr.arpa", "a", "xb.back."),
    ],
)
def test_a_pointer_names_the_container_and_its_network(
    book: Book, name: str, asker: str, said: str
) -> None:
    assert rows(ask(book, name, "PTR", asker)) == [said]


@pytest.mark.parametrize(
    "name", ["9.0.18.172.in-addr.arpa", "2.0.19.172.in-addr.arpa", "arpa", "x.in-addr.arpa"]
)
def test_other_pointers_are_asked_for_elsewhere(book: Book, name: str) -> None:
    assert ask(book, name, "PTR").outcome == "forwarded"


def test_those_who_share_a_name_take_turns(book: Book) -> None:
    query = DNSRecord.question("al").pack()
    firsts, turns = [], count()
    for _ in range(4):
        judged = judge(query, book, Asker("b"), turn=lambda kind: next(turns))
        assert judged is not None
        assert sorted(rows(judged)) == ["172.18.0.2", "172.18.0.3"]
        firsts.append(rows(judged)[0])
    assert firsts == ["172.18.0.2", "172.18.0.3"] * 2


@pytest.mark.parametrize(
    ("name", "kind", "outcome"),
    [
        ("nope", "A", "home"), ("nope", "AAAA", "home"), ("nope.x", "A", "forwarded"),
        ("nope", "TXT", "forwarded"), ("xa", "A", "known"),
    ],
)  # fmt: skip
def test_single_words_stay_at_home_where_ndots_is_said(
    book: Book, name: str, kind: str, outcome: str
) -> None:
    assert ask(book, name, kind, is_ndots_said=True).outcome == outcome


def test_an_internal_network_asks_nobody_outside(book: Book) -> None:
    judged = ask(book, "nope.x", has_way_out=False)
    reply = DNSRecord.parse(judged.reply)
    assert (judged.outcome, judged.errand) == ("no way out", None)
    assert (reply.header.rcode, reply.header.aa, reply.header.ra) == (RCODE.SERVFAIL, 0, 0)
    assert rows(ask(book, "xa", has_way_out=False)) == ["172.18.0.2"]


@pytest.mark.parametrize(
    ("offer", "is_datagram", "least", "is_cut"),
    [(0, True, 20, 1), (4096, True, 60, 1), (0, False, 200, 0)],
)
def test_what_does_not_fit_is_cut_and_says_so(
    offer: int, is_datagram: bool, least: int, is_cut: int
) -> None:
    crowd = book_of(
        Place(str(n), "n1", "back", ("crowd",), f"172.18.1.{n}") for n in range(200)
    )
    query = DNSRecord.question("crowd")
    if offer:
        query.add_ar(EDNS0(udp_len=offer))
    judged = judge(query.pack(), crowd, Asker("1"), is_datagram=is_datagram)
    assert judged is not None
    reply = DNSRecord.parse(judged.reply)
    assert reply.header.tc == is_cut
    assert len(judged.reply) <= (1232 if offer else 512) or not is_datagram
    assert len(reply.rr) >= least


# ── Errands ───────────────────────────────────────────────────────────────────────────────


def test_an_errand_goes_under_another_number_and_comes_back_under_the_first(
    book: Book,
) -> None:
    query = DNSRecord.question("www.example.test")
    judged = judge(bytes(query.pack()), book, Asker("b", SERVERS))
    assert judged is not None
    assert judged.errand is not None
    sent = DNSRecord.parse(judged.errand.question(0x1234))
    assert (sent.header.id, str(sent.q.qname)) == (0x1234, "www.example.test.")
    told = sent.reply()
    told.add_answer(RR("www.example.test", QTYPE.A, rdata=A("198.51.100.7")))
    reply = DNSRecord.parse(judged.errand.reply(bytes(told.pack()), 0x1234))
    assert (reply.header.id, str(reply.rr[0].rdata)) == (query.header.id, "198.51.100.7")


@pytest.mark.parametrize("case", ["number", "question", "no answer", "short"])
def test_what_is_no_answer_to_the_errand_is_not_taken(book: Book, case: str) -> None:
    errand = ask(book, "www.example.test").errand
    assert errand is not None
    told = DNSRecord.parse(errand.question(7)).reply()
    if case == "question":
        told.questions = DNSRecord.question("www.example.evil").questions
    packed = bytearray(told.pack())
    if case == "no answer":
        packed[2] &= 0x7F
    if case == "short":
        packed = packed[:11]
    assert errand.reply(bytes(packed), 8 if case == "number" else 7) == b""


@pytest.mark.parametrize(
    ("rcode", "is_helpful"),
    [("NOERROR", True), ("NXDOMAIN", True), ("SERVFAIL", False), ("REFUSED", False)],
)
def test_who_says_that_there_is_none_has_helped(
    book: Book, rcode: str, is_helpful: bool
) -> None:
    errand = ask(book, "www.example.test").errand
    assert errand is not None
    told = DNSRecord.parse(errand.question(7)).reply()
    told.header.rcode = getattr(RCODE, rcode)
    assert errand.is_helpful(errand.reply(bytes(told.pack()), 7)) is is_helpful


def test_whatever_comes_it_is_judged_or_dropped(book: Book) -> None:
    dice = random.Random(7)
    good = bytes(DNSRecord.question("xa.back", "A").pack())
    for _ in range(3000):
        query = bytearray(dice.choice([good, secrets.token_bytes(dice.randrange(1, 64))]))
        for _ in range(dice.randrange(4)):
            query[dice.randrange(len(query))] = dice.randrange(256)
        judged = judge(bytes(query), book, Asker("b", SERVERS))
        assert judged is None or judged.reply or judged.errand
