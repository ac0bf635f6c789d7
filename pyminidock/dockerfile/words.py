r"""How the rest of an instruction is cut into words.  There are four ways, by instruction.

    blanks       FROM a AS b                 at every run of blanks, quotes mean nothing
    quoted       ENV A="b c" D=e\ f          a blank inside quotes or escaped does not cut
    JSON         CMD ["sh", "-c"]            an array of strings; anything else is no JSON
    whole        USER  RUN echo  a           nothing is cut

Flags come first in every instruction: words that begin with `--`.

Source: buildkit 0.13, frontend/dockerfile/parser/line_parsers.go and split_command.go.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from pyminidock.dockerfile.gotext import SPACES
from pyminidock.dockerfile.malformed import Fault

_BLANKS = re.compile(r"[\t\v\f\r ]+")
_ASCII_SPACES = "\t\n\v\f\r "  # Docker looks for flags byte by byte
_LONE = re.compile(r"[\ud800-\udfff]")  # no character: Go reads U+FFFD


def split_instruction(line: str) -> tuple[str, tuple[str, ...], str]:
    """Cut a logical line into keyword, flags and the rest.

    >>> split_instruction("copy --chown=1:1 --link  a /b ")
    ('copy', ('--chown=1:1', '--link'), 'a /b')
    """
    keyword, *more = _BLANKS.split(line.strip(SPACES), maxsplit=1)
    flags, rest = _split_flags(more[0]) if more else ((), "")
    return keyword, flags, rest.strip(SPACES)


def _split_flags(text: str) -> tuple[tuple[str, ...], str]:
    """Take the words in front that begin with --; a bare -- ends them."""
    flags: list[str] = []
    place = 0
    while True:
        while place < len(text) and text[place] in _ASCII_SPACES:
            place += 1
        if not text.startswith("--", place):
            return tuple(flags), text[place:]
        word, place = _flag(text, place)
        if word == "--":
            return tuple(flags), text[place:]
        if word:
            flags.append(word)


def _flag(text: str, place: int) -> tuple[str, int]:
    """Read one flag from `place`: quotes and backslashes go, and hold blanks together."""
    word: list[str] = []
    quote = ""
    while place < len(text):
        character = text[place]
        if not quote and character in _ASCII_SPACES:
            break
        place += 1
        if character == quote:
            quote = ""
        elif not quote and character in "'\"":
            quote = character
        elif character == "\\":
            word.append(text[place : place + 1])
            place += 1
        else:
            word.append(character)
    return "".join(word), place


def blanks(text: str) -> tuple[str, ...]:
    """Cut at runs of blanks."""
    return tuple(_BLANKS.split(text)) if text else ()


def cut_once(text: str) -> tuple[str, ...]:
    """Cut at the first run of blanks only."""
    return tuple(_BLANKS.split(text, maxsplit=1))


def quoted(text: str, escape: str = "\\") -> tuple[str, ...]:
    r"""Cut at blanks that are neither quoted nor escaped; quotes and escapes stay.

    >>> quoted('A="b c" D=e\\ f')
    ('A="b c"', 'D=e\\ f')
    """
    return tuple(_quoted(text, escape))


def _quoted(text: str, escape: str) -> Iterator[str]:
    word: list[str] = []
    quote = ""
    is_word = False
    characters = iter(text)
    for character in characters:
        if not quote and character in SPACES:
            if is_word:
                yield "".join(word)
            word, is_word = [], False
            continue
        if character == escape and quote != "'":
            following = next(characters, "")
            if following:  # an escape at the very end says nothing
                word += (character, following)
                is_word = True
            continue
        if character == quote:
            quote = ""
        elif not quote and character in "'\"":
            quote = character
        word.append(character)
        is_word = True
    if is_word:
        yield "".join(word)


class NotJson(ValueError):
    """The text is no JSON array, so it is meant as it stands."""


def json_words(text: str) -> tuple[str, ...]:
    """Read a JSON array of strings; what follows it is ignored, as in Docker.

    Raises NotJson, and Fault for an array that holds something else.

    >>> json_words('["echo", "a b"]')
    ('echo', 'a b')
    """
    text = text.lstrip(SPACES)
    if not text.startswith("["):
        raise NotJson
    try:
        array, _ = _DECODER.raw_decode(text)
    except RecursionError:  # arrays in arrays in arrays: whatever they are, not strings
        array = [None]
    except ValueError as error:
        raise NotJson from error
    if not all(isinstance(word, str) for word in array):
        raise Fault(
            "when using JSON array syntax, arrays must be comprised of strings only",
            'every word of a command is text, numbers too: write "8080"',
            "[",
        )
    return tuple(_LONE.sub("\ufffd", word) for word in array)


def _refuse(_: str) -> Any:
    raise ValueError("NaN and Infinity are no JSON")


def _number(_: str) -> None:
    """A number is not a string, whatever its value; none is ever computed."""


_DECODER = json.JSONDecoder(parse_int=_number, parse_float=_number, parse_constant=_refuse)
