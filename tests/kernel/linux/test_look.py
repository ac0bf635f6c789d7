"""Reading /etc/passwd of a stranger's image: a link, a pipe and a flood are only files."""

import os
import resource
import time
from pathlib import Path

import pytest

from pyminidock.kernel.linux.overlay import look
from pyminidock.kernel.port import UnreadableFile

pytestmark = pytest.mark.edge


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    """Make the directory of one layer with an /etc."""
    (tmp_path / "layer" / "etc").mkdir(parents=True)
    return tmp_path / "layer"


def test_the_upper_directory_wins_over_the_layers_below(
    layer: Path, tmp_path: Path
) -> None:
    (layer / "etc" / "passwd").write_text("lower")
    (layer / "etc" / "group").write_text("lower group")
    (tmp_path / "upper" / "etc").mkdir(parents=True)
    (tmp_path / "upper" / "etc" / "passwd").write_text("upper")
    found = look(
        [str(layer)], str(tmp_path / "upper"), ["etc/passwd", "etc/group", "etc/no"]
    )
    assert found == {"etc/passwd": b"upper", "etc/group": b"lower group"}


def test_a_whiteout_in_the_upper_directory_hides_the_file(
    layer: Path, tmp_path: Path
) -> None:
    (layer / "etc" / "passwd").write_text("lower")
    (tmp_path / "upper" / "etc").mkdir(parents=True)
    os.mknod(tmp_path / "upper" / "etc" / "passwd", 0o020000, os.makedev(0, 0))
    assert look([str(layer)], str(tmp_path / "upper"), ["etc/passwd"]) == {}


def test_a_link_to_a_file_of_the_host_leads_into_the_image(layer: Path) -> None:
    secret = Path("/etc/hostname-of-nobody")
    (layer / "etc" / "passwd").symlink_to("/etc/shadow")
    assert look([str(layer)], "", ["etc/passwd"]) == {}
    (layer / "etc" / "shadow").write_text("of the image")
    assert look([str(layer)], "", ["etc/passwd"]) == {"etc/passwd": b"of the image"}
    assert not secret.exists()


@pytest.mark.parametrize("kind", ["pipe", "directory", "device", "flood", "magic link"])
def test_what_is_no_small_file_is_refused_by_name_and_at_once(
    layer: Path, kind: str
) -> None:
    path = layer / "etc" / "passwd"
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "directory":
            path.mkdir()
        case "device":
            os.mknod(path, 0o020666, os.makedev(5, 0))
        case "flood":
            with path.open("wb") as file:
                file.truncate(2 << 30)
        case "magic link":
            path.symlink_to("/etc/passwd")  # a loop, once resolved inside
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    with pytest.raises(UnreadableFile) as refusal:
        look([str(layer)], "", ["etc/passwd"])
    assert "/etc/passwd" in str(refusal.value)
    assert refusal.value.try_next
    assert time.process_time() - began < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 4096
