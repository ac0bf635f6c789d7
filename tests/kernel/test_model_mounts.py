"""How mounts travel, and how a path is found among them."""

import errno

import pytest

from pyminidock.kernel import calls
from pyminidock.kernel.model import ModelBody
from pyminidock.kernel.model.tree import Node, link, place, tree_of, walk
from pyminidock.kernel.model.world import ENGINE, Mount
from pyminidock.kernel.port import CallFailed
from tests.contract.plans import birth
from tests.contract.stands import model_stand, start

TREE = tree_of(
    {
        "etc/passwd": b"root",
        "lib": link("usr/lib"),
        "usr/lib/x": b"",
        "up": link("../../.."),
        "abs": link("/etc"),
        "loop": link("loop"),
        "dangling": link("nowhere"),
        "a": link("/b"),
        "b": link("etc/passwd"),
    }
)


def row(target: str, tree: str = "root", root: str = "/") -> Mount:
    return Mount(1, target, "tmpfs", "tmpfs", ("rw",), (), tree, root)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/etc/passwd", "/etc/passwd"),
        ("/lib/x", "/usr/lib/x"),
        ("/up/etc", "/etc"),
        ("/abs/passwd", "/etc/passwd"),
        ("/a", "/etc/passwd"),
        ("/etc/../etc/./passwd", "/etc/passwd"),
        ("/../../etc", "/etc"),
        ("/dangling", "/nowhere"),
        ("/", "/"),
    ],
)
def test_a_path_is_walked_and_never_above_its_root(path: str, found: str) -> None:
    inside = walk([row("/")], {"root": TREE}, "/", path)
    assert inside.path == found
    below = walk([row("/"), row("/jail")], {"root": TREE}, "/jail", path)
    assert below.path == ("/jail" + found).rstrip("/")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/nope/x", errno.ENOENT),
        ("/etc/passwd/x", errno.ENOTDIR),
        ("/loop", errno.ELOOP),
        ("/dangling/x", errno.ENOENT),
    ],
)
def test_a_walk_that_leads_nowhere_says_why(path: str, code: int) -> None:
    with pytest.raises(OSError) as refusal:  # noqa: PT011  (the errno is what counts)
        walk([row("/")], {"root": TREE}, "/", path)
    assert refusal.value.errno == code


def test_the_last_link_is_followed_only_when_asked() -> None:
    rows, trees = [row("/")], {"root": TREE}
    found = walk(rows, trees, "/", "/lib", follow_last=False).node
    assert found == Node("link", 0o777, points_to="usr/lib")


def test_the_deepest_and_newest_mount_shows_a_path() -> None:
    trees = {"root": TREE, "one": tree_of({"x": b"1"}), "two": tree_of({"x": b"2"})}
    rows = [row("/"), row("/etc", "one"), row("/etc", "two")]
    found = place(rows, trees, "/etc/x").node
    assert found is not None
    assert found.content == b"2"


def test_without_cutting_propagation_a_mount_escapes_to_the_host() -> None:
    """And the turn to the new root is refused: the mount below is shared."""
    stand = model_stand()
    plan = tuple(
        call for call in birth(stand.place) if not isinstance(call, calls.SetPropagation)
    )
    tables: list[list[str]] = []

    def answer(call: calls.Call, value: int, at: float) -> None:
        if isinstance(call, calls.AttachRoot):
            world = stand.body.world
            rows = world.mounts[world.tasks[ENGINE].namespaces["mount"]]
            tables.append([r.target for r in rows])

    with pytest.raises(CallFailed) as refusal:
        stand.body.perform(plan, answer=answer)
    assert isinstance(refusal.value.call, calls.PivotRoot)
    assert refusal.value.errno == errno.EINVAL
    assert tables[0][-1] == stand.place.merged


def test_a_slave_hears_of_the_hosts_mounts_and_a_private_one_does_not() -> None:
    for propagation, hears in (("slave", True), ("private", False)):
        stand = model_stand()
        plan = birth(stand.place)
        cut = next(n for n, c in enumerate(plan) if isinstance(c, calls.SetPropagation))
        plan = (
            *plan[:cut],
            calls.SetPropagation("/", propagation, is_recursive=True),
            *plan[cut + 1 :],
        )
        heard: list[bool] = []

        def answer(
            call: calls.Call, value: int, at: float, *, heard: list[bool] = heard
        ) -> None:
            if isinstance(call, calls.SetPropagation) and not heard:
                world = stand.body.world  # noqa: B023  (called within this turn)
                engine = world.tasks[ENGINE].namespaces["mount"]
                (other,) = set(world.mounts) - {engine}
                top = world.mounts[engine][0]
                heard.append(world.mounts[other][0].master == top.peer)

        stand.body.perform(plan, answer=answer)
        assert heard == [hears]


def test_when_the_last_process_goes_so_do_its_namespaces() -> None:
    stand = model_stand()
    before = stand.body.world
    process = start(stand, birth(stand.place))
    assert len(stand.body.world.mounts) == 2
    stand.body.finish(process.pid, 3)
    after = stand.body.world
    for table in ("mounts", "hostnames", "links", "settings"):
        assert getattr(after, table) == getattr(before, table)
    stand.body.dismiss(process)
    assert stand.body.world.tasks == before.tasks
    assert stand.body.world.keyrings == before.keyrings


def test_what_was_written_stays_in_the_upper_layer() -> None:
    body = ModelBody(files={"etc/motd": b"hello"})
    assert body.look(["/l"], "/u", "/w", ["etc/motd", "etc/nope"]) == {"etc/motd": b"hello"}
    stand = model_stand()
    process = start(stand, birth(stand.place))
    stand.body.finish(process.pid)
    tree = stand.body.world.trees[f"overlay {stand.place.upper}"]
    assert "srv/app" in tree
    assert "srv/app" not in stand.body.world.trees["image"]
