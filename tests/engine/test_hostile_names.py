"""H-06: no name from outside becomes a path before it was looked at.

Every operation that takes a name is asked with names that lead out, over the API, while a
hook of the interpreter notes every path that the engine touches.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from pyminidock.api.message import Request, Response
from pyminidock.api.routes import ROUTES, Router
from tests.api.studio import studio
from tests.engine.archives import (
    config,
    descriptor,
    index,
    layer,
    layout,
    manifest,
    old_docker,
    tar,
)

OUT = "hostile-place"
NAMES = {
    "a path up": f"../../{OUT}",
    "an absolute path": f"/{OUT}",
    "a digest that is a path": f"sha256:../../{OUT}",
    "a digest in capitals": "sha256:" + "A" * 64,
    "63 digits": "a" * 63 + "Z",
    "65 digits": "sha256:" + "a" * 65,
    "another algorithm": "md5:" + "0" * 32,
    "NUL": f"{OUT}\0x",
    "dots": "..",
    "a newline": f"{OUT}\n/x",
    "an escape": f"\x1b[2J{OUT}",
    "half a character": f"{OUT}\udcff",
    "a mebibyte": OUT * (1 << 20 >> 4),
}
TOUCHING = ("open", "os.", "shutil.", "sqlite3.connect", "tempfile.")
_touched: list[str] | None = None


def _note(event: str, words: tuple[Any, ...]) -> None:
    if _touched is not None and event.startswith(TOUCHING):
        _touched.append(f"{event} {words}"[:1000])


sys.addaudithook(_note)


@contextmanager
def noting() -> Iterator[list[str]]:
    """Give the list of what the interpreter touches meanwhile."""
    global _touched  # noqa: PLW0603  (a hook stays for ever, so it asks here)
    touched: list[str] = []
    _touched = touched
    try:
        yield touched
    finally:
        _touched = None


@pytest.fixture
def router(tmp_path: Path) -> Iterator[Router]:
    made = studio(tmp_path / "root")
    yield Router(made.house)
    made.house.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Router]:
    """One house for all names in addresses: what is refused leaves it as it was."""
    made = studio(tmp_path_factory.mktemp("shared") / "root")
    yield Router(made.house)
    made.house.close()


def ask(router: Router, method: str, path: str, **query: Any) -> tuple[Response, list[str]]:
    with noting() as touched:
        response = router.handle(Request(method, path, query, {}, b"{}"))
        body = (
            response.body if isinstance(response.body, bytes) else b"".join(response.body)
        )
    return replace(response, body=body), touched


NAMED = [(method, path) for method, path, _ in ROUTES if "{" in path]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("method", "path"), NAMED)
def test_a_name_in_an_address_is_never_a_path(
    shared: Router, method: str, path: str, name: str
) -> None:
    """H-06: refused or not found, and nothing of it was opened.

    A path that strays is sent to the plain one, as Docker does: there it is the same.
    """
    text = NAMES[name]
    for word in ("{id}", "{id*}", "{name}", "{name*}", "{order}"):
        path = path.replace(word, text)
    query = {"repo": "a", "tag": "b"} if path.endswith("/tag") else {}
    response, touched = ask(shared, method, path, **query)
    if response.status == 301:
        place = urlsplit(dict(response.headers)["Location"])
        assert ".." not in unquote(place.path)
        assert not touched
        response, touched = ask(shared, method, unquote(place.path), **query)
    assert response.status in (400, 404, 409, 501, 503)  # the last two: whatever the name
    assert not [each for each in touched if OUT in each]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("method", "path", "key"),
    [
        ("POST", "/containers/create", "name"),
        ("POST", "/images/busybox/tag", "repo"),
        ("POST", "/images/busybox/tag", "tag"),
        ("GET", "/images/get", "names"),
        ("POST", "/images/create", "fromImage"),
        ("POST", "/images/create", "repo"),
        ("GET", "/minidock/events", "story"),
        ("GET", "/minidock/cache", "image"),
        ("POST", "/build", "t"),
        ("POST", "/build", "dockerfile"),
        ("POST", "/build", "target"),
    ],
)
def test_a_name_in_a_query_is_never_a_path(
    router: Router, method: str, path: str, key: str, name: str
) -> None:
    """H-06: some are good names of images, `md5:00…` is one."""
    query = {"repo": "a"} if key == "tag" else {}
    query |= {"fromSrc": "-"} if (path, key) == ("/images/create", "repo") else {}
    response, touched = ask(router, method, path, **query | {key: NAMES[name]})
    assert isinstance(response.body, bytes)
    assert (
        b"daemon.log" not in response.body
    )  # Docker's 500 for a bad tag is no bug of ours
    assert not [each for each in touched if OUT in each]


ONE = layer()
_EMPTY = manifest(config(ONE), [ONE])


def _door(**fields: Any) -> bytes:
    """Make an archive in Docker's own way, whose door says something else."""
    members = old_docker([ONE], config(ONE), "a:1")
    entry = json.loads(members["manifest.json"])[0] | fields
    return tar(members | {"manifest.json": json.dumps([entry]).encode()})


