"""The measured cases of .dockerignore, and the line that is named for each verdict."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyminidock.grammar.ignore import IgnoreMalformed, Rules, read

TREE = (
    "Dockerfile", "a.txt", "b.md", "README.md", "README-secret.md", "sub", "sub/a.txt",
    "sub/deep", "sub/deep/a.txt", "sub/deep/x.go", "node_modules", "node_modules/m.js",
    "sub/node_modules", "sub/node_modules/n.js", "tmp", "tmp/t1", ".git", ".git/config",
    ".env", "foo", "foo/bar", "foo/bar/baz", "foo/bar/qux", "foo/keep", "build",
    "build/Dockerfile.dev",
)  # fmt: skip
ODD = ("sp ace", "#hash", "!bang")


def left_out(text: str) -> set[str]:
    """What a walk leaves out, as the command line walks."""
    rules = read(text).keeping(".dockerignore", "Dockerfile")
    paths = [*TREE, *ODD, ".dockerignore"]
    found: set[str] = set()
    for path in sorted(paths):
        is_closed = any(
            path.startswith(f"{other}/") and not rules.must_enter(other) for other in found
        )
        if is_closed or rules.verdict(path).is_ignored:
            found.add(path)
    return found


def below(*names: str) -> set[str]:
    return {p for p in TREE for name in names if p == name or p.startswith(f"{name}/")}


ALL = {*TREE, *ODD} - {"Dockerfile"}


@pytest.mark.parametrize(
    ("text", "excluded"),
    [
        ("", set()),
        ("*", ALL),
        ("*\n!a.txt", ALL - {"a.txt"}),
        ("a.txt", {"a.txt"}),
        ("/a.txt", {"a.txt"}),
        ("**/a.txt", {"a.txt", "sub/a.txt", "sub/deep/a.txt"}),
        ("sub", below("sub")),
        ("sub/", below("sub")),
        ("/sub/", below("sub")),
        ("sub/*", below("sub") - {"sub"}),
        ("sub/**", below("sub") - {"sub"}),
        ("*/a.txt", {"sub/a.txt"}),
        ("*/*/a.txt", {"sub/deep/a.txt"}),
        ("**/*.go", {"sub/deep/x.go"}),
        ("*.md\n!README.md", {"README-secret.md", "b.md"}),
        ("*.md\n!README*.md\nREADME-secret.md", {"README-secret.md", "b.md"}),
        ("*.md\nREADME-secret.md\n!README*.md", {"b.md"}),
        ("node_modules", below("node_modules")),
        ("**/node_modules", below("node_modules", "sub/node_modules")),
        ("foo\n!foo/keep", below("foo") - {"foo/keep"}),
        ("foo/*\n!foo/bar\nfoo/bar/qux", {"foo/keep", "foo/bar/qux"}),
        ("foo/**\n!foo/bar/baz", {"foo/keep", "foo/bar", "foo/bar/qux"}),
        ("Dockerfile\n.dockerignore", set()),
        ("**", ALL),
        ("***", ALL),
        ("**\n!sub/deep", ALL - below("sub/deep")),
        ("# comment\na.txt", {"a.txt"}),
        ("  a.txt  ", {"a.txt"}),
        ("\\#hash", {"#hash"}),
        ("#hash", set()),
        ("!a.txt", set()),
        ("\\!bang", {"!bang"}),
        ("sp ace", {"sp ace"}),
        ("[ab].*", {"a.txt", "b.md"}),
        ("a.???", {"a.txt"}),
        (".", set()), ("..", set()), ("/", set()),
        ("./a.txt", {"a.txt"}), ("sub/../a.txt", {"a.txt"}), ("a.txt/", {"a.txt"}),
        (".*", {".env", ".git", ".git/config"}),
        ("**/.*", {".env", ".git", ".git/config"}),
        ("sub/deep/..", below("sub")),
        ("*.txt\n!**/deep", {"a.txt"}),
        ("**/deep\n!**/x.go", {"sub/deep", "sub/deep/a.txt", "sub/deep/x.go"}),
        ("\ufeffa.txt\r\nb.md\r\n", {"a.txt", "b.md"}),
        ("**xt", {"a.txt", "sub/a.txt", "sub/deep/a.txt"}),
        ("sub/**/a.txt", {"sub/a.txt", "sub/deep/a.txt"}),
        ("[^a-z]*.md", {"README.md", "README-secret.md"}),
    ],
)  # fmt: skip
def test_a_file_leaves_out_what_docker_leaves_out(text: str, excluded: set[str]) -> None:
    assert left_out(text) == excluded


@pytest.mark.parametrize(
    ("path", "verdict"),
    [
        ("a.log", (True, 2, "*.log")),
        ("keep.log", (False, 4, "!keep.log")),
        ("out/x/y", (True, 5, "/out/")),
        ("b", (False, 0, "")),
    ],
)
def test_the_line_that_decided_is_named(path: str, verdict: tuple[bool, int, str]) -> None:
    assert read("# logs\n*.log\n\n!keep.log\n/out/\n").verdict(path) == verdict


def test_an_ignored_directory_is_entered_only_for_an_exception_that_spells_it() -> None:
    rules = read("foo\nbar\n!foo/keep\n!**/keep\n")
    assert rules.must_enter("foo")
    assert not rules.must_enter("bar")
    assert not rules.must_enter("fo")


@pytest.mark.parametrize(
    "pattern",
    ["[", "[a", "[]", "[^]", "[-a]", "[a-]", "[b-a]", "a\\", "[]a]", "**/[", "x/[a-/y"],
)
def test_a_pattern_has_pairs_of_brackets(pattern: str) -> None:
    with pytest.raises(IgnoreMalformed) as refused:
        read(f"\n{pattern}\n")
    assert refused.value.what == "syntax error in pattern"
    assert refused.value.why.startswith("line 2: ")


@pytest.mark.parametrize("pattern", ["!", "! ", "!/"])
def test_an_exception_names_something(pattern: str) -> None:
    with pytest.raises(IgnoreMalformed, match="illegal exclusion pattern"):
        read(pattern)


def test_a_file_beyond_the_limit_is_refused() -> None:
    with pytest.raises(IgnoreMalformed):
        read("a\n" * 600_000)


PATTERNS = st.lists(
    st.sampled_from(["a", "b", "*", "**", "?", "/", "/", "[ab]", "[^a]", ".", "\\*", "!"]),
    min_size=1, max_size=7,
).map("".join)  # fmt: skip
PATHS = st.lists(st.text("ab*.", min_size=1, max_size=3), min_size=1, max_size=4).map(
    "/".join
)


def expression(pattern: str) -> re.Pattern[str]:
    """Docker's own translation, by a backtracking engine, for small inputs."""
    pieces = re.findall(r"\*\*/?$|\*\*/?|\\.|\[\^?[^\]]*\]|.", pattern)
    made = {"*": "[^/]*", "?": "[^/]"}
    spelled = ""
    for place, piece in enumerate(pieces):
        if piece.startswith("**"):
            spelled += ".*" if place == len(pieces) - 1 else "(?:.*/)?"
        elif piece.startswith("["):
            spelled += piece
        else:
            spelled += made.get(piece) or re.escape(piece.removeprefix("\\"))
    return re.compile(spelled)


