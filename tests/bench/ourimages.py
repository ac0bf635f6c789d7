"""Images made by our engine in this process: the calls that its API makes, and no socket.

Each verb gives seconds, from the call to the moment when the result is on the disk, and
fails where it did nothing.
"""

import io
import statistics
import time
from dataclasses import dataclass, replace

from pyminidock.build.options import Options
from pyminidock.build.output import Failed, Message
from pyminidock.container.spec import CreateRequest
from pyminidock.engine import build, images, loading, removing, run
from pyminidock.engine.house import House
from pyminidock.image.document import write_image
from pyminidock.layers.apply import apply
from pyminidock.layers.archive import read_entries
from pyminidock.layers.publish import commit_copy, commit_tree
from pyminidock.layers.snapshots import remove_tree
from pyminidock.store.admission import admit

NAME, AGAIN = "bench", 5
REST_S = 0.06  # by then our journal is written
_TAG = f"docker.io/library/{NAME}:latest"
OPTIONS = Options(tags=(_TAG,), network="none")


@dataclass(frozen=True, slots=True)
class OurImages:
    """One engine that makes images."""

    house: House

    def build(self, context: bytes) -> float:
        """Build from a packed context, every step of it."""
        return self._build(context, uses_cache=False)

    def rebuild(self, context: bytes) -> float:
        """Build, then build again: all is in the cache.  The median of AGAIN times.

        Between two builds the engine comes to rest, for nobody builds again at once.
        """
        self.build(context)
        times = []
        for _ in range(AGAIN):
            time.sleep(REST_S)
            times.append(self._build(context, uses_cache=True))
        return statistics.median(times)

    def _build(self, context: bytes, *, uses_cache: bool) -> float:
        said: list[Message] = []
        began = time.perf_counter()
        building = build.start(self.house, replace(OPTIONS, uses_cache=uses_cache))
        building.begin(io.BytesIO(context))
        image = building.run(said.append)
        took = time.perf_counter() - began
        assert image, [each for each in said if isinstance(each, Failed)]
        texts = "".join(str(each) for each in said)
        assert ("Using cache" in texts) is uses_cache
        return took

    def load(self, archive: bytes) -> float:
        """Load an archive of images."""
        heard: list[loading.Loaded] = []
        began = time.perf_counter()
        loading.load(self.house, io.BytesIO(archive), heard.append)
        took = time.perf_counter() - began
        assert len(heard) == 1
        return took

    def commit(self, layer: bytes) -> float:
        """Make an image of a container that wrote the files of `layer`, and goes on."""
        return self._commit(layer, moves=False)

    def commit_ended(self, layer: bytes) -> float:
        """Make an image of what a container wrote that has ended, as after a RUN."""
        return self._commit(layer, moves=True)

    def _commit(self, layer: bytes, *, moves: bool) -> float:
        store, sync = self.house.store, self.house.kernel.sync
        base = images.find(self.house, "busybox")
        work = store.layers.workshop()
        (work / "upper").mkdir(0o755)
        apply(read_entries(io.BytesIO(layer)), work / "upper")
        verb = commit_tree if moves else commit_copy
        began = time.perf_counter()
        with store.leases.lease("commit"):
            made = verb(store, work / "upper", base.row.layers[-1], sync=sync)
            below = tuple(filter(None, map(store.layers.get, base.row.layers)))
            diff_ids = (*base.image.diff_ids, made.diff_id)
            document = write_image(replace(base.image, diff_ids=diff_ids, history=()))
            row = admit(store, document, (*below, made))
            images.give_name(self.house, row.id, images.new_name(NAME))
        took = time.perf_counter() - began
        remove_tree(work)
        return took

    def output(self, command: tuple[str, ...]) -> str:
        """Run a program in the image, () for its own; give what it prints."""
        request = CreateRequest(NAME, command=command, network_mode="none")
        container = run.create(self.house, request)
        place = run.attach(self.house, container)
        run.start(self.house, container)
        streams = place.streams()
        assert streams is not None
        said = b""
        while frame := streams.read():
            said += frame[1]
        streams.close()
        place.close()
        run.wait(self.house, container)
        run.remove(self.house, container)
        return said.decode()

    def forget(self) -> None:
        """Remove the image, its steps and its layers, as if they had never been."""
        if self.house.store.images.tagged(_TAG):
            removing.remove(self.house, NAME, force=True)
        build.prune(self.house, everything=True)
