"""Names and ids never reach a path unless they fit their pattern whole."""

import pytest

from pyminidock.errors import MinidockError
from pyminidock.grammar.names import parse_id, parse_name, short_id


@pytest.mark.parametrize("name", ["ab", "web-1", "A.b_c-d", "0x", "x" * 255, "x" * 4000])
def test_a_name_is_taken_as_it_is(name: str) -> None:
    assert parse_name(name) == name
    assert parse_name(f"/{name}") == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "x",
        "-ab",
        ".ab",
        "a b",
        "../x",
        "a/b",
        "ab\n",
        "ab\0",
        "äb",
        "//ab",
        "!" * 300,
    ],
)
def test_a_bad_name_is_refused_in_docker_s_words_and_a_good_one_offered(text: str) -> None:
    with pytest.raises(MinidockError) as refusal:
        parse_name(text)
    assert refusal.value.what == (
        f"Invalid container name ({text}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"
    )
    offered = refusal.value.try_next.split()[3]
    assert parse_name(offered) == offered


def test_an_endless_name_is_refused_in_a_short_message() -> None:
    with pytest.raises(MinidockError) as refusal:
        parse_name("x" * (1 << 20))
    assert len(refusal.value.what) < 200


@pytest.mark.parametrize(
    "text", ["a" * 63, "a" * 65, "A" * 64, "g" * 64, "../" + "a" * 61, "a" * 64 + "\n", ""]
)
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(MinidockError, match=r"^invalid container id"):
        parse_id(text)


def test_people_see_the_first_twelve_digits() -> None:
    assert short_id(parse_id("0123456789abcdef" * 4)) == "0123456789ab"
