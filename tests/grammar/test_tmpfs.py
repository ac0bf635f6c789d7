"""Trees in memory: Docker's defaults, its pairs of words, and what may not be."""

import pytest

from pyminidock.errors import MinidockError
from pyminidock.grammar.tmpfs import parse_tmpfs, split_tmpfs


@pytest.mark.parametrize(
    ("options", "flags", "data"),
    [
        ("", "nosuid nodev noexec", ""),
        ("defaults", "nosuid nodev noexec", ""),
        ("exec", "nosuid nodev", ""),
        ("exec,noexec", "nosuid nodev noexec", ""),
        ("noexec,exec", "nosuid nodev", ""),
        ("suid,dev", "noexec", ""),
        ("ro", "nosuid nodev noexec ro", ""),
        ("ro,rw", "nosuid nodev noexec", ""),
        ("noatime", "nosuid nodev noexec noatime", ""),
        ("size=1m,mode=700", "nosuid nodev noexec", "size=1m,mode=700"),
        ("size=1m,size=2m", "nosuid nodev noexec", "size=2m"),
        ("size=x,mode=9", "nosuid nodev noexec", "size=x,mode=9"),  # the kernel refuses
        ("size=50%,uid=1000,gid=5", "nosuid nodev noexec", "size=50%,uid=1000,gid=5"),
    ],
)
def test_options_sit_beside_the_defaults(options: str, flags: str, data: str) -> None:
    mount = parse_tmpfs("/run", options)
    assert (mount.flags, mount.options) == (tuple(flags.split()), data)


@pytest.mark.parametrize(
    "option", ["foo", "foo=1", "huge=always", "=1", "context=x", "noexec=1", "remount",
               "bind", "rshared"],
)  # fmt: skip
def test_an_unknown_option_is_refused_by_name(option: str) -> None:
    with pytest.raises(MinidockError) as refusal:
        parse_tmpfs("/run", f"ro,{option}")
    assert refusal.value.what == f'invalid tmpfs option "{option.partition("=")[0]}"'
    assert refusal.value.try_next == "minidock run --tmpfs /run:size=64m busybox true"


@pytest.mark.parametrize(
    "place",
    ["", "run", "/", "//", "/x/..", "/dev", "/proc", "/sys", "/proc/self", "/x/../proc"],
)
def test_a_place_that_would_cover_what_the_engine_guards_is_refused(place: str) -> None:
    with pytest.raises(MinidockError):
        parse_tmpfs(place)


@pytest.mark.parametrize("place", ["/run", "/run/", "//run", "/x/../run", "/./run"])
def test_a_place_is_cleaned(place: str) -> None:
    assert parse_tmpfs(place).target == "/run"


def test_options_begin_behind_the_first_colon() -> None:
    assert split_tmpfs("/run:size=1m:x") == ("/run", "size=1m:x")
