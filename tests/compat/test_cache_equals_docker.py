"""After an edit, both engines rebuild the same steps; ours says why, and says it right."""

import itertools
import json
import random
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from tests.builder import Context, File
from tests.compat.allowlist import Difference, about_the_cache, standing
from tests.compat.bakers import Baker, bakers
from tests.compat.cache_scenarios import SCENARIOS, Scenario
from tests.compat.cache_walks import Walk
from tests.compat.sides import together
from tests.minidock_cli import Minidock
from tests.rawapi import ask
from tests.reference import Reference

pytestmark = pytest.mark.compat


@pytest.fixture(scope="module")
def both(reference: Reference, minidock: Minidock) -> tuple[Baker, Baker]:
    return bakers(reference, minidock)


def decisions(text: str) -> list[str]:
    """Read what was built, and what taken, from what a build printed."""
    steps = text.split("Step ")[1:]
    said = ("Step " + each.partition("\n")[0] for each in steps)
    marks = (" [cached]" if " ---> Using cache" in each else "" for each in steps)
    return [line + mark for line, mark in zip(said, marks, strict=True)]


def differing(name: str, docker: Sequence[str], ours: Sequence[str]) -> list[Difference]:
    """Say where the two lists part: each run of lines in which they do."""
    pairs = list(itertools.zip_longest(docker, ours, fillvalue="absent"))
    runs = itertools.groupby(pairs, lambda pair: pair[0] == pair[1])
    parted = [list(run) for is_equal, run in runs if not is_equal]
    sides = [[" / ".join(side) for side in zip(*run, strict=True)] for run in parted]
    return [Difference("cache", name, *each) for each in sides]


def unexplained(found: Sequence[Difference]) -> list[Difference]:
    """Give what neither a rule about builds nor one about the cache means."""
    builds = standing(about_builds=True)
    return [
        each
        for each in about_the_cache().unexplained(found)
        if builds.unexplained([replace(each, topic="build text")])
    ]


def rebuilt(baker: Baker, scenario: Scenario) -> list[str]:
    """Build, edit, and build again; give the decisions of the last build."""
    tag = scenario.tag
    for number, text in enumerate(scenario.before, 1):
        built(baker, {"Dockerfile": scenario.named(text)}, t=f"{tag}:{number}")
    if scenario.before:
        baker.run("tag", f"{tag}:1", f"{tag}:base")
    old, new = scenario.contexts()
    built(baker, old, **{"t": tag, **scenario.first})
    with tempfile.TemporaryDirectory() as place:
        for words in scenario.between:
            baker.run(*(scenario.named(word).replace("%", place) for word in words))
    second = {name: _named(scenario, value) for name, value in scenario.second.items()}
    return decisions(built(baker, new, **{"t": tag, **second}))


def _named(scenario: Scenario, value: Any) -> Any:
    """Put the image's name into a value of the query; a list travels as JSON."""
    if isinstance(value, list):
        return json.dumps([scenario.named(each) for each in value])
    return scenario.named(value) if isinstance(value, str) else value


def built(baker: Baker, context: Context, **query: Any) -> str:
    """Build what can be built; give what was printed."""
    outcome = baker.build(context, **query)
    assert outcome.message == "", outcome.text + outcome.message
    return outcome.text


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_an_edit_rebuilds_what_docker_rebuilds_and_its_true_cause_is_told(
    both: tuple[Baker, Baker], scenario: Scenario
) -> None:
    ours = both[1]
    decided = together(partial(rebuilt, scenario=scenario), both)
    assert unexplained(differing(scenario.name, *decided)) == []
    tag = scenario.named(str(scenario.second.get("t", scenario.tag)))
    told = explained(ours, tag)
    assert causes(told) == expected(scenario, told)


def explained(ours: Baker, image: str) -> list[dict[str, Any]]:
    """Ask our engine why the steps of an image were done."""
    told = ask(ours.socket, "GET", f"/minidock/cache?image={image}")
    assert told.status == 200
    return list(told.document()["steps"])


