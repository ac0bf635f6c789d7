"""`minidock build` and `explain cache` as people type them, against a real engine."""

import json
from pathlib import Path

import pytest

from tests.minidock_cli import Minidock

pytestmark = pytest.mark.edge


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with a Dockerfile, a file, and one that is ignored."""
    (tmp_path / "Dockerfile").write_text(
        "FROM busybox\nARG WHO=me\nCOPY sample.py /\nRUN echo $WHO >/who\n"
        'CMD ["cat", "/sample.py", "/who"]\n'
    )
    (tmp_path / "sample.py").write_text("print(1)\n")
    (tmp_path / "left.txt").write_text("left out")
    (tmp_path / ".dockerignore").write_text("# notes\n*.txt\n")
    return tmp_path


def test_an_image_is_built_named_and_run(minidock: Minidock, folder: Path) -> None:
    built = minidock.run(
        "build", "-t", "typed", "-t", "typed:2", "--build-arg", "WHO=you", "--label", "a=b",
        "--iidfile", str(folder / "id"), str(folder),
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    lines = built.stdout.splitlines()
    assert lines[0].startswith("Sending build context to Docker daemon  ")
    assert lines[1] == "Step 1/6 : FROM busybox"
    assert lines[-2:] == ["Successfully tagged typed:latest", "Successfully tagged typed:2"]
    identifier = (folder / "id").read_text()
    assert identifier.removeprefix("sha256:").startswith(lines[-3].split()[-1])
    assert minidock.run("run", "--rm", "typed").stdout == "print(1)\nyou\n"
    quiet = minidock.run(
        "build", "-q", "-t", "typed", "--build-arg", "WHO=you", "--label", "a=b",
        str(folder),
    )  # fmt: skip
    assert quiet.stdout == f"{identifier}\n"


def test_explain_cache_names_the_file_that_was_edited(
    minidock: Minidock, folder: Path
) -> None:
    words = ("build", "-t", "edited", str(folder))
    minidock.run(*words)
    (folder / "sample.py").write_text("print(2)\n")
    (folder / "sample.py").chmod(0o755)
    minidock.run(*words)
    said = minidock.run("explain", "cache", "edited").stdout
    assert "sample.py has another content: " in said
    assert "sample.py has another mode: 0644 → 0755" in said
    told = json.loads(minidock.run("explain", "cache", "--json", "edited").stdout)
    verdicts = [step["verdict"] for step in told["steps"]]
    assert verdicts == ["base", "hit", "miss", "miss", "miss"]
    assert [cause["cause"] for cause in told["steps"][3]["causes"]] == ["parent"]


def test_a_failing_run_gives_its_exit_code_and_the_way_in(
    minidock: Minidock, folder: Path
) -> None:
    text = "FROM busybox\nRUN echo before >/file\nRUN exit 7\n"
    failed = minidock.run("build", "--force-rm", "-", input=text)
    assert failed.returncode == 7
    shown = failed.stderr.splitlines()
    assert shown[0] == "   3 | RUN exit 7"
    assert "minidock: The command '/bin/sh -c exit 7' returned a non-zero code: 7" in shown
    line = next(row for row in failed.stdout.splitlines() if "look around" in row)
    image = line.split()[-2]
    assert minidock.run("run", "--rm", image, "cat", "/file").stdout == "before\n"
    assert f"  try: minidock run -it {image} sh\n" in failed.stderr


def test_a_file_that_was_ignored_is_explained_by_its_line(
    minidock: Minidock, folder: Path
) -> None:
    text = "FROM busybox\nCOPY left.txt /\n"
    failed = minidock.run("build", "-f", "-", str(folder), input=text)
    assert failed.returncode == 1
    assert "stat left.txt: file does not exist" in failed.stderr
    assert "line 2 of the ignore file left it out: *.txt" in failed.stderr
    assert "try: a line !left.txt below it takes it in again" in failed.stderr
    with (folder / ".dockerignore").open("a") as rules:
        rules.write("!left.txt\n")
    assert minidock.run("build", "-f", "-", str(folder), input=text).returncode == 0


def test_the_story_of_a_build_begins_with_what_was_left_out(
    minidock: Minidock, folder: Path
) -> None:
    (folder / "notes.txt").touch()
    built = minidock.run("build", "-t", "lean", str(folder))
    assert built.returncode == 0, built.stderr
    told = minidock.run("trace", "show", "--json", "last").stdout.splitlines()
    kinds = [json.loads(line).get("kind", "") for line in told]
    ignored = [json.loads(line)["data"] for line in told if '"path.ignored"' in line]
    assert kinds.index("path.ignored") < kinds.index("request.received")
    assert [(each["path"], each["line"], each["pattern"]) for each in ignored] == [
        ("left.txt", 2, "*.txt"), ("notes.txt", 2, "*.txt")
    ]  # fmt: skip
    assert json.loads(told[0])["title"].startswith("build -t lean")


def test_a_mistake_is_shown_with_a_mark_before_anything_is_sent(
    minidock: Minidock, folder: Path
) -> None:
    (folder / "Dockerfile").write_text("FROM busybox\nRUNN x\n")
    failed = minidock.run("build", str(folder))
    assert failed.returncode == 1
    assert "   2 | RUNN x\n     | ^^^^\n" in failed.stderr
    assert "unknown instruction: RUNN (did you mean RUN?)" in failed.stderr
    assert failed.stdout == ""


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("build",), 1, '"minidock build" requires exactly 1 argument.'),
        (("build", "--zz", "."), 125, "unknown flag: --zz"),
        (("build", "/nope"), 1, 'unable to prepare context: path "/nope" not found'),
        (("build", "-t", "UP", "-"), 1, "invalid reference format"),
        (("build", "--target", "zz", "-"), 1, 'target stage "zz" could not be found'),
        (("build", "--network", "zz", "-"), 1, "network zz not found"),
    ],
)
def test_what_cannot_be_built_says_why(
    minidock: Minidock, words: tuple[str, ...], code: int, said: str
) -> None:
    failed = minidock.run(*words, input="FROM busybox\nRUN true\n")
    assert failed.returncode == code
    assert said in failed.stderr
