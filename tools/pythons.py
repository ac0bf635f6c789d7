"""Which Pythons of this machine can run pyMiniDock, one a line: `3.13 /usr/bin/python3.13`.

A version manager puts a shell script called python3 on PATH, and an environment made from
it breaks when the manager's settings change.  So every candidate is asked what it really
is, and the answer is the real binary.  One line per minor version, oldest first; where two
Pythons have the same version, the distribution's own (/usr) wins.

    python3 tools/pythons.py          all that are new enough
    python3 tools/pythons.py --real   this interpreter's real binary, or a refusal
    python3 tools/pythons.py --ci     the two that CI tests on, or a refusal

Runs before anything is installed: the standard library alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)
IN_CI = ("3.11", "3.13")

# Prints the version and the real binary; fails where `python -m venv` would.
QUESTION = """
import ensurepip, os, sys, venv
assert sys.version_info.releaselevel == "final" and sys.prefix == sys.base_prefix
print("%d.%d" % sys.version_info[:2], os.path.realpath(sys.executable))
"""


def candidates() -> list[str]:
    """Every file that may be a Python: on PATH, in /usr/bin, and a version manager's."""
    folders = [Path("/usr/bin"), *map(Path, os.get_exec_path())]
    if pyenv := shutil.which("pyenv"):
        root = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=False)
        if root.returncode == 0:
            folders += sorted(Path(root.stdout.strip(), "versions").glob("*/bin"))
    names = ["python3", *(f"python3.{minor}" for minor in range(OLDEST[1], 30))]
    found = [str(folder / name) for folder in folders for name in names]
    return [sys.executable, *(path for path in found if os.access(path, os.X_OK))]


def ask(path: str) -> tuple[str, str] | None:
    """What one candidate says that it is, or None where it cannot be used."""
    try:
        answer = subprocess.run(
            [path, "-I", "-c", QUESTION],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = answer.stdout.split(maxsplit=1)
    return (words[0], words[1].strip()) if answer.returncode == 0 and words else None


def by_version() -> dict[str, str]:
    """Minor version to real binary, oldest first."""
    found: dict[str, str] = {}
    for path in candidates():
        answer = ask(path)
        if answer is None or _number(answer[0]) < OLDEST:
            continue
        version, binary = answer
        if version not in found or (
            _is_debians(binary) and not _is_debians(found[version])
        ):
            found[version] = binary
    return dict(sorted(found.items(), key=lambda pair: _number(pair[0])))


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _is_debians(binary: str) -> bool:
    return binary.startswith("/usr/bin/")


def main(arguments: list[str]) -> int:
    """Print what was asked for; 1 with a sentence where the machine cannot give it."""
    write = sys.stdout.write
    found = by_version()
    if arguments == ["--real"]:
        if sys.version_info[:2] >= OLDEST:
            write(os.path.realpath(getattr(sys, "_base_executable", sys.executable)) + "\n")
            return 0
        oldest = ".".join(map(str, OLDEST))
        here = ".".join(map(str, sys.version_info[:2]))
        known = ", ".join(found.values()) or "none; on Debian: apt-get install python3-venv"
        sys.stderr.write(
            f"this python3 is {here}; pyMiniDock needs {oldest} or newer.\n"
            f"Try make PYTHON=… with one of: {known}\n"
        )
        return 1
    if arguments == ["--ci"]:
        missing = [version for version in IN_CI if version not in found]
        if missing or not _is_debians(found["3.13"]):
            wanted = " and Debian's ".join(IN_CI)
            sys.stderr.write(f"CI tests on Python {wanted}, with venv; found: {found}\n")
            return 1
        found = {version: found[version] for version in IN_CI}
    write("".join(f"{version} {binary}\n" for version, binary in found.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