def causes(steps: Sequence[dict[str, Any]]) -> dict[int, list[str]]:
    """Give the causes that were told, by step."""
    found: dict[int, list[str]] = {}
    for step in steps:
        for cause in step["causes"]:
            facts = (cause["cause"], cause["detail"], cause["path"])
            found.setdefault(step["step"], []).append(" ".join(filter(None, facts)))
    return found


def expected(scenario: Scenario, steps: Sequence[dict[str, Any]]) -> dict[int, list[str]]:
    """Add what follows from the first miss of a stage to what the scenario names."""
    wanted: dict[int, list[str]] = {}
    is_redone = False
    for step in steps:
        number = step["step"]
        if step["verdict"] in ("base", "skipped"):
            is_redone = False
        own = [] if step["verdict"] == "base" else [*scenario.causes.get(number, ())]
        if is_redone and step["verdict"] != "base" and own != ["disabled"]:
            own = ["parent step", *own]
        if own:
            wanted[number] = own
            is_redone = True
    return wanted


def test_there_are_enough_edits_and_each_has_a_name_of_its_own() -> None:
    names = [scenario.tag for scenario in SCENARIOS]
    assert len(names) == len(set(names)) >= 80
    two = [each for each in SCENARIOS if sum(map(len, each.causes.values())) > 1]
    assert len(two) >= 12


LINKS = {
    "a file beside it": "x", "one far away": "../far", "a directory": "../e",
    "nothing": "nothing", "nothing outside": "/etc/nothing", "itself": "l",
    "beyond the root": "../../../x",
}  # fmt: skip


@pytest.mark.parametrize("leads_to", LINKS)
def test_a_link_in_a_directory_has_dockers_sum(
    both: tuple[Baker, Baker], leads_to: str
) -> None:
    link = LINKS[leads_to]
    context: Context = {
        "far": "f", "e": None, "e/z": "z", "d": None, "d/x": "1", "d/l": File(link=link),
        "Dockerfile": "FROM busybox\nCOPY d /d\nCOPY . /all\n",
    }  # fmt: skip
    text = (
        "FROM busybox AS made\nRUN mkdir -p d e && echo f >far && echo z >e/z "
        f"&& echo 1 >d/x && ln -s {link} d/l\nFROM busybox\nCOPY --from=made /d /d\n"
    )
    for given in (context, {"Dockerfile": text}):
        images = [(baker, baker.build(given).image) for baker in both]
        docker, ours = (baker.history(image) for baker, image in images)
        assert ours[-2:] == docker[-2:]


@pytest.mark.parametrize("text", ['{"a":1}', "[1]", '"x"', "3", "null", "[null]", "[]"])
def test_what_cannot_be_read_as_a_list_of_images_is_refused_in_dockers_words(
    both: tuple[Baker, Baker], text: str
) -> None:
    context = {"Dockerfile": "FROM busybox\n"}
    docker, ours = (baker.build(context, cachefrom=text) for baker in both)
    assert (ours.status, ours.message) == (docker.status, docker.message)


def walked(context: Context, query: Mapping[str, Any], baker: Baker) -> list[str]:
    """Build one step of a walk; give its decisions."""
    return decisions(built(baker, context, **query))


@pytest.mark.timeout(1800)  # at full length
def test_on_any_walk_of_edits_both_rebuild_the_same_steps(
    both: tuple[Baker, Baker], at_length: Callable[[int], int]
) -> None:
    ours = both[1]
    for seed in range(at_length(40)):
        walk = Walk(random.Random(seed), f"walk-{seed}")
        for _ in range(6):
            context, query = walk.next()
            decided = together(partial(walked, context, query), both)
            assert decided[1] == decided[0], (seed, context, query)
            told = explained(ours, query["t"])
            assert all(step["causes"] for step in told if step["verdict"] == "miss")


def test_every_rule_about_the_cache_is_needed(both: tuple[Baker, Baker]) -> None:
    rules = about_the_cache()
    for scenario in SCENARIOS:
        if scenario.name.startswith("a link "):
            fresh = replace(scenario, text=scenario.text.replace("scenario=", "anew="))
            decided = together(partial(rebuilt, scenario=fresh), both)
            rules.unexplained(differing(scenario.name, *decided))
    assert rules.stale == []