@given(PATTERNS, PATHS)
def test_one_pattern_agrees_with_a_regular_expression(pattern: str, path: str) -> None:
    rules = read(pattern).rules if pattern.strip("!/") else ()
    for rule in rules:
        plain = rule.pattern.removeprefix("**")
        if rule.pattern.startswith("**") and plain and not set(plain) & set("*?[\\"):
            continue  # compared by its end, which also takes the end of a longer name
        assert rule.matches(path) == bool(expression(rule.pattern).fullmatch(path)), rule


@given(st.lists(PATTERNS, max_size=4), PATHS)
def test_any_file_gives_a_verdict_or_is_refused(lines: list[str], path: str) -> None:
    try:
        rules = read("\n".join(lines))
    except IgnoreMalformed:
        rules = Rules()
    assert rules.verdict(path).line <= len(lines)


@given(st.text(max_size=60), PATHS)
def test_any_text_gives_a_verdict_or_is_refused(text: str, path: str) -> None:
    try:
        rules = read(text)
    except IgnoreMalformed:
        rules = Rules()
    assert isinstance(rules.verdict(path).is_ignored, bool)


def test_many_stars_are_not_tried_again_and_again() -> None:
    rules = read("*a" * 40 + "b\n" + "**/a/" * 40 + "b\n")
    started = time.process_time()
    assert not rules.verdict("a" * 250).is_ignored
    assert not rules.verdict("/".join("a" * 100)).is_ignored
    assert time.process_time() - started < 20


@pytest.mark.parametrize(
    "piece", ["[", "[a", "[a-", "[^", "\\", "*", "**/", "?", "a/", "[]]"]
)
def test_a_long_line_is_read_in_time_that_fits_its_length(piece: str) -> None:
    line = piece * (200_000 // len(piece))
    started = time.process_time()
    try:
        read(f"{line}\n").verdict("a/b")
    except IgnoreMalformed as refused:
        assert refused.status == 400  # noqa: PT017  (a refusal is an answer too)
    assert time.process_time() - started < 20
