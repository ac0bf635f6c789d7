"""A story as a page: one file that opens from a stick, asks nobody, and steps both ways.

The page holds its player, its style and its film, and its policy says so: nothing but the
one script and the one style whose digests stand there, no connection to anywhere.  Texts
from inside containers lie in a data block as JSON, in which no "<" is left, so nothing can
end the block early.  A long film is compressed; browsers unpack it themselves.

Without JavaScript the page is a list of sentences.

Source: W3C, Content Security Policy Level 3, 2.3.1; WHATWG, HTML, 4.12.1.3 on the contents
of script elements.
"""

import json
import zlib
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from html import escape
from typing import Any

MOST_PLAIN_BYTES = 256 << 10  # of a film; beyond, it is compressed
MOST_LISTED = 500  # sentences for whoever has no JavaScript

_GZIP = zlib.MAX_WBITS | 16


def page(
    header: Mapping[str, Any],
    frames: Sequence[Mapping[str, Any]],
    sources: Mapping[str, Any],
    *,
    css: str,
    script: str,
) -> str:
    """Give the whole file.

    `header` and `frames` are those of `viz.film`, `sources` of `viz.excerpts`; the two
    texts are the player's, as `client.pagefiles` joins them.
    """
    said = header["words"]
    title = escape(str(header["title"]))
    return "\n".join((
        "<!DOCTYPE html>",
        f'<html lang="{escape(str(header.get("lang", "en")))}">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(css, script)}">',
        '<meta name="viewport" content="width=device-width">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{title}</title>",
        f"<style>{css}</style>",
        "</head>",
        "<body>",
        '<main class="md-page">',
        f'<div id="md-player" data-failed="{escape(said["page-failed"])}"></div>',
        "<noscript>",
        *_listed(header, frames),
        "</noscript>",
        "</main>",
        _film({"header": header, "frames": frames, "sources": sources}),
        f"<script>{script}</script>",
        "</body>",
        "</html>",
        "",
    ))  # fmt: skip


def _policy(css: str, script: str) -> str:
    """Say what this page may do: run this script, look like this, and nothing else."""
    return "; ".join((
        "default-src 'none'",
        f"script-src '{_digest(script)}'",
        f"style-src '{_digest(css)}'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ))  # fmt: skip


def _digest(text: str) -> str:
    """Name a text as a policy does.

    >>> _digest("")
    'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
    """
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()


def _film(told: Mapping[str, Any]) -> str:
    """Put the film into a data block: as JSON, or as gzip in base64 where it is long."""
    text = json.dumps(told, separators=(",", ":"), allow_nan=False)
    if len(text) <= MOST_PLAIN_BYTES:
        shown = text.replace("<", r"\u003c")
        return f'<script type="application/json" id="md-film">{shown}</script>'
    packer = zlib.compressobj(9, zlib.DEFLATED, _GZIP)
    packed = packer.compress(text.encode()) + packer.flush()
    shown = b64encode(packed).decode()
    return f'<script type="application/gzip" id="md-film">{shown}</script>'


def _listed(
    header: Mapping[str, Any], frames: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """Tell the story as a list of sentences."""
    said = header["words"]
    yield '<div class="md-page-list">'
    yield f"<h1>{escape(str(header['title']))}</h1>"
    replayed = said["replay-of"].format(label=header["label"])
    yield f"<p>{escape(replayed)}, {escape(str(header['created']))}</p>"
    yield f"<p>{escape(said['page-script'])}</p>"
    yield f"<h2>{escape(said['page-list'].format(n=len(frames)))}</h2>"
    yield "<ol>"
    for frame in frames[:MOST_LISTED]:
        yield f"<li>{escape(frame['say'][0])}</li>"
    yield "</ol>"
    if len(frames) > MOST_LISTED:
        more = said["page-more"].format(n=len(frames) - MOST_LISTED)
        yield f"<p>{escape(more)}</p>"
    yield "</div>"
