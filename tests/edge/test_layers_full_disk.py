"""A layer on a disk that is too small: an error with figures, and nothing half there."""

import io
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from pyminidock.layers.publish import commit_tree, unpack
from pyminidock.store.files import StoreFull
from pyminidock.store.opening import open_store
from tests.edge.overlay_stacks import mount
from tests.layers.hostile.blocks import END, block


def fill(place: Path) -> None:
    """On a tmpfs of so many KiB or files: unpack and commit what does not fit."""
    for options in ("size=12m", "size=17m", "size=24m", "size=64m,nr_inodes=300"):
        root = place / options.replace(",", "-").replace("=", "-")
        root.mkdir()
        mount("tmpfs", root, "tmpfs", f"mode=700,{options}")
        store = open_store(root)
        big = b"".join(
            block(bytes([n % 251]) * 20_000, name=b"d%d/f%d" % (n % 7, n))
            for n in range(600)
        )
        with (
            store.leases.lease("load"),
            pytest.raises(StoreFull, match="no space left") as full,
        ):
            unpack(store, io.BytesIO(big + END))
        assert "bytes" in full.value.why
        upper = root / "upper"
        upper.mkdir()
        if "inodes" not in options:
            with store.leases.lease("build"):
                with suppress(OSError):  # as a container would, until nothing is left
                    for n in range(2000):
                        (upper / f"f{n}").write_bytes(bytes([n % 251]) * 20_000)
                for path in sorted(upper.iterdir())[:30]:  # the rows need a little
                    path.unlink()
                with pytest.raises(StoreFull, match="no space left"):
                    commit_tree(store, upper)
            assert upper.is_dir(), "what was to be committed is where it was"
            for path in upper.iterdir():
                path.unlink()
        assert list((root / "layers").iterdir()) == []
        assert list(store.blobs.directory.iterdir()) == []
        small = unpack(store, io.BytesIO(block(b"fits", name=b"f") + END))
        assert (store.layers.directory(small.chain_id) / "f").read_bytes() == b"fits"
        store.close()


@pytest.mark.edge
def test_a_layer_that_does_not_fit_leaves_nothing(tmp_path: Path) -> None:
    """T-53, T-54: by its bytes or by its files; in a mount namespace of its own."""
    program = (
        "import sys, pathlib; from tests.edge.test_layers_full_disk import fill; "
        "fill(pathlib.Path(sys.argv[1]))"
    )
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", sys.executable, "-c", program,
         str(tmp_path)],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
