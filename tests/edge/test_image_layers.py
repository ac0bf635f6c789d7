"""What an image carries for nothing: by hand, by the engine, and by adding up its tars.

Each image is built for real.  The table says what a person with a pencil would say; the
tars of `docker save` are unpacked over each other by twenty lines that know nothing of the
engine; and all three have to agree.
"""

import io
import json
import posixpath
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pyminidock.engine import imagelayers, loading, saving
from tests.builder import Context, Kitchen, kitchen

pytestmark = pytest.mark.edge

MIB = 1 << 20
TEN = 10 * MIB
WRITE = "RUN dd if=/dev/zero of=/big bs=1M count=10\n"
OF_BASE = "FROM busybox\nRUN echo 123456 >/motd\n"  # what `based` stands on


@dataclass(frozen=True, slots=True)
class Case:
    """One image: its instructions, and what somebody worked out on paper."""

    steps: str
    own: int  # bytes to be reclaimed
    waste: list[tuple[str, int, int, str]] = field(default_factory=list)
    base: int = 0  # bytes of the base that are hidden
    layers: int = 0  # above the base
    files: Context = field(default_factory=dict)


CASES = {
    "write, chmod": Case(
        WRITE + "RUN chmod 600 /big\n", TEN, [("/big", 2, 3, "metadata only")], layers=2
    ),
    "write, rm": Case(WRITE + "RUN rm /big\n", TEN, [("/big", 2, 3, "deleted")], layers=2),
    "write, overwrite": Case(
        WRITE + "RUN echo 12345 >/big\n", TEN, [("/big", 2, 3, "rewritten")], layers=2
    ),
    "write, overwrite with as many": Case(
        WRITE + "RUN tr '\\0' x </big >/x && cat /x >/big && rm /x\n", TEN,
        [("/big", 2, 3, "rewritten")], layers=2,
    ),
    "write, move": Case(
        WRITE + "RUN mv /big /moved\n", TEN, [("/big", 2, 3, "deleted")], layers=2
    ),
    "write, append": Case(
        WRITE + "RUN echo >>/big\n", TEN, [("/big", 2, 3, "rewritten")], layers=2
    ),
    "chmod twice": Case(
        WRITE + "RUN chmod 600 /big\nRUN chmod 640 /big\n", 2 * TEN,
        [("/big", 2, 3, "metadata only"), ("/big", 3, 4, "metadata only")], layers=3,
    ),
    "a directory made anew": Case(
        "RUN mkdir /d && echo 1234 >/d/a && echo 12 >/d/b && mkdir /d/e\n"
        "RUN rm -r /d && mkdir /d && echo 1 >/d/a\n", 8,
        [("/d/a", 2, 3, "rewritten"), ("/d/b", 2, 3, "deleted")], layers=2,
    ),
    "one of two names": Case(
        WRITE + "RUN ln /big /twin\nRUN rm /big\n", TEN,
        [("/big", 2, 3, "identical")], layers=3,
    ),
    "two names at once": Case(
        "RUN echo 123456789 >/a && ln /a /b\nRUN rm /a\n", 0, layers=2
    ),
    "a link that leads elsewhere": Case(
        "RUN ln -s /bin/sh /way\nRUN ln -sf /etc/passwd /way\n", 0, layers=2
    ),
    "the same file twice": Case(
        "COPY a /a\nCOPY a b /\n", 7, [("/a", 2, 3, "identical")], layers=2,
        files={"a": "seven!\n", "b": "2"},
    ),
    "a file of the base deleted": Case("RUN rm /motd\n", 0, base=7, layers=1),
    "a file of the base chmodded": Case("RUN chmod 600 /motd\n", 0, base=7, layers=1),
    "a working directory": Case("WORKDIR /srv/app\n", 0, layers=1),
    "nothing": Case("RUN true\nENV A=1\n", 0, layers=0),
    "a file in place of a directory": Case(
        "RUN mkdir /d && echo 12 >/d/a\nRUN rm -r /d && echo 5 >/d\n", 3,
        [("/d/a", 2, 3, "deleted")], layers=2,
    ),
    "holes": Case(
        "RUN truncate -s 1M /sparse\nRUN rm /sparse\n", MIB,
        [("/sparse", 2, 3, "deleted")], layers=2,
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def cook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kitchen]:
    with kitchen(tmp_path_factory.mktemp("image-layers") / "root") as made:
        made.build({"Dockerfile": OF_BASE}, tags=("based:latest",))
        yield made


def built(cook: Kitchen, name: str, case: Case) -> str:
    """Build an image; give a name for it."""
    tag = f"c{list(CASES).index(name)}:latest"
    base = "based" if case.base else "busybox"
    done = cook.build(
        {"Dockerfile": f"FROM {base}\n{case.steps}", **case.files}, tags=(tag,)
    )
    assert not done.failure, done.text
    return tag


def tars(cook: Kitchen, name: str) -> list[tarfile.TarFile]:
    """Give the archives of an image's layers, bottom up, as `docker save` does."""
    whole = b"".join(saving.Saving(cook.house, [name]))
    with tarfile.open(fileobj=io.BytesIO(whole)) as archive:
        (entry,) = json.loads(content(archive, "manifest.json"))
        return [
            tarfile.open(fileobj=io.BytesIO(content(archive, layer)))
            for layer in entry["Layers"]
        ]


def content(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    assert file is not None
    return file.read()


def hidden_bytes(layers: list[tarfile.TarFile]) -> list[int]:
    """Unpack archives over each other; give the bytes of each that nobody sees."""
    tree: dict[str, tuple[int, str]] = {}
    for number, archive in enumerate(layers):
        new: dict[str, tuple[int, str]] = {}
        for member in archive:
            above, name = posixpath.split(member.name)
            if name == ".wh..wh..opq":
                tree = {p: f for p, f in tree.items() if not p.startswith(f"{above}/")}
            elif name.startswith(".wh."):
                tree = without(tree, posixpath.join(above, name[4:]))
            else:
                if not member.isdir():
                    tree = without(tree, member.name)
                if member.isreg() or member.islnk():
                    first = member.linkname if member.islnk() else member.name
                    new[member.name] = (number, first)
        tree |= new
    left = set(tree.values())
    return [
        sum(m.size for m in archive if m.isreg() and (number, m.name) not in left)
        for number, archive in enumerate(layers)
    ]


def without(tree: dict[str, tuple[int, str]], path: str) -> dict[str, tuple[int, str]]:
    return {p: f for p, f in tree.items() if p != path and not p.startswith(f"{path}/")}


@pytest.mark.parametrize("name", CASES)
def test_engine_table_and_tars_agree_on_what_could_be_reclaimed(
    cook: Kitchen, name: str
) -> None:
    case = CASES[name]
    tag = built(cook, name, case)
    told = imagelayers.layers(cook.house, tag)
    found = [
        (row["path"], row["layer"] - told["base"]["layers"] + 1, row["hidden_by"]
         - told["base"]["layers"] + 1, row["reason"])
        for row in told["reclaimable"]
    ]  # fmt: skip
    assert (told["reclaimable_bytes"], sorted(found)) == (case.own, sorted(case.waste))
    assert told["base"]["reclaimable_bytes"] == case.base
    assert len(told["layers"]) - told["base"]["layers"] == case.layers

    by_tar = hidden_bytes(tars(cook, tag))
    assert [each["hidden_bytes"] for each in told["layers"]] == by_tar
    count = told["base"]["layers"]
    assert (sum(by_tar[count:]), sum(by_tar[:count])) == (case.own, case.base)


@pytest.mark.parametrize("name", CASES)
def test_the_names_of_each_layer_are_those_of_its_tar(cook: Kitchen, name: str) -> None:
    tag = built(cook, name, CASES[name])
    for number, archive in enumerate(tars(cook, tag), 1):
        told = imagelayers.diff(cook.house, tag, number, most=10_000)
        members = archive.getmembers()
        assert listed(told["entries"]) == {m.name: said(m) for m in members}
        assert told["items"] == len(members)


def said(member: tarfile.TarInfo) -> tuple[object, ...]:
    """Say what an archive says of one name."""
    if posixpath.basename(member.name).startswith(".wh."):
        return ("mark",)
    kinds = {
        tarfile.REGTYPE: "file", tarfile.DIRTYPE: "directory", tarfile.SYMTYPE: "symlink",
        tarfile.LNKTYPE: "hard link",
    }  # fmt: skip
    slash = "/" if member.islnk() else ""
    link = slash + member.linkname if member.linkname else ""
    return (
        kinds[member.type],
        f"{member.mode:04o}",
        member.uid,
        member.gid,
        member.size,
        link,
    )


def listed(entries: list[dict[str, Any]]) -> dict[str, tuple[object, ...]]:
    """Say the same of what the engine tells."""
    found: dict[str, tuple[object, ...]] = {}
    for each in entries:
        name = each["path"].removeprefix("/")
        if each["change"] == "deleted":
            if each["detail"] == "whiteout":
                above, last = posixpath.split(name)
                found[posixpath.join(above, f".wh.{last}")] = ("mark",)
            continue
        found[name] = (
            each["kind"], each["mode"], each["uid"], each["gid"], each["size_bytes"],
            each.get("link", ""),
        )  # fmt: skip
        if each.get("detail") == "opaque":
            found[f"{name}/.wh..wh..opq"] = ("mark",)
    return found


def test_an_instruction_stands_by_its_layer_and_the_others_made_none(cook: Kitchen) -> None:
    text = 'FROM busybox\nENV TOKEN=a\nCOPY a /a\nRUN true\nRUN echo 1 >/b\nCMD ["sh"]\n'
    cook.build({"Dockerfile": text, "a": "1"}, tags=("said:latest",))
    told = imagelayers.layers(cook.house, "said")
    assert [each["instruction"] for each in told["layers"][1:]] == [
        "COPY a /a", "RUN echo 1 >/b",
    ]  # fmt: skip
    assert told["without_layer"] == ["ENV TOKEN=‹redacted›", "RUN true", 'CMD ["sh"]']


def test_who_shares_a_layer_is_named_and_nobody_shares_the_last(cook: Kitchen) -> None:
    cook.build({"Dockerfile": "FROM busybox\nRUN echo 1 >/one\n"}, tags=("one:1", "uno:1"))
    cook.build(
        {"Dockerfile": "FROM busybox\nRUN echo 1 >/one\nRUN echo 2 >/two\n"},
        tags=("two:1",),
    )
    told = imagelayers.layers(cook.house, "two:1")
    assert "busybox:latest" in told["layers"][0]["shared_by"]
    assert told["layers"][1]["shared_by"] == ["one:1", "uno:1"]
    assert told["layers"][2]["shared_by"] == []


def test_the_base_is_what_from_named_though_another_image_has_more_of_the_layers(
    cook: Kitchen,
) -> None:
    cook.build({"Dockerfile": "FROM busybox\nRUN echo 1 >/v\n"}, tags=("v:1",))
    cook.build(
        {"Dockerfile": "FROM busybox\nRUN echo 1 >/v\nRUN echo 2 >/v\n"}, tags=("v:2",)
    )
    base = imagelayers.layers(cook.house, "v:2")["base"]
    assert (base["layers"], base["names"], base["known_by"]) == (
        1,
        ["busybox:latest"],
        "build",
    )
    stages = "FROM busybox AS one\nRUN echo 1 >/s\nFROM one\nRUN rm /s\n"
    cook.build({"Dockerfile": stages}, tags=("staged:1",))
    told = imagelayers.layers(cook.house, "staged:1")
    assert told["base"]["names"] == ["busybox:latest"]
    assert told["reclaimable_bytes"] == 2
    assert imagelayers.layers(cook.house, "busybox")["base"]["layers"] == 0


def test_names_that_are_hostile_are_told_as_text(cook: Kitchen) -> None:
    names = ["a\x1b[31m", "b\u202egnp", "c\n", "d<script>", "e" * 250]
    made = " && ".join(f"printf x >'/h/{name}'" for name in names if "\n" not in name)
    made += " && printf x >\"/h/$(printf 'f\\377g')\""
    cook.build({"Dockerfile": f"FROM busybox\nRUN mkdir /h && {made}\n"}, tags=("h:1",))
    told = imagelayers.diff(cook.house, "h:1", 2)
    paths = {each["path"] for each in told["entries"]}
    assert {f"/h/{name}" for name in names if "\n" not in name} < paths
    assert "/h/f\\xffg" in paths
    json.dumps(told).encode("ascii")


def test_of_many_names_as_many_are_told_as_were_asked_for(cook: Kitchen) -> None:
    script = (
        "mkdir /m && cd /m && i=0 && while [ $i -lt 3000 ]; do : >f$i; i=$((i+1)); done"
    )
    text = f"FROM busybox\nRUN {script}\nRUN rm -r /m\n"
    cook.build({"Dockerfile": text}, tags=("many:1",))
    told = imagelayers.layers(cook.house, "many:1", most=5)
    assert (len(told["layers"][1]["entries"]), told["layers"][1]["more"]) == (5, 2996)
    (gone,) = told["layers"][2]["entries"]
    assert (gone["change"], gone["path"], gone["hides_names"]) == ("deleted", "/m", 3001)
    page = imagelayers.diff(cook.house, "many:1", 2, start=2999, most=10)
    assert (page["total"], len(page["entries"])) == (3001, 2)
    with pytest.raises(imagelayers.NoSuchPart):
        imagelayers.diff(cook.house, "many:1", 4)


def test_of_an_image_that_came_as_an_archive_only_the_layers_tell_the_base(
    cook: Kitchen, tmp_path: Path
) -> None:
    cook.build({"Dockerfile": "FROM busybox\nRUN echo 1 >/x\nRUN rm /x\n"}, tags=("out:1",))
    archive = b"".join(saving.Saving(cook.house, ["out:1"]))
    with kitchen(tmp_path / "root") as elsewhere:
        loading.load(elsewhere.house, io.BytesIO(archive), lambda one: None)
        told = imagelayers.layers(elsewhere.house, "out:1")
    base = told["base"]
    assert (base["names"], base["known_by"]) == (["busybox:latest"], "layers")
    assert told["reclaimable_bytes"] == 2
    assert told["layers"][1]["instruction"] == "RUN echo 1 >/x"


def test_a_layer_whose_tree_the_disk_lost_is_told_as_missing(cook: Kitchen) -> None:
    cook.build({"Dockerfile": "FROM busybox\nRUN echo lost >/l\n"}, tags=("lost:1",))
    chain = imagelayers.layers(cook.house, "lost:1")["layers"][1]["chain_id"]
    place = cook.house.store.layers.directory(chain)
    place.rename(place.with_name("elsewhere"))
    try:
        found = imagelayers.layers(cook.house, "lost:1")["layers"]
        assert [each["is_missing"] for each in found] == [False, True]
        assert found[1]["entries"] == []
    finally:
        place.with_name("elsewhere").rename(place)
