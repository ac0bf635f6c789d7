"""/etc/hosts line by line, as dockerd 26.1 writes it."""

import pytest

from pyminidock.network.hosts import Linked, hosts, own_line, without

ID = "d225ff338c5f8957b031eb83b6b673abda6bcd54e905ca629b3cec0e0391c769"


def lines(text: str) -> list[str]:
    return text.splitlines()[6:]


def test_every_file_begins_alike() -> None:
    assert hosts((), "web") == (
        "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
        "fe00::0\tip6-localnet\nff00::0\tip6-mcastprefix\nff02::1\tip6-allnodes\n"
        "ff02::2\tip6-allrouters\n"
    )


def test_extra_hosts_come_first_and_links_before_oneself() -> None:
    made = hosts(
        ("172.17.0.3",), "q.r.s", "my.dom", extra=("foo:1.2.3.4", "six:[::1]"),
        links=[Linked("172.17.0.2", "lx", ID, "xc"), Linked("172.17.0.2", "xc", ID, "xc")],
    )  # fmt: skip
    assert lines(made) == [
        "1.2.3.4\tfoo", "::1\tsix", "172.17.0.2\tlx d225ff338c5f xc",
        "172.17.0.2\txc d225ff338c5f",
        "172.17.0.3\tq.r.s.my.dom q",
    ]  # fmt: skip


def test_each_network_has_a_line() -> None:
    made = hosts(("172.18.0.2", "172.19.0.2", "fd00::2"), "hosty")
    assert lines(made) == ["172.18.0.2\thosty", "172.19.0.2\thosty", "fd00::2\thosty"]


@pytest.mark.parametrize(
    ("gateway", "line"), [("172.17.0.1", "172.17.0.1\tgw"), ("", "<nil>\tgw")]
)
def test_the_host_has_a_word(gateway: str, line: str) -> None:
    assert lines(hosts((), "web", extra=("gw:host-gateway",), gateway=gateway)) == [line]


def test_only_the_line_of_a_network_goes_with_it() -> None:
    text = hosts(("172.18.0.2", "172.19.0.2"), "a.b", extra=("a:172.18.0.2",))
    left = without(text, "172.18.0.2", "a.b")
    assert lines(left) == ["172.18.0.2\ta", "172.19.0.2\ta.b a"]
    assert left + own_line("172.18.0.2", "a.b") != text  # it comes back at the end
