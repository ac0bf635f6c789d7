"""The kernel's overlay, looked at twice: the second look asks no layer."""

import pytest

from pyminidock.course import sidebyside
from pyminidock.viz.painters.text import columns, paint
from pyminidock.viz.views.union import union

pytestmark = pytest.mark.edge


def test_the_first_look_grows_with_the_layers_and_the_second_does_not() -> None:
    told = sidebyside.told(measured=True, depths=(2, 128))
    looks = {(each["depth"], each["kind"]): each for each in told["measured"]}
    assert set(looks) == {(depth, kind) for depth in (2, 128)
                          for kind in ("top", "bottom", "none")}  # fmt: skip
    for kind in ("bottom", "none"):
        deep, flat = looks[128, kind], looks[2, kind]
        assert deep["first_ns"] > 3 * flat["first_ns"], looks
        assert deep["first_ns"] > 3 * deep["second_ns"], looks
    assert looks[128, "top"]["first_ns"] < looks[128, "bottom"]["first_ns"] / 3, looks
    shown = paint(union(told), 80)
    assert max(columns(line) for line in shown.splitlines()) <= 80
    assert "no current kernel has it" in shown


def test_both_rules_are_counted_without_any_kernel() -> None:
    told = sidebyside.told()
    asked = {(each["depth"], each["kind"], each["rules"]): each["probes"]
             for each in told["counted"]}  # fmt: skip
    assert (asked[128, "bottom", "aufs"], asked[128, "bottom", "overlay"]) == (640, 256)
    assert (asked[2, "top", "aufs"], asked[2, "top", "overlay"]) == (8, 3)
    assert told["measured"] == []
    shown = paint(union(told), 80)
    assert "asks 2.5 times as often" in shown
    assert "Measured" not in shown


def test_what_cannot_be_measured_is_refused_with_a_way_out() -> None:
    with pytest.raises(sidebyside.NotMeasured) as refusal:
        sidebyside.told(measured=True, depths=(0,))
    assert "explain union" in refusal.value.try_next
