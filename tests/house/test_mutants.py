"""The list of planted bugs fits the code, and the planting is honest."""

import ast
from pathlib import Path

import pytest

from tests.mutants import __main__ as mutants

ROOT = Path(__file__).parents[2]
LIST = mutants.read_list(mutants.LIST.read_text(encoding="utf-8"))


def a_mutant(find: str, replace: str, test: str = "test_sum.py") -> mutants.Mutant:
    return mutants.Mutant("sum", "adds wrongly", "sum.py", find, replace, (test,))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A module of one line and its two tests, one of which sees nothing."""
    (tmp_path / "sum.py").write_text("def add(a, b): return a + b\n")
    (tmp_path / "test_sum.py").write_text(
        "import sum as s\ndef test_adds(): assert s.add(2, 3) == 5\n"
    )
    (tmp_path / "test_blind.py").write_text(
        "import sum as s\ndef test_adds(): assert s.add(2, 2)\n"
    )
    (tmp_path / "pyproject.toml").write_text(
        "[tool.pytest.ini_options]\npythonpath=['.']\n"
    )
    return tmp_path


@pytest.mark.parametrize(
    ("mutant", "answer"),
    [
        (a_mutant("a + b", "a - b"), "caught"),
        (a_mutant("a + b", "a * b", "test_blind.py"), "SURVIVED test_blind.py"),
        (
            a_mutant("a / b", "a"),
            "cannot be planted: sum.py: 'a / b' occurs 0 times, not once",
        ),
        (a_mutant("a", "b"), "cannot be planted: sum.py: 'a' occurs 3 times, not once"),
        (
            a_mutant("a + b", "a + b"),
            "cannot be planted: sum.py: 'a + b' is replaced by itself",
        ),
        (a_mutant("a + b", "a +"), "proves nothing: pytest ended with 2"),
        (a_mutant("a + b", "a", "test_no.py"), "proves nothing: pytest ended with 4"),
    ],
)
def test_the_verdict_on_a_planted_bug(
    tree: Path, mutant: mutants.Mutant, answer: str
) -> None:
    before = (tree / "sum.py").read_text()
    assert mutants.verdict(tree, mutant).splitlines()[0] == answer
    assert (tree / "sum.py").read_text() == before


@pytest.mark.parametrize("mutant", LIST, ids=[f"{m.room}: {m.bug}" for m in LIST])
def test_every_listed_bug_can_be_planted(mutant: mutants.Mutant) -> None:
    source = (ROOT / mutant.file).read_text(encoding="utf-8")
    assert mutants.planted(source, mutant) != source
    assert all((ROOT / test.partition("::")[0]).exists() for test in mutant.tests)


def can_go_wrong(room: Path) -> bool:
    """Whether any function lives there: a room of plain values has nothing to plant in."""
    files = [room] if room.suffix == ".py" else room.rglob("*.py")
    nodes = (
        node for file in files for node in ast.walk(ast.parse(file.read_text("utf-8")))
    )
    return any(isinstance(node, ast.FunctionDef) for node in nodes)


def test_every_room_has_a_planted_bug() -> None:
    rooms = [
        path
        for path in (ROOT / "pyminidock").iterdir()
        if not path.stem.startswith("__") and (path.is_dir() or path.suffix == ".py")
    ]
    planted_in = {mutant.room for mutant in LIST}
    assert {room.stem for room in rooms if can_go_wrong(room)} - planted_in == set()
