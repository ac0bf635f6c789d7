"""The table of `ps -ef`, made of what /proc says, for machines that have no ps.

    UID        PID  PPID  C STIME TTY          TIME CMD

C is the share of one processor that a process had in its whole life; STIME is the hour of
its beginning, or the day, if that was another one.

Source: man 1 ps, "STANDARD FORMAT SPECIFIERS"; man 5 proc_pid_stat.
"""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_TITLES = ("UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD")
_NAMES = Path("/etc/passwd")


def table() -> str:
    """Print one line for each process of the machine, below the titles."""
    names, now = _names(), time.time()
    with open("/proc/uptime", encoding="ascii") as file:
        booted = now - float(file.read().split()[0])
    lines = [_line(_TITLES)]
    for pid in sorted(int(each) for each in os.listdir("/proc") if each.isdigit()):
        with suppress(OSError, ValueError):  # it has ended
            lines.append(_line(tuple(_row(pid, names, booted, now))))
    return "\n".join([*lines, ""])


def _line(words: tuple[str, ...]) -> str:
    uid, pid, above, share, began, terminal, spent, command = words
    return (
        f"{uid:8} {pid:>7} {above:>7} {share:>2} {began} {terminal:8} {spent:>8} {command}"
    )


def _row(pid: int, names: dict[int, str], booted: float, now: float) -> Iterator[str]:
    place = Path(f"/proc/{pid}")
    owner = place.stat().st_uid
    first, _, rest = (place / "stat").read_text(errors="replace").rpartition(")")
    fields = rest.split()  # from the third on, which is the state
    began = booted + int(fields[19]) / _TICKS
    spent = (int(fields[11]) + int(fields[12])) // _TICKS
    age = max(now - began, 1.0)
    words = (place / "cmdline").read_bytes().rstrip(b"\0").replace(b"\0", b" ")
    said = words.decode("utf-8", "replace") or f"[{first.partition('(')[2]}]"
    command = "".join(sign if sign.isprintable() else "?" for sign in said)
    yield names.get(owner, str(owner))[:8]
    yield str(pid)
    yield fields[1]
    yield str(min(99, int(100 * spent / age)))
    yield time.strftime("%H:%M" if age < 86_400 else "%b%d", time.localtime(began))
    yield _terminal(int(fields[4]))
    yield f"{spent // 3600:02}:{spent // 60 % 60:02}:{spent % 60:02}"
    yield command


def _terminal(number: int) -> str:
    """Name a terminal by its device number.

    >>> _terminal(0), _terminal(os.makedev(136, 3)), _terminal(os.makedev(4, 1))
    ('?', 'pts/3', 'tty1')
    """
    major, minor = os.major(number), os.minor(number)
    if 136 <= major <= 143:
        return f"pts/{minor + 256 * (major - 136)}"
    return f"tty{minor}" if major == 4 and minor < 64 else "?"


def _names() -> dict[int, str]:
    """Read who is who on this machine; a name service is not asked."""
    found: dict[int, str] = {}
    with suppress(OSError):
        for line in _NAMES.read_text(encoding="utf-8", errors="replace").splitlines():
            name, *fields = line.split(":")
            if len(fields) > 1 and fields[1].isdigit():
                found.setdefault(int(fields[1]), name)
    return found
