"""The name that content gives itself: sha256, a colon, 64 hexadecimal digits.

A digest becomes the name of a file, so a text is compared with the whole pattern before it
is joined to anything.  Docker knows other algorithms by name; no tool writes them, and one
algorithm means that equal content has one name.

Source: OCI image specification, descriptor.md, "Digests"; opencontainers/go-digest.
"""

import re
from hashlib import sha256

from pyminidock.errors import MinidockError

Digest = str  # "sha256:" and 64 lower-case hexadecimal digits

_PATTERN = re.compile(r"sha256:[0-9a-f]{64}")


class DigestMalformed(MinidockError):
    """The text is no sha256 digest."""

    status = 400


def check(text: object) -> Digest:
    """Give a digest back, or refuse the text before it comes near a path.

    >>> check("sha256:" + "0" * 64) == "sha256:" + "0" * 64
    True
    >>> check("sha256:../..")
    Traceback (most recent call last):
    ...
    pyminidock.image.digest.DigestMalformed: invalid digest 'sha256:../..'
    """
    if not isinstance(text, str) or not _PATTERN.fullmatch(text):
        shown = text[:80] if isinstance(text, str) else text.__class__.__name__
        raise DigestMalformed(
            f"invalid digest {shown!r}",
            why='a digest is "sha256:" and 64 lower-case hexadecimal digits, for it becomes'
            " a file's name",
            try_next="take the digest as sha256sum prints it, behind sha256:",
            lesson="content-addressing",
        )
    return text


def hex_of(digest: Digest) -> str:
    """Give the digits alone: the name of the blob's file.  Raises DigestMalformed."""
    return check(digest).removeprefix("sha256:")


def of_hex(digits: str) -> Digest:
    """Make a digest of 64 digits.  Raises DigestMalformed."""
    return check(f"sha256:{digits}")


def sha256_of(content: bytes) -> Digest:
    """Say how content names itself.

    >>> sha256_of(b"")[:19]
    'sha256:e3b0c44298fc'
    """
    return f"sha256:{sha256(content).hexdigest()}"
