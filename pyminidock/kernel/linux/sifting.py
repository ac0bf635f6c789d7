"""What the daemon does about packets: its own tables, and ports that it holds.

Each deed pushes its undoing on the stack of its plan, as in `deeds`.
"""

from collections.abc import Callable
from contextlib import ExitStack

from pyminidock.kernel.linux.nftables import Nftables
from pyminidock.kernel.linux.ports import Ports
from pyminidock.kernel.linux.rulewatch import RuleWatch
from pyminidock.kernel.portcalls import BindPort, ReleasePort, SiftCall
from pyminidock.kernel.rules import AddElements, DropElements, MakeTable, RemoveTable


class Sifting:
    """The socket to nf_tables, the ports, and whoever listens for changes."""

    def __init__(self) -> None:
        self.tables = Nftables()
        self._ports = Ports()
        self._watches: list[RuleWatch] = []

    def do(self, call: SiftCall, undo: ExitStack) -> None:
        """Perform one call.  Raises OSError."""
        match call:
            case BindPort(protocol, address, port):
                self._ports.bind(call)
                undo.callback(self._ports.release, ReleasePort(protocol, address, port))
            case ReleasePort():
                self._ports.release(call)
            case MakeTable(tables):
                self.tables.do(call)
                families = tuple(table.family for table in tables)
                undo.callback(self.tables.do, RemoveTable(families, tables[0].name))
            case AddElements(table, elements):
                self.tables.do(call)
                undo.callback(self.tables.do, DropElements(table, elements))
            case _:
                self.tables.do(call)

    def watch(self, table: str, bell: Callable[[], object]) -> Callable[[], None]:
        """Call `bell` when others change `table`; what is given takes that back."""
        watch = RuleWatch(table, lambda port: port == self.tables.port, bell)
        self._watches.append(watch)
        return watch.close

    def close(self) -> None:
        """Let go of everything; rules stay and go on serving."""
        for watch in self._watches:
            watch.close()
        self._ports.close()
        self.tables.close()
