"""Images: which one is meant, how it is called, what it is, and what takes it away."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pyminidock.engine import images, removing, run
from pyminidock.engine.filters import FilterRefused
from pyminidock.engine.house import House
from pyminidock.errors import MinidockError
from pyminidock.events import Event, ImageFound
from pyminidock.image.config import ImageConfig
from pyminidock.image.document import HistoryEntry, Image, write_image
from pyminidock.kernel.model.body import ModelBody
from pyminidock.store.admission import admit
from pyminidock.store.images import ImageRow
from tests.engine.houses import WISH, finish, house_over, kinds, prepared, started
from tests.engine.pictures import picture

DIGITS = "0123456789abcdef"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with house_over(prepared(tmp_path), ModelBody()) as made:
        yield made


def busybox(house: House) -> ImageRow:
    return images.row_of(house, "busybox")


def child(house: House, parent: ImageRow, command: str, *names: str) -> ImageRow:
    """Make an image as a build step does that changes the config alone."""
    rows = [house.store.layers.get(chain) for chain in parent.layers]
    layers = [row for row in rows if row]
    entry = HistoryEntry("2024-05-01T00:00:00Z", f"CMD {command}", is_empty_layer=True)
    image = Image(
        ImageConfig((command,), labels=(("made", command),)), history=(entry,),
        created="2024-05-01T00:00:00Z", diff_ids=tuple(row.diff_id for row in layers),
    )  # fmt: skip
    row = admit(house.store, write_image(image), layers, parent=parent.id,
                is_local_build=True)  # fmt: skip
    for name in names:
        images.tag(house, row.id, name)
    return row


# ── Which one ────────────────────────────────────────────────────────────────────────────


def test_an_image_is_found_by_name_id_and_the_beginning_of_its_id(house: House) -> None:
    heard: list[Event] = []
    found = images.find(house, "busybox", emit=heard.append)
    assert found.image.config == ImageConfig(("sh",))
    assert heard == [ImageFound("busybox", found.row.id, (str(found.trees[0]),), "")]
    digits = found.row.id.removeprefix("sha256:")
    for reference in ("busybox:latest", "docker.io/library/busybox", digits, digits[:12],
                      digits[:1], found.row.id, found.row.id[:12]):  # fmt: skip
        assert images.find(house, reference) == found, reference


def test_a_name_wins_over_the_beginning_of_an_id(house: House) -> None:
    other = picture(house.store, "other", ImageConfig(("other",)), "another tree")
    digits = busybox(house).id.removeprefix("sha256:")[:12]
    images.tag(house, other.id, digits)
    assert images.row_of(house, digits).id == other.id


def test_the_beginning_of_two_ids_means_neither(house: House) -> None:
    for number in range(40):
        picture(house.store, f"n{number}", ImageConfig((str(number),)), "a tree")
    firsts = [row.id[7] for row in house.store.images.all()]
    twice = next(digit for digit in DIGITS if firsts.count(digit) > 1)
    with pytest.raises(MinidockError, match=f"^No such image: {twice}:latest$"):
        images.row_of(house, twice)


@pytest.mark.parametrize(
    ("reference", "message", "status"),
    [
        ("nope", "No such image: nope:latest", 404),
        ("nope:1", "No such image: nope:1", 404),
        ("busybox:1", "No such image: busybox:1", 404),
        ("sha256:abc", "No such image: sha256:abc", 404),
        ("a" * 64, f"No such image: sha256:{'a' * 64}", 404),
        (f"sha256:{'a' * 64}", f"No such image: sha256:{'a' * 64}", 404),
        (f"busybox@sha256:{'a' * 64}", f"No such image: busybox@sha256:{'a' * 64}", 404),
        ("", "invalid reference format", 400),
        ("../x", "invalid reference format", 400),
        ("Bad", "invalid reference format: repository name (library/Bad) must be lowercase",
         400),
    ],
)  # fmt: skip
def test_what_means_no_image_is_refused_in_docker_s_words(
    house: House, reference: str, message: str, status: int
) -> None:
    with pytest.raises(MinidockError) as refusal:
        images.find(house, reference)
    assert (refusal.value.what, refusal.value.status) == (message, status)
    if status == 404:
        assert "busybox:latest" in refusal.value.why


def test_without_any_image_the_first_step_is_named(tmp_path: Path) -> None:
    with house_over(tmp_path, ModelBody()) as house:
        with pytest.raises(MinidockError) as refusal:
            images.find(house, "busybox")
        assert refusal.value.try_next == "minidock bootstrap busybox"


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("python", "minidock bootstrap python"),
        ("alpine:latest", "minidock bootstrap alpine"),
        ("alpine:3", "minidock images"),
        ("web", "minidock images"),
    ],
)
def test_what_can_be_made_here_is_advised(house: House, name: str, advice: str) -> None:
    with pytest.raises(MinidockError) as refusal:
        images.find(house, name)
    assert refusal.value.try_next == advice


# ── Names ────────────────────────────────────────────────────────────────────────────────


def test_a_name_moves_from_one_image_to_another(house: House) -> None:
    other = picture(house.store, "other", ImageConfig(("other",)), "another tree")
    images.tag(house, "other", "busybox")
    assert busybox(house).id == other.id
    assert images.names_of(house, other.id) == ["busybox:latest", "other:latest"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sha256:1", "refusing to create an ambiguous tag using digest algorithm as name"),
        (f"x@sha256:{'0' * 64}", "refusing to create a tag with a digest reference"),
        ("X", "invalid reference format: repository name (library/X) must be lowercase"),
        ("x:-", "invalid reference format"),
    ],
)
def test_a_name_that_cannot_be_given_is_refused(
    house: House, name: str, message: str
) -> None:
    with pytest.raises(MinidockError) as refusal:
        images.tag(house, "busybox", name)
    assert (refusal.value.what, refusal.value.status) == (message, 400)
    assert images.names_of(house, busybox(house).id) == ["busybox:latest"]


# ── What there is ────────────────────────────────────────────────────────────────────────


def listed(house: House, *, everything: bool = False, **filters: Any) -> list[str]:
    said = {name.replace("_not", "!"): value for name, value in filters.items()}
    rows = images.list_(house, everything=everything, filters=said)
    return [" ".join(row["RepoTags"]) for row in rows]


def test_a_list_shows_names_and_the_ends_of_builds(house: House) -> None:
    step = child(house, busybox(house), "one")
    child(house, step, "two", "app:1", "app:2")
    loose = child(house, busybox(house), "three")
    assert sorted(listed(house)) == ["", "app:1 app:2", "busybox:latest"]
    assert sorted(listed(house, everything=True)) == [
        "",
        "",
        "app:1 app:2",
        "busybox:latest",
    ]
    assert listed(house, dangling=["true"]) == [""]
    assert sorted(listed(house, dangling={"false": True})) == [
        "app:1 app:2",
        "busybox:latest",
    ]
    assert listed(house, reference=["app:*"]) == ["app:1 app:2"]
    assert listed(house, reference=["app"]) == ["app:1 app:2"]
    assert listed(house, reference=["*:2"]) == ["app:2"]
    assert listed(house, reference=["nope"]) == []
    assert listed(house, label=["made=two"]) == ["app:1 app:2"]
    assert sorted(listed(house, label_not=["made"])) == ["busybox:latest"]
    assert listed(house, label=["made"], until=["1"]) == []
    assert loose.id in [row["Id"] for row in images.list_(house)]


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"zz": ["a"]}, "invalid filter 'zz'"),
        ({"dangling": ["maybe"]}, "invalid filter 'dangling=[maybe]'"),
        ({"dangling": ["true", "false"]}, "invalid filter 'dangling=[true false]'"),
        ({"label": "a"}, "invalid filter"),
        ({"label": [1]}, "invalid filter"),
        (
            {"until": ["yesterday"]},
            'failed to parse value as time or duration: "yesterday"',
        ),
    ],
)
def test_an_unknown_filter_is_refused(
    house: House, filters: dict[str, Any], message: str
) -> None:
    with pytest.raises(FilterRefused) as refusal:
        images.list_(house, filters=filters)
    status = 500 if "until" in filters else 400  # as Docker
    assert (refusal.value.what, refusal.value.status) == (message, status)


def test_an_inspection_has_docker_s_fields(house: House) -> None:
    row = child(house, busybox(house), "two", "app:1")
    told = images.inspect(house, "app:1")
    assert told["Id"] == row.id
    assert told["Parent"] == busybox(house).id
    assert told["Config"]["Cmd"] == ["two"]
    assert told["RepoTags"] == ["app:1"]
    assert len(told["RootFS"]["Layers"]) == 1
    assert json.dumps(told)


def test_a_history_names_the_parents_that_are_here(house: House) -> None:
    step = child(house, busybox(house), "one")
    row = child(house, step, "two", "app:1")
    (told,) = images.history(house, "app:1")
    assert told == {
        "Comment": "", "Created": 1714521600, "CreatedBy": "CMD two", "Id": row.id,
        "Size": 0, "Tags": ["app:1"],
    }  # fmt: skip


# ── Away with it ─────────────────────────────────────────────────────────────────────────


def removed(house: House, reference: str, **how: Any) -> list[dict[str, str]]:
    return removing.remove(house, reference, **how)


def refused(house: House, reference: str, **how: Any) -> str:
    before = house.store.images.tags(), house.store.images.all()
    with pytest.raises(removing.ImageInUse) as refusal:
        removing.remove(house, reference, **how)
    assert refusal.value.status == 409
    assert before == (house.store.images.tags(), house.store.images.all())
    return refusal.value.what


def test_a_name_goes_and_with_the_last_one_image_layers_and_files(house: House) -> None:
    row = busybox(house)
    images.tag(house, "busybox", "again:1")
    assert removed(house, "busybox") == [{"Untagged": "busybox:latest"}]
    assert removed(house, "again:1") == [
        {"Untagged": "again:1"}, {"Deleted": row.id}, {"Deleted": row.layers[0]},
    ]  # fmt: skip
    assert (house.store.layers.all(), house.store.images.all()) == ((), ())
    assert house.store.blobs.all() == ()
    assert list((house.root / "layers").iterdir()) == []


def test_parents_without_a_name_go_along_until_somebody_needs_one(house: House) -> None:
    base = busybox(house)
    first = child(house, base, "one")
    second = child(house, first, "two", "app:1")
    kept = child(house, first, "other")
    assert removed(house, "app:1") == [{"Untagged": "app:1"}, {"Deleted": second.id}]
    assert removed(house, kept.id) == [{"Deleted": kept.id}, {"Deleted": first.id}]
    assert [row.id for row in house.store.images.all()] == [base.id]


def test_without_prune_the_parents_stay(house: House) -> None:
    first = child(house, busybox(house), "one")
    second = child(house, first, "two", "app:1")
    assert removed(house, "app:1", prune=False)[-1] == {"Deleted": second.id}
    assert first.id in [row.id for row in house.store.images.all()]


def test_the_init_layer_of_its_containers_goes_with_an_image(house: House) -> None:
    first, second = (run.create(house, WISH) for _ in range(2))
    (tree,) = (house.root / "layers").iterdir()
    assert (tree / "init" / ".dockerenv").exists()
    assert house.kept(first).snapshot.lower == house.kept(second).snapshot.lower
    for container in (first, second):
        run.remove(house, container)
    removing.remove(house, "busybox")
    assert list((house.root / "layers").iterdir()) == []


def test_layers_are_told_behind_the_last_image_that_had_them(house: House) -> None:
    row = picture(house.store, "two", ImageConfig(("two",)), "a tree", "more")
    top = child(house, row, "end", "end:1")
    assert removed(house, "two") == [{"Untagged": "two:latest"}]  # for it has a child
    assert removed(house, "end:1") == [
        {"Untagged": "end:1"}, {"Deleted": top.id}, {"Deleted": row.id},
        {"Deleted": row.layers[1]},
    ]  # fmt: skip
    assert busybox(house).layers == row.layers[:1]


def test_what_a_container_was_made_of_stays_unless_forced(house: House) -> None:
    container = run.create(house, WISH)
    row, short = busybox(house), container[:12]
    digits = row.id[7:19]
    assert refused(house, "busybox") == (
        'conflict: unable to remove repository reference "busybox" (must force) -'
        f" container {short} is using its referenced image {digits}"
    )
    assert refused(house, digits) == (
        f"conflict: unable to delete {digits} (must be forced) - image is being used by"
        f" stopped container {short}"
    )
    assert removed(house, "busybox", force=True) == [
        {"Untagged": "busybox:latest"}, {"Deleted": row.id},
    ]  # fmt: skip
    assert house.store.layers.directory(row.layers[0]).is_dir()
    run.start(house, container)  # its layers and its defaults are its own now
    run.remove(house, container, force=True)


def test_a_running_container_cannot_be_overruled(house: House) -> None:
    life = started(house)
    digits = busybox(house).id[7:19]
    sentence = (
        f"conflict: unable to delete {digits} (cannot be forced) - image is being used by"
        f" running container {life.id[:12]}"
    )
    assert refused(house, digits) == refused(house, digits, force=True) == sentence
    images.tag(house, "busybox", "again:1")
    assert removed(house, "busybox") == [{"Untagged": "busybox:latest"}]
    assert removed(house, "again:1", force=True) == [{"Untagged": "again:1"}]
    assert house.store.images.get(house.kept(life.id).image)
    finish(house, life)


def test_an_image_with_children_cannot_go(house: House) -> None:
    child(house, busybox(house), "one", "app:1")
    digits = busybox(house).id[7:19]
    assert refused(house, digits, force=True) == (
        f"conflict: unable to delete {digits} (cannot be forced) - image has dependent"
        " child images"
    )


def test_an_id_of_several_names_must_be_forced(house: House) -> None:
    row = busybox(house)
    images.tag(house, "busybox", "again:1")
    assert refused(house, row.id) == (
        f"conflict: unable to delete {row.id[7:19]} (must be forced) - image is referenced"
        " in multiple repositories"
    )
    assert [*removed(house, row.id, force=True)][:3] == [
        {"Untagged": "again:1"}, {"Untagged": "busybox:latest"}, {"Deleted": row.id},
    ]  # fmt: skip


def test_a_prune_takes_the_nameless_and_with_all_the_unused(house: House) -> None:
    first = child(house, busybox(house), "one")
    child(house, first, "two")
    picture(house.store, "other", ImageConfig(("other",)), "another tree")
    run.create(house, replace(WISH, image="busybox"))
    pruned = removing.prune(house)
    assert [*pruned.records][-1] == {"Deleted": first.id}
    assert len(pruned.records) == 2
    pruned = removing.prune(house, {"dangling": ["false"]})
    assert pruned.records[0] == {"Untagged": "other:latest"}
    assert pruned.size_bytes == len("another tree")
    assert listed(house) == ["busybox:latest"]
    assert removing.prune(house, {"dangling": ["false"]}).records == ()


def test_a_prune_with_a_label_takes_only_what_has_it(house: House) -> None:
    child(house, busybox(house), "one")
    two = child(house, busybox(house), "two")
    pruned = removing.prune(house, {"label": ["made=two"]})
    assert pruned.records == ({"Deleted": two.id},)


def test_each_deed_is_a_story(house: House) -> None:
    images.tag(house, "busybox", "again:1")
    removed(house, "again:1")
    removed(house, "busybox")
    house.recorder.flush()
    stories = [entry.header.story for entry in house.journals.entries()]
    assert [story.partition("-")[0] for story in stories] == ["tag", "rmi", "rmi"]
    assert kinds(house, stories[2]) == ["image.untagged", "image.removed", "layers.removed"]


def test_a_new_engine_tells_what_it_put_in_order(tmp_path: Path) -> None:
    prepared(tmp_path)
    (tmp_path / "layers" / "tmp-half").mkdir()
    with house_over(tmp_path, ModelBody()) as house:
        assert kinds(house, "engine") == ["store.repaired"]
