"""Two engines' documents, made comparable: what may differ becomes a word.

Ids, moments, process numbers, digests and the engines' own directories are replaced;
everything else counts, order and absence of fields included.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.compat.observe import Facts

_WORDS = (
    (r"sha256:[0-9a-f]{64}", "<digest>"),
    (r"\b[0-9a-f]{64}\b", "<id>"),
    (r"\b[0-9a-f]{12}\b", "<short id>"),
    (r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]{1,9})?Z", "<moment>"),
)
_PATH = r'"/[^" ]*/(pyminidock-reference|minidock-cli)-[^/"]*/[^"]*"'
NEVER = "0001-01-01T00:00:00Z"
_NUMBERS = ("Created", "Pid", "SizeRootFs")


def facts(topic: str, value: Any) -> Facts:
    """Every leaf of a document by its path, and the order of each object's fields."""
    return {(topic, path): shown for path, shown in _leaves("", value)}


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        if path not in ("HostConfig.LogConfig.Config", "Config.Labels"):
            yield f"{path}.order", " ".join(value)
        for name, inner in value.items():
            yield from _leaves(f"{path}.{name}" if path else name, inner)
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value):
            yield from _leaves(f"{path}[{number}]", inner)
    else:
        yield path, _anonymous(path.rpartition(".")[2], value)


def _anonymous(name: str, value: Any) -> str:
    if name in _NUMBERS and type(value) is int and value:
        return "<number>"
    text = json.dumps(value)
    if NEVER in text:
        return text
    text = re.sub(_PATH, '"<path>"', text)
    for pattern, word in _WORDS:
        text = re.sub(pattern, word, text)
    return text
