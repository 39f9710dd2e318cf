"""What is known of how long jobs waited lately."""

from paracloud.placement.waited import HOUR, NO_RECENT, Recent, Waited
from paracloud.placement.waits import USUAL_START


def test_waits_of_the_last_hour_are_counted_and_older_ones_are_not() -> None:
    waited = Waited()
    for at in (0, 100, 3600, 3700):
        waited.learn("here", at, at / 10, most=10)
    assert waited.recent("here", HOUR, 3701) == Recent(2, 370, 370)
    assert waited.recent("there", HOUR, 3701) == NO_RECENT
    assert waited.recent("here", HOUR, 9999) == NO_RECENT


def test_a_usual_start_is_what_one_in_ten_did_not_even_wait_and_never_nothing() -> None:
    waited = Waited()
    assert waited.usual_start("here") == USUAL_START
    for wait in range(10, 110, 10):
        waited.learn("here", 0, wait, most=10)
        waited.learn("idle", 0, 0, most=10)
    assert waited.usual_start("here") == 20
    assert waited.usual_start("idle") == 1


def test_of_each_key_the_newest_are_kept_and_of_all_keys_the_newest() -> None:
    waited = Waited(most_keys=2)
    for key in ("a", "b", "a", "c"):
        for at in range(5):
            waited.learn(key, at, 1, most=3)
    assert [waited.recent(key, HOUR, 9).count for key in "abc"] == [3, 0, 3]
