"""Lines of a mount table, odd names included."""

import pytest

from pyminidock.kernel.linux.mountinfo import parse_line, read_mountinfo
from pyminidock.kernel.port import MountEntry


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        (
            "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro",
            MountEntry("/", "ext4", "/dev/sda1", "/", ("rw", "relatime"),
                       ("rw", "errors=remount-ro")),
        ),
        (
            r"30 22 0:5 /s\134x /a\040b\011c\012d ro master:3 - tmpfs none rw",
            MountEntry("/a b\tc\nd", "tmpfs", "none", "/s\\x", ("ro",), ("rw",)),
        ),
        (
            "31 22 0:6 / /p rw - fuse.x  rw",
            MountEntry("/p", "fuse.x", "", "/", ("rw",), ("rw",)),
        ),
    ],
)  # fmt: skip
def test_a_line_is_read_with_its_odd_names(line: str, entry: MountEntry) -> None:
    assert parse_line(line) == entry


@pytest.mark.edge
def test_this_process_has_a_root_mount() -> None:
    assert [entry for entry in read_mountinfo("self") if entry.target == "/"]
