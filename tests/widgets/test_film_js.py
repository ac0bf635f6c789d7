"""The film in the browser: the same frames, the same moments as in Python."""

import json
import random
from pathlib import Path
from typing import Any

from tests.widgets.node import run_tests, write_module

Frames = list[dict[str, Any]]
State = dict[str, dict[str, Any]]

VIEWS = ("birth", "build")


def scribbled(rng: random.Random, count: int) -> Frames:
    """Frames that set and forget nodes at random, some of them many at once."""
    frames: Frames = []
    for i in range(1, count + 1):
        ops: list[list[Any]] = []
        for _ in range(rng.choice((0, 1, 1, 2, 3, 40))):
            view, id_ = rng.choice(VIEWS), f"n{rng.randrange(60)}"
            node = {"p": "text", "t": str(rng.randrange(1000)), "k": []}
            ops.append(["n", view, id_, node] if rng.random() < 0.7 else ["d", view, id_])
        frames.append({"i": i, "k": "some.kind", "ops": ops})
    return frames


def state_after(frames: Frames) -> State:
    """Apply everything from the beginning: no keyframe, no way back."""
    state: State = {view: {} for view in VIEWS}
    for frame in frames:
        for word, view, id_, *node in frame["ops"]:
            if word == "n":
                state[view][id_] = node[0]
            else:
                state[view].pop(id_, None)
    return state


def test_a_film_keeps_its_promises_under_node(tmp_path: Path) -> None:
    rng = random.Random(20260101)
    frames = scribbled(rng, 400)
    header = {"views": [{"name": name, "title": name} for name in VIEWS]}
    moves = [
        {"to": to, "state": state_after(frames[:to])}
        for to in (rng.randint(0, len(frames)) for _ in range(200))
    ]
    golden = {"header": header, "frames": frames, "moves": moves}
    write_module(tmp_path, "film", ["film.js"], "MdFilm")
    run_tests(tmp_path, "film.test.mjs", {"golden.json": json.dumps(golden)})
