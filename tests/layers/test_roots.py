"""Roots by name, and the first one made of one static program."""

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pyminidock.errors import MinidockError
from pyminidock.events import Event, ImageFound
from pyminidock.image.config import ImageConfig
from pyminidock.layers import roots
from pyminidock.layers.bootstrap import bootstrap, is_static

CONFIG = ImageConfig(("sh",), (), ("A=1",), "web", "/srv")
ID = "ab" * 32


@pytest.fixture
def house(tmp_path: Path) -> Path:
    (tmp_path / "layers" / ID / "diff").mkdir(parents=True)
    roots.record(tmp_path, "box", ID, CONFIG, stand_in="busybox")
    return tmp_path


def test_a_root_is_found_by_name(house: Path) -> None:
    heard: list[Event] = []
    root = roots.find(house, "box:latest", emit=heard.append)
    assert root == roots.Root("box", ID, house / "layers" / ID / "diff", CONFIG, "busybox")
    assert heard == [ImageFound("box", f"sha256:{ID}", (str(root.path),), "busybox")]
    assert roots.names(house) == ("box",)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nosuch", "No such image: nosuch:latest"),
        ("nosuch:1", "No such image: nosuch:1"),
        ("box:1", "No such image: box:1"),
        ("../roots/box", "No such image: ../roots/box"),
        ("", "No such image: "),
        ("Box", "No such image: Box"),
    ],
)
def test_an_unknown_name_is_refused_in_docker_s_words(
    house: Path, name: str, message: str
) -> None:
    with pytest.raises(MinidockError) as refusal:
        roots.find(house, name)
    assert (refusal.value.what, refusal.value.status) == (message, 404)
    assert "box" in refusal.value.why


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"id": "../../etc"}', json.dumps({"id": ID, "config": {}})],
)
def test_a_damaged_record_is_named(house: Path, text: str) -> None:
    (house / "roots" / "box.json").write_text(text, encoding="ascii")
    with pytest.raises(roots.RootDamaged, match="box"):
        roots.find(house, "box")


def test_an_id_that_leads_elsewhere_is_refused(house: Path) -> None:
    (house / "diff").mkdir()
    text = (house / "roots" / "box.json").read_text(encoding="ascii")
    (house / "roots" / "box.json").write_text(text.replace(ID, ".."), encoding="ascii")
    with pytest.raises(roots.RootDamaged, match="is no id"):
        roots.find(house, "box")


def test_a_root_whose_tree_is_gone_is_named(house: Path) -> None:
    (house / "layers" / ID / "diff").rmdir()
    with pytest.raises(roots.RootDamaged, match="is gone"):
        roots.find(house, "box")


# ── BusyBox ──────────────────────────────────────────────────────────────────────────────


def test_the_first_root_is_one_program_with_many_names(tmp_path: Path) -> None:
    heard: list[Event] = []
    root = bootstrap(tmp_path, emit=heard.append)
    assert heard == [ImageFound("busybox", f"sha256:{root.id}", (str(root.path),))]
    assert root.config.command == ("sh",)
    assert (root.path / "bin" / "sh").readlink() == Path("busybox")
    assert is_static(root.path / "bin" / "busybox")
    modes = {
        name: stat.S_IMODE((root.path / name).stat().st_mode)
        for name in ("tmp", "root", "bin/busybox", "etc/passwd", "proc")
    }
    assert modes == {
        "tmp": 0o1777, "root": 0o700, "bin/busybox": 0o755, "etc/passwd": 0o644,
        "proc": 0o555,
    }  # fmt: skip
    said = subprocess.run(
        [root.path / "bin" / "echo", "hi"], capture_output=True, check=True
    )
    assert said.stdout == b"hi\n"


def test_making_it_twice_makes_it_once(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        first = bootstrap(tmp_path)
    finally:
        os.umask(before)
    made = (first.path / "bin" / "busybox").stat().st_ino
    assert bootstrap(tmp_path) == first
    assert (first.path / "bin" / "busybox").stat().st_ino == made
    assert [path.name for path in (tmp_path / "layers").iterdir()] == [first.id]
    assert bootstrap(tmp_path / "elsewhere").id == first.id


def test_there_is_one_recipe(tmp_path: Path) -> None:
    with pytest.raises(MinidockError) as refusal:
        bootstrap(tmp_path, "alpine")
    assert refusal.value.try_next == "minidock bootstrap busybox"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        (b"", False),
        (b"#!/bin/sh\n", False),
        (b"\x7fELF\x02\x01" + b"\0" * 58, False),
        (b"\x7fELF\x02\x01" + b"\xff" * 58, False),
        (b"\x7fELF\x01\x01" + b"\0" * 58, False),
    ],
)
def test_what_is_no_static_program_is_seen(
    tmp_path: Path, content: bytes, answer: bool
) -> None:
    (tmp_path / "program").write_bytes(content)
    assert is_static(tmp_path / "program") is answer
    assert not is_static(tmp_path / "absent")


def test_a_program_that_needs_libraries_is_not_static() -> None:
    shell = shutil.which("sh")
    assert shell is not None
    assert not is_static(Path(shell).resolve())
    assert not is_static(Path(sys.executable).resolve())


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without BusyBox on PATH, whose apt-get hands out a package that we made."""
    busybox = shutil.which("busybox")
    assert busybox is not None
    package = tmp_path / "package"
    (package / "DEBIAN").mkdir(parents=True)
    (package / "DEBIAN" / "control").write_text(
        "Package: busybox-static\nVersion: 1\nArchitecture: all\n"
        "Maintainer: nobody <nobody@example.org>\nDescription: for a test\n",
        encoding="ascii",
    )
    (package / "usr" / "bin").mkdir(parents=True)
    shutil.copy(busybox, package / "usr" / "bin" / "busybox")
    subprocess.run(
        ["dpkg-deb", "--build", package, tmp_path / "made.deb"],
        check=True, capture_output=True,
    )  # fmt: skip
    tools = tmp_path / "tools"
    tools.mkdir()
    script = (
        f'#!/bin/sh\n[ "$*" = "download busybox-static" ] && exec cp {tmp_path}/made.deb .'
    )
    (tools / "apt-get").write_text(script, encoding="ascii")
    (tools / "apt-get").chmod(0o755)
    for name in ("dpkg-deb", "sh", "cp", "tar", "rm", "xz", "zstd", "gzip"):
        if found := shutil.which(name):
            (tools / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(tools))
    return tools


@pytest.mark.usefixtures("distribution")
def test_without_busybox_the_distribution_s_package_is_unpacked(tmp_path: Path) -> None:
    root = bootstrap(tmp_path / "house")
    assert is_static(root.path / "bin" / "busybox")
    layers = tmp_path / "house" / "layers"
    assert [path.name for path in layers.iterdir()] == [root.id]
    assert [path.name for path in (layers / root.id).iterdir()] == ["diff"]


def test_without_busybox_and_package_the_way_out_is_named(
    tmp_path: Path, distribution: Path
) -> None:
    (distribution / "apt-get").write_text(
        "#!/bin/sh\necho offline >&2\nexit 100\n", "ascii"
    )
    with pytest.raises(MinidockError) as refusal:
        bootstrap(tmp_path / "house")
    assert "apt-get failed: offline" in refusal.value.what
    assert refusal.value.try_next.startswith("apt-get install -y busybox-static")
    assert list((tmp_path / "house" / "layers").iterdir()) == []
