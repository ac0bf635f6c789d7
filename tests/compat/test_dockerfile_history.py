"""The words that an image remembers of each instruction are those that dockerd writes."""

from collections.abc import Iterator

import pytest

from pyminidock.dockerfile import instructions as said
from pyminidock.dockerfile.arguments import Arguments
from pyminidock.dockerfile.history import metadata_words, run_words, workdir_words
from pyminidock.dockerfile.parse import Dockerfile, parse
from pyminidock.dockerfile.stages import before_from
from pyminidock.dockerfile.substitute import substitute
from tests.compat.asking import build, context, message
from tests.reference import IMAGE, Reference

pytestmark = pytest.mark.compat

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
METADATA = """\
ENV A=1 B="two words" C=$A
ENV OLD form  of it
ENV A=2 D=$A
LABEL k=v "a b"="$B" e=\\"
EXPOSE 80 443/tcp 8000-8002 $A 53/UDP
VOLUME /v1 /v$A
VOLUME ["/a b", "/c"]
USER nobody:$A
STOPSIGNAL SIGINT
CMD ["a", "b \\"c\\"", "\\u00e9\\n"]
CMD echo $X "y"
ENTRYPOINT ["/bin/echo"]
ENTRYPOINT exec top
CMD []
HEALTHCHECK --interval=5s --timeout=1m30s --start-period=1500ms --retries=4 CMD true || x
HEALTHCHECK --start-interval=2h --retries=65 CMD ["a", "b"]
HEALTHCHECK NONE
ONBUILD RUN echo  x
ONBUILD COPY . $A
MAINTAINER Bob <b@x>
SHELL ["/bin/sh", "-xc"]
CMD after
ARG V=$A N
WORKDIR /w/$B
"""


def words_of(dockerfile: Dockerfile) -> Iterator[str]:
    """The history that the metadata of one stage leaves, computed by us."""
    environment = {"PATH": PATH}
    shell: tuple[str, ...] = said.DEFAULT_SHELL
    for written in dockerfile.instructions[1:]:
        step = substitute(written, environment)
        match step:
            case said.Workdir():
                yield " ".join(workdir_words(step.path, shell))
                continue
            case said.Env():
                environment.update(step.pairs)
            case said.Shell():
                shell = step.words
        yield " ".join(metadata_words(step, shell))


def history(reference: Reference, text: str, **arguments: str) -> list[str]:
    """What dockerd remembers of the build of `text`, oldest first, the base left out."""
    status, body = build(reference, context(Dockerfile=text), t="history", **arguments)
    assert (status, message(body)) == (200, "")
    rows = reference.api("GET", "/v1.45/images/history/history").body
    return [row["CreatedBy"] for row in reversed(rows)]


def test_metadata_is_remembered_in_the_same_words(reference: Reference) -> None:
    text = f"FROM scratch\n{METADATA}"
    assert list(words_of(parse(text))) == history(reference, text)


def test_a_run_remembers_the_same_arguments(reference: Reference) -> None:
    text = (
        f"ARG UP=above\nFROM {IMAGE}\nRUN one\nARG UP\nARG A=1 B\nRUN two\nENV A=env\n"
        "RUN three\nARG http_proxy\nRUN four\nFROM {IMAGE}\nARG NO\nRUN five\n"
    ).replace("{IMAGE}", IMAGE)
    text = text.replace("one", "true 1").replace("two", "true 2").replace("three", "true 3")
    text = text.replace("four", "true 4").replace("five", "true 5")
    given = '{"B": "2", "http_proxy": "p", "ftp_proxy": "q"}'
    first_stage = text.partition("FROM")[0] + "FROM" + text.split("FROM")[1]
    for part, numbers in ((first_stage, "1234"), (text, "5")):
        mine = [" ".join(words) for words in runs_of(parse(part), numbers)]
        theirs = history(reference, part, buildargs=given)
        assert mine == [row for row in theirs if row.rpartition(" ")[2] in (*numbers,)]


def runs_of(dockerfile: Dockerfile, numbers: str) -> Iterator[tuple[str, ...]]:
    """The words of those RUNs whose last word is one of `numbers`."""
    given = {"B": "2", "http_proxy": "p", "ftp_proxy": "q"}
    arguments: Arguments = before_from(dockerfile, given)
    environment = {"PATH": PATH}
    has_begun = False
    for written in dockerfile.instructions:
        step = substitute(written, arguments.for_words(environment))
        match step:
            case said.From():
                arguments, environment = arguments.enter_stage(), {"PATH": PATH}
                has_begun = True
            case said.Arg() if has_begun:
                arguments = arguments.declare(step)
            case said.Env():
                environment.update(step.pairs)
            case said.Run() if step.command.words[0][-1] in numbers:
                has_arguments = bool(arguments.visible(environment))
                remembered = arguments.remembered(environment)
                argv = step.command.argv()
                yield run_words(argv, remembered, has_arguments=has_arguments)


def test_what_was_not_used_is_warned_about_in_the_same_words(reference: Reference) -> None:
    text = "ARG A\nFROM scratch\nARG B\nENV X=1\n"
    given = {"A": "1", "B": "2", "D": "4", "C": "3", "no_proxy": "x"}
    quoted = str(given).replace("'", '"')
    body = build(reference, context(Dockerfile=text), buildargs=quoted)[1]
    names = before_from(parse(text), given).enter_stage().declare(said.Arg((("B", None),)))
    assert names.unused() == ("C", "D")
    assert "[Warning] One or more build-args [C D] were not consumed" in body


def test_blank_continuations_are_warned_about_in_the_same_words(
    reference: Reference,
) -> None:
    text = "FROM scratch\nENV A=1 \\\n\n B=2\n"
    body = build(reference, context(Dockerfile=text))[1]
    for line in parse(text).warning_lines():
        assert line in body
