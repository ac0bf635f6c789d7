"""Why a step has to be done: the diary of a stage, beside that of the last time."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pyminidock.build.cachekey import Cause, Inputs, Seen
from pyminidock.build.causes import StageDiary
from pyminidock.store.cache import BuildCache, CacheRow, DoneStep
from pyminidock.store.opening import Store, open_store

BASE = "sha256:base"
TEXTS = ("RUN a", "COPY f /", "CMD b")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "root", mounts="")
    yield opened
    opened.close()


def step(text: str, content: str = "1") -> Inputs:
    """Give the inputs of an instruction; a COPY takes the file f."""
    is_copy = text.startswith("COPY")
    files = {"f": Seen("file", sum=content, content=int(content))} if is_copy else {}
    return Inputs(text, f"sh {text}", files=files, sources=content if is_copy else "")


class Book:
    """A cache that fills as builds go on; images are numbered."""

    def __init__(self, store: Store) -> None:
        self.store, self.cache, self.count = store, store.cache, 0

    def build(
        self, steps: Sequence[Inputs], name: str = "app", base: str = BASE,
        *, until: int = 99,
    ) -> list[tuple[Cause, ...]]:  # fmt: skip
        """Go through a stage; give the causes of each step, () for one that was taken."""
        diary = StageDiary(self.cache, [name], "0", [each.text for each in steps])
        parent, was_redone, told = base, False, list[tuple[Cause, ...]]()
        for inputs in steps[:until]:
            found = None if was_redone else self.cache.probe(parent, inputs.key())
            if found is None:
                told.append(diary.causes(parent, inputs, was_redone=was_redone))
                image, was_redone = self._make(parent, inputs), True
            else:
                told.append(())
                image = found.image
            diary.note(DoneStep(parent, inputs.key(), image, inputs.text))
            parent = image
        diary.close()
        return told

    def _make(self, parent: str, inputs: Inputs) -> str:
        self.count += 1
        image = f"sha256:{self.count}"
        with self.store.db.write() as rows:
            rows.execute(
                "INSERT INTO images VALUES (?, ?, '', ?, 0.0, 0, 1, '')",
                (image, image, parent),
            )
            row = CacheRow(
                parent, inputs.key(), inputs.to_json(), image, 1.0,
                files=inputs.file_rows(),
            )  # fmt: skip
            self.cache.add(row)
        return image


@pytest.fixture
def book(store: Store) -> Book:
    return Book(store)


STEPS = [step(text) for text in TEXTS]


def words(told: Sequence[tuple[Cause, ...]]) -> list[str]:
    return [
        ", ".join(" ".join(filter(None, (c.cause, c.detail, c.path))) for c in causes)
        for causes in told
    ]


def test_what_was_never_built_is_the_first(book: Book) -> None:
    assert words(book.build(STEPS)) == ["first", "parent step", "parent step"]


def test_what_was_built_is_taken(book: Book) -> None:
    book.build(STEPS)
    assert book.build(STEPS) == [(), (), ()]


@pytest.mark.parametrize(
    ("now", "told"),
    [
        pytest.param(
            [STEPS[0], step(TEXTS[1], "2"), STEPS[2]],
            ["", "file content f", "parent step"], id="a file",
        ),
        pytest.param(
            [step("RUN z"), step(TEXTS[1], "2"), STEPS[2]],
            ["instruction", "parent step, file content f", "parent step"],
            id="an instruction, and a file behind it",
        ),
        pytest.param(
            [STEPS[0], STEPS[2]], ["", "instruction removed"], id="one less",
        ),
        pytest.param(
            [STEPS[0], step("USER u"), step(TEXTS[1], "2"), STEPS[2]],
            ["", "instruction added", "parent step, file content f", "parent step"],
            id="one more, and a file behind it",
        ),
        pytest.param(
            [STEPS[1], STEPS[0], STEPS[2]],
            ["instruction moved", "parent step", "parent step"], id="two swapped",
        ),
    ],
)  # fmt: skip
def test_each_step_is_compared_with_what_it_was(
    book: Book, now: list[Inputs], told: list[str]
) -> None:
    book.build(STEPS)
    assert words(book.build(now)) == told


def test_another_base_is_a_cause_beside_what_changed_on_it(book: Book) -> None:
    book.build(STEPS)
    now = [step("RUN z"), *STEPS[1:]]
    assert words(book.build(now, base="sha256:other"))[0] == "instruction, parent base"
    assert words(book.build(STEPS, "new", "sha256:third"))[0] == "parent base"


def test_under_another_name_a_step_is_compared_with_one_that_did_the_same(
    book: Book,
) -> None:
    book.build(STEPS)
    now = [STEPS[0], step(TEXTS[1], "2"), replace(STEPS[2])]
    assert words(book.build(now, "other")) == ["", "file content f", "parent step"]
    alien = [step("ENV x"), STEPS[1]]
    assert words(book.build(alien, "third"))[0] == "first"


def test_a_step_whose_image_was_removed_says_so(book: Book) -> None:
    book.build(STEPS)
    with book.store.db.write() as rows:
        rows.execute("DELETE FROM images WHERE id = 'sha256:3'")
    assert words(book.build(STEPS)) == ["", "", "removed"]
    with book.store.db.write() as rows:
        rows.execute("DELETE FROM images")
    changed = [STEPS[0], step(TEXTS[1], "2"), STEPS[2]]
    assert words(book.build(changed)) == ["removed", "parent step", "parent step"]


def test_what_it_was_is_forgotten_with_its_image(book: Book) -> None:
    book.build(STEPS)
    with book.store.db.write() as rows:
        rows.execute("DELETE FROM images WHERE id IN ('sha256:2', 'sha256:3')")
    changed = [STEPS[0], step(TEXTS[1], "2"), STEPS[2]]
    assert words(book.build(changed)) == ["", "forgotten", "parent step"]


def test_a_build_that_ended_early_leaves_the_rest_unfinished(book: Book) -> None:
    book.build(STEPS, until=1)
    assert words(book.build(STEPS)) == ["", "unfinished", "parent step"]


def test_a_step_on_another_way_than_last_time_says_so(book: Book) -> None:
    book.build([STEPS[0], step(TEXTS[1], "2")], "other")
    book.build(STEPS)
    now = [STEPS[0], step(TEXTS[1], "2"), STEPS[2]]
    assert words(book.build(now)) == ["", "", "parent image"]


def test_the_same_step_of_another_stage_of_this_build_is_no_past(
    book: Book,
) -> None:
    copy = step("COPY f /")
    book.build([copy], name="")  # its rows are of the time 1.0
    diary = StageDiary(book.cache, [""], "1", ["COPY f /"], began=1.0)
    assert diary.causes("", copy, was_redone=False) == (Cause("first"),)
    later = StageDiary(book.cache, [""], "1", ["COPY f /"], began=2.0)
    assert words([later.causes("", copy, was_redone=False)]) == ["parent base"]


def test_builds_without_a_name_are_compared_only_on_the_same_base(book: Book) -> None:
    book.build(STEPS, "")
    alien = [step("RUN z"), step("USER u")]
    assert words(book.build(alien, "", "sha256:other"))[0] == "first"
    assert words(book.build([step("RUN y"), *STEPS[1:]], "", "sha256:other"))[0] == (
        "instruction"
    )


def test_the_diary_of_a_stage_without_steps_is_not_kept(store: Store) -> None:
    cache: BuildCache = store.cache
    StageDiary(cache, ["app"], "0", []).close()
    assert cache.last("app", "0") == ()
