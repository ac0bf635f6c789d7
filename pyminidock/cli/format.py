r"""What `--format` shows: the part of Go's templates that people use.

    {{.Repository}}:{{.Tag}}     a field; {{.Config.Env}}: a field of a field
    {{json .}}  {{json .Config}} as JSON
    table {{.ID}}\t{{.Size}}     in columns, with headings
    json                         each row as JSON

Anything else a template could hold is refused by name, never shown as it stands, and so is
a field that is not there.

Source: docker/cli, templates/templates.go and cli/command/formatter.
"""

import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from pyminidock.cli.failures import WordsRefused
from pyminidock.image import jsontext

_ACTION = re.compile(r"\{\{(.*?)\}\}")
_FREE = ("Labels", "Annotations", "Options")  # names that people choose
_FIELD = re.compile(r"(json )?\.([A-Za-z0-9]+(?:\.[A-Za-z0-9_]+)*)?")
_HEADINGS = {"ID": "IMAGE ID", "CreatedAt": "CREATED AT", "CreatedSince": "CREATED",
             "CreatedBy": "CREATED BY", "SharedSize": "SHARED SIZE",
             "UniqueSize": "UNIQUE SIZE"}  # fmt: skip

Row = Mapping[str, Any]


def is_table(template: str) -> bool:
    """Whether a template asks for columns."""
    return template == "table" or template.startswith("table ")


def shower(template: str, of: str = "") -> Callable[[Row], str]:
    """Give what writes one row as the template says; `of` is what Docker calls a row.

    Raises WordsRefused, and so does what it gives.

    >>> shower("{{.ID}} {{json .Tag}}")({"ID": "1", "Tag": "latest"})
    '1 "latest"'
    """
    if template == "json":
        return lambda row: jsontext.write(dict(row)).decode()
    text = template.removeprefix("table ").replace("\\t", "\t").replace("\\n", "\n")
    if "{{" in _ACTION.sub("", text):
        raise _refused("template: :1: unclosed action")
    for action in _ACTION.findall(text):
        if not _FIELD.fullmatch(action.strip()):
            raise _refused(f"{{{{{action.strip()}}}}} is not understood")
    return lambda row: _ACTION.sub(lambda found: _value(found, row, of), text)


def headings(template: str, **others: str) -> str:
    """Give the first line of a table; `others` are headings that differ from the usual."""
    text = template.removeprefix("table ").replace("\\t", "\t")
    known = _HEADINGS | others
    return _ACTION.sub(lambda found: _heading(found[1].strip(), known), text)


def _heading(action: str, known: Mapping[str, str]) -> str:
    name = action.removeprefix("json ").removeprefix(".")
    return known.get(name, name.upper())


def _value(action: re.Match[str], row: Row, of: str) -> str:
    """Find what an action stands for.  Raises WordsRefused."""
    found = _FIELD.fullmatch(action[1].strip())
    assert found is not None  # noqa: S101  (shower looked)
    names = found[2].split(".") if found[2] else []
    value: Any = row
    for place, name in enumerate(names):
        inside = value if isinstance(value, Mapping) else {}
        if name not in inside and not (place and names[place - 1] in _FREE):
            at = (
                action.start() + action[0].index(".") + sum(map(len, names[:place])) + place
            )
            why = (
                f"can't evaluate field {name} in type {of}" if of
                else f'map has no entry for key "{name}"'
            )  # fmt: skip
            chain = ".".join(names)
            raise _refused(f'template: :1:{at}: executing "" at <.{chain}>: {why}')
        value = inside.get(name, "<no value>")
    return jsontext.write(value).decode() if found[1] else _plain(value)


def _plain(value: Any) -> str:
    """Write a value as Go prints it."""
    match value:
        case None:
            return "<nil>"
        case bool():
            return str(value).lower()
        case list():
            return "[" + " ".join(map(_plain, value)) + "]"
        case Mapping():
            return (
                "map["
                + " ".join(f"{key}:{_plain(value[key])}" for key in sorted(value))
                + "]"
            )
    return str(value)


def _refused(what: str) -> WordsRefused:
    return WordsRefused(
        f"template parsing error: {what}",
        why="a template here holds fields, {{.Name}}, and {{json .Name}}, and no more",
        try_next=f"--format {shlex.quote('{{json .}}')} shows which fields there are",
        exit_code=1,
    )
