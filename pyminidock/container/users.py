"""Who runs inside: `--user web`, `--user 1000:50`, `--group-add audio` become numbers.

The kernel knows numbers only; names are a custom of two text files in the container's own
root.  Asking libc would load that root's plug-ins into the engine, so we read the bytes
ourselves, within limits, and distrust every line:

    etc/passwd   web:x:1000:1000:Web server:/srv:/bin/sh       name, uid, gid, home
    etc/group    audio:x:29:web,ann                            name, gid, members

A text of digits is a number and never a name.  Docker looks for a user *called* 1000 first;
we do not, because a line `1000:x:0:0:…` would then turn a harmless number into root.

    asked         uid        gid        further groups              home
    (nothing)     0          passwd     those that list the user    passwd
    web           passwd     passwd     those that list the user    passwd
    4321          4321       0 if there is no such line in passwd   /
    web:audio     passwd     of audio   none                        passwd

Source: moby/sys, user.go, GetExecUser(); measured with dockerd 26.1.5.
"""

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pyminidock.errors import MinidockError
from pyminidock.events import Emit, UserResolved, ignore

PASSWD, GROUP = "etc/passwd", "etc/group"
LARGEST_ID = (1 << 31) - 1
LONGEST_LINE = 64 * 1024  # bytes

Correct = Callable[[str], str]
"""Spells the command again, with this `--user` in place of the refused one."""


@dataclass(frozen=True, slots=True)
class User:
    """Who a process is; `groups` begins with the primary one."""

    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str
    source: str  # which lines decided, for people


@dataclass(frozen=True, slots=True)
class _Account:
    line: int
    name: str
    uid: int
    gid: int
    home: str


@dataclass(frozen=True, slots=True)
class _Group:
    line: int
    name: str
    gid: int
    members: tuple[str, ...]


NOBODY = User(65534, 65534, (65534,), "/", "nobody knows the name yet")
"""Who stands in a decision that no start may use: not root, in case one did."""


class UserUnknown(MinidockError):
    """No line of etc/passwd has this name."""


class GroupUnknown(MinidockError):
    """No line of etc/group has this name."""


class IdOutOfRange(MinidockError):
    """The number is no uid or gid; too large ones would come round to root."""


class AccountsUnreadable(MinidockError):
    """etc/passwd or etc/group is not the text it should be."""


def resolve_user(
    asked: str,
    group_add: Sequence[str],
    files: Mapping[str, bytes],
    *,
    correct: Correct,
    emit: Emit = ignore,
) -> User:
    """Decide who `asked` is in the root that `files` come from.

    `files` may lack etc/passwd or etc/group; numbers need neither.
    Raises UserUnknown, GroupUnknown, IdOutOfRange, AccountsUnreadable.

    >>> files = {"etc/passwd": b"web:x:7:8::/srv:", "etc/group": b"audio:x:29:web"}
    >>> resolve_user("web", ["77"], files, correct=str).groups
    (8, 29, 77)
    >>> resolve_user("4321", [], files, correct=str)
    User(uid=4321, gid=0, groups=(0,), home='/', source='the number itself')
    """
    accounts, groups = _accounts(files.get(PASSWD, b"")), _groups(files.get(GROUP, b""))
    wanted, _, wanted_group = asked.partition(":")
    account, uid = _find_account(wanted, accounts, correct)
    sources = [f"{PASSWD} line {account.line}" if account else "the number itself"]
    gid, further = (account.gid if account else 0), []
    if wanted_group:
        gid, source = _find_group(wanted_group, groups, "unable", correct)
        sources.append(source)
    elif account:
        mine = [group for group in groups if account.name in group.members]
        further = [group.gid for group in mine]
        sources += [f"{GROUP} line {group.line}" for group in mine]
    for extra in group_add:
        extra_gid, source = _find_group(extra, groups, "Unable", correct)
        further.append(extra_gid)
        sources.append(source)
    for number in (uid, gid, *further):
        _check_range(number, correct)
    home = (account.home if account else "") or "/"
    # The primary group stays among the others: to drop it would undo what a file's mode
    # takes away from that group (CVE-2022-2995).
    user = User(uid, gid, tuple(dict.fromkeys((gid, *further))), home, ", ".join(sources))
    emit(UserResolved(asked, user.uid, user.gid, user.groups, user.home, user.source))
    return user


