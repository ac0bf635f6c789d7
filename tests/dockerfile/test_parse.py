"""Every instruction, its forms, and Docker's own words where the form is wrong."""

import pytest

from pyminidock.dockerfile import instructions as said
from pyminidock.dockerfile.instructions import Command
from pyminidock.dockerfile.malformed import DockerfileMalformed
from pyminidock.dockerfile.parse import LARGEST_BYTES, parse, parse_trigger


def step(text: str) -> said.Instruction:
    """The instruction `text`, behind a FROM."""
    (_, found) = parse(f"FROM busybox\n{text}\n").instructions
    return found


def refusal(text: str) -> DockerfileMalformed:
    with pytest.raises(DockerfileMalformed) as refused:
        parse(text)
    return refused.value


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("FROM alpine:3 AS Web", {"base": "alpine:3", "name": "web", "platform": ""}),
        ("FROM --platform=linux/arm64 a as b", {"name": "b", "platform": "linux/arm64"}),
        ("RUN make  all", {"command": Command(("make  all",), True)}),
        ('RUN ["make", "all"]', {"command": Command(("make", "all"), False)}),
        ("RUN ['make']", {"command": Command(("['make']",), True)}),
        ('RUN ["make"] all', {"command": Command(("make",), False)}),
        ("RUN []", {"command": Command((), False)}),
        ("RUN", {"command": Command((), True)}),
        ("RUN [NaN]", {"command": Command(("[NaN]",), True)}),
        ("RUN [1", {"command": Command(("[1",), True)}),
        ("RUN --mount=type=cache,target=/c --network=none x",
         {"mounts": ("type=cache,target=/c",), "network": "none"}),
        ("COPY a b /c/", {"sources": ("a", "b"), "destination": "/c/", "from_name": ""}),
        ('COPY ["a b", "/c d"]', {"sources": ("a b",), "destination": "/c d"}),
        ("COPY --from=0 --chown=1:2 --chmod=755 --link a /b",
         {"from_name": "0", "chown": "1:2", "chmod": "755", "is_linked": True}),
        ("COPY --link=FALSE a /b", {"is_linked": False}),
        ("ADD --checksum=sha256:1 --keep-git-dir https://x /y",
         {"checksum": "sha256:1", "keeps_git_directory": True}),
        ("ENV A=1 B='x y' C=d\\ e",
         {"pairs": (("A", "1"), ("B", "'x y'"), ("C", "d\\ e"))}),
        ("ENV A some  text", {"pairs": (("A", "some  text"),), "is_old_form": True}),
        ("ENV A =", {"pairs": (("A", "="),)}),
        ("LABEL a.b=c", {"pairs": (("a.b", "c"),)}),
        ("ARG A=1 B C=", {"pairs": (("A", "1"), ("B", None), ("C", ""))}),
        ("EXPOSE 80 443/tcp 53/udp", {"ports": ("443/tcp", "53/udp", "80")}),
        ("VOLUME /a /b", {"paths": ("/a", "/b")}),
        ('VOLUME ["/a b"]', {"paths": ("/a b",)}),
        ('VOLUME /v ["/x"]', {"paths": ("/v", '["/x"]')}),
        ("USER me and you", {"user": "me and you"}),
        ("WORKDIR /a b", {"path": "/a b"}),
        ("CMD", {"command": Command((), True)}),
        ('ENTRYPOINT ["a", "\\u00e9"]', {"command": Command(("a", "é"), False)}),
        ('SHELL ["/bin/sh", "-xc"]', {"words": ("/bin/sh", "-xc")}),
        ("STOPSIGNAL $S", {"signal": "$S"}),
        ("HEALTHCHECK NONE", {"test": ("NONE",)}),
        ("HEALTHCHECK none", {"test": ("NONE",)}),
        ("HEALTHCHECK --interval=1m30s --timeout=2s --retries=4 CMD true  x",
         {"test": ("CMD-SHELL", "true  x"), "interval_ns": 90_000_000_000, "retries": 4}),
        ('HEALTHCHECK --start-period=1ms --start-interval=0 CMD ["a", "b"]',
         {"test": ("CMD", "a", "b"), "start_period_ns": 1_000_000, "start_interval_ns": 0}),
        ("ONBUILD RUN echo  x", {"expression": "RUN echo  x", "trigger": "RUN"}),
        ("onbuild foo x", {"expression": "foo x", "trigger": "FOO"}),
        ("MAINTAINER Bob <b@x>", {"name": "Bob <b@x>"}),
    ],
)  # fmt: skip
def test_an_instruction_is_read(text: str, values: dict[str, object]) -> None:
    found = step(text)
    assert {name: getattr(found, name) for name in values} == values
    assert found.text == text
    assert found.keyword == text.split(" ", maxsplit=1)[0].upper()


