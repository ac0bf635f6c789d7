"""Limits of a process, compared with what docker 26.1.5 said to the same texts."""

import pytest

from pyminidock.errors import MinidockError
from pyminidock.grammar.ulimits import Ulimit, check, parse_ulimit


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("nofile=1024:2048", Ulimit("nofile", 1024, 2048)),
        ("nofile=7", Ulimit("nofile", 7, 7)),
        ("core=0", Ulimit("core", 0, 0)),
        ("memlock=-1:-1", Ulimit("memlock", -1, -1)),
        ("nofile=5:-1", Ulimit("nofile", 5, -1)),
    ],
)
def test_a_limit_is_read(text: str, limit: Ulimit) -> None:
    assert parse_ulimit(text) == limit


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nofile", "invalid ulimit argument: nofile"),
        ("foo=1", "invalid ulimit type: foo"),
        ("NOFILE=1", "invalid ulimit type: NOFILE"),
        ("=1", "invalid ulimit type: "),
        ("nofile=x", 'strconv.ParseInt: parsing "x": invalid syntax'),
        ("nofile=1:y", 'strconv.ParseInt: parsing "y": invalid syntax'),
        ("nofile=", 'strconv.ParseInt: parsing "": invalid syntax'),
        (f"nofile={10**30}", f'strconv.ParseInt: parsing "{10**30}": value out of range'),
        ("nofile=1:2:3",
         "too many limit value arguments - 1:2:3, can only have up to two, `soft[:hard]`"),
        ("nofile=300:200",
         "ulimit soft limit must be less than or equal to hard limit: 300 > 200"),
        ("nofile=-1:5", "ulimit soft limit must be less than or equal to hard limit: "
         "soft: -1 (unlimited), hard: 5"),
    ],
)  # fmt: skip
def test_a_bad_limit_is_refused_in_docker_s_words(text: str, message: str) -> None:
    with pytest.raises(MinidockError) as refusal:
        parse_ulimit(text)
    assert refusal.value.what == message


def test_a_limit_below_unlimited_is_refused_before_any_kernel_sees_it() -> None:
    with pytest.raises(MinidockError, match="invalid ulimit value: -2"):
        check(Ulimit("nofile", -2, 5))


def test_the_advice_for_swapped_limits_is_to_swap_them() -> None:
    with pytest.raises(MinidockError) as refusal:
        parse_ulimit("nofile=300:200")
    assert refusal.value.try_next == "minidock run --ulimit nofile=200:300 busybox true"
