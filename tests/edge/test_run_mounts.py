"""RUN --mount: what a command sees while it runs, and the image does not keep."""

from collections.abc import Iterator

import pytest

from pyminidock.engine import build
from tests.builder import Built, Context, Kitchen, kitchen

pytestmark = pytest.mark.edge


@pytest.fixture(scope="module")
def cook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kitchen]:
    with kitchen(tmp_path_factory.mktemp("mounts") / "root") as cook:
        yield cook
        assert cook.remains() == []


def built(cook: Kitchen, steps: str, **files: str) -> Built:
    """Build on busybox; a name in `files` has "_" for the slash."""
    context: Context = {name.replace("_", "/"): text for name, text in files.items()}
    made = cook.build({"Dockerfile": f"FROM busybox\n{steps}", **context})
    assert made.failure is None, made.failure
    return made


def new_files(cook: Kitchen, made: Built) -> set[str]:
    """Name what the image has more than busybox."""
    return cook.files(made.image).keys() - cook.files("busybox").keys()


def test_files_of_the_context_are_seen_and_not_kept(cook: Kitchen) -> None:
    steps = "RUN --mount=target=/src/deep cat /src/deep/d/x >/got; ! touch /src/deep/no\n"
    made = built(cook, steps, d_x="hello\n")
    assert new_files(cook, made) == {"got"}
    assert cook.files(made.image)["got"].size == 6


def test_a_part_of_it_is_shown_at_a_place_that_is_relative_to_workdir(
    cook: Kitchen,
) -> None:
    steps = (
        "WORKDIR /app\nENV FROM=d\n"
        "RUN --mount=type=bind,source=$FROM/x,target=x --mount=source=d,target=/all"
        " cat x /all/x >/got\n"
    )
    made = built(cook, steps, d_x="1", d_y="2")
    assert new_files(cook, made) == {"app", "got"}
    assert cook.files(made.image)["got"].size == 2


def test_what_is_written_into_a_bind_is_lost(cook: Kitchen) -> None:
    steps = "RUN --mount=source=d,target=/d,rw echo 2 >/d/x; cat /d/x\nCOPY d /kept\n"
    made = built(cook, steps, d_x="11111\n")
    assert "\n2\n" in made.text
    assert cook.files(made.image)["kept/x"].size == 6


def test_files_of_a_stage_and_of_an_image_are_seen(cook: Kitchen) -> None:
    cook.build({"Dockerfile": "FROM busybox\nRUN echo there >/i\n"}, tags=("giver:latest",))
    made = cook.build({"Dockerfile": (
        "FROM busybox AS first\nRUN mkdir /a && echo one >/a/x\nRUN echo two >/a/y\n"
        "FROM busybox\nRUN --mount=from=first,source=/a,target=/a"
        " --mount=from=giver,source=i,target=/i cat /a/x /a/y /i >/got\n"
    )})  # fmt: skip
    assert new_files(cook, made) == {"got"}
    assert cook.files(made.image)["got"].size == len("one\ntwo\nthere\n")


def test_a_cache_outlives_its_build_and_is_no_part_of_the_image(cook: Kitchen) -> None:
    count = (
        "RUN --mount=type=cache,target=/var/c,id=count{} echo >>/var/c/n; wc -l /var/c/n"
    )
    for number in (1, 2):
        made = built(cook, count.format("") + f" # {number}\n")
        assert f"{number} /var/c/n" in made.text
        assert new_files(cook, made) == set()
    assert cook.files(made.image)["root"] == cook.files("busybox")["root"]
    assert "1 /var/c/n" in built(cook, count.format("-other") + " # 3\n").text
    _, gone_bytes = build.prune(cook.house)
    assert gone_bytes >= 3
    assert "1 /var/c/n" in built(cook, count.format("") + " # 4\n").text


def test_a_cache_begins_with_what_it_was_given(cook: Kitchen) -> None:
    steps = (
        "RUN mkdir /seed && echo ready >/seed/x\nFROM busybox\n"
        "RUN --mount=type=cache,from=0,source=/seed,target=/c,mode=0750,uid=5,ro"
        " cat /c/x; stat -c %a:%u /c; ! touch /c/no\n"
    )
    assert "ready\n750:5\n" in built(cook, steps).text


def test_memory_is_of_the_size_that_was_asked_for(cook: Kitchen) -> None:
    steps = (
        "RUN --mount=type=tmpfs,target=/t,size=1m df -k /t | tail -n1; "
        "! dd if=/dev/zero of=/t/x bs=1M count=2 2>/dev/null\n"
    )
    made = built(cook, steps)
    assert "1024" in made.text
    assert new_files(cook, made) == set()


def test_files_that_a_bind_shows_count_for_the_cache(cook: Kitchen) -> None:
    steps = "RUN --mount=source=d,target=/d cat /d/x\n"
    built(cook, steps, d_x="1", other="1")
    assert built(cook, steps, d_x="1", other="2").steps() == [(2, "hit")]
    assert built(cook, steps, d_x="2", other="2").steps() == [(2, "file content d/x")]
    moved = steps.replace("target=/d", "target=/e").replace("cat /d/x", "cat /d/x || :")
    assert built(cook, moved, d_x="2").steps()[0][1] != "hit"


def test_what_nobody_gave_is_not_there(cook: Kitchen) -> None:
    steps = "RUN --mount=type=secret,id=key --mount=type=ssh test ! -e /run/secrets/key\n"
    assert new_files(cook, built(cook, steps)) == set()


@pytest.mark.parametrize(
    ("mount", "message"),
    [
        ("type=secret,id=key,required", "secret key: not found"),
        ("type=ssh,required", 'no SSH key "default" forwarded from the client'),
        ("source=nope,target=/n", 'failed to calculate checksum: "/nope": not found'),
        ("type=cache,target=/", 'invalid mount target "/"'),
        ("from=nobody,target=/n", "invalid from flag value nobody: No such image"),
        ("type=tmpfs,target=/t,size=x", "invalid value for size: x"),
    ],
)
def test_what_cannot_be_had_is_refused(cook: Kitchen, mount: str, message: str) -> None:
    made = cook.build({"Dockerfile": f"FROM busybox\nRUN --mount={mount} true\n"})
    assert made.failure is not None
    assert message in made.failure.message
