"""The pure union filesystem against the kernel's own overlayfs: call by call, the same.

The kernel is the judge.  Random layers are stacked, random calls are made, on the model
and inside a real mount over the same layers: each call has to give the same result or the
same error, and in the end the merged tree and the meaning of the upper directory agree.
"""

# ruff: noqa: D102  (a call is named after the system call that it makes)

import json
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.edge.union_model import Calls

JUDGE = Path(__file__).with_name("union_judge.py")
PLAIN = "index=off,redirect_dir=off,metacopy=off"
RICH = "index=off,redirect_dir=on,metacopy=on"
NAMES = ("a", "b", "c")
TOP = [f"/{name}" for name in NAMES]
SECOND = [f"{path}/{name}" for path in TOP[:2] for name in NAMES[:2]]
THIRD = [f"{path}/{name}" for path in SECOND[:2] for name in NAMES[:2]]
PATHS = [*TOP, *SECOND, *THIRD]

Sequence = tuple[list[list[list[Any]]], list[list[Any]]]


class Judge:
    """The kernel, in a mount namespace that ends with the asking process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", sys.executable, "-I", JUDGE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def call(self, *words: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        assert self._process.wait() == 0
        self._process.stdout.close()


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    one = Judge()
    yield one
    one.close()


# ── What is stacked, and what is called ──────────────────────────────────────────────────


@st.composite
def layer(draw: st.DrawFn) -> list[list[Any]]:
    """A random well-formed layer: only directories have children."""
    entries: dict[str, list[Any]] = {}
    kinds = ("", "directory", "directory", "directory", "file", "file", "file", "opaque",
             "whiteout", "symlink", "hard link", "fifo")  # fmt: skip
    for path in PATHS:
        parent = path.rpartition("/")[0]
        if parent and entries.get(parent, [0, ""])[1] not in ("directory", "opaque"):
            continue
        what = draw(st.sampled_from(kinds))
        argument: Any = None
        if what == "file":
            argument = draw(st.sampled_from(["", "one", "longer"]))
        elif what == "symlink":
            argument = draw(st.sampled_from(["a", "/b", "../a", "none"]))
        elif what == "hard link":
            files = [each for each, entry in entries.items() if entry[1] == "file"]
            if not files:
                continue
            argument = draw(st.sampled_from(files))
        if what:
            entries[path] = [path, what, argument]
    return list(entries.values())


# A wish for a path, granted when its turn comes: ["there", n] is the nth of what is shown
# then, ["new", n, name] a name in the nth directory.  So most calls do something.
place = st.integers(0, 11)
path = st.one_of(
    st.tuples(st.just("there"), place).map(list),
    st.tuples(st.just("there"), place).map(list),
    st.tuples(st.just("new"), place, st.sampled_from(NAMES)).map(list),
    st.sampled_from(PATHS),
)
new = st.tuples(st.just("new"), place, st.sampled_from(NAMES)).map(list)
number = st.sampled_from([0, 1])
how = st.sampled_from(
    ["read", "write", "both", "append", "truncate", "create", "exclusive", "over"]
)
mode = st.sampled_from([0o755, 0o700, 0o644])
size = st.sampled_from([0, 2, 9])
data = st.sampled_from(["x", "yes"])


def words(name: str, *parts: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.tuples(st.just(name), *parts).map(list)


CALLS = st.one_of(
    words("mkdir", new, mode),
    words("mkfifo", new, mode),
    words("symlink", new, st.sampled_from(["b", "/a", "../c", "c"])),
    words("link", path, new),
    words("unlink", path),
    words("unlink", path),
    words("rmdir", path),
    words("rename", path, new, st.sampled_from([0, 0, 0, 1, 4])),
    words("rename", path, path, st.sampled_from([0, 0, 0, 1, 2, 2, 2])),
    words("rename", path, path, st.sampled_from([0, 0, 0, 1, 2, 2, 2])),
    words("names", path),
    words("readlink", path),
    words("open", number, path, how),
    words("open", number, path, how),
    words("open", number, path, how),
    words("open", number, new, st.sampled_from(["create", "exclusive", "over"])),
    words("tmpfile", number, path),
    words("close", number),
    words("link_handle", number, new),
    words("read", number, st.sampled_from([0, 2]), st.just(20)),
    words("write", number, st.sampled_from([0, 2, 8]), data),
    words("write", number, st.sampled_from([0, 2, 8]), data),
    words("resize", number, size),
    words("status_of", number),
    words("status", path),
    words("truncate", path, size),
    words("chmod", path, mode),
    words("chown", path, st.sampled_from([0, 7]), st.sampled_from([0, 8])),
    words("setxattr", path, st.sampled_from(["user.from", "user.x"]), data),
    words("removexattr", path, st.sampled_from(["user.from", "user.x"])),
    words("xattrs", path),
)


def granted(ours: Calls, wishes: list[Any]) -> list[Any]:
    """Turn wishes for paths into paths, by what is shown now."""
    if not any(isinstance(wish, list) for wish in wishes):
        return wishes
    shown = dict(ours.shown()) or {"/a": False}
    paths = list(shown)
    directories = ["", *(path for path, is_one in shown.items() if is_one)]
    given: list[Any] = []
    for wish in wishes:
        match wish:
            case ["there", number]:
                given.append(paths[number % len(paths)])
            case ["new", number, name]:
                given.append(f"{directories[number % len(directories)]}/{name}")
            case _:
                given.append(wish)
    return given


def tried(judge: Judge, options: str, layers: list[list[list[Any]]], wishes: Any) -> None:
    """Do the same on both sides and compare everything that can be seen."""
    ours = Calls(layers, options)
    calls, answers = [], []
    for wish in wishes:
        calls.append(granted(ours, wish))
        answers.append(ours.call(*calls[-1]))
    expected = judge.call(layers, options, calls)
    for number, (answer, right) in enumerate(
        zip(answers, expected["answers"], strict=True)
    ):
        so_far = f"{options} {layers} {calls[: number + 1]}"
        assert answer == right, f"{so_far}\nthe kernel {right}, the model {answer}"
    answer = ours.judge()
    assert answer["merged"] == expected["merged"], f"{options} {layers} {calls}"
    assert meaning(answer["upper"]) == meaning(expected["upper"]), (options, layers, calls)


def meaning(upper: dict[str, Any]) -> dict[str, Any]:
    """Leave out what says nothing.

    The empty bytes under attributes that came alone; how many names a whiteout has: the
    kernel keeps one in the work directory and links it where it needs one.
    """
    for _, (told, marks) in upper.items():
        if marks[2]:
            told[3], told[6] = 0, ""
        if told[0] == stat.S_IFCHR:
            told[4] = 1
    return upper


@pytest.mark.edge
@pytest.mark.timeout(1800)  # 2,500 sequences in `make soak`
@pytest.mark.parametrize("options", [PLAIN, RICH], ids=["plain", "rich"])
def test_the_model_does_what_the_kernel_does(
    judge: Judge, at_length: Callable[[int], int], options: str
) -> None:
    @settings(
        max_examples=at_length(2500),
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(
        st.lists(layer(), min_size=1, max_size=3), st.lists(CALLS, min_size=1, max_size=40)
    )
    def sequence(layers: list[list[list[Any]]], calls: list[list[Any]]) -> None:
        tried(judge, options, layers, calls)

    sequence()


# ── What the fuzz once found, by name ────────────────────────────────────────────────────

FIFO: list[list[Any]] = [["/a", "fifo", None]]
FILE: list[list[Any]] = [["/a", "file", "one"]]
TREE: list[list[Any]] = [["/a", "directory", None], ["/a/a", "file", "one"]]


FOUND = [
    pytest.param([[]], [["mkdir", "/a", 0o755]],
                 id="a new directory is opaque only where layers never change"),
    pytest.param([FIFO], [["open", 0, "/a", "over"], ["write", 0, 0, "yes"]],
                 id="a pipe has no places"),
    pytest.param([FIFO], [["open", 0, "/a", "read"], ["write", 0, 0, "yes"]],
                 id="a pipe has no places before it has no writer"),
    pytest.param([FIFO], [["open", 0, "/a", "truncate"]],
                 id="a pipe without a reader cannot be opened to write"),
    pytest.param([FIFO], [["open", 0, "/a", "read"], ["link_handle", 0, "/b"]],
                 id="an open file gets one more name"),
    pytest.param([FILE], [["link", "/c", "/a/b"]],
                 id="the old name is missed before the new one"),
    pytest.param([[]], [["rename", "/a", "/b", 4]],
                 id="a missing name is missed before a flag is refused"),
    pytest.param([FILE], [["rename", "/a", "/b", 4]],
                 id="whiteouts are not for programs to make"),
    pytest.param([TREE], [["open", 1, "/a", "read"], ["link_handle", 1, "/b"]],
                 id="an open directory gets no second name"),
    pytest.param([FILE], [["open", 0, "/a", "read"], ["unlink", "/a"],
                          ["link_handle", 0, "/c"]],
                 id="an open file without names gets none again"),
    pytest.param([FILE], [["open", 0, "/a", "read"], ["truncate", "/a", 0],
                          ["read", 0, 0, 9]],
                 id="who opened the lower file reads the copy from then on"),
    pytest.param([TREE], [["unlink", "/a/a"], ["rmdir", "/a"], ["mkdir", "/a", 0o700],
                          ["names", "/a"]],
                 id="a directory made anew does not show what was deleted"),
    pytest.param([TREE], [["rename", "/a", "/b", 0], ["names", "/b"],
                          ["mkdir", "/a", 0o700], ["rename", "/b", "/a/c", 0],
                          ["truncate", "/a/c/a", 1]],
                 id="a directory that moves twice finds its layers"),
    pytest.param([TREE], [["chmod", "/a/a", 0o600], ["link", "/a/a", "/b"],
                          ["open", 0, "/b", "append"], ["write", 0, 0, "x"],
                          ["status", "/a/a"]],
                 id="two names of attributes get their content together"),
    pytest.param([FILE], [["rename", "/a", "/c", 0], ["open", 0, "/c", "write"]],
                 id="a file that has moved may keep where it came from"),
]  # fmt: skip


@pytest.mark.edge
@pytest.mark.parametrize("options", [PLAIN, RICH], ids=["plain", "rich"])
@pytest.mark.parametrize(("layers", "calls"), FOUND)
def test_once_found(
    judge: Judge, options: str, layers: list[list[list[Any]]], calls: list[list[Any]]
) -> None:
    tried(judge, options, layers, calls)