def _document(content: bytes) -> bytes:
    return tar(old_docker([ONE], content, "a:1"))


def _index(content: bytes) -> bytes:
    return tar(layout(content, _EMPTY, config(ONE), ONE))


def _leading_to(digest: str) -> bytes:
    return _index(index(descriptor(_EMPTY, "x") | {"digest": digest}))


def _saying(more: bytes) -> bytes:
    """Make an archive whose config says more, in whatever JSON."""
    return _document(config(ONE)[:-1] + b"," + more + b"}")


ARCHIVES = {
    "a config elsewhere": _door(Config=f"../../{OUT}"),
    "a layer elsewhere": _door(Layers=[f"/{OUT}"]),
    "a layer with NUL": _door(Layers=[f"{OUT}\0"]),
    "a name elsewhere": _door(RepoTags=[f"../../{OUT}:1"]),
    "a member elsewhere": tar({f"../../{OUT}": b"x"}),
    "a digest elsewhere": _leading_to(f"sha256:../{OUT}"),
    "a digest in capitals": _leading_to("sha256:" + "A" * 64),
    "md5": _leading_to("md5:" + "0" * 32),
    "63 digits": _leading_to("sha256:" + "a" * 63),
    "a diff id elsewhere": _document(
        json.dumps({"os": "linux", "rootfs": {"type": "layers",
                    "diff_ids": [f"sha256:../../{OUT}"]}}).encode()),
    "NaN": _saying(b'"x":NaN'),
    "infinity": _saying(b'"x":-Infinity'),
    "too deep": _saying(b'"x":' + b"[" * 100_000 + b"]" * 100_000),
    "a key twice": _saying(b'"os":"linux"'),
    "endless digits": _saying(b'"x":' + b"9" * 1_000_000),
    "an index of NaN": _index(b'{"schemaVersion":2,"manifests":[NaN]}'),
    "a door too deep": tar({"manifest.json": b"[" * 100_000 + b"]" * 100_000}),
    "a door with a key twice": tar({"manifest.json": b'[{"Config":"a","Config":"b"}]'}),
}  # fmt: skip


@pytest.mark.parametrize("archive", ARCHIVES)
def test_a_name_in_an_archive_is_never_a_path(router: Router, archive: str) -> None:
    """H-06: refused whole; JSON that can be read in two ways or without end, too."""
    before = json.dumps(ask(router, "GET", "/images/json")[0].body, default=str)
    with noting() as touched:
        request = Request("POST", "/images/load", {}, {}, ARCHIVES[archive])
        response = router.handle(request)
        body = (
            response.body if isinstance(response.body, bytes) else b"".join(response.body)
        )
    assert response.status == 400 or b'"error"' in body, body[:300]
    assert not [each for each in touched if OUT in each]
    assert json.dumps(ask(router, "GET", "/images/json")[0].body, default=str) == before
