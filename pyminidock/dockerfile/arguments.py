"""Which ARG is visible where: the scope of build arguments.

    ARG TAG=1                 before the first FROM: for FROM lines and later ARGs up here
    FROM busybox:$TAG
    ARG TAG                   a stage asks for it by name: 1, from above
    ARG MODE=fast             or has a default of its own
    ENV MODE=slow             from here on ENV hides the ARG of that name
    FROM alpine               a new stage has forgotten them all

`--build-arg NAME=value` wins over every default, where NAME is declared.  A few names, the
proxies, need no declaration, and leave no trace unless they are declared.

Source: docker-build-and-api 1.4; moby, builder/dockerfile/buildargs.go.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from pyminidock.dockerfile.instructions import Arg

PREDEFINED = frozenset(
    name
    for upper in ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
    for name in (upper, upper.lower())
)
_NONE: Mapping[str, str | None] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Arguments:
    """What is known at one place of the file; every step makes a new one.

    `given` is --build-arg; None there means "declared nowhere, unset".
    """

    given: Mapping[str, str | None] = field(default_factory=lambda: _NONE)
    declared: Mapping[str, str | None] = field(default_factory=lambda: _NONE)
    before_from: Mapping[str, str | None] = field(default_factory=lambda: _NONE)
    mentioned: frozenset[str] = frozenset()  # declared anywhere so far

    def declare_before_from(self, step: Arg) -> "Arguments":
        """Take an ARG above the first FROM; its values must be filled in already."""
        added = dict(step.pairs)
        return replace(
            self.declare(step), before_from=MappingProxyType({**self.before_from, **added})
        )

    def declare(self, step: Arg) -> "Arguments":
        """Take an ARG of a stage; its values must be filled in already."""
        added = dict(step.pairs)
        return replace(
            self,
            declared=MappingProxyType({**self.declared, **added}),
            mentioned=self.mentioned | added.keys(),
        )

    def enter_stage(self) -> "Arguments":
        """Begin a stage: what other stages declared is forgotten."""
        return replace(self, declared=_NONE)

    def for_from(self) -> dict[str, str]:
        """The variables of a FROM line."""
        return self._values(self.before_from)

    def visible(self, environment: Mapping[str, str]) -> dict[str, str]:
        """The variables of RUN beside ENV: allowed arguments that ENV does not hide."""
        values = self._values(self.declared)
        return {name: value for name, value in values.items() if name not in environment}

    def for_words(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Every variable that a word of an instruction may name: ENV, then arguments."""
        return {**self.visible(environment), **environment}

    def remembered(self, environment: Mapping[str, str]) -> tuple[str, ...]:
        """NAME=value, sorted, as RUN's history and cache key hold them.

        A proxy counts only where it is declared.
        """
        return tuple(
            sorted(
                f"{name}={value}"
                for name, value in self.visible(environment).items()
                if name in self.declared or name not in PREDEFINED
            )
        )

    def unused(self) -> tuple[str, ...]:
        """Names given by --build-arg that nothing declared, sorted."""
        return tuple(sorted(self.given.keys() - self.mentioned - PREDEFINED))

    def _values(self, defaults: Mapping[str, str | None]) -> dict[str, str]:
        values: dict[str, str] = {}
        undeclared = PREDEFINED & (self.given.keys() | self.before_from.keys())
        for name in sorted(defaults.keys() | undeclared):
            if name in self.given:
                value = self.given[name]
            elif (value := defaults.get(name)) is None:
                value = self.before_from.get(name)
            if value is not None:
                values[name] = value
        return values


def unused_warning(names: tuple[str, ...]) -> str:
    """The sentence at the end of a build, without a line end; empty if all were used.

    >>> unused_warning(("A", "B"))
    '[Warning] One or more build-args [A B] were not consumed'
    """
    if not names:
        return ""
    return f"[Warning] One or more build-args [{' '.join(names)}] were not consumed"
