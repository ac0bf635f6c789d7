"""The tree says nothing about the machine that it was written on."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# In pieces, so that this file passes its own test.
HOSTS = [
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "npmjs" + ".",
    "deb.debian" + ".org",
    "crates" + ".io",
    "proxy.golang" + ".org",
]
# The folders of this project's makers: a workplace, a version manager, root's own files.
# Not /home/NAME: accounts inside containers live there.
PLACES = re.compile(
    r"(?<![\w.$}\]<>-])(?:/root/[\w.]|/Users/\w|/" + r"work/)"
    r"|\.pyenv/" + r"versions|[A-Z]:\\+Users"
)


def files() -> list[Path]:
    listed = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True)
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def text_of(path: Path) -> str:
    """The text of a file; of a binary file, the readable part."""
    return path.read_bytes().decode("utf-8", errors="replace")


def test_no_file_names_a_package_registry() -> None:
    named = [
        (str(path.relative_to(ROOT)), host)
        for path in files()
        for host in HOSTS
        if host in text_of(path)
    ]
    assert named == []


def test_no_file_names_a_folder_of_one_machine() -> None:
    named = [
        (str(path.relative_to(ROOT)), found.group())
        for path in files()
        if (found := PLACES.search(text_of(path)))
    ]
    assert named == []


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("see /Users/" + "ada/src", True),
        ("in /root/" + ".cache", True),
        ("cd /" + "work/main", True),
        ("~/.pyenv/" + "versions/3.11.7", True),
        ("/proc/self/root/etc", False),
        ("$HOME/work/x", False),
        ("student:x:1000:1000::/home/student:/bin/sh", False),
    ],
)
def test_a_place_is_recognised(text: str, is_found: bool) -> None:
    assert bool(PLACES.search(text)) is is_found


@pytest.mark.parametrize("name", ["run", "dev", "lab", "compat"])
def test_every_locked_package_has_a_hash(name: str) -> None:
    lines = (
        (ROOT / "requirements" / f"{name}.lock").read_text(encoding="utf-8").splitlines()
    )
    starts = [number for number, line in enumerate(lines) if re.match(r"[a-z0-9]", line)]
    assert len(starts) >= 7
    for start in starts:
        assert "==" in lines[start]
        assert "--hash=sha256:" in lines[start + 1]


def test_the_development_lock_contains_the_running_one() -> None:
    def pins(name: str) -> set[str]:
        text = (ROOT / "requirements" / f"{name}.lock").read_text(encoding="utf-8")
        return set(re.findall(r"^[a-z0-9][^ ]*==[^ ]+", text, re.MULTILINE))

    assert pins("run") < pins("dev")


TARGETS = """
lab test soak bench check unit edge edge-vm compat stories lessons browser
mutants counts notebooks lock clean
"""


@pytest.mark.parametrize("target", TARGETS.split())
def test_the_makefile_has_the_targets_that_people_rely_on(target: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^[a-z -]*\b{target}\b[a-z -]*:(?!=)", makefile, re.MULTILINE)
