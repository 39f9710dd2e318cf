"""Keys that came before are known again, however many there are."""

from hypothesis import given
from hypothesis import strategies as st

from paracloud.metering.marks import Marks, Seen


@given(st.lists(st.tuples(st.integers(0, 50), st.sampled_from(["a", "b", None]))))
def test_a_key_is_new_once(keys):
    marks, seen = Marks(), set()
    for key in keys:
        assert (marks.add(key) is Seen.NEW) is (key not in seen)
        seen.add(key)
    assert len(marks) == len(seen)


def test_marks_stay_known_while_their_table_grows():
    marks = Marks()
    assert all(marks.add((number, "x"), (number,)) is Seen.NEW for number in range(20_000))
    assert all(marks.add((number, "x"), (number,)) is Seen.SAME for number in range(20_000))
    assert len(marks) == 20_000


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3))))
def test_what_is_said_otherwise_than_last_is_changed(told):
    marks, last = Marks(), {}
    for key, word in told:
        expected = Seen.NEW if key not in last else Seen.SAME if last[key] == word else Seen.CHANGED
        assert marks.add((key,), (word,)) is expected
        last[key] = word
