"""How Docker reads a command line, where click would read it otherwise.

    --rm=false       a switch may be given a value
    -m=64m  -m64m    a letter takes its value with or without "="
    -it              letters share a dash
    --user 0 IMAGE   the first word that belongs to no flag ends the flags of `run`

`normal` rewrites what was typed into the one spelling that nobody can misread,
`--name=value`, and refuses in Docker's words.  Source: spf13/pflag, flag.go; docker/cli,
cli/required.go.
"""

import difflib
import re
import shlex
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import click

from pyminidock.cli.completing import offered
from pyminidock.cli.failures import ERROR, WordsRefused

_YES = ("1", "t", "T", "TRUE", "true", "True")
_NO = ("0", "f", "F", "FALSE", "false", "False")
_MANY = -1

Options = Mapping[str, click.Option]  # by each of their spellings


def verbs(
    name: str, members: Sequence[click.Command], *, help: str, **others: str
) -> "Verbs":
    """Make a group of verbs, in this order; `others` are other names of some of them."""
    made = Verbs(name, {str(each.name): each for each in members}, help=help)
    made.others = others
    return made


class Verb(click.Command):
    """A command whose words are read as Docker reads them.

    `least` to `most` words that are no flags are wanted; without `is_open` the first of
    them ends the flags.  `gathers`: a flag that takes the NAME=VALUE words behind it too.
    `instead`: a flag that stands for the first word.
    """

    def __init__(  # noqa: PLR0913  (what a command is, plus six facts)
        self, name: str, callback: Callable[..., int | None], *, help: str,
        params: Sequence[click.Parameter] = (), usage: str = "", least: int = 0,
        most: int | None = None, is_open: bool = True, gathers: str = "",
        instead: str = "",
    ) -> None:  # fmt: skip
        words = click.Argument(
            ["words"], nargs=_MANY, type=click.UNPROCESSED, metavar=usage or None,
            shell_complete=offered if usage else None,
        )  # fmt: skip
        super().__init__(
            name, callback=callback, params=[*params, words], help=help,
            options_metavar="[FLAGS]" if params else "",
            context_settings={"allow_interspersed_args": is_open},
        )  # fmt: skip
        self.least = least
        self.most = most if most is not None else (_MANY if usage else 0)
        self.is_open, self.gathers, self.instead = is_open, gathers, instead

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Say how it is used; a verb that takes no words names none."""
        pieces = super().collect_usage_pieces(ctx)
        return pieces if self.most else pieces[:-1]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words.  Raises WordsRefused."""
        ctx.meta["typed"] = [*ctx.command_path.split(), *args]
        if ctx.resilient_parsing:  # a shell asks what could come next
            return super().parse_args(ctx, args)
        options = _spelt(self.get_params(ctx))
        flags, words = normal(self, options, args, ctx.command_path)
        if "--help" not in flags:
            is_said = self.instead and any(
                flag.partition("=")[0] == self.instead for flag in flags
            )
            _count([self.instead] * bool(is_said) + words, self, ctx.command_path)
        return super().parse_args(ctx, [*flags, "--", *words])


class Verbs(click.Group):
    """A verb that is followed by another one; alone it shows its help."""

    others: Mapping[str, str] = {}

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the flags before the second verb."""
        return super().parse_args(ctx, args or ["--help"])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb that is meant.  Raises WordsRefused, which names the closest."""
        known = self.list_commands(ctx)
        args = [self.others.get(args[0], args[0]), *args[1:]]
        if args[0] in known or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        path, meant = ctx.command_path, closest(args[0], known)
        raise WordsRefused(
            f"'{args[0]}' is not a {path} command.",
            why=f"the commands are {', '.join(known)}",
            try_next=shlex.join([*path.split(), meant, *args[1:]])
            if meant
            else f"{path} --help",
            exit_code=ERROR,
        )


def normal(
    verb: Verb, options: Options, args: Sequence[str], path: str
) -> tuple[list[str], list[str]]:
    """Split `args` into flags, as --name or --name=value, and words.

    Raises WordsRefused.
    """
    flags: list[str] = []
    words: list[str] = []
    left = deque(args)
    while left:
        word = left.popleft()
        if words and not verb.is_open:
            words += [word, *left]
            break
        if word == "--":
            words += left
            break
        if word == "-" or not word.startswith("-"):
            words.append(word)
            continue
        for spelling, option, value in _named(word, options, args, path):
            name = max(option.opts, key=len)
            if option.is_flag:
                better = [name if each == word else each for each in args]
                _switch(flags, option, value, shlex.join([*path.split(), *better]))
                continue
            if value is None and not left:
                raise _valueless(spelling, word, path)
            given = left.popleft() if value is None else value
            while name == verb.gathers and left and re.match(r"[a-z_]+=", left[0]):
                given += " " + left.popleft()
            flags.append(f"{name}={given}")
    return flags, words


