"""Names become numbers by reading two files, and no number becomes root by accident."""

import tracemalloc

import pytest

from pyminidock.container.users import User, resolve_user
from pyminidock.errors import MinidockError
from pyminidock.events import Event, UserResolved

FILES = {
    "etc/passwd": b"""\
root:x:0:0:root:/root:/bin/sh
web:x:1000:1000:Web server:/srv:/bin/sh

games:x:5:60::/usr/games:
99999999999:x:0:0::/root:
4294967296:x:0:0::/root:
broken:x:zero:0::/root:
arabic:x:\xd9\xa0:0::/root:
huge:x:4294967296:0::/root:
homeless:x:9:9:::
""",
    "etc/group": b"""\
root:x:0:
web:x:1000:
audio:x:29:games,web
video:x:44:web
docker:x:999:
odd:x:-1:
""",
}


def resolve(asked: str, *group_add: str, files: dict[str, bytes] = FILES) -> User:
    return resolve_user(asked, group_add, files, correct=lambda user: f"--user={user}")


@pytest.mark.parametrize(
    ("asked", "uid", "groups", "home"),
    [
        ("", 0, (0,), "/root"),
        ("root", 0, (0,), "/root"),
        ("0", 0, (0,), "/root"),
        ("web", 1000, (1000, 29, 44), "/srv"),
        ("1000", 1000, (1000, 29, 44), "/srv"),
        ("web:", 1000, (1000, 29, 44), "/srv"),
        ("games", 5, (60, 29), "/usr/games"),
        ("web:docker", 1000, (999,), "/srv"),
        ("1000:7", 1000, (7,), "/srv"),
        (":50", 0, (50,), "/root"),
        (":audio", 0, (29,), "/root"),
        ("4321", 4321, (0,), "/"),
        ("4321:5", 4321, (5,), "/"),
        ("+5", 5, (60, 29), "/usr/games"),
        ("homeless", 9, (9,), "/"),
        ("2147483647:2147483647", 2147483647, (2147483647,), "/"),
    ],
)
def test_what_user_means(asked: str, uid: int, groups: tuple[int, ...], home: str) -> None:
    user = resolve(asked)
    assert (user.uid, user.groups, user.home) == (uid, groups, home)
    assert user.gid == groups[0]


def test_added_groups_come_last_and_once_and_numbers_need_no_line() -> None:
    assert resolve("web", "77", "docker", "audio").groups == (1000, 29, 44, 77, 999)
    assert resolve("web:5", "5").groups == (5,)


def test_the_story_says_which_lines_decided() -> None:
    heard: list[Event] = []
    resolve_user("web", ["7"], FILES, correct=str, emit=heard.append)
    source = "etc/passwd line 2, etc/group line 3, etc/group line 4, the number itself"
    assert heard == [UserResolved("web", 1000, 1000, (1000, 29, 44, 7), "/srv", source)]


def test_numbers_need_no_files() -> None:
    assert resolve("5", files={}) == User(5, 0, (0,), "/", "the number itself")


@pytest.mark.parametrize(
    ("asked", "added", "message"),
    [
        ("nobodyx", (), "unable to find user nobodyx: no matching entries in passwd file"),
        ("broken", (), "unable to find user broken: no matching entries in passwd file"),
        ("arabic", (), "unable to find user arabic: no matching entries in passwd file"),
        ("web:nogrp", (), "unable to find group nogrp: no matching entries in group file"),
        ("", ("nog",), "Unable to find group nog: no matching entries in group file"),
        ("", ("",), "Unable to find group : no matching entries in group file"),
    ],
)
def test_an_unknown_name_is_refused_in_docker_s_words(
    asked: str, added: tuple[str, ...], message: str
) -> None:
    heard: list[Event] = []
    with pytest.raises(MinidockError) as refusal:
        resolve_user(asked, added, FILES, correct=str, emit=heard.append)
    assert (refusal.value.what, refusal.value.status) == (message, 500)
    assert heard == []


@pytest.mark.parametrize(
    "asked",
    ["2147483648", "4294967296", "-1", "1000:4294967295", "99999999999", "huge", "5:-1",
     "web:odd", "9" * 5000, "0" * 5000 + "4294967296"],
)  # fmt: skip
def test_a_number_that_is_no_id_never_becomes_root(asked: str) -> None:
    with pytest.raises(MinidockError) as refusal:
        resolve(asked)
    assert refusal.value.what == "uids and gids must be in range 0-2147483647"


@pytest.mark.parametrize("added", ["2147483648", "-1", "4294967296"])
def test_an_added_group_is_in_range_too(added: str) -> None:
    with pytest.raises(MinidockError, match="uids and gids must be in range"):
        resolve("", added)


def test_a_group_of_the_file_that_is_out_of_range_is_no_gift() -> None:
    files = {**FILES, "etc/group": b"wide:x:4294967296:web\n"}
    with pytest.raises(MinidockError, match="uids and gids must be in range"):
        resolve("web", files=files)


def test_the_advice_for_a_slip_is_the_nearest_name() -> None:
    with pytest.raises(MinidockError) as refusal:
        resolve("wbe")
    assert refusal.value.try_next == "--user=web"
    assert "root, web, games" in refusal.value.why


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (
            b"root:x:0:0\n" + b"x" * (10 << 20),
            "line 2 of /etc/passwd is longer than 64 KiB",
        ),
        (b"a:x:1:1\nb\0:x:2:2\n", "line 2 of /etc/passwd holds a NUL byte"),
    ],
)
def test_a_file_made_to_harm_is_refused_with_a_reason(damage: bytes, reason: str) -> None:
    with pytest.raises(MinidockError) as refusal:
        resolve("web", files={"etc/passwd": damage})
    assert refusal.value.what == reason


def test_a_file_of_short_lines_costs_no_more_than_a_few_times_its_size() -> None:
    data = b"x" * (1 << 20)
    data = b"\n".join(data[start : start + 999] for start in range(0, len(data), 999))
    tracemalloc.start()
    with pytest.raises(MinidockError):
        resolve("web", files={"etc/passwd": data})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 << 20
