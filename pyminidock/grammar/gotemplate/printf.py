r"""What `printf` writes: Go's verbs, flags, widths, and its remarks about mistakes.

    %-20s|  │  flags: - left, 0 zeros, + sign, # other form, blank
     ││└─ verb: v s q d x X o b c t f e g T %
     │└── width and .precision; * takes them from the arguments
     └─── flags

A mistake is no failure: it is written where the value would be, as `%!d(string=a)`.
Source: Go, fmt/doc.go and fmt/print.go.
"""

import re
from collections.abc import Sequence
from typing import Any

from pyminidock.grammar.gotemplate.lexing import quoted
from pyminidock.grammar.gotemplate.values import shown, type_name

_VERB = re.compile(r"%([-+# 0]*)(\*|\d+)?(?:\.(\*|\d*))?(.)?", re.DOTALL)
_WHOLE = {"d": "d", "x": "x", "X": "X", "o": "o", "b": "b"}


def printf(form: str, values: Sequence[Any]) -> str:
    """Write values as a form says.

    >>> printf("%-6s|%03d|%q|%.2f|%v", ["ab", 7, "x", 1.5, [1, 2]])
    'ab    |007|"x"|1.50|[1 2]'
    >>> printf("%d %s", ["a"])
    '%!d(string=a) %!s(MISSING)'
    """
    left = list(values)

    def write(found: re.Match[str]) -> str:
        flags, width, precision, verb = found.groups()
        if verb is None:
            return "%!(NOVERB)"
        if verb == "%":
            return "%"
        width = str(left.pop(0)) if width == "*" and left else width
        precision = str(left.pop(0)) if precision == "*" and left else precision
        if not left:
            return f"%!{verb}(MISSING)"
        text = _one(verb, flags, precision, left.pop(0))
        return _padded(text, flags, int(width or 0), is_number=verb in "dxXobfeg")

    written = _VERB.sub(write, form)
    if left:
        extra = ", ".join(f"{type_name(each)}={shown(each)}" for each in left)
        written += f"%!(EXTRA {extra})"
    return written


def _one(verb: str, flags: str, precision: str | None, value: Any) -> str:
    """Write one value without its width."""
    if isinstance(value, list | tuple) and verb in "sqdxX":
        return "[" + " ".join(_one(verb, flags, precision, each) for each in value) + "]"
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    text: str | None = None
    if verb == "v":
        text = shown(value)
    elif verb == "T":
        text = type_name(value)
    elif verb == "t" and isinstance(value, bool):
        text = shown(value)
    elif verb in "sq" and isinstance(value, str):
        cut = value[: int(precision)] if precision else value
        text = quoted(cut) if verb == "q" else cut
    elif verb in "xX" and isinstance(value, str):
        text = format(value.encode().hex(), "s")
        text = text.upper() if verb == "X" else text
    elif verb in _WHOLE and is_whole:
        text = format(value, ("+" if "+" in flags else "") + _WHOLE[verb])
        text = f"0{verb}{text}" if "#" in flags and verb in "xX" else text
    elif verb == "c" and is_whole:
        text = chr(value)
    elif verb in "feg" and isinstance(value, float):
        text = format(value, f"{'+' if '+' in flags else ''}.{precision or 6}{verb}")
        text = shown(value) if verb == "g" and not precision else text
    return f"%!{verb}({type_name(value)}={shown(value)})" if text is None else text


def _padded(text: str, flags: str, width: int, *, is_number: bool) -> str:
    if "-" in flags:
        return text.ljust(width)
    if "0" in flags and is_number:
        return text.zfill(width)
    return text.rjust(width)
