"""What an answered call about networks did, as an event: a part of `recording`."""

from typing import assert_never

from pyminidock import events
from pyminidock.kernel import netcalls
from pyminidock.kernel.netcalls import NetCall


def net_effect_of(call: NetCall) -> events.AnyEvent:  # noqa: PLR0911  (one line per verb)
    """Say what an answered call did.  One line per verb."""
    match call:
        case netcalls.MakeBridge(name, mac, addresses, mtu, is_ipv6):
            return events.BridgeMade(name, mac, addresses, mtu, is_ipv6)
        case netcalls.RemoveLink(name):
            return events.InterfaceRemoved(name)
        case netcalls.MakeSandbox(sandbox):
            return events.SandboxMade(sandbox)
        case netcalls.FindSandbox(sandbox, pid, _):
            return events.SandboxFound(sandbox, pid)
        case netcalls.JoinSandbox(sandbox):
            return events.SandboxJoined(sandbox)
        case netcalls.Plug():
            return events.EndpointPlugged(
                call.sandbox, call.bridge, call.host_link, call.inside, call.mac,
                call.addresses, call.gateway, call.gateway6, call.mtu, call.is_hairpin,
                call.is_isolated,
            )  # fmt: skip
        case netcalls.Unplug(sandbox, inside, host_link):
            return events.EndpointUnplugged(sandbox, inside, host_link)
        case netcalls.Route(sandbox, gateway, gateway6):
            return events.GatewayChosen(sandbox, gateway, gateway6)
        case netcalls.OpenNames(sandbox):
            return events.NamesOpened(sandbox)
        case _:
            assert_never(call)
