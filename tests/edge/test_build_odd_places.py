"""Builds in places, and from images, that were made to harm: H-14 and H-36, for builds."""

import gzip
import io
import lzma
import tarfile
from pathlib import Path

import pytest

from tests.builder import Context, File, kitchen, packed
from tests.edge.test_birth_odd_roots import ODD_NAMES, TROJAN_PLACES, TROJANS, plant

pytestmark = pytest.mark.edge


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_state_root_of_any_name_builds_and_injects_nothing(
    tmp_path: Path, name: str
) -> None:
    """H-14: RUN mounts, COPY and ADD do not; layers, cache and stages lie in it."""
    text = (
        "FROM busybox AS one\nCOPY a /x/\nRUN cat /x/a >/b\n"
        "FROM busybox\nCOPY --from=one /b /c\nADD a.tar /t/\nRUN cat /t/a /c >/d\n"
    )
    context: Context = {"Dockerfile": text, "a": "A\n", "a.tar": packed({"a": "T\n"})}
    with kitchen(tmp_path / name / "root") as cook:
        built = cook.build(context)
        assert built.failure is None
        assert cook.files(built.image)["d"].size == len("T\nA\n")
        assert cook.build(context).image == built.image
        assert cook.remains() == []
    assert [path.name for path in (tmp_path / name).iterdir()] == ["root"]
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_an_image_has_a_hundred_and_twenty_five_layers_and_not_one_more(
    tmp_path: Path,
) -> None:
    """H-14: all of them are seen by the RUN that adds the last one."""
    many = "".join(f"COPY a /only-{number}\n" for number in range(123))
    text = f"FROM busybox\n{many}RUN ls -d /only-* | wc -l >/count\n"
    with kitchen(tmp_path / ODD_NAMES[0]) as cook:
        built = cook.build({"Dockerfile": text, "a": "A"})
        assert built.failure is None
        assert len(cook.image(built.image).diff_ids) == 125
        assert cook.files(built.image)["count"].size == len("123\n")
        failure = cook.build({"Dockerfile": f"{text}COPY a /z\n", "a": "A"}).failure
        assert failure
        assert failure.message == "max depth exceeded"
        assert failure.caret.splitlines()[0] == " 126 | COPY a /z"
        assert cook.remains() == []


@pytest.mark.parametrize(
    ("name", "comes_as"),
    [("../../../../evil", "evil"), ("/evil", "evil"), ("./evil", "evil"), ("..", ""),
     (".", ""), ("a/b", ""), ("/", ""), ("x/..", "")],
)  # fmt: skip
def test_the_name_of_a_document_leads_nowhere(
    tmp_path: Path, name: str, comes_as: str
) -> None:
    root = tmp_path / "root"
    text = f"FROM busybox\nCOPY <<'{name}' /x/\nhi\n{name}\n"
    with kitchen(root) as cook:
        kept = {*(root / "layers").iterdir()}
        built = cook.build({"Dockerfile": text})
        assert bool(built.failure) is not bool(comes_as)
        if comes_as:
            names = [each for each in cook.files(built.image) if "evil" in each]
            assert names == [f"x/{comes_as}"]
        assert kept <= {*(root / "layers").iterdir()}
        assert [path for path in root.rglob("*evil*") if "diff/x" not in str(path)] == []
        assert cook.remains() == []


def test_a_build_neither_runs_nor_loads_anything_of_an_image(tmp_path: Path) -> None:
    """H-36: to unpack, to look up owners, to make directories, to run as somebody.

    The image has a trap for whatever a careless builder would call or load; each would
    leave a mark, outside or in the image.
    """
    marker, evil = tmp_path / "marker-of-the-trap", tmp_path / "evil"
    (evil / "etc").mkdir(parents=True)
    plant(evil, marker)
    packed_evil = io.BytesIO()
    with tarfile.open(fileobj=packed_evil, mode="w") as archive:
        archive.add(evil, ".")
    inside = str(marker).lstrip("/")
    context: Context = {
        "Dockerfile": "FROM busybox\nCOPY a /keep\nADD evil.tar /\n"
        f"COPY bb /bin/busybox\nCOPY a {marker.parent}/\n"
        "ADD a.txz a.tgz a.tar /unpacked/\nCOPY --chown=web:disk a /owned/\n"
        "WORKDIR /made/by/us\nUSER web:disk\nENV LD_PRELOAD= PATH=/bin:/usr/bin\n"
        'RUN ["/bin/busybox", "true"]\nVOLUME /v\n'
        "FROM scratch\nCOPY --from=0 / /all/\n",
        "a": "A", "evil.tar": packed_evil.getvalue(), "a.tar": packed({"x": "x"}),
        "a.txz": lzma.compress(packed({"y": "y"})),
        "a.tgz": gzip.compress(packed({"z": "z"})),
        "bb": File(Path("/bin/busybox").read_bytes(), 0o755),
    }  # fmt: skip
    with kitchen(tmp_path / "root") as cook:
        built = cook.build(context)
        assert built.failure is None, built.failure
        files = cook.files(built.image)
        assert files["all/owned/a"][2:4] == (1000, 5)
        assert {"all/unpacked/x", "all/unpacked/y", "all/unpacked/z"} <= files.keys()
        assert f"all/{TROJAN_PLACES[0]}/{TROJANS[2]}" in files
        assert f"all/{inside}" not in files
    assert not marker.exists()
