"""How an image is called: [host[:port]/]path[:tag][@digest].

Everybody types the short form, so most of a reference is left out and filled in:

    busybox            docker.io/library/busybox
    me/app:1           docker.io/me/app:1
    localhost:5000/x   localhost:5000/x         a first part with a dot, a colon or an
                                                upper-case letter is a host, so is localhost
    busybox:latest     the familiar form of     docker.io/library/busybox:latest

The path becomes part of addresses and of files of others, so a text is compared with the
whole grammar; what does not fit is refused in Docker's words.

Source: distribution/reference, normalize.go, reference.go and regexp.go.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from pyminidock.errors import MinidockError

HUB = "docker.io"
_OLD_HUB = "index.docker.io"
_OFFICIAL = "library/"
LONGEST_PATH = 255
_LONGEST = 4096  # of the whole text, before any pattern sees it

_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_PATH = rf"{_COMPONENT}(?:/{_COMPONENT})*"
_TAG = r"[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_REFERENCE = re.compile(
    rf"(?P<domain>{_HOST})/(?P<path>{_PATH})(?::(?P<tag>{_TAG}))?(?:@(?P<digest>{_DIGEST}))?"
)
_IDENTIFIER = re.compile(r"[a-f0-9]{64}")
_DIGITS = {"sha256": 64, "sha384": 96, "sha512": 128}


class ReferenceMalformed(MinidockError):
    """The text cannot be the name of an image."""

    status = 400


@dataclass(frozen=True, slots=True)
class Reference:
    """One image's name in full; tag and digest may be "", for "not said"."""

    domain: str
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """The repository in full: docker.io/library/busybox."""
        return f"{self.domain}/{self.path}"

    @property
    def familiar_name(self) -> str:
        """The repository as people know it: busybox."""
        if self.domain != HUB:
            return self.name
        last = self.path.removeprefix(_OFFICIAL)
        return self.path if "/" in last else last

    @property
    def canonical(self) -> str:
        """The whole reference in full."""
        return f"{self.name}{self._rest}"

    @property
    def familiar(self) -> str:
        """The whole reference as people know it, and as Docker prints it."""
        return f"{self.familiar_name}{self._rest}"

    @property
    def _rest(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{tag}@{self.digest}" if self.digest else tag

    def with_default_tag(self) -> "Reference":
        """Say "latest" where neither a tag nor a digest is said."""
        return self if self.tag or self.digest else replace(self, tag="latest")

    def with_tag(self, tag: str) -> "Reference":
        """Give the repository another tag and no digest.  Raises ReferenceMalformed."""
        if not re.fullmatch(_TAG, tag):
            raise _refusal("invalid tag format", self.familiar_name)
        return Reference(self.domain, self.path, tag)

    def __str__(self) -> str:
        return self.familiar


@lru_cache(maxsize=256)
def parse(text: str) -> Reference:
    """Read a reference as people type it.  Raises ReferenceMalformed in Docker's words.

    >>> parse("busybox").with_default_tag().canonical
    'docker.io/library/busybox:latest'
    >>> parse("localhost:5000/me/app:1").familiar
    'localhost:5000/me/app:1'
    >>> parse("Busybox")
    Traceback (most recent call last):
    ...
    pyminidock.grammar.refs.ReferenceMalformed: invalid reference format: repository name \
(library/Busybox) must be lowercase
    """
    if len(text) > _LONGEST:
        raise _refusal("invalid reference format", text)
    if _IDENTIFIER.fullmatch(text):
        reason = "cannot specify 64-byte hexadecimal strings"
        raise _refusal(f"invalid repository name ({text}), {reason}", text)
    domain, rest = _split(text)
    path = rest.partition(":")[0]
    if path.lower() != path:
        reason = f"repository name ({path}) must be lowercase"
        raise _refusal(f"invalid reference format: {reason}", text)
    found = _REFERENCE.fullmatch(f"{domain}/{rest}")
    if not found:
        raise _refusal("invalid reference format", text)
    reference = Reference(found["domain"], found["path"], found["tag"] or "",
                          found["digest"] or "")  # fmt: skip
    _check(reference, text)
    return reference


def _split(text: str) -> tuple[str, str]:
    """Tell the host from the path; without a host, the Hub is meant."""
    first, slash, rest = text.partition("/")
    is_host = any(mark in first for mark in ".:") or first == "localhost"
    if not slash or not (is_host or first.lower() != first):
        first, rest = HUB, text
    domain = HUB if first == _OLD_HUB else first
    return domain, rest if domain != HUB or "/" in rest else f"{_OFFICIAL}{rest}"


def _check(reference: Reference, text: str) -> None:
    if len(reference.path) > LONGEST_PATH:
        reason = f"repository name must not be more than {LONGEST_PATH} characters"
        raise _refusal(reason, text)
    if reference.digest:
        algorithm, _, digits = reference.digest.partition(":")
        if algorithm not in _DIGITS:
            raise _refusal("unsupported digest algorithm", text)
        if len(digits) != _DIGITS[algorithm]:
            raise _refusal("invalid checksum digest length", text)
        if digits.lower() != digits:
            raise _refusal("invalid checksum digest format", text)


def _refusal(what: str, text: str) -> ReferenceMalformed:
    return ReferenceMalformed(
        what,
        why="a name is [host/]path[:tag][@digest]: the path in small letters and digits,"
        " parted by '/', '.', '_' or '-'; a tag of 128 characters at most",
        try_next=f"another name, such as {_suggestion(text)}",
        lesson="references",
    )


def _suggestion(text: str) -> str:
    """Make an allowed name of what is left after all that is not allowed has gone."""
    kept = re.sub(r"[^a-z0-9/:._-]+", "-", text[:60].lower())
    parts = [re.sub(r"[._-]{2,}", "-", part).strip("._-") for part in kept.split("/")]
    offered = "/".join(part for part in parts if part)
    path, _, tag = offered.partition(":")
    if not re.fullmatch(_PATH, path):
        return "busybox"
    return offered if re.fullmatch(_TAG, tag) else path
