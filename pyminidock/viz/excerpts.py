"""Which lines of the engine's source a recording has to carry for the source lens.

Each step was told by one line.  The lens shows what stands around it, so a window around
each line is enough; windows that touch become one.
"""

from collections.abc import Iterable

from pyminidock.viz.views.source import MOST_LINES, Read

Excerpts = dict[str, list[tuple[int, str]]]
_AROUND = MOST_LINES // 2 - 1


def excerpts(srcs: Iterable[str], read: Read) -> Excerpts:
    r"""Give, for each file that told a step, its windows: (first line number, text).

    `srcs` are as records have them ("container/plan.py:117"); `read` gives the text of a
    file of the package, None for one that this installation does not have.

    >>> excerpts(["a.py:2", "a.py:3", "b.py:1"], {"a.py": "one\ntwo\nthree"}.get)
    {'a.py': [(1, 'one\ntwo\nthree')]}
    """
    told: dict[str, set[int]] = {}
    for src in srcs:
        path, _, number = src.rpartition(":")
        if path and number.isascii() and number.isdigit() and len(number) < 8:
            told.setdefault(path, set()).add(int(number))
    found: Excerpts = {}
    for path, numbers in sorted(told.items()):
        content = read(path)
        lines = content.splitlines() if content is not None else []
        if windows := _windows(sorted(n for n in numbers if 1 <= n <= len(lines))):
            found[path] = [
                (first, "\n".join(lines[first - 1 : last])) for first, last in windows
            ]
    return found


def _windows(numbers: list[int]) -> list[tuple[int, int]]:
    """Lay a window around each line; those that touch become one.

    >>> _windows([5, 40, 200])
    [(1, 59), (181, 219)]
    """
    windows: list[tuple[int, int]] = []
    for number in numbers:
        first, last = max(1, number - _AROUND), number + _AROUND
        if windows and first <= windows[-1][1] + 1:
            windows[-1] = (windows[-1][0], last)
        else:
            windows.append((first, last))
    return windows
