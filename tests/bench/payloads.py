"""What the engines are given to build, to load and to commit; every time a little other.

A payload that was there before could be recognised and left out, so each carries a number
of its own.  `PROOF` is a program that says what has to be true of the image, and `expect`
its answer, worked out here and not by an engine.
"""

import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tests.reference import busybox_tar

FILES, FOLDERS = 10_000, 100
SIZE_BYTES = 1_000  # of each of the many files
Names = Mapping[str, bytes]

TEN_STEPS = """\
FROM busybox
ENV GREETING=hello
WORKDIR /app
COPY requirements.txt .
RUN sort requirements.txt >installed
COPY src src
RUN cat src/*.py >all.py && wc -l <all.py >lines
USER 1000
EXPOSE 8080
CMD ["cat", "lines", "installed", "src/number"]
"""
COPY_MANY = "FROM busybox\nCOPY many /many\n"
RUN_MANY = f"""\
FROM busybox
RUN d=0; while [ $d -lt {FOLDERS} ]; do mkdir -p /many/$d; i=0; \
while [ $i -lt {FILES // FOLDERS} ]; do echo NUMBER $d $i >/many/$d/$i; i=$((i+1)); done; \
d=$((d+1)); done
"""
PROOF = ("sh", "-c", "cd /many && find . -type f | sort >/tmp/names; wc -l </tmp/names;"
         " sha256sum </tmp/names; xargs cat </tmp/names | sha256sum")  # fmt: skip


def ten_steps(number: int) -> bytes:
    """Pack the context of a small Python application, ten steps long."""
    modules = {f"src/m{n}.py": f"def f{n}():\n    return {n}\n" * 40 for n in range(20)}
    texts = {"Dockerfile": TEN_STEPS, "requirements.txt": "zlib\nattrs\nflask\n",
             "src/number": f"{number}\n", **modules}  # fmt: skip
    return packed({name: text.encode() for name, text in texts.items()})


def answer_of_ten_steps(number: int) -> str:
    """Say what the application prints."""
    return f"1600\nattrs\nflask\nzlib\n{number}\n"


def many(number: int) -> dict[str, bytes]:
    """Give 10,000 files of 1,000 bytes in 100 folders."""
    return {
        f"many/{n % FOLDERS}/{n // FOLDERS}": (b"%d %d " % (number, n)).ljust(
            SIZE_BYTES, b"x"
        )
        for n in range(FILES)
    }


def copy_many(number: int) -> bytes:
    """Pack a context whose second step copies 10,000 files."""
    return packed({"Dockerfile": COPY_MANY.encode(), **many(number)})


def run_many(number: int) -> bytes:
    """Pack a context whose second step writes 10,000 files."""
    text = RUN_MANY.replace("NUMBER", str(number))
    return packed({"Dockerfile": text.encode()})


def written_by_run(number: int) -> dict[str, bytes]:
    """Give the files that `run_many` writes."""
    return {
        f"many/{d}/{i}": f"{number} {d} {i}\n".encode()
        for d in range(FOLDERS)
        for i in range(FILES // FOLDERS)
    }


def proof_of(files: Names) -> str:
    """Work out what PROOF prints where these are the files."""
    paths = sorted(f"./{name.partition('/')[2]}" for name in files)
    names = hashlib.sha256("".join(f"{path}\n" for path in paths).encode())
    contents = hashlib.sha256(b"".join(files[f"many/{path[2:]}"] for path in paths))
    return f"{len(files)}\n{names.hexdigest()}  -\n{contents.hexdigest()}  -\n"


def layer_of_many(number: int) -> bytes:
    """Pack 10,000 files."""
    return packed(many(number))


def image_of_many(number: int) -> bytes:
    """Write what `docker save` would of an image: busybox and 10,000 files on top."""
    with tempfile.TemporaryDirectory() as scratch:
        base = busybox_tar(Path(scratch) / "busybox.tar").read_bytes()
    layer = layer_of_many(number)
    digests = [hashlib.sha256(each).hexdigest() for each in (base, layer)]
    config = json.dumps({
        "architecture": "amd64", "os": "linux", "config": {"Cmd": ["sh"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{each}" for each in digests]},
    }).encode()  # fmt: skip
    names = [f"blobs/sha256/{digest}" for digest in digests]
    config_name = f"blobs/sha256/{hashlib.sha256(config).hexdigest()}"
    manifest = [{"Config": config_name, "RepoTags": ["bench:latest"], "Layers": names}]
    return packed({
        names[0]: base, names[1]: layer, config_name: config,
        "manifest.json": json.dumps(manifest).encode(),
    })  # fmt: skip


def packed(files: Names) -> bytes:
    """Pack files with the directories that they need."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for folder in sorted(_folders(files)):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode, entry.mtime = tarfile.DIRTYPE, 0o755, 1_700_000_000
            archive.addfile(entry)
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = len(content), 0o644, 1_700_000_000
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def _folders(names: Iterable[str]) -> set[str]:
    def above(name: str) -> Iterator[str]:
        while "/" in name:
            name = name.rpartition("/")[0]
            yield name

    return {folder for name in names for folder in above(name)}
