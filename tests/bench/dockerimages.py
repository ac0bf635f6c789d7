"""The same verbs by Docker: the classic builder over its raw API, BuildKit over its CLI.

BuildKit speaks a session protocol of its own, so `docker buildx` asks it.  What that
command takes to start and to find its builder is measured beside each build, with
`docker buildx inspect`, and taken off.

Each verb gives seconds, from the first byte sent to the last received, and fails where it
did nothing.
"""

import os
import statistics
import subprocess
import time
from dataclasses import dataclass
from urllib.parse import urlencode

from tests.bench.ourimages import AGAIN, NAME, REST_S
from tests.rawapi import ask
from tests.reference import Reference


@dataclass(frozen=True, slots=True)
class DockerImages:
    """One dockerd that makes images."""

    reference: Reference

    def build(self, context: bytes) -> float:
        """Build from a packed context with the classic builder, every step of it."""
        return self._build(context, uses_cache=False)

    def rebuild(self, context: bytes) -> float:
        """Build, then build again: all is in the cache.  The median of AGAIN times.

        Between two builds the engine comes to rest, for nobody builds again at once.
        """
        self.build(context)
        times = []
        for _ in range(AGAIN):
            time.sleep(REST_S)
            times.append(self._build(context, uses_cache=True))
        return statistics.median(times)

    def _build(self, context: bytes, *, uses_cache: bool) -> float:
        nocache = "0" if uses_cache else "1"
        query = {"t": NAME, "networkmode": "none", "forcerm": "1", "nocache": nocache}
        took, said = self._send("POST", f"/build?{urlencode(query)}", context)
        assert f"Successfully tagged {NAME}" in said, said[-2000:]
        assert ("Using cache" in said) is uses_cache, said
        return took

    def buildx(self, context: bytes) -> float:
        """Build with BuildKit; what the command line itself takes is taken off."""
        idle, _ = self._ask(b"", "buildx", "inspect")
        words = ("buildx", "build", "--no-cache", "--network", "none", "-t", NAME, "-")
        took, said = self._ask(context, *words)
        assert f"naming to docker.io/library/{NAME}" in said, said[-2000:]
        return took - idle

    def load(self, archive: bytes) -> float:
        """Load an archive of images."""
        took, said = self._send("POST", "/images/load?quiet=1", archive)
        assert f"Loaded image: {NAME}" in said, said
        return took

    def commit(self, layer: bytes) -> float:
        """Make an image of a container that has the files of `layer`, without a pause."""
        api = self.reference.api
        made = api("POST", "/containers/create", {"Image": "busybox", "Cmd": ["true"]})
        container = made.body["Id"]
        self._send("PUT", f"/containers/{container}/archive?path=/", layer)
        began = time.perf_counter()
        done = api("POST", f"/commit?container={container}&repo={NAME}&pause=0")
        took = time.perf_counter() - began
        assert done.status == 201, done
        api("DELETE", f"/containers/{container}")
        return took

    def output(self, command: tuple[str, ...]) -> str:
        """Run a program in the image, () for its own; give what it prints."""
        ran = self.reference.docker("run", "--rm", "--network", "none", NAME, *command)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def forget(self) -> None:
        """Remove the image, its steps and its layers, as if they had never been."""
        api = self.reference.api
        api("DELETE", f"/images/{NAME}?force=1")
        api("POST", "/images/prune")
        api("POST", "/build/prune?all=1")

    def _send(self, method: str, target: str, body: bytes) -> tuple[float, str]:
        began = time.perf_counter()
        told = ask(self.reference.socket, method, f"/v1.45{target}", body)
        took = time.perf_counter() - began
        said = told.body.decode()
        assert told.status == 200, said
        return took, said

    def _ask(self, sent: bytes, *words: str) -> tuple[float, str]:
        environment = {
            "PATH": os.environ["PATH"], "DOCKER_HOST": f"unix://{self.reference.socket}",
            "DOCKER_CONFIG": str(self.reference.state),
        }  # fmt: skip
        began = time.perf_counter()
        ran = subprocess.run(
            ["docker", *words],
            input=sent,
            env=environment,
            capture_output=True,
            check=False,
        )
        took = time.perf_counter() - began
        assert ran.returncode == 0, ran.stderr
        return took, ran.stderr.decode()
