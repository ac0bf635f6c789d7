"""What is true at one place of a build: the image so far, and what the next step may see.

A build walks through its stages, and each stage carries one Standing from step to step.
It is a value: a step gives a new one, so what was true before a step that fails is still
there, to be entered and looked at.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from pyminidock.build.cachekey import Seen
from pyminidock.dockerfile.arguments import Arguments
from pyminidock.dockerfile.instructions import DEFAULT_SHELL
from pyminidock.image.config import ImageConfig
from pyminidock.image.digest import Digest
from pyminidock.image.document import Image
from pyminidock.store.layers import LayerRow

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Standing:
    """The image after a step, and what the stage knows besides.

    `image` is "" before the first step of FROM scratch.  `layers` are chain ids, bottom
    first.  `was_redone`: a step of this stage was done again, so the cache is not asked.
    """

    image: Digest
    document: Image
    layers: tuple[Digest, ...]
    size_bytes: int
    arguments: Arguments
    escape: str = "\\"
    has_command: bool = False  # CMD stood in this stage
    was_redone: bool = False
    author: str = ""

    @property
    def config(self) -> ImageConfig:
        """The configuration so far."""
        return self.document.config

    @property
    def shell(self) -> tuple[str, ...]:
        """The words in front of a text that is run."""
        return self.config.shell or DEFAULT_SHELL

    @property
    def environment(self) -> dict[str, str]:
        """The variables that ENV has set."""
        return dict(split(variable) for variable in self.config.environment)

    def with_config(self, config: ImageConfig) -> "Standing":
        """Give the same with another configuration."""
        return replace(self, document=replace(self.document, config=config))


def split(variable: str) -> tuple[str, str]:
    """Cut NAME=value.

    >>> split("A=b=c")
    ('A', 'b=c')
    """
    name, _, value = variable.partition("=")
    return name, value


def with_variable(environment: tuple[str, ...], name: str, value: str) -> tuple[str, ...]:
    """Set a variable in its place, or behind the others.

    >>> with_variable(("A=1", "B=2"), "A", "3"), with_variable((), "C", "")
    (('A=3', 'B=2'), ('C=',))
    """
    entry = f"{name}={value}"
    if any(split(each)[0] == name for each in environment):
        return tuple(entry if split(each)[0] == name else each for each in environment)
    return (*environment, entry)


Make: TypeAlias = Callable[[], LayerRow | None]
"""Does what a step does to files; gives the new layer, None if nothing changed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step comes to, before it is known whether it has to be done.

    `created_by` is for the history, with the sum of the files in it.  `make` is None for
    a step that changes the configuration only.
    """

    created_by: str
    config: ImageConfig
    make: Make | None = None
    arguments: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Seen] = field(default_factory=dict)
    sources: str = ""
    effect: str = ""  # `created_by` without what `arguments` and `sources` say
    notes: tuple[str, ...] = ()  # to be printed when it is done
    after: "Callable[[Standing], Standing]" = lambda standing: standing


def trees(
    directory: Callable[[Digest], Path], layers: tuple[Digest, ...]
) -> tuple[Path, ...]:
    """Give the trees of layers as hosts paths, topmost first."""
    return tuple(directory(layer) for layer in reversed(layers))


def short_digest(text: str) -> str:
    """Give a digest for what may be long or secret."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
