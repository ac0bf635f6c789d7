"""The words about volumes and trees of the host."""

from collections.abc import Mapping

from pyminidock.viz.english.words import Words

VOLUMES: Mapping[str, Words] = {
    "volume.created": (
        "There is a volume {volume} now",
        "It is a directory of the engine, outside every container: it stays when they go.",
        "mkdir volumes/{volume}/_data, driver {driver}",
    ),
    "volume.populated": (
        "The volume {volume} got what the image has at {path}",
        "It was empty: from now on it is the volume that counts, not the image.",
        "{files} files, {size_bytes} bytes copied into volumes/{volume}/_data",
    ),
    "volume.mounted": (
        "The container sees the volume {volume} at {destination}",
        "What is written there goes past the container's layer, and outlives it.",
        "volumes/{volume}/_data → {destination}",
    ),
    "volume.unmounted": (
        "The container lets go of the volume {volume}",
        "Its data stays where it is.",
        "volume {volume}, driver {driver}",
    ),
    "volume.removed": (
        "The volume {volume} is gone, and its data with it",
        "Nobody used it, and somebody said that it shall go.",
        "rm -r volumes/{volume}",
    ),
    "volumes.pruned": (
        "The volumes that nobody used are gone: {reclaimed} bytes came back",
        "A volume is unused when no container names it, running or not.",
        "POST /volumes/prune: {reclaimed} bytes",
    ),
    "host.directory.made": (
        "The host's directory {path} was not there, and was made",
        "-v makes what is missing, owned by root; --mount refuses instead.",
        "mkdir -p {path}",
    ),
}
