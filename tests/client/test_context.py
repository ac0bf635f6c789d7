"""What a build sends: the right files, in the right order, never one from outside."""

import io
import os
import socket
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pyminidock.client.context import (
    ContextRefused,
    find_context,
    is_archive,
    refuse_two_readers,
)
from pyminidock.client.packing import MOST_EVENTS, Sent, send, send_alone, total_line
from pyminidock.events import Event, PathIgnored
from pyminidock.layers.archive import read_entries


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "context"
    for name in ("Dockerfile", "b/two.txt", "b/one.txt", "a.txt", ".git/config"):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(f"{name}\n")
    return made


def packed(folder: Path, dockerfile: str = "", given: bytes | None = None) -> bytes:
    out = io.BytesIO()
    send(find_context(str(folder), dockerfile, given), out.write)
    return out.getvalue()


def names(archive: bytes) -> list[str]:
    return [entry.name.decode() for entry in read_entries(io.BytesIO(archive))]


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(ContextRefused) as refused:
        call()
    return refused.value.what


def test_names_are_sorted_and_nobody_is_named(folder: Path) -> None:
    archive = packed(folder)
    assert names(archive) == [
        ".git", ".git/config", "Dockerfile", "a.txt", "b", "b/one.txt", "b/two.txt",
    ]  # fmt: skip
    with tarfile.open(fileobj=io.BytesIO(archive)) as found:
        for entry in found:
            assert (entry.uid, entry.gid, entry.uname, entry.gname) == (0, 0, "", "")


def test_the_same_folder_gives_the_same_bytes(folder: Path) -> None:
    before = packed(folder)
    os.utime(
        folder / "a.txt", ns=(0, (folder / "a.txt").stat().st_mtime_ns // 10**9 * 10**9)
    )
    assert packed(folder) == before


def test_what_is_left_out_is_told_with_its_line(folder: Path) -> None:
    (folder / ".dockerignore").write_text("# ours\n.git\nb\n!b/one.txt\n")
    heard: list[Event] = []
    out = io.BytesIO()
    sent = send(find_context(str(folder)), out.write, emit=heard.append)
    assert names(out.getvalue()) == [".dockerignore", "Dockerfile", "a.txt", "b/one.txt"]
    assert heard == [
        PathIgnored(".git", True, ".dockerignore", 2, ".git"),
        PathIgnored("b/two.txt", False, ".dockerignore", 3, "b"),
    ]
    assert [one.path for one in sent.ignored] == [".git", "b/two.txt"]
    assert (sent.entries, sent.size_bytes) == (4, len(out.getvalue()))


def test_a_thousand_ignored_files_do_not_make_a_thousand_events(folder: Path) -> None:
    for number in range(MOST_EVENTS + 50):
        (folder / f"{number}.log").touch()
    (folder / ".dockerignore").write_text("*.log\n")
    heard: list[Event] = []
    sent = send(find_context(str(folder)), lambda data: None, emit=heard.append)
    assert (len(heard), len(sent.ignored)) == (MOST_EVENTS, MOST_EVENTS + 50)


def test_the_ignore_file_of_a_dockerfile_takes_the_place_of_the_general_one(
    folder: Path,
) -> None:
    (folder / ".dockerignore").write_text("b\n")
    (folder / "b/Other").write_text("FROM scratch\n")
    (folder / "b/Other.dockerignore").write_text("*.txt\n**/*.txt\n")
    context = find_context(str(folder), str(folder / "b/Other"))
    assert (context.dockerfile, context.ignore_file) == ("b/Other", "b/Other.dockerignore")
    assert "a.txt" not in names(packed(folder, str(folder / "b/Other")))
    assert "a.txt" in names(packed(folder))


def test_what_the_daemon_needs_is_sent_whatever_the_file_says(folder: Path) -> None:
    (folder / ".dockerignore").write_text("**\n")
    assert names(packed(folder)) == [".dockerignore", "Dockerfile"]


def test_a_small_dockerfile_will_do(folder: Path) -> None:
    (folder / "Dockerfile").rename(folder / "dockerfile")
    assert find_context(str(folder)).dockerfile == "dockerfile"


@pytest.mark.parametrize("has_ignore_file", [True, False])
def test_a_foreign_dockerfile_hides_itself(folder: Path, has_ignore_file: bool) -> None:
    if has_ignore_file:
        (folder / ".dockerignore").write_text("*.txt")
    context = find_context(str(folder), "-", b"FROM scratch\n")
    assert context.dockerfile.startswith(".dockerfile.")
    with tarfile.open(fileobj=io.BytesIO(packed(folder, "-", b"FROM scratch\n"))) as found:
        own, ignored = (found.extractfile(n) for n in (context.dockerfile, ".dockerignore"))
        assert own is not None
        assert ignored is not None
        assert own.read() == b"FROM scratch\n"
        mention = f"\n{context.dockerfile}\n".encode()
        assert (
            ignored.read() == (b"*.txt" if has_ignore_file else b".dockerignore") + mention
        )


def test_a_dockerfile_alone_is_a_context(folder: Path) -> None:
    out = io.BytesIO()
    sent = send_alone(b"FROM scratch\n", out.write)
    assert names(out.getvalue()) == ["Dockerfile"]
    assert sent == Sent(1, len(out.getvalue()))


def test_an_archive_is_known_by_its_beginning(folder: Path) -> None:
    assert is_archive(packed(folder)[:512])
    assert is_archive(b"\x1f\x8b\x08\0")
    assert not is_archive(b"FROM scratch\n")


# ── Odd files ────────────────────────────────────────────────────────────────────────────


def test_links_are_sent_as_links(folder: Path) -> None:
    (folder / "z").hardlink_to(folder / "a.txt")
    (folder / "out").symlink_to("/etc/passwd")
    entries = {e.name: e for e in read_entries(io.BytesIO(packed(folder)))}
    assert (entries[b"z"].link, entries[b"out"].link) == (b"a.txt", b"/etc/passwd")
    assert entries[b"z"].size == entries[b"out"].size == 0


def test_a_socket_is_skipped_and_a_pipe_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "door"))
        out = io.BytesIO()
        sent = send(find_context(str(folder)), out.write)
    assert sent.skipped == ("door",)
    assert "pipe" in names(out.getvalue())


