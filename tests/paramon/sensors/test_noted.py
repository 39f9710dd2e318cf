"""A sensor that cannot be had is named with the cause, and takes no other with it."""

import pytest

from paramon.sensors.sensor import Noted, Unavailable


def test_what_cannot_be_had_is_noted_with_its_cause_and_what_is_not_understood_as_such():
    unavailable: dict[str, tuple[str, str]] = {}
    with Noted("here", unavailable):
        pass
    with Noted("energy", unavailable):
        raise Unavailable("no RAPL", "没有 RAPL")
    with Noted("counter", unavailable):
        raise ValueError("config:odd")
    assert unavailable == {
        "energy": ("no RAPL", "没有 RAPL"),
        "counter": ("not understood: ValueError: config:odd", "无法识别：ValueError: config:odd"),
    }


def test_who_is_to_stop_stops():
    with pytest.raises(KeyboardInterrupt), Noted("here", {}):
        raise KeyboardInterrupt
