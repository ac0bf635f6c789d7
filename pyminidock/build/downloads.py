"""`ADD https://…`: one file from elsewhere, within limits.

Whoever writes a Dockerfile makes the engine ask for an address, so the engine is careful:
http and https only, at most five redirections, never an address that only this machine or
its cloud can reach, unless it was typed as such; a limit on bytes and on patience.  The
file goes to disk under a name of ours before anything looks at it.

Source: measured on Docker Engine 26.1; moby, builder/remotecontext/remote.go.
"""

import hashlib
import http.client
import ipaddress
import posixpath
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from email.message import Message
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pyminidock
from pyminidock.build.copying import oddity
from pyminidock.errors import MinidockError

LARGEST_BYTES = 4 << 30
MOST_REDIRECTIONS = 5
PATIENCE_S = 30.0  # for each answer
_PIECE = 1 << 20
_REDIRECTED = (301, 302, 303, 307, 308)
_TOLD = 1024  # characters of a refusal's body that are shown


class DownloadFailed(MinidockError):
    """The address cannot be fetched."""

    status = 400


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file that came from `url`; `name` is "" where nothing tells one."""

    url: str
    path: Path
    name: str
    sha256: str
    modified: float | None  # seconds since 1970


def is_address(source: str) -> bool:
    """Say whether a source of ADD is fetched.

    >>> is_address("https://x/y"), is_address("x/y")
    (True, False)
    """
    return source.startswith(("http://", "https://"))


def download(url: str, path: Path, *, limit: int = LARGEST_BYTES) -> Downloaded:
    """Fetch `url` into the new file `path` (host).  Raises DownloadFailed, OSError."""
    asked, first = url, urlsplit(url).hostname or ""
    for _ in range(MOST_REDIRECTIONS + 1):
        with _asked(url, first) as answer:
            if answer.status in _REDIRECTED and (to := answer.getheader("Location")):
                url = urljoin(url, to)
                continue
            if answer.status >= 400:
                told = answer.read(_TOLD).decode("utf-8", "replace").strip()
                reason = f"{answer.status} {answer.reason}"
                raise _failed(f"failed to GET {url} with status {reason}: {told}", url)
            digest = _written(answer, path, limit, url)
            name = _name(asked, answer.headers)
            return Downloaded(asked, path, name, digest, _time(answer))
    raise _failed(f'Get "{url}": stopped after {MOST_REDIRECTIONS} redirects', url)


@contextmanager
def _asked(url: str, first: str) -> Iterator[http.client.HTTPResponse]:
    """Ask one address, without following where it leads."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _failed(f"unsupported address: {url}", url)
    place = _resolved(parts.hostname, first, url)
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=PATIENCE_S,
            context=ssl.create_default_context(),
        )  # fmt: skip
    else:
        connection = http.client.HTTPConnection(
            parts.hostname, parts.port, timeout=PATIENCE_S
        )
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    agent = f"minidock/{pyminidock.__version__}"
    try:
        connection.request("GET", target, headers={"User-Agent": agent})
        with closing(connection.getresponse()) as answer:
            yield answer
    except (OSError, http.client.HTTPException) as fault:
        reason = str(fault)
        if isinstance(fault, OSError) and fault.strerror:
            where = f"{place}:{connection.port}"
            reason = f"dial tcp {where}: connect: {fault.strerror.lower()}"
        raise _failed(f'Get "{url}": {reason}', url) from fault
    finally:
        connection.close()


def _resolved(host: str, first: str, url: str) -> str:
    """Look a name up; give its first address.

    Refuses the link-local network, where clouds keep credentials, and being sent home.
    What was typed may be this machine; what a redirection names may not.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as fault:
        raise _failed(f'Get "{url}": lookup {host}: {fault}', url) from fault
    for *_, address in found:
        number = ipaddress.ip_address(str(address[0]).partition("%")[0])
        if number.is_link_local or (host != first and number.is_loopback):
            raise _failed(f'Get "{url}": {number} is out of bounds for a build', url)
    return str(found[0][4][0])


def _written(answer: http.client.HTTPResponse, path: Path, limit: int, url: str) -> str:
    digest, length = hashlib.sha256(), 0
    with path.open("xb") as file:
        while piece := answer.read(_PIECE):
            length += len(piece)
            if length > limit:
                raise _failed(f"{url} is larger than {limit} bytes", url)
            digest.update(piece)
            file.write(piece)
    if answer.length:  # bytes that were promised, and did not come
        raise _failed(f"{url}: unexpected EOF", url)
    return digest.hexdigest()


def _name(url: str, headers: Message) -> str:
    """Read the name of the file: from the address, else from Content-Disposition."""
    path = unquote(urlsplit(url).path)
    if not path or path.endswith("/"):
        disposition = headers.get("Content-Disposition") or ""
        given = re.search(r'filename="?([^";]+)"?', disposition)
        path = given[1] if given else ""
    name = posixpath.basename(path)
    return "" if name in (".", "..") or oddity(name) else name


def _time(answer: http.client.HTTPResponse) -> float | None:
    try:
        return parsedate_to_datetime(answer.getheader("Last-Modified") or "").timestamp()
    except ValueError:
        return None


def _failed(what: str, url: str) -> DownloadFailed:
    return DownloadFailed(
        f"ADD failed: {what}",
        why="ADD fetches http and https addresses, within limits, and follows few "
        "redirections",
        try_next=f"curl -LO {url}, then COPY the file",
        lesson="copy",
    )
