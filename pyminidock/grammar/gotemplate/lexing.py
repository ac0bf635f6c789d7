r"""A template becomes tokens: text, and the words between braces.

    a {{- .Name -}} b     text "a", "{{", field ".Name", "}}", text "b"
       └──┬──────┘        a dash with a blank takes the blanks outside away

Blanks between words are tokens, too: `.A.B` is one chain and `.A .B` are two words.  A
mistake ends the tokens with one of kind "error", whose text is the message.
Source: Go, text/template/parse, lex.go.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_BLANKS = " \t\r\n"
_KEYWORDS = frozenset(
    ("block", "break", "continue", "define", "else", "end", "if", "range", "nil",
     "template", "with")
)  # fmt: skip
_SIGNS = {"=": "assign", "|": "pipe", "(": "left paren", ")": "right paren"}
_NUMBER = re.compile(
    r"[+-]?(0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+"
    r"|[0-9_]*\.?[0-9_]*(?:[eE][+-]?[0-9_]+)?)"
)
_QUOTED = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_CHARACTER = re.compile(r"'(?:[^'\\\n]|\\.)+'")


@dataclass(frozen=True, slots=True)
class Token:
    """One token; `place` counts bytes, `line` from 1."""

    kind: str
    text: str
    place: int
    line: int

    def __str__(self) -> str:
        if self.kind == "end of text":
            return "EOF"
        if self.kind == "error":
            return self.text
        if self.kind in ("keyword", "dot", "nil"):
            return f"<{self.text}>"
        return quoted(self.text[:10]) + ("..." if len(self.text) > 10 else "")


def quoted(text: str) -> str:
    r"""Write a text as a Go literal.

    >>> quoted('a"\n')
    '"a\\"\\n"'
    """
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return '"' + "".join(escapes.get(each, each) for each in text) + '"'


def tokens(source: str) -> Iterator[Token]:
    """Cut a template into tokens; the last is "end of text", or "error".

    >>> [token.text for token in tokens("a {{.B}}")]
    ['a ', '{{', '.B', '}}', '']
    """
    return _Lexer(source).all()


class _Lexer:
    """Goes through a text once; `_at` is the next character."""

    def __init__(self, source: str) -> None:
        self._source, self._at, self._depth = source, 0, 0

    def all(self) -> Iterator[Token]:
        is_trimmed = False  # by the braces before
        while True:
            opened = self._source.find("{{", self._at)
            text = self._source[self._at : opened if opened >= 0 else None]
            trims = opened >= 0 and re.match(r"-[ \t\r\n]", self._source[opened + 2 :])
            shown = text.rstrip(_BLANKS) if trims else text
            left = shown.lstrip(_BLANKS) if is_trimmed else shown
            if left:
                yield self._token("text", left, self._at + len(shown) - len(left))
            if opened < 0:
                self._at = len(self._source)
                yield self._token("end of text", "", self._at)
                return
            self._at = opened
            comment = re.compile(r"\{\{(- )?/\*").match(self._source, opened)
            if comment:
                fault, is_trimmed = self._skip_comment(comment.end())
                if fault:
                    yield self._token("error", fault, opened)
                    return
                continue
            yield self._token("left", "{{", opened)
            self._at += 3 if trims else 2
            self._depth = 0
            for token in self._inside():
                yield token
                if token.kind == "error":
                    return
            is_trimmed = self._source[self._at - 3] == "-"

    def _skip_comment(self, begin: int) -> tuple[str, bool]:
        """Go behind a comment; give what is wrong with it, and whether it trims."""
        end = self._source.find("*/", begin)
        if end < 0:
            return "unclosed comment", False
        closed = re.compile(r"([ \t\r\n]-)?\}\}").match(self._source, end + 2)
        if closed is None:
            return "comment ends before closing delimiter", False
        self._at = closed.end()
        return "", closed[1] is not None

    def _inside(self) -> Iterator[Token]:
        """Give the tokens up to the closing braces, and these."""
        while True:
            closed = re.compile(r"([ \t\r\n]-)?\}\}").match(self._source, self._at)
            if closed and self._depth == 0:
                place = closed.end() - 2
                self._at = closed.end()
                yield self._token("right", "}}", place)
                return
            if closed:
                yield self._token("error", "unclosed left paren", self._at)
                return
            yield (token := self._word())
            if token.kind == "error":
                return

    def _word(self) -> Token:  # noqa: PLR0911  (one for each kind)
        """Take the next token within an action."""
        begin = self._at
        letter = self._source[begin : begin + 1]
        if not letter:
            return self._token("error", "unclosed action", begin)
        if letter in _BLANKS:
            while self._source[self._at : self._at + 1] in tuple(_BLANKS) and not re.match(
                r"[ \t\r\n]-\}\}", self._source[self._at : self._at + 4]
            ):
                self._at += 1
            return self._token("space", self._source[begin : self._at], begin)
        if letter in _SIGNS:
            return self._sign(letter)
        if letter == ":":
            if self._source[begin + 1 : begin + 2] != "=":
                return self._token("error", "expected :=", begin)
            return self._take("declare", 2)
        if letter in "\"'`":
            return self._quoted(letter)
        following = self._source[begin + 1 : begin + 2]
        if letter in "$." and not (letter == "." and following.isdigit()):
            return self._name("variable" if letter == "$" else "field", 1)
        if letter in "+-." or letter.isdigit():
            return self._number()
        if letter.isalnum() or letter == "_":
            return self._name("identifier", 0)
        if letter.isascii() and letter.isprintable():
            return self._take("character", 1)
        return self._bad("unrecognized character in action", letter)

    def _sign(self, letter: str) -> Token:
        self._depth += {"(": 1, ")": -1}.get(letter, 0)
        if self._depth < 0:
            return self._token("error", "unexpected right paren", self._at)
        return self._take(_SIGNS[letter], 1)

    def _quoted(self, mark: str) -> Token:
        if mark == "`":
            end = self._source.find("`", self._at + 1)
            if end < 0:
                return self._token("error", "unterminated raw quoted string", self._at)
            return self._take("raw string", end + 1 - self._at)
        pattern, kind = (_QUOTED, "string") if mark == '"' else (_CHARACTER, "number")
        found = pattern.match(self._source, self._at)
        if found is None:
            what = "quoted string" if mark == '"' else "character constant"
            return self._token("error", f"unterminated {what}", self._at)
        return self._take(kind, len(found[0]))

    def _number(self) -> Token:
        found = _NUMBER.match(self._source, self._at)
        length = len(found[0]) if found else 1
        after = self._source[self._at + length : self._at + length + 1]
        if after.isalnum() or after == "_":
            bad = self._source[self._at : self._at + length + 1]
            return self._token("error", f"bad number syntax: {quoted(bad)}", self._at)
        return self._take("number", length)

    def _name(self, kind: str, begin: int) -> Token:
        """Take a field, a variable, a function or a keyword."""
        end = self._at + begin
        while self._source[end : end + 1].isalnum() or self._source[end : end + 1] == "_":
            end += 1
        text = self._source[self._at : end]
        after = self._source[end : end + 1]
        if (
            after
            and after not in " \t\r\n.,|:)("
            and not self._source.startswith("}}", end)
        ):
            self._at = end
            return self._bad("bad character", after)
        if text == ".":
            kind = "dot"
        elif text in _KEYWORDS:
            kind = "nil" if text == "nil" else "keyword"
        elif text in ("true", "false"):
            kind = "bool"
        return self._take(kind, len(text))

    def _bad(self, what: str, letter: str) -> Token:
        shown = f" '{letter}'" if letter.isprintable() else ""
        return self._token("error", f"{what} U+{ord(letter):04X}{shown}", self._at)

    def _take(self, kind: str, length: int) -> Token:
        begin = self._at
        self._at += length
        return self._token(kind, self._source[begin : self._at], begin)

    def _token(self, kind: str, text: str, at: int) -> Token:
        before = self._source[:at]
        return Token(kind, text, len(before.encode()), 1 + before.count("\n"))
