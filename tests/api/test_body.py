"""A JSON body is read strictly, within bounds, and by the name of each field."""

import time

import pytest

from pyminidock.api.body import Fields, read_json, read_object
from pyminidock.api.failures import BadRequest
from pyminidock.api.message import Request

KIND = {"content-type": "application/json"}


def post(body: bytes, kind: str = "application/json") -> Request:
    return Request("POST", "/", headers={"content-type": kind}, body=body)


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8"])
def test_an_object_is_read(kind: str) -> None:
    assert read_object(post(b' {"Image":"busybox"} ', kind)).text("Image") == "busybox"


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b" ", "invalid JSON: got EOF while reading request body"),
        (b'{"a":1,}',
         "invalid JSON: invalid character '}' looking for beginning of object key string"),
        (b'{"a" 1}', "invalid JSON: invalid character '1' after object key"),
        (b"[1 2]", "invalid JSON: invalid character '2' after array element"),
        (b'{"a":{"b":[]} 1}',
         "invalid JSON: invalid character '1' after object key:value pair"),
        (b"nul", "invalid JSON: unexpected EOF"),
        (b'{"a":tuer}',
         "invalid JSON: invalid character 'u' in literal true (expecting 'r')"),
        (b"\xef\xbb\xbf{}",
         "invalid JSON: invalid character '\N{LATIN SMALL LETTER I WITH DIAERESIS}' looking"
         " for beginning of value"),
        (b"[1,]", "invalid JSON: invalid character ']' looking for beginning of value"),
        (b"{", "invalid JSON: unexpected EOF"),
        (b'{"a":', "invalid JSON: unexpected EOF"),
        (b'{"a":1} x', "unexpected content after JSON"),
        (b"[]", "invalid JSON: cannot unmarshal array into a value of type object"),
        (b"7", "invalid JSON: cannot unmarshal number into a value of type object"),
        (b'{"a":NaN}', "invalid JSON: NaN is no JSON value"),
        (b'{"a":-Infinity}', "invalid JSON: -Infinity is no JSON value"),
        (b'{"a":1,"a":2}', "invalid JSON: the key 'a' appears twice in one object"),
        (b'{"h":{"b":1,"b":1}}', "invalid JSON: the key 'b' appears twice in one object"),
        (b"[" * 100_000, "invalid JSON: exceeded max depth"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, "invalid JSON: exceeded max depth"),
    ],
)  # fmt: skip
def test_what_is_no_sound_json_is_refused(body: bytes, what: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        read_object(post(body))
    assert refusal.value.what == what
    assert refusal.value.status == 400


@pytest.mark.parametrize("body", [b'{"a":"\xff"}', b'{"a":' + b"9" * 10_000 + b"}"])
def test_odd_bytes_and_endless_numbers_are_refused_at_once(body: bytes) -> None:
    began = time.process_time()
    with pytest.raises(BadRequest, match="invalid JSON"):
        read_json(body)
    assert time.process_time() - began < 1


@pytest.mark.parametrize("request_", [Request("POST", "/"), post(b""), post(b"null")])
def test_nothing_is_an_object_without_members_unless_something_is_needed(
    request_: Request,
) -> None:
    assert read_object(request_).members == {}
    if not request_.body:
        with pytest.raises(BadRequest, match="got EOF while reading request body"):
            read_object(request_, is_needed=True)


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("", "malformed Content-Type header (): mime: no media type"),
        ("application/json; charset",
         "malformed Content-Type header (application/json; charset): mime: invalid media"
         " parameter"),
    ],
)  # fmt: skip
def test_a_content_type_that_is_none_is_refused_as_such(kind: str, what: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        read_object(post(b"{}", kind))
    assert refusal.value.what == what


def test_what_is_no_object_is_refused_by_what_it_should_be() -> None:
    with pytest.raises(BadRequest) as refusal:
        read_object(post(b"[]"), "volume.CreateOptions")
    assert refusal.value.what == (
        "invalid JSON: json: cannot unmarshal array into Go value of type"
        " volume.CreateOptions"
    )


def test_another_content_type_is_refused_by_name() -> None:
    with pytest.raises(
        BadRequest, match=r"header \(text/plain\): must be 'application/json'"
    ):
        read_object(post(b"{}", "text/plain"))


FIELDS = Fields(
    {
        "Text": "t", "Flag": True, "Number": 3, "Texts": ["a"], "Map": {"a": "b"},
        "Part": {"Inner": 1}, "Parts": [{"Name": "n"}], "Numbers": [1, 2], "Null": None,
        "Extra": object(),
    }
)  # fmt: skip


def test_each_field_is_read_by_its_type() -> None:
    assert FIELDS.text("Text") == "t"
    assert FIELDS.flag("Flag")
    assert FIELDS.number("Number") == 3
    assert FIELDS.texts("Texts") == ("a",)
    assert FIELDS.command("Text") == ("t",)
    assert FIELDS.mapping("Map") == {"a": "b"}
    assert FIELDS.part("Part").number("Inner") == 1
    assert [part.text("Name") for part in FIELDS.parts("Parts")] == ["n"]
    assert FIELDS.numbers("Numbers") == [1, 2]


@pytest.mark.parametrize("name", ["Null", "Absent"])
def test_null_is_like_absent(name: str) -> None:
    assert FIELDS.text(name) == ""
    assert FIELDS.flag(name) is False
    assert FIELDS.number(name) == 0
    assert FIELDS.texts(name) is None
    assert FIELDS.mapping(name) == {}
    assert FIELDS.part(name).members == {}
    assert FIELDS.parts(name) == []


@pytest.mark.parametrize(
    ("reader", "name", "told"),
    [
        ("text", "Number", "cannot unmarshal number into field Number of type string"),
        ("flag", "Number", "cannot unmarshal number into field Number of type bool"),
        ("number", "Flag", "cannot unmarshal bool into field Flag of type int64"),
        ("number", "Text", "cannot unmarshal string into field Text of type int64"),
        ("texts", "Text", "cannot unmarshal string into field Text of type []string"),
        ("texts", "Numbers", "cannot unmarshal number into field Numbers of type string"),
        ("mapping", "Part", "cannot unmarshal number into field Part of type string"),
        ("part", "Texts", "cannot unmarshal array into field Part of type object"),
        ("parts", "Texts", "cannot unmarshal string into field Texts of type object"),
        ("numbers", "Texts", "cannot unmarshal string into field Texts of type uint"),
    ],
)
def test_a_field_of_the_wrong_type_is_refused_by_name(
    reader: str, name: str, told: str
) -> None:
    fields = Fields({**FIELDS.members, "Part": ["x"]}) if reader == "part" else FIELDS
    with pytest.raises(BadRequest) as refusal:
        getattr(fields, reader)("Part" if reader == "part" else name)
    assert told in refusal.value.what


def test_a_number_has_64_bits() -> None:
    assert Fields({"N": 2**63 - 1}).number("N") == 2**63 - 1
    with pytest.raises(BadRequest, match="of type int64"):
        Fields({"N": 2**63}).number("N")


def test_the_place_of_a_nested_field_is_told() -> None:
    with pytest.raises(BadRequest, match=r"field HostConfig\.Memory of type int64"):
        Fields({"HostConfig": {"Memory": "1g"}}).part("HostConfig").number("Memory")
