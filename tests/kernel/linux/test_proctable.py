"""A machine without ps has the same table, line for line, as one that has it."""

import os
import subprocess
from pathlib import Path

import pytest

from pyminidock.engine.top import Table, read_table
from pyminidock.kernel.linux import census
from pyminidock.kernel.linux.proctable import table


def mine(text: str) -> Table:
    return read_table(text, (os.getpid(),))


def test_the_table_is_that_of_ps() -> None:
    theirs = subprocess.run(
        ["ps", "-ef", "-ww"], capture_output=True, text=True, check=True
    ).stdout
    ours, wanted = mine(table()), mine(theirs)
    assert ours.titles == wanted.titles
    changing = {"C", "TIME"}
    at = [place for place, title in enumerate(ours.titles) if title not in changing]
    assert [ours.rows[0][place] for place in at] == [wanted.rows[0][place] for place in at]


def test_who_has_no_ps_is_given_the_plain_table_and_no_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    listing = census.list_processes(("-ef", f"-q{os.getpid()}"))
    assert mine(listing.output.decode()).rows
    with pytest.raises(FileNotFoundError):
        census.list_processes(("aux",))
