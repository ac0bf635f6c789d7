"""Variables: how they are typed, how files hold them, which of them wins."""

import subprocess
from pathlib import Path

import pytest

from pyminidock.errors import MinidockError
from pyminidock.grammar.envfile import parse_env_file, parse_variable
from pyminidock.grammar.environment import fill_up, lay_over, with_home

AROUND = {"HOME": "/home/me", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("A=1", "A=1"),
        ("A=", "A="),
        ("A=b=c", "A=b=c"),
        ("A B=1", "A B=1"),
        ("HOME", "HOME=/home/me"),
        ("EMPTY", "EMPTY="),
        ("UNSET", "UNSET"),
    ],
)
def test_a_variable_is_read(text: str, entry: str) -> None:
    assert parse_variable(text, AROUND) == entry


@pytest.mark.parametrize("text", ["", "=x", "="])
def test_a_variable_without_a_name_is_refused(text: str) -> None:
    with pytest.raises(MinidockError) as refusal:
        parse_variable(text, AROUND)
    assert refusal.value.what == f"invalid environment variable: {text}"


@pytest.mark.parametrize(
    ("data", "entries"),
    [
        pytest.param(b"B=2 # x\n", ("B=2 # x",), id="no comment within a line"),
        pytest.param(b'B="2"\n', ('B="2"',), id="quotes stay"),
        pytest.param(b"# c\n\n \t\n  #d\n", (), id="comments and blank lines"),
        pytest.param(b"\t A=1 ", ("A=1 ",), id="blanks go in front, stay behind"),
        pytest.param(b"A=1\r\nB=2\r\n", ("A=1", "B=2"), id="lines from Windows"),
        pytest.param(b"\xef\xbb\xbfA=1", ("A=1",), id="a byte order mark"),
        pytest.param(b"HOME\nUNSET\n", ("HOME=/home/me",), id="bare names are copied"),
        pytest.param(b"A=1\nA=2", ("A=1", "A=2"), id="order is kept"),
        pytest.param(b"", (), id="nothing"),
    ],
)
def test_a_file_is_read(data: bytes, entries: tuple[str, ...]) -> None:
    assert parse_env_file(data, "env", AROUND) == entries


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"C D=1", "poorly formatted environment: variable 'C D' contains whitespaces"),
        (b"=1", "poorly formatted environment: no variable name on line '=1'"),
        (b"A\n\xff=1", "env file env contains invalid utf8 bytes at line 2: [255 61 49]"),
        (b"A=" + b"x" * 70_000, "bufio.Scanner: token too long"),
    ],
)
def test_a_bad_line_is_refused_in_docker_s_words(data: bytes, message: str) -> None:
    with pytest.raises(MinidockError) as refusal:
        parse_env_file(data, "env", AROUND)
    assert refusal.value.what == message


def test_the_advice_shows_the_bad_line(tmp_path: Path) -> None:
    place = tmp_path / "it's mine"
    place.write_bytes(b"A=1\nC D=1\n")
    with pytest.raises(MinidockError) as refusal:
        parse_env_file(place.read_bytes(), str(place), {})
    shown = subprocess.run(
        ["sh", "-c", refusal.value.try_next], capture_output=True, check=True
    )
    assert shown.stdout == b"C D=1\n"


def test_an_asked_variable_hides_the_image_s_even_if_it_is_bare() -> None:
    assert fill_up(["B"], ["A=image", "B=image"]) == ("B", "A=image")


@pytest.mark.parametrize(
    ("above", "merged"),
    [
        pytest.param(["PATH=/opt"], ("PATH=/opt", "TERM=xterm"), id="replaced in place"),
        pytest.param(["A=1"], ("PATH=/bin", "TERM=xterm", "A=1"), id="appended"),
        pytest.param(["TERM"], ("PATH=/bin",), id="removed"),
        pytest.param(["TERM=x", "TERM"], ("PATH=/bin",), id="replaced and removed"),
        pytest.param(
            ["A=1", "A"], ("PATH=/bin", "TERM=xterm", "A=1"), id="of above, nothing goes"
        ),
        pytest.param(["NONE"], ("PATH=/bin", "TERM=xterm"), id="nothing to remove"),
        pytest.param(
            ["A=1", "A=2"], ("PATH=/bin", "TERM=xterm", "A=2"), id="the last wins"
        ),
    ],
)
def test_one_environment_is_laid_over_another(
    above: list[str], merged: tuple[str, ...]
) -> None:
    assert lay_over(["PATH=/bin", "TERM=xterm"], above) == merged


def test_home_is_appended_last_unless_somebody_chose_one() -> None:
    assert with_home(["A=1"], "/root") == ("A=1", "HOME=/root")
    assert with_home(["HOME=", "A=1"], "/root") == ("HOME=/root", "A=1")
    assert with_home(["HOME=/x", "A=1"], "/root") == ("HOME=/x", "A=1")
