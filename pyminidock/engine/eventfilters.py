"""Which of Docker's messages a client wants: `--filter event=die --filter label=a=1`.

Filters of one key are alternatives, those of several keys must all agree.  A key that
means nothing here is accepted and narrows nothing down, as in Docker.

    container volume network daemon …   the beginning of an id or of a name
    image                               an image, with or without its tag; also what a
                                        container was made of
    event                               the action; `exec_create`, `exec_start` and
                                        `health_status` mean all that begin so
    type scope label                    the whole word; NAME or NAME=VALUE

Source: moby, daemon/events/filter.go; api/types/filters/parse.go: FuzzyMatch, MatchKVList.
"""

from collections.abc import Mapping
from typing import Any

from pyminidock.engine.dockerevents import Message
from pyminidock.engine.filters import FilterRefused
from pyminidock.grammar.refs import ReferenceMalformed, parse

_BY_BEGINNING = (
    "daemon", "container", "plugin", "volume", "network", "node", "service", "secret",
    "config",
)  # fmt: skip
_OPEN_ENDED = frozenset(("health_status", "exec_create", "exec_start"))


class EventFilters:
    """The filters of one listener.  Raises FilterRefused, in Docker's words."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        self._values: dict[str, tuple[str, ...]] = {}
        for name, value in said.items():
            if values := _values(value):
                self._values[name] = values

    def wants(self, message: Message) -> bool:
        """Whether a message passes."""
        return (
            self._wants_action(message.action)
            and self._is_one_of("type", message.type)
            and self._is_one_of("scope", "local")
            and all(self._begins(name, message) for name in _BY_BEGINNING)
            and self._wants_image(message)
            and self._has_labels(message.attributes)
        )

    def _wants_action(self, action: str) -> bool:
        wanted = self._values.get("event", ())
        if _OPEN_ENDED.isdisjoint(wanted):
            return self._is_one_of("event", action)
        return any(action.startswith(each) for each in wanted)

    def _is_one_of(self, name: str, text: str) -> bool:
        wanted = self._values.get(name)
        return wanted is None or text in wanted

    def _begins(self, name: str, message: Message) -> bool:
        wanted = self._values.get(name)
        called = message.attributes.get("name", "")
        return wanted is None or any(
            message.id.startswith(each) or called.startswith(each) for each in wanted
        )

    def _wants_image(self, message: Message) -> bool:
        wanted = self._values.get("image")
        if wanted is None:
            return True
        named = message.attributes.get("name" if message.type == "image" else "image", "")
        spellings = {message.id, named, _repository(message.id), _repository(named)}
        return not spellings.isdisjoint(wanted)

    def _has_labels(self, attributes: Mapping[str, str]) -> bool:
        for each in self._values.get("label", ()):
            name, equals, value = each.partition("=")
            if name not in attributes or (equals and attributes[name] != value):
                return False
        return True


def _values(said: object) -> tuple[str, ...]:
    """Read one key's values: a list of them, or an object of flags that are not looked at.

    Raises FilterRefused.
    """
    flags = list(said.values()) if isinstance(said, Mapping) else []
    values = list(said) if isinstance(said, Mapping | list) else []
    is_odd = said is not None and not isinstance(said, Mapping | list)
    if is_odd or not all(isinstance(each, bool) for each in flags):
        raise _refused()
    if not all(isinstance(each, str) for each in values):
        raise _refused()
    return tuple(values)


def _repository(image: str) -> str:
    """Give an image's name without its tag; what is no name stays as it is.

    >>> _repository("busybox:1"), _repository("me/app"), _repository("A")
    ('busybox', 'me/app', 'A')
    """
    try:
        return parse(image).familiar_name
    except ReferenceMalformed:
        return image


def _refused() -> FilterRefused:
    return FilterRefused(
        "invalid filter",
        why='filters are {"name": ["value"]} or {"name": {"value": true}}',
        try_next="docker events --filter event=die",
        lesson="events",
    )
