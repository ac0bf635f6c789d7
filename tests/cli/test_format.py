"""A template shows fields, and what it could hold besides is refused by name."""

from typing import Any

import pytest

from pyminidock.cli.format import headings, is_table, shower
from pyminidock.errors import MinidockError

ROW: dict[str, Any] = {
    "ID": "1f", "Repository": "app", "Mark": "<&…",
    "Config": {"Env": ["A=1", "B"], "Tty": False, "Cmd": None},
    "Labels": {"b": "2", "a": "1"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("{{.ID}}", "1f"),
        ("{{ .Repository }}:{{.ID}}", "app:1f"),
        ("{{.Config.Env}}", "[A=1 B]"),
        ("{{.Config.Tty}} {{.Config.Cmd}}", "false <nil>"),
        ("{{.Labels}}", "map[a:1 b:2]"),
        ("{{json .Config.Env}}", '["A=1","B"]'),
        ("{{.Labels.nope}}|{{.Labels.a}}", "<no value>|1"),
        ("{{json .Mark}}", '"\\u003c\\u0026…"'),
        (r"table {{.ID}}\t{{.Repository}}", "1f\tapp"),
        ("plain", "plain"),
        ("json", '{"ID":"1f","Repository":"app",'
                 '"Mark":"\\u003c\\u0026…","Config":{"Env":["A=1","B"],"Tty":false,'
                 '"Cmd":null},"Labels":{"b":"2","a":"1"}}'),
    ],
)  # fmt: skip
def test_a_template_shows_fields(template: str, shown: str) -> None:
    assert shower(template)(ROW) == shown


@pytest.mark.parametrize(
    "action", ["range .Labels", "if .ID", "len .ID", ".ID | upper", ""]
)
def test_what_is_not_understood_is_refused(action: str) -> None:
    with pytest.raises(MinidockError, match="template parsing error"):
        shower("{{" + action + "}}")


@pytest.mark.parametrize(
    ("template", "of", "message"),
    [
        ("{{.Nope}}", "", ':1:2: executing "" at <.Nope>: map has no entry for key "Nope"'),
        ("a {{json .Config.No}}", "", 'at <.Config.No>: map has no entry for key "No"'),
        ("{{.ID.Nope}}", "", ':1:5: executing "" at <.ID.Nope>: map has no entry'),
        ("{{.Nope}}", "*x", "at <.Nope>: can't evaluate field Nope in type *x"),
        ("{{.ID", "", "template: :1: unclosed action"),
    ],
)
def test_a_field_that_is_not_there_is_refused(template: str, of: str, message: str) -> None:
    with pytest.raises(MinidockError, match="template parsing error") as refusal:
        shower(template, of)(ROW)
    assert message in refusal.value.what


def test_a_table_has_docker_s_headings() -> None:
    assert is_table("table {{.ID}}")
    assert not is_table("{{.ID}}")
    assert headings(r"table {{.ID}}\t{{.Repository}}\t{{.CreatedSince}}") == (
        "IMAGE ID\tREPOSITORY\tCREATED"
    )
    assert headings("table {{.ID}}", ID="IMAGE") == "IMAGE"
