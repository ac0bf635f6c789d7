"""A trace becomes a page, unless a line of it may not travel."""

from dataclasses import replace
from pathlib import Path

import pytest

import pyminidock
from pyminidock.cli.failures import WordsRefused
from pyminidock.cli.trace_page import CredentialLeft, page_of, write_page
from pyminidock.client.pagefiles import PLAYER, STYLES, script, style, text_of
from pyminidock.events import ProgramExecuted
from pyminidock.events.journal import Trace
from tests.viz.story import HEADER, recorded

ENGINE = {"version": pyminidock.__version__}
TRACE = Trace(replace(HEADER, engine=ENGINE), recorded())


def test_a_page_has_the_player_its_look_and_the_story() -> None:
    text = page_of(TRACE)
    assert "class MdPlayer" in text
    assert ".md-player" in text
    assert HEADER.title in text


def test_the_player_weighs_less_than_400_kilobytes() -> None:
    assert len((script("replay.js") + style("page.css")).encode()) < 400_000


@pytest.mark.parametrize("name", [*PLAYER, *STYLES, "replay.js", "page.css"])
def test_no_file_of_the_player_can_end_the_element_that_holds_it(name: str) -> None:
    text = text_of(name).lower()
    assert "</script" not in text
    assert "</style" not in text
    assert "<!--" not in text


def test_lines_of_source_come_along_from_the_engine_that_told_them() -> None:
    assert '"container/plan.py"' in page_of(TRACE) or '"engine/run.py"' in page_of(TRACE)
    stranger = Trace(replace(HEADER, engine={"version": "99.0"}), recorded())
    assert '"sources":{}' in page_of(stranger)


def test_a_line_with_a_credential_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    heard = [ProgramExecuted(("echo", "hi")), ProgramExecuted(("echo", "ghp_" + "a1" * 18))]
    trace = Trace(HEADER, recorded(heard))
    with pytest.raises(CredentialLeft) as refusal:
        write_page(trace, str(tmp_path / "out.html"))
    assert "line 3 " in refusal.value.what
    assert "a1a1a1" not in f"{refusal.value.what} {refusal.value.why}"
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WordsRefused, match="no such file or directory"):
        write_page(TRACE, str(tmp_path / "no" / "out.html"))


def test_a_full_disk_is_not_taken_for_a_missing_directory() -> None:
    with pytest.raises(WordsRefused, match="no space left on device") as refusal:
        write_page(TRACE, "/dev/full")
    assert "directory" not in refusal.value.why
