"""The first images, made of what the machine has."""

import os
import platform
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyminidock.errors import MinidockError
from pyminidock.events import Event, ImageLoaded, LayerReused
from pyminidock.image.document import read_image
from pyminidock.layers.bootstrap import STAND_IN, bootstrap
from pyminidock.layers.busybox import is_static
from pyminidock.store.opening import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = open_store(tmp_path / "root")
    yield made
    made.close()


# ── BusyBox ──────────────────────────────────────────────────────────────────────────────


def test_the_first_image_is_one_program_with_many_names(store: Store) -> None:
    heard: list[Event] = []
    base = bootstrap(store, emit=heard.append)
    (tree,) = base.trees
    assert ImageLoaded(base.row.id, ("busybox:latest",), 1) in heard
    assert base.config.command == ("sh",)
    assert (tree / "bin" / "sh").readlink() == Path("busybox")
    assert is_static(tree / "bin" / "busybox")
    modes = {
        name: stat.S_IMODE((tree / name).stat().st_mode)
        for name in ("tmp", "root", "bin/busybox", "etc/passwd", "proc")
    }
    assert modes == {
        "tmp": 0o1777, "root": 0o700, "bin/busybox": 0o755, "etc/passwd": 0o644,
        "proc": 0o555,
    }  # fmt: skip
    said = subprocess.run([tree / "bin" / "echo", "hi"], capture_output=True, check=True)
    assert said.stdout == b"hi\n"


def test_making_it_twice_makes_it_once(store: Store, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        first = bootstrap(store)
    finally:
        os.umask(before)
    made = (first.trees[0] / "bin" / "busybox").stat().st_ino
    assert bootstrap(store) == first
    assert (first.trees[0] / "bin" / "busybox").stat().st_ino == made
    assert len(store.layers.all()) == len(store.images.all()) == 1
    elsewhere = open_store(tmp_path / "elsewhere")
    assert bootstrap(elsewhere).row.id == first.row.id
    elsewhere.close()


def test_its_document_says_what_it_is(store: Store) -> None:
    base = bootstrap(store)
    image = read_image(store.blobs.read(base.row.config_blob))
    assert image.config == base.config
    (entry,) = image.history
    assert entry.created == image.created
    assert entry.created_by == "a static BusyBox of this machine"


# ── Stand-ins ────────────────────────────────────────────────────────────────────────────


def test_an_alpine_made_of_busybox_says_so_and_shares_its_tree(store: Store) -> None:
    busybox, heard = bootstrap(store), list[Event]()
    alpine = bootstrap(store, "alpine", emit=heard.append)
    assert LayerReused(busybox.row.layers[0]) in heard
    assert alpine.trees == busybox.trees
    assert alpine.row.id != busybox.row.id
    assert (busybox.row.stand_in, alpine.row.stand_in) == ("", "busybox")
    assert dict(alpine.config.labels) == {STAND_IN: "busybox"}
    assert dict(busybox.config.labels) == {}


def test_the_machine_s_python_comes_with_library_and_loader(store: Store) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    base = bootstrap(store, "python")
    assert base.row.stand_in == f"host python {version}"
    assert set(store.images.names(base.row.id)) == {
        "docker.io/library/python:latest", f"docker.io/library/python:{version}",
    }  # fmt: skip
    assert len(base.trees) == 2
    tree = base.trees[0]
    program = (tree / "usr/local/bin/python3").readlink()
    assert (tree / str(program)[1:]).stat().st_mode & 0o111
    assert (tree / str(Path(os.__file__))[1:]).read_bytes() == Path(
        os.__file__
    ).read_bytes()
    assert not list(tree.rglob("__pycache__"))
    assert list(tree.rglob("ld-*.so*"))


@pytest.mark.usefixtures("bare")
def test_without_mmdebstrap_the_way_to_a_debian_is_named(store: Store) -> None:
    with pytest.raises(MinidockError) as refusal:
        bootstrap(store, "debian")
    assert "mmdebstrap is not installed" in refusal.value.what
    assert refusal.value.try_next == (
        "apt-get install -y mmdebstrap && minidock bootstrap debian"
    )
    assert store.images.all() == ()


def test_debian_comes_from_mmdebstrap_under_the_name_of_its_suite(
    store: Store, bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = bare / "made.tar"
    (bare / "root/etc").mkdir(parents=True)
    (bare / "root/etc/debian_version").write_text("13\n")
    subprocess.run([TAR, "-C", bare / "root", "-cf", archive, "."], check=True)
    script = bare / "mmdebstrap"
    script.write_text(f'#!/bin/sh\necho "$@" >{bare}/words\nexec {CAT} {archive}\n')
    script.chmod(0o755)
    facts = {"ID": "debian", "VERSION_CODENAME": "trixie"}
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: facts)
    base = bootstrap(store, "debian")
    assert (base.trees[0] / "etc/debian_version").read_text() == "13\n"
    assert base.row.stand_in == ""
    assert "docker.io/library/debian:trixie" in store.images.names(base.row.id)
    assert " trixie - " in (bare / "words").read_text() + " "


TAR, CAT = shutil.which("tar") or "tar", shutil.which("cat") or "cat"


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any program."""
    place = tmp_path / "bare"
    place.mkdir()
    monkeypatch.setenv("PATH", str(place))
    return place


def test_what_has_no_recipe_is_refused_with_those_that_have(store: Store) -> None:
    with pytest.raises(MinidockError) as refusal:
        bootstrap(store, "fedora")
    assert refusal.value.try_next == "minidock bootstrap busybox"
    assert "busybox, alpine, python, debian" in refusal.value.why
    assert store.images.all() == ()


# ── Finding the program ──────────────────────────────────────────────────────────────────


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
def test_without_busybox_the_distribution_s_package_is_unpacked(store: Store) -> None:
    base = bootstrap(store)
    assert is_static(base.trees[0] / "bin" / "busybox")
    assert [path.name for path in (store.root / "layers").iterdir()] == [
        base.row.layers[0].removeprefix("sha256:")
    ]


def test_without_busybox_and_package_the_way_out_is_named(
    store: Store, distribution: Path
) -> None:
    (distribution / "apt-get").write_text(
        "#!/bin/sh\necho offline >&2\nexit 100\n", "ascii"
    )
    with pytest.raises(MinidockError) as refusal:
        bootstrap(store)
    assert "apt-get failed: offline" in refusal.value.what
    assert refusal.value.try_next.startswith("apt-get install -y busybox-static")
    assert list((store.root / "layers").iterdir()) == []
