"""Taking the fields of a document one by one, each as what it has to be.

Go's decoder, which wrote the world's images, takes null for "not said" and finds a key in
any case.  We take null the same way; a key that differs from a known one by its case alone
is refused, because here the two readers would part.

Source: Go, encoding/json, "Unmarshal"; CVE-2021-41190 (one document read as two types).
"""

from collections.abc import Collection
from typing import Any

from pyminidock.image.digest import Digest, DigestMalformed, check
from pyminidock.image.jsontext import DocumentMalformed, malformed


class Fields:
    """One object of a document; every question names the document if it must refuse."""

    def __init__(
        self, value: Any, name: str, error: type[DocumentMalformed], known: Collection[str]
    ) -> None:
        self.name, self.error = name, error
        if not isinstance(value, dict):
            raise self.refusal("", "an object", value)
        self.raw = value
        folded = {key.casefold(): key for key in known}
        for key in value:
            if key not in known and (meant := folded.get(key.casefold())):
                raise malformed(error, name, f"{key[:40]!r} where {meant!r} is meant")

    def text(self, key: str) -> str:
        """Give a text; "" when it is not said."""
        return str(self._typed(key, str, "a text", ""))

    def flag(self, key: str) -> bool:
        """Give true or false; False when it is not said."""
        return bool(self._typed(key, bool, "true or false", False))

    def number(self, key: str) -> int:
        """Give a whole number; 0 when it is not said."""
        found = self.raw.get(key)
        if isinstance(found, bool):
            raise self.refusal(key, "a whole number", found)
        return int(self._typed(key, int, "a whole number", 0))

    def size(self, key: str) -> int:
        """Give a number of bytes: whole, not negative, within 63 bits."""
        found = self.number(key)
        if not 0 <= found < 1 << 63:
            raise self.refusal(key, "a number of bytes", found)
        return found

    def digest(self, key: str) -> Digest:
        """Give a digest, which must be there."""
        return self._digest(self.raw.get(key), key)

    def digests(self, key: str) -> tuple[Digest, ...]:
        """Give a list of digests."""
        return tuple(self._digest(item, key) for item in self.list(key))

    def texts(self, key: str) -> tuple[str, ...]:
        """Give a list of texts; null and absent are no texts."""
        found = self.list(key)
        for item in found:
            if not isinstance(item, str):
                raise self.refusal(key, "a list of texts", item)
        return tuple(found)

    def pairs(self, key: str) -> tuple[tuple[str, str], ...]:
        """Give an object of texts, sorted by name."""
        found = self.object(key)
        for value in found.values():
            if not isinstance(value, str):
                raise self.refusal(key, "an object of texts", value)
        return tuple(sorted(found.items()))

    def names(self, key: str) -> tuple[str, ...]:
        """Give the sorted keys of an object whose values say nothing, Go's set."""
        return tuple(sorted(self.object(key)))

    def list(self, key: str) -> list[Any]:
        """Give a list of anything."""
        found: list[Any] = self._typed(key, list, "a list", [])
        return found

    def object(self, key: str) -> dict[str, Any]:
        """Give an object of anything."""
        found: dict[str, Any] = self._typed(key, dict, "an object", {})
        return found

    def refusal(self, key: str, wanted: str, found: Any) -> DocumentMalformed:
        """Word that a field is something else; the caller raises it."""
        shown = "null" if found is None else type(found).__name__
        place = f"{key}: " if key else ""
        return malformed(self.error, self.name, f"{place}{shown} where {wanted} belongs")

    def _typed(self, key: str, kind: type, wanted: str, default: Any) -> Any:
        found = self.raw.get(key)
        if found is None:
            return default
        if not isinstance(found, kind):
            raise self.refusal(key, wanted, found)
        return found

    def _digest(self, found: Any, key: str) -> Digest:
        try:
            return check(found)
        except DigestMalformed as cause:
            raise malformed(self.error, self.name, f"{key}: {cause.what}") from cause
