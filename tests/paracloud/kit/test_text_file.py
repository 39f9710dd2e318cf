"""Packed texts: every stream is read, and what is no stream is never left out without a word."""

import lzma
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paracloud.kit.errors import Invalid
from paracloud.kit.text_file import open_lines


def read(folder, content: bytes, name: str = "log") -> list[str]:
    (folder / "file").write_bytes(content)
    with open_lines(folder / "file", name=name) as lines:
        return list(lines)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("texts")


@given(st.lists(st.tuples(st.text("ab\n\0", max_size=50), st.integers(0, 3)), min_size=1, max_size=4))
def test_streams_are_read_as_one_text_whatever_pads_them(folder, parts):
    packed = b"".join(lzma.compress(text.encode()) + bytes(4 * words) for text, words in parts)
    assert "".join(read(folder, packed)) == "".join(text for text, _ in parts)


@given(st.integers(1, 400), st.booleans())
def test_what_is_cut_or_altered_is_refused(folder, at, is_cut):
    whole = lzma.compress(b"one\ntwo\n") + bytes(4) + lzma.compress(b"three\n" * 9)
    at = 6 + at % (len(whole) - 6)
    spoilt = whole[:at] if is_cut else whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :]
    if is_cut and at in (len(lzma.compress(b"one\ntwo\n")) + words for words in (0, 4)):
        assert read(folder, spoilt) == ["one\n", "two\n"]
        return
    with pytest.raises(Invalid, match=r"line \d+: the compressed file is broken or cut") as refused:
        read(folder, spoilt)
    assert re.search("[a-z]", refused.value.zh) is None


def test_a_name_that_says_packed_wants_a_packed_file(folder):
    assert read(folder, b"plain\n") == ["plain\n"]
    for cut in (b"", b"\xfd7zX", b"plain\n"):
        with pytest.raises(Invalid):
            read(folder, cut, "log.xz")