def invalid(
    value: str, spelling: str, fault: str, *, why: str, try_next: str
) -> WordsRefused:
    r"""Say that a flag cannot have this value, as Docker says it.

    >>> invalid("10x", "-m, --memory", "invalid size: '10x'", why="", try_next="").what
    'invalid argument "10x" for "-m, --memory" flag: invalid size: \'10x\''
    """
    what = f'invalid argument "{value}" for "{spelling}" flag: {fault}'
    return WordsRefused(what, why=why, try_next=try_next)


def typed() -> list[str]:
    """Give the words of the verb that is being performed, as they were typed."""
    return list(click.get_current_context().meta["typed"])


def closest(typed: str, known: Sequence[str]) -> str:
    """Give the known word that was most likely meant, or nothing.

    >>> closest("rnu", ["run", "rm"]), closest("xyz", ["run"])
    ('run', '')
    """
    found = difflib.get_close_matches(typed, known, n=1, cutoff=0.5)
    return found[0] if found else ""


def _spelt(params: Sequence[click.Parameter]) -> Options:
    return {
        spelling: param
        for param in params
        if isinstance(param, click.Option)
        for spelling in (*param.opts, *param.secondary_opts)
    }


def _named(
    word: str, options: Options, args: Sequence[str], path: str
) -> Iterator[tuple[str, click.Option, str | None]]:
    """Take a word with dashes apart: (as it was spelt, which option, its value if here)."""
    if word.startswith("--"):
        spelling, equals, value = word.partition("=")
        if spelling not in options:
            raise _unknown(f"unknown flag: {spelling}", spelling, options, args, path)
        yield spelling, options[spelling], value if equals else None
        return
    letters = word[1:]
    while letters:
        spelling, letters = "-" + letters[0], letters[1:]
        option = options.get(spelling)
        if option is None:
            fault = f"unknown shorthand flag: '{spelling[1]}' in {word}"
            raise _unknown(fault, spelling, options, args, path)
        if option.is_flag and not letters.startswith("="):
            yield spelling, option, None
            continue
        yield spelling, option, letters.removeprefix("=") if letters else None
        return


def _switch(flags: list[str], option: click.Option, value: str | None, better: str) -> None:
    """Turn a switch on or off; the last word on it counts.  `better` is advice."""
    name = max(option.opts, key=len)
    flags[:] = [flag for flag in flags if flag != name]
    if value is None or value in _YES:
        flags.append(name)
    elif value in _NO:
        flags += option.secondary_opts[:1]
    else:
        raise invalid(
            value, _both(option), f'strconv.ParseBool: parsing "{value}": invalid syntax',
            why="a switch is on when it is named; its value can only be true or false",
            try_next=better,
        )  # fmt: skip


def _both(option: click.Option) -> str:
    """Name an option as messages do: the letter, then the word."""
    return ", ".join(sorted(option.opts, key=len))


def _unknown(
    fault: str, spelling: str, options: Options, args: Sequence[str], path: str
) -> WordsRefused:
    meant = closest(spelling, [name for name in options if name.startswith("--")])
    better = [meant + word.removeprefix(spelling) if word.partition("=")[0] == spelling
              else word for word in args]  # fmt: skip
    return WordsRefused(
        fault,
        why=f"`{path}` has no such flag",
        try_next=shlex.join([*path.split(), *better]) if meant else f"{path} --help",
    )


def _valueless(spelling: str, word: str, path: str) -> WordsRefused:
    named = spelling if word.startswith("--") else f"'{spelling[1]}' in {word}"
    return WordsRefused(
        f"flag needs an argument: {named}",
        why=f"{spelling} stands at the end, and it is no switch",
        try_next=f"{path} --help",
    )


def _count(words: Sequence[str], verb: Verb, path: str) -> None:
    """Refuse too few words, or too many."""
    most = len(words) if verb.most == _MANY else verb.most
    if verb.least <= len(words) <= most:
        return
    if verb.most == 0:
        rule = "accepts no arguments"
    elif verb.least == verb.most:
        rule = f"requires exactly {_arguments(verb.most)}"
    elif verb.least and verb.most != _MANY:
        rule = f"requires at least {verb.least} and at most {_arguments(verb.most)}"
    elif len(words) < verb.least:
        rule = f"requires at least {_arguments(verb.least)}"
    else:
        rule = f"requires at most {_arguments(verb.most)}"
    usage = next(param.metavar for param in verb.params if param.name == "words")
    raise WordsRefused(
        f'"{path}" {rule}.',
        why=f"it is used so: {path} {usage or ''}".rstrip(),
        try_next=f"{path} --help",
        exit_code=ERROR,
    )


def _arguments(number: int) -> str:
    return f"{number} argument" + ("s" if number != 1 else "")


def switch(*names: str, help: str, default: bool = False, **more: Any) -> click.Option:
    """Declare a flag without a value."""
    return click.Option(names, is_flag=True, default=default, help=help, **more)


def text(
    *names: str, help: str, metavar: str = "TEXT", default: str | None = None
) -> click.Option:
    """Declare a flag with one value."""
    return click.Option(names, default=default, help=help, metavar=metavar, type=str)


def texts(*names: str, help: str, metavar: str = "TEXT") -> click.Option:
    """Declare a flag that may be given several times."""
    return click.Option(names, multiple=True, help=help, metavar=metavar, type=str)
