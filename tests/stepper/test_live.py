"""The stepper at an engine that is at work: the simulated kernel, the real gates."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from pyminidock.cli.stepper import StepperApp
from pyminidock.cli.stepper_source import LiveSource
from pyminidock.client.inprocess import Client
from pyminidock.viz.world import fold_all
from tests.api.studio import Studio, studio
from tests.stepper.test_stepper import press, screen, until


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Studio]:
    opened = studio(tmp_path)
    yield opened
    opened.house.close()


def hold(
    client: Client, pattern: str, body: Callable[[StepperApp, Pilot[str]], Awaitable[None]]
) -> tuple[str, str | None]:
    """Start a container under a gate and step through its birth; give id and answer."""
    container = client.create({"Image": "busybox", "Cmd": ["true"]}, "web")
    story = f"run-{container[:12]}"
    source = LiveSource(client.gate, client.events, story, pattern, "run busybox true")

    async def run() -> str | None:
        app = StepperApp(source, work=lambda: client.start(container), light=False)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: app.walk.held_at > 0)
            await body(app, pilot)
        return app.return_value

    return container, asyncio.run(run())


def test_a_birth_is_held_stepped_looked_back_on_and_let_go(engine: Studio) -> None:
    client = Client(engine.house)

    async def body(app: StepperApp, pilot: Pilot[str]) -> None:
        assert (app.walk.record or app.walk.records[0]).kind == "root.pivoted"
        assert "[SIMULATED]" in screen(app)[0]
        held_at = app.walk.held_at
        await press(pilot, "right")
        await until(pilot, lambda: app.walk.held_at == held_at + 1)
        await press(pilot, "2", "left", "left", "left")
        assert app.walk.position == held_at - 2
        assert app.walk.world == fold_all(app.walk.records[: held_at - 2])
        assert client.gates(), "looking back lets nothing go"
        await press(pilot, "enter")
        await until(
            pilot, lambda: any(r.kind == "container.started" for r in app.walk.records)
        )

    container, _ = hold(client, "root.pivoted", body)
    assert client.inspect(container)["State"]["Running"] is True
    assert not client.gates()
    engine.finish(container)


def test_an_abort_on_leaving_undoes_the_birth(engine: Studio) -> None:
    client = Client(engine.house)

    async def body(app: StepperApp, pilot: Pilot[str]) -> None:
        await press(pilot, "q", "a")
        await until(pilot, lambda: app.return_value is not None)

    container, given = hold(client, "root.pivoted", body)
    assert given == "abort"
    assert client.inspect(container)["State"]["Running"] is False


def test_a_stepper_that_dies_lets_the_container_go_on(engine: Studio) -> None:
    client = Client(engine.house)

    async def body(_app: StepperApp, _pilot: Pilot[str]) -> None:
        """End without a word, as a closed terminal does."""

    container, given = hold(client, "init.forked", body)
    assert given is None
    watch = client.events(f"run-{container[:12]}", since=0)
    assert any(record.kind == "container.started" for record in watch)
    watch.close()
    engine.finish(container)
