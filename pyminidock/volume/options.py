"""What the local driver of volumes can be asked for: a filesystem instead of a directory.

    type=tmpfs device=tmpfs o=size=64m     a tree in memory, while somebody uses it
    type=none  device=/srv  o=bind         a tree of the host under a volume's name
    type=nfs   device=:/x   o=addr=…       a tree of another machine: refused here

Without options a volume is a directory of the engine.

Source: moby, volume/local/local.go and local_unix.go, setOpts(), validateOpts().
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pyminidock.errors import MinidockError

_KNOWN = ("type", "o", "device", "size")
_REMOTE = ("nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "glusterfs")


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
    def is_bind(self) -> bool:
        """Say whether a tree of the host is meant."""
        return "bind" in self.options.split(",") or "rbind" in self.options.split(",")

    @property
    def is_memory(self) -> bool:
        """Say whether a tree in memory is meant."""
        return self.filesystem == "tmpfs"


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


def why_not(made: LocalOptions) -> str:
    """Say in one sentence why no container can use such a volume here; "" if one can."""
    if made == LocalOptions() or made.is_bind:
        return ""
    if made.is_memory:
        return (
            "volumes of type tmpfs are not supported yet: --tmpfs PATH gives a container a "
            "tree in memory of its own"
        )
    if made.filesystem in _REMOTE:
        return (
            f"volumes of type {made.filesystem} are not supported: the trees of other "
            "machines are mounted by the host, and shown with -v"
        )
    return (
        f"volumes of type {made.filesystem} are not supported: a volume is a directory, "
        "a tree in memory (tmpfs) or one of the host (o=bind)"
    )


def _refused(name: str, what: str) -> VolumeOptionRefused:
    return VolumeOptionRefused(
        f"create {name}: {what}",
        why="the local driver knows type, device and o, which are those of mount(8)",
        try_next="docker volume create --opt type=tmpfs --opt device=tmpfs scratch",
        lesson="volumes",
    )
