"""What must never leave does not leave."""

import time
from dataclasses import fields, replace
from typing import Any

import pytest

from pyminidock.events import (
    BuildFailed,
    CacheMissed,
    ConfigChanged,
    ContainerCreated,
    Event,
    ExecCreated,
    InstructionParsed,
    Mounted,
    ProgramExecuted,
    RequestReceived,
    RequestRefused,
    SpecResolved,
    StepPrinted,
    StepSkipped,
    StepStarted,
    UserResolved,
    redaction,
)
from pyminidock.events.journal import record_kinds
from pyminidock.events.redaction import (
    REDACTED,
    Given,
    for_journal,
    for_listeners,
    text,
)

CANARY = "Hunter2-Canary"
SPEC = SpecResolved(
    "c", ("env",), ("PATH=/bin", f"PASSWORD={CANARY}", f"X={CANARY}=y", "EMPTY"), "/", 0, 0,
    (), (), "default", False, False, False,
)  # fmt: skip


def test_values_of_variables_are_hidden_from_everybody() -> None:
    shown = ("PATH=/bin", f"PASSWORD={REDACTED}", f"X={REDACTED}", "EMPTY")
    assert for_listeners(SPEC) == replace(SPEC, environment=shown)
    assert for_journal(SPEC) == replace(SPEC, environment=shown)


def test_every_event_with_variables_is_known_to_the_rule() -> None:
    telling = {
        name: [field.name for field in fields(cls) if "env" in field.name]
        for name, cls in record_kinds().items()
    }
    assert {kind: names for kind, names in telling.items() if names} == {
        "spec.resolved": ["environment"]
    }


@pytest.mark.parametrize(
    "argv",
    [
        ("sh", "-c", f'curl -H "Authorization: Bearer {CANARY}" http://host/'),
        ("curl", "-H", f"Authorization: Bearer {CANARY}", "http://host/"),
        ("curl", "-H", f"authorization:{CANARY} and more {CANARY}"),
        ("curl", "-H", f"X-Api-Key: {CANARY}"),
        ("curl", "--cookie", CANARY),
        ("curl", "-H", f"Cookie: a={CANARY}; b={CANARY}"),
        ("curl", f"https://me:{CANARY}@host/path"),
        ("git", "clone", f"https://{CANARY}@host/path"),
        ("curl", f"https://host/?page=2&access_token={CANARY}&x=1"),
        ("curl", f"https://host/?X-Amz-Signature={CANARY}"),
        ("curl", "-u", f"me:{CANARY}", "http://host/"),
        ("sh", "-c", f"id -u; curl -s --user 'me:{CANARY}' http://host/"),
        ("psql", "--password", CANARY),
        ("psql", f"--password={CANARY}"),
        ("env", f"DB_PASS={CANARY}", "app"),
        ("sh", "-c", f"export API_KEY='{CANARY} {CANARY}'; run"),
        ("sh", "-c", f"export API_KEY = {CANARY}"),
        ("sh", "-c", f'echo \'{{"token": "{CANARY}"}}\' | post'),
        ("sh", "-c", f"printf 'session_id: {CANARY}\\n'"),
        ("tool", f"--aws-secret-access-key='{CANARY}"),
    ],
)
def test_credentials_in_commands_do_not_reach_the_journal(argv: tuple[str, ...]) -> None:
    for event in (ProgramExecuted(argv), ContainerCreated("c", "n", "i", argv),
                  ExecCreated("c", "e", argv), replace(SPEC, command=argv)):  # fmt: skip
        assert CANARY not in str(for_journal(event))
        assert REDACTED in str(for_journal(event))
    assert for_listeners(ProgramExecuted(argv)) == ProgramExecuted(argv)  # they typed it


@pytest.mark.parametrize(
    "event",
    [
        UserResolved("root", 0, 0, (0, 10), "/root", "passwd:1 group:3"),
        Mounted("proc", "proc", "/proc", ("nosuid",), "size=65536k,mode=755"),
        ProgramExecuted(("sh", "-c", "cat /etc/passwd; ls -l key; echo a=b c: d")),
        ProgramExecuted(("tar", "-x", "--keep-old-files", "archive.tar")),
        RequestReceived("POST", "/containers/create?name=web"),
    ],
)
def test_what_is_no_secret_is_the_same_event(event: Event) -> None:
    assert for_journal(event) is event


@pytest.mark.parametrize(
    "line",
    [
        f"ENV A={CANARY}",
        f'ENV A="{CANARY} {CANARY}" B={CANARY}\\ {CANARY}',
        f"ENV A='{CANARY} x' {CANARY}=1 C=\"a'{CANARY}\"",
        f"ENV A {CANARY} and {CANARY}",
        f"env\tA\t{CANARY}",
        f"  Env A={CANARY}",
        f'ENV A="{CANARY}',
        f"ARG A={CANARY}",
        f"ARG A B={CANARY} C",
        f"LABEL {CANARY}={CANARY} b={CANARY}".replace(f"{CANARY}=", "a="),
        f"ONBUILD ENV A={CANARY}",
        f"onbuild onbuild arg A={CANARY}",
        f'CMD ["login", "--password", "{CANARY}"]',
        f'RUN ["curl", "-H", "Authorization: Bearer {CANARY}"]',
        f'ENTRYPOINT ["a","--api-key","{CANARY} {CANARY}","-v"]',
        f"RUN curl https://me:{CANARY}@host/ && export TOKEN={CANARY}",
        f'ADD https://{CANARY}@host/file /',
        f"HEALTHCHECK CMD curl --token {CANARY} localhost",
    ],
)  # fmt: skip
def test_values_in_a_dockerfile_do_not_reach_the_journal(line: str) -> None:
    line = line.replace(f"{CANARY}=1", "X=1")
    for event in (
        InstructionParsed(1, "", line, 1, 1), StepStarted(1, 2, "", line, 1),
        StepSkipped(1, 2, "", line, 1), CacheMissed(1, "instruction", "", "", line, line),
        ConfigChanged(1, "on_build", (), ("USER a", line)),
    ):  # fmt: skip
        assert CANARY not in str(for_journal(event))
        assert REDACTED in str(for_journal(event))


