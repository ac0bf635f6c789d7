"""Who reaches whom, as a picture, and as a story lays its cables."""

from dataclasses import replace
from typing import Any

from pyminidock import events as e
from pyminidock.events import Event
from pyminidock.viz.networkmap import Map, Step, reachable, read
from pyminidock.viz.painters import html, svg
from pyminidock.viz.painters.text import columns, paint
from pyminidock.viz.views import VIEWS, suiting
from pyminidock.viz.views.network import network, story
from pyminidock.viz.world import fold_all
from tests.viz.story import ID, STORY, recorded

COUNTED = {"in_bytes": 1200, "in_packets": 3, "out_bytes": 500, "out_packets": 2}


def end(container: str, address: str, *names: str, **facts: Any) -> dict[str, Any]:
    usual = {
        "container": container, "inside": "eth0", "host_link": f"mv{container}",
        "addresses": [address], "mac": "02:42:ac:11:00:02", "names": list(names),
        "state": "running",
    }  # fmt: skip
    return usual | facts


def net(name: str, number: int, *ends: dict[str, Any], **facts: Any) -> dict[str, Any]:
    usual = {
        "name": name, "bridge": f"md0a1b2c-{number}", "ends": list(ends),
        "subnets": [f"172.{17 + number}.0.0/16"], "gateways": [f"172.{17 + number}.0.1"],
        "has_names": True, "is_internal": False, "is_closed": False,
    }  # fmt: skip
    return usual | facts


DOCUMENT: dict[str, Any] = {
    "backend": "linux-root",
    "networks": [
        net("bridge", 0, end("w1", "172.17.0.2", traffic=COUNTED), end("lo", "172.17.0.3"),
            has_names=False, traffic=COUNTED),
        net("app", 1, end("web", "172.18.0.2", "web", "www"),
            end("w1", "172.18.0.3", "w1", inside="eth1", host_link="mvw1b")),
        net("vault", 2, is_internal=True),
    ],
    "ports": [
        {"protocol": "tcp", "address": "127.0.0.1", "port": 8080, "container": "web",
         "to_port": 5000},
        {"protocol": "tcp", "address": "0.0.0.0", "port": 8081,  # noqa: S104
         "container": "lo", "to_port": 5000},
    ],
    "lone": [{"container": "hermit", "mode": "none"}],
}  # fmt: skip


def found(told: Map, source: str) -> dict[str, str]:
    return {each.to: each.how or each.why for each in reachable(told, source)}


def test_cables_ports_and_the_answer_are_shown_at_eighty_columns() -> None:
    assert paint(network(read(DOCUMENT)), 80).splitlines() == [
        "── Who can reach whom? ─────────────────────────────────────────────────────────",
        "[REAL]",
        "the host",
        "├─ ▸ 127.0.0.1:8080/tcp → web:5000",
        "├─ ▸ 0.0.0.0:8081/tcp → lo:5000",
        "├─ ▸ bridge  bridge md0a1b2c-0  172.17.0.1  1.2 kB in, 500 B out",
        "│  ├─ ● w1  eth0 172.17.0.2 ═ mvw1  1.2 kB in, 500 B out",
        "│  └─ ● lo  eth0 172.17.0.3 ═ mvlo",
        "├─ ▸ app  bridge md0a1b2c-1  172.18.0.1",
        "│  ├─ ● web  eth0 172.18.0.2 ═ mvweb  also www",
        "│  └─ ● w1  eth1 172.18.0.3 ═ mvw1b",
        "├─ ▸ vault  bridge md0a1b2c-2  172.19.0.1  no way out",
        "│  └─ · nobody",
        "└─ · hermit  no network: lo, and nothing else",
        "  from            reaches by name  by address only  does not reach",
        "  w1              ● web            ▸ lo             ⊘ hermit",
        "  lo                               ▸ w1             ⊘ web, hermit",
        "  web             ● w1                              ⊘ lo, hermit",
        "  hermit                                            ⊘ w1, lo, web",
        "  other machines                   ▸ lo:8081        ⊘ w1, web, hermit",
        "  ⊘ hermit has no network: hermit and w1; hermit and lo; hermit and web",
        "  ⊘ no network in common: lo and web",
        "  The host itself reaches every address on its bridges directly.",
        "  On the default network containers have no names for each other: minidock",
        "  network create app gives a network that has.",
    ]


def test_why_two_cannot_talk_is_the_reason_that_holds() -> None:
    told = read(DOCUMENT)
    assert found(told, "w1") == {
        "lo": "address", "web": "name", "hermit": "hermit has no network"
    }  # fmt: skip
    closed = read(DOCUMENT | {"networks": [
        net("app", 1, end("a", "172.18.0.2", "a"), end("b", "172.18.0.3", "b"),
            is_closed=True)]})  # fmt: skip
    assert found(closed, "a")["b"] == "app keeps its containers apart"
    modes = [{"container": "beside", "mode": "container:web"},
             {"container": "on", "mode": "host"}]  # fmt: skip
    joined = read(DOCUMENT | {"lone": modes})
    assert found(joined, "beside")["web"] == "address"
    assert found(joined, "beside")["w1"] == "name"
    assert found(joined, "beside")["lo"] == "no network in common"
    assert found(joined, "on")["web"] == "address"


