"""How a series went."""

import pytest

from paramon.facts.series import Course

TICKS = [0, 1000, 2000, 3000]


@pytest.mark.parametrize(
    ("name", "grown"),
    [
        ("network.eth0.sent_bytes", 40),
        ("exits.true.count", 140),
        ("exits.true.cpu_us", 140),
        ("counter.uncounted", 140),
    ],
)
def test_what_is_first_told_of_when_it_first_counts_was_nothing_before(name, grown):
    course = Course(name)
    course.take([(1, 100), (3, 140)], TICKS)
    assert course.told(name)["grown"] == grown


def test_the_largest_of_short_lived_processes_is_no_sum():
    course = Course("exits.true.peak_rss_kib")
    course.take([(1, 100), (3, 140)], TICKS)
    assert course.told("exits.true.peak_rss_kib")["least"] == 100
