"""What each instruction comes to: one function for each, from a Standing to an Outcome.

Nothing is done here.  A function says which configuration would follow, which words the
history will hold, and what could change the result; work on files it hands back as a thing
to do.  So the cache can be asked first, and a hit costs nothing.

    ENV LABEL EXPOSE USER VOLUME CMD …   a new configuration
    WORKDIR                              … and a directory, if it is missing
    COPY ADD                             files, see `transfer`
    RUN                                  a container, see `running`

Words of an instruction are filled in before it comes here.

Source: moby, builder/dockerfile/dispatchers.go; buildkit, dockerfile2llb/convert.go.
"""

import posixpath
import re
import signal
from dataclasses import replace
from typing import Any, Protocol

from pyminidock.build.ports import exposed
from pyminidock.build.stage import Make, Outcome, Standing, with_variable
from pyminidock.dockerfile import history
from pyminidock.dockerfile import instructions as said
from pyminidock.dockerfile.instructions import Instruction
from pyminidock.errors import MinidockError
from pyminidock.image.config import Healthcheck, ImageConfig


class InstructionRefused(MinidockError):
    """An instruction cannot be carried out; `what` is Docker's sentence."""

    status = 400


class Doer(Protocol):
    """Those who work on files."""

    def transfer(self, standing: Standing, step: said.Copy | said.Add) -> Outcome:
        """Say what a COPY or ADD comes to."""

    def run(self, standing: Standing, step: said.Run) -> Outcome:
        """Say what a RUN comes to."""

    def directory(self, standing: Standing, path: str) -> Make:
        """Give the deed that makes a directory; where the image has it, it does nothing."""


def outcome(  # noqa: PLR0911  (a table)
    standing: Standing, step: Instruction, doer: Doer
) -> Outcome:
    """Say what an instruction comes to.  Raises a MinidockError with Docker's sentence."""
    match step:
        case said.Run():
            return doer.run(standing, step)
        case said.Copy() | said.Add():
            return doer.transfer(standing, step)
        case said.Workdir():
            return _workdir(standing, step, doer)
        case said.Arg():
            return _arg(standing, step)
        case said.Maintainer():
            return replace(
                _metadata(standing, step, standing.config),
                after=lambda later: replace(later, author=step.name),
            )
        case said.Cmd():
            config = replace(standing.config, command=step.command.argv(standing.shell))
            return replace(
                _metadata(standing, step, config),
                after=lambda later: replace(later, has_command=True),
            )
        case said.Healthcheck():
            return _healthcheck(standing, step)
    return _metadata(standing, step, _config(standing, step))


def _metadata(standing: Standing, step: Instruction, config: ImageConfig) -> Outcome:
    words = history.metadata_words(step, config.shell or said.DEFAULT_SHELL)
    text = " ".join(words)
    return Outcome(text, config, effect=text)


def _config(standing: Standing, step: Instruction) -> ImageConfig:  # noqa: PLR0911  (a table)
    """Give the configuration after an instruction that changes one field of it."""
    config = standing.config
    match step:
        case said.Env():
            environment = config.environment
            for name, value in step.pairs:
                environment = with_variable(environment, _named(name, value), value)
            return replace(config, environment=environment)
        case said.Label():
            labels = dict(config.labels) | dict(step.pairs)
            return replace(config, labels=tuple(sorted(labels.items())))
        case said.Expose():
            ports = {*config.exposed_ports, *exposed(step.ports)}
            return replace(config, exposed_ports=tuple(sorted(ports)))
        case said.User():
            return replace(config, user=step.user)
        case said.Volume():
            if not all(step.paths):
                raise refused("VOLUME specified can not be an empty string", "VOLUME /data")
            return replace(config, volumes=tuple(sorted({*config.volumes, *step.paths})))
        case said.Entrypoint():
            argv = step.command.argv(standing.shell)
            command = config.command if standing.has_command else ()
            return replace(config, entrypoint=argv, command=command)
        case said.Shell():
            words: dict[str, Any] = {"shell": step.words}  # as a keyword: subprocess
            return replace(config, **words)
        case said.Stopsignal():
            if not _is_signal(step.signal):
                raise refused(f"invalid signal: {step.signal}", "STOPSIGNAL SIGTERM")
            return replace(config, stop_signal=step.signal)
        case said.Onbuild():
            return replace(config, on_build=(*config.on_build, step.expression))
    raise TypeError(f"{step.keyword} changes no single field")


def _named(name: str, value: str) -> str:
    if not name:
        raise refused(f"invalid environment variable: ={value}", "ENV NAME=value")
    return name


def _is_signal(text: str) -> bool:
    """Say whether Docker takes this as a signal: any number, or a name.

    >>> _is_signal("SIGINT"), _is_signal("int"), _is_signal("99"), _is_signal("FOO")
    (True, True, True, False)
    >>> _is_signal("RTMIN+15"), _is_signal("RTMIN+16"), _is_signal("RTMAX-14")
    (True, False, True)
    """
    if re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        return int(text) != 0
    name = text.upper().removeprefix("SIG")
    if real_time := re.fullmatch(r"RTMIN\+([1-9]|1[0-5])|RTMAX-([1-9]|1[0-4])", name):
        return bool(real_time)
    return f"SIG{name}" in signal.Signals.__members__


def _arg(standing: Standing, step: said.Arg) -> Outcome:
    return replace(
        _metadata(standing, step, standing.config),
        after=lambda later: replace(later, arguments=later.arguments.declare(step)),
    )


def _healthcheck(standing: Standing, step: said.Healthcheck) -> Outcome:
    """Set how to ask for health; what is not said stays as it was."""
    old = standing.config.healthcheck
    base = old or Healthcheck()
    check = Healthcheck(
        step.test,
        step.interval_ns or base.interval_ns,
        step.timeout_ns or base.timeout_ns,
        step.start_period_ns or base.start_period_ns,
        step.start_interval_ns or base.start_interval_ns,
        step.retries or base.retries,
    )
    notes: tuple[str, ...] = ()
    if old and old.test:
        notes = (f"Note: overriding previous HEALTHCHECK: [{' '.join(old.test)}]\n",)
    config = replace(standing.config, healthcheck=check)
    return replace(_metadata(standing, step, config), notes=notes)


def _workdir(standing: Standing, step: said.Workdir, doer: Doer) -> Outcome:
    if not step.path:
        raise refused("cannot normalize nothing", "WORKDIR /app")
    joined = posixpath.join("/", standing.config.working_directory, step.path)
    path = "/" + posixpath.normpath(joined).lstrip("/")
    words = " ".join(history.workdir_words(path, standing.shell))
    config = replace(standing.config, working_directory=path)
    return Outcome(words, config, doer.directory(standing, path), effect=words)


def refused(what: str, try_next: str) -> InstructionRefused:
    """Make the refusal of an instruction, in Docker's words."""
    return InstructionRefused(
        what,
        why="the form is right, but with its variables filled in it means nothing",
        try_next=try_next,
        lesson="dockerfile",
    )
