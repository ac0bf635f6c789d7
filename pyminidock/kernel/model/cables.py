"""Bridges, sandboxes and cables on a machine that has none of them.

A device is a row of the table `links`, by namespace and name; a veth knows where its other
end is.  A namespace that was made for nobody yet is *held* by the plan that made it, else
it would be swept away like every other one without a process in it.

Source: man 7 rtnetlink; man 4 veth; Linux, net/core/rtnetlink.c, for the order of refusals.
"""

import errno
import ipaddress
from dataclasses import replace
from typing import assert_never

from pyminidock.kernel import netcalls
from pyminidock.kernel.model.stage import Stage, act, demand
from pyminidock.kernel.model.world import ENGINE, Link, World, number
from pyminidock.kernel.netanswers import Link as LinkFact
from pyminidock.kernel.netanswers import NetFacts, RouteEntry
from pyminidock.kernel.netcalls import NetCall

_Key = tuple[int, str]  # namespace and name
NAMES = "names"  # stands among the settings of a sandbox whose questions arrive here
_LONGEST_NAME = 15  # Source: linux/if.h, IFNAMSIZ


def wire(stage: Stage, call: NetCall) -> Stage:
    """Take one step of a plan that is about networks.  Raises OSError."""
    try:
        return _wired(stage, call)
    except ValueError as odd:  # an address that is none
        raise OSError(errno.EINVAL, str(odd)) from odd


def _wired(stage: Stage, call: NetCall) -> Stage:  # noqa: PLR0911  (one line per verb)
    match call:
        case netcalls.MakeBridge():
            return _make_bridge(stage, call)
        case netcalls.RemoveLink(name):
            return _remove(stage, host_of(stage.world), name)
        case netcalls.MakeSandbox(sandbox):
            return _make_sandbox(stage, sandbox)
        case netcalls.FindSandbox():
            return _find_sandbox(stage, call)
        case netcalls.JoinSandbox(sandbox):
            return _join_sandbox(stage, sandbox)
        case netcalls.Plug():
            return _plug(stage, call)
        case netcalls.Unplug(sandbox, inside, host_link):
            stage = _remove(stage, _held(stage, sandbox), inside)
            return _remove(stage, host_of(stage.world), host_link)
        case netcalls.Route(sandbox, gateway, gateway6):
            return _route(stage, _held(stage, sandbox), gateway, gateway6)
        case netcalls.OpenNames(sandbox):
            return _open_names(stage, _held(stage, sandbox))
        case _:
            assert_never(call)


def host_of(world: World) -> int:
    """Name the network namespace in which the engine lives."""
    return world.tasks[ENGINE].namespaces["network"]


def let_go(world: World, stage: Stage) -> World:
    """Let the namespaces go that only this plan held on to."""
    mine = set(stage.sandboxes.values())
    return replace(world, held={ns: n for ns, n in world.held.items() if ns not in mine})


def facts_of(world: World, namespace: int) -> NetFacts:
    """Tell what is in a network namespace."""
    rows = sorted(
        (row for (ns, _), row in world.links.items() if ns == namespace),
        key=lambda row: row.index,
    )
    links = tuple(_fact(world, row) for row in rows)
    return NetFacts(links, tuple(route for row in rows for route in _routes(row)))


def _fact(world: World, row: Link) -> LinkFact:
    peer = world.links.get(row.peer) if row.peer else None
    return LinkFact(
        row.index, row.name, row.kind, row.mac, row.mtu, row.is_up,
        row.is_up and (peer is None or peer.is_up), row.master,
        peer.index if peer else 0, row.addresses,
    )  # fmt: skip


def _routes(row: Link) -> list[RouteEntry]:
    if not row.is_up or row.name == "lo":
        return []
    nets = [ipaddress.ip_interface(address) for address in row.addresses]
    own = [RouteEntry(str(n.network), row.name, source=str(n.ip)) for n in nets]
    every = {4: "0.0.0.0/0", 6: "::/0"}
    ways = [(every[ipaddress.ip_address(way).version], way) for way in row.ways]
    return [RouteEntry(to, row.name, way) for to, way in ways] + own


# ── The verbs ────────────────────────────────────────────────────────────────────────────


def _make_bridge(stage: Stage, call: netcalls.MakeBridge) -> Stage:
    demand(stage, "CAP_NET_ADMIN")
    row = Link(
        call.name, True, kind="bridge", mac=call.mac, mtu=call.mtu or 1500,
        addresses=call.addresses,
    )  # fmt: skip
    stage = _add(stage, host_of(stage.world), row)
    host = host_of(stage.world)
    settings = {
        **stage.world.settings,
        (host, "net.ipv4.ip_forward"): "1",
        (host, f"net.ipv4.conf.{call.name}.route_localnet"): "1",
    }
    return replace(stage, world=replace(stage.world, settings=settings))


def _make_sandbox(stage: Stage, sandbox: str) -> Stage:
    demand(stage, "CAP_SYS_ADMIN")
    if sandbox in stage.sandboxes:
        raise OSError(errno.EEXIST, "this plan holds it already")
    world, namespace = number(stage.world, "namespace")
    world = replace(world, held={**world.held, namespace: sandbox})
    sandboxes = {**stage.sandboxes, sandbox: namespace}
    stage = replace(stage, world=world, sandboxes=sandboxes)
    return _add(stage, namespace, Link("lo", True, 1, mtu=65536))


