"""What a container changed, in the three letters of `docker diff`.

    A  added      nothing of that name was shown before
    C  changed    the name was there, and is something else now, or holds something else
    D  deleted    the name was there and is not shown any more

The upper layer holds all of it: what lies there was made, copied up to be changed, or is a
whiteout.  Whether it is A or C depends on what the layers below show under that name.  What
an opaque directory hides was deleted, except what is there again.

Source: moby, pkg/archive/changes.go, which walks both trees; the letters are the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pyminidock.unionfs.lookup import Kind, Layer, lookup


@dataclass(frozen=True, slots=True)
class Change:
    """One line of `docker diff`: `letter` is A, C or D."""

    letter: str
    path: str

    def __str__(self) -> str:
        return f"{self.letter} {self.path}"


def changes(upper: Layer, below: Sequence[Layer]) -> tuple[Change, ...]:
    r"""Compare an upper layer with the stack below it, topmost first; sorted by path.

    A deleted directory is one change, whatever it held.  Costs a lookup for each entry of
    the upper layer, and for each entry below an opaque directory.

    >>> base = Layer("base", {"/etc": Kind.DIRECTORY, "/etc/motd": Kind.FILE})
    >>> top = Layer("upper", {"/etc": Kind.DIRECTORY, "/etc/motd": Kind.WHITEOUT,
    ...                       "/etc/new": Kind.FILE})
    >>> print(*changes(top, [base]), sep="\n")
    C /etc
    D /etc/motd
    A /etc/new
    """
    found: dict[str, str] = {}
    for path, kind in upper.entries.items():
        before = lookup(below, path)
        if kind is Kind.WHITEOUT:
            if before.kind is not None:
                found[path] = "D"
            continue
        found[path] = "A" if before.kind is None else "C"
        if kind is not Kind.DIRECTORY and before.kind is Kind.DIRECTORY:
            found |= dict.fromkeys(_hidden(path, upper, below), "D")
    return tuple(Change(found[path], path) for path in sorted(found))


def _hidden(path: str, upper: Layer, below: Sequence[Layer]) -> Iterator[str]:
    """Name what a directory showed and shows no more: its own names, not theirs."""
    names = {
        each.removeprefix(f"{path}/").partition("/")[0]
        for layer in below
        for each in layer.entries
        if each.startswith(f"{path}/")
    }
    for name in sorted(names):
        inner = f"{path}/{name}"
        if lookup(below, inner).kind is not None and not _has(upper, inner):
            yield inner


def _has(layer: Layer, path: str) -> bool:
    return layer.entries.get(path, Kind.WHITEOUT) is not Kind.WHITEOUT
