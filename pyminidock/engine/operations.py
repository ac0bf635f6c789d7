"""One API call as the story tells it: it was asked for, then done or refused."""

from collections.abc import Iterator
from contextlib import contextmanager

from pyminidock.engine.house import House
from pyminidock.engine.voice import Voice
from pyminidock.errors import MinidockError
from pyminidock.events import RequestReceived, RequestRefused
from pyminidock.store.files import telling_full

Via = tuple[str, str]
"""The method and path of the request that asked for a story; ("", "") for none."""
NOBODY: Via = ("", "")


@contextmanager
def operation(
    house: House, story: str, name: str, via: Via = NOBODY, *, may_abort: bool = False
) -> Iterator[Voice]:
    """Give the voice of one operation; tell the request before it, a refusal after it.

    `may_abort`: whatever is done within undoes itself when a gate is told to abort.  A full
    disk is a refusal, in Docker's words, of whatever was asked for: StoreFull.
    """
    voice = house.recorder.operation(story, name, may_abort=may_abort)
    if any(via):
        voice(RequestReceived(*via))
    try:
        with telling_full(house.root):
            yield voice
    except MinidockError as refusal:
        voice.may_abort = False  # it is being undone already
        if refusal.status >= 400:  # 304: there was nothing to do
            voice(RequestRefused(refusal.status, refusal.what))
        raise