def _find_sandbox(stage: Stage, call: netcalls.FindSandbox) -> Stage:
    demand(stage, "CAP_SYS_ADMIN")
    there = stage.world.tasks.get(call.pid)
    if there is None:
        raise OSError(errno.ENOENT, f"process {call.pid} is gone")
    if there.start_time != call.start_time:
        raise OSError(errno.ESRCH, f"{call.pid} is another process by now")
    namespace = there.namespaces["network"]
    world = replace(stage.world, held={**stage.world.held, namespace: call.sandbox})
    sandboxes = {**stage.sandboxes, call.sandbox: namespace}
    return replace(stage, world=world, sandboxes=sandboxes)


def _join_sandbox(stage: Stage, sandbox: str) -> Stage:
    demand(stage, "CAP_SYS_ADMIN")
    namespaces = {**stage.task.namespaces, "network": _held(stage, sandbox)}
    return act(stage, replace(stage.task, namespaces=namespaces))


def _open_names(stage: Stage, namespace: int) -> Stage:
    demand(stage, "CAP_NET_ADMIN")
    settings = {**stage.world.settings, (namespace, NAMES): "127.0.0.11"}
    return replace(stage, world=replace(stage.world, settings=settings))


def _plug(stage: Stage, call: netcalls.Plug) -> Stage:
    demand(stage, "CAP_NET_ADMIN")
    host, inside = host_of(stage.world), _held(stage, call.sandbox)
    bridge = stage.world.links.get((host, call.bridge))
    if bridge is None:
        raise OSError(errno.ENODEV, f"there is no device {call.bridge}")
    if bridge.kind != "bridge":
        raise OSError(errno.EOPNOTSUPP, f"{call.bridge} takes no cables")
    mtu = call.mtu or 1500
    ours, its = (host, call.host_link), (inside, call.inside)
    stage = _add(stage, host, Link(
        call.host_link, True, kind="veth", mtu=mtu, master=call.bridge, peer=its,
    ))  # fmt: skip
    stage = _add(stage, inside, Link(
        call.inside, True, kind="veth", mac=call.mac, mtu=mtu, peer=ours,
        addresses=call.addresses,
    ))  # fmt: skip
    return _route(stage, inside, call.gateway, call.gateway6, keeps=True)


def _route(
    stage: Stage, namespace: int, gateway: str, gateway6: str, *, keeps: bool = False
) -> Stage:
    """Send what is for nobody near this way; `keeps` a way that is not given."""
    demand(stage, "CAP_NET_ADMIN")
    links = dict(stage.world.links)
    for version, way in ((4, gateway), (6, gateway6)):
        if not way and keeps:
            continue
        for key, row in list(links.items()):
            if key[0] == namespace:
                kept = [w for w in row.ways if ipaddress.ip_address(w).version != version]
                links[key] = replace(row, ways=tuple(kept))
        if way:
            key = _towards(links, namespace, way)
            links[key] = replace(links[key], ways=(*links[key].ways, way))
    return replace(stage, world=replace(stage.world, links=links))


def _towards(links: dict[_Key, Link], namespace: int, way: str) -> _Key:
    """Find the device behind which a gateway is.  Raises ENETUNREACH."""
    address = ipaddress.ip_address(way)
    for key, row in links.items():
        nets = [ipaddress.ip_interface(each).network for each in row.addresses]
        if key[0] == namespace and row.is_up and any(address in net for net in nets):
            return key
    raise OSError(errno.ENETUNREACH, f"no device leads to {way}")


def _add(stage: Stage, namespace: int, row: Link) -> Stage:
    if not row.name or len(row.name.encode()) > _LONGEST_NAME or "/" in row.name:
        raise OSError(errno.EINVAL, f"no device can be called {row.name}")
    if (namespace, row.name) in stage.world.links:
        raise OSError(errno.EEXIST, f"there is a device {row.name} already")
    for each in row.addresses:
        ipaddress.ip_interface(each)
    world = stage.world
    if not row.index:
        world, index = number(world, "link")
        row = replace(row, index=index)
    links = {**world.links, (namespace, row.name): row}
    return replace(stage, world=replace(world, links=links))


def _remove(stage: Stage, namespace: int, name: str) -> Stage:
    """Take a device away, and what hangs on it; one that is gone is fine."""
    demand(stage, "CAP_NET_ADMIN")
    links = dict(stage.world.links)
    row = links.pop((namespace, name), None)
    if row is None:
        return stage
    if row.peer:
        links.pop(row.peer, None)
    for key, each in links.items():
        if key[0] == namespace and each.master == name:
            links[key] = replace(each, master="")
    settings = {
        (space, key): value
        for (space, key), value in stage.world.settings.items()
        if space != namespace or f".conf.{name}." not in key
    }
    return replace(stage, world=replace(stage.world, links=links, settings=settings))


def _held(stage: Stage, sandbox: str) -> int:
    if sandbox not in stage.sandboxes:
        raise OSError(errno.EBADF, "this plan holds no such sandbox")
    return stage.sandboxes[sandbox]
