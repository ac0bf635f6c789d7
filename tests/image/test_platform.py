"""A machine takes its best match from a list, and never merely the first."""

import pytest

from pyminidock.errors import MinidockError
from pyminidock.image.manifest import OCI_MANIFEST, Descriptor, Index, Platform
from pyminidock.image.platform import choose, familiar, normal
from pyminidock.image.platform import parse as parse_here

HERE = Platform("linux", "amd64")


def parse(text: str) -> Platform:
    return parse_here(text, HERE)


def index(*platforms: str) -> Index:
    """Make a list whose entries are told apart by their size."""
    return Index(tuple(
        Descriptor(OCI_MANIFEST, "sha256:" + "a" * 64, place,
                   platform=Platform(*text.split("/")) if text else None)
        for place, text in enumerate(platforms)
    ))  # fmt: skip


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("linux/amd64", "linux/amd64"),
        ("Linux/X86_64", "linux/amd64"),
        ("linux/aarch64", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/arm64/8", "linux/arm64"),
        ("linux/armhf", "linux/arm/v7"),
        ("linux/armel", "linux/arm/v6"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/i386", "linux/386"),
        ("windows/amd64", "windows/amd64"),
    ],
)
def test_a_platform_has_one_spelling(text: str, shown: str) -> None:
    assert familiar(parse(text)) == shown
    assert normal(parse(text)) == parse(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("linux", "linux/amd64"), ("Windows", "windows/amd64"), ("x86_64", "linux/amd64"),
     ("arm", "linux/arm/v7"), ("s390x", "linux/s390x")],
)  # fmt: skip
def test_half_a_platform_is_filled_up(text: str, shown: str) -> None:
    assert familiar(parse(text)) == shown


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", '"" is an invalid OS component of ""'),
        ("linux/", '"" is an invalid component of "linux/"'),
        ("/amd64", '"" is an invalid OS component of "/amd64"'),
        ("a/b/c/d", '"a/b/c/d": cannot parse platform specifier'),
        ("linux/a b", '"a b" is an invalid component of "linux/a b"'),
        ("zz", '"zz": unknown operating system or architecture'),
    ],
)
def test_what_is_no_platform_is_refused(text: str, message: str) -> None:
    with pytest.raises(MinidockError) as refusal:
        parse(text)
    assert refusal.value.what.startswith(message)


@pytest.mark.parametrize(
    ("wanted", "entries", "place"),
    [
        ("linux/amd64", ("linux/arm64", "linux/amd64"), 1),
        ("linux/amd64", ("linux/amd64", "linux/amd64"), 0),
        ("linux/amd64", ("linux/386", "linux/amd64"), 1),
        ("linux/amd64", ("linux/386", "unknown/unknown"), 0),
        ("linux/amd64", ("", "linux/amd64"), 1),
        ("linux/amd64", ("linux/arm64", ""), 1),
        ("linux/amd64", ("", "linux/386"), 1),
        ("linux/arm64", ("linux/arm/v7", "linux/arm64/v8"), 1),
        ("linux/arm64", ("linux/arm/v6", "linux/arm/v7"), 1),
        ("linux/arm/v7", ("linux/arm/v5", "linux/arm/v6"), 1),
        ("linux/arm/v7", ("linux/arm", "linux/arm/v6"), 0),
        ("linux/amd64/v3", ("linux/amd64", "linux/amd64/v2"), 1),
    ],
)
def test_the_first_of_the_best_matches_is_taken(
    wanted: str, entries: tuple[str, ...], place: int
) -> None:
    assert choose(index(*entries), parse(wanted)).descriptor.size_bytes == place


@pytest.mark.parametrize(
    ("wanted", "entries"),
    [
        ("linux/arm64", ("linux/amd64", "windows/arm64")),
        ("linux/386", ("linux/amd64",)),
        ("linux/arm/v6", ("linux/arm/v7",)),
        ("linux/amd64", ("linux/amd64/v3",)),
        ("linux/amd64", ()),
    ],
)
def test_no_match_is_said_in_docker_s_words(wanted: str, entries: tuple[str, ...]) -> None:
    with pytest.raises(MinidockError) as refusal:
        choose(index(*entries), parse(wanted))
    assert refusal.value.what == (
        f"no matching manifest for {wanted} in the manifest list entries"
    )
    assert all(familiar(parse(entry)) in refusal.value.why for entry in entries)
