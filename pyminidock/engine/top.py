"""The processes of a container, as the machine's own ps shows them: `docker top`.

ps prints a table of everybody; the rows whose PID lives in the container are kept.  Which
columns there are is up to the arguments, and only PID has to be among them.  Where the
machine has no ps, the default table is made of what /proc says.

Source: moby, daemon/top_unix.go.
"""

import re
from dataclasses import dataclass

from pyminidock.engine.copying import alive
from pyminidock.engine.house import House
from pyminidock.engine.lives import Life
from pyminidock.engine.operations import NOBODY, Via, operation
from pyminidock.errors import MinidockError
from pyminidock.events import ProcessesListed
from pyminidock.kernel.port import Listing, Process

DEFAULT = "-ef"
_BLANKS = re.compile(r"[\t\n\f\r ]+")
_RENAMED = re.compile(r"\s+(\S*)=\s*(PID\S*)")


class TopRefused(MinidockError):
    """ps refused, or its table does not tell who is who."""

    status = 500


class NotRunning(MinidockError):
    """There is no program whose processes could be looked at."""

    status = 409


@dataclass(frozen=True, slots=True)
class Table:
    """Columns by name, and one row of words for each process."""

    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def top(house: House, reference: str, arguments: str, *, via: Via = NOBODY) -> Table:
    """Show its processes.  Raises NoSuchContainer, NotRunning, TopRefused."""
    arguments = arguments or DEFAULT
    _check(arguments)
    life = house.life(reference)
    with operation(house, life.story, "top", via) as voice:
        process = running(life)
        pids = house.kernel.members(process)
        words = tuple(arguments.split(" "))
        found = _listed(house, words, pids)
        table = read_table(found.output.decode("utf-8", "replace"), pids)
        voice(ProcessesListed(life.id, arguments))
    return table


def running(life: Life) -> Process:
    """Give the program of a container that runs.  Raises NotRunning."""
    process = alive(life)
    if process is None or life.state.name == "RESTARTING":
        is_again = life.state.name == "RESTARTING"
        raise NotRunning(
            f"Container {life.id} is restarting, wait until the container is running"
            if is_again
            else f"container {life.id} is not running",
            why="only a program that runs has processes",
            try_next=f"minidock start {life.name}",
            lesson="lifecycle",
        )
    return process


def _check(arguments: str) -> None:
    """Refuse to give another column the name of the one that counts."""
    for key, value in _RENAMED.findall(arguments):
        if key != "pid":
            raise _refused(f'specifying "{key}={value}" is not allowed')


def _listed(house: House, words: tuple[str, ...], pids: tuple[int, ...]) -> Listing:
    """Run ps for these processes; some arguments go only without a choice of them."""
    chosen = "-q" + ",".join(map(str, pids))
    try:
        found = house.kernel.list_processes((*words, chosen))
        if found.status:
            found = house.kernel.list_processes(words)
    except FileNotFoundError as absence:
        raise _refused('ps: exec: "ps": executable file not found in $PATH') from absence
    if found.status:
        said = found.errors.decode("utf-8", "replace").partition("\n")[0]
        raise _refused(f"ps: {said}" if said else f"ps: exit status {found.status}")
    return found


def read_table(text: str, pids: tuple[int, ...]) -> Table:
    r"""Keep of a table of ps the rows of some processes.  Raises TopRefused.

    A row whose PID is "-" is a thread of the process above it.  What is left over at the
    end of a row belongs to its last column.

    >>> read_table("PID CMD\n7 sleep 9\n8 sh\n", (7,)).rows
    (('7', 'sleep 9'),)
    """
    first, *lines = text.split("\n")
    titles = _words(first)
    if "PID" not in titles:
        raise _refused("Couldn't find PID field in ps output")
    at, rows, is_ours = titles.index("PID"), [], False
    for line in filter(None, lines):
        words = _words(line)
        if len(words) <= at:
            continue
        if words[at] != "-":
            if not words[at].isdigit():
                raise _refused(
                    f"Unexpected pid '{words[at]}': strconv.Atoi: parsing "
                    f'"{words[at]}": invalid syntax'
                )
            is_ours = int(words[at]) in pids
        if is_ours:
            last = len(titles) - 1
            rows.append((*words[:last], " ".join(words[last:])))
    return Table(tuple(titles), tuple(rows))


def _words(line: str) -> list[str]:
    return [word for word in _BLANKS.split(line) if word]


def _refused(what: str) -> TopRefused:
    return TopRefused(
        what,
        why="the table is that of the machine's own ps, with the arguments that were given",
        try_next="docker top CONTAINER -eo pid,comm",
        lesson="processes",
    )