def _find_account(
    wanted: str, accounts: Sequence[_Account], correct: Correct
) -> tuple[_Account | None, int]:
    """Give the line of `wanted`, if there is one, and the uid."""
    number = _number(wanted) if wanted else 0
    for account in accounts:
        if account.name == wanted if number is None else account.uid == number:
            return account, account.uid
    if number is not None:
        return None, number
    names = [account.name for account in accounts]
    raise UserUnknown(
        f"unable to find user {wanted}: no matching entries in passwd file",
        why=f"a name must stand at the beginning of a line of /{PASSWD} in the container's "
        f"root, which has {', '.join(names[:8]) or 'none'}; a number needs no line",
        try_next=correct(_nearest(wanted, names)),
        lesson="users",
    )


def _find_group(
    wanted: str, groups: Sequence[_Group], unable: str, correct: Correct
) -> tuple[int, str]:
    """Give the gid of `wanted` and where it comes from."""
    number = _number(wanted)
    if number is not None:
        return number, "the number itself"
    for group in groups:
        if group.name == wanted:
            return group.gid, f"{GROUP} line {group.line}"
    names = [group.name for group in groups]
    raise GroupUnknown(
        f"{unable} to find group {wanted}: no matching entries in group file",
        why=f"a name must stand at the beginning of a line of /{GROUP} in the container's "
        f"root, which has {', '.join(names[:8]) or 'none'}; a number needs no line",
        try_next=correct(""),
        lesson="users",
    )


def _nearest(wanted: str, names: Sequence[str]) -> str:
    return next(iter(difflib.get_close_matches(wanted, names, n=1)), "0")


def _number(text: str) -> int | None:
    """Read digits with a sign; one that is too long for any id becomes one too large."""
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        return None
    digits = text.lstrip("+-").lstrip("0")
    size = int(digits or "0") if len(digits) <= 10 else LARGEST_ID + 1
    return -size if text.startswith("-") else size


def _check_range(number: int, correct: Correct) -> None:
    if not 0 <= number <= LARGEST_ID:
        raise IdOutOfRange(
            f"uids and gids must be in range 0-{LARGEST_ID}",
            why="the kernel keeps 32 bits of a number, so a larger one could mean root",
            try_next=correct("1000"),
            lesson="users",
        )


@lru_cache(maxsize=64)
def _accounts(data: bytes) -> tuple[_Account, ...]:
    """Read etc/passwd; the containers of one image have the same."""
    found = []
    for line, fields in _lines(data, PASSWD):
        name, _, uid, gid, _, home, *_ = (*fields, *[""] * 7)
        uid_number, gid_number = _number(uid), _number(gid)
        if uid_number is not None and gid_number is not None:  # else never 0 in its place
            found.append(_Account(line, name, uid_number, gid_number, home))
    return tuple(found)


@lru_cache(maxsize=64)
def _groups(data: bytes) -> tuple[_Group, ...]:
    """Read etc/group."""
    found = []
    for line, fields in _lines(data, GROUP):
        name, _, gid, members, *_ = (*fields, *[""] * 4)
        number = _number(gid)
        if number is not None:
            found.append(_Group(line, name, number, tuple(members.split(","))))
    return tuple(found)


def _lines(data: bytes, path: str) -> Iterator[tuple[int, list[str]]]:
    """Cut a file into numbered lines of fields, refusing what no such file holds."""
    for number, raw in enumerate(data.split(b"\n"), start=1):
        fault = "is longer than 64 KiB" if len(raw) > LONGEST_LINE else ""
        fault = "holds a NUL byte" if b"\0" in raw else fault
        if fault:
            raise AccountsUnreadable(
                f"line {number} of /{path} {fault}",
                why="names are looked up in the container's own files, which may be made "
                "to harm the reader, so only plain lines are read",
                try_next=f"minidock bootstrap busybox && minidock run busybox cat /{path}",
                lesson="users",
            )
        line = raw.strip().decode("utf-8", "surrogateescape")
        if line:
            yield number, line.split(":")
