"""Who wins a place, and what a container inherits from another."""

from dataclasses import replace

import pytest

from pyminidock.kernel.port import HostMount
from pyminidock.volume.options import (
    LocalOptions,
    VolumeOptionRefused,
    mounts_of,
    read_options,
)
from pyminidock.volume.points import MountPoint, decide, inherit

OWN = MountPoint("volume", "/data", name="own", takes_files=True)
FROM = MountPoint("volume", "/data", name="from")
IMAGES = MountPoint("volume", "/data", is_unnamed=True)


def names(points: tuple[MountPoint, ...]) -> list[str]:
    return [point.name or "unnamed" for point in points]


def test_what_was_asked_for_wins_over_volumes_from_and_both_over_the_image() -> None:
    assert names(decide([IMAGES], [FROM], [OWN])) == ["own"]
    assert names(decide([IMAGES], [FROM], [])) == ["from"]
    assert names(decide([IMAGES], [], [])) == ["unnamed"]


def test_of_two_containers_with_a_place_the_later_one_gives_it() -> None:
    assert names(decide([], [FROM, OWN], [])) == ["own"]


def test_a_tree_in_memory_leaves_no_place_for_the_images_volume() -> None:
    assert decide([IMAGES], [], [], ["/data"]) == ()


def test_parents_are_hung_up_before_what_lies_in_them_whatever_the_order() -> None:
    """H-16: else the later mount would hide the earlier one."""
    deep = [
        MountPoint("volume", target, name=f"v{target}")
        for target in ("/x/y/z", "/x", "/x/y")
    ]
    assert [point.target for point in decide([], [], deep)] == ["/x", "/x/y", "/x/y/z"]


@pytest.mark.parametrize(
    ("own", "mode", "is_writable"),
    [(True, "", True), (True, "ro", False), (False, "rw", False), (False, "", False)],
)
def test_what_is_inherited_is_never_more_writable_than_it_was(
    own: bool, mode: str, is_writable: bool
) -> None:
    (point,) = inherit([replace(OWN, is_writable=own)], mode)
    assert (point.is_writable, point.takes_files) == (is_writable, False)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"foo": "bar"}, 'create v1: invalid option: "foo"'),
        ({"type": "tmpfs"}, 'create v1: missing required option: "device"'),
        ({"device": "tmpfs"}, 'create v1: missing required option: "type"'),
    ],
)
def test_options_that_make_no_volume_are_refused(
    options: dict[str, str], words: str
) -> None:
    with pytest.raises(VolumeOptionRefused) as refusal:
        read_options("v1", options)
    assert refusal.value.what == words


def test_what_a_volume_is_mounted_by_are_the_words_of_mount_8() -> None:
    asked = LocalOptions("tmpfs", "tmpfs", "ro,rw,nosuid,size=1m,uid=5")
    assert list(mounts_of(asked, "/v")) == [
        HostMount("tmpfs", "/v", "tmpfs", 2, "size=1m,uid=5")
    ]
    assert not LocalOptions().is_mounted


def test_a_tree_of_the_host_is_made_read_only_once_it_is_there() -> None:
    asked = LocalOptions("none", "/srv", "rbind,ro,rslave")
    assert list(mounts_of(asked, "/v")) == [
        HostMount("/srv", "/v", "none", 0x5001),
        HostMount("", "/v", "", 1 << 19 | 16384, "", "remount"),
        HostMount("", "/v", "", 0x5021, "", "remount-ro"),
    ]


def test_without_a_device_nothing_new_is_mounted() -> None:
    """As with Docker, to which that is a remount of what is there."""
    assert not list(mounts_of(LocalOptions("tmpfs", "none"), "/v"))


@pytest.mark.parametrize(
    ("filesystem", "options", "machine"),
    [
        ("nfs", "addr=192.0.2.1,rw", ""),
        ("nfs", "rw,addr=store.example", "store.example"),
        ("cifs", "username=x", ""),
        ("nfs4", "addr=store.example", ""),
    ],
)
def test_another_machine_is_looked_up_where_docker_does(
    filesystem: str, options: str, machine: str
) -> None:
    assert LocalOptions(filesystem, ":/x", options).machine == machine
