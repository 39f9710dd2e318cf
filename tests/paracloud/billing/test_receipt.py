"""A file of receipts says what was signed, or where it does not: whatever byte of it is changed."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paracloud.billing.receipt import (
    FIRST,
    FORMAT,
    NotWhole,
    Signer,
    canonical,
    end_line,
    header_line,
    receipt_line,
    verify,
)

SIGNER, OTHER = Signer(bytes(range(32))), Signer(bytes(range(1, 33)))


def a_file(count: int = 4, first: int = 1, project: str = "p", signer: Signer = SIGNER) -> list[bytes]:
    header = header_line(project, {SIGNER.key: SIGNER.public, OTHER.key: OTHER.public})
    lines, last = [header], FIRST if first == 1 else "1" * 64
    for number in range(first, first + count):
        body = {"number": number, "previous": last, "project": project, "amount_micro": str(1000 * number),
                "currency": "CNY", "charged_at": f"2026-06-{number:02d}", "queue": "中文"}  # fmt: skip
        signed = signer.sign(body)
        lines.append(receipt_line(signed))
        last = signed.hash
    lines.append(end_line(signer, header, count, last))
    return [line.encode() for line in lines]


def signed(bodies: Sequence[dict]) -> list[bytes]:
    """A chain of its own of what these say."""
    header, last = header_line(bodies[0]["project"], {SIGNER.key: SIGNER.public}), FIRST
    lines = [header]
    for body in bodies:
        one = SIGNER.sign(body | {"previous": last})
        lines.append(receipt_line(one))
        last = one.hash
    return [line.encode() for line in (*lines, end_line(SIGNER, header, len(bodies), last))]


FILE = a_file()


def test_a_whole_file_says_what_is_in_it():
    found = verify(FILE)
    assert (found.project, found.first, found.count, found.micro) == ("p", 1, 4, {"CNY": 10_000})
    assert (found.since, found.until, found.is_vouched) == ("2026-06-01", "2026-06-04", False)
    assert verify(FILE, [SIGNER.public]).is_vouched
    assert verify(a_file(2, first=7)).first == 7
    assert verify(a_file(0)).count == 0


@settings(max_examples=600, deadline=None)
@given(at=st.integers(0, len(b"".join(FILE)) - 1), mask=st.integers(1, 255))
def test_any_changed_byte_is_found(at, mask):
    content = bytearray(b"".join(FILE))
    content[at] ^= mask
    with pytest.raises(NotWhole):
        verify(bytes(content).splitlines(keepends=True))


@given(st.data())
def test_a_line_that_is_dropped_doubled_or_moved_is_found(data):
    lines = list(FILE)
    one, other = data.draw(st.integers(0, 5)), data.draw(st.integers(0, 5))
    match data.draw(st.sampled_from(["drop", "double", "swap"])):
        case "drop":
            del lines[one]
        case "double":
            lines.insert(one, lines[one])
        case _:
            lines[one], lines[other] = lines[other], lines[one]
    if lines != FILE:
        with pytest.raises(NotWhole):
            verify(lines)


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_file_that_was_cut_is_found(cut):
    content = b"".join(FILE)[:-cut]
    with pytest.raises(NotWhole):
        verify(content.splitlines(keepends=True))
    with pytest.raises(NotWhole, match="cut"):
        verify(FILE[:-1])


def test_another_key_than_the_one_that_is_trusted_is_found():
    with pytest.raises(NotWhole, match="key that is not known"):
        verify(a_file(signer=OTHER), [SIGNER.public])
    assert verify(a_file(signer=OTHER)).count == 4


def test_receipts_of_another_project_under_this_header_are_found():
    mixed = [FILE[0], *a_file(project="q")[1:]]
    with pytest.raises(NotWhole, match="another project"):
        verify(mixed)


def test_a_header_with_a_key_that_is_no_text_is_refused():
    header = canonical({"format": FORMAT, "keys": {"k": 5}, "project": "p"}) + "\n"
    with pytest.raises(NotWhole, match="a public key is no text"):
        verify([header.encode(), FILE[1]])


def test_one_content_has_one_text():
    assert canonical({"b": "中", "a": 1}) == '{"a":1,"b":"中"}'


def test_a_private_key_shows_itself_nowhere():
    assert "Signer" in repr(SIGNER)
    assert bytes(range(32)).hex() not in repr(SIGNER)
