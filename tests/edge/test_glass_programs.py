"""Real programs on glass: the machine's own tree is the lower layer, and they are inside.

What they write goes to the upper directory; the machine's own files stay as they are.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.edge.glasshouse import glass_command, is_mounted, wait_for
from tests.edge.overlay_stacks import LIBC, MNT_DETACH, mount

pytestmark = [pytest.mark.edge, pytest.mark.timeout(600)]
Inside = Callable[[str], str]


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """Give a shell whose root is glass over this machine's."""
    ground = tmp_path_factory.mktemp("inside")
    mount("tmpfs", ground, "tmpfs", "mode=755")  # of one that stacks nothing, in any lab
    for name in ("upper", "work", "merged"):
        (ground / name).mkdir()
    words = f"lowerdir=/,upperdir={ground}/upper,workdir={ground}/work"
    merged = ground / "merged"
    subprocess.run(glass_command("glass", merged, words), check=True)
    wait_for(lambda: is_mounted(merged))
    dressed = (
        "mount -t proc proc $0/proc && mount --rbind /dev $0/dev && "
        'exec chroot "$0" sh -euc "$1"'
    )

    def run(script: str) -> str:
        ended = subprocess.run(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", dressed,
             str(merged), f"mkdir -p /srv/work; cd /srv/work; {script}"],
            text=True, capture_output=True, check=False,
            env={"PATH": os.environ["PATH"], "HOME": "/srv/work", "LANG": "C.UTF-8"},
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr[-2000:]
        return ended.stdout

    try:
        yield run
    finally:
        LIBC.umount2(str(merged).encode(), MNT_DETACH)
        LIBC.umount2(str(ground).encode(), MNT_DETACH)


def test_a_module_of_the_standard_library_passes_its_tests(inside: Inside) -> None:
    said = inside("/usr/bin/python3 -m unittest -q test.test_glob 2>&1 | tail -3")
    assert "OK" in said


def test_git_clones_and_commits(inside: Inside) -> None:
    said = inside(
        "git init -q one; cd one; git config user.name a; git config user.email a@b;"
        "for i in 1 2 3; do echo $i >> file; git add .; git commit -qm $i; done;"
        "git clone -q /srv/work/one /srv/work/two; cd /srv/work/two; git gc -q;"
        "git fsck --strict 2>&1; git log --oneline | wc -l; git status --porcelain"
    )
    assert said.split() == ["3"]


def test_a_database_with_a_log_ahead_is_written_by_two_and_stays_whole(
    inside: Inside,
) -> None:
    program = (
        "import sqlite3, os\n"
        "def add(first):\n"
        "    base = sqlite3.connect('base.db', timeout=60, isolation_level=None)\n"
        "    base.execute('pragma journal_mode=wal')\n"
        "    base.execute('create table if not exists t (n)')\n"
        "    for n in range(first, first + 50):\n"
        "        base.execute('insert into t values (?)', (n,))\n"
        "    return base\n"
        "add(0).close()\n"
        "if not os.fork(): add(100); os._exit(0)\n"
        "base = add(200)\n"
        "assert os.wait()[1] == 0\n"
        "print(base.execute('pragma journal_mode').fetchone()[0],\n"
        "      base.execute('select count(*) from t').fetchone()[0],\n"
        "      base.execute('pragma integrity_check').fetchone()[0])\n"
    )
    assert inside(f'{sys.executable} -c "{program}"').split() == ["wal", "150", "ok"]


def test_thousands_of_files_go_into_an_archive_and_come_out_the_same(
    inside: Inside, at_length: Callable[[int], int]
) -> None:
    count = at_length(10_000)
    said = inside(
        f"mkdir many; cd many; seq {count} | split -l 1 -a 4 - f; cd ..;"
        "tar cf a.tar many; mkdir out; tar xf a.tar -C out;"
        "diff -r many out/many && ls out/many | wc -l; rm -r many out; ls"
    )
    assert said.split()[0] == str(count)
    assert "many" not in said.split()


def test_pip_installs_from_a_wheel_that_lies_there(inside: Inside) -> None:
    wheel = (
        "import zipfile\n"
        "with zipfile.ZipFile('w-1-py3-none-any.whl', 'w') as z:\n"
        "    z.writestr('w.py', 'said = 42')\n"
        "    i = 'w-1.dist-info/'\n"
        "    z.writestr(i + 'METADATA',\n"
        "               'Metadata-Version: 2.1\\nName: w\\nVersion: 1\\n')\n"
        "    z.writestr(i + 'WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\n'\n"
        "               'Tag: py3-none-any\\n')\n"
        "    z.writestr(i + 'RECORD', '')\n"
    )
    said = inside(
        f'{sys.executable} -c "{wheel}"; {sys.executable} -m venv v;'
        "v/bin/pip install -q --disable-pip-version-check --no-index ./w-1*.whl;"
        "v/bin/python -c 'import w; print(w.said)'"
    )
    assert said.split()[-1] == "42"


def test_a_compiler_makes_a_program_that_runs(inside: Inside) -> None:
    said = inside(
        "printf '#include <stdio.h>\\nint main(void) { puts(\"made\"); }\\n' > p.c;"
        "gcc -O1 -o p p.c; ./p; mv p q; ./q"
    )
    assert said.split() == ["made", "made"]


def test_dpkg_installs_upgrades_and_removes_a_package(inside: Inside) -> None:
    said = inside(
        "export DPKG_FORCE=unsafe-io;"
        "for v in 1 2; do mkdir -p d$v/DEBIAN d$v/usr/share/minidock-test;"
        "echo $v > d$v/usr/share/minidock-test/version;"
        "printf 'Package: minidock-test\\nVersion: '$v'\\nArchitecture: all\\n"
        "Maintainer: a <a@b>\\nDescription: t\\n' > d$v/DEBIAN/control;"
        "dpkg-deb -b d$v d$v.deb >/dev/null; dpkg -i d$v.deb >/dev/null;"
        "cat /usr/share/minidock-test/version; done;"
        "dpkg -P minidock-test >/dev/null; test ! -e /usr/share/minidock-test"
    )
    assert said.split() == ["1", "2"]
    assert not Path("/usr/share/minidock-test").exists()
