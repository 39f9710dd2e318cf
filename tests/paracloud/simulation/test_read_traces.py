"""Traces from files: whole, or refused with the line."""

import lzma
from pathlib import Path

import pytest

from paracloud.kit.errors import Invalid
from paracloud.simulation.read_traces import COLUMNS, read_csv, read_swf
from paracloud.simulation.workload import TraceJob

HEADER = ",".join(COLUMNS) + "\n"


def swf(
    submitted: object = 10, ran: object = 60, procs: object = 4, asked: object = 100, *, wanted: object = -1
) -> str:
    return f"1 {submitted} -1 {ran} {procs} -1 -1 {wanted} {asked} -1 1 7 7 -1 -1 -1 -1 -1\n"


def written(folder: Path, text: str, name: str = "trace") -> Path:
    file = folder / name
    file.write_bytes(lzma.compress(text.encode()) if name.endswith(".xz") else text.encode())
    return file


@pytest.mark.parametrize("name", ["trace.swf", "trace.swf.xz"])
def test_a_trace_is_read(tmp_path: Path, name: str) -> None:
    text = "; MaxProcs: 8\n\n" + swf() + swf(submitted=20, ran=500) + swf(procs=-1, wanted=2, asked=-1)
    jobs, left_out = read_swf(written(tmp_path, text, name))
    assert jobs == [
        TraceJob(10, 60, 4, 100, 0, "7"),
        TraceJob(20, 100, 4, 100, 0, "7"),
        TraceJob(10, 60, 2, 60, 0, "7", has_request=False),
    ]
    assert left_out == 0


def test_what_never_ran_is_counted_and_left_out(tmp_path: Path) -> None:
    jobs, left_out = read_swf(written(tmp_path, swf(ran=-1) + swf(procs=0) + swf()))
    assert (len(jobs), left_out) == (1, 2)


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ("1 2 3\n", "3 fields, not 18"),
        (swf(ran="x"), "'x' is no number"),
        (swf(asked="nan"), "'nan' is no number"),
        (swf(submitted=-5), "no job can have"),
        (swf(procs=10**9), "no job can have"),
        (swf(asked=1e300), "no job can have"),
        (swf(ran="inf"), "'inf' is no number"),
    ],
)
def test_a_broken_line_refuses_the_trace_by_its_number(tmp_path: Path, broken: str, why: str) -> None:
    with pytest.raises(Invalid, match=r"line 3: .*" + why):
        read_swf(written(tmp_path, "; remark\n" + swf() + broken + swf()))


def test_how_many_lines_are_broken_is_said_with_the_first_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(
        Invalid, match=r"line 2: .* Correct the line, or take it out\. Broken lines besides this one: 2"
    ):
        read_swf(written(tmp_path, swf() + "1 2\n" + swf() + swf(ran="x") + swf(asked="inf")))
    with pytest.raises(Invalid, match=r"line 3: .* Broken lines besides this one: 1") as told:
        read_csv(written(tmp_path, HEADER + "1,2,1,4,0,a\n1,x,1,4,0,a\n1,2,1,4,9,a\n"), (4, 4))
    assert "另有 1 行有误" in told.value.zh


@pytest.mark.parametrize("cut_at", [0, 3, 40, -50])
def test_a_packed_trace_that_was_cut_is_refused(tmp_path: Path, cut_at: int) -> None:
    whole = written(tmp_path, "".join(swf(submitted=at * 7919 % 10007) for at in range(2000)), "trace.xz")
    whole.write_bytes(whole.read_bytes()[:cut_at])
    with pytest.raises(Invalid, match=r"line .* fetch it again"):
        read_swf(whole)


def test_there_is_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no file"):
        read_swf(tmp_path / "nowhere")


