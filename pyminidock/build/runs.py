"""RUN: a program in a container, and what it wrote becomes a layer.

    the image's layers ── read only ──┐
    an empty directory ── upper ──────┴─► container ─► its program ends ─► upper → layer

The text of a RUN goes to the shell, a list of words is the program itself.  A here-document
is either the whole script, or what the shell reads where the text says so.

    RUN <<EOF            the content is the text for the shell; with `#!` in front it is a
    …                    program of its own
    EOF
    RUN cat <<EOF >f     text and content go to the shell together
"""

import codecs
from collections.abc import Callable, Sequence
from dataclasses import replace

from pyminidock.build import output
from pyminidock.build.bench import Bench
from pyminidock.build.cachekey import fingerprint
from pyminidock.build.changed import tell_changes
from pyminidock.build.lending import Wanted, clear, lending, summed, wanted
from pyminidock.build.placing import MOST_EVENTS
from pyminidock.build.running import Output, RunWish
from pyminidock.build.stage import Outcome, Standing, short_digest, split
from pyminidock.build.volumes import note, written_below
from pyminidock.build.wayin import way_in
from pyminidock.dockerfile import history
from pyminidock.dockerfile import instructions as said
from pyminidock.dockerfile.heredocs import parse_heredoc
from pyminidock.errors import MinidockError
from pyminidock.events import FilesOmitted, StepPrinted
from pyminidock.store.failpoints import reach
from pyminidock.store.layers import LayerRow

SCRIPT = "/.minidock-heredoc"  # where a here-document that is a program lies, in RUN only
_LONGEST_TOLD = 4096  # characters of output in one event


class RunFailed(MinidockError):
    """The program of a RUN gave another exit status than 0; `code` is it."""

    status = 400

    def __init__(self, what: str, code: int, enter: str = "") -> None:
        super().__init__(
            what,
            why="a step counts only if its program says, by exit status 0, that it worked",
            try_next=enter or "give the step a base to stand on: FROM busybox",
            lesson="dockerfile",
        )
        self.code = code


def run(bench: Bench, standing: Standing, step: said.Run) -> Outcome:
    """Say what a RUN comes to.  Raises MountRefused, DockerfileMalformed."""
    mounts = wanted(bench, standing, step)
    argv, script = _argv(step, standing.shell)
    network = step.network if step.network != "default" else bench.options.network
    visible = standing.arguments.visible(standing.environment)
    remembered = standing.arguments.remembered(standing.environment)
    words = history.run_words(argv, remembered, has_arguments=bool(visible))

    def make() -> LayerRow | None:
        with lending(bench, mounts) as lent:
            return _make(bench, standing, RunWish(
                standing.image or "scratch",
                replace(standing.config, healthcheck=None, command=argv, entrypoint=()),
                bench.trees(standing), argv, tuple(f"{n}={v}" for n, v in visible.items()),
                network, script, bench.options.added_hosts, bench.options.limits, lent,
            ), mounts)  # fmt: skip

    settings = {"script": short_digest(script)} if script else {}
    if network != "default":
        settings["network"] = network
    if visible and not remembered:
        settings["proxy"] = "given"  # Docker counts that there is one, not which
    if mounts:
        settings["mounts"] = " ".join(each.text for each in mounts)
    sources, seen = summed(mounts)
    return Outcome(
        " ".join(words), standing.config, make,
        arguments={name: fingerprint(value) for name, value in map(split, remembered)},
        settings=settings, files=seen, sources=sources, effect=" ".join(argv),
    )  # fmt: skip


def _argv(step: said.Run, shell: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Give what is executed, and the script that it is, if it is one."""
    if not step.heredocs or not step.command.is_shell:
        return step.command.argv(shell), ""
    text = step.command.words[0] if step.command.words else ""
    if parse_heredoc(text) is None:
        documents = (f"\n{each.content}{each.name}" for each in step.heredocs)
        return (*shell, text + "".join(documents)), ""
    content = step.heredocs[0].text
    if content.startswith("#!"):
        return (SCRIPT,), content
    return (*shell, content), ""


def _make(
    bench: Bench, standing: Standing, wish: RunWish, mounts: Sequence[Wanted]
) -> LayerRow | None:
    if not wish.lower:  # FROM scratch: an overlay stands on something, if it is empty
        with bench.workplace() as nothing:
            return _make(bench, standing, replace(wish, lower=(nothing,)), mounts)
    with bench.runner.prepared(wish) as container:
        reach("build.snapshot")
        bench.tell(output.running(container.id))
        passed_on, end = _passing_on(bench)
        code = container.run(passed_on)
        end()
        reach("build.program.ended")
        if code:
            if not bench.options.removes_always:
                container.keep()
            else:
                bench.tell(output.removed(container.id))
            shown = " ".join(wish.argv)
            what = f"The command '{shown}' returned a non-zero code: {code}"
            raise RunFailed(what, code, way_in(standing))
        clear(container.upper, bench.tree_of(standing), mounts)
        tell_changes(container.upper, bench.tree_of(standing), bench.emit)
        for volume in written_below(container.upper, standing.config.volumes):
            bench.tell(output.Text(note(volume)))
        layer = bench.layer_of(standing, container.upper)
        if layer is not None and layer.files > MOST_EVENTS:
            bench.emit(FilesOmitted(layer.files - MOST_EVENTS))
        if not bench.options.removes:
            container.keep()
    if bench.options.removes:
        bench.tell(output.removed(container.id))
    return layer


def _passing_on(bench: Bench) -> tuple[Output, Callable[[], None]]:
    """Give the ear for a program's output, and what is to be done when it has ended.

    A character may arrive in two pieces; what is no character is shown as one that says so.
    """
    decoders = {
        number: codecs.getincrementaldecoder("utf-8")("replace") for number in (1, 2)
    }

    def say(number: int, text: str) -> None:
        if not text:
            return
        bench.tell(output.printed(text, is_error=number == 2))
        stream = "stderr" if number == 2 else "stdout"
        bench.emit(StepPrinted(bench.step, stream, text[:_LONGEST_TOLD]))

    def hear(number: int, data: bytes) -> None:
        say(number, decoders[number].decode(data))

    def end() -> None:
        for number, decoder in decoders.items():
            say(number, decoder.decode(b"", final=True))

    return hear, end
