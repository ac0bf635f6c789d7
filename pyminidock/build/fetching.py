"""ADD of an address, as a step of a build: may it be, does it come, is it what was meant.

    ADD --checksum=sha256:ed70… https://host/file /f
        1  a sum can be kept for one file that is fetched, and only so
        2  the file comes, before the cache is asked: its content is what counts
        3  it is what the sum says, and has a name where the destination wants one

Source: moby, builder/dockerfile/copy.go; buildkit 0.13, dockerfile2llb/convert.go.
"""

import os
import re
from dataclasses import replace

from pyminidock.build import output
from pyminidock.build.bench import Bench
from pyminidock.build.context import make_place
from pyminidock.build.copying import CopyRefused, Wish, refused
from pyminidock.build.downloads import Downloaded, DownloadFailed, download, is_address
from pyminidock.dockerfile import instructions as said

_UNNAMED = "__unnamed__"  # as in Docker, in a directory whose slash was not written


def check_sum_is_possible(step: said.Copy | said.Add) -> None:
    """See that --checksum, if it is there, can be kept.  Raises CopyRefused."""
    wanted = step.checksum if isinstance(step, said.Add) else ""
    if not wanted:
        return
    algorithm, _, digits = wanted.partition(":")
    if len(step.sources) + len(step.heredocs) > 1:
        what = "checksum can't be specified for multiple sources"
    elif not step.sources or not is_address(step.sources[0]):
        what = "checksum can't be specified for non-HTTP sources"
    elif not re.fullmatch(r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+", wanted):
        what = "invalid checksum digest format"
    elif algorithm != "sha256":
        what = "unsupported digest algorithm"
    elif not re.fullmatch("[0-9a-f]{64}", digits):
        what = "invalid checksum digest length" if len(digits) != 64 else (
            "invalid checksum digest format"
        )  # fmt: skip
    else:
        return
    raise CopyRefused(
        what,
        why="--checksum says what one file that is fetched must be: sha256: and 64 digits",
        try_next="ADD --checksum=sha256:… https://… /",
        lesson="copy",
    )


def fetch(bench: Bench, url: str, step: said.Copy | said.Add, wish: Wish) -> Downloaded:
    """Fetch one address into a file that root alone may read, and that has a name.

    Raises DownloadFailed, CopyRefused.
    """
    make_place(bench.downloads)
    path = bench.downloads / f"download-{len([*bench.downloads.iterdir()])}"
    found = download(url, path)
    bench.tell(output.Text("\n"))  # as Docker, whose bar of progress ends so
    wanted = step.checksum if isinstance(step, said.Add) else ""
    if wanted and wanted != f"sha256:{found.sha256}":
        raise DownloadFailed(
            f"digest mismatch sha256:{found.sha256}: {wanted}",
            why="--checksum says what the file must be, and this is another one",
            try_next=f"curl -L {url} | sha256sum",
            lesson="copy",
        )
    path.chmod(0o600)
    if found.modified is not None:
        os.utime(path, (found.modified, found.modified))
    return _named(found, wish)


def _named(fetched: Downloaded, wish: Wish) -> Downloaded:
    """Give a name to what came without one, where it will not need it.

    Raises CopyRefused.
    """
    if fetched.name:
        return fetched
    if wish.destination.endswith("/"):
        raise refused(
            wish, f"cannot determine filename for source {fetched.url}",
            "the address has no file name in it", try_next="ADD URL /the/whole/name",
        )  # fmt: skip
    return replace(fetched, name=_UNNAMED)
