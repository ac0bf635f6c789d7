"""Is the file of a database still what was written?  A disk may have changed any byte.

    shape      the tables, columns and references that the migrations make
    texts      can be read: SQLite keeps whatever bytes there are
    pages      the trees hang together, and each index repeats the rows of its table

Whether the rows tell the truth about files is another question (`examine`).

Source: sqlite.org/pragma.html, integrity_check; hardening.md D.6.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing


def fault(rows: sqlite3.Connection, migrations: Sequence[str]) -> str:
    """Say what is wrong with a file that these migrations made, "" for nothing.

    Raises sqlite3.DatabaseError, UnicodeDecodeError where it cannot even be read.
    """
    with closing(sqlite3.connect(":memory:")) as model:
        for script in migrations:
            for statement in script.split(";\n"):
                model.execute(statement)
        if _shape(rows) != _shape(model):
            return "its tables are not the ones that were made"
    for table in _tables(rows):
        for _ in rows.execute(f'SELECT * FROM "{table}"'):  # noqa: S608  (ours, as just seen)
            pass
    (verdict,) = rows.execute("PRAGMA integrity_check(1)").fetchone()
    return "" if verdict == "ok" else str(verdict)


def _shape(rows: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    """Give the columns, references and indices of each table."""
    return {
        table: [
            tuple(row)
            for kind in ("table_info", "foreign_key_list", "index_list")
            for row in rows.execute(f'PRAGMA {kind}("{table}")')
        ]
        for table in _tables(rows)
    }


def _tables(rows: sqlite3.Connection) -> list[str]:
    found = rows.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
    return [name for (name,) in found.fetchall()]