def test_a_directory_that_becomes_a_link_is_not_followed(
    folder: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text("secret")
    context = find_context(str(folder))
    archive = bytearray()

    def swap(data: bytes) -> None:
        archive.extend(data)
        if data.startswith(b"b/\0"):  # b was looked at, and is opened next
            (folder / "b").rename(tmp_path / "gone")
            (folder / "b").symlink_to(secret)

    assert refusal(lambda: send(context, swap)).startswith("error checking context: ")
    assert (folder / "b/key").exists()
    assert b"secret" not in archive


def test_names_that_are_no_text_travel_unchanged(folder: Path) -> None:
    name = b"\xff\xfe"
    (folder / os.fsdecode(name)).write_text("x")
    (folder / ".dockerignore").write_bytes(b"a.txt\n")
    assert name in [e.name for e in read_entries(io.BytesIO(packed(folder)))]
    (folder / ".dockerignore").write_bytes(name + b"\n")
    assert name not in [e.name for e in read_entries(io.BytesIO(packed(folder)))]


def test_a_folder_cannot_make_us_read_a_dockerfile_outside(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "Other").write_text("FROM scratch\n")
    (folder / "Dockerfile").unlink()
    (folder / "Dockerfile").symlink_to(tmp_path / "Other")
    assert refusal(lambda: find_context(str(folder))).startswith(
        "unable to open Dockerfile"
    )
    asked = find_context(str(folder), str(folder / "Dockerfile"))
    assert asked.foreign == b"FROM scratch\n"


def test_a_dockerfile_may_be_a_link_inside(folder: Path) -> None:
    (folder / "Dockerfile").rename(folder / "b/real")
    (folder / "Dockerfile").symlink_to("b/real")
    assert find_context(str(folder)).dockerfile == "b/real"


# ── Refusals ─────────────────────────────────────────────────────────────────────────────


def test_what_is_missing_is_told_in_dockers_words(folder: Path) -> None:
    top = folder.resolve()
    assert refusal(lambda: find_context("nope")) == (
        'unable to prepare context: path "nope" not found'
    )
    assert refusal(lambda: find_context(str(folder / "a.txt"))) == (
        f"unable to prepare context: context must be a directory: {top}/a.txt"
    )
    assert refusal(lambda: find_context(str(folder), str(folder / "no/Dockerfile"))) == (
        "unable to prepare context: unable to evaluate symlinks in Dockerfile path: "
        f"lstat {top}/no: no such file or directory"
    )
    assert refusal(lambda: refuse_two_readers("-", "-")) == (
        "invalid argument: can't use stdin for both build context and dockerfile"
    )
    refuse_two_readers(".", "-")


@pytest.mark.parametrize(
    ("text", "what"),
    [("a\n[\n", "syntax error in pattern"), ("!\n", 'illegal exclusion pattern: "!"')],
)
def test_a_bad_ignore_file_is_named(folder: Path, text: str, what: str) -> None:
    (folder / ".dockerignore").write_text(text)
    assert refusal(lambda: find_context(str(folder))) == f"error checking context: {what}"


@pytest.mark.parametrize("name", [".dockerignore", "Dockerfile.dockerignore"])
def test_an_ignore_file_that_is_a_pipe_or_too_long_is_refused(
    folder: Path, name: str
) -> None:
    os.mkfifo(folder / name)
    assert refusal(lambda: find_context(str(folder))).endswith("is no regular file")
    (folder / name).unlink()
    (folder / name).write_bytes(b"a\n" * (1 << 20))
    assert "more than 1048576 bytes" in refusal(lambda: find_context(str(folder)))


def test_the_size_is_shown_as_docker_shows_it() -> None:
    assert total_line(4096) == "Sending build context to Docker daemon  4.096kB"
