"""The view that asks who can reach whom.

First the cables as they are: the host, its bridges, and what hangs on each; then the ports
of the host that lead inside; then the answer, one row for each container, with the reason
where the answer is no.

    the host
    ├─ ▸ 127.0.0.1:8080/tcp → web:5000
    └─ ▸ app  bridge md12ab34-1  172.18.0.1
       └─ ● web  eth0 172.18.0.2 ═ mv12ab34e1  also w1, www

A request that is followed walks over the same things: where it went, and where it died.
"""

from collections.abc import Iterator, Sequence

from pyminidock.viz.buildwords import several, size
from pyminidock.viz.networkmap import (
    End,
    Lone,
    Map,
    Net,
    Port,
    Reach,
    Traffic,
    reachable,
    ways_in,
)
from pyminidock.viz.scene import (
    Node,
    Scene,
    State,
    badge,
    cell,
    group,
    row,
    table,
    text,
    tree,
)
from pyminidock.viz.things import World
from pyminidock.viz.views.steps import label
from pyminidock.viz.wiring import drawn

TITLE = "Who can reach whom?"
_HEAD = ("from", "reaches by name", "by address only", "does not reach")
_MOST = 40  # rows of the answer
_MOST_PAIRS = 6  # of one reason


def network(told: Map, now: int = 0) -> Scene:
    """Show a map; what changed at the event `now` is marked."""
    parts: list[Node] = [badge("network.backend", label(told.backend))]
    if told.nets or told.lone or told.ports:
        parts.append(_host(told, now))
    elif not told.walk:
        parts.append(text("network.none", "No container is on any network yet: "
                          "minidock run -d --name web busybox sleep 1000"))  # fmt: skip
    parts += _walk(told, now)
    if told.containers():
        parts.append(_answers(told))
        parts += [*_reasons(told), *_notes(told)]
    return group("network", TITLE, *parts)


def story(world: World) -> Scene:
    """Show what this story has laid so far."""
    now = world.now.seq if world.now else 0
    return network(drawn(world.wires, world.containers, world.backend), now)


def suits(world: World) -> bool:
    """Say whether this story laid a cable or bound a port."""
    return not world.wires.is_empty


def reads(world: World) -> tuple[object, ...]:
    """Give what this view looks at."""
    names = tuple((each.id, each.name) for each in world.containers.values())
    return (world.wires, names, world.backend)


# ── The cables ───────────────────────────────────────────────────────────────────────────


def _host(told: Map, now: int) -> Node:
    below = [_port(each, now) for each in told.ports]
    below += [_net(each, now) for each in told.nets]
    below += [_lone(each, now) for each in told.lone]
    return tree("network.host", "the host", "the host", *below)


def _port(port: Port, now: int) -> Node:
    said = f"{_outside(port)} → {port.container}:{port.to_port}"
    name = f"port {_outside(port)} of the host leads to {port.container}:{port.to_port}"
    id_ = f"network.port.{port.protocol}.{port.address}.{port.port}"
    return tree(id_, name, said, state="net", is_changed=_is_now(port.changed, now))


def _outside(port: Port) -> str:
    address = f"[{port.address}]" if ":" in port.address else port.address
    return f"{address}:{port.port}/{port.protocol}"


def _net(net: Net, now: int) -> Node:
    words = [net.name]
    if net.bridge:
        words.append(f"bridge {net.bridge}")
    words.append(", ".join(net.gateways or net.subnets))
    words += [net.is_internal * "no way out", net.is_closed * "kept apart"]
    words.append(_counted(net.traffic))
    name = f"network {net.name}, {several(len(net.ends), 'container')}"
    ends = [_end(net.name, end, now) for end in net.ends]
    if not ends:
        ends = [tree(f"network.net.{net.name}.empty", "nobody", "nobody", state="idle")]
    return tree(
        f"network.net.{net.name}", name, "  ".join(filter(None, words)), *ends,
        state="net", is_changed=_is_now(net.changed, now),
    )  # fmt: skip


def _end(net: str, end: End, now: int) -> Node:
    cable = f"{end.inside} {', '.join(end.addresses)}".strip()
    if end.host_link:
        cable += f" ═ {end.host_link}"
    others = [each for each in end.names if each != end.container]
    names = f"also {', '.join(others)}" if others else ""
    words = [end.container, cable, names, _counted(end.traffic)]
    state: State = "hit" if end.state == "running" else "idle"
    if end.state != "running":
        words.insert(1, end.state)
    name = ", ".join(filter(None, (f"container {end.container}", end.state, cable, names)))
    return tree(
        f"network.net.{net}.{end.container}", name, "  ".join(filter(None, words)),
        state=state, is_changed=_is_now(end.changed, now),
    )  # fmt: skip


