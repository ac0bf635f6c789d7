"""An image's document is read with care, and written as Docker's engine writes it."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyminidock.image.config import Healthcheck, ImageConfig
from pyminidock.image.digest import sha256_of
from pyminidock.image.document import (
    SWITCHES,
    HistoryEntry,
    Image,
    ImageMalformed,
    id_of,
    read_image,
    write_image,
)

LAYER = "sha256:" + "a" * 64
FULL = Image(
    ImageConfig(
        ("echo", "<&>"), ("/bin/sh",), ("PATH=/bin", "A=é"), "web", "/srv",
        ("53/udp", "80/tcp"),
        ("/data",), (("a", "1"), ("b", "2")), "SIGINT", ("/bin/sh", "-xc"),
        Healthcheck(("CMD", "true"), 5, 4, 3, 2, 1), ("RUN x",), True, LAYER, "host",
        "lan", 7,
        ("Tty", "StdinOnce"),
    ),
    "arm64", "linux", "v8", "2024-05-01T00:00:00.5Z", "Bob <b@x>", "by hand",
    (
        HistoryEntry("2024-05-01T00:00:00Z", "/bin/sh -c #(nop) ADD x", "Bob", "base"),
        HistoryEntry(created_by="CMD", is_empty_layer=True),
    ),
    (LAYER,), "c" * 64, {"Hostname": "x", "Cmd": None}, "26.1.5", "1.0", ("a", "b"),
)  # fmt: skip


def document(**fields: Any) -> bytes:
    rootfs = {"type": "layers", "diff_ids": [LAYER]}
    return json.dumps(
        {"architecture": "amd64", "os": "linux", "rootfs": rootfs} | fields
    ).encode()


@pytest.mark.parametrize("image", [Image(), FULL, replace(FULL, container_config=None)])
def test_what_is_written_reads_back_whole(image: Image) -> None:
    assert read_image(write_image(image)) == image
    assert id_of(image) == sha256_of(write_image(image))


texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9
)
lists = st.lists(texts, max_size=3).map(tuple)
names = st.sets(texts, max_size=3).map(lambda found: tuple(sorted(found)))
configs = st.builds(
    ImageConfig, lists, lists, lists, texts, texts, names, names,
    st.dictionaries(texts, texts, max_size=3).map(lambda found: (*sorted(found.items()),)),
    texts, lists,
    st.none() | st.builds(Healthcheck, lists, st.integers(0, 9), st.integers(0, 9)),
    lists, st.booleans(), texts, texts, texts, st.none() | st.integers(0, 9),
    st.sets(st.sampled_from(SWITCHES)).map(
        lambda found: tuple(switch for switch in SWITCHES if switch in found)
    ),
)  # fmt: skip


@given(configs)
def test_every_config_reads_back_whole(config: ImageConfig) -> None:
    image = Image(config)
    assert read_image(write_image(image)) == image


def test_the_bytes_are_those_of_docker_s_engine() -> None:
    image = Image(
        ImageConfig(("sh",), environment=("A=<&>",)), created="2024-05-01T00:00:00Z"
    )
    assert write_image(image).decode() == (
        '{"architecture":"amd64","config":{"Hostname":"","Domainname":"","User":"",'
        '"AttachStdin":false,"AttachStdout":false,"AttachStderr":false,"Tty":false,'
        '"OpenStdin":false,"StdinOnce":false,"Env":["A=\\u003c\\u0026\\u003e"],"Cmd":["sh"],'
        '"Image":"","Volumes":null,"WorkingDir":"","Entrypoint":null,"OnBuild":null,'
        '"Labels":null},"created":"2024-05-01T00:00:00Z","os":"linux",'
        '"rootfs":{"type":"layers"}}'
    )


def test_what_other_tools_leave_out_is_not_said() -> None:
    image = read_image(document(config=None, history=None, variant=None))
    assert image == Image(diff_ids=(LAYER,))
    told: dict[str, Any] = {
        "Cmd": ["sh"],
        "ExposedPorts": {"80/tcp": {}},
        "Volumes": None,
        "Unknown": {"a": [1]},
    }
    image = read_image(document(config=told, moby={"buildkit": 1}))
    assert image.config == ImageConfig(("sh",), exposed_ports=("80/tcp",))


DEEP = b'{"rootfs":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "Expecting value"),
        (b"null", "where an object belongs"),
        (b"[]", "where an object belongs"),
        (b"{}", "no RootFS key"),
        (b'{"rootfs":null}', "no RootFS key"),
        (b'{"rootfs":[]}', "where an object belongs"),
        (b"\xff{}", "not UTF-8 at byte 0"),
        (b'{"rootfs":NaN}', "NaN"),
        (b'{"rootfs":-Infinity}', "-Infinity"),
        (b'{"os":"linux","os":"linux"}', "'os' twice"),
        (b'{"rootfs":' + b"9" * 1_000_000 + b"}", "1000000 digits"),
        (DEEP, "deeper than 64"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, "deeper than 64"),
        (b'{"a":"\\ud800"}', "half of a character"),
        (b'{"\\udfff":1}', "half of a character"),
        (b" " * ((8 << 20) + 1), "limit is 8388608"),
        (document(RootFS={}), "'RootFS' where 'rootfs' is meant"),
        (document(config={"cmd": ["x"]}), "'cmd' where 'Cmd' is meant"),
        (document(config=[]), "config: list where an object"),
        (document(config={"Cmd": "sh"}), "Cmd: str where a list"),
        (document(config={"Cmd": [1]}), "Cmd: int where a list of texts"),
        (document(config={"Env": ["A=\0"]}), "NUL"),
        (document(config={"Volumes": ["/x"]}), "Volumes: "),
        (document(config={"Labels": {"a": 1}}), "Labels: "),
        (document(config={"StopTimeout": True}), "StopTimeout: "),
        (document(config={"Tty": 1}), "Tty: "),
        (document(config={"Healthcheck": {"Interval": 1.5}}), "Interval: "),
        (document(config={"Labels": {"a": "x" * (257 << 10)}}), "labels of"),
        (document(config={"Env": ["A=" + "x" * (128 << 10)]}), "a variable of"),
        (document(config={"Env": ["A=" + "x" * 100_000] * 11}), "the environment of"),
        (document(history={}), "history: dict where a list"),
        (document(history=[1]), "where an object belongs"),
        (document(rootfs={"diff_ids": ["../../etc/passwd"]}), "invalid digest"),
        (document(rootfs={"diff_ids": [LAYER] * 128}), "128 layers, the limit is 127"),
    ],
)
def test_what_is_no_image_is_refused_by_name(data: bytes, reason: str) -> None:
    with pytest.raises(ImageMalformed) as refusal:
        read_image(data)
    assert reason in refusal.value.what
    assert refusal.value.status == 400
    assert len(refusal.value.what) < 300


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["config", "rootfs", "history", "Cmd", "diff_ids", "Env"]),
        inner, max_size=4),
    max_leaves=12,
))  # fmt: skip
def test_any_value_is_an_image_or_a_refusal(value: Any) -> None:
    try:
        read_image(json.dumps(value).encode())
    except ImageMalformed:
        return
    assert value["rootfs"] is not None
