"""What each cable leaves behind on the container: a setting for each device inside."""

from dataclasses import replace
from typing import assert_never

from pyminidock import events as e
from pyminidock.viz.things import Container

CableEvent = (
    e.SandboxMade | e.SandboxFound | e.EndpointPlugged | e.EndpointUnplugged
    | e.GatewayChosen | e.PortBound | e.PortReleased
    | e.NamesOpened
)  # fmt: skip
_MOST = 64


def cabled_after(container: Container, event: CableEvent) -> Container:  # noqa: PLR0911
    """Give the container after an effect on its network."""
    match event:
        case e.SandboxMade():
            return _with(container, {"lo": "up"})
        case e.EndpointPlugged():
            said = f"{', '.join(event.addresses)} on {event.bridge}"
            ways = [way for way in (event.gateway, event.gateway6) if way]
            settings = {event.inside: said}
            if ways:
                settings["gateway"] = ", ".join(ways)
            return _with(container, settings)
        case e.EndpointUnplugged(_, inside, _):
            kept = {k: v for k, v in container.settings.items() if k != inside}
            return replace(container, settings=kept)
        case e.GatewayChosen(_, gateway, gateway6):
            ways = [way for way in (gateway, gateway6) if way]
            return _with(container, {"gateway": ", ".join(ways) or "none"})
        case e.PortBound(protocol, address, port, to_address, to_port):
            place = f"{address}:{port}/{protocol}"
            return _with(container, {place: f"leads to {to_address}:{to_port}"})
        case e.PortReleased(protocol, address, port):
            place = f"{address}:{port}/{protocol}"
            kept = {k: v for k, v in container.settings.items() if k != place}
            return replace(container, settings=kept)
        case e.NamesOpened():
            return _with(container, {"name server": "127.0.0.11"})
        case e.SandboxFound():
            return container
        case _:
            assert_never(event)


def _with(container: Container, settings: dict[str, str]) -> Container:
    merged = dict(sorted({**container.settings, **settings}.items())[:_MOST])
    return replace(container, settings=merged)
