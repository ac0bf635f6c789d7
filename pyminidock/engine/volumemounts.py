"""Volumes that are filesystems of their own: mounted for the first user, until the last.

    volume create    nothing yet: only the kernel knows whether such a thing can be mounted
    first user       mount(2) at volumes/<name>/_data, where every later user finds it
    last user goes   umount2(2); a tree in memory is gone with that

A user is a running container, or somebody who copies.  When the engine begins anew, whoever
still runs has what he had; what nobody uses is unmounted.

Source: moby, volume/local/local_unix.go, Mount(), Unmount().
"""

import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from pyminidock.engine.house import House, Kept
from pyminidock.errors import MinidockError
from pyminidock.store.failpoints import reach
from pyminidock.volume.options import (
    LocalOptions,
    mounts_of,
    read_options,
    refused_mount,
)
from pyminidock.volume.points import MountPoint


class VolumeUnusable(MinidockError):
    """A volume cannot be mounted, or not as it was asked for."""

    status = 500


def unusable(what: str, why: str, try_next: str, *, status: int = 500) -> VolumeUnusable:
    """Refuse to hang up a tree from elsewhere."""
    made = VolumeUnusable(what, why=why, try_next=try_next, lesson="volumes")
    made.status = status
    return made


def options_of(house: House, name: str) -> LocalOptions:
    """Say what a volume is made of."""
    row = house.store.volumes.get(name)
    return read_options(name, dict(row.options or ()) if row else {})


def hold(house: House, points: Iterable[MountPoint], user: str) -> None:
    """Have all volumes of a user mounted.  Raises VolumeUnusable, and then holds none."""
    points = tuple(points)
    try:
        for point in points:
            if point.kind == "volume":
                _hold(house, point.name, user)
    except BaseException:
        release(house, points, user)
        raise


def _hold(house: House, name: str, user: str) -> None:
    options = options_of(house, name)
    if not options.is_mounted:
        return
    with house.volumes.mounting(name):
        users = house.volumes.users.setdefault(name, set())
        if not users:
            try:
                _mount(house, name, options)
            except BaseException:
                del house.volumes.users[name]
                raise
        users.add(user)


def _mount(house: House, name: str, options: LocalOptions) -> None:
    target = str(house.store.volumes.data(name))
    unmount(house, name)  # what an engine left that was killed
    for wanted in mounts_of(_addressed(options, target), target):
        try:
            house.kernel.mount(wanted)
        except OSError as fault:
            unmount(house, name)
            reason = os.strerror(fault.errno or 0).lower()
            raise unusable(
                f"error while mounting volume '{target}': failed to mount local volume: "
                f"{refused_mount(wanted, reason)}",
                "type, device and o are handed to mount(2), and the kernel refused them",
                f"docker volume inspect {name}",
            ) from fault
    reach("volume.mounted")


def _addressed(options: LocalOptions, target: str) -> LocalOptions:
    """Put an address where the name of another machine is.  Raises VolumeUnusable."""
    machine = options.machine
    if not machine:
        return options
    try:
        found = socket.getaddrinfo(machine, None, type=socket.SOCK_STREAM)
    except OSError as fault:
        raise unusable(
            f"error while mounting volume '{target}': error resolving passed in network "
            f"volume address: lookup {machine}: no such host",
            "the kernel knows other machines by address, and nobody knows this name",
            f"getent hosts {machine}",
        ) from fault
    address = min(found, key=lambda each: each[0] != socket.AF_INET)[4][0]
    told = options.options.replace(f"addr={machine}", f"addr={address}", 1)
    return replace(options, options=told)


def release(house: House, points: Iterable[MountPoint], user: str) -> None:
    """Let go of the volumes of a user; those that nobody else has are unmounted."""
    for name in {point.name for point in points} & set(house.volumes.users):
        with house.volumes.mounting(name):
            users = house.volumes.users.get(name, set())
            if user not in users:
                continue
            users.remove(user)
            if not users:
                del house.volumes.users[name]
                unmount(house, name)
                reach("volume.unmounted")


def unmount(house: House, name: str) -> None:
    """Take away what is mounted as a volume, if something is."""
    if options_of(house, name).is_mounted:
        with suppress(OSError):  # who may not unmount could not mount
            house.kernel.unmount(str(house.store.volumes.data(name)))


@contextmanager
def held(house: House, points: Iterable[MountPoint], errand: str) -> Iterator[None]:
    """Have volumes mounted for a while.  Raises VolumeUnusable."""
    points, user = tuple(points), f"{errand} {house.kernel.new_id()}"
    hold(house, points, user)
    try:
        yield
    finally:
        release(house, points, user)


def take_over(house: House, found: Iterable[Kept]) -> None:
    """Leave those who still run what they have, and unmount what nobody uses."""
    made = [
        row.name for row in house.store.volumes.all()
        if row.options and options_of(house, row.name).is_mounted
    ]  # fmt: skip
    if not made:
        return
    for kept in found:
        names = {point.name for point in kept.spec.points if point.kind == "volume"}
        mine = names.intersection(made)
        if mine and house.kernel.find(kept.spec.directory) is not None:
            for name in mine:
                house.volumes.users.setdefault(name, set()).add(kept.id)
    for name in made:
        if name not in house.volumes.users:
            unmount(house, name)
