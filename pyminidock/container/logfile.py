"""What becomes of a program's output: how its log is called, how large it grows.

A record may carry what the container is called, some of its labels and variables, so that
whoever collects many logs can tell them apart:

    --log-opt labels=com.example.team,tier     these labels, those that there are
    --log-opt env-regex=^APP_                  variables by a pattern of their names
    --log-opt tag={{.Name}}/{{.ID}}            a text with facts in it

All that is decided when the program starts, and the shim is handed bytes.

Source: moby, daemon/logger/loginfo.go, loggerutils/log_tag.go, jsonfilelog.go.
"""

import posixpath
from collections.abc import Iterator, Mapping

from pyminidock.container.logtag import TagRefused, spell_tag
from pyminidock.container.spec import ContainerSpec
from pyminidock.errors import MinidockError
from pyminidock.grammar import logoptions
from pyminidock.grammar.patterns import PatternRefused, matcher
from pyminidock.image import jsontext
from pyminidock.kernel.calls import LogFile

_MOST_BYTES = 32 << 10  # of the attributes; they are repeated in every record
_PREFIX = "failed to create task for container: failed to initialize logging driver: "


class LoggingRefused(MinidockError):
    """The options of the log make no sense, so that the program cannot start."""


def log_name(spec: ContainerSpec) -> str:
    """Name the log in the container's directory; empty: there is none."""
    return "" if spec.log_driver == logoptions.NONE else f"{spec.id}-json.log"


def log_path(spec: ContainerSpec) -> str:
    """Give the host path of the log, as far as its form is public: json-file's only."""
    is_public = spec.log_driver == logoptions.JSON_FILE
    return posixpath.join(spec.directory, log_name(spec)) if is_public else ""


def limits_of(spec: ContainerSpec) -> logoptions.Limits | None:
    """Find out how much of its output is kept; None: nothing.  Raises LoggingRefused."""
    try:
        return logoptions.parse(spec.log_driver, dict(spec.log_options))
    except MinidockError as refusal:
        raise _refused(refusal) from refusal


def log_file(spec: ContainerSpec, image_id: str = "") -> LogFile | None:
    """Decide how the output of a container is kept.  Raises LoggingRefused."""
    limits = limits_of(spec)
    if limits is None:
        return None
    try:
        attributes = dict(_attributes(spec, dict(spec.log_options), image_id))
    except (PatternRefused, TagRefused) as refusal:
        raise _refused(refusal) from refusal
    spelled = (
        jsontext.write(dict(sorted(attributes.items()))).decode() if attributes else ""
    )
    if len(spelled) > _MOST_BYTES:
        raise LoggingRefused(
            f"{_PREFIX}{len(spelled)} bytes of attributes in every record",
            why=f"they are repeated in every record, so they may have {_MOST_BYTES} bytes",
            try_next="name fewer labels or variables in --log-opt",
            lesson="logs",
        )
    return LogFile(
        log_name(spec), limits.most_bytes, limits.most_files, spelled, limits.compresses
    )


def _attributes(
    spec: ContainerSpec, options: Mapping[str, str], image_id: str
) -> Iterator[tuple[str, str]]:
    """Give the facts that were asked for; later ones win."""
    pairs = (entry.partition("=") for entry in spec.given_environment)
    variables = {name: value for name, equals, value in pairs if equals}
    for option, facts in (("labels", dict(spec.labels)), ("env", variables)):
        names = options.get(option, "").split(",")
        yield from ((name, facts[name]) for name in names if name in facts)
        pattern = options.get(f"{option}-regex", "")
        if pattern:
            matches = matcher(pattern)
            yield from ((name, value) for name, value in facts.items() if matches(name))
    tag = spell_tag(options.get("tag", ""), spec, image_id)
    if tag:
        yield "tag", tag


def _refused(refusal: MinidockError) -> LoggingRefused:
    return LoggingRefused(
        f"{_PREFIX}{refusal.what}",
        why=refusal.why,
        try_next=refusal.try_next,
        lesson=refusal.lesson,
    )
