r"""What `--format` shows of a row, or of a document.

    table {{.ID}}\t{{.Size}}     in columns, with headings
    json                         each row as JSON
    {{.Repository}}:{{.Tag}}     anything that Go's templates can say

A row is what Docker calls a context: texts that were made for people.  A document is an
answer of the engine: it is first taken for the struct that Docker's own client has, then
for a map of anything, where a key that is not there is a mistake.

Source: docker/cli, cli/command/formatter and cli/command/inspect/inspector.go.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pyminidock.cli.failures import WordsRefused
from pyminidock.grammar.gotemplate import Struct, Template, TemplateRefused, parse, run
from pyminidock.grammar.gotemplate.functions import HEADINGS

Row = Mapping[str, Any]
JSON = "{{json .}}"
_UNREADABLE = 64  # a template that `inspect` cannot read


class _Headings(Struct):
    """Headings by the fields they stand over; a field without one has no value."""

    def find(self, name: str) -> Any:
        """Give a heading; what a label is called is its own."""
        if name == "Label":
            return lambda label: (
                label.rpartition(".")[2].replace("-", " ").replace("_", " ")
            )
        return self.get(name, "<no value>")


def is_table(template: str) -> bool:
    """Whether a template asks for columns.

    >>> is_table("table {{.ID}}"), is_table("{{.ID}}")
    (True, False)
    """
    return template.startswith("table")


def shower(template: str, of: str) -> Callable[[Row], str]:
    """Give what writes one row as the template says; `of` is what Docker calls a row.

    Raises WordsRefused, and so does what it gives.

    >>> shower("{{.ID}} {{json .Tag}}", "*x")({"ID": "1", "Tag": "latest"})
    '1 "latest"'
    """
    made = _read(JSON if template == "json" else _row_template(template))
    return lambda row: _shown(made, Struct(row, of, is_context=True))


def headings(template: str, names: Mapping[str, str]) -> str:
    """Give the first line of a table: the template, shown with the headings."""
    made = _read(_row_template(template))
    try:
        return run(made, _Headings(names, "formatter.SubHeaderContext"), functions=HEADINGS)
    except TemplateRefused as refusal:
        raise _refused(refusal) from refusal


def document_shower(template: str) -> Callable[[Any, Any], str]:
    """Give what writes a document, given as a struct and as it came.

    Raises WordsRefused, and so does what it gives.
    """
    try:
        made = _read(template)
    except WordsRefused as refusal:
        refusal.exit_code = _UNREADABLE
        raise

    def write(typed: Any, raw: Any) -> str:
        try:
            return run(made, typed)
        except TemplateRefused:
            return _shown(made, raw, is_strict=True)

    return write


def value_shower(template: str) -> Callable[[Any], str]:
    """Give what writes a value that is never taken for a map: an event, a version."""
    made = _read(JSON if template == "json" else template)
    return lambda value: _shown(made, value)


def _row_template(template: str) -> str:
    r"""Take "table" away, and read \t and \n, as Docker does for rows alone."""
    text = template.removeprefix("table").strip(" ") if is_table(template) else template
    return text.replace("\\t", "\t").replace("\\n", "\n")


def _read(template: str) -> Template:
    try:
        return parse(template)
    except TemplateRefused as refusal:
        raise _refused(refusal) from refusal


def _shown(made: Template, value: Any, *, is_strict: bool = False) -> str:
    try:
        return run(made, value, is_strict=is_strict)
    except TemplateRefused as refusal:
        raise _refused(refusal) from refusal


def _refused(refusal: TemplateRefused) -> WordsRefused:
    return WordsRefused(
        f"template parsing error: {refusal.what}",
        why=refusal.why, try_next=refusal.try_next, exit_code=1,
    )  # fmt: skip
