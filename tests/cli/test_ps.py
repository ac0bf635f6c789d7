"""A row for each container, as Docker's people read it."""

import time
from typing import Any

import pytest

from pyminidock.cli.human import ago, binary_size, size
from pyminidock.cli.ps import container_row, shown_ports
from pyminidock.cli.tables import aligned

TOLD: dict[str, Any] = {
    "Id": "0123456789ab" + "f" * 52, "Image": "busybox", "ImageID": "sha256:" + "a" * 64,
    "Command": 'sh -c "a very long command"', "Created": 1000, "Status": "Up 2 hours",
    "State": "running", "Names": ["/web", "/other/alias"], "Labels": {"b": "2", "a": "1"},
    "SizeRw": 1500, "SizeRootFs": 2_026_559,
    "Mounts": [{"Name": "a-volume-with-a-long-name", "Driver": "local"}],
    "NetworkSettings": {"Networks": {"none": {}}},
    "Ports": [{"PrivatePort": 80, "PublicPort": 8080, "IP": "1.2.3.4", "Type": "tcp"}],
}  # fmt: skip


def test_a_row_is_short() -> None:
    row = container_row(TOLD, 1000 + 7300, is_whole=False)
    assert row["ID"] == "0123456789ab"
    assert row["Command"] == '"sh -c \\"a very long …"'
    assert row["Names"] == "web"
    assert row["RunningFor"] == "2 hours ago"
    assert row["Labels"] == "a=1,b=2"
    assert row["Label"]("b") == "2"
    assert row["Size"] == "1.5kB (virtual 2.03MB)"
    assert row["Mounts"] == "a-volume-with-…"
    assert row["LocalVolumes"] == "1"
    assert row["Networks"] == "none"
    assert row["Ports"] == "1.2.3.4:8080->80/tcp"
    assert row["CreatedAt"] == time.strftime("%F %T %z %Z", time.localtime(1000))


def test_a_row_can_be_whole() -> None:
    row = container_row(TOLD, 1000, is_whole=True)
    assert row["ID"] == TOLD["Id"]
    assert row["Command"] == '"sh -c \\"a very long command\\""'
    assert row["Names"] == "web,other/alias"
    assert row["Mounts"] == "a-volume-with-a-long-name"


def test_an_image_that_lost_its_name_is_its_id() -> None:
    told = TOLD | {"Image": "sha256:" + "a" * 64}
    assert container_row(told, 0, is_whole=False)["Image"] == "a" * 12
    assert container_row(TOLD | {"Image": ""}, 0, is_whole=False)["Image"] == "<no image>"


@pytest.mark.parametrize(
    ("ports", "shown"),
    [
        ([], ""),
        ([(80, 0, "")], "80/tcp"),
        ([(80, 0, ""), (81, 0, ""), (83, 0, "")], "80-81/tcp, 83/tcp"),
        ([(80, 8080, "::")], ":::8080->80/tcp"),
        ([(80, 8080, "1.2.3.4"), (81, 8081, "1.2.3.4")],
         "1.2.3.4:8080->80/tcp, 1.2.3.4:8081->81/tcp"),
        ([(80, 8080, "1.2.3.4"), (81, 8090, "1.2.3.4")],
         "1.2.3.4:8080->80/tcp, 1.2.3.4:8090->81/tcp"),
    ],
)  # fmt: skip
def test_ports_that_follow_each_other_are_shown_as_one(
    ports: list[tuple[int, int, str]], shown: str
) -> None:
    told = [{"PrivatePort": private, "PublicPort": public, "IP": address, "Type": "tcp"}
            for private, public, address in ports]  # fmt: skip
    assert shown_ports(told) == shown


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "Less than a second"), (1.9, "1 second"), (59, "59 seconds"),
        (60, "About a minute"), (3599, "59 minutes"), (3600, "About an hour"),
        (5399, "About an hour"), (5400, "2 hours"), (47 * 3600, "47 hours"),
        (48 * 3600, "2 days"), (14 * 86400, "2 weeks"), (60 * 86400, "2 months"),
        (730 * 86400, "2 years"),
    ],
)  # fmt: skip
def test_how_long_ago(seconds: float, said: str) -> None:
    assert ago(seconds) == said


def test_how_many_bytes() -> None:
    assert [size(each) for each in (999, 1000, 1.5e6)] == ["999B", "1kB", "1.5MB"]
    assert binary_size(25_277_000_000) == "23.54GiB"


def test_a_column_is_a_run_of_lines_that_have_it() -> None:
    lines = ["A\tB\tC", "long enough to push\tb\tc", "alone", "x\ty"]
    assert aligned(lines) == [
        "A                     B         C",
        "long enough to push   b         c",
        "alone",
        "x         y",
    ]
