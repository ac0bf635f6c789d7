"""What is mounted, in the words of mount(8): `-o lowerdir=A:B,upperdir=U,workdir=W,rw`.

The words are overlayfs's; the topmost layer stands first.  A comma or colon in a name is
written with a backslash.  What mount(8) and fstab say besides is understood where it means
something here (`ro`, `nosuid` …), and ignored where it only speaks to mount(8) itself.

Source: Documentation/filesystems/overlayfs.rst; man 8 mount, "FILESYSTEM-INDEPENDENT".
"""

import re
from dataclasses import dataclass

from pyminidock.errors import MinidockError

_FLAGS = {
    "ro", "nosuid", "nodev", "noexec", "noatime", "relatime", "strictatime", "nodiratime",
    "nosymfollow",
}  # fmt: skip
_SAID_TO_MOUNT = {
    "rw", "suid", "dev", "exec", "defaults", "auto", "noauto", "user", "nouser", "users",
    "_netdev", "nofail", "async", "atime", "diratime", "norelatime", "nolazytime",
    "symfollow", "silent", "loud", "allow_other", "default_permissions", "acl",
}  # fmt: skip
# What glass does anyway, or what means nothing without marks that only the kernel writes.
_TRUE_ANYWAY = {
    "xino=auto", "xino=off", "xino=on", "index=off", "nfs_export=off", "verity=off",
    "redirect_dir=off", "redirect_dir=follow", "redirect_dir=nofollow", "metacopy=off",
    "uuid=auto", "uuid=on", "uuid=off", "uuid=null", "volatile", "override_creds",
}  # fmt: skip


class OptionsWrong(MinidockError):
    """An option that is missing, or that nobody knows."""

    status = 400


@dataclass(frozen=True, slots=True)
class Options:
    """One union: the layers topmost first, and how it is mounted."""

    lower: tuple[str, ...]
    upper: str = ""
    work: str = ""
    flags: tuple[str, ...] = ()
    redirects: bool = False
    metacopy: bool = False
    userxattr: bool = False
    acl: bool = False


def read(words: str) -> Options:
    r"""Read what stands behind `-o`.  Raises OptionsWrong.

    >>> read("rw,lowerdir=/a:/b,upperdir=/u,workdir=/w").lower
    ('/a', '/b')
    >>> read(r"lowerdir=/a\:1,ro").lower
    ('/a:1',)
    """
    values: dict[str, str] = {}
    flags: list[str] = []
    added: list[str] = []
    switches: set[str] = set()
    known = _SAID_TO_MOUNT | _TRUE_ANYWAY
    for word in _split(words, ","):
        key, has_value, value = word.partition("=")
        if key in ("lowerdir", "upperdir", "workdir") and has_value:
            values[key] = value
        elif key == "lowerdir+" and has_value:  # one at a time, as it is, below the others
            added.append(value)
        elif word in _FLAGS:
            flags.append(word)
        elif word in ("redirect_dir=on", "metacopy=on", "userxattr", "noacl"):
            switches.add(key)
        elif word and word not in known and not word.startswith("x-"):
            raise _unknown(word)
    lower = [_plain(each) for each in _split(values.get("lowerdir", ""), ":") if each]
    lower += [_plain(each) for each in added]
    upper, work = _plain(values.get("upperdir", "")), _plain(values.get("workdir", ""))
    if not lower or bool(upper) != bool(work):
        raise OptionsWrong(
            "a union needs lowerdir=, and upperdir= together with workdir=",
            why="changes are made complete in the work directory, then renamed into the "
            "upper one; without both it is read-only",
            try_next="-o lowerdir=TOP:BASE,upperdir=U,workdir=W",
            lesson="union-filesystem",
        )
    return Options(
        tuple(lower), upper, work, tuple(flags if upper else {*flags, "ro"}),
        redirects=bool(switches & {"redirect_dir", "metacopy"}),
        metacopy="metacopy" in switches,
        userxattr="userxattr" in switches,
        acl="noacl" not in switches,
    )  # fmt: skip


def _split(text: str, at: str) -> list[str]:
    r"""Split where no backslash stands before.

    >>> _split(r"a,b\,c", ",")
    ['a', 'b\\,c']
    """
    return re.findall(rf"(?:\\.|[^{at}\\])+", text)


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _unknown(word: str) -> OptionsWrong:
    return OptionsWrong(
        f'unknown option "{word}"',
        why="an option that is not understood could change what the mount means",
        try_next="lowerdir=, upperdir=, workdir=, and ro, nosuid, nodev, noexec, noatime",
    )
