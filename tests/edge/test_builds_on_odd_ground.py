"""Builds where names, programs and histories are chosen by somebody else.

H-14 (names of directories), H-36 (traps in images) and H-41 (crafted images as a cache).
"""

import gzip
import io
import json
import lzma
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyminidock.engine import images, loading
from pyminidock.grammar.refs import parse
from tests.builder import Context, File, Kitchen, kitchen
from tests.edge.test_birth_odd_roots import ODD_NAMES, plant
from tests.engine.archives import digest, old_docker, tar
from tests.reference import busybox_root

pytestmark = pytest.mark.edge


@pytest.fixture(scope="module")
def cook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kitchen]:
    with kitchen(tmp_path_factory.mktemp("kitchen") / "root", "busybox", "alpine") as cook:
        yield cook
        assert cook.remains() == []


# ── H-14: names are names, not options ───────────────────────────────────────────────────


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_state_root_of_any_name_builds_and_injects_nothing(
    tmp_path: Path, name: str
) -> None:
    """H-14: RUN above COPY above a base, then from the cache."""
    text = "FROM busybox\nCOPY a /a\nRUN cat /a >/b && rm /a\n"
    with kitchen(tmp_path / name / "root") as cook:
        built = cook.build({"Dockerfile": text, "a": "text"})
        assert built.failure is None, built.failure
        files = cook.files("app")
        assert (files["b"].size, "a" in files) == (4, False)
        assert cook.build({"Dockerfile": text, "a": "text"}).image == built.image
        assert cook.remains() == []


def test_as_many_layers_as_an_image_may_have_are_built_and_run(cook: Kitchen) -> None:
    """H-14: Docker's 125, the topmost of them made by a program that sees all others."""
    lines = [f"COPY a /only-{number}" for number in range(123)]
    text = "\n".join(["FROM busybox", *lines, "RUN ls -d /only-* | wc -l >/count"])
    built = cook.build({"Dockerfile": text, "a": "x"}, tags=("many:1",))
    assert built.failure is None, built.failure
    found = images.find(cook.house, "many:1")
    assert len(found.trees) == 125
    assert (found.trees[0] / "count").read_text() == "123\n"
    more = cook.build({"Dockerfile": "FROM many:1\nRUN echo >/x\n"})
    assert more.failure is not None
    assert more.failure.message == "max depth exceeded"


# ── H-36: nothing of an image or a context is run or loaded by the engine ────────────────


def archive_of(*names: str) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name))
    return made.getvalue()


def test_a_build_neither_runs_nor_loads_anything_of_an_image(
    cook: Kitchen, tmp_path: Path
) -> None:
    """H-36: ADD of packed archives, owners by name, RUN as a user, COPY --from."""
    marker = tmp_path / "marker-of-the-trap"
    root = busybox_root(tmp_path / "trapped")
    plant(root, marker)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(root, ".")
    loading.import_tree(cook.house, io.BytesIO(packed.getvalue()), name=parse("trap:1"))
    evil = f"#!/bin/sh\ntouch {marker}\n".encode()
    context: Context = {
        "Dockerfile": (
            "FROM trap:1\n"
            "ADD a.tar.xz b.tar.gz /to/\n"
            "COPY --chown=web:disk --chmod=700 xz git sh /tools/\n"
            "WORKDIR /tools\n"
            "USER web:disk\n"
            'RUN ["/bin/busybox", "touch", "/tmp/done"]\n'
            "FROM trap:1\n"
            "COPY --from=0 --chown=web /to/ /to/\n"
        ),
        "a.tar.xz": lzma.compress(archive_of("a")),
        "b.tar.gz": gzip.compress(archive_of("b")),
        **dict.fromkeys(("xz", "git", "sh", "unpigz", "errno.py"), File(evil, 0o755)),
    }  # fmt: skip
    built = cook.build(context, tags=("trapped:1",), builds_all_stages=True)
    assert built.failure is None, built.failure
    files = cook.files("trapped:1")
    assert {"to/a", "to/b"} <= set(files)
    assert (files["to/a"].uid, files["to/a"].gid) == (1000, 1000)
    assert str(marker).lstrip("/") not in files
    assert not marker.exists()