def _lone(lone: Lone, now: int) -> Node:
    said = {
        "none": "no network: lo, and nothing else",
        "host": "the host's own network, nothing of its own",
    }.get(lone.mode)
    said = said or f"the network of {lone.mode.removeprefix('container:')}"
    return tree(
        f"network.lone.{lone.container}", f"container {lone.container}, {said}",
        f"{lone.container}  {said}", state="idle", is_changed=_is_now(lone.changed, now),
    )  # fmt: skip


def _counted(traffic: Traffic | None) -> str:
    if traffic is None:
        return ""
    return f"{size(traffic.in_bytes)} in, {size(traffic.out_bytes)} out"


def _is_now(changed: int, now: int) -> bool:
    return bool(now) and changed == now


# ── A request ────────────────────────────────────────────────────────────────────────────


def _walk(told: Map, now: int) -> Iterator[Node]:
    if not told.walk:
        return
    rows = (
        row(
            f"network.walk.{n}",
            cell(f"network.walk.{n}.n", str(n), "err" if step.is_end else "net"),
            cell(f"network.walk.{n}.at", step.place,
                 is_changed=_is_now(step.changed, now)),
            cell(f"network.walk.{n}.said", step.said),
        )
        for n, step in enumerate(told.walk, start=1)
    )  # fmt: skip
    yield table("network.walk", "the way of the request", ("", "at", "what"), *rows)


# ── The answer ───────────────────────────────────────────────────────────────────────────


def _answers(told: Map) -> Node:
    names = told.containers()
    rows = [_answer(name, tuple(reachable(told, name))) for name in names[:_MOST]]
    rows += [_outsiders(told)]
    return table("network.reach", "who reaches whom", _HEAD, *rows)


def _answer(source: str, found: Sequence[Reach]) -> Node:
    id_ = f"network.reach.{source}"
    named = [each.to for each in found if each.how == "name"]
    by_address = [each.to for each in found if each.how == "address"]
    nots = [each.to for each in found if not each.how]
    return row(
        id_,
        cell(f"{id_}.from", source),
        cell(f"{id_}.name", ", ".join(named), "hit" if named else ""),
        cell(f"{id_}.address", ", ".join(by_address), "net" if by_address else ""),
        cell(f"{id_}.not", ", ".join(nots), "hide" if nots else ""),
        name=_sentence(source, named, by_address, nots),
    )


def _sentence(
    source: str, named: Sequence[str], by_address: Sequence[str], nots: Sequence[str]
) -> str:
    said = [f"{source} reaches {', '.join(named)} by name"] if named else []
    said += [f"{source} reaches {', '.join(by_address)} by address only"] * bool(by_address)
    said += [f"{source} does not reach {', '.join(nots)}"] if nots else []
    return "; ".join(said) or f"{source} is alone"


def _outsiders(told: Map) -> Node:
    """Other machines come in by a published port, and by nothing else."""
    open_ = [port for port in told.ports if not port.address.startswith(("127.", "::1"))]
    ins = tuple(dict.fromkeys(f"{port.container}:{port.port}" for port in open_))
    shut = [name for name in told.containers()
            if not any(port in open_ for port in ways_in(told, name))]  # fmt: skip
    id_ = "network.reach.outside"
    said = "other machines"
    return row(
        id_,
        cell(f"{id_}.from", said),
        cell(f"{id_}.name", ""),
        cell(f"{id_}.address", ", ".join(ins), "net" if ins else ""),
        cell(f"{id_}.not", ", ".join(shut), "hide" if shut else ""),
        name=_sentence(said, (), ins, shut),
    )


def _reasons(told: Map) -> Iterator[Node]:
    """Say once why each pair that cannot talk cannot."""
    whys = dict[str, dict[str, None]]()
    for source in told.containers()[:_MOST]:
        for each in reachable(told, source):
            if not each.how:
                pair = " and ".join(sorted((source, each.to)))
                whys.setdefault(each.why, {})[pair] = None
    for n, (why, pairs) in enumerate(whys.items()):
        some = list(pairs)
        shown = "; ".join(some[:_MOST_PAIRS])
        more = f"; and {len(some) - _MOST_PAIRS} more" * (len(some) > _MOST_PAIRS)
        yield text(f"network.why.{n}", f"{why}: {shown}{more}", "hide")


def _notes(told: Map) -> Iterator[Node]:
    yield text(
        "network.note.host",
        "The host itself reaches every address on its bridges directly."
        if any(net.ends for net in told.nets)
        else "Nothing hangs on a bridge.",
    )
    if any(not net.has_names and len(net.ends) > 1 for net in told.nets):
        yield text(
            "network.note.names",
            "On the default network containers have no names for each other:"
            " minidock network create app gives a network that has.",
        )
    left = len(told.containers()) - _MOST
    if left > 0:
        yield text("network.note.more", f"and {several(left, 'more container')}")
