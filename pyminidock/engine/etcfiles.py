"""The three files of /etc that are the engine's: who am I, who are you, whom to ask.

They lie beside the container's layer and are bound over the image's, so that a container
which moves to another network does not carry an old address in its layer.  With loopback
only there is one answer to everything: localhost.

Source: the names and lines are those Docker writes for `--network none`.
"""

from pathlib import Path

_HOSTS = """\
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
ff00::0\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
"""
_RESOLV = "# This container has the loopback device only: there is nobody to ask.\n"


def write(directory: Path, hostname: str) -> None:
    """Write hostname, hosts and resolv.conf for a container without a network."""
    for name, text in (
        ("hostname", f"{hostname}\n"), ("hosts", _HOSTS), ("resolv.conf", _RESOLV),
    ):  # fmt: skip
        path = directory / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o644)  # whatever the umask says: everybody inside may read them
