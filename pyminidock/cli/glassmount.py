"""`minidock glass-mount NAME DIR -o lowerdir=…`: a union of one's own, without an engine.

The words are those of `mount -t overlay NAME -o … DIR`, so whatever mounts an overlay can
mount this instead: a test suite of filesystems, or a line of fstab's form.
"""

import os
import sys
from typing import NoReturn

import click

from pyminidock.cli.words import Verb, switch


def glass_mount(words: tuple[str, ...], **given: bool | tuple[str, ...]) -> NoReturn:
    """Become the server, which goes to the background once the union is mounted."""
    options = given["options"]
    together = ",".join(options) if isinstance(options, tuple) else ""
    server = [sys.executable, "-I", "-X", "utf8", "-m", "pyminidock.kernel.glass"]
    server += [*words, together] + (["--foreground"] if given["foreground"] else [])
    os.execv(sys.executable, server)  # noqa: S606  (this interpreter, our own module)


GLASS_MOUNT = Verb(
    "glass-mount", glass_mount, help="Mount a union filesystem that shows every lookup.",
    usage="NAME DIR", least=2, most=2,
    params=[
        click.Option(
            ["-o", "--options", "options"], multiple=True, metavar="OPTIONS",
            help="lowerdir=A:B,upperdir=U,workdir=W, and what mount(8) knows",
        ),
        switch("--foreground", help="serve from here, until it is unmounted"),
    ],
)  # fmt: skip
