"""Keys that came before are known again, however many there are."""

from hypothesis import given
from hypothesis import strategies as st

from paracloud.metering.marks import Marks


@given(st.lists(st.tuples(st.integers(0, 50), st.sampled_from(["a", "b", None]))))
def test_a_key_is_new_once(keys):
    marks, seen = Marks(), set()
    for key in keys:
        assert marks.add(key) is (key not in seen)
        seen.add(key)
    assert len(marks) == len(seen)


def test_marks_stay_known_while_their_table_grows():
    marks = Marks()
    assert all(marks.add((number, "x")) for number in range(20_000))
    assert not any(marks.add((number, "x")) for number in range(20_000))
    assert len(marks) == 20_000
