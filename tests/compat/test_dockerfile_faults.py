"""A Dockerfile is refused with dockerd's status and sentence, or read where it reads."""

import random
import re
from collections.abc import Callable

import pytest

from pyminidock.dockerfile.instructions import KEYWORDS
from pyminidock.dockerfile.malformed import DockerfileMalformed
from pyminidock.dockerfile.parse import parse
from tests.compat.asking import judgement
from tests.reference import Reference

pytestmark = pytest.mark.compat

READ = (400, 'target stage "zz-nobody" could not be found')


def ours(text: str) -> tuple[int, str]:
    try:
        parse(text)
    except DockerfileMalformed as malformed:
        return malformed.status, malformed.what
    return READ


LONG = "x" * 65_531
FAULTS = (
    "", "# nothing", "RUN ls", "ENV A=1", "FROM", "FROM a b", "FROM a b c", "FROM a as x y",
    "FROM a AS 1x", "FROM a AS É", "FROM --platform a", "FROM --foo=1 a",
    "FROM " + LONG * 2, "# escape=x\nFROM a", "# escape=`\n# escape=`\nFROM a",
    "# check=x\n# escape=z\nFROM a", "\ufeff# escape=`\nFROM a\nRUN a `\n b",
    "FROM a\r\nRUN x \\\r\n y\r\nRUM\r\n",
)  # fmt: skip
STEPS = (
    "RUNN ls", "runn ls", "Runn ls", "XYZZYQ", "FOO x", "\\", "RUN", "RUN []", "RUN [1]",
    "RUN [1", "RUN ['a']", 'RUN ["a"] b', "RUN [NaN]", "RUN --foo x", "RUN --network=zz x",
    "RUN --network= x", "RUN --mount x", "RUN --mount=type=zz x", "RUN --mount=from=$x y",
    "RUN --security=insecure x", "RUN " + LONG, f"RUN {LONG}x",
    "RUN <<E\n" + LONG * 2 + "\nE", "RUN <<E", "RUN <<E\nx\nE", "RUN <<-E\nx\n\tE",
    "RUN << E\nE", "RUN echo '<<E'", 'RUN echo "<<E', "RUN <<''\nx", "COPY a", "COPY",
    "ADD a", "COPY a <<E\nE", "COPY <<'A B' /x\nA B", "COPY --chown=1 --chown=2 a b",
    "COPY --chown a b", "COPY --link=maybe a b", "COPY --link= a b", "COPY --parents a b",
    "COPY -- --link a", "COPY --exclude=x a b", "COPY --chmod=755 --link a b",
    "ADD --from=x a b", "ADD --keep-git-dir --checksum=x a b", "ENV", "ENV A", "ENV A=1 B",
    "ENV =1", "ENV A b", "ENV --a=b c=d", "LABEL", "LABEL a", "LABEL a=1 'b c'", "LABEL =x",
    "ARG", "ARG =x", "ARG --x y", "ARG A=1 B C=", "EXPOSE", "EXPOSE --x 1", "VOLUME",
    'VOLUME [""]', "VOLUME []", "VOLUME [1]", "HEALTHCHECK", "HEALTHCHECK NONE x",
    "HEALTHCHECK CMD", "HEALTHCHECK FOO x", "HEALTHCHECK --interval=1us CMD x",
    "HEALTHCHECK --timeout=-1s CMD x", "HEALTHCHECK --interval=abc CMD x",
    "HEALTHCHECK --interval=5 CMD x", "HEALTHCHECK --interval=1.5.5s CMD x",
    "HEALTHCHECK --interval=9999999999999999h CMD x", "HEALTHCHECK --interval=-0s CMD x",
    "HEALTHCHECK --interval=1h2m3.5s4ms5us6ns CMD x", "HEALTHCHECK --retries=-1 CMD x",
    "HEALTHCHECK --retries=a CMD x", "HEALTHCHECK --retries=1_0 CMD x",
    "HEALTHCHECK --retries=2147483648 CMD x", "HEALTHCHECK --retries=+3 CMD x",
    "HEALTHCHECK --x=1 NONE", "SHELL", "SHELL []", "SHELL sh", 'SHELL ["sh"]', "ONBUILD",
    "ONBUILD ONBUILD RUN x", "ONBUILD FROM x", "ONBUILD maintainer x", "ONBUILD FOO x",
    "ONBUILD ENV A", "ONBUILD RUN [1]", "ONBUILD RUN <<E\nx\nE", "ONBUILD RUN <<E",
    "WORKDIR", "WORKDIR a b", "USER", "USER --x", "STOPSIGNAL", "STOPSIGNAL --x",
    "STOPSIGNAL --x y", "MAINTAINER", "CMD", "CMD --foo x", "CMD -- --foo",
    "ENTRYPOINT [1]", "RUN a \\\n\n b\nRUM", "RUN a \\\n# b\n c\nRUM", "RUN a \\\\\nRUM",
    "RUN a \\ \t\n b", "RUN a \\",
)  # fmt: skip


