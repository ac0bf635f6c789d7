"""`ADD https://…`: one file comes, with its name and time, or a sentence says why not."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyminidock.build.downloads import DownloadFailed, download, is_address


class _Site(http.server.BaseHTTPRequestHandler):
    """Answers by path: /status/CODE, /to?ADDRESS, /named, /cut; else the path itself."""

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        body = path.encode()
        self.send_response(int(path[8:]) if path.startswith("/status/") else
                           302 if path in ("/to", "/again") else 200)  # fmt: skip
        if path in ("/to", "/again"):
            self.send_header("Location", query or "/again")
        if path == "/named/":
            self.send_header("Content-Disposition", 'attachment; filename="../a b.txt"')
        self.send_header("Last-Modified", "Fri, 14 Jul 2017 02:40:00 GMT")
        self.send_header("Content-Length", str(len(body) + 5 * (path == "/cut")))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Site) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_file_comes_with_its_time_and_sum(site: str, tmp_path: Path) -> None:
    found = download(f"{site}/d/file", tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == b"/d/file"
    assert (found.name, found.modified) == ("file", 1_500_000_000)
    assert found.sha256.startswith("38a6e4d9")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/a%20b", "a b"), ("/x?y=z", "x"), ("/d/", ""), ("", ""), ("/named/", "a b.txt"),
        ("/to?/d/else", "to"), ("/%2e%2e%2fetc", "etc"), ("/%2e%2e", ""), ("/..", ""),
        ("/d/%2e", ""), ("/a%00b", ""),
    ],
)  # fmt: skip
def test_the_name_is_from_what_was_asked_for(
    site: str, tmp_path: Path, path: str, name: str
) -> None:
    found = download(site + path, tmp_path / "x")
    assert (found.url, found.name) == (site + path, name)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/status/404", "failed to GET {}/status/404 with status 404 Not Found: "
         "/status/404"),
        ("/again", 'Get "{}/again": stopped after 5 redirects'),
        ("/to?http://169.254.169.254/", 'Get "http://169.254.169.254/": 169.254.169.254 is '
         "out of bounds for a build"),
        ("/to?http://localhost:1/", 'Get "http://localhost:1/": 127.0.0.1 is out of bounds '
         "for a build"),
        ("/to?file:///etc/passwd", "unsupported address: file:///etc/passwd"),
        ("/cut", "{}/cut: unexpected EOF"),
    ],
)  # fmt: skip
def test_what_cannot_be_fetched_is_told(
    site: str, tmp_path: Path, path: str, message: str
) -> None:
    with pytest.raises(DownloadFailed) as refusal:
        download(site + path, tmp_path / "x")
    assert refusal.value.what.startswith(f"ADD failed: {message.format(site)}")


def test_an_address_where_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed) as refusal:
        download("http://127.0.0.1:9/x", tmp_path / "x")
    assert refusal.value.what == (
        'ADD failed: Get "http://127.0.0.1:9/x": dial tcp 127.0.0.1:9: connect: '
        "connection refused"
    )


def test_a_file_that_is_too_large_is_given_up(site: str, tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match="is larger than 3 bytes"):
        download(f"{site}/four", tmp_path / "x", limit=3)


def test_only_the_web_is_fetched() -> None:
    assert [is_address(each) for each in ("http://a", "https://a", "ftp://a", "a")] == [
        True, True, False, False,
    ]  # fmt: skip