def test_the_step_text_is_the_source_with_continuations_joined() -> None:
    found = step("  run   echo a \\ \n    b \\\n# gone\n   # too\n c   ")
    assert found.text == "run   echo a     b  c"
    assert found.span == said.Span(2, 6)


LINED = "dockerfile parse error on line 2: "
PLAIN = "failed to parse Dockerfile: "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("RUNN ls", LINED + "unknown instruction: RUNN (did you mean RUN?)"),
        ("XYZZYQ", LINED + "unknown instruction: XYZZYQ"),
        ("FROM", LINED + "FROM requires either one or three arguments"),
        ("FROM a b", LINED + "FROM requires either one or three arguments"),
        ("FROM a b c", LINED + "FROM requires either one or three arguments"),
        ("FROM x AS 1x", LINED + 'invalid name for build stage: "1x", '
         "name can't start with a number or contain symbols"),
        ("COPY --foo=1 a b", LINED + "unknown flag: foo (did you mean from?)"),
        ("COPY --zzzz=1 a b", LINED + "unknown flag: zzzz"),
        ("RUN --security=insecure x", LINED + "unknown flag: security"),
        ("COPY --chown=1 --chown=2 a b", LINED + "duplicate flag specified: chown"),
        ("COPY --chown a b", LINED + "missing a value on flag: chown"),
        ("COPY --link=maybe a b",
         LINED + "expecting boolean value for flag link, not: maybe"),
        ("COPY --link= a b", LINED + "missing a value on flag: link"),
        ("ADD --from=x a b", LINED + "unknown flag: from"),
        ("COPY a", LINED + "COPY requires at least two arguments, but only one was "
         "provided. Destination could not be determined"),
        ("COPY a <<EOF\nEOF", LINED + "COPY cannot accept a heredoc as a destination"),
        ("RUN cat <<EOF\nx", PLAIN + "unterminated heredoc"),
        *((name, LINED + f"{name} requires at least one argument") for name in
          ("ENV", "LABEL", "EXPOSE", "VOLUME", "HEALTHCHECK", "SHELL", "ONBUILD", "ARG")),
        ("SHELL []", LINED + "SHELL requires at least one argument"),
        *((name, LINED + f"{name} requires exactly one argument") for name in
          ("WORKDIR", "USER", "STOPSIGNAL", "MAINTAINER")),
        ("ENV A", PLAIN + "ENV must have two arguments"),
        ("LABEL a", PLAIN + "LABEL must have two arguments"),
        ("ENV A=1 B", PLAIN + "Syntax error - can't find = in \"B\". Must be of the form: "
         "name=value"),
        ("ENV =1", LINED + "ENV names can not be blank"),
        ("ARG =x", LINED + "ARG names can not be blank"),
        ('VOLUME [""]', LINED + "VOLUME specified can not be an empty string"),
        ("HEALTHCHECK NONE x", LINED + "HEALTHCHECK NONE takes no arguments"),
        ("HEALTHCHECK CMD", LINED + "Missing command after HEALTHCHECK CMD"),
        ("HEALTHCHECK FOO x", LINED + 'Unknown type "FOO" in HEALTHCHECK (try CMD)'),
        ("HEALTHCHECK --interval=1us CMD x",
         LINED + 'Interval "interval" cannot be less than 1ms'),
        ("HEALTHCHECK --timeout=-1s CMD x",
         LINED + 'Interval "timeout" cannot be less than 1ms'),
        ("HEALTHCHECK --interval=abc CMD x", LINED + 'time: invalid duration "abc"'),
        ("HEALTHCHECK --interval=5 CMD x", LINED + 'time: missing unit in duration "5"'),
        ("HEALTHCHECK --interval=5x CMD x",
         LINED + 'time: unknown unit "x" in duration "5x"'),
        ("HEALTHCHECK --retries=-1 CMD x", LINED + "--retries cannot be negative (-1)"),
        ("HEALTHCHECK --retries=a CMD x",
         LINED + 'strconv.ParseInt: parsing "a": invalid syntax'),
        ("HEALTHCHECK --retries=3000000000 CMD x",
         LINED + 'strconv.ParseInt: parsing "3000000000": value out of range'),
        ("SHELL sh -c", LINED + "SHELL requires the arguments to be in JSON form"),
        ("ONBUILD ONBUILD RUN x",
         LINED + "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"),
        ("ONBUILD FROM x", LINED + "FROM isn't allowed as an ONBUILD trigger"),
        ("ONBUILD maintainer x", LINED + "MAINTAINER isn't allowed as an ONBUILD trigger"),
        ("ONBUILD ENV A", PLAIN + "ENV must have two arguments"),
        ("CMD [1]", PLAIN + "when using JSON array syntax, arrays must be comprised of "
         "strings only"),
        ("RUN --mount=type=cache,from=$X x", LINED + "'from' doesn't support variable "
         "expansion, define alias stage instead"),
        ("RUN --network=zz x", LINED + 'invalid network mode "zz"'),
    ],
)  # fmt: skip
def test_a_fault_is_told_in_dockers_words(text: str, message: str) -> None:
    refused = refusal(f"FROM busybox\n{text}\n")
    assert refused.what == message
    assert refused.status == 400
    assert refused.line == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the Dockerfile (Dockerfile) cannot be empty"),
        ("# only\n\n  # comments\n", PLAIN + "file with no instructions"),
        ("\n\n", PLAIN + "file with no instructions"),
        ("RUN ls", "no build stage in current context"),
        ("ARG A\nENV A=1", "no build stage in current context"),
        ("# escape=x\nFROM a", PLAIN + "invalid escape token 'x' does not match ` or \\"),
        ("# escape=`\n# ESCAPE=\\\nFROM a",
         PLAIN + "only one escape parser directive can be used"),
        ("FROM a\nRUN " + "x" * 65_532,
         PLAIN + "dockerfile line greater than max allowed size of 65535"),
    ],
)  # fmt: skip
def test_a_file_may_be_wrong_as_a_whole(text: str, message: str) -> None:
    assert refusal(text).what == message


