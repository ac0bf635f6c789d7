"""`minidock update`: other limits for containers that exist.

Source: docker/cli, cli/command/container/update.go.
"""

from typing import Any

import click

from pyminidock.cli.containers import each
from pyminidock.cli.failures import ERROR, WordsRefused
from pyminidock.cli.flags import container_flags
from pyminidock.cli.hostconfig import resources, restart_policy
from pyminidock.cli.words import Verb

_CHANGEABLE = (
    "blkio_weight", "cpu_period", "cpu_quota", "cpu_rt_period", "cpu_rt_runtime",
    "cpu_shares", "cpuset_cpus", "cpuset_mems", "memory", "memory_reservation",
    "memory_swap", "cpus", "pids_limit", "kernel_memory", "restart",
)  # fmt: skip


def update(words: tuple[str, ...], **given: Any) -> int:
    """Change limits and the restart policy."""
    if all(value is None for value in given.values()):
        raise WordsRefused(
            "you must provide one or more flags when using this command",
            why="an update changes what its flags name, and nothing else",
            try_next=f"minidock update --memory 64m {words[0]}", exit_code=ERROR,
        )  # fmt: skip
    body = resources(given)
    if given["pids_limit"] is None:
        body["PidsLimit"] = None
    if given["restart"]:
        body["RestartPolicy"] = restart_policy(given["restart"])
    warnings: list[str] = []
    code = each(words, lambda client, name: warnings.extend(client.life.update(name, body)))
    for warning in warnings:
        click.echo(warning)
    return code


UPDATE = Verb(
    "update", update, help="Change the limits of containers.",
    params=[flag for flag in container_flags() if flag.name in _CHANGEABLE],
    usage="CONTAINER…", least=1,
)  # fmt: skip
