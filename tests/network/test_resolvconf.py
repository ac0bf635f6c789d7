"""The file that says whom to ask, for every kind of network, as dockerd 26.1 writes it."""

import pytest

from pyminidock.network.resolvconf import Server, Way, Wishes, resolv_conf

PLAIN, NAMED, HOST = Way.PLAIN, Way.NAMED, Way.HOST
USUAL = "nameserver 192.0.2.1\nsearch example.test\noptions timeout:1\n"
LOCAL = "nameserver 127.0.0.53\nnameserver ::1\n"
ODD = """\
# c
nameserver fe80::1%eth0
nameserver 2001:db8::1
nameserver 192.0.2.1
nameserver 192.0.2.2
search a b
search c d
domain zz
options ndots:3 edns0
options rotate
sortlist 1.2.3.4
; hm
foo bar
"""
MIXED = (
    "nameserver 127.0.0.53\nnameserver 192.0.2.1\nnameserver bogus\nsearch .\n"
    "options ndots:bad\n"
)


def said(host: str, way: Way, wishes: Wishes) -> list[str]:
    text = resolv_conf(host, way, wishes).text
    assert text.splitlines()[3] == ""
    return [line.removeprefix("# ") for line in text.splitlines()[4:] if line]


@pytest.mark.parametrize(
    ("host", "way", "wishes", "lines"),
    [
        pytest.param(USUAL, PLAIN, Wishes(), [
            "nameserver 192.0.2.1", "search example.test", "options timeout:1",
            "Based on host file: '/etc/resolv.conf' (legacy)", "Overrides: []",
        ], id="the default bridge hands on what the host says"),
        pytest.param(USUAL, NAMED, Wishes(), [
            "nameserver 127.0.0.11", "search example.test", "options timeout:1 ndots:0",
            "Based on host file: '/etc/resolv.conf' (internal resolver)",
            "ExtServers: [192.0.2.1]", "Overrides: []", "Option ndots from: internal",
        ], id="a network of users has its own server"),
        pytest.param(USUAL, HOST, Wishes(), [
            "nameserver 192.0.2.1", "search example.test", "options timeout:1",
            "Based on host file: '/etc/resolv.conf'", "Overrides: []",
        ], id="the host's network has the host's file"),
        pytest.param(LOCAL, PLAIN, Wishes(), [
            "nameserver 8.8.8.8", "nameserver 8.8.4.4",
            "Based on host file: '/etc/resolv.conf' (legacy)",
            "Used default nameservers.", "Overrides: []",
        ], id="servers on the host's loopback are out of reach"),
        pytest.param(LOCAL, NAMED, Wishes(), [
            "nameserver 127.0.0.11", "options ndots:0",
            "Based on host file: '/etc/resolv.conf' (internal resolver)",
            "ExtServers: [host(127.0.0.53) host(::1)]", "Overrides: []",
            "Option ndots from: internal",
        ], id="but our name server reaches them from the host"),
        pytest.param("", NAMED, Wishes(), [
            "nameserver 127.0.0.11", "options ndots:0",
            "Based on host file: '/etc/resolv.conf' (internal resolver)",
            "Used default nameservers.", "ExtServers: [8.8.8.8 8.8.4.4]",
            "Overrides: []", "Option ndots from: internal",
        ], id="a host without servers has Docker's"),
        pytest.param("", HOST, Wishes(), [
            "Based on host file: '/etc/resolv.conf'", "Overrides: []",
        ], id="but not on the host's network"),
        pytest.param(ODD, PLAIN, Wishes(), [
            "nameserver 192.0.2.1", "nameserver 192.0.2.2", "search zz",
            "options ndots:3 edns0 rotate", "sortlist 1.2.3.4", "foo bar",
            "Based on host file: '/etc/resolv.conf' (legacy)", "Overrides: []",
            "Option ndots from: host",
        ], id="the last search list counts, and options add up"),
        pytest.param(ODD, NAMED, Wishes(), [
            "nameserver 127.0.0.11", "search zz",
            "options ndots:3 edns0 rotate", "sortlist 1.2.3.4", "foo bar",
            "Based on host file: '/etc/resolv.conf' (internal resolver)",
            "ExtServers: [host(fe80::1%eth0) host(2001:db8::1) 192.0.2.1 192.0.2.2]",
            "Overrides: []", "Option ndots from: host",
        ], id="IPv6 is reached from the host"),
        pytest.param(MIXED, PLAIN, Wishes(), [
            "nameserver 192.0.2.1", "search .", "options ndots:bad",
            "Based on host file: '/etc/resolv.conf' (legacy)",
            "Invalid nameservers: [bogus]", "Overrides: []", "Option ndots from: host",
        ], id="what is no address is told"),
        pytest.param(MIXED, NAMED, Wishes(), [
            "nameserver 127.0.0.11", "search .", "options ndots:0",
            "Based on host file: '/etc/resolv.conf' (internal resolver)",
            "ExtServers: [host(127.0.0.53) 192.0.2.1]",
            "Invalid nameservers: [bogus]", "Overrides: []",
            "Option ndots from: internal",
        ], id="an ndots that is no number gives way"),
        pytest.param("nameserver 192.0.2.1\n", PLAIN,
            Wishes(("8.8.4.4",), (".",), ("ndots:0",)), [
            "nameserver 8.8.4.4", "options ndots:0",
            "Based on host file: '/etc/resolv.conf' (legacy)",
            "Overrides: [nameservers search options]", "Option ndots from: override",
        ], id="wishes replace what the host says, and a dot is no search list"),
        pytest.param("nameserver 192.0.2.1\noptions ndots:1 rotate\n", NAMED,
            Wishes(("127.0.0.1", "::1", "1.1.1.1"), (), ("ndots:abc",)), [
            "nameserver 127.0.0.11", "options ndots:0",
            "Based on host file: '/etc/resolv.conf' (internal resolver)",
            "ExtServers: [127.0.0.1 ::1 1.1.1.1]", "Overrides: [nameservers options]",
            "Option ndots from: internal",
        ], id="servers that were asked for are asked from inside, whatever they are"),
        pytest.param("nameserver 192.0.2.1\noptions ndots:2\n", NAMED,
            Wishes(options=("ndots:1", "ndots:5", "ndots:")), [
            "nameserver 127.0.0.11", "options ndots:1 ndots:5",
            "Based on host file: '/etc/resolv.conf' (internal resolver)",
            "ExtServers: [192.0.2.1]", "Overrides: [options]",
            "Option ndots from: override",
        ], id="options may repeat themselves"),
    ],
)  # fmt: skip
def test_the_file(host: str, way: Way, wishes: Wishes, lines: list[str]) -> None:
    assert said(host, way, wishes) == lines


@pytest.mark.parametrize(
    ("host", "wishes", "is_said"),
    [
        (USUAL, Wishes(), False),
        (USUAL, Wishes(options=("ndots:0",)), True),
        (USUAL, Wishes(options=("ndots:x",)), False),
        ("options ndots:1\n", Wishes(), True),
        ("options ndots:1\n", Wishes(options=("rotate",)), False),
    ],
)
def test_single_words_stay_at_home_if_somebody_said_ndots(
    host: str, wishes: Wishes, is_said: bool
) -> None:
    assert resolv_conf(host, Way.NAMED, wishes).is_ndots_said is is_said


def test_the_name_server_hears_whom_to_ask() -> None:
    made = resolv_conf("nameserver ::1\nnameserver 192.0.2.1\n", Way.NAMED)
    assert made.servers == (Server("::1", is_host=True), Server("192.0.2.1"))
