"""Images for houses in tests: one tree and a config, in the store as a load leaves them."""

import atexit
import functools
import shutil
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from pyminidock.grammar.refs import parse
from pyminidock.image.config import ImageConfig
from pyminidock.image.document import Image, write_image
from pyminidock.store.admission import admit
from pyminidock.store.images import ImageRow
from pyminidock.store.layers import LayerRow, directory
from pyminidock.store.opening import Store, open_store
from tests.store.stores import put_layer

SHELL = ImageConfig(command=("sh",))

_places = ExitStack()
atexit.register(_places.close)


def picture(
    store: Store, name: str, config: ImageConfig, *contents: str, stand_in: str = ""
) -> ImageRow:
    """Put an image of one layer for each of `contents` into a store, and name it."""
    with store.leases.lease("a test"):
        rows: list[LayerRow] = []
        for content in contents:
            rows.append(put_layer(store, content, rows[-1].chain_id if rows else ""))
        image = Image(config, diff_ids=tuple(row.diff_id for row in rows))
        row = admit(store, write_image(image), rows, stand_in=stand_in)
        store.images.tag(parse(name).with_default_tag().canonical, row.id)
    return row


def furnish(root: Path, config: ImageConfig = SHELL, name: str = "busybox") -> Path:
    """Put an image of one tree into an engine's empty directory; give the tree's path.

    It is made once and copied, because a store waits for the disk and tests should not.
    """
    made, row = _template(config, name)
    shutil.copytree(made, root, dirs_exist_ok=True)
    return directory(root, row.layers[0])


@functools.cache
def _template(config: ImageConfig, name: str) -> tuple[Path, ImageRow]:
    place = Path(_places.enter_context(TemporaryDirectory(prefix="pyminidock-image-")))
    store = open_store(place)
    row = picture(store, name, config, "a tree")
    store.close()
    return place, row
