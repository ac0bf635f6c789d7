"""For which machine an image is made, and how one is chosen from a list.

A platform is an operating system, a processor and sometimes its variant: linux/arm64/v8.
One processor has many names (x86_64 is amd64), and one machine runs more than its own: an
amd64 also what is made for a 386, an armv7 also armv6 and armv5.  From a list the machine
takes the first of its best match, never simply the first.

Source: OCI image index, "platform"; containerd/platforms, compare.go and database.go.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pyminidock.errors import MinidockError
from pyminidock.image.manifest import Descriptor, Index, Platform

_NAME = re.compile(r"[A-Za-z0-9_-]+")
_RULE = 'component of "{}": platform specifier component must match "^[A-Za-z0-9_-]+$"'
_SYSTEM_RULE = (
    'OS component of "{}": OSAndVersion specifier component must match '
    r'"^([A-Za-z0-9_-]+)(?:\\(([A-Za-z0-9_.-]*)\\))?$"'
)
_SYSTEMS = ("darwin", "freebsd", "linux", "windows")
_ARCHITECTURES = (
    "386", "amd64", "arm", "arm64", "loong64", "mips64le", "ppc64le", "riscv64", "s390x",
)  # fmt: skip
_PROCESSORS = {
    "i386": ("386", ""), "i686": ("386", ""), "x86_64": ("amd64", ""),
    "x86-64": ("amd64", ""), "aarch64": ("arm64", ""), "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
}  # fmt: skip
_VARIANTS = {"5": "v5", "6": "v6", "7": "v7", "8": "v8"}


class PlatformMalformed(MinidockError):
    """The text names no platform."""

    status = 400


class NoMatchingPlatform(MinidockError):
    """A list holds no image for the wanted platform."""

    status = 404


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen entry, and what else the list had (for the story)."""

    descriptor: Descriptor
    others: tuple[str, ...]


def parse(text: str, here: Platform) -> Platform:
    """Read "os/architecture[/variant]", or one word of it, for the rest is as `here`.

    Raises PlatformMalformed.

    >>> here = Platform("linux", "amd64")
    >>> [familiar(parse(word, here)) for word in ("linux/arm64/v8", "linux", "aarch64")]
    ['linux/arm64', 'linux/amd64', 'linux/arm64']
    """
    parts = text.split("/")
    for place, part in enumerate(parts):
        if not _NAME.fullmatch(part):
            rule = (_RULE if place else _SYSTEM_RULE).replace("{}", text)
            raise _malformed(f'"{part}" is an invalid {rule}: invalid argument')
    if len(parts) > 3:
        raise _malformed(f'"{text}": cannot parse platform specifier: invalid argument')
    if len(parts) > 1:
        return normal(Platform(*parts))
    if text.lower() in _SYSTEMS:
        return Platform(text.lower(), here.architecture, here.variant)
    found = normal(Platform(here.os, text))
    if found.architecture not in _ARCHITECTURES:
        raise _malformed(
            f'"{text}": unknown operating system or architecture: invalid argument'
        )
    return found


def _malformed(what: str) -> PlatformMalformed:
    return PlatformMalformed(
        what[:300],
        why="a platform is an operating system, a slash and a processor",
        try_next="linux/amd64",
        lesson="platforms",
    )


def normal(platform: Platform) -> Platform:
    """Give the one spelling of a platform."""
    os, name = platform.os.lower(), platform.architecture.lower()
    architecture, implied = _PROCESSORS.get(name, (name, ""))
    variant = platform.variant.lower() or implied
    variant = _VARIANTS.get(variant, variant)
    if (architecture, variant) in (("arm64", "v8"), ("amd64", "v1")):
        variant = ""
    if (architecture, variant) == ("arm", ""):
        variant = "v7"
    return Platform(os, architecture, variant)


def familiar(platform: Platform) -> str:
    """Spell a platform for people."""
    parts = (platform.os, platform.architecture, platform.variant)
    return "/".join(filter(None, parts))


def choose(index: Index, wanted: Platform) -> Choice:
    """Find the entry for a machine.  Raises NoMatchingPlatform in Docker's words.

    An entry that names no platform fits every machine, and is the last resort.
    """
    fitting = _fitting(normal(wanted))
    ranked = [
        (_rank(entry, fitting), place, entry) for place, entry in enumerate(index.manifests)
    ]
    best = min((row for row in ranked if row[0] is not None), default=None, key=_order)
    names = tuple(familiar(entry.platform) for entry in index.manifests if entry.platform)
    if best is None:
        raise NoMatchingPlatform(
            f"no matching manifest for {familiar(wanted)} in the manifest list entries",
            why=f"the image is made for {', '.join(names[:20]) or 'no machine at all'}",
            try_next="minidock pull --platform with one of these",
            lesson="platforms",
        )
    return Choice(best[2], names)


def _order(row: tuple[int | None, int, Descriptor]) -> tuple[int, int]:
    return row[0] or 0, row[1]


def _rank(entry: Descriptor, fitting: Sequence[Platform]) -> int | None:
    """Say how well an entry fits; 0 is best, None not at all."""
    if entry.platform is None:
        return len(fitting)
    own = normal(entry.platform)
    return fitting.index(own) if own in fitting else None


def _fitting(machine: Platform) -> list[Platform]:
    """List what a machine runs, best first."""
    os, variant = machine.os, machine.variant
    found = [machine]
    match machine.architecture:
        case "amd64":
            if variant in ("v2", "v3", "v4"):
                lower = range(int(variant[1]) - 1, 1, -1)
                found += [Platform(os, "amd64", f"v{level}") for level in lower]
                found.append(Platform(os, "amd64"))
            found.append(Platform(os, "386"))
        case "arm64":
            found += [Platform(os, "arm", f"v{level}") for level in (8, 7, 6, 5)]
        case "arm" if variant in ("v6", "v7", "v8"):
            lower = range(int(variant[1]) - 1, 4, -1)
            found += [Platform(os, "arm", f"v{level}") for level in lower]
    return found
