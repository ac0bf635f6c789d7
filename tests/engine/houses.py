"""Houses over a simulated kernel, for tests of stories."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyminidock.container.spec import CreateRequest
from pyminidock.engine import run
from pyminidock.engine.house import House
from pyminidock.engine.lives import Life
from pyminidock.kernel.model.body import ModelBody
from pyminidock.kernel.recording import Recording
from tests.engine.pictures import furnish
from tests.engine.studio import DEADLINE_S

WISH = CreateRequest("busybox", command=("sleep", "60"), network_mode="none")


def prepared(root: Path) -> Path:
    """Make a root directory in which `busybox` can be run."""
    furnish(root)
    return root


@contextmanager
def house_over(root: Path, body: ModelBody) -> Iterator[House]:
    house = House(root, Recording(body))
    yield house
    house.close()


def body_of(house: House) -> ModelBody:
    assert isinstance(house.kernel, Recording)
    assert isinstance(house.kernel.body, ModelBody)
    return house.kernel.body


def started(house: House, wish: CreateRequest = WISH) -> Life:
    """Start a container, and wait until its record says so too."""
    container = run.create(house, wish)
    run.start(house, container)
    life = house.life(container)
    assert life.until(lambda: house.kept(container).state != "starting", DEADLINE_S)
    return life


def finish(house: House, life: Life, code: int = 0) -> None:
    """Let the program end, and wait until everything of it is cleared up."""
    assert life.process is not None
    body_of(house).finish(life.process.pid, code)
    assert life.until(lambda: life.exit is not None and life.busy != "end", DEADLINE_S)


def kinds(house: House, story: str) -> list[str]:
    house.recorder.flush()
    return [record.kind for record in house.journals.read(story).records]


def state_of(root: Path) -> dict[str, str]:
    """Give every file of a root directory, with a hash of its content.

    Without the journal, and without the database, which is SQLite's own to arrange; and
    without the init layer, which an image's first container leaves to those after it.  A
    link is itself: /etc/mtab leads to the mounts of the machine, which others change.  What
    a record says of a failed start is told of it afterwards, and no trace of the start.
    """
    return {
        str(path.relative_to(root)): str(path.readlink()) if path.is_symlink()
        else hashlib.sha256(_without_failure(path)).hexdigest() if path.is_file()
        else "directory"
        for path in sorted(root.rglob("*"))
        if "journal" not in path.parts and path.name != "trash"
        and not path.name.startswith("state.db")
        and path.relative_to(root).parts[::2][:2] != ("layers", "init")
    }  # fmt: skip


def left_in(body: ModelBody) -> tuple[set[str], set[int]]:
    """Give the accounts of containers and the processes that there are.

    The engine's own account above them stays for as long as the engine does.
    """
    accounts = {path for path in body.world.cgroups if len(path.rpartition("/")[2]) == 64}
    return accounts, set(body.world.tasks)


def _without_failure(path: Path) -> bytes:
    content = path.read_bytes()
    if path.name != "config.json":
        return content
    record = json.loads(content) | {"error": "", "exit_code": 0}
    return json.dumps(record, sort_keys=True).encode()