@pytest.mark.parametrize("text", [*FAULTS, *(f"FROM a\n{step}" for step in STEPS)],
                         ids=lambda text: text.removeprefix("FROM a\n")[:40])  # fmt: skip
def test_a_dockerfile_is_judged_as_by_docker(reference: Reference, text: str) -> None:
    assert ours(text) == judgement(reference, text)


WRITTEN = (*KEYWORDS, "RUNN", "copy", "From", "envv")
# No letter beyond ASCII among the flags: Docker takes those apart byte by byte.
WORDS = (
    "a", "b", "/x", "=", "A=1", "B", "$V", "${V}", '"', "'", "\\", "`", "[", "]", '"a"',
    '["a","b"]', "[1]", "<<EOF", "<<-EOF", "<<'EOF'", '<<"E F"', "EOF", "\tEOF",
    "--chown=1", "--chown", "--link", "--link=", "--link=yes", "--from=x",
    "--mount=type=cache", "--mount=from=$x", "--network=host", "--network=", "--platform=x",
    "--interval=1s", "--interval=1", "--timeout=x", "--retries=1", "--retries=-1",
    "--retries=x", "--", "---", "--=x", '--chown="a b"', "NONE", "CMD", "AS", "as", "#",
    "# x", "\t", "\r", "\x0b", "{}", "null", "1", "80/tcp", "\x1c", "\x00", "==", "-",
    "--chmod=1", "--checksum=1", "ONBUILD",
)  # fmt: skip
TOPS = ("# escape=`", "# escape = \\ ", "#syntax=x", "# escape=z", "# check=a", "\ufeff")


def any_dockerfile(dice: random.Random) -> str:
    """A file that is nearly right, made of everything that has a meaning somewhere."""
    lines = [dice.choice(TOPS)] if dice.random() < 0.15 else []
    lines += ["FROM a"] if dice.random() < 0.9 else []
    for _ in range(dice.randint(1, 4)):
        line = dice.choice(WRITTEN)
        for _ in range(dice.choice((0, 1, 1, 2, 2, 3, 4, 6))):
            line += dice.choice(
                (" ", " ", "", "\t", " \\\n", " `\n", " \\\n\n", "\\\n#c\n")
            )
            line += dice.choice(WORDS)
        if "<<" in line and dice.random() < 0.8:
            line += "\n" + dice.choice(("x\n", "", "# y\n")) + dice.choice(("EOF", "\tEOF"))
        lines.append(dice.choice(("", "", "", " ", "\t")) + line)
    return dice.choice(("\n", "\n", "\r\n")).join(lines) + dice.choice(("\n", ""))


def test_random_dockerfiles_are_judged_as_by_docker(
    reference: Reference, at_length: Callable[[int], int]
) -> None:
    # Of two suggestions that are equally near Docker takes any.
    guess = re.compile(r" \(did you mean \w+\?\)")
    for seed in range(at_length(20_000)):
        text = any_dockerfile(random.Random(seed))
        mine, theirs = ours(text), judgement(reference, text)
        assert (mine[0], guess.sub("", mine[1])) == (theirs[0], guess.sub("", theirs[1])), (
            text
        )
