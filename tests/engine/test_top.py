"""Of the machine's processes those of a container are shown, and no others."""

import pytest

from pyminidock.engine.top import TopRefused, read_table

TABLE = """\
UID        PID  PPID CMD
root         1     0 /sbin/init  --long   words
root        70     1 sleep 9
root        71    70 sh -c  a b
"""


def test_rows_of_others_are_left_out_and_words_at_the_end_belong_together() -> None:
    table = read_table(TABLE, (70, 71))
    assert table.titles == ("UID", "PID", "PPID", "CMD")
    assert table.rows == (
        ("root", "70", "1", "sleep 9"), ("root", "71", "70", "sh -c a b")
    )  # fmt: skip


def test_threads_are_shown_below_their_process() -> None:
    text = "PID LWP\n7 -\n- 8\n- 9\n10 -\n- 11\n"
    assert read_table(text, (7,)).rows == (("7", "-"), ("-", "8"), ("-", "9"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("CMD\nsh\n", "Couldn't find PID field in ps output"),
        ("", "Couldn't find PID field in ps output"),
        (
            "PID CMD\nx sh\n",
            "Unexpected pid 'x': strconv.Atoi: parsing \"x\": invalid syntax",
        ),
    ],
)
def test_a_table_that_names_nobody_is_refused(text: str, said: str) -> None:
    with pytest.raises(TopRefused) as refusal:
        read_table(text, (7,))
    assert refusal.value.what == said