@pytest.mark.parametrize("first", [0, 1])
def test_jobs_are_read_by_their_header_and_centres_counted_from_0_or_1(tmp_path: Path, first: int) -> None:
    header = "user,procs,submit_s,run_s,requested_s,home_centre,note\n"
    text = f"{header}ann,2,5,60,100,{first},x\nbob,4,3.5,7,0,{first + 1},y\n"
    found = read_csv(written(tmp_path, text), (4, 8))
    assert found.jobs == (TraceJob(3.5, 7, 4, 7, 1, "bob", has_request=False), TraceJob(5, 60, 2, 100, 0, "ann"))
    assert found.left_out == 0


def test_what_spreadsheets_write_is_read(tmp_path: Path) -> None:
    """A byte order mark, CRLF, quotes, blanks after commas, blank lines."""
    names = HEADER.strip().replace(",", ", ")
    text = f'\ufeff{names}\r\n"3","60","2","100","0","Lee, ann"\r\n\r\n 4 , 5 , 1 , -1 , 1 , bob \r\n'
    found = read_csv(written(tmp_path, text), (4, 8))
    assert found.jobs == (TraceJob(3, 60, 2, 100, 0, "Lee, ann"), TraceJob(4, 5, 1, 5, 1, "bob", has_request=False))


def test_a_trace_without_jobs_is_empty_not_broken(tmp_path: Path) -> None:
    assert read_swf(written(tmp_path, "; MaxProcs: 8\n")) == ([], 0)
    assert read_swf(written(tmp_path, "")) == ([], 0)
    assert read_csv(written(tmp_path, HEADER), (4,)).jobs == ()


def test_what_is_wider_than_its_own_centre_is_counted_and_left_out(tmp_path: Path) -> None:
    found = read_csv(written(tmp_path, HEADER + "0,1,5,1,0,a\n0,1,4,1,0,a\n0,-1,1,1,0,a\n"), (4,))
    assert (len(found.jobs), found.left_out) == (1, 2)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("submit_s,run_s\n", "line 1: the header lacks procs, requested_s, home_centre, user"),
        ("", "line 1: the header lacks"),
        (HEADER + "1,2,3\n", "line 2: it has not as many fields"),
        (HEADER + "1,2,3,4,0,a,b\n", "line 2: it has not as many fields"),
        (HEADER + "1,2,1.5,4,0,a\n", "line 2: procs is a whole number"),
        (HEADER + "1,2,1,4,0,a\n1,2,1,4,2,a\n1,2,1,4,5,a\n", "line 3: home_centre 2 is not in 0 to 1"),
        (HEADER + "-1,2,1,4,0,a\n", "line 2: a time or a number that no job can have"),
        (HEADER + "1,2,1,1e300,0,a\n", "line 2: a time or a number that no job can have"),
        (HEADER + "1,2,1e300,4,0,a\n", "line 2: a time or a number that no job can have"),
        (HEADER + "1,inf,1,4,0,a\n", "line 2: 'inf' is no number"),
        (HEADER + "1,2,1,4,nan,a\n", "line 2: 'nan' is no number"),
        (HEADER + "1_000,2,1,4,0,a\n", "line 2: '1_000' is no number"),
        (HEADER + "１０,2,1,4,0,a\n", "line 2: '１０' is no number"),
        (HEADER.replace(",", ";") + "1;2;1;4;0;a\n", "line 1: the header lacks submit_s"),
        (HEADER.strip() + ",procs\n1,2,1,4,0,a,2\n", "line 1: the header has procs twice"),
        (HEADER + '1,2,1,4,0,"a\n1,2,1,4,0,b\n', "no CSV .unexpected end of data"),
        (HEADER + '1,2,1,4,0,"a\n1,2,1,4,0,b"\n1,2,1,4,0,c\n', "a quoted user over several lines"),
        (HEADER + "1,2,1,4,0," + "a" * 200_000 + "\n", "line 2: no CSV .field larger"),
    ],
)
def test_broken_jobs_are_refused_by_their_line(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        read_csv(written(tmp_path, text), (4, 4))
