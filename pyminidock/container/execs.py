"""A second process in a running container: decided like the first one, with less to say.

It lives in the first one's namespaces, cgroup and root, so all that is left to decide is
who it is, what it runs and what it sees.  Its powers are those of the container.

Source: moby, daemon/exec.go; measured with dockerd 26.1.5.
"""

from collections.abc import Mapping
from dataclasses import replace

from pyminidock.container.commandline import spell_exec
from pyminidock.container.security import without_unguarded
from pyminidock.container.spec import ContainerSpec, ExecRequest, ExecSpec
from pyminidock.container.users import resolve_user
from pyminidock.container.words import RequestUnsuitable, refuse_nul, variables_of
from pyminidock.events import Emit, ignore
from pyminidock.grammar import capabilities
from pyminidock.grammar.envfile import parse_variable
from pyminidock.kernel.port import Machine


def resolve_exec(  # noqa: PLR0913  (four inputs, two names, one listener)
    request: ExecRequest,
    spec: ContainerSpec,
    files: Mapping[str, bytes],
    machine: Machine,
    *,
    exec_id: str,
    directory: str,
    emit: Emit = ignore,
) -> ExecSpec:
    """Decide everything about a second process of the container `spec`.

    It never holds more than the first one could, unless it is privileged.
    """
    if not request.command:
        raise RequestUnsuitable(
            "No exec command specified",
            why="an image's command is for its first process only",
            try_next=spell_exec(replace(request, command=("sh",)), spec.name),
            lesson="exec",
        )
    texts = (*request.command, *request.environment, request.working_directory)
    refuse_nul(texts, f"minidock exec {spec.name} true")
    user = resolve_user(
        request.user or spec.user, (), files,
        correct=lambda user: spell_exec(replace(request, user=user), spec.name), emit=emit,
    )  # fmt: skip
    # The groups that the container was given by --group-add hold for its own user only.
    groups = user.groups if request.user else spec.groups
    asked = tuple(parse_variable(entry, {}) for entry in request.environment)
    bounding = spec.bounding
    if request.is_privileged:
        all_ours = capabilities.names_of(machine.capabilities)
        bounding = without_unguarded(all_ours, spec.is_privileged, machine)
    return ExecSpec(
        id=exec_id, directory=directory, argv=request.command,
        environment=variables_of(
            spec.hostname, (*spec.link_variables, *spec.given_environment), user.home,
            has_terminal=request.has_terminal, asked=asked,
        ),
        working_directory=request.working_directory or spec.working_directory,
        uid=user.uid, gid=user.gid, groups=groups, bounding=bounding,
        capabilities=bounding if user.uid == 0 else (), has_terminal=request.has_terminal,
        keeps_stdin=request.keeps_stdin, console_size=request.console_size,
        is_privileged=request.is_privileged,
    )  # fmt: skip
