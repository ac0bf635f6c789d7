"""All verbs in the order of the help, and where each is defined: MODULE:NAME.

A table within the table is a group: `minidock container ls`.  Nothing is loaded from here
but what is typed.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Group(NamedTuple):
    """Verbs behind a verb; `others` are other names of some of them."""

    help: str
    verbs: Mapping[str, "str | Group"]
    others: Mapping[str, str] = {}


_OF_CONTAINERS = {
    "attach": "attach:ATTACH", "commit": "changes:COMMIT", "cp": "cp:CP",
    "create": "run:CREATE", "diff": "changes:DIFF", "exec": "second:EXEC",
    "export": "changes:EXPORT", "inspect": "inspecting:INSPECT_CONTAINER",
    "kill": "containers:KILL", "logs": "logs:LOGS", "ls": "ps:LS",
    "pause": "containers:PAUSE", "port": "top:PORT", "prune": "pruning:CONTAINERS",
    "rename": "containers:RENAME", "restart": "containers:RESTART", "rm": "containers:RM",
    "run": "run:RUN", "start": "run:START", "stats": "stats:STATS",
    "stop": "containers:STOP", "top": "top:TOP", "unpause": "containers:UNPAUSE",
    "update": "update:UPDATE", "wait": "containers:WAIT",
}  # fmt: skip

_OF_IMAGES = {
    "build": "build:BUILD", "history": "images:HISTORY", "import": "archives:IMPORT",
    "inspect": "images:INSPECT", "layers": "imagelayers:LAYERS", "load": "archives:LOAD",
    "ls": "images:LS", "prune": "images:PRUNE", "rm": "images:RM", "save": "archives:SAVE",
    "tag": "images:TAG", "tree": "imagetree:TREE",
}  # fmt: skip

VERBS: Mapping[str, str | Group] = {
    "run": "run:RUN",
    "exec": "second:EXEC",
    "ps": "ps:PS",
    "build": "build:BUILD",
    "images": "images:IMAGES",
    "step": "step:STEP",
    "explain": "explain:EXPLAIN",
    "trace": "trace:TRACE",
    "create": "run:CREATE",
    "start": "run:START",
    "stop": "containers:STOP",
    "restart": "containers:RESTART",
    "kill": "containers:KILL",
    "pause": "containers:PAUSE",
    "unpause": "containers:UNPAUSE",
    "rename": "containers:RENAME",
    "update": "update:UPDATE",
    "wait": "containers:WAIT",
    "logs": "logs:LOGS",
    "attach": "attach:ATTACH",
    "top": "top:TOP",
    "stats": "stats:STATS",
    "port": "top:PORT",
    "cp": "cp:CP",
    "diff": "changes:DIFF",
    "export": "changes:EXPORT",
    "commit": "changes:COMMIT",
    "rm": "containers:RM",
    "inspect": "inspecting:INSPECT",
    "history": "images:HISTORY",
    "tag": "images:TAG",
    "rmi": "images:RMI",
    "save": "archives:SAVE",
    "load": "archives:LOAD",
    "import": "archives:IMPORT",
    "container": Group("Containers.", _OF_CONTAINERS,
                       {"list": "ls", "ps": "ls", "remove": "rm"}),
    "image": Group("Images: what is there, in and out.", _OF_IMAGES,
                   {"list": "ls", "remove": "rm"}),
    "network": Group("Who can reach whom.", {
        "connect": "networks:CONNECT", "create": "networks:CREATE",
        "disconnect": "networks:DISCONNECT", "inspect": "networks:INSPECT",
        "ls": "networks:LS", "map": "networkmap:MAP", "prune": "networks:PRUNE",
        "rm": "networks:RM",
    }, {"list": "ls", "remove": "rm"}),
    "volume": Group("Data that outlives containers.", {
        "create": "volumes:CREATE", "inspect": "volumes:INSPECT", "ls": "volumes:LS",
        "prune": "volumes:PRUNE", "rm": "volumes:RM",
    }, {"list": "ls", "remove": "rm"}),
    "builder": Group("What builds leave.", {"build": "build:BUILD",
                                            "prune": "pruning:CACHE"}),
    "events": "events:EVENTS",
    "info": "about:INFO",
    "version": "about:VERSION",
    "doctor": "engine:DOCTOR",
    "bootstrap": "engine:BOOTSTRAP",
    "daemon": "engine:DAEMON",
    "system": Group("The engine as a whole.", {
        "df": "usage:DF", "events": "events:EVENTS", "info": "about:INFO",
        "prune": "pruning:SYSTEM", "reset": "reset:RESET", "shutdown": "reset:SHUTDOWN",
    }),
    "glass-mount": "glassmount:GLASS_MOUNT",
    "env": "engine:ENV",
    "lab": "lab:LAB",
    "tour": "tour:TOUR",
    "completion": "engine:COMPLETION",
}  # fmt: skip

LATER = {
    "pull": "registries come later: minidock load takes an archive in",
    "push": "registries come later: minidock save writes an archive",
    "login": "registries come later, and so does logging in",
    "logout": "registries come later, and so does logging out",
    "search": "registries come later, and so does searching them",
    **dict.fromkeys(
        ("config", "node", "secret", "service", "stack", "swarm"),
        "swarms are not what this engine is for: one machine, every step of it visible",
    ),
    "checkpoint": "checkpoints are not kept here: minidock pause holds a container",
    "context": "contexts are not kept here: MINIDOCK_HOST says which engine is meant",
    "manifest": "manifest lists come with registries: minidock image inspect shows one",
    "plugin": "plugins are not loaded here: minidock doctor tells what this engine can",
    "trust": "nothing is signed here: the digest of an image is its proof",
}
"""Verbs of Docker's that are not here yet, and what to say of each."""
