"""What an image says about the containers made from it.

Defaults, nothing more: every field can be overruled by the request that starts a container.
The names are ours; `document` knows how Docker spells them.

Source: OCI image specification, config.md, "Properties"; moby,
api/types/container/config.go.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Healthcheck:
    """How to ask a container for its health; zero means "as the parent", or the default."""

    test: tuple[str, ...] = ()  # ("NONE",), ("CMD", …) or ("CMD-SHELL", text)
    interval_ns: int = 0
    timeout_ns: int = 0
    start_period_ns: int = 0
    start_interval_ns: int = 0
    retries: int = 0


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """The defaults of an image."""

    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()  # NAME=value
    user: str = ""
    working_directory: str = ""
    exposed_ports: tuple[str, ...] = ()  # 80/tcp, sorted
    volumes: tuple[str, ...] = ()  # sorted
    labels: tuple[tuple[str, str], ...] = ()  # sorted by name
    stop_signal: str = ""
    shell: tuple[str, ...] = ()
    healthcheck: Healthcheck | None = None
    on_build: tuple[str, ...] = ()
    args_escaped: bool = False
    image: str = ""  # the id of the image this one was made from, as the builder writes it
    hostname: str = ""  # this and what follows: only `docker commit` writes them
    domainname: str = ""
    stop_timeout_s: int | None = None
    switches: tuple[str, ...] = ()  # Docker's names of what is true: Tty, OpenStdin, …
