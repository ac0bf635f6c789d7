r"""What `--format` shows: the part of Go's templates that people use.

    {{.Repository}}:{{.Tag}}     a field; {{.Config.Env}}: a field of a field
    {{json .}}  {{json .Config}} as JSON
    table {{.ID}}\t{{.Size}}     in columns, with headings
    json                         each row as JSON

Anything else a template could hold is refused by name, never shown as it stands.

Source: docker/cli, templates/templates.go and cli/command/formatter.
"""

import json
import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from pyminidock.cli.failures import WordsRefused

_ACTION = re.compile(r"\{\{(.*?)\}\}")
_FIELD = re.compile(r"(json )?\.([A-Za-z0-9]+(?:\.[A-Za-z0-9_]+)*)?")
_HEADINGS = {"ID": "IMAGE ID", "CreatedAt": "CREATED AT", "CreatedSince": "CREATED",
             "CreatedBy": "CREATED BY"}  # fmt: skip

Row = Mapping[str, Any]


def is_table(template: str) -> bool:
    """Whether a template asks for columns."""
    return template == "table" or template.startswith("table ")


def shower(template: str) -> Callable[[Row], str]:
    """Give what writes one row as the template says.  Raises WordsRefused.

    >>> shower("{{.ID}} {{json .Tag}}")({"ID": "1", "Tag": "latest"})
    '1 "latest"'
    """
    if template == "json":
        return lambda row: json.dumps(dict(row), separators=(",", ":"))
    text = template.removeprefix("table ").replace("\\t", "\t").replace("\\n", "\n")
    for action in _ACTION.findall(text):
        if not _FIELD.fullmatch(action.strip()):
            raise _refused(action.strip())
    return lambda row: _ACTION.sub(lambda found: _value(found[1].strip(), row), text)


def headings(template: str) -> str:
    """Give the first line of a table."""
    text = template.removeprefix("table ").replace("\\t", "\t")
    return _ACTION.sub(lambda found: _heading(found[1].strip()), text)


def _heading(action: str) -> str:
    name = action.removeprefix("json ").removeprefix(".")
    return _HEADINGS.get(name, name.upper())


def _value(action: str, row: Row) -> str:
    found = _FIELD.fullmatch(action)
    value: Any = row
    for name in (found[2] or "").split(".") if found else ():
        if name:
            value = (
                value.get(name, "<no value>")
                if isinstance(value, Mapping)
                else "<no value>"
            )
    if found and found[1]:
        return json.dumps(value, separators=(",", ":"))
    return _plain(value)


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


def _refused(action: str) -> WordsRefused:
    return WordsRefused(
        f"template parsing error: {{{{{action}}}}} is not understood",
        why="a template here holds fields, {{.Name}}, and {{json .Name}}, and no more",
        try_next=shlex.join(["minidock", "images", "--format", "{{json .}}"]),
        exit_code=1,
    )
