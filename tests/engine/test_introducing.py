"""Containers that know each other: files of /etc and names, on the simulated kernel."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from dnslib import DNSRecord

from pyminidock.container.asked import Endpoint, Reach
from pyminidock.container.spec import CreateRequest
from pyminidock.engine import connecting, run
from pyminidock.engine.house import House
from pyminidock.engine.lives import Life
from pyminidock.engine.networkmaking import create as create_network
from pyminidock.engine.renaming import rename
from pyminidock.events import NameAsked
from pyminidock.kernel.model.body import ModelBody
from pyminidock.network.wish import Wish
from tests.engine.houses import body_of, finish, house_over, prepared, started


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with house_over(prepared(tmp_path), ModelBody()) as house:
        for name in ("back", "front"):
            make_network(house, name)
        yield house


def make_network(house: House, name: str) -> None:
    create_network(house, Wish(name))


def wish(name: str, network: str = "back", **reach: object) -> CreateRequest:
    return CreateRequest(
        "busybox", command=("sleep", "60"), name=name, network_mode=network,
        reach=Reach(**reach),  # type: ignore[arg-type]
    )  # fmt: skip


def ask(house: House, asker: Life, name: str, kind: str = "A") -> list[str]:
    """Ask as a program in a container would."""
    clerk = body_of(house).clerks[asker.id]
    reply = clerk(bytes(DNSRecord.question(name, kind).pack()), True)
    if isinstance(reply, bytes):
        return [str(row.rdata) for row in DNSRecord.parse(reply).rr]
    return ["elsewhere"]


def file_of(house: House, life: Life, name: str) -> list[str]:
    text = (house.directory(life.id) / name).read_text()
    return text.splitlines()[6 if name == "hosts" else 0 :]


def address(house: House, life: Life, network: str = "back") -> str:
    return next(
        each.address for each in house.networks.of_container(life.id)
        if each.network == network
    )  # fmt: skip


def test_neighbours_know_each_other_by_name_alias_and_id(house: House) -> None:
    db = started(house, wish("db", endpoints=(Endpoint("back", aliases=("sql",)),)))
    web = started(house, wish("web"))
    place = [address(house, db)]
    for name in ("db", "SQL", db.id[:12], "db.back"):
        assert ask(house, web, name) == place, name
    assert ask(house, web, "db", "AAAA") == []
    assert ask(house, web, "nobody") == ["elsewhere"]
    reverse = ".".join(reversed(place[0].split(".")))
    assert ask(house, web, f"{reverse}.in-addr.arpa", "PTR") == ["db.back."]


def test_the_default_bridge_has_no_names_and_the_hosts_servers(house: House) -> None:
    plain = started(house, wish("plain", "bridge"))
    assert plain.id not in body_of(house).clerks
    assert "nameserver 127.0.0.11" not in file_of(house, plain, "resolv.conf")
    own = f"{address(house, plain, 'bridge')}\t{plain.id[:12]}"
    assert file_of(house, plain, "hosts") == [own]


def test_a_network_more_is_a_line_more_and_a_network_less_takes_only_its_own(
    house: House,
) -> None:
    web = started(house, wish("web"))
    back = address(house, web)
    connecting.connect(house, "front", "web")
    front = address(house, web, "front")
    name = web.id[:12]
    assert file_of(house, web, "hosts") == [f"{back}\t{name}", f"{front}\t{name}"]
    connecting.disconnect(house, "back", "web")
    assert file_of(house, web, "hosts") == [f"{front}\t{name}"]


def test_who_moves_is_known_where_it_is_and_nowhere_else(house: House) -> None:
    web = started(house, wish("web"))
    db = started(house, wish("db", "front"))
    assert ask(house, web, "db") == ["elsewhere"]
    connecting.connect(house, "back", "db")
    assert ask(house, web, "db") == [address(house, db)]
    connecting.disconnect(house, "back", "db")
    assert ask(house, web, "db") == ["elsewhere"]


def test_the_first_network_with_names_brings_the_name_server(house: House) -> None:
    late = started(house, wish("late", "bridge"))
    web = started(house, wish("web"))
    connecting.connect(house, "back", "late")
    assert ask(house, late, "web") == [address(house, web)]
    assert "nameserver 127.0.0.11" in file_of(house, late, "resolv.conf")


def test_an_edited_resolv_conf_is_left_alone(house: House) -> None:
    late = started(house, wish("late", "bridge"))
    path = house.directory(late.id) / "resolv.conf"
    path.write_text("nameserver 192.0.2.9\n")
    connecting.connect(house, "back", "late")
    assert path.read_text() == "nameserver 192.0.2.9\n"


def test_who_ends_is_not_known_any_more_and_answers_are_over(house: House) -> None:
    db, web = started(house, wish("db")), started(house, wish("web"))
    finish(house, db)
    assert ask(house, web, "db") == ["elsewhere"]
    assert db.id not in body_of(house).clerks


def test_a_new_name_is_known_at_once(house: House) -> None:
    db, web = started(house, wish("db")), started(house, wish("web"))
    rename(house, "db", "store")
    assert ask(house, web, "store") == [address(house, db)]
    assert ask(house, web, "db") == ["elsewhere"]


def test_a_link_in_the_default_network_is_a_line_and_variables(house: House) -> None:
    db = started(house, wish("db", "bridge", exposed=("5432/tcp",)))
    web = started(house, wish("web", "bridge", links=("db:store",)))
    place = address(house, db, "bridge")
    assert file_of(house, web, "hosts")[0] == f"{place}\tstore {db.id[:12]} db"
    assert f"STORE_PORT=tcp://{place}:5432" in house.kept(web.id).spec.environment


def test_a_link_leads_to_where_the_other_one_is_after_a_restart(house: House) -> None:
    db = started(house, wish("db", "bridge"))
    web = started(house, wish("web", "bridge", links=("db:store",)))
    before = address(house, db, "bridge")
    finish(house, db)
    started(house, wish("other", "bridge"))  # takes the address that is free now
    run.start(house, db.id)
    after = address(house, db, "bridge")
    assert after != before
    lines = file_of(house, web, "hosts")
    assert lines[0] == f"{after}\tstore {db.id[:12]} db"


def test_a_link_to_who_does_not_run_is_refused(house: House) -> None:
    run.create(house, wish("db", "bridge"))
    web = run.create(house, wish("web", "bridge", links=("db:store",)))
    with pytest.raises(run.StartRefused, match="Cannot link to a non running container"):
        run.start(house, web)


def test_who_shares_a_network_shares_the_names_of_it(house: House) -> None:
    web = started(house, wish("web"))
    guest = started(house, wish("guest", "container:web"))
    spec = house.kept(guest.id).spec
    assert spec.names_from == str(house.directory(web.id))
    assert spec.hostname == web.id[:12]


def test_a_new_engine_answers_where_the_old_one_did(tmp_path: Path) -> None:
    body = ModelBody()
    with house_over(prepared(tmp_path), body) as house:
        make_network(house, "back")
        db, web = started(house, wish("db")), started(house, wish("web"))
        place = address(house, db)
    body.clerks.clear()  # they died with the engine
    with house_over(tmp_path, body) as house:
        assert ask(house, house.life(web.id), "db") == [place]


def test_a_question_stands_in_the_story_of_who_asked(house: House) -> None:
    web = started(house, wish("web"))
    heard, told = list[object](), threading.Event()

    def hear(event: NameAsked) -> None:
        heard.append(event)
        told.set()

    house.names._tell = hear
    for _ in range(20):
        ask(house, web, "web")
    assert told.wait(30)
    (event,) = heard
    assert event == NameAsked(web.id, "web", "A", "known", (address(house, web),))