def test_an_instruction_without_secrets_is_as_it_was_written() -> None:
    for line in ("RUN make", "COPY a b", "ARG WHO", "ENV PATH=/bin LANG=C", "FROM a AS b"):
        event = StepStarted(1, 2, "", line, 1)
        assert for_journal(event) is event


@pytest.mark.parametrize("field", ["environment", "labels"])
def test_a_changed_configuration_names_variables_without_values(field: str) -> None:
    event = ConfigChanged(1, field, (f"A={CANARY}",), (f"A={CANARY}", "B="))
    hidden = ConfigChanged(1, field, (f"A={REDACTED}",), (f"A={REDACTED}", f"B={REDACTED}"))
    assert for_journal(event) == hidden
    assert for_listeners(event) is event  # as the Dockerfile, which they wrote
    command = ConfigChanged(1, "command", (), ("login", "--password", CANARY))
    assert CANARY not in str(for_journal(command))
    assert for_listeners(command) is command


def test_a_refusal_does_not_quote_a_value() -> None:
    what = f'Syntax error - can\'t find = in "{CANARY}". Must be of the form: name=value'
    for event in (BuildFailed(1, what, 1, ""), RequestRefused(400, what)):
        assert CANARY not in str(for_journal(event))


def test_what_a_program_prints_of_given_values_is_hidden() -> None:
    given = Given({"URL": "a long value", "WHO": "me", "MY_TOKEN": "abcd", "UNSET": None})
    assert given.hide(ConfigChanged(1, "environment", (), ("A=visible!", "DB_PASS=wxyz")))
    told = StepPrinted(1, "stdout", "a long value, me, abcdabcd, visible!, wxyz\n")
    hidden = f"{REDACTED}, me, {REDACTED}{REDACTED}, visible!, {REDACTED}\n"
    assert given.hide(told) == replace(told, text=hidden)


def test_a_value_whose_name_tells_is_hidden_in_paths_too() -> None:
    """`ARG TOKEN` and `WORKDIR /srv/$TOKEN`; the name of an app, or three letters, stay."""
    given = Given({"TOKEN": "long-enough", "APP": "application", "API_KEY": "lib2"})
    given.learn(("DB_PASSWORD=from-an-env",))
    moved = ConfigChanged(
        1, "working_dir", ("/lib2",), ("/application/long-enough/from-an-env",)
    )
    shown = ConfigChanged(
        1, "working_dir", ("/lib2",), (f"/application/{REDACTED}/{REDACTED}",)
    )
    assert given.hide(moved) == shown
    assert given.hide(
        ConfigChanged(1, "volumes", (), ("/v/long-enough",))
    ) == ConfigChanged(1, "volumes", (), (f"/v/{REDACTED}",))


def test_of_two_given_values_the_longer_is_hidden_whole() -> None:
    given = Given({"A_KEY": "secret", "B_KEY": "secret-and-more"})
    assert given.hide(StepPrinted(1, "stderr", "secret-and-more")) == StepPrinted(
        1, "stderr", REDACTED
    )


def test_what_env_sets_is_given_on_for_others_to_learn_from() -> None:
    """The recorder hides it from all who read."""
    given = Given({})
    event = ConfigChanged(2, "environment", (), ("A_KEY=long-enough",))
    assert given.hide(event) is event
    told = given.hide(StepPrinted(3, "stdout", "long-enough"))
    assert told == StepPrinted(3, "stdout", REDACTED)


def test_options_hide_the_argument_after_them_only() -> None:
    shown = for_journal(ProgramExecuted(("login", "--token", CANARY, "host")))
    assert shown == ProgramExecuted(("login", "--token", REDACTED, "host"))


def test_a_redacted_value_keeps_no_length() -> None:
    assert text("key=a") == text(f"key={'a' * 99}")


@pytest.mark.parametrize(
    "hostile",
    ["a" * 10**6 + "=key", "key " * 10**5 + "=", "a.-" * 10**5 + ":key=", "://" * 10**5,
     "key" * 10**5 + ":", 'key="' * 10**5, " " * 10**6 + "key=:",
     "ONBUILD " * 10**5, '"\\' * 10**5, '"--key", "' * 10**5,
     "AKIA" * 10**5, "curl " + " -u" * 10**5, "curl --user " + "  " * 10**5],
    ids=lambda text: text[:6],
)  # fmt: skip
def test_no_text_makes_redaction_slow(hostile: str) -> None:
    before = time.process_time()
    text(hostile)
    for word in ("ENV ", "ENV A=", "ONBUILD "):
        redaction.instruction(word + hostile)
    assert time.process_time() - before < 5  # a pattern that backtracks takes minutes


def test_the_public_list_describes_places_not_persons() -> None:
    secret: Any = redaction._TELLING_NAME
    assert [name for name in redaction.PUBLIC if secret.search(name)] == ["PWD"]
