"""The flags of `run` become the body that Docker's own client sends."""

import json
from pathlib import Path
from typing import Any

import pytest

from pyminidock.cli.createbody import create_body
from pyminidock.cli.failures import NOT_STARTED, WordsRefused
from pyminidock.cli.flags import container_flags
from pyminidock.cli.words import Verb


def body(*typed: str, **surroundings: str) -> dict[str, Any]:
    """Give the body for a command line of `run`."""
    made: list[dict[str, Any]] = []

    def take(words: tuple[str, ...], **given: object) -> None:
        made.append(create_body(given, words, surroundings))

    verb = Verb(
        "run", take, help="", params=container_flags(), usage="IMAGE", is_open=False
    )
    verb.main(list(typed), prog_name="minidock run", standalone_mode=False)
    return made[0]


def test_without_flags_nothing_is_asked_for() -> None:
    asked = body("busybox")
    assert asked["Image"] == "busybox"
    assert asked["Cmd"] is None
    assert asked["Entrypoint"] is None
    said = {name: value for name, value in asked["HostConfig"].items() if value}
    assert said == {
        "NetworkMode": "default", "MemorySwappiness": -1, "ConsoleSize": [0, 0],
        "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
        "LogConfig": {"Type": "", "Config": {}},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "field", "value"),
    [
        ("--memory 64m", "Memory", 67108864),
        ("--cpus 0.5", "NanoCpus", 500_000_000),
        ("--pids-limit -1", "PidsLimit", -1),
        ("--read-only", "ReadonlyRootfs", True),
        ("--tmpfs /run:size=64m,exec", "Tmpfs", {"/run": "size=64m,exec"}),
        ("--cap-add net_admin --cap-add CHOWN", "CapAdd", ["net_admin", "CHOWN"]),
        ("--cap-drop ALL", "CapDrop", ["ALL"]),
        ("--ulimit nofile=1:2", "Ulimits", [{"Name": "nofile", "Soft": 1, "Hard": 2}]),
        ("--group-add 7", "GroupAdd", ["7"]),
        ("--network none", "NetworkMode", "none"),
        ("--net none", "NetworkMode", "none"),
        ("--rm", "AutoRemove", True),
        ("--init", "Init", True),
        ("--privileged", "Privileged", True),
        ("--security-opt no-new-privileges", "SecurityOpt", ["no-new-privileges"]),
        (
            "--security-opt no-new-privileges:true",
            "SecurityOpt",
            ["no-new-privileges:true"],
        ),
        ("--security-opt seccomp=unconfined", "SecurityOpt", ["seccomp=unconfined"]),
    ],
)
def test_flags_about_the_walls(typed: str, field: str, value: object) -> None:
    assert body(*typed.split(), "busybox")["HostConfig"][field] == value


@pytest.mark.parametrize(
    ("typed", "field", "value"),
    [
        ("-u 1:2", "User", "1:2"),
        ("-w /srv", "WorkingDir", "/srv"),
        ("-h web", "Hostname", "web"),
        ("--entrypoint cat", "Entrypoint", ["cat"]),
        ("-t", "Tty", True),
        ("-i", "OpenStdin", True),
        ("-i", "StdinOnce", True),
        ("-e A=1 -e B -e C", "Env", ["A=1", "B=there", "C"]),
    ],
)
def test_flags_about_the_process(typed: str, field: str, value: object) -> None:
    assert body(*typed.split(), "busybox", B="there")[field] == value


def test_an_empty_entrypoint_is_one_that_is_taken_away() -> None:
    assert body("--entrypoint", "", "busybox", "sh")["Entrypoint"] == [""]


def test_variables_of_files_come_before_those_of_the_line(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("# no\nB=2 # x\nHOME\n")
    asked = body("-e", "A=1", "--env-file", str(tmp_path / "env"), "busybox", HOME="/h")
    assert asked["Env"] == ["B=2 # x", "HOME=/h", "A=1"]


def test_a_seccomp_profile_travels_as_text(tmp_path: Path) -> None:
    profile = tmp_path / "profile.json"
    profile.write_text('{\n "defaultAction": "SCMP_ACT_ALLOW"\n}')
    (option,) = body("--security-opt", f"seccomp={profile}", "busybox")["HostConfig"][
        "SecurityOpt"
    ]
    name, _, text = option.partition("=")
    assert name == "seccomp"
    assert json.loads(text) == {"defaultAction": "SCMP_ACT_ALLOW"}


@pytest.mark.parametrize(
    ("typed", "what"),
    [
        ("-m 10x", 'invalid argument "10x" for "-m, --memory" flag: invalid size: \'10x\''),
        (
            "--cpus many",
            'invalid argument "many" for "--cpus" flag: failed to parse many as a rational '
            "number",
        ),
        (
            "--pids-limit x",
            'invalid argument "x" for "--pids-limit" flag: strconv.ParseInt: parsing "x": '
            "invalid syntax",
        ),
        (
            "--ulimit foo=1",
            'invalid argument "foo=1" for "--ulimit" flag: invalid ulimit type: foo',
        ),
        (
            "-e =x",
            'invalid argument "=x" for "-e, --env" flag: invalid environment variable: =x',
        ),
        ("--env-file /no/such", "open /no/such: no such file or directory"),
        ("--security-opt foo", 'Invalid --security-opt: "foo"'),
        (
            "--security-opt seccomp=/no/such",
            "opening seccomp profile (/no/such) failed: open /no/such: no such file or "
            "directory",
        ),
    ],
)
def test_a_value_that_cannot_be_is_refused_before_an_engine_is_asked(
    typed: str, what: str
) -> None:
    with pytest.raises(WordsRefused) as refusal:
        body(*typed.split(), "busybox")
    assert refusal.value.what == what
    assert refusal.value.exit_code == NOT_STARTED
    assert refusal.value.why
    assert refusal.value.try_next


def test_a_file_that_is_no_list_of_variables_is_refused(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("C D=1\n")
    with pytest.raises(WordsRefused, match="variable 'C D' contains whitespaces"):
        body("--env-file", str(tmp_path / "env"), "busybox")
