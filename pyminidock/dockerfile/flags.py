"""The flags of an instruction: `--name=value`, or `--name` alone for a yes.

Source: buildkit 0.13, frontend/dockerfile/instructions/bflag.go.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from pyminidock.dockerfile.malformed import Fault
from pyminidock.dockerfile.suggest import guess


class FlagKind(Enum):
    """What stands behind the name."""

    TEXT = "text"
    YES = "yes or no"
    LIST = "text, as often as you like"


@dataclass(frozen=True, slots=True)
class Flags:
    """The flags that were given, by name."""

    values: Mapping[str, tuple[str, ...]]

    def text(self, name: str) -> str:
        """The value of a TEXT flag, empty if it was not given."""
        return self.values.get(name, ("",))[0]

    def is_set(self, name: str) -> bool:
        """Whether a YES flag is on."""
        return self.text(name) == "true"

    def all(self, name: str) -> tuple[str, ...]:
        """The values of a LIST flag, in order."""
        return self.values.get(name, ())


def parse_flags(given: Sequence[str], **known: FlagKind) -> Flags:
    """Read the flags of an instruction that knows `known`; a _ there is a - here.

    Raises Fault.

    >>> parse_flags(["--link", "--from=a"], link=FlagKind.YES, **{"from": FlagKind.TEXT})
    Flags(values={'link': ('true',), 'from': ('a',)})
    """
    kinds = {name.replace("_", "-"): kind for name, kind in known.items()}
    values: dict[str, tuple[str, ...]] = {}
    for flag in given:
        name, equals, value = flag[2:].partition("=")
        kind = kinds.get(name)
        if kind is None:
            listed = (
                ", ".join(f"--{known_name}" for known_name in kinds) or "no flag at all"
            )
            raise Fault(
                f"unknown flag: {name}{guess(name, [*kinds])}",
                f"this instruction knows {listed}",
                flag,
            )
        if name in values and kind is not FlagKind.LIST:
            raise Fault(f"duplicate flag specified: {name}", "one value is one value", flag)
        if kind is FlagKind.YES:
            value = _yes(name, value, has_value=bool(equals))
        elif not equals:
            raise Fault(f"missing a value on flag: {name}", f"write --{name}=VALUE", flag)
        values[name] = (*values.get(name, ()), value)
    return Flags(values)


def _yes(name: str, value: str, *, has_value: bool) -> str:
    if has_value and not value:
        raise Fault(f"missing a value on flag: {name}", f"write --{name}", f"--{name}=")
    if value.lower() not in ("", "true", "false"):
        raise Fault(
            f"expecting boolean value for flag {name}, not: {value}",
            "it is true or false, and true when it stands alone",
            value,
        )
    return value.lower() or "true"
