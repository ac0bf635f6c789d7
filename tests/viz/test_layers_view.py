"""What is in an image: its layers with their names, a container's on top."""

from pyminidock import events as e
from pyminidock.viz.building import MOST_ENTRIES
from pyminidock.viz.painters.text import paint
from pyminidock.viz.scene import Node
from pyminidock.viz.things import World
from pyminidock.viz.views.layers import layers, suits
from pyminidock.viz.world import fold_all
from tests.viz.buildstory import CHAINS, COLD, FROM, OPENING, baked
from tests.viz.story import BIRTH, CREATE, DECIDE, HOME, ID, STORY, recorded

ROOM = "/var/lib/minidock/layers"
LOWER = (f"{ROOM}/{'b' * 64}/init", f"{ROOM}/{'b' * 64}/diff", f"{ROOM}/{'a' * 64}/diff")
STARTED = (*CREATE[:3], e.SnapshotPrepared(ID, LOWER, f"{HOME}/upper", f"{HOME}/work"))


def lines(world: World, width: int = 76) -> list[str]:
    return [" ".join(line.split()) for line in paint(layers(world), width).splitlines()]


def of(scene: Node, id_: str) -> Node:
    return next(each for each in scene.children if each.id == id_)


def test_a_layer_holds_the_names_that_its_step_told_folded_away() -> None:
    layer = of(layers(fold_all(baked(COLD))), "layer.3")
    assert layer.is_folded
    assert [child.text for child in layer.children] == [
        "+ /lib/flask/  0755", "+ /lib/flask/app.py  0644, 12 kB",
        "~ /etc/passwd  0644, 300 B", "− /tmp/old",
    ]  # fmt: skip
    assert "by RUN pip install" in layer.name


def test_a_layer_counts_the_names_that_it_has_no_room_for() -> None:
    many = [e.FileChanged(f"/f{n}", "added", "file", 0o644, 0, 0, 1) for n in range(60)]
    heard = (*OPENING, *FROM, e.StepStarted(2, 2, "0", "RUN make", 3), *many,
             e.LayerCommitted(CHAINS[2], CHAINS[2], 60, 60))  # fmt: skip
    layer = of(layers(fold_all(baked(heard))), "layer.2")
    assert len(layer.children) == MOST_ENTRIES + 1
    assert layer.children[-1].text.startswith("and 20 names more")


def test_a_container_has_one_layer_of_its_own_above_those_of_its_image() -> None:
    said = lines(fold_all(recorded(STARTED)))
    assert said[0].startswith("── web stands on 2 layers of busybox ─")
    assert said[1] == "✎ its own everything that the container writes Δ"
    assert f"{HOME}/upper" in "".join(said[2:6]).replace("│ ", "").replace(" ", "")
    assert said[-4:] == [
        "· – engine empty files and directories to mount on",
        f"· B image {'b' * 12} read-only Δ", f"· A image {'a' * 12} read-only Δ",
        "what is in these: minidock image layers busybox",
    ]  # fmt: skip


def test_what_it_wrote_is_in_its_own_layer_and_stays_named_when_that_is_gone() -> None:
    names = (("added", "/a", "file", "0644", 20), ("deleted", "/bin/vi", "file", "0755", 0))
    wrote = (*STARTED, e.ContainerWrote(ID, f"{HOME}/upper", names, 0, True))
    own = of(layers(fold_all(recorded(wrote))), "layer.own")
    assert own.text == "its own  2 names, 20 B"
    assert [child.text for child in own.children[-2:]] == ["+ /a  0644, 20 B", "− /bin/vi"]
    assert own.children[-1].state == "hide"
    gone = of(layers(fold_all(recorded((*wrote, e.SnapshotRemoved(ID))))), "layer.own")
    assert gone.text == "its own  gone, with 2 names, 20 B"
    assert [child.text for child in gone.children] == ["+ /a  0644, 20 B", "− /bin/vi"]


def test_what_the_container_had_written_goes_with_it_and_the_image_stays() -> None:
    world = fold_all(recorded(STORY))
    said = lines(world)
    assert said[0].startswith("── web stood on 1 layer of busybox ─")
    assert said[1] == "⊘ its own gone, with all that it had written"
    assert "· A image busybox read-only" in said
    assert suits(world)


def test_a_step_of_a_build_writes_to_a_layer_of_its_own_until_that_is_its_layer() -> None:
    run = (
        *OPENING, *FROM, e.StepStarted(2, 2, "0", "RUN make", 3), *CREATE[2:], *DECIDE[1:],
        *BIRTH, e.LayerCommitted(CHAINS[2], CHAINS[2], 60, 60),
    )  # fmt: skip
    before, after = (layers(fold_all(baked(heard))) for heard in (run[:-1], run))
    own = of(before, "layer.own")
    assert own.text == "its own  step 2 writes here: this becomes its layer"
    assert "layer.own" not in [each.id for each in after.children]
    assert after.children[0].id == "layer.2"


def test_a_story_without_layers_says_which_command_makes_some() -> None:
    text = paint(layers(World()), 80)
    assert "minidock build . makes some" in text
    assert not suits(World())
