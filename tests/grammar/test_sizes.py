"""Amounts, compared with what docker 26.1.5 said to the same texts."""

import pytest

from pyminidock.errors import MinidockError
from pyminidock.grammar.numbers import LARGEST, parse_integer
from pyminidock.grammar.sizes import parse_cpus, parse_memory, show_cpus, show_memory


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("0", 0),
        ("7", 7),
        ("5B", 5),
        ("5 m", 5 << 20),
        ("5ki", 5 << 10),
        ("5KiB", 5 << 10),
        ("1.5m", 3 << 19),
        ("1.3", 1),
        ("2g", 2 << 30),
        ("1T", 1 << 40),
        ("1p", 1 << 50),
    ],
)
def test_an_amount_of_memory_is_read(text: str, size_bytes: int) -> None:
    assert parse_memory(text) == size_bytes


@pytest.mark.parametrize(
    "text",
    ["10x", "-1", "", " 5m", "1e3", "5bi", ".5m", "+5m", "1_000", "5  m", "5.m", "٣m"],
)
def test_what_is_no_amount_of_memory_is_refused_in_docker_s_words(text: str) -> None:
    with pytest.raises(MinidockError) as refusal:
        parse_memory(text)
    assert refusal.value.what == f"invalid size: '{text}'"


def test_two_points_are_refused_as_the_number_they_are_not() -> None:
    with pytest.raises(MinidockError, match=r'^strconv.ParseFloat: parsing "1\.5\.5":'):
        parse_memory("1.5.5m")


@pytest.mark.parametrize(
    ("text", "advice"),
    [("10x", "--memory 10m"), ("", "--memory 64m"), ("-1", "--memory 6m")],
)
def test_the_advice_is_a_command_with_the_nearest_allowed_amount(
    text: str, advice: str
) -> None:
    with pytest.raises(MinidockError) as refusal:
        parse_memory(text)
    assert refusal.value.try_next == f"minidock run {advice} busybox true"


@pytest.mark.parametrize(
    ("text", "nano_cpus"),
    [("1.5", 1_500_000_000), ("1/2", 500_000_000), ("1e-1", 100_000_000), ("-1", -(10**9)),
     (".5", 500_000_000), ("5.", 5_000_000_000), ("1.000000001", 1_000_000_001)],
)  # fmt: skip
def test_a_number_of_processors_is_read(text: str, nano_cpus: int) -> None:
    assert parse_cpus(text) == nano_cpus


@pytest.mark.parametrize(
    "text", ["x", "", "inf", "1/0", "1e9999", "9" * 41, "1 / 2", "nan"]
)
def test_what_is_no_number_of_processors_is_refused(text: str) -> None:
    with pytest.raises(MinidockError) as refusal:
        parse_cpus(text)
    assert refusal.value.what == f"failed to parse {text} as a rational number"


@pytest.mark.parametrize("text", ["1/3", "1e-10", "1.0000000001"])
def test_less_than_a_billionth_of_a_processor_is_too_precise(text: str) -> None:
    with pytest.raises(MinidockError, match=r"^value is too precise$"):
        parse_cpus(text)


@pytest.mark.parametrize(
    "size_bytes", [0, 1, 1000, 1024, 6 << 20, 3 << 30, (1 << 40) + 1024]
)
def test_a_shown_amount_is_read_back(size_bytes: int) -> None:
    assert parse_memory(show_memory(size_bytes)) == size_bytes


@pytest.mark.parametrize("nano_cpus", [0, 1, 10_000_000, 10**9, 1_500_000_000, -(10**8)])
def test_a_shown_share_is_read_back(nano_cpus: int) -> None:
    assert parse_cpus(show_cpus(nano_cpus)) == nano_cpus


def test_a_whole_number_has_64_bits() -> None:
    assert parse_integer(str(LARGEST), try_next="") == LARGEST
    assert parse_integer(str(-LARGEST - 1), try_next="") == -LARGEST - 1
    assert parse_integer("-" + "0" * 9999 + "7", try_next="") == -7


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (str(LARGEST + 1), "value out of range"),
        ("9" * 100_000, "value out of range"),
        ("", "invalid syntax"),
        ("1_0", "invalid syntax"),
        (" 5", "invalid syntax"),
        ("٣", "invalid syntax"),
    ],
)
def test_what_is_no_whole_number_is_refused_in_go_s_words(text: str, fault: str) -> None:
    with pytest.raises(MinidockError) as refusal:
        parse_integer(text, try_next="minidock version")
    assert refusal.value.what == f'strconv.ParseInt: parsing "{text}": {fault}'
    assert refusal.value.try_next == "minidock version"
