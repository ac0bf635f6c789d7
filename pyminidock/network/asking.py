"""Asking a name server, as a program in a container would: a question, and its answer."""

from dnslib import QTYPE, DNSError, DNSRecord


def question(name: str) -> bytes:
    r"""Spell the question for the IPv4 addresses of a name.

    >>> question("web")[12:]
    b'\x03web\x00\x00\x01\x00\x01'
    """
    return bytes(DNSRecord.question(name).pack())


def addresses(answer: bytes) -> tuple[str, ...]:
    """Read the addresses of an answer; none where there are none, or it is none."""
    try:
        rows = DNSRecord.parse(answer).rr
    except DNSError:
        return ()
    return tuple(str(row.rdata) for row in rows if row.rtype == QTYPE.A)


def in_hosts(text: str, name: str) -> tuple[str, ...]:
    r"""Find a name in the text of /etc/hosts.

    >>> in_hosts("127.0.0.1 localhost\n172.17.0.2 db abc # mine\n", "db")
    ('172.17.0.2',)
    """
    rows = (line.partition("#")[0].split() for line in text.splitlines())
    return tuple(row[0] for row in rows if name in row[1:])
