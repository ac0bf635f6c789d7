r"""Where JSON is broken, in the words of Go, which clients and their users know.

    {"a":1,}      invalid character '}' looking for beginning of object key string
    {"a" 1}       invalid character '1' after object key
    [1 2]         invalid character '2' after array element
    {"a":nope}    invalid character 'o' in literal null (expecting 'u')

Source: Go, encoding/json, scanner.go.
"""

import json
import re

_AFTER = {
    "Expecting value": "looking for beginning of value",
    "Unexpected UTF-8 BOM (decode using utf-8-sig)": "looking for beginning of value",
    "Expecting property name enclosed in double quotes":
        "looking for beginning of object key string",
    "Expecting ':' delimiter": "after object key",
    "Invalid control character at": "in string literal",
}  # fmt: skip
_TRAILING = (
    "Illegal trailing comma"  # which Python blames from 3.13 on, and Go what follows
)
_TOKENS = re.compile(r'"(?:\\.|[^"\\])*"|[][{}]', re.DOTALL)
_LITERALS = {word[0]: word for word in ("true", "false", "null")}


def fault(text: str, mistake: json.JSONDecodeError) -> str:
    r"""Say what Go says of `text`, of which Python said `mistake`.

    >>> def said(text):
    ...     try:
    ...         json.loads(text)
    ...     except json.JSONDecodeError as mistake:
    ...         return fault(text, mistake)
    >>> print(said("{'a':1}"))
    invalid character '\'' looking for beginning of object key string
    >>> print(said('{"a":1 "b":2}'))
    invalid character '"' after object key:value pair
    >>> said('{"a":nul'), said('{"a":nope}')
    ('unexpected EOF', "invalid character 'o' in literal null (expecting 'u')")
    """
    message, place = mistake.msg, mistake.pos
    if message.startswith(_TRAILING):
        rest = text[place + 1 :]
        place += 1 + len(rest) - len(rest.lstrip())
        named = "Expecting property name enclosed in double quotes"
        message = named if message.endswith("object") else "Expecting value"
    if place >= len(text.rstrip()) or message.startswith("Unterminated"):
        return "unexpected EOF"
    context = _AFTER.get(message, "")
    literal = _LITERALS.get(text[place], "")
    if message == "Expecting value" and literal:
        return _in_literal(text[place:], literal)
    if message == "Expecting ',' delimiter":
        is_object = _innermost(text[:place]) == "{"
        context = f"after {'object key:value pair' if is_object else 'array element'}"
    if not context:
        return f"{message} at character {place}"
    return f"invalid character {_quoted(text[place])} {context}"


def _in_literal(text: str, literal: str) -> str:
    """Find where what begins like a literal is none."""
    for found, wanted in zip(text, literal, strict=False):
        if found != wanted:
            return (
                f"invalid character {_quoted(found)} in literal {literal} "
                f"(expecting {_quoted(wanted)})"
            )
    return "unexpected EOF"


def _innermost(text: str) -> str:
    """Tell what was opened last and not closed: "{", "[", or ""."""
    opened = [""]
    for found in _TOKENS.findall(text):
        if found in "{[":
            opened.append(found)
        elif found in "}]" and len(opened) > 1:
            opened.pop()
    return opened[-1]


def _quoted(character: str) -> str:
    """Quote as Go does, which sees bytes."""
    first = chr(character.encode("utf-8", "surrogatepass")[0])
    known = {"'": "\\'", '"': '"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    shown = known.get(first, first if first.isprintable() else f"\\x{ord(first):02x}")
    return f"'{shown}'"
