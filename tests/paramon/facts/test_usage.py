"""What is known of a process's waits, which are read now and then only, and of its peak."""

import pytest
from tests.paramon.made import HZ

from paramon.facts.usage import Usage
from paramon.sample.fields import AT, COUNT
from paramon.show.waits import as_known


def used(*, base: dict[str, int] | None = None, **fields: int):
    usage = Usage(values(base) if base else None)
    usage.take([(0, values(fields))], [0])
    return usage.used(HZ)


def values(fields: dict[str, int]) -> tuple[int, ...]:
    found = [0] * COUNT
    for name, value in fields.items():
        found[AT[name]] = value
    return tuple(found)


@pytest.mark.parametrize(
    ("known_ms", "told"), [(1000, "7"), (900, "7"), (899, "≥ 7"), (500, "≥ 7"), (499, "–"), (0, "–")]
)
def test_waits_are_told_as_they_are_known(known_ms, told):
    found = used(user_ticks=HZ, waits_known_us=known_ms * 1000, voluntary_switches=bool(known_ms))
    assert as_known(found, "7") == told


def test_what_was_before_the_profile_is_left_out():
    base = {"user_ticks": 100 * HZ, "waits_known_us": 90_000_000, "forced_switches": 1}
    found = used(base=base, user_ticks=101 * HZ, waits_known_us=90_400_000, forced_switches=2)
    assert (found.waits_known_ms, found.forced_switches) == (400, 1)


def test_a_profile_that_does_not_say_of_how_much_its_waits_are_tells_them():
    assert as_known(used(user_ticks=HZ, forced_switches=7), "7") == "7"


def test_one_that_used_nothing_waited_as_it_is_told():
    assert as_known(used(voluntary_switches=3), "3") == "3"


def test_of_many_the_part_is_of_all_their_time():
    one = used(user_ticks=3 * HZ, waits_known_us=3_000_000, forced_switches=4)
    other = used(user_ticks=HZ, waits_known_us=1_000, forced_switches=3)
    assert one.plus(other).waits_known == pytest.approx(0.75, abs=0.01)
