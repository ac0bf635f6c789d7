"""What is read of a stack without a mount is what a mount of the stack would show."""

import os
import random
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from pyminidock.kernel.linux import overlay
from pyminidock.kernel.port import UnreadableFile
from tests.minidock_cli import tmpfs

pytestmark = pytest.mark.edge

PATHS = ("etc/passwd", "etc/group")
ROUNDS = 150


def scribble(rng: random.Random, layer: Path) -> None:
    """Fill a layer with anything that has to do with /etc and two files in it."""
    layer.mkdir()
    match rng.choice(["directory"] * 4 + ["opaque", "whiteout", "link", "file", "nothing"]):
        case "whiteout":
            os.mknod(layer / "etc", stat.S_IFCHR, 0)
        case "link":
            (layer / "etc").symlink_to(rng.choice(["/private/etc", "private/etc", "gone"]))
        case "file":
            (layer / "etc").write_text("no directory")
        case ("directory" | "opaque") as kind:
            fill(rng, layer / "etc", layer.name)
            if kind == "opaque":
                os.setxattr(layer / "etc", "trusted.overlay.opaque", b"y")
    if rng.random() < 0.4:
        fill(rng, layer / "private" / "etc", layer.name)


def fill(rng: random.Random, directory: Path, word: str) -> None:
    directory.mkdir(parents=True)
    for name in ("passwd", "group"):
        match rng.choice(["file", "whiteout", "link", "directory", *["nothing"] * 4]):
            case "file":
                (directory / name).write_text(f"{name} of {word}")
            case "whiteout":
                os.mknod(directory / name, stat.S_IFCHR, 0)
            case "link":
                (directory / name).symlink_to(rng.choice(["group", "/etc/shadow", "none"]))
            case "directory":
                (directory / name).mkdir()


def outcome(stack: Sequence[str], upper: str) -> object:
    try:
        return dict(overlay.look(stack, upper, PATHS))
    except UnreadableFile as refusal:
        return refusal.what


def test_a_stack_read_without_a_mount_tells_what_a_mount_shows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng, mounts = random.Random(7), 0
    prepare = overlay.prepare

    def counted(*words: object) -> int:
        nonlocal mounts
        mounts += 1
        return prepare(*words)  # type: ignore[arg-type]

    with tmpfs("layers-") as place:
        for number in range(ROUNDS):
            layers = [place / f"{number}-{depth}" for depth in range(rng.randint(2, 4))]
            for layer in layers:
                scribble(rng, layer)
            upper, *lower = map(str, layers)
            with monkeypatch.context() as patch:
                patch.setattr(overlay, "prepare", counted)
                quick = outcome(lower, upper)
            with monkeypatch.context() as patch:
                patch.setattr(overlay, "_speaks_of", lambda layer, path: True)
                assert quick == outcome(lower, upper), number
    assert 0 < mounts < ROUNDS  # both ways were gone


def test_a_second_process_of_a_container_that_wrote_nothing_there_needs_no_mount(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("upper", "init/etc", "image/etc"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "init/etc/hosts").touch()
    (tmp_path / "image/etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    monkeypatch.delattr(overlay, "prepare")
    lower = [str(tmp_path / "init"), str(tmp_path / "image")]
    seen = overlay.look(lower, str(tmp_path / "upper"), PATHS)
    assert seen == {"etc/passwd": b"root:x:0:0::/root:/bin/sh\n"}
