"""What looks like a credential is found wherever it stands, and nothing else is."""

import time

import pytest

from pyminidock.grammar.credentials import left_over


@pytest.mark.parametrize(
    "line",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_" + "a1" * 18,
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc",
        "Bearer abcdefghijklmnopqrst",
        "glpat-abcdefghijklmnop",
        "xoxb-1234567890",
    ],
)
def test_what_still_looks_like_a_credential_is_found(line: str) -> None:
    assert left_over(f"echo {line} > file")
    assert not left_over("echo hi")


@pytest.mark.parametrize(
    "hostile", ["AKIA" * 10**5, "eyJ" * 10**5, "ghp_" * 10**5, "basic " * 10**5],
    ids=lambda text: text[:6],
)  # fmt: skip
def test_no_line_makes_the_last_look_slow(hostile: str) -> None:
    before = time.process_time()
    left_over(hostile)
    assert time.process_time() - before < 2
