"""A decided container survives being written down, and a damaged record is named."""

import json
from dataclasses import fields

import pytest

from pyminidock.container.spec import (
    ContainerSpec,
    CreateRequest,
    ExecRequest,
    RecordDamaged,
    TmpfsMount,
    Ulimit,
    from_json,
    to_json,
)

SPEC = ContainerSpec(
    id="ab" * 32, name="web", image="busybox", directory="/r/containers/" + "ab" * 32,
    hostname="ab" * 6, argv=("sh", "-c", "true"), environment=("PATH=/bin", "A=\udcff"),
    working_directory="/", user="1000", uid=1000, gid=1000, groups=(1000, 5), home="/",
    bounding=("CAP_CHOWN",), capabilities=(), seccomp="default",
    seccomp_program=bytes(range(256)), no_new_privileges=True,
    masked_paths=("/proc/kcore",), readonly_paths=("/proc/sys",),
    ulimits=(Ulimit("core", 0, 0),), tmpfs=(TmpfsMount("/run", ("rw",), "size=64m"),),
    console_size=(24, 80),
)  # fmt: skip


@pytest.mark.parametrize(
    "value",
    [
        SPEC,
        CreateRequest("busybox"),
        CreateRequest("busybox", entrypoint=(), tmpfs=(("/run", "size=1m"),)),
        ExecRequest(("sh",), has_terminal=True),
    ],
)
def test_a_value_survives_a_text_file(value: object) -> None:
    assert from_json(type(value), json.loads(json.dumps(to_json(value)))) == value


def test_every_field_of_a_spec_is_written_down() -> None:
    assert list(to_json(SPEC)) == [field.name for field in fields(ContainerSpec)]


def test_an_older_record_gets_defaults_and_a_newer_one_is_read_as_far_as_known() -> None:
    record = to_json(SPEC)
    del record["auto_remove"]
    record["invented_later"] = {"any": ["thing"]}
    assert from_json(ContainerSpec, record) == SPEC


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("uid", "0", id="a text for a number"),
        pytest.param("uid", True, id="a truth for a number"),
        pytest.param("argv", "sh -c true", id="a text for a list"),
        pytest.param("argv", [1], id="a number in a list of texts"),
        pytest.param("ulimits", [["core", 0, 0]], id="a list for an object"),
        pytest.param("console_size", [1, 2, 3], id="three for a pair"),
        pytest.param("seccomp_program", "?", id="no base64"),
    ],
)
def test_a_damaged_record_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(RecordDamaged) as refusal:
        from_json(ContainerSpec, to_json(SPEC) | {field: value})
    assert "ContainerSpec" in refusal.value.what
    assert refusal.value.why != refusal.value.what


def test_a_record_without_a_needed_field_is_refused() -> None:
    record = to_json(SPEC)
    del record["uid"]
    with pytest.raises(RecordDamaged, match="uid"):
        from_json(ContainerSpec, record)