def test_a_request_walks_to_where_it_dies() -> None:
    way = (Step("the host", "127.0.0.1:8080 is bound", changed=4),
           Step("web", "nobody listens on 5000", is_end=True, changed=5))  # fmt: skip
    shown = paint(network(replace(read(DOCUMENT), walk=way), now=5), 80)
    assert "  ▸ 1  the host  127.0.0.1:8080 is bound" in shown
    assert "Δ ✕ 2  web       nobody listens on 5000" in shown


def test_an_empty_map_says_what_would_fill_it() -> None:
    empty = {"backend": "linux-root", "networks": [], "ports": [], "lone": []}
    assert "minidock run -d --name web" in paint(network(read(empty)), 80)


def test_hostile_names_are_inert_in_every_painter() -> None:
    bad = "<b>\x1b[2J\u202e\n\udcff" + "x" * 300
    crowd = net(bad, 1, end(bad, bad, bad), end("a", "172.18.0.9"))
    hostile = read(DOCUMENT | {"networks": [crowd], "ports": [], "lone": []})
    scene = network(hostile)
    shown = paint(scene, 80)
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert max(map(columns, shown.splitlines())) <= 80
    for page in (html.paint(scene), svg.paint(scene)):
        assert "<b>" not in page
        assert "\x1b" not in page


PLUGGED: tuple[Event, ...] = (
    e.BridgeMade("md0a1b2c-0", "02:42:ac:11:00:01", ("172.17.0.1/16",), 1500, False),
    e.EndpointPlugged(ID, "md0a1b2c-0", "mv0a1b2c01", "eth0", "02:42:ac:11:00:02",
                      ("172.17.0.2/16",), "172.17.0.1", "", 1500),
    e.PortBound("tcp", "127.0.0.1", 8080, "172.17.0.2", 5000),
)  # fmt: skip


def test_a_story_builds_the_map_step_by_step_and_takes_it_down_again() -> None:
    records = recorded((*STORY[:4], *PLUGGED))
    shown = [paint(story(fold_all(records[: 4 + n])), 80) for n in range(4)]
    assert "No container is on any network yet" in shown[0]
    assert "├─ ▸ md0a1b2c-0  172.17.0.1 Δ" not in shown[0]
    assert "▸ md0a1b2c-0  172.17.0.1 Δ" in shown[1]
    assert "nobody" in shown[1]
    assert "● web  eth0 172.17.0.2 ═ mv0a1b2c01 Δ" in shown[2]
    assert "▸ 127.0.0.1:8080/tcp → web:5000 Δ" in shown[3]
    gone = (e.PortReleased("tcp", "127.0.0.1", 8080),
            e.EndpointUnplugged(ID, "eth0", "mv0a1b2c01"),
            e.InterfaceRemoved("md0a1b2c-0"))  # fmt: skip
    after = fold_all(recorded((*STORY[:4], *PLUGGED, *gone)))
    assert after.wires.is_empty
    assert "No container is on any network yet" in paint(story(after), 80)


def test_the_view_is_a_tab_of_stories_that_laid_a_cable_and_of_no_other() -> None:
    assert "network" not in {view.name for view in suiting(fold_all(recorded(STORY)))}
    wired = fold_all(recorded((*STORY[:4], *PLUGGED)))
    assert "network" in {view.name for view in suiting(wired)}
    assert next(view for view in VIEWS if view.name == "network").reads(wired)


def test_a_removed_bridge_takes_its_cables_along() -> None:
    dead = fold_all(recorded((*STORY[:4], *PLUGGED[:2], e.InterfaceRemoved("md0a1b2c-0"))))
    assert not dead.wires.cables


def test_a_network_is_called_by_its_name_once_a_container_is_in_it() -> None:
    place = e.EndpointMade("n1", "app", "bridge", ID, "e1", "172.17.0.2/16",
                           "02:42:ac:11:00:02", "172.17.0.1", "eth0")  # fmt: skip
    world = fold_all(recorded((*STORY[:4], *PLUGGED, place)))
    assert "▸ app  bridge md0a1b2c-0  172.17.0.1" in paint(story(world), 80)


def test_a_followed_request_walks_and_another_one_begins_anew() -> None:
    asked = e.HopPassed(ID, "client", "the host asks localhost:8080/tcp", ())
    died = (asked,
            e.RequestDied(ID, "process", "no-listener", "nobody listens on 5000",
                          "docker run -p 8080:80 …", ()))  # fmt: skip
    arrived = (asked, e.RequestArrived(ID, "localhost:8080/tcp", "taken by httpd", 700))
    shown = paint(story(fold_all(recorded((*STORY[:4], *PLUGGED, *died)))), 80)
    assert "✕ 2  process" in shown
    assert "nobody listens on 5000: docker run -p 8080:80 …" in shown
    again = fold_all(recorded((*STORY[:4], *PLUGGED, *died, *arrived)))
    assert "nobody listens" not in paint(story(again), 80)
    assert "taken by httpd" in paint(story(again), 80)
