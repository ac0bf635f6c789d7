"""What would happen, what a flag changes, how a live container is isolated."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pyminidock.container.spec import CreateRequest
from pyminidock.container.states import VerbRefused
from pyminidock.engine import explain, flags, inspect, kernels, run
from pyminidock.engine.document import NEVER
from pyminidock.engine.house import House
from pyminidock.engine.kernels import BackendRefused
from pyminidock.engine.listing import Asked, list_
from pyminidock.kernel.calls import Execute, ForkShim, PivotRoot
from pyminidock.kernel.model.body import ModelBody
from tests.engine.houses import (
    WISH,
    body_of,
    finish,
    house_over,
    kinds,
    left_in,
    prepared,
    started,
    state_of,
)

PAGE = Path(__file__).parents[2] / "docs" / "flags.md"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with house_over(prepared(tmp_path), ModelBody()) as made:
        yield made


# ── Plans ────────────────────────────────────────────────────────────────────────────────


def test_a_plan_is_the_start_that_would_follow_and_leaves_nothing(
    house: House, tmp_path: Path
) -> None:
    before, world = state_of(tmp_path), left_in(body_of(house))
    planned = explain.plan(house, WISH)
    assert state_of(tmp_path) == before
    assert left_in(body_of(house)) == world
    assert not house.journals.entries()
    life = started(house)
    house.recorder.flush()
    records = house.journals.read(life.story).records
    (made,) = [record for record in records if record.kind == "plan.made"]
    assert made.data["verbs"] == tuple(type(call).__name__ for call in planned)


def test_a_plan_is_readable_as_json_and_as_text(house: House) -> None:
    document = explain.document(explain.plan(house, replace(WISH, environment=("A=b",))))
    verbs = [call["verb"] for call in document["calls"]]
    assert len(verbs) == len(document["text"])
    assert verbs[-1] == "Execute"
    assert ForkShim.__name__ in verbs
    assert PivotRoot.__name__ in verbs
    (hostname,) = [call for call in document["calls"] if call["verb"] == "SetHostname"]
    assert hostname["linux"].startswith("hostname ")
    assert Execute.__name__ not in document["text"][0]


def test_a_wish_that_cannot_be_has_no_plan(house: House) -> None:
    with pytest.raises(Exception, match="No such image"):
        explain.plan(house, replace(WISH, image="nope"))


# ── Flags ────────────────────────────────────────────────────────────────────────────────


def test_dropping_all_capabilities_shows_in_plan_and_process(
    house: House, tmp_path: Path
) -> None:
    before, world = state_of(tmp_path), left_in(body_of(house))
    found = explain.flag(house, replace(WISH, cap_drop=("ALL",)), WISH)
    assert "+ set capabilities    none" in found.calls
    observed = {fact: (old, new) for fact, old, new in found.observed}
    assert set(observed) == {
        "capabilities effective", "capabilities permitted", "capabilities bounding",
    }  # fmt: skip
    assert observed["capabilities effective"][1] == "none"
    assert "CHOWN" in observed["capabilities effective"][0]
    assert state_of(tmp_path) == before
    assert left_in(body_of(house)) == world
    assert house.lives() == ()


def test_a_flag_that_changes_nothing_says_so(house: House) -> None:
    found = explain.flag(house, replace(WISH, name="web", auto_remove=True), WISH)
    assert (found.calls, found.observed) == ((), ())


def test_values_that_are_not_shown_are_said_to_differ(house: House) -> None:
    with_ = replace(WISH, environment=("COLOUR=red",))
    without = replace(WISH, environment=("COLOUR=blue",))
    (line,) = explain.flag(house, with_, without).calls
    assert line.startswith("~ execute")
    assert "red" not in line


def test_two_looks_at_the_same_wish_are_the_same(house: House) -> None:
    assert explain.observe(house, WISH) == explain.observe(house, WISH)


def test_no_flag_of_the_table_is_without_an_effect_unless_it_is_the_engine_s_own(
    house: House,
) -> None:
    idle = {"--name web", "--rm"}
    impossible = {"--init"}  # the simulated machine has no init program
    for words, wish in flags.FLAGS.items():
        if words in impossible:
            continue
        found = explain.flag(house, wish, flags.PLAIN)
        assert bool(found.calls) is (words not in idle), words


def test_the_page_of_flags_in_docs_is_what_the_engine_says(tmp_path: Path) -> None:
    house = flags.simulated(tmp_path)
    page = flags.page(house)
    house.close()
    remedy = "python -m pyminidock.engine.flags > docs/flags.md"
    assert PAGE.read_text(encoding="utf-8") == page, remedy


# ── One live container ───────────────────────────────────────────────────────────────────


def test_isolation_is_what_the_kernel_says_of_the_live_process(house: House) -> None:
    life = started(house)
    told = explain.isolation(house, life.name)
    assert life.process is not None
    assert told["pid"] == life.process.pid
    assert told["backend"] == "simulated"
    own = {row["kind"] for row in told["namespaces"] if not row["is_shared"]}
    assert own == {"mount", "network", "uts", "ipc", "pid"}  # cgroup v1: as Docker
    assert told["capabilities"]["effective"]["mask"] == "00000000a80425fb"
    assert "CAP_CHOWN" in told["capabilities"]["effective"]["names"]
    assert (told["seccomp"]["mode"], told["seccomp"]["filters"]) == (2, 1)
    assert "/proc/kcore" in told["masked"]
    assert "/sys/firmware" in told["masked"]
    assert "/proc/sys" in told["readonly"]
    assert not set(told["masked"]) & set(told["readonly"])


def test_privileged_is_visible_in_every_row(house: House) -> None:
    told = explain.isolation(house, started(house, replace(WISH, is_privileged=True)).id)
    assert (told["masked"], told["readonly"]) == ([], [])
    assert told["seccomp"]["mode"] == 0


def test_what_does_not_run_is_not_isolated(house: House) -> None:
    with pytest.raises(VerbRefused):
        explain.isolation(house, run.create(house, WISH))


# ── In Docker's shape ────────────────────────────────────────────────────────────────────


def test_a_container_is_listed_while_it_runs_and_all_on_demand(house: House) -> None:
    idle = run.create(house, WISH)
    life = started(house, replace(WISH, name="web"))
    assert [line["Names"] for line in list_(house)] == [["/web"]]
    assert [line["Id"] for line in list_(house, Asked(everything=True))] == [life.id, idle]
    assert list_(house)[0]["Status"].startswith("Up ")
    finish(house, life, 3)
    assert list_(house) == []
    line, _ = list_(house, Asked(everything=True))
    assert line["Status"].startswith("Exited (3) ")


def test_inspect_follows_the_life_of_a_container(house: House) -> None:
    container = run.create(house, replace(WISH, environment=("A=b",), hostname="web"))
    fresh = inspect.inspect(house, container)
    assert fresh["State"]["Status"] == "created"
    assert fresh["State"]["StartedAt"] == NEVER
    assert "A=b" in fresh["Config"]["Env"]
    assert (fresh["Path"], fresh["Args"]) == ("sleep", ["60"])
    run.start(house, container)
    life = house.life(container)
    assert life.process is not None
    live = inspect.inspect(house, container)["State"]
    assert (live["Running"], live["Pid"]) == (True, life.process.pid)
    finish(house, life, 7)
    over = inspect.inspect(house, container)["State"]
    assert (over["Status"], over["ExitCode"], over["Pid"]) == ("exited", 7, 0)
    assert over["FinishedAt"] > over["StartedAt"] > NEVER


def test_a_failed_start_is_seen_in_inspect(tmp_path: Path) -> None:
    with house_over(prepared(tmp_path), ModelBody(fail_at=30)) as house:
        container = run.create(house, WISH)
        with pytest.raises(run.StartRefused):
            run.start(house, container)
        state = inspect.inspect(house, container)["State"]
        assert (state["Status"], state["ExitCode"]) == ("created", 128)
        assert state["Error"]


# ── Which kernel ─────────────────────────────────────────────────────────────────────────


def test_the_simulated_kernel_is_to_be_had_everywhere(tmp_path: Path) -> None:
    assert kernels.choose("simulated", tmp_path).machine().backend == "simulated"


def test_an_unknown_backend_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BackendRefused) as refusal:
        kernels.choose("windows", tmp_path)
    assert "linux-root, linux-rootless, simulated" in refusal.value.why


def test_without_a_wish_something_that_works_is_chosen(tmp_path: Path) -> None:
    kernel = kernels.choose(None, tmp_path)
    assert kernel.machine().backend in kernels.BACKENDS
    kernel.close()


def test_a_story_says_on_which_kernel_it_happened(house: House) -> None:
    life = started(house)
    kinds(house, life.story)
    header = house.journals.read(life.story).header
    assert header.backend == "simulated"
    assert header.engine["api"] == "1.45"
    assert header.title == "run busybox sleep 60"


def test_secrets_of_a_request_are_in_no_byte_of_journal_or_event(
    house: House, tmp_path: Path
) -> None:
    from tests.events.test_redaction import CANARY  # noqa: PLC0415

    ring = house.recorder.listen()
    wish = CreateRequest(
        "busybox",
        command=("sh", "-c", f"curl -H 'Authorization: Bearer {CANARY}'"),
        environment=(f"API_KEY={CANARY}", f"PLAIN={CANARY}"),
    )
    life = started(house, wish)
    run.remove(house, life.id, force=True)
    house.recorder.flush()
    for path in (tmp_path / "journal").iterdir():
        assert CANARY not in path.read_text()
    ring.end()
    heard = [record for record in ring if CANARY in str(record)]
    assert {record.kind for record in heard} == {
        "container.created", "spec.resolved", "program.executed",
    }  # fmt: skip  # whoever listens live typed it
    for record in heard:
        assert f"API_KEY={CANARY}" not in str(record)
        assert f"PLAIN={CANARY}" not in str(record)
