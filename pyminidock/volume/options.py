"""What the local driver of volumes can be asked for: a filesystem instead of a directory.

    type=tmpfs device=tmpfs o=size=64m     a tree in memory, while somebody uses it
    type=none  device=/srv  o=bind         a tree of the host under a volume's name
    type=nfs   device=:/x   o=addr=…       a tree of another machine

They are the words of mount(8), and what becomes of them is decided by the kernel when the
volume's first user comes.  Without options a volume is a directory of the engine.

    o=ro,size=1m,rslave ──► mount       flags 0x1, options size=1m
                            remount     flags MS_SLAVE | MS_REC: what spreads from there
    o=bind,ro           ──► mount       flags MS_BIND | MS_RDONLY
                            remount-ro  a bind hears of "ro" only when it is there

Source: moby, volume/local/local_unix.go, setOpts(), mount(); moby/sys/mount, Mount().
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from pyminidock.errors import MinidockError
from pyminidock.kernel.port import HostMount

_KNOWN = ("type", "o", "device", "size")
_RDONLY, _REMOUNT, _BIND, _SILENT, _REC = 1, 32, 4096, 32768, 16384
_UNBINDABLE, _PRIVATE, _SLAVE, _SHARED = 1 << 17, 1 << 18, 1 << 19, 1 << 20
_SPREAD = _UNBINDABLE | _PRIVATE | _SLAVE | _SHARED
_BY_NAME = ("nfs", "cifs")  # for which Docker looks a name of another machine up

# Word, the bits it stands for, and whether it takes them away.  Source: man 8 mount.
_FLAGS: Mapping[str, tuple[int, bool]] = {
    "defaults": (0, False), "ro": (_RDONLY, False), "rw": (_RDONLY, True),
    "nosuid": (2, False), "suid": (2, True), "nodev": (4, False), "dev": (4, True),
    "noexec": (8, False), "exec": (8, True), "sync": (16, False), "async": (16, True),
    "remount": (_REMOUNT, False), "mand": (64, False), "nomand": (64, True),
    "dirsync": (128, False), "noatime": (1 << 10, False), "atime": (1 << 10, True),
    "nodiratime": (1 << 11, False), "diratime": (1 << 11, True),
    "bind": (_BIND, False), "rbind": (_BIND | _REC, False),
    "unbindable": (_UNBINDABLE, False), "runbindable": (_UNBINDABLE | _REC, False),
    "private": (_PRIVATE, False), "rprivate": (_PRIVATE | _REC, False),
    "slave": (_SLAVE, False), "rslave": (_SLAVE | _REC, False),
    "shared": (_SHARED, False), "rshared": (_SHARED | _REC, False),
    "relatime": (1 << 21, False), "norelatime": (1 << 21, True),
    "strictatime": (1 << 24, False), "nostrictatime": (1 << 24, True),
}  # fmt: skip


class VolumeOptionRefused(MinidockError):
    """The local driver has no such option, or it lacks another."""

    status = 400


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """What a volume is made of, if it is no directory of the engine."""

    filesystem: str = ""
    device: str = ""
    options: str = ""

    @property
    def is_mounted(self) -> bool:
        """Say whether something is mounted there while somebody uses it."""
        return bool(self.filesystem or self.device)

    @property
    def is_memory(self) -> bool:
        """Say whether a tree in memory is meant."""
        return self.filesystem == "tmpfs"

    @property
    def machine(self) -> str:
        """The name of another machine that has to be looked up; "" if there is none.

        >>> LocalOptions("nfs", ":/x", "ro,addr=store").machine
        'store'
        >>> LocalOptions("nfs", ":/x", "addr=192.0.2.1").machine
        ''
        """
        if self.filesystem not in _BY_NAME:
            return ""
        for word in self.options.split(","):
            if word.startswith("addr=") and not _is_address(word[5:]):
                return word[5:]
        return ""


def _is_address(text: str) -> bool:
    try:
        return ip_address(text).version == 4
    except ValueError:
        return False


def read_options(name: str, said: Mapping[str, str]) -> LocalOptions:
    """Read the options of one volume.  Raises VolumeOptionRefused.

    >>> read_options("x", {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}).is_memory
    True
    >>> read_options("x", {"foo": "bar"})
    Traceback (most recent call last):
    ...
    pyminidock.volume.options.VolumeOptionRefused: create x: invalid option: "foo"
    """
    for option in said:
        if option not in _KNOWN:
            raise _refused(name, f'invalid option: "{option}"')
    if "size" in said:
        raise _refused(name, "quota size requested but no quota support")
    made = LocalOptions(said.get("type", ""), said.get("device", ""), said.get("o", ""))
    if said and not made.device:
        raise _refused(name, 'missing required option: "device"')
    if said and not made.filesystem:
        raise _refused(name, 'missing required option: "type"')
    return made


def mounts_of(made: LocalOptions, target: str) -> Iterator[HostMount]:
    """Say what mount(2) is asked for, one after the other, to have the volume at `target`.

    >>> [wish] = mounts_of(LocalOptions("tmpfs", "tmpfs", "ro,size=1m"), "/v/x/_data")
    >>> wish.filesystem, hex(wish.flags), wish.options
    ('tmpfs', '0x1', 'size=1m')
    >>> shown = LocalOptions("none", "/srv", "bind,ro")
    >>> [(wish.verb, hex(wish.flags)) for wish in mounts_of(shown, "/v/x/_data")]
    [('mount', '0x1001'), ('remount-ro', '0x1021')]
    """
    flags, options = _parted(made.options)
    plain = flags & ~_SPREAD
    is_there = flags & _REMOUNT or made.device in ("", "none")  # to Docker, a remount
    if not is_there or options:
        yield HostMount(made.device, target, made.filesystem, plain, options)
    if flags & _SPREAD:
        spread = flags & (_SPREAD | _REC | _SILENT)
        yield HostMount("", target, "", spread, "", "remount")
    if plain & (_BIND | _RDONLY) == _BIND | _RDONLY:
        yield HostMount("", target, "", plain | _REMOUNT, "", "remount-ro")


def _parted(words: str) -> tuple[int, str]:
    """Part what every filesystem knows from what only this one does."""
    flags, options = 0, list[str]()
    for word in words.split(","):
        bits, takes_away = _FLAGS.get(word, (-1, False))
        if bits < 0:
            options.append(word)
        else:
            flags = flags & ~bits if takes_away else flags | bits
    return flags, ",".join(options)


def refused_mount(wanted: HostMount, reason: str) -> str:
    """Say in Docker's words that a volume could not be mounted.

    >>> wanted = HostMount(":/x", "/v/x/_data", "nfs", 1, "addr=192.0.2.1")
    >>> refused_mount(wanted, "no such device")
    'mount :/x:/v/x/_data, flags: 0x1, data: addr=192.0.2.1: no such device'
    """
    where = f"{wanted.source}:{wanted.target}" if wanted.source else wanted.target
    flags = f", flags: {wanted.flags:#x}" if wanted.flags else ""
    data = f", data: {wanted.options}" if wanted.options else ""
    return f"{wanted.verb} {where}{flags}{data}: {reason}"


def _refused(name: str, what: str) -> VolumeOptionRefused:
    return VolumeOptionRefused(
        f"create {name}: {what}",
        why="the local driver knows type, device and o, which are those of mount(8)",
        try_next="docker volume create --opt type=tmpfs --opt device=tmpfs scratch",
        lesson="volumes",
    )
