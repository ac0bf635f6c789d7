"""What a program said is kept within bounds, and what a run is asked for is understood."""

import pytest

from pyminidock.client.runbody import KeywordUnknown, run_body
from pyminidock.client.story import KEPT_BYTES, STDERR, STDOUT, Said


def test_the_oldest_output_is_forgotten_and_its_amount_is_told() -> None:
    said = Said()
    said.add(STDOUT, b"first")
    said.add(STDERR, b"x" * KEPT_BYTES)
    assert said.forgotten == 5
    assert said.text().startswith("[5 bytes before this are not kept]\nxxx")


def test_output_that_is_no_text_is_shown_with_replacement_marks() -> None:
    said = Said()
    said.add(STDOUT, b"\xff\xc3")
    said.add(STDOUT, b"\xa4\n")
    assert said.text() == "\ufffdä\n"


def test_a_keyword_may_be_given_as_docker_or_as_the_sdk_spells_it() -> None:
    by_docker = run_body("a", None, {"env": ["A=1"], "publish": "8080:80"})
    by_sdk = run_body("a", None, {"environment": {"A": 1}, "ports": {8080: 80}})
    assert by_docker == by_sdk
    assert by_sdk["HostConfig"]["PortBindings"] == {
        "80/tcp": [{"HostIp": "", "HostPort": "8080"}]
    }


def test_a_volume_without_a_source_is_one_of_its_own() -> None:
    body = run_body("a", None, {"volumes": ["/data", "cache:/c:ro"]})
    assert body["Volumes"] == {"/data": {}}
    assert body["HostConfig"]["Binds"] == ["cache:/c:ro"]


def test_docker_s_own_fields_go_over_the_keywords() -> None:
    body = run_body("a", None, {"memory": "64m", "host_config": {"Memory": 1}})
    assert body["HostConfig"]["Memory"] == 1


def test_an_unknown_keyword_is_named_with_those_that_are_known() -> None:
    with pytest.raises(KeywordUnknown, match="unknown keyword: colour") as caught:
        run_body("a", None, {"colour": "red"})
    assert "workdir" in caught.value.why
