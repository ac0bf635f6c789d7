"""The fuzzers of the contract, seeded: the same number is the same archive, on any machine.

    pax        records, whole and spoilt, against a parser of ten lines
    applier    archives of few names and many meanings, against the model of nested
               dictionaries; then spoilt ones, of which no model knows what they mean
    bytes      anything at all

`make soak` runs them at full length.  What was once found by one of them stays in
`corpus.txt`, with what has to come of it.
"""

import base64
import io
import random
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyminidock.layers.apply import ROOT, UNPRIVILEGED, Policy, apply
from pyminidock.layers.archive import ArchiveRefused, Limits, read_entries
from pyminidock.layers.snapshots import remove_tree
from pyminidock.layers.tarfields import pax_records
from tests.layers.hostile.blocks import END, block, raw_pax, record
from tests.layers.hostile.cases import OUT, d, dev, f, hard, ln, opq, shown, wh
from tests.layers.hostile.test_applier_fuzz import Model, Refused
from tests.layers.hostile.test_reader_fuzz import EDGES, LIMITS, mended, survives
from tests.layers.hostile.trial import facts, outside

__all__ = ["outside"]

CORPUS = Path(__file__).with_name("corpus.txt")
POLICIES = [
    pytest.param(UNPRIVILEGED, id="user"),
    pytest.param(ROOT, id="root", marks=pytest.mark.edge),
]

# ── Pax ──────────────────────────────────────────────────────────────────────────────────


def plainly(body: bytes) -> list[tuple[bytes, bytes]] | None:
    """Parse pax records as POSIX says; None if they are none."""
    found = []
    while body:
        digits, space, _ = body.partition(b" ")
        if not (space and digits.isdigit() and len(digits) <= 20):
            return None
        whole = body[: int(digits)]
        key, equals, value = whole[len(digits) + 1 : -1].partition(b"=")
        is_whole = len(whole) == int(digits) and whole.endswith(b"\n") and equals and key
        if not is_whole or b"\0" in key or len(digits) + 1 >= len(whole):
            return None
        found.append((key, value))
        body = body[len(whole) :]
    return found


def spoilt(data: bytes, chance: random.Random) -> bytes:
    """Change a little, anywhere."""
    made = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(made) + 1)
        match chance.randrange(5):
            case 0 if made:
                made[at % len(made)] ^= 1 << chance.randrange(8)
            case 1:
                made[at:at] = chance.choice(EDGES)
            case 2:
                del made[at : at + chance.randint(1, 4)]
            case 3:
                made[at:at] = made[: chance.randint(0, 40)]
            case _:
                made[at : at + 1] = b"%d" % chance.randrange(300)
    return bytes(made)


@pytest.mark.soak
def test_pax_records_are_parsed_as_posix_says(at_length: Callable[[int], int]) -> None:
    refused, rounds = 0, at_length(100_000)
    for seed in range(rounds):
        chance = random.Random(seed)
        body = b"".join(
            record(chance.randbytes(chance.randint(1, 9)).replace(b"\0", b"a")
                   .replace(b"=", b"b"), chance.randbytes(chance.randint(0, 30)))
            for _ in range(chance.randint(0, 4))
        )  # fmt: skip
        body = spoilt(body, chance) if chance.random() < 0.7 else body
        wanted = plainly(body)
        try:
            found = list(pax_records(body, 0, LIMITS))
        except ArchiveRefused:
            found = None
        assert found == wanted, (seed, body)
        refused += found is None
        survives(raw_pax(body) + block(b"hi") + END)
    assert rounds // 3 < refused < rounds


# ── Bytes ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.soak
def test_random_bytes_are_no_archive(at_length: Callable[[int], int]) -> None:
    for seed in range(at_length(20_000)):
        chance = random.Random(seed)
        data = chance.randbytes(chance.choice((1, 300, 512, 700, 1024, 5000)))
        assert survives(data) is None
        survives(mended(bytearray(data[:257] + b"ustar\0" + b"00" + data[265:])) + END)


# ── The applier ──────────────────────────────────────────────────────────────────────────

NAMES = (b"a", b"b", b"c")
TARGETS = (b"a", b"b", b"..", b"../..", b"/", b"/a", b"/b/c", b"../b", b"a/../c", b"./c",
           b"/etc", b"../../../../../../../../etc", OUT, OUT + b"/file")  # fmt: skip


