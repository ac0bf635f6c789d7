"""Mount stacks of layers with the kernel's overlayfs and say what it shows.

Run inside a mount namespace of its own (`unshare --mount`): whatever it mounts is gone
with the process.  Standard input is a JSON list of stacks, topmost layer first, each layer
a list of [path, kind] in the order of their paths; standard output answers each stack with
{path: [kind, layer numbers]} for all that is visible.

Every directory carries one file named after its layer, so a merged listing tells which
layers the kernel merged; every file holds its layer's number.

Source: Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories".
"""

import ctypes
import json
import os
import stat
import sys
import tempfile
from pathlib import Path

MARK = ".from-layer-"
LIBC = ctypes.CDLL(None, use_errno=True)
MNT_DETACH = 2

Shown = dict[str, tuple[str, list[int]]]


def build(tree: Path, number: int, entries: list[tuple[str, str]]) -> None:
    """Write one layer as a directory tree, in overlayfs's own spelling."""
    tree.mkdir()
    for path, kind in [("", "directory"), *entries]:
        place = tree / path.lstrip("/")
        match kind:
            case "file":
                place.write_text(str(number), encoding="ascii")
            case "whiteout":
                os.mknod(place, stat.S_IFCHR, os.makedev(0, 0))
            case "directory" | "opaque directory":
                place.mkdir(exist_ok=True)
                (place / f"{MARK}{number}").touch()
                if kind == "opaque directory":
                    os.setxattr(place, "trusted.overlay.opaque", b"y")
            case _:
                raise ValueError(kind)


def mount(source: str, target: Path, filesystem: str, options: str) -> None:
    """Put a filesystem there.  Source: man 2 mount."""
    words = [word.encode() for word in (source, str(target), filesystem)]
    if LIBC.mount(*words, ctypes.c_ulong(0), options.encode()):
        raise OSError(ctypes.get_errno(), f"mount -t {filesystem} -o {options} {target}")


def shown(root: Path) -> Shown:
    """List a merged tree: each path, what it is and which layers it is made of.

    In a directory of one single layer the kernel lists whiteouts, but does not find them:
    a name counts only if it can be looked up.
    """
    answer: Shown = {}
    for folder, names, files in os.walk(root):
        place = "/" + str(Path(folder).relative_to(root)).removeprefix(".")
        marks = [name.removeprefix(MARK) for name in files if name.startswith(MARK)]
        answer[place] = ("directory", sorted(map(int, marks)))
        for name in set(files) - {f"{MARK}{mark}" for mark in marks}:
            if (Path(folder) / name).exists():
                text = (Path(folder) / name).read_text(encoding="ascii")
                answer[f"{place.rstrip('/')}/{name}"] = ("file", [int(text)])
        names.sort()
    return answer


def answer_one(stack: list[list[tuple[str, str]]]) -> Shown:
    """Build, mount, look, unmount."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        place = Path(name)
        for number, entries in enumerate(stack):
            build(place / str(number), number, entries)
        # The kernel wants two lower layers where there is no upper one.
        (place / "bottom").mkdir()
        (place / "merged").mkdir()
        lower = ":".join(f"{place}/{number}" for number in (*range(len(stack)), "bottom"))
        mount("overlay", place / "merged", "overlay", f"lowerdir={lower}")
        try:
            return shown(place / "merged")
        finally:
            LIBC.umount2(str(place / "merged").encode(), MNT_DETACH)


def main() -> None:
    """Answer all stacks, on a tmpfs that nobody else sees."""
    mount("tmpfs", Path("/tmp"), "tmpfs", "mode=700")  # noqa: S108
    json.dump([answer_one(stack) for stack in json.load(sys.stdin)], sys.stdout)


if __name__ == "__main__":
    main()
