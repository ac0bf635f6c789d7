"""How a layer gets a name that says what lies below it.

A diff id names one layer's own changes.  The same changes over another base are another
directory tree, so the tree's name, the chain id, is made of all diff ids from the bottom:

    chain(0) = diff(0)
    chain(n) = sha256(chain(n-1) + " " + diff(n))

Source: OCI image specification, config.md, "Layer ChainID".
"""

from collections.abc import Sequence

from pyminidock.image.digest import Digest, check, sha256_of


def chain_ids(diff_ids: Sequence[Digest]) -> tuple[Digest, ...]:
    """Name every tree of a stack, bottom up.  Raises DigestMalformed.

    >>> bottom, top = "sha256:" + "a" * 64, "sha256:" + "b" * 64
    >>> chain_ids([bottom, top])[0] == bottom
    True
    >>> chain_ids([bottom, top])[1] == sha256_of(f"{bottom} {top}".encode())
    True
    """
    chain: list[Digest] = []
    for diff_id in diff_ids:
        chain.append(extend(chain[-1] if chain else "", diff_id))
    return tuple(chain)


def extend(parent: Digest | str, diff_id: Digest) -> Digest:
    """Name the tree that one more layer makes; `parent` is "" below the first layer."""
    own = check(diff_id)
    return sha256_of(f"{check(parent)} {own}".encode()) if parent else own
