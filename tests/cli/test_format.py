"""A template shows rows and documents as Docker's client shows them."""

from typing import Any

import pytest

from pyminidock.cli.documents import as_event, as_struct
from pyminidock.cli.format import document_shower, headings, is_table, shower, value_shower
from pyminidock.errors import MinidockError

ROW: dict[str, Any] = {
    "ID": "1f", "Repository": "app", "Mark": "<&…", "Label": {"a": "1"}.get,
}  # fmt: skip
DOCUMENT: dict[str, Any] = {
    "Id": "1f",
    "State": {"Status": "running", "Pid": 7},
    "Config": {"Env": ["A=1", "B"], "Tty": False, "Cmd": None,
               "Labels": {"a": "", "b": "<"}, "Volumes": None},
    "HostConfig": {"PidsLimit": None, "PortBindings": {"80/tcp": [{"HostPort": "1"}]}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("{{.ID}}", "1f"),
        ("{{ .Repository | upper }}:{{.ID}}", "APP:1f"),
        ("{{json .Mark}}", '"<&…"'),
        ('{{.Label "a"}}', "1"),
        (r"table {{.ID}}\t{{.Repository}}", "1f\tapp"),
        ("plain", "plain"),
        ("json", '{"ID":"1f","Mark":"\\u003c\\u0026…","Repository":"app"}'),
    ],
)  # fmt: skip
def test_a_template_shows_a_row(template: str, shown: str) -> None:
    assert shower(template, "*x")(ROW) == shown


def test_a_row_without_the_field_is_refused() -> None:
    with pytest.raises(MinidockError) as refusal:
        shower("{{.Nope}}", "*formatter.ContainerContext")(ROW)
    assert refusal.value.what == (
        'template parsing error: template: :1:2: executing "" at <.Nope>: '
        "can't evaluate field Nope in type *formatter.ContainerContext"
    )


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("{{.Config.Env}} {{.Config.Cmd}} {{.Config.Volumes}}", "[A=1 B] [] map[]"),
        ("{{.State.Health}} {{.HostConfig.PidsLimit}}", "<nil> <nil>"),
        ("{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}", "none"),
        ("{{.Config.Labels.nope}}|{{.Config.Labels.b}}", "<no value>|<"),
        ("{{.HostConfig.PortBindings}}", "map[80/tcp:[{1}]]"),
        ("{{.ID}} {{json .Config.Labels}}", '1f {"a":"","b":"<"}'),
        # `.Id` is no field of the struct, so all of it is a map, and its JSON is sorted.
        ("{{.Id}} {{json .State}}", '1f {"Pid":7,"Status":"running"}'),
        ("{{.ID}} {{json .State}}", '1f {"Status":"running","Pid":7}'),
    ],
)
def test_a_document_is_a_struct_first_and_then_a_map(template: str, shown: str) -> None:
    assert document_shower(template)(as_struct(DOCUMENT), DOCUMENT) == shown


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{.Nope}}", ':1:2: executing "" at <.Nope>: map has no entry for key "Nope"'),
        ("{{.Id.Nope}}", "can't evaluate field Nope in type interface {}"),
        ("{{.State.Health.Status}}", 'map has no entry for key "Health"'),
        ("{{.ID", "template: :1: unclosed action"),
    ],
)
def test_a_document_without_the_field_is_refused(template: str, message: str) -> None:
    with pytest.raises(MinidockError, match="template parsing error") as refusal:
        document_shower(template)(as_struct(DOCUMENT), DOCUMENT)
    assert message in refusal.value.what


def test_an_event_has_the_names_of_docker_s_message() -> None:
    event = as_event({"status": "die", "Type": "container", "Actor": {"ID": "1f",
                     "Attributes": {"exitCode": "3"}}, "time": 5})  # fmt: skip
    write = value_shower("{{.Status}} {{.Actor.Attributes.exitCode}} {{.Time}} {{.From}}|")
    assert write(event) == "die 3 5 |"
    assert value_shower("json")(event).startswith('{"status":"die","Type":"container"')


def test_a_table_has_docker_s_headings() -> None:
    known = {"ID": "IMAGE ID", "CreatedSince": "CREATED"}
    assert is_table("table {{.ID}}")
    assert not is_table("{{.ID}}")
    assert headings(r"table {{.ID}}\t{{upper .CreatedSince}}\t{{.Nope}}", known) == (
        "IMAGE ID\tCREATED\t<no value>"
    )
    assert headings('{{.Label "com.example.some-role"}}', known) == "some role"
