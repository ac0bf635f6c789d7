"""A command line is read as Docker reads it, and refused in Docker's words."""

import subprocess
import sys
from collections.abc import Sequence

import click
import pytest

from pyminidock.cli.failures import ERROR, NOT_STARTED, WordsRefused
from pyminidock.cli.main import GROUP
from pyminidock.cli.words import Verb, switch, text, texts


def read(*words: str) -> tuple[dict[str, object], Sequence[str]]:
    """Let a small verb read `words`; give the flags that were set, and the other words."""
    heard: list[dict[str, object]] = []
    verb = Verb(
        "run",
        lambda **given: heard.append(given),
        help="",
        params=[
            switch("--tty", "-t", help=""),
            switch("--interactive", "-i", help=""),
            switch("--sig-proxy/--no-sig-proxy", help="", default=True),
            text("--memory", "-m", help=""),
            texts("--env", "-e", help=""),
            texts("--break", "breaks", help=""),
        ],
        usage="IMAGE [COMMAND]…",
        least=1,
        is_open=False,
        gathers="--break",
    )
    verb.main(list(words), prog_name="minidock run", standalone_mode=False)
    (given,) = heard
    others = given.pop("words")
    assert isinstance(others, tuple)
    return {name: value for name, value in given.items() if value}, others


def test_a_verb_without_words_promises_none() -> None:
    verb = Verb("tour", lambda: 0, help="", params=[switch("--text", help="")])
    usage = verb.get_usage(click.Context(verb, info_name="minidock tour"))
    assert usage == "Usage: minidock tour [FLAGS]"


@pytest.mark.parametrize(
    ("typed", "flags", "words"),
    [
        pytest.param("-it busybox sh", {"tty", "interactive"}, "busybox sh", id="letters"),
        pytest.param("--tty=false busybox", set(), "busybox", id="a switch turned off"),
        pytest.param("-t --tty=false busybox", set(), "busybox", id="the last one counts"),
        pytest.param("-t=true busybox", {"tty"}, "busybox", id="a letter with a value"),
        pytest.param("busybox -t -i", set(), "busybox -t -i", id="IMAGE ends the flags"),
        pytest.param("-t busybox -- -i", {"tty"}, "busybox -- -i", id="dashes inside"),
        pytest.param("-t -- -i", {"tty"}, "-i", id="dashes before the words"),
    ],
)
def test_switches(typed: str, flags: set[str], words: str) -> None:
    given, others = read(*typed.split())
    assert set(given) - {"sig_proxy"} == flags
    assert " ".join(others) == words


def test_a_switch_that_is_on_can_be_turned_off() -> None:
    assert read("busybox")[0] == {"sig_proxy": True}
    assert read("--sig-proxy=false", "busybox")[0] == {}


@pytest.mark.parametrize("typed", ["-m 64m", "-m64m", "-m=64m", "--memory 64m", "-itm 64m"])
def test_every_spelling_of_a_value(typed: str) -> None:
    assert read(*typed.split(), "busybox")[0]["memory"] == "64m"


def test_values_may_begin_with_a_dash() -> None:
    given, others = read("--memory", "-1", "-e", "-x", "busybox")
    assert (given["memory"], given["env"], others) == ("-1", ("-x",), ("busybox",))


def test_fields_of_a_break_may_be_words_of_their_own() -> None:
    given, others = read("--break", "layer.probed", "path=/a", "-t", "busybox", "A=1")
    assert given["breaks"] == ("layer.probed path=/a",)
    assert others == ("busybox", "A=1")


@pytest.mark.parametrize(
    ("typed", "what", "code", "try_next"),
    [
        (
            "--memroy 64m busybox", "unknown flag: --memroy", NOT_STARTED,
            "minidock run --memory 64m busybox",
        ),
        (
            "-tz busybox", "unknown shorthand flag: 'z' in -tz", NOT_STARTED,
            "minidock run --help",
        ),
        (
            "--memory", "flag needs an argument: --memory", NOT_STARTED,
            "minidock run --help",
        ),
        ("-tm", "flag needs an argument: 'm' in -tm", NOT_STARTED, "minidock run --help"),
        ("", '"minidock run" requires at least 1 argument.', ERROR, "minidock run --help"),
        (
            "--tty=maybe busybox",
            'invalid argument "maybe" for "-t, --tty" flag: strconv.ParseBool: parsing '
            '"maybe": invalid syntax',
            NOT_STARTED, "minidock run --tty busybox",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_refused_in_dockers_words(
    typed: str, what: str, code: int, try_next: str
) -> None:
    with pytest.raises(WordsRefused) as refusal:
        read(*typed.split())
    assert refusal.value.what == what
    assert refusal.value.exit_code == code
    assert refusal.value.try_next == try_next
    assert refusal.value.why


def test_an_unknown_verb_names_the_one_that_was_meant() -> None:
    with pytest.raises(WordsRefused) as refusal:
        GROUP.main(["rnu", "busybox"], prog_name="minidock", standalone_mode=False)
    assert refusal.value.what == "'rnu' is not a minidock command."
    assert refusal.value.try_next == "minidock run busybox"
    assert refusal.value.exit_code == ERROR


def test_an_unknown_second_verb_does_so_too() -> None:
    with pytest.raises(WordsRefused) as refusal:
        GROUP.main(["system", "rest"], prog_name="minidock", standalone_mode=False)
    assert refusal.value.try_next == "minidock system reset"


def test_every_verb_can_be_loaded_and_has_help() -> None:
    context = click.Context(GROUP)
    for name in GROUP.list_commands(context):
        command = GROUP.get_command(context, name)
        assert command is not None
        assert command.name == name
        assert command.help


def test_a_plain_table_loads_neither_templates_nor_pens() -> None:
    """Everybody waits for what is loaded."""
    for verb in ("ps", "images", "inspect", "run", "events"):
        script = (
            "import sys, pyminidock.cli.main as main\n"
            f"main.GROUP.get_command(None, {verb!r})\n"
            "print(*sys.modules)"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=False
        )
        loaded = set(done.stdout.split())
        assert "pyminidock.cli.words" in loaded, done.stderr
        heavy = {"rich", "pyminidock.grammar.gotemplate", "pyminidock.events", "tarfile"}
        assert not loaded & heavy, verb
