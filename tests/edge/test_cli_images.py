"""The verbs of images as people type them, over a real engine."""

import json
from pathlib import Path

import pytest

from tests.engine.archives import config, digest, layer, old_docker, tar
from tests.minidock_cli import Minidock, minidock

__all__ = ["minidock"]

pytestmark = pytest.mark.edge


def said(engine: Minidock, *words: str) -> str:
    done = engine.run(*words)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_an_image_comes_in_gets_names_runs_goes_out_and_goes(
    minidock: Minidock, tmp_path: Path
) -> None:
    archive = tmp_path / "busybox.tar"
    said(minidock, "save", "--output", str(archive), "busybox")
    said(minidock, "tag", "busybox", "me/tool:1")
    listed = said(minidock, "images", "me/tool").splitlines()
    assert listed[0].split() == ["REPOSITORY", "TAG", "IMAGE", "ID", "CREATED", "SIZE"]
    assert listed[1].startswith("me/tool ")
    assert said(minidock, "run", "--rm", "me/tool:1", "echo", "hi") == "hi\n"
    digits = said(minidock, "images", "-q", "me/tool").strip()
    assert said(minidock, "run", "--rm", digits, "echo", "hi") == "hi\n"
    assert said(minidock, "rmi", "me/tool:1") == "Untagged: me/tool:1\n"
    assert said(minidock, "load", "-i", str(archive)) == "Loaded image: busybox:latest\n"
    assert list(tmp_path.iterdir()) == [archive]


def test_what_is_in_use_stays_and_the_way_out_is_named(minidock: Minidock) -> None:
    said(minidock, "tag", "busybox", "used:1")
    container = said(minidock, "create", "--name", "user", "used:1").strip()
    try:
        digits = said(minidock, "inspect", "--format", "{{.Id}}", "used:1").strip()
        assert json.loads(said(minidock, "inspect", "user"))[0]["Image"] == digits
        refused = minidock.run("rmi", digits)
        assert refused.returncode == 1
        assert "(must be forced)" in refused.stderr
        assert said(minidock, "ps", "-a", "-q") == f"{container[:12]}\n"
    finally:
        said(minidock, "rm", "user")
    assert said(minidock, "rmi", "used:1") == "Untagged: used:1\n"


def test_a_stand_in_says_so_wherever_it_is_seen(minidock: Minidock) -> None:
    assert said(minidock, "bootstrap", "alpine") == "alpine\n"
    try:
        assert "stand-in: busybox" in said(minidock, "images", "alpine")
        told = json.loads(said(minidock, "image", "inspect", "alpine"))[0]
        assert told["StandIn"] == "busybox"
        assert told["Config"]["Labels"] == {"org.pyminidock.stand-in": "busybox"}
        assert said(minidock, "history", "--format", "{{.CreatedBy}}", "alpine") == (
            "a static BusyBox of this machine\n"
        )
    finally:
        said(minidock, "rmi", "alpine")


def test_a_tree_is_imported_and_a_prune_takes_what_has_no_name(
    minidock: Minidock, tmp_path: Path
) -> None:
    tree = tmp_path / "tree.tar"
    tree.write_bytes(layer())
    image = said(minidock, "import", "-m", "by hand", str(tree)).strip()
    assert said(minidock, "images", "--filter", "dangling=true", "-q", "--no-trunc") == (
        f"{image}\n"
    )
    pruned = said(minidock, "image", "prune", "-f")
    assert pruned.splitlines()[:2] == ["Deleted Images:", f"deleted: {image}"]
    assert pruned.endswith("Total reclaimed space: 3B\n")
    assert said(minidock, "image", "prune", "-f") == "Total reclaimed space: 0B\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("rmi nope", "No such image: nope:latest"),
        ("tag nope x", "No such image: nope:latest"),
        ("tag busybox X", "repository name (library/X) must be lowercase"),
        ("history nope", "No such image: nope:latest"),
        ("image inspect nope", "No such image: nope:latest"),
        ("save nope", "No such image: nope"),
        ("load -i /nonexistent", "open /nonexistent: no such file or directory"),
        ("images --filter zz=1", "invalid filter 'zz'"),
        ("images --filter zz", "bad format of filter (expected name=value)"),
        ("images --format {{range.}}", "template parsing error"),
        ("bootstrap fedora", "no recipe for an image named 'fedora'"),
    ],
)
def test_a_refusal_says_what_why_and_what_to_try(
    minidock: Minidock, words: str, message: str
) -> None:
    done = minidock.run(*words.split())
    assert done.returncode in (1, 125)
    what, why, advice = done.stderr.splitlines()
    assert message in what
    assert why.startswith("  why: ")
    assert advice.startswith("  try: ")


def test_a_hostile_archive_leaves_nothing(minidock: Minidock, tmp_path: Path) -> None:
    members = old_docker([layer()], config(layer()), "evil:1")
    door = json.loads(members["manifest.json"])
    door[0]["Layers"] = ["../../../../etc/passwd"]
    archive = tmp_path / "evil.tar"
    archive.write_bytes(tar(members | {"manifest.json": json.dumps(door).encode()}))
    done = minidock.run("load", "-i", str(archive))
    assert done.returncode == 1
    assert "leads out of it" in done.stderr
    assert digest(config(layer())) not in said(minidock, "images", "-a", "--no-trunc")


def test_layers_are_shown_with_all_names_of_one_of_them(minidock: Minidock) -> None:
    shown = said(minidock, "image", "layers", "busybox")
    assert shown.startswith(
        "── What is in this image, and who shares it? busybox:latest ──"
    )
    assert max(map(len, shown.splitlines())) <= 80
    whole = said(minidock, "image", "layers", "busybox", "--layer", "a")
    assert "added  /bin/busybox" in whole
    told = json.loads(said(minidock, "image", "layers", "--json", "--layer=1", "busybox"))
    assert len(told["entries"]) == told["total"] == whole.count("added  /")
    refused = minidock.run("image", "layers", "busybox", "--layer", "z")
    assert "image busybox has no layer z" in refused.stderr
    assert "A is the lowest" in refused.stderr
    refused = minidock.run("image", "layers", "busybox", "--layer", "?")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "layers are called A, B, C" in refused.stderr