def entries(chance: random.Random) -> Iterator[bytes]:
    """Make entries of three names, so that they meet each other."""

    def path() -> bytes:
        return b"/".join(chance.choices(NAMES, k=chance.randint(1, 4)))

    for number in range(chance.randint(1, 25)):
        match chance.randrange(9):
            case 0 | 1:
                yield f(path(), b"%d" % number)
            case 2:
                yield d(path())
            case 3 | 4:
                yield ln(path(), chance.choice(TARGETS))
            case 5:
                yield hard(path(), path())
            case 6:
                yield dev(path(), 0, 0, b"6")
            case 7:
                yield wh(path())
            case _:
                yield opq(path() if chance.random() < 0.8 else b"")


def by_the_model(archive: bytes) -> dict[str, str] | None:
    model = Model()
    try:
        for entry in read_entries(io.BytesIO(archive)):
            model.put(entry)
    except Refused:
        return None
    out = f"link {OUT.decode()}"
    return {path: what.replace(out, "link OUT") for path, what in model.listing().items()}


def by_the_applier(archive: bytes, root: Path, policy: Policy) -> dict[str, str] | None:
    root.mkdir()
    try:
        apply(read_entries(io.BytesIO(archive), LIMITS), root, policy=policy)
    except ArchiveRefused:
        return None
    return shown(root, policy)


@pytest.mark.soak
@pytest.mark.parametrize("policy", POLICIES)
def test_an_archive_comes_to_what_the_model_says(
    tmp_path: Path, outside: Path, policy: Policy, at_length: Callable[[int], int]
) -> None:
    """`outside` is where links lead, and is looked at afterwards."""
    refused, rounds = 0, at_length(8000)
    for seed in range(rounds):
        archive = b"".join(entries(random.Random(seed))) + END
        wanted = by_the_model(archive)
        assert by_the_applier(archive, tmp_path / f"{seed}", policy) == wanted, seed
        refused += wanted is None
    assert rounds // 20 < refused < rounds


@pytest.mark.soak
@pytest.mark.parametrize("policy", POLICIES)
def test_a_spoilt_archive_is_unpacked_inside_or_refused(
    tmp_path: Path, outside: Path, policy: Policy, at_length: Callable[[int], int]
) -> None:
    """Names, links, kinds and numbers that nobody thought of."""
    (tmp_path / "beside").write_text("precious")
    before = facts(tmp_path / "beside")
    rounds, refused = at_length(8000), 0
    for seed in range(rounds):
        chance = random.Random(seed)
        archive = bytearray(b"".join(entries(chance)) + END)
        for _ in range(chance.randint(1, 4)):
            header = 512 * chance.randrange(len(archive) // 512)
            field = chance.choice(
                (0, 1, 2, 100, 106, 108, 116, 130, 136, 156, 157, 329, 345)
            )
            edge = chance.choice(
                (*EDGES, b"../", b"/..", b".wh.", b"\0", b"a/b", b"1", b"3")
            )
            archive[header + field : header + field + len(edge)] = edge
        found = by_the_applier(mended(archive), tmp_path / f"{seed}", policy)
        refused += found is None
    assert facts(tmp_path / "beside") == before
    assert rounds // 10 < refused < rounds


# ── The corpus ───────────────────────────────────────────────────────────────────────────


def kept() -> list[tuple[str, bytes]]:
    """Read the corpus: each line is what has to come of an archive, and the archive."""
    lines = [line.split(" ", 1) for line in CORPUS.read_text("ascii").splitlines()]
    return [(what, zlib.decompress(base64.b85decode(packed))) for what, packed in lines]


def kind_of(refusal: ArchiveRefused) -> str:
    """Say what is wrong without the names and numbers of one archive."""
    said = refusal.what.partition(" (byte")[0].rpartition(": ")[2]
    plain = re.sub(r"'[^']*'|\S*[/\\%'.]\S*|\d+|(?<=is )\S+|\b[a-z]\b", "", said)
    return re.sub(r"[\W_]+", "-", plain).strip("-")[:50]


@pytest.mark.parametrize(("what", "archive"), kept())
def test_what_was_once_found_stays_found(
    tmp_path: Path, outside: Path, what: str, archive: bytes
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    try:
        apply(read_entries(io.BytesIO(archive), Limits()), root, policy=UNPRIVILEGED)
    except ArchiveRefused as refusal:
        found = kind_of(refusal)
    else:
        found = "read"
    finally:
        remove_tree(root)  # it may be deeper than pytest can remove
    assert found == what


def test_the_corpus_is_of_many_kinds() -> None:
    assert len({what for what, _ in kept()}) >= 30
