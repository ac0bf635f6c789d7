"""A number is no identity: another process that has got it is left alone."""

import pytest

from tests.edge.private import run


@pytest.mark.edge
def test_a_foreign_process_with_the_number_of_a_container_is_never_signalled() -> None:
    """H-52: with the engine alive, and with one that comes after the number was reused."""
    told = run("tests.edge.pid_reuse", timeout_s=120)
    assert told == [
        {"kill": "VerbRefused", "signal": "ProcessGone", "observe": "ProcessGone",
         "remove": "done", "lives": True},
        {"state": "exited", "kill": "VerbRefused", "signal": "ProcessGone",
         "remove": "done", "lives": True},
    ]  # fmt: skip