def test_the_longest_line_is_read() -> None:
    assert step("RUN " + "x" * 65_531).text.endswith("xxx")


def test_a_file_beyond_the_limit_is_not_read() -> None:
    text = "FROM a\n" + "#\n" * (LARGEST_BYTES // 2)
    assert refusal(text).what.startswith("the Dockerfile (Dockerfile) has ")


def test_faults_of_form_come_before_faults_of_meaning() -> None:
    assert refusal("FROM a\nRUNN x\nENV A\n").line == 3


@pytest.mark.parametrize(
    ("text", "caret"),
    [
        ("FROM a\nRUNN x", "   2 | RUNN x\n     | ^^^^"),
        ("FROM a\n\tRUNN x", "   2 | \tRUNN x\n     | \t^^^^"),
        ("FROM a\nENV A=1 \\\n  B", "   3 |   B\n     |   ^"),
        ("FROM a\nCOPY --chown a b", "   2 | COPY --chown a b\n     |      ^^^^^^^"),
        ("# escape=x\nFROM a", "   1 | # escape=x\n     |          ^"),
        ("FROM a\nRUN cat <<E\n", "   2 | RUN cat <<E\n     |         ^^"),
        ("FROM a\nRUNN \x1b[2J", "   2 | RUNN ·[2J\n     | ^^^^"),
        ("#", ""),
    ],
)
def test_a_mark_stands_under_the_fault(text: str, caret: str) -> None:
    assert refusal(text).caret() == caret


def test_a_long_line_is_shown_around_its_fault() -> None:
    shown = refusal("FROM a\nENV " + "A=1 " * 1000 + "B\n").caret().splitlines()
    assert len(shown[0]) < 120
    assert shown[0][shown[1].index("^")] == "B"


# ── Lines ────────────────────────────────────────────────────────────────────────────────


def test_directives_end_at_the_first_other_line() -> None:
    read = parse("# syntax=docker/dockerfile:1\n# Escape = ` \nFROM a\nRUN a `\n b\n")
    assert (read.syntax, read.escape) == ("docker/dockerfile:1", "`")
    assert read.instructions[1].text == "RUN a  b"
    assert parse("# check=skip=all\n# escape=`\nFROM a").escape == "\\"
    assert parse("\n# escape=`\nFROM a").escape == "\\"


def test_a_byte_order_mark_and_windows_line_ends_are_not_seen() -> None:
    read = parse("\ufeff# escape=`\r\nFROM a\r\nRUN x `\r\n  y\r\n")
    assert [found.text for found in read.instructions] == ["FROM a", "RUN x   y"]


def test_a_comment_is_a_line_not_a_tail() -> None:
    assert step("RUN echo x # y").text == "RUN echo x # y"


def test_two_escapes_do_not_continue_a_line() -> None:
    assert len(parse("FROM a\nRUN x \\\\\nRUN y\n").instructions) == 3


def test_a_blank_line_inside_an_instruction_is_warned_about() -> None:
    read = parse("FROM a\nRUN echo a \\\n\n  b\n")
    assert read.warning_lines() == (
        "[WARNING]: Empty continuation line found in: RUN echo a   b",
        "[WARNING]: Empty continuation lines will become errors in a future release.",
    )
    assert parse("FROM a\n").warning_lines() == ()


def test_the_last_line_may_want_to_go_on() -> None:
    assert step("RUN echo \\").text == "RUN echo"


# ── Heredocs ─────────────────────────────────────────────────────────────────────────────


def test_heredocs_follow_in_the_order_of_their_words() -> None:
    found = step("COPY <<a.txt <<-'b' /d/\nA $X\na.txt\n\tB $X\n\tb")
    assert isinstance(found, said.Copy)
    assert (found.sources, found.destination, found.span) == ((), "/d/", said.Span(2, 6))
    first, second = found.heredocs
    assert (first.name, first.text, first.expands) == ("a.txt", "A $X\n", True)
    assert (second.name, second.text, second.expands) == ("b", "B $X\n", False)


def test_a_heredoc_is_not_read_as_dockerfile() -> None:
    found = step("RUN <<EOF cat\n# no comment\nFROM x \\\n\nEOF")
    assert isinstance(found, said.Run)
    assert found.heredocs[0].content == "# no comment\nFROM x \\\n\n"
    assert found.text == "RUN <<EOF cat"


@pytest.mark.parametrize(
    "text", ["RUN cat <<<EOF", "RUN echo 'a <<EOF'", 'RUN ["a", "<<EOF"]', "ENV A=<<EOF",
             "RUN echo $((1<<", 'RUN echo "<<EOF'],
)  # fmt: skip
def test_some_words_only_look_like_heredocs(text: str) -> None:
    assert not getattr(step(text), "heredocs", ())


def test_a_trigger_keeps_its_heredoc() -> None:
    found = step("ONBUILD RUN <<EOF\necho x\nEOF")
    assert isinstance(found, said.Onbuild)
    assert found.expression == "RUN <<EOF\necho x\nEOF"
    inner = parse_trigger(found.expression)
    assert isinstance(inner, said.Run)
    assert inner.heredocs[0].text == "echo x\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("XYZZYQ x", "unknown instruction: XYZZYQ"),
        ("FROM x", "*instructions.Stage is not a command type"),
        ("RUN a\nRUN b", "onbuild trigger should be a single expression"),
        ("ENV A", "ENV must have two arguments"),
    ],
)
def test_a_trigger_that_cannot_be_read_is_refused(text: str, message: str) -> None:
    with pytest.raises(DockerfileMalformed) as refused:
        parse_trigger(text)
    assert refused.value.what == message
