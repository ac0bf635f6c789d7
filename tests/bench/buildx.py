"""Where BuildKit's command line comes from: installed, or fetched for this run only.

Once the plugin is installed, every `docker build` of this machine becomes a BuildKit build,
and the comparison tests mean the classic one.  So where it is missing, Debian's package is
fetched and unpacked beside the reference engine, whose clients alone look there.

    python -m tests.bench.buildx     fetch it now, for tests that run without a network

Source: docker-cli, "CLI plugins": DOCKER_CONFIG/cli-plugins; apt-get(8), download.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PLUGIN = "docker-buildx"
_INSTALLED = ("/usr/libexec/docker/cli-plugins", "/usr/lib/docker/cli-plugins",
              "/usr/local/lib/docker/cli-plugins")  # fmt: skip
_FETCHED = Path(sys.prefix) / "cli-plugins" / PLUGIN


def furnish(configuration: Path) -> str:
    """Give the clients of one DOCKER_CONFIG the plugin; else say why there is none."""
    if _is_installed():
        return ""
    if absence := fetch():
        return absence
    (configuration / "cli-plugins").mkdir(exist_ok=True)
    shutil.copy(_FETCHED, configuration / "cli-plugins")
    return ""


def fetch() -> str:
    """Fetch the plugin, once for each environment; say why if it cannot be had."""
    if _is_installed() or _FETCHED.exists():
        return ""
    if not shutil.which("apt-get"):
        return f"{PLUGIN} is not installed"
    with tempfile.TemporaryDirectory() as scratch:
        fetched = subprocess.run(
            ["apt-get", "download", PLUGIN], cwd=scratch, capture_output=True, check=False
        )
        packages = [*Path(scratch).glob(f"{PLUGIN}_*.deb")]
        if fetched.returncode or not packages:
            return f"{PLUGIN} cannot be fetched: {fetched.stderr.decode().strip()}"
        unpacked = Path(scratch) / "tree"
        subprocess.run(["dpkg-deb", "-x", packages[0], unpacked], check=True)
        _FETCHED.parent.mkdir(exist_ok=True)
        shutil.copy(next(unpacked.rglob(f"cli-plugins/{PLUGIN}")), _FETCHED)
    return ""


def _is_installed() -> bool:
    return any((Path(place) / PLUGIN).exists() for place in _INSTALLED)


if __name__ == "__main__":
    sys.exit(fetch() or None)
