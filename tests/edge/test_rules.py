"""What we spell for the kernel, judged by `nft`; what others do to it is heard."""

import subprocess
import sys
import textwrap

import pytest

from tests.edge.private import ROOT

pytestmark = pytest.mark.edge

_BEGIN = """
import subprocess, threading
from dataclasses import replace
from pyminidock.kernel.linux.nftables import Nftables
from pyminidock.kernel.linux.nftreading import read_tables
from pyminidock.kernel.linux.rulewatch import RuleWatch
from pyminidock.kernel.rules import *
from pyminidock.kernel.rules import is_intact, text_of
from pyminidock.network.nat import *

def nft(*words, text=None):
    return subprocess.run(
        ["nft", *words], input=text, capture_output=True, text=True, check=True
    ).stdout

TABLES = tables("minidock_0a1b2c", "mv0a1b2c")
ELEMENTS = (
    *of_bridge(BridgeRules("br0")), *of_bridge(BridgeRules("br1", is_internal=True)),
    *of_endpoint(Admitted("br0", "mv1", "02:42:ac:11:00:02", "172.17.0.2", "fd00::2")),
    *of_port(Published("tcp", "127.0.0.1", 8080, "172.17.0.2", 80)),
    *of_port(Published("sctp", "0.0.0.0", 8080, "172.17.0.2", 80)),
)
ours = Nftables()
"""


def alone(script: str) -> None:
    """Run a script in a network namespace of its own."""
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-W", "error", "-c",
         _BEGIN + textwrap.dedent(script)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_the_kernel_has_the_same_rules_from_us_as_from_nft() -> None:
    alone("""
        nft("-f", "-", text="\\n".join(text_of(each, ELEMENTS) for each in TABLES) + "\\n")
        theirs = nft("list", "ruleset")
        nft("flush", "ruleset")
        ours.do(MakeTable(TABLES, ELEMENTS))
        assert nft("list", "ruleset") == theirs, nft("list", "ruleset") + theirs
        assert is_intact(read_tables("minidock_0a1b2c"), TABLES, ELEMENTS)
    """)


def test_tables_of_others_are_not_touched() -> None:
    alone("""
        nft("add", "table", "ip", "nat")
        nft("add", "chain", "ip", "nat", "DOCKER")
        nft("add", "rule", "ip", "nat", "DOCKER", "tcp", "dport", "80", "accept")
        nft("add", "table", "inet", "minidock_ffffff")
        before = nft("list", "ruleset")
        ours.do(MakeTable(TABLES, ELEMENTS))
        ours.do(MakeTable(TABLES, ELEMENTS))
        ours.do(RemoveTable(FAMILIES, "minidock_0a1b2c"))
        assert nft("list", "ruleset") == before
    """)


def test_who_flushes_our_table_is_heard_and_who_changes_another_is_not() -> None:
    alone("""
        ours.do(MakeTable(TABLES, ELEMENTS))
        heard = threading.Event()
        watch = RuleWatch("minidock_0a1b2c", lambda port: port == ours.port, heard.set)
        ours.do(AddElements("minidock_0a1b2c", (Element("bridges", ("br9",)),)))
        nft("add", "table", "inet", "another")
        assert not heard.wait(0.3)
        nft("flush", "ruleset")
        assert heard.wait(5.0)
        watch.close()
    """)


def test_a_thousand_elements_are_one_transaction() -> None:
    alone("""
        many = tuple(
            each for n in range(1000)
            for each in of_port(Published("tcp", "127.0.0.1", 2000 + n, "172.17.0.2", n))
        )
        ours.do(MakeTable(TABLES, ELEMENTS))
        before = nft("list", "ruleset")
        wrong = replace(many[0], data=("172.17.0.3", "1"))
        try:
            ours.do(AddElements("minidock_0a1b2c", (*many, wrong)))
        except OSError:
            assert nft("list", "ruleset") == before
        else:
            raise AssertionError("one of them could not be")
        ours.do(AddElements("minidock_0a1b2c", many))
        (inet, _) = read_tables("minidock_0a1b2c")
        assert {each for each, _ in inet.elements} >= set(many)
    """)
