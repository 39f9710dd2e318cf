"""All sensors on this machine, whatever it has."""

import pytest

from paramon.machine import MAKERS, sensors_here
from paramon.sensors.sensor import Unavailable

GROWING = ("_ticks", "_bytes", "_packets", "_us", "_uj", "_requests")


def made(make):
    try:
        return make()
    except Unavailable as why:
        return why


@pytest.mark.parametrize(("name", "make"), MAKERS, ids=[name for name, _ in MAKERS])
def test_it_is_read_or_says_in_both_languages_why_not(name, make):
    sensor = made(make)
    if isinstance(sensor, Unavailable):
        assert sensor.en
        assert any("\u4e00" <= letter <= "\u9fff" for letter in sensor.zh)
        return
    first, second = sensor.read(), sensor.read()
    sensor.close()
    assert sensor.name == name
    assert set(first) <= set(second) or not first
    assert all(type(value) is int and series.startswith(name + ".") for series, value in second.items())
    for series in first:
        if series.endswith(GROWING):
            assert second[series] >= first[series]


def test_every_sensor_is_here_or_its_reason_is():
    found, unavailable = sensors_here()
    assert sorted([*(sensor.name for sensor in found), *unavailable]) == sorted(name for name, _ in MAKERS)
    for sensor in found:
        sensor.close()