# ── H-41: the cache is honest ────────────────────────────────────────────────────────────

TEXT = (
    "FROM busybox\nARG WHO=me\nCOPY a /a\nRUN echo $WHO >/who\n"
    'SHELL ["/bin/sh", "-ec"]\nHEALTHCHECK CMD true\nRUN echo done >/done\n'
)
PLAIN: Context = {"Dockerfile": TEXT, "a": File(b"text")}


@pytest.mark.parametrize(
    ("edit", "arguments", "cause"),
    [
        pytest.param({"a": File(b"texT")}, {}, (3, "file content a"), id="H-41 byte"),
        pytest.param({"a": File(b"text", 0o600)}, {}, (3, "file mode a"), id="H-41 mode"),
        pytest.param({"a": File(b"text", uid=5)}, {}, (3, "file owner a"), id="H-41 owner"),
        pytest.param({}, {"WHO": "you"}, (4, "argument WHO"), id="H-41 ARG"),
        pytest.param({"Dockerfile": TEXT.replace("busybox", "alpine")}, {},
                     (2, "base"), id="H-41 base"),
        pytest.param({"Dockerfile": TEXT.replace("-ec", "-c")}, {},
                     (5, "instruction"), id="H-41 SHELL"),
        pytest.param({"Dockerfile": TEXT.replace("CMD true", "CMD false")}, {},
                     (6, "instruction"), id="H-41 healthcheck"),
        pytest.param({"a": File(b"text", mtime=7)}, {}, None, id="H-41 touched"),
    ],
)  # fmt: skip
def test_what_counts_is_missed_for_the_right_reason(
    cook: Kitchen, edit: Context, arguments: dict[str, str], cause: tuple[int, str] | None,
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    tag = (f"honest-{abs(hash(request.node.name))}:latest",)
    first = cook.build(PLAIN, tags=tag)
    assert first.failure is None
    steps = cook.build({**PLAIN, **edit}, tags=tag, arguments=arguments).steps()
    missed = [(number, what) for number, what in steps if what != "hit"]
    if cause is None:
        assert missed == []
        return
    number, what = missed[0]
    assert number == cause[0]
    assert cause[1] in what


def test_an_image_that_was_loaded_is_no_step_of_a_build(cook: Kitchen) -> None:
    """H-41: its history says the very words of the step; its files say something else."""
    text = "FROM busybox\nRUN echo right >/answer\n"
    plain = images.find(cook.house, "busybox")
    document = json.loads(cook.house.store.blobs.read(plain.row.config_blob))
    evil = tar({"answer": b"wrong\n"})
    base = io.BytesIO()
    row = cook.house.store.layers.get(plain.row.layers[0])
    assert row is not None
    with cook.house.store.blobs.open(row.blob) as blob:
        base.write(
            gzip.decompress(data) if (data := blob.read())[:2] == b"\x1f\x8b" else data
        )
    diff_ids = [*document["rootfs"]["diff_ids"], digest(evil)]
    for parent in ({}, {"parent": plain.row.id}):
        crafted = document | parent | {
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
            "container_config": {"Cmd": ["/bin/sh", "-c", "echo right >/answer"]},
            "history": [
                *document.get("history", []),
                {"created_by": "/bin/sh -c echo right >/answer"},
            ],
        }  # fmt: skip
        members = old_docker(
            [base.getvalue(), evil], json.dumps(crafted).encode(), "evil:1"
        )
        loading.load(cook.house, io.BytesIO(tar(members)), lambda _: None)
    for _ in range(2):
        built = cook.build({"Dockerfile": text})
        assert built.failure is None
        trees = images.find(cook.house, built.image).trees
        assert (trees[0] / "answer").read_text() == "right\n"
