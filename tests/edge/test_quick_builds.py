"""A build that is over in no time has a picture, too."""

from pathlib import Path

from pyminidock.client.session import start
from pyminidock.widgets.stepper import Stepper
from tests.minidock_cli import Minidock


def test_a_story_whose_first_word_is_not_written_yet_is_waited_for(
    minidock: Minidock, tmp_path: Path
) -> None:
    """Of builds from the cache every fourth was asked for before its journal had it."""
    engine = start(minidock.root, f"unix://{minidock.host}")
    text = f"FROM {minidock.image}\nENTRYPOINT echo quick\n"
    for _ in range(12):
        handle = engine.build(tmp_path, text=text, tag="quick")
        stepper = Stepper(handle)
        assert handle.join(20)
        assert stepper._is_complete.wait(20)
        assert "Why was this step done again?" in stepper._bundle()["text/plain"]
        stepper.close()
    engine.api.images.remove("quick", force=True)
