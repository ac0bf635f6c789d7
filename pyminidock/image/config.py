"""What an image says about the containers made from it.

Defaults, nothing more: every field can be overruled by the request that starts a container.

Source: OCI image specification, config.md, "Properties".
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """The defaults of an image, or of a root directory that stands in for one."""

    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()  # NAME=value
    user: str = ""
    working_directory: str = ""
