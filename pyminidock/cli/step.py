"""`minidock step run|build`: the engine at work, held between its steps."""

from pyminidock.cli.build import flags
from pyminidock.cli.flags import container_flags
from pyminidock.cli.step_build import step_build
from pyminidock.cli.step_run import step_run
from pyminidock.cli.words import Verb, switch, texts, verbs

_WAYS = (
    texts(
        *("--break", "breaks"),
        help="hold at this kind of event, if its fields are so",
        metavar="KIND [FIELD=VALUE]…",
    ),
    switch("--no-tui", help="one line for each step; n, c and a are read"),
)

STEP = verbs(
    "step",
    [
        Verb(
            "run",
            step_run,
            help="Start a container step by step; it is removed at its end.",
            params=[*_WAYS, *container_flags()],
            usage="IMAGE [COMMAND]…",
            least=1,
            is_open=False,
            gathers="--break",
            instead="--from",
        ),
        Verb(
            "build",
            step_build,
            help="Build an image step by step; held before each instruction.",
            params=[*_WAYS, *flags()],
            usage="PATH | -",
            least=1,
            most=1,
            gathers="--break",
        ),
    ],
    help="Hold the engine between its steps.",
)
