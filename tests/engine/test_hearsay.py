"""What is told of questions for names: enough to follow, never enough to drown in."""

from pyminidock.engine.hearsay import AT_MOST, WINDOW_S, Hearsay
from pyminidock.events import NameAsked

DB = NameAsked("c", "db", "A", "known", ("172.18.0.3",))


class Clock:
    """Stands still until somebody moves it."""

    now = 100.0

    def __call__(self) -> float:
        """Give the time."""
        return self.now


def test_the_same_question_is_told_once_in_a_while_with_how_often_it_was_asked() -> None:
    clock = Clock()
    hears = Hearsay(clock)
    assert hears.sifted(DB) == DB
    assert [hears.sifted(DB) for _ in range(9)] == [None] * 9
    clock.now += WINDOW_S
    told = hears.sifted(DB)
    assert told is not None
    assert told.times == 10


def test_another_outcome_is_told_at_once() -> None:
    hears = Hearsay(Clock())
    assert hears.sifted(DB)
    assert hears.sifted(NameAsked("c", "db", "A", "no answer"))
    assert hears.sifted(NameAsked("c", "db", "AAAA", "known"))
    assert hears.sifted(NameAsked("other", "db", "A", "known"))


def test_one_container_cannot_fill_the_story_and_does_not_silence_another() -> None:
    clock = Clock()
    hears = Hearsay(clock)
    told = [hears.sifted(NameAsked("c", f"n{n}", "A", "forwarded")) for n in range(500)]
    assert sum(each is not None for each in told) == AT_MOST
    assert hears.sifted(NameAsked("other", "n", "A", "forwarded"))
    clock.now += WINDOW_S
    assert hears.sifted(NameAsked("c", "again", "A", "forwarded"))


def test_a_long_name_and_many_answers_are_cut() -> None:
    many = tuple(f"172.18.1.{n}" for n in range(200))
    told = Hearsay(Clock()).sifted(NameAsked("c", "x" * 250, "A", "known", many))
    assert told is not None
    assert (len(told.name), len(told.answers)) == (100, 8)
    assert "…" in told.name


def test_who_is_forgotten_is_new() -> None:
    hears = Hearsay(Clock())
    assert hears.sifted(DB)
    hears.forget("c")
    assert hears.sifted(DB) == DB
