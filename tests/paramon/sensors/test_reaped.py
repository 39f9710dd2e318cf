"""What a process's children read and wrote is not its own, whenever it is told of it."""

from paramon.sensors.reaped import Reaped

NOTHING = [0] * 6


def both(read: int, written: int) -> list[int]:
    return [read, written, 0, 0, 0, 0]


def test_what_it_grows_by_is_its_childs_first_and_then_its_own():
    parent = Reaped()
    parent.child_ended(both(10, 20))
    assert parent.own(both(1, 2), both(12, 22)) == both(2, 2)
    parent.looked()
    assert parent.own(both(2, 2), both(15, 22)) == both(5, 2), "the child is told of already"


def test_it_may_be_told_of_it_at_the_look_after():
    parent = Reaped()
    parent.child_ended(both(10, 20))
    assert parent.own(both(1, 2), both(1, 2)) == both(1, 2)
    parent.looked()
    assert parent.own(both(1, 2), both(11, 22)) == both(1, 2)


def test_of_a_child_of_which_it_is_never_told_nothing_is_taken_off_for_long():
    parent = Reaped()
    parent.child_ended(both(10, 20))
    parent.looked()
    parent.looked()
    assert parent.own(both(1, 2), both(50, 60)) == both(50, 60)


def test_what_nobody_saw_of_a_child_stays_its_parents():
    parent = Reaped()
    parent.child_ended(both(10, 20))
    assert parent.own(NOTHING, both(13, 25)) == both(3, 5)


def test_its_own_parent_is_told_of_all_of_it():
    parent = Reaped()
    parent.child_ended(both(10, 20))
    own = parent.own(NOTHING, both(13, 25))
    parent.child_ended(both(7, 7))  # which it had no look to be told of
    assert parent.all_of(own) == both(20, 32)
