"""Where BuildKit's command line comes from: installed, or fetched for this run only.

Once the plugin is installed, every `docker build` of this machine becomes a BuildKit build,
and the comparison tests mean the classic one.  So where it is missing, Debian's package is
fetched and unpacked beside the reference engine, whose clients alone look there.

Source: docker-cli, "CLI plugins": DOCKER_CONFIG/cli-plugins; apt-get(8), download.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

PLUGIN = "docker-buildx"
_INSTALLED = ("/usr/libexec/docker/cli-plugins", "/usr/lib/docker/cli-plugins",
              "/usr/local/lib/docker/cli-plugins")  # fmt: skip


def furnish(configuration: Path) -> str:
    """Give the clients of one DOCKER_CONFIG the plugin; else say why there is none."""
    if any((Path(place) / PLUGIN).exists() for place in _INSTALLED):
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
        plugin = next(unpacked.rglob(f"cli-plugins/{PLUGIN}"))
        (configuration / "cli-plugins").mkdir(exist_ok=True)
        shutil.copy(plugin, configuration / "cli-plugins")
    return ""
