"""A volume on a full disk: all of the image's files, or none; and two who write at once."""

from collections.abc import Callable

import pytest

from tests.edge.private import run

POINTS = 12


@pytest.mark.edge
@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_first_use_on_a_full_disk_leaves_all_or_nothing_and_says_so(
    at_length: Callable[[int], int],
) -> None:
    """Docker leaves what it had copied by then.  Removing works, however full it is."""
    points = POINTS if at_length(20) == 20 else POINTS // 3
    told = run("tests.edge.volumes_full_disk", str(points), timeout_s=500)
    assert isinstance(told, dict)
    print(f"on {told['disk']}")  # noqa: T201
    for free, said, found in told["points"]:
        print(f"{free:>10} free: {said or 'done'}, {found} names")  # noqa: T201
        assert (said == "") == (found == told["whole"]), (said, found)
        assert said == "" or "no space left on device" in said
        assert found in (0, told["whole"])
    words = "failed to copy files: userspace copy failed: write "
    assert any(said.startswith(words) for _, said, _ in told["points"])
    is_done = [said == "" for _, said, _ in told["points"]]
    assert (is_done[0], is_done[-1]) == (False, True)
    assert told["lines"] == [200, 200, 400], "a line of two writers is lost or torn"
