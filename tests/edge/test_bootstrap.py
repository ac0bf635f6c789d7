"""A stand-in is run: what it was made of is all that it needs."""

import subprocess
import sys
from pathlib import Path

import pytest

from pyminidock.layers.bootstrap import bootstrap
from pyminidock.store.opening import open_store

pytestmark = pytest.mark.edge

INSIDE = """
import os, sys
os.chroot(sys.argv[1])
os.chdir("/")
os.execv("/usr/local/bin/python3", ["python3", "-c", "import json, sqlite3, ssl, sys;"
  "print('%d.%d' % sys.version_info[:2], json.dumps([1]))"])
"""


def test_the_machine_s_python_runs_in_a_root_of_its_own(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    base = bootstrap(store, "python")
    store.close()
    said = subprocess.run(
        [sys.executable, "-c", INSIDE, base.trees[0]],
        capture_output=True,
        text=True,
        check=True,
    )
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert said.stdout == f"{version} [1]\n"
