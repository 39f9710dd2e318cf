"""A file that was cut off or damaged gives all that is whole in it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paramon.sample.frames import CHUNK, HEAD, MARK, Frame, _Search, begun, frame, frames

kinds = st.sampled_from([b"H", b"C", b"T"])
payloads = st.binary(max_size=40) | st.sampled_from([MARK, MARK * 3, b""])
written = st.lists(st.tuples(kinds, payloads), max_size=6)


@settings(max_examples=300)
@given(written, st.data())
def test_what_is_cut_off_at_the_end_is_left_out(told, data):
    pieces = [frame(*one) for one in told]
    whole = b"".join(pieces)
    cut = data.draw(st.integers(0, len(whole)))
    found = list(frames(whole[:cut]))
    fitting, end = [], 0
    for one, piece in zip(told, pieces, strict=True):
        end += len(piece)
        if end <= cut:
            fitting.append(Frame(*one, end))
    assert found == fitting


@settings(max_examples=300)
@given(written.filter(bool), st.data())
def test_bytes_that_were_changed_cost_one_frame_and_are_counted(told, data):
    pieces = [frame(*one) for one in told]
    hit = data.draw(st.integers(0, len(pieces) - 1))
    at = data.draw(st.integers(0, len(pieces[hit]) - 1))
    changed = bytearray(pieces[hit])
    changed[at] ^= data.draw(st.integers(1, 255))
    found = list(frames(b"".join([*pieces[:hit], bytes(changed), *pieces[hit + 1 :]])))
    assert [(one.kind, one.payload) for one in found if isinstance(one, Frame)] == told[:hit] + told[hit + 1 :]
    assert sum(one for one in found if isinstance(one, int)) == (len(changed) if hit + 1 < len(pieces) else 0)


def test_a_file_is_read_on_from_where_it_ended():
    first, second = frame(b"C", b"one"), frame(b"C", b"two")
    (one,) = frames(first + second[:5])
    assert [found.payload for found in frames(first + second, one.end)] == [b"two"]


def test_what_is_made_to_look_like_frames_and_is_none_is_given_up_soon():
    """Each of these marks says that all that follows is its own."""
    count, step = 20_000, HEAD.size
    size = count * step
    forged = b"".join(HEAD.pack(MARK, CHUNK, size - at - step, 0) for at in range(0, size, step))
    looked = []

    class Counted(_Search):
        def frame_at(self, at):
            looked.append(at)
            return super().frame_at(at)

    search = Counted(forged)
    assert search.frame_at(0) is None
    assert search.after(0) == -1
    assert search.is_given_up
    assert len(looked) < 10
    assert list(frames(forged)) == [len(forged)], "and it is told as lost"


@pytest.mark.parametrize("cut", range(len(frame(CHUNK, b"minute"))))
def test_where_a_frame_may_still_come_is_known(cut):
    whole = frame(CHUNK, b"minute")
    before = frame(CHUNK, b"x")[:-1] + b"!" + b"\0" * 50  # whole, and damaged
    data = before + whole[:cut]
    assert begun(data, 0) == len(before) == begun(data, 20)
    assert begun(data + whole[cut:], 0) == len(before) + len(whole)
