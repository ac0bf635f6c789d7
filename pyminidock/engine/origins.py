"""Run from here: a moment of a story becomes the beginning of another container.

    build-7f3a@12     the image after the last instruction that was done by step 12
    run-3f2a@340      what the container's own layer held when it was held at step 340

Steps are counted as players count them: gates, which tell about whoever watches, are none.
What began there stays as it is.  An image is stood upon, as always; of a layer that can
change, the copy is copied that was made while the program was held.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pyminidock.container.spec import CreateRequest
from pyminidock.engine.house import House, Kept
from pyminidock.errors import MinidockError
from pyminidock.events.journal import Record
from pyminidock.image.digest import Digest
from pyminidock.layers import frames

OPTION = "from"  # of the storage
_OF_GATES = ("gate.held", "gate.released")
_IMAGES = ("image.found", "step.finished", "cache.hit", "image.built")
_SOME = 6


class NoOrigin(MinidockError):
    """No container can begin at this moment."""

    status = 404


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a container begins: an image, a tree for its own layer, and whose it was."""

    image: Digest
    tree: Path | None = None
    kept: Kept | None = None


def asked_for(request: CreateRequest) -> str:
    """Give the STORY@STEP that a request names, "" for an ordinary one."""
    return dict(request.places.storage_options).get(OPTION, "")


def placed(house: House, request: CreateRequest) -> tuple[CreateRequest, Path | None]:
    """Give the request as it begins at a moment that it names, and the tree to begin with.

    What was not asked for is as it was there: command, entrypoint, environment, user and
    directory.  Raises NoOrigin, NoSuchStory, NoSuchContainer.
    """
    words = asked_for(request)
    if not words:
        return request, None
    origin = find(house, words)
    request = replace(request, image=origin.image)
    return _inheriting(request, origin.kept), origin.tree


def _inheriting(request: CreateRequest, kept: Kept | None) -> CreateRequest:
    if kept is None:
        return request
    before = kept.request
    if not request.command and not request.entrypoint:
        request = replace(request, command=before.command, entrypoint=before.entrypoint)
    given = {variable.partition("=")[0] for variable in request.environment}
    more = (v for v in before.environment if v.partition("=")[0] not in given)
    return replace(
        request,
        environment=(*more, *request.environment),
        user=request.user or before.user,
        working_directory=request.working_directory or before.working_directory,
    )


def find(house: House, words: str) -> Origin:
    """Find the moment STORY@STEP; STORY may be a container's name, STEP may be `last`.

    Raises NoOrigin, NoSuchStory, NoSuchContainer.
    """
    name, at, step = words.rpartition("@")
    if not at or not name or not (step == "last" or step.isdecimal()):
        raise _none(words, "a moment is STORY@STEP", "minidock trace ls")
    house.recorder.flush()
    story = house.journals.last() if name == "last" else name
    if not house.journals.has(story):
        story = house.life(name).story
    records = [
        record
        for record in house.journals.read(story).records
        if record.kind not in _OF_GATES
    ]
    number = len(records) if step == "last" else int(step)
    if not 0 < number <= len(records):
        why = f"{story} has {len(records)} steps"
        raise _none(words, why, f"minidock trace show {story} --text")
    if story.startswith("build-"):
        return Origin(_image_at(words, records[:number]))
    if story.startswith("run-"):
        return _held_at(house, words, story, records, number, is_last=step == "last")
    raise _none(words, "only builds and containers are run from", "minidock trace ls")


def _image_at(words: str, records: Sequence[Record]) -> Digest:
    """Give the image that was the newest by then."""
    for record in reversed(records):
        if record.kind in _IMAGES and (image := record.data.get("image")):
            return str(image)
    raise _none(words, "no instruction had made an image yet", "a later step")


def _held_at(  # noqa: PLR0913  (where, and how it was said)
    house: House, words: str, story: str, records: Sequence[Record], number: int,
    *, is_last: bool,
) -> Origin:  # fmt: skip
    """Give what a container's layer held; it was copied where it was held, only there."""
    kept = house.kept(house.life(story.removeprefix("run-")).id)
    directory = house.directory(kept.id)
    numbers = {record.seq: place for place, record in enumerate(records, 1)}
    known = [seq for seq in frames.known(directory) if seq in numbers]
    wanted = known[-1] if is_last and known else records[number - 1].seq
    tree = frames.find(directory, wanted)
    if tree is not None:
        return Origin(kept.image, tree, kept)
    if not kept.spec.is_glass:
        why = (
            "a container is run from where it was held while its layers were looked through"
        )
        raise _none(words, why, "minidock step run --glass busybox cat /etc/passwd")
    there = ", ".join(str(numbers[seq]) for seq in known[-_SOME:]) or "none"
    why = f"it was not held there, or that is too long ago; steps to run from: {there}"
    raise _none(words, why, f"minidock run --from {story}@last sh")


def _none(words: str, why: str, try_next: str) -> NoOrigin:
    return NoOrigin(
        f"nothing can be run from {words[:120]}",
        why=why,
        try_next=try_next,
        lesson="live-pause",
    )
