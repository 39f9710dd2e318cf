"""Whose code it is, on a stack made by hand and on that of a real process asleep."""

import os
import struct
import subprocess
from pathlib import Path

import pytest

from paramon.perf.sleep import Sleep
from paramon.perf.text import APPLICATION, ELSEWHERE, MPI, NO_CODE, SHARED, Text, kind_of

MAPS = """\
00400000-00500000 r-xp 00000000 fe:01 11 /home/u/my programs/solver
00600000-00700000 rw-p 00000000 fe:01 11 /home/u/my programs/solver
7f0000000000-7f0000100000 r-xp 00000000 fe:01 12 /usr/lib/x86_64-linux-gnu/libmpi.so.40.30.4
7f0000200000-7f0000300000 r-xp 00000000 fe:01 13 /usr/lib/x86_64-linux-gnu/openmpi/lib/openmpi3/mca_btl_vader.so
7f0000400000-7f0000500000 r-xp 00000000 fe:01 14 /usr/lib/x86_64-linux-gnu/libc.so.6
7f0000600000-7f0000700000 r-xp 00000000 fe:01 15 /usr/lib/x86_64-linux-gnu/libgomp.so.1.0.0
7f0000800000-7f0000900000 r-xp 00000000 00:00 0
7ffd00000000-7ffd00100000 rw-p 00000000 00:00 0 [stack]
7ffd00200000-7ffd00202000 r-xp 00000000 00:00 0 [vdso]
"""
SOLVER, LIBMPI, VADER, LIBC, GOMP, COMPILED, STACK = (
    0x401000, 0x7F0000001000, 0x7F0000201000, 0x7F0000401000, 0x7F0000601000, 0x7F0000801000, 0x7FFD00001000,
)  # fmt: skip


@pytest.fixture
def text(tmp_path: Path) -> Text:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "maps").write_text(MAPS)
    found = Text(7, str(tmp_path))
    found.reload()
    return found


def stack(*words: int) -> bytes:
    return struct.pack(f"={len(words)}Q", *words)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/opt/intel/oneapi/mpi/2021.10/lib/libmpi.so.12.0.0", MPI),
        ("/usr/lib64/openmpi/lib/libopen-pal.so.40.30.2", MPI),
        ("/usr/lib64/ucx/libuct_ib.so.0.0.0", MPI),
        ("/usr/lib64/libucp.so.0", MPI),
        ("/opt/intel/oneapi/mpi/2021.10/libfabric/lib/prov/libpsm3-fi.so", MPI),
        ("/usr/lib/x86_64-linux-gnu/libmpich.so.12", MPI),
        ("/usr/lib/x86_64-linux-gnu/libibverbs/libmlx5-rdmav34.so", MPI),
        ("/usr/lib/x86_64-linux-gnu/pmix2/lib/libpmix.so.2.6.2", MPI),
        ("/usr/lib/x86_64-linux-gnu/libevent_core-2.1.so.7.0.1", SHARED),
        ("/lib64/libpthread-2.28.so", SHARED),
        ("[vdso]", SHARED),
        ("/opt/intel/oneapi/compiler/lib/libiomp5.so", ELSEWHERE),
        ("/usr/lib/x86_64-linux-gnu/libopenblas.so.0", APPLICATION),
        ("/home/u/libmpi/solver", APPLICATION),
        ("/home/u/a.out", APPLICATION),
        ("", APPLICATION),  # compiled while it runs
    ],
)
def test_libraries_are_told_by_their_names(path, kind):
    assert kind_of(path) == kind


def test_code_is_whose_file_it_is_in(text):
    assert [text.at(one) for one in (SOLVER, LIBMPI, VADER, LIBC, GOMP, COMPILED, STACK, 0x10)] == [
        APPLICATION, MPI, MPI, SHARED, ELSEWHERE, APPLICATION, NO_CODE, NO_CODE,
    ]  # fmt: skip
    assert text.speaks_mpi


def test_libc_works_for_whoever_called_it_last(text):
    assert text.caller(LIBC, stack(3, STACK, VADER, LIBMPI, SOLVER)) == MPI
    assert text.caller(LIBC, stack(LIBC, STACK, SOLVER, LIBMPI)) == APPLICATION
    assert text.caller(LIBC, stack(2**64 - 1, GOMP, SOLVER)) == ELSEWHERE
    assert text.caller(LIBC, stack(1, 2, STACK)) == ELSEWHERE
    assert text.caller(LIBC, b"") == ELSEWHERE


def test_who_is_in_the_code_itself_is_not_asked_for_its_stack(text):
    assert text.caller(SOLVER, stack(LIBMPI)) == APPLICATION
    assert text.caller(VADER, stack(SOLVER)) == MPI


def test_a_stack_that_is_cut_off_is_read_as_far_as_it_is(text):
    assert text.caller(LIBC, stack(SOLVER) + b"\0\0\0") == APPLICATION


def test_a_real_process_that_sleeps_is_seen_to_sleep_in_its_own_code():
    with subprocess.Popen(["sleep", "60"]) as process:
        try:
            text = Text(process.pid)
            while not (where := _settled(process.pid, text)):
                pass
            assert where == [APPLICATION]
        finally:
            process.kill()


def _settled(pid: int, text: Text) -> list[int | None]:
    """Empty until it sleeps."""
    if (
        b"sleep" not in Path(f"/proc/{pid}/cmdline").read_bytes()
        or Path(f"/proc/{pid}/syscall").read_text() == "running\n"
    ):
        return []
    text.reload()
    sleep = Sleep(pid, text)
    found = sleep.where()
    sleep.close()
    return [found] if found is not None and os.readlink(f"/proc/{pid}/exe").endswith("sleep") else []
