"""Old logs that are not taken in, whole or in part: each says what is wrong with it."""

import lzma
from dataclasses import replace

import pytest
from tests.paracloud.billing.builders import (
    EAST,
    NOW,
)
from tests.paracloud.dialects.log_lines import sacct
from tests.paracloud.history.old_logs import LOG, rows, stored, taken_in

from paracloud.history import sums
from paracloud.history.imported import OTHERS, By, ImportState, Unmapped
from paracloud.history.request import Wanted, faults_of, request_import
from paracloud.kit.errors import Invalid, NotFound
from paracloud.kit.identifiers import CentreName, ProjectId, new_uuid


async def test_a_line_with_more_kinds_of_licences_than_there_are_is_not_understood(database, opened, tmp_path):
    many = ",".join(f"license/l{number}=1" for number in range(65))
    refused = await taken_in(database, tmp_path, rows(1) + rows(1, 1, AllocTRES=many), {"lin": opened.project})
    assert refused.state is ImportState.REFUSED
    async with database.begin() as session:
        (fault,) = await faults_of(session, refused.id)
    assert (fault.line, fault.en) == (2, "its figures are impossible")


async def test_a_file_with_lines_that_cannot_be_read_is_refused_whole_and_each_is_listed(database, opened, tmp_path):
    broken = rows(2) + sacct(NCPUS="many") + rows(2, 2) + sacct(NNodes="x", JobName="坏\0")
    refused = await taken_in(database, tmp_path, broken, {"lin": opened.project})
    assert refused.state is ImportState.REFUSED
    assert refused.reason_en.startswith("Lines that were not understood: 2;")
    assert "2 行无法理解" in refused.reason_zh
    assert await stored(database) == (0, 0, 0)
    async with database.begin() as session:
        found = await faults_of(session, refused.id)
        assert [one.line for one in await faults_of(session, refused.id, after=3)] == [6]
    assert [one.line for one in found] == [3, 6]
    assert all(one.en and one.zh and one.text.startswith("71") for one in found)
    accepted = await taken_in(database, tmp_path, broken, {"lin": opened.project}, accept_faults=True)
    assert (accepted.state, accepted.new, accepted.faults) == (ImportState.DONE, 4, 2)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda content: lzma.compress(content)[:-30], "line 3001: the compressed file is broken or cut"),
        (lambda content: content[:-10], "Lines that were not understood: 1;"),
    ],
)
async def test_a_file_that_was_cut_is_refused_whole(database, opened, tmp_path, spoil, why):
    content = rows(3000).encode()
    refused = await taken_in(database, tmp_path, spoil(content), {"lin": opened.project})
    assert refused.state is ImportState.REFUSED
    assert why.split(":")[-1].strip() in refused.reason_en
    assert await stored(database) == (0, 0, 0)


async def test_records_of_nobodys_refuse_the_import_or_are_left_out_by_name(database, opened, tmp_path):
    content = rows(2) + rows(3, 10, User="wang") + rows(1, 20, User="zhao")
    refused = await taken_in(database, tmp_path, content, {"lin": opened.project})
    assert refused.state is ImportState.REFUSED
    assert refused.reason_en.startswith("Records that are nobody's: 4, of wang, zhao")
    assert await stored(database) == (0, 0, 0)
    left_out = await taken_in(database, tmp_path, content, {"lin": opened.project}, leave_out=True)
    assert (left_out.state, left_out.new) == (ImportState.DONE, 2)
    day = 64 * 86400
    assert left_out.unmapped == {"wang": Unmapped(3, 3 * day), "zhao": Unmapped(1, day)}


async def test_names_beyond_the_most_are_counted_together(database, opened, tmp_path, monkeypatch):
    monkeypatch.setattr(sums, "MOST_NAMES", 2)
    content = "".join(rows(count, 10 * count, User=f"u{count}") for count in (1, 2, 3, 4))
    refused = await taken_in(database, tmp_path, content, {"lin": opened.project})
    assert {name: left.records for name, left in refused.unmapped.items()} == {"u4": 4, "u3": 3, OTHERS: 3}


@pytest.mark.parametrize("kept", [3, 20, 0.5, 0.99])
async def test_a_packed_log_that_was_cut_anywhere_is_refused_and_not_tried_for_ever(database, opened, tmp_path, kept):
    """The reader of sacct looks at its first line before anybody asks for one."""
    packed = lzma.compress(rows(3000).encode())
    content = packed[: int(kept * len(packed)) if kept < 1 else kept]
    refused = await taken_in(database, tmp_path, content, {"lin": opened.project}, name="log.xz")
    assert (refused.state, "broken or cut" in refused.reason_en) == (ImportState.REFUSED, True)
    assert await stored(database) == (0, 0, 0)


async def test_every_stream_of_a_packed_log_is_taken_in_and_a_damaged_one_refuses_it(database, opened, tmp_path):
    first, second = (lzma.compress(rows(500, start).encode()) for start in (0, 500))
    damaged = second[: len(second) // 2] + b"\xff" + second[len(second) // 2 + 1 :]
    owners = {"lin": opened.project}
    for wrong in (first + damaged, first + second[:-20], first + b"\xff" + second, first + b"old rows\n"):
        refused = await taken_in(database, tmp_path, wrong, owners, accept_faults=True)
        assert (refused.state, "broken or cut" in refused.reason_en) == (ImportState.REFUSED, True)
    assert await stored(database) == (0, 0, 0)
    done = await taken_in(database, tmp_path, first + bytes(8) + second + bytes(4), owners)
    assert (done.state, done.reason_en, done.new) == (ImportState.DONE, None, 1000)


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        ({"centre": CentreName("nowhere")}, NotFound),
        ({"format": "csv"}, Invalid),
        ({"owners": {}}, Invalid),
        ({"owners": {"lin": ProjectId(new_uuid())}}, Invalid),
    ],
)
async def test_an_import_that_cannot_be_meant_is_refused(database, opened, wrong, kind):
    wanted = replace(Wanted(LOG, "old.log", EAST, "sacct", By.USER, {"lin": opened.project}), **wrong)
    async with database.begin() as session:
        with pytest.raises(kind):
            await request_import(session, wanted, person="op", now=NOW)
