"""The limits of a build are read from its query, and refused in Docker's words."""

import pytest

from pyminidock.api.buildlimits import read
from pyminidock.api.failures import BadRequest
from pyminidock.build.options import Limits
from pyminidock.grammar.ulimits import Ulimit


def test_every_limit_finds_its_place() -> None:
    query = {
        "memory": "1", "memswap": "-1", "cpushares": "2", "cpuperiod": "3", "cpuquota": "4",
        "cpusetcpus": "0-1", "cpusetmems": "0", "cgroupparent": "/p", "shmsize": "5",
        "ulimits": '[{"name": "nofile", "Soft": 6, "Hard": 7}, null]',
    }  # fmt: skip
    assert read(query) == Limits(
        1, -1, 2, 3, 4, "0-1", "0", "/p", 5, (Ulimit("nofile", 6, 7),)
    )


@pytest.mark.parametrize("text", ["", "x", "1.5", "9" * 30])
def test_a_number_that_is_none_says_nothing(text: str) -> None:
    assert read({"memory": text, "ulimits": "null"}) == Limits()


# Measured on Docker Engine 26.1.
@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[1]", "json: cannot unmarshal number into Go value of type units.Ulimit"),
        ('[{"Name": 3}]', "json: cannot unmarshal number into Go struct field Ulimit.Name "
                          "of type string"),
        ("{}", "json: cannot unmarshal object into Go value of type []*units.Ulimit"),
    ],
)  # fmt: skip
def test_ulimits_that_are_none_are_refused(text: str, what: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        read({"ulimits": text})
    assert refusal.value.what == f"error reading ulimit settings: {what}"
